//! Migration files that hold both ways: what takes the change back isn't run.

/// Lines that begin what does the change, and what takes it back, as the tools that read them write them: goose,
/// dbmate, sql-migrate, Play, node-pg-migrate, `MyBatis` Migrations, and those that say no more than a word. Compared in
/// lower case, without what marks the comment and without spaces.
const MARKS: [(&str, &str, Alone); 7] = [
    ("+gooseup", "+goosedown", Alone::Counts),
    ("migrate:up", "migrate:down", Alone::Counts),
    ("+migrateup", "+migratedown", Alone::Counts),
    ("---!ups", "---!downs", Alone::Counts),
    ("//@do", "//@undo", Alone::Counts),
    ("upmigration", "downmigration", Alone::IsProse),
    ("up", "down", Alone::IsProse),
];

/// Whether a mark that takes back counts where none that does stood before it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Alone {
    Counts,
    IsProse,
}

/// The mark of a line, if it is one: whether what follows takes back.
fn mark(line: &str) -> Option<(bool, Alone)> {
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
    MARKS.iter().find_map(|(up, down, alone)| {
        let takes_back = of(down).map(|()| true).or_else(|| of(up).map(|()| false))?;
        Some((takes_back, *alone))
    })
}

/// The text without the sections that take back, each line in its place.
pub(super) fn forward(text: &str) -> String {
    let (mut takes_back, mut begun) = (false, false);
    let mut found = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let prose = |(takes_back, alone): &(bool, Alone)| *takes_back && *alone == Alone::IsProse && !begun;
        let marked = mark(line).filter(|mark| !prose(mark)).map(|(takes_back, _)| takes_back);
        begun |= marked == Some(false);
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
        let prose = "-- down\nDROP TABLE t;\n";
        assert_eq!(forward(prose), prose);
        let plain = "-- update all\nUPDATE t SET a = 1; -- down\n-- download\nDROP TABLE t;";
        assert_eq!(forward(plain), plain);
    }
}
