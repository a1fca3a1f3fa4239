//! A control plane that says what a test wants it to say, in both protocols, and notes what it is answered.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex};

use envoy_types::pb::envoy::service::discovery::v3::aggregated_discovery_service_server::{
    AggregatedDiscoveryService, AggregatedDiscoveryServiceServer,
};
use envoy_types::pb::envoy::service::discovery::v3::{
    DeltaDiscoveryRequest, DeltaDiscoveryResponse, DiscoveryRequest, DiscoveryResponse, Resource,
};
use envoy_types::pb::google::protobuf::Any;
use meshroute_xds::types::{self, KINDS, Kind};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};
use tokio_stream::Stream;
use tokio_stream::wrappers::{ReceiverStream, TcpListenerStream};
use tonic::{Request, Response, Status, Streaming};

/// What a client has said.
#[derive(Clone, Debug, PartialEq)]
pub enum Said {
    Asked(Kind, BTreeSet<String>),
    Knew(Kind, usize),
    Acknowledged(Kind),
    Refused(Kind, String),
}

#[derive(Default)]
struct World {
    resources: BTreeMap<(Kind, String), (u64, Vec<u8>)>,
    said: Vec<Said>,
}

/// The control plane. Clones are the same one.
#[derive(Clone)]
pub struct StandIn {
    world: Arc<Mutex<World>>,
    generation: watch::Sender<u64>,
    /// The order in which kinds are told of.
    order: [Kind; 4],
}

impl StandIn {
    pub fn new(order: [Kind; 4]) -> Self {
        StandIn {
            world: Arc::default(),
            generation: watch::channel(1).0,
            order,
        }
    }

    /// Changes resources, all at once, and tells of it. `None` removes.
    pub fn set(&self, changes: impl IntoIterator<Item = (Kind, String, Option<Vec<u8>>)>) {
        let generation = *self.generation.borrow() + 1;
        let mut world = self.world.lock().unwrap();
        for (kind, name, bytes) in changes {
            match bytes {
                Some(bytes) => world.resources.insert((kind, name), (generation, bytes)),
                None => world.resources.remove(&(kind, name)),
            };
        }
        drop(world);
        self.generation.send_replace(generation);
    }

    /// Plays a dump of what istiod sends.
    pub fn play(&self, dump: &Value) {
        let mut changes = Vec::new();
        for (kind, list, name) in [
            (Kind::Cluster, "clusters", "name"),
            (Kind::Endpoints, "endpoints", "clusterName"),
            (Kind::Listener, "listeners", "name"),
            (Kind::Routes, "routes", "name"),
        ] {
            for resource in dump[list].as_array().into_iter().flatten() {
                let resource = without_unknown(resource.clone());
                let bytes = types::from_json(kind, &resource)
                    .unwrap_or_else(|why| panic!("{why}: {resource}"));
                let name = resource[name].as_str().unwrap_or_default().to_owned();
                changes.push((kind, name, Some(bytes)));
            }
        }
        self.set(changes);
    }

    pub fn said(&self) -> Vec<Said> {
        self.world.lock().unwrap().said.clone()
    }

    fn note(&self, said: Said) {
        self.world.lock().unwrap().said.push(said);
    }

    /// Listens, in a runtime of its own; dropped, that ends with all its streams.
    pub async fn listen(&self, at: SocketAddr) -> (SocketAddr, Running) {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let service = AggregatedDiscoveryServiceServer::new(self.clone());
        let (tell, told) = tokio::sync::oneshot::channel();
        runtime.spawn(async move {
            let listener = loop {
                match TcpListener::bind(at).await {
                    Ok(listener) => break listener,
                    // The port of a server that has just ended.
                    Err(_) => tokio::time::sleep(std::time::Duration::from_millis(20)).await,
                }
            };
            tell.send(listener.local_addr().unwrap()).unwrap();
            tonic::transport::Server::builder()
                .add_service(service)
                .serve_with_incoming(TcpListenerStream::new(listener))
                .await
                .unwrap();
        });
        (told.await.unwrap(), Running(Some(runtime)))
    }
}

/// A control plane that runs.
pub struct Running(Option<tokio::runtime::Runtime>);

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

/// Istio's own filters, of types that Envoy's API does not have, as a `Struct`.
fn without_unknown(value: Value) -> Value {
    match value {
        Value::Object(fields) => {
            let url = fields
                .get("@type")
                .and_then(Value::as_str)
                .map(str::to_owned);
            if let Some(url) = url.filter(|url| !types::is_known(url)) {
                return serde_json::json!({"@type": "type.googleapis.com/google.protobuf.Struct", "value": {"typeUrl": url}});
            }
            let fields = fields.into_iter();
            fields
                .map(|(name, field)| (name, without_unknown(field)))
                .collect()
        }
        Value::Array(list) => list.into_iter().map(without_unknown).collect(),
        other => other,
    }
}

type Answers<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

#[tonic::async_trait]
impl AggregatedDiscoveryService for StandIn {
    type StreamAggregatedResourcesStream = Answers<DiscoveryResponse>;
    type DeltaAggregatedResourcesStream = Answers<DeltaDiscoveryResponse>;

    async fn stream_aggregated_resources(
        &self,
        request: Request<Streaming<DiscoveryRequest>>,
    ) -> Result<Response<Self::StreamAggregatedResourcesStream>, Status> {
        let (send, answers) = mpsc::channel(64);
        let (own, mut requests) = (self.clone(), request.into_inner());
        let mut changes = self.generation.subscribe();
        tokio::spawn(async move {
            let mut asked: BTreeMap<Kind, BTreeSet<String>> = BTreeMap::new();
            loop {
                let due: Vec<Kind> = tokio::select! {
                    request = requests.message() => {
                        let Ok(Some(request)) = request else { return };
                        let kind = Kind::of_type_url(&request.type_url).expect("a kind");
                        let names: BTreeSet<String> = request.resource_names.into_iter().collect();
                        let is_new = asked.get(&kind) != Some(&names);
                        match request.error_detail {
                            Some(error) => own.note(Said::Refused(kind, error.message)),
                            None if !is_new => own.note(Said::Acknowledged(kind)),
                            None => own.note(Said::Asked(kind, names.clone())),
                        }
                        asked.insert(kind, names);
                        if is_new { vec![kind] } else { Vec::new() }
                    }
                    changed = changes.changed() => {
                        if changed.is_err() { return }
                        own.order.into_iter().filter(|kind| asked.contains_key(kind)).collect()
                    }
                };
                for kind in due {
                    let names = &asked[&kind];
                    let (version, resources) = {
                        let world = own.world.lock().unwrap();
                        let all = world.resources.iter();
                        let of_kind = all.filter(|((of, name), _)| {
                            *of == kind && (kind.is_wildcard() || names.contains(name))
                        });
                        let any = |bytes: &Vec<u8>| Any {
                            type_url: kind.type_url(),
                            value: bytes.clone(),
                        };
                        let resources: Vec<Any> =
                            of_kind.map(|(_, (_, bytes))| any(bytes)).collect();
                        (own.generation.borrow().to_string(), resources)
                    };
                    let response = DiscoveryResponse {
                        nonce: format!("{kind:?}-{version}"),
                        version_info: version,
                        resources,
                        type_url: kind.type_url(),
                        ..DiscoveryResponse::default()
                    };
                    if send.send(Ok(response)).await.is_err() {
                        return;
                    }
                }
            }
        });
        Ok(Response::new(Box::pin(ReceiverStream::new(answers))))
    }

    async fn delta_aggregated_resources(
        &self,
        request: Request<Streaming<DeltaDiscoveryRequest>>,
    ) -> Result<Response<Self::DeltaAggregatedResourcesStream>, Status> {
        let (send, answers) = mpsc::channel(64);
        let (own, mut requests) = (self.clone(), request.into_inner());
        let mut changes = self.generation.subscribe();
        tokio::spawn(async move {
            let mut asked: BTreeMap<Kind, BTreeSet<String>> = BTreeMap::new();
            let mut told: BTreeMap<(Kind, String), String> = BTreeMap::new();
            loop {
                let due: Vec<Kind> = tokio::select! {
                    request = requests.message() => {
                        let Ok(Some(request)) = request else { return };
                        let kind = Kind::of_type_url(&request.type_url).expect("a kind");
                        let known = request.initial_resource_versions;
                        if !known.is_empty() {
                            own.note(Said::Knew(kind, known.len()));
                            told.extend(known.into_iter().map(|(name, version)| ((kind, name), version)));
                        }
                        match (request.error_detail, request.response_nonce.is_empty()) {
                            (Some(error), _) => own.note(Said::Refused(kind, error.message)),
                            (None, false) => own.note(Said::Acknowledged(kind)),
                            (None, true) => {
                                let names = asked.entry(kind).or_default();
                                for name in request.resource_names_unsubscribe {
                                    names.remove(&name);
                                    told.remove(&(kind, name));
                                }
                                names.extend(request.resource_names_subscribe);
                                own.note(Said::Asked(kind, names.clone()));
                            }
                        }
                        if asked.contains_key(&kind) { vec![kind] } else { Vec::new() }
                    }
                    changed = changes.changed() => {
                        if changed.is_err() { return }
                        own.order.into_iter().filter(|kind| asked.contains_key(kind)).collect()
                    }
                };
                for kind in due {
                    let names = &asked[&kind];
                    let (resources, removed) = {
                        let world = own.world.lock().unwrap();
                        let is_wanted = |name: &String| kind.is_wildcard() || names.contains(name);
                        let mut resources = Vec::new();
                        for ((of, name), (version, bytes)) in &world.resources {
                            let version = version.to_string();
                            if *of == kind
                                && is_wanted(name)
                                && told.get(&(kind, name.clone())) != Some(&version)
                            {
                                told.insert((kind, name.clone()), version.clone());
                                resources.push(Resource {
                                    name: name.clone(),
                                    version,
                                    resource: Some(Any {
                                        type_url: kind.type_url(),
                                        value: bytes.clone(),
                                    }),
                                    ..Resource::default()
                                });
                            }
                        }
                        let gone: Vec<(Kind, String)> = told
                            .keys()
                            .filter(|key| key.0 == kind && !world.resources.contains_key(*key))
                            .cloned()
                            .collect();
                        gone.iter().for_each(|key| drop(told.remove(key)));
                        let removed: Vec<String> = gone.into_iter().map(|(_, name)| name).collect();
                        (resources, removed)
                    };
                    if resources.is_empty() && removed.is_empty() {
                        continue;
                    }
                    let response = DeltaDiscoveryResponse {
                        nonce: "n".to_owned(),
                        system_version_info: own.generation.borrow().to_string(),
                        resources,
                        removed_resources: removed,
                        type_url: kind.type_url(),
                        ..DeltaDiscoveryResponse::default()
                    };
                    if send.send(Ok(response)).await.is_err() {
                        return;
                    }
                }
            }
        });
        Ok(Response::new(Box::pin(ReceiverStream::new(answers))))
    }
}

/// An order that Envoy's documents advise against.
pub const ODD: [Kind; 4] = [Kind::Routes, Kind::Listener, Kind::Endpoints, Kind::Cluster];
/// The order that they advise.
pub const ADVISED: [Kind; 4] = KINDS;
