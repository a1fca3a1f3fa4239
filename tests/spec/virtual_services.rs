//! VirtualServices: names in full, delegates spliced in, and which ones a proxy sees in which order.
//! Sections 1 and 2 of istio-http.md.

use super::delegates::expanded_rules;
use super::names::{Export, complete, complete_gateway, default_export};
use super::world::{World, has_gateway_semantics, namespace};
use super::{Yaml, list, texts};

/// Applies `change` to the text in `value[field]`, if there is one.
fn change_text(value: &mut Yaml, field: &str, change: &dyn Fn(&str) -> String) {
    if let Some(old) = value[field].as_str() {
        value[field] = change(old).into();
    }
}

/// Applies `change` to each text of the list `value[field]`.
fn change_texts(value: &mut Yaml, field: &str, change: &dyn Fn(&str) -> String) {
    let changed: Vec<Yaml> = texts(value, field)
        .iter()
        .map(|old| change(old).into())
        .collect();
    if !changed.is_empty() {
        value[field] = Yaml::Array(changed);
    }
}

/// R-M-010: the same VirtualService with every short name completed by its own namespace.
pub fn with_full_names(resource: &Yaml) -> Yaml {
    let owner = namespace(resource).to_owned();
    let host = |name: &str| complete(name, &owner);
    let gateway = |name: &str| complete_gateway(name, &owner);
    let mut out = resource.clone();
    let spec = &mut out["spec"];
    change_texts(spec, "hosts", &host);
    change_texts(spec, "gateways", &gateway);
    for section in ["http", "tls", "tcp"] {
        for rule in spec[section].as_array_mut().into_iter().flatten() {
            for route in rule["route"].as_array_mut().into_iter().flatten() {
                change_text(&mut route["destination"], "host", &host);
            }
            for mirror in rule["mirrors"].as_array_mut().into_iter().flatten() {
                change_text(&mut mirror["destination"], "host", &host);
            }
            if !rule["mirror"].is_null() {
                change_text(&mut rule["mirror"], "host", &host);
            }
            for matched in rule["match"].as_array_mut().into_iter().flatten() {
                if !matched.is_null() {
                    change_texts(matched, "gateways", &gateway);
                }
            }
        }
    }
    out
}

/// R-H-010: the gateways that a VirtualService binds to.
pub fn gateways(resource: &Yaml) -> Vec<String> {
    let said = texts(&resource["spec"], "gateways");
    if said.is_empty() {
        vec!["mesh".to_owned()]
    } else {
        said
    }
}

/// The VirtualServices that a proxy in `viewer` sees and that are bound to `gateway` (`mesh` or `namespace/name`), in
/// effective order: private ones, those exported to it by name, public ones (R-H-023); each in config order.
pub fn visible(world: &World, viewer: &str, gateway: &str) -> Vec<Yaml> {
    let default = default_export(&world.mesh, "defaultVirtualServiceExportTo");
    let (mut private, mut exported, mut public) = (vec![], vec![], vec![]);
    for resource in world.of_kind("VirtualService") {
        // R-H-012: one without hosts is a delegate, never routed to by itself.
        if list(&resource["spec"], "hosts").is_empty() {
            continue;
        }
        // R-G-055
        let mut full = match has_gateway_semantics(resource) {
            true => resource.clone(),
            false => with_full_names(resource),
        };
        if !gateways(&full).iter().any(|bound| bound == gateway) {
            continue;
        }
        let rules = expanded_rules(world, &full);
        if full["spec"]["http"].is_array() {
            full["spec"]["http"] = Yaml::Array(rules);
        }
        let owner = namespace(resource);
        let said = texts(&resource["spec"], "exportTo");
        match Export::read(&said, &default, owner) {
            Export::Public => public.push(full),
            Export::Nobody => {}
            Export::To(namespaces) if !namespaces.iter().any(|n| n == viewer) => {}
            Export::To(_) if owner == viewer => private.push(full),
            Export::To(_) => exported.push(full),
        }
    }
    // R-G-057: in each group, those of the viewer's own routes come first.
    let is_own = |vs: &Yaml| has_gateway_semantics(vs) && namespace(vs) == viewer;
    for group in [&mut private, &mut exported, &mut public] {
        group.sort_by_key(|vs| !is_own(vs));
    }
    private.extend(exported);
    private.extend(public);
    private
}

/// The hosts of a VirtualService.
pub fn hosts(resource: &Yaml) -> Vec<String> {
    texts(&resource["spec"], "hosts")
}
