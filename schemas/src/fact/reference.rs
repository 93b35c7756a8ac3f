//! The reference page of facts, generated from their table.

use std::fmt::Write as _;

use super::{Action, FactRow, FactTable, FactType};

/// Families in the order of the page, with what they are about.
const FAMILIES: [(&str, &str); 7] = [
    ("finding", "What the scanner said."),
    (
        "service",
        "What the catalogue says of the service that owns what is touched. With several owners, the worst value.",
    ),
    ("graph", "What can be affected if the service breaks."),
    (
        "fix",
        "What the candidate fix does, computed from its diff whatever it claims.",
    ),
    ("change", "The moment in which the change would land."),
    (
        "evidence",
        "What the sandbox showed. Before it has run, triage takes the best value: packs are proved to never give \
         a lower level for better evidence.",
    ),
    ("approval", "What people said of exactly this change."),
];

const INTRODUCTION: &str = "\
# Facts

Generated from the table of facts (`schemas/src/fact/rows.rs`): run `./ci/generate`.

A fact is one thing known about a finding, its service, its fix or the moment. A policy reads it under `context`, \
by its id: `context has service.tier && context.service.tier == 0`. A fact that nobody supplied, or that is older \
than its time to live, is unknown: it is then absent from `context`, and each unknown names who can supply it. \
Types are Cedar's; `Long` is a whole number. Unless its row says otherwise, a fact is there for every action \
(`suggest`, `autoApply`, `promote`).
";

const ORGANISATION: &str = "
## `org`

An organisation's own facts, without recompiling: every `facts.d/*.yaml` in the estate's folder declares some and \
gives their values by service. An editor checks them with `schemas/org-facts.schema.json`.

```yaml
facts:
  - id: org.on_call_covered        # `org.` and names of lower-case letters, digits and `_`
    type: bool                     # bool | long | text | set | a list of words, such as [none, partial, full]
    doc: Whether someone is on call for the service.
    resolver: the on-call schedule's owner
    observed: 2026-11-01           # optional: the day (UTC) on which the values were true
    ttl_days: 7                    # optional, with `observed`
    default: false                 # optional: for services that `values` doesn't list
    values: {payments: true}       # by service id, as in the catalogue
```

- A service without a value and without a `default`: unknown. So is everything about a change that no service owns.
- Services that own a change together must agree, else the fact is unknown. With a `best` value (for \
words only: the last, as they go from worst to best) the worst of their values counts instead. Packs are \
proved monotone in such words, as they are in evidence.
- `ttl_days` after `observed` the values are unknown. Without `observed` they count as true at each run.
- A file that can't be read, a wrong type or a declaration that clashes with another stops the run (exit 3): the \
policies' schema rests on it. A value for a service that the catalogue doesn't have makes that fact unknown for the \
whole estate, and the run says so (exit 3).
- The ledger keeps the schema and the declarations, so that old decisions replay.
";

/// The page, in Markdown.
pub(super) fn page(table: &FactTable) -> String {
    let mut out = INTRODUCTION.to_owned();
    for (family, about) in FAMILIES {
        let _ = write!(out, "\n## `{family}`\n\n{about}\n\n");
        out.push_str("| fact | type | meaning | time to live | who supplies it |\n|---|---|---|---|---|\n");
        for row in table.rows().filter(|row| family_of(row) == family) {
            let _ = writeln!(
                out,
                "| `{}` | {} | {}{} | {} | {} |",
                row.id,
                value_type(row),
                cell(row.doc),
                actions(row),
                row.ttl_seconds.map_or_else(|| "the run".to_owned(), time),
                cell(row.resolver),
            );
        }
    }
    out.push_str(ORGANISATION);
    out
}

fn family_of(row: &FactRow) -> &str {
    row.id.split_once('.').map_or(row.id, |(family, _)| family)
}

fn value_type(row: &FactRow) -> String {
    let list = |words: &[&str], between: &str| {
        let words: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
        words.join(between)
    };
    match row.fact_type {
        FactType::Word(_) if !row.evidence_order.is_empty() => {
            format!("from worst to best: {}", list(row.evidence_order, " < "))
        }
        FactType::Word(words) => format!("one of {}", list(words, ", ")),
        other => format!("`{}`", other.cedar()),
    }
}

/// Which actions have it, where not all do.
fn actions(row: &FactRow) -> String {
    if row.actions.len() == Action::ALL.len() {
        return String::new();
    }
    let names: Vec<String> = row
        .actions
        .iter()
        .map(|action| format!("`{}`", action.as_str()))
        .collect();
    format!(" Only for {}.", names.join(" and "))
}

fn time(seconds: i64) -> String {
    match (seconds / 86_400, seconds % 86_400) {
        (1, 0) => "1 day".to_owned(),
        (days, 0) => format!("{days} days"),
        _ => format!("{} h", seconds / 3_600),
    }
}

/// Text that can't end a table's cell.
fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fact::generated::assert_committed;

    #[test]
    fn the_committed_page_is_the_generated_one() {
        assert_committed("../docs/facts.md", &page(FactTable::shipped()));
    }

    #[test]
    fn every_fact_is_on_the_page_once() {
        let page = page(FactTable::shipped());
        for row in FactTable::shipped().rows() {
            assert_eq!(page.matches(&format!("| `{}` |", row.id)).count(), 1, "{}", row.id);
        }
    }
}
