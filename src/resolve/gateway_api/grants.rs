//! Who may name what in another namespace (R-G-051).

use std::collections::HashMap;

use crate::resource::Document;
use crate::resource::gateway_api as raw;

/// The group of the Gateway API.
pub(super) const GROUP: &str = "gateway.networking.k8s.io";

/// The kinds that may be allowed to name something.
const FROM: &[&str] = &[
    "Gateway",
    "HTTPRoute",
    "GRPCRoute",
    "TLSRoute",
    "TCPRoute",
    "ListenerSet",
];

/// All grants, by who may and what.
pub(super) struct Grants<'a> {
    /// Kind and namespace of who may; kind and namespace of what.
    by_pair: HashMap<(&'a str, &'a str, &'a str, &'a str), Granted<'a>>,
}

#[derive(Default)]
struct Granted<'a> {
    all: bool,
    names: Vec<&'a str>,
}

impl<'a> Grants<'a> {
    pub(super) fn new(documents: &[&'a Document<raw::ReferenceGrant>]) -> Self {
        let mut by_pair: HashMap<_, Granted<'a>> = HashMap::new();
        for document in documents {
            let namespace = &*document.meta.namespace;
            for from in &document.spec.from {
                if from.group != GROUP || !FROM.contains(&&*from.kind) {
                    continue;
                }
                for to in document.spec.to.iter().filter(|to| is_known_target(to)) {
                    let pair = (&*from.kind, &*from.namespace, &*to.kind, namespace);
                    let granted = by_pair.entry(pair).or_default();
                    match &to.name {
                        Some(name) => granted.names.push(name),
                        None => granted.all = true,
                    }
                }
            }
        }
        Grants { by_pair }
    }

    /// Whether an object of `kind` in `from` may name the `target` kind's object `name` in `namespace`.
    pub(super) fn allow(
        &self,
        (kind, from): (&str, &str),
        (target, namespace, name): (&str, &str, &str),
    ) -> bool {
        let granted = self.by_pair.get(&(kind, from, target, namespace));
        granted.is_some_and(|granted| granted.all || granted.names.contains(&name))
    }
}

fn is_known_target(to: &raw::ReferenceGrantTo) -> bool {
    matches!(
        (&*to.group, &*to.kind),
        ("", "ConfigMap" | "Secret" | "Service")
    )
}
