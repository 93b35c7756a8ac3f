//! Plain text for people: cleaned, shortened, wrapped.

use std::fmt::Write as _;

/// Column at which prose wraps: wide enough for a terminal, narrow enough to read.
pub const WIDTH: usize = 88;

/// Whether a character can move the cursor, colour the terminal or reorder what is read:
/// control characters, and Unicode's bidirectional and invisible formatting (UAX #9, "Trojan
/// Source").
fn is_deceptive(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// One line without deceptive characters; line breaks and tabs become spaces.
#[must_use]
pub fn clean(text: &str) -> String {
    text.chars()
        .filter_map(|c| match c {
            '\n' | '\t' => Some(' '),
            c if is_deceptive(c) => None,
            c => Some(c),
        })
        .collect()
}

/// Like [`clean`], but keeps line breaks and tabs: for diffs and logs.
#[must_use]
pub fn clean_lines(text: &str) -> String {
    text.chars()
        .filter(|c| matches!(c, '\n' | '\t') || !is_deceptive(*c))
        .collect()
}

/// At most `max` characters, cut at a word where one is near, with `…` where something is missing.
#[must_use]
pub fn shorten(text: &str, max: usize) -> String {
    if text.chars().count() <= max {
        return text.to_owned();
    }
    let kept: String = text.chars().take(max.saturating_sub(1)).collect();
    let at_word = kept
        .rfind(' ')
        .filter(|at| *at * 3 >= kept.len() * 2)
        .and_then(|at| kept.get(..at))
        .unwrap_or(&kept);
    format!("{}…", at_word.trim_end_matches([' ', ',', ';', ':', '.']))
}

/// A sentence: first letter upper case (unless the first word is a name, as `bank-partner` or
/// `src/a.py` are), one full stop.
#[must_use]
pub fn sentence(text: &str) -> String {
    let text = text.trim().trim_end_matches(['.', ';', ',']);
    let end = if text.ends_with(['!', '?', '…']) { "" } else { "." };
    let word = text.split(' ').next().unwrap_or_default();
    let is_name = word.contains(|c: char| c.is_ascii_digit() || "-_./:@`".contains(c));
    let mut chars = text.chars();
    match chars.next() {
        None => String::new(),
        Some(_) if is_name => format!("{text}{end}"),
        Some(first) => format!("{}{}{end}", first.to_uppercase(), chars.as_str()),
    }
}

/// Text as it stands inside a sentence: without the final stop.
#[must_use]
pub fn clause(text: &str) -> String {
    text.trim().trim_end_matches('.').to_owned()
}

/// `1 file`, `2 files`.
#[must_use]
pub fn count(number: usize, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

/// `a, b and c`; after `limit` names, how many more.
#[must_use]
pub fn list(words: &[String], limit: usize) -> String {
    let shown = words.len().min(limit.max(1));
    let mut parts: Vec<String> = words.iter().take(shown).cloned().collect();
    if words.len() > shown {
        parts.push(format!("{} more", words.len() - shown));
    }
    match parts.split_last() {
        None => String::new(),
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} and {last}", rest.join(", ")),
    }
}

/// Text that is built up as headed, wrapped paragraphs and lists.
#[derive(Debug, Default)]
pub struct Prose {
    text: String,
    under_heading: bool,
}

impl Prose {
    /// A heading, underlined.
    pub fn heading(&mut self, text: &str) {
        self.gap();
        let text = clean(text);
        let _ = writeln!(self.text, "{text}\n{}", "-".repeat(text.chars().count()));
        self.under_heading = true;
    }

    /// A paragraph.
    pub fn paragraph(&mut self, text: &str) {
        if !self.under_heading {
            self.gap();
        }
        self.fill(text, "", "");
    }

    /// One entry of a list; the first of a list is set off by [`Prose::gap`].
    pub fn item(&mut self, text: &str) {
        self.fill(text, "  - ", "    ");
    }

    /// One entry of a numbered list.
    pub fn numbered(&mut self, number: usize, text: &str) {
        let first = format!("  {number}. ");
        let rest = " ".repeat(first.len());
        self.fill(text, &first, &rest);
    }

    /// What belongs to a list entry.
    pub fn sub_item(&mut self, text: &str) {
        self.fill(text, "      ", "      ");
    }

    /// A command line: never wrapped, so that it can be copied.
    pub fn command(&mut self, text: &str) {
        let _ = writeln!(self.text, "    {}", clean(text));
        self.under_heading = false;
    }

    /// An empty line, unless there is one or nothing stands above.
    pub fn gap(&mut self) {
        if !self.text.is_empty() && !self.text.ends_with("\n\n") {
            self.text.push('\n');
        }
    }

    /// The text, which ends with one line break.
    #[must_use]
    pub fn finish(self) -> String {
        format!("{}\n", self.text.trim_end())
    }

    fn fill(&mut self, text: &str, first: &str, rest: &str) {
        let text = clean(text);
        let options = textwrap::Options::new(WIDTH)
            .initial_indent(first)
            .subsequent_indent(rest)
            .break_words(false)
            .word_splitter(textwrap::WordSplitter::NoHyphenation)
            .word_separator(textwrap::WordSeparator::AsciiSpace);
        let _ = writeln!(self.text, "{}", textwrap::fill(text.trim(), options));
        self.under_heading = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escape_sequences_and_bidi_marks_do_not_reach_the_terminal() {
        assert_eq!(clean("a\x1b[31mred\u{202e}\r\nb"), "a[31mred b");
        assert_eq!(clean_lines("+a\x07\n\tb\u{2066}"), "+a\n\tb");
    }

    #[test]
    fn a_long_text_is_cut_at_a_word() {
        assert_eq!(shorten("one two threefour", 11), "one two…");
        assert_eq!(shorten("short", 12), "short");
        assert_eq!(shorten("ééééééééé", 4), "ééé…");
    }

    #[test]
    fn sentences_start_upper_case_and_end_once() {
        assert_eq!(sentence("a freeze is on."), "A freeze is on.");
        assert_eq!(sentence(""), "");
        assert_eq!(sentence("`x` is unknown"), "`x` is unknown.");
        assert_eq!(sentence("bank-partner relies on it"), "bank-partner relies on it.");
    }

    #[test]
    fn lists_read_like_english() {
        let words: Vec<String> = ["a", "b", "c"].map(str::to_owned).into();
        assert_eq!(list(&words, 9), "a, b and c");
        assert_eq!(list(&words, 1), "a and 2 more");
        assert_eq!(list(&words[..1], 9), "a");
        assert_eq!(list(&[], 9), "");
    }

    #[test]
    fn a_paragraph_follows_its_heading_directly_and_others_at_a_distance() {
        let mut prose = Prose::default();
        prose.heading("A");
        prose.paragraph("ends with -");
        prose.paragraph("next");
        assert_eq!(prose.finish(), "A\n-\nends with -\n\nnext\n");
    }

    #[test]
    fn prose_wraps_and_keeps_commands_whole() {
        let mut prose = Prose::default();
        prose.paragraph(&"word ".repeat(40));
        prose.gap();
        prose.command(&"x".repeat(120));
        let text = prose.finish();
        assert!(
            text.lines()
                .filter(|l| !l.contains('x'))
                .all(|l| l.chars().count() <= WIDTH)
        );
        assert!(text.contains(&"x".repeat(120)));
    }
}
