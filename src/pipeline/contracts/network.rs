//! Files on the network that a contract refers to, from hosts that were allowed by name.

use holdpoint_contract::{Sources, Unreadable};
use http_body_util::Full;
use hyper::Request;
use hyper::body::Bytes;
use hyper::header::{ACCEPT, HOST, USER_AGENT};
use std::cell::Cell;
use std::time::{Duration, Instant};

use super::{MAX_FILE_BYTES, text};
use crate::web::{self, Target};

/// Longest time for one file.
const TIME: Duration = Duration::from_secs(30);
/// Longest time for all files of a side.
const ALL_TIME: Duration = Duration::from_secs(120);

/// The files of a side, and those on the network that it may refer to.
pub struct Network<'a> {
    /// The side's own files.
    pub own: &'a dyn Sources,
    /// Hosts that may be asked, as addresses write them: a name, or a name and a port.
    pub hosts: &'a [String],
    /// Time that was waited for answers so far.
    pub waited: Cell<Duration>,
}

impl Sources for Network<'_> {
    fn paths(&self) -> Vec<String> {
        self.own.paths()
    }

    fn links(&self) -> Vec<String> {
        self.own.links()
    }

    fn read(&self, path: &str) -> Result<String, Unreadable> {
        if !path.contains("://") {
            return self.own.read(path);
        }
        let target = Target::of(path).map_err(Unreadable::Other)?;
        let named = [target.host.as_str(), target.authority()];
        if !self
            .hosts
            .iter()
            .any(|host| named.iter().any(|name| host.eq_ignore_ascii_case(name)))
        {
            return Err(Unreadable::Network);
        }
        let left = ALL_TIME.saturating_sub(self.waited.get());
        if left.is_zero() {
            let text = format!("the answers took more than {} s together", ALL_TIME.as_secs());
            return Err(Unreadable::Other(text));
        }
        let began = Instant::now();
        let asked = async { tokio::time::timeout(TIME.min(left), fetch(&target)).await };
        let answer = tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(asked));
        self.waited.set(self.waited.get() + began.elapsed());
        match answer {
            Ok(answer) => answer.and_then(text),
            Err(_) => Err(Unreadable::Other(format!("no answer within {} s", TIME.as_secs()))),
        }
    }
}

async fn fetch(target: &Target) -> Result<Vec<u8>, Unreadable> {
    let request = Request::get(target.path())
        .header(HOST, target.authority())
        .header(USER_AGENT, concat!("holdpoint/", env!("CARGO_PKG_VERSION")))
        .header(ACCEPT, "*/*")
        .body(Full::<Bytes>::default())
        .map_err(|_| Unreadable::Other("its URL can't be asked for".to_owned()))?;
    let limit = usize::try_from(MAX_FILE_BYTES).unwrap_or(usize::MAX);
    let answer = web::send(target, request, limit).await;
    match answer.map_err(|fault| Unreadable::Other(fault.into_words()))? {
        (status, _) if !status.is_success() => Err(Unreadable::Other(format!("it answered {}", status.as_u16()))),
        (_, Some(body)) => Ok(body.to_vec()),
        (_, None) => Err(Unreadable::TooLarge { limit: MAX_FILE_BYTES }),
    }
}
