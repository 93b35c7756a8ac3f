//! Ways in which a version breaks its clients, as tables: none of them may be called safe.

mod javascript;
mod javascript_made;
mod python;
mod python_made;
mod python_names;
mod python_text;
mod rust;
mod rust_values;
mod typescript;

use super::*;

/// Old and new source of the package, source of its client, and how the answer starts: `safe`, `unknown`, or the kind,
/// the symbol and the place of the first break.
type Row<'a> = (&'a str, &'a str, &'a str, &'a str);

/// Holds each row's answer against what it should be, and says all that differ.
fn hold(rows: &[Row<'_>], judged: impl Fn(&str, &str, &str) -> Compatibility) {
    let mut wrong = Vec::new();
    for (old, new, client, answer) in rows {
        let told = told(&judged(old, new, client));
        if !told.starts_with(answer) {
            wrong.push(format!(
                "{old:?}\n  → {new:?}\n  {client:?}\n  is {told}\n  not {answer}"
            ));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {}:\n{}",
        wrong.len(),
        rows.len(),
        wrong.join("\n")
    );
}
