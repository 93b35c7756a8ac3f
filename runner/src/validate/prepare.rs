//! `prepare`: the step that fetches dependencies. Behind the filtering proxy where hosts are listed,
//! offline otherwise; packages' own scripts off unless they are allowed; lockfiles enforced.

mod faults;
mod lockfiles;
mod needed;

pub use needed::needs_prepare;

use holdpoint_schemas::estate::PrepareConfig;
use holdpoint_schemas::event::Event;
use holdpoint_schemas::evidence::{CheckResult, StepEnd, StepRun, Verdict};
use std::collections::BTreeSet;
use std::time::Duration;

use super::steps::SideRun;
use crate::agent::relay::behind_relay;
use crate::plan::SideRecord;
use crate::proxy::{Proxy, ProxyError, ProxyReport, ProxySettings};
use crate::sandbox::snapshot::TreeChange;
use crate::sandbox::{AGENT_PATH, ReadOnlyMount, StepSpec, WORKSPACE_DIR, WorkspaceId};
use crate::verdict::result;

const PREPARE: &str = "prepare";
/// Further tries after a fault of the network.
const MAX_RETRIES: u32 = 2;
/// Before the first further try; twice as long before the second.
const PAUSE: Duration = Duration::from_secs(1);
/// Refused hosts that a result names.
const SHOWN_HOSTS: usize = 5;

/// Package managers that aren't told wait for a network, up to a minute.
const OFFLINE: [(&str, &str); 8] = [
    ("CARGO_NET_OFFLINE", "true"),
    ("PIP_NO_INDEX", "1"),
    ("npm_config_offline", "true"),
    // With an empty cache npm looks for a later version of itself, and takes a fifth of a second to find no network.
    ("npm_config_update_notifier", "false"),
    ("YARN_ENABLE_NETWORK", "0"),
    ("UV_OFFLINE", "1"),
    ("GOPROXY", "off"),
    ("GOTOOLCHAIN", "local"),
];
/// Nobody is there to answer, and what a registry advises or sells is of no use here. `CI` makes most
/// of them take the lockfile as it is.
const UNATTENDED: [(&str, &str); 13] = [
    ("CI", "true"),
    ("PIP_NO_INPUT", "1"),
    ("PIP_DISABLE_PIP_VERSION_CHECK", "1"),
    ("npm_config_audit", "false"),
    ("npm_config_fund", "false"),
    ("npm_config_update_notifier", "false"),
    // npm takes a refusal for a fault, and would wait for minutes between its tries.
    ("npm_config_fetch_retry_mintimeout", "1000"),
    ("npm_config_fetch_retry_maxtimeout", "5000"),
    ("YARN_ENABLE_IMMUTABLE_INSTALLS", "1"),
    ("YARN_ENABLE_TELEMETRY", "0"),
    ("GIT_TERMINAL_PROMPT", "0"),
    ("GOTOOLCHAIN", "local"),
    ("DEBIAN_FRONTEND", "noninteractive"),
];
/// Packages run none of their own code while they are installed.
const NO_SCRIPTS: [(&str, &str); 7] = [
    ("npm_config_ignore_scripts", "true"),
    ("pnpm_config_ignore_scripts", "true"),
    ("YARN_ENABLE_SCRIPTS", "0"),
    ("PIP_ONLY_BINARY", ":all:"),
    ("UV_NO_BUILD", "1"),
    ("POETRY_INSTALLER_ONLY_BINARY", ":all:"),
    ("COMPOSER_NO_SCRIPTS", "1"),
];
/// A registry with a credential is asked by `http://`, also for the archives that its index names by
/// `https://` (npm's `replace-registry-host`).
const CREDENTIALS: [(&str, &str); 1] = [("npm_config_replace_registry_host", "always")];
/// Each step has a fresh `/tmp` for its home; what `prepare` fetched has to outlive it.
pub(crate) const CACHES: [(&str, &str); 7] = [
    ("CARGO_HOME", "cargo"),
    ("npm_config_cache", "npm"),
    ("XDG_CACHE_HOME", "xdg"),
    ("XDG_DATA_HOME", "data"),
    ("GOPATH", "go"),
    ("GRADLE_USER_HOME", "gradle"),
    ("YARN_GLOBAL_FOLDER", "yarn"),
];

/// The environment of a step, as far as package managers read it.
pub(super) fn environment(step: &str, config: &PrepareConfig) -> Vec<(String, String)> {
    let preparing = step == PREPARE;
    let networked = preparing && !config.hosts.is_empty();
    let parts: [(bool, &[(&str, &str)]); 4] = [
        (!networked, &OFFLINE),
        (preparing, &UNATTENDED),
        (preparing && !config.scripts, &NO_SCRIPTS),
        (networked && !config.credentials.is_empty(), &CREDENTIALS),
    ];
    parts
        .into_iter()
        .filter(|(applies, _)| *applies)
        .flat_map(|(_, variables)| variables)
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

impl SideRun<'_> {
    /// Runs `prepare`, if it is configured and needed. `change`: what a candidate changes of the baseline
    /// that its workspace starts from. Whether what comes later can run.
    pub(super) async fn prepare(&mut self, workspace: &WorkspaceId, change: Option<&TreeChange>) -> bool {
        let Some(command) = self.plan.command(PREPARE) else {
            return true;
        };
        let scripts = self.plan.prepare.scripts;
        if change.is_some_and(|change| !needs_prepare(command, scripts, change, &self.plan.baseline)) {
            self.ended(
                StepEnd::Exited { code: 0 },
                "not run again: the fix changes nothing that it reads\n",
            );
            return true;
        }
        if !self.fetch(workspace, command).await {
            return false;
        }
        let tree = self.plan.tree(self.holds);
        match lockfiles::changed(self.sandbox, workspace, tree).await {
            Ok(changed) => {
                self.record.prepared.changed_lockfiles = changed;
                self.record.prepared.changed_lockfiles.is_empty()
            }
            Err(error) => {
                self.record.steps.retain(|run| run.step != PREPARE);
                let reason = format!("the lockfiles can't be compared: {error}");
                self.ended(StepEnd::Infrastructure { reason }, "");
                false
            }
        }
    }

    /// Runs it, again where the network failed. Whether it succeeded.
    async fn fetch(&mut self, workspace: &WorkspaceId, command: &str) -> bool {
        let settings = match self.proxy_settings() {
            Ok(settings) => settings,
            Err(error) => {
                let reason = error.to_string();
                self.ended(StepEnd::Infrastructure { reason }, "");
                return false;
            }
        };
        loop {
            let mut spec = self.repo_step(PREPARE, command);
            let proxy = match settings.as_ref().map(Proxy::start).transpose() {
                Ok(proxy) => proxy,
                Err(error) => {
                    let reason = error.to_string();
                    self.ended(StepEnd::Infrastructure { reason }, "");
                    return false;
                }
            };
            if let Some(proxy) = &proxy {
                self.go_through(&mut spec, proxy);
            }
            let outcome = self.step(workspace, &spec).await;
            let report = proxy.map(|proxy| proxy.report());
            if let Some(report) = &report {
                self.note(report);
            }
            if outcome.end.is_success() {
                return true;
            }
            let fault = report.is_some_and(|report| faults::is_networks(&outcome, &report));
            if !fault || self.record.prepared.retries >= MAX_RETRIES {
                return false;
            }
            self.record.prepared.retries += 1;
            self.record.steps.retain(|run| run.step != PREPARE);
            tokio::time::sleep(PAUSE * self.record.prepared.retries).await;
        }
    }

    fn proxy_settings(&self) -> Result<Option<ProxySettings>, ProxyError> {
        let config = &self.plan.prepare;
        let networked = !config.hosts.is_empty();
        networked.then(|| ProxySettings::from_environment(config)).transpose()
    }

    fn go_through(&self, spec: &mut StepSpec, proxy: &Proxy) {
        spec.command = behind_relay(&spec.command);
        spec.proxy = Some(proxy.socket().to_owned());
        spec.mounts.push(ReadOnlyMount {
            host: self.plan.contract.agent.clone(),
            inside: AGENT_PATH.to_owned(),
        });
    }

    fn note(&mut self, report: &ProxyReport) {
        let mut hosts: BTreeSet<_> = self.record.hosts.drain(..).collect();
        hosts.extend(report.reached.iter().cloned());
        self.record.hosts = hosts.into_iter().collect();
        let refused = report.refused.iter().map(|(host, why)| format!("`{host}`: {why}"));
        let refused: BTreeSet<_> = self.record.prepared.refused.drain(..).chain(refused).collect();
        self.record.prepared.refused = refused.into_iter().collect();
        for refused in &self.record.prepared.refused {
            self.events.event(Event::Warning {
                text: format!("{}: `prepare` was refused {refused}", self.plan.subject),
            });
        }
    }

    /// Records an end without a run.
    fn ended(&mut self, end: StepEnd, tail: &str) {
        self.record.steps.push(StepRun {
            step: PREPARE.to_owned(),
            side: self.side,
            end,
            millis: 0,
            tail: tail.to_owned(),
        });
    }
}

/// The result of a `prepare` that changed a lockfile, on either side. What it fetched is then not what
/// the tree says, and another run may fetch something else.
pub(super) fn changed_lockfiles(step: &str, baseline: &SideRecord, candidate: &SideRecord) -> Option<CheckResult> {
    let (side, changed) = [baseline, candidate]
        .into_iter()
        .map(|record| (record.side, &record.prepared.changed_lockfiles))
        .find(|(_, changed)| step == PREPARE && !changed.is_empty())?;
    let first = changed.first()?;
    let mut changed_one = result(
        Verdict::Inconclusive,
        format!(
            "`prepare` changes `{first}` on the {}, so what it fetched is not what the lockfile says; {}",
            side.as_str(),
            lockfiles::advice(first)
        ),
    );
    changed_one.details = changed.iter().map(|path| format!("changed: `{path}`")).collect();
    Some(changed_one)
}

/// Adds what else is known about why a step isn't green.
pub(super) fn explain(judged: &mut CheckResult, config: &PrepareConfig, record: &SideRecord, run: &StepRun) {
    if run.end.is_success() {
        return;
    }
    if faults::asks_for_input(&run.tail) {
        judged
            .reason
            .push_str("; it seems to ask for input, and nobody is there to answer");
    }
    if run.step != PREPARE {
        return;
    }
    if config.hosts.is_empty() {
        judged
            .reason
            .push_str("; it may ask no host, since `sandbox.prepare.hosts` lists none");
    } else if !config.scripts && faults::needs_scripts(&run.tail) {
        judged.reason.push_str(
            "; a package may have to run its own code to be installed, which `sandbox.prepare.scripts` allows",
        );
    }
    let prepared = &record.prepared;
    if prepared.retries > 0 {
        judged.reason.push_str(&format!(
            "; the network failed, also when tried {} times more",
            prepared.retries
        ));
    }
    if let Some(first) = prepared.refused.first() {
        judged.reason.push_str(&format!("; the proxy refused {first}"));
        let shown = prepared.refused.iter().take(SHOWN_HOSTS);
        judged.details.extend(shown.map(|refused| format!("refused {refused}")));
    }
}

/// The folder of a cache, for the environment.
pub(crate) fn cache_folder(name: &str) -> String {
    format!("{WORKSPACE_DIR}/cache/{name}")
}

#[cfg(test)]
mod tests;
