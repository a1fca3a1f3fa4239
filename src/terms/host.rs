//! Host names and host patterns as Istio compares them: byte-exact, case-sensitive, `*` first (R-M-001..R-M-008).
//!
//! Lower-casing happens only where a virtual host is emitted (R-M-004); these functions never fold case.

use std::cmp::Ordering;
use std::net::IpAddr;

/// Whether `host` is a wildcard pattern: its first byte is `*` (R-M-001).
pub fn is_wildcard(host: &str) -> bool {
    host.starts_with('*')
}

/// Whether some host fits both patterns (Istio: `host.Name.Matches`, R-M-002). Symmetric.
pub fn overlaps(a: &str, b: &str) -> bool {
    match (a.strip_prefix('*'), b.strip_prefix('*')) {
        (None, None) => a == b,
        (Some(tail), None) => b.ends_with(tail),
        (None, Some(tail)) => a.ends_with(tail),
        (Some(x), Some(y)) => x.ends_with(y) || y.ends_with(x),
    }
}

/// Whether every host that fits `a` fits `b` (Istio: `host.Name.SubsetOf`, R-M-003).
pub fn is_subset_of(a: &str, b: &str) -> bool {
    match (a.strip_prefix('*'), b.strip_prefix('*')) {
        (None, None) => a == b,
        (Some(_), None) => false,
        (None, Some(tail)) => a.ends_with(tail),
        (Some(x), Some(y)) => x.ends_with(y),
    }
}

/// How closely `pattern` (a name, `*suffix` or `*`) fits a host, whatever the ASCII case, as Envoy compares domains and
/// server names: a name most, then the longest suffix, then `*`, which fits everything; `None`: not at all. A suffix leaves
/// at least one byte for the `*` (R-H-077, R-H-078, R-M-068).
pub(crate) fn fit(pattern: &str, host: &str) -> Option<u32> {
    match pattern.strip_prefix('*') {
        Some("") => Some(0),
        None => pattern.eq_ignore_ascii_case(host).then_some(u32::MAX - 1),
        Some(suffix) => {
            let cut = host
                .len()
                .checked_sub(suffix.len())
                .filter(|&cut| cut > 0)?;
            let tail = host.get(cut..)?;
            tail.eq_ignore_ascii_case(suffix)
                .then_some(suffix.len() as u32)
        }
    }
}

/// Orders the more specific pattern first: exact before wildcard, longer before shorter, then byte order (R-M-005).
pub fn by_specificity(a: &str, b: &str) -> Ordering {
    is_wildcard(a)
        .cmp(&is_wildcard(b))
        .then_with(|| b.len().cmp(&a.len()))
        .then_with(|| a.cmp(b))
}

/// The narrower of each overlapping pair, in the order of `hosts` then `others`, without repeats (R-M-006).
pub fn intersection<'a>(hosts: &[&'a str], others: &[&'a str]) -> Vec<&'a str> {
    let mut out: Vec<&'a str> = Vec::new();
    for host in hosts {
        for other in others {
            let narrower = if is_subset_of(host, other) {
                host
            } else if is_subset_of(other, host) {
                other
            } else {
                continue;
            };
            if !out.contains(narrower) {
                out.push(narrower);
            }
        }
    }
    out
}

/// Completes a short name: no dot, not empty, not `*`, not an IP address: `<host>.<namespace>.svc.<domain>` (R-M-008).
pub fn resolve_short_name(host: &str, namespace: &str, domain: &str) -> String {
    if host.is_empty() || host == "*" || host.contains('.') || host.parse::<IpAddr>().is_ok() {
        return host.to_owned();
    }
    let mut out = String::with_capacity(host.len() + namespace.len() + domain.len() + 6);
    out.push_str(host);
    if !namespace.is_empty() {
        out.push('.');
        out.push_str(namespace);
    }
    if !domain.is_empty() {
        out.push_str(".svc.");
        out.push_str(domain);
    }
    out
}

/// The namespace in `<name>.<namespace>.svc.<domain>`; empty for another host.
pub fn namespace_of<'h>(host: &'h str, domain: &str) -> &'h str {
    host.strip_suffix(domain)
        .and_then(|host| host.strip_suffix(".svc."))
        .and_then(|host| host.rsplit_once('.'))
        .map_or("", |(_, namespace)| namespace)
}

/// The host without its port: cut at the last `:` unless that lies inside `[...]`. The port text is not looked at
/// (R-H-076). O(n), borrows.
pub fn without_port(authority: &str) -> &str {
    match authority.rfind(':') {
        Some(colon) if !authority[colon..].contains(']') => &authority[..colon],
        _ => authority,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r_m_002_overlap_vectors() {
        assert!(overlaps("*.com", "foo.com"));
        assert!(!overlaps("*.foo.com", "foo.com"));
        assert!(overlaps("*", "anything"));
        assert!(overlaps("*foo.com", "barfoo.com"));
        assert!(overlaps("*.b.com", "*.com"));
    }

    #[test]
    fn r_m_003_subset_is_not_symmetric() {
        assert!(is_subset_of("a.com", "*.com"));
        assert!(!is_subset_of("*.com", "a.com"));
        assert!(is_subset_of("*.a.com", "*.com"));
        assert!(!is_subset_of("*.com", "*.a.com"));
        assert!(is_subset_of("*", "*"));
    }

    #[test]
    fn r_m_006_intersection_keeps_the_narrower_in_order() {
        assert_eq!(
            intersection(&["*.foo.com", "b"], &["*", "b"]),
            ["*.foo.com", "b"]
        );
        assert_eq!(intersection(&["*"], &["a.com"]), ["a.com"]);
        assert!(intersection(&["a.com"], &["b.com"]).is_empty());
    }

    #[test]
    fn r_m_008_short_names() {
        let resolve = |host| resolve_short_name(host, "default", "cluster.local");
        assert_eq!(resolve("reviews"), "reviews.default.svc.cluster.local");
        assert_eq!(resolve("reviews.prod"), "reviews.prod");
        assert_eq!(resolve("::1"), "::1");
        assert_eq!(resolve("*-a"), "*-a.default.svc.cluster.local");
        assert_eq!(resolve("*"), "*");
    }

    #[test]
    fn r_h_076_port_is_cut_at_the_last_colon_outside_brackets() {
        assert_eq!(without_port("Foo.com:8443"), "Foo.com");
        assert_eq!(without_port("[::1]:80"), "[::1]");
        assert_eq!(without_port("[::1]"), "[::1]");
        assert_eq!(without_port("foo:bar"), "foo");
    }
}
