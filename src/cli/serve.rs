//! `holdpoint serve`

use anyhow::{Context, Result};
use holdpoint_schemas::Timestamp;
use holdpoint_schemas::event::EventSink;
use holdpoint_schemas::nightly::ScheduleConfig;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use super::run::{agent, conclude, tell_failure};
use super::{Global, print_line};
use crate::exit_code::ExitCode;
use crate::failure::BadInput;
use crate::output::night::NightWords;
use crate::output::summary::Summary;
use crate::pipeline::estate::{CONFIG_FILE, config};
use crate::pipeline::night::{Nights, nights_of, record_failure};
use crate::pipeline::run::{RunOptions, RunResult, run as run_pipeline};
use crate::pipeline::sharing::assist;
use crate::pipeline::state::Held;
use crate::pipeline::window::Window;
use crate::server::health::Health;
use crate::server::schedule::{Night, Schedule};
use crate::server::{End, Numbers, SystemClock, Work, serve};

pub async fn run(global: &Global) -> Result<ExitCode> {
    if global.at.is_some() {
        return Err(BadInput::new(
            "`serve` runs by the machine's clock and takes no `--at`",
            "decide as of another moment with `holdpoint run --at`",
        )
        .into());
    }
    let (root, config) = config(&global.estate)?;
    let Some(settings) = &config.schedule else {
        return Err(BadInput::new(
            format!("`{CONFIG_FILE}` has no `schedule`"),
            "add one, for example `schedule: {cron: \"30 2 * * *\", time_zone: Europe/Berlin}`",
        )
        .into());
    };
    let schedule = Schedule::compile(settings, &config.name)?;
    let health = Health::default();
    if let Some(address) = &settings.listen {
        let listener = Health::listen(address).await?;
        print_line(&format!("health: http://{}/healthz", listener.local_addr()?))?;
        tokio::spawn(health.clone().answer_all(listener));
    }
    let Some(next) = schedule.next(Timestamp::now()) else {
        return Err(BadInput::new(
            format!("the `schedule` of `{CONFIG_FILE}` has no night ahead"),
            "look at its `cron`: a day that never comes, or a blackout over all of them",
        )
        .into());
    };
    print_line(&format!("next run: {}", next.starts))?;
    let stop = stop_on_signal()?;
    let work = Estate {
        root,
        settings: settings.clone(),
        events: global.events(),
        stop: stop.clone(),
    };
    serve(&SystemClock, &schedule, &work, &health, stop.clone()).await;
    // Whoever keeps it running must hear that there is nothing more to run.
    let asked_to = *stop.borrow();
    Ok(if asked_to { ExitCode::Success } else { ExitCode::Failed })
}

/// Turns true with the first SIGTERM or Ctrl-C.
fn stop_on_signal() -> Result<watch::Receiver<bool>> {
    let (sender, receiver) = watch::channel(false);
    let mut interrupt = signal(SignalKind::interrupt()).context("listening to interrupts")?;
    let mut terminate = signal(SignalKind::terminate()).context("listening to SIGTERM")?;
    tokio::spawn(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        let _ = sender.send(true);
        // Kept open: nobody may take its end for a stop.
        sender.closed().await;
    });
    Ok(receiver)
}

/// The estate that is served.
struct Estate {
    root: PathBuf,
    settings: ScheduleConfig,
    events: Arc<dyn EventSink>,
    stop: watch::Receiver<bool>,
}

impl Work for Estate {
    fn nights(&self) -> Result<Nights> {
        nights_of(&self.root)
    }

    async fn run(&self, night: Night, now: Timestamp) -> End {
        let limit = self.settings.limit.map(|limit| limit.duration());
        let window = Window::starting(limit);
        let watched = window.clone();
        let mut stop = self.stop.clone();
        let watch = tokio::spawn(async move {
            if stop.wait_for(|stopped| *stopped).await.is_ok() {
                watched.stop();
            }
        });
        let end = self.night(night, now, window).await;
        watch.abort();
        end
    }
}

impl Estate {
    async fn night(&self, night: Night, now: Timestamp, window: Window) -> End {
        let agent = match agent() {
            Ok(agent) => agent,
            Err(error) => return End::Failed(format!("{error:#}")),
        };
        let assistant = agent.clone();
        let options = RunOptions {
            at: now,
            only: Vec::new(),
            dry_run: false,
            validate: true,
            compare_ci: false,
            skip_checks: Vec::new(),
            agent,
            window,
            night: Some(night.id),
        };
        let ran = run_pipeline(&self.root, &options, Arc::clone(&self.events)).await;
        let concluded = match ran {
            Ok(mut result) => self.conclude(&mut result).await,
            Err(error) => Err(error),
        };
        match concluded {
            Ok(numbers) => End::Done(numbers),
            Err(error) if error.chain().any(|cause| cause.is::<Held>()) => {
                tracing::info!("the night waits: {error:#}");
                self.help(&assistant).await;
                End::Busy
            }
            Err(error) => {
                eprintln!("{}", crate::failure::render(&error, super::Format::Human));
                for problem in tell_failure(&self.root, now, &error).await {
                    eprintln!("warning: {problem}");
                }
                let root = self.root.clone();
                if let Err(error) = on_ledger(move || record_failure(&root, night.id, now)).await {
                    tracing::warn!("that the night failed couldn't be recorded: {error:#}");
                }
                End::Failed(format!("{error:#}"))
            }
        }
    }

    /// Tests fixes for the host that has the night, where the ledger is shared.
    async fn help(&self, agent: &Path) {
        let is_shared = config(&self.root).is_ok_and(|(_, config)| config.ledger.postgres.is_some());
        if !is_shared {
            return;
        }
        let (events, stop) = (Arc::clone(&self.events), self.stop.clone());
        match assist(&self.root, agent, Duration::ZERO, events, stop).await {
            Ok(assisted) => tracing::info!(assisted.validated, "assisted the run of another host"),
            Err(error) => tracing::warn!("the run of another host could not be assisted: {error:#}"),
        }
    }

    async fn conclude(&self, result: &mut RunResult) -> Result<Numbers> {
        let concluded = conclude(&self.root, result).await?;
        for problem in &result.problems {
            eprintln!(
                "{}",
                crate::failure::render(&problem.clone().into(), super::Format::Human)
            );
        }
        let report = &result.report;
        let summary = Summary::of(report);
        let words = NightWords::of(report).headline(&summary);
        print_line(&format!("{}: {words}; {}", report.at, report_line(&concluded.folder)))?;
        Ok(Numbers {
            levels: [summary.alert, summary.suggest, summary.auto_apply],
            merged: summary.merged,
            not_reached: report.night.not_reached.len(),
            breached: report.night.times.breaches.len(),
            unsent: concluded.unsent.len(),
        })
    }
}

fn report_line(folder: &Path) -> String {
    format!("report: {}", folder.join("report.html").display())
}

async fn on_ledger(work: impl FnOnce() -> Result<()> + Send + 'static) -> Result<()> {
    crate::pipeline::session::blocking(work).await
}
