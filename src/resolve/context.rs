//! What every resolver may look at: the mesh's settings, and tables that let equal texts, regexes and policies share one
//! allocation.

use std::cell::RefCell;
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

/// What resolvers share.
pub(crate) struct Context<'a> {
    /// The mesh's settings.
    pub(crate) config: &'a MeshConfig,
    texts: RefCell<HashSet<Arc<str>>>,
    pub(super) regexes: RefCell<HashMap<Box<str>, Result<Regex, RegexError>>>,
    pub(super) regex_budget: RefCell<RegexBudget>,
    /// Bytes of the text that everything comes from.
    pub(super) input: usize,
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
            config,
            texts: RefCell::default(),
            regexes: RefCell::default(),
            any_request: Arc::new(RequestMatch::any()),
            last_policy: RefCell::default(),
        }
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
