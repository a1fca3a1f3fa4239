//! Every lint: an input that it finds something in, and one beside it where it is silent. Then istioctl's own analyzer cases
//! (`../shared/peer-cases/analyzers`), as far as a lint has a twin there.

mod analyzers;

use meshroute::Mesh;
use meshroute::lint::lint;
use meshroute::resource::Resources;

/// What is found in `yaml`: code, resource and field of each.
fn found(yaml: &str) -> Vec<String> {
    let resources = Resources::from_yaml(yaml).expect("the input can be read");
    let (mesh, report) = Mesh::resolve_lenient(resources.clone());
    assert!(!report.has_errors(), "{report}");
    let report = resources.locate(lint(&mesh));
    report
        .iter()
        .map(|diagnostic| {
            let refused = ["refused-listener", "unknown-format-command"];
            let is_refusal = refused.contains(&diagnostic.code().name());
            assert_eq!(
                diagnostic.is_error(),
                is_refusal,
                "other lints are no errors: {diagnostic}"
            );
            assert!(diagnostic.location().is_some(), "{diagnostic}");
            let resource = diagnostic
                .resource()
                .map(|diagnostic| diagnostic.name.clone());
            format!(
                "{} {} {}",
                diagnostic.code().name(),
                resource.unwrap_or_default(),
                diagnostic
                    .field()
                    .map(ToString::to_string)
                    .unwrap_or_default()
            )
        })
        .collect()
}

/// A resource of `kind` in namespace `ns`, created `second` seconds into 2026.
fn one(kind: &str, name: &str, second: u8, spec: &str) -> String {
    let version = if kind == "Service" || kind == "Pod" {
        "v1"
    } else {
        "networking.istio.io/v1"
    };
    let spec = spec.trim();
    format!(
        "apiVersion: {version}\nkind: {kind}\nmetadata: {{name: {name}, namespace: ns, creationTimestamp: '2026-01-01T00:00:{second:02}Z'}}\nspec: {spec}\n---\n"
    )
}

fn service(name: &str, ports: &[u16]) -> String {
    let ports: Vec<String> = ports
        .iter()
        .map(|port| format!("{{name: http-{port}, port: {port}}}"))
        .collect();
    let spec = format!(
        "{{selector: {{app: {name}}}, ports: [{}]}}",
        ports.join(", ")
    );
    one("Service", name, 0, &spec)
}

fn rule(name: &str, spec: &str) -> String {
    one("DestinationRule", name, 1, spec)
}

fn virtual_service(name: &str, spec: &str) -> String {
    one("VirtualService", name, 1, spec)
}

/// A VirtualService of the mesh for `a` with one destination.
fn route(destination: &str) -> String {
    virtual_service(
        "vs",
        &format!("{{hosts: [a], http: [{{route: [{{destination: {destination}}}]}}]}}"),
    )
}

fn gateway(name: &str, second: u8, servers: &str) -> String {
    one(
        "Gateway",
        name,
        second,
        &format!("{{selector: {{istio: in}}, servers: {servers}}}"),
    )
}

const HTTP_SERVER: &str = "{hosts: [a.com], port: {number: 80, name: http, protocol: HTTP}}";
const NOTHING: [&str; 0] = [];

#[test]
fn r_m_188_unknown_host() {
    let a = service("a", &[80]);
    assert_eq!(
        found(&format!("{a}{}", route("{host: b}"))),
        ["unknown-host vs spec.http[0].route[0].destination.host"]
    );
    assert_eq!(found(&format!("{a}{}", route("{host: a}"))), NOTHING);
    assert_eq!(found(&route("{host: b}")), NOTHING, "an open registry");
    let entry = one(
        "ServiceEntry",
        "wild",
        0,
        "{hosts: ['*.b.com'], ports: [{number: 80, name: http, protocol: HTTP}]}",
    );
    assert_eq!(
        found(&format!("{a}{entry}{}", route("{host: x.b.com}"))),
        ["unknown-host vs spec.http[0].route[0].destination.host"],
        "only the pattern itself is a cluster"
    );
    let elsewhere = route("{host: b.other.svc.cluster.local}");
    assert_eq!(
        found(&format!("{a}{elsewhere}")),
        NOTHING,
        "nothing of that namespace is given"
    );
    assert_eq!(
        found(&format!("{a}{}", route("{host: api.vendor.com}"))),
        NOTHING,
        "no ServiceEntry is given"
    );
}

#[test]
fn r_m_189_unknown_port() {
    let a = service("a", &[80]);
    assert_eq!(
        found(&format!("{a}{}", route("{host: a, port: {number: 8080}}"))),
        ["unknown-port vs spec.http[0].route[0].destination.port.number"]
    );
    assert_eq!(
        found(&format!("{a}{}", route("{host: a, port: {number: 80}}"))),
        NOTHING
    );
}

#[test]
fn r_m_190_ambiguous_port_at_gateways_only() {
    let base = format!(
        "{}{}",
        service("a", &[80, 81]),
        gateway("gw", 0, &format!("[{HTTP_SERVER}]"))
    );
    let bound = |gateways: &str| {
        let spec = format!(
            "{{hosts: [a.com], gateways: [{gateways}], http: [{{route: [{{destination: {{host: a}}}}]}}]}}"
        );
        found(&format!("{base}{}", virtual_service("vs", &spec)))
    };
    assert_eq!(
        bound("gw"),
        ["ambiguous-port vs spec.http[0].route[0].destination"]
    );
    assert_eq!(bound("mesh"), ["unbound-server gw spec.servers[0]"]);
}

#[test]
fn r_m_138_missing_listener_port() {
    let base = format!("{}{}", service("a", &[9080]), service("b", &[8080]));
    assert_eq!(
        found(&format!("{base}{}", route("{host: b}"))),
        ["missing-listener-port vs spec.http[0].route[0].destination"]
    );
    assert_eq!(
        found(&format!(
            "{base}{}",
            route("{host: b, port: {number: 8080}}")
        )),
        NOTHING
    );
}

#[test]
fn r_m_192_unknown_subset() {
    let a = service("a", &[80]);
    let rules = rule("dr", "{host: a, subsets: [{name: v1}]}");
    assert_eq!(
        found(&format!("{a}{rules}{}", route("{host: a, subset: v2}"))),
        [
            "unknown-subset vs spec.http[0].route[0].destination.subset",
            "unused-subset dr spec.subsets[0]"
        ]
    );
    assert_eq!(
        found(&format!("{a}{rules}{}", route("{host: a, subset: v1}"))),
        NOTHING
    );
    let elsewhere = rules
        .replace("namespace: ns", "namespace: other")
        .replace("host: a,", "host: a.ns.svc.cluster.local,");
    assert_eq!(
        found(&format!("{a}{elsewhere}{}", route("{host: a, subset: v1}"))),
        ["unknown-subset vs spec.http[0].route[0].destination.subset"]
    );
}

#[test]
fn r_m_191_ineffective_subset() {
    let base = format!(
        "{}{}{}{}",
        service("a", &[80]),
        rule("dr", "{host: a, subsets: [{name: v1}]}"),
        gateway("gw", 0, &format!("[{HTTP_SERVER}]")),
        route("{host: a, subset: v1}")
    );
    let edge = |destination: &str| {
        let spec = format!(
            "{{hosts: [a.com], gateways: [gw], http: [{{route: [{{destination: {destination}}}]}}]}}"
        );
        found(&format!("{base}{}", virtual_service("edge", &spec)))
    };
    assert_eq!(
        edge("{host: a}"),
        ["ineffective-subset edge spec.http[0].route[0].destination"]
    );
    assert_eq!(edge("{host: a, subset: v1}"), NOTHING);
}

#[test]
fn r_m_202_subset_selects_nothing() {
    let pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: p, namespace: ns, labels: {app: a, version: v1}}\nspec: {}\nstatus: {podIP: 10.1.0.1}\n---\n";
    let of = |version: &str| {
        let rules = rule(
            "dr",
            &format!("{{host: a, subsets: [{{name: s, labels: {{version: {version}}}}}]}}"),
        );
        found(&format!(
            "{}{pod}{rules}{}",
            service("a", &[80]),
            route("{host: a, subset: s}")
        ))
    };
    assert_eq!(
        of("v2"),
        ["subset-selects-nothing dr spec.subsets[0].labels"]
    );
    assert_eq!(of("v1"), NOTHING);
}

#[test]
fn r_m_193_unknown_gateway_and_r_m_194_host_not_served() {
    let gw = gateway("gw", 0, &format!("[{HTTP_SERVER}]"));
    let bound = |host: &str, gateway: &str| {
        let spec = format!(
            "{{hosts: [{host}], gateways: [{gateway}], http: [{{route: [{{destination: {{host: a}}}}]}}]}}"
        );
        found(&format!("{gw}{}", virtual_service("vs", &spec)))
    };
    assert_eq!(bound("a.com", "gw"), NOTHING);
    assert_eq!(
        bound("a.com", "other/gw"),
        [
            "unknown-gateway vs spec.gateways[0]",
            "unbound-server gw spec.servers[0]"
        ]
    );
    assert_eq!(
        bound("b.com", "gw"),
        [
            "host-not-served vs spec.gateways[0]",
            "unbound-server gw spec.servers[0]"
        ]
    );
    assert_eq!(bound("'*.com'", "gw"), NOTHING);
}

#[test]
fn r_m_196_host_claimed_twice() {
    let claim = |name: &str, second: u8, rest: &str| {
        let spec =
            format!("{{hosts: [a], http: [{{route: [{{destination: {{host: a}}}}]}}]{rest}}}");
        one("VirtualService", name, second, &spec)
    };
    assert_eq!(
        found(&format!("{}{}", claim("old", 1, ""), claim("new", 2, ""))),
        ["host-claimed-twice new spec.hosts[0]"]
    );
    assert_eq!(
        found(&format!(
            "{}{}",
            claim("old", 1, ", exportTo: [x]"),
            claim("new", 2, ", exportTo: [y]")
        )),
        NOTHING
    );
}

#[test]
fn r_h_062_shadowed_catch_all() {
    let gw = gateway("gw", 0, &format!("[{HTTP_SERVER}]"));
    let bound = |name: &str, second: u8, rules: &str| {
        one(
            "VirtualService",
            name,
            second,
            &format!("{{hosts: [a.com], gateways: [gw], http: [{rules}]}}"),
        )
    };
    let all = "{route: [{destination: {host: a}}]}";
    let some = "{match: [{uri: {prefix: /x}}], route: [{destination: {host: a}}]}";
    assert_eq!(
        found(&format!(
            "{gw}{}{}",
            bound("old", 1, all),
            bound("new", 2, &format!("{some}, {all}"))
        )),
        ["shadowed-catch-all new spec.http[1]"]
    );
    assert_eq!(
        found(&format!(
            "{gw}{}{}",
            bound("old", 1, all),
            bound("new", 2, some)
        )),
        NOTHING
    );
}

#[test]
fn r_m_201_rule_for_unknown_host() {
    let a = service("a", &[80]);
    assert_eq!(
        found(&format!("{a}{}", rule("dr", "{host: b}"))),
        ["rule-for-unknown-host dr spec.host"]
    );
    assert_eq!(
        found(&format!("{a}{}", rule("dr", "{host: a.ns}"))),
        ["rule-for-unknown-host dr spec.host"]
    );
    for known in ["a", "'*.cluster.local'", "'*'", "a.ns.svc.cluster.local"] {
        assert_eq!(
            found(&format!("{a}{}", rule("dr", &format!("{{host: {known}}}")))),
            NOTHING,
            "{known}"
        );
    }
}

#[test]
fn r_m_199_unverified_server_and_r_m_113_credential_without_effect() {
    let with = |policy: &str, rest: &str| {
        found(&rule(
            "dr",
            &format!("{{host: a, trafficPolicy: {policy}{rest}}}"),
        ))
    };
    assert_eq!(
        with("{tls: {mode: SIMPLE}}", ""),
        ["unverified-server dr spec.trafficPolicy.tls"]
    );
    assert_eq!(
        with(
            "{portLevelSettings: [{port: {number: 80}, tls: {mode: SIMPLE}}]}",
            ""
        ),
        ["unverified-server dr spec.trafficPolicy.portLevelSettings[0].tls"]
    );
    assert_eq!(
        with("{tls: {mode: SIMPLE, caCertificates: ca.pem}}", ""),
        NOTHING
    );
    assert_eq!(with("{tls: {mode: ISTIO_MUTUAL}}", ""), NOTHING);
    let selector = ", workloadSelector: {matchLabels: {a: b}}";
    assert_eq!(
        with("{tls: {mode: SIMPLE, credentialName: c}}", selector),
        NOTHING
    );
    assert_eq!(
        with("{tls: {mode: SIMPLE, credentialName: c}}", ""),
        [
            "unverified-server dr spec.trafficPolicy.tls",
            "credential-without-effect dr spec.trafficPolicy.tls.credentialName"
        ]
    );
}

#[test]
fn r_m_121_hash_without_port() {
    let hash = "{port: {number: 80}, loadBalancer: {consistentHash: {httpHeaderName: x}}}";
    let base = format!(
        "{}{}",
        service("a", &[80]),
        rule(
            "dr",
            &format!("{{host: a, trafficPolicy: {{portLevelSettings: [{hash}]}}}}")
        )
    );
    assert_eq!(
        found(&format!("{base}{}", route("{host: a}"))),
        ["hash-without-port vs spec.http[0].route[0].destination"]
    );
    assert_eq!(
        found(&format!("{base}{}", route("{host: a, port: {number: 80}}"))),
        NOTHING
    );
}

#[test]
fn r_m_205_conflicting_gateways() {
    let tcp = "[{hosts: [a.com], port: {number: 80, name: tcp, protocol: TCP}}]";
    let other = "[{hosts: [b.com], port: {number: 80, name: tcp, protocol: TCP}}]";
    assert_eq!(
        found(&format!("{}{}", gateway("a", 1, tcp), gateway("b", 2, tcp))),
        [
            "conflicting-gateways a spec.servers[0]",
            "conflicting-gateways b spec.servers[0]",
            "dropped-server b spec.servers[0]"
        ]
    );
    // Two TCP servers never share a port, whatever their hosts (R-M-033).
    assert_eq!(
        found(&format!(
            "{}{}",
            gateway("a", 1, tcp),
            gateway("b", 2, other)
        )),
        ["dropped-server b spec.servers[0]"]
    );
    let elsewhere = gateway("b", 2, tcp).replace("istio: in", "istio: out");
    assert_eq!(
        found(&format!("{}{elsewhere}", gateway("a", 1, tcp))),
        NOTHING
    );
}

#[test]
fn r_m_032_the_younger_tls_server_of_a_host_is_dropped() {
    let tls = "[{hosts: [a.com], port: {number: 443, name: https, protocol: HTTPS}, tls: {mode: SIMPLE, credentialName: c}}]";
    let both = format!("{}{}", gateway("a", 1, tls), gateway("b", 2, tls));
    assert!(found(&both).contains(&"dropped-server b spec.servers[0]".to_owned()));
}

#[test]
fn chains_of_one_server_name_make_a_listener_that_envoy_refuses() {
    let tls = "[{hosts: [a.com], port: {number: 443, name: https, protocol: HTTPS}, tls: {mode: SIMPLE, credentialName: c}}]";
    // The same name behind a namespace is no duplicate to Istio's merging, and one to Envoy.
    let scoped = tls.replace("[a.com]", "[default/a.com]");
    let both = format!("{}{}", gateway("a", 1, tls), gateway("b", 2, &scoped));
    assert!(found(&both).contains(&"refused-listener b spec.servers[0]".to_owned()));
}

#[test]
fn r_m_208_conflicting_sidecars() {
    let sidecar = |name: &str, second: u8, selector: &str| {
        one(
            "Sidecar",
            name,
            second,
            &format!("{{{selector} egress: [{{hosts: ['./*']}}]}}"),
        )
    };
    let select = |labels: &str| format!("workloadSelector: {{labels: {{{labels}}}}},");
    assert_eq!(
        found(&format!("{}{}", sidecar("a", 1, ""), sidecar("b", 2, ""))),
        ["conflicting-sidecars b spec.workloadSelector"]
    );
    assert_eq!(
        found(&format!(
            "{}{}",
            sidecar("a", 1, &select("x: y")),
            sidecar("b", 2, &select("x: y, z: w"))
        )),
        ["conflicting-sidecars b spec.workloadSelector"]
    );
    assert_eq!(
        found(&format!(
            "{}{}",
            sidecar("a", 1, &select("x: y, z: w")),
            sidecar("b", 2, &select("x: y"))
        )),
        NOTHING
    );
}

#[test]
fn a_finding_in_a_delegate_names_the_delegate_once() {
    let root = |name: &str, host: &str| {
        let rule = "{match: [{uri: {prefix: /x}}], delegate: {name: leaf, namespace: ns}}";
        virtual_service(name, &format!("{{hosts: [{host}], http: [{rule}]}}"))
    };
    let routes = "{match: [{uri: {prefix: /x/1}}], route: [{destination: {host: a}}]}, {route: [{destination: {host: zzz}}]}";
    let leaf = virtual_service("leaf", &format!("{{http: [{routes}]}}"));
    let yaml = format!(
        "{}{}{}{leaf}",
        service("a", &[80]),
        root("r1", "a"),
        root("r2", "b.com")
    );
    assert_eq!(
        found(&yaml),
        ["unknown-host leaf spec.http[1].route[0].destination.host"]
    );
}

#[test]
fn unknown_format_command() {
    let rule = |value: &str| {
        let spec = format!(
            "{{hosts: [a.example.com], http: [{{headers: {{response: {{add: {{x-a: '{value}'}}}}}}, route: [{{destination: {{host: a}}}}]}}]}}"
        );
        service("a", &[80]) + &one("VirtualService", "v", 1, &spec)
    };
    assert_eq!(
        found(&rule("a %REQ_WITHOUT_QUERY(:path)%")),
        ["unknown-format-command v spec.http[0].headers.response.add"]
    );
    for known in [
        "100%%",
        "%REQ(x)%",
        "%RESPONSE_HEADER(x)%",
        "%UPSTREAM_HOST%",
        "%START_TIME(%s)%",
    ] {
        assert_eq!(found(&rule(known)), NOTHING, "{known}");
    }
}
