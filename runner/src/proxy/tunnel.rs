//! `CONNECT`: bytes both ways, once the TLS handshake has named the host that was asked for.

use hyper::body::Incoming;
use hyper::upgrade::OnUpgrade;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::OwnedSemaphorePermit;

use super::address;
use super::allow::{Host, Refusal, Target, target};
use super::hello;
use super::meter::Metered;
use super::server::{Body, Denial, Shared, check_host_header, empty};

/// For the first message of the TLS handshake.
const HELLO_TIME: Duration = Duration::from_secs(30);

pub(super) async fn open(
    shared: &Arc<Shared>,
    slot: Arc<OwnedSemaphorePermit>,
    mut request: Request<Incoming>,
) -> Result<Response<Body>, Denial> {
    let authority = request.uri().authority().ok_or(Refusal::NoTarget)?;
    let asked = target(authority.as_str(), None)?;
    check_host_header(&request, &asked)?;
    let permit = shared.allow.permit(&asked)?;
    let upstream = address::connect(&asked, permit)
        .await
        .map_err(Denial::unreached(&asked))?;
    let upgrade = hyper::upgrade::on(&mut request);
    let serving = Arc::clone(shared);
    shared.spawn(async move {
        let upstream = Metered::new(upstream, Arc::clone(&serving.budget));
        let idle = upstream.idle(serving.bounds.idle);
        tokio::select! {
            () = carry(&serving, asked, upgrade, upstream) => {}
            () = idle => {}
        }
        drop(slot);
    });
    Ok(Response::new(empty()))
}

async fn carry(shared: &Shared, asked: Target, upgrade: OnUpgrade, mut upstream: Metered<TcpStream>) {
    let Ok(upgraded) = upgrade.await else {
        return;
    };
    let mut client = TokioIo::new(upgraded);
    let first = match tokio::time::timeout(HELLO_TIME, first_bytes(&mut client, &asked.host)).await {
        Ok(Ok(Some(first))) => first,
        Ok(Err(why)) => {
            shared.names.refused(&asked.to_string(), &why);
            return;
        }
        // It said nothing: no name to record, and nothing sent.
        Ok(Ok(None)) | Err(_) => return,
    };
    shared.names.reached(&asked);
    if upstream.write_all(&first).await.is_ok() {
        // Either side's end is an end; what each of them makes of it is its own matter.
        let _ = tokio::io::copy_bidirectional(&mut client, &mut upstream).await;
    }
}

/// The bytes up to the whole first message of a handshake with this host. `None`: the client went away.
async fn first_bytes(client: &mut (impl AsyncRead + Unpin), host: &Host) -> Result<Option<Vec<u8>>, Refusal> {
    let mut bytes = Vec::new();
    loop {
        match client.read_buf(&mut bytes).await {
            Ok(0) | Err(_) => return Ok(None),
            Ok(_) if hello::names(&bytes, host)? => return Ok(Some(bytes)),
            Ok(_) => {}
        }
    }
}
