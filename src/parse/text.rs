//! Reads a text document by document into a batch.

use super::batch::Batch;
use super::document::DocumentSeed;
use super::nesting;
use super::places::Format;
#[cfg(feature = "yaml")]
use super::split::Chunks;
use crate::diagnostic::{Code, Diagnostic, Location};
use crate::terms::source::{Source, SourceDocument};
use serde::de::DeserializeSeed;
use std::sync::Arc;

impl Batch {
    /// Reads a text of documents.
    pub(super) fn read_text(&mut self, format: Format, name: Option<Arc<str>>, text: String) {
        let text = match text.strip_prefix('\u{feff}') {
            Some(rest) => rest.to_owned(),
            None => text,
        };
        self.format = format;
        let source = Arc::new(Source::new(name, text, format.read_places()));
        match format {
            Format::Json => self.read_json(source),
            #[cfg(feature = "yaml")]
            Format::Yaml => self.read_yaml(source),
            #[cfg(not(feature = "yaml"))]
            Format::Yaml => self.read_json(source),
        }
    }

    /// Whether the text is small enough to be read.
    pub(super) fn admits(&mut self, source: &Source) -> bool {
        let (length, limit) = (source.text().len(), self.limits.bytes);
        if length > limit {
            let message = format!("the input has {length} bytes, more than the limit of {limit}");
            let mut location = Location::new(1, 1);
            location.file = source.file().cloned();
            self.push(Diagnostic::new(Code::INPUT_TOO_LARGE, message).with_location(location));
        }
        length <= limit
    }

    /// Reads a text of YAML documents.
    #[cfg(feature = "yaml")]
    fn read_yaml(&mut self, source: Arc<Source>) {
        if !self.admits(&source) {
            return;
        }
        for chunk in Chunks::new(source.text()) {
            let chunk = SourceDocument::new(&source, chunk.bytes, chunk.line);
            self.read_yaml_chunk(&chunk);
            if self.stopped.take() == Some(Code::TOO_MANY_DOCUMENTS) {
                return;
            }
        }
    }

    #[cfg(feature = "yaml")]
    fn read_yaml_chunk(&mut self, chunk: &SourceDocument) {
        let text = chunk.text();
        let limit = self.limits.document_bytes;
        if text.len() > limit {
            let length = text.len();
            let message =
                format!("the document has {length} bytes, more than the limit of {limit}");
            let help = "divide it into several documents, write it as JSON, or raise `Limits::document_bytes`";
            let diagnostic = Diagnostic::new(Code::INPUT_TOO_LARGE, message).with_help(help);
            return self.push(diagnostic.with_location(chunk.location(1, 1)));
        }
        if self.is_refused(text, chunk) {
            return;
        }
        self.values
            .set(text.len().saturating_add(self.limits.expansion));
        for (nth, document) in serde_yaml::Deserializer::from_str(text).enumerate() {
            // Line ends that are none to the cut can hide further documents in it, whose fields have no place.
            let source = match nth {
                0 => chunk.clone(),
                _ => chunk.without_fields(),
            };
            let batch = &mut *self;
            if let Err(error) = (DocumentSeed { batch, source }).deserialize(document) {
                return self.yaml_error(&error, chunk);
            }
        }
    }

    /// Reads a text of JSON documents: one, a list of them, or several one after the other.
    fn read_json(&mut self, source: Arc<Source>) {
        if !self.admits(&source) {
            return;
        }
        let text = source.text();
        let (mut start, mut line) = (0, 1_u32);
        self.values.set(usize::MAX);
        loop {
            let blank = text[start..].bytes().take_while(u8::is_ascii_whitespace);
            let (blank, lines) = blank.fold((0, 0), |(count, lines), byte| {
                (count + 1, lines + u32::from(byte == b'\n'))
            });
            start += blank;
            line = line.saturating_add(lines);
            if start >= text.len() {
                return;
            }
            let document = SourceDocument::new(&source, start..text.len(), line);
            if let Some(refusal) = nesting::json(&text[start..]) {
                return self.too_deep(&refusal, &document);
            }
            let mut reader = serde_json::Deserializer::from_str(&text[start..]);
            let seed = DocumentSeed {
                batch: self,
                source: document.clone(),
            };
            if let Err(error) = seed.deserialize(&mut reader) {
                return self.json_error(&error, &document);
            }
            let length = reader.into_iter::<serde::de::IgnoredAny>().byte_offset();
            let lines = memchr::memchr_iter(b'\n', &text.as_bytes()[start..start + length]).count();
            line = line.saturating_add(u32::try_from(lines).unwrap_or(u32::MAX));
            start += length;
        }
    }
}
