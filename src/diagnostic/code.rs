//! The registry of codes: every diagnostic that the crate can make, once. A code is never reused and never changes its
//! meaning; one that is no longer made stays here.
//!
//! Ranges: `MR00xx` parse, `MR01xx` resolve, `MR02xx` linking, `MR03xx` lints, `MR04xx` compile, `MR05xx`
//! Envoy's configuration, `MR06xx` one request.

use super::Severity;
use std::fmt;

/// The identity of a kind of diagnostic: `MR0010`, `unknown-field`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Code(&'static Entry);

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Entry {
    id: &'static str,
    name: &'static str,
    severity: Severity,
    summary: &'static str,
}

macro_rules! codes {
    ($($constant:ident = $id:literal $name:literal $severity:ident $summary:literal;)*) => {
        impl Code {
            $(
                #[doc = $summary]
                pub const $constant: Code = Code(&Entry {
                    id: $id,
                    name: $name,
                    severity: Severity::$severity,
                    summary: $summary,
                });
            )*

            /// Every code, in the order of the ids.
            pub const ALL: &'static [Code] = &[$(Code::$constant),*];
        }
    };
}

codes! {
    // MR00xx: reading the text.
    UNREADABLE_FILE = "MR0001" "unreadable-file" Error "A file or directory cannot be read.";
    NOT_UTF8 = "MR0002" "not-utf8" Error "The input is not UTF-8 text.";
    SYNTAX = "MR0003" "syntax" Error "The text is not YAML or JSON.";
    INPUT_TOO_LARGE = "MR0004" "input-too-large" Error "The input has more bytes than the limit.";
    TOO_MANY_DOCUMENTS = "MR0005" "too-many-documents" Error "The input has more documents than the limit.";
    TOO_DEEP = "MR0006" "too-deep" Error "The document is nested more deeply than the limit.";
    TOO_MANY_VALUES = "MR0007" "too-many-values" Error "The document's aliases expand to more values than the limit.";
    LIST_TOO_LONG = "MR0008" "list-too-long" Error "A list has more elements than the limit.";
    TOO_MANY_PROBLEMS = "MR0009" "too-many-problems" Error "The document has more problems than are reported one by one.";
    NOT_A_RESOURCE = "MR0010" "not-a-resource" Error "The document is not a mapping with `apiVersion` and `kind`.";
    UNKNOWN_KIND = "MR0011" "unknown-kind" Error "A known API group has no such kind.";
    UNKNOWN_VERSION = "MR0012" "unknown-version" Error "A known kind has no such version.";
    MISSING_NAME = "MR0013" "missing-name" Error "The resource has no `metadata.name`.";
    DUPLICATE_RESOURCE = "MR0014" "duplicate-resource" Error "Two resources have the same kind, namespace and name.";
    UNKNOWN_FIELD = "MR0015" "unknown-field" Warning "The message has no such field.";
    WRONG_TYPE = "MR0016" "wrong-type" Error "The value has another type than the field.";
    DUPLICATE_FIELD = "MR0017" "duplicate-field" Error "A mapping has the same key twice.";
    INVALID_NUMBER = "MR0018" "invalid-number" Error "The number is not in the range of the field's type.";
    INVALID_DURATION = "MR0019" "invalid-duration" Error "The text is not a duration.";
    UNKNOWN_ENUM_VALUE = "MR0020" "unknown-enum-value" Error "The enumeration has no such value.";
    INVALID_BASE64 = "MR0021" "invalid-base64" Error "The text is not base64.";
    ONEOF_CONFLICT = "MR0022" "oneof-conflict" Error "More than one field of a choice is set.";
    NULL_ELEMENT = "MR0023" "null-element" Error "A list has a null element.";
    INVALID_TIMESTAMP = "MR0024" "invalid-timestamp" Error "The text is not an RFC 3339 timestamp.";
    FIELD_WITHOUT_EFFECT = "MR0025" "field-without-effect" Note "The field is known, and has no effect on routing.";
    KIND_PASSED_OVER = "MR0026" "kind-passed-over" Note "The kind has no part in routing and is passed over.";
    KIND_NOT_EVALUATED = "MR0027" "kind-not-evaluated" Warning "The kind can change where requests go, and is not evaluated.";
    MISSING_SPEC = "MR0028" "missing-spec" Error "The resource has no `spec`.";
    DUPLICATE_MESH_CONFIG = "MR0029" "duplicate-mesh-config" Error "The mesh is configured twice.";
    ENTRY_PASSED_OVER = "MR0030" "entry-passed-over" Note "An entry of a directory is not read.";
    FIELD_NOT_EVALUATED = "MR0031" "field-not-evaluated" Warning "The field can change where requests go, and is not evaluated.";

    // MR01xx: the fields of one resource.
    // MR0101 to MR0139: checks that several kinds share.
    INVALID_NAME = "MR0101" "invalid-name" Error "The text is not a name of its kind.";
    INVALID_HOST = "MR0102" "invalid-host" Error "The text is not a host or a host pattern.";
    INVALID_PORT = "MR0103" "invalid-port" Error "The number is not a port.";
    INVALID_ADDRESS = "MR0104" "invalid-address" Error "The text is not an IP address or a CIDR block.";
    INVALID_LABEL = "MR0105" "invalid-label" Error "The text is not a label key or a label value.";
    INVALID_DURATION_RANGE = "MR0106" "invalid-duration-range" Error "The duration is below a millisecond, or finer than the field allows.";
    INVALID_PERCENTAGE = "MR0107" "invalid-percentage" Error "The percentage is outside of its range.";
    INVALID_EXPORT_TO = "MR0108" "invalid-export-to" Error "An entry of `exportTo`, or their combination, is not allowed.";
    INVALID_HEADER_NAME = "MR0109" "invalid-header-name" Error "The text is not the name of a header that can stand here.";
    INVALID_HEADER_VALUE = "MR0110" "invalid-header-value" Error "The text is not a value that Envoy can write into a header.";
    INVALID_REGEX = "MR0111" "invalid-regex" Error "The text is not a regex (RE2) of at most 1024 bytes.";
    INVALID_STATUS = "MR0112" "invalid-status" Error "The status does not exist or cannot stand here.";
    INVALID_METHOD = "MR0113" "invalid-method" Error "The text is not an HTTP method that can stand here.";
    INVALID_WEIGHT = "MR0114" "invalid-weight" Error "A weight, or the sum of them, is not allowed.";
    INVALID_RETRIES = "MR0115" "invalid-retries" Error "A setting of a retry policy is not allowed.";
    INVALID_ANNOTATION = "MR0116" "invalid-annotation" Error "The annotation is not allowed on this kind.";
    MISSING_FIELD = "MR0117" "missing-field" Error "A required field is not set.";
    CONFLICTING_FIELDS = "MR0118" "conflicting-fields" Error "Two fields cannot both be set.";
    UNSUPPORTED_BY_ISTIO = "MR0119" "unsupported-by-istio" Error "The field exists in the API, and Istio refuses it.";
    REFUSED_BY_ENVOY = "MR0120" "refused-by-envoy" Error "Istio accepts the value, and Envoy refuses the configuration made of it.";
    DEPRECATED_FIELD = "MR0121" "deprecated-field" Warning "The field is deprecated.";
    WITHOUT_EFFECT = "MR0122" "without-effect" Warning "The setting has no effect as it stands.";
    INVALID_PATH = "MR0123" "invalid-path" Error "The text is not a path that can stand here.";

    // MR0140 to MR0159: VirtualService.
    INVALID_GATEWAY_NAME = "MR0140" "invalid-gateway-name" Error "The text is not a reference to a gateway.";
    LEGACY_GATEWAY_NAME = "MR0141" "legacy-gateway-name" Warning "The gateway is named in an old form.";
    DELEGATE_SHAPE = "MR0142" "delegate-shape" Error "A root or a delegate has a field that only the other may have.";
    OVERLAPPING_HOSTS = "MR0143" "overlapping-hosts" Error "Two hosts of one VirtualService overlap.";
    HOST_NOT_FOR_MESH = "MR0144" "host-not-for-mesh" Error "The host `*` cannot be bound to the mesh.";
    CLAIMS_NEED_GATEWAY = "MR0145" "claims-need-gateway" Error "Claims can be matched only at gateways.";
    NULL_HEADER_MATCH = "MR0146" "null-header-match" Error "The match of a header is null.";
    EMPTY_MATCH = "MR0147" "empty-match" Error "A text to match is empty.";
    AUTHORITY_SET_TWICE = "MR0148" "authority-set-twice" Error "A rule rewrites the authority in more than one way.";
    EMPTY_HEADER_VALUE = "MR0149" "empty-header-value" Warning "Setting a header to an empty value does nothing.";
    SNI_HOST_NOT_COVERED = "MR0150" "sni-host-not-covered" Error "A server name is no part of any host of the VirtualService.";
    SNI_IS_ADDRESS = "MR0151" "sni-is-address" Warning "Clients do not send addresses as server names.";
    LARGE_BODY = "MR0152" "large-body" Warning "The body of a direct response is large.";
    UNUSED_RULE = "MR0153" "unused-rule" Warning "No request can reach the rule.";
    UNUSED_MATCH = "MR0154" "unused-match" Warning "An earlier match takes every request that this one would take.";
    REFUSED_BODY = "MR0155" "refused-body" Error "The body of a direct response is too large.";

    // MR0160 to MR0169: DestinationRule.
    DUPLICATE_SUBSET = "MR0160" "duplicate-subset" Error "Two subsets of a DestinationRule have one name.";
    EMPTY_POLICY = "MR0161" "empty-policy" Error "A policy says nothing.";
    INVALID_LIMIT = "MR0162" "invalid-limit" Error "The number is not a limit that can stand here.";
    INVALID_CONSISTENT_HASH = "MR0163" "invalid-consistent-hash" Error "A setting of consistent hashing is not allowed.";
    INVALID_WARMUP = "MR0164" "invalid-warmup" Error "A setting of the warm-up is not allowed.";
    INVALID_LOCALITY = "MR0165" "invalid-locality" Error "A place, or the share of one, is not allowed.";
    FAILOVER_WITHOUT_OUTLIER_DETECTION = "MR0166" "failover-without-outlier-detection" Warning "Failover takes effect with outlier detection only.";
    INVALID_CLIENT_TLS = "MR0167" "invalid-client-tls" Error "Settings of TLS towards endpoints contradict each other or miss one.";
    INVALID_TUNNEL = "MR0168" "invalid-tunnel" Error "A setting of the tunnel is not allowed.";
    INVALID_WORKLOAD_SELECTOR = "MR0169" "invalid-workload-selector" Error "The selector cannot select workloads, or selects all of them.";

    // MR0170 to MR0179: Gateway.
    UNSUPPORTED_PROTOCOL = "MR0170" "unsupported-protocol" Error "The protocol is not one that can stand here.";

    // MR0180 to MR0189: ServiceEntry, WorkloadEntry and Kubernetes kinds.
    UNDEFINED_ENDPOINT_PORT = "MR0180" "undefined-endpoint-port" Error "An endpoint names a port that its service does not have.";
    DUPLICATE_PORT = "MR0181" "duplicate-port" Error "Two ports have the same name or the same number.";
    SELECTOR_WITHOUT_LABELS = "MR0182" "selector-without-labels" Warning "A selector without labels selects every workload of the namespace.";
    ADDRESS_UNSET = "MR0183" "address-unset" Warning "A workload has a network and no address.";
    HOSTS_NOT_TOLD_APART = "MR0184" "hosts-not-told-apart" Error "Several hosts share a port whose protocol does not say which of them is meant.";
    PARTIAL_WILDCARD = "MR0185" "partial-wildcard" Warning "The wildcard stands for a part of a label, which Envoy does not match.";
    TCP_WITHOUT_ADDRESS = "MR0186" "tcp-without-address" Warning "A TCP port of a service without addresses takes all traffic to that port.";
    ENDPOINT_WITHOUT_POD = "MR0187" "endpoint-without-pod" Note "An endpoint refers to a pod that is not given, and is left out.";
    SLICE_WITHOUT_SERVICE = "MR0188" "slice-without-service" Note "An EndpointSlice belongs to no service that is given.";

    // MR0190 to MR0194: Sidecar.
    EMPTY_SIDECAR = "MR0190" "empty-sidecar" Error "A Sidecar says nothing.";
    CATCH_ALL_NOT_LAST = "MR0191" "catch-all-not-last" Error "An egress listener without a port stands before another one.";
    DUPLICATE_LISTENER = "MR0192" "duplicate-listener" Error "Two listeners have the same port or the same socket.";
    REDUNDANT_EGRESS_HOST = "MR0193" "redundant-egress-host" Warning "An egress host is covered by another one.";

    // MR0195 to MR0199: PeerAuthentication.
    INVALID_PEER_AUTHENTICATION = "MR0195" "invalid-peer-authentication" Error "Ports of a PeerAuthentication are of no workload.";

    // MR02xx: links between resources.
    DELEGATE_NOT_FOUND = "MR0201" "delegate-not-found" Warning "A rule delegates to a VirtualService that does not exist or is invalid.";
    DELEGATE_NOT_VISIBLE = "MR0202" "delegate-not-visible" Warning "A rule delegates to a VirtualService that is not exported to it.";
    DELEGATE_CONFLICT = "MR0203" "delegate-conflict" Warning "A rule of a delegate cannot match what its root lets through.";
    UNUSED_DELEGATE = "MR0204" "unused-delegate" Note "No root delegates to the VirtualService.";
    DELEGATES_TOO_LARGE = "MR0205" "delegates-too-large" Error "Delegates yield more rules and matches than the limit.";

    // MR0210 to MR0219: merging DestinationRules.
    SHADOWED_SUBSET = "MR0210" "shadowed-subset" Warning "Another DestinationRule of the host has a subset of that name.";
    IGNORED_POLICY = "MR0211" "ignored-policy" Warning "Another DestinationRule of the host has a traffic policy already.";
    REPLACED_RULE = "MR0212" "replaced-rule" Warning "A newer DestinationRule of the host is used instead.";
    HIDDEN_RULE = "MR0213" "hidden-rule" Warning "A merged DestinationRule does not reach every namespace that it is exported to.";
    CAPTURED_RULE = "MR0214" "captured-rule" Warning "A merged DestinationRule holds only for the workloads that another one selects.";

    MERGES_TOO_LARGE = "MR0215" "merges-too-large" Error "DestinationRules of one host are merged more often than the limit.";

    // MR0220 to MR0229: services of one host.
    HOST_TAKEN = "MR0220" "host-taken" Warning "The host is another service's already, so that this one is not seen.";
    HOST_SHARED = "MR0221" "host-shared" Note "Services of several namespaces have the same host; each client sees one of them.";
    ALIAS_WITHOUT_END = "MR0222" "alias-without-end" Warning "ExternalName services point at each other.";
    SERVICES_TOO_LARGE = "MR0223" "services-too-large" Error "ServiceEntries make more services and ports than the limit.";
    ENDPOINTS_TOO_LARGE = "MR0224" "endpoints-too-large" Error "Selectors yield more endpoints than the limit.";

    // MR0230 to MR0249: the Gateway API, what a status would say.
    NO_MATCHING_PARENT = "MR0230" "no-matching-parent" Warning "A parent is nothing that the route can attach to.";
    NOT_ALLOWED_BY_LISTENERS = "MR0231" "not-allowed-by-listeners" Warning "No listener of the parent takes the route.";
    NO_MATCHING_LISTENER_HOSTNAME = "MR0232" "no-matching-listener-hostname" Warning "No listener of the parent has a host of the route.";
    BACKEND_NOT_FOUND = "MR0233" "backend-not-found" Warning "A backend does not exist.";
    REF_NOT_PERMITTED = "MR0234" "ref-not-permitted" Warning "No ReferenceGrant allows to name an object of another namespace.";
    INVALID_BACKEND_KIND = "MR0235" "invalid-backend-kind" Warning "The kind is not one of backends.";
    INVALID_ROUTE_KIND = "MR0236" "invalid-route-kind" Warning "The listener cannot serve routes of the kind.";
    CONFLICTED_LISTENER = "MR0237" "conflicted-listener" Warning "An earlier listener of the Gateway has what this one wants.";
    INVALID_CERTIFICATE_REF = "MR0238" "invalid-certificate-ref" Warning "A reference leads to no certificate.";
    LISTENER_NOT_SERVED = "MR0239" "listener-not-served" Warning "The listener opens nothing.";
    GATEWAY_NOT_SERVED = "MR0240" "gateway-not-served" Warning "Istio opens nothing for the Gateway.";
    UNTRANSLATABLE_ROUTE = "MR0241" "untranslatable-route" Warning "Istio cannot translate a rule, so that the whole route has no effect.";

    // MR0250 to MR0259: what Istio looks at.
    NOT_DISCOVERED = "MR0250" "not-discovered" Warning "No discovery selector of the mesh selects the namespace.";
    ASSUMED_DISCOVERED = "MR0251" "assumed-discovered" Note "Whether discovery selectors select the namespace is not known.";
    ASSUMED_VISIBILITY = "MR0252" "assumed-visibility" Note "Whether policies of the mesh narrow who sees ServiceEntries is not known.";
    SELECTORS_TOO_LARGE = "MR0253" "selectors-too-large" Error "Selectors of the mesh are held against more namespaces than the limit.";

    ASSUMED = "MR0254" "assumed" Note "Resources that are named and not given are assumed to exist.";

    // MR03xx: lints.
    UNKNOWN_HOST = "MR0301" "unknown-host" Warning "A destination is no service that can be seen.";
    UNKNOWN_PORT = "MR0302" "unknown-port" Warning "A destination names a port that its service does not have.";
    AMBIGUOUS_PORT = "MR0303" "ambiguous-port" Warning "A gateway cannot know which port of the destination is meant.";
    MISSING_LISTENER_PORT = "MR0304" "missing-listener-port" Warning "A destination lacks the port at which the client calls.";
    UNKNOWN_SUBSET = "MR0305" "unknown-subset" Warning "The DestinationRule that holds has no such subset.";
    INEFFECTIVE_SUBSET = "MR0306" "ineffective-subset" Warning "A gateway does not see the subsets that another VirtualService routes to.";
    UNUSED_SUBSET = "MR0307" "unused-subset" Note "Nobody routes to the subset.";
    SUBSET_SELECTS_NOTHING = "MR0308" "subset-selects-nothing" Warning "No workload has the labels of the subset.";
    UNKNOWN_GATEWAY = "MR0309" "unknown-gateway" Warning "The Gateway does not exist.";
    HOST_NOT_SERVED = "MR0310" "host-not-served" Warning "No server of the Gateway admits a host of the VirtualService.";
    UNBOUND_SERVER = "MR0311" "unbound-server" Note "No VirtualService binds a host of the server.";
    HOST_CLAIMED_TWICE = "MR0312" "host-claimed-twice" Warning "Two VirtualServices of the mesh have one host.";
    SHADOWED_CATCH_ALL = "MR0313" "shadowed-catch-all" Warning "An older VirtualService takes every request at that Gateway first.";
    RULE_FOR_UNKNOWN_HOST = "MR0314" "rule-for-unknown-host" Warning "The host of the DestinationRule is no service.";
    UNVERIFIED_SERVER = "MR0315" "unverified-server" Warning "TLS without an authority to check the server's certificate against.";
    CREDENTIAL_WITHOUT_EFFECT = "MR0316" "credential-without-effect" Warning "Sidecars do not read the credential, and send in plain text.";
    HASH_WITHOUT_PORT = "MR0317" "hash-without-port" Warning "Consistent hashing of a port has no effect on a destination without one.";
    CONFLICTING_GATEWAYS = "MR0318" "conflicting-gateways" Warning "Two Gateways of the same workloads have one port and host.";
    CONFLICTING_SIDECARS = "MR0319" "conflicting-sidecars" Warning "An older Sidecar is for the same workloads.";

    DROPPED_SERVER = "MR0320" "dropped-server" Warning "A server gives way to one of another Gateway, or of its own.";
    REFUSED_LISTENER = "MR0321" "refused-listener" Error "Servers make a listener that Envoy refuses.";

    UNKNOWN_FORMAT_COMMAND = "MR0322" "unknown-format-command" Error "A header value has a command that Envoy does not know.";
    SHARED_CREDENTIAL = "MR0323" "shared-credential" Warning "Servers of several Gateways have one credential, and browsers reuse connections.";
    DOUBLED_SLASH = "MR0324" "doubled-slash" Warning "A rewrite of a prefix doubles a slash, and takes longer names too.";
    UNREACHABLE_PREFLIGHT = "MR0325" "unreachable-preflight" Warning "No preflight comes to the rule that has a CORS policy.";
    UNFIT_SECTION = "MR0326" "unfit-section" Warning "No server takes the rules that the VirtualService has.";
    UNSTICKY_SPLIT = "MR0327" "unsticky-split" Warning "A consistent hash does not keep a client at one of several weighted destinations.";
    UNOWNED_HOST = "MR0328" "unowned-host" Warning "No service has a host of a VirtualService of the mesh.";
    SKIPPED_TCP_PORT = "MR0329" "skipped-tcp-port" Warning "The port forwards bytes past the `http` rules.";
    ODD_MATCH = "MR0330" "odd-match" Warning "A match hardly means what it seems to.";
    LINT_STOPPED = "MR0390" "lint-stopped" Note "A lint did not look at everything: there is more than its limit.";

    // MR04xx: one proxy's view.

    // MR05xx: Envoy's own configuration.
    NOT_ENVOY_CONFIG = "MR0501" "not-envoy-config" Error "The text is no configuration of an Envoy.";
    INVALID_ENVOY_VALUE = "MR0502" "invalid-envoy-value" Error "The value is none that Envoy takes.";
    NOT_HONOURED = "MR0503" "not-honoured" Error "The field decides what becomes of requests, and is not honoured.";
    NOT_GIVEN = "MR0504" "not-given" Warning "A resource names another one that is not given.";
    NOT_LOOKED_AT = "MR0505" "not-looked-at" Warning "The field, or the filter, may change what becomes of requests, and is not looked at.";
    NOT_SERVED = "MR0506" "not-served" Warning "A plain Envoy cannot serve the part without what is not here, and goes without it.";

    // MR06xx: what has to do with the answer to one request, and who has not.
    SERVED_BY = "MR0601" "served-by" Note "The server of a Gateway at which the request arrives.";
    BOUND_ELSEWHERE = "MR0602" "bound-elsewhere" Note "A VirtualService names the host, and is bound to other gateways.";
    NOT_EXPORTED = "MR0603" "not-exported" Note "A VirtualService names the host, and is not exported to the proxy's namespace.";
    CLOSER_HOST = "MR0604" "closer-host" Note "A VirtualService has a pattern of the host, and a closer one takes it.";
    OLDER_FIRST = "MR0605" "older-first" Note "A VirtualService names the host, and another one comes first.";
    OTHER_PORT_OR_SOURCE = "MR0606" "other-port-or-source" Note "A match is for another port, or for other clients.";
    HTTP_RULES_AT_TCP_PORT = "MR0607" "http-rules-at-tcp-port" Note "The port forwards bytes, so that `http` rules have no part.";
    SECTION_DOES_NOT_FIT = "MR0608" "section-does-not-fit" Note "A server takes other rules than the VirtualService has.";
    HOST_WITHOUT_SERVICE = "MR0609" "host-without-service" Note "No service has the host, so that the mesh knows it on port 80 only.";
    MISSING_DESTINATION = "MR0610" "missing-destination" Note "Why the destination does not exist.";
    OTHER_SERVER_NAME = "MR0611" "other-server-name" Note "The connection was opened for another host than the request is for.";
    NOT_IMPORTED = "MR0612" "not-imported" Note "The Sidecar of the proxy does not import the host.";
    LEFT_OUT = "MR0613" "left-out" Note "A resource has an error and is left out.";
    NO_SERVER_FOR_HOST = "MR0614" "no-server-for-host" Note "No server of the gateway at this port admits the host.";
    NO_SERVER_AT_PORT = "MR0615" "no-server-at-port" Note "No server of the gateway listens at the port.";
    WITHOUT_DESTINATION_RULE = "MR0616" "without-destination-rule" Note "A DestinationRule of the destination does not hold for this client.";
}

impl Code {
    /// The stable id: `MR0015`.
    pub const fn id(self) -> &'static str {
        self.0.id
    }

    /// The short name: `unknown-field`.
    pub const fn name(self) -> &'static str {
        self.0.name
    }

    /// The severity of its diagnostics, unless one says otherwise.
    pub const fn severity(self) -> Severity {
        self.0.severity
    }

    /// The codes of istioctl's analyzers that say the same; empty: none does.
    pub fn istioctl(self) -> &'static [&'static str] {
        match self.id() {
            "MR0301" | "MR0302" | "MR0305" | "MR0309" => &["IST0101"],
            "MR0303" => &["IST0112"],
            "MR0306" => &["IST0140"],
            "MR0308" => &["IST0173"],
            "MR0310" => &["IST0132"],
            "MR0312" => &["IST0109"],
            "MR0314" => &["IST0174"],
            "MR0315" => &["IST0128", "IST0129"],
            "MR0318" => &["IST0145"],
            "MR0323" => &["IST0138"],
            "MR0319" => &["IST0110", "IST0111"],
            _ => &[],
        }
    }

    /// The code with this id, name, or code of istioctl's (`MR0301`, `unknown-host`, `IST0101`), in any case; of istioctl's codes,
    /// all that have it.
    pub fn named(text: &str) -> impl Iterator<Item = Code> {
        let all = Code::ALL.iter().copied();
        all.filter(move |code| {
            let istioctl = code.istioctl().iter();
            let mut names = [code.id(), code.name()]
                .into_iter()
                .chain(istioctl.copied());
            names.any(|name| name.eq_ignore_ascii_case(text))
        })
    }

    /// What it means, in one sentence.
    pub const fn summary(self) -> &'static str {
        self.0.summary
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.0.id, self.0.name)
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_ascend_and_names_are_unique() {
        for pair in Code::ALL.windows(2) {
            assert!(
                pair[0].id() < pair[1].id(),
                "{:?} stands before {:?}",
                pair[0],
                pair[1]
            );
        }
        let mut names: Vec<_> = Code::ALL.iter().map(|code| code.name()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), Code::ALL.len());
    }

    #[test]
    fn ids_and_names_have_their_form() {
        for code in Code::ALL {
            let digits = code.id().strip_prefix("MR").unwrap_or_default();
            assert!(
                digits.len() == 4 && digits.bytes().all(|b| b.is_ascii_digit()),
                "{code:?}"
            );
            assert!(
                code.name()
                    .bytes()
                    .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-'),
                "{code:?}"
            );
            assert!(code.summary().ends_with('.'), "{code:?}");
        }
    }
}
