//! One run, and the fault that comes with its n-th event.

use rustix::process::{Pid, Signal, kill_process};
use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::estate::{Estate, Judged};
use crate::plan::{Asked, Backend, Candidate, Fault, Plan};
use crate::world::World;

/// A run takes seconds, and some more while it waits for what has gone away.
const PATIENCE: Duration = Duration::from_secs(150);
/// Between two looks at what happens.
const LOOK: Duration = Duration::from_micros(500);
/// Where the local sandbox has its workspaces.
const SLOTS: &str = "/var/lib/holdpoint/sandbox/slots";

/// How a disturbed run ended.
pub enum Ended {
    /// With verdicts.
    Judged(Judged),
    /// Without; how.
    Failed(String),
    /// By a signal, after it has cleaned up.
    Stopped,
    /// Not at all.
    Hung,
}

/// What happens in a sandbox, counted: the engine's own events, or folders that come to be.
pub struct Events {
    seen: Arc<AtomicUsize>,
    over: Arc<AtomicBool>,
    engine: Option<Child>,
    counting: Option<JoinHandle<()>>,
}

impl Events {
    pub fn of(backend: Backend) -> Self {
        let seen = Arc::new(AtomicUsize::new(0));
        let over = Arc::new(AtomicBool::new(false));
        let mut engine = None;
        let count = Arc::clone(&seen);
        let counting = match backend {
            Backend::Docker => {
                let mut events = Command::new("docker")
                    .arg("events")
                    .stdout(Stdio::piped())
                    .stderr(Stdio::null())
                    .spawn()
                    .unwrap();
                let lines = BufReader::new(events.stdout.take().unwrap()).lines();
                engine = Some(events);
                std::thread::spawn(move || {
                    lines.map_while(Result::ok).for_each(|_| {
                        count.fetch_add(1, Ordering::SeqCst);
                    });
                })
            }
            Backend::Local => {
                let over = Arc::clone(&over);
                std::thread::spawn(move || {
                    let mut known = BTreeSet::new();
                    while !over.load(Ordering::SeqCst) {
                        below(Path::new(SLOTS), 2, &mut known);
                        count.store(known.len(), Ordering::SeqCst);
                        std::thread::sleep(LOOK);
                    }
                })
            }
        };
        Self {
            seen,
            over,
            engine,
            counting: Some(counting),
        }
    }

    pub fn seen(&self) -> usize {
        self.seen.load(Ordering::SeqCst)
    }
}

impl Drop for Events {
    fn drop(&mut self) {
        self.over.store(true, Ordering::SeqCst);
        if let Some(engine) = &mut self.engine {
            let _ = engine.kill();
            let _ = engine.wait();
        }
        let _ = self.counting.take().unwrap().join();
    }
}

/// Adds the names in a folder, and so many levels further down.
fn below(folder: &Path, levels: usize, known: &mut BTreeSet<PathBuf>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if levels > 1 && path.is_dir() {
            below(&path, levels - 1, known);
        }
        known.insert(path);
    }
}

/// A run under a fault, and whether it lasted until its fault.
pub fn disturbed(world: &mut World, estate: &Estate, plan: &Plan) -> (Ended, bool) {
    if plan.at == 0 {
        // What it keeps is what is lost.
        if let Err(why) = undisturbed(estate, plan.asked, plan.candidate, None) {
            return (Ended::Failed(why), false);
        }
    }
    let events = Events::of(plan.backend);
    let spared = plan.fault == Fault::StepsStarved;
    let mut reached = false;
    if plan.at == 0 {
        reached = true;
        world.lose_baselines();
    }
    let mut run = Run::start(estate.command(plan.asked, plan.candidate, !spared));
    let deadline = Instant::now() + PATIENCE;
    let status = loop {
        if let Some(status) = run.child.try_wait().unwrap() {
            break status;
        }
        if !reached && events.seen() >= plan.at {
            reached = true;
            strike(world, &run, plan.fault);
        }
        if Instant::now() > deadline {
            run.child.kill().unwrap();
            run.child.wait().unwrap();
            estate.keep(&run.said());
            // Memory just enough to live and too little for the program's own pages: the kernel reads them in again and
            // again, and kills nobody. That is the machine's standstill; what counts is the run after it.
            let ended = match plan.fault {
                Fault::Starved => Ended::Failed("at a standstill for want of memory".to_owned()),
                _ => Ended::Hung,
            };
            return (ended, reached);
        }
        std::thread::sleep(LOOK);
    };
    let said = run.said();
    let ended = match estate.judged(plan.asked, status) {
        Some(judged) => Ended::Judged(judged),
        // The exit status of a clean end by SIGTERM; the signal itself comes before there is anything to clean.
        None if status.code() == Some(143) && !said.iter().any(|line| line.contains("in time")) => Ended::Stopped,
        None => Ended::Failed(format!("{status}, {}", last(&said))),
    };
    world.repair();
    estate.keep(&said);
    (ended, reached)
}

fn strike(world: &mut World, run: &Run, fault: Fault) {
    let signal = |signal| kill_process(Pid::from_child(&run.child), signal).unwrap();
    match fault {
        Fault::Killed => signal(Signal::KILL),
        Fault::Terminated => signal(Signal::TERM),
        Fault::EngineKilled => world.engine.kill_and_start(),
        Fault::EngineRestarted => world.engine.restart(),
        Fault::DiskFull => world.fill_disk(),
        Fault::Starved => world.starve(1),
        // Enough for a container to start, but not for what the tests take.
        Fault::StepsStarved => world.starve(16),
        Fault::BaselineLost => unreachable!("it comes before the run"),
    }
}

/// A run that nothing disturbs.
///
/// # Errors
/// When it doesn't end with verdicts; how it ended.
pub fn undisturbed(
    estate: &Estate,
    asked: Asked,
    candidate: Candidate,
    events: Option<&Events>,
) -> Result<Judged, String> {
    // Subscribed before anything happens.
    if events.is_some_and(|events| events.engine.is_some()) {
        std::thread::sleep(Duration::from_millis(200));
    }
    let mut run = Run::start(estate.command(asked, candidate, true));
    let deadline = Instant::now() + PATIENCE;
    let status: ExitStatus = loop {
        if let Some(status) = run.child.try_wait().unwrap() {
            break status;
        }
        if Instant::now() > deadline {
            run.child.kill().unwrap();
            run.child.wait().unwrap();
            estate.keep(&run.said());
            return Err("it hung".to_owned());
        }
        std::thread::sleep(LOOK);
    };
    let said = run.said();
    estate.keep(&said);
    estate
        .judged(asked, status)
        .ok_or_else(|| format!("{status}, {}", last(&said)))
}

/// The last line that isn't of the log.
fn last(said: &[String]) -> String {
    let told = |line: &&String| !line.trim().is_empty() && !line.starts_with("20");
    said.iter()
        .rev()
        .find(told)
        .cloned()
        .unwrap_or_else(|| "in silence".to_owned())
}

/// A running binary, and what it says.
struct Run {
    child: Child,
    lines: std::sync::mpsc::Receiver<String>,
}

impl Run {
    fn start(mut command: Command) -> Self {
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        let said = BufReader::new(child.stderr.take().unwrap());
        let (sender, lines) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            said.lines()
                .map_while(Result::ok)
                .try_for_each(|line| sender.send(line))
        });
        Self { child, lines }
    }

    /// All that it said. To be called once it has ended; a child of its own that lives on must not hold this up.
    fn said(&self) -> Vec<String> {
        let mut said = Vec::new();
        while let Ok(line) = self.lines.recv_timeout(Duration::from_secs(5)) {
            said.push(line);
        }
        said
    }
}
