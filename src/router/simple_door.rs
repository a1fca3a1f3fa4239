//! The simple door: from a host and a gateway to a destination, settled beforehand.
//!
//! What a plain `GET /` comes to depends, at each gateway, on nothing but which domain fits the host best, among all that
//! some step of the walk looks at. So each of these domains is walked once, when the router is made (in `route::settle`),
//! and what comes out stands here in [`SimpleTable`]s. Where it depends on more (rules that test the authority, faults by
//! chance), the record says so, and the request is walked.

use std::sync::Arc;

use super::arrivals::GatewayId;
use super::host_table::{GATEWAYS, SimpleTable, Target};
use super::{Action, Chunked, ClusterId, ClusterTable};
use crate::terms::route_error::RouteError;
use crate::terms::weighted::{Draw, split_entropy};

/// The answers of all gateways. Cheap to clone: the parts are shared.
#[derive(Clone, Default)]
pub(crate) struct SimpleDoor {
    /// Of each [`GATEWAYS`] gateways.
    pub tables: Arc<[SimpleTable]>,
    /// What the splits in the tables lead to.
    pub picks: Chunked<ClusterId>,
    /// Forwards with splits that no record holds.
    pub actions: Chunked<Arc<Action>>,
    /// How many of the picks and actions were there when the door was made, and not by an update.
    pub at_first: Counts,
}

/// How many picks and actions there are.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counts {
    pub picks: u32,
    pub actions: u32,
}

/// Where the simple door leads.
pub(crate) enum Settled {
    /// To a destination.
    Destination(ClusterId),
    /// Nowhere.
    Nowhere(RouteError),
    /// It depends on more than the host: walk.
    Walk,
}

impl SimpleDoor {
    /// Where a plain `GET /` for `authority` leads at a gateway, and how many of its first bytes are surely such as an
    /// authority may hold.
    ///
    /// # Complexity
    /// As [`SimpleTable::find`]. No allocation.
    #[inline]
    pub(crate) fn find(
        &self,
        clusters: &ClusterTable,
        authority: &str,
        gateway: GatewayId,
        entropy: u64,
    ) -> (Settled, usize) {
        // Without any authority, a request is refused later than one for an unknown host.
        if authority.is_empty() {
            return (Settled::Walk, 0);
        }
        let (table, bit) = place_of(gateway);
        let word = || split_entropy(entropy, Draw::Split);
        let table = self.tables.get(table);
        let Some((target, known)) = table.and_then(|table| table.find_known(authority, bit, word))
        else {
            return (Settled::Walk, 0);
        };
        let found = match target {
            Target::Destination(number) => Settled::Destination(ClusterId::from_number(number)),
            Target::Picked(number) => match self.picks.get(number as usize) {
                Some(cluster) => Settled::Destination(*cluster),
                None => Settled::Walk,
            },
            Target::Nowhere(why) => Settled::Nowhere(RouteError::from_code(why)),
            Target::Elsewhere(number) => self.elsewhere(clusters, number, word()),
            // A name that nobody may ask for is among these.
            Target::Walk => return (Settled::Walk, 0),
        };
        (found, known)
    }

    #[cold]
    fn elsewhere(&self, clusters: &ClusterTable, number: u32, word: u64) -> Settled {
        let action = self.actions.get(number as usize);
        let Some(forward) = action.and_then(|action| action.as_forward()) else {
            return Settled::Walk;
        };
        let picked = forward.split.pick(word).cluster;
        match clusters.cluster(picked).refusal() {
            None => Settled::Destination(picked),
            Some(why) => Settled::Nowhere(why),
        }
    }

    /// Heap bytes.
    pub(crate) fn memory_usage(&self) -> usize {
        let tables = self.tables.iter().map(SimpleTable::memory_usage);
        tables.sum::<usize>()
            + size_of_val(&*self.tables)
            + self.picks.memory_usage()
            + self.actions.memory_usage()
    }
}

/// Of a gateway: the table that it belongs to, and its bit there.
#[inline]
pub(crate) fn place_of(gateway: GatewayId) -> (usize, u16) {
    let number = gateway.number();
    (number / GATEWAYS, 1 << (number % GATEWAYS))
}
