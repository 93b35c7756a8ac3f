//! The solver: where it is, how long it may take, how many of it run at once.

use std::env;
use std::ffi::OsStr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::{OnceCell, Semaphore, oneshot};
use tokio::time::timeout;

use crate::process::{Late, Process};
use crate::question::{Answer, Question};

/// How long one question may take, its translation included. Those about the shipped packs take under a second, but on a machine
/// that has a lot of other work to do.
const LIMIT: Duration = Duration::from_secs(30);
/// How many processes run at once: a solver has one thread, and the machine may have other work.
const AT_ONCE: usize = 2;
/// Of how many denials one is checked, the first included.
const CHECKED_EACH: usize = 8;
/// Stack of the translation to SMT, which recurses with the depth of a policy.
const STACK_BYTES: usize = 256 << 20;

/// An SMT solver, cvc5, as a process of its own for each question.
#[derive(Debug, Clone)]
pub struct Solver {
    program: PathBuf,
    limit: Duration,
    turns: Arc<Semaphore>,
    rehearsed: Arc<OnceCell<Result<(), String>>>,
    /// How often it said that there is no example.
    denials: Arc<AtomicUsize>,
    /// Whether it was found to say so where there is one.
    lies: Arc<AtomicBool>,
}

/// There is no solver to ask.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no solver: {what}")]
pub struct SolverMissing {
    what: String,
    /// What to do.
    pub help: String,
}

impl Solver {
    /// The solver that `$HOLDPOINT_CVC5` or `$CVC5` names, else the first `cvc5` on the `PATH`.
    ///
    /// # Errors
    /// The named program isn't one that can be run, or there is none on the `PATH`.
    pub fn find() -> Result<Self, SolverMissing> {
        let named = ["HOLDPOINT_CVC5", "CVC5"]
            .into_iter()
            .find_map(|name| env::var_os(name).filter(|value| !value.is_empty()));
        match named {
            Some(program) => Self::at(Path::new(&program)),
            None => Self::on_path(env::var_os("PATH").as_deref()),
        }
    }

    fn on_path(path: Option<&OsStr>) -> Result<Self, SolverMissing> {
        let folders = path.map(env::split_paths).into_iter().flatten();
        folders
            .map(|folder| folder.join("cvc5"))
            .find(|program| is_executable(program))
            .map(Self::new)
            .ok_or_else(|| missing("no `cvc5` on the `PATH`".to_owned()))
    }

    /// The solver at a path.
    ///
    /// # Errors
    /// No program is there, or it may not be run.
    pub fn at(program: &Path) -> Result<Self, SolverMissing> {
        if is_executable(program) {
            Ok(Self::new(program.to_owned()))
        } else {
            Err(missing(format!("`{}` isn't a program", program.display())))
        }
    }

    fn new(program: PathBuf) -> Self {
        Self {
            program,
            limit: LIMIT,
            turns: Arc::new(Semaphore::new(AT_ONCE)),
            rehearsed: Arc::default(),
            denials: Arc::default(),
            lies: Arc::default(),
        }
    }

    /// The same with another time limit for each question, its translation included.
    #[must_use]
    pub fn with_limit(self, limit: Duration) -> Self {
        Self { limit, ..self }
    }

    /// Where it is.
    #[must_use]
    pub fn program(&self) -> &Path {
        &self.program
    }

    /// Asks whether a question has an example. Whatever goes wrong is an [`Answer::Open`]. Every few times
    /// that there is none, a question that has one is asked too, in the same form: a solver that passes the
    /// rehearsal but then denies everything is found out, and nothing that it says later is believed.
    pub(crate) async fn ask(&self, question: Question) -> Answer {
        let control = question.control();
        let (answer, was_asked) = self.put(question).await;
        // What is plain from the translation isn't the solver's word.
        let is_denial = was_asked && answer == Answer::Never;
        let is_checked = is_denial
            && self
                .denials
                .fetch_add(1, Ordering::Relaxed)
                .is_multiple_of(CHECKED_EACH);
        if is_checked && self.put(control).await.0 == Answer::Never {
            self.lies.store(true, Ordering::Relaxed);
        }
        if self.lies.load(Ordering::Relaxed) {
            let program = self.program.display();
            return Answer::Open(format!(
                "`{program}` is no solver to rely on: it found no example where there is one"
            ));
        }
        answer
    }

    /// The answer, and whether the solver was asked for it.
    async fn put(&self, question: Question) -> (Answer, bool) {
        let process = Process::new(self.program.clone(), self.limit);
        let late = process.late();
        let answer = self.put_to(process, &late, question).await;
        (answer, late.is_translated())
    }

    async fn put_to(&self, process: Process, late: &Late, question: Question) -> Answer {
        let Ok(_turn) = self.turns.acquire().await else {
            return Answer::Open("it was given up".to_owned());
        };
        let rehearsal = Process::new(self.program.clone(), self.limit);
        let rehearsed = self.rehearsed.get_or_init(|| rehearsal.rehearse()).await;
        if let Err(why) = rehearsed {
            return Answer::Open(why.clone());
        }
        // The translation is heavy and deep, so it gets a thread and a stack of its own. It can't be stopped
        // from outside: when it is late the thread is left alone, and nothing waits for it, as shutting down
        // would for one of the runtime's. When this future is dropped, `alive` is, and the process is killed.
        let (alive, dropped) = oneshot::channel::<()>();
        let (answered, answer) = oneshot::channel();
        let runtime = Handle::current();
        let work = move || {
            let answer = runtime.block_on(async {
                tokio::select! {
                    biased;
                    _ = dropped => Answer::Open("it was given up".to_owned()),
                    answer = question.put_to(process) => answer,
                }
            });
            // Nobody may be waiting any more.
            let _ = answered.send(answer);
        };
        let thread = thread::Builder::new().name("proof".to_owned()).stack_size(STACK_BYTES);
        if let Err(error) = thread.spawn(work) {
            return Answer::Open(format!("the question couldn't be put: {error}"));
        }
        let answer = timeout(self.limit, answer).await;
        drop(alive);
        match answer {
            Ok(Ok(answer)) => answer,
            Ok(Err(_)) => Answer::Open("the question couldn't be put: its translation failed".to_owned()),
            Err(_) => Answer::Open(late.why()),
        }
    }
}

fn missing(what: String) -> SolverMissing {
    SolverMissing {
        what,
        help: "install Debian's `cvc5` package (`ci/setup` does), or name the program in `$HOLDPOINT_CVC5`".to_owned(),
    }
}

fn is_executable(program: &Path) -> bool {
    program
        .metadata()
        .is_ok_and(|data| data.is_file() && data.permissions().mode() & 0o111 != 0)
}
