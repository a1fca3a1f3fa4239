//! What resolving says about DestinationRules: R-M-145, R-M-168..R-M-176 field by field, what merging did to whom
//! (R-M-078, R-M-079), and MeshConfig.
use meshroute::Mesh;
use meshroute::diagnostic::Report;
use meshroute::resource::Resources;

/// Everything that is said about `yaml`, one line each: severity, code, field.
fn said(yaml: &str) -> Vec<String> {
    lines(&report(yaml))
}

fn report(yaml: &str) -> Report {
    let (resources, mut report) = Resources::from_yaml_lenient(yaml);
    report.append(Mesh::resolve_lenient(resources).1);
    report
}

fn lines(report: &Report) -> Vec<String> {
    report
        .iter()
        .map(|diagnostic| {
            let field = diagnostic
                .field()
                .map(ToString::to_string)
                .unwrap_or_default();
            format!(
                "{} {} {field}",
                diagnostic.severity(),
                diagnostic.code().name()
            )
        })
        .collect()
}

/// A DestinationRule for `reviews` with these further lines of `spec`, each indented by two spaces.
fn rule(spec: &str) -> String {
    format!(
        "apiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: {{name: reviews, namespace: ns}}\nspec:\n  host: reviews\n{spec}"
    )
}

/// Asserts what is said about a rule whose `trafficPolicy` is `policy` in YAML's flow style.
#[track_caller]
fn policy_says(policy: &str, expected: &[&str]) {
    let yaml = rule(&format!("  trafficPolicy: {policy}\n"));
    let expected: Vec<String> = expected
        .iter()
        .map(|line| line.replace('@', "spec.trafficPolicy"))
        .collect();
    assert_eq!(said(&yaml), expected, "{policy}");
}

#[test]
fn r_m_168_hosts_and_subsets() {
    assert_eq!(
        said(&rule(
            "  subsets: [{name: v1, labels: {version: v1}}, {name: v2}]\n"
        )),
        [""; 0]
    );
    let with_host =
        |host: &str| said(&rule("").replace("host: reviews", &format!("host: '{host}'")));
    for good in ["*", "*.com", "Reviews", "reviews.prod", "*-a"] {
        assert_eq!(with_host(good), [""; 0], "{good}");
    }
    for bad in ["", "a_b", "a.*.com", "a/b", "::1"] {
        assert_eq!(with_host(bad), ["error invalid-host spec.host"], "{bad}");
    }
    assert_eq!(
        said(&rule(
            "  subsets: [{name: v1}, {name: ''}, {name: a_b}, {name: v1}, {name: v3, labels: {'-a': '-b'}}]\n"
        )),
        [
            "error missing-field spec.subsets[1].name",
            "error invalid-name spec.subsets[2].name",
            "error duplicate-subset spec.subsets[3].name",
            "error invalid-label spec.subsets[4].labels.-a",
            "error invalid-label spec.subsets[4].labels.-a",
        ]
    );
    assert_eq!(
        said(&rule("  subsets: [null]\n"))[0],
        "error null-element spec.subsets[0]"
    );
}

#[test]
fn r_m_145_with_a_selector_only_the_own_namespace() {
    let with = |export_to: &str| {
        said(&rule(&format!(
            "  workloadSelector: {{matchLabels: {{a: b}}}}\n  exportTo: {export_to}\n"
        )))
    };
    assert_eq!(with("[]"), [""; 0]);
    assert_eq!(with("['.']"), [""; 0]);
    assert_eq!(with("[ns]"), [""; 0]);
    assert_eq!(with("['*']"), ["error invalid-export-to spec.exportTo"]);
    assert_eq!(with("['.', x]"), ["error invalid-export-to spec.exportTo"]);
    assert_eq!(
        said(&rule("  exportTo: ['~']\n")),
        ["error invalid-export-to spec.exportTo[0]"]
    );
}

#[test]
fn r_m_169_selectors() {
    assert_eq!(
        said(&rule("  workloadSelector: {}\n")),
        ["warning invalid-workload-selector spec.workloadSelector"]
    );
    assert_eq!(
        said(&rule(
            "  workloadSelector: {matchLabels: {'': x, a: 'b*'}}\n"
        )),
        [
            "error invalid-workload-selector spec.workloadSelector.matchLabels",
            "error invalid-workload-selector spec.workloadSelector.matchLabels.a",
        ]
    );
}

#[test]
fn r_m_170_a_policy_says_something() {
    policy_says("{}", &["error empty-policy @"]);
    policy_says(
        "{tunnel: {targetHost: a.b, targetPort: 80}, proxyProtocol: {}}",
        &["error conflicting-fields @"],
    );
    policy_says(
        "{proxyProtocol: {version: V3}}",
        &["error unknown-enum-value @.proxyProtocol.version"],
    );
    policy_says(
        "{portLevelSettings: [{tls: {mode: SIMPLE}}, {port: {number: 0}, tls: {mode: SIMPLE}}, {port: {number: 80}}]}",
        &[
            "error missing-field @.portLevelSettings[0].port",
            "error invalid-port @.portLevelSettings[1].port.number",
            "error empty-policy @.portLevelSettings[2]",
        ],
    );
    policy_says(
        "{portLevelSettings: [{port: {number: 80}, tls: {}}, {port: {number: 80}, tls: {}}]}",
        &["warning without-effect @.portLevelSettings[1]"],
    );
}

#[test]
fn r_m_171_outlier_detection() {
    policy_says("{outlierDetection: {}}", &[]);
    policy_says(
        "{outlierDetection: {consecutiveErrors: 3}}",
        &["warning deprecated-field @.outlierDetection.consecutiveErrors"],
    );
    policy_says(
        "{outlierDetection: {consecutiveLocalOriginFailures: 3, interval: 1us, baseEjectionTime: 0s, maxEjectionPercent: 101, minHealthPercent: -1}}",
        &[
            "error conflicting-fields @.outlierDetection.consecutiveLocalOriginFailures",
            "error invalid-duration-range @.outlierDetection.interval",
            "error invalid-duration-range @.outlierDetection.baseEjectionTime",
            "error invalid-percentage @.outlierDetection.maxEjectionPercent",
            "error invalid-percentage @.outlierDetection.minHealthPercent",
        ],
    );
}

#[test]
fn r_m_172_connection_pools() {
    policy_says(
        "{connectionPool: {}}",
        &["error empty-policy @.connectionPool"],
    );
    policy_says("{connectionPool: {tcp: {idleTimeout: 0s}}}", &[]);
    policy_says(
        "{connectionPool: {http: {idleTimeout: 0s}}}",
        &["error invalid-duration-range @.connectionPool.http.idleTimeout"],
    );
    policy_says(
        "{connectionPool: {tcp: {maxConnections: -1, connectTimeout: 1us}}}",
        &[
            "error invalid-limit @.connectionPool.tcp.maxConnections",
            "error invalid-duration-range @.connectionPool.tcp.connectTimeout",
        ],
    );
    policy_says(
        "{connectionPool: {http: {h2UpgradePolicy: UPGRADE, useClientProtocol: true, http1MaxPendingRequests: -1, http2MaxRequests: -1, maxRequestsPerConnection: -1, maxRetries: -1, maxConcurrentStreams: -1, http2KeepAlive: {}}}}",
        &[
            "error conflicting-fields @.connectionPool.http",
            "error invalid-limit @.connectionPool.http.http1MaxPendingRequests",
            "error invalid-limit @.connectionPool.http.http2MaxRequests",
            "error invalid-limit @.connectionPool.http.maxRequestsPerConnection",
            "error invalid-limit @.connectionPool.http.maxRetries",
            "error invalid-limit @.connectionPool.http.maxConcurrentStreams",
            "error missing-field @.connectionPool.http.http2KeepAlive.interval",
            "error missing-field @.connectionPool.http.http2KeepAlive.timeout",
        ],
    );
}

#[test]
fn r_m_173_load_balancers() {
    policy_says("{loadBalancer: {simple: LEAST_CONN}}", &[]);
    policy_says(
        "{loadBalancer: {consistentHash: {httpCookie: {attributes: [{name: a}, {}, {name: a}]}}}}",
        &[
            "error missing-field @.loadBalancer.consistentHash.httpCookie.name",
            "error missing-field @.loadBalancer.consistentHash.httpCookie.attributes[1].name",
            "error invalid-consistent-hash @.loadBalancer.consistentHash.httpCookie.attributes[2].name",
        ],
    );
    policy_says(
        "{loadBalancer: {consistentHash: {useSourceIp: true, minimumRingSize: 5, ringHash: {}}}}",
        &[
            "warning deprecated-field @.loadBalancer.consistentHash.minimumRingSize",
            "error conflicting-fields @.loadBalancer.consistentHash.minimumRingSize",
        ],
    );
    for (size, is_fine) in [
        (0, false),
        (65_536, false),
        (65_537, true),
        (5_000_011, false),
        (4_999_999, true),
    ] {
        let expected =
            "error invalid-consistent-hash @.loadBalancer.consistentHash.maglev.tableSize";
        policy_says(
            &format!(
                "{{loadBalancer: {{consistentHash: {{useSourceIp: true, maglev: {{tableSize: {size}}}}}}}}}"
            ),
            if is_fine {
                &[]
            } else {
                std::slice::from_ref(&expected)
            },
        );
    }
    policy_says(
        "{loadBalancer: {localityLbSetting: {}, zoneAwareLbSetting: {}}}",
        &["error conflicting-fields @.loadBalancer"],
    );
    policy_says(
        "{loadBalancer: {zoneAwareLbSetting: {failover: [{from: us-east, to: eu-west}]}}}",
        &[],
    );
    policy_says(
        "{loadBalancer: {warmup: {minimumPercent: 101, aggression: 0}}}",
        &[
            "error invalid-percentage @.loadBalancer.warmup.minimumPercent",
            "error invalid-warmup @.loadBalancer.warmup.aggression",
            "error missing-field @.loadBalancer.warmup.duration",
        ],
    );
    policy_says(
        "{loadBalancer: {simple: RANDOM, warmupDurationSecs: 5s, warmup: {duration: 5s}}}",
        &[
            "error conflicting-fields @.loadBalancer.warmupDurationSecs",
            "note deprecated-field @.loadBalancer.warmupDurationSecs",
            "warning without-effect @.loadBalancer",
        ],
    );
}

#[test]
fn r_m_174_localities() {
    let says = |setting: &str, expected: &[&str]| {
        let expected: Vec<String> = expected
            .iter()
            .map(|line| line.replace('%', "@.loadBalancer.localityLbSetting"))
            .collect();
        let expected: Vec<&str> = expected.iter().map(String::as_str).collect();
        policy_says(
            &format!("{{loadBalancer: {{localityLbSetting: {setting}}}, outlierDetection: {{}}}}"),
            &expected,
        );
    };
    says("{distribute: [{from: a/x, to: {a/x: 70, b: 30}}]}", &[]);
    says(
        "{distribute: [{from: a, to: {a: 0, b: 30}}, {from: a/x, to: {'a*b': 100}}], failover: [{from: a, to: a}]}",
        &[
            "error conflicting-fields %",
            "error invalid-locality %.distribute[0].to.a",
            "error invalid-locality %.distribute[0].to",
            "error invalid-locality %.distribute[1].to.a*b",
            "error invalid-locality %.distribute[1].from",
            "error invalid-locality %.failover[0]",
        ],
    );
    says(
        "{failover: [{from: a/b, to: '*'}], failoverPriority: [topology.kubernetes.io/zone, x=y]}",
        &[
            "error conflicting-fields %.failoverPriority[0]",
            "error invalid-locality %.failover[0]",
            "error invalid-locality %.failover[0]",
        ],
    );
    policy_says(
        "{loadBalancer: {localityLbSetting: {failoverPriority: [x]}}}",
        &["warning failover-without-outlier-detection @.loadBalancer.localityLbSetting"],
    );
}

#[test]
fn r_m_175_tls() {
    policy_says(
        "{tls: {mode: MUTUAL, credentialName: 'configmap://a/b'}}",
        &[],
    );
    policy_says(
        "{tls: {mode: ISTIO_MUTUAL, insecureSkipVerify: true, caCertificates: a}}",
        &[],
    );
    policy_says(
        "{tls: {mode: MUTUAL, credentialName: a, insecureSkipVerify: true}}",
        &[],
    );
    policy_says("{tls: {credentialName: a, caCertificates: b}}", &[]);
    policy_says(
        "{tls: {mode: SIMPLE, credentialName: 'configmap://'}}",
        &["error invalid-client-tls @.tls.credentialName"],
    );
    policy_says(
        "{tls: {mode: SIMPLE, credentialName: a, insecureSkipVerify: true}}",
        &["error invalid-client-tls @.tls.insecureSkipVerify"],
    );
    policy_says(
        "{tls: {mode: MUTUAL, credentialName: a, caCrl: b}}",
        &["error invalid-client-tls @.tls.credentialName"],
    );
    policy_says(
        "{tls: {mode: MUTUAL}}",
        &[
            "error invalid-client-tls @.tls.clientCertificate",
            "error invalid-client-tls @.tls.privateKey",
        ],
    );
}

#[test]
fn r_m_176_tunnels() {
    policy_says(
        "{tunnel: {protocol: POST, targetHost: 10.0.0.1, targetPort: 443}}",
        &[],
    );
    policy_says(
        "{tunnel: {protocol: connect, targetHost: '*.com', targetPort: 70000}}",
        &[
            "error invalid-tunnel @.tunnel.protocol",
            "error invalid-tunnel @.tunnel.targetHost",
            "error invalid-port @.tunnel.targetPort",
        ],
    );
}

#[test]
fn r_m_147_warnings_below_ports_and_subsets_are_notes() {
    let policy = "{outlierDetection: {consecutiveErrors: 3}}";
    assert_eq!(
        said(&rule(&format!(
            "  subsets: [{{name: v1, trafficPolicy: {policy}}}]\n"
        ))),
        ["note deprecated-field spec.subsets[0].trafficPolicy.outlierDetection.consecutiveErrors"]
    );
    policy_says(
        "{portLevelSettings: [{port: {number: 80}, outlierDetection: {consecutiveErrors: 3}}]}",
        &["note deprecated-field @.portLevelSettings[0].outlierDetection.consecutiveErrors"],
    );
}

#[test]
fn r_m_078_what_merging_ignored_names_both_rules_and_the_place() {
    let yaml = "
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: older, namespace: ns, creationTimestamp: '2026-01-01T00:00:01Z'}
spec:
  host: reviews
  trafficPolicy: {loadBalancer: {simple: RANDOM}}
  subsets:
  - {name: v1, labels: {version: v1}}
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: newer, namespace: ns, creationTimestamp: '2026-01-01T00:00:02Z'}
spec:
  host: reviews.ns.svc.cluster.local
  trafficPolicy: {loadBalancer: {simple: ROUND_ROBIN}}
  subsets:
  - {name: v2, labels: {version: v2}}
  - {name: v1, labels: {version: other}}
";
    let report = report(yaml);
    assert_eq!(
        lines(&report),
        [
            "warning shadowed-subset spec.subsets[1]",
            "warning ignored-policy spec.trafficPolicy"
        ]
    );
    let first = report.iter().next().unwrap();
    assert_eq!(
        first.resource().unwrap().to_string(),
        "DestinationRule ns/newer"
    );
    assert_eq!(
        first.related()[0].resource.to_string(),
        "DestinationRule ns/older"
    );
    assert_eq!(first.location().unwrap().line, 19);
    assert_eq!(first.related()[0].location.as_ref().unwrap().line, 6);
    assert_eq!(
        first.message(),
        "subset `v1` of `reviews.ns.svc.cluster.local` is ignored: DestinationRule `ns/older` has a subset of that name"
    );
}

#[test]
fn r_m_079_rules_that_are_lost_are_reported() {
    let two = |older: &str, newer: &str| {
        let rule = |name: &str, second: u8, export_to: &str| {
            format!(
                "apiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: {{name: {name}, namespace: ns, creationTimestamp: '2026-01-01T00:00:0{second}Z'}}\nspec: {{host: reviews, {export_to}}}\n---\n"
            )
        };
        said(&format!("{}{}", rule("a", 1, older), rule("b", 2, newer)))
    };
    assert_eq!(two("exportTo: []", "exportTo: []"), [""; 0]);
    assert_eq!(
        two("exportTo: []", "exportTo: ['*']"),
        ["warning replaced-rule spec.host"]
    );
    assert_eq!(
        two("exportTo: ['.']", "exportTo: [ns]"),
        ["warning replaced-rule spec.host"]
    );
    assert_eq!(
        two("exportTo: [x]", "exportTo: [x, y]"),
        ["warning hidden-rule spec.exportTo"]
    );
    assert_eq!(
        two("exportTo: ['.']", "workloadSelector: {matchLabels: {a: b}}"),
        ["warning captured-rule spec.exportTo"]
    );
    // The older one is still for the clients of other namespaces.
    assert_eq!(two("exportTo: []", "exportTo: ['.']"), [""; 0]);
}

#[test]
fn mesh_config_is_checked_as_istio_does_and_the_rest_warned_about() {
    let says = |text: &str| {
        let resources = Resources::new().with_mesh_config_yaml(text).unwrap();
        lines(&Mesh::resolve_lenient(resources).1)
    };
    assert_eq!(
        says(
            "{rootNamespace: root, outboundTrafficPolicy: {mode: REGISTRY_ONLY}, pathNormalization: {normalization: NONE}, connectTimeout: 5s, defaultTrafficPolicy: {outlierDetection: {}}, localityLbSetting: {enabled: false}, enableAutoMtls: false, h2UpgradePolicy: UPGRADE, defaultVirtualServiceExportTo: ['.']}"
        ),
        [""; 0]
    );
    assert_eq!(
        says("{connectTimeout: 0s}"),
        ["error invalid-duration-range connectTimeout"]
    );
    assert_eq!(
        says("{connectTimeout: 2h}"),
        ["error invalid-duration-range connectTimeout"]
    );
    assert_eq!(
        says(
            "{defaultHttpRetryPolicy: {attempts: 2, retryOn: nonsense}, rootNamespace: a/b, protocolDetectionTimeout: 5s}"
        ),
        [
            "note field-without-effect protocolDetectionTimeout",
            "warning invalid-name rootNamespace",
            "warning invalid-retries defaultHttpRetryPolicy",
        ]
    );
    assert_eq!(
        says("{localityLbSetting: {failover: [{from: a, to: a}]}}"),
        ["error invalid-locality localityLbSetting.failover[0]"]
    );
}
