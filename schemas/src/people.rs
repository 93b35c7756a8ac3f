//! Who is who: which names are one person, and what that person may say.

use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

use crate::length::{Length, positive};

/// Answers for what is secure.
pub const SECURITY: &str = "security";
/// Answers for what is released when.
pub const RELEASE_MANAGER: &str = "release-manager";
/// May sign an emergency override alone.
pub const EMERGENCY: &str = "emergency";
/// Answers for a service that the change touches. Worked out of the catalogue, never assigned: nobody owns every
/// service.
pub const SERVICE_OWNER: &str = "service-owner";

/// Roles that every estate has.
pub const ROLES: [&str; 3] = [SECURITY, RELEASE_MANAGER, EMERGENCY];

/// `people.yaml`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PeopleFile {
    /// Roles of the organisation's own, besides [`ROLES`].
    #[serde(default)]
    pub roles: Vec<String>,
    /// People.
    pub people: Vec<Person>,
}

/// One human, under all their names.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Person {
    /// Name, unique.
    pub name: String,
    /// Names in the approvers file, and e-mail addresses in commits: all of these are this one person.
    pub identities: Vec<String>,
    /// Teams, as the catalogue names the owners of services.
    #[serde(default)]
    pub teams: BTreeSet<String>,
    /// Roles.
    #[serde(default)]
    pub roles: BTreeSet<String>,
    /// Services that they answer for besides those of their teams, by id.
    #[serde(default)]
    pub owns: BTreeSet<String>,
    /// Remediators that they run: what these make counts as theirs.
    #[serde(default)]
    pub remediators: BTreeSet<String>,
}

/// `approvals:` in `holdpoint.yaml`: how long a word counts, and what happens while nobody says one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ApprovalsConfig {
    /// File that says who is who.
    pub people: Option<String>,
    /// How long an approval counts.
    #[serde(deserialize_with = "positive")]
    pub lifetime: Length,
    /// How long a fix waits for a go. Then silence is a no.
    #[serde(deserialize_with = "positive")]
    pub deadline: Length,
    /// How long a fix that timed out rests before it is proposed again, if nothing changes.
    #[serde(deserialize_with = "positive")]
    pub pause: Length,
    /// Longest emergency override.
    #[serde(deserialize_with = "positive")]
    pub override_lifetime: Length,
    /// Who hears of what waits, and when.
    pub escalate: Vec<EscalationStep>,
}

impl ApprovalsConfig {
    /// Longest [`Self::lifetime`]: an approval is of the moment, not a standing permit.
    pub const MAX_LIFETIME: Length = Length::days(30);
    /// Longest [`Self::override_lifetime`]: an emergency that lasts longer than a day has time for two people.
    pub const MAX_OVERRIDE: Length = Length::hours(24);
}

impl Default for ApprovalsConfig {
    fn default() -> Self {
        Self {
            people: None,
            lifetime: Length::days(7),
            deadline: Length::days(14),
            pause: Length::days(7),
            override_lifetime: Length::hours(4),
            escalate: Vec::new(),
        }
    }
}

/// One step of escalation.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EscalationStep {
    /// How long it has waited by then.
    #[serde(deserialize_with = "positive")]
    pub after: Length,
    /// Who hears of it: a team or a person.
    pub to: String,
}

/// The form in which names are compared: two names of one form are one person.
///
/// ASCII letters in lower case; of an e-mail address also the local part without what follows a `+` and without
/// dots, and the domain without a final dot. Some providers tell dotted addresses apart; taking two people for one
/// asks for a third, taking one for two would let somebody approve twice.
#[must_use]
pub fn folded(identity: &str) -> String {
    let lower = identity.trim().to_ascii_lowercase();
    let Some((local, domain)) = lower.rsplit_once('@') else {
        return lower;
    };
    let plain: String = local
        .split('+')
        .next()
        .unwrap_or_default()
        .chars()
        .filter(|c| *c != '.')
        .collect();
    let local = if plain.is_empty() { local } else { &plain };
    format!("{local}@{}", domain.trim_end_matches('.'))
}

/// The address of a git identity such as `Ana Lopez <ana@x.example>`, or the whole text without one.
#[must_use]
pub fn address(author: &str) -> &str {
    let inner = author.rsplit_once('<').and_then(|(_, rest)| rest.split_once('>'));
    inner.map_or(author, |(address, _)| address).trim()
}

/// A team as it is compared: Backstage's `group:default/payments` is `payments`.
#[must_use]
pub fn team(name: &str) -> String {
    let name = name.trim();
    let name = name.rsplit_once('/').map_or(name, |(_, name)| name);
    let name = name.rsplit_once(':').map_or(name, |(_, name)| name);
    name.to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_one_person_have_one_form() {
        for same in [
            "ana.lopez@x.example",
            "Ana.Lopez@X.Example",
            "analopez+holdpoint@x.example",
            " a.n.a.lopez@x.example. ",
        ] {
            assert_eq!(folded(same), "analopez@x.example", "{same}");
        }
        for (name, form) in [
            ("Ana.Admin", "ana.admin"),
            ("+x@y", "+x@y"),
            ("ana@x@y.example", "ana@x@y.example"),
        ] {
            assert_eq!(folded(name), form);
        }
        assert_ne!(folded("ana@x.example"), folded("ana@y.example"));
    }

    #[test]
    fn the_address_of_a_commit_is_what_counts() {
        assert_eq!(address("Ana Lopez <ana@x.example>"), "ana@x.example");
        assert_eq!(address("ana@x.example"), "ana@x.example");
        assert_eq!(address("Ana <fake@y> <ana@x.example>"), "ana@x.example");
    }

    #[test]
    fn a_team_is_the_same_however_the_catalogue_writes_it() {
        for name in [
            "payments",
            "group:default/Payments",
            "group:payments",
            "default/payments",
        ] {
            assert_eq!(team(name), "payments");
        }
    }
}
