//! The simple door as it is defined: the host is looked for in one server, listener and virtual host after the other, and
//! then walked. What [`Router::route_with`] is proved against.

use super::probe::Silent;
use super::simple::destination;
use super::walk;
use crate::decision::{Destination, RouteError};
use crate::router::{Listener, Router, ServerBinding, Tables, View, VirtualHost};
use crate::terms::host::without_port;
use crate::terms::request::{Connection, Request};

impl Router {
    /// What [`route_with`](Router::route_with) answers, found without a table.
    #[doc(hidden)]
    pub fn route_by_scan(
        &self,
        host: &str,
        gateway: &str,
        entropy: u64,
    ) -> Result<Destination<'_>, RouteError> {
        let tables = &*self.tables;
        let connection = match gateway {
            "mesh" => mesh_connection(tables, host)?,
            name => gateway_connection(tables, host, name)?,
        };
        let request = Request::get("/")
            .authority(host)
            .connection(connection.gateway(gateway));
        let decision = walk::decide(tables, &request, entropy, &mut Silent);
        destination(&decision)
    }
}

/// To the first server of the gateway that admits the host, over TLS where it wants that.
fn gateway_connection<'h>(
    tables: &Tables,
    host: &'h str,
    gateway: &str,
) -> Result<Connection<'h>, RouteError> {
    let binding = tables.binding(gateway).ok_or(RouteError::UnknownGateway)?;
    let host = without_port(host);
    let admits = |server: &&ServerBinding| {
        let mut patterns = server.hosts.iter();
        patterns.any(|pattern| fits(host, pattern))
    };
    let server = binding
        .servers
        .iter()
        .find(admits)
        .ok_or(RouteError::HostNotAdmitted)?;
    let mut connection = Connection::to_port(server.port);
    if let Some(bind) = server.bind {
        connection = connection.address(bind);
    }
    if server.tls {
        connection = connection.sni(host);
    }
    Ok(connection)
}

/// Whether `host` is `pattern`, or ends like it with at least one more character, whatever the case.
fn fits(host: &str, pattern: &str) -> bool {
    match pattern.strip_prefix('*') {
        Some("") => true,
        None => host.eq_ignore_ascii_case(pattern),
        Some(suffix) => {
            let start = host.len().checked_sub(suffix.len());
            let tail = start.filter(|&start| start > 0);
            tail.and_then(|start| host.get(start..))
                .is_some_and(|tail| tail.eq_ignore_ascii_case(suffix))
        }
    }
}

/// To the first HTTP port of the service that is called so, or to port 80.
fn mesh_connection<'h>(tables: &Tables, host: &'h str) -> Result<Connection<'h>, RouteError> {
    let view = tables.mesh.as_ref().ok_or(RouteError::UnknownGateway)?;
    let shared = view
        .listeners()
        .iter()
        .filter(|listener| listener.address().is_none())
        .find_map(|listener| Some((listener.port(), claimed(view, listener, host)?)));
    if let Some((port, virtual_host)) = shared {
        let first = service_port(tables, service_name(virtual_host)).unwrap_or(port);
        let is_shared = view
            .listener(None, first)
            .is_some_and(|listener| claimed(view, listener, host).is_some());
        return Ok(Connection::to_port(if is_shared { first } else { port }));
    }
    // A service of which the protocol is detected has a listener of its own, at its address.
    let own = view.listeners().iter().find_map(|listener| {
        let address = listener.address()?;
        let virtual_host = view.first_route_config(listener)?.virtual_hosts().next()?;
        let names = is_name_of(
            without_port(host),
            service_name(virtual_host),
            &tables.namespace,
        );
        names.then_some((address, listener.port()))
    });
    Ok(match own {
        Some((address, port)) => Connection::to_port(port).address(address),
        None => Connection::to_port(80),
    })
}

/// The virtual host of a listener that is the host's own.
fn claimed<'r>(view: &'r View, listener: &Listener, host: &str) -> Option<&'r VirtualHost> {
    let found = view.first_route_config(listener)?.find(host)?;
    (!found.is_fallback()).then_some(found)
}

/// Virtual hosts are called `service:port`.
fn service_name(host: &VirtualHost) -> &str {
    let name = host.name();
    name.rsplit_once(':').map_or(name, |(service, _)| service)
}

fn service_port(tables: &Tables, service: &str) -> Option<u16> {
    tables.http_ports.get(service).copied()
}

/// Whether `host` is the full name of a service or one of its short forms (R-H-048).
fn is_name_of(host: &str, service: &str, namespace: &str) -> bool {
    let host = host.strip_suffix('.').unwrap_or(host);
    let Some(start) = service.get(..host.len()) else {
        return false;
    };
    if !start.eq_ignore_ascii_case(host) {
        return false;
    }
    let rest = &service[host.len()..];
    // What is left out must begin after the name, after the namespace or after `svc`.
    let Some(rest) = rest.strip_prefix('.') else {
        return rest.is_empty();
    };
    match host.split('.').count() {
        1 => rest
            .split_once('.')
            .is_some_and(|(own, rest)| own == namespace && rest.starts_with("svc.")),
        2 => rest.starts_with("svc."),
        3 => host.to_ascii_lowercase().ends_with(".svc"),
        _ => false,
    }
}
