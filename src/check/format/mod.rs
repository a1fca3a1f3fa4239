//! Findings for people (`human`), programs (`json`), code hosts (`sarif`) and build servers (`github`).

mod github;
mod human;
mod json;
mod sarif;

use crate::diagnostic::Report;

pub use human::Style;

/// The form in which findings are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Format {
    /// Like a compiler's, with the line of the source.
    #[default]
    Human,
    /// `meshroute/check/v1`: `findings`, each with `severity`, `code`, `name`, `istioctl`, `message`, `help`, `resource`, `field`,
    /// `location`, `related`; and `summary`.
    Json,
    /// SARIF 2.1.0.
    Sarif,
    /// Workflow commands of GitHub Actions.
    Github,
}

/// Findings in a form. Notes are left out for people and build servers, unless `style` wants them.
pub fn write(report: &Report, format: Format, style: Style) -> String {
    match format {
        Format::Human => human::write(report, style),
        Format::Json => json::write(report),
        Format::Sarif => sarif::write(report),
        Format::Github => github::write(report, style),
    }
}
