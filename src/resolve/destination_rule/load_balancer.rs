//! `loadBalancer` (R-M-088..R-M-092, R-M-173).

use std::collections::BTreeSet;

use crate::diagnostic::{At, Code, Diagnostic, Severity};
use crate::resolve::Sink;
use crate::resolve::check::quantity;
use crate::resource as raw;
use crate::terms::duration::ProtoDuration;
use crate::terms::route_policy::HashKey;
use crate::terms::traffic_policy::{
    ConsistentHash, HashAlgorithm, LoadBalancer, LoadBalancing, Warmup,
};

use super::locality;

/// Largest Maglev table that Envoy takes, and one more than the largest that Istio takes.
const MAGLEV_LIMIT: u64 = 5_000_011;
/// Virtual nodes of a hash ring where no algorithm is named (R-M-091).
const DEFAULT_RING_SIZE: u64 = 1024;

/// Types `loadBalancer`; `warning` is how bad a warning is here.
pub(super) fn resolve(
    written: &raw::LoadBalancerSettings,
    has_outlier_detection: bool,
    warning: Severity,
    at: &At<'_>,
    sink: &mut Sink<'_>,
) -> LoadBalancer {
    if written.locality_lb_setting.is_some() && written.zone_aware_lb_setting.is_some() {
        let message = "`localityLbSetting` and `zoneAwareLbSetting` cannot both be set";
        sink.push(at, Code::CONFLICTING_FIELDS, message);
    }
    let balancing = match &written.consistent_hash {
        Some(hash) => {
            let at = at.field("consistentHash");
            LoadBalancing::ConsistentHash(consistent_hash(hash, warning, &at, sink))
        }
        None => simple(written.simple.unwrap_or(raw::SimpleLb::Unspecified)),
    };
    let warmup = warmup(written, at, sink);
    let can_warm_up = matches!(
        balancing,
        LoadBalancing::LeastRequest | LoadBalancing::RoundRobin
    );
    if warmup.is_some() && !can_warm_up {
        let diagnostic = Diagnostic::new(
            Code::WITHOUT_EFFECT,
            "only `ROUND_ROBIN` and `LEAST_REQUEST` warm endpoints up",
        );
        sink.push_full(at, diagnostic.with_severity(warning));
    }
    LoadBalancer {
        balancing,
        locality: written.locality_lb_setting.as_ref().map(|setting| {
            let at = at.field("localityLbSetting");
            locality::resolve(setting, has_outlier_detection, warning, &at, sink)
        }),
        zone_aware: written
            .zone_aware_lb_setting
            .as_ref()
            .map(|setting| locality::zone_aware(setting, &at.field("zoneAwareLbSetting"), sink)),
        warmup,
    }
}

fn simple(written: raw::SimpleLb) -> LoadBalancing {
    match written {
        raw::SimpleLb::Random => LoadBalancing::Random,
        raw::SimpleLb::Passthrough => LoadBalancing::Passthrough,
        raw::SimpleLb::RoundRobin => LoadBalancing::RoundRobin,
        raw::SimpleLb::Unspecified | raw::SimpleLb::LeastConn | raw::SimpleLb::LeastRequest => {
            LoadBalancing::LeastRequest
        }
    }
}

fn consistent_hash(
    written: &raw::ConsistentHashLb,
    warning: Severity,
    at: &At<'_>,
    sink: &mut Sink<'_>,
) -> ConsistentHash {
    ConsistentHash {
        key: hash_key(written, at, sink),
        algorithm: hash_algorithm(written, warning, at, sink),
    }
}

/// What is hashed (R-M-089). `useSourceIp: false` is a choice, and hashes nothing.
fn hash_key(written: &raw::ConsistentHashLb, at: &At<'_>, sink: &mut Sink<'_>) -> Option<HashKey> {
    if let Some(cookie) = &written.http_cookie {
        return Some(cookie_key(cookie, &at.field("httpCookie"), sink));
    }
    if written.use_source_ip == Some(true) {
        return Some(HashKey::SourceIp);
    }
    let names = [
        ("httpHeaderName", &written.http_header_name),
        ("httpQueryParameterName", &written.http_query_parameter_name),
    ];
    for (field, name) in names {
        match name.as_deref() {
            None => {}
            Some("") => {
                let message = format!("`{field}` is empty, which Envoy refuses");
                sink.push(&at.field(field), Code::REFUSED_BY_ENVOY, message);
            }
            Some(name) if field == "httpHeaderName" => return Some(HashKey::Header(name.into())),
            Some(name) => return Some(HashKey::QueryParameter(name.into())),
        }
    }
    None
}

fn cookie_key(written: &raw::HttpCookie, at: &At<'_>, sink: &mut Sink<'_>) -> HashKey {
    if written.name.is_empty() {
        sink.push(
            &at.field("name"),
            Code::MISSING_FIELD,
            "a cookie needs a name",
        );
    }
    let attributes_at = at.field("attributes");
    let mut seen = BTreeSet::new();
    for (index, attribute) in written.attributes.iter().enumerate() {
        let at = attributes_at.index(index);
        if attribute.name.is_empty() {
            let message = "an attribute of a cookie needs a name";
            sink.push(&at.field("name"), Code::MISSING_FIELD, message);
        } else if !seen.insert(&attribute.name) {
            let message = format!("attribute `{}` is there twice", attribute.name);
            sink.push(&at.field("name"), Code::INVALID_CONSISTENT_HASH, message);
        }
    }
    HashKey::Cookie {
        name: written.name.as_str().into(),
        path: written.path.as_str().into(),
        ttl: written.ttl.map(ProtoDuration::as_std),
        attributes: written
            .attributes
            .iter()
            .map(|attribute| {
                (
                    attribute.name.as_str().into(),
                    attribute.value.as_str().into(),
                )
            })
            .collect(),
    }
}

fn hash_algorithm(
    written: &raw::ConsistentHashLb,
    warning: Severity,
    at: &At<'_>,
    sink: &mut Sink<'_>,
) -> HashAlgorithm {
    let at_ring = at.field("minimumRingSize");
    let old_size = Some(written.minimum_ring_size).filter(|size| *size > 0);
    if old_size.is_some() {
        let diagnostic = Diagnostic::new(Code::DEPRECATED_FIELD, "`minimumRingSize` is deprecated")
            .with_help("write `ringHash: {minimumRingSize: ...}`");
        sink.push_full(&at_ring, diagnostic.with_severity(warning));
        if written.ring_hash.is_some() || written.maglev.is_some() {
            let message = "`minimumRingSize` cannot stand beside `ringHash` or `maglev`";
            sink.push(&at_ring, Code::CONFLICTING_FIELDS, message);
        }
    }
    if let Some(maglev) = &written.maglev {
        let at = at.field("maglev");
        check_table_size(maglev.table_size, &at.field("tableSize"), sink);
        HashAlgorithm::Maglev {
            table_size: Some(maglev.table_size).filter(|size| *size > 0),
        }
    } else {
        let minimum_size = match &written.ring_hash {
            None => old_size.or(Some(DEFAULT_RING_SIZE)),
            Some(ring) => Some(ring.minimum_ring_size).filter(|size| *size > 0),
        };
        HashAlgorithm::RingHash { minimum_size }
    }
}

fn check_table_size(size: u64, at: &At<'_>, sink: &mut Sink<'_>) {
    let problem = if size == 0 {
        "`maglev` needs a `tableSize`".to_owned()
    } else if size >= MAGLEV_LIMIT {
        format!("table size `{size}` is not below {MAGLEV_LIMIT}")
    } else if !is_prime(size) {
        format!("table size `{size}` is not a prime number")
    } else {
        return;
    };
    sink.push_with_help(
        at,
        Code::INVALID_CONSISTENT_HASH,
        problem,
        "Envoy's own default is 65537",
    );
}

/// By trial division: the callers' numbers are below [`MAGLEV_LIMIT`].
fn is_prime(number: u64) -> bool {
    number > 1
        && (2..)
            .take_while(|divisor| divisor * divisor <= number)
            .all(|divisor| !number.is_multiple_of(divisor))
}

/// `warmup`, else the deprecated `warmupDurationSecs` (R-M-092). `None` where there is none, or after an error.
fn warmup(written: &raw::LoadBalancerSettings, at: &At<'_>, sink: &mut Sink<'_>) -> Option<Warmup> {
    let deprecated = sink.span(written.warmup_duration_secs, "warmupDurationSecs", at);
    if deprecated.is_some() {
        let at = at.field("warmupDurationSecs");
        if written.warmup.is_some() {
            let message = "`warmupDurationSecs` and `warmup` cannot both be set";
            sink.push(&at, Code::CONFLICTING_FIELDS, message);
        }
        let diagnostic =
            Diagnostic::new(Code::DEPRECATED_FIELD, "`warmupDurationSecs` is deprecated")
                .with_help("write `warmup: {duration: ...}`");
        sink.push_full(&at, diagnostic.with_severity(Severity::Note));
    }
    let Some(warmup) = &written.warmup else {
        return deprecated.map(Warmup::new);
    };
    let at = at.field("warmup");
    if let Some(percent) = warmup.minimum_percent {
        let verdict = quantity::fraction(percent);
        sink.check(
            &at.field("minimumPercent"),
            Code::INVALID_PERCENTAGE,
            verdict,
        );
    }
    if let Some(aggression) = warmup
        .aggression
        .filter(|value| value.is_nan() || *value <= 0.0)
    {
        let message = format!("`aggression` must be above 0, and is `{aggression}`");
        sink.push(&at.field("aggression"), Code::INVALID_WARMUP, message);
    }
    let Some(duration) = sink.span(warmup.duration, "duration", &at) else {
        let message = "`warmup` needs a duration";
        sink.push(&at.field("duration"), Code::MISSING_FIELD, message);
        return None;
    };
    Some(Warmup {
        duration,
        minimum_percent: warmup
            .minimum_percent
            .unwrap_or(Warmup::DEFAULT_MINIMUM_PERCENT),
        aggression: warmup.aggression.unwrap_or(Warmup::DEFAULT_AGGRESSION),
    })
}

#[cfg(test)]
mod tests {
    use super::is_prime;

    #[test]
    fn r_m_173_primes() {
        let primes: Vec<u64> = (0..30).filter(|&number| is_prime(number)).collect();
        assert_eq!(primes, [2, 3, 5, 7, 11, 13, 17, 19, 23, 29]);
        assert!(is_prime(65_537) && is_prime(4_999_999) && !is_prime(65_539 * 3));
    }
}
