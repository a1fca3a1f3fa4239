//! The two protocols of ADS, and a client that speaks them for as long as somebody looks at its router.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use envoy_types::pb::envoy::config::core::v3::Node;
use envoy_types::pb::envoy::service::discovery::v3::aggregated_discovery_service_client::AggregatedDiscoveryServiceClient;
use envoy_types::pb::envoy::service::discovery::v3::{
    DeltaDiscoveryRequest, DeltaDiscoveryResponse, DiscoveryRequest, DiscoveryResponse,
};
use envoy_types::pb::google::rpc::Status;
use meshroute::Router;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep, sleep_until};
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::{Channel, Endpoint};
use tonic::{Response, Streaming};

use crate::table::{Change, Table};
use crate::types::{KINDS, Kind};

/// Which of the two protocols.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Variant {
    /// Each response has all resources of its kind.
    StateOfTheWorld,
    /// Each response has what changed.
    #[default]
    Delta,
}

/// How to subscribe.
#[derive(Clone, Debug)]
pub struct Options {
    /// Who asks. istiod reads `id` as `sidecar~IP~POD.NAMESPACE~NAMESPACE.svc.DOMAIN` or `router~...`.
    pub node: Node,
    /// The protocol.
    pub variant: Variant,
    /// How long resources that are named, and do not come, are waited for.
    pub initial_fetch_timeout: Duration,
    /// The first pause before the server is called again; it doubles up to `longest_pause`.
    pub shortest_pause: Duration,
    /// The longest pause.
    pub longest_pause: Duration,
}

impl Options {
    /// As an Envoy does it, for a node with this id.
    pub fn of(id: &str) -> Self {
        Options {
            node: Node {
                id: id.to_owned(),
                ..Node::default()
            },
            variant: Variant::default(),
            initial_fetch_timeout: Duration::from_secs(15),
            shortest_pause: Duration::from_millis(500),
            longest_pause: Duration::from_secs(30),
        }
    }
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A stream is open.
    Connected,
    /// A response holds, and the server was told so.
    Accepted {
        /// Its kind.
        kind: Kind,
        /// The server's version.
        version: String,
    },
    /// A response was refused, and the server was told why: what held before goes on to hold.
    Rejected {
        /// Its kind.
        kind: Kind,
        /// The server's version.
        version: String,
        /// What is wrong with it.
        why: String,
    },
    /// A new router serves.
    Serving,
    /// The stream has ended; the last router goes on to serve.
    Disconnected {
        /// What the transport says.
        why: String,
    },
}

/// An ADS client at work. Dropped, it ends.
#[derive(Debug)]
pub struct Client {
    /// The router that serves; `None` until there is one.
    pub router: watch::Receiver<Option<Router>>,
    /// What happens. Whoever reads too slowly misses the latest.
    pub events: mpsc::Receiver<Event>,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Client {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Client {
    /// Subscribes at `server`, and does so again whenever the stream ends. Within a Tokio runtime.
    pub fn start(server: Endpoint, options: Options) -> Self {
        let (publish, router) = watch::channel(None);
        let (tell, events) = mpsc::channel(EVENTS);
        let mut session = Session {
            table: Table::default(),
            options,
            publish,
            tell,
        };
        let task = tokio::spawn(async move { session.run(server).await });
        Client {
            router,
            events,
            task,
        }
    }
}

struct Session {
    table: Table,
    options: Options,
    publish: watch::Sender<Option<Router>>,
    tell: mpsc::Sender<Event>,
}

/// What a stream has said of a kind.
#[derive(Default)]
struct Said {
    /// The version of the last response that holds.
    version: String,
    nonce: String,
    /// What was asked for.
    names: BTreeSet<String>,
    has_asked: bool,
}

type Said4 = BTreeMap<Kind, Said>;

type Ads = AggregatedDiscoveryServiceClient<Channel>;

/// The two streams under one hat.
trait Protocol: Default + Send {
    type Request: Send + 'static;
    type Response: Send;

    /// Opens its stream.
    fn open(
        client: Ads,
        requests: ReceiverStream<Self::Request>,
    ) -> impl Future<Output = Result<Response<Streaming<Self::Response>>, tonic::Status>> + Send;

    /// What is asked first of a kind; `None`: nothing is wanted of it yet.
    fn first(&mut self, kind: Kind, table: &Table) -> Option<Self::Request>;
    /// What is asked where other resources are wanted than were.
    fn again(&mut self, kind: Kind, table: &Table) -> Option<Self::Request>;
    /// A response: kind, version, nonce, change.
    fn change(&self, response: Self::Response) -> Result<(Kind, String, String, Change), String>;
    /// The answer to a response.
    fn answer(
        &mut self,
        kind: Kind,
        version: &str,
        nonce: String,
        error: Option<Status>,
    ) -> Self::Request;
    /// The same request with who asks.
    fn with_node(request: Self::Request, node: &Node) -> Self::Request;
}

#[derive(Default)]
struct StateOfTheWorld {
    said: Said4,
}

impl Protocol for StateOfTheWorld {
    type Request = DiscoveryRequest;
    type Response = DiscoveryResponse;

    async fn open(
        mut client: Ads,
        requests: ReceiverStream<DiscoveryRequest>,
    ) -> Result<Response<Streaming<DiscoveryResponse>>, tonic::Status> {
        client.stream_aggregated_resources(requests).await
    }

    fn first(&mut self, kind: Kind, table: &Table) -> Option<DiscoveryRequest> {
        let names = table.wanted(kind);
        if !kind.is_wildcard() && names.is_empty() {
            return None;
        }
        let said = self.said.entry(kind).or_default();
        said.names = names;
        said.has_asked = true;
        Some(DiscoveryRequest {
            type_url: kind.type_url(),
            resource_names: said.names.iter().cloned().collect(),
            ..DiscoveryRequest::default()
        })
    }

    fn again(&mut self, kind: Kind, table: &Table) -> Option<DiscoveryRequest> {
        let said = self.said.entry(kind).or_default();
        if !said.has_asked {
            return self.first(kind, table);
        }
        let names = table.wanted(kind);
        // No name at all would ask for all there are.
        if kind.is_wildcard() || names.is_empty() || names == said.names {
            return None;
        }
        said.names = names;
        Some(DiscoveryRequest {
            type_url: kind.type_url(),
            version_info: said.version.clone(),
            response_nonce: said.nonce.clone(),
            resource_names: said.names.iter().cloned().collect(),
            ..DiscoveryRequest::default()
        })
    }

    fn change(
        &self,
        response: DiscoveryResponse,
    ) -> Result<(Kind, String, String, Change), String> {
        let kind = kind_of(&response.type_url)?;
        let version = response.version_info;
        let put = response.resources.into_iter();
        let change = Change {
            kind,
            put: put.map(|any| (version.clone(), any.value)).collect(),
            removed: Vec::new(),
            replaces_all: kind.is_wildcard(),
        };
        Ok((kind, version, response.nonce, change))
    }

    fn answer(
        &mut self,
        kind: Kind,
        version: &str,
        nonce: String,
        error: Option<Status>,
    ) -> DiscoveryRequest {
        let said = self.said.entry(kind).or_default();
        said.nonce = nonce.clone();
        if error.is_none() {
            said.version = version.to_owned();
        }
        DiscoveryRequest {
            version_info: said.version.clone(),
            type_url: kind.type_url(),
            resource_names: said.names.iter().cloned().collect(),
            response_nonce: nonce,
            error_detail: error,
            ..DiscoveryRequest::default()
        }
    }

    fn with_node(request: DiscoveryRequest, node: &Node) -> DiscoveryRequest {
        DiscoveryRequest {
            node: Some(node.clone()),
            ..request
        }
    }
}

#[derive(Default)]
struct Delta {
    said: Said4,
}

impl Protocol for Delta {
    type Request = DeltaDiscoveryRequest;
    type Response = DeltaDiscoveryResponse;

    async fn open(
        mut client: Ads,
        requests: ReceiverStream<DeltaDiscoveryRequest>,
    ) -> Result<Response<Streaming<DeltaDiscoveryResponse>>, tonic::Status> {
        client.delta_aggregated_resources(requests).await
    }

    fn first(&mut self, kind: Kind, table: &Table) -> Option<DeltaDiscoveryRequest> {
        let names = table.wanted(kind);
        if !kind.is_wildcard() && names.is_empty() {
            return None;
        }
        let said = self.said.entry(kind).or_default();
        said.names = names;
        said.has_asked = true;
        let held = table.versions(kind);
        Some(DeltaDiscoveryRequest {
            type_url: kind.type_url(),
            resource_names_subscribe: said.names.iter().cloned().collect(),
            initial_resource_versions: held
                .map(|(name, version)| (name.to_owned(), version.to_owned()))
                .collect(),
            ..DeltaDiscoveryRequest::default()
        })
    }

    fn again(&mut self, kind: Kind, table: &Table) -> Option<DeltaDiscoveryRequest> {
        let said = self.said.entry(kind).or_default();
        if !said.has_asked {
            return self.first(kind, table);
        }
        let names = table.wanted(kind);
        if kind.is_wildcard() || names == said.names {
            return None;
        }
        let request = DeltaDiscoveryRequest {
            type_url: kind.type_url(),
            resource_names_subscribe: names.difference(&said.names).cloned().collect(),
            resource_names_unsubscribe: said.names.difference(&names).cloned().collect(),
            ..DeltaDiscoveryRequest::default()
        };
        said.names = names;
        Some(request)
    }

    fn change(
        &self,
        response: DeltaDiscoveryResponse,
    ) -> Result<(Kind, String, String, Change), String> {
        let kind = kind_of(&response.type_url)?;
        let put = response.resources.into_iter();
        let change = Change {
            kind,
            put: put
                .map(|resource| {
                    (
                        resource.version,
                        resource.resource.unwrap_or_default().value,
                    )
                })
                .collect(),
            removed: response.removed_resources,
            replaces_all: false,
        };
        Ok((kind, response.system_version_info, response.nonce, change))
    }

    fn answer(
        &mut self,
        kind: Kind,
        _: &str,
        nonce: String,
        error: Option<Status>,
    ) -> DeltaDiscoveryRequest {
        DeltaDiscoveryRequest {
            type_url: kind.type_url(),
            response_nonce: nonce,
            error_detail: error,
            ..DeltaDiscoveryRequest::default()
        }
    }

    fn with_node(request: DeltaDiscoveryRequest, node: &Node) -> DeltaDiscoveryRequest {
        DeltaDiscoveryRequest {
            node: Some(node.clone()),
            ..request
        }
    }
}

fn kind_of(type_url: &str) -> Result<Kind, String> {
    Kind::of_type_url(type_url).ok_or_else(|| format!("`{type_url}` was not asked for"))
}

/// So many events wait for whoever reads them.
const EVENTS: usize = 1024;
/// So many requests wait for the transport.
const QUEUE: usize = 64;
/// gRPC's `INVALID_ARGUMENT`.
const INVALID_ARGUMENT: i32 = 3;
/// A control plane sends large messages: as much as an Envoy takes.
const LONGEST_MESSAGE: usize = 1 << 30;

impl Session {
    async fn run(&mut self, server: Endpoint) {
        let mut pause = self.options.shortest_pause;
        loop {
            let opened = Instant::now();
            let why = match self.options.variant {
                Variant::StateOfTheWorld => self.talk::<StateOfTheWorld>(&server).await,
                Variant::Delta => self.talk::<Delta>(&server).await,
            };
            let why = why
                .err()
                .unwrap_or_else(|| "the server has ended the stream".to_owned());
            self.tell(Event::Disconnected { why });
            // A stream that has held for a while is no sign of a server that is down.
            if opened.elapsed() > self.options.longest_pause {
                pause = self.options.shortest_pause;
            }
            sleep(pause).await;
            pause = (pause * 2).min(self.options.longest_pause);
        }
    }

    async fn client(&self, server: &Endpoint) -> Result<Ads, String> {
        let channel = server.connect().await.map_err(|why| all_of(&why))?;
        Ok(Ads::new(channel).max_decoding_message_size(LONGEST_MESSAGE))
    }

    /// One stream, to its end.
    async fn talk<P: Protocol>(&mut self, server: &Endpoint) -> Result<(), String> {
        let client = self.client(server).await?;
        let (send, requests) = mpsc::channel(QUEUE);
        let mut protocol = P::default();
        self.ask_first(&mut protocol, &send).await?;
        let opened = P::open(client, ReceiverStream::new(requests)).await;
        let mut responses = opened.map_err(|status| status.to_string())?.into_inner();
        self.tell(Event::Connected);
        let mut waiting = Box::pin(sleep_until(self.patience()));
        loop {
            tokio::select! {
                response = responses.message() => {
                    let Some(response) = response.map_err(|status| status.to_string())? else { return Ok(()) };
                    if self.take(&mut protocol, response, &send).await? {
                        waiting.as_mut().reset(self.patience());
                    }
                }
                () = &mut waiting, if self.table.is_warming() => self.stop_warming(),
            }
        }
    }

    fn patience(&self) -> Instant {
        Instant::now() + self.options.initial_fetch_timeout
    }

    async fn ask_first<P: Protocol>(
        &self,
        protocol: &mut P,
        send: &mpsc::Sender<P::Request>,
    ) -> Result<(), String> {
        let mut node = Some(&self.options.node);
        for kind in KINDS {
            if let Some(request) = protocol.first(kind, &self.table) {
                let request = match node.take() {
                    Some(node) => P::with_node(request, node),
                    None => request,
                };
                self.send(send, request).await?;
            }
        }
        Ok(())
    }

    async fn send<T>(&self, send: &mpsc::Sender<T>, request: T) -> Result<(), String> {
        send.send(request)
            .await
            .map_err(|_| "the stream is closed".to_owned())
    }

    /// Takes a response in and answers it; whether it began to wait for something.
    async fn take<P: Protocol>(
        &mut self,
        protocol: &mut P,
        response: P::Response,
        send: &mpsc::Sender<P::Request>,
    ) -> Result<bool, String> {
        let was_warming = self.table.is_warming();
        let (kind, version, nonce, change) = protocol.change(response)?;
        let error = match self.table.apply(&change) {
            Ok(()) => {
                self.tell(Event::Accepted {
                    kind,
                    version: version.clone(),
                });
                if !self.table.is_warming() {
                    self.serve();
                }
                None
            }
            Err(refusal) => {
                let why = refusal.to_string();
                self.tell(Event::Rejected {
                    kind,
                    version: version.clone(),
                    why: why.clone(),
                });
                Some(Status {
                    code: INVALID_ARGUMENT,
                    message: why,
                    ..Status::default()
                })
            }
        };
        let answer = protocol.answer(kind, &version, nonce, error);
        self.send(send, answer).await?;
        for kind in KINDS {
            if let Some(request) = protocol.again(kind, &self.table) {
                self.send(send, request).await?;
            }
        }
        Ok(!was_warming && self.table.is_warming())
    }

    fn stop_warming(&mut self) {
        self.table.stop_warming();
        self.serve();
    }

    fn serve(&self) {
        if let Some(router) = self.table.router() {
            self.publish.send_replace(Some(router.clone()));
            self.tell(Event::Serving);
        }
    }

    fn tell(&self, event: Event) {
        // Nobody has to listen.
        let _ = self.tell.try_send(event);
    }
}

/// An error with all that caused it.
fn all_of(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text.push_str(&format!(": {inner}"));
        cause = inner.source();
    }
    text
}
