//! Where rules of routes lead (R-G-044, R-G-051).

use crate::diagnostic::{At, Code};
use crate::mesh::virtual_service::DestinationRef;
use crate::resource::gateway_api as raw;

use super::super::Sink;
use super::World;

/// A rule that istiod cannot translate: the whole route has no effect. It has been said.
pub(super) struct Untranslatable;

/// Whose rules are resolved.
pub(super) struct Translation<'w> {
    pub world: &'w World<'w>,
    /// `HTTPRoute` and the like.
    pub kind: &'static str,
    pub namespace: &'w str,
    /// Whether what stands in other namespaces must be granted: at gateways, not in the mesh.
    pub needs_grants: bool,
}

/// A named backend.
#[derive(Clone, Copy)]
pub(super) struct Backend<'b> {
    pub group: Option<&'b str>,
    pub kind: Option<&'b str>,
    pub namespace: Option<&'b str>,
    pub name: &'b str,
    pub port: Option<i32>,
}

impl<'b> Backend<'b> {
    pub(super) fn of_http(one: &'b raw::HttpBackendRef) -> Self {
        Backend {
            group: one.group.as_deref(),
            kind: one.kind.as_deref(),
            namespace: one.namespace.as_deref(),
            name: &one.name,
            port: one.port,
        }
    }

    pub(super) fn of_stream(one: &'b raw::BackendRef) -> Self {
        Backend {
            group: one.group.as_deref(),
            kind: one.kind.as_deref(),
            namespace: one.namespace.as_deref(),
            name: &one.name,
            port: one.port,
        }
    }

    pub(super) fn of_mirror(one: &'b raw::BackendReference) -> Self {
        Backend {
            group: one.group.as_deref(),
            kind: one.kind.as_deref(),
            namespace: one.namespace.as_deref(),
            name: &one.name,
            port: one.port,
        }
    }
}

impl Translation<'_> {
    /// The destination that a backend means; with false where it does not exist or may not be named: it keeps its share of the
    /// requests, which are answered 500.
    pub(super) fn destination(
        &self,
        backend: Backend<'_>,
        at: &At<'_>,
        sink: &mut Sink<'_>,
    ) -> Result<(DestinationRef, bool), Untranslatable> {
        let nowhere = (DestinationRef::default(), false);
        let namespace = backend.namespace.unwrap_or(self.namespace);
        let kind = backend.kind.unwrap_or("Service");
        let group = backend.group.unwrap_or_default();
        if self.needs_grants && namespace != self.namespace {
            let target = (kind, namespace, backend.name);
            let known = matches!((group, kind), ("", "Service"));
            if !known || !self.world.grants.allow((self.kind, self.namespace), target) {
                let message = format!(
                    "no ReferenceGrant in namespace `{namespace}` lets a {} of `{}` name `{}`: its requests are answered 500",
                    self.kind, self.namespace, backend.name
                );
                sink.push(at, Code::REF_NOT_PERMITTED, message);
                return Ok(nowhere);
            }
        }
        let domain = &self.world.cx.config.domain;
        let (host, exists): (String, bool) = match (group, kind) {
            ("", "Service") => {
                if backend.name.contains('.') {
                    let message = format!("`{}` is not the name of a Service", backend.name);
                    return Err(untranslatable(at, message, sink));
                }
                let service = self.world.registry.service(namespace, backend.name);
                let host = format!("{}.{namespace}.svc.{domain}", backend.name);
                (host, service.is_some())
            }
            ("networking.istio.io", "Hostname") => {
                if backend.namespace.is_some() {
                    let message = "a `Hostname` stands in no namespace";
                    return Err(untranslatable(at, message.to_owned(), sink));
                }
                let exists = self.world.registry.has_host(backend.name, self.namespace);
                (backend.name.to_owned(), exists)
            }
            _ => {
                let message = format!(
                    "`{kind}` is not a kind of backend that Istio knows: its requests are answered 500"
                );
                sink.push(at, Code::INVALID_BACKEND_KIND, message);
                return Ok(nowhere);
            }
        };
        let Some(port) = backend.port.and_then(|port| u16::try_from(port).ok()) else {
            return Err(untranslatable(
                at,
                "a backend needs a port".to_owned(),
                sink,
            ));
        };
        if !exists {
            let message = format!("there is no `{host}`: its requests are answered 500");
            sink.push(at, Code::BACKEND_NOT_FOUND, message);
        }
        let destination = DestinationRef {
            host: self.world.cx.intern(&host),
            subset: None,
            port: Some(port),
        };
        Ok((destination, exists))
    }
}

/// Says why a route has no effect.
pub(super) fn untranslatable(at: &At<'_>, message: String, sink: &mut Sink<'_>) -> Untranslatable {
    let message = format!("{message}: the whole route has no effect");
    sink.push(at, Code::UNTRANSLATABLE_ROUTE, message);
    Untranslatable
}
