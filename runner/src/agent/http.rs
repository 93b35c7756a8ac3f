//! A small HTTP/1.1 client (RFC 9112) for one untrusted server on loopback: every size and time is
//! bounded, and what isn't plainly valid is an error.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::{Duration, Instant};
use thiserror::Error;

use super::{AgentRequest, AgentResponse, Headers};

/// Status line and headers of one response.
const MAX_HEAD_BYTES: usize = 64 << 10;
/// Body of one response: recorded contracts are about documents, not downloads.
const MAX_BODY_BYTES: usize = 1 << 20;
/// Interim (1xx) responses before the real one.
const MAX_INTERIM: usize = 8;
/// Headers that say how a message is framed or routed are ours to set.
const OWN_HEADERS: [&str; 5] = ["host", "connection", "content-length", "transfer-encoding", "expect"];

/// Why there is no answer.
#[derive(Debug, Error)]
pub(super) enum CallError {
    #[error("the recorded request can't be sent: {0}")]
    Request(&'static str),
    #[error("no answer in time")]
    TimedOut,
    #[error("the connection failed: {0}")]
    Io(io::Error),
    #[error("the answer is not valid HTTP/1.1: {0}")]
    Malformed(&'static str),
    #[error("the answer is larger than {0} bytes")]
    TooLarge(usize),
}

impl CallError {
    pub(super) fn is_time_out(&self) -> bool {
        matches!(self, Self::TimedOut)
    }
}

impl From<io::Error> for CallError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            // Which of the two a passed socket time-out gives depends on the platform.
            io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => Self::TimedOut,
            _ => Self::Io(error),
        }
    }
}

/// Sends one request on a connection of its own and reads the answer.
pub(super) fn call(port: u16, request: &AgentRequest, limit: Duration) -> Result<AgentResponse, CallError> {
    let head = request_head(port, request)?;
    let deadline = Instant::now() + limit;
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let mut stream = TcpStream::connect_timeout(&address, left(deadline)?)?;
    stream.set_write_timeout(Some(left(deadline)?))?;
    // A server may answer and close before it has read everything; the answer still counts.
    let sent = stream
        .write_all(head.as_bytes())
        .and_then(|()| stream.write_all(&request.body));
    let mut reader = Reader {
        stream,
        buffer: Vec::new(),
        at: 0,
        deadline,
    };
    match (read_response(&mut reader, request.method == "HEAD"), sent) {
        (Err(CallError::Malformed(_)), Err(error)) => Err(error.into()),
        (answer, _) => answer,
    }
}

fn left(deadline: Instant) -> Result<Duration, CallError> {
    let left = deadline.saturating_duration_since(Instant::now());
    if left.is_zero() {
        Err(CallError::TimedOut)
    } else {
        Ok(left)
    }
}

fn request_head(port: u16, request: &AgentRequest) -> Result<String, CallError> {
    let graphic = |text: &str| text.bytes().all(|byte| byte.is_ascii_graphic());
    if request.method.is_empty() || !is_token(&request.method) {
        return Err(CallError::Request("its method is no token"));
    }
    if !request.path.starts_with('/') || !graphic(&request.path) {
        return Err(CallError::Request(
            "its path must begin with `/` and be percent-encoded",
        ));
    }
    let query = match &request.query {
        Some(query) if !graphic(query) => return Err(CallError::Request("its query must be percent-encoded")),
        Some(query) if !query.is_empty() => format!("?{query}"),
        _ => String::new(),
    };
    let mut head = format!("{} {}{query} HTTP/1.1\r\n", request.method, request.path);
    head.push_str(&format!("host: 127.0.0.1:{port}\r\nconnection: close\r\n"));
    if !request.body.is_empty() || matches!(request.method.as_str(), "POST" | "PUT" | "PATCH") {
        head.push_str(&format!("content-length: {}\r\n", request.body.len()));
    }
    for (name, values) in &request.headers {
        if !is_token(name) {
            return Err(CallError::Request("the name of a header is no token"));
        }
        if OWN_HEADERS.contains(&name.to_ascii_lowercase().as_str()) {
            continue;
        }
        for value in values {
            if value.chars().any(|c| c.is_control() && c != '\t') {
                return Err(CallError::Request("the value of a header holds control characters"));
            }
            head.push_str(&format!("{name}: {value}\r\n"));
        }
    }
    head.push_str("\r\n");
    Ok(head)
}

/// A token of RFC 9110 §5.6.2.
fn is_token(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}

/// Reads with an overall deadline.
struct Reader {
    stream: TcpStream,
    buffer: Vec<u8>,
    at: usize,
    deadline: Instant,
}

impl Reader {
    /// Reads more; `false` at the end of the stream.
    fn fill(&mut self) -> Result<bool, CallError> {
        self.stream.set_read_timeout(Some(left(self.deadline)?))?;
        let mut chunk = [0; 8 << 10];
        let count = self.stream.read(&mut chunk)?;
        self.buffer.drain(..self.at);
        self.at = 0;
        self.buffer.extend_from_slice(chunk.get(..count).unwrap_or_default());
        Ok(count > 0)
    }

    fn rest(&self) -> &[u8] {
        self.buffer.get(self.at..).unwrap_or_default()
    }

    /// One line without its end, which is LF or CRLF (RFC 9112 §2.2).
    fn line(&mut self) -> Result<Vec<u8>, CallError> {
        loop {
            if let Some(end) = self.rest().iter().position(|byte| *byte == b'\n') {
                let mut line = self.rest().get(..end).unwrap_or_default().to_vec();
                self.at += end + 1;
                if line.last() == Some(&b'\r') {
                    line.pop();
                }
                return Ok(line);
            }
            if self.rest().len() > MAX_HEAD_BYTES {
                return Err(CallError::TooLarge(MAX_HEAD_BYTES));
            }
            if !self.fill()? {
                return Err(CallError::Malformed("it ends within a line"));
            }
        }
    }

    fn exactly(&mut self, count: usize, into: &mut Vec<u8>) -> Result<(), CallError> {
        if count > MAX_BODY_BYTES.saturating_sub(into.len()) {
            return Err(CallError::TooLarge(MAX_BODY_BYTES));
        }
        while self.rest().len() < count {
            if !self.fill()? {
                return Err(CallError::Malformed("it ends within the body"));
            }
        }
        into.extend_from_slice(self.rest().get(..count).unwrap_or_default());
        self.at += count;
        Ok(())
    }

    fn until_closed(&mut self, into: &mut Vec<u8>) -> Result<(), CallError> {
        loop {
            let count = self.rest().len();
            self.exactly(count, into)?;
            if !self.fill()? {
                return Ok(());
            }
        }
    }
}

fn read_response(reader: &mut Reader, head_only: bool) -> Result<AgentResponse, CallError> {
    for _ in 0..MAX_INTERIM {
        let status = status_code(&reader.line()?)?;
        let headers = read_headers(reader)?;
        if (100..200).contains(&status) {
            continue;
        }
        let bodiless = head_only || matches!(status, 204 | 304);
        let body = if bodiless {
            Vec::new()
        } else {
            read_body(reader, &headers)?
        };
        return Ok(AgentResponse { status, headers, body });
    }
    Err(CallError::Malformed("too many interim answers"))
}

fn status_code(line: &[u8]) -> Result<u16, CallError> {
    let malformed = CallError::Malformed("bad status line");
    let Some(rest) = line
        .strip_prefix(b"HTTP/1.1 ")
        .or_else(|| line.strip_prefix(b"HTTP/1.0 "))
    else {
        return Err(malformed);
    };
    let (code, reason) = rest
        .split_at_checked(3)
        .ok_or(CallError::Malformed("bad status line"))?;
    let code = std::str::from_utf8(code).ok().and_then(|code| code.parse().ok());
    match code {
        Some(code @ 100..=599) if matches!(reason.first(), None | Some(b' ')) => Ok(code),
        _ => Err(malformed),
    }
}

fn read_headers(reader: &mut Reader) -> Result<Headers, CallError> {
    let mut headers = Headers::new();
    let mut bytes = 0;
    loop {
        let line = reader.line()?;
        if line.is_empty() {
            return Ok(headers);
        }
        bytes += line.len();
        if bytes > MAX_HEAD_BYTES {
            return Err(CallError::TooLarge(MAX_HEAD_BYTES));
        }
        let text = String::from_utf8_lossy(&line);
        let (name, value) = text
            .split_once(':')
            .ok_or(CallError::Malformed("a header without a colon"))?;
        if !is_token(name) {
            return Err(CallError::Malformed("the name of a header is no token"));
        }
        headers
            .entry(name.to_ascii_lowercase())
            .or_default()
            .push(value.trim().to_owned());
    }
}

fn read_body(reader: &mut Reader, headers: &Headers) -> Result<Vec<u8>, CallError> {
    let mut body = Vec::new();
    if let Some(codings) = headers.get("transfer-encoding") {
        if !matches!(codings.as_slice(), [only] if only.eq_ignore_ascii_case("chunked")) {
            return Err(CallError::Malformed("a transfer coding other than chunked"));
        }
        loop {
            let line = reader.line()?;
            let size = line.split(|byte| *byte == b';').next().unwrap_or_default();
            let size = std::str::from_utf8(size.trim_ascii())
                .ok()
                .filter(|text| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_hexdigit()))
                .and_then(|text| usize::from_str_radix(text, 16).ok())
                .ok_or(CallError::Malformed("bad chunk size"))?;
            if size == 0 {
                read_headers(reader)?;
                return Ok(body);
            }
            reader.exactly(size, &mut body)?;
            if !reader.line()?.is_empty() {
                return Err(CallError::Malformed("a chunk is longer than it says"));
            }
        }
    }
    match headers.get("content-length").map(Vec::as_slice) {
        None => reader.until_closed(&mut body)?,
        Some([length]) if length.bytes().all(|byte| byte.is_ascii_digit()) => {
            let length = length.parse().map_err(|_| CallError::Malformed("bad content length"))?;
            reader.exactly(length, &mut body)?;
        }
        Some(_) => return Err(CallError::Malformed("bad content length")),
    }
    Ok(body)
}
