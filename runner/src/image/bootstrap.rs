//! A root file system image out of Debian packages, without an image registry: `mmdebstrap` makes the
//! archive, and the engine imports it as it is written.

mod plan;
mod private;

pub use plan::{BootstrapRequest, DEFAULT_SUITE, Toolchain};

use bollard::query_parameters::CreateImageOptionsBuilder;
use bollard::{API_DEFAULT_VERSION, Docker};
use futures_util::StreamExt as _;
use futures_util::stream::{self, Stream};
use hyper::body::Bytes;
use jiff::Timestamp;
use std::collections::VecDeque;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use thiserror::Error;
use tokio::io::AsyncReadExt as _;
use tokio::process::{Child, ChildStderr, ChildStdout};

use crate::text::{Lines, one_line};

/// What makes the archive; `apt-get install mmdebstrap` on Debian and Ubuntu.
const PROGRAM: &str = "mmdebstrap";
/// For all of it: a large toolchain over a slow line.
const LIMIT: Duration = Duration::from_secs(3600);
/// Bytes handed to the engine at once.
const CHUNK_BYTES: usize = 256 << 10;
/// Last lines of its output that an error shows.
const SHOWN_LINES: usize = 12;

/// An image could not be made.
#[derive(Debug, Error)]
pub enum BootstrapError {
    /// A package, suite or mirror that is none.
    #[error("`{0}` is no name of a Debian package, suite or mirror")]
    BadName(String),
    /// A toolchain that isn't known.
    #[error("`{given}` is no toolchain; they are {known}")]
    BadToolchain {
        /// What was asked for.
        given: String,
        /// All that there are.
        known: String,
    },
    /// The program isn't there.
    #[error("`{0}` is not installed; on Debian and Ubuntu, `apt-get install {0}`")]
    NoProgram(String),
    /// The program failed; its last lines.
    #[error("`{program}` failed: {last}")]
    Failed {
        /// The program.
        program: String,
        /// What it said last.
        last: String,
    },
    /// No engine, or it refused.
    #[error("the container engine could not import the image: {0}")]
    Engine(String),
    /// Not done in time.
    #[error("the image was not made within {0} s")]
    TimedOut(u64),
}

/// An image that is there now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BootstrappedImage {
    /// Its name and tag, for `sandbox.image`.
    pub name: String,
    /// Its id, a digest of its content and its configuration.
    pub id: String,
    /// Its size in bytes.
    pub bytes: u64,
}

/// Where an image is made.
#[derive(Debug, Clone)]
pub struct Bootstrap {
    /// Socket of the engine.
    pub socket: PathBuf,
    /// The program that writes the archive to its standard output, by its arguments: `mmdebstrap`.
    pub program: PathBuf,
}

impl Bootstrap {
    /// With `mmdebstrap`, for the engine at this socket.
    #[must_use]
    pub fn new(socket: &Path) -> Self {
        Self {
            socket: socket.to_owned(),
            program: PathBuf::from(PROGRAM),
        }
    }

    /// Makes an image and gives it its name; one that had it before loses it. `now` goes into its labels.
    ///
    /// # Errors
    /// When the request is malformed, the program is missing or fails, or the engine doesn't take the image.
    /// Then no image has been made. Dropped half-way, nothing of it is left either.
    pub async fn make(
        &self,
        request: &BootstrapRequest,
        now: Timestamp,
        on_line: &(dyn Fn(&str) + Send + Sync),
    ) -> Result<BootstrappedImage, BootstrapError> {
        request.check()?;
        tokio::time::timeout(LIMIT, self.run(request, now, on_line))
            .await
            .unwrap_or(Err(BootstrapError::TimedOut(LIMIT.as_secs())))
    }

    async fn run(
        &self,
        request: &BootstrapRequest,
        now: Timestamp,
        on_line: &(dyn Fn(&str) + Send + Sync),
    ) -> Result<BootstrappedImage, BootstrapError> {
        let socket = self.socket.to_string_lossy().into_owned();
        let docker = Docker::connect_with_unix(&socket, LIMIT.as_secs(), API_DEFAULT_VERSION).map_err(refused)?;
        let docker = docker.negotiate_version().await.map_err(refused)?;
        let mut scratch = private::Scratch::new().map_err(|error| self.failed(&error.to_string()))?;
        let mut child = self.spawn(request, now, scratch.path()).await?;
        let (Some(archive), Some(said)) = (child.stdout.take(), child.stderr.take()) else {
            return Err(self.failed("it has no output"));
        };
        let status = Arc::new(Mutex::new(None));
        scratch.holds(&child, &status);
        let body = bollard::body_try_stream(archive_of(child, archive, Arc::clone(&status)));
        let (name, tag) = (request.repository(), request.suite.clone());
        let options = CreateImageOptionsBuilder::default()
            .from_src("-")
            .repo(&name)
            .tag(&tag)
            .changes(request.changes(now))
            .build();
        let import = async {
            let mut progress = Box::pin(docker.create_image(Some(options), Some(body), None));
            while let Some(message) = progress.next().await {
                message.map_err(refused)?;
            }
            Ok(())
        };
        let (imported, last) = tokio::join!(import, pass_on(said, on_line));
        // The program's own failure is the reason for the engine's.
        let ended = status.lock().unwrap_or_else(PoisonError::into_inner).clone();
        match ended {
            Some(Ok(true)) => imported?,
            Some(Err(error)) => return Err(self.failed(&error)),
            Some(Ok(false)) => return Err(self.failed(&last)),
            // The engine stopped to listen before the archive was complete.
            None => {
                imported?;
                return Err(self.failed(&last));
            }
        }
        let name = format!("{name}:{tag}");
        let image = docker.inspect_image(&name).await.map_err(refused)?;
        Ok(BootstrappedImage {
            name,
            id: image.id.unwrap_or_default(),
            bytes: image.size.and_then(|size| u64::try_from(size).ok()).unwrap_or_default(),
        })
    }

    async fn spawn(&self, request: &BootstrapRequest, now: Timestamp, scratch: &Path) -> Result<Child, BootstrapError> {
        if !private::is_there(&self.program) {
            return Err(BootstrapError::NoProgram(self.shown()));
        }
        let mut command = private::command(&self.program).await;
        command
            .env("TMPDIR", scratch)
            .args(request.arguments())
            // Files are dated so, and the same packages give the same archive (reproducible-builds.org).
            .env("SOURCE_DATE_EPOCH", now.as_second().to_string())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        command.spawn().map_err(|error| self.failed(&error.to_string()))
    }

    fn shown(&self) -> String {
        one_line(&self.program.to_string_lossy())
    }

    fn failed(&self, last: &str) -> BootstrapError {
        BootstrapError::Failed {
            program: self.shown(),
            last: last.to_owned(),
        }
    }
}

fn refused(error: bollard::errors::Error) -> BootstrapError {
    BootstrapError::Engine(one_line(&error.to_string()))
}

/// How the program ended: whether well; or why that isn't known.
type Ended = Arc<Mutex<Option<Result<bool, String>>>>;

/// The program's standard output. One that failed ends with an error, so that the engine never takes
/// half an archive for a whole one.
fn archive_of(child: Child, archive: ChildStdout, ended: Ended) -> impl Stream<Item = io::Result<Bytes>> + Send {
    stream::unfold(Some((child, archive)), move |state| {
        let ended = Arc::clone(&ended);
        async move {
            let (mut child, mut archive) = state?;
            let mut chunk = Vec::with_capacity(CHUNK_BYTES);
            match archive.read_buf(&mut chunk).await {
                Ok(1..) => return Some((Ok(Bytes::from(chunk)), Some((child, archive)))),
                Ok(0) => {}
                Err(error) => return Some((Err(error), None)),
            }
            let status = child.wait().await;
            let well = status.as_ref().is_ok_and(std::process::ExitStatus::success);
            let told = status.map(|status| status.success()).map_err(|error| error.to_string());
            *ended.lock().unwrap_or_else(PoisonError::into_inner) = Some(told);
            (!well).then(|| (Err(io::Error::other("the archive is not complete")), None))
        }
    })
}

/// Hands the program's lines on, and returns the last ones.
async fn pass_on(mut said: ChildStderr, on_line: &(dyn Fn(&str) + Send + Sync)) -> String {
    let mut lines = Lines::default();
    let mut last = VecDeque::new();
    let mut take = |line: String| {
        on_line(&line);
        if last.len() == SHOWN_LINES {
            last.pop_front();
        }
        last.push_back(line);
    };
    let mut buffer = [0; 4096];
    while let Ok(read @ 1..) = said.read(&mut buffer).await {
        lines.push(buffer.get(..read).unwrap_or_default(), &mut take);
    }
    lines.finish(&mut take);
    Vec::from(last).join("\n")
}
