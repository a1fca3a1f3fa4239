//! `meshroute routes`.

use clap::ArgMatches;
use meshroute::Compiler;
use meshroute::check::Routes;

use crate::Outcome;
use crate::input::{text, views, workspace};

pub(crate) fn run(matches: &ArgMatches) -> Outcome {
    let workspace = workspace(matches, false)?;
    let mut compiler = Compiler::new(workspace.mesh());
    let all: Vec<Routes> = views(matches, &workspace)?
        .iter()
        .map(|view| Routes::of(&view.name, &compiler.compile(&view.proxy)))
        .collect();
    let text = match text(matches, "format") {
        "json" => serde_json::to_string_pretty(&all).map_err(|error| error.to_string())? + "\n",
        _ => all.iter().map(ToString::to_string).collect(),
    };
    Ok((text, false))
}
