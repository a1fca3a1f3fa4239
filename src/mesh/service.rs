//! Services, whatever made them: a Kubernetes Service or a host of a ServiceEntry.

use ipnet::IpNet;
use std::ops::Deref;
use std::sync::Arc;

pub(crate) use crate::terms::endpoint::{Endpoint, EndpointFacts, EndpointPort, Health};
use crate::terms::hash::HashMap;
use crate::terms::labels::Labels;
use crate::terms::name::ResourceName;

use super::visibility::Visibility;

/// Protocol of a service or gateway port, by Istio's reading (R-M-017, R-M-129, R-M-131).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub(crate) enum Protocol {
    Tcp,
    Udp,
    Grpc,
    GrpcWeb,
    Http,
    HttpProxy,
    Http2,
    Https,
    Tls,
    Mongo,
    Redis,
    Mysql,
    /// Detected from the bytes.
    Unsupported,
}

impl Protocol {
    /// Reads a protocol name without case (R-M-017).
    pub(crate) fn parse(text: &str) -> Self {
        match text.to_ascii_lowercase().as_str() {
            "tcp" => Protocol::Tcp,
            "udp" => Protocol::Udp,
            "grpc" => Protocol::Grpc,
            "grpc-web" => Protocol::GrpcWeb,
            "http" => Protocol::Http,
            "http_proxy" => Protocol::HttpProxy,
            "http2" => Protocol::Http2,
            "https" => Protocol::Https,
            "tls" => Protocol::Tls,
            "mongo" => Protocol::Mongo,
            "redis" => Protocol::Redis,
            "mysql" => Protocol::Mysql,
            _ => Protocol::Unsupported,
        }
    }

    /// HTTP, HTTP2, HTTP_PROXY, GRPC, GRPC-Web.
    pub(crate) fn is_http(self) -> bool {
        matches!(
            self,
            Protocol::Http
                | Protocol::Http2
                | Protocol::HttpProxy
                | Protocol::Grpc
                | Protocol::GrpcWeb
        )
    }

    /// HTTPS, TLS.
    pub(crate) fn is_tls(self) -> bool {
        matches!(self, Protocol::Https | Protocol::Tls)
    }
}

/// One port of a service.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ServicePort {
    /// Its name; may be empty.
    pub name: Box<str>,
    /// Its number.
    pub number: u16,
    /// Its protocol.
    pub protocol: Protocol,
    /// The workload's port, where it is a number; a named one resolves through the workloads.
    pub target_port: Option<u16>,
    /// A named target port.
    pub target_port_name: Option<Box<str>>,
}

/// How the endpoints of a service are found (R-M-130).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub(crate) enum Resolution {
    /// Cluster IP, `STATIC`.
    Eds,
    /// Headless, `NONE`: the original destination.
    Passthrough,
    /// `DNS`.
    Dns,
    /// `DNS_ROUND_ROBIN`.
    DnsRoundRobin,
    /// `DYNAMIC_DNS`.
    DynamicDns,
    /// ExternalName: an alias, without a cluster of its own.
    Alias,
}

/// What made a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Registry {
    /// A Kubernetes Service.
    Kubernetes,
    /// A ServiceEntry.
    External,
}

/// Which endpoints are preferred.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum TrafficDistribution {
    /// `PreferSameZone`, or `PreferClose` in the words of yesterday: those of the client's zone.
    SameZone,
    /// `PreferSameNode`: those of the client's node.
    SameNode,
}

/// A service as everyone may see it; narrowed per proxy at compile time.
#[derive(Clone, Debug)]
pub(crate) struct Service {
    /// FQDN or ServiceEntry host, as written; may be a wildcard for a ServiceEntry.
    pub hostname: Arc<str>,
    /// The resource that made it.
    pub resource: ResourceName,
    /// What made it.
    pub registry: Registry,
    /// Seconds since the epoch; 0 where unset.
    pub creation: i64,
    /// Who can see it.
    pub visibility: Visibility,
    /// Cluster IPs or ServiceEntry address; empty: none of its own.
    pub addresses: Vec<IpNet>,
    /// Its ports, in order.
    pub ports: ServicePorts,
    /// How its endpoints are found.
    pub resolution: Resolution,
    /// Outside the mesh (`MESH_EXTERNAL`).
    pub mesh_external: bool,
    /// ExternalName target.
    pub external_name: Option<Arc<str>>,
    /// What selects its workloads; empty: nothing selects.
    pub selector: Arc<Labels>,
    /// Its own labels (`metadata.labels`).
    pub labels: Arc<Labels>,
    /// Its workloads and endpoints that the configuration holds; shared by the services that one ServiceEntry makes.
    pub endpoints: Arc<[Endpoint]>,
    /// The ExternalName services that end here; their names are domains of its virtual hosts (R-H-047).
    pub aliases: Arc<[Alias]>,
    /// `subjectAltNames` of a ServiceEntry.
    pub subject_alt_names: Arc<[Box<str>]>,
    /// `trafficDistribution` of a Kubernetes Service: which endpoints are preferred (R-M-124).
    pub traffic_distribution: Option<TrafficDistribution>,
}

impl Service {
    /// Its namespace.
    pub(crate) fn namespace(&self) -> &str {
        &self.resource.namespace
    }

    /// Whether a Kubernetes Service made it.
    pub(crate) fn is_kubernetes(&self) -> bool {
        self.registry == Registry::Kubernetes
    }

    /// Its place among the services of a mesh, as Istio sorts them: creation time, name (of a ServiceEntry: the host),
    /// namespace; then those of Kubernetes first, and the others by their ServiceEntry.
    pub(crate) fn config_key(&self) -> ConfigKey<'_> {
        let name = match self.registry {
            Registry::Kubernetes => &self.resource.name,
            Registry::External => &self.hostname,
        };
        let resource = &self.resource;
        let is_external = self.registry == Registry::External;
        (
            self.creation,
            &**name,
            &*resource.namespace,
            is_external,
            &*resource.name,
        )
    }

    /// Whether it is `other` in everything.
    pub(crate) fn is_same(&self, other: &Service) -> bool {
        self.is_but_for_endpoints(other) && self.endpoints == other.endpoints
    }

    /// Whether it is `other` in everything but its endpoints.
    pub(crate) fn is_but_for_endpoints(&self, other: &Service) -> bool {
        let Service {
            hostname,
            resource,
            registry,
            creation,
            visibility,
            addresses,
            ports,
            resolution,
            mesh_external,
            external_name,
            selector,
            labels,
            endpoints: _,
            aliases,
            subject_alt_names,
            traffic_distribution,
        } = self;
        *hostname == other.hostname
            && *resource == other.resource
            && *registry == other.registry
            && *creation == other.creation
            && *visibility == other.visibility
            && *addresses == other.addresses
            && *ports == other.ports
            && *resolution == other.resolution
            && *mesh_external == other.mesh_external
            && *external_name == other.external_name
            && *selector == other.selector
            && *labels == other.labels
            && *aliases == other.aliases
            && *subject_alt_names == other.subject_alt_names
            && *traffic_distribution == other.traffic_distribution
    }

    /// Whether its ports that carry no HTTP are opened at each of its endpoints: headless, without an address (R-M-069).
    pub(crate) fn listens_at_endpoints(&self) -> bool {
        self.resolution == Resolution::Passthrough
            && self
                .addresses
                .iter()
                .all(|address| address.addr().is_unspecified())
    }

    /// Whether the ports of this and `other`, a service of the same host name, form one service (Istio:
    /// `canMergeServices`).
    pub(crate) fn merges_with(&self, other: &Service) -> bool {
        self.registry == other.registry
            && self.resource.namespace == other.resource.namespace
            && self.resolution == other.resolution
            && self.labels == other.labels
            && self.selector == other.selector
            && self.visibility == other.visibility
    }

    /// Whether it is an ExternalName: routes to it go to [`Service::external_name`], and it has no cluster (R-M-130).
    pub(crate) fn is_alias(&self) -> bool {
        self.resolution == Resolution::Alias
    }
}

/// Creation time, name, namespace; whether a ServiceEntry made it, and that one's name.
pub(crate) type ConfigKey<'s> = (i64, &'s str, &'s str, bool, &'s str);

/// The ExternalName services that end at each host.
pub(crate) type AliasNames = HashMap<Arc<str>, Arc<[Alias]>>;

/// An ExternalName service as the service that it points at knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Alias {
    /// Its FQDN.
    pub hostname: Arc<str>,
    /// Its namespace.
    pub namespace: Arc<str>,
}

/// So many are looked through one by one.
const FEW: usize = 8;

/// Ports in the order in which they are written. Cheap to clone.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ServicePorts(Arc<PortTable>);

#[derive(Debug, PartialEq)]
struct PortTable {
    all: Box<[ServicePort]>,
    /// Their places, sorted by number, those of one number in order; none for a few.
    by_number: Box<[u32]>,
}

impl ServicePorts {
    /// Those with this number, in order. O(log n + found).
    pub(crate) fn numbered(&self, number: u16) -> impl Iterator<Item = &ServicePort> + Clone {
        let PortTable { all, by_number } = &*self.0;
        let few = if by_number.is_empty() { &all[..] } else { &[] };
        let first = by_number.partition_point(|&place| all[place as usize].number < number);
        let places = by_number[first..].iter();
        let found = places.map(|&place| &all[place as usize]);
        few.iter()
            .filter(move |port| port.number == number)
            .chain(found.take_while(move |port| port.number == number))
    }
}

impl FromIterator<ServicePort> for ServicePorts {
    fn from_iter<I: IntoIterator<Item = ServicePort>>(ports: I) -> Self {
        let all: Box<[ServicePort]> = ports.into_iter().collect();
        let mut by_number: Vec<u32> = match all.len() {
            0..=FEW => Vec::new(),
            many => (0..many as u32).collect(),
        };
        by_number.sort_by_key(|&place| all[place as usize].number);
        let by_number = by_number.into();
        ServicePorts(Arc::new(PortTable { all, by_number }))
    }
}

impl Deref for ServicePorts {
    type Target = [ServicePort];

    fn deref(&self) -> &[ServicePort] {
        &self.0.all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_found_by_number_in_their_order_however_many_there_are() {
        for count in [0, 1, FEW, FEW + 1, 100] {
            let port = |place: usize| ServicePort {
                name: place.to_string().into(),
                number: ((place * 7) % 13) as u16,
                protocol: Protocol::Http,
                target_port: None,
                target_port_name: None,
            };
            let ports: ServicePorts = (0..count).map(port).collect();
            for number in 0..14 {
                let same = ports.iter().filter(|port| port.number == number);
                assert!(ports.numbered(number).eq(same), "{number} of {count}");
            }
        }
    }
}
