//! Axes of the Gateway API, and of what only settings look at: PeerAuthentications, Nodes, MeshConfig.

use crate::axes::{all, kubernetes_service, list};
use crate::measure::{Axis, any, once};

pub const AXES: &[Axis] = &[
    Axis {
        name: "HTTPRoutes of one listener",
        write: |n| {
            listeners(&listener(0, "*"))
                + &all(n, |i| route(i, &format!("h{i}.example.com"), ""))
                + &kubernetes_service("a")
        },
        says: &[],
    },
    Axis {
        name: "HTTPRoutes of one host",
        write: |n| {
            listeners(&listener(0, "*"))
                + &all(n, |i| route(i, "one.example.com", &format!("/p{i}")))
                + &kubernetes_service("a")
        },
        says: &[],
    },
    Axis {
        name: "HTTPRoutes x listeners of one Gateway",
        write: |n| {
            let all_listeners: String = all(n, |i| listener(i, &format!("h{i}.example.com")));
            listeners(&all_listeners)
                + &all(n, |i| route(i, &format!("h{i}.example.com"), ""))
                + &kubernetes_service("a")
        },
        says: &[("MR0162", any), ("MR0230", any)],
    },
    Axis {
        name: "HTTPRoutes without hosts x listeners of one Gateway",
        write: |n| {
            let count = n.min(64);
            let all_listeners: String = all(count, |i| listener(i, &format!("h{i}.example.com")));
            listeners(&all_listeners) + &all(n, any_host) + &kubernetes_service("a")
        },
        says: &[],
    },
    Axis {
        name: "Gateways with an HTTPRoute each",
        write: |n| {
            all(n, |i| {
                format!(
                    "---\napiVersion: gateway.networking.k8s.io/v1\nkind: Gateway\nmetadata: {{name: g{i}}}\nspec: {{gatewayClassName: istio, listeners: [{}]}}\n---\napiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\nmetadata: {{name: r{i}}}\nspec: {{parentRefs: [{{name: g{i}}}], hostnames: [h{i}.example.com], rules: [{{backendRefs: [{{name: a, port: 80}}]}}]}}\n",
                    listener(0, "*")
                )
            }) + &kubernetes_service("a")
        },
        says: &[],
    },
    Axis {
        name: "rules of one HTTPRoute",
        write: |n| {
            listeners(&listener(0, "*"))
                + &one_route(&list(n, |i| {
                    format!(
                        "{{matches: [{{path: {{value: /p{i}}}}}], backendRefs: [{{name: a, port: 80}}]}}"
                    )
                }))
                + &kubernetes_service("a")
        },
        says: &[("MR0162", any)],
    },
    Axis {
        name: "hostnames of one HTTPRoute",
        write: |n| {
            listeners(&listener(0, "*"))
                + &format!(
                    "---\napiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\nmetadata: {{name: r}}\nspec: {{parentRefs: [{{name: g}}], hostnames: [{}], rules: [{{backendRefs: [{{name: a, port: 80}}]}}]}}\n",
                    list(n, |i| format!("h{i}.example.com"))
                )
                + &kubernetes_service("a")
        },
        says: &[("MR0162", once)],
    },
    Axis {
        name: "backends of one HTTPRoute",
        write: |n| {
            listeners(&listener(0, "*"))
                + &one_route(&format!(
                    "{{backendRefs: [{}]}}",
                    list(n, |i| format!("{{name: b{i}, port: 80}}"))
                ))
                + &all(n, |i| kubernetes_service(&format!("b{i}")))
        },
        says: &[("MR0162", once)],
    },
    Axis {
        name: "parents of one HTTPRoute",
        write: |n| {
            listeners(&all(n, |i| listener(i, "*")))
                + &format!(
                    "---\napiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\nmetadata: {{name: r}}\nspec: {{parentRefs: [{}], rules: [{{backendRefs: [{{name: a, port: 80}}]}}]}}\n",
                    list(n, |i| format!("{{name: g, sectionName: l{i}}}"))
                )
                + &kubernetes_service("a")
        },
        says: &[("MR0118", any), ("MR0162", any), ("MR0230", any)],
    },
    Axis {
        name: "HTTPRoutes of one service of the mesh",
        write: |n| {
            all(n, |i| {
                format!(
                    "---\napiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\nmetadata: {{name: r{i}}}\nspec: {{parentRefs: [{{group: '', kind: Service, name: a}}], rules: [{{matches: [{{path: {{value: /p{i}}}}}], backendRefs: [{{name: a, port: 80}}]}}]}}\n"
                )
            }) + &kubernetes_service("a")
        },
        says: &[],
    },
    Axis {
        name: "GRPCRoutes of one listener",
        write: |n| {
            listeners(&listener(0, "*"))
                + &all(n, |i| {
                    format!(
                        "---\napiVersion: gateway.networking.k8s.io/v1\nkind: GRPCRoute\nmetadata: {{name: r{i}}}\nspec: {{parentRefs: [{{name: g}}], hostnames: [h{i}.example.com], rules: [{{matches: [{{method: {{service: s{i}}}}}], backendRefs: [{{name: a, port: 80}}]}}]}}\n"
                    )
                })
                + &kubernetes_service("a")
        },
        says: &[],
    },
    Axis {
        name: "TLSRoutes of one listener",
        write: |n| {
            listeners(
                "{name: l0, port: 443, protocol: TLS, tls: {mode: Passthrough}, allowedRoutes: {namespaces: {from: All}}}, ",
            ) + &all(n, |i| {
                format!(
                    "---\napiVersion: gateway.networking.k8s.io/v1\nkind: TLSRoute\nmetadata: {{name: r{i}}}\nspec: {{parentRefs: [{{name: g}}], hostnames: [h{i}.example.com], rules: [{{backendRefs: [{{name: a, port: 80}}]}}]}}\n"
                )
            }) + &kubernetes_service("a")
        },
        says: &[],
    },
    Axis {
        name: "TCPRoutes of as many listeners",
        write: |n| {
            listeners(&all(n, |i| {
                format!("{{name: l{i}, port: {}, protocol: TCP}}, ", i + 1)
            })) + &all(n, |i| {
                format!(
                    "---\napiVersion: gateway.networking.k8s.io/v1alpha2\nkind: TCPRoute\nmetadata: {{name: r{i}}}\nspec: {{parentRefs: [{{name: g, sectionName: l{i}}}], rules: [{{backendRefs: [{{name: a, port: 80}}]}}]}}\n"
                )
            }) + &kubernetes_service("a")
        },
        says: &[("MR0162", any), ("MR0230", any)],
    },
    Axis {
        name: "ReferenceGrants x backends of other namespaces",
        write: |n| {
            listeners(&listener(0, "*"))
                + &all(n, |i| {
                    format!(
                        "---\napiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\nmetadata: {{name: r{i}}}\nspec: {{parentRefs: [{{name: g}}], hostnames: [h{i}.example.com], rules: [{{backendRefs: [{{name: a, namespace: n{i}, port: 80}}]}}]}}\n---\napiVersion: gateway.networking.k8s.io/v1beta1\nkind: ReferenceGrant\nmetadata: {{name: g, namespace: n{i}}}\nspec: {{from: [{{group: gateway.networking.k8s.io, kind: HTTPRoute, namespace: default}}], to: [{{group: '', kind: Service}}]}}\n---\napiVersion: v1\nkind: Service\nmetadata: {{name: a, namespace: n{i}}}\nspec: {{ports: [{{port: 80, name: http}}]}}\n"
                    )
                })
        },
        says: &[],
    },
    Axis {
        name: "ReferenceGrants of one namespace x backends",
        write: |n| {
            listeners(&listener(0, "*"))
                + &all(n, |i| {
                    format!(
                        "---\napiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\nmetadata: {{name: r{i}}}\nspec: {{parentRefs: [{{name: g}}], hostnames: [h{i}.example.com], rules: [{{backendRefs: [{{name: a{i}, namespace: other, port: 80}}]}}]}}\n---\napiVersion: gateway.networking.k8s.io/v1beta1\nkind: ReferenceGrant\nmetadata: {{name: g{i}, namespace: other}}\nspec: {{from: [{{group: gateway.networking.k8s.io, kind: HTTPRoute, namespace: default}}], to: [{{group: '', kind: Service, name: a{i}}}]}}\n---\napiVersion: v1\nkind: Service\nmetadata: {{name: a{i}, namespace: other}}\nspec: {{ports: [{{port: 80, name: http}}]}}\n"
                    )
                })
        },
        says: &[],
    },
    Axis {
        name: "listeners with selectors x Namespaces",
        write: |n| {
            listeners(&all(n, |i| {
                format!(
                    "{{name: l{i}, port: 80, protocol: HTTP, hostname: h{i}.example.com, allowedRoutes: {{namespaces: {{from: Selector, selector: {{matchLabels: {{team: t{i}}}}}}}}}}}, "
                )
            })) + &all(n, namespace)
        },
        says: &[("MR0162", any)],
    },
    Axis {
        name: "HTTPRoutes of as many namespaces",
        write: |n| {
            listeners(&listener(0, "*"))
                + &all(n, |i| {
                    format!(
                        "---\napiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\nmetadata: {{name: r, namespace: n{i}}}\nspec: {{parentRefs: [{{name: g, namespace: default}}], hostnames: [h{i}.example.com], rules: [{{backendRefs: [{{name: a, port: 80}}]}}]}}\n---\napiVersion: v1\nkind: Service\nmetadata: {{name: a, namespace: n{i}}}\nspec: {{ports: [{{port: 80, name: http}}]}}\n"
                    )
                })
        },
        says: &[],
    },
    Axis {
        name: "ListenerSets of one Gateway",
        write: |n| {
            "---\napiVersion: gateway.networking.k8s.io/v1\nkind: Gateway\nmetadata: {name: g}\nspec: {gatewayClassName: istio, allowedListeners: {namespaces: {from: All}}, listeners: [{name: l, port: 80, protocol: HTTP}]}\n".to_owned()
                + &all(n, |i| {
                    format!(
                        "---\napiVersion: gateway.networking.k8s.io/v1\nkind: ListenerSet\nmetadata: {{name: s{i}}}\nspec: {{parentRef: {{name: g}}, listeners: [{}]}}\n",
                        listener(i, &format!("h{i}.example.com"))
                    )
                })
        },
        says: &[],
    },
    Axis {
        name: "BackendTLSPolicies of as many Services",
        write: |n| {
            all(n, |i| {
                format!(
                    "---\napiVersion: gateway.networking.k8s.io/v1\nkind: BackendTLSPolicy\nmetadata: {{name: p{i}}}\nspec: {{targetRefs: [{{group: '', kind: Service, name: s{i}}}], validation: {{wellKnownCACertificates: System, hostname: h{i}.example.com}}}}\n"
                ) + &kubernetes_service(&format!("s{i}"))
            })
        },
        says: &[],
    },
    Axis {
        name: "BackendTLSPolicies of one Service",
        write: |n| {
            all(n, |i| {
                format!(
                    "---\napiVersion: gateway.networking.k8s.io/v1\nkind: BackendTLSPolicy\nmetadata: {{name: p{i}}}\nspec: {{targetRefs: [{{group: '', kind: Service, name: a}}], validation: {{wellKnownCACertificates: System, hostname: h{i}.example.com}}}}\n"
                )
            }) + &kubernetes_service("a")
        },
        says: &[],
    },
    Axis {
        name: "HTTPS listeners with a Secret each",
        write: |n| {
            listeners(&all(n, |i| {
                format!(
                    "{{name: l{i}, port: 443, protocol: HTTPS, hostname: h{i}.example.com, tls: {{certificateRefs: [{{name: c{i}}}]}}}}, "
                )
            })) + &all(n, |i| {
                format!(
                    "---\napiVersion: v1\nkind: Secret\nmetadata: {{name: c{i}}}\ntype: kubernetes.io/tls\ndata: {{tls.crt: '', tls.key: ''}}\n"
                )
            })
        },
        says: &[("MR0162", any), ("MR0238", any)],
    },
    Axis {
        name: "PeerAuthentications with selectors x Pods",
        write: |n| {
            all(n, |i| {
                format!(
                    "---\napiVersion: security.istio.io/v1\nkind: PeerAuthentication\nmetadata: {{name: p{i}}}\nspec: {{selector: {{matchLabels: {{app: a{i}}}}}, mtls: {{mode: STRICT}}}}\n---\napiVersion: v1\nkind: Pod\nmetadata: {{name: p{i}, labels: {{app: a{i}, all: 'yes'}}}}\nspec: {{containers: [{{name: c, image: c}}]}}\nstatus: {{podIP: 10.{}.{}.1}}\n",
                    i / 256,
                    i % 256
                )
            }) + "---\napiVersion: v1\nkind: Service\nmetadata: {name: s}\nspec: {selector: {all: 'yes'}, ports: [{port: 80, name: http}]}\n"
        },
        says: &[],
    },
    Axis {
        name: "ports of one PeerAuthentication",
        write: |n| {
            format!(
                "---\napiVersion: security.istio.io/v1\nkind: PeerAuthentication\nmetadata: {{name: p}}\nspec: {{selector: {{matchLabels: {{app: a}}}}, mtls: {{mode: STRICT}}, portLevelMtls: {{{}}}}}\n",
                list(n, |i| format!("{}: {{mode: DISABLE}}", i + 1))
            )
        },
        says: &[],
    },
    Axis {
        name: "Nodes with a Pod each",
        write: |n| {
            all(n, |i| {
                format!(
                    "---\napiVersion: v1\nkind: Node\nmetadata: {{name: n{i}, labels: {{topology.kubernetes.io/region: r{i}}}}}\n---\napiVersion: v1\nkind: Pod\nmetadata: {{name: p{i}, labels: {{app: a}}}}\nspec: {{nodeName: n{i}, containers: [{{name: c, image: c}}]}}\nstatus: {{podIP: 10.{}.{}.1}}\n",
                    i / 256,
                    i % 256
                )
            }) + "---\napiVersion: v1\nkind: Service\nmetadata: {name: s}\nspec: {selector: {app: a}, ports: [{port: 80, name: http}]}\n"
        },
        says: &[],
    },
    Axis {
        name: "Pods with a ProxyConfig each",
        write: |n| {
            all(n, |i| {
                format!(
                    "---\napiVersion: v1\nkind: Pod\nmetadata: {{name: p{i}, labels: {{app: a{i}}}, annotations: {{proxy.istio.io/config: '{{\"gatewayTopology\": {{\"numTrustedProxies\": 1}}}}'}}}}\nspec: {{containers: [{{name: c, image: c}}]}}\nstatus: {{podIP: 10.{}.{}.1}}\n",
                    i / 256,
                    i % 256
                )
            })
        },
        says: &[],
    },
    Axis {
        name: "discovery selectors x Namespaces",
        write: |n| {
            mesh(&format!(
                "discoverySelectors: [{}]",
                list(n, |i| format!("{{matchLabels: {{team: t{i}}}}}"))
            )) + &all(n, namespace)
        },
        says: &[("MR0250", any), ("MR0253", any)],
    },
    Axis {
        name: "policies of visibility x namespaces of ServiceEntries",
        write: |n| {
            let policies = list(n, |i| {
                format!(
                    "{{visibility: PUBLIC, matchingRules: [{{namespaceSelector: {{matchLabels: {{team: t{i}}}}}}}]}}"
                )
            });
            mesh(&format!(
                "serviceEntryVisibility: {{applyToSidecars: true, defaultVisibility: NAMESPACE, policies: [{policies}]}}"
            )) + &all(n, |i| {
                namespace(i)
                    + &format!(
                        "---\napiVersion: networking.istio.io/v1\nkind: ServiceEntry\nmetadata: {{name: e, namespace: n{i}}}\nspec: {{hosts: [h{i}.example.com], resolution: DNS, ports: [{{number: 80, name: http, protocol: HTTP}}]}}\n"
                    )
            })
        },
        says: &[("MR0253", any)],
    },
];

/// Settings of the mesh, as its ConfigMap.
fn mesh(settings: &str) -> String {
    format!(
        "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {{name: istio, namespace: istio-system}}\ndata:\n  mesh: |\n    {settings}\n"
    )
}

fn namespace(i: usize) -> String {
    format!(
        "---\napiVersion: v1\nkind: Namespace\nmetadata: {{name: n{i}, labels: {{team: t{i}}}}}\n"
    )
}

/// One Gateway with these listeners.
fn listeners(listeners: &str) -> String {
    format!(
        "---\napiVersion: gateway.networking.k8s.io/v1\nkind: Gateway\nmetadata: {{name: g}}\nspec: {{gatewayClassName: istio, listeners: [{listeners}]}}\n"
    )
}

/// One listener, and the comma after it; `*`: of all hosts.
fn listener(i: usize, host: &str) -> String {
    let hostname = match host {
        "*" => String::new(),
        host => format!("hostname: {host}, "),
    };
    format!(
        "{{name: l{i}, port: 80, protocol: HTTP, {hostname}allowedRoutes: {{namespaces: {{from: All}}}}}}, "
    )
}

/// A route of one host and one path, which may be none.
fn route(i: usize, host: &str, path: &str) -> String {
    let matches = match path {
        "" => String::new(),
        path => format!("matches: [{{path: {{value: {path}}}}}], "),
    };
    format!(
        "---\napiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\nmetadata: {{name: r{i}}}\nspec: {{parentRefs: [{{name: g}}], hostnames: [{host}], rules: [{{{matches}backendRefs: [{{name: a, port: 80}}]}}]}}\n"
    )
}

/// A route of every host that a listener has.
fn any_host(i: usize) -> String {
    format!(
        "---\napiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\nmetadata: {{name: r{i}}}\nspec: {{parentRefs: [{{name: g}}], rules: [{{matches: [{{path: {{value: /p{i}}}}}], backendRefs: [{{name: a, port: 80}}]}}]}}\n"
    )
}

/// One route with these rules.
fn one_route(rules: &str) -> String {
    format!(
        "---\napiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\nmetadata: {{name: r}}\nspec: {{parentRefs: [{{name: g}}], rules: [{rules}]}}\n"
    )
}
