//! Where a route was written: by which resource, and in which of its fields. It goes with the route from resolve to the router,
//! so that `explain`, lints and comparisons can name the text behind an answer.
//!
//! A router keeps no text: an [`Origin`] knows its file and the first line of its document, and the line of the field itself is
//! found by who still has the documents, [`Resources::locate_written`](crate::resource::Resources::locate_written).

use std::fmt;
use std::sync::Arc;

use super::field_path::FieldPath;
use super::name::ResourceName;
use super::source::{Location, SourceDocument};

/// A resource that writes routes, as its routes remember it. Printed, `routes.yaml:12 VirtualService shop/cart`; for debugging
/// without the place.
#[derive(Clone, PartialEq, Eq)]
pub struct Author {
    kind: &'static str,
    resource: ResourceName,
    file: Option<Arc<str>>,
    line: Option<u32>,
}

impl Author {
    /// The resource of this kind and name, written at `source`.
    pub(crate) fn new(kind: &'static str, resource: ResourceName, source: &SourceDocument) -> Self {
        Author {
            kind,
            resource,
            file: source.file().cloned(),
            line: source.first_line(),
        }
    }

    /// The kind as written in YAML.
    pub fn kind(&self) -> &'static str {
        self.kind
    }

    /// Namespace and name.
    pub fn resource(&self) -> &ResourceName {
        &self.resource
    }

    /// The file, if it has a name.
    pub fn file(&self) -> Option<&str> {
        self.file.as_deref()
    }

    /// The first line of its document in the file, counted from 1; `None`: it was not read from a text.
    pub fn line(&self) -> Option<u32> {
        self.line
    }
}

impl fmt::Display for Author {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt_place(self.file(), self.line, f)?;
        write!(f, "{} {}", self.kind, self.resource)
    }
}

impl fmt::Debug for Author {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind, self.resource)
    }
}

/// `routes.yaml:12 `, if the line is known.
fn fmt_place(file: Option<&str>, line: Option<u32>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match line {
        Some(line) => write!(f, "{}:{line} ", file.unwrap_or("<input>")),
        None => Ok(()),
    }
}

/// A list of routes in a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum RouteList {
    Http,
    Tls,
    Tcp,
    /// Which one is not known: an Envoy is told the resource only.
    #[cfg(feature = "envoy")]
    Unknown,
    /// Of a route of the Gateway API.
    Rules,
}

impl RouteList {
    /// The field, and that of the matches in each of its elements.
    fn fields(self) -> (&'static str, &'static str) {
        match self {
            RouteList::Http => ("http", "match"),
            RouteList::Tls => ("tls", "match"),
            RouteList::Tcp => ("tcp", "match"),
            #[cfg(feature = "envoy")]
            RouteList::Unknown => ("", ""),
            RouteList::Rules => ("rules", "matches"),
        }
    }
}

/// An element of a list of routes: all its matches share it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RouteOrigin {
    pub author: Arc<Author>,
    pub list: RouteList,
    /// Its place in the list.
    pub index: usize,
    /// The element of the root that delegates to it, in a list of the same name.
    pub root: Option<(Arc<Author>, usize)>,
    /// The VirtualService that istiod makes of it, if it is a route of the Gateway API.
    pub made: Option<Arc<Author>>,
}

impl RouteOrigin {
    /// The resource whose hosts and gateways count: the root, where there is one; of a route of the Gateway API, the
    /// VirtualService that istiod makes of it.
    pub(crate) fn root_author(&self) -> &Arc<Author> {
        let root = self.root.as_ref().map(|(root, _)| root);
        self.made.as_ref().or(root).unwrap_or(&self.author)
    }

    /// A match of it, in the words of the root, where there is one.
    pub(crate) fn field_of_root(&self, matched: MatchIndex) -> RouteField {
        match &self.root {
            Some((_, index)) => RouteField {
                list: self.list,
                index: *index,
                matched: matched.root,
            },
            None => RouteField {
                matched: matched.own,
                ..self.field()
            },
        }
    }

    /// The element itself.
    pub(crate) fn field(&self) -> RouteField {
        RouteField {
            list: self.list,
            index: self.index,
            matched: None,
        }
    }
}

/// Which match of a route, in the lists of those who wrote it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct MatchIndex {
    /// `None`: the route has no matches.
    pub own: Option<u32>,
    /// Of the route that delegates.
    pub root: Option<u32>,
}

/// Where one route was written. Cheap to clone. Printed,
/// `routes.yaml:12 VirtualService shop/cart http[2].match[1]`, and for the rule of a delegate also who delegates to it; for
/// debugging without the places.
#[derive(Clone, PartialEq, Eq)]
pub struct Origin {
    route: Arc<RouteOrigin>,
    matched: MatchIndex,
}

impl Origin {
    /// One match of a route.
    pub(crate) fn new(route: &Arc<RouteOrigin>, matched: MatchIndex) -> Self {
        let route = Arc::clone(route);
        Origin { route, matched }
    }

    /// Somewhere in this resource.
    #[cfg(feature = "envoy")]
    pub(crate) fn somewhere(author: &Arc<Author>) -> Self {
        let route = RouteOrigin {
            author: Arc::clone(author),
            list: RouteList::Unknown,
            index: 0,
            root: None,
            made: None,
        };
        Origin::new(&Arc::new(route), MatchIndex::default())
    }

    /// Where it is written itself.
    pub fn written(&self) -> Written<'_> {
        Written {
            author: &self.route.author,
            field: RouteField {
                matched: self.matched.own,
                ..self.route.field()
            },
        }
    }

    /// What delegates to it, if it is the rule of a delegate.
    pub fn delegated_by(&self) -> Option<Written<'_>> {
        let (author, index) = self.route.root.as_ref()?;
        Some(Written {
            author,
            field: RouteField {
                list: self.route.list,
                index: *index,
                matched: self.matched.root,
            },
        })
    }

    /// The resource whose hosts and gateways count: what delegates to it, or what it is written in; of a route of the Gateway
    /// API, the VirtualService that istiod makes of it.
    pub fn root(&self) -> &Author {
        self.route.root_author()
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.written().fmt(f)?;
        match self.delegated_by() {
            Some(root) => write!(f, ", delegated by {root}"),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Written { author, field } = self.written();
        write!(f, "{author:?} {field}")?;
        match self.delegated_by() {
            Some(Written { author, field }) => write!(f, ", delegated by {author:?} {field}"),
            None => Ok(()),
        }
    }
}

/// A route in one resource. Printed, `routes.yaml:12 VirtualService shop/cart http[2].match[1]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Written<'o> {
    author: &'o Author,
    field: RouteField,
}

impl<'o> Written<'o> {
    /// The resource.
    pub fn author(&self) -> &'o Author {
        self.author
    }

    /// The field below `spec`. Printed, `http[2].match[1]`.
    pub fn field(&self) -> RouteField {
        self.field
    }
}

impl fmt::Display for Written<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.located(None).fmt(f)
    }
}

impl<'o> Written<'o> {
    /// The same, printed with this place of the field, or else that of the resource.
    pub(crate) fn located(self, place: Option<&'o Location>) -> Located<'o> {
        Located {
            written: self,
            place,
        }
    }
}

/// A [`Written`] with the place of its field. Printed, `routes.yaml:27 VirtualService shop/cart http[2].match[1]`.
pub(crate) struct Located<'o> {
    written: Written<'o>,
    place: Option<&'o Location>,
}

impl fmt::Display for Located<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Written { author, field } = self.written;
        match self.place {
            Some(place) => fmt_place(place.file.as_deref(), Some(place.line), f)?,
            None => fmt_place(author.file(), author.line, f)?,
        }
        write!(f, "{} {} {field}", author.kind, author.resource)
    }
}

/// A route, or one match of it, below the `spec` of its resource. Printed, `http[2].match[1]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RouteField {
    list: RouteList,
    index: usize,
    matched: Option<u32>,
}

impl RouteField {
    /// The path from the root of the resource: `spec.http[2].match[1]`.
    pub fn path(&self) -> FieldPath {
        let (list, matches) = self.list.fields();
        let mut path = FieldPath::root();
        path.push_field("spec");
        if list.is_empty() {
            return path;
        }
        path.push_field(list);
        path.push_index(self.index);
        if let Some(matched) = self.matched {
            path.push_field(matches);
            path.push_index(matched as usize);
        }
        path
    }
}

impl fmt::Display for RouteField {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (list, matches) = self.list.fields();
        if list.is_empty() {
            return f.write_str("spec");
        }
        write!(f, "{list}[{}]", self.index)?;
        match self.matched {
            Some(matched) => write!(f, ".{matches}[{matched}]"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn author(name: &str) -> Arc<Author> {
        let resource = ResourceName::new("shop", name);
        let nowhere = SourceDocument::default();
        Arc::new(Author::new("VirtualService", resource, &nowhere))
    }

    #[test]
    fn a_rule_of_a_delegate_names_itself_and_what_delegates_to_it() {
        let route = Arc::new(RouteOrigin {
            author: author("leaf"),
            list: RouteList::Http,
            index: 2,
            root: Some((author("root"), 0)),
            made: None,
        });
        let matched = MatchIndex {
            own: None,
            root: Some(1),
        };
        let origin = Origin::new(&route, matched);
        assert_eq!(
            origin.to_string(),
            "VirtualService shop/leaf http[2], delegated by VirtualService shop/root http[0].match[1]"
        );
        assert_eq!(origin.root().resource().to_string(), "shop/root");
        let by = origin.delegated_by().expect("a root");
        assert_eq!(by.field().path().to_string(), "spec.http[0].match[1]");
    }

    /// A rule has one, and there may be millions.
    #[test]
    fn an_origin_is_three_words() {
        assert!(size_of::<Option<Origin>>() <= 24);
    }
}
