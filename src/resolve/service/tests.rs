//! What Services, ServiceEntries and workloads become.

use std::sync::Arc;

use crate::diagnostic::Report;
use crate::mesh::service::{Health, Protocol, Resolution, TrafficDistribution};
use crate::mesh::{Mesh, Service, Visibility};
use crate::resource::Resources;

pub(super) fn resolve(yaml: &str) -> (Vec<Arc<Service>>, Report) {
    let (resources, mut report) = Resources::from_yaml_lenient(yaml);
    let (mesh, more) = Mesh::resolve_lenient(resources);
    report.append(more);
    (mesh.inner.services.clone(), report)
}

/// The services of a text with which nothing is wrong.
pub(super) fn services(yaml: &str) -> Vec<Arc<Service>> {
    let (services, report) = resolve(yaml);
    assert!(!report.has_errors(), "{report}");
    services
}

pub(super) fn workloads(service: &Service) -> Vec<String> {
    let named = service
        .endpoints
        .iter()
        .filter_map(|endpoint| endpoint.workload.as_ref());
    named.map(ToString::to_string).collect()
}

pub(super) fn codes(report: &Report) -> Vec<&'static str> {
    report
        .iter()
        .map(|diagnostic| diagnostic.code().name())
        .collect()
}

const VERSION: &str = "
apiVersion: v1
kind: Service
metadata: {name: version, namespace: default}
spec:
  selector: {app: version}
  ports: [{name: http, port: 8080}]
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: version-v1, namespace: default}
spec: {template: {metadata: {labels: {app: version, version: v1}}}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: version-v2, namespace: default}
spec: {template: {metadata: {labels: {app: version, version: v2}}}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: version-v3, namespace: other}
spec: {template: {metadata: {labels: {app: version, version: v3}}}}
";

#[test]
fn what_is_said_of_a_workload_stands_once_for_all_services() {
    let service = |name: &str, ports: &str, more: &str| {
        format!(
            "apiVersion: v1\nkind: Service\nmetadata: {{name: {name}}}\nspec: {{selector: {{app: a}}, ports: [{ports}]{more}}}\n---\n"
        )
    };
    let pod = |name: &str, phase: &str, labels: &str| {
        format!(
            "apiVersion: v1\nkind: Pod\nmetadata: {{name: {name}, labels: {{app: a{labels}}}}}\nspec: {{containers: [{{name: c, ports: [{{name: web, containerPort: 7}}]}}]}}\nstatus: {{phase: {phase}, podIP: 10.0.0.1}}\n---\n"
        )
    };
    let publishing = ", publishNotReadyAddresses: true";
    let text = [
        service("x", "{name: a, port: 1}", ""),
        service("y", "{name: b, port: 2, targetPort: web}", ""),
        service("z", "{name: c, port: 3}", publishing),
        pod("p", "Running", ""),
        pod("q", "Pending", ""),
        pod("r", "Running", ", istio.io/draining: yes"),
    ];
    let all = services(&text.concat());
    let [x, y, z] = &all[..] else {
        panic!("three services");
    };
    let own_ports = |service: &Service| {
        let ports = service
            .endpoints
            .iter()
            .flat_map(|endpoint| endpoint.ports.iter());
        let ports = ports.map(|port| (port.service_port.to_string(), port.number));
        ports.collect::<Vec<_>>()
    };
    assert_eq!(own_ports(x), vec![("a".to_owned(), 1); 3]);
    assert_eq!(own_ports(y), vec![("b".to_owned(), 7); 3]);
    let shares = |other: &Service| {
        let pairs = x.endpoints.iter().zip(&*other.endpoints);
        let shares = pairs.map(|(a, b)| Arc::ptr_eq(&a.facts, &b.facts));
        shares.collect::<Vec<_>>()
    };
    assert_eq!(shares(y), [true; 3]);
    // One that publishes what is not ready says otherwise of that.
    assert_eq!(shares(z), [true, false, true]);
    let healths = |service: &Service| {
        let healths = service.endpoints.iter().map(|endpoint| endpoint.health);
        healths.collect::<Vec<_>>()
    };
    assert_eq!(
        healths(x),
        [Health::Healthy, Health::Unhealthy, Health::Draining]
    );
    assert_eq!(
        healths(z),
        [Health::Healthy, Health::Healthy, Health::Draining]
    );
}

#[test]
fn r_m_133_deployments_stand_behind_a_service_by_the_labels_of_their_pods() {
    let [version] = &services(VERSION)[..] else {
        panic!("one service");
    };
    assert_eq!(&*version.hostname, "version.default.svc.cluster.local");
    assert_eq!(
        workloads(version),
        ["default/version-v1", "default/version-v2"]
    );
    assert_eq!(version.endpoints[0].labels.get("version"), Some("v1"));
    assert_eq!(version.endpoints[0].port("http"), Some(8080));
}

#[test]
fn r_m_129_protocol_by_transport_app_protocol_name_and_number() {
    let cases = [
        ("{name: http-web, port: 1}", Protocol::Http),
        ("{name: HTTP2, port: 1}", Protocol::Http2),
        ("{name: grpc-web-x, port: 1}", Protocol::GrpcWeb),
        ("{name: grpc-x, port: 1}", Protocol::Grpc),
        ("{name: web, port: 1}", Protocol::Unsupported),
        ("{name: web, port: 3306}", Protocol::Tcp),
        ("{name: http, port: 3306}", Protocol::Http),
        ("{name: http, port: 1, protocol: UDP}", Protocol::Udp),
        (
            "{name: tcp, port: 1, appProtocol: kubernetes.io/h2c}",
            Protocol::Http2,
        ),
        (
            "{name: tcp, port: 1, appProtocol: kubernetes.io/wss}",
            Protocol::Https,
        ),
        ("{name: http, port: 1, appProtocol: mysql}", Protocol::Mysql),
        (
            "{name: http, port: 1, appProtocol: ''}",
            Protocol::Unsupported,
        ),
    ];
    for (port, protocol) in cases {
        let yaml = format!(
            "{{apiVersion: v1, kind: Service, metadata: {{name: a, namespace: b}}, spec: {{ports: [{port}]}}}}"
        );
        assert_eq!(services(&yaml)[0].ports[0].protocol, protocol, "{port}");
    }
}

#[test]
fn r_m_130_resolution_by_type_and_cluster_ip() {
    let cases = [
        ("clusterIP: 10.0.0.1", Resolution::Eds, 1),
        ("clusterIP: None", Resolution::Passthrough, 0),
        (
            "type: ExternalName, externalName: a.com",
            Resolution::Alias,
            0,
        ),
        (
            "clusterIP: 10.0.0.1, clusterIPs: [10.0.0.1, '::1']",
            Resolution::Eds,
            2,
        ),
    ];
    for (spec, resolution, addresses) in cases {
        let yaml = format!(
            "{{apiVersion: v1, kind: Service, metadata: {{name: a, namespace: b}}, spec: {{{spec}}}}}"
        );
        let service = &services(&yaml)[0];
        assert_eq!(service.resolution, resolution, "{spec}");
        assert_eq!(service.addresses.len(), addresses, "{spec}");
    }
}

#[test]
fn r_m_129_export_to_is_an_annotation_of_a_kubernetes_service() {
    let yaml = "
apiVersion: v1
kind: Service
metadata: {name: a, namespace: b, annotations: {networking.istio.io/exportTo: '., c'}}
spec: {ports: [{port: 80}]}
";
    let own_and_c = Visibility::Namespaces(["b", "c"].into_iter().collect());
    assert_eq!(services(yaml)[0].visibility, own_and_c);
}

#[test]
fn r_h_047_external_names_become_aliases_of_the_service_that_they_end_at() {
    let yaml = "
apiVersion: v1
kind: Service
metadata: {name: real, namespace: b}
spec: {ports: [{port: 80}]}
---
apiVersion: v1
kind: Service
metadata: {name: near, namespace: b}
spec: {type: ExternalName, externalName: real.b.svc.cluster.local}
---
apiVersion: v1
kind: Service
metadata: {name: far, namespace: a}
spec: {type: ExternalName, externalName: near.b.svc.cluster.local}
---
apiVersion: v1
kind: Service
metadata: {name: loop, namespace: a}
spec: {type: ExternalName, externalName: loop.a.svc.cluster.local}
";
    let (services, report) = resolve(yaml);
    let real = services
        .iter()
        .find(|service| &*service.resource.name == "real");
    let aliases = &real.expect("it is there").aliases;
    let names: Vec<&str> = aliases.iter().map(|alias| &*alias.hostname).collect();
    assert_eq!(
        names,
        ["far.a.svc.cluster.local", "near.b.svc.cluster.local"]
    );
    assert_eq!(codes(&report), ["alias-without-end"]);
}

#[test]
fn r_m_133_and_r_m_134_endpoint_slices_decide_where_there_are_some() {
    let yaml = "
apiVersion: v1
kind: Service
metadata: {name: a, namespace: b}
spec: {selector: {app: a}, ports: [{name: http, port: 80, targetPort: web}]}
---
apiVersion: v1
kind: Pod
metadata: {name: pod, namespace: b, labels: {app: a, version: v1}}
spec: {nodeName: n1, containers: [{name: c, ports: [{name: web, containerPort: 8080}]}]}
status: {podIP: 10.0.0.1}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: a-1, namespace: b, labels: {kubernetes.io/service-name: a}}
addressType: IPv4
ports: [{name: http, port: 8080}]
endpoints:
- {addresses: [10.0.0.1], zone: z1, targetRef: {kind: Pod, name: pod}}
- {addresses: [10.0.0.2], conditions: {ready: false, terminating: false}}
- {addresses: [10.0.0.3], conditions: {ready: false, serving: false}}
- {addresses: [10.0.0.5], conditions: {ready: false}}
- {addresses: [10.0.0.6], conditions: {ready: true, terminating: true}}
- {addresses: [10.0.0.4], targetRef: {kind: Pod, name: gone}}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: stray, namespace: b}
addressType: IPv4
endpoints: []
";
    let (services, report) = resolve(yaml);
    assert_eq!(
        codes(&report),
        ["slice-without-service", "endpoint-without-pod"]
    );
    let [pod, bare, others @ ..] = &services[0].endpoints[..] else {
        panic!("two endpoints: {:?}", services[0].endpoints);
    };
    // One that is not ready ends, unless it says that it does not; one that is ready does not end.
    let others: Vec<Health> = others.iter().map(|one| one.health).collect();
    let expected = [Health::Terminating, Health::Draining, Health::Healthy];
    assert_eq!(others, expected);
    assert_eq!(pod.labels.get("version"), Some("v1"));
    assert_eq!(pod.labels.get("topology.kubernetes.io/zone"), Some("z1"));
    assert_eq!(
        (pod.port("http"), pod.health),
        (Some(8080), Health::Healthy)
    );
    assert_eq!(
        (bare.labels.is_empty(), bare.health),
        (true, Health::Unhealthy)
    );
}

#[test]
fn a_named_target_port_is_a_port_of_the_container() {
    let yaml = VERSION.replace("port: 8080", "port: 8080, targetPort: web");
    let yaml = yaml.replace(
        "labels: {app: version, version: v1}}",
        "labels: {app: version, version: v1}}, spec: {containers: [{name: c, ports: [{name: web, containerPort: 9090}]}]}",
    );
    let all = services(&yaml);
    assert_eq!(all[0].endpoints[0].port("http"), Some(9090));
    assert_eq!(all[0].endpoints[1].port("http"), None);
}

#[test]
fn r_m_073_services_are_sorted_by_age_then_name_then_namespace() {
    let service = |name: &str, namespace: &str, second: u32| {
        format!(
            "apiVersion: v1\nkind: Service\nmetadata: {{name: {name}, namespace: {namespace}, creationTimestamp: '2026-01-01T00:00:0{second}Z'}}\nspec: {{ports: [{{port: 80}}]}}\n---\n"
        )
    };
    let yaml = [
        service("b", "x", 2),
        service("a", "y", 2),
        service("a", "x", 2),
        service("z", "z", 1),
    ]
    .concat();
    let names: Vec<String> = services(&yaml)
        .iter()
        .map(|endpoint| endpoint.resource.to_string())
        .collect();
    assert_eq!(names, ["z/z", "x/a", "y/a", "x/b"]);
}

#[test]
fn an_invalid_service_is_dropped_alone() {
    let yaml = "
apiVersion: v1
kind: Service
metadata: {name: a, namespace: b}
spec: {ports: [{name: x, port: 80}, {name: x, port: 70000}]}
---
apiVersion: v1
kind: Service
metadata: {name: ok, namespace: b}
spec: {ports: [{name: x, port: 80}]}
";
    let (services, report) = resolve(yaml);
    assert_eq!((services.len(), codes(&report)), (1, vec!["invalid-port"]));
}

#[test]
fn what_kubernetes_or_istio_would_not_take_is_said() {
    let yaml = "
apiVersion: apps/v1
kind: Deployment
metadata: {name: d, namespace: b}
spec: {replicas: 0, selector: {matchLabels: {app: x}}, template: {metadata: {labels: {app: y}}}}
---
apiVersion: v1
kind: Service
metadata: {name: a, namespace: b, annotations: {networking.istio.io/traffic-distribution: PreferClose}}
spec: {selector: {app: y}, externalIPs: [1.1.1.1], ports: [{port: 80, nodePort: 30000}]}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: a-1, namespace: b, labels: {kubernetes.io/service-name: a}}
addressType: FQDN
endpoints: [{addresses: [a.example.com]}]
";
    let (services, report) = resolve(yaml);
    assert_eq!(
        codes(&report),
        [
            "without-effect",
            "field-without-effect",
            "field-without-effect",
            "field-without-effect"
        ]
    );
    assert_eq!(
        services[0].traffic_distribution,
        Some(TrafficDistribution::SameZone)
    );
    assert_eq!(services[0].endpoints[0].health, Health::Unhealthy);
}

#[test]
fn a_deployment_is_an_endpoint_only_where_its_pods_are_not_listed() {
    let service = "
apiVersion: v1
kind: Service
metadata: {name: a, namespace: b}
spec: {selector: {app: x}, ports: [{name: http, port: 80}]}
";
    let deployment = "---
apiVersion: apps/v1
kind: Deployment
metadata: {name: d, namespace: b}
spec: {selector: {matchLabels: {app: x}}, template: {metadata: {labels: {app: x}}}}
";
    let pod = |name: &str, address: &str| {
        format!(
            "---
apiVersion: v1
kind: Pod
metadata: {{name: {name}, namespace: b, labels: {{app: x, pod-template-hash: h}}}}
status: {{podIP: {address}, conditions: [{{type: Ready, status: 'True'}}]}}
"
        )
    };
    let pods = pod("p1", "10.0.0.1") + &pod("p2", "10.0.0.2");
    let slice = "---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: a-1, namespace: b, labels: {kubernetes.io/service-name: a}}
addressType: IPv4
ports: [{name: http, port: 80}]
endpoints: [{addresses: [10.0.0.1]}, {addresses: [10.0.0.2]}]
";
    let addresses = |parts: &[&str]| -> Vec<String> {
        let (services, _) = resolve(&parts.concat());
        let endpoints = services[0].endpoints.iter();
        endpoints
            .map(|endpoint| {
                endpoint
                    .address
                    .as_ref()
                    .map_or("-".to_owned(), |a| a.to_string())
            })
            .collect()
    };
    let both = ["10.0.0.1", "10.0.0.2"];
    assert_eq!(addresses(&[service, deployment]), ["-"]);
    assert_eq!(addresses(&[service, deployment, &pods]), both);
    assert_eq!(addresses(&[service, deployment, &pods, slice]), both);
}

#[test]
fn services_that_select_the_same_for_the_same_ports_share_their_endpoints() {
    let service = |name: &str, selector: &str, port: u16| {
        format!(
            "
apiVersion: v1
kind: Service
metadata: {{name: {name}, namespace: a}}
spec: {{selector: {selector}, ports: [{{name: http, port: 80, targetPort: {port}}}]}}
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {{name: {name}, namespace: a}}
spec:
  hosts: [{name}.com]
  resolution: STATIC
  ports: [{{number: 80, name: http, protocol: HTTP, targetPort: {port}}}]
  workloadSelector: {{labels: {selector}}}
---"
        )
    };
    let yaml = [
        service("one", "{app: x}", 8080),
        service("two", "{app: x}", 8080),
        service("port", "{app: x}", 8081),
        service("other", "{app: y}", 8080),
        "
apiVersion: v1
kind: Pod
metadata: {name: pod, namespace: a, labels: {app: x}}
status: {podIP: 10.0.0.1}
"
        .to_owned(),
    ]
    .concat();
    let services = services(&yaml);
    let of = |host: &str| {
        let found = services
            .iter()
            .find(|service| service.hostname.starts_with(host));
        &found.expect("there is one").endpoints
    };
    for kind in ["", ".com"] {
        let of = |name: &str| match kind {
            "" => of(&format!("{name}.a")),
            _ => of(&format!("{name}.com")),
        };
        assert!(Arc::ptr_eq(of("one"), of("two")));
        assert_eq!(of("one")[0].port("http"), Some(8080));
        assert_eq!(of("port")[0].port("http"), Some(8081));
        assert!(of("other").is_empty());
    }
}
