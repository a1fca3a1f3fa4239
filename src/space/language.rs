//! Which texts a test can be asked of at all: the normal forms of paths, the values of headers and parameters. All are ASCII.

use crate::terms::path_normalization::PathHandling;

/// The texts that stand in one place of a request, as an automaton over bytes below 128.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Language {
    /// Paths as they come out of normalisation (R-H-069, R-H-070).
    Path(PathHandling),
    /// Values of header lines and claims: neither control bytes nor blanks around them.
    Value,
    /// Values of query parameters.
    Parameter,
    /// Methods.
    Token,
    /// Hosts with or without a port.
    Authority,
}

/// States of a path.
mod path {
    pub(super) const FIRST_SLASH: u16 = 1;
    pub(super) const TWO_SLASHES: u16 = 2;
    pub(super) const AFTER_SLASH: u16 = 3;
    pub(super) const DOT: u16 = 4;
    pub(super) const TWO_DOTS: u16 = 5;
    pub(super) const WITHIN: u16 = 6;
    pub(super) const PERCENT: u16 = 7;
    /// And the nibble.
    pub(super) const NIBBLE: u16 = 8;
}

impl Language {
    /// Before the first byte.
    pub(super) const START: u16 = 0;
    /// After one more byte; `None`: no text goes on so.
    pub(super) fn next(self, state: u16, byte: u8) -> Option<u16> {
        match self {
            Language::Path(handling) => next_of_path(handling, state, byte),
            Language::Value => match byte {
                b' ' => (state != 0).then_some(2),
                b'!'..=b'~' => Some(1),
                _ => None,
            },
            Language::Parameter => {
                (byte.is_ascii_graphic() && !matches!(byte, b'&' | b'#')).then_some(0)
            }
            Language::Token => {
                let is_token = byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
                is_token.then_some(1)
            }
            Language::Authority => {
                let is_one = byte.is_ascii_alphanumeric() || b"-._:[]".contains(&byte);
                is_one.then_some(1)
            }
        }
    }

    /// Whether a text may end here.
    pub(super) fn accepts(self, state: u16) -> bool {
        match self {
            Language::Path(_) => !matches!(state, Language::START | path::DOT | path::TWO_DOTS),
            Language::Value => state != 2,
            Language::Parameter => true,
            Language::Token | Language::Authority => state == 1,
        }
    }
}

fn next_of_path(handling: PathHandling, state: u16, byte: u8) -> Option<u16> {
    let is_escaped = matches!(
        byte,
        b'"' | b'<' | b'>' | b'^' | b'`' | b'{' | b'|' | b'}' | b'\\'
    );
    if !byte.is_ascii_graphic() || matches!(byte, b'?' | b'#') {
        return None;
    }
    if handling.normalizes && is_escaped {
        return None;
    }
    let nibble = char::from(byte).to_digit(16);
    match state {
        Language::START => return (byte == b'/').then_some(path::FIRST_SLASH),
        // A path of slashes alone keeps two of them.
        path::TWO_SLASHES => return None,
        path::PERCENT => {
            if let Some(nibble) = nibble {
                return Some(path::NIBBLE + nibble as u16);
            }
        }
        path::NIBBLE.. => {
            if let Some(low) = nibble {
                let escaped = (state - path::NIBBLE) as u8 * 16 + low as u8;
                let decoded = handling.decodes() && matches!(escaped, b'/' | b'\\');
                let unreserved = escaped.is_ascii_alphanumeric()
                    || matches!(escaped, b'-' | b'.' | b'_' | b'~' | 0);
                let changes = decoded || handling.normalizes && unreserved;
                return (!changes).then_some(path::WITHIN);
            }
        }
        _ => {}
    }
    let follows_slash = matches!(state, path::FIRST_SLASH | path::AFTER_SLASH);
    match byte {
        b'%' => Some(path::PERCENT),
        b'/' | b';' if matches!(state, path::DOT | path::TWO_DOTS) => None,
        b'/' if handling.merges_slashes && state == path::FIRST_SLASH => Some(path::TWO_SLASHES),
        b'/' if handling.merges_slashes && follows_slash => None,
        b'/' => Some(path::AFTER_SLASH),
        b'.' if handling.normalizes && follows_slash => Some(path::DOT),
        b'.' if state == path::DOT => Some(path::TWO_DOTS),
        _ => Some(path::WITHIN),
    }
}
