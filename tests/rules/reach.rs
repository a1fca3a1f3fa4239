//! How far an update reaches: everything that compiles a router anew, in one list, and what does not.

use meshroute::live::{Changes, LiveRouter, Reach};
use meshroute::resource::Kind;
use meshroute::{Proxy, Resources};

const SERVICE: &str = "
apiVersion: v1
kind: Service
metadata: {name: web, namespace: default}
spec: {clusterIP: 10.0.0.1, selector: {app: web}, ports: [{name: http, port: 80}]}
---
";
const CART: &str = "
apiVersion: v1
kind: Service
metadata: {name: cart, namespace: default}
spec: {clusterIP: 10.0.0.2, ports: [{name: http, port: 80}]}
---
";
const VIRTUAL_SERVICE: &str = "
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: web, namespace: default}
spec: {hosts: [web], http: [{route: [{destination: {host: web}}]}]}
---
";
const GATEWAY: &str = "
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: edge, namespace: default}
spec: {selector: {app: edge}, servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ['*']}]}
---
";
const EGRESS: &str = "
apiVersion: networking.istio.io/v1
kind: Sidecar
metadata: {name: default, namespace: default}
spec:
  egress: [{hosts: ['*/*']}]
  outboundTrafficPolicy: {mode: ALLOW_ANY, egressProxy: {host: web.default.svc.cluster.local, port: {number: 80}}}
---
";
const ROUTE: &str = "
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: r, namespace: default}
spec:
  parentRefs: [{group: '', kind: Service, name: web}]
  rules: [{backendRefs: [{name: web, port: 80}]}]
---
";

const KUBERNETES_GATEWAY: &str = "
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: rim, namespace: default}
spec: {gatewayClassName: istio, listeners: [{name: http, port: 80, protocol: HTTP}]}
---
";

fn read(yaml: &str) -> Resources {
    Resources::from_yaml(yaml).unwrap_or_else(|report| panic!("{report}"))
}

fn reach(live: &mut LiveRouter, changes: Changes) -> Reach {
    let update = live.update(changes);
    update.unwrap_or_else(|report| panic!("{report}")).reach
}

/// `before`, and what comes: it reaches everything, or does not.
fn coming(proxy: &Proxy, before: Resources, yaml: &str) -> Reach {
    let (mut live, _) = LiveRouter::new(before, proxy.clone());
    reach(&mut live, Changes::new().apply_all(read(yaml)))
}

#[test]
fn what_compiles_a_router_anew() {
    let sidecar = Proxy::sidecar("default");
    let edge = Proxy::gateway("default").label("app", "edge");
    let peer = "{apiVersion: security.istio.io/v1, kind: PeerAuthentication, metadata: {name: p, namespace: default}, spec: {mtls: {mode: STRICT}}}";
    let configured = "{apiVersion: v1, kind: Pod, metadata: {name: p, namespace: default, annotations: {proxy.istio.io/config: 'gatewayTopology: {numTrustedProxies: 1}'}}}";
    let grant = "{apiVersion: gateway.networking.k8s.io/v1beta1, kind: ReferenceGrant, metadata: {name: g, namespace: default}, spec: {from: [{group: gateway.networking.k8s.io, kind: HTTPRoute, namespace: prod}], to: [{group: '', kind: Service}]}}";
    let policy = "{apiVersion: gateway.networking.k8s.io/v1, kind: BackendTLSPolicy, metadata: {name: p, namespace: default}, spec: {targetRefs: [{group: '', kind: Service, name: web}], validation: {hostname: a.test, wellKnownCACertificates: System}}}\n---\n";
    let rule = "{apiVersion: networking.istio.io/v1, kind: DestinationRule, metadata: {name: d, namespace: default}, spec: {host: web}}";
    let moved = |target: u16| {
        format!(
            "{{apiVersion: v1, kind: Service, metadata: {{name: edge, namespace: default}}, spec: {{clusterIP: 10.0.0.3, selector: {{app: edge}}, ports: [{{name: http, port: 80, targetPort: {target}}}]}}}}\n---\n"
        )
    };
    let pod = "{apiVersion: v1, kind: Pod, metadata: {name: e, namespace: default, labels: {app: edge}}, status: {podIP: 10.0.1.1}}\n---\n";
    let other_port = SERVICE.replace("port: 80", "port: 81");
    let before_gateway = format!("{GATEWAY}{}{pod}", moved(8080));
    for (proxy, before, change) in [
        (&sidecar, SERVICE, GATEWAY),
        (&sidecar, SERVICE, EGRESS),
        (&sidecar, SERVICE, peer),
        (&sidecar, SERVICE, configured),
        (&sidecar, VIRTUAL_SERVICE, SERVICE),
        (&sidecar, &[SERVICE, ROUTE].concat(), KUBERNETES_GATEWAY),
        (&sidecar, &[SERVICE, ROUTE].concat(), grant),
        (&sidecar, &[SERVICE, policy].concat(), rule),
        (&sidecar, &[SERVICE, ROUTE].concat(), CART),
        (&sidecar, &[SERVICE, CART, EGRESS].concat(), &other_port),
        (&edge, &before_gateway, &moved(9090)),
    ] {
        let reach = coming(proxy, read(before), change);
        assert_eq!(reach, Reach::Router, "{change}");
    }
    // The last service goes.
    let (mut live, _) = LiveRouter::new(read(SERVICE), sidecar.clone());
    let gone = Changes::new().delete(Kind::Service, "default", "web");
    assert_eq!(reach(&mut live, gone), Reach::Router);
    // Settings, and settings by which labels of namespaces decide.
    let selective = "discoverySelectors: [{matchLabels: {mesh: on}}]";
    for (settings, later) in [("{accessLogFile: x}", false), (selective, true)] {
        let with = |resources: Resources| {
            let read = resources.with_mesh_config_yaml(settings);
            read.unwrap_or_else(|report| panic!("{report}"))
        };
        let (mut live, _) = LiveRouter::new(read(SERVICE), sidecar.clone());
        let settings = Changes::new().apply_all(with(Resources::new()));
        assert_eq!(reach(&mut live, settings), Reach::Router);
        let next = reach(&mut live, Changes::new().apply_all(read(VIRTUAL_SERVICE)));
        assert_eq!(next == Reach::Router, later);
    }
}

#[test]
fn everything_else_costs_what_it_touches() {
    let rule = "{apiVersion: networking.istio.io/v1, kind: DestinationRule, metadata: {name: d, namespace: default}, spec: {host: web, subsets: [{name: v1, labels: {v: v1}}]}}";
    let entry = "{apiVersion: networking.istio.io/v1, kind: ServiceEntry, metadata: {name: e, namespace: default}, spec: {hosts: [e.com], ports: [{number: 80, name: http, protocol: HTTP}], resolution: DNS}}";
    let workload = "{apiVersion: networking.istio.io/v1, kind: WorkloadEntry, metadata: {name: w, namespace: default}, spec: {address: 10.0.2.1, labels: {app: web}}}";
    let slice = "{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, metadata: {name: s, namespace: default, labels: {kubernetes.io/service-name: web}}, addressType: IPv4, endpoints: [{addresses: [10.0.3.1]}], ports: [{name: http, port: 80}]}";
    let pod = "{apiVersion: v1, kind: Pod, metadata: {name: p, namespace: default, labels: {app: web}}, status: {podIP: 10.0.1.2}}";
    let deployment = "{apiVersion: apps/v1, kind: Deployment, metadata: {name: d, namespace: default}, spec: {template: {metadata: {labels: {app: web}}}}}";
    let node = "{apiVersion: v1, kind: Node, metadata: {name: n}}";
    let namespace = "{apiVersion: v1, kind: Namespace, metadata: {name: default}}";
    let before = [
        SERVICE,
        GATEWAY,
        EGRESS.split("  outbound").next().unwrap_or_default(),
        "\n---\n",
    ]
    .concat();
    let with_cart = [SERVICE, CART, EGRESS].concat();
    for proxy in [Proxy::sidecar("default"), Proxy::default()] {
        for change in [
            VIRTUAL_SERVICE,
            CART,
            rule,
            entry,
            workload,
            slice,
            pod,
            deployment,
            node,
            namespace,
        ] {
            let reach = coming(&proxy, read(&before), change);
            assert_ne!(reach, Reach::Router, "{change}");
        }
        // Beside an egress proxy, and beside routes of the Gateway API.
        let other = CART.replace("port: 80", "port: 81");
        assert_ne!(coming(&proxy, read(&with_cart), &other), Reach::Router);
        let routed = [SERVICE, ROUTE, KUBERNETES_GATEWAY].concat();
        let other = ROUTE.replace(
            "kind: Service, name: web}",
            "kind: Service, name: web, port: 80}",
        );
        let second = ROUTE.replace("name: r,", "name: s,");
        for change in [VIRTUAL_SERVICE, rule, slice, pod, node, &other, &second] {
            let reach = coming(&proxy, read(&routed), change);
            assert_ne!(reach, Reach::Router, "{change}");
        }
        let first = coming(&proxy, read(&[SERVICE, KUBERNETES_GATEWAY].concat()), ROUTE);
        assert_ne!(first, Reach::Router);
    }
}
