//! `StringMatch`: exact, prefix or regex; with none of them set, presence (R-H-092..R-H-099).

use crate::diagnostic::{At, Code};
use crate::resolve::{Context, Sink};
use crate::resource as raw;
use crate::terms::condition::{PathMatch, ValueMatch};

/// The test of a value. `None` only after an error was pushed.
pub(super) fn value(
    written: &raw::StringMatch,
    at: &At<'_>,
    cx: &Context<'_>,
    sink: &mut Sink<'_>,
) -> Option<ValueMatch> {
    if let Some(exact) = &written.exact {
        return Some(ValueMatch::Exact(exact.as_str().into()));
    }
    if let Some(prefix) = &written.prefix {
        if prefix.is_empty() {
            sink.push_with_help(
                &at.field("prefix"),
                Code::EMPTY_MATCH,
                "a prefix to match cannot be empty",
                "write `{}` to match any value that is present",
            );
            return None;
        }
        return Some(ValueMatch::Prefix(prefix.as_str().into()));
    }
    match &written.regex {
        Some(regex) => cx
            .regex(regex, &at.field("regex"), sink)
            .map(ValueMatch::Regex),
        None => Some(ValueMatch::Present),
    }
}

/// The test of a header that must not match: there, and only there, the regex `*` means presence (R-H-098).
pub(super) fn absent_value(
    written: Option<&raw::StringMatch>,
    at: &At<'_>,
    cx: &Context<'_>,
    sink: &mut Sink<'_>,
) -> Option<ValueMatch> {
    match written {
        None => Some(ValueMatch::Present),
        Some(written) if written.regex.as_deref() == Some("*") => Some(ValueMatch::Present),
        Some(written) => value(written, at, cx, sink),
    }
}

/// The test of the path. An empty prefix is a prefix of every path, but no catch-all (R-H-084, R-H-089).
pub(super) fn path(
    written: Option<&raw::StringMatch>,
    ignore_case: bool,
    at: &At<'_>,
    cx: &Context<'_>,
    sink: &mut Sink<'_>,
) -> Option<PathMatch> {
    let Some(written) = written else {
        return Some(PathMatch::any());
    };
    if let Some(exact) = &written.exact {
        return Some(PathMatch::Exact {
            value: exact.as_str().into(),
            ignore_case,
        });
    }
    if let Some(prefix) = &written.prefix {
        return Some(PathMatch::Prefix {
            value: prefix.as_str().into(),
            ignore_case,
        });
    }
    match &written.regex {
        Some(regex) => cx
            .regex(regex, &at.field("regex"), sink)
            .map(PathMatch::Regex),
        None => Some(PathMatch::any()),
    }
}
