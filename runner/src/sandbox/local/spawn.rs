//! Where children are started: on one thread that lives as long as the process. What dies with its
//! parent dies with the *thread* that made it (prctl(2), `PR_SET_PDEATHSIG`), and threads of a
//! runtime come and go.

use std::io;
use std::sync::OnceLock;
use std::sync::mpsc::{Sender, channel};
use tokio::process::{Child, Command};
use tokio::runtime::Handle;
use tokio::sync::oneshot;

struct Job {
    command: Command,
    runtime: Handle,
    answer: oneshot::Sender<io::Result<Child>>,
}

/// Starts a program whose parent outlives it.
pub(super) async fn spawn(command: Command) -> io::Result<Child> {
    let gone = || io::Error::other("the thread that starts programs is gone");
    let (answer, child) = oneshot::channel();
    let job = Job {
        command,
        runtime: Handle::current(),
        answer,
    };
    spawner()?.send(job).map_err(|_| gone())?;
    child.await.map_err(|_| gone())?
}

fn spawner() -> io::Result<&'static Sender<Job>> {
    static SPAWNER: OnceLock<Sender<Job>> = OnceLock::new();
    if let Some(sender) = SPAWNER.get() {
        return Ok(sender);
    }
    let (sender, jobs) = channel::<Job>();
    std::thread::Builder::new()
        .name("sandbox-spawner".to_owned())
        .spawn(move || {
            for mut job in jobs {
                let _entered = job.runtime.enter();
                // Who no longer waits for it drops the child, which kills it.
                let _ = job.answer.send(job.command.spawn());
            }
        })?;
    // Of two threads made at once, the one whose sender is dropped here ends.
    Ok(SPAWNER.get_or_init(|| sender))
}
