//! Resources as protobuf, and as JSON: by the descriptors of Envoy's API, so that no field is forgotten.

use std::sync::OnceLock;

use prost::Message;
use prost_reflect::{
    DescriptorPool, DynamicMessage, MessageDescriptor, ReflectMessage, SerializeOptions, Value,
};

/// A kind of resource that an ADS client subscribes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// CDS.
    Cluster,
    /// EDS.
    Endpoints,
    /// LDS.
    Listener,
    /// RDS.
    Routes,
}

/// In the order in which they are asked for: what is named comes before what names it.
pub const KINDS: [Kind; 4] = [Kind::Cluster, Kind::Endpoints, Kind::Listener, Kind::Routes];

impl Kind {
    /// The name of the message.
    pub fn message(self) -> &'static str {
        match self {
            Kind::Cluster => "envoy.config.cluster.v3.Cluster",
            Kind::Endpoints => "envoy.config.endpoint.v3.ClusterLoadAssignment",
            Kind::Listener => "envoy.config.listener.v3.Listener",
            Kind::Routes => "envoy.config.route.v3.RouteConfiguration",
        }
    }

    /// The URL of the type.
    pub fn type_url(self) -> String {
        format!("{ANY}{}", self.message())
    }

    /// The kind with that URL.
    pub fn of_type_url(url: &str) -> Option<Self> {
        let name = url.strip_prefix(ANY)?;
        KINDS.into_iter().find(|kind| kind.message() == name)
    }

    /// Whether all there are are wanted, or those that others name.
    pub fn is_wildcard(self) -> bool {
        matches!(self, Kind::Cluster | Kind::Listener)
    }
}

const ANY: &str = "type.googleapis.com/";
/// What stands for a message that is not known: its URL, as the field `typeUrl`.
const STRUCT: &str = "google.protobuf.Struct";

/// Why a resource cannot be read.
#[derive(Clone, Debug, thiserror::Error)]
pub enum TypeError {
    /// The bytes are no such message.
    #[error("{kind}: {why}")]
    Bytes {
        /// Name of the message.
        kind: String,
        /// What the decoder says.
        why: String,
    },
    /// No such message is known.
    #[error("`{0}` is no type of Envoy's API")]
    Unknown(String),
}

fn pool() -> &'static DescriptorPool {
    static POOL: OnceLock<DescriptorPool> = OnceLock::new();
    POOL.get_or_init(|| {
        let bytes = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin"));
        DescriptorPool::decode(bytes.as_slice()).expect("the descriptors of envoy-types are sound")
    })
}

fn descriptor(name: &str) -> Result<MessageDescriptor, TypeError> {
    pool()
        .get_message_by_name(name)
        .ok_or_else(|| TypeError::Unknown(name.to_owned()))
}

/// The JSON of a resource of that kind, as protobuf writes it: camelCase, defaults left out. An extension of a type that is not
/// Envoy's (Istio's own filters) comes as a `Struct` that names it.
pub fn to_json(kind: Kind, bytes: &[u8]) -> Result<String, TypeError> {
    let mut message = decode(kind.message(), bytes)?;
    replace_unknown(&mut message)?;
    let wrong = |why: serde_json::Error| TypeError::Bytes {
        kind: kind.message().to_owned(),
        why: why.to_string(),
    };
    let mut out = Vec::new();
    let mut serializer = serde_json::Serializer::new(&mut out);
    message
        .serialize_with_options(&mut serializer, &SerializeOptions::new())
        .map_err(wrong)?;
    String::from_utf8(out).map_err(|why| TypeError::Bytes {
        kind: kind.message().to_owned(),
        why: why.to_string(),
    })
}

/// The bytes of a resource from its JSON; for stand-ins of a control plane.
pub fn from_json(kind: Kind, json: &serde_json::Value) -> Result<Vec<u8>, TypeError> {
    let wrong = |why: serde_json::Error| TypeError::Bytes {
        kind: kind.message().to_owned(),
        why: why.to_string(),
    };
    let message = DynamicMessage::deserialize(descriptor(kind.message())?, json).map_err(wrong)?;
    Ok(message.encode_to_vec())
}

/// Whether the API has a message of that URL.
pub fn is_known(type_url: &str) -> bool {
    let name = type_url.rsplit('/').next().unwrap_or_default();
    pool().get_message_by_name(name).is_some()
}

fn decode(name: &str, bytes: &[u8]) -> Result<DynamicMessage, TypeError> {
    DynamicMessage::decode(descriptor(name)?, bytes).map_err(|why| TypeError::Bytes {
        kind: name.to_owned(),
        why: why.to_string(),
    })
}

/// Puts a `Struct` in the place of each `Any` of a type that is not known, at any depth.
fn replace_unknown(message: &mut DynamicMessage) -> Result<(), TypeError> {
    if message.descriptor().full_name() == "google.protobuf.Any" {
        return replace_any(message);
    }
    let fields: Vec<_> = message.fields().map(|(field, _)| field).collect();
    for field in fields {
        visit(message.get_field_mut(&field))?;
    }
    Ok(())
}

fn visit(value: &mut Value) -> Result<(), TypeError> {
    match value {
        Value::Message(message) => replace_unknown(message),
        Value::List(list) => list.iter_mut().try_for_each(visit),
        Value::Map(map) => map.values_mut().try_for_each(visit),
        _ => Ok(()),
    }
}

fn replace_any(any: &mut DynamicMessage) -> Result<(), TypeError> {
    let text = |value: Option<Value>| match value {
        Some(Value::String(text)) => text,
        _ => String::new(),
    };
    let bytes = |value: Option<Value>| match value {
        Some(Value::Bytes(bytes)) => bytes,
        _ => Default::default(),
    };
    let type_url = text(
        any.get_field_by_name("type_url")
            .map(|value| value.into_owned()),
    );
    let value = bytes(
        any.get_field_by_name("value")
            .map(|value| value.into_owned()),
    );
    if type_url.is_empty() {
        return Ok(());
    }
    let (url, inner) = match is_known(&type_url) {
        true => {
            let name = type_url.rsplit('/').next().unwrap_or_default();
            let mut inner = decode(name, &value)?;
            replace_unknown(&mut inner)?;
            (type_url, inner)
        }
        false => {
            let url = serde_json::json!({"typeUrl": type_url});
            let inner = DynamicMessage::deserialize(descriptor(STRUCT)?, url);
            let inner = inner.map_err(|why| TypeError::Bytes {
                kind: STRUCT.to_owned(),
                why: why.to_string(),
            })?;
            (format!("{ANY}{STRUCT}"), inner)
        }
    };
    any.set_field_by_name("type_url", Value::String(url));
    any.set_field_by_name("value", Value::Bytes(inner.encode_to_vec().into()));
    Ok(())
}
