//! A small HTTP/1.1 client: one connection that is kept, one request after the other.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use crate::compiled::target;
use crate::tables::Plain;

/// A connection that is kept.
pub struct Connection {
    reader: BufReader<TcpStream>,
    line: String,
    body: Vec<u8>,
}

impl Connection {
    /// Connects.
    pub fn open(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(Duration::from_secs(30)))?;
        Ok(Connection {
            reader: BufReader::with_capacity(64 * 1024, stream),
            line: String::new(),
            body: Vec::new(),
        })
    }

    /// Writes what is to be asked.
    pub fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.reader.get_mut().write_all(bytes)
    }

    /// The status and body of the next answer.
    pub fn receive(&mut self) -> io::Result<(u16, &str)> {
        self.read_line()?;
        let status = self
            .line
            .split(' ')
            .nth(1)
            .and_then(|word| word.parse().ok());
        let status = status.ok_or_else(|| invalid("no status line"))?;
        let mut length = 0;
        loop {
            self.read_line()?;
            let Some((name, value)) = self.line.split_once(':') else {
                break;
            };
            if name.eq_ignore_ascii_case("content-length") {
                length = value.trim().parse().map_err(|_| invalid("no length"))?;
            }
        }
        self.body.resize(length, 0);
        self.reader.read_exact(&mut self.body)?;
        let body = std::str::from_utf8(&self.body).map_err(|_| invalid("not a text"))?;
        Ok((status, body))
    }

    fn read_line(&mut self) -> io::Result<()> {
        self.line.clear();
        match self.reader.read_line(&mut self.line)? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            _ => Ok(()),
        }
    }
}

fn invalid(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

/// A request for a host as it goes over the wire.
pub fn bytes(host: &str, request: &Plain) -> Vec<u8> {
    let mut text = format!("{} {} HTTP/1.1\r\n", request.method, target(request));
    text += &format!("host: {host}\r\n");
    for (name, value) in request.headers.iter().filter(|(name, _)| name != "host") {
        text += &format!("{name}: {value}\r\n");
    }
    if request.method == "POST" {
        text += "content-length: 0\r\n";
    }
    text += "\r\n";
    text.into_bytes()
}
