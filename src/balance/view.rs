//! What a worker sees of a pool at one moment: who is eligible, which priority takes how much, and whose turn it is. Made anew
//! whenever the health of an endpoint changes; between that, only turns move on.

use std::sync::Arc;

use crate::router::LbPolicy;

use super::counters::Counters;
use super::edf::Schedule;
use super::members::Priority;
use super::pool::Pool;
use super::priority::{self, Count, Eligible, Load};
use super::table::Table;
use super::tracked::Health;
use super::zone::ZoneRouting;

/// 140 %, in which localities are as forgiving as priorities (R-B-52).
const OVERPROVISIONING: f64 = 1.4;

pub(super) struct View {
    pub loads: Vec<Load>,
    pub levels: Vec<Level>,
    /// Until when an endpoint warms up, in milliseconds; 0: none does.
    pub warm_at: u64,
}

/// A priority.
#[derive(Default)]
pub(super) struct Level {
    healthy: Source,
    degraded: Source,
    all: Source,
    healthy_localities: Localities,
    degraded_localities: Localities,
    zones: Option<ZoneRouting>,
    pub table: Option<Arc<Table>>,
}

/// The eligible endpoints of each locality, and whose turn it is.
#[derive(Default)]
struct Localities {
    sources: Vec<Source>,
    turns: Option<Schedule>,
    weights: Vec<f64>,
}

/// Eligible endpoints, and whose turn it is.
#[derive(Default)]
pub(super) struct Source {
    pub members: Vec<u32>,
    /// By deadline, where weights differ; else by place.
    pub turns: Option<Schedule>,
    pub next: u64,
}

impl View {
    /// As `counters` are at `now`. `seed` says where turns begin; those by place go on from `before`.
    pub(super) fn new(counters: &Counters, before: Option<View>, seed: u64, now: u64) -> Self {
        let pool = &*counters.pool;
        let health: Vec<Health> = (0..pool.len()).map(|at| counters.health(at)).collect();
        let counts = pool.members.priorities.iter().map(|priority| {
            let mut count = Count::default();
            for &at in &priority.members {
                count.all += 1;
                match health[at as usize] {
                    Health::Healthy => count.healthy += 1,
                    Health::Degraded => count.degraded += 1,
                    Health::Unhealthy => {}
                }
            }
            count
        });
        let counts: Vec<Count> = counts.collect();
        let threshold = f64::from(pool.settings().panic_threshold.min(100));
        let loads = priority::loads(&counts, threshold);
        let maker = Maker {
            counters,
            pool,
            health: &health,
            warm_at: counters.warm_at(&health),
            seed,
            now,
        };
        let mut before = before
            .map(|view| view.levels)
            .unwrap_or_default()
            .into_iter();
        let levels = pool
            .members
            .priorities
            .iter()
            .enumerate()
            .map(|(at, priority)| {
                let before = before.next().unwrap_or_else(|| Level::starting(seed));
                maker.level(at, priority, loads[at].panics, before)
            });
        View {
            levels: levels.collect(),
            warm_at: maker.warm_at,
            loads,
        }
    }
}

impl Level {
    fn starting(seed: u64) -> Self {
        Level {
            healthy: Source::starting(seed),
            degraded: Source::starting(seed),
            all: Source::starting(seed),
            ..Level::default()
        }
    }

    /// The endpoints that a request is for; `words` has as many random words as are asked for.
    pub(super) fn source(
        &mut self,
        eligible: Eligible,
        mut words: impl FnMut() -> u64,
    ) -> &mut Source {
        let (localities, whole) = match eligible {
            Eligible::All => return &mut self.all,
            Eligible::Healthy => (&mut self.healthy_localities, &mut self.healthy),
            Eligible::Degraded => (&mut self.degraded_localities, &mut self.degraded),
        };
        let weights = &localities.weights;
        let turn = match &mut localities.turns {
            Some(turns) => turns
                .pick(|at| weights.get(at as usize).copied().unwrap_or(0.0))
                .map(|at| at as usize),
            None => self
                .zones
                .as_ref()
                .map(|zones| zones.choose(words(), words())),
        };
        turn.and_then(|at| localities.sources.get_mut(at))
            .unwrap_or(whole)
    }
}

impl Source {
    fn starting(next: u64) -> Self {
        Source {
            next,
            ..Source::default()
        }
    }
}

/// What views are made from.
struct Maker<'v> {
    counters: &'v Counters,
    pool: &'v Pool,
    health: &'v [Health],
    warm_at: u64,
    seed: u64,
    now: u64,
}

impl Maker<'_> {
    fn level(&self, at: usize, priority: &Priority, panics: bool, before: Level) -> Level {
        let pool = self.pool;
        if pool.members.table_size().is_some() {
            return Level {
                table: Some(self.table(at, priority, panics)),
                ..Level::default()
            };
        }
        let of = |wanted: Health| move |at: &u32| self.health[*at as usize] == wanted;
        let members = &priority.members;
        let mut level = Level {
            healthy: self.source(members, of(Health::Healthy), before.healthy.next),
            degraded: self.source(members, of(Health::Degraded), before.degraded.next),
            ..Level::default()
        };
        if panics {
            level.all = self.source(members, |_| true, before.all.next);
        }
        if pool.settings().locality_weighted {
            level.healthy_localities =
                self.localities(priority, Health::Healthy, before.healthy_localities);
            level.degraded_localities =
                self.localities(priority, Health::Degraded, before.degraded_localities);
            level.healthy_localities.take_turns(self.seed);
            level.degraded_localities.take_turns(self.seed);
        } else if at == 0
            && let (Some(peers), Some(least)) = (&pool.peers, pool.settings().zone_aware)
        {
            let localities = self.localities(priority, Health::Healthy, before.healthy_localities);
            let counts = priority.localities.iter().zip(&localities.sources);
            let counts: Vec<(&str, usize)> = counts
                .map(|(locality, source)| (&*locality.name, source.members.len()))
                .collect();
            level.zones = ZoneRouting::new(peers, &counts, least);
            level.healthy_localities = localities;
        }
        level
    }

    /// Only healthy endpoints are on a ring or in a table, unless the priority panics: degraded ones are not.
    fn table(&self, at: usize, priority: &Priority, panics: bool) -> Arc<Table> {
        let as_configured = |at: u32| {
            let is_healthy = self.health[at as usize] == Health::Healthy;
            is_healthy == self.pool.members.is_healthy(at)
        };
        match self.pool.tables.get(at) {
            Some(table) if !panics && priority.members.iter().all(|at| as_configured(*at)) => {
                table.clone()
            }
            _ => {
                let is_healthy = |at: u32| panics || self.health[at as usize] == Health::Healthy;
                Arc::new(Table::of(&self.pool.members, priority, &is_healthy))
            }
        }
    }

    fn localities(&self, priority: &Priority, wanted: Health, before: Localities) -> Localities {
        let mut before = before.sources.into_iter().map(|source| source.next);
        let mut out = Localities::default();
        for locality in &priority.localities {
            let eligible = |at: &u32| self.health[*at as usize] == wanted;
            let next = before.next().unwrap_or(self.seed);
            let source = self.source(&locality.members, eligible, next);
            let share = source.members.len() as f64 / locality.members.len() as f64;
            let weight = f64::from(locality.weight) * (OVERPROVISIONING * share).min(1.0);
            out.weights.push(weight);
            out.sources.push(source);
        }
        out
    }

    fn source(&self, members: &[u32], is_eligible: impl Fn(&u32) -> bool, next: u64) -> Source {
        let members: Vec<u32> = members.iter().copied().filter(is_eligible).collect();
        let is_scheduled = match self.pool.settings().lb_policy {
            LbPolicy::RoundRobin { .. } | LbPolicy::LeastRequest { .. } => {
                let mut weights = members.iter().map(|at| self.pool.members.weight(*at));
                let first = weights.next();
                self.now < self.warm_at || weights.any(|weight| Some(weight) != first)
            }
            _ => false,
        };
        let turns = is_scheduled.then(|| {
            let weight = |at| self.counters.weight(at, self.warm_at, self.now);
            let picks = self.seed % (members.len() as u64).max(1);
            Schedule::new(&members, weight, picks)
        });
        Source {
            members,
            turns,
            next,
        }
    }
}

impl Localities {
    /// Localities are chosen by weight; where none has any, nobody asks for them.
    fn take_turns(&mut self, seed: u64) {
        let places: Vec<u32> = (0..self.weights.len() as u32).collect();
        if self.weights.iter().any(|weight| *weight > 0.0) {
            let weight = |at: u32| self.weights[at as usize];
            self.turns = Some(Schedule::new(&places, weight, seed % 1_000));
        }
    }
}
