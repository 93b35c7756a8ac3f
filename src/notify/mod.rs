//! Telling people of a run: by webhook, by e-mail. What can't be sent is a warning of the run, never its failure.
//!
//! Secrets come from the environment, by names that the estate's config gives; they are in no message, log, report or
//! ledger, and no error of a server is quoted that could echo one.

mod mail;
mod message;
mod webhook;

use holdpoint_schemas::nightly::{NotifyConfig, NotifyWhen};
use std::collections::BTreeMap;
use std::time::Duration;

pub use message::Message;

/// What a run came to, as far as `when:` asks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Gist {
    /// Something waits for a person.
    pub held: bool,
    /// It failed, was cut at its limit, or couldn't use an input.
    pub failed: bool,
    /// Something differs from the run before, or there was none.
    pub changed: bool,
}

impl Gist {
    /// Of what everybody is told whatever they asked for.
    pub const ALARM: Self = Self {
        held: true,
        failed: true,
        changed: true,
    };

    /// Whether somebody is told.
    #[must_use]
    pub const fn asks_for(self, when: NotifyWhen) -> bool {
        match when {
            NotifyWhen::Always => true,
            NotifyWhen::Held => self.held,
            NotifyWhen::Failed => self.failed,
            NotifyWhen::Changed => self.changed || self.failed,
        }
    }
}

/// Bounds of sending.
#[derive(Debug, Clone, Copy)]
struct Bounds {
    /// For one try, all in all.
    time: Duration,
    /// Tries.
    tries: u32,
    /// Before the second try; doubled before each further one.
    pause: Duration,
}

/// A receiver that doesn't answer in this time costs the run no more than 35 seconds.
const BOUNDS: Bounds = Bounds {
    time: Duration::from_secs(10),
    tries: 3,
    pause: Duration::from_secs(1),
};

/// The variables of this process that a config names.
#[derive(Clone, Default)]
pub struct Secrets(BTreeMap<String, String>);

impl Secrets {
    /// Reads the variables that the config names.
    #[must_use]
    pub fn from_environment(config: &[NotifyConfig]) -> Self {
        let mut names = Vec::new();
        for notify in config {
            names.extend(notify.webhook.iter().flat_map(|hook| [&hook.url_env, &hook.secret_env]));
            names.extend(notify.email.iter().map(|mail| &mail.password_env));
        }
        let read = |name: &Option<String>| Some((name.clone()?, std::env::var(name.as_ref()?).ok()?));
        Self(names.into_iter().filter_map(read).collect())
    }

    /// One of them.
    fn get(&self, name: &str) -> Result<&str, String> {
        let value = self
            .0
            .get(name)
            .map(|value| value.trim())
            .filter(|value| !value.is_empty());
        value.ok_or_else(|| format!("the environment variable `{name}` isn't set"))
    }
}

/// Tells everybody whom the config names, one after another. What went wrong comes back in words, one line each.
pub async fn tell(config: &[NotifyConfig], gist: Gist, message: &Message, secrets: &Secrets) -> Vec<String> {
    tell_within(config, gist, message, secrets, BOUNDS).await
}

async fn tell_within(
    config: &[NotifyConfig],
    gist: Gist,
    message: &Message,
    secrets: &Secrets,
    bounds: Bounds,
) -> Vec<String> {
    let mut problems = Vec::new();
    for notify in config.iter().filter(|notify| gist.asks_for(notify.when)) {
        if let Some(hook) = &notify.webhook
            && let Err(why) = webhook::send(hook, message, secrets, bounds).await
        {
            problems.push(format!("a webhook wasn't told of this run: {why}"));
        }
        if let Some(email) = &notify.email
            && let Err(why) = mail::send(email, message, secrets, bounds).await
        {
            problems.push(format!("no e-mail was sent by `{}`: {why}", email.server));
        }
        if notify.webhook.is_none() && notify.email.is_none() {
            problems.push("an entry of `notify` in `holdpoint.yaml` has neither `webhook` nor `email`".to_owned());
        }
    }
    problems
}

#[cfg(test)]
mod tests;
