//! `envoy.config.cluster.v3` and `envoy.config.endpoint.v3`: clusters and their endpoints.

use super::message::messages;

messages! {
    /// `Cluster`: where requests end.
    Cluster {
        /// Its name.
        name: String,
    }

    /// `ClusterLoadAssignment`: the endpoints of a cluster.
    ClusterLoadAssignment {
        /// The cluster.
        cluster_name: String,
    }
}
