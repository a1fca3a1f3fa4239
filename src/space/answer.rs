//! Effects in words.

use super::aspect::Aspect;
use super::changes::Answer;
use super::effect::{Effect, Effects, Verb};
use crate::decision::Decision;

/// The answer that an effect is, given to a request of which `decision` was made. What the aspects say is spelled out.
pub(super) fn answer(
    effects: &Effects<'_>,
    effect: u32,
    decision: Option<&Decision<'_>>,
    aspects: &[Aspect],
) -> Answer {
    let effect = &effects.all[effect as usize];
    let mut clusters: Vec<(String, u64)> = Vec::new();
    if let Effect::Tcp { targets, .. } = effect {
        clusters = shares(effects, &targets.all);
    }
    let (mut text, status) = match effect {
        Effect::NotFound => ("404, no route".to_owned(), Some(404)),
        Effect::Closed => ("no connection".to_owned(), None),
        Effect::HttpsRedirect => ("301 to https".to_owned(), Some(301)),
        Effect::Tcp { .. } => (String::from("TCP "), None),
        Effect::Action(action) => match &action.verb {
            Verb::Forward { targets, .. } => {
                clusters = shares(effects, &targets.all);
                let exists = targets
                    .all
                    .iter()
                    .all(|(number, ..)| effects.clusters[*number as usize].1);
                (
                    String::new(),
                    (!exists && clusters.len() == 1).then(|| action.missing_status()),
                )
            }
            Verb::Redirect(redirect, _) => (
                format!("redirect {}", redirect.status),
                Some(redirect.status),
            ),
            Verb::Respond(response) => (
                format!("direct response {}", response.status),
                Some(response.status),
            ),
        },
    };
    let names: Vec<String> = match &*clusters {
        [(name, _)] => vec![name.clone()],
        _ => clusters
            .iter()
            .map(|(name, share)| format!("{share} of {name}"))
            .collect(),
    };
    text.push_str(&names.join(", "));
    if let (Some(status), false) = (status, clusters.is_empty()) {
        text.push_str(&format!(", which does not exist: {status}"));
    }
    for aspect in aspects {
        if let Effect::Action(action) = effect
            && let Some(detail) = action.detail(effects, *aspect)
        {
            text.push_str(&format!("; {aspect} {detail}"));
        }
    }
    let rule = decision.and_then(|decision| {
        let named = decision.route_name().filter(|name| !name.is_empty());
        let origin = decision.origin().map(|origin| match named {
            Some(name) => format!("`{name}` of {origin}"),
            None => origin.to_string(),
        });
        origin.or_else(|| named.map(|name| format!("`{name}`")))
    });
    Answer {
        text,
        rule,
        clusters,
        status,
    }
}

fn shares<T>(effects: &Effects<'_>, targets: &[(u32, u64, T)]) -> Vec<(String, u64)> {
    let named = targets.iter().map(|(number, share, _)| {
        let (cluster, _) = effects.clusters[*number as usize];
        (cluster.name().to_owned(), *share)
    });
    named.collect()
}
