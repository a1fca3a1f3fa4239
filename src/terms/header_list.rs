//! Header lines in order: what a decision is applied to when there is no other header type at hand.

/// Header lines in order. Names are kept in lower case; a name may have several lines.
///
/// ```
/// # use meshroute::terms::header_list::HeaderList;
/// let mut headers: HeaderList = [("X-A", "1"), ("x-a", "2"), ("x-b", "3")].into_iter().collect();
/// headers.set("x-b", "4");
/// assert_eq!(headers.joined("x-a").as_deref(), Some(&b"1,2"[..]));
/// assert_eq!(headers.get("X-B"), Some(&b"4"[..]));
/// ```
#[derive(Clone, Default, PartialEq, Eq)]
pub struct HeaderList {
    lines: Vec<(Box<str>, Box<[u8]>)>,
}

short_debug! { HeaderList {lines} }

impl HeaderList {
    /// No lines.
    pub fn new() -> Self {
        Self::default()
    }

    /// The first value of `name`.
    pub fn get(&self, name: &str) -> Option<&[u8]> {
        self.values(name).next()
    }

    /// Every value of `name`, in order.
    pub fn values(&self, name: &str) -> impl Iterator<Item = &[u8]> {
        self.lines
            .iter()
            .filter(move |(other, _)| other.eq_ignore_ascii_case(name))
            .map(|(_, value)| &**value)
    }

    /// The values of `name` joined with `,`.
    pub fn joined(&self, name: &str) -> Option<Vec<u8>> {
        let values: Vec<&[u8]> = self.values(name).collect();
        (!values.is_empty()).then(|| values.join(&b','))
    }

    /// Whether there is a line of this name.
    pub fn contains(&self, name: &str) -> bool {
        self.values(name).next().is_some()
    }

    /// One line of this name, in place of all that were there.
    pub fn set(&mut self, name: &str, value: impl AsRef<[u8]>) {
        self.remove(name);
        self.append(name, value);
    }

    /// One more line.
    pub fn append(&mut self, name: &str, value: impl AsRef<[u8]>) {
        let name = name.to_ascii_lowercase().into();
        self.lines.push((name, value.as_ref().into()));
    }

    /// No line of this name any more.
    pub fn remove(&mut self, name: &str) {
        self.lines
            .retain(|(other, _)| !other.eq_ignore_ascii_case(name));
    }

    /// Names and values, in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &[u8])> {
        self.lines.iter().map(|(name, value)| (&**name, &**value))
    }

    /// Number of lines.
    pub fn len(&self) -> usize {
        self.lines.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }
}

impl<N: AsRef<str>, V: AsRef<[u8]>> FromIterator<(N, V)> for HeaderList {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(lines: I) -> Self {
        let mut list = HeaderList::new();
        for (name, value) in lines {
            list.append(name.as_ref(), value);
        }
        list
    }
}
