//! The cookies that hash policies give to a client that has none, so that it comes back to the same endpoint (R-B-03).

use super::request_hash::cookie_of;
use super::subject::Subject;
use crate::decision::Decision;
use crate::terms::cookie;
use crate::terms::header_list::HeaderList;
use crate::terms::route_policy::HashKey;
use crate::terms::weighted::{Draw, split_entropy};

impl Decision<'_> {
    /// The value of a cookie that this decision generates, and whose hash chooses the endpoint of the request that lacks it.
    /// Envoy makes it from the addresses and ports of the connection; here it is drawn from the caller's entropy.
    pub fn generated_cookie(&self) -> u64 {
        split_entropy(self.entropy, Draw::Cookie)
    }

    /// Appends a `set-cookie` for each hash policy with a lifetime whose cookie the request lacks. Only a balancer that chooses
    /// by hash asks the policies at all.
    pub(super) fn set_cookies(&self, subject: &Subject<'_, '_>, response: &mut HeaderList) {
        let is_hashed = self.chooses_by_hash();
        for key in self.hash_policy().iter().filter(|_| is_hashed) {
            let HashKey::Cookie {
                name,
                path,
                ttl: Some(ttl),
                attributes,
            } = key
            else {
                continue;
            };
            if cookie_of(subject, name).is_none() {
                let value = self.generated_cookie();
                let line = cookie::set_cookie(name, value, *ttl, path, attributes);
                response.append("set-cookie", line);
            }
        }
    }
}
