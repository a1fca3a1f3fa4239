//! `meshroute check`.

use clap::ArgMatches;
use meshroute::check::format::{self, Format, Style};
use meshroute::check::{Allowed, plain};
use meshroute::diagnostic::Code;

use crate::Outcome;
use crate::input::{color, optional, text, workspace};

pub(crate) fn run(matches: &ArgMatches) -> Outcome {
    if let Some(code) = optional(matches, "explain") {
        return explain(code);
    }
    let workspace = workspace(matches, matches.get_flag("duplicates"))?;
    let mut allowed = Allowed::new();
    for code in matches.get_many::<String>("allow").unwrap_or_default() {
        allowed = allowed.with(code)?;
    }
    let report = workspace.findings(&allowed);
    let format = match text(matches, "format") {
        "json" => Format::Json,
        "sarif" => Format::Sarif,
        "github" => Format::Github,
        _ => Format::Human,
    };
    let style = Style::new()
        .with_color(color())
        .with_notes(matches.get_flag("notes"));
    let denies = optional(matches, "deny").is_some();
    let is_found = report.has_errors() || (denies && report.warnings().next().is_some());
    Ok((format::write(&report, format, style), is_found))
}

fn explain(text: &str) -> Outcome {
    let codes: Vec<Code> = Code::named(text).collect();
    if codes.is_empty() {
        let all = Code::ALL.iter().flat_map(|code| [code.id(), code.name()]);
        let near = meshroute::diagnostic::nearest(text, all);
        let near = near.map_or(String::new(), |near| format!("; did you mean `{near}`?"));
        return Err(format!("there is no code `{}`{near}", plain(text)));
    }
    let pages = codes.iter().map(|code| {
        let istioctl = match code.istioctl() {
            [] => String::new(),
            codes => format!(" (istioctl: {})", codes.join(", ")),
        };
        let page = meshroute::lint::page(*code).unwrap_or_default();
        format!(
            "{} {}{istioctl}, {}\n\n{}\n{page}",
            code.id(),
            code.name(),
            code.severity(),
            code.summary()
        )
    });
    Ok((pages.collect::<Vec<_>>().join("\n"), false))
}
