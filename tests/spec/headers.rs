//! Header lines, and the operations that a route does on them. Section 10 of istio-http.md.

use super::{Yaml, entries, text, texts};

/// Header lines in order; names in lower case.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Lines(pub Vec<(String, String)>);

impl Lines {
    /// What a matcher of this header looks at: the value of each line by itself. (R-H-097 says that they are joined; the
    /// recordings say otherwise.) `host` is `:authority` (R-H-102).
    pub fn each(&self, name: &str) -> Vec<String> {
        let name = match name.to_ascii_lowercase().as_str() {
            "host" => ":authority".to_owned(),
            other => other.to_owned(),
        };
        let of_name = self.0.iter().filter(|(n, _)| *n == name);
        let values: Vec<String> = of_name.map(|(_, value)| value.clone()).collect();
        // Envoy keeps this one as a single string, to which an empty line adds nothing.
        if name == "user-agent" && values.len() > 1 {
            let filled: Vec<String> = values
                .into_iter()
                .filter(|value| !value.is_empty())
                .collect();
            return vec![filled.join(",")];
        }
        values
    }

    /// The lines of a name as one, `None` if there is no such line.
    pub fn joined(&self, name: &str) -> Option<String> {
        let values = self.each(name);
        (!values.is_empty()).then(|| values.join(","))
    }

    fn remove(&mut self, name: &str) {
        self.0.retain(|(n, _)| *n != name.to_ascii_lowercase());
    }
}

/// What one header parser does, in Envoy's order (R-H-117).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Operations {
    pub remove: Vec<String>,
    pub set: Vec<(String, String)>,
    pub add: Vec<(String, String)>,
}

impl Operations {
    /// R-H-116, R-H-118: one level's operations, keys sorted, without pseudo headers and host.
    pub fn read(headers: &Yaml, side: &str) -> Operations {
        let ordinary = |name: &str| !name.starts_with(':') && !name.eq_ignore_ascii_case("host");
        let pairs = |field: &str| {
            entries(&headers[side], field)
                .into_iter()
                .filter(|(name, _)| ordinary(name))
                .map(|(name, value)| {
                    (
                        name.to_ascii_lowercase(),
                        value.as_str().unwrap_or("").to_owned(),
                    )
                })
                .collect()
        };
        let mut remove = texts(&headers[side], "remove");
        remove.retain(|name| ordinary(name));
        Operations {
            remove,
            set: pairs("set"),
            add: pairs("add"),
        }
    }

    /// R-H-121: two levels as one parser.
    pub fn then(mut self, other: Operations) -> Operations {
        self.remove.extend(other.remove);
        self.set.extend(other.set);
        self.add.extend(other.add);
        self
    }

    /// R-H-117, R-H-119: removes, then sets, then adds; an empty value does nothing. `request` is what format strings
    /// of a response read; those of a request read the lines as they are after the removals.
    pub fn apply(&self, lines: &mut Lines, request: Option<&Lines>) {
        for name in &self.remove {
            lines.remove(name);
        }
        let before = request.unwrap_or(lines).clone();
        for (name, format) in &self.set {
            let value = formatted(format, &before);
            if !value.is_empty() {
                lines.remove(name);
                lines.0.push((name.clone(), value));
            }
        }
        for (name, format) in &self.add {
            let value = formatted(format, &before);
            if !value.is_empty() {
                lines.0.push((name.clone(), value));
            }
        }
    }
}

/// R-H-120: `%REQ(name?alternative)%`, `%RESP(name)%`, `%%`, and commands whose value stands among the lines, as `%NAME`. Any
/// other command is unknown to this specification and yields nothing.
pub fn formatted(format: &str, request: &Lines) -> String {
    let mut out = String::new();
    let mut rest = format;
    while let Some(start) = rest.find('%') {
        out.push_str(&rest[..start]);
        let Some(length) = rest[start + 1..].find('%') else {
            break;
        };
        let command = &rest[start + 1..start + 1 + length];
        let argument = |names: [&str; 2]| {
            let (name, argument) = command.strip_suffix(')')?.split_once('(')?;
            names.contains(&name).then(|| argument.to_owned())
        };
        // Envoy's command reads the first line only.
        let first = |name: &str| request.each(name).first().cloned();
        let either = |names: &str, begin: &str| {
            let named = |name: &str| first(&format!("{begin}{name}"));
            names.split('?').find_map(named).unwrap_or_default()
        };
        if command.is_empty() {
            out.push('%');
        } else if let Some(names) = argument(["REQ", "REQUEST_HEADER"]) {
            out.push_str(&either(&names, ""));
        } else if let Some(names) = argument(["RESP", "RESPONSE_HEADER"]) {
            out.push_str(&either(&names, ":response-"));
        } else {
            out.push_str(&first(&format!(":%{command}")).unwrap_or_default());
        }
        rest = &rest[start + length + 2..];
    }
    out + rest
}

/// R-H-118: the Host rewrite among one level's request operations; `set` beats `add`.
pub fn host_rewrite(headers: &Yaml) -> Option<String> {
    let named = |field: &str| {
        entries(&headers["request"], field)
            .into_iter()
            .find(|(name, _)| {
                name.eq_ignore_ascii_case("host") || name.eq_ignore_ascii_case(":authority")
            })
            .and_then(|(_, value)| value.as_str().map(str::to_owned))
    };
    named("set").or_else(|| named("add"))
}

/// The value of a text field, if it is there and not empty.
pub fn non_empty(value: &Yaml, field: &str) -> Option<String> {
    let said = text(value, field);
    (!said.is_empty()).then(|| said.to_owned())
}
