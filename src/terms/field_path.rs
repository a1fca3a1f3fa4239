//! Where in a resource: `spec.http[0].match[1].uri.regex`.
//!
//! [`At`] is the cheap form for code that walks a resource: a chain of borrowed segments on the stack. It becomes a
//! [`FieldPath`] only when there is something to say.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use super::short::limited;

/// One step of a path.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Segment {
    /// A field of a message, or a key of a map.
    Field(Cow<'static, str>),
    /// An element of a list, counted from 0.
    Index(usize),
}

short_debug! { enum Segment {Field(part), Index(part)} }

/// A path from a resource's root to one of its fields.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FieldPath {
    segments: Vec<Segment>,
}

short_debug! { FieldPath {segments} }

impl FieldPath {
    /// The root of a resource.
    pub const fn root() -> Self {
        Self {
            segments: Vec::new(),
        }
    }

    /// The path of a field (or of a map's key) below this one.
    #[must_use]
    pub fn field(&self, name: impl Into<Cow<'static, str>>) -> Self {
        let mut path = self.clone();
        path.push_field(name);
        path
    }

    /// The path of a list's element below this one.
    #[must_use]
    pub fn index(&self, index: usize) -> Self {
        let mut path = self.clone();
        path.push_index(index);
        path
    }

    /// This path followed by `tail`.
    #[must_use]
    pub fn join(&self, tail: &FieldPath) -> Self {
        let mut path = self.clone();
        path.segments.extend(tail.segments.iter().cloned());
        path
    }

    /// Goes down to a field.
    pub fn push_field(&mut self, name: impl Into<Cow<'static, str>>) {
        self.segments.push(Segment::Field(name.into()));
    }

    /// Goes down to an element of a list.
    pub fn push_index(&mut self, index: usize) {
        self.segments.push(Segment::Index(index));
    }

    /// Goes up by one step.
    pub fn pop(&mut self) {
        self.segments.pop();
    }

    /// The steps from the root.
    pub fn segments(&self) -> &[Segment] {
        &self.segments
    }

    /// Whether this is the root.
    pub fn is_empty(&self) -> bool {
        self.segments.is_empty()
    }
}

impl fmt::Display for FieldPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, segment) in self.segments.iter().enumerate() {
            match segment {
                Segment::Index(index) => write!(f, "[{index}]")?,
                Segment::Field(name)
                    if name.is_empty() || name.contains(['.', '[', ']', '"', '/', ' ']) =>
                {
                    write!(f, "[{name:?}]")?;
                }
                Segment::Field(name) => {
                    if position > 0 {
                        f.write_str(".")?;
                    }
                    f.write_str(name)?;
                }
            }
        }
        Ok(())
    }
}

impl serde::Serialize for FieldPath {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl From<At<'_>> for FieldPath {
    fn from(at: At<'_>) -> Self {
        at.to_path()
    }
}

impl From<&At<'_>> for FieldPath {
    fn from(at: &At<'_>) -> Self {
        at.to_path()
    }
}

impl From<&FieldPath> for FieldPath {
    fn from(path: &FieldPath) -> Self {
        path.clone()
    }
}

/// From the plain form, `spec.http[0].name` (keys with dots have no plain form; use [`FieldPath::field`]).
impl From<&str> for FieldPath {
    fn from(text: &str) -> Self {
        let mut path = FieldPath::root();
        for part in text.split('.') {
            let (name, indexes) = part
                .find('[')
                .map_or((part, ""), |open| part.split_at(open));
            if !name.is_empty() {
                path.push_field(name.to_owned());
            }
            for index in indexes
                .split(['[', ']'])
                .filter(|digits| !digits.is_empty())
            {
                match usize::from_str(index) {
                    Ok(index) => path.push_index(index),
                    Err(_) => path.push_field(index.to_owned()),
                }
            }
        }
        path
    }
}

/// Where a walk stands: a chain of borrowed segments on the stack.
///
/// ```
/// use meshroute::diagnostic::At;
/// let spec = At::ROOT.field("spec");
/// let http = spec.field("http");
/// let rule = http.index(0);
/// assert_eq!(rule.field("timeout").to_path().to_string(), "spec.http[0].timeout");
/// ```
#[derive(Clone, Copy)]
pub struct At<'a> {
    parent: Option<&'a At<'a>>,
    step: Step<'a>,
}

impl fmt::Debug for At<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        limited(f, |f| f.debug_tuple("At").field(&self.to_path()).finish())
    }
}

#[derive(Clone, Copy, Debug)]
enum Step<'a> {
    Root,
    Field(&'static str),
    Key(&'a str),
    Index(usize),
}

impl At<'static> {
    /// The root of a resource.
    pub const ROOT: At<'static> = At {
        parent: None,
        step: Step::Root,
    };
}

impl<'a> At<'a> {
    /// A field of the message that this stands at.
    pub fn field(&'a self, name: &'static str) -> At<'a> {
        At {
            parent: Some(self),
            step: Step::Field(name),
        }
    }

    /// A key of the map that this stands at.
    pub fn key(&'a self, key: &'a str) -> At<'a> {
        At {
            parent: Some(self),
            step: Step::Key(key),
        }
    }

    /// An element of the list that this stands at.
    pub fn index(&'a self, index: usize) -> At<'a> {
        At {
            parent: Some(self),
            step: Step::Index(index),
        }
    }

    /// The path as a value of its own.
    pub fn to_path(&self) -> FieldPath {
        let mut segments = Vec::new();
        let mut here = Some(self);
        while let Some(at) = here {
            match at.step {
                Step::Root => {}
                Step::Field(name) => segments.push(Segment::Field(Cow::Borrowed(name))),
                Step::Key(key) => segments.push(Segment::Field(Cow::Owned(key.to_owned()))),
                Step::Index(index) => segments.push(Segment::Index(index)),
            }
            here = at.parent;
        }
        segments.reverse();
        FieldPath { segments }
    }
}

impl fmt::Display for At<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.to_path().fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_as_people_write_it() {
        let path = FieldPath::from("spec.http[0].match[1].uri.regex");
        assert_eq!(path.to_string(), "spec.http[0].match[1].uri.regex");
        assert_eq!(path.segments().len(), 7);
        assert_eq!(path.segments()[2], Segment::Index(0));
        assert_eq!(
            FieldPath::from("items[3]")
                .join(&FieldPath::from("spec"))
                .to_string(),
            "items[3].spec"
        );
        assert_eq!(FieldPath::root().to_string(), "");
    }

    #[test]
    fn quotes_keys_that_are_no_words() {
        let path = FieldPath::root()
            .field("metadata")
            .field("labels")
            .field("app.kubernetes.io/name");
        assert_eq!(
            path.to_string(),
            r#"metadata.labels["app.kubernetes.io/name"]"#
        );
    }

    #[test]
    fn a_walk_becomes_a_path() {
        let spec = At::ROOT.field("spec");
        let headers = spec.field("headers");
        let key = headers.key("x-user");
        assert_eq!(key.to_path(), FieldPath::from("spec.headers.x-user"));
        assert_eq!(
            FieldPath::from(headers.index(2)).to_string(),
            "spec.headers[2]"
        );
    }
}
