//! `meshroute graph`.

use clap::ArgMatches;
use meshroute::check::graph;

use crate::Outcome;
use crate::input::{routes, text};

pub(crate) fn run(matches: &ArgMatches) -> Outcome {
    let all = routes(matches)?;
    let drawn = match text(matches, "format") {
        "dot" => graph::dot(&all),
        "html" => graph::html(&all),
        _ => graph::mermaid(&all),
    };
    Ok((drawn, false))
}
