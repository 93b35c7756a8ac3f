//! Container images that are run as they are: Compose files and Kubernetes manifests, and the base
//! image of a Dockerfile. An engine's data is bound to its major version.

use super::{Answer, Changed, Needs};

/// Engines whose stored data a new major version doesn't read as it is, or changes when it starts;
/// with how many leading numbers make the major version.
const ENGINES: [(&str, usize); 12] = [
    ("postgres", 1),
    ("postgis", 1),
    ("timescaledb", 1),
    ("mysql", 2),
    ("mariadb", 2),
    ("mongo", 2),
    ("elasticsearch", 1),
    ("opensearch", 1),
    ("cassandra", 2),
    ("neo4j", 1),
    ("clickhouse-server", 2),
    ("rabbitmq", 2),
];

/// Name and tag of the image on a line.
fn image(line: &str) -> Option<(&str, &str)> {
    let line = line.trim().trim_start_matches("- ").trim();
    let after = line.strip_prefix("image:").or_else(|| {
        line.get(..5)
            .filter(|word| word.eq_ignore_ascii_case("from "))
            .and(line.get(5..))
    })?;
    let words = after.split_whitespace().map(|word| word.trim_matches(['"', '\'']));
    let reference = words.into_iter().find(|word| !word.starts_with("--"))?;
    let reference = reference.split('@').next()?;
    match reference.rsplit_once(':') {
        Some((name, tag)) if !tag.contains('/') => Some((name, tag)),
        _ => Some((reference, "")),
    }
}

pub(super) fn read(changed: &Changed<'_>) -> Option<Needs> {
    let side = |lines: &'_ [(u32, String)]| -> Vec<(String, String)> {
        let found = lines.iter().filter_map(|(_, line)| image(line));
        found.map(|(name, tag)| (name.to_owned(), tag.to_owned())).collect()
    };
    let (before, after) = (side(&changed.change.removed), side(&changed.change.added));
    if after.is_empty() {
        return None;
    }
    let mut migration = Answer::No("moves no database engine");
    for (name, tag) in &after {
        let short = name.rsplit('/').next().unwrap_or_default();
        let Some((engine, numbers)) = ENGINES.iter().find(|(engine, _)| *engine == short) else {
            continue;
        };
        let major = |tag: &str| -> Option<Vec<u64>> {
            let plain = tag.trim_start_matches('v').split(['-', '_']).next()?;
            let parts: Option<Vec<u64>> = plain.split('.').take(*numbers).map(|part| part.parse().ok()).collect();
            parts.filter(|parts| parts.len() == *numbers)
        };
        let old = before
            .iter()
            .find(|(old, _)| old == name)
            .and_then(|(_, tag)| major(tag));
        let next = match (old, major(tag)) {
            (Some(old), Some(new)) if old == new => continue,
            (Some(_), Some(_)) => Answer::Yes(format!("moves the engine `{engine}` to another major version")),
            _ => Answer::Unknown("moves a database engine between versions that can't be compared"),
        };
        if !matches!(migration, Answer::Yes(_)) {
            migration = next;
        }
    }
    Some(Needs {
        migration,
        ..Needs::restart("changes the image that is run")
    })
}
