//! For whom a snapshot is kept: a folder of records, for as long as it is there. Once it was deleted nobody asks for
//! its snapshots again, and the next sweep on this machine takes them, whoever's that is.

use std::collections::HashMap;
use std::fs;
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

/// Where the folder is.
const LABEL_FOLDER: &str = "holdpoint.keeper";
/// Tells it from another folder that was later made in its place.
const LABEL_ID: &str = "holdpoint.keeper-id";
/// Paths mean nothing in another mount namespace, for example in another container.
const LABEL_NAMESPACE: &str = "holdpoint.keeper-namespace";
/// File that holds the folder's id.
const ID: &str = "id";
/// Bytes of an id, before they are written as hexadecimal digits.
const ID_BYTES: usize = 16;

/// A folder for which snapshots are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keeper {
    folder: PathBuf,
    id: String,
    namespace: String,
}

impl Keeper {
    /// The keeper that this folder stands for. The folder is made if it isn't there, and given an id.
    ///
    /// # Errors
    /// When it can't be read or written.
    pub fn of(folder: &Path) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        let folder = fs::canonicalize(folder)?;
        let file = folder.join(ID);
        if !is_id(&read(&file).unwrap_or_default()) {
            write(&folder, &file)?;
        }
        Ok(Self {
            id: read(&file)?,
            folder,
            namespace: namespace()?,
        })
    }

    pub(super) fn labels(&self) -> HashMap<String, String> {
        HashMap::from([
            (LABEL_FOLDER.to_owned(), self.folder.to_string_lossy().into_owned()),
            (LABEL_ID.to_owned(), self.id.clone()),
            (LABEL_NAMESPACE.to_owned(), self.namespace.clone()),
        ])
    }
}

/// Whether the folder that the labels name is certainly gone. When that can't be told (no such labels, another
/// namespace, a folder that can't be looked into) it is taken to be there.
pub(super) fn is_gone(labels: &HashMap<String, String>) -> bool {
    let label = |name| labels.get(name).map(String::as_str);
    let (Some(folder), Some(id), Some(there)) = (label(LABEL_FOLDER), label(LABEL_ID), label(LABEL_NAMESPACE)) else {
        return false;
    };
    if !namespace().is_ok_and(|here| here == there) {
        return false;
    }
    match read(&Path::new(folder).join(ID)) {
        Ok(found) => is_id(&found) && found != id,
        Err(error) => matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory),
    }
}

fn read(file: &Path) -> io::Result<String> {
    let mut text = String::new();
    fs::File::open(file)?
        .take(2 * ID_BYTES as u64 + 1)
        .read_to_string(&mut text)?;
    Ok(text)
}

/// Complete when it appears; of two processes the first one's stays.
fn write(folder: &Path, file: &Path) -> io::Result<()> {
    let mut random = [0; ID_BYTES];
    fs::File::open("/dev/urandom")?.read_exact(&mut random)?;
    let id: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
    let mut fresh = tempfile::NamedTempFile::new_in(folder)?;
    fresh.write_all(id.as_bytes())?;
    match fresh.persist_noclobber(file) {
        Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists && !is_id(&read(file)?) => {
            // Cut short by a full disk.
            error.file.persist(file).map(drop).map_err(|error| error.error)
        }
        Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        written => written.map(drop).map_err(|error| error.error),
    }
}

fn is_id(text: &str) -> bool {
    text.len() == 2 * ID_BYTES && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn namespace() -> io::Result<String> {
    Ok(fs::read_link("/proc/self/ns/mnt")?.to_string_lossy().into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_keeps_its_id_for_as_long_as_it_is_there() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("state/baselines");
        let keeper = Keeper::of(&folder).unwrap();
        assert_eq!(Keeper::of(&folder).unwrap(), keeper);
        assert!(!is_gone(&keeper.labels()));
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 1, "nothing but its id");

        fs::remove_dir_all(root.path().join("state")).unwrap();
        assert!(is_gone(&keeper.labels()));
        let later = Keeper::of(&folder).unwrap();
        assert!(is_gone(&keeper.labels()), "another one in its place isn't it");
        assert!(!is_gone(&later.labels()));
    }

    #[test]
    fn what_cannot_be_told_counts_as_there() {
        let root = tempfile::tempdir().unwrap();
        let keeper = Keeper::of(&root.path().join("gone")).unwrap();
        fs::remove_dir_all(root.path().join("gone")).unwrap();
        assert!(is_gone(&keeper.labels()));
        assert!(!is_gone(&HashMap::new()));
        let elsewhere = Keeper {
            namespace: "mnt:[1]".to_owned(),
            ..keeper.clone()
        };
        assert!(!is_gone(&elsewhere.labels()));
        fs::create_dir_all(root.path().join("gone/id")).unwrap();
        assert!(!is_gone(&keeper.labels()), "a folder in the id's place can't be read");
    }

    #[test]
    fn an_id_that_was_cut_short_is_written_anew() {
        let root = tempfile::tempdir().unwrap();
        fs::write(root.path().join(ID), "0123").unwrap();
        let keeper = Keeper::of(root.path()).unwrap();
        assert!(is_id(&keeper.id));
        assert!(!is_gone(&keeper.labels()));
    }
}
