//! Paths rewritten: what takes the place of what a rule matched (R-H-126..R-H-132).

use super::subject::Subject;
use crate::terms::condition::PathMatch;
use crate::terms::route_policy::PathRewrite;

/// The rewritten path with the query; `None`: it stays (R-H-126, R-H-127, R-H-130).
pub(super) fn apply(
    rewrite: &PathRewrite,
    matched: &PathMatch,
    subject: &Subject<'_, '_>,
) -> Option<String> {
    let path = match rewrite {
        PathRewrite::Uri(uri) => replace_matched(matched, subject.path, uri),
        PathRewrite::Regex(rewriter) => {
            let path = rewriter.replace_all(subject.path.as_bytes());
            String::from_utf8(path.into_owned()).ok()?
        }
    };
    Some(with_query(path, subject))
}

/// `path` with what `matched` matched of it replaced: the length of the prefix, whatever the case (R-H-132), or all of it.
pub(super) fn replace_matched(matched: &PathMatch, path: &str, replacement: &str) -> String {
    [replacement, matched.rest(path)].concat()
}

/// `path` with the query of the request.
pub(super) fn with_query(mut path: String, subject: &Subject<'_, '_>) -> String {
    path.push_str(&subject.target[subject.path.len()..]);
    path
}
