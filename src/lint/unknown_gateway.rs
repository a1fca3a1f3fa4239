//! `unknown-gateway` (MR0309; istioctl's IST0101, R-M-193).
//!
//! **What it does**: finds VirtualServices that are bound to a Gateway which does not exist. It is silent where
//! no Gateway of that namespace, and none of that name, is given: it may be in another repository.
//!
//! **Why is this bad**: the VirtualService has no effect there.
//!
//! **Example**
//! ```yaml
//! metadata: {namespace: shop}
//! spec:
//!   gateways: [public]   # means shop/public; the Gateway is istio-system/public
//! ```
//! **Use instead**: `namespace/name` (R-M-012).

use crate::diagnostic::{Code, FieldPath, Report};
use crate::terms::hash::{HashMap, HashSet};
use crate::terms::name::{GatewayName, ResourceName};

use super::{Facts, author, finding};

/// How many Gateways of the same name are listed.
const MOST_LISTED: usize = 3;

pub(super) fn check(facts: &Facts<'_>, report: &mut Report) {
    let mut known: HashSet<&ResourceName> = HashSet::default();
    let mut by_name: HashMap<&str, Vec<&ResourceName>> = HashMap::default();
    for gateway in &facts.mesh.gateways {
        known.insert(&gateway.resource);
        let namesakes = by_name.entry(&gateway.resource.name).or_default();
        namesakes.push(&gateway.resource);
    }
    let namespaces: HashSet<&str> = known.iter().map(|name| &*name.namespace).collect();
    for from in &facts.mesh.virtual_services {
        for (index, name) in from.gateways.iter().enumerate() {
            let GatewayName::Named(name) = name else {
                continue;
            };
            let is_elsewhere =
                !by_name.contains_key(&*name.name) && !namespaces.contains(&*name.namespace);
            if known.contains(name) || is_elsewhere {
                continue;
            }
            let field = FieldPath::from("spec").field("gateways").index(index);
            let message = format!("there is no Gateway `{name}`");
            let diagnostic = finding(Code::UNKNOWN_GATEWAY, author(&from.author), field, message);
            report.push(match by_name.get(&*name.name) {
                None => diagnostic,
                Some(others) => diagnostic.with_help(help(others)),
            });
        }
    }
}

fn help(others: &[&ResourceName]) -> String {
    let listed: Vec<String> = others
        .iter()
        .take(MOST_LISTED)
        .map(|other| format!("`{other}`"))
        .collect();
    let listed = listed.join(", ");
    match others.len().saturating_sub(MOST_LISTED) {
        0 => format!("there is {listed}"),
        more => format!("there is {listed}, and {more} more in other namespaces"),
    }
}
