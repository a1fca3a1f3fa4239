//! Random configurations, served by a real Envoy, and random requests: every field of each answer against the crate's.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::error::Error;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use meshroute::envoy::EnvoyConfig;
use serde_json::json;

use crate::generate::dice::Dice;
use crate::generate::rules::{self, Side};
use crate::generate::{self, Generated};
use crate::seen::{self, Seen};
use crate::server::Envoy;
use crate::stub::Stub;
use crate::support::Yaml;
use crate::support::case::{Call, Case};
use crate::support::engine::{self, Engine};
use crate::wire;

/// Requests of one configuration.
const PER_CONFIGURATION: usize = 1_000;
/// Words of entropy that are tried until a weighted pick, a fault or a mirror falls as it did in Envoy.
const TRIES: u64 = 4_096;
/// Targets that no two programs read alike.
const ODD_TARGETS: &[&str] = &[
    "/api/../foo",
    "/api/%2e%2E/foo",
    "//foo",
    "/foo//",
    "/foo\\bar",
    "/foo%5cbar",
    "/foo%2Fbar",
    "/%2ffoo",
    "/foo%2F..%2Fapi",
    "/foo;v=1",
    "/foo?x=/../y",
    "/foo?x=a//b",
    "/%66oo",
    "/foo%",
    "/foo%zz",
    "/foo%00",
    "/./foo/.",
    "/..",
    "/foo/..",
    "/foo#bar",
    "/foo?q#bar",
    "/API/../api",
    "/foo|bar",
    "/\u{e9}",
    "/foo%C3%A9",
    "/a b",
    "foo",
    "*",
    "http://shop.example.com/foo",
    "http://web/api?q",
    "https://shop.example.com:8443//api",
    "/foo??",
    "/?",
    "?q",
    "/a%20b/",
    "/foo/%2e",
    "/foo/.%2e/api",
];

/// `--requests N --seed S`.
pub fn run(binary: &Path, words: &[String]) -> Result<(), Box<dyn Error>> {
    let number = |flag: &str, default: u64| match words.iter().position(|word| word == flag) {
        Some(at) => {
            let word = words.get(at + 1).ok_or(format!("{flag} takes a number"))?;
            Ok::<u64, Box<dyn Error>>(word.parse()?)
        }
        None => Ok(default),
    };
    let (wanted, first) = (number("--requests", 20_000)?, number("--seed", 1)?);
    let stub = Stub::start()?;
    let (mut requests, mut differences, mut refused) = (0, 0, 0);
    let mut seed = first;
    while requests < wanted {
        let count = PER_CONFIGURATION.min((wanted - requests) as usize);
        let served = Configuration::generate(seed, count);
        match served
            .map(|served| served.compare(binary, &stub))
            .transpose()?
        {
            Some(outcome) => {
                requests += outcome.asked;
                differences += outcome.differences;
            }
            None => refused += 1,
        }
        seed += 1;
        if refused > 100 + 20 * (seed - first) / 21 {
            return Err("nearly all configurations are refused: nothing is compared".into());
        }
    }
    println!("seeds {first}..{seed}, {refused} of them without what can be served");
    println!("{requests} requests, {differences} differences");
    match differences {
        0 => Ok(()),
        _ => std::process::exit(1),
    }
}

/// Lines of the log by the ports that a request came from and went to.
type Logged = HashMap<(u16, u16), VecDeque<Yaml>>;

struct Outcome {
    asked: u64,
    differences: u64,
}

/// A configuration that both are to serve.
struct Configuration {
    seed: u64,
    case: Case,
    engine: Engine,
    config: EnvoyConfig,
    listeners: BTreeMap<String, SocketAddr>,
}

impl Configuration {
    /// `None`: it is refused, or has no listener that can be called.
    fn generate(seed: u64, count: usize) -> Option<Self> {
        let mut generated = generate::generate(seed);
        let modes = [
            "",
            "NONE",
            "BASE",
            "MERGE_SLASHES",
            "DECODE_AND_MERGE_SLASHES",
        ];
        let mode = modes[(seed % 5) as usize];
        if !mode.is_empty() {
            if generated.mesh.is_null() {
                generated.mesh = json!({});
            }
            generated.mesh["pathNormalization"] = json!({ "normalization": mode });
        }
        let [.., high, low] = seed.to_be_bytes();
        // An address of its own for each, so that ports are as they are configured.
        let address = IpAddr::from([127, 77, high, low.max(1)]);
        generated.requests = requests(seed, &generated, address, count);
        let case = as_case(seed, &generated);
        let engine = engine::compile(&case, "cluster.local");
        if !engine.refused.is_empty() {
            return None;
        }
        let mut config = engine.router.to_envoy();
        seen::number_routes(&mut config);
        let all = config.listeners.iter().filter_map(|listener| {
            let socket = &listener.address.socket_address;
            let port = u16::try_from(socket.port_value).ok()?;
            let is_open = socket.address == "0.0.0.0" && listener.use_original_dst.is_none();
            is_open.then(|| (listener.name.clone(), SocketAddr::new(address, port)))
        });
        let listeners: BTreeMap<_, _> = all.collect();
        (!listeners.is_empty()).then_some(Configuration {
            seed,
            case,
            engine,
            config,
            listeners,
        })
    }

    fn compare(&self, binary: &Path, stub: &Stub) -> Result<Outcome, Box<dyn Error>> {
        let names = self.config.clusters.iter().map(|found| found.name.as_str());
        let endpoints = stub.stand_for(names);
        let endpoints = endpoints.into_iter();
        let endpoints = endpoints
            .map(|(name, address)| (name, vec![address]))
            .collect();
        let (mut bootstrap, _) = self.config.bootstrap(&self.listeners, &endpoints);
        for cluster in &mut bootstrap.static_resources.clusters {
            // The stub speaks HTTP/1.1.
            cluster.typed_extension_protocol_options.clear();
        }
        let log = std::env::temp_dir().join(format!("meshroute-log-{}", std::process::id()));
        std::fs::write(&log, "")?;
        let mut bootstrap = serde_json::to_value(&bootstrap)?;
        seen::log_requests(&mut bootstrap, &log);
        let served = bootstrap["staticResources"]["listeners"].as_array();
        let open: HashMap<u16, SocketAddr> = served
            .into_iter()
            .flatten()
            .filter_map(|listener| self.listeners.get(listener["name"].as_str()?))
            .map(|address| (address.port(), *address))
            .collect();
        let mut outcome = Outcome {
            asked: 0,
            differences: 0,
        };
        let Some(probe) = open.values().next() else {
            return Ok(outcome);
        };
        let _envoy = match Envoy::run(binary, &bootstrap.to_string(), *probe) {
            Ok(envoy) => envoy,
            Err(why) => {
                println!("seed {}: {why}", self.seed);
                outcome.differences += 1;
                return Ok(outcome);
            }
        };
        let mut asked = Vec::new();
        for call in &self.case.calls {
            let port = call.request["port"].as_u64().unwrap_or(80) as u16;
            let first = engine::ask(&self.engine.router, call, 0);
            // Bytes that are handed on are nobody's answer.
            let is_bytes = first["route_config"].is_null() && first["cluster"].is_string();
            let Some(address) = open.get(&port).filter(|_| !is_bytes) else {
                continue;
            };
            let is_head = call.request["method"] == "HEAD";
            stub.arrived();
            let answer = wire::ask(*address, &seen::bytes(call), is_head);
            let answer =
                answer.map_err(|why| format!("seed {}: {why}: {}", self.seed, call.request))?;
            asked.push((call, port, answer, stub.arrived()));
        }
        let answered = asked
            .iter()
            .filter(|(_, _, answer, _)| answer.is_some())
            .count();
        let mut logged = read_log(&log, answered)?;
        for (call, port, answer, arrivals) in asked {
            outcome.asked += 1;
            let entry = answer
                .as_ref()
                .and_then(|answer| logged.get_mut(&(answer.from, port))?.pop_front());
            let seen = Seen::new(
                call,
                answer.as_ref(),
                entry.as_ref(),
                &arrivals,
                &self.config,
            )
            .expect;
            if let Some(said) = self.differs(call, &seen) {
                outcome.differences += 1;
                if outcome.differences <= 3 {
                    let path = self.write_out(call, &seen)?;
                    println!(
                        "seed {} differs, see {}\nrequest {}\nEnvoy   {seen}\ncrate   {said}",
                        self.seed,
                        path.display(),
                        call.request
                    );
                }
            }
        }
        Ok(outcome)
    }

    /// What the crate says, where nothing that it says is what was seen.
    fn differs(&self, call: &Call, seen: &Yaml) -> Option<Yaml> {
        let mut first = None;
        for number in 0..TRIES {
            let word = number.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29) ^ number << 40;
            let decision = engine::ask(&self.engine.router, call, word);
            let is_drawn = decision["split"].is_object()
                || !decision["policy"]["fault_abort"].is_null()
                || !decision["policy"]["fault_delay"].is_null();
            let said = seen::reduced(&decision);
            if said == *seen {
                return None;
            }
            first.get_or_insert(said);
            if !is_drawn {
                break;
            }
        }
        first
    }

    /// A routing case of this call alone.
    fn write_out(&self, call: &Call, seen: &Yaml) -> Result<PathBuf, Box<dyn Error>> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/differential");
        std::fs::create_dir_all(&folder)?;
        let path = folder.join(format!("seed-{}.yaml", self.seed));
        let case = json!({
            "id": format!("differential/seed-{}", self.seed),
            "name": "differs from a real Envoy",
            "needs": [],
            "mesh": self.case.mesh,
            "proxy": self.case.proxy,
            "resources": self.case.resources[0].1,
            "calls": [{"name": "call", "request": call.request, "expect": seen}],
        });
        let text = format!("schema: routing-case/v1\n{}", serde_yaml::to_string(&case)?);
        std::fs::write(&path, text)?;
        Ok(path)
    }
}

fn requests(seed: u64, generated: &Generated, address: IpAddr, count: usize) -> Vec<Yaml> {
    let side = match generated.proxy["type"] == "gateway" {
        true => Side::Gateway,
        false => Side::Mesh,
    };
    let mut dice = Dice::new(seed.rotate_left(17));
    let make = |_| {
        let mut request = rules::request(&mut dice, side);
        request["raw"] = true.into();
        request["address"] = address.to_string().into();
        request["source"] = "127.0.0.1".into();
        request["tls"] = "none".into();
        if request["protocol"] == "http2" {
            request["protocol"] = "http".into();
        }
        if request["port"] == 443 {
            request["port"] = 80.into();
        }
        if let Some(fields) = request.as_object_mut() {
            fields.remove("sni");
        }
        // What says that a body follows is not sent: none does.
        if let Some(headers) = request["headers"].as_object_mut() {
            headers.retain(|name, _| name != "transfer-encoding" && name != "content-length");
        }
        if dice.one_in(6) {
            request["path"] = dice.pick(ODD_TARGETS).into();
        }
        request
    };
    (0..count).map(make).collect()
}

fn as_case(seed: u64, generated: &Generated) -> Case {
    let documents: Vec<String> = generated.resources.iter().map(Yaml::to_string).collect();
    let calls = generated.requests.iter().map(|request| Call {
        name: String::new(),
        request: request.clone(),
        expect: Yaml::Null,
    });
    Case {
        topic: String::new(),
        file: PathBuf::new(),
        id: format!("seed {seed}"),
        needs: vec![],
        resources: vec![("resources".to_owned(), documents.join("\n---\n"))],
        default_namespace: "default".to_owned(),
        mesh: generated.mesh.clone(),
        proxy: generated.proxy.clone(),
        calls: calls.collect(),
        expect_invalid: None,
        recorded: false,
        raw: Yaml::Null,
    }
}

/// What Envoy says of each request, by the ports that it came from and went to, as soon as so many are there; or what is there after a while.
fn read_log(path: &Path, count: usize) -> Result<Logged, Box<dyn Error>> {
    let start = Instant::now();
    loop {
        let text = std::fs::read_to_string(path)?;
        let lines = text
            .lines()
            .filter_map(|line| serde_json::from_str(line).ok());
        let entries = lines.filter_map(|entry: Yaml| {
            let port = entry["from"].as_str()?.rsplit(':').next()?.parse().ok()?;
            let to = &entry["to"];
            let to = to.as_u64().or_else(|| to.as_str()?.parse().ok())?;
            Some(((port, u16::try_from(to).ok()?), entry))
        });
        // A port may come again: in the order of the requests.
        let mut found = Logged::new();
        let mut lines = 0;
        for (ports, entry) in entries {
            found.entry(ports).or_default().push_back(entry);
            lines += 1;
        }
        if lines >= count || start.elapsed() > Duration::from_secs(3) {
            return Ok(found);
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}
