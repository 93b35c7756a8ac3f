//! Terraform: only what is known to need it, or known not to; the plan says more than the diff.

use super::{Answer, Changed, Needs};

/// Resources that no service has loaded.
const PASSIVE: [&str; 6] = [
    "aws_cloudwatch_log_group",
    "aws_cloudwatch_metric_alarm",
    "aws_ecr_repository",
    "aws_s3_bucket_",
    "aws_kms_alias",
    "aws_budgets_",
];
/// Kinds that hold data in an engine.
const DATA: [&str; 9] = [
    "aws_db_",
    "aws_rds_",
    "aws_docdb",
    "aws_neptune",
    "aws_redshift",
    "aws_elasticache",
    "google_sql_",
    "azurerm_postgresql",
    "azurerm_mysql",
];

pub(super) fn read(changed: &Changed<'_>) -> Option<Needs> {
    if !matches!(changed.ending(), "tf" | "tfvars") {
        return None;
    }
    let found = changed.classification;
    let addresses: Vec<&String> = found.iac_addresses.iter().chain(&found.iac_removed).collect();
    let all = |known: &[&str]| {
        !addresses.is_empty()
            && addresses
                .iter()
                .all(|address| known.iter().any(|start| address.starts_with(start)))
    };
    let any = |known: &[&str]| {
        addresses.is_empty()
            || addresses
                .iter()
                .any(|address| known.iter().any(|start| address.starts_with(start)))
    };
    if all(&PASSIVE) {
        return Some(Needs::none("changes what no running service has loaded"));
    }
    let version = |lines: &[(u32, String)]| -> Option<String> {
        let line = lines
            .iter()
            .find(|(_, line)| line.trim_start().starts_with("engine_version"))?;
        Some(line.1.split('"').nth(1)?.to_owned())
    };
    let engine = version(&changed.change.removed).zip(version(&changed.change.added));
    Some(match engine {
        Some((old, new)) => Needs {
            restart: Answer::Yes("moves a database engine, which restarts it".to_owned()),
            reboot: Answer::No("moves a managed engine, whose machine isn't ours"),
            migration: match old.split('.').next() == new.split('.').next() {
                true => Answer::No("moves the engine within a major version"),
                false => Answer::Yes(format!("moves the engine from {old} to {new}")),
            },
        },
        None => Needs {
            migration: match any(&DATA) {
                true => Answer::Unknown("changes where data is stored; the plan tells more"),
                false => Answer::No("changes nothing that stores data in an engine"),
            },
            ..Needs::unknown("changes infrastructure; the plan tells more")
        },
    })
}
