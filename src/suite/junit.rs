//! JUnit's XML, which build servers read.

use super::{Outcome, Suite};
use crate::check::plain;

/// What came out of suites, as one `testsuites` element.
pub fn junit(suites: &[(Suite, Outcome)]) -> String {
    let count = |of: &dyn Fn(&Outcome) -> usize| -> usize {
        suites.iter().map(|(_, outcome)| of(outcome)).sum()
    };
    let failures = count(&|outcome| outcome.failures.len());
    let tests = failures + count(&|outcome| outcome.passed.len());
    let mut out = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites tests=\"{tests}\" failures=\"{failures}\">\n"
    );
    for (suite, outcome) in suites {
        let file = escaped(&suite.file.to_string_lossy());
        let (passed, failed) = (&outcome.passed, &outcome.failures);
        out.push_str(&format!(
            "  <testsuite name=\"{file}\" tests=\"{}\" failures=\"{}\">\n",
            passed.len() + failed.len(),
            failed.len()
        ));
        for name in passed {
            out.push_str(&format!(
                "    <testcase classname=\"{file}\" name=\"{}\"/>\n",
                escaped(name)
            ));
        }
        for failure in failed {
            out.push_str(&format!(
                "    <testcase classname=\"{file}\" name=\"{}\" line=\"{}\">\n      <failure message=\"{}\">{}</failure>\n    </testcase>\n",
                escaped(&failure.name), failure.line, escaped(&failure.message), escaped(&failure.explanation)
            ));
        }
        out.push_str("  </testsuite>\n");
    }
    out.push_str("</testsuites>\n");
    out
}

/// As text or an attribute of XML, which has no place for control characters.
fn escaped(text: &str) -> String {
    let mut out = String::new();
    for character in plain(text).chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            character => out.push(character),
        }
    }
    out
}
