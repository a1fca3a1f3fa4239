//! The targets of the project as one table: each figure a ratio between two things that were measured in turns in the
//! same run. `cargo bench --bench ratios [-- PART...]`, parts: hosts, rules, decide, servers, hostile, pick, build, compile, update,
//! changes, sidecars, plot; see `README.md`.

#[path = "tables/compiled.rs"]
mod compiled;
#[path = "tables/doors.rs"]
mod doors;
#[path = "ratios/measure.rs"]
mod measure;
#[path = "ratios/on_changes.rs"]
mod on_changes;
#[path = "ratios/on_compile.rs"]
mod on_compile;
#[path = "ratios/on_hosts.rs"]
mod on_hosts;
#[path = "ratios/on_router.rs"]
mod on_router;
#[path = "ratios/on_rules.rs"]
mod on_rules;
#[path = "ratios/on_servers.rs"]
mod on_servers;
#[path = "ratios/on_update.rs"]
mod on_update;
#[path = "ratios/plot.rs"]
mod plot;
#[path = "tables/mod.rs"]
mod tables;

use measure::Report;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let is_test = arguments.iter().any(|argument| argument == "--test");
    let parts: Vec<&str> = arguments
        .iter()
        .map(String::as_str)
        .filter(|argument| !argument.starts_with("--"))
        .collect();
    let wants = |part: &str| parts.is_empty() || parts.contains(&part);
    let mut report = Report::new(is_test);
    if wants("hosts") {
        on_hosts::measure(&mut report);
    }
    if wants("rules") {
        on_rules::realistic(&mut report);
        on_rules::paths(&mut report);
    }
    if wants("decide") {
        on_router::decide(&mut report);
        on_router::parts(&mut report);
    }
    if wants("servers") {
        on_servers::measure(&mut report);
    }
    if wants("hostile") {
        on_rules::hostile(&mut report);
    }
    if wants("pick") {
        on_hosts::pick(&mut report);
    }
    if wants("build") {
        on_rules::build(&mut report);
        on_hosts::build(&mut report);
    }
    if wants("update") {
        on_update::measure(&mut report);
    }
    if wants("changes") {
        on_changes::measure(&mut report);
    }
    if wants("sidecars") {
        on_changes::sidecars(&mut report);
    }
    if wants("compile") {
        on_compile::measure(&mut report);
    }
    if wants("plot") && !is_test {
        plot::write(&mut report);
    }
}
