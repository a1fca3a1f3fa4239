//! Input that is made to hurt: each must be refused, or read, within moments.

use meshroute::resource::Resources;
use std::time::{Duration, Instant};

/// Reads the text in both formats and returns the names of the codes; fails if it takes long even for a debug build.
fn quickly(text: &str) -> Vec<&'static str> {
    let start = Instant::now();
    let (_, report) = Resources::from_yaml_lenient(text);
    let (_, _) = Resources::from_json_lenient(text);
    let _ = report.to_string();
    assert!(
        start.elapsed() < Duration::from_secs(20),
        "{:?} for {:.60}",
        start.elapsed(),
        text
    );
    report
        .iter()
        .map(|diagnostic| diagnostic.code().name())
        .collect()
}

const HEADER: &str =
    "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: a}\n";

#[test]
fn deep_nesting() {
    for open in ["[", "{a: ", "- ", "? "] {
        let codes = quickly(&format!("{HEADER}spec:\n  {}", open.repeat(20_000)));
        assert!(!codes.is_empty());
    }
    assert_eq!(quickly(&"[".repeat(20_000)).len(), 1);
}

#[test]
fn a_text_that_ends_too_early_is_located_at_its_end() {
    for (text, place) in [
        ("\n\n[z", (3, 3)),
        ("a: [\n", (2, 1)),
        ("---\na: 1\n---\nb: {c", (4, 6)),
        ("a:\r\n- [b", (2, 5)),
    ] {
        let (_, report) = Resources::from_yaml_lenient(text);
        let mut faults = report.errors();
        let fault = faults.find(|fault| fault.code() == meshroute::diagnostic::Code::SYNTAX);
        let fault = fault.unwrap_or_else(|| panic!("{text:?}: {report}"));
        let location = fault.location().expect("a place");
        assert_eq!((location.line, location.column), place, "{text:?}: {fault}");
    }
}

#[test]
fn alias_bombs() {
    let mut bomb = String::from("a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n");
    for level in 1..30 {
        let aliases = vec![format!("*a{}", level - 1); 10].join(",");
        bomb.push_str(&format!("a{level}: &a{level} [{aliases}]\n"));
    }
    // Unknown fields are passed over without following their aliases; known ones are followed up to the limit.
    assert!(!quickly(&format!("{bomb}{HEADER}spec: {{}}\n")).is_empty());
    let hosts = format!("{HEADER}spec:\n  hosts: *a29\n");
    quickly(&hosts.replace("spec:", &format!("{bomb}spec:")));
    let wide = format!(
        "{HEADER}spec:\n  gateways: &g [{}]\n  http:\n{}",
        "a,".repeat(2_000),
        "  - match: [{gateways: *g}]\n".repeat(2_000)
    );
    assert_eq!(quickly(&wide), ["too-many-values"]);
    let maps = format!(
        "{HEADER}spec:\n  http:\n  - match: [{{sourceLabels: &m {{{}}}}}]\n{}",
        (0..2_000).map(|n| format!("k{n}: v,")).collect::<String>(),
        "  - match: [{sourceLabels: {<<: *m}}]\n".repeat(2_000)
    );
    assert_eq!(quickly(&maps), ["too-many-values"]);
    let buffered = format!(
        "x: &g [{}]\nspec:\n{}",
        "a,".repeat(2_000),
        "  - *g\n".repeat(2_000)
    );
    assert_eq!(quickly(&buffered), ["too-many-values"]);
}

#[test]
fn many_problems() {
    let fields: String = (0..20_000).map(|n| format!("  unknown{n}: 1\n")).collect();
    let codes = quickly(&format!("{HEADER}spec:\n{fields}"));
    assert_eq!(codes.len(), 101);
    assert_eq!(codes.last(), Some(&"too-many-problems"));
    assert_eq!(quickly(&"a: 1\n---\n".repeat(20_000)).len(), 20_000);
    assert_eq!(quickly(&"[\n---\n".repeat(20_000)).len(), 20_000);
}

#[test]
fn long_lines_and_keys() {
    let long = "x".repeat(1_000_000);
    assert!(!quickly(&long).is_empty());
    assert!(!quickly(&format!("{HEADER}spec:\n  {long}: 1\n")).is_empty());
    assert!(!quickly(&format!("{HEADER}spec: {{hosts: {long}}}\n")).is_empty());
    assert!(!quickly(&format!("{HEADER}{long}: 1\nspec: {{}}\n")).is_empty());
    assert!(!quickly(&"\"".repeat(200_000)).is_empty());
    assert!(quickly(&"#".repeat(1_000_000)).is_empty());
    assert!(quickly(&"---\n".repeat(200_000)).is_empty());
    quickly(&"%\n".repeat(200_000));
    assert!(!quickly(&"? ".repeat(5_000)).is_empty());
    assert!(!quickly(&"!".repeat(100_000)).is_empty());
    assert!(!quickly(&"&a ".repeat(50_000)).is_empty());
}

/// Places are those of the text as an editor shows it, or none within a document that no line divides from the one before.
#[test]
fn several_documents_on_one_line() {
    let pod = r#"{"apiVersion": "v1", "kind": "Service", "metadata": {"name": "a"}, "spec": {"ports": 1}}"#;
    let (_, report) = Resources::from_json_lenient(&format!("[] {pod}"));
    let location = report.errors().next().unwrap().location().unwrap();
    assert_eq!((location.line, location.column), (1, 89));

    let (_, report) = Resources::from_yaml_lenient("a: 1\r---\rb: 2\r");
    let places: Vec<_> = report.iter().map(|it| it.location().unwrap()).collect();
    assert_eq!(places.len(), 2);
    assert_eq!((places[1].line, places[1].column), (1, 1));
}
