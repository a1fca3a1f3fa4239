//! Axes of Istio's own kinds.

use crate::measure::{Axis, any, but_one, each, once};
use std::fmt::Write;

pub const AXES: &[Axis] = &[
    Axis {
        name: "VirtualServices",
        write: |n| {
            all(n, |i| {
                vs(i, &format!("h{i}.example.com"), "", &route("a.example.com"))
            })
        },
        says: &[],
    },
    Axis {
        name: "VirtualServices of one host",
        write: |n| all(n, |i| vs(i, "one.example.com", "", &route("a.example.com"))),
        says: &[("MR0312", but_one)],
    },
    Axis {
        name: "VirtualServices of one host at one Gateway",
        write: |n| {
            gateway(0, 80, "one.example.com")
                + &all(n, |i| {
                    vs(i, "one.example.com", "g0", &route("a.example.com"))
                })
        },
        says: &[("MR0313", but_one)],
    },
    Axis {
        name: "hosts of one VirtualService",
        write: |n| {
            vs(
                0,
                &list(n, |i| format!("h{i}.example.com")),
                "",
                &route("a.example.com"),
            )
        },
        says: &[],
    },
    Axis {
        name: "rules of one VirtualService",
        write: |n| {
            vs(
                0,
                "a.example.com",
                "",
                &list(n, |i| {
                    format!(
                        "{{match: [{{uri: {{prefix: /p{i}/}}}}], {}}}",
                        route("a.example.com").trim_matches(['{', '}'])
                    )
                }),
            )
        },
        says: &[],
    },
    Axis {
        name: "matches of one rule",
        write: |n| {
            vs(
                0,
                "a.example.com",
                "",
                &format!(
                    "{{match: [{}], {}}}",
                    list(n, |i| format!("{{uri: {{exact: /p{i}}}}}")),
                    route("a.example.com").trim_matches(['{', '}'])
                ),
            )
        },
        says: &[],
    },
    Axis {
        name: "headers of one match",
        write: |n| {
            vs(
                0,
                "a.example.com",
                "",
                &format!(
                    "{{match: [{{headers: {{{}}}}}], {}}}",
                    list(n, |i| format!("x-h{i}: {{exact: v{i}}}")),
                    route("a.example.com").trim_matches(['{', '}'])
                ),
            )
        },
        says: &[],
    },
    Axis {
        name: "destinations of one route",
        write: |n| {
            vs(
                0,
                "a.example.com",
                "",
                &format!(
                    "{{route: [{}]}}",
                    list(n, |i| format!(
                        "{{destination: {{host: d{i}.example.com}}, weight: 1}}"
                    ))
                ),
            )
        },
        says: &[],
    },
    Axis {
        name: "wildcard VirtualServices x services",
        write: |n| {
            all(n, |i| {
                vs(
                    i,
                    &format!("'*.w{i}.example.com'"),
                    "",
                    &route("a.example.com"),
                ) + &service_entry(i, &format!("h.w{i}.example.com"), "")
            })
        },
        says: &[("MR0301", each)],
    },
    Axis {
        name: "unknown gateways",
        write: |n| {
            all(n, |i| {
                vs(
                    i,
                    &format!("h{i}.example.com"),
                    &format!("x{i}"),
                    &route("a.example.com"),
                ) + &gateway(i, 80, &format!("g{i}.example.com"))
            })
        },
        says: &[("MR0309", each), ("MR0311", each)],
    },
    Axis {
        name: "gateways of one name in many namespaces",
        write: |n| {
            all(n, |i| {
                vs(
                    i,
                    &format!("h{i}.example.com"),
                    "public",
                    &route("a.example.com"),
                ) + &named_gateway(
                    &format!("{{name: public, namespace: n{i}}}"),
                    80,
                    &format!("g{i}.example.com"),
                )
            })
        },
        says: &[("MR0309", each), ("MR0311", each)],
    },
    Axis {
        name: "misspelt destinations",
        write: |n| {
            all(n, |i| {
                kubernetes_service(&format!("service-{i}"))
                    + &vs(
                        i,
                        &format!("h{i}.example.com"),
                        "",
                        &route(&format!("sevrice-{i}x")),
                    )
            })
        },
        says: &[("MR0301", each)],
    },
    Axis {
        name: "Gateways with host *",
        write: |n| all(n, |i| gateway(i, 80, "'*'")),
        says: &[("MR0311", each), ("MR0318", each)],
    },
    Axis {
        name: "Gateways on one port",
        write: |n| {
            all(n, |i| {
                gateway(i, 80, &format!("h{i}.example.com"))
                    + &vs(
                        i,
                        &format!("h{i}.example.com"),
                        &format!("g{i}"),
                        &route("a.example.com"),
                    )
            })
        },
        says: &[],
    },
    Axis {
        name: "Gateways of as many selectors",
        write: |n| {
            all(n, |i| {
                format!(
                    "---\napiVersion: networking.istio.io/v1\nkind: Gateway\nmetadata: {{name: g{i}}}\nspec: {{selector: {{app: a{i}}}, servers: [{{port: {{number: 80, name: http, protocol: HTTP}}, hosts: [h{i}.example.com]}}]}}\n"
                )
            })
        },
        says: &[("MR0311", each)],
    },
    Axis {
        name: "ports of one Gateway",
        write: |n| {
            one_gateway(n, |i| {
                format!(
                    "{{port: {{number: {}, name: http-{i}, protocol: HTTP}}, hosts: [h{i}.example.com]}}",
                    i + 1
                )
            })
        },
        says: &[("MR0311", each)],
    },
    Axis {
        name: "servers of one Gateway with one VirtualService each",
        write: |n| {
            one_gateway(n, |i| {
                format!(
                    "{{port: {{number: {}, name: http-{i}, protocol: HTTP}}, hosts: [h{i}.example.com]}}",
                    i + 1
                )
            }) + &all(n, |i| {
                vs(
                    i,
                    &format!("h{i}.example.com"),
                    "g",
                    &route("a.example.com"),
                )
            })
        },
        says: &[],
    },
    Axis {
        name: "PASSTHROUGH servers x VirtualServices",
        write: |n| {
            one_gateway(n, |i| {
                format!(
                    "{{port: {{number: 443, name: tls-{i}, protocol: TLS}}, tls: {{mode: PASSTHROUGH}}, hosts: [h{i}.example.com]}}"
                )
            }) + &all(n, |i| {
                format!(
                    "---\napiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {{name: v{i}}}\nspec: {{hosts: [h{i}.example.com], gateways: [g], tls: [{{match: [{{sniHosts: [h{i}.example.com]}}], route: [{{destination: {{host: a.example.com}}}}]}}]}}\n"
                )
            })
        },
        says: &[],
    },
    Axis {
        name: "hosts of one server",
        write: |n| gateway(0, 80, &list(n, |i| format!("h{i}.example.com"))),
        says: &[("MR0311", once)],
    },
    Axis {
        name: "entries of exportTo",
        write: |n| {
            format!(
                "---\napiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {{name: v}}\nspec: {{exportTo: [{}], hosts: [a.example.com], http: [{}]}}\n",
                list(n, |i| format!("n{i}")),
                route("a.example.com")
            )
        },
        says: &[],
    },
    Axis {
        name: "exportTo on one host",
        write: |n| {
            all(n, |i| {
                format!(
                    "---\napiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {{name: v{i}, namespace: n{i}}}\nspec: {{exportTo: [n{i}], hosts: [a.example.com], http: [{}]}}\n",
                    route("a.example.com")
                )
            })
        },
        says: &[],
    },
    Axis {
        name: "Sidecars with selectors",
        write: |n| {
            all(n, |i| {
                format!(
                    "---\napiVersion: networking.istio.io/v1\nkind: Sidecar\nmetadata: {{name: s{i}}}\nspec: {{workloadSelector: {{labels: {{app: a{i}}}}}, egress: [{{hosts: ['./*']}}]}}\n"
                )
            })
        },
        says: &[],
    },
    Axis {
        name: "Sidecars without selectors",
        write: |n| {
            all(n, |i| {
                format!(
                    "---\napiVersion: networking.istio.io/v1\nkind: Sidecar\nmetadata: {{name: s{i}}}\nspec: {{egress: [{{hosts: ['./*']}}]}}\n"
                )
            })
        },
        says: &[("MR0319", but_one)],
    },
    Axis {
        name: "egress hosts of one Sidecar",
        write: |n| {
            format!(
                "---\napiVersion: networking.istio.io/v1\nkind: Sidecar\nmetadata: {{name: s}}\nspec: {{egress: [{{hosts: [{}]}}]}}\n",
                list(n, |i| format!("'*/h{i}.example.com'"))
            ) + &all(n, |i| service_entry(i, &format!("h{i}.example.com"), ""))
        },
        says: &[],
    },
    Axis {
        name: "egress listeners of one Sidecar",
        write: |n| {
            format!(
                "---\napiVersion: networking.istio.io/v1\nkind: Sidecar\nmetadata: {{name: s}}\nspec: {{egress: [{}]}}\n",
                list(n, |i| format!(
                    "{{port: {{number: {}, protocol: HTTP, name: p{i}}}, hosts: ['*/h{i}.example.com']}}",
                    i + 1
                ))
            ) + &all(n, |i| service_entry(i, &format!("h{i}.example.com"), ""))
        },
        says: &[],
    },
    Axis {
        name: "DestinationRules on one host",
        write: |n| {
            all(n, |i| {
                format!(
                    "---\napiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: {{name: d{i}}}\nspec: {{host: a.example.com, subsets: [{{name: s{i}, labels: {{v: v{i}}}}}]}}\n"
                )
            })
        },
        says: &[("MR0307", each)],
    },
    Axis {
        name: "DestinationRules with selectors on one host",
        write: |n| {
            all(n, |i| {
                format!(
                    "---\napiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: {{name: d{i}}}\nspec: {{host: a.example.com, workloadSelector: {{matchLabels: {{app: a{i}}}}}, trafficPolicy: {{loadBalancer: {{simple: RANDOM}}}}}}\n"
                )
            })
        },
        says: &[],
    },
    Axis {
        name: "subsets of one DestinationRule",
        write: |n| {
            format!(
                "---\napiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: {{name: d}}\nspec: {{host: a.example.com, subsets: [{}]}}\n",
                list(n, |i| format!("{{name: s{i}, labels: {{v: v{i}}}}}"))
            ) + &vs(
                0,
                "a.example.com",
                "",
                &format!(
                    "{{route: [{}]}}",
                    list(n, |i| format!(
                        "{{destination: {{host: a.example.com, subset: s{i}}}, weight: 1}}"
                    ))
                ),
            )
        },
        says: &[],
    },
    Axis {
        name: "unknown subsets",
        write: |n| {
            all(n, |i| {
                format!(
                    "---\napiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: {{name: d{i}}}\nspec: {{host: h{i}.example.com}}\n"
                ) + &vs(
                    i,
                    &format!("h{i}.example.com"),
                    "",
                    &format!("{{route: [{{destination: {{host: h{i}.example.com, subset: x}}}}]}}"),
                )
            })
        },
        says: &[("MR0305", each)],
    },
    Axis {
        name: "wildcard DestinationRules x services",
        write: |n| {
            all(n, |i| {
                format!(
                    "---\napiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: {{name: d{i}}}\nspec: {{host: '*.w{i}.example.com', trafficPolicy: {{loadBalancer: {{simple: RANDOM}}}}}}\n"
                ) + &service_entry(i, &format!("h.w{i}.example.com"), "")
            })
        },
        says: &[],
    },
    Axis {
        name: "port settings of one DestinationRule",
        write: |n| {
            format!(
                "---\napiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: {{name: d}}\nspec: {{host: a.example.com, trafficPolicy: {{portLevelSettings: [{}]}}}}\n",
                list(n, |i| format!(
                    "{{port: {{number: {}}}, loadBalancer: {{simple: RANDOM}}}}",
                    i + 1
                ))
            )
        },
        says: &[("MR0162", |n| usize::from(n > 4096))],
    },
    Axis {
        name: "addresses of one ServiceEntry",
        write: |n| {
            service_entry(
                0,
                "a.example.com",
                &format!(
                    ", addresses: [{}]",
                    list(n, |i| format!("10.{}.{}.1", i / 256, i % 256))
                ),
            )
        },
        says: &[],
    },
    Axis {
        name: "ServiceEntries of one host",
        write: |n| all(n, |i| service_entry(i, "a.example.com", "")),
        says: &[],
    },
    Axis {
        name: "ServiceEntries of one host in as many namespaces",
        write: |n| {
            all(n, |i| {
                format!(
                    "---\napiVersion: networking.istio.io/v1\nkind: ServiceEntry\nmetadata: {{name: e, namespace: n{i}}}\nspec: {{hosts: [a.example.com], ports: [{{number: 80, name: http, protocol: HTTP}}], resolution: NONE, location: MESH_EXTERNAL}}\n"
                )
            })
        },
        says: &[("MR0221", but_one)],
    },
    Axis {
        name: "hosts of one ServiceEntry",
        write: |n| service_entry(0, &list(n, |i| format!("h{i}.example.com")), ""),
        says: &[],
    },
    Axis {
        name: "ports of one ServiceEntry",
        write: |n| {
            format!(
                "---\napiVersion: networking.istio.io/v1\nkind: ServiceEntry\nmetadata: {{name: e}}\nspec: {{hosts: [a.example.com], ports: [{}], resolution: NONE, location: MESH_EXTERNAL}}\n",
                list(n, |i| format!(
                    "{{number: {}, name: http-{i}, protocol: HTTP}}",
                    i + 1
                ))
            )
        },
        says: &[],
    },
    Axis {
        name: "endpoints of one ServiceEntry",
        write: |n| {
            format!(
                "---\napiVersion: networking.istio.io/v1\nkind: ServiceEntry\nmetadata: {{name: e}}\nspec: {{hosts: [a.example.com], ports: [{{number: 80, name: http, protocol: HTTP}}], resolution: STATIC, location: MESH_EXTERNAL, endpoints: [{}]}}\n",
                list(n, |i| format!("{{address: 10.{}.{}.1}}", i / 256, i % 256))
            )
        },
        says: &[],
    },
    Axis {
        name: "WorkloadEntries of one ServiceEntry",
        write: |n| {
            "---\napiVersion: networking.istio.io/v1\nkind: ServiceEntry\nmetadata: {name: e}\nspec: {hosts: [a.example.com], ports: [{number: 80, name: http, protocol: HTTP}], resolution: STATIC, location: MESH_INTERNAL, workloadSelector: {labels: {app: a}}}\n".to_owned() + &all(n, |i| format!("---\napiVersion: networking.istio.io/v1\nkind: WorkloadEntry\nmetadata: {{name: w{i}}}\nspec: {{address: 10.{}.{}.1, labels: {{app: a}}}}\n", i / 256, i % 256))
        },
        says: &[],
    },
    Axis {
        name: "delegates",
        write: |n| {
            vs(
                0,
                "a.example.com",
                "",
                &list(n, |i| {
                    format!("{{match: [{{uri: {{prefix: /r{i}/}}}}], delegate: {{name: d{i}}}}}")
                }),
            ) + &all(n, |i| {
                format!(
                    "---\napiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {{name: d{i}}}\nspec: {{http: [{{match: [{{uri: {{prefix: /r{i}/x}}}}], {}}}]}}\n",
                    route("a.example.com").trim_matches(['{', '}'])
                )
            })
        },
        says: &[],
    },
    Axis {
        name: "one delegate of as many rules as it has",
        write: |n| {
            vs(
                0,
                "a.example.com",
                "",
                &list(n, |i| {
                    format!("{{match: [{{uri: {{prefix: /r{i}/}}}}], delegate: {{name: d}}}}")
                }),
            ) + &format!(
                "---\napiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {{name: d}}\nspec: {{http: [{}]}}\n",
                list(n, |i| format!(
                    "{{match: [{{headers: {{x: {{exact: p{i}}}}}}}], {}}}",
                    route("a.example.com").trim_matches(['{', '}'])
                ))
            )
        },
        says: &[("MR0205", |n| usize::from(n > 500))],
    },
    Axis {
        name: "regexes",
        write: |n| {
            let rest = route("a.example.com");
            let rest = rest.trim_matches(['{', '}']);
            vs(
                0,
                "a.example.com",
                "",
                &list(n, |i| {
                    format!("{{match: [{{uri: {{regex: '/p{i}/[a-z]+/[0-9]+'}}}}], {rest}}}")
                }),
            )
        },
        says: &[],
    },
    Axis {
        name: "regexes that are too large",
        write: |n| {
            let rest = route("a.example.com");
            let rest = rest.trim_matches(['{', '}']);
            vs(
                0,
                "a.example.com",
                "",
                &list(n, |i| {
                    format!("{{match: [{{uri: {{regex: '/p{i}\\pL{{1,900}}'}}}}], {rest}}}")
                }),
            )
        },
        says: &[("MR0111", each)],
    },
    Axis {
        name: "regexes of many states",
        write: |n| {
            let rest = route("a.example.com");
            let rest = rest.trim_matches(['{', '}']);
            vs(
                0,
                "a.example.com",
                "",
                &list(n, |i| {
                    format!("{{match: [{{uri: {{regex: '(a|b)*a(a|b){{20}}p{i}'}}}}], {rest}}}")
                }),
            )
        },
        says: &[("MR0111", any)],
    },
];

pub fn list(n: usize, write: impl Fn(usize) -> String) -> String {
    let mut text = String::new();
    for i in 0..n {
        if i > 0 {
            text.push_str(", ");
        }
        text.push_str(&write(i));
    }
    text
}

pub fn all(n: usize, write: impl Fn(usize) -> String) -> String {
    (0..n).map(write).collect()
}

pub fn vs(i: usize, hosts: &str, gateway: &str, rules: &str) -> String {
    let gateways = match gateway {
        "" => String::new(),
        gateway => format!(", gateways: [{gateway}]"),
    };
    format!(
        "---\napiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {{name: v{i}}}\nspec: {{hosts: [{hosts}]{gateways}, http: [{rules}]}}\n"
    )
}

pub fn route(host: &str) -> String {
    format!("{{route: [{{destination: {{host: {host}}}}}]}}")
}

pub fn gateway(i: usize, port: u16, host: &str) -> String {
    named_gateway(&format!("{{name: g{i}}}"), port, host)
}

fn named_gateway(meta: &str, port: u16, host: &str) -> String {
    format!(
        "---\napiVersion: networking.istio.io/v1\nkind: Gateway\nmetadata: {meta}\nspec: {{selector: {{istio: ingressgateway}}, servers: [{{port: {{number: {port}, name: http, protocol: HTTP}}, hosts: [{host}]}}]}}\n"
    )
}

pub fn one_gateway(n: usize, server: impl Fn(usize) -> String) -> String {
    format!(
        "---\napiVersion: networking.istio.io/v1\nkind: Gateway\nmetadata: {{name: g}}\nspec: {{selector: {{istio: ingressgateway}}, servers: [{}]}}\n",
        list(n, server)
    )
}

pub fn service_entry(i: usize, hosts: &str, more: &str) -> String {
    format!(
        "---\napiVersion: networking.istio.io/v1\nkind: ServiceEntry\nmetadata: {{name: e{i}}}\nspec: {{hosts: [{hosts}], ports: [{{number: 80, name: http, protocol: HTTP}}], resolution: NONE, location: MESH_EXTERNAL{more}}}\n"
    )
}

pub fn kubernetes_service(name: &str) -> String {
    let mut text = String::new();
    let _ = write!(
        text,
        "---\napiVersion: v1\nkind: Service\nmetadata: {{name: {name}}}\nspec: {{ports: [{{port: 80, name: http}}]}}\n"
    );
    text
}
