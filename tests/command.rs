//! The command `meshroute` as its users call it: input by standard input and by files, exit codes, forms, hostile names.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

const SHOP: &str = "
apiVersion: v1
kind: Service
metadata: {name: cart, namespace: shop}
spec: {clusterIP: 10.0.0.1, ports: [{name: http, port: 8080}], selector: {app: cart}}
---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: public, namespace: infra}
spec:
  selector: {istio: ingress}
  servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ['shop.example.com']}]
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: cart, namespace: shop}
spec: {host: cart, subsets: [{name: v1, labels: {v: '1'}}, {name: next, labels: {v: '2'}}]}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: shop, namespace: shop}
spec:
  hosts: [shop.example.com]
  gateways: [infra/public]
  http:
  - match: [{uri: {prefix: /cart}, headers: {x-user: {exact: jane}}}]
    route: [{destination: {host: cart, port: {number: 8080}, subset: next}}]
  - match: [{uri: {prefix: /cart}}]
    route:
    - {destination: {host: cart, port: {number: 8080}, subset: v1}, weight: 80}
    - {destination: {host: cart, port: {number: 8080}, subset: next}, weight: 20}
  - match: [{uri: {prefix: /old/}}]
    redirect: {uri: /new, redirectCode: 302}
";

struct Ran {
    code: i32,
    out: String,
    err: String,
}

fn run(arguments: &[&str], input: &str) -> Ran {
    let mut child = Command::new(env!("CARGO_BIN_EXE_meshroute"))
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the command starts");
    let mut stdin = child.stdin.take().expect("a pipe");
    let written = stdin.write_all(input.as_bytes());
    drop((written, stdin));
    let output = child.wait_with_output().expect("the command ends");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
    Ran {
        code: output.status.code().expect("it was not killed"),
        out: text(output.stdout),
        err: text(output.stderr),
    }
}

/// A directory of its own, with these files.
fn directory(name: &str, files: &[(&str, &str)]) -> PathBuf {
    let root = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = std::fs::remove_dir_all(&root);
    for (file, text) in files {
        let path = root.join(file);
        std::fs::create_dir_all(path.parent().expect("a directory")).expect("a directory");
        std::fs::write(path, text).expect("a file");
    }
    root
}

#[test]
fn exit_codes_say_nothing_found_findings_and_wrong_usage() {
    let clean = run(&["check", "-"], SHOP);
    assert_eq!((clean.code, clean.err.as_str()), (0, ""), "{}", clean.out);
    let broken = SHOP.replace(
        "port: {number: 8080}, subset: next}}]",
        "port: {number: 9}, subset: next}}]",
    );
    let warned = run(&["check", "-"], &broken);
    assert_eq!(warned.code, 0, "{}", warned.out);
    assert!(warned.out.contains("MR0302"), "{}", warned.out);
    assert_eq!(run(&["check", "-", "--deny", "warnings"], &broken).code, 1);
    let allowed = [
        "check",
        "-",
        "--deny",
        "warnings",
        "--allow",
        "unknown-port",
    ];
    assert_eq!(run(&allowed, &broken).code, 0);
    let invalid = SHOP.replace("hosts: [shop.example.com]", "hosts: shop.example.com");
    assert_eq!(run(&["check", "-"], &invalid).code, 1);
    for wrong in [
        &["check"][..],
        &[],
        &["chek"],
        &["check", "-", "--allow", "MR9999"],
        &["check", "-", "--format", "xml"],
        &["explain", "-", "--url", "shop"],
        &["explain", "-", "--url", "http://a:99999/"],
        &["explain", "-", "--url", "http://a/", "--header", "x"],
        &["explain", "-", "--url", "http://a/", "--gateway", "nobody"],
    ] {
        let ran = run(wrong, SHOP);
        assert_eq!(ran.code, 2, "{wrong:?}: {}{}", ran.out, ran.err);
        assert!(!ran.err.is_empty(), "{wrong:?}");
    }
}

#[test]
fn a_finding_is_allowed_by_comment_and_by_annotation() {
    let broken = SHOP.replace(
        "port: {number: 8080}, subset: next}}]",
        "port: {number: 9}, subset: next}}]",
    );
    let deny = ["check", "-", "--deny", "warnings"];
    for allowed in [
        broken.replace("subset: next}}]", "subset: next}}] # meshroute: allow(MR0302)"),
        broken.replace("  - match: [{uri: {prefix: /cart}, h", "  # meshroute: allow(MR0301, unknown-port)\n  - match: [{uri: {prefix: /cart}, h")
            .replace("    route: [{destination: {host: cart, port: {number: 9}", "    # meshroute: allow(unknown-port)\n    route: [{destination: {host: cart, port: {number: 9}"),
        broken.replace("---\napiVersion: networking.istio.io/v1\nkind: VirtualService", "---\n# meshroute: allow(IST0101)\napiVersion: networking.istio.io/v1\nkind: VirtualService"),
        broken.replace("metadata: {name: shop, namespace: shop}", "metadata: {name: shop, namespace: shop, annotations: {galley.istio.io/analyze-suppress: IST0101}}"),
    ] {
        let ran = run(&deny, &allowed);
        assert_eq!(ran.code, 0, "{}\n{allowed}", ran.out);
    }
    let other = broken.replace(
        "subset: next}}]",
        "subset: next}}] # meshroute: allow(MR0305)",
    );
    assert_eq!(run(&deny, &other).code, 1);
}

#[test]
fn explain_names_gateway_rule_and_what_came() {
    let url = ["explain", "-", "--url", "http://shop.example.com/cart/7"];
    let ran = run(&url, SHOP);
    assert_eq!(ran.code, 0, "{}", ran.err);
    for words in [
        "proxy: gateway infra (istio=ingress)",
        "rule 0 of <stdin>:26 VirtualService shop/shop http[0].match[0] skipped: header `x-user` is not `jane`; it is absent (the closest miss)",
        "rule 1 of <stdin>:28 VirtualService shop/shop http[1].match[0] matches",
        "split: drew outbound|8080|",
        "path upstream: /cart/7",
        "<stdin>:12:14 Gateway infra/public: `shop.example.com` arrives at this server, port 80",
    ] {
        assert!(ran.out.contains(words), "`{words}` is not in\n{}", ran.out);
    }
    let json = run(
        &[
            "explain",
            "-",
            "--url",
            "http://shop.example.com/old/1",
            "--format",
            "json",
        ],
        SHOP,
    );
    let json: serde_json::Value = serde_json::from_str(&json.out).expect("JSON");
    assert_eq!(json["schema"], "meshroute/explain/v1");
    assert_eq!(
        json["explanation"]["decision"]["response_headers"]["location"],
        "http://shop.example.com/new"
    );
    let mesh = run(
        &[
            "explain",
            "-",
            "--url",
            "http://shop.example.com/",
            "--from",
            "shop",
        ],
        SHOP,
    );
    assert!(
        mesh.out
            .contains("is bound to `infra/public`, not to `mesh`"),
        "{}",
        mesh.out
    );
}

#[test]
fn names_of_a_stranger_are_data() {
    let hostile = "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: \"x\\n::error file=a::pwned\\e[31m\"}\nspec: {hosts: [\"a\\n::error::b\\e[2J<script>\"], http: [{route: [{destination: {host: \"c\\n##[error]d\"}}]}]}\n";
    for format in ["human", "json", "sarif", "github"] {
        let ran = run(&["check", "-", "--notes", "--format", format], hostile);
        assert!(!ran.out.contains('\u{1b}'), "{format}: {}", ran.out);
        for line in ran.out.lines() {
            let is_command =
                line.trim_start().starts_with("::") || line.trim_start().starts_with("##[");
            let is_own = format == "github"
                && (line.starts_with("::error title=MR")
                    || line.starts_with("::warning title=MR")
                    || line.starts_with("::notice title=MR"));
            assert!(!is_command || is_own, "{format}: {line}");
        }
    }
    for command in [
        &["routes", "-"][..],
        &["explain", "-", "--url", "http://a/"],
    ] {
        let ran = run(command, hostile);
        assert!(
            !ran.out.contains('\u{1b}') && !ran.out.contains("\n::"),
            "{}",
            ran.out
        );
    }
}

#[test]
fn a_directory_is_read_quietly() {
    let root = directory(
        "quiet",
        &[
            ("deploy/shop.yaml", SHOP),
            ("deploy/values.yaml", "a: 1\n"),
            (
                "deploy/template.yaml",
                "apiVersion: v1\nkind: Service\nmetadata: {name: {{ .Values.name }}}\n",
            ),
            (
                "deploy/patch.yaml",
                "apiVersion: v1\nkind: Service\nmetadata: {name: cart}\nspec: {$patch: delete}\n",
            ),
            ("deploy/kustomization.yaml", "resources: [shop.yaml]\n"),
            ("chart/Chart.yaml", "name: c\n"),
            ("chart/templates/x.yaml", "{{ if }}\n"),
            (".github/x.yaml", "apiVersion: broken: [\n"),
        ],
    );
    let ran = run(
        &[
            "check",
            root.to_str().expect("UTF-8"),
            "--notes",
            "--deny",
            "warnings",
        ],
        "",
    );
    assert_eq!(ran.code, 0, "{}", ran.out);
    for words in [
        "1 Helm chart is not read",
        "1 template is not read",
        "1 patch is not read",
        "1 kustomization is not built",
        "1 file or document is no Kubernetes resource",
    ] {
        assert!(ran.out.contains(words), "`{words}` is not in\n{}", ran.out);
    }
    let named = root.join("deploy/template.yaml");
    assert_eq!(run(&["check", named.to_str().expect("UTF-8")], "").code, 1);
    let empty = directory("empty", &[("x/y.txt", "")]);
    assert_eq!(run(&["check", empty.to_str().expect("UTF-8")], "").code, 1);
}

#[test]
fn routes_export_completions_manual_and_pages_are_written() {
    let routes = run(&["routes", "-"], SHOP);
    for words in [
        "gateway infra (istio=ingress)",
        "sidecar shop",
        "host shop.example.com",
        "80 % outbound|8080|v1|cart.shop.svc.cluster.local",
        "redirect 302",
    ] {
        assert!(
            routes.out.contains(words),
            "`{words}` is not in\n{}",
            routes.out
        );
    }
    let export = run(&["export", "-", "--gateway", "public"], SHOP);
    let json: serde_json::Value = serde_json::from_str(&export.out).expect("JSON");
    assert!(json.to_string().contains("shop.example.com"));
    assert!(run(&["completions", "bash"], "").out.contains("meshroute"));
    assert!(run(&["man"], "").out.contains(".TH meshroute"));
    let page = run(&["check", "--explain", "IST0138"], "");
    assert!(
        page.out.contains("MR0323") && page.out.contains("**Use instead**"),
        "{}",
        page.out
    );
}

#[test]
fn routing_tests_pass_fail_with_the_explanation_and_count_what_they_cover() {
    let tests = "
manifests: [../deploy]
via: infra/public
routes:
  GET shop.example.com/cart x-user=jane: cart:8080/next
  GET shop.example.com/cart: {cart/v1: 80, cart/next: 20}
  GET shop.example.com/old/7: 302 http://shop.example.com/new
  GET shop.example.com/nowhere: 404
never: [PassthroughCluster, missing, unknown-subset]
";
    let root = directory(
        "tests",
        &[("deploy/shop.yaml", SHOP), ("tests/shop.route.yaml", tests)],
    );
    let path = root.join("tests");
    let path = path.to_str().expect("UTF-8");
    let ran = run(&["test", path, "--coverage", "--min", "100"], "");
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    assert!(
        ran.out.contains("4 passed, 0 failed") && ran.out.contains("3 of 3 rules"),
        "{}",
        ran.out
    );

    std::fs::write(
        root.join("tests/shop.route.yaml"),
        tests
            .replace("cart:8080/next", "cart:8080/v1")
            .replace("/old/7: 302", "/old/7: 301"),
    )
    .expect("a file");
    let ran = run(&["test", path], "");
    assert_eq!(ran.code, 1);
    for words in [
        "shop.route.yaml:5 GET shop.example.com/cart x-user=jane",
        "expected cart:8080/v1, got",
        "rule 0 of",
        "2 passed, 2 failed",
    ] {
        assert!(ran.out.contains(words), "`{words}` is not in\n{}", ran.out);
    }
    let junit = run(&["test", path, "--format", "junit"], "");
    assert!(
        junit.out.contains("tests=\"4\" failures=\"2\"")
            && junit
                .out
                .contains("<failure message=\"expected cart:8080/v1"),
        "{}",
        junit.out
    );

    let less =
        "manifests: ../deploy\nvia: infra/public\nroutes:\n  GET shop.example.com/old/: 302\n";
    std::fs::write(root.join("tests/shop.route.yaml"), less).expect("a file");
    let ran = run(&["test", path, "--min", "50"], "");
    assert_eq!(ran.code, 1);
    assert!(
        ran.out.contains("1 of 3 rules")
            && ran
                .out
                .contains("try: GET shop.example.com/cart x-user=jane"),
        "{}",
        ran.out
    );
}

/// A suite of today's answers finds what changes.
#[test]
fn a_recorded_suite_passes_and_kills_mutants() {
    let root = directory("mutants", &[("deploy/shop.yaml", SHOP)]);
    let deploy = root.join("deploy");
    let recorded = run(&["test", "--record", deploy.to_str().expect("UTF-8")], "");
    assert_eq!(recorded.code, 0, "{}", recorded.err);
    std::fs::write(root.join("shop.route.yaml"), &recorded.out).expect("a file");
    let file = root.join("shop.route.yaml");
    let file = file.to_str().expect("UTF-8");
    let ran = run(&["test", file], "");
    assert_eq!(ran.code, 0, "{}\n{}{}", recorded.out, ran.out, ran.err);
    let first = "  - match: [{uri: {prefix: /cart}, headers: {x-user: {exact: jane}}}]\n    route: [{destination: {host: cart, port: {number: 8080}, subset: next}}]\n";
    let mutants = [
        ("weight: 80", "weight: 79"),
        ("weight: 20", "weight: 0"),
        ("prefix: /old/", "prefix: /older/"),
        ("exact: jane", "exact: joe"),
        ("redirectCode: 302", "redirectCode: 301"),
        ("uri: /new,", "uri: /newer,"),
        ("subset: v1}, weight", "subset: next}, weight"),
        (
            "number: 8080}, subset: next}}]",
            "number: 8080}, subset: v1}}]",
        ),
        ("hosts: [shop.example.com]", "hosts: [store.example.com]"),
        ("gateways: [infra/public]", "gateways: [infra/private]"),
        ("prefix: /cart}}]", "prefix: /}}]"),
        ("name: next, labels", "name: future, labels"),
        (
            "metadata: {name: cart, namespace: shop}\nspec: {host",
            "metadata: {name: cart, namespace: elsewhere}\nspec: {host",
        ),
    ];
    let mut texts: Vec<String> = mutants
        .iter()
        .map(|(from, to)| {
            assert!(SHOP.contains(from), "{from}");
            SHOP.replacen(from, to, 1)
        })
        .collect();
    // The order of two rules.
    let without = SHOP.replace(first, "");
    texts.push(without.replace(
        "  - match: [{uri: {prefix: /old/}}]",
        &format!("{first}  - match: [{{uri: {{prefix: /old/}}}}]"),
    ));
    let mut survivors = Vec::new();
    for text in &texts {
        std::fs::write(deploy.join("shop.yaml"), text).expect("a file");
        if run(&["test", file], "").code == 0 {
            survivors.push(text);
        }
    }
    assert!(
        survivors.len() * 10 <= texts.len(),
        "{} of {} live: {survivors:?}",
        survivors.len(),
        texts.len()
    );
}

#[test]
fn assumed_is_what_the_input_names_only() {
    let alone = "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: web}\nspec: {hosts: [web], gateways: [mesh, infra/public], http: [{route: [{destination: {host: web, port: {number: 8080}}}]}]}\n";
    let url = ["explain", "-", "--url", "http://web/"];
    let told = run(&url, alone);
    assert!(told.out.contains("no Service is known"), "{}", told.out);
    let assumed = run(
        &[&url[..], &["--assume", "--from", "default"]].concat(),
        alone,
    );
    assert!(
        assumed
            .out
            .contains("cluster outbound|8080||web.default.svc.cluster.local ("),
        "{}",
        assumed.out
    );
    let gateway = run(
        &[&url[..], &["--assume", "--gateway", "infra/public"]].concat(),
        alone,
    );
    assert!(gateway.out.contains("side: gateway"), "{}", gateway.out);
}
