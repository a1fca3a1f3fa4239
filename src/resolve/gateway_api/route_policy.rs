//! Timeouts, retries and rewrites of HTTPRoutes (R-G-041, R-G-043, R-G-053, R-G-054).

use std::sync::Arc;
use std::time::Duration;

use crate::diagnostic::At;
use crate::resolve::retries;
use crate::resource::HttpRetry;
use crate::resource::gateway_api as raw;
use crate::terms::condition::PathMatch;
use crate::terms::duration::ProtoDuration;
use crate::terms::route_policy::{
    CorsPolicy, MissingClusterStatus, PathRewrite, RetryPolicy, Rewrite, RoutePolicy,
};

use super::super::Sink;
use super::World;
use super::cors::quoted;

/// What is retried besides the written statuses.
const RETRY_ON: &str = "connect-failure,refused-stream,unavailable,cancelled";

/// The policy of a rule with this match.
pub(super) fn of_http(
    rule: &raw::HttpRouteRule,
    cors: Option<&Arc<CorsPolicy>>,
    rewrite: Option<PathAndHost<'_>>,
    world: &World<'_>,
    at: &At<'_>,
    sink: &mut Sink<'_>,
) -> Arc<RoutePolicy> {
    let timeouts = rule.timeouts.as_ref();
    let request = timeouts.and_then(|all| span(all.request.as_deref()));
    let per_try = timeouts.and_then(|all| span(all.backend_request.as_deref()));
    let retry = rule.retry.as_ref();
    let retries = match retry {
        Some(written) => retries_of(written, per_try),
        None => world.cx.config.default_route_retries(),
    };
    let timeout = match retry {
        None => per_try.or(request),
        Some(_) => request,
    };
    world.cx.share_policy(RoutePolicy {
        timeout,
        retries,
        cors: cors.cloned(),
        rewrite: rewrite
            .map(|rewrite| rewrite.resolve(world, at, sink))
            .unwrap_or_default(),
        missing_cluster: MissingClusterStatus::InternalServerError,
        ..RoutePolicy::default()
    })
}

/// The policy of a rule that has none.
pub(super) fn plain(world: &World<'_>) -> Arc<RoutePolicy> {
    world.cx.share_policy(RoutePolicy {
        retries: world.cx.config.default_route_retries(),
        missing_cluster: MissingClusterStatus::InternalServerError,
        ..RoutePolicy::default()
    })
}

/// `0s` means that nothing is said.
fn span(text: Option<&str>) -> Option<Duration> {
    let span = ProtoDuration::parse(text?).ok()?;
    (!span.is_zero()).then(|| span.as_std())
}

fn retries_of(written: &raw::HttpRouteRetry, per_try: Option<Duration>) -> Option<RetryPolicy> {
    let codes = written.codes.iter().map(i32::to_string);
    let conditions: Vec<String> = [RETRY_ON.to_owned()].into_iter().chain(codes).collect();
    let policy = HttpRetry {
        attempts: written.attempts.unwrap_or(2),
        retry_on: conditions.join(","),
        backoff: span(written.backoff.as_deref()).map(ProtoDuration::from),
        per_try_timeout: per_try.map(ProtoDuration::from),
        ..HttpRetry::default()
    };
    retries::policy(&policy)
}

/// A rewrite, and the path test of the match that it belongs to.
pub(super) struct PathAndHost<'r> {
    pub written: &'r raw::UrlRewrite,
    pub matched: &'r PathMatch,
}

impl PathAndHost<'_> {
    fn resolve(&self, world: &World<'_>, at: &At<'_>, sink: &mut Sink<'_>) -> Rewrite {
        let path = self.written.path.as_ref();
        let of_type = |wanted: &str| path.filter(|path| path.r#type == wanted);
        let mut by_regex = |pattern: &str, text: &str| {
            let rewriter = world.cx.rewriter(pattern, text, at, sink);
            rewriter.map(PathRewrite::Regex)
        };
        let path = if let Some(path) = of_type("ReplaceFullPath") {
            by_regex("/.*", path.replace_full_path.as_deref().unwrap_or_default())
        } else if let Some(path) = of_type("ReplacePrefixMatch") {
            let text = path.replace_prefix_match.as_deref().unwrap_or_default();
            match text.strip_suffix('/').unwrap_or(text) {
                // Nothing takes the place of the prefix: one slash stays, whether or not there was one behind it.
                "" => {
                    let prefix = match self.matched {
                        PathMatch::SeparatedPrefix(prefix) => quoted(prefix.as_str()),
                        _ => String::new(),
                    };
                    by_regex(&format!("^{prefix}(/?)(.*)"), "/\\2")
                }
                text => Some(PathRewrite::Uri(text.into())),
            }
        } else {
            None
        };
        let host = self.written.hostname.as_deref();
        Rewrite {
            path,
            authority: host.filter(|host| !host.is_empty()).map(Box::from),
        }
    }
}
