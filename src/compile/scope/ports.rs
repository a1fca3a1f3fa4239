//! The egress listeners of a sidecar by port, so that who asks for a port or a service does not walk all of them.

use smallvec::SmallVec;

use crate::terms::hash::HashMap;

use super::egress::{EgressListener, port_to_match};

/// Places of egress listeners.
#[derive(Debug, Default)]
pub(super) struct ListenerPorts {
    /// Those that import services whatever their ports.
    of_any: Vec<usize>,
    /// Those that import services with a port only.
    of_port: HashMap<u16, Vec<usize>>,
    /// The first that has each port, and the first without one.
    first: HashMap<Option<u16>, usize>,
}

impl ListenerPorts {
    pub(super) fn new(listeners: &[EgressListener<'_>]) -> Self {
        let mut ports = ListenerPorts::default();
        for (place, listener) in listeners.iter().enumerate() {
            match port_to_match(listener.written()) {
                None => ports.of_any.push(place),
                Some(port) => ports.of_port.entry(port).or_default().push(place),
            }
            let number = listener.port().map(|port| port.number);
            ports.first.entry(number).or_insert(place);
        }
        ports
    }

    /// The first listener that serves a port: that has it, or none.
    pub(super) fn serving(&self, port: u16) -> Option<usize> {
        let all = [Some(port), None].map(|number| self.first.get(&number).copied());
        all.into_iter().flatten().min()
    }

    /// In order, the listeners that can import something with one of these ports.
    pub(super) fn importing(&self, ports: impl Iterator<Item = u16>) -> SmallVec<[usize; 2]> {
        let mut places: SmallVec<[usize; 2]> = self.of_any.iter().copied().collect();
        let mut numbers: SmallVec<[u16; 4]> = ports.collect();
        numbers.sort_unstable();
        numbers.dedup();
        let lists = numbers.iter().filter_map(|port| self.of_port.get(port));
        places.extend(lists.flatten().copied());
        places.sort_unstable();
        places
    }
}
