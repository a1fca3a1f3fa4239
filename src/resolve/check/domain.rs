//! Domain names as Istio accepts them in hosts (R-M-142): labels of letters, digits and inner `-`, either case; a wildcard
//! only as the first label.

use super::Verdict;

const MAX_DOMAIN: usize = 255;
const MAX_LABEL: usize = 63;

/// Whether `text` is one label of a domain name. Upper case is allowed (Istio: `labels.IsDNS1123Label`).
pub(crate) fn is_label(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.len() <= MAX_LABEL
        && bytes.first().is_some_and(u8::is_ascii_alphanumeric)
        && bytes.last().is_some_and(u8::is_ascii_alphanumeric)
        && bytes
            .iter()
            .all(|b| b.is_ascii_alphanumeric() || *b == b'-')
}

/// Whether `text` may be the first label of a pattern: a label, `*`, `*label` or `*-label`.
fn is_wildcard_label(text: &str) -> bool {
    let rest = text.strip_prefix('*').unwrap_or(text);
    let rest = match text.starts_with('*') {
        true => rest.strip_prefix('-').unwrap_or(rest),
        false => rest,
    };
    text == "*" || (text.len() <= MAX_LABEL && is_label(rest))
}

/// A fully qualified name without wildcards; a trailing dot is allowed.
pub(crate) fn fqdn(text: &str) -> Verdict {
    length(text)?;
    all_labels(text, text)
}

/// A name that may start with a wildcard: `*`, `*.example.com`, `*-x.example.com`.
pub(crate) fn wildcard_domain(text: &str) -> Verdict {
    length(text)?;
    let (first, rest) = match text.split_once('.') {
        Some((first, rest)) => (first, Some(rest)),
        None => (text, None),
    };
    if !is_wildcard_label(first) {
        return Err(format!(
            "domain name `{text}` has the invalid label `{first}`"
        ));
    }
    rest.map_or(Ok(()), |rest| all_labels(text, rest))
}

/// A host of a VirtualService that is bound to gateways only: a wildcard domain, or, in one that matches server names
/// (`has_sni`), a name that istiod generates for a cluster: `outbound_.80_._.reviews.example.com` (R-M-152).
pub(crate) fn gateway_bound_host(text: &str, has_sni: bool) -> Verdict {
    length(text)?;
    if !has_sni || !text.starts_with("outbound_") {
        return wildcard_domain(text);
    }
    let parts: Vec<&str> = text.split('_').map(|part| part.trim_matches('.')).collect();
    let shape_is_right = match parts[..] {
        ["outbound", port, _, host] => {
            port.bytes().any(|b| b.is_ascii_digit())
                && host.bytes().any(|b| b.is_ascii_alphabetic())
        }
        _ => false,
    };
    if shape_is_right {
        Ok(())
    } else {
        Err(format!(
            "domain name `{text}` does not have the form `outbound_.<port>_.<subset>_.<host>`"
        ))
    }
}

fn length(text: &str) -> Verdict {
    if text.is_empty() {
        Err("a domain name cannot be empty".to_owned())
    } else if text.len() > MAX_DOMAIN {
        Err(format!(
            "domain name `{text}` is longer than {MAX_DOMAIN} bytes"
        ))
    } else {
        Ok(())
    }
}

/// Checks the labels of `part`, which is `domain` or its tail.
fn all_labels(domain: &str, part: &str) -> Verdict {
    let top = part.rsplit('.').next().unwrap_or(part);
    if top.parse::<i64>().is_ok() {
        return Err(format!(
            "domain name `{domain}` has the all-numeric top-level domain `{top}`"
        ));
    }
    let relative = part.strip_suffix('.').unwrap_or(part);
    if part == "." || part.is_empty() {
        return Ok(()); // the empty rest of `name.`
    }
    match relative.split('.').find(|label| !is_label(label)) {
        Some(label) => Err(format!(
            "domain name `{domain}` has the invalid label `{label}`"
        )),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r_m_142_names_that_are_accepted() {
        for good in ["a", "a.b", "Foo.COM", "foo.com.", "a-b.c", "x1.y2", "1.a"] {
            assert_eq!(fqdn(good), Ok(()), "{good}");
            assert_eq!(wildcard_domain(good), Ok(()), "{good}");
        }
        for good in ["*", "*.com", "*foo.com", "*-foo.com", "*a", "*-a"] {
            assert_eq!(wildcard_domain(good), Ok(()), "{good}");
            assert!(fqdn(good).is_err(), "{good}");
        }
    }

    #[test]
    fn r_m_142_names_that_are_refused() {
        let long_label = format!("{}.com", "x".repeat(64));
        let long_name = "a.".repeat(130);
        for bad in [
            "",
            ".",
            ".a",
            "a..b",
            "-a.b",
            "a-.b",
            "a_b.c",
            "a.1",
            "a.*.b",
            "a*.b",
            "**.b",
            "*--a.b",
            &long_label,
            &long_name,
        ] {
            assert!(wildcard_domain(bad).is_err(), "{bad}");
        }
        assert!(fqdn("10").is_err());
    }

    #[test]
    fn r_m_152_generated_server_names() {
        assert_eq!(
            gateway_bound_host("outbound_.80_._.e2e.foobar.mesh", true),
            Ok(())
        );
        assert!(gateway_bound_host("outbound_.80_._.e2e.foobar.mesh", false).is_err());
        assert!(gateway_bound_host("outbound_.x_._.e2e.foobar.mesh", true).is_err());
        assert!(gateway_bound_host("outbound_.80_.e2e.foobar.mesh", true).is_err());
    }
}
