//! What the parts of a router print for `{:?}`: their names and how many parts they have, never the parts. A line of a log
//! must not hold up a proxy, however large its configuration is.

use std::fmt;

use crate::terms::short::Short;

use super::cluster_table::ClusterTable;
use super::host_table::{HostTable, SimpleTable};
use super::{
    Chunked, Cluster, FilterChain, Listener, RouteConfig, Router, RuleList, SimpleDoor, Tables,
    View, VirtualHost,
};

impl fmt::Debug for Router {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tables = &*self.tables;
        f.debug_struct("Router")
            .field("namespace", &Short(&tables.namespace))
            .field("mesh", &tables.mesh)
            .field("gateway", &tables.gateway)
            .field("clusters", &tables.clusters)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Tables {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tables")
            .field("mesh", &self.mesh)
            .field("gateway", &self.gateway)
            .field("clusters", &self.clusters)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for View {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("View")
            .field("listeners", &self.listeners.len())
            .field("route_configs", &self.route_configs.len())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Listener")
            .field("name", &Short(&self.name))
            .field("chains", &self.chains().count())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for FilterChain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FilterChain")
            .field("name", &Short(&self.name))
            .field("server_names", &self.matches.server_names.len())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for RouteConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RouteConfig")
            .field("name", &Short(self.name()))
            .field("virtual_hosts", &self.len())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for VirtualHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VirtualHost")
            .field("name", &Short(self.name()))
            .field("domains", &self.domains.len())
            .field("rules", &self.rules().len())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for RuleList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RuleList({})", self.as_slice().len())
    }
}

impl fmt::Debug for Cluster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cluster")
            .field("name", &Short(self.name()))
            .field("exists", &self.exists())
            .field("endpoints", &self.endpoint_set().members.len())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for ClusterTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ClusterTable({})", self.len())
    }
}

impl fmt::Debug for SimpleDoor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SimpleDoor").finish_non_exhaustive()
    }
}

impl fmt::Debug for HostTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HostTable({})", self.len())
    }
}

impl fmt::Debug for SimpleTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SimpleTable({})", self.len())
    }
}

impl<T> fmt::Debug for Chunked<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Chunked({})", self.len())
    }
}
