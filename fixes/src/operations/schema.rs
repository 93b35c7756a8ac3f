//! The shape of stored data, where it is declared in the service's own code.

use super::{Answer, Changed, Needs};

/// What declares a column, a table or an index, in the libraries that map them.
const DECLARATIONS: [&str; 22] = [
    "mapped_column(",
    "relationship(",
    "@column",
    "@entity",
    "@table(",
    "@joincolumn",
    "@primarygeneratedcolumn",
    "db.model",
    "sequelize.define",
    "gorm:\"",
    "belongs_to :",
    "has_many :",
    "schemamodel",
    "alter table",
    "create table",
    "drop table",
    "create index",
    "drop index",
    "add column",
    "drop column",
    "__tablename__",
    "db_table",
];

pub(super) fn read(changed: &Changed<'_>) -> Option<Needs> {
    let (name, ending) = (changed.name(), changed.ending());
    let declares = |line: &str| {
        let line = line.to_ascii_lowercase();
        let field =
            (line.contains("models.") && line.contains("field(")) || (line.contains("column(") && ending == "py");
        field || DECLARATIONS.iter().any(|word| line.contains(word))
    };
    let whole = matches!(name, "schema.prisma" | "schema.rb" | "structure.sql" | "schema.sql") || ending == "sql";
    if whole || changed.lines().any(declares) {
        return Some(Needs {
            restart: Answer::Yes("declares the stored data that the service works on".to_owned()),
            reboot: Answer::No("declares stored data, which no machine is rebooted for"),
            migration: Answer::Yes("changes how stored data is declared".to_owned()),
        });
    }
    let message = matches!(ending, "proto" | "avsc" | "avdl" | "thrift" | "fbs");
    message.then(|| Needs {
        migration: Answer::Unknown("declares messages; whether any are stored can't be told"),
        ..Needs::restart("declares messages that the service reads and writes")
    })
}
