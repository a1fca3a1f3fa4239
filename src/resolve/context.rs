//! What every resolver may look at: the mesh's settings, and tables that let equal texts, regexes and policies share one
//! allocation.

use std::cell::{Cell, RefCell};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use crate::mesh::MeshConfig;
use crate::terms::condition::RequestMatch;
use crate::terms::regex::{Regex, RegexBudget, RegexError};
use crate::terms::route_policy::RoutePolicy;

/// What the machines of all regexes may take: so much, and so much for each byte of the text that they stand in. That is
/// room for some eight thousand, and for every regex of an ordinary configuration.
const REGEX_BYTES: usize = 32 << 20;
const REGEX_BYTES_PER_BYTE: usize = 16;

/// The most ports that all services of ServiceEntries may have together: so many, and one more for so many bytes of the
/// text. A ServiceEntry makes a service of each host with each address, and each has all ports.
const SERVICE_PORTS: usize = 65_536;
const BYTES_FOR_ONE_MORE_PORT: usize = 8;

/// The most endpoints that all selectors may yield together, each list once, however many services have it: so many, and one
/// more for so many bytes of the text.
const ENDPOINTS: usize = 262_144;
const BYTES_FOR_ONE_MORE_ENDPOINT: usize = 4;

/// What resolvers share.
pub(crate) struct Context<'a> {
    /// The mesh's settings.
    pub(crate) config: &'a MeshConfig,
    texts: RefCell<HashSet<Arc<str>>>,
    pub(super) regexes: RefCell<HashMap<Box<str>, Result<Regex, RegexError>>>,
    pub(super) regex_budget: RefCell<RegexBudget>,
    /// Bytes of the text that everything comes from.
    pub(super) input: usize,
    /// Ports that all services of ServiceEntries have together.
    service_ports: Cell<usize>,
    endpoints: Cell<usize>,
    any_request: Arc<RequestMatch>,
    last_policy: RefCell<Arc<RoutePolicy>>,
}

impl<'a> Context<'a> {
    /// For resources of `input` bytes of text: what small texts could multiply is bounded in proportion.
    pub(crate) fn new(config: &'a MeshConfig, input: usize) -> Self {
        let regexes = REGEX_BYTES.saturating_add(input.saturating_mul(REGEX_BYTES_PER_BYTE));
        Context {
            regex_budget: RefCell::new(RegexBudget::new(regexes)),
            input,
            service_ports: Cell::new(0),
            endpoints: Cell::new(0),
            config,
            texts: RefCell::default(),
            regexes: RefCell::default(),
            any_request: Arc::new(RequestMatch::any()),
            last_policy: RefCell::default(),
        }
    }

    /// Counts ports of services.
    ///
    /// # Errors
    /// How many there may be, where these are too many; then they are not counted.
    pub(super) fn count_service_ports(&self, more: usize) -> Result<(), usize> {
        let most = SERVICE_PORTS.saturating_add(self.input / BYTES_FOR_ONE_MORE_PORT);
        count(&self.service_ports, more, most)
    }

    /// Counts endpoints that a selector yields.
    ///
    /// # Errors
    /// How many there may be, where these are too many; then they are not counted.
    pub(super) fn count_endpoints(&self, more: usize) -> Result<(), usize> {
        let most = ENDPOINTS.saturating_add(self.input / BYTES_FOR_ONE_MORE_ENDPOINT);
        count(&self.endpoints, more, most)
    }

    /// The text, in one allocation for all who ask for it.
    pub(crate) fn intern(&self, text: &str) -> Arc<str> {
        let mut texts = self.texts.borrow_mut();
        match texts.get(text) {
            Some(known) => known.clone(),
            None => {
                let new: Arc<str> = text.into();
                texts.insert(new.clone());
                new
            }
        }
    }

    /// The match, shared if it asks nothing.
    pub(crate) fn share_match(&self, request: RequestMatch) -> Arc<RequestMatch> {
        if request == *self.any_request {
            self.any_request.clone()
        } else {
            Arc::new(request)
        }
    }

    /// The policy, shared with the rule before if that has the same: most rules have the default one.
    pub(crate) fn share_policy(&self, policy: RoutePolicy) -> Arc<RoutePolicy> {
        let mut last = self.last_policy.borrow_mut();
        if **last != policy {
            *last = Arc::new(policy);
        }
        last.clone()
    }
}

fn count(counted: &Cell<usize>, more: usize, most: usize) -> Result<(), usize> {
    let all = counted.get().saturating_add(more);
    if all > most {
        return Err(most);
    }
    counted.set(all);
    Ok(())
}
