//! `meshroute export`.

use clap::ArgMatches;
use meshroute::Router;

use crate::Outcome;
use crate::input::{views, workspace};

pub(crate) fn run(matches: &ArgMatches) -> Outcome {
    let workspace = workspace(matches, false)?;
    let views = views(matches, &workspace)?;
    let view = match views.as_slice() {
        [] => return Err("there is no proxy to export".to_owned()),
        [view] => view,
        several => {
            let names: Vec<&str> = several.iter().map(|view| view.name.as_str()).collect();
            return Err(format!(
                "the repository holds several proxies: name one with `--gateway NS/NAME` or `--from NS`. There is {}",
                names.join("; ")
            ));
        }
    };
    let router = Router::compile(workspace.mesh(), &view.proxy);
    let json =
        serde_json::to_string_pretty(&router.to_envoy()).map_err(|error| error.to_string())?;
    Ok((json + "\n", false))
}
