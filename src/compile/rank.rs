//! Whose word counts first: VirtualServices and services as one proxy sees them, in Istio's order (R-H-021, R-M-039, R-M-060,
//! R-M-073).
//!
//! A rank says by itself where its owner stands among all, so that one that comes later finds its place without the others.

use std::cmp::Ordering;
use std::sync::Arc;

use crate::mesh::service::{ConfigKey, Service};
use crate::mesh::virtual_service::VirtualService;
use crate::mesh::visibility::Visibility;

/// What only a namespace's own clients see comes first, then what is exported to it, then what everyone sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Bucket {
    Private,
    Exported,
    Public,
}

impl Bucket {
    /// Of a resource in the namespace `owner`, for clients in `client`; `None`: they do not see it.
    fn new(visibility: &Visibility, owner: &str, client: &str) -> Option<Self> {
        match visibility {
            Visibility::Public => Some(Bucket::Public),
            _ if !visibility.includes(client) => None,
            _ if owner == client => Some(Bucket::Private),
            _ => Some(Bucket::Exported),
        }
    }
}

/// The place of a VirtualService among those that a namespace sees.
#[derive(Clone, Debug)]
pub(super) struct VirtualServiceRank {
    bucket: Bucket,
    /// Before all others of the bucket (R-G-057).
    is_first: bool,
    virtual_service: Arc<VirtualService>,
}

impl VirtualServiceRank {
    /// For clients in `namespace`; `None`: they do not see it.
    pub(super) fn new(virtual_service: &Arc<VirtualService>, namespace: &str) -> Option<Self> {
        let owner = &virtual_service.resource().namespace;
        Some(VirtualServiceRank {
            bucket: Bucket::new(&virtual_service.visibility, owner, namespace)?,
            is_first: virtual_service.is_first_for(namespace),
            virtual_service: Arc::clone(virtual_service),
        })
    }

    pub(super) fn virtual_service(&self) -> &Arc<VirtualService> {
        &self.virtual_service
    }

    fn key(&self) -> (Bucket, bool, i64, &str, &str) {
        let one = &self.virtual_service;
        let name = &one.resource();
        (
            self.bucket,
            !self.is_first,
            one.creation,
            &name.name,
            &name.namespace,
        )
    }
}

/// The place of a service among those that a namespace sees.
#[derive(Clone, Debug)]
pub(super) struct ServiceRank {
    bucket: Bucket,
    service: Arc<Service>,
}

impl ServiceRank {
    /// For clients in `namespace`; `None`: they do not see it.
    pub(super) fn new(service: &Arc<Service>, namespace: &str) -> Option<Self> {
        Some(ServiceRank {
            bucket: Bucket::new(&service.visibility, service.namespace(), namespace)?,
            service: Arc::clone(service),
        })
    }

    fn key(&self) -> (Bucket, ConfigKey<'_>, &str) {
        let order = self.service.config_key();
        (self.bucket, order, &self.service.hostname)
    }
}

macro_rules! ordered_by_key {
    ($rank:ident) => {
        impl PartialEq for $rank {
            fn eq(&self, other: &Self) -> bool {
                self.key() == other.key()
            }
        }

        impl Eq for $rank {}

        impl PartialOrd for $rank {
            fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
                Some(self.cmp(other))
            }
        }

        impl Ord for $rank {
            fn cmp(&self, other: &Self) -> Ordering {
                self.key().cmp(&other.key())
            }
        }
    };
}

ordered_by_key!(VirtualServiceRank);
ordered_by_key!(ServiceRank);
