//! What proxies route by, as a picture: Mermaid, DOT, or a page of its own.

use std::fmt::Write as _;

use super::plain;
use super::routes::{HostRoutes, ListenerRoutes, Routes, RuleRoutes, Target};

/// Nodes and edges, each node once.
#[derive(Default)]
struct Drawing {
    labels: Vec<String>,
    edges: Vec<(usize, usize, String)>,
}

impl Drawing {
    fn of(all: &[Routes]) -> Self {
        let mut drawing = Drawing::default();
        for routes in all {
            let proxy = drawing.node(routes.proxy.clone());
            for listener in &routes.listeners {
                for chain in &listener.chains {
                    for target in &chain.tcp {
                        let cluster = drawing.node(called(target));
                        drawing.edge(proxy, cluster, listener.name.clone());
                    }
                    for host in chain.hosts.iter().filter(|host| is_written(host)) {
                        let name = format!("{} {}", listener.name, host.domains.join(" "));
                        let node = drawing.node(name);
                        drawing.edge(proxy, node, String::new());
                        for rule in &host.rules {
                            drawing.rule(node, rule);
                        }
                    }
                }
            }
        }
        drawing
    }

    fn rule(&mut self, host: usize, rule: &RuleRoutes) {
        if rule.targets.is_empty() {
            let answer = self.node(rule.action.clone());
            return self.edge(host, answer, rule.matches.clone());
        }
        for target in &rule.targets {
            let cluster = self.node(called(target));
            let share = match rule.targets.len() {
                1 => rule.matches.clone(),
                _ => format!("{} (weight {})", rule.matches, target.weight),
            };
            self.edge(host, cluster, share);
        }
    }

    fn node(&mut self, label: String) -> usize {
        if let Some(known) = self.labels.iter().position(|own| *own == label) {
            return known;
        }
        self.labels.push(label);
        self.labels.len() - 1
    }

    fn edge(&mut self, from: usize, to: usize, label: String) {
        let edge = (from, to, label);
        if !self.edges.contains(&edge) {
            self.edges.push(edge);
        }
    }
}

/// Whether someone wrote one of its rules: the default routes of services are no picture.
fn is_written(host: &HostRoutes) -> bool {
    host.https_redirect || host.rules.iter().any(|rule| rule.origin.is_some())
}

fn called(target: &Target) -> String {
    match target.exists {
        true => target.cluster.clone(),
        false => format!("{} (does not exist)", target.cluster),
    }
}

/// A flow chart in Mermaid. Only what someone wrote is drawn, not the default routes of services.
pub fn mermaid(all: &[Routes]) -> String {
    let drawing = Drawing::of(all);
    let mut out = "flowchart LR\n".to_owned();
    for (node, label) in drawing.labels.iter().enumerate() {
        let _ = writeln!(out, "  n{node}[\"{}\"]", self::label(label));
    }
    for (from, to, label) in &drawing.edges {
        match label.is_empty() {
            true => {
                let _ = writeln!(out, "  n{from} --> n{to}");
            }
            false => {
                let _ = writeln!(out, "  n{from} -->|\"{}\"| n{to}", self::label(label));
            }
        }
    }
    out
}

/// The same in DOT, the language of Graphviz.
pub fn dot(all: &[Routes]) -> String {
    let drawing = Drawing::of(all);
    let quoted = |text: &str| {
        let text = plain(text).replace('\n', " ").replace('\\', "\\\\");
        text.replace('"', "\\\"")
    };
    let mut out = "digraph routes {\n  rankdir=LR;\n  node [shape=box];\n".to_owned();
    for (node, label) in drawing.labels.iter().enumerate() {
        let _ = writeln!(out, "  n{node} [label=\"{}\"];", quoted(label));
    }
    for (from, to, label) in &drawing.edges {
        let _ = writeln!(out, "  n{from} -> n{to} [label=\"{}\"];", quoted(label));
    }
    out.push_str("}\n");
    out
}

/// A page that stands alone: every host with its rules, to be searched and folded. No script of another site is loaded, and
/// nothing of the input is more than text.
pub fn html(all: &[Routes]) -> String {
    let mut out = HEAD.to_owned();
    for routes in all {
        let _ = writeln!(out, "<h2>{}</h2>", entities(&routes.proxy));
        for listener in &routes.listeners {
            page_of(listener, &mut out);
        }
    }
    out.push_str(FOOT);
    out
}

fn page_of(listener: &ListenerRoutes, out: &mut String) {
    for chain in &listener.chains {
        for host in chain.hosts.iter().filter(|host| is_written(host)) {
            let domains = entities(&host.domains.join(", "));
            let name = entities(&listener.name);
            let _ = writeln!(
                out,
                "<details open><summary><b>{domains}</b> <small>{name}, {} rules</small></summary>\n<table>",
                host.rules.len()
            );
            for rule in &host.rules {
                let targets: Vec<String> = rule
                    .targets
                    .iter()
                    .map(|target| match rule.targets.len() {
                        1 => called(target),
                        _ => format!("{} ({})", called(target), target.weight),
                    })
                    .collect();
                let target = match targets.is_empty() {
                    true => rule.action.clone(),
                    false => targets.join(", "),
                };
                let origin = rule.origin.as_deref().unwrap_or("default route");
                let _ = writeln!(
                    out,
                    "<tr><td>{}</td><td>{}</td><td><small>{}</small></td></tr>",
                    entities(&rule.matches),
                    entities(&target),
                    entities(origin)
                );
            }
            out.push_str("</table></details>\n");
        }
    }
}

/// Text of Mermaid's labels: `#34;` is what `&#34;` is to HTML.
fn label(text: &str) -> String {
    entities(text).replace("&#", "#")
}

/// Text of HTML.
fn entities(text: &str) -> String {
    let mut out = String::new();
    for character in plain(text).chars() {
        match character {
            '\n' | '\t' => out.push(' '),
            '&' | '<' | '>' | '"' | '\'' | '`' | '#' | ';' | '|' | '[' | ']' | '{' | '}' | '\\' => {
                let _ = write!(out, "&#{};", u32::from(character));
            }
            character => out.push(character),
        }
    }
    out
}

const HEAD: &str = "<!doctype html>
<html lang=\"en\"><head><meta charset=\"utf-8\"><title>Routes</title>
<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'\">
<style>
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 75rem; padding: 0 1rem; color: #1c2430; background: #fff; }
input { font: inherit; width: 100%; padding: .4rem .6rem; box-sizing: border-box; }
summary { cursor: pointer; padding: .3rem 0; }
table { border-collapse: collapse; width: 100%; margin: 0 0 1rem; table-layout: fixed; }
td { border-top: 1px solid #d6dce5; padding: .3rem .6rem; vertical-align: top; overflow-wrap: anywhere; }
small { color: #5a6677; }
@media (prefers-color-scheme: dark) { body { color: #dfe5ee; background: #14181f; } td { border-color: #333c4a; } small { color: #93a0b4; } }
</style></head><body>
<h1>Routes</h1>
<input id=\"search\" type=\"search\" placeholder=\"Search hosts, paths, clusters, files\" aria-label=\"Search\">
";

const FOOT: &str = "<script>
document.getElementById('search').addEventListener('input', function (event) {
  var wanted = event.target.value.toLowerCase();
  document.querySelectorAll('details').forEach(function (host) {
    var named = host.querySelector('summary').textContent.toLowerCase().includes(wanted), shown = 0;
    host.querySelectorAll('tr').forEach(function (rule) {
      var fits = named || rule.textContent.toLowerCase().includes(wanted);
      rule.hidden = !fits; if (fits) shown += 1;
    });
    host.hidden = shown === 0 && !named;
  });
});
</script></body></html>
";
