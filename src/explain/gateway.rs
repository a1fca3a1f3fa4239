//! Which server of which Gateway the request arrives at; where it arrives at none, which would have been right.

use super::asked::Asked;
use super::{list, note, reference, spec};
use crate::decision::Outcome;
use crate::diagnostic::{Code, Report};
use crate::mesh::gateway::{Server, ServerHost};
use crate::terms::host::fit;

pub(super) fn check(asked: &Asked<'_>, report: &mut Report) {
    if !asked.is_at_gateway() {
        return;
    }
    let port = asked.connection.port;
    // A TLS connection goes where its server name leads, whatever host the request is for.
    let name = match asked.connection.sni {
        Some(name) if asked.is_tls() => name.to_ascii_lowercase(),
        _ => asked.host.clone(),
    };
    let admits = |server: &Server, name: &str| {
        let hosts = server.hosts.iter();
        hosts
            .filter_map(|host| fit(&host.host.to_ascii_lowercase(), name))
            .max()
    };
    let best = |name: &str| {
        asked
            .servers()
            .filter_map(|(gateway, index, server)| {
                Some((admits(server, name)?, gateway, index, server))
            })
            .rev_max()
    };
    let outcome = asked.decision.outcome();
    let arrived = best(&name);
    if let (Some((_, gateway, index, server)), Some(_)) = (&arrived, asked.decision.listener()) {
        let hosts = list(&server.hosts);
        let message = format!("`{name}` arrives at this server, port {port}, hosts {hosts}");
        let field = spec("servers").index(*index);
        report.push(note(
            Code::SERVED_BY,
            reference("Gateway", &gateway.resource),
            field,
            message,
        ));
    }
    let is_nowhere = matches!(outcome, Outcome::NotFound(_));
    if is_nowhere && name != asked.host && !asked.host.is_empty() {
        let other = best(&asked.host);
        if let Some((_, gateway, index, _)) = other
            && arrived.as_ref().is_none_or(|(_, first, at, _)| {
                !(first.resource == gateway.resource && *at == index)
            })
        {
            let message = format!(
                "this server has `{}`, and the connection was opened for `{name}`: its routes are those of the server for `{name}`",
                asked.host
            );
            let help = "clients reuse a TLS connection for every host that its certificate covers: give the servers of one certificate one Gateway with all hosts in one server, or a certificate each";
            let field = spec("servers").index(index);
            let found = note(
                Code::OTHER_SERVER_NAME,
                reference("Gateway", &gateway.resource),
                field,
                message,
            );
            report.push(found.with_help(help));
            return;
        }
    }
    let is_missing = is_nowhere && arrived.is_none();
    if !is_missing {
        return;
    }
    let mut at_port = asked.servers().peekable();
    if at_port.peek().is_none() {
        for gateway in asked.served().take(super::MOST_NOTES) {
            let ports = list(gateway.servers.iter().map(|server| server.port));
            let message =
                format!("no server of this Gateway listens at port {port}: it has {ports}");
            let resource = reference("Gateway", &gateway.resource);
            report.push(note(
                Code::NO_SERVER_AT_PORT,
                resource,
                spec("servers"),
                message,
            ));
        }
        return;
    }
    for (gateway, index, server) in at_port.take(super::MOST_NOTES) {
        let hosts: Vec<&ServerHost> = server.hosts.iter().collect();
        let message = format!(
            "this server at port {port} does not admit `{name}`: it has {}",
            list(hosts)
        );
        let field = spec("servers").index(index).field("hosts");
        let resource = reference("Gateway", &gateway.resource);
        let found = note(Code::NO_SERVER_FOR_HOST, resource, field, message);
        report.push(found.with_help(
            "`*.example.com` does not cover `example.com`; a host before a `/` is a namespace",
        ));
    }
}

/// The first of those that fit best.
trait FirstBest: Iterator + Sized {
    fn rev_max(self) -> Option<Self::Item>;
}

impl<T, I: Iterator<Item = (u32, T, usize, U)>, U> FirstBest for I {
    fn rev_max(self) -> Option<Self::Item> {
        self.reduce(|best, next| if next.0 > best.0 { next } else { best })
    }
}
