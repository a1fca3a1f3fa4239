//! What each service is made from, and which services a change may concern: the resources of the registry by the words that
//! they name each other by (selectors and labels, names of services and pods).
//!
//! A service is made from its own document, its EndpointSlices with the pods that these list, and the workloads that it
//! selects, with the nodes that pods run on. So a change concerns the services that one of those words leads to, and each of them is
//! made anew from the documents that the words lead to from there: none of this grows with the rest of the mesh.

use std::collections::{BTreeSet, HashMap};

use crate::mesh::Mesh;
use crate::resource::{Kind, Labels, Resource};

use super::key::Key;

/// The document of a key, if there is one.
type Get<'d> = dyn Fn(&Key) -> Option<&'d Resource> + 'd;

/// The label of an EndpointSlice that names its service.
const SERVICE_NAME: &str = "kubernetes.io/service-name";

/// The documents of the registry by the words that others know them by.
#[derive(Clone, Debug, Default)]
pub(super) struct Relevance {
    by_word: HashMap<Word, BTreeSet<Key>>,
}

/// A word of a document, in a namespace.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Word {
    /// A workload has this label.
    Label(Box<str>, Box<str>, Box<str>),
    /// It is a workload.
    Workload(Box<str>),
    /// A service selects workloads that have this label, and perhaps others.
    Selects(Box<str>, Box<str>, Box<str>),
    /// A service selects all workloads.
    SelectsAll(Box<str>),
    /// A slice of the service of this name.
    SliceOf(Box<str>, Box<str>),
    /// A slice that lists the pod of this name.
    Lists(Box<str>, Box<str>),
    /// A pod that runs on the node of this name.
    RunsOn(Box<str>),
    /// The node of this name.
    Node(Box<str>),
}

impl Relevance {
    /// Adds a document.
    pub(super) fn insert(&mut self, document: &Resource) {
        for word in words(document) {
            let known = self.by_word.entry(word).or_default();
            known.insert(Key::of(document));
        }
    }

    /// Removes a document.
    pub(super) fn remove(&mut self, document: &Resource) {
        let key = Key::of(document);
        for word in words(document) {
            if let Some(known) = self.by_word.get_mut(&word) {
                known.remove(&key);
                if known.is_empty() {
                    self.by_word.remove(&word);
                }
            }
        }
    }

    /// The services (Service, ServiceEntry) that this document, which comes or goes, may concern.
    pub(super) fn concerned<'d>(&self, document: &Resource, get: &Get<'d>) -> BTreeSet<Key> {
        let namespace: Box<str> = document.meta().namespace.as_str().into();
        let mut concerned = BTreeSet::new();
        for word in words(document) {
            match word {
                Word::SliceOf(namespace, service) => {
                    concerned.insert(Key::new(Kind::Service, &namespace, &service));
                }
                Word::Label(namespace, key, value) => {
                    concerned.extend(self.known(&Word::Selects(namespace, key, value)).cloned());
                }
                Word::Workload(namespace) => {
                    concerned.extend(self.known(&Word::SelectsAll(namespace)).cloned());
                }
                Word::Node(name) => {
                    let runs_there = Word::RunsOn(name);
                    for pod in self.known(&runs_there).filter_map(get) {
                        concerned.append(&mut self.concerned(pod, get));
                    }
                }
                Word::Selects(..) | Word::SelectsAll(_) | Word::Lists(..) | Word::RunsOn(_) => {}
            }
        }
        match document {
            Resource::Service(_) | Resource::ServiceEntry(_) => {
                concerned.insert(Key::of(document));
            }
            Resource::Pod(pod) => {
                let listing = Word::Lists(namespace, pod.meta.name.as_str().into());
                let slices = self.known(&listing).filter_map(get);
                for word in slices.flat_map(words) {
                    if let Word::SliceOf(namespace, service) = word {
                        concerned.insert(Key::new(Kind::Service, &namespace, &service));
                    }
                }
            }
            _ => {}
        }
        concerned
    }

    /// What the service `key` is made from, as far as it is there.
    pub(super) fn inputs<'d>(&self, key: &Key, get: &Get<'d>) -> BTreeSet<Key> {
        let mut inputs = BTreeSet::new();
        let Some(document) = get(key) else {
            return inputs;
        };
        inputs.insert(key.clone());
        let meta = document.meta();
        if key.kind() == Kind::Service {
            let slices = Word::SliceOf(meta.namespace.as_str().into(), meta.name.as_str().into());
            for slice in self.known(&slices) {
                inputs.insert(slice.clone());
                let slice = get(slice);
                for word in slice.map(words).unwrap_or_default() {
                    if let Word::Lists(namespace, pod) = word {
                        inputs.insert(Key::new(Kind::Pod, &namespace, &pod));
                    }
                }
            }
        }
        let Some(selector) = selector(document) else {
            let mut nodes = self.nodes(&inputs, get);
            inputs.append(&mut nodes);
            return inputs;
        };
        let namespace: Box<str> = meta.namespace.as_str().into();
        let with_label = selector.iter().map(|(key, value)| {
            let pair = (key.as_str().into(), value.as_str().into());
            self.by_word
                .get(&Word::Label(namespace.clone(), pair.0, pair.1))
        });
        let fewest = with_label.min_by_key(|keys| keys.map_or(0, BTreeSet::len));
        let workloads = match fewest {
            Some(keys) => keys,
            None => self.by_word.get(&Word::Workload(namespace.clone())),
        };
        inputs.extend(workloads.into_iter().flatten().cloned());
        let mut nodes = self.nodes(&inputs, get);
        inputs.append(&mut nodes);
        inputs
    }

    /// The nodes that pods among these run on.
    fn nodes<'d>(&self, inputs: &BTreeSet<Key>, get: &Get<'d>) -> BTreeSet<Key> {
        let documents = inputs.iter().filter_map(get);
        let pods = documents.filter_map(|document| match document {
            Resource::Pod(pod) => Some(pod.spec.spec.node_name.as_str()),
            _ => None,
        });
        let names: BTreeSet<&str> = pods.collect();
        let known = names
            .into_iter()
            .map(|name| self.by_word.get(&Word::Node(name.into())));
        known.flatten().flatten().cloned().collect()
    }

    fn known(&self, word: &Word) -> impl Iterator<Item = &Key> {
        self.by_word.get(word).into_iter().flatten()
    }
}

/// Under what a document is found.
fn words(document: &Resource) -> Vec<Word> {
    let namespace: Box<str> = document.meta().namespace.as_str().into();
    match document {
        Resource::Service(_) | Resource::ServiceEntry(_) => {
            let Some(selector) = selector(document) else {
                return Vec::new();
            };
            vec![match selector.iter().next() {
                Some((key, value)) => {
                    Word::Selects(namespace, key.as_str().into(), value.as_str().into())
                }
                None => Word::SelectsAll(namespace),
            }]
        }
        Resource::EndpointSlice(slice) => {
            let mut all = Vec::new();
            if let Some(service) = slice.meta.labels.get(SERVICE_NAME) {
                all.push(Word::SliceOf(namespace.clone(), service.as_str().into()));
            }
            let endpoints = slice.spec.endpoints.iter();
            let targets = endpoints.filter_map(|endpoint| endpoint.target_ref.as_ref());
            for target in targets.filter(|target| target.kind == "Pod") {
                let of = match target.namespace.as_str() {
                    "" => namespace.clone(),
                    other => other.into(),
                };
                all.push(Word::Lists(of, target.name.as_str().into()));
            }
            all
        }
        Resource::Deployment(_) | Resource::Pod(_) | Resource::WorkloadEntry(_) => {
            let labels = Mesh::workload_labels(document).unwrap_or_default();
            let labels = labels
                .iter()
                .map(|(key, value)| Word::Label(namespace.clone(), key.into(), value.into()));
            let all = Word::Workload(namespace.clone());
            let node = match document {
                Resource::Pod(pod) => Some(Word::RunsOn(pod.spec.spec.node_name.as_str().into())),
                _ => None,
            };
            labels.chain([all]).chain(node).collect()
        }
        Resource::Node(node) => vec![Word::Node(node.meta.name.as_str().into())],
        _ => Vec::new(),
    }
}

/// What selects workloads; `None`: nothing does, and empty: all.
fn selector(document: &Resource) -> Option<&Labels> {
    match document {
        Resource::Service(service) => {
            let selector = &service.spec.selector;
            (!selector.is_empty()).then_some(selector)
        }
        Resource::ServiceEntry(entry) => {
            let selector = entry.spec.workload_selector.as_ref();
            selector.map(|selector| &selector.labels)
        }
        _ => None,
    }
}
