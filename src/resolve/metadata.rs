//! Names, labels and annotations by the rules of Kubernetes' API server, which come before those of Istio's admission.

use crate::diagnostic::{At, Code, FieldPath, Report};
use crate::resource::{Kind, Resource};

use super::check::kubernetes;
use super::{Sink, annotations};

/// The most bytes that all annotations of a resource may have.
const MOST_ANNOTATION_BYTES: usize = 256 << 10;

/// Whether the resource may be used as far as its metadata goes; pushes an error for each reason why not, and a warning for
/// what a cluster would not have taken.
pub(crate) fn is_admitted(resource: &Resource, report: &mut Report) -> bool {
    let locate = |field: &FieldPath| resource.source().locate(field);
    let mut sink = Sink::new(report, resource.reference(), locate);
    sink.as_kubernetes(|sink| check(resource, sink));
    drop(sink);
    annotations::are_allowed(resource, report)
}

fn check(resource: &Resource, sink: &mut Sink<'_>) {
    let meta = resource.meta();
    let at = At::ROOT.field("metadata");
    let name = match resource.kind() {
        Kind::Service => kubernetes::label(&meta.name),
        _ => kubernetes::subdomain(&meta.name),
    };
    sink.check(&at.field("name"), Code::INVALID_NAME, name);
    if !meta.namespace.is_empty() {
        let namespace = kubernetes::label(&meta.namespace);
        sink.check(&at.field("namespace"), Code::INVALID_NAME, namespace);
    }
    let labels = at.field("labels");
    for (key, value) in &meta.labels {
        let at = labels.key(key);
        sink.check(&at, Code::INVALID_LABEL, kubernetes::key(key));
        sink.check(&at, Code::INVALID_LABEL, kubernetes::label_value(value));
    }
    let annotations = at.field("annotations");
    let mut bytes = 0;
    for (key, value) in &meta.annotations {
        bytes += key.len() + value.len();
        let verdict = kubernetes::key(&key.to_lowercase());
        sink.check(&annotations.key(key), Code::INVALID_ANNOTATION, verdict);
    }
    if bytes > MOST_ANNOTATION_BYTES {
        let message = format!(
            "the annotations have {bytes} bytes, and Kubernetes takes at most {MOST_ANNOTATION_BYTES}"
        );
        sink.push(&annotations, Code::INVALID_ANNOTATION, message);
    }
}
