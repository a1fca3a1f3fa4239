//! Random http rules and requests, from the same vocabulary as [`generate`](super::generate).

use serde_json::json;

use super::Yaml;
use super::dice::Dice;
use super::{INSIDE, NAMESPACES, OUTSIDE};

/// Where a rule stands: what admission allows in it differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    Mesh,
    Gateway,
    Delegate,
}

const PATHS: &[&str] = &[
    "/", "/foo", "/foobar", "/foo/", "/api", "/api/v1", "/API", "/a%20b", "/x.png",
];
const REGEXES: &[&str] = &[
    ".*",
    "/.*",
    "/foo.*",
    r"/\w+/v\d",
    "/(foo|api)(/.*)?",
    "/a|/api",
    r"/\Qx.png\E",
    "(?i)/API",
];
const HEADERS: &[&str] = &["x-user", "x-env", "X-Trace", "user-agent", "cookie"];
/// Headers that a proxy itself has a say in, and what clients say in them.
const OF_PROXIES: &[(&str, &[&str])] = &[
    (
        "connection",
        &[
            "te",
            "close, x-user",
            "upgrade",
            "Upgrade, x-env",
            "keep-alive, cookie",
            "x-env,X-Forwarded-For",
            ":path",
            "a,b,c,d,e,f,g,h,i,j",
            "connection, host",
            "upgrade, http2-settings",
        ],
    ),
    (
        "content-type",
        &["application/grpc", "application/grpc+proto", "text/html"],
    ),
    ("grpc-timeout", &["250m", "9S"]),
    ("keep-alive", &["timeout=5"]),
    ("te", &["trailers", "gzip", "gzip, trailers"]),
    ("http2-settings", &["AAMAAABkAAQCAAAAAAIAAAAA"]),
    (
        "transfer-encoding",
        &["chunked", "Chunked", "gzip, chunked"],
    ),
    (
        "upgrade",
        &["websocket", "WebSocket", "h2c", "other", "websocket, other"],
    ),
    ("x_user", &["jane"]),
    ("x-forwarded-host", &["a.test", "a.test,shop.example.com"]),
    ("x-forwarded-port", &["443"]),
    ("x-envoy-attempt-count", &["9"]),
    ("x-envoy-external-address", &["198.51.100.1"]),
    ("x-envoy-internal", &["true"]),
    ("x-envoy-original-path", &["/evil"]),
    ("x-envoy-retry-on", &["5xx"]),
    ("x-envoy-upstream-rq-timeout-ms", &["60000"]),
    ("x-forwarded-client-cert", &["By=spiffe://a;Hash=00"]),
    (
        "x-forwarded-for",
        &["203.0.113.9", "10.1.1.1, 203.0.113.9", "garbage", ""],
    ),
    ("x-forwarded-proto", &["https", "HTTPS", "http", "ftp"]),
];
/// Hosts and targets at which a proxy looks twice.
const ODD_HOSTS: &[&str] = &[
    "",
    "a b",
    "sh<op>",
    "*",
    "u@shop.example.com",
    "web:8o",
    "[::1]:80",
    "web\t",
    "caf\u{e9}",
];
const ODD_TARGETS: &[&str] = &[
    "",
    "*",
    "/",
    "//",
    "/%2f",
    "/%2%65%2%65/x",
    "/%%61dmin",
    "/x/..;a\\api",
    "/x\\..;/api",
    "/api/%2e%2e;/x",
    "/a b",
    "http://shop.example.com",
    "HTTP://web/api?q",
    "https://web/",
    "ws://web/",
    "http:///x",
    "http://u:p@web:80/api",
    "http://web?user=jane",
    "http://[::1]/",
    "http://web:99999/",
    "/api#f",
    "?user=jane",
    "api",
    "/\u{1}",
    "/caf\u{e9}",
];
const VALUES: &[&str] = &["", "jane", "JANE", "jan", "prod", "a,b"];
const OPERATED: &[&str] = &["x-user", "x-set", "x-add", "x-both"];

/// A root rule that delegates.
pub fn root(dice: &mut Dice, delegates: &[Yaml], side: Side) -> Yaml {
    let mut rule = json!({"delegate": dice.pick(delegates)});
    dice.maybe(8, &mut rule["delegate"], "name", |_| "nosuch".into());
    dice.maybe(2, &mut rule, "name", |_| "root".into());
    dice.maybe(3, &mut rule, "timeout", |_| "5s".into());
    dice.maybe(4, &mut rule, "rewrite", |_| json!({"uri": "/root"}));
    dice.maybe(2, &mut rule, "match", |dice| matches(dice, side));
    dice.maybe(4, &mut rule, "headers", headers);
    rule
}

/// An http rule.
pub fn rule(dice: &mut Dice, side: Side) -> Yaml {
    let mut rule = json!({});
    dice.maybe(2, &mut rule, "name", |dice| {
        dice.pick(&["r0", "r1", "r2"]).into()
    });
    if !dice.one_in(6) {
        rule["match"] = matches(dice, side);
    }
    match dice.number(0, 11) {
        0 => rule["redirect"] = redirect(dice, &rule["match"]),
        1 => rule["directResponse"] = direct_response(dice),
        _ => forward(dice, &mut rule),
    }
    dice.maybe(4, &mut rule, "headers", headers);
    rule
}

fn forward(dice: &mut Dice, rule: &mut Yaml) {
    let count = dice.pick(&[1, 1, 1, 2, 2, 3]);
    let mut routes: Vec<Yaml> = (0..count)
        .map(|_| {
            let mut route = json!({"destination": destination(dice), "weight": dice.pick(&[0, 1, 10, 25, 100])});
            dice.maybe(5, &mut route, "headers", headers);
            route
        })
        .collect();
    if routes.iter().all(|route| route["weight"] == 0) {
        routes[0]["weight"] = json!(7);
    }
    rule["route"] = json!(routes);
    dice.maybe(5, rule, "rewrite", |dice| {
        dice.pick(&[
            json!({"uri": "/"}),
            json!({"uri": "/new"}),
            json!({"uri": "new"}),
            json!({"authority": "rewritten.example.com"}),
            json!({"uri": "/new/", "authority": "rewritten.example.com"}),
            json!({"uriRegexRewrite": {"match": "^/([^/]+)/(.*)$", "rewrite": r"/\2/\1"}}),
            json!({"uriRegexRewrite": {"match": "[aeiou]", "rewrite": r"\0\0"}}),
        ])
    });
    dice.maybe(6, rule, "timeout", |dice| {
        dice.pick(&["250ms", "1.5s", "3s", "1m"]).into()
    });
    dice.maybe(6, rule, "retries", |dice| {
        dice.pick(&[
            json!({"attempts": 0}),
            json!({"attempts": 3, "perTryTimeout": "2s"}),
            json!({"attempts": 1, "retryOn": "5xx,gateway-error,503"}),
            json!({"attempts": 2, "retryIgnorePreviousHosts": false}),
            json!({"attempts": 1, "retryOn": "503,504", "backoff": "1s"}),
            json!({"attempts": 4, "backoff": "25ms", "perTryTimeout": "1s"}),
        ])
    });
    match dice.number(0, 9) {
        0 => {
            rule["mirror"] = destination(dice);
            dice.maybe(
                2,
                rule,
                "mirrorPercentage",
                |dice| json!({"value": dice.pick(&[0.0, 0.57, 50.0, 100.0])}),
            );
        }
        1 => {
            let mirrors: Vec<Yaml> = (0..dice.number(1, 2))
                .map(|_| json!({"destination": destination(dice)}))
                .collect();
            rule["mirrors"] = json!(mirrors);
        }
        _ => {}
    }
    dice.maybe(10, rule, "fault", |dice| {
        let mut abort = match dice.one_in(3) {
            true => json!({"grpcStatus": dice.pick(&["UNAVAILABLE", "NOT_FOUND"])}),
            false => json!({"httpStatus": dice.pick(&[418, 503, 200, 301])}),
        };
        dice.maybe(
            2,
            &mut abort,
            "percentage",
            |dice| json!({"value": dice.pick(&[0.0, 50.0, 100.0])}),
        );
        let mut fault = json!({"abort": abort});
        dice.maybe(3, &mut fault, "delay", |dice| {
            let share = dice.pick(&[0.0, 50.0, 100.0]);
            json!({"fixedDelay": "0.020s", "percentage": {"value": share}})
        });
        fault
    });
    dice.maybe(8, rule, "corsPolicy", |dice| {
        let origin = dice.pick(&[
            json!({"exact": "*"}),
            json!({"exact": "https://a.example"}),
            json!({"regex": r"https://.*\.example"}),
            json!({"prefix": "null"}),
        ]);
        let mut policy = match dice.one_in(6) {
            true => json!({"allowOrigin": [dice.pick(&["*", "https://a.example"])]}),
            false => json!({"allowOrigins": [origin]}),
        };
        dice.maybe(2, &mut policy, "allowMethods", |dice| {
            dice.pick(&[json!(["GET", "POST"]), json!(["*"])])
        });
        dice.maybe(2, &mut policy, "allowHeaders", |dice| {
            dice.pick(&[json!(["x-user"]), json!(["*"])])
        });
        dice.maybe(3, &mut policy, "unmatchedPreflights", |dice| {
            dice.pick(&["FORWARD", "IGNORE", "UNSPECIFIED"]).into()
        });
        dice.maybe(2, &mut policy, "exposeHeaders", |_| {
            json!(["x-set", "x-add"])
        });
        dice.maybe(2, &mut policy, "maxAge", |dice| {
            dice.pick(&["60s", "2m"]).into()
        });
        dice.maybe(2, &mut policy, "allowCredentials", |dice| {
            dice.one_in(2).into()
        });
        policy
    });
}

fn destination(dice: &mut Dice) -> Yaml {
    let mut hosts = INSIDE.to_vec();
    hosts.extend(["missing", "nowhere.example.com", "one.wild.example.com"]);
    let mut destination = json!({"host": dice.pick(&hosts)});
    dice.maybe(3, &mut destination, "subset", |dice| {
        dice.pick(&["v1", "v2", "v3", "nosuch"]).into()
    });
    dice.maybe(
        2,
        &mut destination,
        "port",
        |dice| json!({"number": dice.pick(&[80, 80, 8080, 7000])}),
    );
    destination
}

fn redirect(dice: &mut Dice, matches: &Yaml) -> Yaml {
    let mut redirect = json!({});
    let all_prefix = matches.as_array().is_some_and(|all| {
        all.iter()
            .all(|matched| matched["uri"]["prefix"].is_string())
    });
    match dice.number(0, 3) {
        0 if all_prefix => redirect["prefixRewrite"] = dice.pick(&["/", "/new", "/v2/"]).into(),
        1 => redirect["uri"] = dice.pick(&["/new", "/new?z=2", "other"]).into(),
        _ => {
            redirect["authority"] = dice
                .pick(&["new.example.com", "new.example.com:8443"])
                .into()
        }
    }
    dice.maybe(3, &mut redirect, "scheme", |dice| {
        dice.pick(&["http", "https"]).into()
    });
    dice.maybe(2, &mut redirect, "redirectCode", |dice| {
        dice.pick(&[301, 302, 303, 307, 308]).into()
    });
    match dice.number(0, 3) {
        0 => redirect["port"] = dice.pick(&[80, 443, 8080]).into(),
        1 => {
            redirect["derivePort"] = dice
                .pick(&["FROM_REQUEST_PORT", "FROM_PROTOCOL_DEFAULT"])
                .into()
        }
        _ => {}
    }
    redirect
}

fn direct_response(dice: &mut Dice) -> Yaml {
    let mut response = json!({"status": dice.pick(&[200, 201, 302, 404, 503])});
    dice.maybe(2, &mut response, "body", |_| json!({"string": "gone"}));
    response
}

fn headers(dice: &mut Dice) -> Yaml {
    let mut out = json!({});
    for side in dice.some(&["request", "response"], 1, 2) {
        let mut operations = json!({});
        for field in dice.some(&["set", "add"], 0, 2) {
            for name in dice.some(OPERATED, 1, 2) {
                let value = match field {
                    "set" => dice.pick(&[
                        "s1",
                        "s2",
                        "%REQ(x-env)%",
                        "100%%",
                        "%PROTOCOL%",
                        "%RESPONSE_CODE%",
                        "%REQ(:authority)% %REQ(:path)%",
                        "%RESP(x-oracle-backend)%",
                        "%REQ(x-env?x-user)%",
                        "%DOWNSTREAM_LOCAL_PORT%",
                        "%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%",
                    ]),
                    _ => dice.pick(&["a1", "a2"]),
                };
                operations[field][name] = value.into();
            }
        }
        if dice.one_in(3) {
            operations["remove"] = json!(dice.some(&["x-user", "x-env", "x-set", "x-both"], 1, 2));
        }
        out[side] = operations;
    }
    if dice.one_in(8) {
        out["request"]["set"]["host"] = "set.example.com".into();
    }
    out
}

fn matches(dice: &mut Dice, side: Side) -> Yaml {
    let all: Vec<Yaml> = (0..dice.number(1, 3))
        .map(|_| one_match(dice, side))
        .collect();
    json!(all)
}

fn one_match(dice: &mut Dice, side: Side) -> Yaml {
    let mut out = json!({});
    if !dice.one_in(5) {
        out["uri"] = match dice.number(0, 5) {
            0 => json!({"exact": dice.pick(PATHS)}),
            1 => json!({"regex": dice.pick(REGEXES)}),
            _ => json!({"prefix": dice.pick(PATHS)}),
        };
    }
    dice.maybe(6, &mut out, "ignoreUriCase", |_| true.into());
    dice.maybe(4, &mut out, "name", |dice| dice.pick(&["m1", "m2"]).into());
    dice.maybe(4, &mut out, "headers", |dice| string_matches(dice, HEADERS));
    dice.maybe(6, &mut out, "withoutHeaders", |dice| {
        string_matches(dice, HEADERS)
    });
    dice.maybe(6, &mut out, "queryParams", |dice| {
        string_matches(dice, &["user", "q"])
    });
    dice.maybe(8, &mut out, "method", |dice| {
        dice.pick(&[
            json!({"exact": "GET"}),
            json!({"prefix": "P"}),
            json!({"regex": "GET|POST"}),
        ])
    });
    dice.maybe(10, &mut out, "authority", |dice| {
        dice.pick(&[
            json!({"exact": "shop.example.com"}),
            json!({"prefix": "web"}),
            json!({"regex": ".*example.*"}),
        ])
    });
    dice.maybe(
        12,
        &mut out,
        "scheme",
        |dice| json!({"exact": dice.pick(&["http", "https"])}),
    );
    dice.maybe(8, &mut out, "port", |dice| {
        dice.pick(&[80, 8080, 443]).into()
    });
    dice.maybe(
        10,
        &mut out,
        "sourceLabels",
        |dice| json!({"app": dice.pick(&["client", "other"])}),
    );
    dice.maybe(10, &mut out, "sourceNamespace", |dice| {
        dice.pick(NAMESPACES).into()
    });
    dice.maybe(10, &mut out, "gateways", |dice| match side {
        Side::Gateway => json!([dice.pick(&["default/gw0", "istio-system/gw1", "gw0"])]),
        _ => json!([dice.pick(&["mesh", "default/gw0"])]),
    });
    out
}

fn string_matches(dice: &mut Dice, names: &[&str]) -> Yaml {
    let mut out = json!({});
    for name in dice.some(names, 1, 2) {
        out[name] = match dice.number(0, 4) {
            0 => json!({}),
            1 => json!({"prefix": dice.pick(&VALUES[1..])}),
            2 => json!({"regex": dice.pick(&["jan.*", "(?i)jane", ".+", ".*", r"\w*", "a|a,b"])}),
            _ => json!({"exact": dice.pick(VALUES)}),
        };
    }
    out
}

/// A request of which the configuration is likely to know something.
pub fn request(dice: &mut Dice, side: Side) -> Yaml {
    let mut hosts: Vec<String> = OUTSIDE
        .iter()
        .chain(INSIDE)
        .map(|host| host.replace('*', "one"))
        .collect();
    hosts.extend(
        [
            "web.prod",
            "web.default.svc",
            "one.wild.example.com",
            "nobody",
            "api",
        ]
        .map(str::to_owned),
    );
    let mut host = match (side, dice.one_in(3)) {
        (Side::Gateway, false) => dice.pick(OUTSIDE).replace('*', "two.one"),
        _ => dice.pick(&hosts),
    };
    match dice.number(0, 11) {
        0 => host += ":8080",
        1 => host += ".",
        2 => host = host.to_uppercase(),
        _ => {}
    }
    let mut path = dice.pick(PATHS).to_owned();
    match dice.number(0, 9) {
        0 => path += "/x",
        1 => path += "x",
        2 => path = path.to_lowercase(),
        3 => path += "/../z",
        4 => path = path.replacen('/', "//", 1),
        5 => path += "/v1",
        6 => path += "%2Fq",
        _ => {}
    }
    if dice.one_in(3) {
        path += dice.pick(&[
            "?user=jane",
            "?user=&q=1",
            "?q",
            "?user=jan&user=jane",
            "?USER=jane&q=%31",
        ]);
    }
    let method = match dice.one_in(30) {
        true => dice.pick(&["HEAD", "get", "FOO", "PURGE", "CONNECT"]),
        false => dice.pick(&["GET", "GET", "GET", "POST", "PUT", "OPTIONS"]),
    };
    let mut headers = json!({});
    for (name, values) in dice.some(OF_PROXIES, 0, 2) {
        headers[name] = dice.pick(values).into();
    }
    if dice.one_in(16) {
        host = dice.pick(ODD_HOSTS).to_owned();
    }
    if dice.one_in(12) {
        path = dice.pick(ODD_TARGETS).to_owned();
    }
    for name in dice.some(HEADERS, 0, 3) {
        headers[name] = match dice.one_in(5) {
            true => json!([dice.pick(VALUES), dice.pick(VALUES)]),
            false => dice.pick(VALUES).into(),
        };
    }
    if dice.one_in(4) {
        headers["origin"] = dice
            .pick(&["https://a.example", "https://b.other", "null", "", "*"])
            .into();
        if method == "OPTIONS" || dice.one_in(4) {
            headers["access-control-request-method"] = dice.pick(&["GET", "PUT", ""]).into();
        }
        if dice.one_in(2) {
            headers["access-control-request-headers"] = "x-user,x-other".into();
        }
    }
    let mut out = json!({
        "host": host,
        "protocol": dice.pick(&["http", "http", "http2", "http", "http", "http2", "grpc"]),
        "tls": "none",
        "method": method,
        "port": dice.pick(&[80, 80, 80, 8080, 7000, 9080, 7777]),
        "path": path,
        "headers": headers,
    });
    if side == Side::Mesh && dice.one_in(4) {
        let addresses = ["10.0.0.1", "10.0.0.12", "10.0.0.13", "10.0.0.99"];
        out["address"] = dice.pick(&addresses).into();
    }
    if side == Side::Gateway && dice.one_in(5) {
        out["port"] = json!(443);
        out["tls"] = "tls".into();
        let name = host
            .split(':')
            .next()
            .unwrap_or("")
            .trim_end_matches('.')
            .to_lowercase();
        out["sni"] = name.into();
    }
    out
}
