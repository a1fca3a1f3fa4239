//! The settings of a cluster but for TLS: what its policy says, with MeshConfig's and Istio's defaults filled in
//! (R-M-088..R-M-110, R-M-117, R-M-124, R-M-130).
//!
//! Istio: `ClusterBuilder.applyTrafficPolicy`.

use std::sync::Arc;
use std::time::Duration;

use crate::mesh::config::{H2UpgradePolicy, MeshConfig};
use crate::mesh::service::{
    Protocol, Registry, Resolution, Service, ServicePort, TrafficDistribution,
};
use crate::router::{
    ClusterSettings, ClusterSide, Discovery, LbPolicy, Limits, Special, UpstreamProtocol,
};
use crate::terms::traffic_policy::{
    ConnectionPool, H2Upgrade, HashAlgorithm, HttpPool, LoadBalancer, LoadBalancing, TcpKeepalive,
    TcpPool, TrafficPolicy,
};

use super::locality::{self, Locality};

/// Connections to where the client meant them to go are closed after so long without a request.
const PASSTHROUGH_IDLE_TIMEOUT: Duration = Duration::from_secs(300);

/// What the settings of a cluster depend on.
#[derive(Clone, Copy)]
pub(super) struct ClusterInputs<'a> {
    pub side: ClusterSide,
    pub service: &'a Service,
    pub port: &'a ServicePort,
    pub policy: Option<&'a TrafficPolicy>,
    /// What a subset says by itself, and the policy of the same port without subset.
    pub of_subset: Option<SubsetPolicies<'a>>,
}

/// What makes a subset's endpoints those that the client means, whatever its policy says.
#[derive(Clone, Copy)]
pub(super) struct SubsetPolicies<'a> {
    pub own: Option<&'a TrafficPolicy>,
    pub without_subset: Option<&'a TrafficPolicy>,
}

impl ClusterInputs<'_> {
    /// The settings of the cluster.
    pub(super) fn settings(&self, config: &MeshConfig) -> ClusterSettings {
        let discovery = self.discovery();
        let policy = self.policy;
        let pool = policy.and_then(|policy| policy.connection_pool.as_deref());
        let (tcp, http) = match pool {
            Some(ConnectionPool { tcp, http }) => (tcp.as_ref(), http.as_ref()),
            None => (None, None),
        };
        let balancer = policy.and_then(|policy| policy.load_balancer.as_deref());
        let outlier_detection = policy.and_then(|policy| policy.outlier_detection.clone());
        let protocol = self.protocol(http, config);
        let limits = Limits {
            max_connections: tcp.and_then(|tcp| tcp.max_connections),
            max_pending_requests: http.and_then(|http| http.http1_max_pending_requests),
            max_requests: http.and_then(|http| http.http2_max_requests),
            max_retries: http.and_then(|http| http.max_retries),
            retry_budget: policy.and_then(|policy| policy.retry_budget),
        };
        let of_http = http.and_then(|http| http.idle_timeout);
        let locality = locality::effective(config, balancer, self.service);
        let detects = outlier_detection.is_some();
        ClusterSettings {
            discovery,
            lb_policy: lb_policy(discovery, balancer),
            panic_threshold: outlier_detection
                .as_ref()
                .map_or(0, |outlier| outlier.min_health_percent),
            locality_weighted: locality
                .as_ref()
                .is_some_and(|locality| locality.weighs_localities(detects)),
            zone_aware: locality.as_ref().and_then(Locality::zone_aware),
            connect_timeout: tcp
                .and_then(|tcp| tcp.connect_timeout)
                .unwrap_or(config.connect_timeout),
            keepalive: keepalive(tcp, config),
            limits,
            outlier_detection,
            protocol,
            idle_timeout: of_http.or_else(|| tcp?.idle_timeout),
            max_connection_duration: tcp.and_then(|tcp| tcp.max_connection_duration),
            max_requests_per_connection: http.and_then(|http| http.max_requests_per_connection),
            max_concurrent_streams: http
                .and_then(|http| http.max_concurrent_streams)
                .filter(|_| protocol == UpstreamProtocol::Http2),
            ..ClusterSettings::default()
        }
    }

    /// How the endpoints are found (R-M-130). The original destination is out of a gateway's reach, unless a rule asks for it;
    /// where one asks for it without a subset, its subsets follow whatever they say.
    fn discovery(&self) -> Discovery {
        let of_subset = self
            .of_subset
            .map(|policies| [policies.own, policies.without_subset]);
        let policies = of_subset
            .into_iter()
            .flatten()
            .chain([self.policy])
            .flatten();
        let by_rule = policies
            .filter_map(|policy| policy.load_balancer.as_deref())
            .any(|balancer| balancer.balancing == LoadBalancing::Passthrough);
        let original = Discovery::OriginalDst { port: None };
        match self.service.resolution {
            Resolution::DynamicDns => Discovery::DynamicForwardProxy,
            _ if by_rule => original,
            Resolution::Dns => Discovery::StrictDns,
            Resolution::DnsRoundRobin => Discovery::LogicalDns,
            Resolution::Passthrough if self.side == ClusterSide::Mesh => Discovery::OriginalDst {
                port: self.overridden_port(),
            },
            Resolution::Passthrough | Resolution::Eds | Resolution::Alias => Discovery::Eds,
        }
    }

    /// The target port of a ServiceEntry's port, where it is another (Istio: `PassthroughTargetPorts`).
    fn overridden_port(&self) -> Option<u16> {
        let target = self.port.target_port?;
        let differs = self.service.registry == Registry::External && target != self.port.number;
        differs.then_some(target)
    }

    /// What is spoken to the endpoints (R-M-102).
    fn protocol(&self, http: Option<&HttpPool>, config: &MeshConfig) -> UpstreamProtocol {
        let by_port = match self.port.protocol {
            Protocol::Http2 | Protocol::Grpc | Protocol::GrpcWeb => UpstreamProtocol::Http2,
            Protocol::Unsupported if self.side == ClusterSide::Mesh => UpstreamProtocol::Downstream,
            _ => UpstreamProtocol::Http1,
        };
        if http.is_some_and(|http| http.use_client_protocol) {
            return UpstreamProtocol::Downstream;
        }
        let upgrades = match http.map_or(H2Upgrade::Default, |http| http.h2_upgrade) {
            H2Upgrade::Upgrade => true,
            H2Upgrade::DoNotUpgrade => false,
            H2Upgrade::Default => {
                self.port.protocol.is_http() && config.h2_upgrade_policy == H2UpgradePolicy::Upgrade
            }
        };
        match (upgrades, by_port) {
            (true, UpstreamProtocol::Http1) => UpstreamProtocol::Http2,
            (_, by_port) => by_port,
        }
    }
}

/// Of a cluster that is no service's.
pub(super) fn special(special: Special, config: &MeshConfig) -> ClusterSettings {
    let common = ClusterSettings {
        connect_timeout: config.connect_timeout,
        ..ClusterSettings::default()
    };
    match special {
        Special::UnknownService => common,
        Special::BlackHole => ClusterSettings {
            discovery: Discovery::Static,
            lb_policy: LbPolicy::RoundRobin { warmup: None },
            ..common
        },
        Special::Passthrough | Special::DynamicDns => ClusterSettings {
            discovery: match special {
                Special::DynamicDns => Discovery::DynamicForwardProxy,
                _ => Discovery::OriginalDst { port: None },
            },
            lb_policy: LbPolicy::ClusterProvided,
            keepalive: config.tcp_keepalive,
            protocol: UpstreamProtocol::Downstream,
            idle_timeout: Some(PASSTHROUGH_IDLE_TIMEOUT),
            ..common
        },
    }
}

fn lb_policy(discovery: Discovery, balancer: Option<&LoadBalancer>) -> LbPolicy {
    if let Discovery::OriginalDst { .. } | Discovery::DynamicForwardProxy = discovery {
        return LbPolicy::ClusterProvided;
    }
    let Some(balancer) = balancer else {
        return LbPolicy::LeastRequest { warmup: None };
    };
    let warmup = balancer.warmup;
    match &balancer.balancing {
        LoadBalancing::LeastRequest => LbPolicy::LeastRequest { warmup },
        LoadBalancing::RoundRobin => LbPolicy::RoundRobin { warmup },
        LoadBalancing::Random => LbPolicy::Random,
        LoadBalancing::Passthrough => LbPolicy::ClusterProvided,
        LoadBalancing::ConsistentHash(hash) => match hash.algorithm {
            HashAlgorithm::RingHash { minimum_size } => LbPolicy::RingHash {
                minimum_size: minimum_size.unwrap_or(LbPolicy::DEFAULT_RING_SIZE),
            },
            HashAlgorithm::Maglev { table_size } => LbPolicy::Maglev {
                table_size: table_size.unwrap_or(LbPolicy::DEFAULT_TABLE_SIZE),
            },
        },
    }
}

/// `SO_KEEPALIVE`: the mesh's, with what the rule says over it (R-M-098).
fn keepalive(tcp: Option<&TcpPool>, config: &MeshConfig) -> Option<TcpKeepalive> {
    let own = tcp.and_then(|tcp| tcp.keepalive);
    match (own, config.tcp_keepalive) {
        (None, of_mesh) => of_mesh,
        (own, None) => own,
        (Some(own), Some(of_mesh)) => Some(TcpKeepalive {
            probes: own.probes.or(of_mesh.probes),
            time: own.time.or(of_mesh.time),
            interval: own.interval.or(of_mesh.interval),
        }),
    }
}

/// Settings that clusters share: each combination of what they depend on is worked out once.
#[derive(Debug, Default)]
pub(super) struct SharedSettings {
    known: crate::terms::hash::HashMap<Key, Arc<ClusterSettings>>,
}

/// The policy by its address, and all of service and port that settings depend on.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Key {
    policy: usize,
    protocol: Protocol,
    discovery: Discovery,
    distribution: Option<TrafficDistribution>,
}

impl SharedSettings {
    /// The settings of a cluster.
    pub(super) fn of(
        &mut self,
        inputs: &ClusterInputs<'_>,
        config: &MeshConfig,
    ) -> Arc<ClusterSettings> {
        let key = Key {
            policy: inputs
                .policy
                .map_or(0, |policy| std::ptr::from_ref(policy) as usize),
            protocol: inputs.port.protocol,
            discovery: inputs.discovery(),
            distribution: inputs.service.traffic_distribution,
        };
        let made = || Arc::new(inputs.settings(config));
        Arc::clone(self.known.entry(key).or_insert_with(made))
    }
}
