//! What every resolver may look at: the mesh's settings, and tables that let equal texts, regexes and policies share one
//! allocation.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use crate::mesh::MeshConfig;
use crate::terms::condition::RequestMatch;
use crate::terms::regex::{Regex, RegexError};
use crate::terms::route_policy::RoutePolicy;

/// What resolvers share.
pub(crate) struct Context<'a> {
    /// The mesh's settings.
    pub(crate) config: &'a MeshConfig,
    texts: RefCell<HashSet<Arc<str>>>,
    pub(super) regexes: RefCell<HashMap<Box<str>, Result<Regex, RegexError>>>,
    any_request: Arc<RequestMatch>,
    last_policy: RefCell<Arc<RoutePolicy>>,
}

impl<'a> Context<'a> {
    pub(crate) fn new(config: &'a MeshConfig) -> Self {
        Context {
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
