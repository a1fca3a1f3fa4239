//! Random and mutated texts: no panic, every diagnostic has a place within the text, and the answer is always the same.

use meshroute::resource::Resources;
use proptest::prelude::*;

const SAMPLE: &str = "apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: &m
  name: reviews
  namespace: default
spec:
  hosts: [reviews, \"*.example.com\"]
  http:
  - &r
    match:
    - uri: {prefix: /a}
      headers: {x: {exact: '1'}, y: null}
    timeout: 1.5s
    route:
    - destination: {host: a, port: {number: 80}}
      weight: 10
  - <<: *r
    name: second
---
apiVersion: v1
kind: List
items:
- apiVersion: v1
  kind: Service
  metadata: {name: a}
  spec:
    ports:
    - {port: 80, targetPort: http}
---
{\"apiVersion\": \"v1\", \"kind\": \"ConfigMap\", \"metadata\": {\"name\": \"istio\"}, \"data\": {\"mesh\": \"rootNamespace: x\\n\"}}
";

const PIECES: &[&str] = &[
    "---\n",
    "...\n",
    "\n",
    " ",
    "  ",
    "\t",
    ":",
    ": ",
    "- ",
    "? ",
    "[",
    "]",
    "{",
    "}",
    ",",
    "&a ",
    "*a",
    "*r",
    "<<: ",
    "!!str ",
    "!x ",
    "'",
    "\"",
    "\\",
    "|\n",
    ">-\n",
    "#",
    "%YAML 1.1\n",
    "null",
    "~",
    "0x1F",
    "1e400",
    "-1",
    ".nan",
    "99999999999999999999",
    "true",
    "\u{feff}",
    "\u{0}",
    "\u{85}",
    "\u{2028}",
    "\u{1F600}",
    "metadata",
    "spec",
    "kind: ",
    "items:\n",
    "name",
    "\r\n",
    "\r",
];

fn both_doors(text: &str) {
    for (resources, report) in [
        Resources::from_yaml_lenient(text),
        Resources::from_json_lenient(text),
    ] {
        let lines = text
            .split(['\n', '\r', '\u{85}', '\u{2028}', '\u{2029}'])
            .count() as u32
            + 1;
        for diagnostic in &report {
            let location = diagnostic
                .location()
                .unwrap_or_else(|| panic!("no place: {diagnostic}"));
            let within = location.file.is_some() || (1..=lines).contains(&location.line);
            assert!(within && location.column >= 1, "{diagnostic}");
        }
        let _ = (report.to_string(), serde_json::to_string(&report).unwrap());
        assert!(
            resources
                .documents
                .iter()
                .all(|resource| !resource.meta().name.is_empty())
        );
    }
    assert_eq!(
        Resources::from_yaml_lenient(text).1,
        Resources::from_yaml_lenient(text).1
    );
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text(text in any::<String>()) {
        both_doors(&text);
    }

    #[test]
    fn any_bytes_in_a_file(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        both_doors(&String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn pieces_of_yaml(pieces in proptest::collection::vec(proptest::sample::select(PIECES), 0..40)) {
        both_doors(&pieces.concat());
    }

    #[test]
    fn mutated_manifests(edits in proptest::collection::vec(
        (any::<proptest::sample::Index>(), 0_usize..8, proptest::sample::select(PIECES)), 1..6)
    ) {
        let mut text = SAMPLE.to_owned();
        for (at, removed, inserted) in edits {
            let floor = |mut byte: usize| { while !text.is_char_boundary(byte) { byte -= 1 } byte };
            let start = floor(at.index(text.len() + 1));
            let end = floor((start + removed).min(text.len())).max(start);
            text.replace_range(start..end, inserted);
        }
        both_doors(&text);
    }
}
