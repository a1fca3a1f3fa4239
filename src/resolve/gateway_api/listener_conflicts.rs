//! Listeners of one Gateway that cannot stand beside each other: the later one gives way (R-G-015).

use crate::diagnostic::{At, Code};
use crate::resource::gateway_api::Listener;

use super::super::Sink;

/// The listeners of a Gateway that have been accepted so far.
#[derive(Default)]
pub(super) struct Conflicts {
    accepted: Vec<Accepted>,
}

struct Accepted {
    port: u16,
    kind: Kind,
    hostname: Box<str>,
}

/// What shares a port with what.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Told apart by nothing.
    Stream,
    /// Told apart by host names.
    Named,
    Other,
}

impl Conflicts {
    /// Whether the listener may have the port; a conflict is said.
    pub(super) fn add(
        &mut self,
        listener: &Listener,
        port: u16,
        at: &At<'_>,
        sink: &mut Sink<'_>,
    ) -> bool {
        let kind = match &*listener.protocol {
            "TCP" | "UDP" => Kind::Stream,
            "HTTP" | "HTTPS" | "TLS" => Kind::Named,
            _ => Kind::Other,
        };
        let hostname = match listener.hostname.as_deref() {
            None | Some("") => "*",
            Some(host) => host,
        };
        let message = self.accepted.iter().find_map(|one| {
            if one.port != port || port == 0 {
                return None;
            }
            match (one.kind, kind) {
                (Kind::Stream, Kind::Stream)
                | (Kind::Stream, Kind::Named)
                | (Kind::Named, Kind::Stream) => Some(format!(
                    "an earlier listener has port {port}, which nothing can tell apart from this one"
                )),
                (Kind::Named, Kind::Named) if *one.hostname == *hostname => Some(format!(
                    "an earlier listener on port {port} has host `{hostname}`"
                )),
                _ => None,
            }
        });
        match message {
            Some(message) => {
                sink.push(at, Code::CONFLICTED_LISTENER, message);
                false
            }
            None => {
                self.accepted.push(Accepted {
                    port,
                    kind,
                    hostname: hostname.into(),
                });
                true
            }
        }
    }
}
