//! Text from elsewhere in a Markdown document: shown, never obeyed.
//!
//! Titles come from scanners, logs from programs under test. None of it may become a heading, a
//! link, HTML, a fence, a mention that notifies people, or a reference that closes an issue.

/// Longest line of text; titles are far shorter.
const MAX_INLINE_CHARS: usize = 2000;

/// Longest block of output.
const MAX_BLOCK_CHARS: usize = 20_000;

/// Breaks words that forges act upon, without a visible trace: GitHub and GitLab look for them in
/// the rendered text, where a backslash is gone already.
const BREAK: &str = "&#8203;";

/// One line of plain text. `` `code` `` stays code.
#[must_use]
pub fn inline(text: &str) -> String {
    let text = single_line(text, MAX_INLINE_CHARS);
    let pieces: Vec<&str> = text.split('`').collect();
    // Backticks that don't pair up are shown as they are.
    if pieces.len().is_multiple_of(2) {
        return plain(&text);
    }
    let mut escaped = String::with_capacity(text.len());
    for (index, piece) in pieces.iter().enumerate() {
        if index.is_multiple_of(2) {
            escaped.push_str(&plain_at(piece, escaped.is_empty()));
        } else if piece.trim().is_empty() {
            escaped.push_str("\\`");
            escaped.push_str(piece);
            escaped.push_str("\\`");
        } else {
            escaped.push_str(&code(piece));
        }
    }
    escaped
}

/// A code span that holds the text whatever is in it.
#[must_use]
pub fn code(text: &str) -> String {
    let text = single_line(text, MAX_INLINE_CHARS);
    if text.is_empty() {
        return "``\u{a0}``".to_owned();
    }
    let fence = "`".repeat(longest_run(&text) + 1);
    // A blank on each side is dropped by the renderer (CommonMark 6.1), and keeps a backtick at
    // the edge apart from the fence.
    if text.starts_with('`') || text.ends_with('`') {
        format!("{fence} {text} {fence}")
    } else {
        format!("{fence}{text}{fence}")
    }
}

/// A fenced block that holds the text whatever is in it, without control characters.
#[must_use]
pub fn fenced(text: &str) -> String {
    let shown: String = text
        .replace("\r\n", "\n")
        .chars()
        .filter(|c| matches!(c, '\n' | '\t') || is_shown(*c))
        .take(MAX_BLOCK_CHARS)
        .collect();
    let cut = if text.chars().nth(MAX_BLOCK_CHARS).is_some() {
        "\n… (cut)"
    } else {
        ""
    };
    let fence = "`".repeat((longest_run(&shown) + 1).max(3));
    format!("{fence}text\n{}{cut}\n{fence}\n", shown.trim_matches('\n'))
}

fn plain(text: &str) -> String {
    plain_at(text, true)
}

/// Escapes plain text; `first` when it starts the line, where more characters mean something.
fn plain_at(text: &str, first: bool) -> String {
    let mut escaped = String::with_capacity(text.len() + 16);
    let mut previous = ' ';
    let mut leading = first;
    let mut characters = text.chars().peekable();
    while let Some(c) = characters.next() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '~' | '|' | '$' | '!' => {
                escaped.push('\\');
                escaped.push(c);
            }
            '@' | '#' => {
                escaped.push_str(if c == '#' { "\\#" } else { "@" });
                escaped.push_str(BREAK);
            }
            // List items, rules and underlined headings only begin a line.
            '-' | '+' | '=' if leading => {
                escaped.push('\\');
                escaped.push(c);
            }
            '.' | ')' if first && begins_with_number(&escaped) => {
                escaped.push('\\');
                escaped.push(c);
            }
            // `https://`, `www.` and `GH-1` become links by themselves.
            ':' if characters.peek() == Some(&'/') => {
                escaped.push(c);
                escaped.push_str(BREAK);
            }
            '.' if ends_with_www(&escaped) => {
                escaped.push_str(BREAK);
                escaped.push(c);
            }
            '-' if previous == 'H' || previous == 'h' => {
                escaped.push_str(BREAK);
                escaped.push(c);
            }
            _ => escaped.push(c),
        }
        leading &= c == ' ';
        previous = c;
    }
    escaped
}

fn begins_with_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

fn ends_with_www(text: &str) -> bool {
    let tail = text.len().checked_sub(3).and_then(|start| text.get(start..));
    tail.is_some_and(|tail| tail.eq_ignore_ascii_case("www"))
}

/// One line without control characters, without blanks around, bounded.
fn single_line(text: &str, limit: usize) -> String {
    let mut line = String::with_capacity(text.len().min(limit));
    let mut count = 0;
    for word in text.split(char::is_whitespace).filter(|word| !word.is_empty()) {
        let word: String = word.chars().filter(|c| is_shown(*c)).collect();
        if word.is_empty() {
            continue;
        }
        if count > 0 {
            line.push(' ');
        }
        let room = limit.saturating_sub(count);
        line.extend(word.chars().take(room));
        count += word.chars().count() + 1;
        if count > limit {
            line.push('…');
            break;
        }
    }
    line
}

/// Whether a character has a place in a document that people decide by: no control characters,
/// none that reorder text or are invisible.
fn is_shown(c: char) -> bool {
    !c.is_control()
        && !matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// Longest run of backticks.
fn longest_run(text: &str) -> usize {
    text.split(|c| c != '`').map(str::len).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_is_shown_and_not_obeyed() {
        for (text, expected) in [
            ("<img src=x onerror=alert(1)>", "&lt;img src=x onerror=alert(1)&gt;"),
            ("[click](javascript:alert(1))", "\\[click\\](javascript:alert(1))"),
            ("![x](y)", "\\!\\[x\\](y)"),
            ("# heading", "\\#&#8203; heading"),
            ("- [ ] item", "\\- \\[ \\] item"),
            ("--- a", "\\--- a"),
            ("1. one", "1\\. one"),
            ("12) one", "12\\) one"),
            ("version 1.2", "version 1.2"),
            ("**bold** _it_ ~~gone~~", "\\*\\*bold\\*\\* \\_it\\_ \\~\\~gone\\~\\~"),
            ("&lt; \\< | $x$", "&amp;lt; \\\\&lt; \\| \\$x\\$"),
            ("a-b re-scan", "a-b re-scan"),
        ] {
            assert_eq!(inline(text), expected, "{text}");
        }
    }

    #[test]
    fn nobody_is_notified_and_no_issue_is_closed() {
        assert_eq!(
            inline("@security-team fixes #12, GH-7"),
            "@&#8203;security-team fixes \\#&#8203;12, GH&#8203;-7"
        );
        assert_eq!(inline("see https://evil.example"), "see https:&#8203;//evil.example");
        assert_eq!(inline("see www.evil.example"), "see www&#8203;.evil.example");
    }

    #[test]
    fn text_stays_on_its_line_and_in_its_direction() {
        assert_eq!(inline("a\n\n# b\r\n\u{202e}c\u{1b}[31m\0"), "a \\#&#8203; b c\\[31m");
        let long = inline(&"x ".repeat(5000));
        assert!(long.chars().count() <= MAX_INLINE_CHARS + 1 && long.ends_with('…'));
        assert_eq!(inline(&"y".repeat(5000)).chars().count(), MAX_INLINE_CHARS + 1);
    }

    #[test]
    fn paired_backticks_are_code_and_others_are_shown() {
        assert_eq!(inline("bump `urllib3` to `1.26.18`"), "bump `urllib3` to `1.26.18`");
        assert_eq!(inline("`<b>@x` #1"), "`<b>@x` \\#&#8203;1");
        assert_eq!(inline("one ` only *x*"), "one \\` only \\*x\\*");
        assert_eq!(inline("`` `x"), "\\`\\` \\`x");
        assert_eq!(inline("` `"), "\\` \\`");
    }

    #[test]
    fn code_survives_backticks() {
        assert_eq!(code("a"), "`a`");
        assert_eq!(code("a``b"), "```a``b```");
        assert_eq!(code("`a`"), "`` `a` ``");
        assert_eq!(code("a\nb"), "`a b`");
        assert!(!code("").is_empty());
    }

    #[test]
    fn a_fence_survives_fences_and_control_characters() {
        let text = fenced("before\n```\n# out\n`````\n\u{1b}[2Jafter\n");
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.first(), Some(&"``````text"));
        assert_eq!(lines.last(), Some(&"``````"));
        assert_eq!(lines.iter().filter(|l| l.starts_with("``````")).count(), 2);
        assert!(text.contains("[2Jafter") && !text.contains('\u{1b}'));
        assert!(fenced(&"x".repeat(MAX_BLOCK_CHARS + 1)).contains("… (cut)"));
    }
}
