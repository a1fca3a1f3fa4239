//! References from one object to another, who may make them, and selectors.

use crate::resource::Labels;

message! {
    /// The object that a route attaches to.
    pub struct ParentReference as "ParentReference" {
        /// Its group; `gateway.networking.k8s.io` if absent.
        "group" group: Option<String>,
        /// Its kind; `Gateway` if absent.
        "kind" kind: Option<String>,
        /// Its namespace; the route's own if absent.
        "namespace" namespace: Option<String>,
        /// Its name.
        "name" name: String,
        /// Of its listeners, only the one of this name.
        "sectionName" section_name: Option<String>,
        /// Only listeners, or the port of a service, of this number.
        "port" port: Option<i32>,
    }
}

message! {
    /// An object that requests go to.
    pub struct BackendReference as "BackendObjectReference" {
        /// Its group; the core one if absent.
        "group" group: Option<String>,
        /// Its kind; `Service` if absent.
        "kind" kind: Option<String>,
        /// Its namespace; the route's own if absent.
        "namespace" namespace: Option<String>,
        /// Its name.
        "name" name: String,
        /// Its port.
        "port" port: Option<i32>,
    }
}

message! {
    /// One of several objects that connections go to, with its share.
    pub struct BackendRef as "BackendRef" {
        /// Its group; the core one if absent.
        "group" group: Option<String>,
        /// Its kind; `Service` if absent.
        "kind" kind: Option<String>,
        /// Its namespace; the route's own if absent.
        "namespace" namespace: Option<String>,
        /// Its name.
        "name" name: String,
        /// Its port.
        "port" port: Option<i32>,
        /// Its share; 1 if absent.
        "weight" weight: Option<i32>,
    }
}

message! {
    /// A Secret or a ConfigMap that is named.
    pub struct ObjectRef as "ObjectReference" {
        /// Its group; the core one if absent.
        "group" group: Option<String>,
        /// Its kind; `Secret` of a certificate if absent.
        "kind" kind: Option<String>,
        /// Its namespace; the own one if absent.
        "namespace" namespace: Option<String>,
        /// Its name.
        "name" name: String,
    }
}

message! {
    /// Objects of this namespace may be named from other namespaces.
    pub struct ReferenceGrant as "ReferenceGrant" {
        /// Who may name them.
        "from" from: Vec<ReferenceGrantFrom>,
        /// What may be named.
        "to" to: Vec<ReferenceGrantTo>,
    }
}

message! {
    /// Who may name an object.
    pub struct ReferenceGrantFrom as "ReferenceGrantFrom" {
        /// Their group.
        "group" group: String,
        /// Their kind.
        "kind" kind: String,
        /// Their namespace.
        "namespace" namespace: String,
    }
}

message! {
    /// What may be named.
    pub struct ReferenceGrantTo as "ReferenceGrantTo" {
        /// Their group.
        "group" group: String,
        /// Their kind.
        "kind" kind: String,
        /// Only the one of this name; all if absent.
        "name" name: Option<String>,
    }
}

message! {
    /// What selects objects by their labels.
    pub struct LabelSelector as "LabelSelector" {
        /// Labels that an object must have.
        "matchLabels" match_labels: Labels,
        /// What else must be true of its labels.
        "matchExpressions" match_expressions: Vec<LabelSelectorRequirement>,
    }
}

message! {
    /// What must be true of one label.
    pub struct LabelSelectorRequirement as "LabelSelectorRequirement" {
        /// The label.
        "key" key: String,
        /// `In`, `NotIn`, `Exists` or `DoesNotExist`.
        "operator" operator: String,
        /// The values that `In` and `NotIn` mean.
        "values" values: Vec<String>,
    }
}
