//! Laws of the matching, on real files: whatever is moved, renamed or reformatted is not new; whatever is swapped is.

use super::move_tests::tree;
use super::tests::finding;
use super::*;
use crate::code::{Kind, lex};
use proptest::prelude::*;
use std::collections::BTreeMap;

macro_rules! example {
    ($path:literal) => {
        ($path, include_str!(concat!("../../../examples/fintech/repos/", $path)))
    };
}

const FILES: &[(&str, &str)] = &[
    example!("payments/payments/api.py"),
    example!("payments/payments/service.py"),
    example!("payments/payments/backends.py"),
    example!("ledger/ledger/store.py"),
    example!("ledger/ledger/api.py"),
    example!("statements/statements/statement.py"),
    example!("gateway/src/server.js"),
    example!("fx-rates/src/rates.js"),
    example!("notifications/test/notifications.test.js"),
    example!("infra/waf.tf"),
    example!("infra/network.tf"),
    example!("infra/databases.tf"),
    example!("infra/iam.tf"),
];

/// A token with what stands before it.
#[derive(Clone)]
struct Piece {
    gap: String,
    text: String,
    kind: Kind,
    /// Whether it is the word that a scanner reports.
    flagged: bool,
    /// Whether brackets are around it, so that line breaks before it mean nothing.
    inside: bool,
    /// Whether a part of the file starts here that may be elsewhere.
    starts: bool,
}

/// Small and seeded, so that proptest can shrink one number (xorshift64*, Vigna 2016).
struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) as usize % n
    }

    fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }
}

/// The file in pieces; the first word of each line is flagged.
fn pieces(path: &str, text: &str) -> Vec<Piece> {
    let starts: Vec<usize> = std::iter::once(0)
        .chain(text.match_indices('\n').map(|(at, _)| at + 1))
        .collect();
    let (mut all, mut end, mut flagged_line) = (Vec::<Piece>::new(), 0, 0);
    let mut open: Vec<String> = Vec::new();
    for token in lex(text, Lang::of(path)) {
        let start = starts[token.line as usize - 1] + token.column;
        let inner = token.text.as_ptr() as usize - text.as_ptr() as usize;
        let gap = &text[end..start];
        end = inner + token.text.len() + (inner - start);
        if token.kind == Kind::Mark && matches!(token.text, ")" | "]" | "}") {
            open.pop();
        }
        let flagged = token.kind == Kind::Word && token.line > flagged_line;
        if flagged {
            flagged_line = token.line;
        }
        all.push(Piece {
            gap: gap.to_owned(),
            text: text[start..end].to_owned(),
            kind: token.kind,
            flagged,
            inside: open.last().is_some_and(|open| open != "{"),
            starts: open.is_empty() && token.column == 0 && gap.contains("\n\n") && token.kind == Kind::Word,
        });
        if token.kind == Kind::Mark && matches!(token.text, "(" | "[" | "{") {
            open.push(token.text.to_owned());
        }
    }
    all
}

fn reformat(pieces: &mut [Piece], random: &mut Random) {
    let wide = random.one_in(2);
    for piece in pieces {
        let comment = piece.gap.contains(['#', '/']);
        if piece.inside && random.one_in(3) {
            piece.gap.push_str("\n        ");
        } else if piece.inside && !comment && piece.gap.contains('\n') && random.one_in(2) {
            piece.gap = " ".to_owned();
        } else if let Some((before, indent)) = piece.gap.rsplit_once('\n') {
            let indent = if wide { indent.repeat(2) } else { indent.to_owned() };
            let more = if random.one_in(4) { "\n\n" } else { "\n" };
            piece.gap = format!("{before}{more}{indent}");
        }
    }
}

/// Its parts in another order, and perhaps the longest in another file.
fn shuffle(pieces: &[Piece], random: &mut Random) -> Vec<Vec<Piece>> {
    let mut parts: Vec<Vec<Piece>> = vec![Vec::new()];
    for piece in pieces {
        if piece.starts {
            parts.push(Vec::new());
        }
        parts.last_mut().unwrap().push(piece.clone());
    }
    let head = parts.remove(0);
    for index in (1..parts.len()).rev() {
        let other = random.below(index + 1);
        parts.swap(index, other);
    }
    let mut files = vec![head];
    let longest = (0..parts.len()).max_by_key(|index| parts[*index].len());
    if let Some(index) = longest.filter(|_| random.one_in(2)) {
        files.push(parts.remove(index));
    }
    files[0].extend(parts.concat());
    files
}

/// The texts, and what a scanner finds in them.
fn write(files: &[(String, Vec<Piece>)]) -> (BTreeMap<String, String>, Vec<Finding>) {
    let mut texts = BTreeMap::new();
    let mut found = Vec::new();
    for (path, pieces) in files {
        let mut text = String::new();
        let mut lines = Vec::new();
        for piece in pieces {
            text.push_str(&piece.gap);
            if piece.flagged {
                lines.push(1 + text.matches('\n').count() as u32);
            }
            text.push_str(&piece.text);
        }
        text.push('\n');
        for (ordinal, line) in lines.into_iter().enumerate() {
            let mut finding = finding("rule", "x", line);
            let shown = text.lines().nth(line as usize - 1).unwrap().trim();
            let same = found.iter().filter(|other: &&Finding| other.title == shown).count();
            finding.fingerprint = Fingerprint::of([path.as_str(), shown, &same.to_string()]);
            finding.title = shown.to_owned();
            finding.location.as_mut().unwrap().path.clone_from(path);
            assert!(ordinal < 10_000);
            found.push(finding);
        }
        texts.insert(path.clone(), text);
    }
    (texts, found)
}

fn new_findings(before: &[(String, Vec<Piece>)], after: &[(String, Vec<Piece>)]) -> Vec<Finding> {
    let ((old_files, old), (new_files, new)) = (write(before), write(after));
    let states = matching::matched(
        Side {
            findings: &old,
            files: &old_files,
        },
        Side {
            findings: &new,
            files: &new_files,
        },
    );
    let new = new.into_iter().zip(states).filter(|(_, pair)| pair.is_none());
    new.map(|(finding, _)| finding).collect()
}

fn changed(path: &str, pieces: &[Piece], random: &mut Random) -> Vec<(String, Vec<Piece>)> {
    let ending = path.rsplit('.').next().unwrap();
    let mut files = if random.one_in(2) {
        shuffle(pieces, random)
    } else {
        vec![pieces.to_vec()]
    };
    if random.one_in(2) {
        files.iter_mut().for_each(|file| reformat(file, random));
    }
    let name = if random.one_in(2) {
        path.to_owned()
    } else {
        format!("other/name.{ending}")
    };
    let names = [name, format!("moved/here.{ending}")];
    names.into_iter().zip(files).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn no_move_rename_or_reformatting_makes_a_finding_new(file in 0..FILES.len(), seed in 1..u64::MAX) {
        let (path, text) = FILES[file];
        let pieces = pieces(path, text);
        let before = [(path.to_owned(), pieces.clone())];
        let after = changed(path, &pieces, &mut Random(seed));
        let new = new_findings(&before, &after);
        prop_assert!(new.is_empty(), "{:#?}\n{}", new.iter().map(|f| &f.title).collect::<Vec<_>>(), write(&after).0.into_values().collect::<String>());
    }

    #[test]
    fn each_swapped_word_makes_its_finding_new(file in 0..FILES.len(), seed in 1..u64::MAX) {
        let (path, text) = FILES[file];
        let pieces = pieces(path, text);
        let before = [(path.to_owned(), pieces.clone())];
        let random = &mut Random(seed);
        let mut after = changed(path, &pieces, random);
        // What stands behind a flagged word, before any bracket or line ends, is of its statement; a call's own
        // name is left alone, because a declared name may change.
        let own = &mut after[0].1;
        let candidates: Vec<usize> = (1..own.len() - 1)
            .filter(|at| own[at - 1].flagged && own[*at].kind == Kind::Mark && own[*at].text != "}" && matches!(own[at + 1].kind, Kind::Text | Kind::Word))
            .filter(|at| !own[*at].gap.contains('\n') && !own[at + 1].flagged && matches!(own[*at].text.as_str(), "=" | "(" | "." | ":"))
            .filter(|at| own[*at].text != "(" || at + 2 < own.len())
            .collect();
        prop_assume!(!candidates.is_empty());
        let at = candidates[random.below(candidates.len())];
        let line: usize = own[..at].iter().map(|piece| piece.gap.matches('\n').count() + piece.text.matches('\n').count()).sum();
        own[at + 1].text = "swapped_in_by_the_fix".to_owned();
        let new = new_findings(&before, &after);
        let name = &after[0].0;
        let hit = new.iter().any(|finding| finding.location.as_ref().is_some_and(|place| place.path == *name && place.line == Some(line as u32 + 1)));
        prop_assert!(hit, "line {}: {:#?}\n{}", line + 1, new, write(&after).0[name]);
    }

    #[test]
    fn any_text_is_taken_apart_and_no_line_is_lost(text in "\\PC{0,200}|[a-z(){}\\[\\]'\"`/*#\\\\\n ,;:=.]{0,300}", ending in "py|js|tf|rs|yaml|go|xml") {
        let path = format!("a.{ending}");
        let code = Code::of(&text, Lang::of(&path)).unwrap();
        for line in 1..=text.lines().count() as u32 {
            if let Some(span) = code.span(line) {
                prop_assert!(span.whole.start <= span.line.start && span.line.end <= span.whole.end);
            }
        }
        let same = tree(&[(&path, &text)]);
        prop_assert!(suppression::added(&same, &same, &[]).is_empty());
    }
}
