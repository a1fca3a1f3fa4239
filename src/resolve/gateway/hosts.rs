//! Hosts of a server: normalised, and checked as admission does (R-M-015, R-M-178).

use crate::diagnostic::{At, Code};
use crate::mesh::gateway::ServerHost;
use crate::resource as raw;

use super::super::Sink;
use super::super::check::domain;

/// Where one is `*/*`, nothing else counts (R-M-015).
pub(super) fn typed(hosts: &[String], namespace: &str) -> Vec<ServerHost> {
    let typed = |host: &String| ServerHost::parse(host, namespace);
    match hosts.iter().find(|host| *host == "*/*") {
        Some(everything) => vec![typed(everything)],
        None => hosts.iter().map(typed).collect(),
    }
}

/// R-M-178.
pub(super) fn check(written: &raw::Server, at: &At<'_>, sink: &mut Sink<'_>) {
    let list = at.field("hosts");
    if written.hosts.is_empty() {
        sink.push(
            &list,
            Code::MISSING_FIELD,
            "a server needs at least one host",
        );
    }
    for (index, host) in written.hosts.iter().enumerate() {
        let at = list.index(index);
        let name = match host.split_once('/') {
            None => host,
            Some((namespace, name)) => {
                if namespace.is_empty() || name.is_empty() {
                    sink.push_with_help(
                        &at,
                        Code::INVALID_HOST,
                        format!("`{host}` lacks its namespace or its host"),
                        "write `namespace/host`, `./host`, `*/host` or just `host`",
                    );
                    continue;
                }
                if namespace != "*" && namespace != "." && !domain::is_label(namespace) {
                    sink.push(
                        &at,
                        Code::INVALID_HOST,
                        format!("`{namespace}` is not a namespace"),
                    );
                }
                name
            }
        };
        if name != "*" && name.parse::<std::net::IpAddr>().is_err() {
            if !name.contains('.') {
                sink.push_with_help(
                    &at,
                    Code::INVALID_HOST,
                    format!("`{name}` is a short name, which a gateway cannot complete"),
                    "write the full host name",
                );
            } else if name.starts_with('*') && !name.starts_with("*.") {
                sink.push_with_help(
                    &at,
                    Code::INVALID_HOST,
                    format!("`{name}` is a partial wildcard"),
                    "a wildcard stands for whole labels: `*.example.com`",
                );
            } else {
                sink.check(&at, Code::INVALID_HOST, domain::wildcard_domain(name));
            }
        }
    }
}
