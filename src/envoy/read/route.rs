//! Routes: a match and an action.

use std::sync::Arc;
use std::time::Duration;

use super::clusters::Names;
use super::context::Context;
use super::filters;
use super::matches::request_match;
use crate::diagnostic::At;
use crate::envoy::model::*;
use crate::router::{
    Action, Forward, LocalReply, Mirror, Redirection, Rule, Split, WeightedCluster,
};
use crate::terms::base64;
use crate::terms::format::HeaderFormat;
use crate::terms::header_operations::{HeaderChanges, HeaderOperations};
use crate::terms::route_policy::{
    self, HashKey, MissingClusterStatus, PathRewrite, Redirect, RedirectPort, Rewrite, RoutePolicy,
};
use crate::terms::weighted::FractionalPercent;

/// How long a request may take where nothing is said.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(15);

/// `None`: it was said why not.
pub(super) fn rule(
    context: &mut Context<'_>,
    names: &mut Names<'_>,
    at: &At<'_>,
    route: &Route,
) -> Option<Rule> {
    let matches = request_match(context, &at.field("match"), &route.matches)?;
    let mut policy = RoutePolicy::default();
    filters::read(
        context,
        &at.field("typedPerFilterConfig"),
        &route.typed_per_filter_config,
        &mut policy,
    );
    let headers = header_changes(
        context,
        at,
        (
            &route.request_headers_to_add,
            &route.request_headers_to_remove,
        ),
        (
            &route.response_headers_to_add,
            &route.response_headers_to_remove,
        ),
    );
    let action = match (&route.route, &route.redirect, &route.direct_response) {
        (Some(action), None, None) => forward(
            context,
            names,
            &at.field("route"),
            action,
            (policy, headers),
        )?,
        (None, Some(action), None) => {
            redirect(context, &at.field("redirect"), action, (policy, headers))?
        }
        (None, None, Some(action)) => respond(
            context,
            &at.field("directResponse"),
            action,
            (policy, headers),
        )?,
        (None, None, None) => {
            context.not_honoured(
                at,
                "a route with another action than `route`, `redirect` and `directResponse`",
            );
            return None;
        }
        _ => {
            context.invalid(at, "a route has more than one action");
            return None;
        }
    };
    Some(Rule {
        name: context.text(&route.name),
        origin: context.origin(route.metadata.as_ref()),
        matches: Arc::new(matches),
        action: Arc::new(action),
    })
}

type Beside = (RoutePolicy, Option<Arc<HeaderChanges>>);

fn forward(
    context: &mut Context<'_>,
    names: &mut Names<'_>,
    at: &At<'_>,
    action: &RouteAction,
    (mut policy, headers): Beside,
) -> Option<Action> {
    let timeout = action.timeout.map_or(DEFAULT_TIMEOUT, |timeout| timeout.0);
    policy.timeout = Some(timeout).filter(|timeout| !timeout.is_zero());
    if action
        .max_grpc_timeout
        .is_some_and(|most| most.0 != timeout)
    {
        context.not_looked_at(&at.field("maxGrpcTimeout"), "a limit of its own for gRPC");
    }
    let retries = action.retry_policy.as_ref();
    policy.retries =
        retries.map(|retries| retry_policy(context, &at.field("retryPolicy"), retries));
    policy.missing_cluster = match action.cluster_not_found_response_code {
        None | Some(ClusterNotFoundResponseCode::ServiceUnavailable) => {
            MissingClusterStatus::ServiceUnavailable
        }
        Some(ClusterNotFoundResponseCode::InternalServerError) => {
            MissingClusterStatus::InternalServerError
        }
        Some(ClusterNotFoundResponseCode::NotFound) => {
            context.not_honoured(&at.field("clusterNotFoundResponseCode"), "`NOT_FOUND`");
            return None;
        }
    };
    policy.rewrite = Rewrite {
        authority: action.host_rewrite_literal.as_deref().map(Into::into),
        path: match (&action.prefix_rewrite, &action.regex_rewrite) {
            (None, None) => None,
            (Some(prefix), None) if prefix.is_empty() => None,
            (Some(prefix), None) => Some(PathRewrite::Uri(prefix.as_str().into())),
            (None, Some(rewrite)) => {
                let at = at.field("regexRewrite");
                let pattern = &rewrite.pattern.regex;
                Some(PathRewrite::Regex(context.rewriter(
                    &at,
                    pattern,
                    &rewrite.substitution,
                )?))
            }
            (Some(_), Some(_)) => {
                context.invalid(at, "a route rewrites the path in more than one way");
                return None;
            }
        },
    };
    let split = match (&action.cluster, &action.weighted_clusters) {
        (Some(cluster), None) => Split::single(names.id(cluster)),
        (None, Some(weighted)) => split(context, names, &at.field("weightedClusters"), weighted)?,
        _ => {
            context.not_honoured(at, "a route to anything but one cluster or weighted ones");
            return None;
        }
    };
    let mirrors = at.field("requestMirrorPolicies");
    let mirrors = action
        .request_mirror_policies
        .iter()
        .enumerate()
        .map(|(index, mirror)| {
            let at = mirrors.index(index);
            if mirror.cluster.is_empty() {
                context.not_honoured(&at, "a mirror without a cluster");
            }
            if !mirror.disable_shadow_host_suffix_append {
                context.not_looked_at(&at, "the suffix `-shadow` of a mirror's authority");
            }
            let fraction = mirror.runtime_fraction.as_ref();
            let percentage =
                fraction.map(|fraction| filters::runtime_chance(context, &at, fraction));
            Mirror {
                cluster: names.id(&mirror.cluster),
                percentage: percentage.unwrap_or(FractionalPercent::ALWAYS),
            }
        });
    let mirrors = mirrors.collect();
    let keys = at.field("hashPolicy");
    let mut hash_policy = Vec::new();
    for (index, key) in action.hash_policy.iter().enumerate() {
        hash_policy.push(hash_key(context, &keys.index(index), key)?);
    }
    Some(Action::Forward(Forward {
        split,
        policy: context.policy(policy),
        headers,
        mirrors,
        hash_policy: hash_policy.into(),
    }))
}

fn split(
    context: &mut Context<'_>,
    names: &mut Names<'_>,
    at: &At<'_>,
    weighted: &WeightedClusters,
) -> Option<Split> {
    let at = at.field("clusters");
    let mut clusters = Vec::with_capacity(weighted.clusters.len());
    for (index, entry) in weighted.clusters.iter().enumerate() {
        let at = at.index(index);
        if entry.name.is_empty() {
            context.not_honoured(&at, "a weighted cluster without a name");
            return None;
        }
        let headers = header_changes(
            context,
            &at,
            (
                &entry.request_headers_to_add,
                &entry.request_headers_to_remove,
            ),
            (
                &entry.response_headers_to_add,
                &entry.response_headers_to_remove,
            ),
        );
        let authority: Option<Box<str>> = entry.host_rewrite_literal.as_deref().map(Into::into);
        let headers = match authority {
            None => headers,
            authority => Some(Arc::new(HeaderChanges {
                authority,
                ..headers.map(Arc::unwrap_or_clone).unwrap_or_default()
            })),
        };
        clusters.push(WeightedCluster {
            cluster: names.id(&entry.name),
            weight: entry.weight,
            headers,
        });
    }
    // Nothing can be drawn of what has no weight.
    clusters.retain(|cluster| cluster.weight > 0);
    let split = Split::new(clusters, true);
    if split.is_none() {
        context.invalid(&at, "weighted clusters need a weight");
    }
    split
}

fn retry_policy(
    context: &mut Context<'_>,
    at: &At<'_>,
    retries: &RetryPolicy,
) -> route_policy::RetryPolicy {
    let kinds = retries
        .retry_host_predicate
        .iter()
        .map(|predicate| predicate.name.as_str());
    let (known, other): (Vec<&str>, Vec<&str>) =
        kinds.partition(|name| name.ends_with("previous_hosts"));
    if let Some(name) = other.first() {
        context.not_looked_at(&at.field("retryHostPredicate"), format_args!("`{name}`"));
    }
    let priority = retries.retry_priority.as_ref();
    if let Some(other) = priority.filter(|priority| !priority.name.ends_with("previous_priorities"))
    {
        context.not_looked_at(&at.field("retryPriority"), format_args!("`{}`", other.name));
    }
    if retries
        .retry_back_off
        .as_ref()
        .is_some_and(|backoff| backoff.max_interval.is_some())
    {
        context.not_looked_at(&at.field("retryBackOff"), "the longest interval");
    }
    route_policy::RetryPolicy {
        attempts: retries.num_retries.unwrap_or(1),
        retry_on: retries.retry_on.as_str().into(),
        retriable_status_codes: retries.retriable_status_codes.as_slice().into(),
        per_try_timeout: retries.per_try_timeout.map(|span| span.0),
        backoff: retries
            .retry_back_off
            .as_ref()
            .map(|backoff| backoff.base_interval.0),
        avoid_previous_hosts: !known.is_empty(),
        previous_hosts_written: false,
        host_selection_attempts: retries
            .host_selection_retry_max_attempts
            .0
            .clamp(0, u32::MAX.into()) as u32,
        remote_localities: priority.is_some(),
    }
}

fn hash_key(context: &mut Context<'_>, at: &At<'_>, key: &HashPolicy) -> Option<HashKey> {
    match (
        &key.header,
        &key.cookie,
        &key.connection_properties,
        &key.query_parameter,
    ) {
        (Some(header), None, None, None) => {
            Some(HashKey::Header(header.header_name.as_str().into()))
        }
        (None, Some(cookie), None, None) => {
            let attributes = cookie.attributes.iter();
            let attributes =
                attributes.map(|pair| (pair.name.as_str().into(), pair.value.as_str().into()));
            Some(HashKey::Cookie {
                name: cookie.name.as_str().into(),
                path: cookie.path.as_str().into(),
                ttl: cookie.ttl.map(|span| span.0),
                attributes: attributes.collect(),
            })
        }
        (None, None, Some(ConnectionProperties { source_ip: true }), None) => {
            Some(HashKey::SourceIp)
        }
        (None, None, None, Some(query)) => {
            Some(HashKey::QueryParameter(query.name.as_str().into()))
        }
        _ => {
            context.not_honoured(at, "a key of consistent hashing that is none of header, cookie, address and query parameter");
            None
        }
    }
}

fn redirect(
    context: &mut Context<'_>,
    at: &At<'_>,
    action: &RedirectAction,
    (policy, headers): Beside,
) -> Option<Action> {
    let text = |text: &Option<String>| {
        text.as_deref()
            .filter(|text| !text.is_empty())
            .map(Into::into)
    };
    let scheme: Option<Box<str>> = match action.https_redirect {
        Some(true) => Some("https".into()),
        _ => text(&action.scheme_redirect),
    };
    let Ok(port) = u16::try_from(action.port_redirect) else {
        context.invalid(
            &at.field("portRedirect"),
            format_args!("{} is no port", action.port_redirect),
        );
        return None;
    };
    let port = Some(port).filter(|port| *port != 0);
    let redirect = Redirect {
        status: action.response_code.unwrap_or_default().status(),
        uri: text(&action.path_redirect),
        prefix_rewrite: action.prefix_rewrite.as_deref().map(Into::into),
        authority: text(&action.host_redirect),
        scheme,
        port: port.map_or(RedirectPort::None, RedirectPort::Port),
    };
    Some(Action::Redirect(Redirection {
        redirect: Arc::new(redirect),
        port,
        headers,
        policy: context.policy(policy),
    }))
}

fn respond(
    context: &mut Context<'_>,
    at: &At<'_>,
    action: &DirectResponseAction,
    (policy, headers): Beside,
) -> Option<Action> {
    let status = u16::try_from(action.status)
        .ok()
        .filter(|status| (200..600).contains(status));
    let Some(status) = status else {
        context.invalid(
            &at.field("status"),
            format_args!("{} is no status", action.status),
        );
        return None;
    };
    let body = match &action.body {
        None => Vec::new(),
        Some(DataSource {
            inline_string: Some(text),
            inline_bytes: None,
        }) => text.as_bytes().to_vec(),
        Some(DataSource {
            inline_string: None,
            inline_bytes: Some(text),
        }) => match base64::decode(text) {
            Some(bytes) => bytes,
            None => {
                context.invalid(&at.field("body"), "the body is not base64");
                return None;
            }
        },
        Some(_) => {
            context.not_honoured(&at.field("body"), "a body that is not inline");
            return None;
        }
    };
    let response = route_policy::DirectResponse {
        status,
        body: body.into(),
    };
    Some(Action::Respond(LocalReply {
        response: Arc::new(response),
        headers,
        policy: context.policy(policy),
    }))
}

type Written<'a> = (&'a [HeaderValueOption], &'a [String]);

/// Header changes of one level; `None`: there are none.
fn header_changes(
    context: &mut Context<'_>,
    at: &At<'_>,
    request: Written<'_>,
    response: Written<'_>,
) -> Option<Arc<HeaderChanges>> {
    let changes = HeaderChanges {
        request: operations(context, &at.field("requestHeadersToAdd"), request),
        response: operations(context, &at.field("responseHeadersToAdd"), response),
        authority: None,
    };
    (!changes.is_empty()).then(|| Arc::new(changes))
}

fn operations(
    context: &mut Context<'_>,
    at: &At<'_>,
    (written, removed): Written<'_>,
) -> HeaderOperations {
    let (mut set, mut add) = (Vec::new(), Vec::new());
    for (index, option) in written.iter().enumerate() {
        let at = at.index(index);
        let format = match HeaderFormat::parse(&option.header.value) {
            Ok(format) => format,
            Err(why) => {
                context.invalid(&at, why);
                continue;
            }
        };
        if option.keep_empty_value {
            context.not_looked_at(&at, "`keepEmptyValue`");
        }
        let entry = (option.header.key.to_ascii_lowercase().into(), format);
        match (option.append_action.unwrap_or_default(), option.append) {
            (AppendAction::AppendIfExistsOrAdd, None | Some(true)) => add.push(entry),
            (AppendAction::AppendIfExistsOrAdd, Some(false))
            | (AppendAction::OverwriteIfExistsOrAdd, _) => set.push(entry),
            (AppendAction::AddIfAbsent, _) => context.not_honoured(&at, "`ADD_IF_ABSENT`"),
            (AppendAction::OverwriteIfExists, _) => {
                context.not_honoured(&at, "`OVERWRITE_IF_EXISTS`")
            }
        }
    }
    HeaderOperations {
        set: set.into(),
        add: add.into(),
        remove: removed
            .iter()
            .map(|name| name.to_ascii_lowercase().into())
            .collect(),
    }
}
