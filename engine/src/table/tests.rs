use std::collections::BTreeMap;

use holdpoint_schemas::Level;
use holdpoint_schemas::fact::{Action, Fact, FactRow, FactSet, FactTable, FactType};

use super::*;
use crate::decide::assess;
use crate::policy::Pack;

const SMALL: &str = "row,Exploitation v1.1.0,Safety Impact,\"Priority v1.0.0\"\n\
    a,none,minimal,later\nb,none,significant,soon\n\nc,active,minimal,soon\nd,active,significant,\"now\"\n";

fn small() -> DecisionTable {
    read("small", "small.csv", SMALL.as_bytes()).unwrap()
}

fn levels(pairs: &[(&str, Level)]) -> BTreeMap<String, Level> {
    pairs
        .iter()
        .map(|(outcome, level)| ((*outcome).to_owned(), *level))
        .collect()
}

fn usual() -> BTreeMap<String, Level> {
    levels(&[
        ("later", Level::Alert),
        ("soon", Level::Suggest),
        ("now", Level::AutoApply),
    ])
}

fn facts_of(table: &DecisionTable) -> FactTable {
    let leak = |text: &str| -> &'static str { Box::leak(text.to_owned().into_boxed_str()) };
    let rows = table.inputs.iter().map(|input| {
        let words: Vec<&'static str> = input.words.iter().map(|word| leak(word)).collect();
        FactRow {
            id: leak(&input.fact),
            fact_type: FactType::Word(words.leak()),
            doc: "An input.",
            ttl_seconds: None,
            resolver: "its owner",
            actions: &Action::ALL,
            evidence_order: &[],
        }
    });
    FactTable::shipped().with_org(rows).unwrap()
}

fn known(table: &DecisionTable, choices: &[Option<usize>]) -> FactSet {
    let mut facts = FactSet::new();
    for (input, choice) in table.inputs.iter().zip(choices) {
        if let Some(choice) = choice {
            facts.insert(
                &input.fact,
                Fact {
                    value: input.words[*choice].as_str().into(),
                    source: "test".to_owned(),
                    observed_at: jiff::Timestamp::UNIX_EPOCH,
                    note: None,
                },
            );
        }
    }
    facts
}

/// Every combination of inputs, each of them possibly unknown.
fn combinations(table: &DecisionTable) -> Vec<Vec<Option<usize>>> {
    table.inputs.iter().fold(vec![Vec::new()], |all, input| {
        let choices = (0..input.words.len()).map(Some).chain([None]);
        let longer = choices.flat_map(|choice| all.iter().map(move |one| [one.as_slice(), &[choice]].concat()));
        longer.collect()
    })
}

fn with_others(texts: &[&str], table: &DecisionTable, role: Role) -> Pack {
    let mut sources = policies(table, role, &usual()).unwrap();
    sources.extend(texts.iter().map(|text| crate::policy::PolicySource {
        path: "other.cedar".to_owned(),
        text: (*text).to_owned(),
    }));
    Pack::compile("table", &sources, &facts_of(table)).unwrap()
}

/// Whether no more is permitted when facts go missing.
fn is_unknown_safe(pack: &Pack, table: &DecisionTable) -> bool {
    let all = combinations(table);
    let levels: BTreeMap<&Vec<Option<usize>>, Level> = all
        .iter()
        .map(|one| (one, assess(pack, &known(table, one)).level))
        .collect();
    all.iter().all(|less| {
        let extends = |more: &&&Vec<Option<usize>>| {
            less.iter()
                .zip(more.iter())
                .all(|(less, more)| less.is_none() || less == more)
        };
        levels.keys().filter(extends).all(|more| levels[less] <= levels[*more])
    })
}

#[test]
fn a_table_is_read_with_its_inputs_labels_and_lines() {
    let table = small();
    let facts: Vec<&str> = table.inputs.iter().map(|input| input.fact.as_str()).collect();
    assert_eq!(facts, ["org.small.exploitation", "org.small.safety_impact"]);
    assert_eq!(table.inputs[1].words, ["minimal", "significant"]);
    let rows: Vec<(&str, usize, &str)> = table
        .rows
        .iter()
        .map(|row| (row.label.as_str(), row.line, row.outcome.as_str()))
        .collect();
    assert_eq!(
        rows,
        [("a", 2, "later"), ("b", 3, "soon"), ("c", 5, "soon"), ("d", 6, "now")]
    );
    assert_eq!(table.gaps().count, 0);
    assert_eq!(table.reason(&table.rows[3]), "Small table, row d: now");
}

#[test]
fn a_table_without_labels_counts_its_rows_and_knows_its_gaps() {
    let table = read("t", "t.csv", b"\xef\xbb\xbfa,b,level\r\nx,y,alert\r\nz,w,suggest\r\n").unwrap();
    assert_eq!(table.policy_id(&table.rows[1]), "t-row-2");
    let gaps = table.gaps();
    assert_eq!(
        (gaps.count, gaps.first),
        (2, vec![vec!["x".into(), "w".into()], vec!["z".into(), "y".into()]])
    );
    assert_eq!(
        table.levels(&BTreeMap::new()).unwrap(),
        levels(&[("alert", Level::Alert), ("suggest", Level::Suggest)])
    );
    assert_eq!(
        small().levels(&levels(&[("soon", Level::Suggest)])).unwrap_err(),
        ["later", "now"]
    );
}

#[test]
fn every_row_decides_its_level_and_no_two_rows_overlap() {
    let table = small();
    let pack = with_others(&[], &table, Role::Decides);
    assert_eq!(pack.policies().len(), table.rows.len());
    for row in &table.rows {
        let choices: Vec<Option<usize>> = row.choices.iter().copied().map(Some).collect();
        let answer = assess(&pack, &known(&table, &choices));
        assert_eq!(answer.level, usual()[&row.outcome], "{row:?}");
        let forbids = answer
            .bounds
            .iter()
            .map(|bound| bound.id.clone())
            .filter(|id| id != "no-permit");
        let mut determining: Vec<String> = forbids.chain(answer.permitted_by).collect();
        determining.dedup();
        assert_eq!(determining, [table.policy_id(row)]);
    }
    assert!(is_unknown_safe(&pack, &table));
    for choices in combinations(&table).iter().filter(|choices| choices.contains(&None)) {
        assert_eq!(assess(&pack, &known(&table, choices)).level, Level::Alert);
    }
}

#[test]
fn a_table_that_caps_only_withholds() {
    let table = small();
    let open = "@id(\"open\") @reason(\"all may\") permit (principal, action, resource);";
    let pack = with_others(&[open], &table, Role::Caps);
    assert_eq!(
        pack.policies().len(),
        1 + 3,
        "the row that withholds nothing has no policy"
    );
    for row in &table.rows {
        let choices: Vec<Option<usize>> = row.choices.iter().copied().map(Some).collect();
        assert_eq!(assess(&pack, &known(&table, &choices)).level, usual()[&row.outcome]);
    }
    assert!(is_unknown_safe(&pack, &table));
    assert_eq!(assess(&pack, &FactSet::new()).level, Level::Alert);
}

#[test]
fn its_cases_hold_for_its_pack() {
    let table = small();
    let open = "@id(\"open\") @reason(\"all may\") permit (principal, action, resource);";
    let packs = [
        (Role::Decides, with_others(&[], &table, Role::Decides)),
        (Role::Caps, with_others(&[open], &table, Role::Caps)),
    ];
    for (role, pack) in packs {
        let file = cases(&table, role, Strictness::Exact, &usual());
        assert_eq!(file.cases.len(), table.rows.len() + table.inputs.len());
        for case in &file.cases {
            let mut facts = FactSet::new();
            for (id, value) in &case.given {
                facts.insert(
                    id,
                    Fact {
                        value: value.clone(),
                        source: "test".to_owned(),
                        observed_at: jiff::Timestamp::UNIX_EPOCH,
                        note: None,
                    },
                );
            }
            let answer = assess(&pack, &facts);
            assert_eq!(Some(answer.level), case.level, "{}", case.name);
            for reason in &case.reasons {
                assert!(
                    answer.bounds.iter().any(|bound| bound.reason.contains(reason)),
                    "{}",
                    case.name
                );
            }
        }
    }
}

#[test]
fn what_is_wrong_with_a_file_is_refused_with_its_place() {
    let long = "x".repeat(81);
    let cases: [(&[u8], &str); 15] = [
        (b"", "t.csv: an empty file, expected a table"),
        (b"a,o\n", "t.csv: a table without rows, expected at least one"),
        (
            b"row,o\n1,x\n",
            "t.csv:1:1: 0 inputs, expected 1 to 32, and the outcome in the last column",
        ),
        (
            b"a,b,o\nx,y\n",
            "t.csv:2:1: a row of 2 cells, expected 3 as in the first line",
        ),
        (
            b"a,b,o\nx,y,u\n\"x\",y,u\n",
            "t.csv:3:7: row `2` has the same inputs as row `1` in line 2, expected one row for each combination",
        ),
        (
            b"row,a,o\n7,x,u\n8,x,v\n",
            "t.csv:3:5: row `8` has the same inputs as row `7` in line 2, but `v` instead of `u`",
        ),
        (
            b"row,a,o\n7,x,u\n7,y,v\n",
            "t.csv:3:1: row `7` is there twice, first in line 2",
        ),
        (b"row,a,o\n-,x,u\n", "t.csv:2:1: a cell that says `-`, expected a word"),
        (b"a,o\n,u\n", "t.csv:2:1: a cell that says ``, expected a word"),
        (
            b"a,o\n\"x\ny\",u\n",
            "t.csv:2:1: a cell with a line break or another control character, expected a word",
        ),
        (b"a,o\nx,u\n\xff,v\n", "t.csv: line 3 isn't UTF-8 text"),
        (
            b"A v1,a,o\nx,y,u\n",
            "t.csv:1:6: `a` and `A v1` are both fact `org.t.a`",
        ),
        (
            b"a,b,o\nx,y,u\nx,z,u\n",
            "t.csv:1:1: the number of different values of `a` is 1, expected 2 to 50",
        ),
        (
            b"7th,o\nx,u\n",
            "t.csv:1:1: the header `7th`, expected a name that begins with a letter and isn't a word of Cedar",
        ),
        (long.as_bytes(), "t.csv:1:1: a cell of 81 bytes, expected at most 80"),
    ];
    for (bytes, expected) in cases {
        assert_eq!(read("t", "t.csv", bytes).unwrap_err().one_line(), expected);
    }
    let many: String = (0..10_001).map(|n| format!("w{n},u\n")).collect();
    let error = read("t", "t.csv", format!("a,o\n{many}").as_bytes()).unwrap_err();
    assert_eq!(error.one_line(), "t.csv: more than 10000 rows");
}

#[test]
fn words_with_quotes_stay_words() {
    let table = read("t", "t.csv", b"a,level\n\"say \"\"hi\"\" \\ there\",suggest\nb,alert\n").unwrap();
    let sources = policies(&table, Role::Decides, &table.levels(&BTreeMap::new()).unwrap()).unwrap();
    let pack = Pack::compile("t", &sources, &facts_of(&table)).unwrap();
    assert_eq!(assess(&pack, &known(&table, &[Some(0)])).level, Level::Suggest);
}
