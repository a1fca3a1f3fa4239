//! `meshroute graph`.

use clap::ArgMatches;
use meshroute::Compiler;
use meshroute::check::{Routes, graph};

use crate::Outcome;
use crate::input::{text, views, workspace};

pub(crate) fn run(matches: &ArgMatches) -> Outcome {
    let workspace = workspace(matches, false)?;
    let mut compiler = Compiler::new(workspace.mesh());
    let all: Vec<Routes> = views(matches, &workspace)?
        .iter()
        .map(|view| Routes::of(&view.name, &compiler.compile(&view.proxy)))
        .collect();
    let drawn = match text(matches, "format") {
        "dot" => graph::dot(&all),
        "html" => graph::html(&all),
        _ => graph::mermaid(&all),
    };
    Ok((drawn, false))
}
