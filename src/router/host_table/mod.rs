//! From an authority as sent to the number of a virtual host (R-H-076..R-H-080).
//!
//! [`HostTable`] is what a route configuration looks its virtual hosts up in:
//!
//! ```
//! # use meshroute::internals::HostTable;
//! let table = HostTable::new([("shop.example.com", 0), ("*.example.com", 1), ("*", 2)]);
//! assert_eq!(table.find("Shop.Example.com:8080"), Some(0));
//! assert_eq!(table.find("a.b.example.com"), Some(1));
//! assert_eq!(table.find("example.com"), Some(2));
//! ```
//! [`SimpleTable`] is the same for the simple door: its record holds the gateways, the split and the destinations too,
//! so that `host:port` to destination is one touch of the index and one of the record.
//!
//! # How
//!
//! Exact names and wildcards stand in separate tables of records (number, key, payload) that are found by hash. The
//! authority is read eight or sixteen bytes at a time: one pass finds port and dots, another folds the case and takes the hash
//! in registers, and the key of the record is compared in the same way, so that nothing is copied. A wildcard
//! is looked for only at suffix lengths (and, for those written `*.x`, label counts) that the table has, longest first.

mod authority;
mod first_fit;
mod packed;
mod run;
mod shard;
mod simple;
mod suffixes;

pub(crate) use simple::GATEWAYS;
pub use simple::{Answer, SimpleEntry, SimpleTable, SimpleTableBuilder, Target};

use authority::Authority;
use packed::{Builder, Change, Packed};
use shard::Record;
use suffixes::Suffixes;

/// From lower-case domains (`name`, `*suffix`, `*`) to numbers. Cheap to clone: the parts are shared.
#[derive(Clone, Default)]
pub struct HostTable {
    exact: Packed,
    wildcards: Packed,
    suffixes: Suffixes,
    any: Option<u32>,
}

impl HostTable {
    /// A table of these domains, in lower case; of equal domains the first counts.
    ///
    /// # Complexity
    ///
    /// Linear; some 100 ns a domain.
    pub fn new<'a>(domains: impl IntoIterator<Item = (&'a str, u32), IntoIter: Clone>) -> Self {
        let domains = domains.into_iter();
        let wildcard_count = domains
            .clone()
            .filter(|(domain, _)| domain.starts_with('*'))
            .count();
        let mut exact = Builder::new(domains.clone().count() - wildcard_count);
        let mut wildcards = Builder::new(wildcard_count);
        let mut suffixes = Suffixes::default();
        let mut any = None;
        for (domain, value) in domains {
            match domain.strip_prefix('*') {
                None => exact.push(domain, Record::number(value)),
                Some("") => any = any.or(Some(value)),
                Some(suffix) => {
                    suffixes.add(suffix);
                    wildcards.push(suffix, Record::number(value));
                }
            }
        }
        HostTable {
            exact: exact.finish(),
            wildcards: wildcards.finish(),
            suffixes,
            any,
        }
    }

    /// The number of the virtual host that answers for an authority, as sent: any case, with or without a port.
    ///
    /// # Complexity
    ///
    /// One probe, and one for each suffix length that the table has and the host could have. No allocation.
    #[inline]
    pub fn find(&self, authority: &str) -> Option<u32> {
        self.find_normal(&Authority::new(authority))
    }

    /// The same for a host of which the port is already cut.
    pub(crate) fn find_host(&self, host: &str) -> Option<u32> {
        self.find_normal(&Authority::without_port(host.as_bytes()))
    }

    #[inline]
    fn find_normal(&self, authority: &Authority<'_>) -> Option<u32> {
        if let Some(record) = self.exact.find(authority.host(), shard::ALL) {
            return Some(record.value);
        }
        self.find_wildcard(authority).or(self.any)
    }

    /// The number of this very domain: a name, `*suffix` or `*`, in lower case.
    pub fn get(&self, domain: &str) -> Option<u32> {
        let (table, key) = match domain.strip_prefix('*') {
            Some("") => return self.any,
            Some(suffix) => (&self.wildcards, suffix),
            None => (&self.exact, domain),
        };
        let found = table.find(key.as_bytes(), shard::ALL);
        found.map(|record| record.value)
    }

    #[inline]
    fn find_wildcard(&self, authority: &Authority<'_>) -> Option<u32> {
        self.suffixes.find(authority, |suffix| {
            let record = self.wildcards.find(suffix, shard::ALL)?;
            Some(record.value)
        })
    }

    /// The same table where these domains have other numbers, or none. What the changes do not touch is shared.
    ///
    /// # Complexity
    ///
    /// In proportion to the number of changes (each rebuilds a shard of about a thousand domains).
    #[must_use]
    pub fn update<'a>(&self, changes: impl IntoIterator<Item = (&'a str, Option<u32>)>) -> Self {
        let mut table = self.clone();
        let (mut exact, mut wildcards) = (Vec::new(), Vec::new());
        for (domain, value) in changes {
            let (key, list) = match domain.strip_prefix('*') {
                Some("") => {
                    table.any = value;
                    continue;
                }
                Some(suffix) => (suffix, &mut wildcards),
                None => (domain, &mut exact),
            };
            list.push((key, Change::Remove));
            if let Some(value) = value {
                list.push((key, Change::Insert(Record::number(value))));
            }
        }
        // A suffix length that no domain has any more costs a probe and changes nothing.
        for (suffix, _) in &wildcards {
            table.suffixes.add(suffix);
        }
        table.exact = table.exact.update(exact);
        table.wildcards = table.wildcards.update(wildcards);
        table
    }

    /// Number of domains.
    pub fn len(&self) -> usize {
        self.exact.len() + self.wildcards.len() + usize::from(self.any.is_some())
    }

    /// Whether there is no domain.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Heap bytes.
    pub fn memory_usage(&self) -> usize {
        self.exact.memory_usage() + self.wildcards.memory_usage() + self.suffixes.memory_usage()
    }

    /// Domains and numbers, in no order.
    pub fn iter(&self) -> impl Iterator<Item = (String, u32)> {
        let exact = self.exact.iter().map(|(key, record)| (key, record.value));
        let wildcards = self
            .wildcards
            .iter()
            .map(|(key, record)| (format!("*{key}"), record.value));
        exact
            .chain(wildcards)
            .chain(self.any.map(|value| ("*".to_owned(), value)))
    }
}
