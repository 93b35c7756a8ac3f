//! Terraform: attributes of resources that are there already, or a resource that goes.

mod weaken;

use std::collections::{BTreeMap, BTreeSet};

use holdpoint_schemas::fix::{Classification, FixKind};

use super::hcl::{self, Block, Body};
use super::{FileView, Part, Recogniser};

pub(super) const RECOGNISER: Recogniser = Recogniser {
    applies: is_terraform,
    read,
};

/// Attributes whose value is a program, or that decide how many resources there are and where.
const ACTIVE_ATTRIBUTES: [&str; 14] = [
    "user_data",
    "user_data_base64",
    "metadata_startup_script",
    "startup_script",
    "custom_data",
    "command",
    "script",
    "inline",
    "container_definitions",
    "interpreter",
    "count",
    "for_each",
    "provider",
    "source",
];
/// Blocks that run something.
const ACTIVE_BLOCKS: [&str; 3] = ["provisioner", "connection", "dynamic"];

/// Resources by what a mistake in them reaches: data stores, identities, the network's edge.
const CRITICAL_PREFIXES: [&str; 26] = [
    "aws_db_",
    "aws_rds_",
    "aws_dynamodb_",
    "aws_redshift",
    "aws_docdb",
    "aws_neptune",
    "aws_elasticache_",
    "google_sql_",
    "google_spanner_",
    "google_bigtable_",
    "azurerm_cosmosdb_",
    "azurerm_mariadb_",
    "aws_iam_",
    "azurerm_role_",
    "azuread_",
    "google_service_account",
    "aws_kms_",
    "aws_security_group",
    "aws_default_security_group",
    "aws_network_acl",
    "aws_vpc",
    "aws_waf",
    "aws_route",
    "aws_networkfirewall_",
    "google_compute_network",
    "azurerm_network_security_",
];

fn is_critical(address: &str) -> bool {
    let kind = address.split('.').next().unwrap_or_default();
    CRITICAL_PREFIXES.iter().any(|prefix| kind.starts_with(prefix))
        || kind.contains("_iam_")
        || kind.contains("firewall")
        || (kind.starts_with("azurerm_") && kind.contains("sql"))
}

fn is_terraform(view: &FileView<'_>) -> bool {
    view.path().ends_with(".tf")
}

/// Resources of a file by address; an address that occurs twice is an error.
fn resources(body: &Body) -> Option<BTreeMap<String, &Block>> {
    let mut found = BTreeMap::new();
    for block in body.blocks.iter().filter(|block| block.kind == "resource") {
        let [kind, name] = block.labels.as_slice() else {
            return None;
        };
        if found.insert(format!("{kind}.{name}"), block).is_some() {
            return None;
        }
    }
    Some(found)
}

/// What of a file's resources differs.
struct Delta {
    added: BTreeSet<String>,
    changed: BTreeSet<String>,
    removed: BTreeSet<String>,
}

impl Delta {
    fn of(before: &Body, after: &Body) -> Option<Self> {
        let (before, after) = (resources(before)?, resources(after)?);
        let only = |a: &BTreeMap<String, &Block>, b: &BTreeMap<String, &Block>| {
            a.keys().filter(|address| !b.contains_key(*address)).cloned().collect()
        };
        let differs = |(address, block): (&String, &&Block)| {
            after
                .get(address)
                .is_some_and(|other| other != block)
                .then(|| address.clone())
        };
        Some(Self {
            added: only(&after, &before),
            removed: only(&before, &after),
            changed: before.iter().filter_map(differs).collect(),
        })
    }
}

/// Fills in the addresses of all Terraform files, whatever the diff's kind. In a file that can't
/// be read every resource named on either side counts as changed.
pub(super) fn fill_addresses(views: &[FileView<'_>], found: &mut Classification) {
    let (mut changed, mut removed) = (BTreeSet::new(), BTreeSet::new());
    for view in views.iter().filter(|view| is_terraform(view)) {
        let (before, after) = (
            view.before.as_deref().unwrap_or(""),
            view.after.as_deref().unwrap_or(""),
        );
        let delta = hcl::parse(before)
            .zip(hcl::parse(after))
            .and_then(|(before, after)| Delta::of(&before, &after));
        match delta {
            Some(delta) => {
                changed.extend(delta.added);
                changed.extend(delta.changed);
                removed.extend(delta.removed);
            }
            None => changed.extend(named(before).into_iter().chain(named(after))),
        }
    }
    found.critical_resources = changed
        .union(&removed)
        .filter(|address| is_critical(address))
        .cloned()
        .collect();
    found.iac_addresses = changed.into_iter().collect();
    found.iac_removed = removed.into_iter().collect();
}

/// Resources that a text names, found without parsing it.
fn named(text: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (at, _) in text.match_indices("resource") {
        let mut quoted = text.get(at..).unwrap_or_default().split('"').skip(1).step_by(2);
        if let (Some(kind), Some(name)) = (quoted.next(), quoted.next()) {
            found.insert(format!("{kind}.{name}"));
        }
    }
    found
}

fn read(view: &FileView<'_>) -> Result<Part, String> {
    let unreadable = "can't be parsed on both sides";
    let before = view.before.as_deref().ok_or("is a new file")?;
    let before = hcl::parse(before).ok_or(unreadable)?;
    // A deleted file removes what it held.
    let after = hcl::parse(view.after.as_deref().unwrap_or("")).ok_or(unreadable)?;
    let delta = Delta::of(&before, &after).ok_or("has a resource without an address of its own")?;
    if let Some(address) = delta.added.first() {
        return Err(format!("adds the resource `{address}`"));
    }
    let others = |body: &Body| -> Vec<String> {
        body.blocks
            .iter()
            .filter(|block| block.kind != "resource")
            .map(|block| format!("{block:?}"))
            .collect()
    };
    if before.attributes != after.attributes || others(&before) != others(&after) {
        return Err("changes more than resources".to_owned());
    }
    let (old, new) = (
        resources(&before).unwrap_or_default(),
        resources(&after).unwrap_or_default(),
    );
    for address in &delta.changed {
        if let (Some(old), Some(new)) = (old.get(address), new.get(address)) {
            check_body(address, &old.body, &new.body)?;
            weaken::check(address, &old.body, &new.body)?;
        }
    }
    let list = |addresses: &BTreeSet<String>| addresses.iter().cloned().collect::<Vec<_>>().join("`, `");
    let because = match (delta.changed.is_empty(), delta.removed.is_empty()) {
        (true, true) => return Err("changes no resource".to_owned()),
        (false, true) => format!("only attributes of `{}` change", list(&delta.changed)),
        (true, false) => format!("only removes `{}`", list(&delta.removed)),
        (false, false) => format!(
            "changes `{}` and removes `{}`",
            list(&delta.changed),
            list(&delta.removed)
        ),
    };
    Ok(Part {
        kind: FixKind::IacAttribute,
        because,
        upgrades: Vec::new(),
    })
}

/// Refuses changes of what runs or multiplies.
fn check_body(address: &str, before: &Body, after: &Body) -> Result<(), String> {
    for name in ACTIVE_ATTRIBUTES {
        if before.attributes.get(name) != after.attributes.get(name) {
            return Err(format!("changes `{name}` of `{address}`"));
        }
    }
    for kind in ACTIVE_BLOCKS {
        let blocks = |body: &Body| {
            format!(
                "{:?}",
                body.blocks
                    .iter()
                    .filter(|block| block.kind == kind)
                    .collect::<Vec<_>>()
            )
        };
        if blocks(before) != blocks(after) {
            return Err(format!("changes a `{kind}` block of `{address}`"));
        }
    }
    Ok(())
}
