//! Lockfiles are enforced: after `prepare`, each lockfile of the tree has to be what the tree has.

use crate::error::SandboxError;
use crate::sandbox::{REPO_DIR, Sandbox, WORKSPACE_DIR, WorkspaceId, tree};

/// Lockfiles looked at: monorepos have one per package, at worst.
const MAX_LOCKFILES: usize = 200;

/// Names of lockfiles, each with how to install from it without changing it.
const LOCKFILES: [(&str, &str); 20] = [
    ("package-lock.json", "use `npm ci`"),
    ("npm-shrinkwrap.json", "use `npm ci`"),
    (
        "yarn.lock",
        "use `yarn install --immutable` (Yarn 1: `--frozen-lockfile`)",
    ),
    ("pnpm-lock.yaml", "use `pnpm install --frozen-lockfile`"),
    ("bun.lock", "use `bun install --frozen-lockfile`"),
    ("bun.lockb", "use `bun install --frozen-lockfile`"),
    ("deno.lock", "use `deno install --frozen`"),
    ("Cargo.lock", "use `cargo --locked`"),
    ("poetry.lock", "use `poetry sync`, and `poetry lock` with the fix"),
    ("uv.lock", "use `uv sync --locked`"),
    ("pdm.lock", "use `pdm sync`"),
    ("Pipfile.lock", "use `pipenv sync`"),
    ("pylock.toml", "use an installer that only reads it"),
    ("requirements.lock", "use `pip install --require-hashes -r`"),
    ("go.sum", "use `go mod download`, and `go mod tidy` with the fix"),
    ("go.mod", "use `go mod download`, and `go mod tidy` with the fix"),
    ("gradle.lockfile", "don't use `--write-locks`"),
    ("Gemfile.lock", "use `bundle install` with `BUNDLE_FROZEN=true`"),
    ("composer.lock", "use `composer install`"),
    ("packages.lock.json", "use `dotnet restore --locked-mode`"),
];

/// What to use instead of what changed this lockfile.
pub(super) fn advice(path: &str) -> &'static str {
    known(path).unwrap_or("use a command that only reads it")
}

fn known(path: &str) -> Option<&'static str> {
    let name = path.rsplit('/').next().unwrap_or(path);
    LOCKFILES
        .iter()
        .find(|(lockfile, _)| *lockfile == name)
        .map(|(_, advice)| *advice)
}

/// A dependency's own lockfile is no lockfile of the repo.
fn is_lockfile(path: &str) -> bool {
    known(path).is_some() && !path.split('/').any(|part| matches!(part, "node_modules" | "vendor"))
}

/// The lockfiles of a tree that are different in a workspace, or not there any more.
pub(super) async fn changed(
    sandbox: &dyn Sandbox,
    workspace: &WorkspaceId,
    tree: &[u8],
) -> Result<Vec<String>, SandboxError> {
    let mut changed = Vec::new();
    for (path, content) in tree::pick(tree, is_lockfile)?.into_iter().take(MAX_LOCKFILES) {
        let inside = format!(
            "{}/{path}",
            REPO_DIR.trim_start_matches(WORKSPACE_DIR).trim_start_matches('/')
        );
        let same = match sandbox.read_file(workspace, &inside, content.len()).await {
            Ok(now) => now.as_deref() == Some(content),
            // Larger than it was.
            Err(SandboxError::FileTooLarge { .. }) => false,
            Err(error) => return Err(error),
        };
        if !same {
            changed.push(path);
        }
    }
    Ok(changed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lockfiles_are_known_wherever_they_are_but_in_dependencies() {
        assert!(is_lockfile("package-lock.json"));
        assert!(is_lockfile("services/api/Cargo.lock"));
        assert!(!is_lockfile("node_modules/x/yarn.lock"));
        assert!(!is_lockfile("package-lock.json.bak"));
        assert!(!is_lockfile("src/lock.rs"));
        assert_eq!(advice("a/Cargo.lock"), "use `cargo --locked`");
    }
}
