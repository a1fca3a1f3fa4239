//! The recordings in the house: `tests/data/recorded/<topic>.jsonl.gz`, gzip, one case of the form `routing-case/v1` a line,
//! as JSON; and `tests/data/xds/<topic>.jsonl.gz`, one dump of what istiod sent a line. Unpacked in memory; what is missing
//! or broken is an error of its reader, never an absence of cases.

use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use serde_json::Value;

/// How the name of an archive ends.
pub(crate) const SUFFIX: &str = ".jsonl.gz";

/// The archives of a folder of `tests/data`, in the order of their names.
pub(crate) fn archives(folder: &str) -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data");
    let folder = root.join(folder);
    let entries =
        std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut out: Vec<PathBuf> = entries.map(|entry| entry.expect("a file").path()).collect();
    out.retain(|path| topic(path).is_some());
    out.sort();
    assert!(!out.is_empty(), "no archive in {}", folder.display());
    out
}

/// The topic that an archive holds, by its name.
pub(crate) fn topic(archive: &Path) -> Option<&str> {
    archive.file_name()?.to_str()?.strip_suffix(SUFFIX)
}

/// The lines of an archive.
pub(crate) fn read(archive: &Path) -> Result<Vec<Value>, String> {
    let file = std::fs::File::open(archive).map_err(|error| error.to_string())?;
    let mut text = String::new();
    let unpacked = GzDecoder::new(file).read_to_string(&mut text);
    unpacked.map_err(|error| error.to_string())?;
    let lines = text.lines().map(serde_json::from_str);
    lines
        .collect::<Result<_, _>>()
        .map_err(|error| error.to_string())
}

/// All recorded cases, each with its topic.
pub(crate) fn recorded() -> impl Iterator<Item = (String, Value)> {
    archives("recorded").into_iter().flat_map(|archive| {
        let topic = topic(&archive).expect("an archive").to_owned();
        let cases = read(&archive).unwrap_or_else(|why| panic!("{}: {why}", archive.display()));
        cases.into_iter().map(move |case| (topic.clone(), case))
    })
}

/// Writes an archive: the same lines give the same bytes.
pub(crate) fn write(archive: &Path, lines: &[Value]) -> std::io::Result<()> {
    let mut out = GzEncoder::new(Vec::new(), Compression::best());
    for line in lines {
        writeln!(out, "{line}")?;
    }
    std::fs::write(archive, out.finish()?)
}
