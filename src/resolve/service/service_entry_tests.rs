//! What ServiceEntries and WorkloadEntries become, and what is said where hosts meet.

use super::tests::{codes, resolve, services, workloads};
use crate::mesh::service::Resolution;
use crate::terms::address::Address;

#[test]
fn r_m_131_a_service_entry_is_a_service_per_host_and_address() {
    let yaml = "
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: se, namespace: b}
spec:
  hosts: [a.com, b.com]
  addresses: [10.0.0.1, 10.1.0.0/16]
  location: MESH_INTERNAL
  resolution: STATIC
  ports: [{name: http, number: 80, protocol: HTTP, targetPort: 8080}, {name: web, number: 81, protocol: HTTP}]
  endpoints:
  - {address: 1.1.1.1, ports: {http: 1}, labels: {version: v1}, weight: 3, locality: r/z/s}
  - {address: 1.1.1.2}
";
    let all = services(yaml);
    let names: Vec<String> = all
        .iter()
        .map(|service| {
            format!(
                "{} {}/{}",
                service.hostname,
                service.addresses[0].addr(),
                service.addresses[0].prefix_len()
            )
        })
        .collect();
    assert_eq!(
        names,
        [
            "a.com 10.0.0.1/32",
            "a.com 10.1.0.0/16",
            "b.com 10.0.0.1/32",
            "b.com 10.1.0.0/16"
        ]
    );
    let [first, second] = &all[0].endpoints[..] else {
        panic!("two endpoints");
    };
    assert_eq!((first.port("http"), first.port("web")), (Some(1), Some(81)));
    assert_eq!(
        (second.port("http"), second.port("web")),
        (Some(8080), Some(81))
    );
    assert_eq!((first.weight, second.weight), (3, 1));
    assert_eq!(first.labels.get("topology.kubernetes.io/zone"), Some("z"));
    assert!(!all[0].mesh_external && all[0].resolution == Resolution::Eds);
}

#[test]
fn r_m_131_dns_without_endpoints_has_the_host_as_endpoint_without_labels() {
    let yaml = "
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: se, namespace: b, labels: {version: v1}}
spec:
  hosts: [a.com, b.com]
  resolution: DNS
  ports: [{name: http, number: 80, protocol: HTTP}]
";
    let all = services(yaml);
    assert_eq!(all[1].endpoints[0].address, Address::parse("b.com"));
    assert!(all[1].endpoints[0].labels.is_empty() && all[1].mesh_external);
}

#[test]
fn r_m_132_a_selector_selects_workload_entries_and_pods_of_the_namespace() {
    let entry = |resolution: &str| {
        format!(
            "
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {{name: se, namespace: b}}
spec:
  hosts: [a.com]
  resolution: {resolution}
  ports: [{{name: http, number: 80, protocol: HTTP}}]
  workloadSelector: {{labels: {{app: a}}}}
---
apiVersion: networking.istio.io/v1
kind: WorkloadEntry
metadata: {{name: vm, namespace: b, labels: {{version: v2}}}}
spec: {{address: 1.1.1.1, labels: {{app: a, version: v1}}, ports: {{http: 8080}}}}
---
apiVersion: networking.istio.io/v1
kind: WorkloadEntry
metadata: {{name: named, namespace: b}}
spec: {{address: vm.example.com, labels: {{app: a}}}}
---
apiVersion: networking.istio.io/v1
kind: WorkloadEntry
metadata: {{name: elsewhere, namespace: c}}
spec: {{address: 1.1.1.2, labels: {{app: a}}}}
---
apiVersion: v1
kind: Pod
metadata: {{name: pod, namespace: b, labels: {{app: a}}}}
status: {{podIP: 10.0.0.1, phase: Running}}
---
apiVersion: v1
kind: Pod
metadata: {{name: done, namespace: b, labels: {{app: a}}}}
status: {{podIP: 10.0.0.2, phase: Succeeded}}
"
        )
    };
    let by_ip = services(&entry("STATIC"));
    assert_eq!(workloads(&by_ip[0]), ["b/pod", "b/vm"]);
    let vm = &by_ip[0].endpoints[1];
    assert_eq!(
        (vm.labels.get("version"), vm.port("http")),
        (Some("v2"), Some(8080))
    );
    assert_eq!(
        workloads(&services(&entry("DNS"))[0]),
        ["b/pod", "b/named", "b/vm"]
    );
}

#[test]
fn r_m_073_a_hidden_service_is_reported_with_the_one_that_hides_it() {
    let yaml = "
apiVersion: v1
kind: Service
metadata: {name: a, namespace: b}
spec: {ports: [{port: 80}]}
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: squatter, namespace: b}
spec: {hosts: [a.b.svc.cluster.local], resolution: STATIC, ports: [{name: http, number: 80, protocol: HTTP}]}
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: elsewhere, namespace: c}
spec: {hosts: [a.b.svc.cluster.local], resolution: STATIC, ports: [{name: http, number: 80, protocol: HTTP}]}
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: private, namespace: d}
spec: {hosts: [a.b.svc.cluster.local], exportTo: ['~'], resolution: STATIC, ports: [{name: http, number: 80, protocol: HTTP}]}
";
    let (_, report) = resolve(yaml);
    assert_eq!(codes(&report), ["host-taken", "host-shared"]);
    let taken = report.iter().next().expect("there are two");
    assert_eq!(
        taken.resource().expect("it has one").to_string(),
        "ServiceEntry b/squatter"
    );
    assert_eq!(taken.related()[0].resource.to_string(), "Service b/a");
}

#[test]
fn service_entries_of_one_host_whose_ports_merge_are_no_conflict() {
    let entry = |name: &str, port: u16, resolution: &str| {
        format!(
            "apiVersion: networking.istio.io/v1\nkind: ServiceEntry\nmetadata: {{name: {name}, namespace: b}}\nspec: {{hosts: [a.com], resolution: {resolution}, ports: [{{name: http, number: {port}, protocol: HTTP}}]}}\n---\n"
        )
    };
    let merging = [entry("a", 80, "DNS"), entry("b", 81, "DNS")].concat();
    assert!(resolve(&merging).1.is_empty());
    let clashing = [entry("a", 80, "DNS"), entry("b", 81, "NONE")].concat();
    assert_eq!(codes(&resolve(&clashing).1), ["host-taken"]);
}

#[test]
fn hosts_addresses_and_ports_of_service_entries_cannot_multiply_without_bound() {
    let list =
        |n: usize, one: &dyn Fn(usize) -> String| (1..=n).map(one).collect::<Vec<_>>().join(", ");
    let entry = |hosts, ports| {
        format!(
            "apiVersion: networking.istio.io/v1\nkind: ServiceEntry\nmetadata: {{name: se{hosts}}}\nspec: {{hosts: [{}], ports: [{}], resolution: NONE}}\n---\n",
            list(hosts, &|n| format!("h{n}.s{hosts}.com")),
            list(ports, &|n| format!(
                "{{name: p{n}, number: {n}, protocol: HTTP}}"
            ))
        )
    };
    let (all, report) = resolve(&(entry(300, 300) + &entry(2, 2)));
    assert_eq!(codes(&report), ["services-too-large"]);
    // Nothing half-built, and what comes after it is there.
    assert_eq!(all.len(), 2);
}

#[test]
fn selectors_cannot_yield_endpoints_without_bound() {
    let service = |n: usize| {
        format!(
            "apiVersion: v1\nkind: Service\nmetadata: {{name: s{n}}}\nspec: {{selector: {{app: a}}, ports: [{{name: http-{n}, port: 80}}]}}\n---\n"
        )
    };
    let pod = |n: usize| {
        format!(
            "apiVersion: v1\nkind: Pod\nmetadata: {{name: p{n}, labels: {{app: a}}}}\nstatus: {{podIP: 10.0.{}.{}}}\n---\n",
            n / 256,
            n % 256
        )
    };
    let text: String = (0..600).map(service).chain((0..600).map(pod)).collect();
    let (all, report) = resolve(&text);
    let stopped = codes(&report).into_iter();
    let stopped = stopped
        .filter(|code| *code == "endpoints-too-large")
        .count();
    assert!(stopped > 0 && stopped < 300, "{stopped}");
    assert_eq!(all.len(), 600 - stopped);
    assert!(all.iter().all(|one| one.endpoints.len() == 600));
}
