//! A worker: one a thread, as Envoy has them. It keeps whose turn it is; nobody else sees that, so that choosing needs no lock.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use crate::router::LbPolicy;
use crate::terms::weighted::{Draw, split_entropy};

use super::counters::Counters;
use super::outlier::Detector;
use super::pool::Pool;
use super::priority::{self, Eligible};
use super::target::EndpointId;
use super::time::milliseconds;
use super::view::{Source, View};

/// What an endpoint is chosen by. Everything is handed in: no clock, no generator.
///
/// ```
/// use std::time::Duration;
/// use meshroute::balance::Choice;
///
/// let choice = Choice::new(0x1234_5678_9abc_def0).at(Duration::from_secs(7));
/// # let _ = choice;
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Choice<'c> {
    entropy: u64,
    hash: Option<u64>,
    tried: &'c [EndpointId],
    now: Duration,
    destination: Option<SocketAddr>,
}

impl<'c> Choice<'c> {
    /// `host_selection_retry_max_attempts`, as istiod sets it (R-B-54).
    const FURTHER_ATTEMPTS: u32 = 5;

    /// For a request with this random word; the same one that it was decided with will do.
    pub fn new(entropy: u64) -> Self {
        Choice {
            entropy,
            ..Choice::default()
        }
    }

    /// With the hash of the request ([`Decision::request_hash`](crate::Decision::request_hash)). Without one, a balancer by hash
    /// takes the random word (R-B-06).
    #[must_use]
    pub fn hash(mut self, hash: Option<u64>) -> Self {
        self.hash = hash;
        self
    }

    /// Rather not one of these: a retry gives those that the request has been sent to, where its policy says so
    /// ([`avoid_previous_hosts`](crate::terms::route_policy::RetryPolicy)). After five more choices any will do (R-B-54).
    #[must_use]
    pub fn tried(mut self, endpoints: &'c [EndpointId]) -> Self {
        self.tried = endpoints;
        self
    }

    /// At this time, on the same clock as everything that a [`State`](super::State) is told: since any moment, as long as it is the same one,
    /// and never backwards.
    #[must_use]
    pub fn at(mut self, now: Duration) -> Self {
        self.now = now;
        self
    }

    /// Where the client meant the connection to go, for clusters of the original destination; where the request's host resolves
    /// to, for those that resolve it.
    #[must_use]
    pub fn destination(mut self, address: SocketAddr) -> Self {
        self.destination = Some(address);
        self
    }

    pub(super) fn now_ms(&self) -> u64 {
        milliseconds(self.now)
    }

    pub(super) fn told(&self) -> Option<SocketAddr> {
        self.destination
    }
}

/// Whose turn it is, for one thread and one cluster. Make one for each thread; [`State::choose`](super::State::choose) brings it up to date by itself,
/// also when the state is followed by another one.
///
/// # Complexity
/// Memory: some 4 bytes for each endpoint, 24 more where weights differ; rings and tables are shared by all workers as long as
/// nobody is ejected.
pub struct Worker {
    seed: u64,
    seen: Option<Seen>,
}

/// The view, and of what it is one.
struct Seen {
    view: View,
    pool: Arc<Pool>,
    detector: Arc<Detector>,
    epoch: u64,
}

impl Worker {
    /// One that begins at a place of its own, so that not all threads begin with the same endpoint: `seed` is any random word.
    pub fn new(seed: u64) -> Self {
        Worker { seed, seen: None }
    }

    #[inline]
    pub(super) fn look(&mut self, counters: &Counters, now: u64) -> &mut View {
        let epoch = counters.epoch();
        let is_current = self.seen.as_ref().is_some_and(|seen| {
            seen.epoch == epoch
                && std::ptr::eq(&*seen.pool, &*counters.pool)
                && Arc::ptr_eq(&seen.detector, &counters.shared.detector)
        });
        let before = match is_current {
            true => None,
            false => self.seen.take().map(|seen| seen.view),
        };
        let seed = self.seed;
        let seen = self.seen.get_or_insert_with(|| Seen {
            view: View::new(counters, before, seed, now),
            pool: counters.pool.clone(),
            detector: counters.shared.detector.clone(),
            epoch,
        });
        &mut seen.view
    }
}

impl fmt::Debug for Worker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Worker").finish_non_exhaustive()
    }
}

impl View {
    /// The endpoint of a request (R-B-12..R-B-54); `None`: none is eligible.
    ///
    /// # Complexity
    /// By place: constant; by deadline or ring: logarithmic; Maglev: one load. No allocation.
    #[inline]
    pub(super) fn choose(
        &mut self,
        counters: &Counters,
        choice: &Choice<'_>,
        now: u64,
    ) -> Option<u32> {
        let is_hashed = self
            .levels
            .first()
            .is_some_and(|level| level.table.is_some());
        if is_hashed {
            return self.choose_by_hash(counters, choice);
        }
        let mut draws = Draws {
            entropy: choice.entropy,
            number: 0,
        };
        let mut chosen = self.choose_once(counters, &mut draws, now)?;
        if !choice.tried.is_empty() {
            for _ in 0..Choice::FURTHER_ATTEMPTS {
                if !counters.is_one_of(chosen, choice.tried) {
                    break;
                }
                chosen = self.choose_once(counters, &mut draws, now)?;
            }
        }
        Some(chosen)
    }

    fn choose_by_hash(&self, counters: &Counters, choice: &Choice<'_>) -> Option<u32> {
        let random = || split_entropy(choice.entropy, Draw::Endpoint(0));
        let hash = choice.hash.unwrap_or_else(random);
        let (level, _) = priority::choose(&self.loads, hash)?;
        let table = self.levels.get(level)?.table.as_ref()?;
        let mut chosen = table.choose(hash, 0)?;
        if !choice.tried.is_empty() {
            for attempt in 1..=Choice::FURTHER_ATTEMPTS {
                if !counters.is_one_of(chosen, choice.tried) {
                    break;
                }
                chosen = table.choose(hash, attempt)?;
            }
        }
        Some(chosen)
    }

    #[inline]
    fn choose_once(&mut self, counters: &Counters, draws: &mut Draws, now: u64) -> Option<u32> {
        let policy = counters.policy();
        // An index at random and the priority come from one word, as in Envoy.
        let is_random = matches!(policy, LbPolicy::Random);
        let word = match is_random {
            true => draws.word(),
            false => 0,
        };
        let (level, eligible) = match &*self.loads {
            [load] if load.healthy == 100 && !load.panics => (0, Eligible::Healthy),
            loads => {
                let word = if is_random { word } else { draws.word() };
                priority::choose(loads, word)?
            }
        };
        let warm_at = self.warm_at;
        let source = self
            .levels
            .get_mut(level)?
            .source(eligible, || draws.word());
        match policy {
            LbPolicy::RoundRobin { .. } => source.in_turn(counters, warm_at, now),
            LbPolicy::LeastRequest { .. } if source.turns.is_some() => {
                source.in_turn(counters, warm_at, now)
            }
            LbPolicy::LeastRequest { .. } => source.less_busy(counters, draws.word()),
            _ => {
                let at = word.checked_rem(source.members.len() as u64)?;
                source.members.get(at as usize).copied()
            }
        }
    }
}

impl Source {
    /// The next one in turn (R-B-50).
    #[inline]
    fn in_turn(&mut self, counters: &Counters, warm_at: u64, now: u64) -> Option<u32> {
        match &mut self.turns {
            Some(turns) => turns.pick(|at| counters.weight(at, warm_at, now)),
            None => {
                let at = self.next.checked_rem(self.members.len() as u64)?;
                self.next = self.next.wrapping_add(1);
                self.members.get(at as usize).copied()
            }
        }
    }

    /// Of two at random the one with fewer requests under way; the first where they have as many (R-B-51).
    #[inline]
    fn less_busy(&self, counters: &Counters, word: u64) -> Option<u32> {
        let count = self.members.len() as u64;
        let place = |half: u64| ((half * count) >> 32) as usize;
        let first = *self.members.get(place(word & 0xFFFF_FFFF))?;
        let second = *self.members.get(place(word >> 32))?;
        match counters.active(second as usize) < counters.active(first as usize) {
            true => Some(second),
            false => Some(first),
        }
    }
}

/// Random words of one request, one after the other.
struct Draws {
    entropy: u64,
    number: u16,
}

impl Draws {
    #[inline]
    fn word(&mut self) -> u64 {
        let word = split_entropy(self.entropy, Draw::Endpoint(self.number));
        self.number = self.number.wrapping_add(1);
        word
    }
}
