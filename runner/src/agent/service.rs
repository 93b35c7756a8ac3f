//! Processes beside the agent: the service, and a consumer's tests. Each is the leader of a group of its own, so
//! that what it has started itself ends with it, and the next run finds its port free.

use rustix::process::{Pid, Signal, kill_process_group};
use std::io;
use std::os::fd::AsFd as _;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::http;
use super::{AgentError, AgentRequest, ConsumerTestSpec, ReplayEvent, ReplaySpec};

/// Between two looks whether something is ready, or has ended.
const POLL: Duration = Duration::from_millis(50);
/// For one look at the ready path.
const READY_REQUEST: Duration = Duration::from_secs(2);
/// For a port to be given back after its service was ended.
const PORT_FREE: Duration = Duration::from_secs(5);

/// A group of processes; ended when dropped.
struct Group(Child);

impl Group {
    fn start(command: &mut Command) -> io::Result<Self> {
        // The agent's standard output is for results alone.
        let log = || -> io::Result<Stdio> { Ok(io::stderr().as_fd().try_clone_to_owned()?.into()) };
        let command = command.stdin(Stdio::null()).stdout(log()?).stderr(log()?);
        Ok(Self(command.process_group(0).spawn()?))
    }

    fn end(&mut self) {
        // It may have ended by itself; there is nobody left to tell.
        if let Some(pid) = i32::try_from(self.0.id()).ok().and_then(Pid::from_raw) {
            let _ = kill_process_group(pid, Signal::KILL);
        }
        let _ = self.0.wait();
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.end();
    }
}

/// The running service; ended when dropped.
pub(super) struct Service {
    group: Group,
    port: u16,
}

impl Service {
    pub(super) fn start(command: &str, port: u16) -> io::Result<Self> {
        let group = Group::start(Command::new("/bin/sh").args(["-c", command]))?;
        Ok(Self { group, port })
    }

    /// `None`: it is ready. Else what happened instead.
    pub(super) fn wait_until_ready(&mut self, spec: &ReplaySpec) -> io::Result<Option<ReplayEvent>> {
        let deadline = Instant::now() + Duration::from_secs(spec.ready_seconds);
        let look = AgentRequest {
            method: "GET".to_owned(),
            path: spec.ready.clone(),
            ..AgentRequest::default()
        };
        loop {
            if let Some(status) = self.group.0.try_wait()? {
                return Ok(Some(ReplayEvent::Exited { code: status.code() }));
            }
            let error = match http::call(spec.port, &look, READY_REQUEST) {
                Ok(_) => return Ok(None),
                Err(error) => error,
            };
            if Instant::now() >= deadline {
                return Ok(Some(ReplayEvent::NotReady {
                    reason: error.to_string(),
                }));
            }
            std::thread::sleep(POLL);
        }
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.group.end();
        // The next run must not talk to what is left of this one.
        let deadline = Instant::now() + PORT_FREE;
        while std::net::TcpStream::connect(("127.0.0.1", self.port)).is_ok() && Instant::now() < deadline {
            std::thread::sleep(POLL);
        }
    }
}

/// Puts the consumer's tree into its folder, without what an earlier run has left there.
pub(super) fn unpack(tests: &ConsumerTestSpec) -> Result<(), AgentError> {
    let folder = Path::new(&tests.folder);
    match std::fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
        _ => {}
    }
    std::fs::create_dir_all(folder)?;
    let output = Command::new("tar")
        .args(["-xf", &tests.archive, "-C", &tests.folder])
        .stdin(Stdio::null())
        .output()?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(AgentError::Unpack(said.lines().next().unwrap_or_default().to_owned()))
}

/// Runs the tests; exit status, and whether they took too long.
pub(super) fn run_tests(tests: &ConsumerTestSpec, port: u16) -> io::Result<(Option<i32>, bool)> {
    let deadline = Instant::now() + Duration::from_secs(tests.seconds);
    let mut command = Command::new("/bin/sh");
    command
        .args(["-c", &tests.command])
        .current_dir(&tests.folder)
        .env(&tests.variable, format!("http://127.0.0.1:{port}"));
    let mut group = Group::start(&mut command)?;
    loop {
        if let Some(status) = group.0.try_wait()? {
            return Ok((status.code(), false));
        }
        if Instant::now() >= deadline {
            return Ok((None, true));
        }
        std::thread::sleep(POLL);
    }
}
