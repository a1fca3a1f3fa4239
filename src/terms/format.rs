//! Envoy's format strings for header values: `%REQ(x-env)%`, `%%`, ... parsed once (R-H-120).

/// A header value to be written: literal text and commands.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct HeaderFormat {
    source: Box<str>,
    parts: Box<[FormatPart]>,
}

/// One piece of a [`HeaderFormat`].
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FormatPart {
    /// Text as it is.
    Literal(Box<str>),
    /// `%REQ(name?alternative):length%`: a request header before any change.
    RequestHeader {
        /// Lower-case name.
        name: Box<str>,
        /// Looked up where `name` is absent.
        alternative: Option<Box<str>>,
        /// Longest value in bytes.
        max_length: Option<usize>,
    },
    /// Any other command: only the embedder knows its value; see `Decision::apply`.
    Command(Box<str>),
}

impl HeaderFormat {
    /// Parses `source`.
    ///
    /// # Errors
    /// A `%` that neither opens a well-formed command nor is doubled; the text says where.
    pub fn parse(source: &str) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut literal = String::new();
        let mut rest = source;
        while let Some(at) = rest.find('%') {
            literal.push_str(&rest[..at]);
            let after = &rest[at + 1..];
            if let Some(tail) = after.strip_prefix('%') {
                literal.push('%');
                rest = tail;
                continue;
            }
            let offset = source.len() - after.len();
            let (command, tail) = split_command(after).ok_or_else(|| {
                format!("`%` at byte {offset} opens no command; write `%%` for a percent sign")
            })?;
            if !literal.is_empty() {
                parts.push(FormatPart::Literal(std::mem::take(&mut literal).into()));
            }
            parts.push(parse_command(command));
            rest = tail;
        }
        literal.push_str(rest);
        if !literal.is_empty() {
            parts.push(FormatPart::Literal(literal.into()));
        }
        Ok(HeaderFormat {
            source: source.into(),
            parts: parts.into(),
        })
    }

    /// The text as written.
    pub fn as_str(&self) -> &str {
        &self.source
    }

    /// Its pieces in order.
    pub fn parts(&self) -> &[FormatPart] {
        &self.parts
    }
}

/// Cuts `NAME(args):len%` at its closing percent sign; arguments may hold percent signs.
fn split_command(text: &str) -> Option<(&str, &str)> {
    let name = text
        .find(|c: char| !(c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_'))
        .filter(|&end| end > 0)?;
    let mut end = name;
    if text[end..].starts_with('(') {
        end += text[end..].find(')')? + 1;
    }
    if text[end..].starts_with(':') {
        let digits = text[end + 1..]
            .find(|c: char| !c.is_ascii_digit())
            .filter(|&n| n > 0)?;
        end += 1 + digits;
    }
    text[end..]
        .strip_prefix('%')
        .map(|tail| (&text[..end], tail))
}

fn parse_command(command: &str) -> FormatPart {
    let header = command
        .strip_prefix("REQ(")
        .and_then(|rest| rest.split_once(')'));
    let Some((argument, length)) = header else {
        return FormatPart::Command(command.into());
    };
    let (name, alternative) = match argument.split_once('?') {
        Some((name, alternative)) => (name, Some(alternative.to_ascii_lowercase().into())),
        None => (argument, None),
    };
    FormatPart::RequestHeader {
        name: name.to_ascii_lowercase().into(),
        alternative,
        max_length: length.strip_prefix(':').and_then(|n| n.parse().ok()),
    }
}
