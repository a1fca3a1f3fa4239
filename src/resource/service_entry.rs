//! `networking.istio.io` ServiceEntry, as written.

use super::{Labels, WorkloadEntry};

message! {
    /// A service that the platform's registry does not know.
    pub struct ServiceEntry as "ServiceEntry" {
        /// Its hosts.
        "hosts" hosts: Vec<String>,
        /// Its addresses or CIDRs.
        "addresses" addresses: Vec<String>,
        /// Its ports.
        "ports" ports: Vec<ServicePort>,
        /// Whether it is inside the mesh.
        "location" location: ServiceEntryLocation,
        /// How its endpoints are found.
        "resolution" resolution: ServiceEntryResolution,
        /// Its endpoints.
        "endpoints" endpoints: Vec<WorkloadEntry>,
        /// The workloads that are its endpoints.
        "workloadSelector" workload_selector: Option<WorkloadSelector>,
        /// The namespaces that see it.
        "exportTo" export_to: Vec<String>,
        /// Names of which its certificate must have one.
        "subjectAltNames" subject_alt_names: Vec<String>,
    }
}

message! {
    /// Workloads by their labels.
    pub struct WorkloadSelector as "WorkloadSelector" {
        /// Labels that a workload must have.
        "labels" labels: Labels,
    }
}

message! {
    /// A port of a service.
    pub struct ServicePort as "ServicePort" {
        /// Its number.
        "number" number: u32,
        /// Its protocol.
        "protocol" protocol: String,
        /// Its name.
        "name" name: String,
        /// The endpoints' port; 0 means the same.
        "targetPort" target_port: u32,
    }
}

enumeration! {
    /// Whether a service is inside the mesh.
    pub enum ServiceEntryLocation as "ServiceEntry.Location" {
        /// Outside.
        MeshExternal = 0 "MESH_EXTERNAL",
        /// Inside.
        MeshInternal = 1 "MESH_INTERNAL",
    }
}

enumeration! {
    /// How endpoints are found.
    pub enum ServiceEntryResolution as "ServiceEntry.Resolution" {
        /// Not at all: the address that the client asked for.
        None = 0 "NONE",
        /// As listed.
        Static = 1 "STATIC",
        /// By DNS, all addresses.
        Dns = 2 "DNS",
        /// By DNS, the first address.
        DnsRoundRobin = 3 "DNS_ROUND_ROBIN",
        /// By DNS at the time of the request.
        DynamicDns = 4 "DYNAMIC_DNS",
    }
}
