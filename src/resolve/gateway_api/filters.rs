//! Filters of HTTPRoutes and GRPCRoutes (R-G-041, R-G-042).

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::diagnostic::{At, Code, Diagnostic, Severity};
use crate::mesh::virtual_service::MirrorRef;
use crate::resolve::check::header;
use crate::resource::gateway_api as raw;
use crate::terms::format::HeaderFormat;
use crate::terms::header_operations::{HeaderChanges, HeaderOperations};
use crate::terms::route_policy::{CorsPolicy, Redirect, RedirectPort};
use crate::terms::weighted::FractionalPercent;

use super::super::Sink;
use super::backends::{Backend, Translation, Untranslatable, untranslatable};
use super::cors;

/// What the filters of a rule come to; of several of one type the last counts, but for mirrors.
#[derive(Default)]
pub(super) struct Filters<'f> {
    pub headers: HeaderChanges,
    pub redirect: Option<Arc<Redirect>>,
    pub mirrors: Vec<MirrorRef>,
    pub rewrite: Option<&'f raw::UrlRewrite>,
    pub cors: Option<Arc<CorsPolicy>>,
}

/// Where filters stand, which decides what istiod takes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    HttpRule,
    GrpcRule,
    Backend,
}

impl Translation<'_> {
    /// The filters at one place.
    pub(super) fn filters<'f>(
        &self,
        written: &'f [raw::HttpRouteFilter],
        place: Place,
        at: &At<'_>,
        sink: &mut Sink<'_>,
    ) -> Result<Filters<'f>, Untranslatable> {
        let mut out = Filters::default();
        for (index, filter) in written.iter().enumerate() {
            let at = at.index(index);
            self.filter(filter, place, &mut out, &at, sink)?;
        }
        Ok(out)
    }

    fn filter<'f>(
        &self,
        filter: &'f raw::HttpRouteFilter,
        place: Place,
        out: &mut Filters<'f>,
        at: &At<'_>,
        sink: &mut Sink<'_>,
    ) -> Result<(), Untranslatable> {
        match (&*filter.r#type, place) {
            ("RequestHeaderModifier", _) => {
                let at = at.field("requestHeaderModifier");
                if let Some(written) = &filter.request_header_modifier {
                    out.headers.request = operations(written, &at, sink)?;
                    out.headers.authority =
                        authority(&written.set).or_else(|| authority(&written.add));
                }
            }
            ("ResponseHeaderModifier", _) => {
                let at = at.field("responseHeaderModifier");
                if let Some(written) = &filter.response_header_modifier {
                    out.headers.response = operations(written, &at, sink)?;
                }
            }
            ("RequestMirror", Place::HttpRule | Place::GrpcRule) => {
                let at = at.field("requestMirror");
                if let Some(written) = &filter.request_mirror {
                    out.mirrors.extend(self.mirror(written, place, &at, sink)?);
                }
            }
            ("RequestRedirect", Place::HttpRule) => {
                out.redirect = filter.request_redirect.as_ref().map(redirect);
            }
            ("URLRewrite", Place::HttpRule) => out.rewrite = filter.url_rewrite.as_ref(),
            ("CORS", Place::HttpRule) => {
                let at = at.field("cors");
                let written = filter.cors.as_ref();
                out.cors = written.map(|one| Arc::new(cors::policy(one, self.world, &at, sink)));
            }
            (other, _) => {
                let message = match place {
                    Place::Backend => format!("Istio knows no filter `{other}` for a backend"),
                    _ => format!("Istio knows no filter `{other}`"),
                };
                return Err(untranslatable(&at.field("type"), message, sink));
            }
        }
        Ok(())
    }

    /// One that leads nowhere is left out; of a GRPCRoute it makes the route untranslatable.
    fn mirror(
        &self,
        written: &raw::RequestMirror,
        place: Place,
        at: &At<'_>,
        sink: &mut Sink<'_>,
    ) -> Result<Option<MirrorRef>, Untranslatable> {
        let at_backend = at.field("backendRef");
        let backend = Backend::of_mirror(&written.backend_ref);
        let (destination, exists) = self.destination(backend, &at_backend, sink)?;
        if !exists {
            return match place {
                Place::GrpcRule => {
                    let message = "a mirror of a GRPCRoute must exist".to_owned();
                    Err(untranslatable(&at_backend, message, sink))
                }
                _ => Ok(None),
            };
        }
        let percent = match (&written.fraction, written.percent) {
            (Some(fraction), _) => {
                let whole = f64::from(fraction.denominator.unwrap_or(100));
                f64::from(fraction.numerator) / whole * 100.0
            }
            (None, Some(percent)) => f64::from(percent),
            (None, None) => 100.0,
        };
        Ok((percent > 0.0).then(|| MirrorRef {
            destination,
            percentage: FractionalPercent::from_percent_value(percent),
        }))
    }
}

/// Changes in one direction.
fn operations(
    written: &raw::HeaderFilter,
    at: &At<'_>,
    sink: &mut Sink<'_>,
) -> Result<HeaderOperations, Untranslatable> {
    let remove = written.remove.iter().map(|name| name.to_ascii_lowercase());
    Ok(HeaderOperations {
        set: values(&written.set, &at.field("set"), sink)?,
        add: values(&written.add, &at.field("add"), sink)?,
        remove: remove
            .filter(|name| !is_internal(name))
            .map(Into::into)
            .collect(),
    })
}

/// Names with what is written into them.
type Values = Box<[(Box<str>, HeaderFormat)]>;

/// By name, of which the first of equal ones counts.
fn values(
    written: &[raw::HttpHeader],
    at: &At<'_>,
    sink: &mut Sink<'_>,
) -> Result<Values, Untranslatable> {
    let mut formats: BTreeMap<String, HeaderFormat> = BTreeMap::new();
    for (index, one) in written.iter().enumerate() {
        let at = at.index(index);
        let at = at.field("value");
        let is_control = |byte: u8| (byte < 0x20 && byte != b'\t') || byte == 0x7f;
        if one.value.bytes().any(is_control) {
            let message = "a header value cannot have control characters".to_owned();
            return Err(untranslatable(&at, message, sink));
        }
        let name = one.name.to_ascii_lowercase();
        if is_internal(&name) || one.value.is_empty() || formats.contains_key(&name) {
            continue;
        }
        let format = HeaderFormat::parse(&one.value).unwrap_or_else(|message| {
            // Nobody looks at it before Envoy does.
            let refused = Diagnostic::new(Code::REFUSED_BY_ENVOY, message);
            sink.push_full(&at, refused.with_severity(Severity::Warning));
            HeaderFormat::refused(&one.value)
        });
        formats.insert(name, format);
    }
    let named = formats.into_iter();
    Ok(named.map(|(name, format)| (name.into(), format)).collect())
}

/// Headers that no operation reaches (R-H-118).
fn is_internal(name: &str) -> bool {
    name.starts_with(':') || name == "host"
}

fn authority(written: &[raw::HttpHeader]) -> Option<Box<str>> {
    let mut all = written.iter();
    let found = all.find(|one| header::is_authority(&one.name) && !one.value.is_empty());
    found.map(|one| (&*one.value).into())
}

/// R-G-042.
fn redirect(written: &raw::RequestRedirect) -> Arc<Redirect> {
    let text = |text: &Option<String>| {
        let text = text.as_deref().filter(|text| !text.is_empty());
        text.map(Box::from)
    };
    let path = written.path.as_ref();
    let of_type = |wanted: &str| path.filter(|path| path.r#type == wanted);
    let port = match (written.port, &written.scheme) {
        (Some(port), _) => u16::try_from(port).map_or(RedirectPort::None, RedirectPort::Port),
        (None, Some(_)) => RedirectPort::None,
        (None, None) => RedirectPort::FromRequestPort,
    };
    let status = u16::try_from(written.status_code.unwrap_or(302));
    Arc::new(Redirect {
        status: status.unwrap_or(302),
        uri: of_type("ReplaceFullPath").and_then(|path| text(&path.replace_full_path)),
        prefix_rewrite: of_type("ReplacePrefixMatch")
            .and_then(|path| text(&path.replace_prefix_match)),
        authority: text(&written.hostname),
        scheme: text(&written.scheme),
        port,
    })
}
