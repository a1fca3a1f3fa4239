//! What the owner of a repository does not want to be told: by the caller, by a comment, by an annotation.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::Resources;
use crate::diagnostic::{Code, Diagnostic};

/// How a comment begins that allows codes.
const COMMENT: &str = "meshroute: allow(";
const ANNOTATION: &str = "meshroute.io/allow";
const ISTIOCTL: &str = "galley.istio.io/analyze-suppress";

/// Codes that are allowed everywhere.
#[derive(Clone, Debug, Default)]
pub struct Allowed(BTreeSet<Code>);

impl Allowed {
    /// None.
    pub fn new() -> Self {
        Self::default()
    }

    /// These and what `text` names: `MR0305`, `unknown-subset` or `IST0101`.
    ///
    /// # Errors
    /// What to write instead, if there is no such code.
    pub fn with(mut self, text: &str) -> Result<Self, String> {
        let before = self.0.len();
        let mut named = Code::named(text).peekable();
        if named.peek().is_none() {
            let all = Code::ALL.iter().flat_map(|code| [code.id(), code.name()]);
            let near = crate::diagnostic::nearest(text, all);
            let near = near.map_or(String::new(), |near| format!("; did you mean `{near}`?"));
            return Err(format!("there is no code `{text}`{near}"));
        }
        self.0.extend(named);
        debug_assert!(self.0.len() >= before, "codes are added");
        Ok(self)
    }

    pub(super) fn has(&self, code: Code) -> bool {
        self.0.contains(&code)
    }
}

/// Whether a list of codes, separated by commas, names this one; `*` names all.
fn names(list: &str, code: Code) -> bool {
    let mut entries = list.split(',').map(str::trim);
    entries.any(|entry| entry == "*" || Code::named(entry).any(|named| named == code))
}

fn comment_names(line: &str, code: Code) -> bool {
    let Some((_, comment)) = line.split_once('#') else {
        return false;
    };
    let mut rest = comment;
    while let Some(at) = rest.find(COMMENT) {
        let list = &rest[at + COMMENT.len()..];
        let Some((list, after)) = list.split_once(')') else {
            return false;
        };
        if names(list, code) {
            return true;
        }
        rest = after;
    }
    false
}

/// Whether a comment or an annotation allows it.
pub(super) fn is_allowed_by_owner(
    finding: &Diagnostic,
    resources: &Resources,
    texts: &BTreeMap<String, Arc<str>>,
) -> bool {
    by_annotation(finding, resources) || by_comment(finding, texts).unwrap_or(false)
}

fn by_annotation(finding: &Diagnostic, resources: &Resources) -> bool {
    let Some(resource) = finding.resource() else {
        return false;
    };
    let mut all = resources.documents.iter();
    let Some(found) = all.find(|one| one.reference() == *resource) else {
        return false;
    };
    let annotations = &found.meta().annotations;
    let said = [ANNOTATION, ISTIOCTL]
        .into_iter()
        .filter_map(|name| annotations.get(name));
    said.into_iter().any(|list| names(list, finding.code()))
}

/// On the line itself, on the comment lines before it, or at the head of its document.
fn by_comment(finding: &Diagnostic, texts: &BTreeMap<String, Arc<str>>) -> Option<bool> {
    let location = finding.location()?;
    let text = texts.get(location.file.as_deref()?)?;
    if !text.contains(COMMENT) {
        return Some(false);
    }
    let lines: Vec<&str> = text.lines().take(location.line as usize).collect();
    let (own, before) = lines.split_last()?;
    let is_comment = |line: &&&str| line.trim_start().starts_with('#');
    let above = before.iter().rev().take_while(is_comment);
    let start = before.iter().rposition(|line| line.starts_with("---"));
    let document = &before[start.map_or(0, |at| at + 1)..];
    let head = document
        .iter()
        .take_while(|line| line.trim().is_empty() || is_comment(line));
    let mut all = std::iter::once(own).chain(above).chain(head);
    Some(all.any(|line| comment_names(line, finding.code())))
}
