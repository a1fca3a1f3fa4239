//! The ports of a service: in order, and by number.

use std::ops::Deref;
use std::sync::Arc;

use super::service::ServicePort;

/// So many are looked through one by one.
const FEW: usize = 8;

/// Ports in the order in which they are written. Cheap to clone.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ServicePorts(Arc<Inner>);

#[derive(Debug, PartialEq)]
struct Inner {
    all: Box<[ServicePort]>,
    /// Their places, sorted by number, those of one number in order; none for a few.
    by_number: Box<[u32]>,
}

impl ServicePorts {
    /// Those with this number, in order. O(log n + found).
    pub(crate) fn numbered(&self, number: u16) -> impl Iterator<Item = &ServicePort> + Clone {
        let Inner { all, by_number } = &*self.0;
        let few = if by_number.is_empty() { &all[..] } else { &[] };
        let first = by_number.partition_point(|&place| all[place as usize].number < number);
        let places = by_number[first..].iter();
        let found = places.map(|&place| &all[place as usize]);
        few.iter()
            .filter(move |port| port.number == number)
            .chain(found.take_while(move |port| port.number == number))
    }
}

impl FromIterator<ServicePort> for ServicePorts {
    fn from_iter<I: IntoIterator<Item = ServicePort>>(ports: I) -> Self {
        let all: Box<[ServicePort]> = ports.into_iter().collect();
        let mut by_number: Vec<u32> = match all.len() {
            0..=FEW => Vec::new(),
            many => (0..many as u32).collect(),
        };
        by_number.sort_by_key(|&place| all[place as usize].number);
        let by_number = by_number.into();
        ServicePorts(Arc::new(Inner { all, by_number }))
    }
}

impl Deref for ServicePorts {
    type Target = [ServicePort];

    fn deref(&self) -> &[ServicePort] {
        &self.0.all
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mesh::service::Protocol;

    #[test]
    fn ports_are_found_by_number_in_their_order_however_many_there_are() {
        for count in [0, 1, FEW, FEW + 1, 100] {
            let port = |place: usize| ServicePort {
                name: place.to_string().into(),
                number: ((place * 7) % 13) as u16,
                protocol: Protocol::Http,
                target_port: None,
                target_port_name: None,
            };
            let ports: ServicePorts = (0..count).map(port).collect();
            for number in 0..14 {
                let same = ports.iter().filter(|port| port.number == number);
                assert!(ports.numbered(number).eq(same), "{number} of {count}");
            }
        }
    }
}
