//! `unknown-gateway` (MR0309; istioctl's IST0101, R-M-193).
//!
//! **What it does**: finds VirtualServices that are bound to a Gateway which does not exist.
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

use std::collections::HashSet;

use crate::diagnostic::{Code, FieldPath, Report};

use super::{Facts, author, finding};

pub(super) fn check(facts: &Facts<'_>, report: &mut Report) {
    let known: HashSet<String> = facts
        .mesh
        .gateways
        .iter()
        .map(|gateway| gateway.resource.to_string())
        .collect();
    for from in &facts.mesh.virtual_services {
        for (index, name) in from.gateways.iter().enumerate() {
            if &**name == "mesh" || known.contains(&**name) {
                continue;
            }
            let short = name.rsplit('/').next().unwrap_or(name);
            let others: Vec<_> = facts
                .mesh
                .gateways
                .iter()
                .filter(|gateway| &*gateway.resource.name == short)
                .map(|gateway| format!("`{}`", gateway.resource))
                .collect();
            let field = FieldPath::from("spec").field("gateways").index(index);
            let message = format!("there is no Gateway `{name}`");
            let diagnostic = finding(Code::UNKNOWN_GATEWAY, author(&from.author), field, message);
            report.push(match others.is_empty() {
                true => diagnostic,
                false => diagnostic.with_help(format!("there is {}", others.join(", "))),
            });
        }
    }
}
