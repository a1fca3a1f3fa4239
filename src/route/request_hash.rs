//! The hash of a request, by which ring hash and Maglev choose its endpoint (R-B-01..R-B-05).

use smallvec::SmallVec;

use super::subject::Subject;
use crate::decision::{Decision, Outcome};
use crate::router::LbPolicy;
use crate::terms::cookie;
use crate::terms::request::{Connection, Request};
use crate::terms::request_hash::{RequestHash, hash_bytes};
use crate::terms::route_policy::HashKey;

impl Decision<'_> {
    /// The hash of the request that this decision was made for, for [`Choice::hash`](crate::balance::Choice::hash). `None`: its
    /// cluster does not choose by hash, the rule has no hash policy, or none of them gave a hash; then chance chooses (R-B-06).
    ///
    /// Headers and target are hashed as they came, before the rule changes them; the client's address is what trusted proxies say
    /// it is. A cookie with a lifetime that the request lacks is [generated](Self::generated_cookie) and hashed;
    /// [`apply_to_response`](Self::apply_to_response) sets it.
    ///
    /// # Complexity
    /// Linear in the header lines. No allocation, but for headers of more than four lines.
    pub fn request_hash(&self, request: &Request<'_>) -> Option<u64> {
        if !self.chooses_by_hash() {
            return None;
        }
        if let Outcome::Tcp { .. } = self.outcome {
            return self.connection_hash(&request.connection);
        }
        if self.hash_policy().is_empty() {
            return None;
        }
        self.with_subject(request, |subject| {
            let mut hash = RequestHash::default();
            for key in self.hash_policy() {
                hash.add(self.hash_of(key, subject));
            }
            hash.value()
        })
    }

    /// The hash of the connection that this decision was made for, where its bytes are passed on: of the client's address, if
    /// the cluster chooses by that (R-M-120).
    pub fn connection_hash(&self, connection: &Connection<'_>) -> Option<u64> {
        let Outcome::Tcp { proxy, .. } = self.outcome else {
            return None;
        };
        let is_hashed = proxy.hashes_source_ip() && self.chooses_by_hash();
        let source = connection.source.filter(|_| is_hashed)?;
        Some(RequestHash::of_source(source))
    }

    /// Only a balancer that chooses by hash asks the policies at all.
    pub(super) fn chooses_by_hash(&self) -> bool {
        let settings = self.cluster().map(|cluster| cluster.settings());
        settings.is_some_and(|settings| {
            matches!(
                settings.lb_policy,
                LbPolicy::RingHash { .. } | LbPolicy::Maglev { .. }
            )
        })
    }

    fn hash_of(&self, key: &HashKey, subject: &Subject<'_, '_>) -> Option<u64> {
        match key {
            HashKey::Header(name) => with_lower_case(name, |name| header_hash(subject, name)),
            HashKey::Cookie { name, ttl, .. } => match cookie_of(subject, name) {
                Some(hash) => Some(hash),
                None if ttl.is_some() => {
                    Some(hash_bytes(&cookie::generated(self.generated_cookie())))
                }
                None => None,
            },
            HashKey::SourceIp => subject.remote_address().map(RequestHash::of_source),
            HashKey::QueryParameter(name) => RequestHash::of_query_parameter(subject.target, name),
        }
    }
}

/// The hash of header `name` (lower case).
fn header_hash(subject: &Subject<'_, '_>, name: &str) -> Option<u64> {
    let (mut count, mut only) = (0_u32, None);
    subject.for_each_tested(name, &mut |value| {
        count += 1;
        only = only.or_else(|| Some(hash_bytes(value)));
    });
    if count < 2 {
        return only;
    }
    // What has several values has them in lines of its own.
    let mut lines: SmallVec<[&[u8]; 4]> = SmallVec::new();
    subject.for_each_line(name, &mut |line| lines.push(line));
    RequestHash::of_header(lines)
}

/// The hash of the first cookie of this name, unless that is empty.
pub(super) fn cookie_of(subject: &Subject<'_, '_>, name: &str) -> Option<u64> {
    let mut found = None;
    subject.for_each_tested("cookie", &mut |line| {
        if found.is_none() {
            let value = cookie::value(line, name);
            found = value.map(|value| (!value.is_empty()).then(|| hash_bytes(value)));
        }
    });
    found.flatten()
}

/// Hands a name to `run` in lower case.
fn with_lower_case<R>(name: &str, run: impl FnOnce(&str) -> R) -> R {
    if !name.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return run(name);
    }
    let mut buffer = [0; 64];
    match buffer.get_mut(..name.len()) {
        Some(bytes) => {
            bytes.copy_from_slice(name.as_bytes());
            bytes.make_ascii_lowercase();
            run(std::str::from_utf8(bytes).unwrap_or(name))
        }
        None => run(&name.to_ascii_lowercase()),
    }
}
