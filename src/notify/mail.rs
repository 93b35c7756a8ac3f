//! E-mail by SMTP: TLS from the first byte, or `STARTTLS` that must succeed; in the clear to loopback only.

use holdpoint_schemas::nightly::{EmailConfig, MailTls};
use lettre::message::{Mailbox, MultiPart};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Tls, TlsParameters};
use lettre::{AsyncSmtpTransport, AsyncTransport as _, Message as Mail, Tokio1Executor};

use super::message::Message;
use super::{Bounds, Secrets};
use crate::web::is_loopback;

/// Receivers of one message.
const MAX_RECEIVERS: usize = 50;

type Transport = AsyncSmtpTransport<Tokio1Executor>;

/// Sends a message. The error is in words, and quotes nothing that the server says: that could echo what it was sent.
pub async fn send(config: &EmailConfig, message: &Message, secrets: &Secrets, bounds: Bounds) -> Result<(), String> {
    let mail = mail(config, message)?;
    let transport = transport(config, secrets, bounds)?;
    // A try that broke off after the body may have been taken: no second one.
    match tokio::time::timeout(bounds.time, transport.send(mail)).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) => Err(words(&error)),
        Err(_) => Err(format!("no answer within {} s", bounds.time.as_secs())),
    }
}

fn words(error: &lettre::transport::smtp::Error) -> String {
    if let Some(code) = error.status() {
        return format!("the server answered {code}");
    }
    let kinds = [
        (error.is_tls(), "no TLS with the server"),
        (error.is_timeout(), "no answer in time"),
        (error.is_client(), "the server doesn't offer what is needed"),
        (error.is_response(), "the server's answer can't be read"),
    ];
    let kind = kinds.iter().find(|(is_it, _)| *is_it);
    kind.map_or("the server can't be reached", |(_, words)| words)
        .to_owned()
}

fn mail(config: &EmailConfig, message: &Message) -> Result<Mail, String> {
    let address =
        |text: &str| -> Result<Mailbox, String> { text.parse().map_err(|_| format!("`{text}` is no address")) };
    if config.to.is_empty() || config.to.len() > MAX_RECEIVERS {
        return Err(format!("`to` needs 1 to {MAX_RECEIVERS} addresses"));
    }
    let mut mail = Mail::builder()
        .from(address(&config.from)?)
        .subject(&message.subject)
        .message_id(Some(format!("<{}@holdpoint.invalid>", message.id)));
    for receiver in &config.to {
        mail = mail.to(address(receiver)?);
    }
    let html = message.html().map_err(|error| error.to_string())?;
    mail.multipart(MultiPart::alternative_plain_html(message.text(), html))
        .map_err(|_| "the message can't be written".to_owned())
}

fn transport(config: &EmailConfig, secrets: &Secrets, bounds: Bounds) -> Result<Transport, String> {
    let (host, port) = match config.server.rsplit_once(':') {
        Some((host, port)) if !host.ends_with(':') => {
            let port = port.parse().map_err(|_| format!("`{}` has no port", config.server))?;
            (host, Some(port))
        }
        _ => (config.server.as_str(), None),
    };
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    if config.tls == MailTls::None && !is_loopback(host) {
        return Err("`tls: none` is for a server on loopback only".to_owned());
    }
    let parameters = || TlsParameters::new(bare.to_owned()).map_err(|_| "no TLS can be set up".to_owned());
    let (tls, usual) = match config.tls {
        MailTls::Starttls => (Tls::Required(parameters()?), 587),
        MailTls::Tls => (Tls::Wrapper(parameters()?), 465),
        MailTls::None => (Tls::None, 25),
    };
    let mut transport = Transport::builder_dangerous(bare)
        .port(port.unwrap_or(usual))
        .tls(tls)
        .timeout(Some(bounds.time));
    match (&config.user, &config.password_env) {
        (Some(user), Some(name)) => {
            let password = secrets.get(name)?.to_owned();
            transport = transport.credentials(Credentials::new(user.clone(), password));
        }
        (None, None) => {}
        _ => return Err("`user` and `password_env` go together".to_owned()),
    }
    Ok(transport.build())
}
