//! `GET` from and `PUT` to a daemon's web server, for those who move files and tables over it. Plain HTTP/1.1, one
//! request a connection, on the caller's thread.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use hdfs_conf::HostPort;
use hdfs_types::{Error, ErrorKind, Result};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(60);
const READ_TIMEOUT: Duration = Duration::from_secs(60);
/// Longest line of a head, and most of them.
const MAX_LINE_BYTES: u64 = 64 << 10;
const MAX_HEADERS: usize = 200;

/// An answer whose body is still to be read.
#[derive(Debug)]
pub struct Response {
    /// 200, 404, …
    pub status: u16,
    /// `OK`, `Not Found`, …
    pub reason: String,
    headers: Vec<(String, String)>,
    stream: BufReader<TcpStream>,
}

/// Longest times to connect, and to wait for a piece of the answer; zero means that there is no limit.
pub type Limits = (Duration, Duration);

/// Asks `http://address/path`.
///
/// # Errors
/// `Connect` or `UnknownHost` when nobody listens there; `Io` when the answer is not HTTP.
pub fn get(address: &HostPort, path: &str) -> Result<Response> {
    get_within(address, path, (CONNECT_TIMEOUT, READ_TIMEOUT))
}

/// The same within these times.
///
/// # Errors
/// As [`get`].
pub fn get_within(address: &HostPort, path: &str, limits: Limits) -> Result<Response> {
    let stream = open(address, limits)?;
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: {address}\r\nAccept: */*\r\nConnection: close\r\n\r\n"
    );
    (&stream).write_all(request.as_bytes()).map_err(|error| lost(address, &error))?;
    answer(stream, address)
}

/// Sends `length` bytes to `http://address/path`, with these headers.
///
/// # Errors
/// As [`get`], or when `body` can't be read or ends early. A server may answer before it has read everything, and hang
/// up: its answer counts then.
pub fn put_within(
    address: &HostPort,
    path: &str,
    headers: &[(&str, &str)],
    (body, length): (&mut dyn Read, u64),
    limits: Limits,
) -> Result<Response> {
    let stream = open(address, limits)?;
    let mut request = format!(
        "PUT {path} HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/octet-stream\r\nContent-Length: \
         {length}\r\nConnection: close\r\n"
    );
    for (name, value) in headers {
        request.push_str(&format!("{name}: {value}\r\n"));
    }
    request.push_str("\r\n");
    let mut out = &stream;
    let mut sent = out.write_all(request.as_bytes());
    let mut left = length;
    let mut piece = vec![0; PIECE_BYTES];
    while left > 0 && sent.is_ok() {
        let wanted = piece.len().min(usize::try_from(left).unwrap_or(PIECE_BYTES));
        let read = body.read(&mut piece[..wanted])?;
        if read == 0 {
            return Err(Error::io(format!("the file to send ended {left} bytes early")));
        }
        left -= read as u64;
        sent = out.write_all(&piece[..read]);
    }
    match answer(stream, address) {
        Ok(response) => Ok(response),
        Err(error) => Err(sent.err().map_or(error, |error| lost(address, &error))),
    }
}

/// Bytes of a body that are sent at once.
const PIECE_BYTES: usize = 64 << 10;

fn open(address: &HostPort, (to_connect, to_read): Limits) -> Result<TcpStream> {
    let stream = connect(address, to_connect)?;
    let limit = Some(to_read).filter(|limit| !limit.is_zero());
    stream.set_read_timeout(limit)?;
    stream.set_write_timeout(limit)?;
    Ok(stream)
}

fn answer(stream: TcpStream, address: &HostPort) -> Result<Response> {
    let mut stream = BufReader::new(stream);
    let first = line(&mut stream, address)?;
    let mut words = first.splitn(3, ' ');
    let is_http = words.next().is_some_and(|version| version.starts_with("HTTP/1."));
    let status = words.next().and_then(|status| status.parse().ok()).filter(|_| is_http);
    let status = status.ok_or_else(|| {
        Error::io(format!("{address} does not speak HTTP: it answers {first:?}; is it a web port?"))
    })?;
    let reason = words.next().unwrap_or_default().to_owned();
    let mut headers = Vec::new();
    loop {
        let header = line(&mut stream, address)?;
        if header.is_empty() {
            break;
        }
        let (name, value) = header.split_once(':').unwrap_or((&header, ""));
        headers.push((name.trim().to_ascii_lowercase(), value.trim().to_owned()));
        if headers.len() > MAX_HEADERS {
            return Err(Error::io(format!("{address} sends more than {MAX_HEADERS} headers")));
        }
    }
    Ok(Response { status, reason, headers, stream })
}

fn connect(address: &HostPort, limit: Duration) -> Result<TcpStream> {
    let found = crate::host::resolve(&address.host, address.port)
        .map_err(|_| Error::new(ErrorKind::UnknownHost, address.host.clone()))?;
    let mut failure = None;
    for candidate in found {
        let connected = if limit.is_zero() {
            TcpStream::connect(candidate)
        } else {
            TcpStream::connect_timeout(&candidate, limit)
        };
        match connected {
            Ok(stream) => return Ok(stream),
            Err(error) => failure = Some(error),
        }
    }
    let refused = |error: &std::io::Error| error.kind() == std::io::ErrorKind::ConnectionRefused;
    Err(match failure {
        Some(error) if refused(&error) => Error::new(ErrorKind::Connect, "Connection refused"),
        Some(error) => Error::new(ErrorKind::Connect, format!("{address}: {error}")),
        None => Error::new(ErrorKind::UnknownHost, address.host.clone()),
    })
}

fn lost(address: &HostPort, error: &std::io::Error) -> Error {
    Error::io(format!("{address}: {error}"))
}

fn line(stream: &mut BufReader<TcpStream>, address: &HostPort) -> Result<String> {
    let mut line = Vec::new();
    let read = stream.by_ref().take(MAX_LINE_BYTES).read_until(b'\n', &mut line);
    read.map_err(|error| lost(address, &error))?;
    if line.pop() != Some(b'\n') {
        return Err(Error::io(format!("{address} ends its answer in the middle of a line")));
    }
    Ok(String::from_utf8_lossy(&line).trim_end().to_owned())
}

impl Response {
    /// A header's value.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(of, _)| of == name).map(|(_, value)| value.as_str())
    }

    /// Copies the body to its end; the number of bytes.
    ///
    /// # Errors
    /// When the connection breaks before the end, or `out` fails.
    pub fn copy_to(mut self, out: &mut impl Write) -> Result<u64> {
        if self
            .header("transfer-encoding")
            .is_some_and(|coding| coding.eq_ignore_ascii_case("chunked"))
        {
            return self.copy_chunks(out);
        }
        let length = self.header("content-length").and_then(|length| length.parse::<u64>().ok());
        let copied = std::io::copy(&mut self.stream.take(length.unwrap_or(u64::MAX)), out)?;
        match length {
            Some(length) if length != copied => {
                Err(Error::io(format!("the answer ends after {copied} of {length} bytes")))
            }
            _ => Ok(copied),
        }
    }

    fn copy_chunks(&mut self, out: &mut impl Write) -> Result<u64> {
        let broken = || Error::io("the answer's chunks are malformed");
        let mut total = 0;
        loop {
            let mut head = String::new();
            self.stream.by_ref().take(MAX_LINE_BYTES).read_line(&mut head)?;
            let size = head.split(';').next().unwrap_or_default().trim();
            let size = u64::from_str_radix(size, 16).map_err(|_| broken())?;
            if size == 0 {
                return Ok(total);
            }
            if std::io::copy(&mut self.stream.by_ref().take(size), out)? != size {
                return Err(broken());
            }
            total += size;
            let mut end = [0; 2];
            self.stream.read_exact(&mut end)?;
        }
    }

    /// The body as text, of no more than `limit` bytes.
    ///
    /// # Errors
    /// As [`Self::copy_to`], or when it is longer.
    pub fn text(self, limit: usize) -> Result<String> {
        let mut out = Bounded { bytes: Vec::new(), limit };
        self.copy_to(&mut out)?;
        Ok(String::from_utf8_lossy(&out.bytes).into_owned())
    }
}

struct Bounded {
    bytes: Vec<u8>,
    limit: usize,
}

impl Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        if self.bytes.len() + bytes.len() > self.limit {
            return Err(std::io::Error::other(format!(
                "the answer is longer than {} bytes",
                self.limit
            )));
        }
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    /// The answer of a server that says just this.
    fn answer_to(text: &'static str) -> Result<(u16, String)> {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = HostPort::new("127.0.0.1", listener.local_addr().expect("bound").port());
        let server = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().expect("a client");
            let mut request = [0; 1024];
            let read = stream.read(&mut request).expect("a request");
            stream.write_all(text.as_bytes()).expect("it reads");
            String::from_utf8_lossy(&request[..read]).into_owned()
        });
        let got = get(&address, "/jmx?a=b").and_then(|response| {
            let status = response.status;
            response.text(16).map(|text| (status, text))
        });
        let request = server.join().expect("the server ends");
        assert!(request.starts_with("GET /jmx?a=b HTTP/1.1\r\nHost: 127.0.0.1:"), "{request}");
        got
    }

    #[test]
    fn bodies_end_by_length_by_chunks_or_with_the_connection() {
        let of = |text| answer_to(text).expect("valid");
        assert_eq!(of("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabcdef"), (200, "abc".into()));
        assert_eq!(of("HTTP/1.0 404 Not Found\r\n\r\nabc"), (404, "abc".into()));
        let chunks = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1;x=y\r\nc\r\n0\r\n\r\n";
        assert_eq!(of(chunks), (200, "abc".into()));
    }

    #[test]
    fn cut_and_overlong_answers_are_errors() {
        for text in [
            "",
            "SSH-2.0-x\r\n",
            "HTTP/1.1 200 OK\r\nContent-Le",
            "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
            "HTTP/1.1 200 OK\r\n\r\n12345678901234567",
        ] {
            assert!(answer_to(text).is_err(), "{text:?}");
        }
    }
}
