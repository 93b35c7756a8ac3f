//! Names of environments, repos and revisions, as tools write them.

/// Words that name an environment, and what they stand for.
const ENVIRONMENTS: [(&str, &str); 20] = [
    ("production", "production"),
    ("prod", "production"),
    ("prd", "production"),
    ("live", "production"),
    ("staging", "staging"),
    ("stage", "staging"),
    ("stg", "staging"),
    ("preprod", "preprod"),
    ("preproduction", "preprod"),
    ("development", "development"),
    ("dev", "development"),
    ("test", "test"),
    ("testing", "test"),
    ("qa", "qa"),
    ("uat", "uat"),
    ("integration", "integration"),
    ("sandbox", "sandbox"),
    ("demo", "demo"),
    ("preview", "preview"),
    ("canary", "canary"),
];

/// The environment that a name names in one of its words (`payments-prod`).
pub fn environment_in(name: &str) -> Option<&'static str> {
    let name = name.to_lowercase();
    let words = name.split(|c: char| !c.is_ascii_alphanumeric());
    words
        .rev()
        .find_map(|word| ENVIRONMENTS.iter().find(|(known, _)| *known == word))
        .map(|(_, environment)| *environment)
}

/// A name without the words that name an environment at its beginning or end.
pub fn without_environment(name: &str) -> String {
    let mut words: Vec<&str> = name.split('-').collect();
    let is_environment = |word: &&str| ENVIRONMENTS.iter().any(|(known, _)| word.eq_ignore_ascii_case(known));
    if words.len() > 1 && words.last().is_some_and(is_environment) {
        words.pop();
    }
    if words.len() > 1 && words.first().is_some_and(is_environment) {
        words.remove(0);
    }
    words.join("-").to_lowercase()
}

/// What a git revision is.
#[derive(Debug, PartialEq, Eq)]
pub enum Revision {
    /// A branch.
    Branch(String),
    /// A tag, a range of tags or a commit: a merge by itself doesn't reach it.
    Fixed,
    /// The default branch, or what can't be read.
    Unknown,
}

/// Reads a revision as GitOps tools write it.
pub fn revision(text: &str) -> Revision {
    let text = text.trim();
    let branch = || plain_branch(text).map_or(Revision::Unknown, |branch| Revision::Branch(branch.to_owned()));
    if text.starts_with("refs/heads/") {
        return branch();
    }
    let digits = text.strip_prefix('v').unwrap_or(text);
    let version = digits.starts_with(|c: char| c.is_ascii_digit())
        && digits.contains('.')
        && digits.chars().all(|c| c.is_ascii_alphanumeric() || ".-+*".contains(c));
    let commit = matches!(text.len(), 40 | 64) && text.chars().all(|c| c.is_ascii_hexdigit());
    // `>=1.0` is a range of versions; `ma*` may be a pattern of branches.
    let is_range = text.contains(['^', '~', '>', '<', '=', '*']) && text.contains(|c: char| c.is_ascii_digit());
    if text.is_empty() || text == "HEAD" || text.contains("{{") || text.contains("${") {
        Revision::Unknown
    } else if version || commit || text.starts_with("refs/tags/") || is_range {
        Revision::Fixed
    } else {
        branch()
    }
}

/// A branch's plain name. `None` for a pattern, which more than one branch fits, for `HEAD`, and for what git takes
/// for no branch (git-check-ref-format(1)).
pub fn plain_branch(text: &str) -> Option<&str> {
    let text = text.trim();
    let text = text.strip_prefix("refs/heads/").unwrap_or(text).trim();
    let pattern = text.contains(['*', '?', '[', '!', '+', '$', '{', '(', '^', '|', '\\']);
    let named = !pattern && !text.starts_with("refs/") && !matches!(text, "HEAD" | "@");
    (named && git2::Branch::name_is_valid(text).unwrap_or(false)).then_some(text)
}

/// `owner/name` of a repo's URL; other names as they are.
pub fn repo(url: &str) -> String {
    let url = url.trim().trim_end_matches('/');
    let path = match url.split_once("://") {
        Some((_, rest)) => rest.split_once('/').map_or(rest, |(_, path)| path),
        None => url
            .split_once(':')
            .filter(|(host, _)| host.contains('@'))
            .map_or(url, |(_, path)| path),
    };
    path.strip_suffix(".git").unwrap_or(path).to_lowercase()
}

/// Whether two names are of the same repo: equal, or one is the last part of the other.
pub fn same_repo(one: &str, other: &str) -> bool {
    let (one, other) = (repo(one), repo(other));
    let ends = |long: &str, short: &str| long.strip_suffix(short).is_some_and(|rest| rest.ends_with('/'));
    one == other || ends(&one, &other) || ends(&other, &one)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn environments_are_found_in_names() {
        assert_eq!(environment_in("payments-prod"), Some("production"));
        assert_eq!(environment_in("apps/overlays/stg"), Some("staging"));
        assert_eq!(environment_in("product-api"), None);
        assert_eq!(without_environment("payments-prod"), "payments");
        assert_eq!(without_environment("prod-payments"), "payments");
        assert_eq!(without_environment("prod"), "prod");
    }

    #[test]
    fn revisions_are_told_apart() {
        for (text, wanted) in [
            ("main", Revision::Branch("main".to_owned())),
            ("refs/heads/release/1.x", Revision::Branch("release/1.x".to_owned())),
            ("HEAD", Revision::Unknown),
            ("refs/heads/HEAD", Revision::Unknown),
            ("ma*", Revision::Unknown),
            ("a b", Revision::Unknown),
            ("", Revision::Unknown),
            ("{{branch}}", Revision::Unknown),
            ("v1.2.3", Revision::Fixed),
            ("1.*", Revision::Fixed),
            ("0123456789012345678901234567890123456789", Revision::Fixed),
        ] {
            assert_eq!(revision(text), wanted, "{text}");
        }
    }

    #[test]
    fn branches_are_plain_or_unknown() {
        for text in ["main", " main ", "refs/heads/main", " refs/heads/main "] {
            assert_eq!(plain_branch(text), Some("main"), "{text}");
        }
        for text in [
            "",
            " ",
            "HEAD",
            "@",
            "ma*",
            "a b",
            "a..b",
            "-x",
            "refs/tags/v1",
            "x.lock",
            "a/",
            "main~1",
        ] {
            assert_eq!(plain_branch(text), None, "{text}");
        }
    }

    #[test]
    fn repos_are_compared_by_owner_and_name() {
        assert_eq!(repo("https://git.example/Acme/pay.git"), "acme/pay");
        assert_eq!(repo("git@git.example:acme/pay.git"), "acme/pay");
        assert!(same_repo("pay", "https://git.example/acme/pay"));
        assert!(!same_repo("pay", "acme/repay"));
    }
}
