//! Endpoints of clusters, by locality and priority.

use crate::envoy::model::*;
use crate::router::{self, EndpointGroup};
use crate::terms::address;
use crate::terms::endpoint::Health;

/// The filter whose metadata sockets are matched with.
const SOCKET_MATCH: &str = "envoy.transport_socket_match";

pub(super) fn assignment(cluster: &router::Cluster) -> ClusterLoadAssignment {
    let groups = cluster.endpoint_set().groups();
    ClusterLoadAssignment {
        cluster_name: cluster.name().to_owned(),
        endpoints: groups.map(|group| locality(&group)).collect(),
    }
}

fn locality(group: &EndpointGroup<'_>) -> LocalityLbEndpoints {
    let mut parts = group.locality().splitn(3, '/').map(str::to_owned);
    let mut part = || parts.next().unwrap_or_default();
    let locality = Locality {
        region: part(),
        zone: part(),
        sub_zone: part(),
    };
    LocalityLbEndpoints {
        locality: Some(locality).filter(|locality| *locality != Locality::default()),
        lb_endpoints: group.endpoints().map(|found| endpoint(&found)).collect(),
        load_balancing_weight: Some(group.weight()),
        priority: group.priority(),
    }
}

fn endpoint(endpoint: &router::LbEndpoint<'_>) -> LbEndpoint {
    let socket = |address: String| EndpointAddress {
        socket_address: Some(SocketAddress {
            address,
            port_value: endpoint.port().into(),
        }),
        pipe: None,
    };
    let address = match endpoint.address() {
        Some(address::Address::Ip(address)) => socket(address.to_string()),
        Some(address::Address::Host(host)) => socket(host.to_string()),
        Some(address::Address::Unix(path)) => EndpointAddress {
            socket_address: None,
            pipe: Some(Pipe {
                path: path.to_string(),
            }),
        },
        None => EndpointAddress::default(),
    };
    let mutual = serde_json::json!({ "tlsMode": "istio" });
    LbEndpoint {
        endpoint: Endpoint { address },
        health_status: match endpoint.health() {
            Health::Healthy => None,
            Health::Unhealthy => Some(HealthStatus::Unhealthy),
            Health::Draining | Health::Terminating => Some(HealthStatus::Draining),
        },
        load_balancing_weight: Some(endpoint.weight()),
        metadata: endpoint.is_mutual_tls().then(|| Metadata {
            filter_metadata: [(SOCKET_MATCH.to_owned(), mutual)].into(),
        }),
    }
}
