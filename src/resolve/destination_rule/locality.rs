//! `localityLbSetting` and `zoneAwareLbSetting`, of a DestinationRule or of the mesh (R-M-093, R-M-094, R-M-174).

use crate::diagnostic::{At, Code, Diagnostic, Severity};
use crate::resolve::Sink;
use crate::resource as raw;
use crate::terms::traffic_policy::{
    Distribute, Failover, LocalityLoadBalancing, ZoneAwareLoadBalancing,
};

/// Labels that `failover` speaks for already.
const PLACE_LABELS: [&str; 3] = [
    "topology.kubernetes.io/region",
    "topology.kubernetes.io/zone",
    "topology.istio.io/subzone",
];

/// Types `localityLbSetting`; `warning` is how bad a warning is here.
pub(crate) fn resolve(
    written: &raw::LocalityLoadBalancerSetting,
    has_outlier_detection: bool,
    warning: Severity,
    at: &At<'_>,
    sink: &mut Sink<'_>,
) -> LocalityLoadBalancing {
    if !written.distribute.is_empty() && !written.failover.is_empty() {
        let message = "`distribute` and `failover` cannot both be set";
        sink.push(at, Code::CONFLICTING_FIELDS, message);
    }
    if !written.failover.is_empty() {
        check_priority_labels(
            &written.failover_priority,
            &at.field("failoverPriority"),
            sink,
        );
    }
    check_distribute(&written.distribute, &at.field("distribute"), sink);
    let fails_over = !written.failover.is_empty() || !written.failover_priority.is_empty();
    if fails_over && !has_outlier_detection {
        let diagnostic = Diagnostic::new(
            Code::FAILOVER_WITHOUT_OUTLIER_DETECTION,
            "failover has no effect without outlier detection",
        )
        .with_help("add `outlierDetection`, from which a proxy learns that endpoints fail");
        sink.push_full(at, diagnostic.with_severity(warning));
    }
    check_failover(
        &written.failover,
        Severity::Error,
        &at.field("failover"),
        sink,
    );
    LocalityLoadBalancing {
        enabled: written.enabled.unwrap_or(true),
        distribute: written.distribute.iter().map(distribute).collect(),
        failover: written.failover.iter().map(failover).collect(),
        failover_priority: texts(&written.failover_priority),
    }
}

/// Types `zoneAwareLbSetting`. Admission does not look at it: what is wrong with it is a warning.
pub(crate) fn zone_aware(
    written: &raw::ZoneAwareLoadBalancerSetting,
    at: &At<'_>,
    sink: &mut Sink<'_>,
) -> ZoneAwareLoadBalancing {
    check_failover(
        &written.failover,
        Severity::Warning,
        &at.field("failover"),
        sink,
    );
    ZoneAwareLoadBalancing {
        enabled: written.enabled.unwrap_or(true),
        failover: written.failover.iter().map(failover).collect(),
        failover_priority: texts(&written.failover_priority),
        min_cluster_size: written
            .min_cluster_size
            .map_or(ZoneAwareLoadBalancing::DEFAULT_MIN_CLUSTER_SIZE, u64::from),
    }
}

fn distribute(written: &raw::LocalityDistribute) -> Distribute {
    Distribute {
        from: written.from.as_str().into(),
        to: written
            .to
            .iter()
            .map(|(place, weight)| (place.as_str().into(), *weight))
            .collect(),
    }
}

fn failover(written: &raw::LocalityFailover) -> Failover {
    Failover {
        from: written.from.as_str().into(),
        to: written.to.as_str().into(),
    }
}

fn texts(written: &[String]) -> Box<[Box<str>]> {
    written.iter().map(|text| text.as_str().into()).collect()
}

fn check_priority_labels(labels: &[String], at: &At<'_>, sink: &mut Sink<'_>) {
    for (index, label) in labels.iter().enumerate() {
        if PLACE_LABELS.contains(&label.as_str()) {
            let message = format!("`failover` cannot stand beside the label `{label}`");
            sink.push(&at.index(index), Code::CONFLICTING_FIELDS, message);
        }
    }
}

fn check_distribute(written: &[raw::LocalityDistribute], at: &At<'_>, sink: &mut Sink<'_>) {
    for (index, entry) in written.iter().enumerate() {
        let at = at.index(index);
        let at = at.field("to");
        for (place, weight) in &entry.to {
            if !(1..=100).contains(weight) {
                let message = format!("share `{weight}` is not in the range 1 to 100");
                sink.push(&at.key(place), Code::INVALID_LOCALITY, message);
            }
        }
        let total: u64 = entry.to.values().copied().map(u64::from).sum();
        if total != 100 {
            let message = format!("the shares sum to {total}, and must sum to 100");
            sink.push(&at, Code::INVALID_LOCALITY, message);
        }
        let places: Vec<&str> = entry.to.keys().map(String::as_str).collect();
        if let Some((place, problem)) = overlap(&places) {
            sink.push(&at.key(places[place]), Code::INVALID_LOCALITY, problem);
        }
    }
    let places: Vec<&str> = written.iter().map(|entry| entry.from.as_str()).collect();
    if let Some((place, problem)) = overlap(&places) {
        let at = at.index(place);
        sink.push(&at.field("from"), Code::INVALID_LOCALITY, problem);
    }
}

/// The first place that is malformed, or that an earlier one takes already. A general place may follow a special one of
/// another level (Istio: `validateLocalities`).
fn overlap(places: &[&str]) -> Option<(usize, String)> {
    let mut earlier: Vec<[&str; 3]> = Vec::new();
    for (index, place) in places.iter().enumerate() {
        let stars = place.matches('*').count();
        if stars > 1 || (stars == 1 && !place.ends_with('*')) {
            let problem = format!("place `{place}` has a `*` elsewhere than at its end");
            return Some((index, problem));
        }
        let parts: Vec<&str> = place.splitn(3, '/').collect();
        if parts.contains(&"") {
            return Some((index, format!("place `{place}` has an empty part")));
        }
        let part = |level: usize| parts.get(level).copied().unwrap_or("*");
        let own = [part(0), part(1), part(2)];
        let is_taken = earlier.iter().any(|other| {
            let fits = |level: usize| other[level] == "*" || other[level] == own[level];
            other[0] == "*"
                || (other[0] == own[0]
                    && match parts.len() {
                        1 => true,
                        2 => fits(1),
                        _ => other[1] == "*" || (fits(1) && fits(2)),
                    })
        });
        if is_taken {
            let problem = format!("place `{place}` overlaps with an earlier one");
            return Some((index, problem));
        }
        earlier.push(own);
    }
    None
}

fn check_failover(
    written: &[raw::LocalityFailover],
    severity: Severity,
    at: &At<'_>,
    sink: &mut Sink<'_>,
) {
    for (index, entry) in written.iter().enumerate() {
        let mut push = |message: &str| {
            let diagnostic = Diagnostic::new(Code::INVALID_LOCALITY, message);
            sink.push_full(&at.index(index), diagnostic.with_severity(severity));
        };
        if entry.from == entry.to {
            push("failover from a region to itself");
        }
        if entry.from.contains('/') || entry.to.contains('/') {
            push("failover is between regions, without zones");
        }
        if entry.from.contains('*') || entry.to.contains('*') {
            push("failover cannot have wildcards");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::overlap;

    #[test]
    fn r_m_174_places_overlap_in_order() {
        for fine in [
            &["a", "b/x", "b/y/1", "b/y/2"][..],
            &["a/x", "a/*"],
            &["a", "*"],
            &["a/x/1", "a/x/*"],
            &["a/x/1", "a/y"],
        ] {
            assert_eq!(overlap(fine), None, "{fine:?}");
        }
        for bad in [
            &["a", "a"][..],
            &["a", "a/x"],
            &["a/x", "a"],
            &["a/*", "a/x"],
            &["a/x", "a/x/1"],
            &["*", "a"],
            &["a/x/*", "a/x/1"],
            &["a*b"],
            &["*/x"],
            &["a//1"],
            &[""],
        ] {
            assert!(overlap(bad).is_some(), "{bad:?}");
        }
    }
}
