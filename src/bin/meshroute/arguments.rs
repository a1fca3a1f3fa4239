//! The command line, its completions and its manual page.

use clap::builder::PossibleValuesParser;
use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};

use crate::Outcome;

pub(crate) fn command() -> Command {
    Command::new("meshroute")
        .version(env!("CARGO_PKG_VERSION"))
        .about("Istio traffic management on paper: checks manifests, and says where a request goes and why")
        .after_help("PATH is a file, a directory, or `-` for standard input. Exit codes: 0 nothing found, 1 findings, 2 wrong usage.\nColours are left out with NO_COLOR, and where the output is no terminal.")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(check())
        .subcommand(explain())
        .subcommand(routes())
        .subcommand(test())
        .subcommand(graph())
        .subcommand(export())
        .subcommand(
            Command::new("completions")
                .about("Writes the completions of a shell")
                .arg(Arg::new("shell").required(true).value_parser(value_parser!(clap_complete::Shell))),
        )
        .subcommand(Command::new("man").about("Writes the manual page (roff)"))
}

fn paths(command: Command) -> Command {
    command
        .arg(
            Arg::new("path")
                .value_name("PATH")
                .num_args(0..)
                .help("Files, directories, or `-`"),
        )
        .arg(
            Arg::new("namespace")
                .short('n')
                .long("namespace")
                .value_name("NS")
                .default_value("default")
                .help("The namespace of resources that name none"),
        )
        .arg(
            Arg::new("cluster-domain")
                .long("cluster-domain")
                .value_name("DOMAIN")
                .default_value("cluster.local")
                .help("The domain that completes short host names"),
        )
        .arg(
            Arg::new("assume")
                .long("assume")
                .action(ArgAction::SetTrue)
                .help("Takes services and Gateways that are named for existing"),
        )
}

fn format(command: Command, formats: &'static [&'static str]) -> Command {
    command.arg(
        Arg::new("format")
            .long("format")
            .value_parser(PossibleValuesParser::new(formats))
            .default_value(formats[0])
            .help("The form of the output"),
    )
}

fn proxy(command: Command) -> Command {
    command
        .arg(
            Arg::new("gateway")
                .long("gateway")
                .value_name("NS/NAME")
                .help("The gateway workload of this Gateway answers"),
        )
        .arg(
            Arg::new("from")
                .long("from")
                .value_name("NS[/k=v,..]")
                .conflicts_with("gateway")
                .help("A sidecar of this namespace, with these labels, answers"),
        )
}

fn check() -> Command {
    let command = Command::new("check")
        .about("Everything that there is to say about manifests before they are applied");
    format(paths(command), &["human", "json", "sarif", "github"])
        .arg(
            Arg::new("deny")
                .long("deny")
                .value_parser(["warnings"])
                .help("Warnings are findings too, for the exit code"),
        )
        .arg(
            Arg::new("allow")
                .long("allow")
                .value_name("CODE")
                .action(ArgAction::Append)
                .help("Leaves a code out: MR0305, unknown-subset or IST0101"),
        )
        .arg(
            Arg::new("notes")
                .long("notes")
                .action(ArgAction::SetTrue)
                .help("Shows the notes too"),
        )
        .arg(
            Arg::new("duplicates")
                .long("deny-duplicates")
                .action(ArgAction::SetTrue)
                .help("Two resources of one name are an error"),
        )
        .arg(
            Arg::new("explain")
                .long("explain")
                .value_name("CODE")
                .help("Says what a code means"),
        )
}

fn explain() -> Command {
    let command = Command::new("explain").about(
        "Where a request goes, and why: each rule that was tried, and who had no part in it",
    );
    proxy(format(paths(command), &["human", "json"]))
        .arg(
            Arg::new("url")
                .long("url")
                .value_name("URL")
                .required(true)
                .help("http(s)://host[:port]/path?query"),
        )
        .arg(
            Arg::new("method")
                .long("method")
                .short('X')
                .value_name("METHOD")
                .default_value("GET"),
        )
        .arg(
            Arg::new("header")
                .long("header")
                .short('H')
                .value_name("NAME: VALUE")
                .action(ArgAction::Append)
                .help("A header line of the request"),
        )
        .arg(
            Arg::new("sni").long("sni").value_name("NAME").help(
                "The server name of the TLS connection, if it is another than the URL's host",
            ),
        )
        .arg(
            Arg::new("entropy")
                .long("entropy")
                .value_name("N")
                .value_parser(value_parser!(u64))
                .default_value("0")
                .help("What splits, mirrors and faults are drawn from"),
        )
        .arg(
            Arg::new("all")
                .long("all")
                .action(ArgAction::SetTrue)
                .help("Shows every rule that was tried"),
        )
}

fn routes() -> Command {
    let command =
        Command::new("routes").about("What each proxy of the repository listens on, and routes by");
    proxy(format(paths(command), &["human", "json"]))
}

fn test() -> Command {
    let command = Command::new("test").about("Asks routing tests (`*.route.yaml`, and those of istio-config-validator), and explains what fails");
    format(paths(command), &["human", "junit"])
        .arg(Arg::new("manifests").long("manifests").value_name("PATH").action(ArgAction::Append).help("What tests are asked of whose file names no manifests"))
        .arg(Arg::new("coverage").long("coverage").action(ArgAction::SetTrue).help("Names the rules that no test came to, each with a request where one can be made"))
        .arg(Arg::new("min").long("min").value_name("PERCENT").value_parser(value_parser!(f64)).help("Fails where tests come to less than so many of the rules"))
        .arg(Arg::new("record").long("record").action(ArgAction::SetTrue).help("Writes a suite of today's answers for the manifests at PATH"))
}

fn graph() -> Command {
    let command = Command::new("graph").about(
        "Draws what someone wrote of the routes: Mermaid, DOT, or a page of HTML that stands alone",
    );
    proxy(format(paths(command), &["mermaid", "dot", "html"]))
}

fn export() -> Command {
    let command = Command::new("export")
        .about("The configuration of an Envoy with the same routing, as JSON");
    proxy(paths(command))
}

pub(crate) fn completions(matches: &ArgMatches) -> Outcome {
    let shell = matches.get_one::<clap_complete::Shell>("shell").copied();
    let shell = shell.ok_or("name a shell")?;
    let mut out = Vec::new();
    clap_complete::generate(shell, &mut command(), "meshroute", &mut out);
    Ok((String::from_utf8_lossy(&out).into_owned(), false))
}

pub(crate) fn man() -> Outcome {
    let mut out = Vec::new();
    let page = clap_mangen::Man::new(command());
    page.render(&mut out).map_err(|error| error.to_string())?;
    for subcommand in command().get_subcommands() {
        let name = format!("meshroute-{}", subcommand.get_name());
        let page = clap_mangen::Man::new(subcommand.clone().display_name(name));
        page.render(&mut out).map_err(|error| error.to_string())?;
    }
    Ok((String::from_utf8_lossy(&out).into_owned(), false))
}
