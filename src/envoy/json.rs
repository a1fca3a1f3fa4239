//! Envoy's configuration as text: in the crate's own form, as istiod sends it, as `istioctl` prints it, as an Envoy dumps it.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_json::value::RawValue;

use super::EnvoyConfig;
use super::model::{Listener, RouteConfiguration};
use super::unread::{Kind, Unread};
use crate::diagnostic::{Code, Diagnostic, FieldPath, Report};

/// What stands between the root of a dump and its resources, in camelCase.
const WAYS: &[&str] = &[
    "configs",
    "resources",
    "staticResources",
    "dynamicListeners",
    "staticListeners",
    "activeState",
    "listener",
    "dynamicRouteConfigs",
    "staticRouteConfigs",
    "routeConfig",
    "dynamicActiveClusters",
    "staticClusters",
    "cluster",
    "dynamicEndpointConfigs",
    "staticEndpointConfigs",
    "endpointConfig",
];

/// Fields by which a resource without `@type` is known, in camelCase.
const KNOWN_BY: &[(&str, Kind)] = &[
    ("virtualHosts", Kind::RouteConfiguration),
    ("filterChains", Kind::Listener),
    ("defaultFilterChain", Kind::Listener),
    ("clusterName", Kind::ClusterLoadAssignment),
    ("connectTimeout", Kind::Cluster),
    ("loadAssignment", Kind::Cluster),
    ("edsClusterConfig", Kind::Cluster),
    ("lbPolicy", Kind::Cluster),
];

type Fields<'t> = BTreeMap<String, &'t RawValue>;

impl EnvoyConfig {
    /// Reads a configuration, whatever says it:
    ///
    /// * an object with `listeners`, `routes`, `clusters`, `endpoints`, as an `EnvoyConfig` is written;
    /// * what `istioctl proxy-config listener|route|cluster -o json` prints;
    /// * an Envoy's `/config_dump`, a discovery response, a bootstrap configuration;
    /// * a resource by itself, such as a `RouteConfiguration`.
    ///
    /// Fields are in camelCase or, as Envoy dumps them, in snake_case. What is not known is kept in mind:
    /// [`Router::from_envoy`](crate::Router::from_envoy) speaks of it.
    ///
    /// # Errors
    /// Where the text is no JSON, none of these, or a field has another type.
    pub fn from_json(text: &str) -> Result<Self, Report> {
        let mut config = EnvoyConfig::default();
        match config.add(text) {
            Ok(()) => Ok(config),
            Err(why) => Err(std::iter::once(*why).collect()),
        }
    }

    fn add(&mut self, text: &str) -> Result<(), Box<Diagnostic>> {
        if text.trim_start().starts_with('[') {
            let elements: Vec<&RawValue> = plain(text)?;
            return elements
                .into_iter()
                .try_for_each(|element| self.add(element.get()));
        }
        match self.add_object(text)? {
            true => Ok(()),
            false => Err(Box::new(Diagnostic::new(
                Code::NOT_ENVOY_CONFIG,
                "this is no configuration of an Envoy, nor a part of one",
            ))),
        }
    }

    /// The same where there may be something else, which is passed over: the bootstrap configuration of a dump, states that
    /// are not served, secrets.
    fn add_below(&mut self, text: &str) -> Result<(), Box<Diagnostic>> {
        match text.trim_start().as_bytes().first() {
            Some(b'[') => {
                let elements: Vec<&RawValue> = plain(text)?;
                elements
                    .into_iter()
                    .try_for_each(|element| self.add_below(element.get()))
            }
            Some(b'{') => self.add_object(text).map(drop),
            _ => Ok(()),
        }
    }

    /// A resource, or what leads to some; false: it is neither.
    fn add_object(&mut self, text: &str) -> Result<bool, Box<Diagnostic>> {
        let fields: Fields<'_> = plain(text)?;
        if let Some(kind) = kind_of(&fields) {
            self.add_resource(kind, text, &fields)?;
            return Ok(true);
        }
        let mut is_any = false;
        for (name, value) in &fields {
            let name = camel_case(name);
            if let Some(kind) = Kind::of_list(&name) {
                self.add_list(kind, value.get())?;
            } else if WAYS.contains(&name.as_str()) {
                self.add_below(value.get())?;
            } else {
                continue;
            }
            is_any = true;
        }
        Ok(is_any)
    }

    /// The elements of a list of one kind.
    fn add_list(&mut self, kind: Kind, text: &str) -> Result<(), Box<Diagnostic>> {
        let elements: Vec<&RawValue> = plain(text)?;
        for element in elements {
            let text = element.get();
            // Every message with routing in it has a field of several words near its beginning.
            let is_snake =
                text.bytes().take(4_096).any(|byte| byte == b'_') && is_snake_case(text)?;
            self.add_one(kind, text, is_snake)?;
        }
        Ok(())
    }

    fn add_resource(
        &mut self,
        kind: Kind,
        text: &str,
        fields: &Fields<'_>,
    ) -> Result<(), Box<Diagnostic>> {
        let is_snake = fields.keys().any(|name| name.contains('_'));
        self.add_one(kind, text, is_snake)
    }

    fn add_one(&mut self, kind: Kind, text: &str, is_snake: bool) -> Result<(), Box<Diagnostic>> {
        let mut unread = Vec::new();
        let index = match kind {
            Kind::Listener => {
                self.listeners
                    .push(read::<Listener>(text, is_snake, &mut unread)?);
                self.listeners.len() - 1
            }
            Kind::RouteConfiguration => {
                self.routes
                    .push(read::<RouteConfiguration>(text, is_snake, &mut unread)?);
                self.routes.len() - 1
            }
            Kind::Cluster => {
                self.clusters.push(read(text, is_snake, &mut unread)?);
                self.clusters.len() - 1
            }
            Kind::ClusterLoadAssignment => {
                self.endpoints.push(read(text, is_snake, &mut unread)?);
                self.endpoints.len() - 1
            }
        };
        let unread = unread.into_iter();
        self.unread
            .extend(unread.map(|field| Unread { kind, index, field }));
        Ok(())
    }
}

/// By its type, or by a field that only it has.
fn kind_of(fields: &Fields<'_>) -> Option<Kind> {
    if let Some(url) = fields.get("@type") {
        let url: String = serde_json::from_str(url.get()).ok()?;
        return Kind::of_type(url.rsplit('.').next()?);
    }
    let names: Vec<String> = fields.keys().map(|name| camel_case(name)).collect();
    let known = KNOWN_BY
        .iter()
        .find(|(name, _)| names.iter().any(|own| own == name));
    known.map(|(_, kind)| *kind)
}

fn is_snake_case(text: &str) -> Result<bool, Box<Diagnostic>> {
    let fields: Fields<'_> = plain(text)?;
    Ok(fields.keys().any(|name| name.contains('_')))
}

fn plain<'t, T: Deserialize<'t>>(text: &'t str) -> Result<T, Box<Diagnostic>> {
    serde_json::from_str(text).map_err(syntax)
}

/// A message, and the fields of the text that it does not have.
fn read<T: DeserializeOwned>(
    text: &str,
    is_snake: bool,
    unread: &mut Vec<FieldPath>,
) -> Result<T, Box<Diagnostic>> {
    if is_snake {
        let value: Value = plain(text)?;
        return message(&in_camel_case(value), unread).map_err(syntax);
    }
    let mut reader = serde_json::Deserializer::from_str(text);
    let read = serde_ignored::deserialize(&mut reader, |path| super::unread::note(&path, unread));
    read.map_err(syntax)
}

/// A message of a value, and the fields of the value that it does not have.
pub(super) fn message<T: DeserializeOwned>(
    value: &Value,
    unread: &mut Vec<FieldPath>,
) -> Result<T, serde_json::Error> {
    serde_ignored::deserialize(value, |path| super::unread::note(&path, unread))
}

fn syntax(why: serde_json::Error) -> Box<Diagnostic> {
    let code = match why.is_data() {
        true => Code::INVALID_ENVOY_VALUE,
        false => Code::SYNTAX,
    };
    // What serde_json says of it has backticks of its own, around names.
    Box::new(Diagnostic::new(
        code,
        format!("the text cannot be read: {why}"),
    ))
}

/// `virtual_hosts` as `virtualHosts`.
fn camel_case(name: &str) -> String {
    let mut words = name.split('_');
    let mut out = words.next().unwrap_or_default().to_owned();
    for word in words {
        let mut letters = word.chars();
        out.extend(letters.next().map(|first| first.to_ascii_uppercase()));
        out.push_str(letters.as_str());
    }
    out
}

/// All fields in camelCase. Keys of maps that are names of something have dots in them, and what is a map of its own words
/// is left as it is.
fn in_camel_case(value: Value) -> Value {
    match value {
        Value::Array(elements) => elements.into_iter().map(in_camel_case).collect(),
        Value::Object(fields) => {
            let fields = fields.into_iter().map(|(name, value)| match name.as_str() {
                "filter_metadata" => ("filterMetadata".to_owned(), value),
                name if name.contains('.') => (name.to_owned(), in_camel_case(value)),
                name => (camel_case(name), in_camel_case(value)),
            });
            fields.collect()
        }
        other => other,
    }
}
