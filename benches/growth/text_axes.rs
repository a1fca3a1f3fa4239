//! Axes of the text itself: nesting, anchors, documents, and everything that is wrong.

use crate::axes::all;
use crate::measure::{Axis, at_most_100, each, once};

pub const AXES: &[Axis] = &[
    Axis {
        name: "flow nesting",
        write: |n| {
            document(&format!(
                "spec: {}{}\n",
                "[".repeat(n + 200),
                "]".repeat(n + 200)
            ))
        },
        says: &[("MR0006", once)],
    },
    Axis {
        name: "flow nesting that is not closed",
        write: |n| document(&format!("spec: {}\n", "[".repeat(n + 200))),
        says: &[("MR0006", once)],
    },
    Axis {
        name: "nested mappings",
        write: |n| {
            document(&format!(
                "spec: {}{}\n",
                "{a: ".repeat(n + 200),
                "}".repeat(n + 200)
            ))
        },
        says: &[("MR0006", once)],
    },
    Axis {
        name: "block nesting in an unknown field",
        write: |n| document(&format!("unknown:\n  {}a\n", "- ".repeat(n + 200))),
        says: &[("MR0006", once)],
    },
    Axis {
        name: "anchors",
        write: |n| {
            document(&format!(
                "spec: {{hosts: [{}], http: [{{route: [{{destination: {{host: a}}}}]}}]}}\n",
                all(n, |i| format!("&a{i} h{i}.example.com, "))
            ))
        },
        says: &[],
    },
    Axis {
        name: "aliases of one anchor",
        write: |n| {
            document(&format!(
                "metadata2: &a x\nspec: {{hosts: [h.example.com], http: [{{match: [{}], route: [{{destination: {{host: a}}}}]}}]}}\n",
                all(n, |i| format!(
                    "{{uri: {{exact: /{i}}}, method: {{exact: *a }}}}, "
                ))
            ))
        },
        says: &[("MR0015", once)],
    },
    Axis {
        name: "bad rules in one document",
        write: |n| {
            document(&format!(
                "spec:\n  hosts: [a.example.com]\n  http:\n{}",
                all(n, |_| "  - route: 5\n".to_owned())
            ))
        },
        says: &[
            ("MR0016", at_most_100),
            ("MR0009", |n| usize::from(n > 100)),
        ],
    },
    Axis {
        name: "unknown fields in one document",
        write: |n| {
            document(&format!(
                "spec:\n  hosts: [a.example.com]\n{}  http: [{{route: [{{destination: {{host: a}}}}]}}]\n",
                all(n, |i| format!("  x{i}: 1\n"))
            ))
        },
        says: &[
            ("MR0015", at_most_100),
            ("MR0009", |n| usize::from(n > 100)),
        ],
    },
    Axis {
        name: "documents that are none",
        write: |n| all(n, |_| "---\na\n".to_owned()),
        says: &[("MR0010", each)],
    },
    Axis {
        name: "documents of unknown kinds",
        write: |n| {
            all(n, |i| {
                format!("---\napiVersion: v1\nkind: PersistentVolume\nmetadata: {{name: s{i}}}\n")
            })
        },
        says: &[("MR0026", each)],
    },
    Axis {
        name: "VirtualServices that are invalid",
        write: |n| {
            all(n, |i| {
                format!(
                    "---\napiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {{name: v{i}}}\nspec: {{hosts: [a.example.com]}}\n"
                )
            })
        },
        says: &[("MR0117", each)],
    },
    Axis {
        name: "items of one List",
        write: |n| {
            format!(
                "apiVersion: v1\nkind: List\nitems:\n{}",
                all(n, |i| format!(
                    "- apiVersion: v1\n  kind: Service\n  metadata: {{name: s{i}}}\n  spec: {{ports: [{{port: 80, name: http}}]}}\n"
                ))
            )
        },
        says: &[],
    },
    Axis {
        name: "a long value",
        write: |n| {
            document(&format!(
                "spec: {{hosts: [a.example.com], http: [{{match: [{{uri: {{exact: '/{}'}}}}], route: [{{destination: {{host: a}}}}]}}]}}\n",
                "x".repeat(100 * n)
            ))
        },
        says: &[],
    },
    Axis {
        name: "a long comment",
        write: |n| {
            document(&format!(
                "spec: {{hosts: [a.example.com], http: [{{route: [{{destination: {{host: a}}}}]}}]}}\n{}",
                "# x\n".repeat(20 * n)
            ))
        },
        says: &[],
    },
    Axis {
        name: "blank lines and separators",
        write: |n| "---\n\n".repeat(20 * n),
        says: &[],
    },
];

fn document(rest: &str) -> String {
    format!(
        "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {{name: v}}\n{rest}"
    )
}
