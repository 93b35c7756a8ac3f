//! Command lines that can be pasted as they stand.

use std::path::Path;

/// What every command line that is shown carries.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CommandLine {
    /// After the program's name: `--estate`, `--at`.
    global: String,
    /// After what is signed: `--key`, `--by`.
    signing: String,
}

impl CommandLine {
    /// Carries an option of the whole program, quoted where a shell needs it.
    #[must_use]
    pub fn global(mut self, name: &str, value: &str) -> Self {
        self.global.push_str(&format!(" --{name} {}", quoted(value)));
        self
    }

    /// Names the estate, unless it is where the shell is.
    #[must_use]
    pub fn estate(self, folder: &Path) -> Self {
        match folder.to_string_lossy().as_ref() {
            "." => self,
            folder => self.global("estate", folder),
        }
    }

    /// Carries an option of whoever signs; the value stands as it is, it may be a placeholder.
    #[must_use]
    pub fn signing(mut self, name: &str, value: &str) -> Self {
        self.signing.push_str(&format!(" --{name} {value}"));
        self
    }

    /// `holdpoint … VERB`.
    #[must_use]
    pub fn plain(&self, verb: &str) -> String {
        format!("holdpoint{} {verb}", self.global)
    }

    /// `holdpoint … VERB ID`.
    #[must_use]
    pub fn of(&self, verb: &str, id: &str) -> String {
        format!("{} {id}", self.plain(verb))
    }

    /// `holdpoint … VERB ID --key … --by …`.
    #[must_use]
    pub fn signed(&self, verb: &str, id: &str) -> String {
        format!("{}{}", self.of(verb, id), self.signing)
    }
}

/// A word as a POSIX shell takes it.
fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./:@%+=,".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_given_is_carried_on() {
        let line = CommandLine::default()
            .estate(Path::new("/srv/my estate"))
            .global("at", "2026-03-17T02:30:00Z")
            .signing("key", "KEY");
        assert_eq!(
            line.signed("approve", "hp-1"),
            "holdpoint --estate '/srv/my estate' --at 2026-03-17T02:30:00Z approve hp-1 --key KEY"
        );
        assert_eq!(
            CommandLine::default().estate(Path::new(".")).plain("run"),
            "holdpoint run"
        );
    }

    #[test]
    fn a_quote_in_a_folder_cannot_end_the_word() {
        assert_eq!(quoted("a'b; rm"), r"'a'\''b; rm'");
        assert_eq!(quoted(""), "''");
    }
}
