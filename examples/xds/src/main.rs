//! Subscribes at a control plane and says where requests go, whenever that changes.
//!
//! ```sh
//! cargo run --manifest-path examples/xds/Cargo.toml -- http://127.0.0.1:15010 \
//!     --node router~127.0.0.1~gateway.istio-system~istio-system.svc.cluster.local --ask http://shop.example.com/cart
//! ```

use clap::Parser;
use meshroute::Request;
use meshroute_xds::{Client, Event, Options, Variant};
use tonic::transport::Endpoint;

/// An ADS client that keeps a meshroute router.
#[derive(Parser)]
struct Arguments {
    /// The control plane, in plain text: `http://istiod.istio-system:15010`
    server: Endpoint,
    /// Who asks: `sidecar~IP~POD.NAMESPACE~NAMESPACE.svc.cluster.local` or `router~...`
    #[arg(long)]
    node: String,
    /// All resources of a kind with each response, instead of what changed
    #[arg(long)]
    state_of_the_world: bool,
    /// A URL to decide by each new router
    #[arg(long)]
    ask: Vec<String>,
    /// End after the first router
    #[arg(long)]
    once: bool,
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let arguments = Arguments::parse();
    let mut options = Options::of(&arguments.node);
    if arguments.state_of_the_world {
        options.variant = Variant::StateOfTheWorld;
    }
    let mut client = Client::start(arguments.server, options);
    while let Some(event) = client.events.recv().await {
        match event {
            Event::Connected => println!("connected"),
            Event::Accepted { kind, version } => println!("accepted {kind:?} {version}"),
            Event::Rejected { kind, version, why } => {
                println!("rejected {kind:?} {version}: {why}")
            }
            Event::Disconnected { why } => println!("disconnected: {why}"),
            Event::Serving => {
                println!("serving");
                let router = client.router.borrow().clone();
                for (url, router) in arguments
                    .ask
                    .iter()
                    .filter_map(|url| Some((url, router.as_ref()?)))
                {
                    println!("  {url}: {}", router.decide(&Request::get(url), 0));
                }
                if arguments.once {
                    return;
                }
            }
        }
    }
}
