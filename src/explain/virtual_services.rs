//! VirtualServices that name the host, and why they take no part, or one of their matches does not.

use super::asked::Asked;
use super::{MOST_NOTES, list, note, reference, spec};
use crate::diagnostic::{Code, Diagnostic, FieldPath, Report};
use crate::mesh::VirtualService;
use crate::mesh::gateway_merge::is_passthrough;
use crate::mesh::service::Protocol;
use crate::mesh::sidecar::EgressNamespace;
use crate::mesh::virtual_service::L4Match;
use crate::router::Filter;
use crate::terms::host::{is_wildcard, overlaps};
use crate::terms::labels::Labels;
use crate::terms::name::GatewayName;
use crate::terms::origin::RouteField;

pub(super) fn check(asked: &Asked<'_>, report: &mut Report) {
    let mut found = 0;
    for one in &asked.mesh.virtual_services {
        let Some((fit, host)) = asked.closest(one.hosts.iter().map(|host| &**host)) else {
            continue;
        };
        let notes = match asked.has_part(one) {
            true => unused_matches(asked, one),
            false => absent(asked, one, fit, host),
        };
        report.extend(notes);
        found += 1;
        if found == MOST_NOTES {
            break;
        }
    }
}

/// A note about a field of the VirtualService.
fn about(one: &VirtualService, code: Code, field: FieldPath, message: String) -> Diagnostic {
    let resource = reference(one.author.kind(), one.resource());
    note(code, resource, field, message)
}

/// Why it has no part at all.
fn absent(asked: &Asked<'_>, one: &VirtualService, fit: u32, host: &str) -> Vec<Diagnostic> {
    if !asked
        .gateways
        .iter()
        .any(|gateway| one.is_bound_to(gateway))
    {
        return vec![bound_elsewhere(asked, one, host)];
    }
    let namespace = asked.proxy.namespace();
    if !one.visibility.includes(namespace) {
        let message = format!(
            "this VirtualService names `{host}`, and is not exported to the namespace `{namespace}` of the proxy"
        );
        let help = format!("add `{namespace}` or `*` to `exportTo`");
        let note = about(one, Code::NOT_EXPORTED, spec("exportTo"), message).with_help(help);
        return vec![note];
    }
    if let Some(note) = section(asked, one, host) {
        return vec![note];
    }
    let unused = unused_matches(asked, one);
    if !unused.is_empty() {
        return unused;
    }
    let mut notes = Vec::new();
    notes.extend(not_imported(asked, one, host));
    if notes.is_empty() {
        notes.extend(hidden(asked, one, fit, host).or_else(|| without_service(asked, one, host)));
    }
    notes
}

fn bound_elsewhere(asked: &Asked<'_>, one: &VirtualService, host: &str) -> Diagnostic {
    let bound = list(&one.gateways);
    let here = asked.where_asked();
    let message =
        format!("this VirtualService names `{host}`, and is bound to {bound}, not to {here}");
    let known = |gateway: &&GatewayName| {
        let all = &asked.mesh.gateways;
        matches!(gateway, GatewayName::Named(name) if all.iter().any(|one| one.resource == *name))
    };
    let unknown = one
        .gateways
        .iter()
        .filter(|gateway| **gateway != GatewayName::Mesh && !known(gateway));
    let unknown: Vec<_> = unknown.collect();
    let help = if asked.is_at_gateway() && !unknown.is_empty() {
        format!(
            "there is no Gateway {}; a name without a namespace means the VirtualService's own: write `namespace/name`",
            list(unknown)
        )
    } else if asked.is_at_gateway() && asked.selects() && one.gateways.iter().any(|one| known(&one))
    {
        format!(
            "add {here} to `gateways`, or have the selector of {bound} select this proxy's labels"
        )
    } else {
        format!("add {here} to `gateways`")
    };
    about(one, Code::BOUND_ELSEWHERE, spec("gateways"), message).with_help(help)
}

/// Whether the listener wants rules of another section.
fn section(asked: &Asked<'_>, one: &VirtualService, host: &str) -> Option<Diagnostic> {
    let sections = [
        ("http", one.http.is_empty()),
        ("tls", one.tls.is_empty()),
        ("tcp", one.tcp.is_empty()),
    ];
    let has: Vec<&str> = sections
        .iter()
        .filter(|(_, none)| !none)
        .map(|(name, _)| *name)
        .collect();
    let first = *has.first()?;
    let field = spec(first);
    let mine = list(&has);
    if asked.is_at_gateway() {
        let (gateway, index, server) = asked.servers().find(|(_, _, server)| {
            let namespace = &one.resource().namespace;
            server.hosts.iter().any(|own| {
                own.open_to(namespace)
                    .is_some_and(|pattern| overlaps(pattern, host))
            })
        })?;
        let (takes, what) = match server.protocol {
            Protocol::Http
            | Protocol::Http2
            | Protocol::Grpc
            | Protocol::GrpcWeb
            | Protocol::HttpProxy => (&["http"][..], "routes HTTP"),
            _ if is_passthrough(server) => (&["tls", "tcp"][..], "passes TLS through"),
            Protocol::Https => (&["http"][..], "terminates TLS and routes HTTP"),
            _ if server.tls.is_some() => (&["tcp"][..], "terminates TLS and forwards bytes"),
            _ => (&["tcp"][..], "forwards bytes"),
        };
        if has.iter().any(|section| takes.contains(section)) {
            return None;
        }
        let takes = list(takes);
        let message = format!(
            "this VirtualService has {mine} rules, and server {index} of Gateway `{}` at port {} {what}: it takes {takes} rules",
            gateway.resource, server.port
        );
        let help = format!(
            "write the rules under {takes}, or change `protocol` and `tls.mode` of the server"
        );
        let note = about(one, Code::SECTION_DOES_NOT_FIT, field, message).with_help(help);
        let related = reference("Gateway", &gateway.resource);
        return Some(note.with_related(related, "has the server", None));
    }
    let is_tcp = asked.decision.tcp().is_some();
    let http_only = one.tls.is_empty() && one.tcp.is_empty();
    if is_tcp && http_only {
        let port = asked.connection.port;
        let message = format!(
            "this VirtualService has `http` rules for `{host}`, and port {port} forwards bytes: it is declared as TCP, or the connection is TLS that the proxy does not terminate"
        );
        let help = "name the port of the Service `http` or `http-...`, or set `appProtocol: http`; or write `tcp` or `tls` rules";
        return Some(about(one, Code::HTTP_RULES_AT_TCP_PORT, field, message).with_help(help));
    }
    let routes_http = asked.decision.route_config().is_some();
    if routes_http && one.http.is_empty() {
        let message = format!(
            "this VirtualService has {mine} rules only, and the request came as HTTP: `http` rules decide"
        );
        return Some(about(one, Code::SECTION_DOES_NOT_FIT, field, message));
    }
    None
}

/// A closer host, or another VirtualService of the same host, has the request.
fn hidden(asked: &Asked<'_>, one: &VirtualService, fit: u32, host: &str) -> Option<Diagnostic> {
    let answers = asked
        .decision
        .virtual_host()
        .filter(|host| !host.is_fallback())?;
    let rules = answers.rules().iter();
    let roots: Vec<_> = rules
        .filter_map(|rule| rule.origin())
        .map(|origin| origin.root())
        .collect();
    let (closest, domain) = asked.closest(answers.domains())?;
    let owner = match (roots.first(), answers.service()) {
        (Some(root), _) => format!("{} `{}`", root.kind(), root.resource()),
        (None, Some(service)) => format!("service `{service}`"),
        (None, None) => format!("virtual host `{}`", answers.name()),
    };
    let is_closer = closest > fit && is_wildcard(host);
    let (code, message, help) = if is_closer {
        (
            Code::CLOSER_HOST,
            format!(
                "this VirtualService has `{host}`, and {owner} has the closer `{domain}`: rules of several virtual hosts are never joined"
            ),
            format!("name `{}` itself in `hosts`", asked.host),
        )
    } else if let Some(root) = roots.first() {
        (
            Code::OLDER_FIRST,
            format!(
                "this VirtualService has `{host}`, and {owner} with the same host comes first: by age, then name, then namespace"
            ),
            format!(
                "move the rules into `{}`, or have it delegate to them",
                root.resource()
            ),
        )
    } else {
        (
            Code::CLOSER_HOST,
            format!("this VirtualService has `{host}`, and {owner} answers"),
            "name the host as the request does".to_owned(),
        )
    };
    let note = about(one, code, spec("hosts"), message).with_help(help);
    Some(match roots.first() {
        Some(root) => note.with_related(reference(root.kind(), root.resource()), "answers", None),
        None => note,
    })
}

/// The mesh knows hosts without a service on port 80 only.
fn without_service(asked: &Asked<'_>, one: &VirtualService, host: &str) -> Option<Diagnostic> {
    if asked.is_at_gateway()
        || asked
            .decision
            .virtual_host()
            .is_some_and(|host| !host.is_fallback())
    {
        return None;
    }
    let (message, help) = if asked.mesh.open && host != asked.host {
        (
            format!(
                "this VirtualService names `{host}`, and no Service is known: that `{}` is short for it is not known either",
                asked.host
            ),
            format!("give the Service beside it, or ask for `{host}`"),
        )
    } else {
        let port = asked.connection.port;
        let named = asked.mesh.service_index.named(host);
        let why = match named.first() {
            None => "no service has the host: the mesh knows it on port 80 only".to_owned(),
            Some(service) => {
                let ports = list(service.ports.iter().map(|port| port.number));
                format!("its service declares {ports}, not port {port}")
            }
        };
        (
            format!("this VirtualService names `{host}`, and {why}"),
            format!("add a Service or a ServiceEntry with `{host}` and port {port}"),
        )
    };
    Some(about(one, Code::HOST_WITHOUT_SERVICE, spec("hosts"), message).with_help(help))
}

/// The Sidecar that limits what the proxy sees.
fn not_imported(asked: &Asked<'_>, one: &VirtualService, host: &str) -> Option<Diagnostic> {
    if asked.is_at_gateway() {
        return None;
    }
    let (namespace, labels) = (asked.proxy.namespace(), asked.proxy.labels());
    let sidecar = asked.mesh.sidecar_index.effective(namespace, labels)?;
    let entries = || sidecar.egress.iter().flat_map(|listener| &listener.hosts);
    let fits = |entry: &crate::mesh::sidecar::EgressHost| {
        let fits_namespace = match &entry.namespace {
            EgressNamespace::Any => true,
            EgressNamespace::Own => *namespace == *one.resource().namespace,
            EgressNamespace::Named(name) => **name == *one.resource().namespace,
        };
        fits_namespace && overlaps(&entry.host, host)
    };
    let imports = entries().any(|entry| !entry.exclude && fits(entry));
    let excludes = entries().any(|entry| entry.exclude && fits(entry));
    if sidecar.egress.is_empty() || (imports && !excludes) {
        return None;
    }
    let message = format!(
        "this Sidecar does not import `{}/{host}`, which VirtualService `{}` is for",
        one.resource().namespace,
        one.resource()
    );
    let help = format!(
        "add `{}/{host}` to `egress.hosts`",
        one.resource().namespace
    );
    let resource = reference("Sidecar", &sidecar.resource);
    let note = note(Code::NOT_IMPORTED, resource, spec("egress"), message);
    Some(note.with_help(help))
}

/// Matches that are for another port or other clients.
fn unused_matches(asked: &Asked<'_>, one: &VirtualService) -> Vec<Diagnostic> {
    let mut notes = Vec::new();
    let mut say = |field: RouteField, matched: &L4Match| {
        let key = (one.resource().clone(), Some(field));
        if asked.takes_part.contains(&key) || notes.len() == MOST_NOTES {
            return;
        }
        if let Some(why) = excluded(asked, matched) {
            let message = format!("`{field}` {why}");
            let note = about(one, Code::OTHER_PORT_OR_SOURCE, field.path(), message);
            notes.push(note.with_help("without another rule for this port and client the VirtualService does not exist for it; a rule without `match` is for all"));
        }
    };
    let is_tcp = asked.decision.tcp().is_some();
    for route in one.http.iter().filter(|_| !is_tcp) {
        for matched in &route.matches {
            let l4 = L4Match {
                port: matched.port,
                source_labels: matched.source_labels.clone(),
                source_namespace: matched.source_namespace.clone(),
                gateways: matched.gateways.clone(),
                ..L4Match::default()
            };
            say(route.origin.field_of_root(matched.index), &l4);
        }
    }
    let tls = one.tls.iter().flat_map(|route| {
        let matches = route.matches.iter();
        matches.map(|matched| (&route.origin, &matched.l4))
    });
    let tcp = one.tcp.iter().flat_map(|route| {
        let matches = route.matches.iter();
        matches.map(|matched| (&route.origin, matched))
    });
    let is_http = matches!(
        asked
            .decision
            .listener()
            .map(|one| one.chains().next().map(|chain| chain.filter())),
        Some(Some(Filter::Http(_)))
    );
    for (origin, matched) in tls.chain(tcp).filter(|_| !is_http) {
        say(origin.field_of_root(matched.index), matched);
    }
    notes
}

/// Why a match is not for this port, client or gateway.
fn excluded(asked: &Asked<'_>, matched: &L4Match) -> Option<String> {
    let port = asked.connection.port;
    if let Some(own) = matched.port.filter(|own| *own != u32::from(port)) {
        return Some(format!(
            "is for port {own}, and the request came to port {port}"
        ));
    }
    if !matched.gateways.is_empty()
        && !asked
            .gateways
            .iter()
            .any(|one| matched.gateways.contains(one))
    {
        let own = list(&matched.gateways);
        return Some(format!("is for {own}, not for {}", asked.where_asked()));
    }
    if asked.is_at_gateway() {
        return None;
    }
    let namespace = asked.proxy.namespace();
    if let Some(own) = matched
        .source_namespace
        .as_deref()
        .filter(|own| *own != namespace)
    {
        return Some(format!(
            "is for clients in the namespace `{own}`, and the proxy is in `{namespace}`"
        ));
    }
    let labels = asked.proxy.labels();
    if !matched.source_labels.selects(labels) {
        let (own, has) = (labels_of(&matched.source_labels), labels_of(labels));
        return Some(format!(
            "is for clients with the labels {own}, and the proxy has {has}"
        ));
    }
    None
}

fn labels_of(labels: &Labels) -> String {
    match labels.is_empty() {
        true => "none".to_owned(),
        false => list(labels.iter().map(|(key, value)| format!("{key}={value}"))),
    }
}
