//! `CODEOWNERS`: who owns a path.
//!
//! GitHub: docs.github.com, "About code owners". GitLab: docs.gitlab.com, "Syntax of `CODEOWNERS`
//! file". The two agree on little but the name.

use git2::{Oid, Repository};
use globset::{Glob, GlobBuilder, GlobSet, GlobSetBuilder};
use std::collections::BTreeSet;

use super::history::{failed, lossy};
use crate::error::IntakeError;

/// Where the file may lie, and whose it then is. The first one that is there counts.
const PLACES: [(&str, Option<Flavour>); 4] = [
    (".github/CODEOWNERS", Some(Flavour::GitHub)),
    (".gitlab/CODEOWNERS", Some(Flavour::GitLab)),
    ("CODEOWNERS", None),
    ("docs/CODEOWNERS", None),
];
/// Largest file: above 3 MB GitHub reads none either.
const MAX_BYTES: usize = 3 << 20;
/// Most rules: each becomes a part of one automaton.
const MAX_RULES: usize = 20_000;
/// Globs of one automaton: with more it outgrows the bounds of the crate.
const CHUNK: usize = 256;
/// Longest pattern in bytes.
const MAX_PATTERN: usize = 1_024;
/// Most owners of one rule.
const MAX_OWNERS: usize = 100;

/// Whose rules a file follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flavour {
    /// GitHub's.
    GitHub,
    /// GitLab's: with sections, default owners and exclusions.
    GitLab,
}

/// A `CODEOWNERS` file that was read.
#[derive(Debug)]
pub struct CodeOwners {
    sections: Vec<Section>,
    /// Lines, from 1, that follow no rule and are skipped, as the forge does.
    pub skipped: Vec<usize>,
}

/// Rules of which one decides: the last that matches. All sections decide together.
#[derive(Debug, Default)]
struct Section {
    /// In lower case; empty before the first heading.
    name: String,
    default: Vec<String>,
    rules: Vec<Rule>,
    /// The rules' globs, in chunks; each with the places of its globs' rules.
    globs: Vec<(GlobSet, Vec<usize>)>,
}

#[derive(Debug)]
struct Rule {
    globs: Vec<Glob>,
    owners: Vec<String>,
    excludes: bool,
}

/// The code owners in the tree of a commit; `None` where it has no such file.
///
/// # Errors
/// When it can't be read.
pub fn code_owners(repo: &Repository, commit: &str) -> Result<Option<CodeOwners>, IntakeError> {
    let failed = failed(commit);
    let tree = Oid::from_str(commit)
        .and_then(|id| repo.find_commit(id)?.tree())
        .map_err(&failed)?;
    for (path, flavour) in PLACES {
        let Ok(entry) = tree.get_path(std::path::Path::new(path)) else {
            continue;
        };
        let blob = entry
            .to_object(repo)
            .and_then(|object| object.peel_to_blob())
            .map_err(&failed)?;
        let text = String::from_utf8_lossy(blob.content());
        let flavour = flavour.unwrap_or_else(|| Flavour::of(&text));
        let read = CodeOwners::parse(&text, flavour);
        return read.map(Some).map_err(|why| IntakeError::Git {
            commit: commit.to_owned(),
            message: format!("`{path}` {why}"),
        });
    }
    Ok(None)
}

impl Flavour {
    /// Whose a file is that lies where both forges look: only GitLab has headings and exclusions.
    fn of(text: &str) -> Self {
        let is_theirs = |line: &str| line.starts_with('!') || heading(line).is_some();
        if text.lines().any(|line| is_theirs(line.trim())) {
            Self::GitLab
        } else {
            Self::GitHub
        }
    }
}

impl CodeOwners {
    /// Reads a file.
    ///
    /// # Errors
    /// When it is larger than is read, in words that go on from the file's name.
    pub fn parse(text: &str, flavour: Flavour) -> Result<Self, String> {
        if text.len() > MAX_BYTES {
            return Err(format!(
                "has {} bytes, but at most {MAX_BYTES} bytes are read",
                text.len()
            ));
        }
        let mut read = Self {
            sections: vec![Section::default()],
            skipped: Vec::new(),
        };
        let (mut current, mut rules) = (0, 0);
        for (line, number) in text.trim_start_matches('\u{feff}').lines().zip(1..) {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            if flavour == Flavour::GitLab
                && let Some((name, default)) = heading(line)
            {
                current = read.section(&name, default);
                continue;
            }
            rules += 1;
            if rules > MAX_RULES {
                return Err(format!("has more than {MAX_RULES} rules"));
            }
            match (rule(line, flavour), read.sections.get_mut(current)) {
                (Some(rule), Some(section)) => section.rules.push(rule),
                _ => read.skipped.push(number),
            }
        }
        for section in &mut read.sections {
            section.build()?;
        }
        Ok(read)
    }

    /// Who owns a path (relative to the repo, with `/`), sorted. Empty: nobody.
    #[must_use]
    pub fn owners(&self, path: &str) -> Vec<String> {
        let owners: BTreeSet<String> = self
            .sections
            .iter()
            .flat_map(|section| section.owners(path))
            .cloned()
            .collect();
        owners.into_iter().collect()
    }

    /// The place of a section; equal names, whatever their case, are one.
    fn section(&mut self, name: &str, default: Vec<String>) -> usize {
        let name = name.to_lowercase();
        if let Some(at) = self.sections.iter().position(|section| section.name == name) {
            if let Some(section) = self.sections.get_mut(at).filter(|_| !default.is_empty()) {
                section.default = default;
            }
            return at;
        }
        self.sections.push(Section {
            name,
            default,
            ..Section::default()
        });
        self.sections.len() - 1
    }
}

impl Section {
    fn build(&mut self) -> Result<(), String> {
        let rules = self.rules.iter().enumerate();
        let globs: Vec<(usize, &Glob)> = rules
            .flat_map(|(at, rule)| rule.globs.iter().map(move |glob| (at, glob)))
            .collect();
        for chunk in globs.chunks(CHUNK) {
            let mut set = GlobSetBuilder::new();
            for (_, glob) in chunk {
                set.add((*glob).clone());
            }
            let set = set
                .build()
                .map_err(|_| "has patterns that are too large together".to_owned())?;
            self.globs.push((set, chunk.iter().map(|(at, _)| *at).collect()));
        }
        Ok(())
    }

    fn owners(&self, path: &str) -> &[String] {
        let matched = |(set, places): &(GlobSet, Vec<usize>)| -> Vec<usize> {
            set.matches(path)
                .into_iter()
                .filter_map(|index| places.get(index).copied())
                .collect()
        };
        let rules: Vec<&Rule> = self
            .globs
            .iter()
            .flat_map(matched)
            .filter_map(|at| self.rules.get(at))
            .collect();
        // What was excluded once can't be included again.
        if rules.iter().any(|rule| rule.excludes) {
            return &[];
        }
        match rules.last() {
            Some(rule) if rule.owners.is_empty() => &self.default,
            Some(rule) => &rule.owners,
            None => &[],
        }
    }
}

/// A section's heading, such as `^[Database][2] @dba`: its name and its default owners.
fn heading(line: &str) -> Option<(String, Vec<String>)> {
    let rest = line.strip_prefix('^').unwrap_or(line).strip_prefix('[')?;
    let (name, rest) = rest.split_once(']')?;
    let rest = match rest.strip_prefix('[') {
        Some(count) => {
            count
                .split_once(']')
                .filter(|(count, _)| count.bytes().all(|byte| byte.is_ascii_digit()))?
                .1
        }
        None => rest,
    };
    let is_heading = !name.trim().is_empty() && (rest.is_empty() || rest.starts_with(char::is_whitespace));
    let others = rest.split_whitespace().all(is_owner);
    (is_heading && others).then(|| (name.trim().to_owned(), owners(rest, Flavour::GitLab)))
}

/// A rule, or `None` for a line that the forge skips.
fn rule(line: &str, flavour: Flavour) -> Option<Rule> {
    let (excludes, line) = match (flavour, line.strip_prefix('!')) {
        (Flavour::GitLab, Some(rest)) => (true, rest),
        (Flavour::GitHub, Some(_)) => return None,
        (_, None) => (false, line),
    };
    let mut escaped = false;
    let end = line.find(|c: char| {
        let ends = c.is_whitespace() && !escaped;
        escaped = c == '\\' && !escaped;
        ends
    });
    let (pattern, rest) = line.split_at_checked(end.unwrap_or(line.len()))?;
    if pattern.is_empty() || pattern.len() > MAX_PATTERN {
        return None;
    }
    let is_broken = |token: &str| !token.starts_with('#') && !is_owner(token);
    if flavour == Flavour::GitHub {
        // It knows no ranges and no escaped `#`, and one bad owner spoils the line.
        let before_comment = rest.split_whitespace().take_while(|token| !token.starts_with('#'));
        if pattern.contains(['[', ']']) || pattern.starts_with("\\#") || before_comment.into_iter().any(is_broken) {
            return None;
        }
    }
    Some(Rule {
        globs: globs(pattern, flavour)?,
        owners: owners(rest, flavour),
        excludes,
    })
}

fn is_owner(token: &str) -> bool {
    token.find('@').is_some_and(|at| at + 1 < token.len())
}

/// The owners on a line. GitHub ends them at a comment; GitLab has none there, and takes owners from
/// what looks like one.
fn owners(text: &str, flavour: Flavour) -> Vec<String> {
    let tokens = text
        .split_whitespace()
        .take_while(|token| flavour == Flavour::GitLab || !token.starts_with('#'));
    tokens
        .filter(|token| is_owner(token))
        .map(|token| lossy(token.as_bytes()))
        .take(MAX_OWNERS)
        .collect()
}

/// The globs over whole paths that a pattern means.
fn globs(pattern: &str, flavour: Flavour) -> Option<Vec<Glob>> {
    // Braces are plain in both; the glob crate would read them as choices.
    let pattern = pattern.replace('{', "\\{").replace('}', "\\}");
    let anchored = match flavour {
        // As in `.gitignore`: a slash before the end ties it to the root.
        Flavour::GitHub => pattern.trim_end_matches('/').contains('/'),
        Flavour::GitLab => pattern.starts_with('/'),
    };
    let body = pattern.trim_start_matches('/');
    let rooted = match (body, anchored) {
        ("", _) => "**".to_owned(),
        (body, true) => body.to_owned(),
        (body, false) => format!("**/{body}"),
    };
    let globs = match (flavour, rooted.strip_suffix('/')) {
        (_, Some(folder)) => vec![format!("{folder}/**")],
        // A name may be a folder's, and then all in it is meant. Of a folder that is named by `*` only the
        // direct files are.
        (Flavour::GitHub, None) if !body.ends_with("/*") && !body.ends_with("**") => {
            vec![format!("{rooted}/**"), rooted]
        }
        (_, None) => vec![rooted],
    };
    let build = |glob: &String| {
        GlobBuilder::new(glob)
            .literal_separator(true)
            .backslash_escape(true)
            .build()
            .ok()
    };
    globs.iter().map(build).collect()
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{Fixture, NOW};
    use super::*;

    fn github(text: &str, path: &str) -> String {
        CodeOwners::parse(text, Flavour::GitHub).unwrap().owners(path).join(" ")
    }

    fn gitlab(text: &str, path: &str) -> String {
        CodeOwners::parse(text, Flavour::GitLab).unwrap().owners(path).join(" ")
    }

    #[test]
    fn patterns_of_github_mean_what_its_documentation_says() {
        for (pattern, owned, other) in [
            ("*", &["a", "a/b/.c"][..], &[][..]),
            ("*.js", &["a.js", "a/b.js"], &["a.jsx"]),
            (
                "/build/logs/",
                &["build/logs/a", "build/logs/a/b"],
                &["x/build/logs/a", "build/logs"],
            ),
            (
                "docs/*",
                &["docs/getting-started.md"],
                &["docs/build-app/troubleshooting.md"],
            ),
            ("apps/", &["apps/a", "x/apps/a/b"], &["apps.md"]),
            ("/docs/", &["docs/a", "docs/b/c"], &["x/docs/a"]),
            (
                "**/logs",
                &["build/logs/a", "logs/a", "deeply/nested/logs/a"],
                &["logsx/a"],
            ),
            (
                "/apps/github",
                &["apps/github", "apps/github/a/b"],
                &["x/apps/github", "apps/githubx"],
            ),
            ("src/a.rs", &["src/a.rs"], &["x/src/a.rs"]),
            ("a\\ b.md", &["a b.md", "x/a b.md"], &["a"]),
            ("{a,b}", &["{a,b}"], &["a", "b"]),
            ("file?.txt", &["file1.txt"], &["file10.txt", "file/.txt"]),
        ] {
            let text = format!("{pattern} @o\n");
            for path in owned {
                assert_eq!(github(&text, path), "@o", "{pattern} {path}");
            }
            for path in other {
                assert_eq!(github(&text, path), "", "{pattern} {path}");
            }
        }
    }

    #[test]
    fn the_last_rule_that_matches_wins_and_one_without_owners_clears() {
        let text = "# All\n*  @all docs@x.example\n\n*.go @go # and a comment @nobody\n/apps/ @octocat\n/apps/github\n";
        assert_eq!(github(text, "a.md"), "@all docs@x.example");
        assert_eq!(github(text, "a.go"), "@go");
        assert_eq!(github(text, "apps/x.go"), "@octocat");
        assert_eq!(github(text, "apps/github/x.go"), "");
    }

    #[test]
    fn lines_that_github_skips_are_skipped() {
        let text = "* @all\n!a.md @x\n[ab].md @x\n\\#c @x\nd.md someone\n";
        let read = CodeOwners::parse(text, Flavour::GitHub).unwrap();
        assert_eq!(read.skipped, [2, 3, 4, 5]);
        assert_eq!(read.owners("a.md"), ["@all"]);
    }

    #[test]
    fn sections_of_gitlab_decide_together() {
        let text = "* @admin\n\n[README Owners]\nREADME.md @user1 @user2\ninternal/README.md @user4\n\n\
                    ^[Other][2] @default\nREADME.md\n[readme owners]\n*.rb @ruby\n!/config/**/*.rb\n/config/routes.rb @ops\n";
        assert_eq!(gitlab(text, "README.md"), "@admin @default @user1 @user2");
        assert_eq!(gitlab(text, "internal/README.md"), "@admin @default @user4");
        assert_eq!(gitlab(text, "a.rb"), "@admin @ruby");
        assert_eq!(gitlab(text, "config/routes.rb"), "@admin", "excluded once is excluded");
    }

    #[test]
    fn patterns_of_gitlab_are_tied_to_the_root_by_their_first_slash_only() {
        for (pattern, owned, other) in [
            (
                "/docs/*",
                &["docs/index.md"][..],
                &["docs/projects/index.md", "x/docs/a"][..],
            ),
            (
                "internal/README.md",
                &["internal/README.md", "docs/api/internal/README.md"],
                &["README.md"],
            ),
            ("docs", &["docs", "x/docs"], &["docs/a"]),
            ("lib/", &["lib/a", "x/lib/a/b"], &["libx"]),
            ("/docs/**/*.md", &["docs/a.md", "docs/b/c.md"], &["a.md"]),
            ("\\#pound.rb", &["#pound.rb"], &["pound.rb"]),
            ("path\\ with\\ spaces/", &["path with spaces/a"], &["path/a"]),
            ("/file[0-9].md", &["file1.md"], &["filex.md"]),
            ("*", &["a", "a/b"], &[]),
        ] {
            let text = format!("{pattern} @o\n");
            for path in owned {
                assert_eq!(gitlab(&text, path), "@o", "{pattern} {path}");
            }
            for path in other {
                assert_eq!(gitlab(&text, path), "", "{pattern} {path}");
            }
        }
        assert_eq!(
            gitlab("a @@maintainer this x@y.example\n", "a"),
            "@@maintainer x@y.example"
        );
    }

    #[test]
    fn the_file_is_found_where_forges_look_and_its_absence_is_no_answer() {
        let fixture = Fixture::new();
        let none = fixture.commit("a", "1", "ana", NOW, &[]);
        assert!(code_owners(&fixture.repo, &none.to_string()).unwrap().is_none());
        let docs = fixture.commit("docs/CODEOWNERS", "[S] @s\na\n", "ana", NOW, &[none]);
        let read = code_owners(&fixture.repo, &docs.to_string()).unwrap().unwrap();
        assert_eq!(read.owners("x/a"), ["@s"]);
        let both = fixture.commit(".github/CODEOWNERS", "a @hub\n", "ana", NOW, &[docs]);
        assert_eq!(
            code_owners(&fixture.repo, &both.to_string())
                .unwrap()
                .unwrap()
                .owners("a"),
            ["@hub"]
        );
        assert!(code_owners(&fixture.repo, "main").is_err());
    }

    #[test]
    fn thousands_of_rules_are_read_and_a_flood_is_refused() {
        let rules = |count: usize| {
            (0..count)
                .map(|n| format!("/team{n}/**/src/*.rs @t{n}\n"))
                .collect::<String>()
        };
        let read = CodeOwners::parse(&rules(2_000), Flavour::GitHub).unwrap();
        assert_eq!(read.owners("team1999/a/src/b.rs"), ["@t1999"]);
        assert!(CodeOwners::parse(&rules(MAX_RULES + 1), Flavour::GitHub).is_err());
        assert!(CodeOwners::parse(&"x".repeat(MAX_BYTES + 1), Flavour::GitHub).is_err());
        let long = format!("{} @o\na @o\n", "*a".repeat(2_000));
        assert_eq!(CodeOwners::parse(&long, Flavour::GitHub).unwrap().skipped, [1]);
    }
}
