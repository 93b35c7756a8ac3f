//! The part of `holdpoint.yaml` that is about nights: when a run starts and ends, by when findings are to be
//! settled, and who is told.

use jiff::civil::DateTime;
use jiff::{Span, SpanRelativeTo};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// A length of time as people write it: `90s`, `30m`, `2h`, `7d`, `1w 2d`. A day has 24 hours, a week 7 days; months
/// and years differ in length and are refused.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Period(u64);

/// Why a text is no [`Period`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no length of time; write it as `90s`, `30m`, `2h`, `7d` or `1d 12h`")]
pub struct ParsePeriodError(String);

impl Period {
    /// A period of whole seconds.
    #[must_use]
    pub const fn of_seconds(seconds: u64) -> Self {
        Self(seconds)
    }

    /// Its seconds.
    #[must_use]
    pub const fn seconds(self) -> u64 {
        self.0
    }

    /// The same as a duration.
    #[must_use]
    pub const fn duration(self) -> Duration {
        Duration::from_secs(self.0)
    }
}

impl FromStr for Period {
    type Err = ParsePeriodError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || ParsePeriodError(text.to_owned());
        let span: Span = text.trim().parse().map_err(|_| wrong())?;
        let length = span
            .to_duration(SpanRelativeTo::days_are_24_hours())
            .map_err(|_| wrong())?;
        u64::try_from(length.as_secs()).map(Self).map_err(|_| wrong())
    }
}

impl TryFrom<String> for Period {
    type Error = ParsePeriodError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Period> for String {
    fn from(period: Period) -> Self {
        period.to_string()
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const UNITS: [(u64, &str); 4] = [(86_400, "d"), (3_600, "h"), (60, "m"), (1, "s")];
        let mut rest = self.0;
        let mut parts = Vec::new();
        for (unit, name) in UNITS {
            if rest >= unit {
                parts.push(format!("{}{name}", rest / unit));
                rest %= unit;
            }
        }
        f.pad(&if parts.is_empty() {
            "0s".to_owned()
        } else {
            parts.join(" ")
        })
    }
}

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
    pub jitter: Option<Period>,
    /// No night starts in these times.
    #[serde(default)]
    pub blackout: Vec<BlackoutConfig>,
    /// Longest time of a night's run.
    #[serde(default)]
    pub limit: Option<Period>,
    /// How late a night that was missed (the machine was off) may still start; 12 hours without.
    #[serde(default)]
    pub catch_up: Option<Period>,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_period_is_read_as_people_write_it_and_shown_in_the_same_form() {
        for (text, seconds, shown) in [
            ("90s", 90, "1m 30s"),
            ("30m", 1_800, "30m"),
            ("2h", 7_200, "2h"),
            ("7d", 604_800, "7d"),
            ("1w 2d", 777_600, "9d"),
            ("0s", 0, "0s"),
        ] {
            let period: Period = text.parse().unwrap();
            assert_eq!(
                (period.seconds(), period.to_string().as_str()),
                (seconds, shown),
                "{text}"
            );
            assert_eq!(shown.parse(), Ok(period));
        }
    }

    #[test]
    fn lengths_that_differ_and_times_before_the_start_are_refused() {
        for text in ["1 month", "1y", "-2h", "2", "", "soon", "2h!"] {
            assert!(text.parse::<Period>().is_err(), "{text}");
        }
    }
}
