//! `meshroute test`.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use clap::ArgMatches;
use meshroute::check::{Input, ReadOptions, Workspace, plain};
use meshroute::suite::{Coverage, Outcome as Ran, Suite, junit, record};

use crate::Outcome;
use crate::input::{text, workspace};

/// Deepest directory that tests are looked for in.
const DEEPEST: usize = 64;

pub(crate) fn run(matches: &ArgMatches) -> Outcome {
    if matches.get_flag("record") {
        let paths = matches.get_many::<String>("path").unwrap_or_default();
        let paths: Vec<String> = paths.cloned().collect();
        return Ok((record(&workspace(matches, false)?, &paths), false));
    }
    let mut files = Vec::new();
    for path in matches.get_many::<String>("path").unwrap_or_default() {
        find(Path::new(path), 0, &mut files)?;
    }
    if files.is_empty() {
        return Err(
            "name files with routing tests (`*.route.yaml`), or directories that hold some"
                .to_owned(),
        );
    }
    let given: Vec<PathBuf> = matches
        .get_many::<String>("manifests")
        .unwrap_or_default()
        .map(PathBuf::from)
        .collect();
    let mut workspaces: HashMap<Vec<PathBuf>, Workspace> = HashMap::new();
    let mut ran: Vec<(Suite, Ran)> = Vec::new();
    for file in files {
        let read = std::fs::read_to_string(&file)
            .map_err(|error| format!("cannot read `{}`: {error}", file.display()))?;
        let suite = Suite::read(&file, &read)?;
        let beside = file.parent().unwrap_or(Path::new("."));
        let mut paths: Vec<PathBuf> = suite
            .manifests
            .iter()
            .map(|path| beside.join(path))
            .collect();
        if paths.is_empty() {
            paths = given.clone();
        }
        if paths.is_empty() {
            return Err(format!(
                "`{}` names no `manifests`: write them, or give `--manifests PATH`",
                file.display()
            ));
        }
        let workspace = workspaces.entry(paths.clone()).or_insert_with(|| {
            let mut options = ReadOptions::default();
            options.namespace = text(matches, "namespace").to_owned();
            options.cluster_domain = text(matches, "cluster-domain").to_owned();
            options.assume = matches.get_flag("assume");
            let inputs: Vec<Input> = paths.into_iter().map(Input::Path).collect();
            Workspace::read(&inputs, &options)
        });
        let outcome = suite.run(workspace);
        ran.push((suite, outcome));
    }
    let mut coverage = Coverage::default();
    for (_, outcome) in &ran {
        coverage.merge(outcome.coverage.clone());
    }
    let least = matches.get_one::<f64>("min").copied();
    let is_short = least.is_some_and(|least| coverage.percent() < least);
    let has_failures = ran.iter().any(|(_, outcome)| !outcome.failures.is_empty());
    let mut out = match text(matches, "format") {
        "junit" => junit(&ran),
        _ => told(&ran),
    };
    if text(matches, "format") == "human" && (matches.get_flag("coverage") || is_short) {
        let _ = writeln!(
            out,
            "coverage: {} of {} rules, {:.1} %",
            coverage.covered(),
            coverage.total(),
            coverage.percent()
        );
        for (origin, request) in coverage.uncovered() {
            let request = request.map_or(String::new(), |request| format!("   try: {request}"));
            let _ = writeln!(
                out,
                "  {}",
                plain(&format!("{origin}{request}")).replace('\n', " ")
            );
        }
    }
    Ok((out, has_failures || is_short))
}

fn find(path: &Path, depth: usize, out: &mut Vec<PathBuf>) -> Result<(), String> {
    if !path.is_dir() {
        out.push(path.to_owned());
        return Ok(());
    }
    let entries = std::fs::read_dir(path)
        .map_err(|error| format!("cannot read `{}`: {error}", path.display()))?;
    let mut entries: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    entries.sort();
    for entry in entries {
        let is_link = std::fs::symlink_metadata(&entry).is_ok_and(|meta| meta.is_symlink());
        if entry.is_dir() && !is_link && depth < DEEPEST {
            find(&entry, depth + 1, out)?;
        } else if entry.is_file() && Suite::is_named_so(&entry) {
            out.push(entry);
        }
    }
    Ok(())
}

fn told(ran: &[(Suite, Ran)]) -> String {
    let mut out = String::new();
    let (mut passed, mut failed) = (0, 0);
    for (suite, outcome) in ran {
        passed += outcome.passed.len();
        failed += outcome.failures.len();
        for failure in &outcome.failures {
            let place = match failure.line {
                0 => suite.file.display().to_string(),
                line => format!("{}:{line}", suite.file.display()),
            };
            let explanation = failure
                .explanation
                .lines()
                .map(|line| format!("    {line}\n"));
            let explanation: String = explanation.collect();
            let _ = writeln!(
                out,
                "{}\n{explanation}",
                plain(&format!(
                    "FAILED {place} {}\n  {}",
                    failure.name, failure.message
                ))
            );
        }
    }
    let _ = writeln!(out, "{passed} passed, {failed} failed");
    out
}
