//! Files and directories: regular files only, read up to the limit, and a note for each entry of a directory that looks as
//! if it was meant and is not read.

use super::batch::Batch;
use super::places::Format;
use crate::diagnostic::{Code, Diagnostic, Location};
use std::io::Read;
use std::path::{Path, PathBuf};

/// Reads a file, or the files below a directory.
pub(super) fn read(path: &Path, longest: usize, batch: &mut Batch) {
    if !path.is_dir() {
        return read_file(path, longest, batch);
    }
    let mut files = Vec::new();
    collect(path, 0, &mut files, batch);
    files.sort();
    for file in files {
        read_file(&file, longest, batch);
    }
}

/// Finds the files below a directory. Links to directories are not followed, so that there is an end.
fn collect(directory: &Path, depth: usize, files: &mut Vec<PathBuf>, batch: &mut Batch) {
    const DEEPEST: usize = 64;
    let entries = match std::fs::read_dir(directory) {
        Ok(entries) if depth < DEEPEST => entries,
        Ok(_) => return cannot_read(directory, "directories are nested too deeply", batch),
        Err(error) => return cannot_read(directory, &error.to_string(), batch),
    };
    let mut entries: Vec<_> = entries.collect();
    // The order of the names is that of the notes.
    entries.sort_by_key(|entry| entry.as_ref().ok().map(std::fs::DirEntry::path));
    for entry in entries {
        let (path, kind) = match entry.and_then(|entry| Ok((entry.path(), entry.file_type()?))) {
            Ok(entry) => entry,
            Err(error) => {
                cannot_read(directory, &error.to_string(), batch);
                continue;
            }
        };
        if kind.is_dir() {
            collect(&path, depth + 1, files, batch);
        } else if path.is_dir() {
            pass_over(&path, "links to directories are not followed", batch);
        } else if kind.is_symlink() && !path.exists() {
            pass_over(&path, "the link leads nowhere", batch);
        } else if !path.is_file() {
            pass_over(&path, "it is not a regular file", batch);
        } else if format_of(&path).is_some() {
            files.push(path);
        } else if is_format_in_capitals(&path) {
            pass_over(&path, "its name does not end in lower case", batch);
        }
    }
}

fn format_of(path: &Path) -> Option<Format> {
    format_named(path.extension()?.to_str()?)
}

fn format_named(extension: &str) -> Option<Format> {
    match extension {
        "yaml" | "yml" if cfg!(feature = "yaml") => Some(Format::Yaml),
        "json" => Some(Format::Json),
        _ => None,
    }
}

fn is_format_in_capitals(path: &Path) -> bool {
    let extension = path.extension().and_then(|extension| extension.to_str());
    extension.is_some_and(|extension| format_named(&extension.to_ascii_lowercase()).is_some())
}

fn read_file(path: &Path, longest: usize, batch: &mut Batch) {
    let bytes = match regular_file(path, longest) {
        Ok(bytes) => bytes,
        Err(error) => return cannot_read(path, &error.to_string(), batch),
    };
    if bytes.len() > longest {
        let message = format!("the file has more bytes than the limit of {longest}");
        return batch
            .push(Diagnostic::new(Code::INPUT_TOO_LARGE, message).with_location(top_of(path)));
    }
    let text = match String::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => {
            let valid = error.utf8_error().valid_up_to();
            return not_utf8(path, error.as_bytes(), valid, batch);
        }
    };
    let default = if cfg!(feature = "yaml") {
        Format::Yaml
    } else {
        Format::Json
    };
    let format = format_of(path).unwrap_or(default);
    batch.read_text(format, Some(path.to_string_lossy().into()), text);
}

/// The bytes of a file, and one more than `longest` if there are so many. Pipes and devices may have no end.
fn regular_file(path: &Path, longest: usize) -> std::io::Result<Vec<u8>> {
    if !std::fs::metadata(path)?.is_file() {
        return Err(std::io::Error::other("it is not a regular file"));
    }
    let limit = u64::try_from(longest).unwrap_or(u64::MAX).saturating_add(1);
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path)?;
    file.take(limit).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn cannot_read(path: &Path, error: &str, batch: &mut Batch) {
    let message = format!("cannot read `{}`: {error}", path.display());
    batch.push(Diagnostic::new(Code::UNREADABLE_FILE, message));
}

fn pass_over(path: &Path, reason: &str, batch: &mut Batch) {
    let message = format!("`{}` is not read: {reason}", path.display());
    batch.push(Diagnostic::new(Code::ENTRY_PASSED_OVER, message));
}

fn not_utf8(path: &Path, bytes: &[u8], valid: usize, batch: &mut Batch) {
    let (before, _) = bytes.split_at(valid);
    let line = memchr::memchr_iter(b'\n', before).count() + 1;
    let start = memchr::memrchr(b'\n', before).map_or(0, |end| end + 1);
    let column = String::from_utf8_lossy(&before[start..]).chars().count() + 1;
    let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    let location = Location::new(number(line), number(column)).in_file(path.to_string_lossy());
    let is_utf16 = bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]);
    let (message, help) = match is_utf16 {
        true => (
            format!("`{}` is UTF-16, not UTF-8", path.display()),
            "save it as UTF-8",
        ),
        false => (
            format!("byte {valid} of `{}` is not UTF-8", path.display()),
            "save it as UTF-8; it may be Latin-1 or Windows-1252",
        ),
    };
    let diagnostic = Diagnostic::new(Code::NOT_UTF8, message).with_help(help);
    batch.push(diagnostic.with_location(location));
}

fn top_of(path: &Path) -> Location {
    Location::new(1, 1).in_file(path.to_string_lossy())
}
