//! Dependencies: what ships is loaded when the service starts.

use holdpoint_schemas::fix::{DependencyScope, FixKind, UpgradeStep};

use super::{Answer, Changed, Needs};

/// Libraries that own the shape of stored data.
const MAPPERS: [&str; 16] = [
    "django",
    "sqlalchemy",
    "alembic",
    "rails",
    "activerecord",
    "prisma",
    "@prisma/client",
    "typeorm",
    "sequelize",
    "knex",
    "diesel",
    "sqlx",
    "gorm.io/gorm",
    "hibernate-core",
    "flyway-core",
    "liquibase-core",
];

/// Manifests and lockfiles, by name.
fn is_manifest(name: &str) -> bool {
    const NAMES: [&str; 25] = [
        "package.json",
        "package-lock.json",
        "npm-shrinkwrap.json",
        "yarn.lock",
        "pnpm-lock.yaml",
        "Cargo.toml",
        "Cargo.lock",
        "poetry.lock",
        "uv.lock",
        "Pipfile",
        "Pipfile.lock",
        "pyproject.toml",
        "go.mod",
        "go.sum",
        "pom.xml",
        "build.gradle",
        "build.gradle.kts",
        "gradle.lockfile",
        "libs.versions.toml",
        "Gemfile",
        "Gemfile.lock",
        "composer.json",
        "composer.lock",
        "packages.lock.json",
        "Directory.Packages.props",
    ];
    NAMES.contains(&name) || name.ends_with(".csproj") || (name.starts_with("requirements") && name.ends_with(".txt"))
}

pub(super) fn read(changed: &Changed<'_>) -> Option<Needs> {
    if !is_manifest(changed.name()) {
        return None;
    }
    let found = changed.classification;
    if found.kind != FixKind::DependencyUpgrade {
        return Some(Needs {
            reboot: Answer::No("declares libraries, which no machine is rebooted for"),
            ..Needs::unknown("changes more than versions")
        });
    }
    if found
        .upgrades
        .iter()
        .all(|upgrade| upgrade.scope == DependencyScope::Dev)
    {
        return Some(Needs::none("moves only what builds and tests use"));
    }
    let mapper = found.upgrades.iter().any(|upgrade| {
        let name = upgrade.package.to_ascii_lowercase();
        upgrade.step == UpgradeStep::Major && MAPPERS.contains(&name.rsplit(':').next().unwrap_or_default())
    });
    let mut needs = Needs::restart("moves what the service loads when it starts");
    if mapper {
        needs.migration =
            Answer::Unknown("moves the library that owns the shape of stored data to another major version");
    }
    Some(needs)
}
