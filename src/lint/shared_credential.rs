//! `shared-credential` (MR0323; istioctl's IST0138).
//!
//! **What it does**: finds servers of different Gateways for the same workloads that terminate HTTPS with one credential, for
//! different hosts.
//!
//! **Why is this bad**: a browser reuses a connection for every host that its certificate covers (HTTP/2). The connection belongs to
//! the server that its name was opened for, which knows nothing of the other hosts: they are answered 404, and only sometimes.
//!
//! **Example**
//! ```yaml
//! # two Gateways, each with
//! servers: [{hosts: [a.example.com], port: {number: 443, ...}, tls: {mode: SIMPLE, credentialName: wildcard}}]
//! ```
//! **Use instead**: one server with all hosts of a certificate, or a certificate for each.

use crate::diagnostic::{Code, FieldPath, Report};
use crate::mesh::Gateway;
use crate::mesh::gateway_merge::{is_passthrough, routes_http};
use crate::terms::hash::HashMap;
use crate::terms::labels::Labels;

use super::{Facts, finding, gateway as gateway_reference};

type Place<'m> = (Option<&'m Labels>, u16, &'m str);

pub(super) fn check(facts: &Facts<'_>, report: &mut Report) {
    let mut first: HashMap<Place<'_>, (&Gateway, usize)> = HashMap::default();
    for gateway in &facts.mesh.gateways {
        if gateway.services.is_some() {
            continue;
        }
        for (index, server) in gateway.servers.iter().enumerate() {
            let Some(tls) = server
                .tls
                .as_ref()
                .filter(|_| routes_http(server) && !is_passthrough(server))
            else {
                continue;
            };
            for credential in &tls.settings.credential_names {
                let place = (gateway.selector.as_ref(), server.port, &**credential);
                let &mut (other, at) = first.entry(place).or_insert((gateway, index));
                let is_same = other.resource == gateway.resource && at == index;
                let hosts = &other.servers[at].hosts;
                if is_same || *hosts == server.hosts {
                    continue;
                }
                let names: Vec<String> = hosts.iter().map(|host| format!("`{host}`")).collect();
                let message = format!(
                    "the credential `{credential}` is also that of the server for {}: a client that reuses its connection gets 404 for one of them",
                    super::list(names.into_iter())
                );
                let field = FieldPath::from("spec")
                    .field("servers")
                    .index(index)
                    .field("tls")
                    .field("credentialName");
                report.push(
                    finding(
                        Code::SHARED_CREDENTIAL,
                        gateway_reference(&gateway.resource),
                        field,
                        message,
                    )
                    .with_help(
                        "put all hosts of a certificate into one server, or use a certificate each",
                    )
                    .with_related(
                        gateway_reference(&other.resource),
                        "has the other server",
                        None,
                    ),
                );
            }
        }
    }
}
