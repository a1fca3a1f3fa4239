//! Why a destination does not exist, and which DestinationRules of it do not hold.

use std::sync::Arc;

use super::asked::Asked;
use super::{MOST_NOTES, list, missing, note, reference, spec};
use crate::diagnostic::{Code, Diagnostic, FieldPath, Report, ResourceRef, nearest};
use crate::mesh::DestinationRule;
use crate::mesh::service::{Resolution, Service};
use crate::router::Cluster;
use crate::terms::host::{is_subset_of, is_wildcard, namespace_of};

/// So many names are compared with an unknown one.
const MOST_COMPARED: usize = 20_000;

pub(super) fn check(asked: &Asked<'_>, report: &mut Report) {
    let Some(cluster) = asked.decision.cluster().filter(|one| one.port().is_some()) else {
        return;
    };
    if missing(&asked.decision).is_none() {
        return other_rules(asked, cluster, report);
    }
    let (resource, field) = place(asked);
    let found = |message: String, help: String| {
        note(
            Code::MISSING_DESTINATION,
            resource.clone(),
            field.clone(),
            message,
        )
        .with_help(help)
    };
    let host = cluster.host();
    let named = asked.mesh.service_index.named(host);
    let namespace = asked.proxy.namespace();
    let Some(first) = named.first() else {
        return report.push(unknown(asked, host, &found));
    };
    let visible = named.iter().find(|one| one.visibility.includes(namespace));
    let Some(service) = visible else {
        let message =
            format!("`{host}` is not exported to the namespace `{namespace}` of the proxy");
        let help = format!("add `{namespace}` to `exportTo` of {}", called(first));
        return report.push(found(message, help));
    };
    let port = cluster.port().unwrap_or_default();
    if service.resolution == Resolution::Alias {
        let target = service.external_name.as_deref().unwrap_or_default();
        let ports = list(service.ports.iter().map(|port| port.number));
        let message = format!(
            "{} is an alias (ExternalName) of `{target}`: it has no cluster of its own, and stands for the other on listeners of its own ports only ({ports}), not on port {}",
            called(service),
            asked.connection.port
        );
        return report.push(found(
            message,
            format!("name `{target}` as the destination"),
        ));
    }
    if !service.ports.iter().any(|own| own.number == port) {
        let ports = list(service.ports.iter().map(|port| port.number));
        let message = format!(
            "{} declares no port {port}: it has {ports}",
            called(service)
        );
        let help = "name a `port` of the Service, not the `targetPort` of its pods";
        return report.push(found(message, help.to_owned()));
    }
    match cluster.subset() {
        Some(subset) => without_subset(asked, cluster, service, subset, report, &found),
        None => {
            let message = format!(
                "{} is hidden from the proxy: a Sidecar does not import it, or another service of the host comes first",
                called(service)
            );
            report.push(found(
                message,
                "add it to `egress.hosts` of the Sidecar".to_owned(),
            ));
        }
    }
}

/// What names the destination.
fn place(asked: &Asked<'_>) -> (ResourceRef, FieldPath) {
    match asked.decision.origin() {
        Some(origin) => {
            let written = origin.written();
            let author = written.author();
            (
                reference(author.kind(), author.resource()),
                written.field().path(),
            )
        }
        None => (
            ResourceRef::new("Proxy", asked.proxy.namespace(), ""),
            FieldPath::root(),
        ),
    }
}

fn called(service: &Service) -> String {
    let kind = if service.is_kubernetes() {
        "Service"
    } else {
        "ServiceEntry"
    };
    format!("{kind} `{}`", service.resource)
}

fn unknown(
    asked: &Asked<'_>,
    host: &str,
    found: &dyn Fn(String, String) -> Diagnostic,
) -> Diagnostic {
    let services = &asked.mesh.services;
    let covering = services
        .iter()
        .find(|service| is_wildcard(&service.hostname) && is_subset_of(host, &service.hostname));
    if let Some(service) = covering {
        let message = format!(
            "no service is named `{host}`: {} covers it by `{}`, and only the pattern itself has a cluster, not each host below it",
            called(service),
            service.hostname
        );
        return found(
            message,
            format!(
                "add a ServiceEntry with `{host}`, or name `{}` as the destination",
                service.hostname
            ),
        );
    }
    let domain = &asked.mesh.config.domain;
    let completed = format!("{host}.svc.{domain}");
    let names = services
        .iter()
        .take(MOST_COMPARED)
        .map(|service| &*service.hostname);
    let help = if !asked.mesh.service_index.named(&completed).is_empty() {
        format!("a name with a dot is not completed: write `{completed}`")
    } else {
        match nearest(host, names) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "add the Service, or a ServiceEntry".to_owned(),
        }
    };
    found(format!("no service is named `{host}`"), help)
}

/// DestinationRules that name the destination, or the host that was asked for, and do not hold.
fn other_rules(asked: &Asked<'_>, cluster: &Cluster, report: &mut Report) {
    let (client, host) = (asked.proxy.namespace(), cluster.host());
    let service = asked.mesh.service_index.named(host).first();
    let owner = service.map_or_else(
        || namespace_of(host, &asked.mesh.config.domain),
        |service| service.namespace(),
    );
    let index = &asked.mesh.destination_rule_index;
    let holds = index.lookup(host, owner, client, asked.proxy.labels());
    let is_holder = |rule: &DestinationRule| {
        holds.is_some_and(|holds| holds.sources().contains(&rule.resource))
    };
    let is_meant = |rule: &&Arc<DestinationRule>| {
        let own = &*rule.host;
        (own == host || asked.names.iter().any(|name| name == own)) && !is_holder(rule)
    };
    let rules = asked.mesh.destination_rules.iter();
    for rule in rules.filter(is_meant).take(MOST_NOTES) {
        let why = match holds {
            _ if *rule.host != *host => format!(
                "the service is `{host}`, and rules hold for the host of the service, not for the one that a request names"
            ),
            Some(holds) => format!(
                "DestinationRule {} (host `{}`) does, which is found first",
                list(holds.sources()),
                holds.host()
            ),
            None => why_not(asked, rule, owner),
        };
        let message = format!(
            "this DestinationRule is for `{}`, and does not hold for the client: {why}",
            rule.host
        );
        let resource = reference("DestinationRule", &rule.resource);
        let found = note(
            Code::WITHOUT_DESTINATION_RULE,
            resource,
            spec("host"),
            message,
        );
        report.push(found.with_help(order(asked, owner)));
    }
}

fn order(asked: &Asked<'_>, owner: &str) -> String {
    let (client, root) = (asked.proxy.namespace(), &asked.mesh.config.root_namespace);
    format!(
        "one DestinationRule holds, also one for a wildcard: the first that is found in the client's namespace `{client}`, the service's `{owner}`, or the root `{root}`"
    )
}

/// Why a DestinationRule of the host does not hold.
fn why_not(asked: &Asked<'_>, rule: &DestinationRule, owner: &str) -> String {
    let (client, root) = (asked.proxy.namespace(), &*asked.mesh.config.root_namespace);
    let own = &*rule.resource.namespace;
    let is_exported = rule.export_to.is_empty()
        || rule.export_to.iter().any(|entry| {
            &**entry == "*" || &**entry == client || (&**entry == "." && own == client)
        });
    let selector = rule.workload_selector.as_ref();
    if !is_exported {
        format!("it is not exported to the client's namespace `{client}`")
    } else if selector.is_some_and(|selector| !selector.selects(asked.proxy.labels())) {
        "its `workloadSelector` does not select the client".to_owned()
    } else if ![client, owner, root].contains(&own) {
        format!(
            "its namespace `{own}` is neither the client's `{client}`, nor the service's `{owner}`, nor the root `{root}`"
        )
    } else {
        "another one with a closer host, or in a namespace that is asked before, holds".to_owned()
    }
}

fn without_subset(
    asked: &Asked<'_>,
    cluster: &Cluster,
    service: &Service,
    subset: &str,
    report: &mut Report,
    found: &dyn Fn(String, String) -> Diagnostic,
) {
    let (client, owner) = (asked.proxy.namespace(), service.namespace());
    let owner = match owner {
        "" => namespace_of(cluster.host(), &asked.mesh.config.domain),
        owner => owner,
    };
    let index = &asked.mesh.destination_rule_index;
    let holds = index.lookup(cluster.host(), owner, client, asked.proxy.labels());
    let holder = match holds {
        Some(rule) => {
            let subsets = rule.subsets().iter().map(|subset| &*subset.name);
            let subsets: Vec<&str> = subsets.collect();
            let name = list(rule.sources());
            let has = if subsets.is_empty() {
                "no subsets".to_owned()
            } else {
                list(subsets)
            };
            format!(
                "DestinationRule {name} (host `{}`) holds for this client, and has {has}, not `{subset}`",
                rule.host()
            )
        }
        None => format!(
            "no DestinationRule holds for `{}` and this client, so that it has no subset `{subset}`",
            cluster.host()
        ),
    };
    let help = order(asked, owner);
    report.push(found(holder, help));
    let mut count = 0;
    for rule in &asked.mesh.destination_rules {
        let is_of_host = is_subset_of(cluster.host(), &rule.host);
        let has_it = rule.subsets.iter().any(|own| *own.name == *subset);
        let is_holder = holds.is_some_and(|holds| holds.sources().contains(&rule.resource));
        if !is_of_host || !has_it || is_holder || count == MOST_NOTES {
            continue;
        }
        count += 1;
        let why = why_not(asked, rule, owner);
        let message = format!(
            "this DestinationRule has the subset `{subset}`, and does not hold for the client: {why}"
        );
        let resource = reference("DestinationRule", &rule.resource);
        report.push(note(
            Code::WITHOUT_DESTINATION_RULE,
            resource,
            spec("host"),
            message,
        ));
    }
}
