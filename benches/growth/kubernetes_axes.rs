//! Axes of Kubernetes' kinds.

use crate::axes::{all, kubernetes_service};
use crate::measure::{Axis, but_one};

pub const AXES: &[Axis] = &[
    Axis {
        name: "Services",
        write: |n| all(n, |i| kubernetes_service(&format!("s{i}"))),
        says: &[],
    },
    Axis {
        name: "Services in as many namespaces",
        write: |n| {
            all(n, |i| {
                format!(
                    "---\napiVersion: v1\nkind: Service\nmetadata: {{name: s, namespace: n{i}}}\nspec: {{ports: [{{port: 80, name: http}}]}}\n"
                )
            })
        },
        says: &[],
    },
    Axis {
        name: "one Service defined again",
        write: |n| all(n, |_| kubernetes_service("s")),
        says: &[("MR0014", but_one)],
    },
    Axis {
        name: "ports of one Service",
        write: |n| {
            format!(
                "---\napiVersion: v1\nkind: Service\nmetadata: {{name: s}}\nspec: {{ports: [{}]}}\n",
                all(n, |i| format!("{{port: {}, name: http-{i}}}, ", i + 1))
            )
        },
        says: &[],
    },
    Axis {
        name: "Pods of one Service",
        write: |n| service("s0") + &all(n, pod),
        says: &[],
    },
    Axis {
        name: "Pods x Services of one selector, ten to one",
        write: |n| all(n / 10, |i| service(&format!("s{i}"))) + &all(n, pod),
        says: &[],
    },
    Axis {
        name: "Pods of as many Services",
        write: |n| {
            all(n, |i| {
                format!(
                    "---\napiVersion: v1\nkind: Service\nmetadata: {{name: s{i}}}\nspec: {{selector: {{app: a{i}}}, ports: [{{port: 80, name: http}}]}}\n---\napiVersion: v1\nkind: Pod\nmetadata: {{name: p{i}, labels: {{app: a{i}}}}}\nspec: {{containers: [{{name: c, image: c}}]}}\nstatus: {{podIP: 10.{}.{}.1}}\n",
                    i / 256,
                    i % 256
                )
            })
        },
        says: &[],
    },
    Axis {
        name: "endpoints of one EndpointSlice",
        write: |n| {
            service("s0")
                + &format!(
                    "---\napiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata: {{name: e, labels: {{kubernetes.io/service-name: s0}}}}\naddressType: IPv4\nports: [{{name: http, port: 80}}]\nendpoints: [{}]\n",
                    all(n, |i| format!(
                        "{{addresses: [10.{}.{}.1]}}, ",
                        i / 256,
                        i % 256
                    ))
                )
        },
        says: &[],
    },
    Axis {
        name: "EndpointSlices of one Service",
        write: |n| {
            service("s0")
                + &all(n, |i| {
                    format!(
                        "---\napiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata: {{name: e{i}, labels: {{kubernetes.io/service-name: s0}}}}\naddressType: IPv4\nports: [{{name: http, port: 80}}]\nendpoints: [{{addresses: [10.{}.{}.1]}}]\n",
                        i / 256,
                        i % 256
                    )
                })
        },
        says: &[],
    },
    Axis {
        name: "labels of one Pod",
        write: |n| {
            service("s0")
                + &format!(
                    "---\napiVersion: v1\nkind: Pod\nmetadata: {{name: p, labels: {{app: a, {}}}}}\nspec: {{containers: [{{name: c, image: c}}]}}\nstatus: {{podIP: 10.0.0.1}}\n",
                    all(n, |i| format!("l{i}: v, "))
                )
        },
        says: &[],
    },
];

fn service(name: &str) -> String {
    format!(
        "---\napiVersion: v1\nkind: Service\nmetadata: {{name: {name}}}\nspec: {{selector: {{app: a}}, ports: [{{port: 80, name: http}}]}}\n"
    )
}

pub fn pod(i: usize) -> String {
    format!(
        "---\napiVersion: v1\nkind: Pod\nmetadata: {{name: p{i}, labels: {{app: a}}}}\nspec: {{containers: [{{name: c, image: c}}]}}\nstatus: {{podIP: 10.{}.{}.1}}\n",
        i / 256,
        i % 256
    )
}
