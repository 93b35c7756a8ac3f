//! Files that a migration tool runs, by where each tool looks for them.

use super::{Answer, Changed, Needs};

pub(super) fn read(changed: &Changed<'_>) -> Option<Needs> {
    let tool = tool(changed)?;
    Some(Needs {
        restart: Answer::Unknown("migrates data; whether the service can run meanwhile can't be told"),
        reboot: Answer::No("migrates data, which no machine is rebooted for"),
        migration: Answer::Yes(format!("is a migration ({tool})")),
    })
}

fn tool(changed: &Changed<'_>) -> Option<&'static str> {
    let path = format!("/{}", changed.path().to_ascii_lowercase());
    let (name, ending) = (
        changed.name().to_ascii_lowercase(),
        changed.ending().to_ascii_lowercase(),
    );
    let within = |folder: &str| path.contains(folder);
    let numbered = name.starts_with(|c: char| c.is_ascii_digit());
    // Flyway: V2__x.sql, U2__x.sql, R__x.sql.
    let flyway = ending == "sql" && name.contains("__") && name.starts_with(['v', 'u', 'r']);
    Some(match ending.as_str() {
        _ if flyway => "Flyway",
        "py" if within("/alembic/versions/") || within("/migrations/versions/") => "Alembic",
        "py" if within("/migrations/") && name != "__init__.py" => "Django",
        "rb" if within("/db/migrate/") => "Rails",
        "cs" if within("/migrations/") => "Entity Framework",
        "sql" if within("/prisma/migrations/") => "Prisma",
        "sql" if within("/migrations/") && matches!(name.as_str(), "up.sql" | "down.sql") => "Diesel",
        "sql" if within("/migrations/") || within("/migration/") || within("/db/migrate/") || within("/migrate/") => {
            "SQL migrations"
        }
        "go" if within("/migrations/") => "goose",
        "js" | "ts" | "mjs" | "cjs" if within("/migrations/") || (within("/migration/") && numbered) => {
            "Knex or TypeORM"
        }
        "php" if within("/migrations/") => "Laravel or Doctrine",
        "xml" | "yaml" | "yml" | "json"
            if within("/changelog") || name.contains("changelog") || name.contains("changeset") =>
        {
            return (within("/db/") || within("/liquibase/") || text_has(changed, "databaseChangeLog"))
                .then_some("Liquibase");
        }
        _ => return None,
    })
}

fn text_has(changed: &Changed<'_>, word: &str) -> bool {
    [&changed.before, &changed.after]
        .into_iter()
        .flatten()
        .any(|text| text.contains(word))
}
