//! One `http` rule: its shape, and its parts put together (R-M-155, R-M-156).

use std::sync::Arc;

use crate::diagnostic::{At, Code};
use crate::mesh::virtual_service::HttpRoute;
use crate::resolve::{Context, Sink};
use crate::resource as raw;
use crate::terms::origin::{MatchIndex, RouteOrigin};

use super::{actions, destinations, headers, matches, policy};

/// What a rule may have depends on where it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    /// It acts by itself.
    Independent,
    /// It has `delegate`.
    Root,
    /// It is a rule of a delegate.
    Delegate,
}

/// Types a rule as written, after checking its shape. A root rule yields `None`: its delegate has the action.
pub(super) fn checked_rule(
    rule: &raw::HttpRoute,
    in_delegate: bool,
    namespace: &str,
    origin: RouteOrigin,
    at: &At<'_>,
    cx: &Context<'_>,
    sink: &mut Sink<'_>,
) -> Option<HttpRoute> {
    let role = match (&rule.delegate, in_delegate) {
        (_, true) => Role::Delegate,
        (Some(_), false) => Role::Root,
        (None, false) => Role::Independent,
    };
    check_shape(rule, role, at, sink);
    actions::check_prefix_rewrite(rule, at, sink);
    headers::check_authority(rule.rewrite.as_deref(), rule.headers.as_deref(), at, sink);
    let written = Written {
        rule,
        namespace,
        origin,
        index_of: &matches::own_match,
    };
    let typed = written.typed(at, cx, sink);
    typed.filter(|_| role != Role::Root)
}

/// A rule whose shape is given: as written, or merged from a root and a delegate that were checked on their own.
pub(super) struct Written<'a> {
    pub rule: &'a raw::HttpRoute,
    /// Of the resource that has it: short names are completed with it.
    pub namespace: &'a str,
    pub origin: RouteOrigin,
    /// Where the match at some place of the rule was written.
    pub index_of: &'a dyn Fn(usize) -> MatchIndex,
}

impl Written<'_> {
    /// Types it.
    pub(super) fn typed(
        self,
        at: &At<'_>,
        cx: &Context<'_>,
        sink: &mut Sink<'_>,
    ) -> Option<HttpRoute> {
        let (rule, namespace) = (self.rule, self.namespace);
        let matches_at = at.field("match");
        let mut typed_matches = Vec::with_capacity(rule.r#match.len());
        for (place, written) in rule.r#match.iter().enumerate() {
            let (index, at) = ((self.index_of)(place), matches_at.index(place));
            let typed = matches::http_match(written, index, namespace, &at, cx, sink);
            typed_matches.extend(typed);
        }
        let action = actions::action(rule, namespace, at, cx, sink);
        let policy = policy::policy(rule, at, cx, sink);
        let headers = headers::changes(rule.headers.as_deref(), &at.field("headers"), sink);
        let mirrors = destinations::mirrors(rule, namespace, at, cx, sink);
        Some(HttpRoute {
            name: cx.intern(&rule.name),
            matches: typed_matches,
            action: action?,
            policy,
            headers,
            mirrors,
            origin: Arc::new(self.origin),
        })
    }
}

fn check_shape(rule: &raw::HttpRoute, role: Role, at: &At<'_>, sink: &mut Sink<'_>) {
    match role {
        Role::Root => {
            for (field, is_set) in [
                ("redirect", rule.redirect.is_some()),
                ("route", !rule.route.is_empty()),
            ] {
                if is_set {
                    sink.push(
                        &at.field(field),
                        Code::DELEGATE_SHAPE,
                        format!("a rule with `delegate` cannot have `{field}`"),
                    );
                }
            }
            return;
        }
        Role::Delegate if rule.delegate.is_some() => {
            sink.push(
                &at.field("delegate"),
                Code::DELEGATE_SHAPE,
                "a delegate cannot delegate further",
            );
        }
        Role::Delegate | Role::Independent => {}
    }
    let answer = match (&rule.redirect, &rule.direct_response) {
        (Some(_), _) => Some("redirect"),
        (None, Some(_)) => Some("directResponse"),
        (None, None) => None,
    };
    match answer {
        Some(answer) => {
            for (field, is_set) in [
                ("route", !rule.route.is_empty()),
                ("fault", rule.fault.is_some()),
                ("rewrite", rule.rewrite.is_some()),
                (
                    "directResponse",
                    answer == "redirect" && rule.direct_response.is_some(),
                ),
            ] {
                if is_set {
                    sink.push(
                        &at.field(field),
                        Code::CONFLICTING_FIELDS,
                        format!("a rule cannot have both `{answer}` and `{field}`"),
                    );
                }
            }
            warn_beside_answer(rule, answer, at, sink);
        }
        None if rule.route.is_empty() => sink.push(
            at,
            Code::MISSING_FIELD,
            "a rule needs one of `route`, `redirect` and `directResponse`",
        ),
        None => {}
    }
    let has_share = rule.mirror_percentage.is_some() || rule.mirror_percent.is_some();
    if role == Role::Independent && rule.mirror.is_none() && has_share {
        sink.push_with_help(
            at,
            Code::WITHOUT_EFFECT,
            "a share of mirrored requests has no effect without `mirror`",
            "each of `mirrors` has its own `percentage`",
        );
    }
    if rule.mirror.is_some() && !rule.mirrors.is_empty() {
        sink.push(
            &at.field("mirrors"),
            Code::CONFLICTING_FIELDS,
            "a rule cannot have both `mirror` and `mirrors`",
        );
    }
}

/// Policies of forwarding do nothing where nothing is forwarded (R-H-138).
fn warn_beside_answer(rule: &raw::HttpRoute, answer: &str, at: &At<'_>, sink: &mut Sink<'_>) {
    for (field, is_set) in [
        ("timeout", rule.timeout.is_some()),
        ("retries", rule.retries.is_some()),
        ("mirror", rule.mirror.is_some()),
        ("mirrors", !rule.mirrors.is_empty()),
        ("corsPolicy", rule.cors_policy.is_some()),
    ] {
        if is_set {
            sink.push(
                &at.field(field),
                Code::WITHOUT_EFFECT,
                format!("`{field}` has no effect beside `{answer}`"),
            );
        }
    }
}
