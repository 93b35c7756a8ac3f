//! The approvers file: OpenSSH's `allowed_signers` (ssh-keygen(1), ALLOWED SIGNERS).

use holdpoint_schemas::people::{PeopleFile, Person};
use holdpoint_schemas::{SourceError, Timestamp};
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use ssh_key::PublicKey;
use ssh_key::public::KeyData;
use std::collections::BTreeSet;

use super::patterns::in_pattern_list;
use super::persons::Persons;

/// Longest approvers file that is read: thousands of people.
const MAX_FILE_BYTES: usize = 4 << 20;

/// Shortest RSA modulus in bytes that may approve (2048 bits, as NIST SP 800-131A asks).
const MIN_RSA_BYTES: usize = 256;

/// What a key line looks like, for help lines.
const SHAPE: &str = "write `name@example.com ssh-ed25519 AAAA…`, one key per line";

/// Who may approve, and with which keys.
#[derive(Debug, Clone, Default)]
pub struct Approvers {
    lines: Vec<KeyLine>,
    people: PeopleFile,
    persons: Persons,
}

/// One line: a key, whose it is, and what it may be used for.
#[derive(Debug, Clone)]
pub(super) struct KeyLine {
    pub(super) identities: Vec<String>,
    pub(super) key: KeyData,
    options: Options,
}

/// What a key may be used for, and when.
#[derive(Debug, Clone, Default)]
struct Options {
    namespaces: Option<Vec<String>>,
    after: Option<Timestamp>,
    before: Option<Timestamp>,
}

impl Approvers {
    /// Reads an `allowed_signers` file. `file` is only its name, for errors.
    ///
    /// Stricter than OpenSSH where that would leave open who a person is: names in plain ASCII, so that none looks
    /// like another, no wildcards in them, no certificate authorities, times in UTC.
    ///
    /// # Errors
    /// One for each line that can't be read: a file with any is refused as a whole.
    pub fn parse(file: &str, text: &str) -> Result<Self, Vec<SourceError>> {
        if text.len() > MAX_FILE_BYTES {
            let error = SourceError::new(
                file,
                format!("the approvers file is longer than {MAX_FILE_BYTES} bytes"),
            );
            return Err(vec![error]);
        }
        let (mut lines, mut errors) = (Vec::new(), Vec::new());
        for (index, raw) in text.lines().enumerate() {
            let line = raw.trim_start_matches('\u{feff}').trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            match KeyLine::parse(line) {
                Ok(key) => lines.push(key),
                Err(bad) => {
                    // `line` is a slice of `raw`: count the characters that come before the token.
                    let column = raw
                        .find(&bad.token)
                        .map_or(1, |byte| raw.get(..byte).unwrap_or_default().chars().count() + 1);
                    let error = SourceError::new(file, bad.message).at(text, index + 1, column);
                    errors.push(error.help(bad.help));
                }
            }
        }
        if !errors.is_empty() {
            return Err(errors);
        }
        let people = PeopleFile::default();
        Ok(Self {
            persons: Persons::new(&lines, &people),
            lines,
            people,
        })
    }

    /// The same, with what the organisation says of who is who.
    #[must_use]
    pub fn with_people(self, people: PeopleFile) -> Self {
        Self {
            persons: Persons::new(&self.lines, &people),
            people,
            ..self
        }
    }

    /// The person behind a name or an address, a key's or a commit's; itself, in the form in which names are
    /// compared, when nobody has it.
    #[must_use]
    pub fn person_of(&self, name: &str) -> String {
        self.persons.of_name(name)
    }

    /// The persons who run a remediator.
    #[must_use]
    pub fn who_run(&self, remediator: &str) -> BTreeSet<String> {
        let runs = |person: &&Person| person.remediators.contains(remediator);
        let people = self.people.people.iter().filter(runs);
        people.map(|person| self.persons.of_entry(person)).collect()
    }

    /// What the people file says of a person: usually one entry, several when they share a key.
    pub fn entries_of<'a>(&'a self, person: &'a str) -> impl Iterator<Item = &'a Person> {
        let entries = self.people.people.iter();
        entries.filter(move |entry| self.persons.of_entry(entry) == person)
    }

    /// All identities, sorted.
    #[must_use]
    pub fn identities(&self) -> BTreeSet<&str> {
        self.lines
            .iter()
            .flat_map(|line| line.identities.iter().map(String::as_str))
            .collect()
    }

    pub(super) fn knows(&self, identity: &str) -> bool {
        self.lines.iter().any(|line| line.is_of(identity))
    }

    /// The lines that give a key to an identity.
    pub(super) fn lines_of(&self, identity: &str, key: &KeyData) -> Vec<&KeyLine> {
        let matching = |line: &&KeyLine| line.is_of(identity) && line.key == *key;
        self.lines.iter().filter(matching).collect()
    }

    /// Whose key it is, for people.
    pub(super) fn owners(&self, key: &KeyData) -> Option<String> {
        let owners: BTreeSet<String> = self
            .lines
            .iter()
            .filter(|line| line.key == *key)
            .flat_map(|line| line.identities.iter().map(|identity| format!("`{identity}`")))
            .collect();
        (!owners.is_empty()).then(|| owners.into_iter().collect::<Vec<_>>().join(", "))
    }

    /// The human behind a key.
    pub(super) fn person(&self, key: &KeyData) -> String {
        self.persons.of_key(key)
    }
}

/// A part of a line that can't be read.
struct Bad {
    token: String,
    message: String,
    help: String,
}

impl Bad {
    fn new(token: &str, message: impl Into<String>, help: impl Into<String>) -> Self {
        Self {
            token: token.to_owned(),
            message: message.into(),
            help: help.into(),
        }
    }
}

impl KeyLine {
    fn is_of(&self, identity: &str) -> bool {
        self.identities.iter().any(|known| known == identity)
    }

    /// Why this line doesn't allow a signature in a namespace at a moment.
    pub(super) fn refuses(&self, namespace: &str, moment: Timestamp) -> Option<String> {
        if let Some(patterns) = &self.options.namespaces
            && !in_pattern_list(patterns, namespace)
        {
            return Some(format!("it is for `{}` only", patterns.join(",")));
        }
        if let Some(after) = self.options.after.filter(|after| moment < *after) {
            return Some(format!("it is valid from {after} on"));
        }
        let before = self.options.before.filter(|before| moment >= *before)?;
        Some(format!("it was valid until {before}"))
    }

    fn parse(line: &str) -> Result<Self, Bad> {
        let (principals, rest) = field(line)?;
        let identities = identities(&principals)?;
        let (second, after_second) = field(rest)?;
        // As OpenSSH does: what is no key type must be options.
        let (options, key_text) = if is_key_type(&second) {
            (Options::default(), rest)
        } else {
            (Options::parse(&second)?, after_second)
        };
        Ok(Self {
            identities,
            key: key(key_text)?,
            options,
        })
    }
}

impl Options {
    fn parse(text: &str) -> Result<Self, Bad> {
        let mut options = Self::default();
        for option in split_outside_quotes(text) {
            let (name, value) = option.split_once('=').unwrap_or((option, ""));
            let value = value.trim_matches('"');
            match name.to_ascii_lowercase().as_str() {
                "namespaces" if !value.is_empty() => {
                    options.namespaces = Some(value.split(',').map(|n| n.trim().to_owned()).collect());
                }
                "valid-after" => options.after = Some(time(option, value)?),
                "valid-before" => options.before = Some(time(option, value)?),
                "cert-authority" => {
                    return Err(Bad::new(
                        option,
                        "`cert-authority` is not supported for approvers",
                        "list each person's own key: an approval must name one human",
                    ));
                }
                _ => {
                    return Err(Bad::new(
                        option,
                        format!("`{option}` is neither a key type nor an option"),
                        "options are `namespaces=\"…\"`, `valid-after=…` and `valid-before=…`, comma-separated",
                    ));
                }
            }
        }
        Ok(options)
    }
}

/// The next field of a line and what follows it; quotes hold blanks together and stay in it.
fn field(line: &str) -> Result<(String, &str), Bad> {
    let line = line.trim_start();
    let mut quoted = false;
    let end = line
        .find(|c: char| {
            quoted ^= c == '"';
            !quoted && c.is_whitespace()
        })
        .unwrap_or(line.len());
    let (field, rest) = line.split_at_checked(end).unwrap_or((line, ""));
    if field.matches('"').count() % 2 != 0 {
        return Err(Bad::new(field, "a quote is never closed", SHAPE));
    }
    if field.is_empty() {
        return Err(Bad::new("", "expected a name and a key", SHAPE));
    }
    Ok((field.to_owned(), rest))
}

fn split_outside_quotes(text: &str) -> Vec<&str> {
    let mut quoted = false;
    text.split(|c: char| {
        quoted ^= c == '"';
        !quoted && c == ','
    })
    .collect()
}

fn identities(principals: &str) -> Result<Vec<String>, Bad> {
    principals
        .trim_matches('"')
        .split(',')
        .map(|identity| {
            if identity.is_empty() || identity.chars().any(|c| c.is_control() || c.is_whitespace()) {
                return Err(Bad::new(principals, "a name is empty or holds a blank", SHAPE));
            }
            if !identity.is_ascii() {
                let shown = identity.escape_unicode().to_string();
                let message = format!("`{identity}` ({shown}) is not in plain ASCII, so it may look like someone else");
                return Err(Bad::new(
                    identity,
                    message,
                    "write the name in ASCII, a domain in its `xn--` form",
                ));
            }
            if identity.contains(['*', '?']) || identity.starts_with('!') {
                let message = format!("`{identity}` is a pattern, not a person");
                return Err(Bad::new(identity, message, "name each person"));
            }
            Ok(identity.to_owned())
        })
        .collect()
}

fn is_key_type(text: &str) -> bool {
    ["ssh-", "ecdsa-", "sk-"].iter().any(|prefix| text.starts_with(prefix))
}

fn key(text: &str) -> Result<KeyData, Bad> {
    let text = text.trim();
    let kind = text.split_whitespace().next().unwrap_or_default();
    let unreadable = |why: &dyn std::fmt::Display| Bad::new(text, format!("the key can't be read: {why}"), SHAPE);
    if text.split_whitespace().nth(1).is_none() {
        return Err(unreadable(&"expected a key type and the key in base64"));
    }
    let key = PublicKey::from_openssh(text).map_err(|error| unreadable(&error))?;
    match key.key_data() {
        data @ (KeyData::Ed25519(_) | KeyData::SkEd25519(_) | KeyData::SkEcdsaSha2NistP256(_)) => Ok(data.clone()),
        data @ KeyData::Ecdsa(ssh_key::public::EcdsaPublicKey::NistP256(_)) => Ok(data.clone()),
        KeyData::Rsa(rsa) if rsa.n.as_positive_bytes().is_some_and(|n| n.len() >= MIN_RSA_BYTES) => {
            Ok(key.key_data().clone())
        }
        KeyData::Rsa(_) => Err(Bad::new(
            kind,
            "the RSA key is shorter than 2048 bits",
            "use an Ed25519 key: `ssh-keygen -t ed25519`",
        )),
        _ => Err(Bad::new(
            kind,
            format!("keys of type `{kind}` can't approve"),
            "use `ssh-ed25519`, `ecdsa-sha2-nistp256`, `ssh-rsa` (2048 bits or more) or a security key (`sk-…`)",
        )),
    }
}

/// `YYYYMMDD[HHMM[SS]]Z`. OpenSSH reads a time without `Z` in the zone of whatever machine it
/// runs on, which would make the same file mean two things.
fn time(option: &str, value: &str) -> Result<Timestamp, Bad> {
    let bad = || {
        Bad::new(
            option,
            format!("`{value}` is not a time in UTC"),
            "write `YYYYMMDDZ`, `YYYYMMDDHHMMZ` or `YYYYMMDDHHMMSSZ`",
        )
    };
    let digits = value.strip_suffix(['Z', 'z']).ok_or_else(bad)?;
    if !matches!(digits.len(), 8 | 12 | 14) || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err(bad());
    }
    let padded = format!("{digits:0<14}");
    DateTime::strptime("%Y%m%d%H%M%S", &padded)
        .and_then(|time| TimeZone::UTC.to_timestamp(time))
        .map_err(|_| bad())
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAILM+rvN+ot98qgEN796jTiQfZfG1KaT0PtFDJ/XFSqti";

    fn only_error(text: &str) -> SourceError {
        let mut errors = Approvers::parse("approvers", text).unwrap_err();
        assert_eq!(errors.len(), 1, "{errors:?}");
        errors.remove(0)
    }

    #[test]
    fn comments_options_and_several_names_are_read() {
        let text = format!(
            "# the platform team\n\nana@example.com,a@example.com namespaces=\"holdpoint-approval,git\",\
             valid-after=20260101Z,valid-before=\"202701010000Z\" {KEY} Ana's laptop\n"
        );
        let approvers = Approvers::parse("approvers", &text).unwrap();
        assert_eq!(
            approvers.identities().into_iter().collect::<Vec<_>>(),
            ["a@example.com", "ana@example.com"]
        );
        let line = &approvers.lines[0];
        assert_eq!(line.options.after.unwrap().to_string(), "2026-01-01T00:00:00Z");
        assert_eq!(line.options.before.unwrap().to_string(), "2027-01-01T00:00:00Z");
        let within = "2026-06-01T00:00:00Z".parse().unwrap();
        assert_eq!(line.refuses("git", within), None);
        assert!(line.refuses("file", within).unwrap().contains("only"));
        assert!(line.refuses("git", line.options.before.unwrap()).is_some());
    }

    #[test]
    fn each_bad_line_is_an_error_with_its_place_and_help() {
        for (line, column, message) in [
            ("ana@example.com".to_owned(), 1, "expected a name and a key"),
            (format!("  *@example.com {KEY}"), 3, "is a pattern, not a person"),
            (format!("!ana@example.com {KEY}"), 1, "is a pattern, not a person"),
            (format!("ana@example.com,,bo {KEY}"), 1, "a name is empty"),
            // A Cyrillic `a`, and a full-width one.
            (format!("bo,\u{430}na@example.com {KEY}"), 4, "not in plain ASCII"),
            (format!("\u{ff41}na@example.com {KEY}"), 1, "not in plain ASCII"),
            (format!("ana@example.com cert-authority {KEY}"), 17, "not supported"),
            (
                format!("ana@example.com no-touch-required {KEY}"),
                17,
                "neither a key type nor an option",
            ),
            (
                format!("ana@example.com valid-before=20260101 {KEY}"),
                17,
                "is not a time in UTC",
            ),
            (
                format!("ana@example.com valid-before=20261301Z {KEY}"),
                17,
                "is not a time in UTC",
            ),
            (
                format!("ana@example.com namespaces=\"git {KEY}"),
                17,
                "a quote is never closed",
            ),
            ("ana@example.com ssh-ed25519".to_owned(), 17, "the key can't be read"),
            (
                "ana@example.com ssh-ed25519 AAAA".to_owned(),
                17,
                "the key can't be read",
            ),
            (
                "ana@example.com ssh-ed25519 \u{1}é".to_owned(),
                17,
                "the key can't be read",
            ),
        ] {
            let error = only_error(&format!("# first\n{line}\n"));
            assert!(error.message.contains(message), "{line}: {}", error.message);
            assert_eq!(error.position, Some((2, column)), "{line}");
            assert!(error.help.is_some());
        }
    }

    #[test]
    fn all_bad_lines_are_reported_at_once() {
        let errors = Approvers::parse("approvers", &format!("a\nana {KEY}\nb\n")).unwrap_err();
        assert_eq!(errors.len(), 2);
    }
}
