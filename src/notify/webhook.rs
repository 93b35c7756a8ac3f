//! HTTP POST as the Standard Webhooks specification has it (version 1.0.0): `webhook-id` is the same for every try, and
//! `webhook-signature` is HMAC-SHA256 over id, time and body, so that receivers know who speaks and drop repetitions.

use hmac::{Hmac, KeyInit as _, Mac as _};
use holdpoint_schemas::Timestamp;
use holdpoint_schemas::nightly::WebhookConfig;
use http_body_util::Full;
use hyper::body::Bytes;
use hyper::header::{CONTENT_TYPE, HOST, USER_AGENT};
use hyper::{Request, StatusCode};
use sha2::Sha256;

use super::message::Message;
use super::{Bounds, Secrets};
use crate::output::html::base64;
use crate::web::{self, Fault, Target};

/// Bytes of an answer that are read: only its status counts.
const MAX_ANSWER: usize = 64 << 10;

/// Sends a message; tries again where that may help. The error is in words, without the URL: that may be a secret.
pub async fn send(config: &WebhookConfig, message: &Message, secrets: &Secrets, bounds: Bounds) -> Result<(), String> {
    let url = match (&config.url, &config.url_env) {
        (Some(url), None) => url.as_str(),
        (None, Some(name)) => secrets.get(name)?,
        _ => return Err("it needs exactly one of `url` and `url_env`".to_owned()),
    };
    let target = Target::of(url)?;
    let key = config.secret_env.as_deref().map(|name| secrets.get(name)).transpose()?;
    let body = serde_json::to_vec(message).map_err(|error| error.to_string())?;
    let mut pause = bounds.pause;
    let mut last = String::new();
    for attempt in 0..bounds.tries {
        if attempt > 0 {
            tokio::time::sleep(pause).await;
            pause *= 2;
        }
        let request = request(&target, &message.id, &body, key, Timestamp::now())?;
        match tokio::time::timeout(bounds.time, post(&target, request)).await {
            Ok(Ok(())) => return Ok(()),
            Ok(Err(Fault::Lasting(why))) => return Err(why),
            Ok(Err(Fault::Passing(why))) => last = why,
            Err(_) => last = format!("no answer within {} s", bounds.time.as_secs()),
        }
    }
    Err(format!("{last}, {} times", bounds.tries))
}

fn request(
    target: &Target,
    id: &str,
    body: &[u8],
    key: Option<&str>,
    at: Timestamp,
) -> Result<Request<Full<Bytes>>, String> {
    let seconds = at.as_second();
    let mut request = Request::post(target.path())
        .header(HOST, target.authority())
        .header(CONTENT_TYPE, "application/json")
        .header(USER_AGENT, concat!("holdpoint/", env!("CARGO_PKG_VERSION")))
        .header("webhook-id", id)
        .header("webhook-timestamp", seconds);
    if let Some(key) = key {
        request = request.header("webhook-signature", signature(key, id, seconds, body)?);
    }
    let body = Full::new(Bytes::copy_from_slice(body));
    request.body(body).map_err(|_| "its URL can't be asked for".to_owned())
}

/// `v1,` and the base64 of HMAC-SHA256 over `id.seconds.body`. The key is the bytes of the secret as it stands.
fn signature(key: &str, id: &str, seconds: i64, body: &[u8]) -> Result<String, String> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).map_err(|_| "its key can't be used".to_owned())?;
    mac.update(format!("{id}.{seconds}.").as_bytes());
    mac.update(body);
    Ok(format!("v1,{}", base64(mac.finalize().into_bytes().as_slice())))
}

async fn post(target: &Target, request: Request<Full<Bytes>>) -> Result<(), Fault> {
    // Only the status counts; what it says isn't quoted.
    let (status, _) = web::send(target, request, MAX_ANSWER).await?;
    judge(status)
}

/// No redirect is followed: only configured URLs are told.
fn judge(status: StatusCode) -> Result<(), Fault> {
    let why = format!("it answered {}", status.as_u16());
    if status.is_success() {
        Ok(())
    } else if status.is_server_error() || matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT)
    {
        Err(Fault::Passing(why))
    } else {
        Err(Fault::Lasting(why))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_is_that_of_the_specification() {
        // Made with Python's `hmac`: b64(hmac.new(b"plJ3nmyCDGBKInavdOK15jsl", b"msg_1.1674087231.{}", "sha256")).
        let signed = signature("plJ3nmyCDGBKInavdOK15jsl", "msg_1", 1_674_087_231, b"{}").unwrap();
        assert_eq!(signed, "v1,RWciA8XzLOwt4GlAYO32f/46KZ1dWD1cpNStbmC7xiM=");
    }

    #[test]
    fn what_may_pass_is_tried_again_and_what_will_not_is_not() {
        for (status, again) in [
            (500, true),
            (503, true),
            (429, true),
            (301, false),
            (400, false),
            (401, false),
        ] {
            let fault = judge(StatusCode::from_u16(status).unwrap()).unwrap_err();
            assert_eq!(matches!(fault, Fault::Passing(_)), again, "{status}");
        }
        assert!(judge(StatusCode::NO_CONTENT).is_ok());
    }
}
