//! Axes of what a proxy makes of several kinds together: services, ports, wildcards and who claims them.

use crate::axes::{all, list, one_gateway, route, service_entry, vs};
use crate::kubernetes_axes::pod;
use crate::measure::{Axis, any, but_one};

pub const AXES: &[Axis] = &[
    Axis {
        name: "ports of as many services, with a VirtualService each",
        write: |n| {
            all(n, |i| {
                entry(i, &format!("h{i}.example.com"), i + 1, "HTTP")
                    + &vs(
                        i,
                        &format!("h{i}.example.com"),
                        "",
                        &route(&format!("h{i}.example.com")),
                    )
            })
        },
        says: &[],
    },
    Axis {
        name: "VirtualServices of one wildcard x services",
        write: |n| {
            all(n, |i| {
                service_entry(i, &format!("h{i}.example.com"), "")
                    + &vs(i, "'*.example.com'", "", &route("h0.example.com"))
            })
        },
        says: &[("MR0312", but_one)],
    },
    Axis {
        name: "nested wildcards x services",
        write: |n| {
            all(n, |i| {
                let tail = format!("h{}.h{}.example.com", i % 100, i / 100);
                service_entry(i, &format!("a.{tail}"), "")
                    + &vs(i, &format!("'*.{tail}'"), "", &route("a.h0.h0.example.com"))
            })
        },
        says: &[],
    },
    Axis {
        name: "TLS services of one port",
        write: |n| all(n, |i| entry(i, &format!("h{i}.example.com"), 443, "TLS")),
        says: &[],
    },
    Axis {
        name: "TCP services of one port",
        write: |n| {
            all(n, |i| {
                format!(
                    "---\napiVersion: v1\nkind: Service\nmetadata: {{name: s{i}}}\nspec: {{clusterIP: 10.{}.{}.1, ports: [{{port: 3306, name: tcp}}]}}\n",
                    i / 256,
                    i % 256
                )
            })
        },
        says: &[],
    },
    Axis {
        name: "wildcard tls VirtualServices x TLS services",
        write: |n| {
            all(n, |i| {
                entry(i, &format!("h.w{i}.example.com"), 443, "TLS")
                    + &format!(
                        "---\napiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {{name: v{i}}}\nspec: {{hosts: ['*.w{i}.example.com'], tls: [{{match: [{{sniHosts: ['*.w{i}.example.com']}}], route: [{{destination: {{host: h.w{i}.example.com}}}}]}}]}}\n"
                    )
            })
        },
        says: &[],
    },
    Axis {
        name: "AUTO_PASSTHROUGH servers x services",
        write: |n| {
            one_gateway(n, |i| {
                format!(
                    "{{port: {{number: 443, name: tls-{i}, protocol: TLS}}, tls: {{mode: AUTO_PASSTHROUGH}}, hosts: ['*.w{i}.example.com']}}"
                )
            }) + &all(n, |i| {
                format!(
                    "---\napiVersion: networking.istio.io/v1\nkind: ServiceEntry\nmetadata: {{name: e{i}}}\nspec: {{hosts: [h.w{i}.example.com], ports: [{{number: 80, name: http, protocol: HTTP}}], resolution: STATIC, location: MESH_INTERNAL, endpoints: [{{address: 10.0.0.1}}]}}\n"
                )
            })
        },
        says: &[],
    },
    Axis {
        name: "subsets x Pods of one Service",
        write: |n| {
            service("s0")
                + &all(n, |i| labelled_pod(i, &format!("app: a, v: v{i}")))
                + &format!(
                    "---\napiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: {{name: d}}\nspec: {{host: s0, subsets: [{}]}}\n",
                    list(n, |i| format!("{{name: s{i}, labels: {{v: v{i}}}}}"))
                )
                + &vs(
                    0,
                    "s0",
                    "",
                    &format!(
                        "{{route: [{}]}}",
                        list(n, |i| format!(
                            "{{destination: {{host: s0, subset: s{i}}}, weight: 1}}"
                        ))
                    ),
                )
        },
        says: &[],
    },
    Axis {
        name: "selectors of two common labels",
        write: |n| {
            all(n / 2, |i| {
                format!(
                    "---\napiVersion: v1\nkind: Service\nmetadata: {{name: s{i}}}\nspec: {{selector: {{a: a, b: b}}, ports: [{{port: 80, name: http-{i}}}]}}\n"
                )
            }) + &all(n, |i| {
                labelled_pod(i, if i % 2 == 0 { "a: a" } else { "b: b" })
            })
        },
        says: &[],
    },
    Axis {
        name: "hosts x ports of one ServiceEntry, the root of each",
        write: |n| {
            let root = n.isqrt();
            all(root / 10 + 1, |e| {
                format!(
                    "---\napiVersion: networking.istio.io/v1\nkind: ServiceEntry\nmetadata: {{name: e{e}}}\nspec: {{hosts: [{}], ports: [{}], resolution: NONE, location: MESH_EXTERNAL}}\n",
                    list(root, |i| format!("h{i}.e{e}.example.com")),
                    list(root, |i| format!(
                        "{{number: {}, name: http-{i}, protocol: HTTP}}",
                        i + 1
                    ))
                )
            })
        },
        says: &[("MR0223", any)],
    },
    Axis {
        name: "hosts x addresses of one ServiceEntry",
        write: |n| {
            format!(
                "---\napiVersion: networking.istio.io/v1\nkind: ServiceEntry\nmetadata: {{name: e}}\nspec: {{hosts: [{}], addresses: [{}], ports: [{{number: 80, name: tcp, protocol: TCP}}], resolution: NONE, location: MESH_EXTERNAL}}\n",
                list(n, |i| format!("h{i}.example.com")),
                list(n, |i| format!("10.{}.{}.1", i / 256, i % 256))
            )
        },
        says: &[("MR0223", any)],
    },
    Axis {
        name: "DestinationRules of one host, exported to a namespace each",
        write: |n| {
            all(n, |i| {
                format!(
                    "---\napiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: {{name: d{i}}}\nspec: {{host: a.example.com, exportTo: [b, n{i}], trafficPolicy: {{loadBalancer: {{simple: RANDOM}}}}}}\n"
                )
            })
        },
        says: &[],
    },
    Axis {
        name: "DestinationRules with selectors, and as many without",
        write: |n| {
            all(n, |i| {
                format!(
                    "---\napiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: {{name: d{i}}}\nspec: {{host: a.example.com, workloadSelector: {{matchLabels: {{app: a{i}}}}}, trafficPolicy: {{loadBalancer: {{simple: RANDOM}}}}}}\n---\napiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: {{name: e{i}}}\nspec: {{host: a.example.com, exportTo: ['.'], subsets: [{{name: s{i}, labels: {{v: v{i}}}}}]}}\n"
                )
            })
        },
        says: &[
            ("MR0307", any),
            ("MR0215", any),
            ("MR0214", any),
            ("MR0213", any),
        ],
    },
    Axis {
        name: "header operations of one rule",
        write: |n| {
            vs(
                0,
                "a.example.com",
                "",
                &format!(
                    "{{headers: {{request: {{set: {{{}}}}}, response: {{remove: [{}]}}}}, route: [{{destination: {{host: a.example.com}}}}]}}",
                    list(n, |i| format!("x-s{i}: v")),
                    list(n, |i| format!("x-r{i}"))
                ),
            )
        },
        says: &[],
    },
    Axis {
        name: "origins of one CORS policy",
        write: |n| {
            vs(
                0,
                "a.example.com",
                "",
                &format!(
                    "{{corsPolicy: {{allowOrigins: [{}], allowHeaders: [{}]}}, route: [{{destination: {{host: a.example.com}}}}]}}",
                    list(n, |i| format!("{{exact: 'https://o{i}.example.com'}}")),
                    list(n, |i| format!("x-h{i}"))
                ),
            )
        },
        says: &[],
    },
    Axis {
        name: "mirrors of one rule",
        write: |n| {
            vs(
                0,
                "a.example.com",
                "",
                &format!(
                    "{{mirrors: [{}], route: [{{destination: {{host: a.example.com}}}}]}}",
                    list(n, |i| format!(
                        "{{destination: {{host: m{i}.example.com}}}}"
                    ))
                ),
            )
        },
        says: &[],
    },
    Axis {
        name: "gateways of one VirtualService",
        write: |n| {
            all(n, |i| crate::axes::gateway(i, 80, "a.example.com"))
                + &vs(
                    0,
                    "a.example.com",
                    &list(n, |i| format!("g{i}")),
                    &route("a.example.com"),
                )
        },
        says: &[("MR0318", any)],
    },
    Axis {
        name: "server names of one match",
        write: |n| {
            format!(
                "---\napiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {{name: v}}\nspec: {{hosts: ['*.example.com'], tls: [{{match: [{{sniHosts: [{}]}}], route: [{{destination: {{host: a.example.com}}}}]}}]}}\n",
                list(n, |i| format!("h{i}.example.com"))
            ) + &entry(0, "a.example.com", 443, "TLS")
        },
        says: &[],
    },
    Axis {
        name: "tcp matches of one VirtualService",
        write: |n| {
            format!(
                "---\napiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {{name: v}}\nspec: {{hosts: [a.example.com], tcp: [{}]}}\n",
                list(n, |i| format!(
                    "{{match: [{{destinationSubnets: [10.{}.{}.0/24]}}], route: [{{destination: {{host: a.example.com}}}}]}}",
                    i / 256,
                    i % 256
                ))
            ) + &entry(0, "a.example.com", 443, "TCP")
        },
        says: &[("MR0186", |_| 1)],
    },
    Axis {
        name: "labels and annotations of one VirtualService",
        write: |n| {
            format!(
                "---\napiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {{name: v, labels: {{{}}}, annotations: {{{}}}}}\nspec: {{hosts: [a.example.com], http: [{}]}}\n",
                list(n, |i| format!("l{i}: v")),
                list(n, |i| format!("a{i}: v")),
                route("a.example.com")
            )
        },
        says: &[("MR0016", any), ("MR0009", any), ("MR0030", any)],
    },
    Axis {
        name: "WorkloadEntries of as many ServiceEntries",
        write: |n| {
            all(n, |i| {
                format!(
                    "---\napiVersion: networking.istio.io/v1\nkind: ServiceEntry\nmetadata: {{name: e{i}}}\nspec: {{hosts: [h{i}.example.com], ports: [{{number: 80, name: http, protocol: HTTP}}], resolution: STATIC, location: MESH_INTERNAL, workloadSelector: {{labels: {{app: a{i}}}}}}}\n---\napiVersion: networking.istio.io/v1\nkind: WorkloadEntry\nmetadata: {{name: w{i}}}\nspec: {{address: 10.{}.{}.1, labels: {{app: a{i}}}}}\n",
                    i / 256,
                    i % 256
                )
            })
        },
        says: &[],
    },
    Axis {
        name: "Deployments of one Service",
        write: |n| {
            service("s0")
                + &all(n, |i| {
                    format!(
                        "---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: d{i}}}\nspec: {{selector: {{matchLabels: {{app: a}}}}, template: {{metadata: {{labels: {{app: a}}}}, spec: {{containers: [{{name: c, image: c}}]}}}}}}\n"
                    )
                })
        },
        says: &[],
    },
    Axis {
        name: "ExternalName Services of one host",
        write: |n| {
            entry(0, "a.example.com", 80, "HTTP")
                + &all(n, |i| {
                    format!(
                        "---\napiVersion: v1\nkind: Service\nmetadata: {{name: s{i}}}\nspec: {{type: ExternalName, externalName: a.example.com, ports: [{{port: 80, name: http}}]}}\n"
                    )
                })
        },
        says: &[],
    },
    Axis {
        name: "a chain of ExternalName Services",
        write: |n| {
            all(n, |i| {
                format!(
                    "---\napiVersion: v1\nkind: Service\nmetadata: {{name: s{i}}}\nspec: {{type: ExternalName, externalName: s{}.default.svc.cluster.local, ports: [{{port: 80, name: http}}]}}\n",
                    i + 1
                )
            })
        },
        says: &[("MR0222", any)],
    },
    Axis {
        name: "containers of one Pod",
        write: |n| {
            service("s0")
                + &format!(
                    "---\napiVersion: v1\nkind: Pod\nmetadata: {{name: p, labels: {{app: a}}}}\nspec: {{containers: [{}]}}\nstatus: {{podIP: 10.0.0.1}}\n",
                    list(n, |i| format!(
                        "{{name: c{i}, image: c, ports: [{{containerPort: {}, name: p{i}}}]}}",
                        i + 1
                    ))
                )
        },
        says: &[],
    },
    Axis {
        name: "named target ports of one Service x containers",
        write: |n| {
            format!(
                "---\napiVersion: v1\nkind: Service\nmetadata: {{name: s}}\nspec: {{selector: {{app: a}}, ports: [{}]}}\n---\napiVersion: v1\nkind: Pod\nmetadata: {{name: p, labels: {{app: a}}}}\nspec: {{containers: [{}]}}\nstatus: {{podIP: 10.0.0.1}}\n",
                list(n, |i| format!(
                    "{{port: {}, name: http-{i}, targetPort: p{i}}}",
                    i + 1
                )),
                list(n, |i| format!(
                    "{{name: c{i}, image: c, ports: [{{containerPort: {}, name: p{i}}}]}}",
                    i + 1
                ))
            )
        },
        says: &[],
    },
    Axis {
        name: "Sidecar ingress listeners",
        write: |n| {
            format!(
                "---\napiVersion: networking.istio.io/v1\nkind: Sidecar\nmetadata: {{name: s}}\nspec: {{workloadSelector: {{labels: {{app: a}}}}, ingress: [{}]}}\n",
                list(n, |i| format!(
                    "{{port: {{number: {}, protocol: HTTP, name: p{i}}}, defaultEndpoint: '127.0.0.1:80'}}",
                    i + 1
                ))
            )
        },
        says: &[("MR0025", any)],
    },
    Axis {
        name: "egress listeners of every host x services of a port each",
        write: |n| {
            format!(
                "---\napiVersion: networking.istio.io/v1\nkind: Sidecar\nmetadata: {{name: s}}\nspec: {{egress: [{}]}}\n",
                list(n, |i| format!(
                    "{{port: {{number: {}, protocol: HTTP, name: p{i}}}, hosts: ['*/*']}}",
                    i + 1
                ))
            ) + &all(n, |i| entry(i, &format!("h{i}.example.com"), i + 1, "HTTP"))
        },
        says: &[],
    },
    Axis {
        name: "Pods x Services of a port each, ten to one",
        write: |n| {
            all(n / 10, |i| {
                format!(
                    "---\napiVersion: v1\nkind: Service\nmetadata: {{name: s{i}}}\nspec: {{selector: {{app: a}}, ports: [{{port: 80, name: http-{i}}}]}}\n"
                )
            }) + &all(n, pod)
        },
        says: &[("MR0224", any)],
    },
];

fn entry(i: usize, host: &str, port: usize, protocol: &str) -> String {
    format!(
        "---\napiVersion: networking.istio.io/v1\nkind: ServiceEntry\nmetadata: {{name: e{i}}}\nspec: {{hosts: [{host}], ports: [{{number: {port}, name: p, protocol: {protocol}}}], resolution: NONE, location: MESH_EXTERNAL}}\n"
    )
}

fn service(name: &str) -> String {
    format!(
        "---\napiVersion: v1\nkind: Service\nmetadata: {{name: {name}}}\nspec: {{selector: {{app: a}}, ports: [{{port: 80, name: http}}]}}\n"
    )
}

fn labelled_pod(i: usize, labels: &str) -> String {
    format!(
        "---\napiVersion: v1\nkind: Pod\nmetadata: {{name: p{i}, labels: {{{labels}}}}}\nspec: {{containers: [{{name: c, image: c}}]}}\nstatus: {{podIP: 10.{}.{}.1}}\n",
        i / 256,
        i % 256
    )
}
