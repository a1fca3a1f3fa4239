//! What a rule of an HTTPRoute or GRPCRoute asks of a request, and where that puts it among others (R-G-036, R-G-039, R-G-040).

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Arc;

use crate::diagnostic::At;
use crate::resource::gateway_api as raw;
use crate::terms::condition::{
    Condition, HeaderMatch, PathMatch, QueryMatch, RequestMatch, ValueMatch,
};

use super::super::Sink;
use super::World;

/// What is asked, and the place that it gives.
#[derive(Clone)]
pub(super) struct Match {
    pub request: Arc<RequestMatch>,
    pub order: Order,
}

/// The more specific comes first; of equals the one that was there first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Order {
    matches_everything: bool,
    path: Reverse<(PathRank, usize)>,
    has_method: Reverse<bool>,
    headers: Reverse<usize>,
    query: Reverse<usize>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum PathRank {
    None,
    Regex,
    Prefix,
    Exact,
}

impl Order {
    /// Of a rule without matches.
    pub(super) const LAST: Order = Order {
        matches_everything: true,
        ..Order::PORT_ONLY
    };
    /// Of a rule that asks for nothing but a port.
    pub(super) const PORT_ONLY: Order = Order {
        matches_everything: false,
        path: Reverse((PathRank::None, 0)),
        has_method: Reverse(false),
        headers: Reverse(0),
        query: Reverse(0),
    };
}

/// One match of an HTTPRoute; `None` after an error was pushed.
pub(super) fn of_http(
    written: &raw::HttpRouteMatch,
    world: &World<'_>,
    at: &At<'_>,
    sink: &mut Sink<'_>,
) -> Option<Match> {
    let path = written.path.as_ref();
    let value = path.and_then(|path| path.value.as_deref()).unwrap_or("/");
    let (path, rank, length) = match path.and_then(|path| path.r#type.as_deref()) {
        None | Some("PathPrefix") => {
            let value = match value {
                "/" => "/",
                value => value.strip_suffix('/').unwrap_or(value),
            };
            let path = PathMatch::separated_prefix(value, false);
            (Some(path), PathRank::Prefix, value.len())
        }
        Some("Exact") => (Some(exact(value)), PathRank::Exact, value.len()),
        Some(_) => {
            let at = at.field("path");
            let regex = world.cx.regex(value, &at.field("value"), sink);
            let path = regex.map(PathMatch::Regex);
            (path, PathRank::Regex, value.len())
        }
    };
    let headers = named(&written.headers, world, &at.field("headers"), sink);
    let query = named(&written.query_params, world, &at.field("queryParams"), sink);
    let (headers, query) = (headers?, query?);
    let order = Order {
        matches_everything: false,
        path: Reverse((rank, length)),
        has_method: Reverse(written.method.is_some()),
        headers: Reverse(headers.len()),
        query: Reverse(query.len()),
    };
    let method = written.method.as_deref().map(|method| {
        let test = ValueMatch::Exact(method.into());
        header(":method", test)
    });
    let headers = headers.into_iter().map(|(name, test)| header(name, test));
    let query = query.into_iter().map(|(key, test)| {
        let key = key.into();
        Condition::Query(QueryMatch { key, test })
    });
    let conditions = method.into_iter().chain(headers).chain(query).collect();
    Some(Match {
        request: request(path?, conditions, world),
        order,
    })
}

/// One match of a GRPCRoute; `None` after an error was pushed.
pub(super) fn of_grpc(
    written: &raw::GrpcRouteMatch,
    world: &World<'_>,
    at: &At<'_>,
    sink: &mut Sink<'_>,
) -> Option<Match> {
    let (path, rank, length) = match &written.method {
        None => (Some(PathMatch::any()), PathRank::None, 0),
        Some(method) => of_method(method, world, &at.field("method"), sink),
    };
    let headers = named(&written.headers, world, &at.field("headers"), sink)?;
    let order = Order {
        path: Reverse((rank, length)),
        headers: Reverse(headers.len()),
        ..Order::PORT_ONLY
    };
    let conditions = headers.into_iter().map(|(name, test)| header(name, test));
    Some(Match {
        request: request(path?, conditions.collect(), world),
        order,
    })
}

/// The path of a call is `/service/method`.
fn of_method(
    written: &raw::GrpcMethodMatch,
    world: &World<'_>,
    at: &At<'_>,
    sink: &mut Sink<'_>,
) -> (Option<PathMatch>, PathRank, usize) {
    let part = |part: &Option<String>| part.clone().filter(|part| !part.is_empty());
    let (service, method) = (part(&written.service), part(&written.method));
    let mut by_regex = |pattern: String| {
        let regex = world.cx.regex(&pattern, at, sink);
        (regex.map(PathMatch::Regex), PathRank::Regex, pattern.len())
    };
    let is_exact = matches!(written.r#type.as_deref(), None | Some("Exact"));
    match (is_exact, service, method) {
        (_, None, None) => (Some(PathMatch::any()), PathRank::None, 0),
        (true, Some(service), Some(method)) => {
            let path = format!("/{service}/{method}");
            (Some(exact(&path)), PathRank::Exact, path.len())
        }
        (true, Some(service), None) => {
            let path = format!("/{service}/");
            let length = path.len();
            let path = PathMatch::separated_prefix(&path, false);
            (Some(path), PathRank::Prefix, length)
        }
        (false, Some(service), Some(method)) => by_regex(format!("/{service}/{method}")),
        (false, Some(service), None) => by_regex(format!("/{service}/.+")),
        (_, None, Some(method)) => by_regex(format!("/[^/]+/{method}")),
    }
}

fn exact(value: &str) -> PathMatch {
    PathMatch::Exact {
        value: value.into(),
        ignore_case: false,
    }
}

fn header(name: &str, test: ValueMatch) -> Condition {
    let name = name.to_ascii_lowercase();
    let name = if name == "host" { ":authority" } else { &name };
    Condition::Header(HeaderMatch {
        name: name.into(),
        test,
        invert: false,
    })
}

/// Tests by name; of several with one name the last counts. `None` after an error was pushed.
fn named<'m>(
    written: &'m [raw::NamedMatch],
    world: &World<'_>,
    at: &At<'_>,
    sink: &mut Sink<'_>,
) -> Option<BTreeMap<&'m str, ValueMatch>> {
    let mut tests = BTreeMap::new();
    let mut is_complete = true;
    for (index, one) in written.iter().enumerate() {
        let test = match one.r#type.as_deref() {
            None | Some("Exact") => Some(ValueMatch::Exact((&*one.value).into())),
            Some(_) => {
                let at = at.index(index);
                let regex = world.cx.regex(&one.value, &at.field("value"), sink);
                regex.map(ValueMatch::Regex)
            }
        };
        match test {
            Some(test) => drop(tests.insert(&*one.name, test)),
            None => is_complete = false,
        }
    }
    is_complete.then_some(tests)
}

fn request(
    path: PathMatch,
    mut conditions: Vec<Condition>,
    world: &World<'_>,
) -> Arc<RequestMatch> {
    conditions.sort_by_key(Condition::is_regex);
    world.cx.share_match(RequestMatch {
        path,
        conditions: conditions.into(),
    })
}
