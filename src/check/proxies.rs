//! The proxies that a repository holds: every gateway workload that a Gateway selects, and sidecars of every namespace, in the
//! classes that selectors make of them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::Workspace;
use crate::Proxy;
use crate::resource::{Labels, Resource};
use crate::terms::labels::Labels as Selected;

/// A proxy, and how it is called. Printed: `gateway istio-system (istio=ingressgateway)`, `sidecar shop`.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct View {
    /// How it is called.
    pub name: String,
    /// The proxy.
    pub proxy: Proxy,
    /// The Gateways (`namespace/name`) that it was found by; none: it is a sidecar.
    pub gateways: Vec<String>,
}

impl View {
    /// A proxy, called `name`.
    pub fn new(name: impl Into<String>, proxy: Proxy) -> Self {
        View {
            name: name.into(),
            proxy,
            gateways: Vec::new(),
        }
    }
}

impl fmt::Display for View {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

fn selected(labels: &Labels) -> Selected {
    let mut out = Selected::default();
    labels
        .iter()
        .for_each(|(key, value)| out.insert(key.as_str(), value.as_str()));
    out
}

fn words(labels: &Labels) -> String {
    let pairs: Vec<String> = labels
        .iter()
        .map(|(key, value)| format!("{key}={value}"))
        .collect();
    pairs.join(",")
}

fn selects(selector: &Labels, labels: &Labels) -> bool {
    selector
        .iter()
        .all(|(key, value)| labels.get(key) == Some(value))
}

impl Workspace {
    /// Every gateway workload, then the sidecars of every namespace that has workloads, services or routes.
    ///
    /// A selector of a Gateway makes one workload: that of a Deployment or Pod with such labels, if one is there, else one in the
    /// Gateway's own namespace with the labels of the selector. A namespace makes one sidecar without labels, and one more for each
    /// set of labels that a `sourceLabels` or `workloadSelector` asks for.
    pub fn proxies(&self) -> Vec<View> {
        let mut out = self.gateway_views();
        let mut classes: BTreeSet<(String, Labels)> = BTreeSet::new();
        for resource in &self.resources().documents {
            let namespace = resource.meta().namespace.clone();
            let selector = match resource {
                Resource::VirtualService(document) => {
                    let http = document.spec.http.iter().flat_map(|rule| &rule.r#match);
                    for found in http.filter(|one| !one.source_labels.is_empty()) {
                        let of = match found.source_namespace.as_str() {
                            "" => namespace.clone(),
                            own => own.to_owned(),
                        };
                        classes.insert((of, found.source_labels.clone()));
                    }
                    None
                }
                Resource::Sidecar(document) => document
                    .spec
                    .workload_selector
                    .as_ref()
                    .map(|one| one.labels.clone()),
                Resource::Service(_)
                | Resource::ServiceEntry(_)
                | Resource::Deployment(_)
                | Resource::Pod(_)
                | Resource::DestinationRule(_) => None,
                _ => continue,
            };
            classes.insert((namespace.clone(), Labels::new()));
            classes.extend(selector.map(|labels| (namespace, labels)));
        }
        if classes.is_empty() {
            classes.insert(("default".to_owned(), Labels::new()));
        }
        out.extend(classes.into_iter().map(|(namespace, labels)| View {
            name: match labels.is_empty() {
                true => format!("sidecar {namespace}"),
                false => format!("sidecar {namespace} ({})", words(&labels)),
            },
            proxy: Proxy::sidecar(&namespace).with_labels(selected(&labels)),
            gateways: Vec::new(),
        }));
        out
    }

    fn gateway_views(&self) -> Vec<View> {
        let documents = &self.resources().documents;
        let workloads: Vec<(&str, &Labels)> = documents
            .iter()
            .filter_map(|resource| match resource {
                Resource::Pod(pod) => Some((pod.meta.namespace.as_str(), &pod.meta.labels)),
                Resource::Deployment(one) => {
                    let template = one.spec.template.as_ref()?;
                    Some((one.meta.namespace.as_str(), &template.metadata.labels))
                }
                _ => None,
            })
            .collect();
        let mut views: BTreeMap<(String, Labels), Vec<String>> = BTreeMap::new();
        let mut named = Vec::new();
        for resource in documents {
            let meta = resource.meta();
            let name = format!("{}/{}", meta.namespace, meta.name);
            match resource {
                Resource::Gateway(document) => {
                    let selector = &document.spec.selector;
                    let found = workloads
                        .iter()
                        .find(|(_, labels)| !selector.is_empty() && selects(selector, labels));
                    let key = match found {
                        Some((namespace, labels)) => ((*namespace).to_owned(), (*labels).clone()),
                        None => (meta.namespace.clone(), selector.clone()),
                    };
                    views.entry(key).or_default().push(name);
                }
                Resource::KubernetesGateway(_) => named.push(View {
                    name: format!("gateway {name}"),
                    proxy: Proxy::gateway_named(&name),
                    gateways: vec![name],
                }),
                _ => {}
            }
        }
        let views = views
            .into_iter()
            .map(|((namespace, labels), gateways)| View {
                name: match labels.is_empty() {
                    true => format!("gateway {namespace}"),
                    false => format!("gateway {namespace} ({})", words(&labels)),
                },
                proxy: Proxy::gateway(&namespace).with_labels(selected(&labels)),
                gateways,
            });
        views.chain(named).collect()
    }
}
