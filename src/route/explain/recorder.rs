//! What `explain` has beside the walk: everything that is seen, written down.

use super::step::{Step, TriedRule, UnmetTest};
use crate::decision::Side;
use crate::route::probe::Probe;
use crate::route::subject::{Own, Subject};
use crate::router::{FilterChain, Listener, RouteConfig, Rule, VirtualHost};
use crate::terms::condition::{Condition, Unmet};
use crate::terms::host::{self, without_port};
use crate::terms::weighted::{Draw, FractionalPercent};

/// The steps so far.
#[derive(Default)]
pub(super) struct Recorder {
    pub steps: Vec<Step>,
    /// Place among the steps of the rule that lacks least so far, and what it lacks.
    closest: Option<(usize, (bool, usize, bool))>,
}

impl Recorder {
    /// The steps, with the closest miss marked.
    pub(super) fn into_steps(mut self) -> Vec<Step> {
        if let Some((place, _)) = self.closest
            && let Some(Step::Rule(rule)) = self.steps.get_mut(place)
        {
            rule.is_closest = true;
        }
        self.steps
    }

    fn rule(&mut self, position: usize, rule: &Rule, unmet: Vec<UnmetTest>) {
        self.steps.push(Step::Rule(TriedRule {
            position,
            name: rule.name().to_owned(),
            origin: rule.origin().cloned(),
            location: None,
            root_location: None,
            tests: 1 + rule.matches().conditions.len(),
            unmet,
            is_closest: false,
        }));
    }
}

/// Says of a header that the proxy changed before it was matched what became of it.
fn came(unmet: Unmet<'_>, subject: &Subject<'_, '_>) -> String {
    let came = unmet.came(subject);
    let Unmet::Condition(Condition::Header(header)) = unmet else {
        return came;
    };
    if header.name.starts_with(':') || subject.first_line(&header.name).is_none() {
        return came;
    }
    match subject.own(&header.name) {
        Own::Absent => format!("{came}: the proxy removed what came"),
        Own::Value(_) | Own::ForwardedFor | Own::ExternalAddress | Own::Port => {
            format!("{came}: the proxy replaced what came")
        }
        Own::Given | Own::Crumbs => came,
    }
}

impl Probe for Recorder {
    const SEES_EVERY_RULE: bool = true;

    fn side(&mut self, side: Side) {
        self.steps.push(Step::Side {
            side: match side {
                Side::Mesh => "mesh",
                Side::Gateway => "gateway",
            },
        });
    }

    fn listener(&mut self, listener: &Listener, is_fallback: bool) {
        self.steps.push(Step::Listener {
            name: listener.name().to_owned(),
            is_fallback,
        });
    }

    fn chain(&mut self, chain: &FilterChain) {
        if !chain.name().is_empty() {
            self.steps.push(Step::FilterChain {
                name: chain.name().to_owned(),
            });
        }
    }

    fn path(&mut self, given: &str, normal: &str) {
        if given != normal {
            self.steps.push(Step::Path {
                given: given.to_owned(),
                normal: normal.to_owned(),
            });
        }
    }

    fn virtual_host(&mut self, config: &RouteConfig, authority: &str, virtual_host: &VirtualHost) {
        let name = without_port(authority);
        let domain = virtual_host
            .domains()
            .max_by_key(|domain| host::fit(domain, name));
        self.steps.push(Step::VirtualHost {
            name: virtual_host.name().to_owned(),
            route_config: config.name().to_owned(),
            authority: authority.to_owned(),
            domain: domain.map(str::to_owned),
        });
    }

    fn no_virtual_host(&mut self, config: &RouteConfig, authority: &str) {
        self.steps.push(Step::NoVirtualHost {
            route_config: config.name().to_owned(),
            authority: authority.to_owned(),
        });
    }

    fn https_redirect(&mut self) {
        self.steps.push(Step::HttpsRedirect);
    }

    fn skipped(&mut self, position: usize, rule: &Rule, subject: &Subject<'_, '_>) {
        let mut misses_path = false;
        let unmet = rule.matches().all_unmet(subject).map(|unmet| {
            misses_path |= matches!(unmet, Unmet::Path(_));
            UnmetTest {
                problem: unmet.to_string(),
                came: came(unmet, subject),
            }
        });
        let unmet: Vec<UnmetTest> = unmet.collect();
        // A rule for this very path is nearer than any that is for another, or for all.
        let lacks = (misses_path, unmet.len(), rule.matches().path.is_any());
        if self.closest.is_none_or(|(_, least)| lacks < least) {
            self.closest = Some((self.steps.len(), lacks));
        }
        self.rule(position, rule, unmet);
    }

    fn matched(&mut self, position: usize, rule: &Rule) {
        self.rule(position, rule, Vec::new());
    }

    fn drawn(&mut self, draw: Draw, chance: FractionalPercent, hit: bool) {
        self.steps.push(Step::Draw {
            what: match draw {
                Draw::FaultDelay => "fault delay",
                Draw::FaultAbort => "fault abort",
                _ => "destination",
            },
            percent: f64::from(chance.numerator()) / 10_000.0,
            hit,
        });
    }

    fn split(&mut self, cluster: &str, weight: u32, total: u64) {
        self.steps.push(Step::Split {
            cluster: cluster.to_owned(),
            weight,
            total,
        });
    }
}
