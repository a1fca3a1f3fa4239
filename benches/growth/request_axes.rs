//! Axes of one request: many names in its query or its headers, asked of as many rules.

use crate::measure::{NEGLIGIBLE, exponent, now};
use meshroute::{Mesh, Proxy, Request, Resources, Router};
use std::fmt::Write;
use std::hint::black_box;
use std::time::Duration;

/// A way in which a request can be large, for rules that ask for it.
pub struct Axis {
    pub name: &'static str,
    /// The match of rule `i`.
    rule: fn(usize) -> String,
    /// The request of a size: its URL and the names of its headers.
    request: fn(usize) -> (String, Vec<String>),
}

pub const AXES: &[Axis] = &[
    Axis {
        name: "query keys of rules and of the request",
        rule: |i| format!("{{queryParams: {{k{i}: {{exact: a}}}}}}"),
        request: |n| {
            (
                format!("http://a.example.com/?{}", parameters(n)),
                Vec::new(),
            )
        },
    },
    Axis {
        name: "query keys of rules, one parameter again and again",
        rule: |i| format!("{{queryParams: {{k{i}: {{exact: a}}}}}}"),
        request: |n| {
            (
                format!("http://a.example.com/?{}", "x=b&".repeat(n)),
                Vec::new(),
            )
        },
    },
    Axis {
        name: "header names of rules and of the request",
        rule: |i| format!("{{headers: {{x-k{i}: {{exact: a}}}}}}"),
        request: |n| {
            (
                "http://a.example.com/".to_owned(),
                (0..n).map(|i| format!("x-k{i}")).collect(),
            )
        },
    },
    Axis {
        name: "header names of rules and of the request, absent or any",
        rule: |i| {
            format!("{{headers: {{x-k{i}: {{regex: 'a+'}}}}, withoutHeaders: {{x-k{i}: {{}}}}}}")
        },
        request: |n| {
            (
                "http://a.example.com/".to_owned(),
                (0..n).map(|i| format!("x-k{i}")).collect(),
            )
        },
    },
    Axis {
        name: "header names of rules, and of one connection line, which is refused",
        rule: |i| format!("{{headers: {{x-k{i}: {{exact: b}}}}}}"),
        request: |n| {
            (
                "http://a.example.com/".to_owned(),
                (0..n).map(|i| format!("x-k{i}")).collect(),
            )
        },
    },
    Axis {
        name: "segments of the path",
        rule: |i| format!("{{uri: {{prefix: '/a/{i}'}}}}"),
        request: |n| {
            (
                format!("http://a.example.com{}", "/a".repeat(n)),
                Vec::new(),
            )
        },
    },
];

fn parameters(n: usize) -> String {
    let mut text = String::new();
    for i in 0..n {
        let _ = write!(text, "k{i}=b&");
    }
    text
}

/// Measures one decision at each size, and says whether its growth misses the target.
pub fn measure(axis: &Axis, sizes: &[usize]) -> usize {
    let times: Vec<(usize, Duration)> = sizes
        .iter()
        .map(|&size| (size, decide(axis, size)))
        .collect();
    println!("{}", axis.name);
    let mut line = format!("  {:<10}", "decide");
    for (_, time) in &times {
        let _ = write!(line, "{:>12.1} us", time.as_secs_f64() * 1e6);
    }
    let mut missed = 0;
    if let [.., before, last] = times[..]
        && last.1 > NEGLIGIBLE / 20
    {
        let exponent = exponent(before, last);
        let _ = write!(line, "   n^{exponent:.2}");
        if exponent > crate::measure::EXPONENT {
            line.push_str("  MISSED");
            missed = 1;
        }
    }
    println!("{line}");
    missed
}

fn decide(axis: &Axis, size: usize) -> Duration {
    let mut text = String::from(
        "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: v}\nspec:\n  hosts: [a.example.com]\n  http:\n",
    );
    for i in 0..size {
        let _ = writeln!(
            text,
            "  - {{name: r{i}, match: [{}], route: [{{destination: {{host: b.example.com}}}}]}}",
            (axis.rule)(i)
        );
    }
    text.push_str("  - {name: last, route: [{destination: {host: b.example.com}}]}\n");
    let resources = Resources::from_yaml(&text).unwrap_or_else(|report| panic!("{report}"));
    let mesh = Mesh::resolve(resources).unwrap_or_else(|report| panic!("{report}"));
    let router = Router::compile(&mesh, &Proxy::sidecar("default"));
    let (url, names) = (axis.request)(size);
    let mut request = Request::get(&url);
    for name in &names {
        request = request.header(name, "b");
    }
    let nominated = names.join(", ");
    if axis.name.contains("connection") {
        request = request.header("connection", &nominated);
    }
    // A connection line that names ten headers or more is refused before routing (R-H-153).
    let expected = (!axis.name.contains("refused")).then_some("last");
    let once = || {
        let start = now();
        let decision = black_box(router.decide(&request, 7));
        let time = now() - start;
        assert_eq!(decision.route_name(), expected, "{}", axis.name);
        time
    };
    (0..5).map(|_| once()).min().unwrap_or_default()
}
