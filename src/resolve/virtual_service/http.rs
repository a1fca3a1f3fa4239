//! One `http` rule: its shape, and its parts put together (R-M-155, R-M-156).

use crate::diagnostic::{At, Code};
use crate::mesh::virtual_service::{HttpRoute, RuleSource};
use crate::resolve::{Context, Sink};
use crate::resource as raw;

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
    let typed = merged_rule(rule, namespace, at, cx, sink);
    typed.filter(|_| role != Role::Root)
}

/// Types a rule whose shape is given: as written, or merged from a root and a delegate that were checked on their own.
pub(super) fn merged_rule(
    rule: &raw::HttpRoute,
    namespace: &str,
    at: &At<'_>,
    cx: &Context<'_>,
    sink: &mut Sink<'_>,
) -> Option<HttpRoute> {
    let matches_at = at.field("match");
    let mut typed_matches = Vec::with_capacity(rule.r#match.len());
    for (index, one) in rule.r#match.iter().enumerate() {
        let typed = matches::http_match(one, namespace, &matches_at.index(index), cx, sink);
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
        source: RuleSource::default(),
    })
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
