//! HTTPRoutes: their rules, each match a rule of its own (R-G-030..R-G-045).

use std::sync::Arc;

use crate::diagnostic::{At, Report};
use crate::mesh::virtual_service::{HttpAction, HttpMatch, HttpRoute, WeightedRef};
use crate::resource::Document;
use crate::resource::gateway_api as raw;
use crate::terms::header_operations::HeaderChanges;
use crate::terms::labels::Labels;
use crate::terms::origin::{MatchIndex, RouteList, RouteOrigin};
use crate::terms::route_policy::DirectResponse;

use super::super::Sink;
use super::World;
use super::attachment::{self, Route};
use super::backends::{Backend, Translation, Untranslatable};
use super::filters::{Filters, Place};
use super::matches::{self, Match, Order};
use super::merge::{Draft, Groups, Member};
use super::parents::Parents;
use super::route_policy::{self, PathAndHost};

/// Puts the rules of a route into the groups of all its parents and hosts.
pub(super) fn route(
    document: &Document<raw::HttpRoute>,
    parents: &Parents,
    world: &World<'_>,
    groups: &mut Groups,
    sink: &mut Sink<'_>,
) {
    let spec = &document.spec;
    let route = Route {
        kind: "HTTPRoute",
        namespace: &document.meta.namespace,
        hostnames: &spec.hostnames,
        parents: &spec.parent_refs,
    };
    let everything = [raw::HttpRouteRule::default()];
    let written = spec.rules.as_deref().unwrap_or(&everything);
    let translate = |translation: &Translation<'_>, member: &Member, sink: &mut Sink<'_>| {
        rules(written, translation, member, sink)
    };
    in_groups(&route, document, parents, translate, world, groups, sink);
}

/// Attaches a route, translates it for its gateways and for the mesh, where grants are not asked for, and puts it into groups.
pub(super) fn in_groups<T: crate::resource::Named>(
    route: &Route<'_>,
    document: &Document<T>,
    parents: &Parents,
    translate: impl Fn(&Translation<'_>, &Member, &mut Sink<'_>) -> Result<Vec<Draft>, Untranslatable>,
    world: &World<'_>,
    groups: &mut Groups,
    sink: &mut Sink<'_>,
) {
    let attached = attachment::attached(route, parents, world, sink);
    let member = Member::new(route.kind, &document.meta, &document.source);
    let translation = |needs_grants| Translation {
        world,
        kind: route.kind,
        namespace: route.namespace,
        needs_grants,
    };
    let has_mesh = attached.iter().any(attachment::Attached::is_mesh);
    let has_gateway = !has_mesh || attached.iter().any(|one| !one.is_mesh());
    let at_gateways = has_gateway.then(|| translate(&translation(true), &member, sink));
    let in_mesh = has_mesh.then(|| match has_gateway {
        false => translate(&translation(false), &member, sink),
        // What there is to say has been said.
        true => {
            let mut report = Report::new();
            translate(
                &translation(false),
                &member,
                &mut Sink::of(document, &mut report),
            )
        }
    });
    if sink.failed() {
        return;
    }
    // A route without rules is nothing.
    if let Some(Ok(drafts)) = at_gateways.filter(has_rules) {
        groups.add_at_gateways(route.hostnames, &attached, &member, drafts.into());
    }
    if let Some(Ok(drafts)) = in_mesh.filter(has_rules) {
        groups.add_in_mesh(&attached, &member, drafts.into());
    }
}

fn has_rules(drafts: &Result<Vec<Draft>, Untranslatable>) -> bool {
    drafts.as_ref().is_ok_and(|drafts| !drafts.is_empty())
}

/// The rules of a route; an error in one makes all of them ineffective (R-G-032).
fn rules(
    written: &[raw::HttpRouteRule],
    translation: &Translation<'_>,
    member: &Member,
    sink: &mut Sink<'_>,
) -> Result<Vec<Draft>, Untranslatable> {
    let at = At::ROOT.field("spec");
    let at = at.field("rules");
    let everything = [raw::HttpRouteMatch::default()];
    let mut out = Vec::with_capacity(written.len());
    for (index, rule) in written.iter().enumerate() {
        let at = at.index(index);
        let filters =
            translation.filters(&rule.filters, Place::HttpRule, &at.field("filters"), sink)?;
        let refs = &rule.backend_refs;
        let action = action(refs, &filters, translation, &at.field("backendRefs"), sink)?;
        let headers = shared(filters.headers.clone());
        let name = rule_name(rule.name.as_deref(), member, index);
        let name = translation.world.cx.intern(&name);
        let matches_at = at.field("matches");
        let matches = rule.matches.as_deref().unwrap_or(&everything);
        let found = matches.iter().enumerate().map(|(index, one)| {
            let at = matches_at.index(index);
            matches::of_http(one, translation.world, &at, sink)
        });
        let found: Vec<Option<Match>> = found.collect();
        let found = match found.is_empty() {
            true => vec![None],
            false => found.into_iter().flatten().map(Some).collect(),
        };
        for (place, matched) in found.into_iter().enumerate() {
            let any = crate::terms::condition::PathMatch::any();
            let path = matched.as_ref().map_or(&any, |one| &one.request.path);
            let rewrite = filters.rewrite.map(|written| PathAndHost {
                written,
                matched: path,
            });
            let (world, cors) = (translation.world, filters.cors.as_ref());
            let policy = route_policy::of_http(rule, cors, rewrite, world, &at, sink);
            let rule = Rule {
                name: Arc::clone(&name),
                action: action.clone(),
                policy,
                headers: headers.clone(),
                filters: &filters,
            };
            out.push(rule.draft(matched, (index, place), member));
        }
    }
    Ok(out)
}

/// What the drafts of one rule have in common.
pub(super) struct Rule<'f> {
    pub name: Arc<str>,
    pub action: HttpAction,
    pub policy: Arc<crate::terms::route_policy::RoutePolicy>,
    pub headers: Option<Arc<HeaderChanges>>,
    pub filters: &'f Filters<'f>,
}

impl Rule<'_> {
    /// With one match, the one at this place of the rule at this place.
    pub(super) fn draft(
        self,
        matched: Option<Match>,
        (rule, place): (usize, usize),
        member: &Member,
    ) -> Draft {
        let order = matched.as_ref().map_or(Order::LAST, |one| one.order);
        let index = MatchIndex {
            own: matched.is_some().then_some(place as u32),
            root: None,
        };
        let matches = matched.map(|one| HttpMatch {
            name: "".into(),
            port: None,
            gateways: Vec::new(),
            source_labels: Labels::default(),
            source_namespace: None,
            request: one.request,
            index,
        });
        Draft {
            order,
            route: HttpRoute {
                name: self.name,
                matches: matches.into_iter().collect(),
                action: self.action,
                policy: self.policy,
                headers: self.headers,
                mirrors: self.filters.mirrors.clone(),
                origin: Arc::new(RouteOrigin {
                    author: Arc::clone(&member.author),
                    list: RouteList::Rules,
                    index: rule,
                    root: None,
                    made: None,
                }),
            },
        }
    }
}

/// The name of a rule: its own, else one made of its place.
pub(super) fn rule_name(written: Option<&str>, member: &Member, index: usize) -> String {
    match written {
        Some(name) if !name.is_empty() => name.to_owned(),
        _ => {
            let route = member.author.resource();
            format!("{}.{}.{index}", route.namespace, route.name)
        }
    }
}

/// Nothing, if nothing is changed.
pub(super) fn shared(headers: HeaderChanges) -> Option<Arc<HeaderChanges>> {
    (!headers.is_empty()).then(|| Arc::new(headers))
}

/// What a rule does: redirect, forward, or answer 500 where no backend has a share (R-G-044).
pub(super) fn action(
    refs: &[raw::HttpBackendRef],
    filters: &Filters<'_>,
    translation: &Translation<'_>,
    at: &At<'_>,
    sink: &mut Sink<'_>,
) -> Result<HttpAction, Untranslatable> {
    let mut out = Vec::with_capacity(refs.len());
    for (index, one) in refs.iter().enumerate() {
        let weight = u32::try_from(one.weight.unwrap_or(1)).unwrap_or(0);
        if weight == 0 {
            continue;
        }
        let at = at.index(index);
        let (destination, _) = translation.destination(Backend::of_http(one), &at, sink)?;
        let filters_at = at.field("filters");
        let filters = translation.filters(&one.filters, Place::Backend, &filters_at, sink)?;
        out.push(WeightedRef {
            destination,
            weight,
            headers: shared(filters.headers),
        });
    }
    Ok(match &filters.redirect {
        Some(redirect) => HttpAction::Redirect(Arc::clone(redirect)),
        None if out.is_empty() => HttpAction::Respond(Arc::new(DirectResponse {
            status: 500,
            ..DirectResponse::default()
        })),
        None => HttpAction::Route(out),
    })
}
