//! The client against a control plane that plays what istiod sends: both protocols, pushes in odd orders, removals, broken
//! resources, restarts.

mod stand_in;

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::time::Duration;

use meshroute::envoy::EnvoyConfig;
use meshroute::{Request, Router};
use meshroute_xds::types::{self, Kind};
use meshroute_xds::{Client, Event, Options, Variant};
use serde_json::{Value, json};
use stand_in::{ADVISED, ODD, Running, Said, StandIn};
use tokio::time::timeout;
use tonic::transport::Endpoint;

const VARIANTS: [Variant; 2] = [Variant::StateOfTheWorld, Variant::Delta];

fn options(variant: Variant) -> Options {
    Options {
        variant,
        shortest_pause: Duration::from_millis(20),
        longest_pause: Duration::from_millis(100),
        ..Options::of("router~127.0.0.1~gateway.default~default.svc.cluster.local")
    }
}

async fn start(server: &StandIn, options: Options) -> (Client, std::net::SocketAddr, Running) {
    let (at, stop) = server.listen("127.0.0.1:0".parse().unwrap()).await;
    let endpoint = Endpoint::from_shared(format!("http://{at}")).unwrap();
    (Client::start(endpoint, options), at, stop)
}

/// The next event that `is` holds for.
async fn until(client: &mut Client, is: impl Fn(&Event) -> bool) -> Event {
    let mut others = Vec::new();
    let next = async {
        loop {
            let event = client.events.recv().await.expect("an event");
            if is(&event) {
                return event;
            }
            others.push(event);
        }
    };
    let event = timeout(Duration::from_secs(60), next).await;
    event.unwrap_or_else(|_| {
        panic!(
            "not in time; till then {:?}",
            &others[..others.len().min(12)]
        )
    })
}

async fn serving(client: &mut Client) -> Router {
    until(client, |event| *event == Event::Serving).await;
    client.router.borrow().clone().expect("a router")
}

/// What the router says of requests for every domain of the dump, at the ports of its listeners and at 80.
fn answers(router: &Router, dump: &Value) -> Vec<String> {
    let mut asked = BTreeSet::new();
    for host in dump["routes"].as_array().into_iter().flatten() {
        for host in host["virtualHosts"].as_array().into_iter().flatten() {
            for domain in host["domains"].as_array().into_iter().flatten() {
                asked.insert(domain.as_str().unwrap_or_default().replace('*', "any"));
            }
        }
    }
    let mut ports: BTreeSet<u16> = [80].into();
    for listener in dump["listeners"].as_array().into_iter().flatten() {
        let port = listener["address"]["socketAddress"]["portValue"].as_u64();
        ports.extend(port.and_then(|port| u16::try_from(port).ok()));
    }
    let mut all = Vec::new();
    for authority in &asked {
        for port in &ports {
            for path in ["/", "/api/v1"] {
                let request = Request::new("GET", path).authority(authority).port(*port);
                let record = router.decide(&request, 7).record();
                all.push(format!(
                    "{authority} {port} {path}: {}",
                    serde_json::to_string(&record).unwrap()
                ));
            }
        }
    }
    all
}

/// The first dumps of every topic; all of them with `MESHROUTE_ALL`.
fn dumps() -> Vec<Value> {
    let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/data/xds");
    let mut files: Vec<_> = std::fs::read_dir(directory)
        .expect("the dumps are there")
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    let a_topic = if std::env::var_os("MESHROUTE_ALL").is_some() {
        usize::MAX
    } else {
        1
    };
    let mut dumps = Vec::new();
    for file in files {
        let unpacked = flate2::read::MultiGzDecoder::new(std::fs::File::open(&file).unwrap());
        let lines = BufReader::new(unpacked).lines().take(a_topic);
        dumps.extend(lines.map(|line| serde_json::from_str::<Value>(&line.unwrap()).unwrap()));
    }
    assert!(dumps.len() >= 40, "{}", dumps.len());
    dumps
}

/// Every topic's dump, played in both protocols and in two orders, makes the router that is read from its text.
#[tokio::test]
async fn what_istiod_sends_makes_the_router_that_is_read_from_its_text() {
    let mut answered = 0;
    for (at, dump) in dumps().iter().enumerate() {
        let read = EnvoyConfig::from_json(&dump.to_string()).expect("a configuration");
        let (expected, _) = Router::from_envoy(&read).expect("a router");
        let expected = answers(&expected, dump);
        answered += expected.len();
        for variant in VARIANTS {
            let server = StandIn::new(if at % 2 == 0 { ADVISED } else { ODD });
            server.play(dump);
            let (mut client, _at, _stop) = start(&server, options(variant)).await;
            let router = loop {
                // Each kind that comes makes a router; the last is meant.
                let router = serving(&mut client).await;
                if answers(&router, dump) == expected {
                    break router;
                }
            };
            assert_eq!(
                answers(&router, dump),
                expected,
                "{} {variant:?}",
                dump["case"]
            );
            let refused = server
                .said()
                .into_iter()
                .find(|said| matches!(said, Said::Refused(..)));
            assert_eq!(refused, None, "{}", dump["case"]);
        }
    }
    assert!(answered > 500, "{answered}");
}

fn listener(name: &str, port: u16, routes: &str) -> (Kind, String, Option<Vec<u8>>) {
    let manager = json!({
        "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "statPrefix": "s",
        "rds": {"routeConfigName": routes, "configSource": {"ads": {}}},
        "httpFilters": [{"name": "envoy.filters.http.router", "typedConfig": {"@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"}}],
    });
    let value = json!({
        "name": name,
        "address": {"socketAddress": {"address": "0.0.0.0", "portValue": port}},
        "filterChains": [{"filters": [{"name": "envoy.filters.network.http_connection_manager", "typedConfig": manager}]}],
    });
    (
        Kind::Listener,
        name.to_owned(),
        Some(types::from_json(Kind::Listener, &value).unwrap()),
    )
}

fn routes(name: &str, routes: Value) -> (Kind, String, Option<Vec<u8>>) {
    let value = json!({"name": name, "virtualHosts": [{"name": "all", "domains": ["*"], "routes": routes}]});
    (
        Kind::Routes,
        name.to_owned(),
        Some(types::from_json(Kind::Routes, &value).unwrap()),
    )
}

fn to(cluster: &str) -> Value {
    json!([{"match": {"prefix": "/"}, "route": {"cluster": cluster}}])
}

fn cluster(name: &str) -> (Kind, String, Option<Vec<u8>>) {
    let value =
        json!({"name": name, "type": "EDS", "edsClusterConfig": {"edsConfig": {"ads": {}}}});
    (
        Kind::Cluster,
        name.to_owned(),
        Some(types::from_json(Kind::Cluster, &value).unwrap()),
    )
}

fn endpoints(name: &str) -> (Kind, String, Option<Vec<u8>>) {
    let endpoint = json!({"endpoint": {"address": {"socketAddress": {"address": "10.0.0.1", "portValue": 80}}}});
    let value = json!({"clusterName": name, "endpoints": [{"lbEndpoints": [endpoint]}]});
    (
        Kind::Endpoints,
        name.to_owned(),
        Some(types::from_json(Kind::Endpoints, &value).unwrap()),
    )
}

fn small_world() -> Vec<(Kind, String, Option<Vec<u8>>)> {
    vec![
        listener("l", 8080, "r"),
        routes("r", to("a")),
        cluster("a"),
        cluster("b"),
        endpoints("a"),
        endpoints("b"),
    ]
}

fn goes_to(router: &Router) -> Option<String> {
    let request = Request::get("http://shop.example.com/").port(8080);
    let decision = router.decide(&request, 1);
    decision.cluster().map(|cluster| cluster.name().to_owned())
}

#[tokio::test]
async fn changes_arrive_and_broken_ones_are_refused_with_the_report() {
    for variant in VARIANTS {
        let server = StandIn::new(ODD);
        server.set(small_world());
        let (mut client, _at, _stop) = start(&server, options(variant)).await;
        assert_eq!(
            goes_to(&serving(&mut client).await).as_deref(),
            Some("a"),
            "{variant:?}"
        );

        server.set([routes("r", to("b"))]);
        while goes_to(&serving(&mut client).await).as_deref() != Some("b") {}

        // A regex that no Envoy takes: refused with the reason, and what held goes on to hold.
        let broken = json!([{"match": {"safeRegex": {"regex": "("}}, "route": {"cluster": "a"}}]);
        server.set([routes("r", broken)]);
        let event = until(&mut client, |event| matches!(event, Event::Rejected { .. })).await;
        let Event::Rejected {
            kind: Kind::Routes,
            why,
            ..
        } = event
        else {
            panic!("{event:?}")
        };
        assert!(
            why.contains("virtualHosts[0].routes[0].match.safeRegex"),
            "{why}"
        );
        assert_eq!(
            goes_to(client.router.borrow().as_ref().unwrap()).as_deref(),
            Some("b")
        );
        timeout(Duration::from_secs(60), async {
            while !server
                .said()
                .iter()
                .any(|said| matches!(said, Said::Refused(Kind::Routes, text) if *text == why))
            {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        })
        .await
        .expect("the server is told why");

        server.set([routes("r", to("a"))]);
        while goes_to(&serving(&mut client).await).as_deref() != Some("a") {}
    }
}

#[tokio::test]
async fn what_is_removed_is_gone_and_what_nothing_names_is_not_asked_for() {
    for variant in VARIANTS {
        let server = StandIn::new(ADVISED);
        server.set(small_world());
        server.set([
            listener("m", 9090, "r2"),
            routes("r2", to("b")),
            routes("r3", to("b")),
        ]);
        let (mut client, _at, _stop) = start(&server, options(variant)).await;
        let at_9090 = |router: &Router| {
            let decision = router.decide(&Request::get("http://x/").port(9090), 1);
            decision.cluster().is_some()
        };
        while !at_9090(&serving(&mut client).await) {}
        let asked: Vec<_> = server.said();
        let asked_r3 = asked
            .iter()
            .any(|said| matches!(said, Said::Asked(Kind::Routes, names) if names.contains("r3")));
        assert!(!asked_r3, "{asked:?}");
        server.set([(Kind::Listener, "m".to_owned(), None)]);
        while at_9090(&serving(&mut client).await) {}
        assert_eq!(
            goes_to(client.router.borrow().as_ref().unwrap()).as_deref(),
            Some("a")
        );
    }
}

#[tokio::test]
async fn the_last_router_serves_while_the_server_is_away() {
    for variant in VARIANTS {
        let server = StandIn::new(ADVISED);
        server.set(small_world());
        let (mut client, at, stop) = start(&server, options(variant)).await;
        assert_eq!(goes_to(&serving(&mut client).await).as_deref(), Some("a"));
        drop(stop);
        until(&mut client, |event| {
            matches!(event, Event::Disconnected { .. })
        })
        .await;
        assert_eq!(
            goes_to(client.router.borrow().as_ref().unwrap()).as_deref(),
            Some("a")
        );

        let next = StandIn::new(ADVISED);
        // As many generations on, so that versions of the same number are the same resources.
        next.set(small_world());
        let (_, _stop) = next.listen(at).await;
        until(&mut client, |event| *event == Event::Connected).await;
        next.set([routes("r", to("b"))]);
        while goes_to(&serving(&mut client).await).as_deref() != Some("b") {}
        if variant == Variant::Delta {
            let said = next.said();
            assert!(said.contains(&Said::Knew(Kind::Cluster, 2)), "{said:?}");
        }
    }
}

#[tokio::test]
async fn routes_that_do_not_come_are_waited_for_and_then_not() {
    for variant in VARIANTS {
        let server = StandIn::new(ADVISED);
        let without_routes = small_world()
            .into_iter()
            .filter(|(kind, ..)| *kind != Kind::Routes);
        server.set(without_routes);
        let patient = options(variant);
        let (mut client, _at, _stop) = start(&server, patient.clone()).await;
        until(&mut client, |event| {
            matches!(
                event,
                Event::Accepted {
                    kind: Kind::Listener,
                    ..
                }
            )
        })
        .await;
        assert!(client.router.borrow().is_none());
        // They come.
        server.set([routes("r", to("a"))]);
        assert_eq!(goes_to(&serving(&mut client).await).as_deref(), Some("a"));

        let server = StandIn::new(ADVISED);
        server.set([listener("l", 8080, "never")]);
        let impatient = Options {
            initial_fetch_timeout: Duration::from_millis(100),
            ..patient
        };
        let (mut client, _at, _stop) = start(&server, impatient).await;
        let status = |router: &Router| {
            let decision = router.decide(&Request::get("http://x/").port(8080), 1);
            decision.status()
        };
        // First there is a router without listeners.
        while status(&serving(&mut client).await) != Some(404) {}
    }
}

/// An extension of a type that only Istio knows, as binary protobuf.
#[test]
fn unknown_extensions_are_kept_by_name() {
    use envoy_types::pb::envoy::config::listener::v3::{Filter, FilterChain, Listener, filter};
    use envoy_types::pb::google::protobuf::Any;
    use prost::Message;

    let unknown = Any {
        type_url: "type.googleapis.com/io.istio.tcp.Something".to_owned(),
        value: vec![10, 1, 65],
    };
    let listener = Listener {
        name: "l".to_owned(),
        filter_chains: vec![FilterChain {
            filters: vec![Filter {
                name: "istio.something".to_owned(),
                config_type: Some(filter::ConfigType::TypedConfig(unknown)),
            }],
            ..FilterChain::default()
        }],
        ..Listener::default()
    };
    let json = types::to_json(Kind::Listener, &listener.encode_to_vec()).expect("JSON");
    assert!(json.contains("io.istio.tcp.Something"), "{json}");
    assert!(types::to_json(Kind::Listener, b"\xff\xff").is_err());
}
