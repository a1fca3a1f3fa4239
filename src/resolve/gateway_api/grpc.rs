//! GRPCRoutes (R-G-040, R-G-045).

use std::sync::Arc;

use crate::diagnostic::At;
use crate::resource::Document;
use crate::resource::gateway_api as raw;

use super::super::Sink;
use super::World;
use super::attachment::Route;
use super::backends::{Translation, Untranslatable};
use super::filters::Place;
use super::http::{self, Rule};
use super::matches::{self, Match};
use super::merge::{Draft, Groups, Member};
use super::parents::Parents;
use super::route_policy;

/// Puts the rules of a route into the groups of all its parents and hosts.
pub(super) fn route(
    document: &Document<raw::GrpcRoute>,
    parents: &Parents,
    world: &World<'_>,
    groups: &mut Groups,
    sink: &mut Sink<'_>,
) {
    let spec = &document.spec;
    let route = Route {
        kind: "GRPCRoute",
        namespace: &document.meta.namespace,
        hostnames: &spec.hostnames,
        parents: &spec.parent_refs,
    };
    let translate = |translation: &Translation<'_>, member: &Member, sink: &mut Sink<'_>| {
        rules(&spec.rules, translation, member, sink)
    };
    http::in_groups(&route, document, parents, translate, world, groups, sink);
}

fn rules(
    written: &[raw::GrpcRouteRule],
    translation: &Translation<'_>,
    member: &Member,
    sink: &mut Sink<'_>,
) -> Result<Vec<Draft>, Untranslatable> {
    let at = At::ROOT.field("spec");
    let at = at.field("rules");
    let world = translation.world;
    let mut out = Vec::with_capacity(written.len());
    for (index, rule) in written.iter().enumerate() {
        let at = at.index(index);
        let filters =
            translation.filters(&rule.filters, Place::GrpcRule, &at.field("filters"), sink)?;
        let refs_at = at.field("backendRefs");
        let action = http::action(&rule.backend_refs, &filters, translation, &refs_at, sink)?;
        let headers = http::shared(filters.headers.clone());
        let name = http::rule_name(rule.name.as_deref(), member, index);
        let name = world.cx.intern(&name);
        let matches_at = at.field("matches");
        let found = rule.matches.iter().enumerate().filter_map(|(index, one)| {
            matches::of_grpc(one, world, &matches_at.index(index), sink)
        });
        let mut found: Vec<Option<Match>> = found.map(Some).collect();
        if rule.matches.is_empty() {
            found.push(None);
        }
        for (place, matched) in found.into_iter().enumerate() {
            let rule = Rule {
                name: Arc::clone(&name),
                action: action.clone(),
                policy: route_policy::plain(world),
                headers: headers.clone(),
                filters: &filters,
            };
            out.push(rule.draft(matched, (index, place), member));
        }
    }
    Ok(out)
}
