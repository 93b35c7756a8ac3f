//! Migration files that hold both ways: what takes the change back isn't run.

/// Lines that begin what does the change, and what takes it back, as the tools that read them write them: goose,
/// dbmate, sql-migrate, Play, node-pg-migrate, `MyBatis` Migrations, and those that say no more than a word. Compared in
/// lower case, without what marks the comment and without spaces.
const MARKS: [(&str, &str); 7] = [
    ("+gooseup", "+goosedown"),
    ("migrate:up", "migrate:down"),
    ("+migrateup", "+migratedown"),
    ("---!ups", "---!downs"),
    ("upmigration", "downmigration"),
    ("//@do", "//@undo"),
    ("up", "down"),
];

/// The mark of a line, if it is one: whether what follows takes back.
fn mark(line: &str) -> Option<bool> {
    let line = line.trim();
    let comment = line.strip_prefix('#').or_else(|| line.strip_prefix("--"))?;
    let plain: String = comment
        .chars()
        .filter(|c| !c.is_whitespace())
        .collect::<String>()
        .to_ascii_lowercase();
    // Settings of a section follow its name: `-- migrate:down transaction:false`.
    let of = |name: &str| {
        let rest = plain.strip_prefix(name)?;
        (rest.is_empty() || rest.starts_with("transaction:") || rest.starts_with("notransaction")).then_some(())
    };
    let found = |(up, down): &(&str, &str)| of(down).map(|()| true).or_else(|| of(up).map(|()| false));
    MARKS.iter().find_map(found)
}

/// The text without the sections that take back, each line in its place.
pub(super) fn forward(text: &str) -> String {
    let mut takes_back = false;
    let mut found = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let marked = mark(line);
        takes_back = marked.unwrap_or(takes_back);
        match takes_back || marked.is_some() {
            true if line.ends_with('\n') => found.push('\n'),
            true => {}
            false => found.push_str(line),
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::forward;

    #[test]
    fn sections_that_take_back_are_left_out_line_by_line() {
        for (up, down) in [
            ("-- +goose Up", "-- +goose Down"),
            ("-- migrate:up", "-- migrate:down transaction:false"),
            ("-- +migrate Up", "-- +migrate Down"),
            ("# --- !Ups", "# --- !Downs"),
            ("-- Up Migration", "-- Down Migration"),
            ("--", "-- //@UNDO"),
            ("-- up", "-- down"),
        ] {
            let text = format!("{up}\nCREATE TABLE t (a int);\n{down}\nDROP TABLE t;\n");
            let kept = forward(&text);
            assert!(kept.contains("CREATE") && !kept.contains("DROP"), "{down}: {kept}");
            assert_eq!(kept.lines().count(), text.lines().count());
        }
        let plain = "-- update all\nUPDATE t SET a = 1; -- down\n-- download\nDROP TABLE t;";
        assert_eq!(forward(plain), plain);
    }
}
