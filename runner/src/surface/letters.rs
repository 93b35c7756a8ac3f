//! Source that a language reads otherwise than it looks: letters that Python takes for others, and encodings that turn
//! harmless bytes into code.

use super::Entry;
use super::source::Source;

/// Encodings that read source as it looks (PEP 263; Python documentation, "codecs").
const PLAIN: [&str; 9] = [
    "utf-8",
    "utf8",
    "utf-8-sig",
    "ascii",
    "us-ascii",
    "latin-1",
    "latin1",
    "iso-8859-1",
    "iso-8859-15",
];

/// Lines that are read otherwise than they look.
pub(super) fn entries(source: &Source<'_>) -> Vec<Entry> {
    if !source.ends_with(&[".py", ".pyi", ".pyw"]) {
        return Vec::new();
    }
    let encoding = (1..3).zip(source.text.lines()).filter_map(|(number, line)| {
        let name = encoding(line)?;
        let plain = PLAIN.contains(&name.to_ascii_lowercase().replace('_', "-").as_str());
        (!plain).then(|| Entry::new(number, format!("the file is read as `{name}`")))
    });
    let lines = source.lines().filter(|(_, line)| line.chars().any(reads_as_another));
    let letters =
        lines.map(|(number, line)| Entry::new(number, format!("letters that Python reads as others: {}", line.trim())));
    encoding.chain(letters).collect()
}

/// The encoding that a comment of the first two lines declares (PEP 263).
fn encoding(line: &str) -> Option<&str> {
    let comment = line.trim_start().strip_prefix('#')?;
    let after = comment.split_once("coding")?.1;
    let name = after.strip_prefix([':', '='])?.trim_start();
    let end = name.find(|c: char| !(c.is_ascii_alphanumeric() || "-_.".contains(c)));
    name.get(..end.unwrap_or(name.len())).filter(|name| !name.is_empty())
}

/// Whether NFKC, which Python applies to names (PEP 3131), makes an ASCII letter, digit or underscore of it. The blocks
/// of such letters; what reads as another only in texts is told, too.
const fn reads_as_another(c: char) -> bool {
    matches!(c,
        '\u{fe33}' | '\u{fe34}' | '\u{fe4d}'..='\u{fe4f}'
        | '\u{ff10}'..='\u{ff19}' | '\u{ff21}'..='\u{ff3a}' | '\u{ff3f}' | '\u{ff41}'..='\u{ff5a}'
        | '\u{1d400}'..='\u{1d7ff}' | '\u{2100}'..='\u{214f}' | '\u{2160}'..='\u{217f}' | '\u{2460}'..='\u{24ff}'
        | '\u{1d2c}'..='\u{1d6a}' | '\u{2070}'..='\u{209c}' | '\u{fb00}'..='\u{fb06}' | '\u{17f}'
        | '\u{1f100}'..='\u{1f16f}' | '\u{2c7c}' | '\u{2c7d}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_reads_otherwise_than_it_looks_is_told() {
        let found = |text: &str| entries(&Source::new("a.py", text)).len();
        for text in [
            "\u{ff45}val(x)\n",
            "x = 1\n\u{1d452}xec(y)\n",
            "# -*- coding: utf-7 -*-\nx = 1\n",
            "#!/usr/bin/python3\n# vim: set fileencoding=rot13 :\n",
        ] {
            assert_eq!(found(text), 1, "{text}");
        }
        for text in [
            "# -*- coding: utf-8 -*-\nname = 'Müller'\n",
            "größe = 1\n",
            "x = 1\n\n# coding: utf-7\n",
        ] {
            assert_eq!(found(text), 0, "{text}");
        }
        assert_eq!(entries(&Source::new("a.md", "\u{ff45}val(x)\n")).len(), 0);
    }
}
