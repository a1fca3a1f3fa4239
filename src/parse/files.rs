//! Files and directories.

use super::batch::Batch;
use super::places::Format;
use crate::diagnostic::{Code, Diagnostic, Location};
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
    for entry in entries {
        match entry.and_then(|entry| Ok((entry.path(), entry.file_type()?))) {
            Ok((path, kind)) if kind.is_dir() => collect(&path, depth + 1, files, batch),
            Ok((path, _)) if format_of(&path).is_some() && path.is_file() => files.push(path),
            Ok(_) => {}
            Err(error) => cannot_read(directory, &error.to_string(), batch),
        }
    }
}

fn format_of(path: &Path) -> Option<Format> {
    match path.extension()?.to_str()? {
        "yaml" | "yml" if cfg!(feature = "yaml") => Some(Format::Yaml),
        "json" => Some(Format::Json),
        _ => None,
    }
}

fn read_file(path: &Path, longest: usize, batch: &mut Batch) {
    let length = std::fs::metadata(path).map_or(0, |metadata| metadata.len());
    if usize::try_from(length).map_or(true, |length| length > longest) {
        let message = format!("the file has {length} bytes, more than the limit of {longest}");
        return batch
            .push(Diagnostic::new(Code::INPUT_TOO_LARGE, message).with_location(top_of(path)));
    }
    let bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) => return cannot_read(path, &error.to_string(), batch),
    };
    let text = match String::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => {
            return not_utf8(
                path,
                error.as_bytes(),
                error.utf8_error().valid_up_to(),
                batch,
            );
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

fn cannot_read(path: &Path, error: &str, batch: &mut Batch) {
    let message = format!("cannot read `{}`: {error}", path.display());
    batch.push(Diagnostic::new(Code::UNREADABLE_FILE, message));
}

fn not_utf8(path: &Path, bytes: &[u8], valid: usize, batch: &mut Batch) {
    let lines = memchr::memchr_iter(b'\n', &bytes[..valid]).count();
    let location = Location::new(u32::try_from(lines + 1).unwrap_or(u32::MAX), 1)
        .in_file(path.to_string_lossy());
    let message = format!("byte {valid} of `{}` is not UTF-8", path.display());
    batch.push(Diagnostic::new(Code::NOT_UTF8, message).with_location(location));
}

fn top_of(path: &Path) -> Location {
    Location::new(1, 1).in_file(path.to_string_lossy())
}
