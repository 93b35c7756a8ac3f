//! Progress on standard error while a run works: live steps and a bar over the findings on a
//! terminal, plain lines in CI, nothing when asked to be quiet.

use holdpoint_schemas::event::{Event, EventSink};
use holdpoint_schemas::evidence::{Side, StepEnd, Verdict};
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use std::collections::HashMap;
use std::io::{IsTerminal as _, Write};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::text::{clean, count, shorten};

/// Longest text on a progress line.
const MAX_LINE: usize = 110;
/// How often a spinner turns.
const TICK: Duration = Duration::from_millis(120);

/// How progress is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// A bar and live steps.
    Live,
    /// One line per thing that ended.
    Lines,
    /// Nothing.
    Quiet,
}

impl Mode {
    /// What suits standard error.
    #[must_use]
    pub fn of_stderr(quiet: bool) -> Self {
        if quiet {
            Self::Quiet
        } else if std::io::stderr().is_terminal() {
            Self::Live
        } else {
            Self::Lines
        }
    }
}

/// The sink for a mode, on standard error.
#[must_use]
pub fn sink(mode: Mode) -> Box<dyn EventSink> {
    match mode {
        Mode::Live => Box::new(Live::new()),
        Mode::Lines => Box::new(Lines::new(std::io::stderr())),
        Mode::Quiet => Box::new(holdpoint_schemas::event::NoEvents),
    }
}

/// Plain lines, for CI logs.
pub struct Lines<W: Write + Send> {
    state: Mutex<LinesState<W>>,
}

struct LinesState<W> {
    out: W,
    findings: usize,
    decided: usize,
}

impl<W: Write + Send> Lines<W> {
    /// Lines written to `out`; a write that fails is dropped, since progress must stop nothing.
    pub const fn new(out: W) -> Self {
        Self {
            state: Mutex::new(LinesState {
                out,
                findings: 0,
                decided: 0,
            }),
        }
    }
}

impl<W: Write + Send> EventSink for Lines<W>
where
    Self: Sync,
{
    fn event(&self, event: Event) {
        let mut state = lock(&self.state);
        match &event {
            Event::RunStarted { findings, .. } => state.findings = *findings,
            Event::FindingDecided { .. } => state.decided += 1,
            _ => {}
        }
        let counter = match &event {
            Event::FindingDecided { .. } => format!("[{}/{}] ", state.decided, state.findings),
            _ => String::new(),
        };
        if let Some(line) = line(&event) {
            let _ = writeln!(state.out, "{counter}{}", clean(&line));
        }
    }
}

/// What one event says in a log; `None` for what only a live display shows.
fn line(event: &Event) -> Option<String> {
    match event {
        Event::RunStarted { findings, fixes } => Some(format!(
            "deciding {} with {}",
            count(*findings, "finding", "findings"),
            count(*fixes, "fix", "fixes")
        )),
        Event::FindingStarted { .. } | Event::StepStarted { .. } | Event::StepOutput { .. } => None,
        Event::StepFinished {
            subject,
            step,
            side,
            end,
            millis,
        } => Some(format!(
            "  {subject}: {step} ({}): {}, {}",
            side.as_str(),
            step_end(end),
            seconds(*millis)
        )),
        Event::CheckFinished {
            subject,
            check,
            verdict,
            reason,
        } => Some(format!("  {subject}: {check} {verdict}: {reason}")),
        Event::FindingDecided { label, level, reason } => Some(format!("{level}: {label}: {reason}")),
        Event::Warning { text } => Some(format!("warning: {text}")),
    }
}

/// How a step ended, in words.
#[must_use]
pub fn step_end(end: &StepEnd) -> String {
    match end {
        StepEnd::Exited { code: 0 } => "ok".to_owned(),
        StepEnd::Exited { code } => format!("exit {code}"),
        StepEnd::OutOfMemory => "out of memory".to_owned(),
        StepEnd::TimedOut { after_seconds } => format!("timed out after {after_seconds} s"),
        StepEnd::Killed => "killed by somebody".to_owned(),
        StepEnd::OutOfDisk => "out of disk".to_owned(),
        StepEnd::EngineLost { reason } => format!("engine lost: {reason}"),
        StepEnd::MissingTool => "tool missing".to_owned(),
        StepEnd::Infrastructure { reason } => format!("no result: {reason}"),
    }
}

/// A duration as people read it: `0.8 s`, `2 min 5 s`.
#[must_use]
pub fn seconds(millis: u64) -> String {
    match millis {
        0..=59_999 => format!("{}.{} s", millis / 1000, millis % 1000 / 100),
        _ => format!("{} min {} s", millis / 60_000, millis % 60_000 / 1000),
    }
}

type StepKey = (String, Side);

/// A bar over the findings with a spinner per running step below it.
pub struct Live {
    bars: MultiProgress,
    state: Mutex<LiveState>,
}

struct LiveState {
    total: ProgressBar,
    steps: HashMap<StepKey, Vec<(String, ProgressBar)>>,
}

impl Live {
    /// A display on standard error.
    #[must_use]
    pub fn new() -> Self {
        Self::on(MultiProgress::new())
    }

    fn on(bars: MultiProgress) -> Self {
        let total = bars.add(ProgressBar::new(0));
        total.set_style(style("{bar:28.cyan/dim} {pos}/{len} findings  {wide_msg}"));
        Self {
            bars,
            state: Mutex::new(LiveState {
                total,
                steps: HashMap::new(),
            }),
        }
    }

    fn say(&self, text: &str) {
        // `println` keeps what is said above the bars; it fails only when the terminal is gone.
        let _ = self.bars.println(clean(text));
    }
}

impl Default for Live {
    fn default() -> Self {
        Self::new()
    }
}

impl EventSink for Live {
    fn event(&self, event: Event) {
        let mut state = lock(&self.state);
        match &event {
            Event::RunStarted { findings, .. } => state.total.set_length(*findings as u64),
            Event::FindingStarted { label } => state.total.set_message(shown(label)),
            Event::StepStarted { subject, step, side } => {
                let bar = self.bars.add(ProgressBar::new_spinner());
                bar.set_style(style("  {spinner} {prefix}  {elapsed}  {wide_msg:.dim}"));
                bar.set_prefix(shown(&format!("{subject}: {step} ({})", side.as_str())));
                bar.enable_steady_tick(TICK);
                let running = state.steps.entry((step.clone(), *side)).or_default();
                running.push((subject.clone(), bar));
            }
            Event::StepOutput { step, side, line } => {
                // Output doesn't say whose it is: with several steps of one name, none may claim it.
                if let Some([(_, bar)]) = state.steps.get(&(step.clone(), *side)).map(Vec::as_slice) {
                    bar.set_message(shown(line));
                }
            }
            Event::StepFinished {
                subject,
                step,
                side,
                end,
                ..
            } => {
                let running = state.steps.entry((step.clone(), *side)).or_default();
                if let Some(at) = running.iter().position(|(owner, _)| owner == subject) {
                    running.remove(at).1.finish_and_clear();
                }
                if matches!(end, StepEnd::Infrastructure { .. }) {
                    line(&event).iter().for_each(|text| self.say(text));
                }
            }
            Event::CheckFinished { verdict, .. } => {
                if *verdict != Verdict::Passed {
                    line(&event).iter().for_each(|text| self.say(text));
                }
            }
            Event::FindingDecided { .. } => {
                line(&event).iter().for_each(|text| self.say(text));
                state.total.inc(1);
                if Some(state.total.position()) == state.total.length() {
                    state.total.finish_and_clear();
                }
            }
            Event::Warning { .. } => line(&event).iter().for_each(|text| self.say(text)),
        }
    }
}

fn shown(text: &str) -> String {
    shorten(&clean(text), MAX_LINE)
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}

/// Progress survives a panic elsewhere: what it guards can't be left inconsistent.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use holdpoint_schemas::Level;
    use holdpoint_schemas::evidence::Check;
    use indicatif::{ProgressDrawTarget, TermLike};
    use std::io;
    use std::sync::Arc;

    /// A terminal that keeps everything that was ever written to it.
    #[derive(Debug, Clone, Default)]
    struct Recorder(Arc<Mutex<String>>);

    impl TermLike for Recorder {
        fn width(&self) -> u16 {
            120
        }
        fn move_cursor_up(&self, _n: usize) -> io::Result<()> {
            Ok(())
        }
        fn move_cursor_down(&self, _n: usize) -> io::Result<()> {
            Ok(())
        }
        fn move_cursor_right(&self, _n: usize) -> io::Result<()> {
            Ok(())
        }
        fn move_cursor_left(&self, _n: usize) -> io::Result<()> {
            Ok(())
        }
        fn write_line(&self, line: &str) -> io::Result<()> {
            self.write_str(line)
        }
        fn write_str(&self, text: &str) -> io::Result<()> {
            lock(&self.0).push_str(text);
            Ok(())
        }
        fn clear_line(&self) -> io::Result<()> {
            Ok(())
        }
        fn flush(&self) -> io::Result<()> {
            Ok(())
        }
    }

    fn events() -> Vec<Event> {
        let subject = "payments: Upgrade urllib3".to_owned();
        vec![
            Event::RunStarted { findings: 2, fixes: 1 },
            Event::FindingStarted {
                label: "payments: urllib3".to_owned(),
            },
            Event::StepStarted {
                subject: subject.clone(),
                step: "test".to_owned(),
                side: Side::Candidate,
            },
            Event::StepOutput {
                step: "test".to_owned(),
                side: Side::Candidate,
                line: "test_refund \x1b[32mok".to_owned(),
            },
            Event::StepFinished {
                subject: subject.clone(),
                step: "test".to_owned(),
                side: Side::Candidate,
                end: StepEnd::Exited { code: 1 },
                millis: 65_200,
            },
            Event::CheckFinished {
                subject,
                check: Check::Test,
                verdict: Verdict::Failed,
                reason: "test_refund fails".to_owned(),
            },
            Event::FindingDecided {
                label: "payments: urllib3".to_owned(),
                level: Level::Alert,
                reason: "the test check failed".to_owned(),
            },
            Event::Warning {
                text: "a report\x1b]0;title\x07 is truncated".to_owned(),
            },
        ]
    }

    #[test]
    fn ci_gets_one_line_per_thing_that_ended() {
        let sink = Lines::new(Vec::new());
        events().into_iter().for_each(|event| sink.event(event));
        let text = String::from_utf8(sink.state.into_inner().unwrap().out).unwrap();
        insta::assert_snapshot!(text, @r"
        deciding 2 findings with 1 fix
          payments: Upgrade urllib3: test (candidate): exit 1, 1 min 5 s
          payments: Upgrade urllib3: test failed: test_refund fails
        [1/2] alert: payments: urllib3: the test check failed
        warning: a report]0;title is truncated
        ");
    }

    #[test]
    fn a_terminal_sees_the_bar_and_what_went_wrong() {
        let term = Recorder::default();
        let target = ProgressDrawTarget::term_like(Box::new(term.clone()));
        let live = Live::on(MultiProgress::with_draw_target(target));
        events().into_iter().for_each(|event| live.event(event));
        lock(&live.state).total.tick();
        let screen = lock(&term.0).clone();
        assert!(screen.contains("test_refund fails"), "{screen}");
        assert!(screen.contains("1/2 findings"), "{screen}");
        assert!(!screen.contains("\x1b]0;title"), "{screen}");
    }

    #[test]
    fn durations_read_naturally() {
        assert_eq!(seconds(820), "0.8 s");
        assert_eq!(seconds(125_000), "2 min 5 s");
    }
}
