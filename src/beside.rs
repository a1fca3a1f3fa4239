//! What does not belong to this repository and is read from `../shared`, where a checkout has that beside it: cases and
//! manifests of other projects. Where it is absent the run says how many files it did not read.

use std::io::Write as _;
use std::path::{Path, PathBuf};

/// Folders below `../shared`, with the number of files in each.
pub(crate) const FOLDERS: &[(&str, usize)] = &[
    ("gateway-api/conformance", 103),
    ("gateway-api/golden", 52),
    ("peer-cases/analyzers", 26),
    ("peer-cases/integration", 50),
    ("peer-cases/parse-corpus", 197),
    ("peer-cases/routes", 1),
    ("peer-cases/simulation", 43),
    ("peer-cases/units", 12),
    ("peer-cases/validation", 33),
    ("peer-cases/virtual-hosts", 3),
];

/// A folder or file below `../shared`, or none: then the run says so, whatever the test harness captures.
pub(crate) fn find(name: &str) -> Option<PathBuf> {
    let folder = FOLDERS.iter().find(|(folder, _)| name.starts_with(folder));
    let (folder, files) = folder.unwrap_or_else(|| panic!("{name} is in no known folder"));
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../shared")
        .join(name);
    if path.exists() {
        return Some(path);
    }
    let files = if name == *folder { *files } else { 1 };
    let said = writeln!(
        std::io::stderr(),
        "not run: {files} files of {name} (no ../shared beside this checkout)"
    );
    said.expect("standard error takes a line");
    None
}
