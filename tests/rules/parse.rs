//! Reading: what of YAML and JSON becomes a resource, and that nothing of it can hang or panic.

mod corpus;
mod hostile;
mod random;

use meshroute::Limits;
use meshroute::diagnostic::{Code, Report};
use meshroute::resource::{
    Document, IntOrString, NormalizationType, OutboundTrafficPolicyMode, Resource, Resources,
    StringMatch, VirtualService,
};

/// A VirtualService with that `spec`, which is YAML indented by two.
fn virtual_service(spec: &str) -> String {
    format!(
        "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata:\n  name: test\nspec:\n{spec}"
    )
}

fn read(text: &str) -> Resources {
    Resources::from_yaml(text).unwrap_or_else(|report| panic!("{text}\n{report}"))
}

fn read_one(text: &str) -> Document<VirtualService> {
    match read(text).documents.pop() {
        Some(Resource::VirtualService(document)) => document,
        other => panic!("expected a VirtualService, got {other:?}"),
    }
}

fn codes(report: &Report) -> Vec<&'static str> {
    report
        .iter()
        .map(|diagnostic| diagnostic.code().name())
        .collect()
}

fn names(resources: &Resources) -> Vec<&str> {
    resources
        .documents
        .iter()
        .map(|resource| &*resource.meta().name)
        .collect()
}

#[test]
fn documents_are_read_in_order_from_streams_lists_and_json() {
    let service =
        |name: &str| format!("{{apiVersion: v1, kind: Service, metadata: {{name: {name}}}}}");
    let stream = format!(
        "# licence\n---\n{}\n---\n---\n# nothing\n--- \n{}\n...\n",
        service("a"),
        service("b")
    );
    assert_eq!(names(&read(&stream)), ["a", "b"]);
    let list = format!(
        "apiVersion: v1\nitems:\n- {}\n- null\n- {}\nkind: List\n",
        service("a"),
        service("b")
    );
    assert_eq!(names(&read(&list)), ["a", "b"]);
    let json = r#"{"apiVersion":"v1","kind":"Service","metadata":{"name":"a"}}"#;
    let two = format!("\u{feff} {json}\n\n{} ", json.replace("\"a\"", "\"b\""));
    assert_eq!(names(&Resources::from_json(&two).unwrap()), ["a", "b"]);
    assert_eq!(
        names(&Resources::from_json(&format!("[{json}]")).unwrap()),
        ["a"]
    );
    let list = format!(
        r#"{{"apiVersion":"networking.istio.io/v1","items":[{json}],"kind":"VirtualServiceList"}}"#
    );
    assert_eq!(names(&Resources::from_json(&list).unwrap()), ["a"]);
    assert!(names(&read("")).is_empty());
    assert!(names(&read("---\n---\n")).is_empty());
}

#[test]
fn content_before_kind_is_read_the_same() {
    let ordered = virtual_service(
        "  hosts: [a]\n  http:\n  - route: [{destination: {host: a}, weight: 1}]\n",
    );
    let shuffled = "spec:\n  hosts: [a]\n  http:\n  - route: [{destination: {host: a}, weight: 1}]\nmetadata:\n  name: test\n\
                    kind: VirtualService\napiVersion: networking.istio.io/v1\n";
    let (ordered, shuffled) = (read_one(&ordered), read_one(shuffled));
    assert_eq!(ordered.spec, shuffled.spec);
    assert_eq!(ordered.meta, shuffled.meta);
}

#[test]
fn metadata_is_read() {
    let text = "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata:\n  name: a\n  namespace: n\n  \
                creationTimestamp: 2026-01-01T00:00:03Z\n  labels: {app: a}\n  annotations: {x/y: z}\n  uid: 1\nspec: {}\n";
    let meta = read_one(text).meta;
    assert_eq!(
        (&*meta.name, &*meta.namespace, meta.namespace_defaulted),
        ("a", "n", false)
    );
    assert_eq!(meta.creation_timestamp, Some(1_767_225_603));
    assert_eq!(meta.labels.get("app").map(String::as_str), Some("a"));
    assert_eq!(meta.annotations.get("x/y").map(String::as_str), Some("z"));
    let meta = read_one(&text.replace("2026-01-01T00:00:03Z", "null")).meta;
    assert_eq!(meta.creation_timestamp, None);
}

#[test]
fn proto_names_and_json_names_are_the_same() {
    let camel = "  exportTo: ['.']\n  http:\n  - match: [{ignoreUriCase: true, sourceLabels: {a: b}}]\n    corsPolicy: {allowOrigins: [{exact: x}]}\n";
    let snake = "  export_to: ['.']\n  http:\n  - match: [{ignore_uri_case: true, source_labels: {a: b}}]\n    cors_policy: {allow_origins: [{exact: x}]}\n";
    assert_eq!(
        read_one(&virtual_service(camel)).spec,
        read_one(&virtual_service(snake)).spec
    );
}

#[test]
fn null_is_the_default_everywhere() {
    let nulls = "  hosts: null\n  gateways: ~\n  http:\n  - name:\n    match: null\n    route: ~\n    timeout: null\n    fault: null\n    \
                 mirrorPercent: null\n    headers: {request: null, response: {set: null}}\n    redirect: {port: null, derivePort: FROM_REQUEST_PORT}\n";
    let spec = read_one(&virtual_service(nulls)).spec;
    assert!(spec.hosts.is_empty() && spec.gateways.is_empty());
    let rule = &spec.http[0];
    assert!(
        rule.r#match.is_empty()
            && rule.route.is_empty()
            && rule.timeout.is_none()
            && rule.fault.is_none()
    );
    assert!(
        rule.headers
            .as_ref()
            .is_some_and(|headers| headers.request.is_none() && headers.response.is_some())
    );
}

/// R-H-094, R-H-098: a null matcher and an empty one are told apart from an absent one.
#[test]
fn a_null_header_matcher_is_kept() {
    let text = "  http:\n  - match: [{headers: {a: null, b: {}, c: {exact: x}}}]\n";
    let spec = read_one(&virtual_service(text)).spec;
    let headers = &spec.http[0].r#match[0].headers;
    assert_eq!(headers.get("a"), Some(&None));
    assert_eq!(headers.get("b"), Some(&Some(StringMatch::default())));
    assert_eq!(
        headers["c"]
            .as_ref()
            .and_then(|matcher| matcher.exact.as_deref()),
        Some("x")
    );
}

#[test]
fn numbers_come_as_numbers_and_as_text() {
    let text = "  http:\n  - match: [{port: '80'}]\n    route: [{weight: 1e1, destination: {port: {number: 8080.0}}}]\n    \
                mirrorPercentage: {value: '12.5'}\n    retries: {attempts: -1}\n";
    let spec = read_one(&virtual_service(text)).spec;
    let rule = &spec.http[0];
    assert_eq!((rule.r#match[0].port, rule.route[0].weight), (80, 10));
    assert_eq!(
        rule.route[0]
            .destination
            .as_ref()
            .and_then(|to| to.port.as_ref())
            .map(|port| port.number),
        Some(8080)
    );
    assert_eq!(
        rule.mirror_percentage.as_ref().map(|percent| percent.value),
        Some(12.5)
    );
    assert_eq!(
        rule.retries.as_ref().map(|retries| retries.attempts),
        Some(-1)
    );
    let service = "apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec:\n  ports: [{port: 80, targetPort: http}, {port: 81, targetPort: 8080}]\n";
    let resources = read(service);
    let Resource::Service(service) = &resources.documents[0] else {
        panic!("a Service")
    };
    assert_eq!(
        service.spec.ports[0].target_port,
        Some(IntOrString::String("http".into()))
    );
    assert_eq!(
        service.spec.ports[1].target_port,
        Some(IntOrString::Int(8080))
    );
}

#[test]
fn booleans_are_those_of_kubernetes() {
    for (text, value) in [
        ("true", true),
        ("yes", true),
        ("on", true),
        ("Off", false),
        ("no", false),
        ("false", false),
    ] {
        let spec = format!("  http:\n  - match: [{{ignoreUriCase: {text}}}]\n");
        assert_eq!(
            read_one(&virtual_service(&spec)).spec.http[0].r#match[0].ignore_uri_case,
            value,
            "{text}"
        );
    }
    let json = r#"{"apiVersion":"networking.istio.io/v1","kind":"VirtualService","metadata":{"name":"a"},"spec":{"http":[{"match":[{"ignoreUriCase":"yes"}]}]}}"#;
    assert_eq!(
        codes(&Resources::from_json(json).unwrap_err()),
        ["wrong-type"]
    );
}

#[test]
fn enumerations_come_by_name_and_by_number() {
    for mode in ["REGISTRY_ONLY", "0"] {
        let mesh = format!(
            "outboundTrafficPolicy: {{mode: {mode}}}\npathNormalization: {{normalization: MERGE_SLASHES}}\n"
        );
        let resources = Resources::new().with_mesh_config_yaml(&mesh).unwrap();
        let mesh = &resources.mesh_config.as_ref().unwrap().spec;
        let mode = mesh
            .outbound_traffic_policy
            .as_ref()
            .map(|policy| policy.mode);
        assert_eq!(mode, Some(OutboundTrafficPolicyMode::RegistryOnly));
        let normalization = mesh
            .path_normalization
            .as_ref()
            .map(|path| path.normalization);
        assert_eq!(normalization, Some(NormalizationType::MergeSlashes));
    }
}

#[test]
fn a_body_is_text_or_base64() {
    let body = |body: &str| {
        let spec = format!("  http:\n  - directResponse: {{status: 200, body: {body}}}\n");
        let http = read_one(&virtual_service(&spec)).spec.http;
        http.into_iter()
            .next()
            .and_then(|rule| rule.direct_response)
            .and_then(|response| response.body)
            .unwrap_or_default()
    };
    assert_eq!(body("{string: hi}").string.as_deref(), Some("hi"));
    assert_eq!(
        body("{bytes: aGk=}").bytes.map(|bytes| bytes.0),
        Some(b"hi".to_vec())
    );
}

#[test]
fn anchors_and_merge_keys_are_applied() {
    let text = "  http:\n  - &base\n    name: base\n    timeout: 1s\n    headers: {request: {set: &set {a: '1', b: '2'}}}\n  \
                - <<: *base\n    name: second\n    headers: {request: {set: {<<: *set, b: '3'}}}\n  \
                - name: third\n    <<: [{timeout: 2s, name: other}, *base]\n";
    let spec = read_one(&virtual_service(text)).spec;
    let timeouts: Vec<_> = spec
        .http
        .iter()
        .filter_map(|rule| rule.timeout)
        .map(|timeout| timeout.to_string())
        .collect();
    assert_eq!(timeouts, ["1s", "1s", "2s"]);
    assert_eq!(
        spec.http.iter().map(|rule| &*rule.name).collect::<Vec<_>>(),
        ["base", "second", "third"]
    );
    let set = &spec.http[1]
        .headers
        .as_ref()
        .unwrap()
        .request
        .as_ref()
        .unwrap()
        .set;
    assert_eq!((&*set["a"], &*set["b"]), ("1", "3"));
    let top = "x: &x {apiVersion: v1, kind: Service}\n<<: *x\nmetadata: {name: a}\n";
    assert_eq!(names(&read(top)), ["a"]);
}

#[test]
fn the_default_namespace_can_be_chosen_before_and_after() {
    let text = "apiVersion: v1\nkind: Service\nmetadata: {name: a}\n---\napiVersion: v1\nkind: Service\nmetadata: {name: a, namespace: x}\n";
    let namespaces = |resources: &Resources| {
        resources
            .documents
            .iter()
            .map(|resource| resource.meta().namespace.clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(namespaces(&read(text)), ["default", "x"]);
    assert_eq!(
        namespaces(&read(text).with_default_namespace("y")),
        ["y", "x"]
    );
    let built = Resources::builder()
        .default_namespace("z")
        .yaml("a.yaml", text)
        .build()
        .unwrap();
    assert_eq!(namespaces(&built), ["z", "x"]);
    let clash = read(text).with_default_namespace("x");
    assert_eq!(codes(&clash.notes), ["duplicate-resource"]);
    assert_eq!(namespaces(&clash), ["x"]);
}

#[test]
fn the_mesh_config_stands_alone_or_in_a_config_map() {
    let mesh = "rootNamespace: root\naccessLogFile: /dev/stdout\n";
    let resources = Resources::new().with_mesh_config_yaml(mesh).unwrap();
    assert_eq!(
        resources.mesh_config.as_ref().unwrap().spec.root_namespace,
        "root"
    );
    assert_eq!(codes(&resources.notes), ["field-without-effect"]);
    for order in [
        "kind: ConfigMap\ndata:\n  mesh: |\n    rootNamespace: root\n",
        "data:\n  mesh: |\n    rootNamespace: root\nkind: ConfigMap\n",
    ] {
        let text =
            format!("apiVersion: v1\n{order}metadata: {{name: istio, namespace: istio-system}}\n");
        assert_eq!(read(&text).mesh_config.unwrap().spec.root_namespace, "root");
        let resources = read(&text.replace("name: istio,", "name: other,"));
        assert!(resources.mesh_config.is_none());
        assert!(codes(&resources.notes).is_empty());
        assert_eq!(resources.documents.len(), 1);
    }
}

#[test]
fn merging_finds_duplicates() {
    let text = "apiVersion: v1\nkind: Service\nmetadata: {name: a}\n";
    let other = format!("{text}spec: {{ports: [{{port: 80}}]}}\n");
    let report = read(text).merge(read(&other)).unwrap_err();
    assert_eq!(codes(&report), ["duplicate-resource"]);
    let copy = read(text).merge(read(text)).expect("a copy does no harm");
    assert_eq!(codes(&copy.notes), ["duplicate-resource"]);
    assert!(!copy.notes.has_errors());
    assert_eq!(
        names(
            &read(text)
                .merge(read(&text.replace("name: a", "name: b")))
                .unwrap()
        ),
        ["a", "b"]
    );
}

#[test]
fn the_lenient_door_leaves_out_what_has_errors_and_nothing_else() {
    let good = virtual_service("  hosts: [a]\n  unknown: 1\n");
    let bad = virtual_service("  hosts: a\n").replace("name: test", "name: bad");
    let (resources, report) =
        Resources::from_yaml_lenient(&format!("{good}---\n{bad}---\na: [\n---\n{good}"));
    assert_eq!(names(&resources), ["test"]);
    assert_eq!(
        codes(&report),
        [
            "unknown-field",
            "wrong-type",
            "syntax",
            "unknown-field",
            "duplicate-resource"
        ]
    );
    assert!(resources.notes.is_empty());
}

#[test]
fn every_kubernetes_kind_that_matters_is_read() {
    let text = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a}\nspec:\n  replicas: 2\n  template:\n    metadata: {labels: {app: a}}\n    \
                spec: {containers: [{name: c, image: x, ports: [{containerPort: 80, name: http}]}], volumes: []}\n\
                ---\napiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec: {nodeName: n}\nstatus: {podIP: 10.0.0.1}\n\
                ---\naddressType: IPv4\napiVersion: discovery.k8s.io/v1\nendpoints: [{addresses: [10.0.0.1], conditions: {ready: false}}]\n\
                kind: EndpointSlice\nmetadata: {name: e}\nports: [{name: http, port: 80}]\n";
    let resources = read(text);
    assert!(resources.notes.is_empty(), "{}", resources.notes);
    let [
        Resource::Deployment(deployment),
        Resource::Pod(pod),
        Resource::EndpointSlice(slice),
    ] = &resources.documents[..]
    else {
        panic!("three kinds, got {:?}", resources.documents);
    };
    let template = deployment.spec.template.as_ref().unwrap();
    assert_eq!(template.metadata.labels["app"], "a");
    assert_eq!(template.spec.containers[0].ports[0].container_port, 80);
    assert_eq!(
        (&*pod.spec.spec.node_name, &*pod.spec.status.pod_ip),
        ("n", "10.0.0.1")
    );
    assert_eq!(
        (
            &*slice.spec.address_type,
            slice.spec.endpoints[0].conditions.ready
        ),
        ("IPv4", Some(false))
    );
    assert_eq!(slice.spec.ports[0].port, Some(80));
}

#[test]
fn files_and_directories_are_read_in_order() {
    let directory = std::env::temp_dir().join(format!("meshroute-parse-{}", std::process::id()));
    std::fs::create_dir_all(directory.join("b")).unwrap();
    let service = |name: &str| {
        format!(
            "{{\"apiVersion\": \"v1\", \"kind\": \"Service\", \"metadata\": {{\"name\": \"{name}\"}}}}"
        )
    };
    for (file, name) in [
        ("c.yaml", "third"),
        ("a.json", "first"),
        ("b/x.yml", "second"),
    ] {
        std::fs::write(directory.join(file), service(name)).unwrap();
    }
    std::fs::write(directory.join("readme.txt"), "no resource").unwrap();
    let read = Resources::from_path(&directory);
    std::fs::write(directory.join("d.yaml"), b"a: \xff\n").unwrap();
    let broken = Resources::from_path(&directory);
    let missing = Resources::from_path(directory.join("missing.yaml"));
    std::fs::remove_dir_all(&directory).unwrap();
    assert_eq!(names(&read.unwrap()), ["first", "second", "third"]);
    assert_eq!(codes(&broken.unwrap_err()), ["not-utf8"]);
    assert_eq!(codes(&missing.unwrap_err()), ["unreadable-file"]);
}

#[test]
fn limits_have_codes() {
    let mut limits = Limits::default();
    limits.bytes = 100;
    limits.documents = 2;
    limits.list_length = 3;
    limits.expansion = 10;
    let read = |text: &str| {
        Resources::builder()
            .limits(limits)
            .yaml("a.yaml", text)
            .build_lenient()
            .1
    };
    assert_eq!(codes(&read(&"#".repeat(101))), ["input-too-large"]);
    assert_eq!(
        codes(&read("a: 1\n---\nb: 1\n---\nc: 1\n---\nd: 1\n")),
        ["not-a-resource", "not-a-resource", "too-many-documents"]
    );
    let mut short = Limits::default();
    short.document_bytes = 10;
    let report = Resources::builder()
        .limits(short)
        .yaml("a.yaml", "a: 1\n---\nlonger: 123456\n")
        .build_lenient()
        .1;
    assert_eq!(codes(&report), ["not-a-resource", "input-too-large"]);
    let list = "apiVersion: networking.istio.io/v1\nkind: Gateway\nmetadata: {name: a}\nspec: {servers: [{},{},{},{}]}";
    let report = Resources::builder()
        .limits({
            let mut wide = limits;
            wide.bytes = 1000;
            wide
        })
        .yaml("a.yaml", list)
        .build_lenient()
        .1;
    assert_eq!(codes(&report), ["list-too-long"]);
    assert_eq!(
        codes(
            &Resources::from_yaml(&format!("{}{}", "[".repeat(200), "]".repeat(200))).unwrap_err()
        ),
        ["too-deep"]
    );
    assert_eq!(
        codes(&Resources::from_json(&"[".repeat(200)).unwrap_err()),
        ["too-deep"]
    );
    assert_eq!(Code::TOO_DEEP.id(), "MR0006");
}
