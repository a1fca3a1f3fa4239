//! What a proxy does with the head of a request before it looks at any route: which requests it refuses, whose authority
//! counts, and what becomes of the headers that only a proxy may write. Read off the recordings in `edge` and `edge-h2`.

use super::world::{Call, World};
use super::{Yaml, number, text};

/// What is left of host and target.
#[derive(Clone, Debug, PartialEq)]
pub struct Head {
    pub host: String,
    /// As sent, not yet normalised.
    pub path: String,
    /// What the target names.
    pub scheme: Option<String>,
}

/// Envoy's word for a refusal, and the status of the answer; 0: the stream is reset.
pub type Refusal = (&'static str, u64);

/// `gatewayTopology`, of a gateway.
fn topology(world: &World) -> &Yaml {
    &world.mesh["defaultConfig"]["gatewayTopology"]
}

/// R-H-151: `proxyHeaders`.
pub fn proxy_headers(world: &World) -> &Yaml {
    &world.mesh["defaultConfig"]["proxyHeaders"]
}

fn trusted_hops(world: &World) -> u64 {
    match world.proxy.gateway {
        true => number(topology(world), "numTrustedProxies"),
        false => 0,
    }
}

const AUTHORITY: &str = "!$%&'()*+,-.:;=@[]_~";

/// `text` has only letters, digits and these.
fn consists_of(text: &str, others: &str) -> bool {
    text.chars()
        .all(|c| c.is_ascii_alphanumeric() || others.contains(c))
}

/// A target that a parser of HTTP/1.1 takes: what does not begin like one is not even detected as HTTP.
pub fn is_detected(call: &Call) -> bool {
    if call.protocol == "http2" {
        return true;
    }
    let visible = |text: &str| {
        text.chars()
            .all(|c| matches!(c, '!'..='~' | '\t' | '\u{c}'))
    };
    if call.method == "CONNECT" {
        return !call.path.is_empty() && consists_of(&call.path, AUTHORITY);
    }
    let Some((scheme, rest)) = call.path.split_once("://") else {
        return call.path.starts_with(['/', '*']) && visible(&call.path);
    };
    if call.path.starts_with(['/', '*']) {
        return visible(&call.path);
    }
    let host = rest.split(['/', '?']).next().unwrap_or("");
    scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && consists_of(scheme, "+-.")
        && consists_of(host, AUTHORITY)
        && !host.contains("@@")
        && visible(&rest[host.len()..])
}

/// All values of a header in one line.
pub fn joined(call: &Call, name: &str) -> Option<String> {
    let lines = call.headers.iter();
    let lines = lines.filter(|(other, _)| other.eq_ignore_ascii_case(name));
    let values: Vec<&str> = lines
        .map(|(_, value)| value.trim_matches([' ', '\t']))
        .collect();
    (!values.is_empty()).then(|| values.join(","))
}

fn tokens(value: Option<String>) -> Vec<String> {
    let value = value.unwrap_or_default();
    let tokens = value
        .split(',')
        .map(|token| token.trim().to_ascii_lowercase());
    tokens.collect()
}

/// To what the connection is to change, over HTTP/1.1.
fn upgrade(call: &Call) -> Option<String> {
    let is_named = tokens(joined(call, "connection")).contains(&"upgrade".to_owned());
    let to = joined(call, "upgrade").filter(|_| is_named && call.protocol != "http2");
    to.map(|to| to.to_ascii_lowercase())
}

/// R-H-154: the connection is to change to something that is not let through.
pub fn is_unknown_upgrade(call: &Call) -> bool {
    upgrade(call).is_some_and(|to| to != "websocket" && to != "h2c")
}

/// `connectionSettings.httpHeadersWithUnderscoresAction`, without what it begins with (R-H-150).
fn underscores(world: &World) -> &str {
    let settings = &world.mesh["defaultConfig"]["connectionSettings"];
    let advised = world.proxy.gateway && text(settings, "profile") == "EDGE";
    let said = text(settings, "httpHeadersWithUnderscoresAction");
    match said
        .strip_prefix("HEADERS_WITH_UNDERSCORES_")
        .unwrap_or("UNSPECIFIED")
    {
        "UNSPECIFIED" if advised => "REJECT_REQUEST",
        said => said,
    }
}

/// R-H-150, R-H-152, R-H-153: why the header lines are refused.
fn of_lines(world: &World, call: &Call) -> Option<Refusal> {
    let has_underscore = call.headers.iter().any(|(name, _)| name.contains('_'));
    if has_underscore && underscores(world) == "REJECT_REQUEST" {
        return Some(match call.protocol.as_str() {
            "http2" => ("http2.unexpected_underscore", 0),
            _ => ("http1.unexpected_underscore", 400),
        });
    }
    if call.protocol == "http2" {
        return None;
    }
    if let Some(encoding) = joined(call, "transfer-encoding") {
        if joined(call, "content-length").is_some() {
            return Some(("http1.content_length_and_chunked_not_allowed", 400));
        }
        if !encoding.eq_ignore_ascii_case("chunked") {
            return Some(("http1.invalid_transfer_encoding", 501));
        }
    }
    let connection = joined(call, "connection")?;
    if upgrade(call).is_some_and(|to| to != "h2c") {
        return None;
    }
    let all = connection.split(',').filter(|token| !token.is_empty());
    let named = tokens(Some(connection.clone()));
    let forbidden = ["x-forwarded-for", "x-forwarded-host", "x-forwarded-proto"];
    let is_forbidden =
        |token: &String| token.starts_with(':') || forbidden.contains(&token.as_str());
    let names = |name: &str| named.iter().any(|token| token == name);
    let long_te = joined(call, "te").is_some_and(|te| te.len() >= 256);
    if all.count() >= 10 || named.iter().any(is_forbidden) || (names("te") && long_te) {
        return Some(("http1.connection_header_rejected", 400));
    }
    names("host").then_some(("missing_host_header", 400))
}

/// R-H-152: the methods that a parser of HTTP/1.1 knows.
const METHODS: &str = "ACL BIND CHECKOUT CONNECT COPY DELETE GET HEAD LINK LOCK MERGE MKACTIVITY MKCALENDAR MKCOL MOVE \
MSEARCH NOTIFY OPTIONS PATCH POST PROPFIND PROPPATCH PURGE PUT REBIND REPORT SEARCH SOURCE SUBSCRIBE TRACE UNBIND UNLINK \
UNLOCK UNSUBSCRIBE";

/// Host and target, or why the request is refused.
pub fn read(world: &World, call: &Call) -> Result<Head, Refusal> {
    let of_first_line = [
        "http1.invalid_characters",
        "http1.codec_error",
        "http2.invalid.header.field",
        "http2.violation.of.messaging.rule",
    ];
    let head = read_first(world, call);
    match (&head, of_lines(world, call)) {
        (Err((why, _)), _) if of_first_line.contains(why) => head,
        (_, Some(why)) => Err(why),
        _ => head,
    }
}

fn read_first(world: &World, call: &Call) -> Result<Head, Refusal> {
    match call.protocol.as_str() {
        "http2" => read_http2(call),
        _ => read_http1(world, call),
    }
}

fn read_http1(world: &World, call: &Call) -> Result<Head, Refusal> {
    let hosts: Option<String> = call.hosts.as_ref().map(|hosts| {
        let trimmed: Vec<&str> = hosts
            .iter()
            .map(|host| host.trim_matches([' ', '\t']))
            .collect();
        trimmed.join(",")
    });
    if !METHODS.split(' ').any(|method| method == call.method) {
        return Err(("http1.codec_error", 400));
    }
    let control = |text: &str| {
        text.chars()
            .any(|c| c == '\u{7f}' || (c < ' ' && c != '\t'))
    };
    if control(&call.path) || hosts.as_deref().is_some_and(control) {
        return Err(("http1.invalid_characters", 400));
    }
    if !is_detected(call) {
        return Err(("http1.codec_error", 400));
    }
    if call.method == "CONNECT" {
        return Err(("upgrade_failed", 403));
    }
    if call.path.starts_with('/') || (call.path.starts_with('*') && call.method == "OPTIONS") {
        let host = hosts.ok_or(("missing_host_header", 400))?;
        if !consists_of(&host, AUTHORITY) {
            return Err(("http.invalid_authority", 400));
        }
        return Ok(Head {
            host,
            path: call.path.clone(),
            scheme: None,
        });
    }
    let invalid = ("http1.invalid_url", 400);
    let (scheme, rest) = call.path.split_once("://").ok_or(invalid)?;
    let authority = rest.split(['/', '?']).next().unwrap_or("");
    let path = &rest[authority.len()..];
    let host = authority.rsplit('@').next().unwrap_or("");
    let (name, port) = match host.rfind(':').filter(|_| !host.ends_with(']')) {
        Some(colon) => (&host[..colon], &host[colon + 1..]),
        None => (host, "80"),
    };
    let well_formed = match name
        .strip_prefix('[')
        .and_then(|name| name.strip_suffix(']'))
    {
        Some(address) => {
            !address.is_empty()
                && address
                    .chars()
                    .all(|c| c.is_ascii_hexdigit() || ":.".contains(c))
        }
        None => !name.is_empty() && consists_of(name, "-._"),
    };
    if !consists_of(scheme, "") || !well_formed || port.parse::<u16>().is_err() {
        return Err(invalid);
    }
    let scheme = scheme.to_ascii_lowercase();
    if scheme != "http" && scheme != "https" {
        return Err(("http1.invalid_scheme", 400));
    }
    if scheme == "https" && !call.tls && world.proxy.gateway && trusted_hops(world) == 0 {
        return Err(("http1.https_url_on_plaintext_connection", 403));
    }
    Ok(Head {
        host: host.to_owned(),
        path: if path.is_empty() { "/" } else { path }.to_owned(),
        scheme: Some(scheme),
    })
}

fn read_http2(call: &Call) -> Result<Head, Refusal> {
    let host = call.hosts.as_ref().and_then(|hosts| hosts.first()).cloned();
    let host = host.unwrap_or("oracle.invalid".to_owned());
    // R-H-158: what only HTTP/1.1 can mean.
    let is_invalid = |(name, value): &(String, String)| match name.as_str() {
        "connection" | "keep-alive" | "proxy-connection" | "transfer-encoding" | "upgrade" => true,
        "te" => !value.eq_ignore_ascii_case("trailers"),
        "content-length" => {
            !value.chars().all(|c| c.is_ascii_digit()) || value.parse::<i64>().is_err()
        }
        _ => false,
    };
    let lengths = call.headers.iter();
    let lengths = lengths.filter(|(name, _)| name == "content-length");
    if host.is_empty()
        || !consists_of(&host, &AUTHORITY.replace('@', ""))
        || call.headers.iter().any(is_invalid)
        || lengths.count() > 1
    {
        return Err(("http2.invalid.header.field", 0));
    }
    let is_star = call.path == "*" && call.method == "OPTIONS";
    if !call.path.starts_with('/') && !is_star {
        return Err(("http2.violation.of.messaging.rule", 0));
    }
    Ok(Head {
        host,
        path: call.path.clone(),
        scheme: None,
    })
}

/// `x-envoy-*` that no client may say.
const INTERNAL: &[&str] = &[
    "expected-rq-timeout-ms",
    "force-trace",
    "hedge-on-per-try-timeout",
    "internal",
    "ip-tags",
    "max-retries",
    "original-url",
    "retriable-header-names",
    "retriable-status-codes",
    "retry-grpc-on",
    "retry-on",
    "upstream-alt-stat-name",
    "upstream-rq-per-try-timeout-ms",
    "upstream-rq-timeout-alt-response",
    "upstream-rq-timeout-ms",
];

/// `x-envoy-*` that a gateway takes from nobody.
const OF_THE_EDGE: &[&str] = &[
    "decorator-operation",
    "downstream-service-cluster",
    "downstream-service-node",
    "original-host",
    "original-path",
];

/// The header lines as routes see them, one pass for each thing that is done to them; names in lower case.
pub fn sanitized(world: &World, call: &Call) -> Vec<(String, String)> {
    let mut lines: Vec<(String, String)> = call
        .headers
        .iter()
        .map(|(name, value)| {
            (
                name.to_ascii_lowercase(),
                value.trim_matches([' ', '\t']).to_owned(),
            )
        })
        .collect();
    let joined = |lines: &[(String, String)], name: &str, between: &str| {
        let values = lines.iter().filter(|(n, _)| n == name);
        let values: Vec<&str> = values.map(|(_, value)| value.as_str()).collect();
        (!values.is_empty()).then(|| values.join(between))
    };
    let set = |lines: &mut Vec<(String, String)>, name: &str, value: Option<String>| {
        lines.retain(|(n, _)| n != name);
        lines.extend(value.map(|value| (name.to_owned(), value)));
    };
    if underscores(world) == "DROP_HEADER" {
        lines.retain(|(name, _)| !name.contains('_'));
    }
    let named = tokens(joined(&lines, "connection", ","));
    let upgrades = upgrade(call);
    if upgrades.as_deref() == Some("h2c") {
        lines.retain(|(name, _)| name != "http2-settings");
    }
    if upgrades.is_none_or(|to| to == "h2c") {
        if call.protocol != "http2" {
            let safe = [
                "close",
                "connection",
                "http2-settings",
                "keep-alive",
                "te",
                "upgrade",
            ];
            lines.retain(|(name, _)| safe.contains(&name.as_str()) || !named.contains(name));
        }
        let trailers = tokens(joined(&lines, "te", ",")).contains(&"trailers".to_owned());
        set(&mut lines, "te", trailers.then(|| "trailers".to_owned()));
        lines.retain(|(name, _)| name != "connection" && name != "upgrade");
    }
    lines.retain(|(name, _)| {
        !["keep-alive", "proxy-connection", "transfer-encoding"].contains(&name.as_str())
    });
    if call.protocol == "http2" {
        // A crumb follows what is there already, if that is anything.
        let crumbs = lines.iter().filter(|(name, _)| name == "cookie");
        let cookie = crumbs.fold(None, |cookie: Option<String>, (_, crumb)| match cookie {
            Some(cookie) if !cookie.is_empty() => Some(format!("{cookie}; {crumb}")),
            _ => Some(crumb.clone()),
        });
        set(&mut lines, "cookie", cookie);
    }
    let envoy = |name: &str| name.strip_prefix("x-envoy-").map(str::to_owned);
    lines.retain(|(name, _)| !envoy(name).is_some_and(|name| INTERNAL.contains(&name.as_str())));
    let gateway = world.proxy.gateway;
    if gateway {
        lines.retain(|(name, _)| {
            !envoy(name).is_some_and(|name| OF_THE_EDGE.contains(&name.as_str()))
        });
        let external = remote_address(world, call);
        set(&mut lines, "x-envoy-external-address", external);
        let mut addresses: Vec<String> = joined(&lines, "x-forwarded-for", ",")
            .filter(|given| !given.is_empty())
            .into_iter()
            .collect();
        addresses.extend(call.source.clone());
        let all = (!addresses.is_empty()).then(|| addresses.join(","));
        set(&mut lines, "x-forwarded-for", all);
    }
    let adds_port = proxy_headers(world)["xForwardedPort"]["enabled"] == true;
    let is_said = joined(&lines, "x-forwarded-port", ",").is_some();
    if gateway && adds_port && (trusted_hops(world) == 0 || !is_said) {
        set(&mut lines, "x-forwarded-port", Some(call.port.to_string()));
    }
    let forwarded_proto = forwarded_proto(world, call);
    set(&mut lines, "x-forwarded-proto", Some(forwarded_proto));
    let details = match (gateway, text(topology(world), "forwardClientCertDetails")) {
        (true, details) => details,
        (false, _) => "SANITIZE",
    };
    let keeps = match details {
        "ALWAYS_FORWARD_ONLY" => true,
        "FORWARD_ONLY" | "APPEND_FORWARD" => call.mutual_tls,
        _ => false,
    };
    if !keeps {
        set(&mut lines, "x-forwarded-client-cert", None);
    }
    lines
}

/// The address that stands for the client.
pub fn remote_address(world: &World, call: &Call) -> Option<String> {
    let given = call
        .headers
        .iter()
        .filter(|(name, _)| name.eq_ignore_ascii_case("x-forwarded-for"));
    let given: Vec<&str> = given
        .flat_map(|(_, value)| value.split(','))
        .map(str::trim)
        .collect();
    // How many from the end.
    let hops = match world.proxy.gateway {
        true => usize::try_from(trusted_hops(world)).unwrap_or(usize::MAX),
        false => 1,
    };
    let said = match hops {
        0 => None,
        hops => given.len().checked_sub(hops).map(|at| given[at]),
    };
    let said = said.and_then(|said| said.parse::<std::net::IpAddr>().ok());
    said.map(|said| said.to_string())
        .or_else(|| call.source.clone())
}

/// `x-forwarded-proto`: a gateway that trusts nobody says it itself.
pub fn forwarded_proto(world: &World, call: &Call) -> String {
    let given = call
        .headers
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case("x-forwarded-proto"));
    let believed = !world.proxy.gateway || trusted_hops(world) > 0;
    match given {
        Some((_, value)) if believed => value.trim().to_owned(),
        _ if call.tls => "https".to_owned(),
        _ => "http".to_owned(),
    }
}

/// `:scheme`, where neither target nor `:scheme` say it.
pub fn scheme(world: &World, call: &Call) -> String {
    let said = forwarded_proto(world, call).to_ascii_lowercase();
    match said.as_str() {
        "http" | "https" if call.protocol != "http2" => said,
        _ if call.tls => "https".to_owned(),
        _ => "http".to_owned(),
    }
}

/// What the router adds before a route changes anything: that it is the first attempt, and how long there is (R-H-145).
pub fn routed(
    world: &World,
    mut lines: Vec<(String, String)>,
    policy: &Yaml,
) -> Vec<(String, String)> {
    let hides = |name: &str| proxy_headers(world)[name]["disabled"] == true;
    let millis = |value: &Yaml| {
        let seconds = value.as_str().and_then(|text| text.strip_suffix('s'));
        let seconds: f64 = seconds.and_then(|text| text.parse().ok()).unwrap_or(0.0);
        (seconds * 1000.0).round() as u64
    };
    let (mut whole, one) = (
        millis(&policy["timeout"]),
        millis(&policy["retries"]["per_try_timeout"]),
    );
    let find = |lines: &[(String, String)], name: &str| {
        lines
            .iter()
            .find(|(n, _)| n == name)
            .map(|(_, value)| value.clone())
    };
    let grpc = is_grpc(find(&lines, "content-type").as_deref());
    if grpc && let Some(own) = find(&lines, "grpc-timeout") {
        let (digits, unit) = own.split_at(own.len().saturating_sub(1));
        let scale = [
            ("H", 3_600_000.0),
            ("M", 60_000.0),
            ("S", 1000.0),
            ("m", 1.0),
            ("u", 0.001),
            ("n", 0.000_001),
        ];
        let scale = scale.iter().find(|(name, _)| *name == unit);
        let own = scale
            .and_then(|(_, scale)| Some(digits.parse::<f64>().ok()? * scale))
            .unwrap_or(0.0) as u64;
        whole = [own, whole]
            .into_iter()
            .filter(|&limit| limit > 0)
            .min()
            .unwrap_or(0);
    }
    let limit = [whole, one].into_iter().filter(|&limit| limit > 0).min();
    if let Some(limit) = limit {
        if !hides("envoyDebugHeaders") {
            let name = "x-envoy-expected-rq-timeout-ms";
            lines.push((name.to_owned(), limit.to_string()));
        }
        if grpc {
            lines.retain(|(name, _)| name != "grpc-timeout");
            lines.push(("grpc-timeout".to_owned(), format!("{limit}m")));
        }
    }
    if !hides("attemptCount") {
        lines.retain(|(name, _)| name != "x-envoy-attempt-count");
        lines.push(("x-envoy-attempt-count".to_owned(), "1".to_owned()));
    }
    lines
}

/// A content type of gRPC.
pub fn is_grpc(content_type: Option<&str>) -> bool {
    let rest = content_type.and_then(|value| value.strip_prefix("application/grpc"));
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['+', ';']))
}
