//! The state folder: one run at a time, and nothing of a killed run left over.

use anyhow::{Context, Result};
use holdpoint_ledger::Ledger;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};

use super::store::{EstateLease, Location, told};
use crate::failure::BadInput;

/// Length of the key for hashes of secrets.
const KEY_BYTES: usize = 32;

/// Another process holds the estate: bad input for whoever asked, and a reason to wait for `serve`.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct Held(pub BadInput);

/// Longest note on who holds the estate, in bytes: this program's own is a line.
const MAX_HOLDER: u64 = 200;
/// Length of the number that tells state folders apart.
const HOLDER_BYTES: usize = 8;

/// An estate's state folder, held by this process.
#[derive(Debug)]
pub struct State {
    /// The folder.
    pub root: PathBuf,
    /// The lease on the estate, where its ledger is shared by hosts; given back before the lock goes.
    lease: Option<EstateLease>,
    _lock: File,
}

impl State {
    /// Takes the state folder; makes it if it isn't there. The lock goes with the process, so a
    /// killed run never leaves it locked.
    ///
    /// # Errors
    /// When another process holds it, or the folder can't be made.
    pub fn take(root: &Path) -> Result<Self> {
        std::fs::create_dir_all(root).with_context(|| format!("making the state folder `{}`", root.display()))?;
        let mut lock = OpenOptions::new()
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .open(root.join("lock"))
            .context("opening the state folder's lock")?;
        match lock.try_lock() {
            Ok(()) => note_holder(&lock),
            Err(TryLockError::WouldBlock) => {
                let holder = holder(&mut lock);
                return Err(Held(BadInput::new(
                    format!("another run of this estate is under way{holder}"),
                    "wait until it ends; a killed run's lock goes with it",
                ))
                .into());
            }
            Err(TryLockError::Error(error)) => return Err(error).context("locking the state folder"),
        }
        let state = Self {
            root: root.to_owned(),
            lease: None,
            _lock: lock,
        };
        state.sweep()?;
        Ok(state)
    }

    /// Opens the ledger and refuses one that doesn't verify: nothing may be decided on a history
    /// that was changed. Where hosts share it, takes the lease on the estate.
    ///
    /// # Errors
    /// When it can't be opened, was tampered with, or another host's run has the estate.
    pub fn ledger(&mut self, location: &Location) -> Result<Ledger> {
        let mut ledger = location.open().map_err(told)?;
        self.lease = EstateLease::take(location, &mut ledger, &self.holder()?)?;
        refuse_if_tampered(&ledger)?;
        Ok(ledger)
    }

    /// Opens the ledger while another host's run has the estate; refuses one that doesn't verify, too.
    ///
    /// # Errors
    /// When there is none, or it can't be opened or was tampered with.
    pub fn ledger_of_another(&self, location: &Location) -> Result<Ledger> {
        let ledger = location.open_existing().map_err(told)?;
        refuse_if_tampered(&ledger)?;
        Ok(ledger)
    }

    /// Who holds this folder, told apart from every other: this machine, and a number drawn once.
    ///
    /// # Errors
    /// When the number can't be drawn or kept.
    pub fn holder(&self) -> Result<String> {
        let path = self.root.join("holder.id");
        let id = match std::fs::read_to_string(&path) {
            Ok(id) if id.len() == 2 * HOLDER_BYTES => id,
            _ => {
                let mut random = [0; HOLDER_BYTES];
                File::open("/dev/urandom")
                    .and_then(|mut file| file.read_exact(&mut random))
                    .context("drawing the number of the state folder")?;
                let id: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
                std::fs::write(&path, &id).with_context(|| format!("writing `{}`", path.display()))?;
                id
            }
        };
        let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
        Ok(format!("{}/{id}", host.trim()))
    }

    /// The key by which hashes of secrets are made: equal secrets can be told from different ones by whoever holds
    /// this folder, and nobody can guess a weak one from its hash alone. Made when first asked for.
    ///
    /// # Errors
    /// When it can't be read or made.
    pub fn secret_key(&self) -> Result<Vec<u8>> {
        let path = self.root.join("secret.key");
        if let Ok(key) = std::fs::read(&path)
            && key.len() == KEY_BYTES
        {
            return Ok(key);
        }
        let mut key = vec![0; KEY_BYTES];
        File::open("/dev/urandom")
            .and_then(|mut random| random.read_exact(&mut key))
            .context("drawing the key for hashes of secrets")?;
        let mut options = OpenOptions::new();
        options.create(true).truncate(true).write(true);
        #[cfg(unix)]
        {
            use std::os::unix::fs::OpenOptionsExt as _;
            options.mode(0o600);
        }
        options
            .open(&path)
            .and_then(|mut file| file.write_all(&key))
            .with_context(|| format!("writing `{}`", path.display()))?;
        Ok(key)
    }

    /// A folder for temporary files of this process, removed by the next run if this one is killed.
    pub fn temporary(&self) -> PathBuf {
        self.root.join("tmp")
    }

    fn sweep(&self) -> Result<()> {
        let temporary = self.temporary();
        if temporary.exists() {
            std::fs::remove_dir_all(&temporary).context("removing what a killed run left")?;
        }
        std::fs::create_dir_all(&temporary).context("making the folder for temporary files")
    }
}

/// Writes down who holds the lock, for whoever finds it held. A note that can't be written harms nothing.
fn refuse_if_tampered(ledger: &Ledger) -> Result<()> {
    if let holdpoint_ledger::Verification::Tampered { problems } = ledger.verify(None)? {
        return Err(BadInput::new(
            format!("the ledger doesn't verify: {}", problems.join("; ")),
            "look at it with `holdpoint ledger verify`, and restore it from a copy",
        )
        .into());
    }
    Ok(())
}

fn note_holder(mut lock: &File) {
    let since = holdpoint_schemas::Timestamp::now()
        .strftime("%Y-%m-%dT%H:%M:%SZ")
        .to_string();
    let note = format!("process {}, since {since}", std::process::id());
    let _ = lock.set_len(0).and_then(|()| lock.write_all(note.as_bytes()));
}

fn holder(lock: &mut File) -> String {
    let mut note = String::new();
    match lock.take(MAX_HOLDER).read_to_string(&mut note) {
        Ok(_) if !note.is_empty() => format!(": {}", crate::output::text::clean(&note)),
        _ => String::new(),
    }
}
