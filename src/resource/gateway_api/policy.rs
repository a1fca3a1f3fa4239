//! BackendTLSPolicy, and what listeners and policies need to know of Namespaces, Secrets and ConfigMaps.

use super::ObjectRef;
use crate::resource::Labels;

message! {
    /// TLS towards backends.
    pub struct BackendTlsPolicy as "BackendTLSPolicy" {
        /// Which backends.
        "targetRefs" target_refs: Vec<PolicyTargetReference>,
        /// How their certificates are checked.
        "validation" validation: BackendTlsValidation,
        /// Settings of the implementation.
        "options" options: Labels,
    }
}

message! {
    /// A backend that a policy is for.
    pub struct PolicyTargetReference as "LocalPolicyTargetReferenceWithSectionName" {
        /// Its group.
        "group" group: String,
        /// Its kind.
        "kind" kind: String,
        /// Its name.
        "name" name: String,
        /// Only its port of this name.
        "sectionName" section_name: Option<String>,
    }
}

message! {
    /// How the certificates of backends are checked.
    pub struct BackendTlsValidation as "BackendTLSPolicyValidation" {
        /// Objects with certificates of authorities.
        "caCertificateRefs" ca_certificate_refs: Vec<ObjectRef>,
        /// `System`: those that the system trusts.
        "wellKnownCACertificates" well_known_ca_certificates: Option<String>,
        /// The server name that is sent.
        "hostname" hostname: String,
        /// Names of which the certificate must have one.
        "subjectAltNames" subject_alt_names: Vec<SubjectAltName>,
    }
}

message! {
    /// A name that a certificate must have.
    pub struct SubjectAltName as "SubjectAltName" {
        /// `Hostname` or `URI`.
        "type" r#type: String,
        /// A host.
        "hostname" hostname: Option<String>,
        /// A URI.
        "uri" uri: Option<String>,
    }
}

message! {
    /// `v1` Namespace: only its labels matter.
    pub struct Namespace as "Namespace" (open) {
        /// What has become of it.
        "status" status: NamespaceStatus,
    }
    ignored ["spec"]
}

message! {
    /// What has become of a Namespace.
    pub struct NamespaceStatus as "NamespaceStatus" (open) {
        /// `Active` or `Terminating`.
        "phase" phase: String,
    }
    ignored ["conditions"]
}
