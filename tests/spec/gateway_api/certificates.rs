//! TLS of a listener.

use serde_json::json;

use super::grants::{Reference, is_granted};
use super::or;
use crate::spec::world::namespace;
use crate::spec::{Yaml, list, number, text};

/// R-G-013: `tls` of a server, `null` if the listener has none; an error makes the listener invalid. `owner` is its Gateway
/// or ListenerSet, `gateway` the Gateway.
pub(super) fn tls(
    resources: &[Yaml],
    owner: &Yaml,
    gateway: &Yaml,
    listener: &Yaml,
) -> Result<Yaml, ()> {
    let said = &listener["tls"];
    if !said.is_object() {
        return Ok(Yaml::Null);
    }
    if or(said, "mode", "Terminate") == "Passthrough" {
        return Ok(json!({"mode": "PASSTHROUGH"}));
    }
    let wanted = text(&said["options"], "gateway.istio.io/tls-terminate-mode");
    match wanted {
        "ISTIO_SIMPLE" => return Ok(json!({"mode": "SIMPLE", "credentialName": "builtin://"})),
        "ISTIO_MUTUAL" => return Ok(json!({"mode": "ISTIO_MUTUAL"})),
        _ => {}
    }
    let mut mode = match wanted {
        "MUTUAL" | "OPTIONAL_MUTUAL" => wanted,
        _ => "SIMPLE",
    };
    let certificates = list(said, "certificateRefs");
    let usable = |reference: &&Yaml| is_key_pair(resources, owner, reference);
    if certificates.len() > 2 || !certificates.iter().any(|one| usable(&one)) {
        return Err(());
    }
    let frontend = &gateway["spec"]["tls"]["frontend"];
    let of_port = list(frontend, "perPort")
        .iter()
        .find(|one| number(one, "port") == number(listener, "port"));
    let validation = match of_port {
        Some(own) => &own["tls"]["validation"],
        None => &frontend["default"]["validation"],
    };
    if validation.is_object() {
        let authorities = list(validation, "caCertificateRefs");
        if authorities.len() > 1 {
            return Err(());
        }
        let mut unusable = authorities
            .iter()
            .filter(|one| !is_authority(resources, gateway, one));
        if unusable.next().is_some() {
            return Err(());
        }
        mode = match text(validation, "mode") {
            "AllowInsecureFallback" => "OPTIONAL_MUTUAL",
            _ => "MUTUAL",
        };
    }
    Ok(json!({"mode": mode, "credentialName": "kubernetes-gateway://"}))
}

/// The kind of a resource that holds listeners.
fn kind_of(owner: &Yaml) -> &str {
    text(owner, "kind")
}

/// The target of a reference, if it is granted.
fn target<'a>(
    resources: &'a [Yaml],
    owner: &Yaml,
    reference: &Yaml,
    kind: &str,
) -> Option<&'a Yaml> {
    let own = namespace(owner);
    let to = or(reference, "namespace", own);
    let asked = Reference {
        from_kind: kind_of(owner),
        from_namespace: own,
        group: "",
        kind,
        namespace: to,
        name: text(reference, "name"),
    };
    if !is_granted(resources, &asked) {
        return None;
    }
    resources.iter().find(|one| {
        text(one, "kind") == kind
            && namespace(one) == to
            && text(&one["metadata"], "name") == text(reference, "name")
    })
}

/// Something in PEM, in base64 where `encoded`.
fn is_pem(value: &Yaml, encoded: bool) -> bool {
    let begins = if encoded {
        "LS0tLS1CRUdJTi"
    } else {
        "-----BEGIN "
    };
    value
        .as_str()
        .is_some_and(|said| said.trim_start().starts_with(begins))
}

/// R-G-013: a Secret that exists and holds certificates and a key, under either pair of names.
fn is_key_pair(resources: &[Yaml], owner: &Yaml, reference: &Yaml) -> bool {
    if or(reference, "kind", "Secret") != "Secret" || !or(reference, "group", "").is_empty() {
        return false;
    }
    let Some(secret) = target(resources, owner, reference, "Secret") else {
        return false;
    };
    let has = |names: [&str; 2]| {
        names.iter().all(|name| {
            is_pem(&secret["data"][*name], true) || is_pem(&secret["stringData"][*name], false)
        })
    };
    has(["tls.crt", "tls.key"]) || has(["cert", "key"])
}

/// A ConfigMap or Secret that holds a root.
fn is_authority(resources: &[Yaml], owner: &Yaml, reference: &Yaml) -> bool {
    let kind = or(reference, "kind", "ConfigMap");
    if !["ConfigMap", "Secret"].contains(&kind) || !or(reference, "group", "").is_empty() {
        return false;
    }
    let names = ["ca.crt", "cacert"];
    target(resources, owner, reference, kind).is_some_and(|one| {
        let encoded = kind == "Secret";
        names
            .iter()
            .any(|name| is_pem(&one["data"][*name], encoded))
    })
}
