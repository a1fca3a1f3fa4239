//! `meshroute explain`.

use clap::ArgMatches;
use meshroute::terms::request::Tls;
use meshroute::{Connection, Request, Router};

use crate::Outcome;
use crate::input::{optional, text, workspace};

pub(crate) fn run(matches: &ArgMatches) -> Outcome {
    let (url, method) = (text(matches, "url"), text(matches, "method"));
    let Some((scheme, rest)) = url
        .split_once("://")
        .filter(|(scheme, _)| ["http", "https"].contains(scheme))
    else {
        return Err(format!(
            "`{url}` is no URL: write `http://host/path` or `https://host/path`"
        ));
    };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let port = match meshroute::terms::host::without_port(authority) {
        host if host.len() < authority.len() => authority[host.len() + 1..]
            .parse()
            .map_err(|_| format!("`{authority}` has no port that is a number up to 65535"))?,
        _ if scheme == "https" => 443,
        _ => 80,
    };
    let mut request = Request::new(method, url);
    for header in matches.get_many::<String>("header").unwrap_or_default() {
        let (name, value) = header
            .split_once(':')
            .ok_or_else(|| format!("`{header}` is no header: write `name: value`"))?;
        request = request.header(name.trim(), value.trim());
    }
    let workspace = workspace(matches, false)?;
    let (gateway, from) = (optional(matches, "gateway"), optional(matches, "from"));
    let view = workspace.view_for(authority, port, gateway, from, text(matches, "namespace"))?;
    let mut connection = Connection::to_port(port);
    if let Some(address) = workspace.address_of(authority, &view) {
        connection = connection.address(address);
    }
    if scheme == "https" {
        let host = meshroute::terms::host::without_port(authority);
        connection = connection
            .tls(Tls::Tls)
            .sni(optional(matches, "sni").unwrap_or(host));
    }
    let request = request.connection(connection);
    let router = Router::compile(workspace.mesh(), &view.proxy);
    let entropy = matches.get_one::<u64>("entropy").copied().unwrap_or(0);
    let explained = workspace.explain(&view, &router, &request, entropy);
    let text = match text(matches, "format") {
        "json" => serde_json::to_string_pretty(&explained).map_err(|error| error.to_string())?,
        _ if matches.get_flag("all") => format!("{explained:#}"),
        _ => explained.to_string(),
    };
    Ok((format!("{text}\n"), false))
}
