//! The key that signs what the ledger says of itself: checkpoints and the statements of bundles.

use anyhow::{Context, Result};
use holdpoint_ledger::note::{SignerKey, VerifierKey};
use holdpoint_schemas::estate::EstateConfig;
use std::fs::File;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};

use crate::failure::BadInput;

/// Name of the key's file in the state folder.
const FILE: &str = "ledger.key";

/// Longest key file that is read.
const MAX_FILE_BYTES: u64 = 4 << 10;

/// What a key's name begins with where nobody chose one.
const NAMESPACE: &str = "holdpoint/";

/// The estate's signing key. One that is configured must be there; the one in the state folder is made when it is first
/// asked for.
///
/// # Errors
/// When it can't be read or made.
pub fn signer(root: &Path, config: &EstateConfig) -> Result<SignerKey> {
    let (path, may_make) = place(root, config);
    if !path.exists() && may_make {
        std::fs::create_dir_all(root.join(&config.state)).context("making the state folder")?;
        return make(&path, &name_of(&config.name));
    }
    read(&path)
}

/// Public keys whose checkpoints are believed: the estate's own, where there is one, and those that it trusts.
///
/// # Errors
/// When one can't be read.
pub fn trusted(root: &Path, config: &EstateConfig) -> Result<Vec<VerifierKey>> {
    let (path, may_make) = place(root, config);
    let mut keys = Vec::new();
    if path.exists() || !may_make {
        keys.push(read(&path)?.verifier());
    }
    for text in &config.ledger.trusted_keys {
        keys.push(text.parse().map_err(|error| {
            BadInput::new(
                format!("`ledger.trusted_keys` in `holdpoint.yaml` lists `{text}`: {error}"),
                "take it from `holdpoint ledger key`",
            )
        })?);
    }
    Ok(keys)
}

/// Makes a key in a file that isn't there yet, readable by its owner alone.
///
/// # Errors
/// When there is one already, or it can't be written.
pub fn make(path: &Path, name: &str) -> Result<SignerKey> {
    let mut seed = [0; 32];
    File::open("/dev/urandom")
        .and_then(|mut random| random.read_exact(&mut seed))
        .context("drawing the ledger's key")?;
    let key = SignerKey::from_seed(name, &seed)
        .map_err(|error| BadInput::new(error.to_string(), "name it like `example.com/holdpoint`"))?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    // A temporary file is readable by its owner alone; it becomes the key whole or not at all, and never another's.
    let mut file =
        tempfile::NamedTempFile::new_in(folder.unwrap_or(Path::new("."))).context("making the ledger's key")?;
    writeln!(file, "{}", key.secret_text())
        .and_then(|()| file.as_file().sync_all())
        .context("writing the ledger's key")?;
    match file.persist_noclobber(path) {
        Ok(_) => Ok(key),
        Err(error) if error.error.kind() == std::io::ErrorKind::AlreadyExists => Err(BadInput::new(
            format!("there is a file `{}` already", path.display()),
            "a key is never replaced in place: what it signed would no longer verify",
        )
        .into()),
        Err(error) => Err(error.error).with_context(|| format!("writing `{}`", path.display())),
    }
}

/// The name of an estate's log: its own in lower case, and what can't be part of a name as `-`.
pub fn name_of(estate: &str) -> String {
    let words = estate
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase);
    let slug: String = words.collect::<Vec<_>>().join("-").chars().take(60).collect();
    format!("{NAMESPACE}{}", if slug.is_empty() { "estate" } else { slug.as_str() })
}

/// Where the key is, and whether it is made where it is missing.
fn place(root: &Path, config: &EstateConfig) -> (PathBuf, bool) {
    match &config.ledger.key {
        Some(file) => (root.join(file), false),
        None => (root.join(&config.state).join(FILE), true),
    }
}

fn read(path: &Path) -> Result<SignerKey> {
    let unreadable = |why: &dyn std::fmt::Display| {
        BadInput::new(
            format!("the ledger's key `{}` can't be used: {why}", path.display()),
            "restore it from a copy, or make one with `holdpoint ledger key --new FILE` and name it as `ledger.key` in \
             `holdpoint.yaml`",
        )
    };
    let mut text = String::new();
    File::open(path)
        .and_then(|file| file.take(MAX_FILE_BYTES).read_to_string(&mut text))
        .map_err(|error| unreadable(&error))?;
    text.parse().map_err(|error| unreadable(&error).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(text: &str) -> EstateConfig {
        let text = format!("name: Acme Ltd.\nrepos: []\n{text}");
        holdpoint_intake::estate::read_estate("holdpoint.yaml", &text).unwrap()
    }

    #[test]
    fn a_key_is_made_once_for_its_owner_alone() {
        use std::os::unix::fs::PermissionsExt as _;
        let root = tempfile::tempdir().unwrap();
        let config = config("");
        assert_eq!(trusted(root.path(), &config).unwrap(), [], "looking makes none");
        let key = signer(root.path(), &config).unwrap().verifier();
        assert_eq!(key.name(), "holdpoint/acme-ltd");
        assert_eq!(signer(root.path(), &config).unwrap().verifier(), key);
        assert_eq!(trusted(root.path(), &config).unwrap(), [key]);
        let file = root.path().join("state").join(FILE);
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        assert!(make(&file, "a").unwrap_err().to_string().contains("already"));
    }

    #[test]
    fn a_configured_key_must_be_there_and_be_one() {
        let root = tempfile::tempdir().unwrap();
        let config = config("ledger: { key: keys/ledger }\n");
        let error = signer(root.path(), &config).unwrap_err().to_string();
        assert!(error.contains("keys/ledger"), "{error}");
        assert!(trusted(root.path(), &config).is_err());
        std::fs::create_dir(root.path().join("keys")).unwrap();
        std::fs::write(root.path().join("keys/ledger"), "nothing").unwrap();
        let error = signer(root.path(), &config).unwrap_err().to_string();
        assert!(error.contains("not a key"), "{error}");
        std::fs::remove_file(root.path().join("keys/ledger")).unwrap();
        let made = make(&root.path().join("keys/ledger"), "example.com/log").unwrap();
        assert_eq!(signer(root.path(), &config).unwrap().verifier(), made.verifier());
    }

    #[test]
    fn an_estates_name_becomes_a_keys_name() {
        assert_eq!(name_of("Acme + Söhne, Inc."), "holdpoint/acme-söhne-inc");
        assert_eq!(name_of("+++"), "holdpoint/estate");
    }
}
