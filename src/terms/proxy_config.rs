//! The configuration of a proxy, as far as routing sees it: Istio's `ProxyConfig`. The mesh has one for all
//! (`defaultConfig`), a workload may have its own (annotation `proxy.istio.io/config`), which takes the place of the mesh's
//! where it says something (R-M-211).

use super::connection_manager::{ConnectionManager, ForwardClientCert, Underscores};
use super::path_normalization::{EscapedSlashes, PathHandling, PathNormalization};

/// What stands before a gateway (`gatewayTopology`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct GatewayTopology {
    /// How many proxies: what the outermost says of the client is believed; 0.
    pub trusted_proxies: u32,
    /// What becomes of `x-forwarded-client-cert`; `SANITIZE_SET`.
    pub client_certificate: ForwardClientCert,
}

impl Default for GatewayTopology {
    fn default() -> Self {
        GatewayTopology {
            trusted_proxies: 0,
            client_certificate: ForwardClientCert::SanitizeSet,
        }
    }
}

/// Headers that a proxy adds by itself (`proxyHeaders`); `None`: nothing is said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct ProxyHeaders {
    /// `x-envoy-attempt-count`; yes.
    pub attempt_count: Option<bool>,
    /// `x-envoy-expected-rq-timeout-ms`, `x-envoy-original-path`; yes.
    pub debug: Option<bool>,
    /// `x-forwarded-host`, where a rule rewrites; no.
    pub forwarded_host: Option<bool>,
    /// `x-forwarded-port`, at a gateway; no.
    pub forwarded_port: Option<bool>,
}

/// How connections are handled (`connectionSettings`), as far as requests are refused or changed by it (R-H-150); `None`:
/// nothing is said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct ConnectionSettings {
    /// `profile: EDGE`: at a gateway, what is not said is as Envoy advises.
    pub is_edge: bool,
    /// Whether `//` becomes `/`; by MeshConfig.
    pub merges_slashes: Option<bool>,
    /// What is done with escaped slashes; by MeshConfig.
    pub escaped_slashes: Option<EscapedSlashes>,
    /// What is done with headers that have a `_` in their name; nothing.
    pub underscores: Option<Underscores>,
}

/// The configuration of a proxy, as far as something is said.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct ProxyConfig {
    /// What stands before it, if it is a gateway.
    pub gateway_topology: Option<GatewayTopology>,
    /// Headers that it adds by itself.
    pub headers: ProxyHeaders,
    /// How connections are handled.
    pub connections: Option<ConnectionSettings>,
    /// Whether it may not listen on ports below 1024 (`ISTIO_META_UNPRIVILEGED_POD`, R-M-038).
    pub is_unprivileged: Option<bool>,
}

impl ProxyConfig {
    /// What holds for a workload of this configuration in a mesh where `default` holds: messages are taken whole, but
    /// headers one by one.
    #[must_use]
    pub fn over(&self, default: &ProxyConfig) -> ProxyConfig {
        let (own, other) = (&self.headers, &default.headers);
        ProxyConfig {
            gateway_topology: self.gateway_topology.or(default.gateway_topology),
            headers: ProxyHeaders {
                attempt_count: own.attempt_count.or(other.attempt_count),
                debug: own.debug.or(other.debug),
                forwarded_host: own.forwarded_host.or(other.forwarded_host),
                forwarded_port: own.forwarded_port.or(other.forwarded_port),
            },
            connections: self.connections.or(default.connections),
            is_unprivileged: self.is_unprivileged.or(default.is_unprivileged),
        }
    }

    /// What a gateway does with requests, or the outbound side of a sidecar.
    pub(crate) fn connection_manager(
        &self,
        is_gateway: bool,
        normalization: PathNormalization,
    ) -> ConnectionManager {
        let topology = self.gateway_topology.unwrap_or_default();
        let settings = self.connections.unwrap_or_default();
        let advised = settings.is_edge && is_gateway;
        let mut path = PathHandling::from(normalization);
        if let Some(merges) = settings.merges_slashes.or(advised.then_some(true)) {
            path.merges_slashes = merges;
        }
        let advice = advised.then_some(EscapedSlashes::Redirect);
        if let Some(escaped) = settings.escaped_slashes.or(advice) {
            path.escaped_slashes = escaped;
        }
        let advice = advised.then_some(Underscores::Reject);
        ConnectionManager {
            path,
            is_edge: is_gateway,
            trusted_hops: if is_gateway {
                topology.trusted_proxies
            } else {
                0
            },
            client_certificate: match is_gateway {
                true => topology.client_certificate,
                false => ForwardClientCert::Sanitize,
            },
            underscores: settings.underscores.or(advice).unwrap_or_default(),
            hides_attempts: self.headers.attempt_count == Some(false),
            hides_itself: self.headers.debug == Some(false),
            appends_host: self.headers.forwarded_host == Some(true),
            appends_port: is_gateway && self.headers.forwarded_port == Some(true),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r_m_211_a_workload_says_it_in_place_of_the_mesh() {
        let topology = |trusted_proxies, client_certificate| {
            Some(GatewayTopology {
                trusted_proxies,
                client_certificate,
            })
        };
        let mesh = ProxyConfig {
            gateway_topology: topology(2, ForwardClientCert::ForwardOnly),
            headers: ProxyHeaders {
                attempt_count: Some(false),
                ..ProxyHeaders::default()
            },
            ..ProxyConfig::default()
        };
        let own = ProxyConfig {
            gateway_topology: topology(1, ForwardClientCert::SanitizeSet),
            headers: ProxyHeaders {
                debug: Some(false),
                ..ProxyHeaders::default()
            },
            ..ProxyConfig::default()
        };
        let both = own.over(&mesh);
        assert_eq!(both.gateway_topology, own.gateway_topology);
        let manager = both.connection_manager(true, PathNormalization::Base);
        assert!(manager.hides_attempts && manager.hides_itself);
        assert_eq!(manager.trusted_hops, 1);
        assert_eq!(ProxyConfig::default().over(&mesh), mesh);
    }

    #[test]
    fn r_h_150_the_edge_profile_is_for_gateways_and_gives_way_to_what_is_written() {
        let edge = ConnectionSettings {
            is_edge: true,
            ..ConnectionSettings::default()
        };
        let manager = |connections, is_gateway| {
            let config = ProxyConfig {
                connections: Some(connections),
                ..ProxyConfig::default()
            };
            config.connection_manager(is_gateway, PathNormalization::Base)
        };
        let advised = manager(edge, true);
        assert!(advised.path.normalizes && advised.path.merges_slashes);
        assert_eq!(advised.path.escaped_slashes, EscapedSlashes::Redirect);
        assert_eq!(advised.underscores, Underscores::Reject);
        assert_eq!(manager(edge, false).path, PathHandling::default());
        let written = ConnectionSettings {
            escaped_slashes: Some(EscapedSlashes::Keep),
            underscores: Some(Underscores::Allow),
            merges_slashes: Some(false),
            ..edge
        };
        let manager = manager(written, true);
        assert_eq!(manager.path, PathHandling::default());
        assert_eq!(manager.underscores, Underscores::Allow);
    }
}
