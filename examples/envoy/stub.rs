//! What stands behind every cluster: a server that notes what arrives, and says which cluster that was.

use std::collections::HashMap;
use std::io::{self, BufReader, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};

use crate::wire;

/// A request as it arrived.
pub struct Arrival {
    /// At which cluster.
    pub cluster: String,
    /// Its target.
    pub path: String,
    /// Name and value, as they came.
    pub headers: Vec<(String, String)>,
}

/// A server on the loopback, with an address for each cluster.
pub struct Stub {
    port: u16,
    clusters: Arc<Mutex<HashMap<IpAddr, String>>>,
    arrivals: Arc<Mutex<Vec<Arrival>>>,
}

impl Stub {
    /// Starts it; it runs until the process ends.
    pub fn start() -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::UNSPECIFIED, 0))?;
        let stub = Stub {
            port: listener.local_addr()?.port(),
            clusters: Arc::default(),
            arrivals: Arc::default(),
        };
        let (clusters, arrivals) = (stub.clusters.clone(), stub.arrivals.clone());
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (clusters, arrivals) = (clusters.clone(), arrivals.clone());
                // A client that goes away ends its connection: nobody needs to know.
                std::thread::spawn(move || answer(stream, &clusters, &arrivals).ok());
            }
        });
        Ok(stub)
    }

    /// Gives each of these clusters an address, and forgets those of before.
    pub fn stand_for<'n>(
        &self,
        names: impl Iterator<Item = &'n str>,
    ) -> HashMap<String, SocketAddr> {
        let mut clusters = self.clusters.lock().unwrap_or_else(PoisonError::into_inner);
        clusters.clear();
        let mut out = HashMap::new();
        for (number, name) in (1u16..).zip(names) {
            let [high, low] = number.to_be_bytes();
            let address = IpAddr::from([127, 88, high, low]);
            clusters.insert(address, name.to_owned());
            out.insert(name.to_owned(), SocketAddr::new(address, self.port));
        }
        out
    }

    /// What arrived since this was asked last, without the copies that mirrors get.
    pub fn arrived(&self) -> Vec<Arrival> {
        let mut arrivals = self.arrivals.lock().unwrap_or_else(PoisonError::into_inner);
        let is_copy = |arrival: &Arrival| {
            arrival.headers.iter().any(|(name, value)| {
                let host = value.rsplit_once(':').map_or(&**value, |(host, _)| host);
                name == "host" && (host.ends_with("-shadow") || value.ends_with("-shadow"))
            })
        };
        let mut all = std::mem::take(&mut *arrivals);
        all.retain(|arrival| !is_copy(arrival));
        all
    }
}

fn answer(
    stream: TcpStream,
    clusters: &Mutex<HashMap<IpAddr, String>>,
    arrivals: &Mutex<Vec<Arrival>>,
) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let called = stream.local_addr()?.ip();
    let mut reader = BufReader::new(stream);
    loop {
        let (line, headers) = wire::read_head(&mut reader)?;
        wire::read_body(&mut reader, &headers, false)?;
        let mut words = line.splitn(2, ' ');
        let method = words.next().unwrap_or_default();
        let rest = words.next().unwrap_or_default();
        let path = rest.rsplit_once(' ').map_or(rest, |(path, _)| path);
        let clusters = clusters.lock().unwrap_or_else(PoisonError::into_inner);
        let cluster = clusters.get(&called).cloned().unwrap_or_default();
        drop(clusters);
        let body = match method {
            "HEAD" => String::new(),
            _ => format!("{cluster} got {line}\n"),
        };
        let answer = format!(
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nx-oracle-backend: {cluster}\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        let arrival = Arrival {
            cluster,
            path: path.to_owned(),
            headers,
        };
        arrivals
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(arrival);
        reader.get_mut().write_all(answer.as_bytes())?;
    }
}
