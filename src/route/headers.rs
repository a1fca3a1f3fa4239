//! Header changes run as Envoy runs them: remove, evaluate, set, add (R-H-116..R-H-122).

use super::sanitize::TOUCHED;
use super::subject::{Own, Subject, keeps_one_line};
use crate::router::{Action, WeightedCluster};
use crate::terms::format::{Command, FormatPart, HeaderFormat, HeaderNames};
use crate::terms::header_list::HeaderList;
use crate::terms::header_operations::{HeaderChanges, HeaderOperations};

/// Gives the values of format commands that only the embedder knows, such as `UPSTREAM_HOST`, by their text without the
/// percent signs.
pub(super) type Commands<'c> = dyn Fn(&str) -> Option<String> + 'c;

/// A request as formats see it: as it came, or as it was forwarded.
pub(super) struct Sent<'v> {
    pub path: &'v str,
    pub authority: &'v str,
    pub lines: &'v HeaderList,
}

/// A response as formats see it.
#[derive(Clone, Copy)]
pub(super) struct Received<'v> {
    pub status: u16,
    pub lines: &'v HeaderList,
}

/// What format strings are evaluated against.
pub(super) struct Values<'v, 'b> {
    pub subject: &'v Subject<'v, 'b>,
    /// The name of the rule.
    pub rule: &'v str,
    pub commands: &'v Commands<'v>,
}

/// The lines of a request as the proxy keeps them.
pub(super) fn lines_of(subject: &Subject<'_, '_>) -> HeaderList {
    let mut lines = HeaderList::new();
    subject.request.for_each_header(&mut |name, value| {
        let name = name.to_ascii_lowercase();
        let is_kept = subject.own(&name) == Own::Given && !subject.is_nominated(&name);
        if is_kept && !TOUCHED.contains(&&*name) {
            append(&mut lines, &name, value);
        }
    });
    for name in TOUCHED {
        // One that is kept in one line comes as one value.
        subject.for_each_tested(name, &mut |value| lines.append(name, value));
    }
    lines
}

/// One more line, or more on the one line of a header that keeps only one.
fn append(lines: &mut HeaderList, name: &str, value: &[u8]) {
    let held = match keeps_one_line(name) {
        true => lines.get(name),
        false => None,
    };
    match held {
        None => lines.append(name, value),
        Some(_) if value.is_empty() => {}
        Some(line) => {
            let comma: &[u8] = if line.is_empty() { b"" } else { b"," };
            let joined = [line, comma, value].concat();
            lines.set(name, joined);
        }
    }
}

/// The changes of a route and of the destination that was drawn, in the steps in which they run: with one destination both
/// are one step, the route's first (R-H-121); with several, the destination's come first and the route's after (R-H-122).
pub(super) fn steps<'r>(
    action: &'r Action,
    chosen: Option<&'r WeightedCluster>,
) -> Vec<Vec<&'r HeaderChanges>> {
    let route = action.headers();
    let destination = chosen.and_then(|chosen| chosen.headers.as_deref());
    let is_weighted = action
        .as_forward()
        .is_some_and(|forward| forward.split().is_weighted());
    let step = |changes: &[Option<&'r HeaderChanges>]| changes.iter().copied().flatten().collect();
    match is_weighted {
        true => vec![step(&[destination]), step(&[route])],
        false => vec![step(&[route, destination])],
    }
}

/// The entries to set, or those to add.
type Entries = fn(&HeaderOperations) -> &[(Box<str>, HeaderFormat)];

/// Runs the changes of one step on `lines`. Values are evaluated after the removals and before anything is set; a value
/// that comes out empty changes nothing (R-H-117, R-H-119).
pub(super) fn run(
    operations: &[&HeaderOperations],
    lines: &mut HeaderList,
    evaluate: &dyn Fn(&HeaderFormat, &HeaderList) -> Vec<u8>,
) {
    for name in operations.iter().flat_map(|level| &level.remove) {
        lines.remove(name);
    }
    let evaluated = |pick: Entries| {
        let entries = operations.iter().copied().flat_map(pick);
        entries
            .map(|(name, format)| (name, evaluate(format, lines)))
            .filter(|(_, value)| !value.is_empty())
            .collect::<Vec<_>>()
    };
    let (set, add) = (evaluated(|level| &level.set), evaluated(|level| &level.add));
    for (name, value) in set {
        lines.set(name, value);
    }
    for (name, value) in add {
        append(lines, name, &value);
    }
}

impl Values<'_, '_> {
    /// The text of a format. What is not there, and what nobody knows, is empty (R-H-120).
    pub(super) fn evaluate(
        &self,
        format: &HeaderFormat,
        request: &Sent<'_>,
        response: Option<Received<'_>>,
    ) -> Vec<u8> {
        let mut out = Vec::new();
        for part in format.parts() {
            match part {
                FormatPart::Literal(text) => out.extend_from_slice(text.as_bytes()),
                FormatPart::Command(command, longest) => {
                    let value = self.value(command, request, response).unwrap_or_default();
                    out.extend(value.into_iter().take(longest.unwrap_or(usize::MAX)));
                }
            }
        }
        out
    }

    fn value(
        &self,
        command: &Command,
        request: &Sent<'_>,
        response: Option<Received<'_>>,
    ) -> Option<Vec<u8>> {
        let connection = &self.subject.request.connection;
        let text = match command {
            Command::RequestHeader(names) => {
                return first_of(names, |name| self.request_header(name, request));
            }
            Command::ResponseHeader(names) => {
                return first_of(names, |name| Some(response?.lines.get(name)?.to_vec()));
            }
            Command::Protocol => self.subject.request.protocol.name().to_owned(),
            Command::ResponseCode => response.map_or(0, |response| response.status).to_string(),
            Command::RouteName => self.rule.to_owned(),
            Command::RequestedServerName => connection.sni?.to_owned(),
            Command::LocalPort => connection.port.to_string(),
            Command::LocalAddress => connection.address?.to_string(),
            Command::RemoteAddress => self.subject.remote_address()?.to_string(),
            Command::DirectRemoteAddress => connection.source?.to_string(),
            Command::Other(command) => (self.commands)(command)?,
        };
        Some(text.into_bytes())
    }

    fn request_header(&self, name: &str, request: &Sent<'_>) -> Option<Vec<u8>> {
        match name {
            ":path" => Some(request.path.into()),
            ":authority" | "host" => Some(request.authority.into()),
            ":method" => Some(self.subject.request.method.into()),
            ":scheme" => Some(self.subject.scheme().into()),
            _ => request.lines.get(name).map(<[u8]>::to_vec),
        }
    }
}

/// The value of the first of two headers that is there.
fn first_of(names: &HeaderNames, value: impl Fn(&str) -> Option<Vec<u8>>) -> Option<Vec<u8>> {
    value(&names.name).or_else(|| value(names.alternative.as_deref()?))
}
