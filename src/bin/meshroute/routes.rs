//! `meshroute routes`.

use clap::ArgMatches;

use crate::Outcome;
use crate::input::{routes, text};

pub(crate) fn run(matches: &ArgMatches) -> Outcome {
    let all = routes(matches)?;
    let text = match text(matches, "format") {
        "json" => serde_json::to_string_pretty(&all).map_err(|error| error.to_string())? + "\n",
        _ => all.iter().map(ToString::to_string).collect(),
    };
    Ok((text, false))
}
