//! The domains under which a service answers in a sidecar's virtual hosts (R-H-047..R-H-051).

use std::net::IpAddr;

use crate::mesh::service::{Registry, Resolution, Service};
use crate::terms::subnet;

/// Domains of one virtual host before duplicates are removed, in the order in which Istio emits them; true: a derived
/// short form, which gives way to another service's real name (R-H-051).
pub(super) type Domains = Vec<(String, bool)>;

/// `host:port` as virtual hosts are named; IPv6 addresses in brackets.
pub(super) fn domain_name(host: &str, port: u16) -> String {
    match host.parse::<IpAddr>() {
        Ok(IpAddr::V6(address)) => format!("[{address}]:{port}"),
        _ => format!("{host}:{port}"),
    }
}

/// A VirtualService host that no service has, as a domain: lower case, IPv6 in brackets (R-H-050).
pub(super) fn unregistered(host: &str) -> String {
    match host.parse::<IpAddr>() {
        Ok(IpAddr::V6(address)) => format!("[{address}]"),
        _ => host.to_ascii_lowercase(),
    }
}

/// Every name of `service` for a proxy whose DNS search domain is `proxy_domain`. With `port` (only an `HTTP_PROXY`
/// listener asks for that, R-H-054), each name also stands with its port behind it; on a port other than 80 only so.
pub(super) fn of_service(
    service: &Service,
    aliases: &[&str],
    proxy_domain: &str,
    port: Option<u16>,
) -> Domains {
    let headless =
        service.resolution == Resolution::Passthrough && service.registry == Registry::Kubernetes;
    let names = std::iter::once(&*service.hostname).chain(aliases.iter().copied());
    let mut out = of_names(names, headless, proxy_domain, port);
    for address in &service.addresses {
        if address.addr().is_unspecified() {
            continue;
        }
        let text = match (address.addr(), subnet::is_single(address)) {
            (IpAddr::V6(ip), true) => format!("[{ip}]"),
            (ip, true) => ip.to_string(),
            (_, false) => address.to_string(),
        };
        with_port(&text, false, port, &mut out);
    }
    // What merges the ports of such a listener looks for a colon, which an IPv6 address has anyway.
    if port.is_some_and(|port| port != 80) {
        out.retain(|(domain, _)| domain.contains(':'));
    }
    out
}

/// The domains of these names; those of a headless service get a wildcard each (R-H-049).
fn of_names<'a>(
    names: impl Iterator<Item = &'a str>,
    headless: bool,
    proxy_domain: &str,
    port: Option<u16>,
) -> Domains {
    let mut out = Domains::new();
    for name in names {
        if let Ok(IpAddr::V6(_)) = name.parse() {
            with_port(&format!("[{name}]"), false, port, &mut out);
            continue;
        }
        with_port(name, false, port, &mut out);
        with_port(&format!("{name}."), false, port, &mut out);
        for short in short_forms(name, proxy_domain) {
            with_port(&short, true, port, &mut out);
        }
    }
    if headless {
        for index in 0..out.len() {
            let wildcard = format!("*.{}", out[index].0);
            out.push((wildcard, false));
        }
    }
    out
}

/// A name, and where a listener has all ports, the name with its port.
fn with_port(name: &str, is_derived: bool, port: Option<u16>, out: &mut Domains) {
    out.push((name.to_owned(), is_derived));
    if let Some(port) = port {
        out.push((format!("{name}:{port}"), is_derived));
    }
}

/// Short forms of `hostname` for a proxy with this DNS search domain (R-H-048).
pub(super) fn short_forms(hostname: &str, proxy_domain: &str) -> Vec<String> {
    let Some(at) = proxy_domain.find(".svc.") else {
        return shared_suffix_forms(hostname, proxy_domain);
    };
    let (proxy_namespace, cluster) = proxy_domain.split_at(at);
    // Only services of the proxy's own cluster domain have short forms.
    let Some(svc) = hostname.strip_suffix(cluster).map(str::len) else {
        return Vec::new();
    };
    let Some(dot) = hostname.find('.').filter(|&dot| dot < svc) else {
        return Vec::new();
    };
    let (name, qualified) = (&hostname[..dot], &hostname[..svc]);
    if &hostname[dot + 1..svc] == proxy_namespace {
        vec![
            name.to_owned(),
            format!("{qualified}.svc"),
            qualified.to_owned(),
        ]
    } else {
        vec![qualified.to_owned(), format!("{qualified}.svc")]
    }
}

/// Short forms where the proxy's domain is not a Kubernetes one: what is left of `hostname` without the labels that
/// both share at their end.
fn shared_suffix_forms(hostname: &str, proxy_domain: &str) -> Vec<String> {
    let host: Vec<&str> = hostname.split('.').collect();
    let shared = host
        .iter()
        .rev()
        .zip(proxy_domain.rsplit('.'))
        .take_while(|(label, other)| *label == other)
        .count();
    if shared == 0 || shared == host.len() {
        return Vec::new();
    }
    let unique = &host[..host.len() - shared];
    let mut forms = vec![unique.join(".")];
    if unique.len() == 2 {
        forms.push(format!(
            "{}.{}",
            unique.join("."),
            host[host.len() - shared]
        ));
    }
    forms
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r_h_048_same_namespace_has_three_short_forms() {
        assert_eq!(
            short_forms("a.ns.svc.cluster.local", "ns.svc.cluster.local"),
            ["a", "a.ns.svc", "a.ns"]
        );
        assert_eq!(
            short_forms("a.other.svc.cluster.local", "ns.svc.cluster.local"),
            ["a.other", "a.other.svc"]
        );
        assert!(short_forms("example.com", "ns.svc.cluster.local").is_empty());
    }

    /// Istio's own cases. Those with addresses per cluster are about istiod's registry.
    #[cfg(feature = "yaml")]
    #[test]
    fn r_h_047_istios_cases_of_domains() {
        let Some(file) = crate::beside::find("peer-cases/units/virtual-host-domains.yaml") else {
            return;
        };
        let text = std::fs::read_to_string(file).expect("a file");
        let cases: serde_json::Value = serde_yaml::from_str(&text).expect("YAML");
        let mut run = 0;
        for case in cases["cases"].as_array().expect("a list") {
            let service = &case["service"];
            if !service["cluster_vips"].is_null() {
                continue;
            }
            let hostname = service["hostname"].as_str().expect("a name");
            let headless = service["resolution"].as_str() == Some("model.Passthrough");
            let domain = case["proxy_dns_domain"].as_str().expect("a domain");
            let got = of_names(std::iter::once(hostname), headless, domain, None);
            let got: Vec<&str> = got.iter().map(|(domain, _)| domain.as_str()).collect();
            let want = case["want"].as_array().expect("a list").iter();
            let want: Vec<&str> = want.filter_map(|value| value.as_str()).collect();
            assert_eq!(got, want, "{}", case["name"]);
            run += 1;
        }
        assert_eq!(run, 11);
    }

    #[test]
    fn r_h_048_shared_suffix_without_kubernetes_domain() {
        assert_eq!(
            shared_suffix_forms("a.b.example.org", "default.example.org"),
            ["a.b", "a.b.example"]
        );
        assert!(shared_suffix_forms("foo.com", "default.example.org").is_empty());
    }
}
