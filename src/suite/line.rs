//! The request of a test: `GET shop.example.com/cart x-user=jane via mesh from shop`.

/// A request as it is written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Line {
    pub method: String,
    pub url: String,
    pub headers: Vec<(String, String)>,
    pub via: Option<String>,
}

impl Line {
    pub(super) fn read(text: &str) -> Result<Self, String> {
        let mut words = words(text)?.into_iter().peekable();
        let method = words.next().unwrap_or_default();
        let is_method =
            !method.is_empty() && method.bytes().all(|b| b.is_ascii_uppercase() || b == b'-');
        if !is_method {
            return Err("a request begins with a method: `GET host/path`".to_owned());
        }
        let url = words.next().ok_or("a request has a URL: `GET host/path`")?;
        let url = match url.contains("://") {
            true => url,
            false => format!("http://{url}"),
        };
        let mut line = Line {
            method,
            url,
            ..Line::default()
        };
        while let Some(word) = words.next() {
            if word == "via" {
                let rest: Vec<String> = words.by_ref().collect();
                if rest.is_empty() {
                    return Err(
                        "`via` is followed by a Gateway, `mesh` or `mesh from NAMESPACE`"
                            .to_owned(),
                    );
                }
                line.via = Some(rest.join(" "));
                break;
            }
            let (name, value) = word
                .split_once('=')
                .ok_or_else(|| format!("`{word}` is no header: write `name=value`"))?;
            line.headers.push((name.to_owned(), value.to_owned()));
        }
        Ok(line)
    }

    /// Host and port of the URL.
    pub(super) fn authority(&self) -> (&str, u16) {
        let (scheme, rest) = self.url.split_once("://").unwrap_or(("http", &self.url));
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        let host = crate::terms::host::without_port(authority);
        let port = authority
            .get(host.len() + 1..)
            .and_then(|port| port.parse().ok());
        (
            authority,
            port.unwrap_or(if scheme == "https" { 443 } else { 80 }),
        )
    }
}

/// Words, where `'...'` holds what may have spaces.
fn words(text: &str) -> Result<Vec<String>, String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut is_quoted = false;
    let mut is_word = false;
    for character in text.chars() {
        match character {
            '\'' => {
                is_quoted = !is_quoted;
                is_word = true;
            }
            character if character.is_whitespace() && !is_quoted => {
                if is_word {
                    words.push(std::mem::take(&mut word));
                }
                is_word = false;
            }
            character => {
                word.push(character);
                is_word = true;
            }
        }
    }
    if is_quoted {
        return Err("a `'` is not closed".to_owned());
    }
    if is_word {
        words.push(word);
    }
    Ok(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_method_url_headers_and_view() {
        let line =
            Line::read("GET a.test:8080/x?y=1 x-user=jane cookie='a=1; b' via mesh from shop")
                .expect("a line");
        assert_eq!(line.url, "http://a.test:8080/x?y=1");
        assert_eq!(line.authority(), ("a.test:8080", 8080));
        let headers = [("x-user", "jane"), ("cookie", "a=1; b")];
        let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(line.headers, headers);
        assert_eq!(line.via.as_deref(), Some("mesh from shop"));
        assert_eq!(
            Line::read("POST https://a/").expect("a line").authority(),
            ("a", 443)
        );
        for wrong in [
            "",
            "get a/",
            "GET",
            "GET a/ header",
            "GET a/ via",
            "GET a/ x='y",
        ] {
            assert!(Line::read(wrong).is_err(), "{wrong}");
        }
    }
}
