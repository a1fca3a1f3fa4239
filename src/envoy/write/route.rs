//! Route configurations: virtual hosts and what their rules do.

use std::time::Duration;

use super::matches::{route_match, string_matcher};
use super::{Writer, metadata};
use crate::envoy::model::*;
use crate::router::{
    Action, Forward, LocalReply, Mirror, Redirection, RouteConfig, Rule, VirtualHost,
    WeightedCluster,
};
use crate::terms::base64;
use crate::terms::format::HeaderFormat;
use crate::terms::header_operations::{HeaderChanges, HeaderOperations};
use crate::terms::route_policy::{
    self, AbortStatus, HashKey, MissingClusterStatus, PathRewrite, RoutePolicy,
};
use crate::terms::weighted;

/// The largest body of a direct response that istiod lets an Envoy have, in bytes.
const MAX_BODY: u32 = 1_048_576;
/// Names of HTTP filters that routes say something to, and of their settings.
pub(super) const CORS: (&str, &str) = (
    "envoy.filters.http.cors",
    "envoy.extensions.filters.http.cors.v3.CorsPolicy",
);
pub(super) const FAULT: (&str, &str) = (
    "envoy.filters.http.fault",
    "envoy.extensions.filters.http.fault.v3.HTTPFault",
);
const PREVIOUS_HOSTS: (&str, &str) = (
    "envoy.retry_host_predicates.previous_hosts",
    "envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate",
);
const PREVIOUS_PRIORITIES: (&str, &str) = (
    "envoy.retry_priorities.previous_priorities",
    "envoy.extensions.retry.priority.previous_priorities.v3.PreviousPrioritiesConfig",
);

/// Header changes of a level as a message has them.
#[derive(Default)]
struct HeaderFields {
    request_add: Vec<HeaderValueOption>,
    request_remove: Vec<String>,
    response_add: Vec<HeaderValueOption>,
    response_remove: Vec<String>,
}

impl Writer<'_> {
    pub(super) fn route_config(&self, config: &RouteConfig) -> RouteConfiguration {
        RouteConfiguration {
            name: config.name().to_owned(),
            virtual_hosts: config
                .virtual_hosts()
                .map(|host| self.virtual_host(host))
                .collect(),
            ignore_port_in_host_matching: true,
            max_direct_response_body_size_bytes: Some(MAX_BODY),
            validate_clusters: Some(false),
        }
    }

    fn virtual_host(&self, host: &VirtualHost) -> crate::envoy::model::VirtualHost {
        crate::envoy::model::VirtualHost {
            name: host.name().to_owned(),
            domains: host.domains().map(str::to_owned).collect(),
            routes: host.rules().iter().map(|rule| self.route(rule)).collect(),
            require_tls: host.requires_tls().then_some(TlsRequirement::All),
            include_request_attempt_count: !host.is_black_hole()
                && !self.view.manager().hides_attempts,
        }
    }

    fn route(&self, rule: &Rule) -> Route {
        let action = rule.action();
        let mut out = Route {
            name: rule.name().to_owned(),
            matches: route_match(rule.matches()),
            metadata: rule.origin().map(metadata),
            ..Route::default()
        };
        let mut headers = HeaderFields::default();
        headers.extend(action.headers());
        match action {
            Action::Forward(forward) => {
                // One destination and its rule change headers in one step (R-H-121).
                if !forward.split().is_weighted() {
                    let only = forward.split().clusters().next();
                    headers.extend(only.and_then(|only| only.headers.as_deref()));
                }
                out.route = Some(self.route_action(forward));
            }
            Action::Redirect(redirection) => out.redirect = Some(redirect(redirection)),
            Action::Respond(reply) => out.direct_response = Some(direct_response(reply)),
        }
        out.request_headers_to_add = headers.request_add;
        out.request_headers_to_remove = headers.request_remove;
        out.response_headers_to_add = headers.response_add;
        out.response_headers_to_remove = headers.response_remove;
        let policy = action.policy();
        if let Some(cors) = &policy.cors {
            let (name, kind) = CORS;
            out.typed_per_filter_config
                .insert(name.to_owned(), Any::of(kind, &cors_policy(cors)));
        }
        if policy.fault_delay.is_some() || policy.fault_abort.is_some() {
            let (name, kind) = FAULT;
            out.typed_per_filter_config
                .insert(name.to_owned(), Any::of(kind, &fault(policy)));
        }
        out
    }

    fn route_action(&self, forward: &Forward) -> RouteAction {
        let policy = forward.policy();
        let split = forward.split();
        let mut out = RouteAction {
            timeout: Some(Span(policy.timeout.unwrap_or_default())),
            max_grpc_timeout: Some(Span(policy.timeout.unwrap_or_default())),
            retry_policy: policy.retries.as_ref().map(retry_policy),
            hash_policy: forward.hash_policy().iter().map(hash_policy).collect(),
            request_mirror_policies: forward
                .mirrors()
                .iter()
                .map(|mirror| self.mirror(mirror))
                .collect(),
            cluster_not_found_response_code: match policy.missing_cluster {
                MissingClusterStatus::ServiceUnavailable => None,
                MissingClusterStatus::InternalServerError => {
                    Some(ClusterNotFoundResponseCode::InternalServerError)
                }
            },
            ..RouteAction::default()
        };
        let authority =
            |changes: Option<&HeaderChanges>| changes?.authority.as_deref().map(str::to_owned);
        let rewrite = &policy.rewrite;
        out.append_x_forwarded_host = self.view.manager().appends_host && rewrite.is_some();
        out.host_rewrite_literal = rewrite.authority.as_deref().map(str::to_owned);
        out.host_rewrite_literal = out
            .host_rewrite_literal
            .or_else(|| authority(forward.headers.as_deref()));
        match &rewrite.path {
            Some(PathRewrite::Uri(prefix)) => out.prefix_rewrite = Some(prefix.to_string()),
            Some(PathRewrite::Regex(rewriter)) => {
                out.regex_rewrite = Some(RegexMatchAndSubstitute {
                    pattern: RegexMatcher {
                        regex: rewriter.pattern().to_owned(),
                        google_re2: None,
                    },
                    substitution: rewriter.substitution().to_owned(),
                });
            }
            None => {}
        }
        if split.is_weighted() {
            let clusters = split.clusters().map(|entry| self.cluster_weight(entry));
            out.weighted_clusters = Some(WeightedClusters {
                clusters: clusters.collect(),
            });
        } else if let Some(only) = split.clusters().next() {
            out.cluster = Some(self.cluster_name(only.cluster()));
            out.host_rewrite_literal = out
                .host_rewrite_literal
                .or_else(|| authority(only.headers.as_deref()));
        }
        out
    }

    fn cluster_weight(&self, entry: &WeightedCluster) -> ClusterWeight {
        let mut headers = HeaderFields::default();
        headers.extend(entry.headers.as_deref());
        let authority = entry
            .headers
            .as_deref()
            .and_then(|changes| changes.authority.as_deref());
        ClusterWeight {
            name: self.cluster_name(entry.cluster()),
            weight: entry.weight(),
            host_rewrite_literal: authority.map(str::to_owned),
            request_headers_to_add: headers.request_add,
            request_headers_to_remove: headers.request_remove,
            response_headers_to_add: headers.response_add,
            response_headers_to_remove: headers.response_remove,
        }
    }

    fn mirror(&self, mirror: &Mirror) -> RequestMirrorPolicy {
        RequestMirrorPolicy {
            cluster: self.cluster_name(mirror.cluster()),
            runtime_fraction: Some(RuntimeFractionalPercent {
                default_value: percentage(mirror.percentage()),
                runtime_key: String::new(),
            }),
            trace_sampled: Some(false),
            disable_shadow_host_suffix_append: true,
        }
    }
}

impl HeaderFields {
    fn extend(&mut self, changes: Option<&HeaderChanges>) {
        let Some(changes) = changes else { return };
        add(&mut self.request_add, &changes.request);
        add(&mut self.response_add, &changes.response);
        let names = |operations: &HeaderOperations| -> Vec<String> {
            operations
                .remove
                .iter()
                .map(|name| name.to_string())
                .collect()
        };
        self.request_remove.extend(names(&changes.request));
        self.response_remove.extend(names(&changes.response));
    }
}

fn add(out: &mut Vec<HeaderValueOption>, operations: &HeaderOperations) {
    let option = |(name, format): &(Box<str>, HeaderFormat), append_action| HeaderValueOption {
        header: HeaderValue {
            key: name.to_string(),
            value: format.as_str().to_owned(),
        },
        append_action,
        ..HeaderValueOption::default()
    };
    let set = operations.set.iter();
    out.extend(set.map(|change| option(change, Some(AppendAction::OverwriteIfExistsOrAdd))));
    out.extend(operations.add.iter().map(|change| option(change, None)));
}

fn redirect(redirection: &Redirection) -> RedirectAction {
    let redirect = redirection.redirect();
    let text = |text: &Option<Box<str>>| text.as_deref().map(str::to_owned);
    RedirectAction {
        host_redirect: text(&redirect.authority),
        port_redirect: redirection.port().map_or(0, u32::from),
        path_redirect: text(&redirect.uri),
        prefix_rewrite: text(&redirect.prefix_rewrite),
        scheme_redirect: text(&redirect.scheme),
        https_redirect: None,
        response_code: RedirectResponseCode::of(redirect.status)
            .filter(|code| *code != RedirectResponseCode::default()),
    }
}

fn direct_response(reply: &LocalReply) -> DirectResponseAction {
    let response = reply.response();
    let body = match std::str::from_utf8(&response.body) {
        Ok("") => None,
        Ok(text) => Some(DataSource {
            inline_string: Some(text.to_owned()),
            inline_bytes: None,
        }),
        Err(_) => Some(DataSource {
            inline_string: None,
            inline_bytes: Some(base64::encode(&response.body)),
        }),
    };
    DirectResponseAction {
        status: response.status.into(),
        body,
    }
}

fn retry_policy(retries: &route_policy::RetryPolicy) -> RetryPolicy {
    let named = |(name, kind): (&str, &str), settings: serde_json::Value| NamedConfig {
        name: name.to_owned(),
        typed_config: Any::of(kind, &settings),
    };
    let base = |interval: Duration| RetryBackOff {
        base_interval: Span(interval),
        max_interval: None,
    };
    RetryPolicy {
        retry_on: retries.retry_on.to_string(),
        num_retries: Some(retries.attempts),
        per_try_timeout: retries.per_try_timeout.map(Span),
        retriable_status_codes: retries.retriable_status_codes.to_vec(),
        retry_back_off: retries.backoff.map(base),
        retry_host_predicate: match retries.avoid_previous_hosts {
            true => vec![named(PREVIOUS_HOSTS, serde_json::json!({}))],
            false => Vec::new(),
        },
        retry_priority: retries.remote_localities.then(|| {
            named(
                PREVIOUS_PRIORITIES,
                serde_json::json!({ "updateFrequency": 2 }),
            )
        }),
        host_selection_retry_max_attempts: Int64(retries.host_selection_attempts.into()),
    }
}

fn hash_policy(key: &HashKey) -> HashPolicy {
    let mut out = HashPolicy::default();
    match key {
        HashKey::Header(name) => {
            out.header = Some(HashHeader {
                header_name: name.to_string(),
            });
        }
        HashKey::Cookie {
            name,
            path,
            ttl,
            attributes,
        } => {
            let attribute = |(name, value): &(Box<str>, Box<str>)| CookieAttribute {
                name: name.to_string(),
                value: value.to_string(),
            };
            out.cookie = Some(HashCookie {
                name: name.to_string(),
                path: path.to_string(),
                ttl: ttl.map(Span),
                attributes: attributes.iter().map(attribute).collect(),
            });
        }
        HashKey::SourceIp => out.connection_properties = Some(ConnectionProperties::source()),
        HashKey::QueryParameter(name) => {
            out.query_parameter = Some(HashQueryParameter {
                name: name.to_string(),
            });
        }
    }
    out
}

/// In the largest unit that is exact: as istiod writes chances, whole percents stay what they are.
fn percentage(chance: weighted::FractionalPercent) -> FractionalPercent {
    FractionalPercent {
        numerator: chance.numerator(),
        denominator: Some(Denominator::Million),
    }
}

fn cors_policy(cors: &route_policy::CorsPolicy) -> CorsPolicy {
    let origins = cors.allow_origins.iter();
    CorsPolicy {
        allow_origin_string_match: origins.filter_map(string_matcher).collect(),
        allow_methods: cors.allow_methods.as_deref().unwrap_or_default().to_owned(),
        allow_headers: cors.allow_headers.as_deref().unwrap_or_default().to_owned(),
        expose_headers: cors
            .expose_headers
            .as_deref()
            .unwrap_or_default()
            .to_owned(),
        max_age: cors
            .max_age
            .map(|age| age.as_secs().to_string())
            .unwrap_or_default(),
        allow_credentials: cors.allow_credentials,
        filter_enabled: Some(RuntimeFractionalPercent {
            default_value: FractionalPercent {
                numerator: 100,
                denominator: None,
            },
            runtime_key: String::new(),
        }),
        forward_not_matching_preflights: Some(cors.forward_unmatched_preflights),
    }
}

fn fault(policy: &RoutePolicy) -> HttpFault {
    HttpFault {
        delay: policy.fault_delay.as_ref().map(|delay| FaultDelay {
            fixed_delay: Some(Span(delay.duration)),
            percentage: percentage(delay.percentage),
        }),
        abort: policy.fault_abort.as_ref().map(|abort| {
            let (http_status, grpc_status) = match abort.status {
                AbortStatus::Http(status) => (Some(status.into()), None),
                AbortStatus::Grpc(code) => (None, Some(code)),
            };
            FaultAbort {
                http_status,
                grpc_status,
                percentage: percentage(abort.percentage),
            }
        }),
    }
}
