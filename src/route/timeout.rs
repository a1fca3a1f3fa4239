//! How long a request may take, all told: the rule's timeout and what the request itself asks for (R-H-145).

use std::time::Duration;

use super::subject::is_grpc_content;
use crate::decision::Decision;
use crate::terms::request::Request;

impl Decision<'_> {
    /// The time limit of the whole request, `None` for none: the rule's `timeout`; for gRPC the shorter of that and
    /// `grpc-timeout`. Zero means no limit everywhere. What `x-envoy-upstream-rq-timeout-ms` asks for is not heard: no client
    /// is trusted that far.
    ///
    /// ```
    /// # #[cfg(feature = "yaml")] {
    /// # use std::time::Duration;
    /// # use meshroute::{Mesh, Proxy, Request, Resources, Router};
    /// # let yaml = "
    /// # apiVersion: networking.istio.io/v1
    /// # kind: VirtualService
    /// # metadata: {name: shop, namespace: default}
    /// # spec: {hosts: [shop.example.com], http: [{timeout: 5s, route: [{destination: {host: cart}}]}]}
    /// # ";
    /// # let mesh = Mesh::resolve(Resources::from_yaml(yaml)?)?;
    /// # let router = Router::compile(&mesh, &Proxy::default());
    /// let request = Request::post("http://shop.example.com/")
    ///     .header("content-type", "application/grpc")
    ///     .header("grpc-timeout", "250m");
    /// let decision = router.decide(&request, 42);
    /// assert_eq!(decision.timeout(), Some(Duration::from_secs(5)));
    /// assert_eq!(decision.timeout_for(&request), Some(Duration::from_millis(250)));
    /// # }
    /// # Ok::<(), meshroute::Report>(())
    /// ```
    pub fn timeout_for(&self, request: &Request<'_>) -> Option<Duration> {
        let written = limited(self.timeout());
        if !is_grpc(request) {
            return written;
        }
        let own = first_value(request, "grpc-timeout").and_then(grpc_timeout);
        match (limited(own), written) {
            (Some(own), Some(written)) => Some(own.min(written)),
            (own, written) => own.or(written),
        }
    }

    /// What the upstream is told that it has: one try, where that is limited and shorter than the whole.
    pub(super) fn expected_timeout(&self, request: &Request<'_>) -> Option<Duration> {
        let whole = self.timeout_for(request);
        let one_try = limited(self.retries().and_then(|retries| retries.per_try_timeout));
        match (one_try, whole) {
            (Some(one_try), Some(whole)) => Some(one_try.min(whole)),
            (one_try, whole) => one_try.or(whole),
        }
    }
}

fn limited(limit: Option<Duration>) -> Option<Duration> {
    limit.filter(|limit| !limit.is_zero())
}

fn first_value<'a>(request: &Request<'a>, name: &str) -> Option<&'a str> {
    std::str::from_utf8(request.first_value(name)?).ok()
}

fn is_grpc(request: &Request<'_>) -> bool {
    first_value(request, "content-type").is_some_and(|value| is_grpc_content(value.as_bytes()))
}

/// One to eight digits and a unit: `250m` is a quarter of a second.
fn grpc_timeout(text: &str) -> Option<Duration> {
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    if digits.is_empty() || digits.len() > 8 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let amount: u64 = digits.parse().ok()?;
    Some(match unit {
        "H" => Duration::from_secs(amount * 3600),
        "M" => Duration::from_secs(amount * 60),
        "S" => Duration::from_secs(amount),
        "m" => Duration::from_millis(amount),
        "u" => Duration::from_micros(amount),
        "n" => Duration::from_nanos(amount),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r_h_145_grpc_timeouts_are_digits_and_a_unit() {
        assert_eq!(grpc_timeout("250m"), Some(Duration::from_millis(250)));
        assert_eq!(grpc_timeout("1H"), Some(Duration::from_secs(3600)));
        assert_eq!(
            grpc_timeout("99999999n"),
            Some(Duration::from_nanos(99_999_999))
        );
        for bad in ["", "m", "1", "123456789S", "-1S", "1 S", "1s", "1é"] {
            assert_eq!(grpc_timeout(bad), None, "{bad:?}");
        }
    }
}
