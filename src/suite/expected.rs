//! What is expected of a request, and whether an answer is that.

use std::fmt;

use serde_yaml::Value;

use crate::Decision;
use crate::decision::DecisionRecord;
use crate::router::{Cluster, ClusterKind};

/// What is expected.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub(super) enum Expected {
    /// Where it goes: one destination, or several with percentages.
    Destinations(Vec<(Place, f64)>),
    /// What the proxy answers, and perhaps the location.
    Status(u16, Option<String>),
    /// As istio-config-validator asks: what is set must be so.
    Parts(Parts),
}

/// A destination: `host[:port][/subset]`, or the name of a cluster.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Place {
    pub host: String,
    pub port: Option<u16>,
    pub subset: Option<String>,
}

/// Parts of an answer.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Parts {
    /// Destinations with their weights, in order.
    pub route: Vec<(Place, Option<u64>)>,
    /// Path and authority of a redirect, and its status.
    pub redirect: Option<(Option<String>, Option<String>, Option<u16>)>,
    /// Path and authority upstream, as the rule rewrites them.
    pub rewrite: Option<(Option<String>, Option<String>)>,
    /// The VirtualService that the rule is written in.
    pub delegate: Option<String>,
    /// The status of an injected fault.
    pub abort: Option<u16>,
}

impl Expected {
    pub(super) fn read(value: &Value) -> Result<Self, String> {
        match value {
            Value::Number(number) => status(&number.to_string()),
            Value::String(text) if text.starts_with(|c: char| c.is_ascii_digit()) && !text.contains(['.', ':']) => status(text),
            Value::String(text) if is_status_with_location(text) => status(text),
            Value::String(text) => Ok(Expected::Destinations(vec![(Place::read(text)?, 100.0)])),
            Value::Mapping(shares) => {
                let mut all = Vec::new();
                for (place, share) in shares {
                    let place = place.as_str().ok_or("a destination is a text: `host:port/subset`")?;
                    let share = share.as_f64().ok_or_else(|| format!("the share of `{place}` is a number"))?;
                    all.push((Place::read(place)?, share));
                }
                let total: f64 = all.iter().map(|(_, share)| share).sum();
                if all.is_empty() || (total - 100.0).abs() > 0.01 {
                    return Err(format!("the shares are percentages, and their sum is {total}"));
                }
                Ok(Expected::Destinations(all))
            }
            _ => Err("expected a destination `host:port/subset`, destinations with percentages, or a status".to_owned()),
        }
    }

    /// Why the answer is another; `None`: it is what is expected.
    pub(super) fn mismatch(
        &self,
        decision: &Decision<'_>,
        seen: &DecisionRecord,
    ) -> Option<String> {
        match self {
            Expected::Status(status, location) => {
                let forwarded = decision.cluster().filter(|cluster| cluster.exists());
                let own = seen.status.filter(|_| forwarded.is_none());
                if own != Some(*status) {
                    return Some(format!("expected {status}, got {decision}"));
                }
                let location = location.as_ref()?;
                let got = seen.response_headers.get("location");
                (got != Some(location)).then(|| {
                    let got = got.map_or("none", String::as_str);
                    format!("expected the location {location}, got {got}")
                })
            }
            Expected::Destinations(expected) => destinations(expected, decision),
            Expected::Parts(parts) => parts.mismatch(decision, seen),
        }
    }
}

fn is_status_with_location(text: &str) -> bool {
    let number = text.split(' ').next().unwrap_or_default();
    number.len() == 3 && number.parse::<u16>().is_ok() && text.len() > 3
}

fn status(text: &str) -> Result<Expected, String> {
    let (number, location) = match text.split_once(' ') {
        Some((number, location)) => (number, Some(location.trim().to_owned())),
        None => (text, None),
    };
    let number: u16 = number
        .parse()
        .map_err(|_| format!("`{number}` is no status"))?;
    match (100..=599).contains(&number) {
        true => Ok(Expected::Status(number, location)),
        false => Err(format!("`{number}` is no status")),
    }
}

impl Place {
    pub(super) fn read(text: &str) -> Result<Self, String> {
        let (rest, subset) = match text.split_once('/') {
            Some((rest, subset)) => (rest, Some(subset.to_owned())),
            None => (text, None),
        };
        let (host, port) = match rest.rsplit_once(':') {
            Some((host, port)) => {
                let port = port.parse().map_err(|_| format!("`{port}` is no port"))?;
                (host, Some(port))
            }
            None => (rest, None),
        };
        if host.is_empty() || host.contains(char::is_whitespace) {
            return Err(format!(
                "`{text}` is no destination: write `host:port/subset`"
            ));
        }
        Ok(Place {
            host: host.to_owned(),
            port,
            subset,
        })
    }

    /// A host without dots is the first label of the service's; other parts that are not written do not count, but for the subset.
    pub(super) fn is(&self, cluster: &Cluster) -> bool {
        if cluster.kind() != ClusterKind::Outbound {
            return self.host == cluster.name();
        }
        let host = cluster.host();
        let is_host = host == self.host
            || host
                .strip_prefix(&*self.host)
                .is_some_and(|rest| rest.starts_with('.') && rest.contains(".svc"));
        is_host
            && self.port.is_none_or(|port| cluster.port() == Some(port))
            && self.subset.as_deref() == cluster.subset()
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.host)?;
        if let Some(port) = self.port {
            write!(f, ":{port}")?;
        }
        match &self.subset {
            Some(subset) => write!(f, "/{subset}"),
            None => Ok(()),
        }
    }
}

/// Percentages of the clusters that a decision splits over.
pub(super) fn shares<'r>(decision: &Decision<'r>) -> Vec<(&'r Cluster, f64)> {
    let all: Vec<(&Cluster, u32)> = decision.split().collect();
    let total: u64 = all.iter().map(|(_, weight)| u64::from(*weight)).sum();
    if let ([(only, _)], _) | ([(only, _), ..], 0) = (all.as_slice(), total) {
        return vec![(only, 100.0)];
    }
    let share = |weight: u32| f64::from(weight) * 100.0 / total as f64;
    all.into_iter()
        .map(|(cluster, weight)| (cluster, share(weight)))
        .collect()
}

fn destinations(expected: &[(Place, f64)], decision: &Decision<'_>) -> Option<String> {
    let wanted = || {
        let all = expected.iter().map(|(place, share)| match expected.len() {
            1 => place.to_string(),
            _ => format!("{share} % {place}"),
        });
        all.collect::<Vec<_>>().join(", ")
    };
    let Some(chosen) = decision.cluster() else {
        return Some(format!("expected {}, got {decision}", wanted()));
    };
    if !chosen.exists() {
        return Some(format!("expected {}, got {decision}", wanted()));
    }
    let mut got = shares(decision);
    if got.is_empty() {
        got.push((chosen, 100.0));
    }
    let is_met = expected.iter().all(|(place, share)| {
        let of_place: f64 = got
            .iter()
            .filter(|(cluster, _)| place.is(cluster))
            .map(|(_, share)| share)
            .sum();
        (of_place - share).abs() < 0.01
    });
    if is_met {
        return None;
    }
    let got = got.iter().map(|(cluster, share)| {
        format!("{} % {}", (share * 100.0).round() / 100.0, cluster.name())
    });
    Some(format!(
        "expected {}, got {}",
        wanted(),
        got.collect::<Vec<_>>().join(", ")
    ))
}

impl Parts {
    fn mismatch(&self, decision: &Decision<'_>, seen: &DecisionRecord) -> Option<String> {
        if let Some(delegate) = &self.delegate {
            let origin = decision.origin();
            let own = origin.map(|origin| origin.written().author().resource().name.to_string());
            if own.as_deref() != Some(delegate) {
                return Some(format!(
                    "expected a rule of VirtualService `{delegate}`, got {decision}"
                ));
            }
        }
        if let Some(status) = self.abort
            && decision
                .fault_abort()
                .is_none_or(|fault| fault.status.as_http() != status)
        {
            return Some(format!(
                "expected an injected fault {status}, got {decision}"
            ));
        }
        if !self.route.is_empty() {
            let got: Vec<(&Cluster, u32)> = decision.split().collect();
            let is_met = got.len() == self.route.len()
                && self
                    .route
                    .iter()
                    .zip(&got)
                    .all(|((place, weight), (cluster, got))| {
                        place.is(cluster)
                            && weight.is_none_or(|weight| {
                                self.route.len() == 1 || u64::from(*got) == weight
                            })
                    });
            if !is_met {
                let wanted: Vec<String> = self
                    .route
                    .iter()
                    .map(|(place, _)| place.to_string())
                    .collect();
                return Some(format!("expected {}, got {decision}", wanted.join(", ")));
            }
        }
        if let Some((path, authority, status)) = &self.redirect {
            let location = seen.response_headers.get("location").map(String::as_str);
            let rest = location.and_then(|location| location.split_once("://"));
            let (host, at) = rest.map_or(("", ""), |(_, rest)| {
                rest.split_at(rest.find('/').unwrap_or(rest.len()))
            });
            let is_met = location.is_some()
                && path.as_deref().is_none_or(|path| path == at)
                && authority.as_deref().is_none_or(|own| own == host)
                && status.is_none_or(|status| seen.status == Some(status));
            if !is_met {
                return Some(format!(
                    "expected a redirect, got {decision} with the location {}",
                    location.unwrap_or("none")
                ));
            }
        }
        if let Some((uri, authority)) = &self.rewrite {
            let rewrite = decision.policy().map(|policy| &policy.rewrite);
            let text = format!("{rewrite:?}");
            let has = |part: &Option<String>| {
                part.as_ref()
                    .is_none_or(|part| text.contains(&format!("{part:?}")))
            };
            if rewrite.is_none() || !has(uri) || !has(authority) {
                return Some(format!(
                    "expected the rewrite {uri:?} {authority:?}, got {text}"
                ));
            }
        }
        None
    }
}
