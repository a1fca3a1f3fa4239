//! What a proxy listens on and routes by, as a table.

use std::fmt;

use serde::Serialize;

use super::plain;
use crate::Router;
use crate::router::{Action, BoundListener, Filter, RouteConfig, Rule, Split};

/// Everything that a proxy routes by. Printed, an indented list; serialized, `meshroute/routes/v1`.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Routes {
    /// The form: `meshroute/routes/v1`.
    pub schema: &'static str,
    /// The proxy.
    pub proxy: String,
    /// What listens.
    pub listeners: Vec<ListenerRoutes>,
}

/// A listener.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct ListenerRoutes {
    /// Envoy's name.
    pub name: String,
    /// `mesh` or `gateway`.
    pub side: &'static str,
    /// Its filter chains.
    pub chains: Vec<ChainRoutes>,
}

/// A filter chain.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct ChainRoutes {
    /// Server names that it asks for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub server_names: Vec<String>,
    /// Where it forwards bytes; empty: it routes HTTP.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tcp: Vec<Target>,
    /// The route configuration, if it routes HTTP.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub route_config: Option<String>,
    /// Its virtual hosts.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub hosts: Vec<HostRoutes>,
}

/// A virtual host.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct HostRoutes {
    /// Envoy's name.
    pub name: String,
    /// Its domains.
    pub domains: Vec<String>,
    /// Plain text is sent to https.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub https_redirect: bool,
    /// Its rules in the order that decides.
    pub rules: Vec<RuleRoutes>,
}

/// A rule.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct RuleRoutes {
    /// Its name; may be empty.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// What it asks.
    pub matches: String,
    /// What it does: `cluster`, `redirect 301`, `direct response 200`.
    pub action: String,
    /// Where it sends requests.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub targets: Vec<Target>,
    /// Where it was written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub origin: Option<String>,
}

/// A cluster with its weight.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Target {
    /// Envoy's name.
    pub cluster: String,
    /// Its share of the sum of weights.
    pub weight: u32,
    /// A proxy has it; else requests are answered 503.
    pub exists: bool,
}

impl Routes {
    /// Of a router, which is that of the proxy that is called `proxy`.
    pub fn of(proxy: &str, router: &Router) -> Self {
        Routes {
            schema: "meshroute/routes/v1",
            proxy: proxy.to_owned(),
            listeners: router
                .listeners()
                .map(|one| listener(router, one))
                .collect(),
        }
    }
}

fn listener(router: &Router, one: BoundListener<'_>) -> ListenerRoutes {
    let chains = one.chains().map(|(chain, config)| ChainRoutes {
        server_names: chain.server_names().map(str::to_owned).collect(),
        tcp: match chain.filter() {
            Filter::Tcp(proxy) => targets(router, proxy.split()),
            _ => Vec::new(),
        },
        route_config: config.map(|config| config.name().to_owned()),
        hosts: config
            .map(|config| hosts(router, config))
            .unwrap_or_default(),
    });
    ListenerRoutes {
        name: one.listener().name().to_owned(),
        side: if one.is_gateway() { "gateway" } else { "mesh" },
        chains: chains.collect(),
    }
}

fn hosts(router: &Router, config: &RouteConfig) -> Vec<HostRoutes> {
    let hosts = config.virtual_hosts().map(|host| HostRoutes {
        name: host.name().to_owned(),
        domains: host.domains().map(str::to_owned).collect(),
        https_redirect: host.requires_tls(),
        rules: host.rules().iter().map(|one| rule(router, one)).collect(),
    });
    hosts.collect()
}

fn rule(router: &Router, rule: &Rule) -> RuleRoutes {
    let (action, targets) = match rule.action() {
        Action::Forward(forward) => ("cluster".to_owned(), targets(router, forward.split())),
        Action::Redirect(one) => (format!("redirect {}", one.redirect().status), Vec::new()),
        Action::Respond(one) => (
            format!("direct response {}", one.response().status),
            Vec::new(),
        ),
    };
    RuleRoutes {
        name: rule.name().to_owned(),
        matches: rule.matches().to_string(),
        action,
        targets,
        origin: rule.origin().map(ToString::to_string),
    }
}

fn targets(router: &Router, split: &Split) -> Vec<Target> {
    let clusters = split.clusters().filter_map(|one| {
        let cluster = router.cluster(one.cluster())?;
        Some(Target {
            cluster: cluster.name().to_owned(),
            weight: one.weight(),
            exists: cluster.exists(),
        })
    });
    clusters.collect()
}

/// `80% a, 20% b`; one cluster alone is its name.
fn shares(targets: &[Target]) -> String {
    let total: u64 = targets.iter().map(|one| u64::from(one.weight)).sum();
    let one = |target: &Target| {
        let missing = if target.exists {
            ""
        } else {
            " (does not exist)"
        };
        match targets.len() {
            1 => format!("{}{missing}", target.cluster),
            _ => {
                let share = u64::from(target.weight) as f64 * 100.0 / total.max(1) as f64;
                format!(
                    "{} % {}{missing}",
                    (share * 100.0).round() / 100.0,
                    target.cluster
                )
            }
        }
    };
    targets.iter().map(one).collect::<Vec<_>>().join(", ")
}

impl fmt::Display for Routes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = format!("{}\n", self.proxy);
        for listener in &self.listeners {
            out.push_str(&format!(
                "  listener {} ({})\n",
                listener.name, listener.side
            ));
            for chain in &listener.chains {
                if !chain.server_names.is_empty() {
                    out.push_str(&format!(
                        "    server names {}\n",
                        chain.server_names.join(", ")
                    ));
                }
                if !chain.tcp.is_empty() {
                    out.push_str(&format!("    tcp -> {}\n", shares(&chain.tcp)));
                }
                for host in &chain.hosts {
                    out.push_str(&format!("    host {}\n", host.domains.join(", ")));
                    if host.https_redirect {
                        out.push_str("      plain text -> redirect 301 to https\n");
                    }
                    for rule in &host.rules {
                        let target = match rule.targets.is_empty() {
                            true => rule.action.clone(),
                            false => shares(&rule.targets),
                        };
                        let origin = rule.origin.as_deref().unwrap_or("default route");
                        out.push_str(&format!(
                            "      {} -> {target}   [{origin}]\n",
                            rule.matches
                        ));
                    }
                }
            }
        }
        f.write_str(&plain(&out))
    }
}
