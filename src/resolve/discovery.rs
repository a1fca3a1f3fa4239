//! Namespaces that Istio does not look at: `discoverySelectors` of the mesh (R-M-212).

use std::collections::BTreeMap;

use crate::diagnostic::{At, Code, Report};
use crate::resource::{Document, MeshConfig, Resource};

use super::Sink;
use super::gateway_api::namespaces::{MATCHES, Namespaces};

/// What is told of the resources of a namespace.
#[derive(Clone, Copy)]
enum Verdict {
    /// It is selected, or is in no namespace.
    Watched,
    /// Its labels are not known.
    Assumed,
    LeftOut,
}

/// The resources that Istio looks at; says of each namespace that is left out, and of each whose labels nobody gave.
pub(super) fn watched<'a>(
    documents: impl IntoIterator<Item = &'a Resource>,
    config: &Document<MeshConfig>,
    report: &mut Report,
) -> Vec<&'a Resource> {
    let mut documents: Vec<&Resource> = documents.into_iter().collect();
    let namespaces: Vec<_> = documents
        .iter()
        .filter_map(|resource| match resource {
            Resource::Namespace(document) => Some(document),
            _ => None,
        })
        .collect();
    let namespaces = Namespaces::new(&namespaces);
    let mut sink = Sink::of(config, report);
    let at = At::ROOT.field("discoverySelectors");
    let selectors = &config.spec.discovery_selectors;
    if selectors.len().saturating_mul(namespaces.len()) > MATCHES {
        sink.push_with_help(
            &at,
            Code::SELECTORS_TOO_LARGE,
            format!("selectors and Namespaces make more than {MATCHES} pairs"),
            "one selector can select many namespaces by a label that they share",
        );
        return documents;
    }
    let mut selected = Vec::new();
    for (index, selector) in selectors.iter().enumerate() {
        match namespaces.selected(selector) {
            Some(names) => selected.extend(names),
            None => {
                let message =
                    "Kubernetes cannot read the selector, so that Istio looks at every namespace";
                sink.push(&at.index(index), Code::FIELD_WITHOUT_EFFECT, message);
                return documents;
            }
        }
    }
    selected.sort_unstable();

    // Of each namespace what becomes of it, and of how many resources.
    let mut told: BTreeMap<&str, (Verdict, usize)> = BTreeMap::new();
    documents.retain(|resource| {
        let namespace = &*resource.meta().namespace;
        let is_selected = || selected.binary_search(&namespace).is_ok();
        let verdict = if !resource.kind().is_namespaced() || is_selected() {
            Verdict::Watched
        } else if namespaces.is_given(namespace) {
            Verdict::LeftOut
        } else {
            Verdict::Assumed
        };
        if !matches!(verdict, Verdict::Watched) {
            told.entry(namespace).or_insert((verdict, 0)).1 += 1;
        }
        !matches!(verdict, Verdict::LeftOut)
    });
    for (namespace, (verdict, count)) in told {
        if matches!(verdict, Verdict::LeftOut) {
            sink.push_with_help(
                &at,
                Code::NOT_DISCOVERED,
                format!(
                    "namespace `{namespace}` is selected by none, so that {count} of the resources given are left out"
                ),
                "label the Namespace, or add a selector",
            );
        } else {
            sink.push_with_help(
                &at,
                Code::ASSUMED_DISCOVERED,
                format!(
                    "there is no Namespace `{namespace}` whose labels could be selected; its {count} resources count as discovered"
                ),
                "give the Namespaces, too",
            );
        }
    }
    documents
}
