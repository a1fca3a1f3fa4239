//! What is not answered as the authors of the cases assert, with the reason: `(start of the name, reason)`.

const INGRESS: &str = "Kubernetes Ingress is not read";
const GATEWAY_SERVICE: &str = "`internal.istio.io/gateway-service` ties a Gateway that Istio made from the Gateway API to its Service";
const HEADLESS: &str = "the case's service is a headless one of Kubernetes called bookinfo.com, which no Kubernetes Service can be; as a \
                        ServiceEntry it has no `*.` domains (R-H-049)";
const NOT_ASKED: &str = "no service has the port of that listener, so that nothing asks for its route configuration; the test asks by name";
const INTERNAL: &str = "objects that Istio itself makes from Ingress or the Gateway API; admission refuses their annotations, or \
                        they are matched by other rules";
const SHAPE: &str = "a field of Envoy's message that has no counterpart here; what it does is held against recorded answers";
const PROTOCOL: &str = "the HTTP version upstream is not part of an answer";
const TOKEN: &str = "a token is verified before it is routed by; this crate gets verified claims";

/// `simulation`: `case call`.
pub const SIMULATION: &[(&str, &str)] = &[
    (
        "istio-sim/gw-testgatewayservices-single-service no service match",
        GATEWAY_SERVICE,
    ),
    (
        "istio-sim/gw-testgatewayservices-wrong-namespace port 80",
        GATEWAY_SERVICE,
    ),
    (
        "istio-sim/gw-testtargetport-multiple-target-port target port 2",
        GATEWAY_SERVICE,
    ),
    (
        "istio-sim/gw-testingress-ingress-shared-tls-cert-conflict---alpha-first",
        INGRESS,
    ),
    (
        "istio-sim/gw-testingress-ingress-shared-tls-cert-conflict---beta-first",
        INGRESS,
    ),
    (
        "istio-sim/gw-testtlsroutetermination-tlsroute-with-tls-passthrough",
        INTERNAL,
    ),
    (
        "istio-sim/sc-testloop direct request to inbound port",
        "the inbound side is not routed; real Envoy differs here, too (README of the cases)",
    ),
    (
        "istio-sim/se-testserviceentryduplicatedhostname-service-entries-with-reused-hosts",
        "addresses that Istio allocates by itself are out of scope (issue 5)",
    ),
];

/// `integration`: `case call`.
pub const INTEGRATION: &[(&str, &str)] = &[
    (
        "istio-it/it-externalnamecases-without-port tcp",
        "`connected` asks whether bytes arrive, not where they are sent",
    ),
    (
        "istio-it/it-gatewaycases-client-protocol---http1-use-client-with-auto-http",
        PROTOCOL,
    ),
    (
        "istio-it/it-gatewaycases-client-protocol---http1-use-client-with-http2",
        PROTOCOL,
    ),
    (
        "istio-it/it-gatewaycases-client-protocol---http2-use-client-with-http ",
        PROTOCOL,
    ),
    (
        "istio-it/it-gatewaycases-client-protocol---http2-use-client-with-http2",
        PROTOCOL,
    ),
    (
        "istio-it/it-gatewaycases-client-protocol---http2 ",
        PROTOCOL,
    ),
    (
        "istio-it/it-jwtclaimroute-unmatched-with-invalid-token-401",
        TOKEN,
    ),
    (
        "istio-it/it-jwtclaimroute-usage2-unmatched-with-invalid-token-401",
        TOKEN,
    ),
    (
        "istio-it/it-jwtclaimroute-unmatched-with-wrong-claim-and-added-header-404",
        "RequestAuthentication deletes the header (`outputClaimToHeaders`) before the request is routed",
    ),
    (
        "istio-it/it-virtualservicecases-redirect-prefix_rewrite",
        "the client follows the redirect to another answer",
    ),
    (
        "istio-it/it-virtualservicecases-rewrite-uri",
        "the client does not send the `#hash` of its URL; a path with one is answered with 400 (R-H-072)",
    ),
];

/// `virtual-hosts`: `file: case`.
pub const VIRTUAL_HOSTS: &[(&str, &str)] = &[
    (
        "sidecar-outbound-http-route-config: sidecar config port that is not in any service",
        NOT_ASKED,
    ),
    (
        "sidecar-outbound-http-route-config: sidecar config port - import headless service",
        NOT_ASKED,
    ),
    (
        "sidecar-outbound-http-route-config: wildcard egress importing from all namespaces: 70",
        HEADLESS,
    ),
    (
        "sidecar-outbound-http-route-config: no sidecar config - import public service from other namespaces: 9999",
        HEADLESS,
    ),
    (
        "sidecar-outbound-http-route-config: no sidecar config - import public services from other namespaces: 70",
        HEADLESS,
    ),
    (
        "sidecar-outbound-http-route-config: http proxy sidecar config, with non matching virtual service",
        HEADLESS,
    ),
];

/// `routes`: `case: path`.
pub const ROUTES: &[(&str, &str)] = &[
    (
        "for internally generated virtual service with ingress semantics",
        INTERNAL,
    ),
    (
        "for internally generated virtual service with gateway semantics",
        INTERNAL,
    ),
    (
        "for virtual service with disabled timeout",
        "admission refuses `timeout: 0s` (R-M-163); the test does not ask it",
    ),
    (
        "for virtual service with regex matching for all cases on query parameter",
        "admission refuses the regex `*` in queryParams (R-H-104); the test does not ask it",
    ),
    (
        "for virtual service with prefix matching on query parameter: routes[0].match",
        SHAPE,
    ),
    (
        "for path and host rewrite: routes[0].route.regexRewrite",
        SHAPE,
    ),
    (
        "for path regex match with regex rewrite: routes[0].route.regexRewrite",
        SHAPE,
    ),
    (
        "for redirect and header manipulation: routes[0].responseHeadersToAdd",
        SHAPE,
    ),
    (
        "for virtual service with routing to an service with inference semantics",
        "InferencePool is not read",
    ),
];

const MISDIRECTED: &str =
    "a misdirected request (421) is not told by Istio, which skips the case (R-G-067, Open)";
const NEWER: &str = "filters that change the path of one backend: newer than the suite that Istio runs, and a hard error to istiod (R-G-041)";
const ENDPOINTS: &str = "the Service is the one asked for; which Deployment is behind it the suite writes into slices while it runs";
const METADATA: &str = "the case has not all of the metadata that the client of the suite sends";
const DIALLED: &str =
    "a sidecar routes by `Host`, not by the name that the client dialled (R-H-045)";

/// `gateway-api/conformance`: `case call`.
pub const GATEWAY_API: &[(&str, &str)] = &[
    (
        "gateway-api/httproutehttpslistenerdetectmisdirectedrequests",
        MISDIRECTED,
    ),
    ("gateway-api/httproutebackendrequestredirect", NEWER),
    ("gateway-api/httproutebackendurlrewrite", NEWER),
    ("gateway-api/httprouteservicetypes", ENDPOINTS),
    (
        "gateway-api/httproutetimeoutrequest 1",
        "the time that a backend takes is no part of a request: the route has the timeout",
    ),
    (
        "gateway-api/mesh-meshfrontend Send to pod IP",
        "the address of a pod is known only while the suite runs",
    ),
    ("gateway-api/mesh-meshfrontendhostname", DIALLED),
    (
        "gateway-api/mesh-meshgrpcrouterequestheadermodifier Set headers -- overwrites",
        METADATA,
    ),
    (
        "gateway-api/mesh-meshgrpcrouterequestheadermodifier Add headers -- appends",
        METADATA,
    ),
    (
        "gateway-api/mesh-meshgrpcrouterequestheadermodifier Multiple operations",
        METADATA,
    ),
    (
        "gateway-api/mesh-meshhttproutenamedrule 1",
        "asserts the path `/named` of a request to `/unnamed` that no rule rewrites",
    ),
];

/// `gateway-api/golden`: the name of the pair and `:`.
pub const TRANSLATIONS: &[(&str, &str)] = &[
    (
        "http:",
        "InferencePools are switched on there (ENABLE_GATEWAY_API_INFERENCE_EXTENSION), which is not Istio's default (R-G-069)",
    ),
    (
        "xbackend:",
        "XBackends are switched on there (PILOT_ENABLE_ALPHA_GATEWAY_API), which is not Istio's default (R-G-001)",
    ),
];
