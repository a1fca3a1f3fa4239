//! `networking.istio.io` WorkloadEntry, as written; also an endpoint of a ServiceEntry.

use super::Labels;
use std::collections::BTreeMap;

message! {
    /// One workload outside of the platform's registry.
    pub struct WorkloadEntry as "WorkloadEntry" {
        /// Its address: IP, host name, or `unix://` path.
        "address" address: String,
        /// Its ports by the service's port names.
        "ports" ports: BTreeMap<String, u32>,
        /// Its labels.
        "labels" labels: Labels,
        /// Its network.
        "network" network: String,
        /// Its locality, `region/zone/subzone`.
        "locality" locality: String,
        /// Its share; 0 means 1.
        "weight" weight: u32,
        /// Its service account.
        "serviceAccount" service_account: String,
    }
}
