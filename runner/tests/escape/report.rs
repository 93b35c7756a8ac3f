//! What came of the attacks, as a table.

use std::fmt::Write as _;

/// One attack on one sandbox.
#[derive(Debug)]
pub struct Row {
    /// The attack.
    pub attack: String,
    /// What stops it.
    pub control: String,
    /// How it ended where it was stopped, and that it works otherwise.
    pub seen: String,
    /// What isn't as it must be.
    pub problem: Option<String>,
}

/// Prints the table, and fails when a row has a problem.
pub fn check(sandbox: &str, rows: &[Row]) {
    let mut table = String::new();
    for row in rows {
        let verdict = if row.problem.is_some() { "FAILED" } else { "stopped" };
        writeln!(
            table,
            "{sandbox:<8} {:<40} {:<32} {verdict:<8} {}",
            row.attack, row.control, row.seen
        )
        .unwrap();
    }
    println!("{table}");
    let problems: Vec<_> = rows
        .iter()
        .filter_map(|row| row.problem.as_ref().map(|problem| format!("{}: {problem}", row.attack)))
        .collect();
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

/// A row about an attack that our own code stops: where the attack got through, and where it didn't.
pub fn row(attack: &str, control: &str, stopped: Result<String, String>, works_otherwise: bool) -> Row {
    let (seen, mut problem) = match stopped {
        Ok(seen) => (seen, None),
        Err(problem) => (String::new(), Some(problem)),
    };
    if !works_otherwise {
        problem.get_or_insert_with(|| "it does not work without the control either".to_owned());
    }
    Row {
        attack: attack.to_owned(),
        control: control.to_owned(),
        seen,
        problem,
    }
}
