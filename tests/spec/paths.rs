//! What is done to a path before anything is matched on it. Section 5 of istio-http.md.

use super::text;
use super::world::World;

/// R-H-082: the path without its query.
pub fn without_query(target: &str) -> &str {
    target.split(['?', '#']).next().unwrap_or("")
}

/// The query with its `?`, or "".
pub fn query(target: &str) -> &str {
    &target[without_query(target).len()..]
}

/// What is done to paths: MeshConfig's `pathNormalization`, and what `connectionSettings` say instead (R-H-069, R-H-150).
pub struct Handling {
    normalizes: bool,
    merges: bool,
    /// `KEEP_UNCHANGED`, `REJECT_REQUEST`, `UNESCAPE_AND_REDIRECT` or `UNESCAPE_AND_FORWARD`.
    escaped: String,
}

impl Handling {
    pub fn read(world: &World) -> Handling {
        let mode = text(&world.mesh["pathNormalization"], "normalization");
        let decodes = mode == "DECODE_AND_MERGE_SLASHES";
        let settings = &world.mesh["defaultConfig"]["connectionSettings"];
        let advised = world.proxy.gateway && text(settings, "profile") == "EDGE";
        let by_mode = if decodes {
            "UNESCAPE_AND_FORWARD"
        } else {
            "KEEP_UNCHANGED"
        };
        let escaped = match text(settings, "httpPathWithEscapedSlashesAction") {
            "" | "PATH_WITH_ESCAPED_SLASHES_UNSPECIFIED" if advised => "UNESCAPE_AND_REDIRECT",
            "" | "PATH_WITH_ESCAPED_SLASHES_UNSPECIFIED" => by_mode,
            said => said,
        };
        let said = settings["httpMergeSlashes"].as_bool();
        Handling {
            normalizes: mode != "NONE",
            merges: said.unwrap_or(advised || decodes || mode == "MERGE_SLASHES"),
            escaped: escaped.to_owned(),
        }
    }
}

/// R-H-069, R-H-070: the request target as Envoy matches and forwards it, and whether the client is to ask for it instead;
/// `None` is answered with 400.
pub fn normalised(target: &str, handling: &Handling) -> Option<(String, bool)> {
    if target.contains('#') {
        return None; // R-H-072
    }
    let (mut path, query) = (without_query(target).to_owned(), query(target));
    let mut found = false;
    if handling.escaped != "KEEP_UNCHANGED" {
        for (escape, slash) in [("%2F", "/"), ("%2f", "/"), ("%5C", "\\"), ("%5c", "\\")] {
            found |= path.contains(escape);
            path = path.replace(escape, slash);
        }
    }
    if found && handling.escaped == "REJECT_REQUEST" {
        return None;
    }
    if handling.normalizes {
        path = without_dots(&canonical_characters(&without_dot_parameters(&path))?);
    }
    if handling.merges {
        let segments: Vec<&str> = path
            .split('/')
            .filter(|segment| !segment.is_empty())
            .collect();
        let last = if path.len() > 1 && path.ends_with('/') {
            "/"
        } else {
            ""
        };
        path = format!("/{}{last}", segments.join("/"));
    }
    let redirects = found && handling.escaped == "UNESCAPE_AND_REDIRECT";
    Some((path + query, redirects))
}

/// What follows a `;` in a segment that begins with `.;` or `..;`, as it is written, up to the next `/`.
fn without_dot_parameters(path: &str) -> String {
    let segments = path
        .split('/')
        .map(|segment| match segment.split_once(';') {
            Some((dots @ ("." | ".."), _)) => dots,
            _ => segment,
        });
    segments.collect::<Vec<_>>().join("/")
}

/// Escapes of unreserved characters are decoded, `\` becomes `/`, what may not stand in a path is escaped. A `%` that opened
/// no escape, but would now, is escaped.
fn canonical_characters(path: &str) -> Option<String> {
    const STRAY: char = '\0';
    let decoded: Vec<char> = decoded_characters(path, STRAY)?.chars().collect();
    let mut out = String::new();
    for (at, &c) in decoded.iter().enumerate() {
        let follow = decoded.get(at + 1..at + 3);
        let is_escape = follow.is_some_and(|two| two.iter().all(char::is_ascii_hexdigit));
        match c {
            STRAY if is_escape => out.push_str("%25"),
            STRAY => out.push('%'),
            plain => out.push(plain),
        }
    }
    Some(out)
}

fn decoded_characters(path: &str, stray: char) -> Option<String> {
    let bytes = path.as_bytes();
    let mut out = String::new();
    let mut at = 0;
    while at < bytes.len() {
        let byte = bytes[at];
        let escaped = (byte == b'%')
            .then(|| path.get(at + 1..at + 3))
            .flatten()
            .filter(|hex| hex.bytes().all(|b| b.is_ascii_hexdigit()))
            .and_then(|hex| u8::from_str_radix(hex, 16).ok());
        match escaped {
            Some(0) => return None,
            Some(plain) if plain.is_ascii_alphanumeric() || b"-_~.".contains(&plain) => {
                out.push(plain.into());
                at += 3;
                continue;
            }
            Some(_) => {
                out.push_str(&path[at..at + 3]);
                at += 3;
                continue;
            }
            None => {}
        }
        match byte {
            b'\\' => out.push('/'),
            0 => return None,
            b'%' => out.push(stray),
            1..=0x20 | 0x7f.. | b'"' | b'<' | b'>' | b'^' | b'`' | b'{' | b'|' | b'}' => {
                out.push_str(&format!("%{byte:02X}"));
            }
            plain => out.push(plain.into()),
        }
        at += 1;
    }
    Some(out)
}

/// Resolves `.` and `..`; nothing climbs above `/`.
fn without_dots(path: &str) -> String {
    let Some(rest) = path.strip_prefix('/') else {
        return path.to_owned();
    };
    let mut kept: Vec<&str> = Vec::new();
    let segments: Vec<&str> = rest.split('/').collect();
    for (index, segment) in segments.iter().enumerate() {
        let last = index + 1 == segments.len();
        match *segment {
            "." if last => kept.push(""),
            "." => {}
            ".." => {
                kept.pop();
                if last {
                    kept.push("");
                }
            }
            plain => kept.push(plain),
        }
    }
    format!("/{}", kept.join("/"))
}
