//! One run of the solver: a process of its own for each question, so that no answer can be taken for
//! that of another question, and a killed one harms none.

use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use cedar_policy_symcc::SmtLibScript;
use cedar_policy_symcc::solver::{self, Decision, DecisionWithModel, SolverError};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::process::{ChildStdin, Command};
use tokio::time::timeout;

/// Longest first line of an answer, in bytes: `unsat` and `unknown` are short.
const MAX_ANSWER: u64 = 1 << 10;
/// Longest model, in bytes: a few kilobytes are usual.
const MAX_MODEL: u64 = 4 << 20;
/// How much longer the solver's own limit is, which ends it even if this process dies first. It ends with
/// an abort, so it isn't the one that is meant to strike.
const GRACE: Duration = Duration::from_secs(2);

/// The question as it is written for the solver, and how to run that one.
#[derive(Debug, Clone)]
pub(crate) struct Process {
    program: PathBuf,
    limit: Duration,
    script: Vec<u8>,
    /// Whether the question is translated, so that the solver has its turn.
    translated: Arc<AtomicBool>,
}

/// Why there is no answer in time, which depends on how far it came.
pub(crate) struct Late {
    limit: Duration,
    translated: Arc<AtomicBool>,
}

impl Late {
    /// Whether it came as far as the solver.
    pub(crate) fn is_translated(&self) -> bool {
        self.translated.load(Ordering::Relaxed)
    }

    pub(crate) fn why(&self) -> String {
        let seconds = self.limit.as_secs_f32();
        if self.is_translated() {
            format!("the solver gave no answer within {seconds} s")
        } else {
            format!("the question wasn't translated within {seconds} s; write the condition flatter")
        }
    }
}

impl Process {
    pub(crate) fn new(program: PathBuf, limit: Duration) -> Self {
        Self {
            program,
            limit,
            script: Vec::new(),
            translated: Arc::default(),
        }
    }

    /// What to say if it is late.
    pub(crate) fn late(&self) -> Late {
        Late {
            limit: self.limit,
            translated: Arc::clone(&self.translated),
        }
    }

    /// Checks that the program behaves like a solver at all: that it can say both yes and no. One that
    /// answers everything with `unsat` would prove everything.
    ///
    /// # Errors
    /// What it did instead, in plain words.
    pub(crate) async fn rehearse(&self) -> Result<(), String> {
        for (assertion, expected) in [("(= x 1)", "sat"), ("(and (= x 1) (= x 2))", "unsat")] {
            let script = format!("(set-logic ALL)\n(declare-const x Int)\n(assert {assertion})\n");
            let (answer, _) = self.run(script.as_bytes(), false).await?;
            if answer != expected {
                return Err(format!(
                    "`{}` is no solver to rely on: it said `{answer}` where `{expected}` is right",
                    self.program.display()
                ));
            }
        }
        Ok(())
    }

    /// Runs the solver on a script. Gives its answer, and for `sat` the model if `with_model`.
    async fn run(&self, script: &[u8], with_model: bool) -> Result<(String, String), String> {
        self.translated.store(true, Ordering::Relaxed);
        // `kill_on_drop` also covers the time-out, and a caller that gives up.
        let mut child = Command::new(&self.program)
            .args(["--lang", "smt2"])
            .arg(format!("--tlimit={}", (self.limit + GRACE).as_millis()))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| format!("the solver `{}` couldn't be started: {error}", self.program.display()))?;
        let (Some(stdin), Some(stdout)) = (child.stdin.take(), child.stdout.take()) else {
            return Err("the solver couldn't be started: it has no input and output".to_owned());
        };
        let conversation = async {
            let answer = converse(stdin, BufReader::new(stdout), script, with_model).await;
            (answer, child.wait().await)
        };
        match timeout(self.limit, conversation).await {
            Err(_) => Err(self.late().why()),
            Ok((Ok(answer), Ok(status))) if status.success() => Ok(answer),
            Ok((Ok(_), status)) => Err(stopped("after its answer", status)),
            Ok((Err(None), status)) => Err(stopped("without an answer", status)),
            Ok((Err(Some(why)), _)) => Err(why),
        }
    }
}

fn stopped(when: &str, status: std::io::Result<ExitStatus>) -> String {
    match status {
        Ok(status) => format!("the solver stopped {when} ({status})"),
        Err(error) => format!("the solver stopped {when}: {error}"),
    }
}

/// Asks and reads. An error without words: it ended before it answered.
async fn converse(
    mut stdin: ChildStdin,
    mut stdout: impl AsyncRead + AsyncBufReadExt + Unpin,
    script: &[u8],
    with_model: bool,
) -> Result<(String, String), Option<String>> {
    // A solver that ended takes no input; what it said last tells more than that.
    let _ = stdin.write_all(script).await;
    let _ = stdin.write_all(b"(check-sat)\n").await;
    let _ = stdin.flush().await;
    let mut line = String::new();
    let unreadable = |error: std::io::Error| Some(format!("the solver's answer can't be read: {error}"));
    (&mut stdout)
        .take(MAX_ANSWER)
        .read_line(&mut line)
        .await
        .map_err(unreadable)?;
    let answer = line.trim();
    if line.is_empty() {
        return Err(None);
    }
    if !["sat", "unsat", "unknown"].contains(&answer) {
        return Err(Some(format!("the solver said `{}`", shortened(answer))));
    }
    let with_model = with_model && answer == "sat";
    if with_model {
        let _ = stdin.write_all(b"(get-model)\n").await;
    }
    drop(stdin);
    let mut rest = String::new();
    let read = stdout.take(MAX_MODEL).read_to_string(&mut rest).await;
    read.map_err(unreadable)?;
    if rest.len() as u64 == MAX_MODEL {
        return Err(Some("the solver's example is too long to be read".to_owned()));
    }
    if !with_model && !rest.trim().is_empty() {
        return Err(Some(format!(
            "the solver said `{answer}`, then `{}`",
            shortened(rest.trim())
        )));
    }
    Ok((answer.to_owned(), rest))
}

fn shortened(text: &str) -> String {
    text.chars()
        .take(80)
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect()
}

impl solver::Solver for Process {
    fn smtlib_input(&mut self) -> &mut (dyn AsyncWrite + Unpin + Send) {
        &mut self.script
    }

    async fn enable_models(&mut self) -> Result<(), SolverError> {
        Ok(self.smtlib_input().set_option("produce-models", "true").await?)
    }

    async fn check_sat(&mut self) -> Result<Decision, SolverError> {
        let script = std::mem::take(&mut self.script);
        let (answer, _) = self.run(&script, false).await.map_err(SolverError::Solver)?;
        Ok(match answer.as_str() {
            "sat" => Decision::Sat,
            "unsat" => Decision::Unsat,
            _ => Decision::Unknown,
        })
    }

    async fn check_sat_with_model(&mut self) -> Result<DecisionWithModel, SolverError> {
        let script = std::mem::take(&mut self.script);
        let (answer, model) = self.run(&script, true).await.map_err(SolverError::Solver)?;
        Ok(match answer.as_str() {
            "sat" => DecisionWithModel::Sat { model },
            "unsat" => DecisionWithModel::Unsat,
            _ => DecisionWithModel::Unknown,
        })
    }
}
