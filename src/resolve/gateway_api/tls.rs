//! TLS of a listener (R-G-013).

use std::sync::Arc;

use crate::diagnostic::{At, Code};
use crate::mesh::gateway::{ServerTls, ServerTlsMode, TlsSettings};
use crate::resource::Secret;
use crate::resource::gateway_api as raw;

use super::super::Sink;
use super::World;
use super::owner::Owner;

/// Settings of Istio's own.
const TERMINATE_MODE: &str = "gateway.istio.io/tls-terminate-mode";
const CIPHER_SUITES: &str = "gateway.istio.io/tls-cipher-suites";

/// Its settings, if it has any; `None`: they are wrong, and it is not served.
pub(super) fn server_tls(
    owner: &Owner<'_>,
    listener: &raw::Listener,
    world: &World<'_>,
    at: &At<'_>,
    sink: &mut Sink<'_>,
) -> Option<Option<ServerTls>> {
    let Some(tls) = &listener.tls else {
        return Some(None);
    };
    let at = at.field("tls");
    let option = |name: &str| tls.options.get(name).map(String::as_str);
    let mut settings = TlsSettings::default();
    if let Some(suites) = option(CIPHER_SUITES) {
        settings.cipher_suites = suites.split(',').map(|one| one.trim().into()).collect();
    }
    let mut mode = match tls.mode.as_deref() {
        Some("Passthrough") => {
            return Some(Some(with(ServerTlsMode::Passthrough, settings)));
        }
        _ => ServerTlsMode::Simple,
    };
    match option(TERMINATE_MODE) {
        Some("MUTUAL") => mode = ServerTlsMode::Mutual,
        Some("OPTIONAL_MUTUAL") => mode = ServerTlsMode::OptionalMutual,
        Some("ISTIO_SIMPLE") => {
            settings.credential_names = vec!["builtin://".into()];
            return Some(Some(with(ServerTlsMode::Simple, settings)));
        }
        Some("ISTIO_MUTUAL") => return Some(Some(with(ServerTlsMode::IstioMutual, settings))),
        _ => {}
    }
    settings.credential_names = certificates(owner, tls, world, &at, sink)?;
    if let Some(validation) = validation(owner, listener) {
        mode = match validation.mode.as_deref() {
            Some("AllowInsecureFallback") => ServerTlsMode::OptionalMutual,
            _ => ServerTlsMode::Mutual,
        };
        let authority = authority(owner, validation, world, &at, sink)?;
        settings.ca_credential_name = Some(authority);
    }
    Some(Some(with(mode, settings)))
}

fn with(mode: ServerTlsMode, settings: TlsSettings) -> ServerTls {
    ServerTls {
        mode,
        https_redirect: false,
        settings: Arc::new(settings),
    }
}

/// The names of its certificates; `None`: none of them can be used.
fn certificates(
    owner: &Owner<'_>,
    tls: &raw::ListenerTls,
    world: &World<'_>,
    at: &At<'_>,
    sink: &mut Sink<'_>,
) -> Option<Vec<Box<str>>> {
    let at = at.field("certificateRefs");
    let refs = &tls.certificate_refs;
    if refs.is_empty() || refs.len() > 2 {
        let message = "a listener that terminates TLS needs one certificate, or two";
        sink.push(&at, Code::INVALID_CERTIFICATE_REF, message);
        return None;
    }
    let names: Vec<Box<str>> = (refs.iter().enumerate())
        .map(|(index, one)| match certificate(owner, one, world) {
            Ok(name) => name.into(),
            Err((code, message)) => {
                sink.push(&at.index(index), code, message);
                "".into()
            }
        })
        .collect();
    names.iter().any(|name| !name.is_empty()).then_some(names)
}

fn certificate(
    owner: &Owner<'_>,
    one: &raw::ObjectRef,
    world: &World<'_>,
) -> Result<String, (Code, String)> {
    let (group, kind) = (one.group.as_deref(), one.kind.as_deref());
    if !matches!((group, kind), (None | Some(""), None | Some("Secret"))) {
        let message = format!(
            "a certificate is in a Secret, not in a `{}`",
            kind.unwrap_or("")
        );
        return Err((Code::INVALID_CERTIFICATE_REF, message));
    }
    let own = &*owner.meta.namespace;
    let namespace = one.namespace.as_deref().unwrap_or(own);
    let target = ("Secret", namespace, &*one.name);
    if namespace != own && !world.grants.allow((owner.kind, own), target) {
        let message = format!(
            "no ReferenceGrant in namespace `{namespace}` lets a {} of `{own}` name the Secret",
            owner.kind
        );
        return Err((Code::REF_NOT_PERMITTED, message));
    }
    match world.secrets.get(&(namespace, &*one.name)) {
        None => Err((
            Code::INVALID_CERTIFICATE_REF,
            format!("there is no Secret `{namespace}/{}`", one.name),
        )),
        Some(secret) if !holds_key_pair(secret) => Err((
            Code::INVALID_CERTIFICATE_REF,
            format!(
                "Secret `{namespace}/{}` holds no certificate with its key",
                one.name
            ),
        )),
        Some(_) => Ok(format!("kubernetes-gateway://{namespace}/{}", one.name)),
    }
}

/// Under the names of Kubernetes or those of Istio.
fn holds_key_pair(secret: &Secret) -> bool {
    let pair = |certificate: &str, key: &str| {
        let certificate = secret.value(certificate);
        let key = secret.value(key);
        certificate.is_some_and(|value| value.has_certificates())
            && key.is_some_and(|value| value.has_private_key())
    };
    pair("tls.crt", "tls.key") || pair("cert", "key")
}

/// How clients' certificates are checked, by port or else for all.
fn validation<'a>(
    owner: &Owner<'a>,
    listener: &raw::Listener,
) -> Option<&'a raw::FrontendValidation> {
    let frontend = owner.gateway.tls.as_ref()?.frontend.as_ref()?;
    let mut by_port = frontend.per_port.iter();
    match by_port.find(|one| Some(one.port) == listener.port) {
        Some(one) => one.tls.validation.as_ref(),
        None => frontend.default.as_ref()?.validation.as_ref(),
    }
}

/// The one object that clients' certificates are checked with; `None`: it cannot be used.
fn authority(
    owner: &Owner<'_>,
    validation: &raw::FrontendValidation,
    world: &World<'_>,
    at: &At<'_>,
    sink: &mut Sink<'_>,
) -> Option<Box<str>> {
    let [one] = validation.ca_certificate_refs.as_slice() else {
        let message = "clients' certificates are checked with one object";
        sink.push(at, Code::INVALID_CERTIFICATE_REF, message);
        return None;
    };
    let own = &*owner.meta.namespace;
    let namespace = one.namespace.as_deref().unwrap_or(own);
    let kind = one.kind.as_deref().unwrap_or("ConfigMap");
    if namespace != own
        && !world
            .grants
            .allow((owner.kind, own), (kind, namespace, &one.name))
    {
        let message = format!(
            "no ReferenceGrant in namespace `{namespace}` lets a {} of `{own}` name the {kind}",
            owner.kind
        );
        sink.push(at, Code::REF_NOT_PERMITTED, message);
        return None;
    }
    let key = (namespace, &*one.name);
    let has_root = match kind {
        "ConfigMap" => world.config_maps.get(&key).is_some_and(|map| {
            let value = map.data.get("ca.crt").or_else(|| map.data.get("cacert"));
            value.is_some_and(|value| value.0.has_certificates())
        }),
        "Secret" => world.secrets.get(&key).is_some_and(|secret| {
            let value = secret.value("ca.crt").or_else(|| secret.value("cacert"));
            value.is_some_and(|value| value.has_certificates())
        }),
        _ => false,
    };
    if !has_root {
        let message = format!(
            "there is no {kind} `{namespace}/{}` with `ca.crt`",
            one.name
        );
        sink.push(at, Code::INVALID_CERTIFICATE_REF, message);
        return None;
    }
    Some(match kind {
        "ConfigMap" => format!("configmap://{namespace}/{}", one.name).into(),
        _ => format!("kubernetes-gateway://{namespace}/{}", one.name).into(),
    })
}
