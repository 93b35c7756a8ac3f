//! The part of `holdpoint.yaml` that is about nights: when a run starts and ends, by when findings are to be
//! settled, and who is told.

use jiff::civil::DateTime;
use serde::{Deserialize, Serialize};

use crate::length::{Length, positive_if_any};

/// When `holdpoint serve` runs by itself, and for how long at most.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScheduleConfig {
    /// When: five fields, minute, hour, day of month, month and day of week, as `crontab(5)` has them.
    pub cron: String,
    /// IANA name of the zone that `cron` and `blackout` are in.
    #[serde(default = "utc")]
    pub time_zone: String,
    /// A night starts up to this much later, by an amount that is drawn from the estate's name and the night: several
    /// estates of one company don't start in one second, and one estate starts at the same time whoever asks.
    #[serde(default)]
    pub jitter: Option<Length>,
    /// No night starts in these times.
    #[serde(default)]
    pub blackout: Vec<BlackoutConfig>,
    /// Longest time of a night's run.
    #[serde(default, deserialize_with = "positive_if_any")]
    pub limit: Option<Length>,
    /// How late a night that was missed (the machine was off) may still start; 12 hours without.
    #[serde(default)]
    pub catch_up: Option<Length>,
    /// Address on loopback of the health page and the metrics, for example `127.0.0.1:9464`; none without.
    #[serde(default)]
    pub listen: Option<String>,
}

fn utc() -> String {
    "UTC".to_owned()
}

/// A time in which no night starts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BlackoutConfig {
    /// First moment, in the schedule's time zone: `2026-12-20` or `2026-12-20T18:00`.
    pub from: DateTime,
    /// First moment after it.
    pub to: DateTime,
    /// Why, for people.
    #[serde(default)]
    pub reason: Option<String>,
}

/// When somebody is told of a run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NotifyWhen {
    /// After every run.
    Always,
    /// When something waits for a person.
    Held,
    /// When the run failed, was cut at its limit, or couldn't use an input.
    Failed,
    /// When something differs from the run before, and whenever it failed.
    #[default]
    Changed,
}

/// Who is told of a run, and how. One of `webhook` and `email`, or both.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NotifyConfig {
    /// When.
    #[serde(default)]
    pub when: NotifyWhen,
    /// A message to a URL.
    #[serde(default)]
    pub webhook: Option<WebhookConfig>,
    /// A message by e-mail.
    #[serde(default)]
    pub email: Option<EmailConfig>,
}

/// A message as JSON by HTTP POST. `https`, or `http` to loopback.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WebhookConfig {
    /// Where to.
    #[serde(default)]
    pub url: Option<String>,
    /// Environment variable that holds the URL, where the URL itself is a secret.
    #[serde(default)]
    pub url_env: Option<String>,
    /// Environment variable that holds the key of the signature; unsigned without.
    #[serde(default)]
    pub secret_env: Option<String>,
}

/// How a mail server is spoken to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MailTls {
    /// In the clear until `STARTTLS`, which must succeed (RFC 3207); port 587 without one.
    #[default]
    Starttls,
    /// TLS from the first byte (RFC 8314); port 465 without one.
    Tls,
    /// In the clear, to a server on loopback only; port 25 without one.
    None,
}

/// A message by SMTP.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EmailConfig {
    /// Server: `host` or `host:port`.
    pub server: String,
    /// How it is spoken to.
    #[serde(default)]
    pub tls: MailTls,
    /// Sender, for example `Holdpoint <holdpoint@example.com>`.
    pub from: String,
    /// Who gets it.
    pub to: Vec<String>,
    /// User, where the server asks for one.
    #[serde(default)]
    pub user: Option<String>,
    /// Environment variable that holds the user's password.
    #[serde(default)]
    pub password_env: Option<String>,
}
