//! VirtualServices: each typed by itself, then roots linked with their delegates (R-H-008..R-H-020, R-M-048..R-M-056).
//!
//! One file per part: [`hosts`] and [`names`], then per rule [`http`] ([`matches`], [`actions`], [`policy`], [`headers`],
//! [`destinations`]) and [`stream`]; [`link`] joins roots and delegates, rule by rule as [`delegate`] says; [`unused_rules`]
//! warns.

use std::sync::Arc;

use crate::diagnostic::{At, Code, Report};
use crate::mesh;
use crate::mesh::Visibility;
use crate::mesh::virtual_service::{HttpRoute, Semantics};
use crate::resource::{self as raw, Document, Kind};
use crate::terms::name::{GatewayName, ResourceName};
use crate::terms::origin::{Author, RouteList, RouteOrigin};

use super::check::export_to;
use super::{Context, Sink, creation};

mod actions;
mod delegate;
mod destinations;
mod headers;
mod hosts;
mod http;
mod link;
mod matches;
mod names;
mod policy;
mod stream;
mod string_match;
mod unused_rules;

type Written = Document<raw::VirtualService>;

/// The roots of the mesh with their delegates merged in, in the order of the documents.
pub(crate) fn virtual_services(
    documents: &[&Written],
    cx: &Context<'_>,
    report: &mut Report,
) -> Vec<Arc<mesh::VirtualService>> {
    let mut roots = Vec::new();
    let mut delegates = link::Delegates::default();
    for &document in documents {
        let mut sink = Sink::of(document, report);
        let typed = virtual_service(document, cx, &mut sink);
        if sink.failed() {
            delegates.add_invalid(document);
        } else if document.spec.hosts.is_empty() {
            delegates.add(document, cx);
        } else {
            delegates.add_root(document);
            roots.push((document, typed));
        }
    }
    let linked = roots
        .into_iter()
        .filter_map(|(document, mut typed)| {
            let mut sink = Sink::of(document, report);
            let rules = std::mem::take(&mut typed.http);
            let author = &typed.virtual_service.author;
            typed.http = delegates.link(document, author, rules, cx, &mut sink);
            (!sink.failed()).then(|| Arc::new(typed.finish()))
        })
        .collect();
    delegates.report_unused(documents, report);
    linked
}

/// A VirtualService whose root rules still wait for their delegates.
struct Typed {
    virtual_service: mesh::VirtualService,
    /// One per `http` rule as written; `None` for a root rule.
    http: Vec<Option<HttpRoute>>,
}

impl Typed {
    fn finish(self) -> mesh::VirtualService {
        mesh::VirtualService {
            http: self.http.into_iter().flatten().collect(),
            ..self.virtual_service
        }
    }
}

/// Types one document. What it returns counts only if no error was pushed.
fn virtual_service(document: &Written, cx: &Context<'_>, sink: &mut Sink<'_>) -> Typed {
    let spec = &document.spec;
    let namespace = document.meta.namespace.as_str();
    let at = At::ROOT.field("spec");
    let is_delegate = spec.hosts.is_empty();
    check_parts(spec, is_delegate, &at, sink);
    hosts::check(spec, &at.field("hosts"), sink);
    names::check_gateways(&spec.gateways, &at.field("gateways"), true, sink);
    let export_at = at.field("exportTo");
    export_to::entries(&spec.export_to, namespace, false, |index, message| {
        sink.push(&export_at.index(index), Code::INVALID_EXPORT_TO, message);
    });

    let author = author(document, cx);
    let origin = |list, index| RouteOrigin {
        author: Arc::clone(&author),
        list,
        index,
        root: None,
        made: None,
    };
    let http_at = at.field("http");
    let mut http = Vec::with_capacity(spec.http.len());
    for (index, rule) in spec.http.iter().enumerate() {
        let (origin, at) = (origin(RouteList::Http, index), http_at.index(index));
        http.push(http::checked_rule(
            rule,
            is_delegate,
            namespace,
            origin,
            &at,
            cx,
            sink,
        ));
    }
    let tls_at = at.field("tls");
    let mut tls = Vec::with_capacity(spec.tls.len());
    for (index, rule) in spec.tls.iter().enumerate() {
        let (origin, at) = (origin(RouteList::Tls, index), tls_at.index(index));
        tls.push(stream::tls_rule(
            rule, spec, namespace, origin, &at, cx, sink,
        ));
    }
    let tcp_at = at.field("tcp");
    let mut tcp = Vec::with_capacity(spec.tcp.len());
    for (index, rule) in spec.tcp.iter().enumerate() {
        let (origin, at) = (origin(RouteList::Tcp, index), tcp_at.index(index));
        tcp.push(stream::tcp_rule(rule, namespace, origin, &at, cx, sink));
    }
    unused_rules::warn(spec, &at, sink);

    let mut gateways = names::gateways(&spec.gateways, namespace, cx);
    if gateways.is_empty() {
        gateways.push(GatewayName::Mesh);
    }
    let default_export_to = &cx.config.default_virtual_service_export_to;
    Typed {
        virtual_service: mesh::VirtualService {
            author,
            creation: creation(&document.meta),
            hosts: spec
                .hosts
                .iter()
                .map(|host| names::host(host, namespace, cx))
                .collect(),
            gateways,
            visibility: Visibility::resolve(&spec.export_to, default_export_to, namespace),
            semantics: Semantics::VirtualService,
            http: Vec::new(),
            tls,
            tcp,
        },
        http,
    }
}

/// The resource, as its rules remember it.
fn author(document: &Written, cx: &Context<'_>) -> Arc<Author> {
    let resource = ResourceName {
        namespace: cx.intern(&document.meta.namespace),
        name: cx.intern(&document.meta.name),
    };
    Arc::new(Author::new(
        Kind::VirtualService.as_str(),
        resource,
        &document.source,
    ))
}

/// What a VirtualService must have, a delegate must not have (R-M-148), and sidecars cannot serve (R-M-151).
fn check_parts(spec: &raw::VirtualService, is_delegate: bool, at: &At<'_>, sink: &mut Sink<'_>) {
    if is_delegate {
        for (field, is_set) in [
            ("gateways", !spec.gateways.is_empty()),
            ("tls", !spec.tls.is_empty()),
            ("tcp", !spec.tcp.is_empty()),
        ] {
            if is_set {
                sink.push_with_help(
                    &at.field(field),
                    Code::DELEGATE_SHAPE,
                    format!(
                        "a VirtualService without `hosts` is a delegate, and cannot have `{field}`"
                    ),
                    "give it `hosts` if it is not meant as a delegate",
                );
            }
        }
    }
    if spec.http.is_empty() && spec.tcp.is_empty() && spec.tls.is_empty() {
        sink.push(
            at,
            Code::MISSING_FIELD,
            "a VirtualService needs one of `http`, `tls` and `tcp`",
        );
    }
    if hosts::is_for_gateways_only(spec) {
        return;
    }
    let http_at = at.field("http");
    for (index, rule) in spec.http.iter().enumerate() {
        let rule_at = http_at.index(index);
        let matches_at = rule_at.field("match");
        for (index, matched) in rule.r#match.iter().enumerate() {
            let at = matches_at.index(index);
            for (field, headers) in [
                ("headers", &matched.headers),
                ("withoutHeaders", &matched.without_headers),
            ] {
                let claims = headers
                    .keys()
                    .filter(|key| matches::claim_path(key).is_some());
                for key in claims {
                    sink.push_with_help(
                        &at.field(field).key(key),
                        Code::CLAIMS_NEED_GATEWAY,
                        format!("`{key}` can be matched only at gateways"),
                        "bind the VirtualService to gateways, without `mesh`",
                    );
                }
            }
        }
    }
}

#[cfg(all(test, feature = "yaml"))]
mod link_tests;
#[cfg(all(test, feature = "yaml"))]
mod tests;
