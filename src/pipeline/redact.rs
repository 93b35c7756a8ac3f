//! Keeping secrets out of what is recorded and shown: a fix that takes a secret out of the code
//! carries it in its diff.

use holdpoint_schemas::finding::{FindingClass, RepoFinding};
use holdpoint_schemas::fix::{Fix, FixKind};

/// What stands for a literal.
const MASK: &str = "•••";
const QUOTES: [char; 3] = ['"', '\'', '`'];

/// Masks every literal of a fix's diff where a secret may be among them: the fix takes one out, or
/// touches a file in which a scanner found one. Digests and trees are of the true content.
pub fn redact<'f>(fix: &mut Fix, mut findings: impl Iterator<Item = &'f RepoFinding>) {
    let has_secret = |finding: &RepoFinding| {
        finding.finding.class == FindingClass::Secret
            && finding.repo == fix.repo
            && finding.branch == fix.target_branch
            && finding
                .finding
                .location
                .as_ref()
                .is_none_or(|place| fix.files.iter().any(|file| file.path == place.path))
    };
    if fix.classification.kind != FixKind::SecretToReference && !findings.any(has_secret) {
        return;
    }
    fix.diff_text = fix.diff_text.lines().map(masked_diff_line).collect();
    for file in &mut fix.files {
        for (_, line) in file.removed.iter_mut().chain(&mut file.added) {
            *line = masked(line);
        }
    }
}

/// Whether literals of a text were masked: then its digest is of what it was before.
pub fn is_redacted(text: &str) -> bool {
    text.contains(MASK)
}

/// Words beside which a literal is taken for a secret.
const SECRET_NAMES: [&str; 6] = ["password", "passwd", "secret", "token", "api_key", "apikey"];
/// A shorter value stands in too much text by chance.
const MIN_SECRET_BYTES: usize = 6;

/// Masks lines of a log: these values wherever they stand, and literals beside a name that says "secret".
pub fn lines(secrets: Vec<String>) -> impl Fn(&str) -> String + Send + Sync + 'static {
    move |line| {
        let mut line = secrets
            .iter()
            .filter(|secret| secret.len() >= MIN_SECRET_BYTES)
            .fold(line.to_owned(), |line, secret| line.replace(secret.as_str(), MASK));
        let lower = line.to_lowercase();
        if line.contains(QUOTES) && SECRET_NAMES.iter().any(|name| lower.contains(name)) {
            line = masked(&line);
        }
        line
    }
}

fn masked_diff_line(line: &str) -> String {
    let is_header = ["diff ", "index ", "--- ", "+++ ", "@@ ", "new file", "deleted file"]
        .iter()
        .any(|start| line.starts_with(start));
    if is_header {
        format!("{line}\n")
    } else {
        format!("{}\n", masked(line))
    }
}

/// Whether an added line reads the environment: that is what reviewers must see, and no secret.
fn is_reference(line: &str) -> bool {
    line.starts_with('+')
        && ["process.env.", "os.environ", "getenv", "std::env", "ENV["]
            .iter()
            .any(|read| line.contains(read))
}

/// A line with the content of its quoted literals masked; without any, what follows the first `=`
/// or `:`, as in `.env` and YAML files.
fn masked(line: &str) -> String {
    if !line.contains(QUOTES) {
        return match line.find(['=', ':']) {
            Some(at) if line.len() > at + 1 && !is_reference(line) => {
                format!("{} {MASK}", line.get(..=at).unwrap_or_default())
            }
            _ => line.to_owned(),
        };
    }
    let mut out = String::new();
    let mut open: Option<char> = None;
    let mut escaped = false;
    for c in line.chars() {
        match open {
            None => {
                out.push(c);
                if QUOTES.contains(&c) {
                    open = Some(c);
                    out.push_str(MASK);
                }
            }
            Some(_) if escaped => escaped = false,
            Some(_) if c == '\\' => escaped = true,
            Some(quote) if c == quote => {
                out.push(c);
                open = None;
            }
            Some(_) => {}
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoted_literals_are_masked_and_the_code_stays() {
        assert_eq!(
            masked("-const token = \"s3cr3t\\\"x\"; // 'why'"),
            "-const token = \"•••\"; // '•••'"
        );
        assert_eq!(
            masked("+const token = process.env.SMTP_TOKEN;"),
            "+const token = process.env.SMTP_TOKEN;"
        );
    }

    #[test]
    fn unquoted_values_are_masked() {
        assert_eq!(masked("-SMTP_TOKEN=abc"), "-SMTP_TOKEN= •••");
        assert_eq!(masked("-token: abc"), "-token: •••");
        assert_eq!(masked(" }"), " }");
    }

    #[test]
    fn an_open_literal_hides_the_rest_of_the_line() {
        assert_eq!(masked("-x = \"never closed"), "-x = \"•••");
    }
}
