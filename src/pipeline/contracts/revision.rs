//! One side of a comparison as people name it: a path, or a path in a revision of the git repository around.

use anyhow::Result;
use git2::Repository;
use holdpoint_contract::{Kind, Sources};
use holdpoint_schemas::SourceError;
use std::path::Path;

use super::{Folder, Tree};

/// A side that was found.
pub enum Opened {
    /// A file or folder.
    Folder(Folder),
    /// A repository, a tree of it, and a path in that.
    Revision {
        /// The repository around the current folder.
        git: Repository,
        /// Id of the tree.
        tree: String,
        /// Path from its root, without `..`.
        path: String,
    },
}

impl Opened {
    /// Opens what is named: a path that exists, else `REVISION:PATH` as git writes it (gitrevisions(7)), where a path
    /// that starts with `./` or `../` counts from the current folder and any other from the repository's root.
    ///
    /// # Errors
    /// When there is no such path, revision or repository.
    pub fn find(named: &Path) -> Result<Self> {
        let text = named.to_string_lossy();
        match text.split_once(':') {
            Some((revision, path)) if !revision.is_empty() && !path.starts_with("//") && !named.exists() => {
                of_revision(&text, revision, path)
            }
            _ => Ok(Self::Folder(Folder::open(named)?)),
        }
    }

    /// Its files; of a revision those that a contract of the kind may use.
    ///
    /// # Errors
    /// When the revision has no such path.
    pub fn sources(&self, named: &str, kind: Option<Kind>) -> Result<Box<dyn Sources + '_>> {
        Ok(match self {
            Self::Folder(folder) => Box::new(folder),
            Self::Revision { git, tree, path } => {
                let kind = kind.unwrap_or_else(|| by_name(path));
                let tree = Tree::open(git, tree, kind, path).ok_or_else(|| {
                    SourceError::new(named, "this revision has no such file or folder")
                        .help("write it as git does: `main:api/openapi.yaml`, from the root of the repository")
                })?;
                Box::new(tree)
            }
        })
    }
}

/// Only files of these kinds are looked for from the folder of the one that is named.
fn by_name(path: &str) -> Kind {
    match path.rsplit_once('.').map(|(_, ending)| ending) {
        Some("proto") => Kind::Protobuf,
        Some("graphql" | "graphqls" | "gql") => Kind::GraphQl,
        Some("sql" | "ddl") => Kind::Sql,
        _ => Kind::OpenApi,
    }
}

fn of_revision(named: &str, revision: &str, path: &str) -> Result<Opened> {
    let wrong = |why: String, help: &str| SourceError::new(named, why).help(help);
    let git = Repository::discover(".").map_err(|_| {
        wrong(
            "there is no such file, and no git repository around this folder".to_owned(),
            "give a file or a folder, or run this in the repository",
        )
    })?;
    let tree = git
        .revparse_single(revision)
        .and_then(|object| object.peel_to_tree())
        .map_err(|_| {
            let why = format!("there is no such file, and no revision `{}`", revision.escape_debug());
            wrong(why, "name a commit, a branch or a tag that is here: nothing is fetched")
        })?
        .id()
        .to_string();
    let path = if path.starts_with("./") || path.starts_with("../") {
        let here = std::env::current_dir()?.canonicalize()?;
        let root = git.workdir().map(Path::canonicalize).transpose()?;
        let below = root.and_then(|root| here.strip_prefix(&root).ok().map(Path::to_path_buf));
        format!("{}/{path}", below.unwrap_or_default().to_string_lossy())
    } else {
        path.to_owned()
    };
    let path = super::inside(path.trim_start_matches('/'))
        .map_err(|why| wrong(why.to_string(), "name a path in the repository"))?;
    Ok(Opened::Revision { git, tree, path })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_in_a_revision_is_read_without_checking_it_out() {
        let folder = tempfile::tempdir().unwrap();
        let git = Repository::init(folder.path()).unwrap();
        std::fs::create_dir(folder.path().join("api")).unwrap();
        std::fs::write(folder.path().join("api/a.yaml"), "openapi: 3.1.0\n").unwrap();
        let mut index = git.index().unwrap();
        index.add_path(Path::new("api/a.yaml")).unwrap();
        let tree = index.write_tree().unwrap();
        let of = |path: &str| Opened::Revision {
            git: Repository::open(folder.path()).unwrap(),
            tree: tree.to_string(),
            path: path.to_owned(),
        };
        std::fs::remove_dir_all(folder.path().join("api")).unwrap();
        let (file, all) = (of("api/a.yaml"), of("api"));
        assert_eq!(
            file.sources("x", None).unwrap().read("api/a.yaml").unwrap(),
            "openapi: 3.1.0\n"
        );
        assert_eq!(all.sources("x", None).unwrap().paths(), ["a.yaml"]);
        assert!(of("gone").sources("x", None).is_err());
    }
}
