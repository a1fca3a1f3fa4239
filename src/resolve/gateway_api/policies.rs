//! BackendTLSPolicies: TLS towards backends, merged field by field into the DestinationRule of the backend's host, whose own
//! fields count first (section "Policies" of the rule book).

use std::collections::{BTreeMap, HashSet};

use crate::mesh::Service;
use crate::resource::gateway_api as raw;
use crate::resource::{
    ClientTlsMode, ClientTlsSettings, DestinationRule, Document, Metadata, PortSelector,
    PortTrafficPolicy, TrafficPolicy,
};
use crate::terms::host;
use crate::terms::source::SourceDocument;

use super::super::{Context, config_key};
use super::owner::MADE;
use super::registry::Registry;
use super::{Documents, by_name, merge_key};
use crate::mesh::services_by_name::ServicesByName as _;

type Written = Document<DestinationRule>;

/// The DestinationRules with what policies say, in config order; `None`: no policy says anything.
pub(crate) fn merged(
    rules: &[&Written],
    documents: &Documents<'_>,
    services: &[std::sync::Arc<Service>],
    cx: &Context<'_>,
) -> Option<Vec<Written>> {
    let made = made(documents, &Registry::new(services));
    if made.is_empty() {
        return None;
    }
    let mut out: Vec<Written> = rules.iter().map(|rule| (*rule).clone()).collect();
    for rule in made {
        let domain = &cx.config.domain;
        let is_same = |other: &&mut Written| {
            let namespace = &*other.meta.namespace;
            let own = host::resolve_short_name(&other.spec.host, namespace, domain);
            namespace == rule.meta.namespace && own == rule.spec.host
        };
        match out.iter_mut().find(is_same) {
            Some(written) => fill(written, rule),
            None => out.push(rule),
        }
    }
    out.sort_by(|a, b| config_key(&a.meta).cmp(&config_key(&b.meta)));
    Some(out)
}

/// Adds what a DestinationRule does not say itself. The older of the two gives its name.
fn fill(written: &mut Written, made: Written) {
    if config_key(&made.meta) < config_key(&written.meta) {
        written.meta.name = made.meta.name;
        written.meta.creation_timestamp = made.meta.creation_timestamp;
    }
    let Some(made) = made.spec.traffic_policy else {
        return;
    };
    let own = written.spec.traffic_policy.get_or_insert_default();
    own.tls = own.tls.take().or(made.tls);
    for port in made.port_level_settings {
        let mut ports = own.port_level_settings.iter_mut();
        match ports.find(|one| one.port == port.port) {
            Some(one) => one.tls = one.tls.take().or(port.tls),
            None => own.port_level_settings.push(port),
        }
    }
}

/// One DestinationRule for each backend and host.
fn made(documents: &Documents<'_>, registry: &Registry<'_>) -> Vec<Written> {
    const IGNORED: &str = "istio.io/ignore-policy-attachment";
    let config_maps = by_name(&documents.config_maps);
    let has_root = |namespace: &str, name: &str| {
        let map = config_maps.get(&(namespace, name));
        map.and_then(|map| map.data.get("ca.crt"))
            .is_some_and(|value| value.0.has_certificates())
    };
    let mut policies = documents.policies.clone();
    policies.sort_by(|a, b| merge_key(&a.meta).cmp(&merge_key(&b.meta)));
    let mut taken = HashSet::new();
    let mut made: BTreeMap<(String, String), Written> = BTreeMap::new();
    for policy in policies {
        let meta = &policy.meta;
        if meta
            .annotations
            .get(IGNORED)
            .is_some_and(|value| value == "true")
        {
            continue;
        }
        let tls = tls(&policy.spec.validation, &meta.namespace, &has_root);
        for target in &policy.spec.target_refs {
            let section = target.section_name.as_deref().unwrap_or_default();
            let key = (&*meta.namespace, &*target.kind, &*target.name, section);
            // Of equal targets, the older policy counts.
            if !taken.insert(key) {
                continue;
            }
            let (services, is_service) = match (&*target.group, &*target.kind) {
                ("" | "core", "Service") => {
                    let service = registry.service(&meta.namespace, &target.name);
                    (service.into_iter().collect(), true)
                }
                ("networking.istio.io", "ServiceEntry") => {
                    (registry.entry(&meta.namespace, &target.name), false)
                }
                _ => continue,
            };
            for service in services {
                let port = service.ports.iter().find(|port| *port.name == *section);
                let port = port.map(|port| u32::from(port.number));
                if !section.is_empty() && port.is_none() {
                    continue;
                }
                let name = match is_service {
                    true => format!("{}~{MADE}", target.name),
                    false => {
                        let host = service.hostname.replace('.', "-");
                        format!("{}~{host}~{MADE}", target.name)
                    }
                };
                let key = (meta.namespace.clone(), name.clone());
                let rule = made.entry(key).or_insert_with(|| {
                    let mut made = Metadata::new(meta.namespace.clone(), name);
                    made.creation_timestamp = meta.creation_timestamp;
                    Document {
                        meta: made,
                        spec: DestinationRule {
                            host: service.hostname.to_string(),
                            ..DestinationRule::default()
                        },
                        proxy_config: None,
                        source: SourceDocument::default(),
                    }
                });
                let policy = rule.spec.traffic_policy.get_or_insert_default();
                set(policy, port.filter(|_| !section.is_empty()), &tls);
            }
        }
    }
    made.into_values().collect()
}

/// The first policy for a port, and the first for all of them, counts.
fn set(policy: &mut TrafficPolicy, port: Option<u32>, tls: &ClientTlsSettings) {
    let Some(number) = port else {
        policy.tls.get_or_insert_with(|| tls.clone());
        return;
    };
    let port = Some(PortSelector { number });
    let ports = &mut policy.port_level_settings;
    if !ports.iter().any(|one| one.port == port) {
        ports.push(PortTrafficPolicy {
            port,
            tls: Some(tls.clone()),
            ..PortTrafficPolicy::default()
        });
    }
}

fn tls(
    validation: &raw::BackendTlsValidation,
    namespace: &str,
    has_root: &dyn Fn(&str, &str) -> bool,
) -> ClientTlsSettings {
    let mut maps = validation.ca_certificate_refs.iter();
    let root =
        maps.find(|one| one.kind.as_deref() == Some("ConfigMap") && has_root(namespace, &one.name));
    let names = validation.subject_alt_names.iter();
    let names = names.filter_map(|one| match &*one.r#type {
        "URI" => one.uri.clone(),
        _ => one.hostname.clone(),
    });
    ClientTlsSettings {
        mode: ClientTlsMode::Simple,
        sni: validation.hostname.clone(),
        subject_alt_names: names.collect(),
        credential_name: match (root, validation.ca_certificate_refs.is_empty()) {
            (Some(root), _) => format!("configmap://{namespace}/{}", root.name),
            // Nothing can be checked: no connection succeeds.
            (None, false) => "invalid://".to_owned(),
            (None, true) => String::new(),
        },
        ..ClientTlsSettings::default()
    }
}
