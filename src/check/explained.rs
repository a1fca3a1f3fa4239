//! One request, explained with everything that a repository knows.

use std::fmt;
use std::net::IpAddr;

use serde::ser::SerializeStruct;
use serde::{Serialize, Serializer};

use super::{View, Workspace, plain};
use crate::diagnostic::{Diagnostic, Report};
use crate::explain::{causes, causes_of_connection, left_out};
use crate::resource::{Document, Resource, Service};
use crate::terms::host::{fit, without_port};
use crate::{Connection, Explanation, Proxy, Request, Router};

/// The walk of a request, and who had no part in it and why. Printed, for people; serialized, `meshroute/explain/v1`.
#[derive(Debug)]
pub struct Explained<'r> {
    view: String,
    explanation: Explanation<'r>,
    causes: Report,
}

impl<'r> Explained<'r> {
    /// The walk.
    pub fn explanation(&self) -> &Explanation<'r> {
        &self.explanation
    }

    /// Who had no part, and why; what is left out or not evaluated.
    pub fn causes(&self) -> &Report {
        &self.causes
    }
}

impl Workspace {
    /// The proxy that a request for `host` at `port` is asked at: the one of the Gateway `gateway` (`namespace/name`, or `name`); the
    /// sidecar `from` (`namespace`, or `namespace/key=value,...`); without either the gateway workload of which a server admits the
    /// host at the port, else of which one admits it at all, else a sidecar in `namespace`.
    ///
    /// # Errors
    /// What there is instead, if there is no such Gateway.
    pub fn view_for(
        &self,
        host: &str,
        port: u16,
        gateway: Option<&str>,
        from: Option<&str>,
        namespace: &str,
    ) -> Result<View, String> {
        if let Some(name) = gateway.filter(|name| *name != "mesh") {
            return self.view_of_gateway(name);
        }
        if from.is_none() && gateway.is_none() {
            let host = without_port(host).to_ascii_lowercase();
            let mut views = self.proxies();
            views.retain(|view| !view.gateways.is_empty());
            let admitting = |at: Option<u16>| {
                views.iter().find(|view| {
                    view.gateways
                        .iter()
                        .any(|name| self.admits(name, &host, at))
                })
            };
            if let Some(view) = admitting(Some(port)).or_else(|| admitting(None)) {
                return Ok(view.clone());
            }
            let takes_all = |view: &&View| {
                view.gateways
                    .iter()
                    .any(|name| self.admits(name, "", Some(port)))
            };
            let is_of_mesh = self.is_of_mesh(&host, namespace);
            if let Some(view) = views.iter().find(takes_all).filter(|_| !is_of_mesh) {
                return Ok(view.clone());
            }
        }
        let from = from.unwrap_or(namespace);
        let (namespace, labels) = from.split_once('/').unwrap_or((from, ""));
        let mut proxy = Proxy::sidecar(namespace);
        for pair in labels.split(',').filter(|pair| !pair.is_empty()) {
            let Some((key, value)) = pair.split_once('=') else {
                return Err(format!(
                    "`{pair}` is no label: write `namespace/key=value,key=value`"
                ));
            };
            proxy = proxy.label(key, value);
        }
        Ok(View {
            name: format!("sidecar {from}"),
            proxy,
            gateways: Vec::new(),
        })
    }

    fn view_of_gateway(&self, name: &str) -> Result<View, String> {
        let views = self.proxies();
        let is_meant = |own: &String| own == name || own.rsplit('/').next() == Some(name);
        let found = views.iter().find(|view| view.gateways.iter().any(is_meant));
        found.cloned().ok_or_else(|| {
            let all: Vec<&str> = views
                .iter()
                .flat_map(|view| &view.gateways)
                .map(String::as_str)
                .collect();
            match all.is_empty() {
                true => format!("there is no Gateway `{name}`: there is none at all"),
                false => format!("there is no Gateway `{name}`: there is {}", all.join(", ")),
            }
        })
    }

    /// Whether a service, as seen from `namespace`, or a ServiceEntry has the host.
    fn is_of_mesh(&self, host: &str, namespace: &str) -> bool {
        self.service(host, namespace).is_some()
            || self.resources().documents.iter().any(|one| match one {
                Resource::ServiceEntry(entry) => {
                    let mut hosts = entry.spec.hosts.iter();
                    hosts.any(|own| fit(&own.to_ascii_lowercase(), host).is_some())
                }
                _ => false,
            })
    }

    /// The Service that a name means in `namespace`: `name`, `name.namespace` or more.
    fn service(&self, host: &str, namespace: &str) -> Option<&Document<Service>> {
        let mut parts = host.split('.');
        let name = parts.next()?;
        let namespace = parts.next().unwrap_or(namespace);
        if parts.next().is_some_and(|third| third != "svc") {
            return None;
        }
        self.resources().documents.iter().find_map(|one| match one {
            Resource::Service(one) if one.meta.name == name && one.meta.namespace == namespace => {
                Some(one)
            }
            _ => None,
        })
    }

    /// The address that a name resolves to inside of the mesh, as far as its Service says it: what a client connects to.
    pub fn address_of(&self, host: &str, view: &View) -> Option<IpAddr> {
        if !view.gateways.is_empty() {
            return None;
        }
        let host = without_port(host).to_ascii_lowercase();
        let service = self.service(&host, view.proxy.namespace())?;
        service.spec.cluster_ip.parse().ok()
    }

    /// Whether a server of a Gateway admits a host, at this port or at any.
    fn admits(&self, gateway: &str, host: &str, at: Option<u16>) -> bool {
        let fits = |pattern: &str| {
            let pattern = pattern.rsplit('/').next().unwrap_or_default();
            // `*` is everything, also what is asked inside of the mesh.
            match pattern {
                "*" => host.is_empty(),
                pattern => fit(&pattern.to_ascii_lowercase(), host).is_some(),
            }
        };
        let is_port = |port: u32| at.is_none_or(|at| u32::from(at) == port);
        let documents = self.resources().documents.iter();
        let mut meant = documents.filter(|one| {
            let meta = one.meta();
            gateway.split_once('/') == Some((&meta.namespace, &meta.name))
        });
        meant.any(|resource| match resource {
            Resource::Gateway(document) => document.spec.servers.iter().any(|server| {
                let port = server.port.as_ref().map_or(0, |port| port.number);
                is_port(port) && server.hosts.iter().any(|host| fits(host))
            }),
            Resource::KubernetesGateway(document) => {
                document.spec.listeners.iter().any(|listener| {
                    let port = listener
                        .port
                        .and_then(|port| u32::try_from(port).ok())
                        .unwrap_or_default();
                    is_port(port) && fits(listener.hostname.as_deref().unwrap_or("*"))
                })
            }
            _ => false,
        })
    }

    /// Explains a request at `router`, which is the mesh compiled for the proxy of `view`.
    pub fn explain<'r>(
        &self,
        view: &View,
        router: &'r Router,
        request: &Request<'_>,
        entropy: u64,
    ) -> Explained<'r> {
        let explanation = router.explain(request, entropy);
        let causes = causes(self.mesh(), &view.proxy, router, request, entropy);
        self.explained(
            view,
            explanation,
            causes,
            &crate::explain::authority(request),
        )
    }
}

impl Workspace {
    /// Explains a connection without a request.
    pub fn explain_connection<'r>(
        &self,
        view: &View,
        router: &'r Router,
        connection: &Connection<'_>,
        entropy: u64,
    ) -> Explained<'r> {
        let explanation = router.explain_connection(connection, entropy);
        let causes = causes_of_connection(self.mesh(), &view.proxy, router, connection, entropy);
        self.explained(
            view,
            explanation,
            causes,
            connection.sni.unwrap_or_default(),
        )
    }

    /// With the lines of what is named, and what is left out of the answer for `host`.
    fn explained<'r>(
        &self,
        view: &View,
        explanation: Explanation<'r>,
        causes: Report,
        host: &str,
    ) -> Explained<'r> {
        let mut causes = self.resources().locate(causes);
        causes.append(left_out(self.resources(), self.report(), host));
        Explained {
            view: view.name.clone(),
            explanation: explanation.located(|written| self.resources().locate_written(written)),
            causes,
        }
    }
}

impl fmt::Display for Explained<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let walk = match f.alternate() {
            true => format!("{:#}", self.explanation),
            false => self.explanation.to_string(),
        };
        write!(f, "proxy: {}\n{}", plain(&self.view), plain(&walk))?;
        if !self.causes.is_empty() {
            f.write_str("\n\nsee also:")?;
        }
        for cause in &self.causes {
            write!(f, "\n- {}", plain(&line(cause)))?;
        }
        Ok(())
    }
}

/// A cause in one line, and what to do in another.
fn line(cause: &Diagnostic) -> String {
    let mut text = String::new();
    if let Some(location) = cause.location() {
        text.push_str(&format!("{location} "));
    }
    if let Some(resource) = cause.resource() {
        text.push_str(&format!("{resource}: "));
    }
    text.push_str(&format!("{} [{}]", cause.message(), cause.code()));
    if let Some(help) = cause.help() {
        text.push_str(&format!("\n  help: {help}"));
    }
    text
}

impl Serialize for Explained<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut out = serializer.serialize_struct("Explained", 4)?;
        out.serialize_field("schema", "meshroute/explain/v1")?;
        out.serialize_field("proxy", &self.view)?;
        out.serialize_field("explanation", &self.explanation)?;
        out.serialize_field("causes", &self.causes)?;
        out.end()
    }
}
