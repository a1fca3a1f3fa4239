//! The hosts of two route configurations: each domain of either stands for the hosts that no more specific one claims
//! (R-H-077, R-H-078).

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::sync::Arc;

use super::universe::Authorities;
use crate::router::host_table::HostTable;
use crate::router::{RouteConfig, VirtualHost};
use crate::terms::hash::HashMap;
use crate::terms::host;
use crate::terms::regex::Regex;

/// Hosts that the same two virtual hosts answer for.
pub(super) struct Hosts<'r> {
    /// The domains: of each, the hosts that no more specific domain claims.
    pub(super) domains: Vec<&'r str>,
    /// One host.
    pub(super) sample: String,
    pub(super) before: Option<&'r Arc<VirtualHost>>,
    pub(super) after: Option<&'r Arc<VirtualHost>>,
}

/// All domains of two route configurations.
pub(super) struct Domains<'r> {
    all: Vec<&'r str>,
    table: HostTable,
}

/// More domains below a wildcard are not told apart by conditions on the authority.
const MOST_EXCEPTIONS: usize = 64;

impl<'r> Domains<'r> {
    pub(super) fn new(configs: [Option<&'r RouteConfig>; 2]) -> Self {
        let configs = configs.into_iter().flatten();
        let hosts = configs.flat_map(RouteConfig::virtual_hosts);
        let all: BTreeSet<&'r str> = hosts.flat_map(VirtualHost::domains).collect();
        let all: Vec<&'r str> = all.into_iter().collect();
        let numbered = all.iter().copied().zip(0..);
        Domains {
            table: HostTable::new(numbered.collect::<Vec<_>>()),
            all,
        }
    }

    /// All hosts, those together that the same two virtual hosts answer for; no host that neither claims.
    pub(super) fn groups(&self, configs: [Option<&'r RouteConfig>; 2]) -> Vec<Hosts<'r>> {
        let mut groups: Vec<Hosts<'r>> = Vec::new();
        let mut places: HashMap<[Option<*const VirtualHost>; 2], usize> = HashMap::default();
        for (number, domain) in (0..).zip(&self.all) {
            let Some(sample) = self.sample(number, domain) else {
                continue;
            };
            let [before, after] = configs.map(|config| config?.claimant(&sample));
            let key = [before, after].map(|host| host.map(Arc::as_ptr));
            match places.get(&key) {
                Some(&place) => groups[place].domains.push(domain),
                None => {
                    places.insert(key, groups.len());
                    groups.push(Hosts {
                        domains: vec![domain],
                        sample,
                        before,
                        after,
                    });
                }
            }
        }
        groups
    }

    /// Whether there are hosts that no domain claims.
    pub(super) fn is_open(&self) -> bool {
        !self.all.contains(&"*")
    }

    /// A host of this domain, and of none that is more specific; `None`: there is none that can be asked for.
    pub(super) fn sample(&self, number: u32, domain: &str) -> Option<String> {
        let is_of = |host: &String| self.table.find(host) == Some(number);
        match domain.strip_prefix('*') {
            None => [domain.to_owned(), format!("{domain}:80")]
                .into_iter()
                .find(is_of),
            Some("") => {
                let mut names = (0..1000).map(|n| format!("any{n}.invalid"));
                names.find(is_of)
            }
            Some(suffix) => {
                let short = (b'a'..=b'z').map(|first| format!("{}{suffix}", char::from(first)));
                let long = (0..1000).map(|n| format!("any{n}{suffix}"));
                let mut names = [format!("any{suffix}")]
                    .into_iter()
                    .chain(short)
                    .chain(long);
                names.find(is_of)
            }
        }
    }

    /// The authorities of the hosts of a domain, with and without a port.
    pub(super) fn authorities(&self, domain: &str) -> Authorities {
        let mut authorities = Authorities::default();
        let pattern = |domain: &str| {
            let mut pattern = String::from("(?i)");
            let text = domain.strip_prefix('*');
            if text.is_some() {
                pattern.push_str("[^:]+");
            }
            for byte in text.unwrap_or(domain).chars() {
                match byte.is_ascii_alphanumeric() {
                    true => pattern.push(byte),
                    false => {
                        let _ = write!(pattern, "\\x{{{:x}}}", u32::from(byte));
                    }
                }
            }
            pattern.push_str("(:[0-9]{1,5})?");
            Regex::new(&pattern).ok()
        };
        let is_below = |other: &&&str| {
            **other != domain && host::is_wildcard(domain) && host::is_subset_of(other, domain)
        };
        let below = self.all.iter().filter(is_below);
        let below: Vec<Option<Regex>> = below
            .take(MOST_EXCEPTIONS + 1)
            .map(|other| pattern(other))
            .collect();
        let own = pattern(domain);
        authorities.is_too_much =
            below.len() > MOST_EXCEPTIONS || own.is_none() || below.iter().any(Option::is_none);
        authorities.within.extend(own);
        authorities.without.extend(below.into_iter().flatten());
        authorities
    }
}
