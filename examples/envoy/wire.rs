//! HTTP/1.1 as far as both ends of an Envoy need it.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// Names and values of headers.
pub type Headers = Vec<(String, String)>;

/// An answer.
pub struct Answer {
    /// The port that it was asked from.
    pub from: u16,
    /// Its status.
    pub status: u16,
    /// Its headers.
    pub headers: Headers,
    /// Its body.
    pub body: String,
}

/// Asks on a connection of its own. `Ok(None)`: it was closed without an answer.
pub fn ask(address: SocketAddr, bytes: &[u8], is_head: bool) -> io::Result<Option<Answer>> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(Duration::from_secs(20)))?;
    let from = stream.local_addr()?.port();
    stream.write_all(bytes)?;
    let mut reader = BufReader::new(stream);
    loop {
        let (line, headers) = match read_head(&mut reader) {
            Ok(head) => head,
            Err(why) if why.kind() == io::ErrorKind::WouldBlock => return Err(why),
            Err(_) => return Ok(None),
        };
        let status = line.split(' ').nth(1).and_then(|word| word.parse().ok());
        let status: u16 = status.ok_or(io::ErrorKind::InvalidData)?;
        if status < 200 {
            continue;
        }
        let body = match is_head || status == 204 || status == 304 {
            true => String::new(),
            false => read_body(&mut reader, &headers, true)?,
        };
        return Ok(Some(Answer {
            from,
            status,
            headers,
            body,
        }));
    }
}

/// The first line and the headers.
pub fn read_head(reader: &mut impl BufRead) -> io::Result<(String, Headers)> {
    let first = read_line(reader)?;
    let mut headers = Vec::new();
    loop {
        let line = read_line(reader)?;
        match line.split_once(':') {
            Some((name, value)) => {
                headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
            }
            None => return Ok((first, headers)),
        }
    }
}

/// The body; without a length, all that comes until the end where there may be one.
pub fn read_body(
    reader: &mut impl BufRead,
    headers: &[(String, String)],
    may_end: bool,
) -> io::Result<String> {
    let find = |name: &str| headers.iter().find(|(known, _)| known == name);
    let mut bytes = Vec::new();
    if find("transfer-encoding").is_some() {
        loop {
            let line = read_line(reader)?;
            let length = u64::from_str_radix(line.trim(), 16);
            let length = length.map_err(|_| io::ErrorKind::InvalidData)?;
            reader.take(length).read_to_end(&mut bytes)?;
            read_line(reader)?;
            if length == 0 {
                break;
            }
        }
    } else if let Some((_, length)) = find("content-length") {
        let length = length.parse().map_err(|_| io::ErrorKind::InvalidData)?;
        reader.take(length).read_to_end(&mut bytes)?;
    } else if may_end {
        reader.read_to_end(&mut bytes)?;
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn read_line(reader: &mut impl BufRead) -> io::Result<String> {
    let mut line = Vec::new();
    if reader.read_until(b'\n', &mut line)? == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    let end = line.iter().rposition(|byte| !b"\r\n".contains(byte));
    line.truncate(end.map_or(0, |end| end + 1));
    Ok(String::from_utf8_lossy(&line).into_owned())
}
