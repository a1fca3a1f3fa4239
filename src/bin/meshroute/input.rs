//! What is read, and whose view is asked for.

use std::io::Read as _;
use std::path::PathBuf;

use clap::ArgMatches;
use meshroute::Compiler;
use meshroute::check::{Input, ReadOptions, Routes, View, Workspace};

/// An argument that has a default, or an empty text.
pub(crate) fn text<'m>(matches: &'m ArgMatches, name: &str) -> &'m str {
    matches.get_one::<String>(name).map_or("", String::as_str)
}

pub(crate) fn optional<'m>(matches: &'m ArgMatches, name: &str) -> Option<&'m str> {
    matches.get_one::<String>(name).map(String::as_str)
}

pub(crate) fn workspace(
    matches: &ArgMatches,
    duplicates_are_errors: bool,
) -> Result<Workspace, String> {
    let paths: Vec<&String> = matches.get_many("path").unwrap_or_default().collect();
    if paths.is_empty() {
        return Err("name files or directories to read, or `-` for standard input".to_owned());
    }
    let mut inputs = Vec::new();
    for path in paths {
        inputs.push(match path.as_str() {
            "-" => {
                let mut read = String::new();
                let result = std::io::stdin().lock().read_to_string(&mut read);
                result.map_err(|error| format!("cannot read standard input: {error}"))?;
                Input::Text("<stdin>".to_owned(), read)
            }
            path => Input::Path(PathBuf::from(path)),
        });
    }
    let mut options = ReadOptions::default();
    options.namespace = text(matches, "namespace").to_owned();
    options.cluster_domain = text(matches, "cluster-domain").to_owned();
    options.assume = matches.get_flag("assume");
    options.duplicates_are_errors = duplicates_are_errors;
    Ok(Workspace::read(&inputs, &options))
}

/// The views that are asked for: one, or all that the repository holds.
pub(crate) fn views(matches: &ArgMatches, workspace: &Workspace) -> Result<Vec<View>, String> {
    match (optional(matches, "gateway"), optional(matches, "from")) {
        (None, None) => Ok(workspace.proxies()),
        (gateway, from) => {
            let namespace = text(matches, "namespace");
            let view = workspace.view_for("", 0, gateway, from, namespace)?;
            Ok(vec![view])
        }
    }
}

/// What each of the views that are asked for listens on, and routes by.
pub(crate) fn routes(matches: &ArgMatches) -> Result<Vec<Routes>, String> {
    let workspace = workspace(matches, false)?;
    let mut compiler = Compiler::new(workspace.mesh());
    let views = views(matches, &workspace)?.into_iter();
    Ok(views
        .map(|view| Routes::of(&view.name, &compiler.compile(&view.proxy)))
        .collect())
}

/// Whether standard output is a terminal that wants colours.
pub(crate) fn color() -> bool {
    use std::io::IsTerminal as _;
    std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
        && std::io::stdout().is_terminal()
}
