//! Documents that are not read at all, each with the place and the name of what is wrong with it.

use super::batch::Batch;
use super::nesting::{DEEPEST, Refusal};
#[cfg(feature = "yaml")]
use super::{characters, nesting};
use crate::diagnostic::{Code, Diagnostic};
use crate::terms::source::SourceDocument;

impl Batch {
    /// Whether a YAML document is not read, for what stands in it or how deeply it is nested; says so.
    #[cfg(feature = "yaml")]
    pub(super) fn is_refused(&mut self, text: &str, document: &SourceDocument) -> bool {
        if let Some(found) = characters::refused(text) {
            self.refuse(found, document);
            return true;
        }
        let refusal = nesting::yaml(text);
        if let Some(refusal) = &refusal {
            self.too_deep(refusal, document);
        }
        refusal.is_some()
    }

    /// Reports what a document has that YAML cannot have.
    #[cfg(feature = "yaml")]
    pub(super) fn refuse(&mut self, found: characters::UnreadableText, document: &SourceDocument) {
        let location = document.location(found.line, found.column);
        let diagnostic = Diagnostic::new(Code::SYNTAX, found.message).with_help(found.help);
        self.push(diagnostic.with_location(location));
    }

    /// Reports a document that is nested too deeply, or may be.
    pub(super) fn too_deep(&mut self, refusal: &Refusal, document: &SourceDocument) {
        let (code, line, column, message) = match refusal {
            Refusal::TooDeep(line, column) => {
                let message = format!("the document is nested more than {DEEPEST} levels deep");
                (Code::TOO_DEEP, *line, *column, message)
            }
            #[cfg(feature = "yaml")]
            Refusal::NotYaml(line, column, message) => {
                (Code::SYNTAX, *line, *column, message.clone())
            }
        };
        let location = document.location(line, column);
        self.push(Diagnostic::new(code, message).with_location(location));
    }
}
