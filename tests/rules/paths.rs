//! Reading a path: regular files only, and a note for each entry of a directory that is not read.

use meshroute::Limits;
use meshroute::resource::Resources;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A directory of the test's own, which goes with it.
struct Directory(PathBuf);

impl Directory {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("meshroute-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).expect("a directory for the test");
        Self(path)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// The codes and messages on a path.
fn said(path: &Path) -> Vec<String> {
    let (_, report) = Resources::builder().path(path).build_lenient();
    let all = report.iter();
    all.map(|diagnostic| format!("{} {}", diagnostic.code().name(), diagnostic.message()))
        .collect()
}

const SERVICE: &str =
    "apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec: {ports: [{port: 80}]}\n";

fn pipe(path: &Path) {
    let made = Command::new("mkfifo").arg(path).status();
    assert!(made.expect("mkfifo is there").success());
}

#[test]
fn entries_that_are_not_read_are_noted() {
    let directory = Directory::new("entries");
    std::fs::write(directory.path("a.yaml"), SERVICE).unwrap();
    std::fs::write(directory.path("b.YAML"), SERVICE).unwrap();
    std::fs::write(directory.path("README.md"), "not meant").unwrap();
    symlink("nowhere", directory.path("c.yaml")).unwrap();
    pipe(&directory.path("d.yaml"));
    std::fs::create_dir(directory.path("sub")).unwrap();
    symlink("sub", directory.path("e")).unwrap();
    let said = said(&directory.0);
    let ends = [
        "lower case",
        "leads nowhere",
        "regular file",
        "not followed",
    ];
    assert_eq!(said.len(), ends.len(), "{said:#?}");
    for (line, end) in said.iter().zip(ends) {
        assert!(
            line.starts_with("entry-passed-over") && line.ends_with(end),
            "{line}"
        );
    }
}

#[test]
fn pipes_and_devices_are_not_read() {
    let directory = Directory::new("pipes");
    let fifo = directory.path("fifo.yaml");
    pipe(&fifo);
    for path in [&*fifo, Path::new("/dev/zero")] {
        let said = said(path);
        assert!(
            said.len() == 1
                && said[0].starts_with("unreadable-file")
                && said[0].ends_with("regular file"),
            "{said:?}"
        );
    }
}

#[test]
fn a_file_is_read_up_to_the_limit() {
    let directory = Directory::new("limit");
    let file = directory.path("a.yaml");
    std::fs::write(&file, SERVICE).unwrap();
    let mut limits = Limits::default();
    limits.bytes = SERVICE.len();
    let read = |limits| {
        Resources::builder()
            .limits(limits)
            .path(&file)
            .build_lenient()
    };
    assert_eq!(read(limits).0.documents.len(), 1);
    limits.bytes -= 1;
    let (resources, report) = read(limits);
    assert!(resources.documents.is_empty());
    assert_eq!(
        report.iter().next().unwrap().code().name(),
        "input-too-large"
    );
}

#[test]
fn other_encodings_are_named_at_their_place() {
    let directory = Directory::new("encodings");
    type Case = (&'static str, &'static [u8], (u32, u32), &'static str);
    let cases: [Case; 2] = [
        (
            "latin-1.yaml",
            b"a: b\n\xc3\xb6: \xe4\n",
            (2, 4),
            "is not UTF-8",
        ),
        (
            "utf-16.yaml",
            b"\xff\xfea\0:\0",
            (1, 1),
            "is UTF-16, not UTF-8",
        ),
    ];
    for (name, bytes, place, end) in cases {
        let path = directory.path(name);
        std::fs::write(&path, bytes).unwrap();
        let (_, report) = Resources::builder().path(&path).build_lenient();
        let diagnostic = report.iter().next().unwrap();
        let location = diagnostic.location().unwrap();
        assert_eq!((location.line, location.column), place, "{name}");
        assert!(
            diagnostic.message().ends_with(end),
            "{}",
            diagnostic.message()
        );
    }
}
