//! `meshroute`: where does a request go, and is what is written meant? Every command is a function of the library.

mod arguments;
mod check;
mod explain;
mod export;
mod graph;
mod input;
mod routes;
mod test;

use std::io::Write as _;
use std::process::ExitCode;

/// Nothing found, something found, wrong usage.
const FOUND: u8 = 1;
const USAGE: u8 = 2;

fn main() -> ExitCode {
    let matches = match arguments::command().try_get_matches() {
        Ok(matches) => matches,
        Err(error) => {
            // A reader that goes away is no failure of ours.
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { USAGE } else { 0 });
        }
    };
    let outcome = match matches.subcommand() {
        Some(("check", matches)) => check::run(matches),
        Some(("explain", matches)) => explain::run(matches),
        Some(("routes", matches)) => routes::run(matches),
        Some(("graph", matches)) => graph::run(matches),
        Some(("export", matches)) => export::run(matches),
        Some(("test", matches)) => test::run(matches),
        Some(("completions", matches)) => arguments::completions(matches),
        Some(("man", _)) => arguments::man(),
        _ => Err("no such command".to_owned()),
    };
    match outcome {
        Ok((text, has_findings)) => {
            let written = std::io::stdout().lock().write_all(text.as_bytes());
            drop(written);
            ExitCode::from(if has_findings { FOUND } else { 0 })
        }
        Err(message) => {
            eprintln!("error: {}", meshroute::check::plain(&message));
            ExitCode::from(USAGE)
        }
    }
}

/// What is printed, and whether something was found; or why the command cannot be carried out.
type Outcome = Result<(String, bool), String>;
