//! PeerAuthentications: who takes mutual TLS, typed and checked.

use crate::diagnostic::{At, Code};
use crate::mesh::PeerAuthentication;
use crate::mesh::peer_authentication::PeerTls;
use crate::resource::{self as raw, Document, PeerMutualTls, PeerMutualTlsMode};
use crate::terms::labels::Labels;

use super::check::network;
use super::service::{check_selector_labels, pair};
use super::{Sink, creation};

/// The PeerAuthentication of a document. `None` after an error was pushed.
pub(crate) fn peer_authentication(
    document: &Document<raw::PeerAuthentication>,
    sink: &mut Sink<'_>,
) -> Option<PeerAuthentication> {
    let (meta, spec) = (&document.meta, &document.spec);
    let at = At::ROOT.field("spec");
    let mut selector = Labels::default();
    if let Some(written) = &spec.selector {
        let at = at.field("selector");
        check_selector_labels(&written.match_labels, &at.field("matchLabels"), sink);
        selector = written.match_labels.iter().map(pair).collect();
    }
    let list = at.field("portLevelMtls");
    if selector.is_empty() && !spec.port_level_mtls.is_empty() {
        let message = "`portLevelMtls` needs a `selector`: ports are those of workloads";
        sink.push(&list, Code::INVALID_PEER_AUTHENTICATION, message);
    }
    let mut ports = Vec::with_capacity(spec.port_level_mtls.len());
    for (text, written) in &spec.port_level_mtls {
        let number = text.parse().unwrap_or(0);
        if sink.check(&list.key(text), Code::INVALID_PORT, network::port(number)) {
            ports.push((u16::try_from(number).unwrap_or(0), mode(written.as_ref())));
        }
    }
    (!sink.failed()).then(|| PeerAuthentication {
        resource: meta.qualified_name(),
        creation: creation(meta),
        selector,
        mode: mode(spec.mtls.as_ref()),
        ports: ports.into(),
    })
}

fn mode(written: Option<&PeerMutualTls>) -> Option<PeerTls> {
    match written?.mode {
        PeerMutualTlsMode::Unset => None,
        PeerMutualTlsMode::Disable => Some(PeerTls::Disable),
        PeerMutualTlsMode::Permissive => Some(PeerTls::Permissive),
        PeerMutualTlsMode::Strict => Some(PeerTls::Strict),
    }
}
