use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::{diff, rules};
use crate::{ContractDiff, DiffVerdict};

fn side(text: &str) -> BTreeMap<String, String> {
    BTreeMap::from([("schema.sql".to_owned(), text.to_owned())])
}

fn found(base: &str, revision: &str) -> ContractDiff {
    diff(&side(base), &side(revision)).unwrap_or_else(|error| panic!("{}", error.one_line()))
}

fn ids(diff: &ContractDiff) -> Vec<&str> {
    diff.changes.iter().map(|change| change.rule.as_str()).collect()
}

const T: &str = "CREATE TABLE t (a int NOT NULL, b varchar(20));";

/// Rule, base, revision; the rule is all that fires.
fn fixtures() -> Vec<(&'static str, String, String)> {
    let after = |rule, change: &str| (rule, T.to_owned(), format!("{T} {change};"));
    let both = |rule, base: &str, revision: &str| (rule, base.to_owned(), revision.to_owned());
    let columns = |rule, base: &str, revision: &str| {
        let table = |column: &str| format!("CREATE TABLE t (a int, {column});");
        (rule, table(base), table(revision))
    };
    let mood = "CREATE TYPE mood AS ENUM ('sad', 'ok');";
    vec![
        after("TABLE_DROPPED", "DROP TABLE IF EXISTS public.T"),
        after("TABLE_RENAMED", "ALTER TABLE t RENAME TO u"),
        after("TABLE_ADDED", "CREATE TABLE u (c int)"),
        after("COLUMN_DROPPED", "ALTER TABLE t DROP COLUMN b"),
        after("COLUMN_RENAMED", "ALTER TABLE t RENAME COLUMN b TO c"),
        after("COLUMN_ADDED", "ALTER TABLE t ADD COLUMN c int NOT NULL DEFAULT 0"),
        after("REQUIRED_COLUMN_ADDED", "ALTER TABLE t ADD COLUMN c int NOT NULL"),
        after("COLUMN_NARROWED", "ALTER TABLE t ALTER COLUMN b TYPE varchar(10)"),
        columns("COLUMN_WIDENED", "b int", "b bigint"),
        after("COLUMN_LENGTHENED", "ALTER TABLE t ALTER COLUMN b TYPE text"),
        columns("COLUMN_TYPE_CHANGED", "b int", "b uuid"),
        columns("COLUMN_PADDING_CHANGED", "b char(5)", "b varchar(5)"),
        columns("COLLATION_CHANGED", "b text", "b text COLLATE \"C\""),
        columns(
            "COMPUTED_CHANGED",
            "b int GENERATED ALWAYS AS (a * 2) STORED",
            "b int GENERATED ALWAYS AS (a * 3) STORED",
        ),
        columns(
            "CONSTRAINT_CHANGED",
            "b int REFERENCES u (x)",
            "b int REFERENCES u (x) ON DELETE CASCADE",
        ),
        after("NOT_NULL_ADDED", "ALTER TABLE t ALTER COLUMN b SET NOT NULL"),
        columns(
            "NOT_NULL_ADDED_WITH_DEFAULT",
            "b int DEFAULT 1",
            "b int DEFAULT 1 NOT NULL",
        ),
        after("NOT_NULL_DROPPED", "ALTER TABLE t ALTER COLUMN a DROP NOT NULL"),
        columns("REQUIRED_DEFAULT_DROPPED", "b int NOT NULL DEFAULT 1", "b int NOT NULL"),
        columns("DEFAULT_DROPPED", "b int DEFAULT 1", "b int"),
        columns("DEFAULT_CHANGED", "b int DEFAULT 1", "b int DEFAULT 2"),
        after("DEFAULT_ADDED", "ALTER TABLE t ALTER COLUMN b SET DEFAULT 'x'"),
        after("PRIMARY_KEY_CHANGED", "ALTER TABLE t ADD PRIMARY KEY (a)"),
        after("UNIQUE_ADDED", "CREATE UNIQUE INDEX i ON t (b)"),
        both(
            "UNIQUE_DROPPED",
            "CREATE TABLE t (a int UNIQUE)",
            "CREATE TABLE t (a int UNIQUE); ALTER TABLE t DROP CONSTRAINT t_a_key",
        ),
        after("CHECK_ADDED", "ALTER TABLE t ADD CONSTRAINT c CHECK (a > 0)"),
        columns("CHECK_DROPPED", "b int CHECK (b > 0)", "b int"),
        after(
            "FOREIGN_KEY_ADDED",
            "ALTER TABLE t ADD FOREIGN KEY (a) REFERENCES u (x)",
        ),
        columns("FOREIGN_KEY_DROPPED", "b int REFERENCES u (x)", "b int"),
        both(
            "VIEW_DROPPED",
            "CREATE VIEW v AS SELECT 1",
            "CREATE VIEW v AS SELECT 1; DROP VIEW v",
        ),
        both(
            "VIEW_CHANGED",
            "CREATE VIEW v AS SELECT a FROM t",
            "CREATE VIEW v AS SELECT a FROM t WHERE a > 0",
        ),
        both(
            "VIEW_COLUMN_DROPPED",
            "CREATE VIEW v AS SELECT a, t.b, c + 1 AS d FROM t",
            "CREATE VIEW v AS SELECT a, c + 1 AS d FROM t",
        ),
        columns(
            "ALWAYS_GENERATED_ADDED",
            "b int",
            "b int GENERATED ALWAYS AS (a * 2) STORED",
        ),
        columns(
            "ALWAYS_GENERATED_DROPPED",
            "b int GENERATED ALWAYS AS (a * 2) STORED",
            "b int",
        ),
        both("VIEW_ADDED", "SELECT 1", "CREATE VIEW v AS SELECT 1"),
        both("ENUM_DROPPED", mood, &format!("{mood} DROP TYPE mood")),
        both("ENUM_VALUE_REMOVED", mood, "CREATE TYPE mood AS ENUM ('ok')"),
        both(
            "ENUM_VALUE_ADDED",
            mood,
            &format!("{mood} ALTER TYPE mood ADD VALUE 'glad'"),
        ),
        both("ENUM_ADDED", "SELECT 1", mood),
    ]
}

#[test]
fn every_rule_alone_fires_on_its_fixture() {
    let fixtures = fixtures();
    let covered: BTreeSet<&str> = fixtures.iter().map(|(rule, ..)| *rule).collect();
    let rules = rules();
    assert_eq!(covered, rules.iter().map(|rule| rule.id.as_str()).collect());
    for (rule, base, revision) in &fixtures {
        let diff = found(base, revision);
        assert_eq!(ids(&diff), [*rule], "{:?}", diff.gaps);
        assert_eq!(diff.gaps, vec![], "{rule}");
        assert_eq!(
            diff.changes[0].level,
            rules.iter().find(|known| known.id == *rule).unwrap().level
        );
        for side in [base, revision] {
            assert_eq!(found(side, side).changes, vec![], "{rule}");
        }
    }
}

#[test]
fn swapped_sides_fire_the_opposite() {
    let rules = rules();
    for (id, base, revision) in fixtures() {
        let rule = rules.iter().find(|rule| rule.id == id).unwrap();
        if let Some(opposite) = &rule.opposite {
            let backwards = found(&revision, &base);
            // That a table or a column was renamed can't be seen backwards: the history is another one.
            assert!(
                ids(&backwards).contains(&opposite.as_str()),
                "{id}: {:?}",
                ids(&backwards)
            );
        }
    }
}

#[test]
fn types_are_compared_by_what_they_hold() {
    for (old, new, expected) in [
        ("int", "INTEGER", None),
        ("int4", "serial", Some("NOT_NULL_ADDED_WITH_DEFAULT")),
        ("bigint", "int", Some("COLUMN_NARROWED")),
        ("numeric(10,2)", "numeric(12,2)", Some("COLUMN_WIDENED")),
        ("numeric(10,2)", "numeric(10,4)", Some("COLUMN_NARROWED")),
        ("numeric", "numeric(10,2)", Some("COLUMN_NARROWED")),
        ("varchar(10)", "varchar(20)", Some("COLUMN_LENGTHENED")),
        ("text", "varchar(20)", Some("COLUMN_NARROWED")),
        ("double precision", "real", Some("COLUMN_NARROWED")),
        ("timestamp", "timestamptz", Some("COLUMN_TYPE_CHANGED")),
        ("timestamptz", "timestamp with time zone", None),
        ("boolean", "bool", None),
        ("json", "jsonb", Some("COLUMN_TYPE_CHANGED")),
        ("text[]", "text[]", None),
        ("VARCHAR2(20)", "VARCHAR2(10 CHAR)", Some("COLUMN_NARROWED")),
        ("NUMBER(10,2)", "NUMBER(8,2)", Some("COLUMN_NARROWED")),
        ("vector(3)", "vector(4)", Some("COLUMN_TYPE_CHANGED")),
        ("timestamp(6)", "timestamp(3)", Some("COLUMN_NARROWED")),
        ("timestamp(6)", "timestamp", None),
        ("datetime(6)", "datetime", Some("COLUMN_NARROWED")),
        ("datetime", "timestamp", None),
        ("SET('x')", "SET('x', 'y')", Some("ENUM_VALUE_ADDED")),
        ("SET('x')", "ENUM('x')", Some("COLUMN_TYPE_CHANGED")),
        ("LONGTEXT", "TEXT", Some("COLUMN_NARROWED")),
        ("TEXT", "MEDIUMTEXT", Some("COLUMN_LENGTHENED")),
        ("MEDIUMBLOB", "TINYBLOB", Some("COLUMN_NARROWED")),
    ] {
        let table = |ty: &str| format!("CREATE TABLE t (a {ty});");
        let diff = found(&table(old), &table(new));
        assert_eq!(ids(&diff).first().copied(), expected, "{old} -> {new}: {:?}", diff.gaps);
    }
}

#[test]
fn migrations_run_in_order_and_other_dialects_are_read() {
    let base = BTreeMap::from([(
        "V1__a.sql".to_owned(),
        "CREATE TABLE `t` (`a` INT UNSIGNED NOT NULL AUTO_INCREMENT, `b` ENUM('x','y'), PRIMARY KEY (`a`), KEY `i` (`b`)) \
         ENGINE=InnoDB; INSERT INTO `t` VALUES (1, 'x'); # done\n"
            .to_owned(),
    )]);
    let mut revision = base.clone();
    revision.insert(
        "V2__b.sql".to_owned(),
        "ALTER TABLE t MODIFY b ENUM('x','y','z') NOT NULL, ADD c INT;".to_owned(),
    );
    revision.insert("V10__c.sql".to_owned(), "ALTER TABLE t DROP COLUMN c;".to_owned());
    revision.insert("U2__b.sql".to_owned(), "DROP TABLE t;".to_owned());
    let diff = diff(&base, &revision).unwrap();
    assert_eq!(ids(&diff), ["NOT_NULL_ADDED", "ENUM_VALUE_ADDED"], "{:?}", diff.gaps);
    assert_eq!(diff.gaps, vec![]);
    // Brackets of T-SQL, and a batch separator.
    let text = "CREATE TABLE [dbo].[T] ([Id] INT IDENTITY(1,1) NOT NULL, [N] NVARCHAR(MAX) NULL);";
    assert_eq!(
        ids(&found(text, "CREATE TABLE t (id int NOT NULL DEFAULT 1, n text)")),
        ["ALWAYS_GENERATED_DROPPED"]
    );
}

#[test]
fn what_is_not_understood_is_a_gap_and_no_clean_bill() {
    for text in [
        "CREATE TABLE t (a int) INHERITS (u);",
        "CREATE TABLE t AS SELECT * FROM u;",
        "ALTER TABLE gone ADD COLUMN a int;",
        "CREATE TABLE t (a int); ALTER TABLE t DROP CONSTRAINT nope;",
        "CREATE TABLE t (;",
        "DO $$ BEGIN ALTER TABLE t DROP COLUMN a; END $$;",
        "\\connect db",
        "hello world",
    ] {
        let diff = found(text, text);
        assert_eq!(diff.verdict(), DiffVerdict::Inconclusive, "{text}");
        assert!(diff.gaps[0].place.starts_with("schema.sql:"), "{:?}", diff.gaps);
    }
    for chain in ["1+", "1=", "NOT ", "- "] {
        let long = format!("CREATE TABLE t (a int CHECK ({}1));", chain.repeat(5_000));
        assert_eq!(found(&long, &long).verdict(), DiffVerdict::Inconclusive, "{chain}");
    }
    let deep = format!("CREATE VIEW v AS SELECT {}1{};", "(".repeat(3_000), ")".repeat(3_000));
    assert_eq!(found(&deep, &deep).verdict(), DiffVerdict::Inconclusive);
    for text in [
        "SELECT 1",
        "-- nothing\n",
        "GRANT SELECT ON t TO u;",
        "CREATE OR REPLACE FUNCTION f() RETURNS int LANGUAGE sql AS $$ SELECT 1; $$; CREATE AGGREGATE x (y);",
        "CREATE INDEX i ON t (a);",
    ] {
        assert_eq!(found(text, text).verdict(), DiffVerdict::Compatible, "{text}");
    }
    let error = diff(&side("CREATE TABLE t (a int DEFAULT 'x"), &side("")).unwrap_err();
    assert!(error.one_line().starts_with("schema.sql:1:"), "{}", error.one_line());
    assert!(diff(&BTreeMap::new(), &side("")).is_err());
}

#[test]
fn what_both_sides_do_alike_is_silent_though_it_is_not_compared() {
    let text = "CREATE TABLE t (a int);\nCALL p();\nIF 1 = 1 BEGIN DROP TABLE u; END;\nEXEC sp_rename 'a', 'b';\n\
        REVOKE ALL ON t FROM x; SET search_path = a; USE d; ROLLBACK; SELECT f(); ATTACH DATABASE 'x' AS y;\n\
        CREATE TRIGGER x BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION f(); DROP FUNCTION g CASCADE;\n\
        CREATE POLICY p ON t USING (false); ALTER TABLE t ENABLE ROW LEVEL SECURITY; ALTER SEQUENCE s RESTART;";
    let diff_of = |revision: &str| found(text, revision);
    assert_eq!(diff_of(text), ContractDiff::with_gaps("sql", vec![], vec![]));
    let other = diff_of(&text.replace("USING (false)", "USING (true)"));
    let places: Vec<&str> = other.gaps.iter().map(|gap| gap.place.as_str()).collect();
    assert_eq!(places, ["schema.sql:7", "schema.sql:7"], "{:?}", other.gaps);
}

#[test]
fn conditional_code_that_can_not_be_read_is_compared_by_its_text() {
    let table = |column: &str, count: u8| {
        let partitions = format!("/*!50100 PARTITION BY HASH (`a`) PARTITIONS {count} */");
        format!("CREATE TABLE `t` (`a` int{column}) ENGINE=InnoDB\n{partitions};")
    };
    let (four, five, more) = (table("", 4), table("", 5), table(", `b` int", 4));
    assert_eq!(found(&four, &four), ContractDiff::with_gaps("sql", vec![], vec![]));
    assert_eq!(found(&four, &five).verdict(), DiffVerdict::Inconclusive);
    assert_eq!(ids(&found(&more, &four)), ["COLUMN_DROPPED"]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn order_and_layout_change_nothing(order in Just(vec!["a int NOT NULL", "b varchar(3) DEFAULT 'x'", "c TEXT", "UNIQUE (a, c)"]).prop_shuffle(), space in "[ \n]{1,3}") {
        let base = "CREATE TABLE t (a int NOT NULL, b varchar(3) DEFAULT 'x', c TEXT, UNIQUE (a, c));";
        let revision = format!("/* x */create{space}table T ({});", order.join(&format!(",{space}")));
        let diff = found(base, &revision);
        prop_assert!(diff.changes.is_empty() && diff.gaps.is_empty(), "{diff:?}");
    }

    #[test]
    fn any_text_is_read_or_refused(text in "(CREATE|ALTER|DROP|TABLE|t|a|int|ADD|COLUMN|[(),;'\"`$\\[\\] \n0-9]){0,30}") {
        if let Err(error) = diff(&side(&text), &side("")) {
            prop_assert!(error.help_line().is_some());
        }
    }
}
