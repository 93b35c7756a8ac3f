//! Letting bodies go that nobody needs any more. What was appended, when, and in which order stays
//! proved: the leaf of an entry commits to its body's digest, and that is kept.

use holdpoint_schemas::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use std::collections::BTreeSet;
use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::{Path, PathBuf};

use crate::entry::{Content, Draft, Entry, Form, MAX_BODY_BYTES, Row};
use crate::error::LedgerError;
use crate::head::Hash;
use crate::log::Ledger;
use crate::read::Rows;
use crate::store::Access;

/// Kind of the entry that says which bodies were let go.
pub const PRUNE: &str = "prune";

/// Longest line of an export: a body and the little around it.
const MAX_LINE_BYTES: u64 = MAX_BODY_BYTES as u64 + 1024;

/// Which bodies were let go, and where they went.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PruneRecord {
    /// Number of bodies.
    pub bodies: u64,
    /// Places of their entries: first and last of each row of neighbours.
    pub places: Vec<(u64, u64)>,
    /// Name of the file that they were written to: one entry a line, JSON.
    pub export: String,
    /// SHA-256 of that file.
    pub sha256: Hash,
}

/// What was pruned.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Pruned {
    /// Number of bodies.
    pub bodies: u64,
    /// Their length together, in bytes.
    pub bytes: u64,
    /// Entries that were asked for and stay whole: of form 1, or pruned before.
    pub kept: u64,
    /// The file that they were written to; `None` when there was nothing to prune.
    pub export: Option<PathBuf>,
}

impl Ledger {
    /// Lets go of the bodies at the given places. Before that they are written to a file in
    /// `folder`, which is read back and held against the log; and an entry of kind [`PRUNE`] says
    /// what went, in the same transaction.
    ///
    /// # Errors
    /// When a place isn't there or holds a [`PRUNE`] entry, when the file can't be written or doesn't read back as
    /// what the log holds, and as [`Ledger::append`]. Then nothing was pruned.
    pub fn prune(&mut self, places: &BTreeSet<u64>, folder: &Path, at: Timestamp) -> Result<Pruned, LedgerError> {
        let export = Export::begin(folder)?;
        let export = self.write_export(places, export)?;
        let kept = places.len() as u64 - export.written.len() as u64;
        if export.written.is_empty() {
            return Ok(Pruned {
                bodies: 0,
                bytes: 0,
                kept,
                export: None,
            });
        }
        let bytes = export.bytes;
        let written = export.finish(folder)?;
        let mut gone = Places::default();
        for (seq, _) in &written.bodies {
            gone.add(*seq);
        }
        let record = PruneRecord {
            bodies: gone.count(),
            places: gone.0,
            export: written.name,
            sha256: written.sha256,
        };
        let draft = Draft::new(PRUNE, at, &record)?;
        self.append_drafts(vec![draft], &mut |store| {
            store.drop_bodies(&written.bodies)?;
            Ok(true)
        })?;
        Ok(Pruned {
            bodies: record.bodies,
            bytes,
            kept,
            export: Some(written.path),
        })
    }

    fn write_export(&self, places: &BTreeSet<u64>, mut export: Export) -> Result<Export, LedgerError> {
        let mut met = 0;
        self.transact(Access::Read, |store| {
            met = 0;
            export.restart()?;
            let Some(first) = places.first() else { return Ok(()) };
            Rows::after(first.saturating_sub(1), None).each(store, |seq, row| {
                if !places.contains(&seq) {
                    return Ok(());
                }
                met += 1;
                let row = row.map_err(LedgerError::altered)?;
                row.check().map_err(LedgerError::altered)?;
                if row.kind == PRUNE {
                    return Err(LedgerError::Prune {
                        why: format!("entry {seq} says what was pruned before"),
                    });
                }
                export.write(&row)
            })
        })?;
        if met != places.len() {
            return Err(LedgerError::Prune {
                why: format!("{} of the {} entries are not there", places.len() - met, places.len()),
            });
        }
        Ok(export)
    }
}

/// A file of bodies, being written under a name that nobody takes for a finished one.
struct Export {
    path: PathBuf,
    file: File,
    bytes: u64,
    written: Vec<(u64, Hash)>,
}

/// A file of bodies that was read back.
struct Exported {
    path: PathBuf,
    name: String,
    sha256: Hash,
    bodies: Vec<(u64, Hash)>,
}

impl Export {
    fn begin(folder: &Path) -> Result<Self, LedgerError> {
        let path = folder.join(format!("pruning-{}.jsonl", std::process::id()));
        std::fs::create_dir_all(folder).map_err(failed(folder))?;
        let mut options = std::fs::OpenOptions::new();
        options.create(true).truncate(true).read(true).write(true);
        #[cfg(unix)]
        {
            use std::os::unix::fs::OpenOptionsExt as _;
            options.mode(0o600);
        }
        Ok(Self {
            file: options.open(&path).map_err(failed(&path))?,
            path,
            bytes: 0,
            written: Vec::new(),
        })
    }

    fn restart(&mut self) -> Result<(), LedgerError> {
        use std::io::{Seek as _, SeekFrom};
        self.bytes = 0;
        self.written.clear();
        self.file.set_len(0).map_err(failed(&self.path))?;
        self.file.seek(SeekFrom::Start(0)).map_err(failed(&self.path))?;
        Ok(())
    }

    /// One line, canonical JSON; nothing for an entry that stays whole.
    fn write(&mut self, row: &Row) -> Result<(), LedgerError> {
        let (Form::Digest, Content::Body(body)) = (row.form, &row.content) else {
            return Ok(());
        };
        let Row {
            seq, kind, at, leaf, ..
        } = row;
        let line =
            format!("{{\"at\":\"{at}\",\"body\":{body},\"kind\":\"{kind}\",\"leaf\":\"{leaf}\",\"seq\":{seq}}}\n");
        self.file.write_all(line.as_bytes()).map_err(failed(&self.path))?;
        self.bytes += body.len() as u64;
        self.written.push((*seq, row.digest()));
        Ok(())
    }

    /// Reads the file back, and gives it its name.
    fn finish(mut self, folder: &Path) -> Result<Exported, LedgerError> {
        use std::io::{Seek as _, SeekFrom};
        let failed_here = failed(&self.path);
        self.file.sync_all().map_err(&failed_here)?;
        self.file.seek(SeekFrom::Start(0)).map_err(&failed_here)?;
        let mut reader = BufReader::new(&self.file);
        let mut hasher = Sha256::new();
        let mut bodies = Vec::with_capacity(self.written.len());
        loop {
            let mut line = Vec::new();
            let length = reader.by_ref().take(MAX_LINE_BYTES).read_until(b'\n', &mut line);
            if length.map_err(&failed_here)? == 0 {
                break;
            }
            hasher.update(&line);
            let (entry, digest) = std::str::from_utf8(&line)
                .map_err(|error| error.to_string())
                .and_then(read_line)
                .map_err(|why| failed_here(std::io::Error::other(why)))?;
            bodies.push((entry.seq, digest));
        }
        if bodies != self.written {
            return Err(failed_here(std::io::Error::other(
                "it does not read back as it was written",
            )));
        }
        let sha256 = Hash(hasher.finalize().into());
        let place = |place: Option<&(u64, Hash)>| place.map_or(0, |(seq, _)| *seq);
        let short: String = sha256.to_string().chars().take(12).collect();
        let name = format!(
            "pruned-{}-{}-{short}.jsonl",
            place(bodies.first()),
            place(bodies.last())
        );
        let path = folder.join(&name);
        std::fs::rename(&self.path, &path).map_err(failed(&path))?;
        File::open(folder)
            .and_then(|folder| folder.sync_all())
            .map_err(failed(folder))?;
        Ok(Exported {
            path,
            name,
            sha256,
            bodies,
        })
    }
}

impl Drop for Export {
    fn drop(&mut self) {
        // After a rename there is nothing under this name.
        let _ = std::fs::remove_file(&self.path);
    }
}

fn failed(path: &Path) -> impl Fn(std::io::Error) -> LedgerError {
    let path = path.to_owned();
    move |source| LedgerError::Export {
        path: path.clone(),
        source: source.into(),
    }
}

/// Reads one line of an export: an entry, checked against the leaf hash that the log still holds.
///
/// # Errors
/// What is wrong with the line.
pub fn read_export_line(line: &str) -> Result<Entry, String> {
    read_line(line).map(|(entry, _)| entry)
}

fn read_line(line: &str) -> Result<(Entry, Hash), String> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Line {
        at: String,
        body: Value,
        kind: String,
        leaf: Hash,
        seq: u64,
    }
    let line: Line = serde_json::from_str(line).map_err(|error| error.to_string())?;
    let text = holdpoint_schemas::digest::canonical_json(&line.body).map_err(|error| error.to_string())?;
    let row = Row {
        seq: line.seq,
        form: Form::Digest,
        kind: line.kind,
        at: line.at,
        content: Content::Body(String::from_utf8(text).map_err(|error| error.to_string())?),
        leaf: line.leaf,
    };
    let digest = row.digest();
    let entry = row.into_entry()?.ok_or("it has no body")?;
    Ok((entry, digest))
}

/// Places as rows of neighbours, in order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Places(Vec<(u64, u64)>);

impl Places {
    /// Adds a place behind all others.
    pub(crate) fn add(&mut self, place: u64) {
        match self.0.last_mut() {
            Some((_, last)) if *last + 1 == place => *last = place,
            _ => self.0.push((place, place)),
        }
    }

    /// Adds places of anywhere.
    pub(crate) fn extend(&mut self, places: &[(u64, u64)]) {
        self.0.extend(places);
    }

    pub(crate) fn count(&self) -> u64 {
        self.0.iter().map(|(first, last)| last - first + 1).sum()
    }

    /// These without others, which may be in any order and overlap.
    pub(crate) fn without(&self, others: &Self) -> Vec<(u64, u64)> {
        let mut sorted = others.0.clone();
        sorted.sort_unstable();
        // Neighbours and what overlaps made one, so that the first that matters is found by halving.
        let mut others: Vec<(u64, u64)> = Vec::with_capacity(sorted.len());
        for (first, last) in sorted {
            match others.last_mut() {
                Some((_, end)) if first <= end.saturating_add(1) => *end = last.max(*end),
                _ => others.push((first, last)),
            }
        }
        let mut left = Vec::new();
        for (first, last) in &self.0 {
            let mut from = *first;
            let begin = others.partition_point(|(_, end)| end < first);
            for (start, end) in others.iter().skip(begin).take_while(|(start, _)| start <= last) {
                if *start > from {
                    left.push((from, start - 1));
                }
                from = from.max(end.saturating_add(1));
            }
            if from <= *last {
                left.push((from, *last));
            }
        }
        left
    }
}

#[cfg(test)]
mod tests;
