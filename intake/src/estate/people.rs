//! What must hold between the values of `people.yaml` and of `approvals:`.

use holdpoint_schemas::people::{ApprovalsConfig, PeopleFile, Person, ROLES, SERVICE_OWNER, folded};
use std::collections::BTreeMap;

use super::check::File;
use crate::error::SourceResult;

/// Checks the people: each is named once, no address is two people's, and every role is one that there is.
pub fn people(name: &str, text: &str, people: &PeopleFile) -> SourceResult<()> {
    let file = File { name, text };
    // Where roles are declared, not where somebody is given one.
    let declared = File {
        name,
        text: text.split("\npeople:").next().unwrap_or(text),
    };
    for role in &people.roles {
        if role == SERVICE_OWNER || ROLES.contains(&role.as_str()) {
            let message = format!("the role `{role}` is there without being declared");
            return declared.wrong("", role, message, "declare only roles of your own");
        }
        if !is_word(role) {
            let message = format!("the role `{role}` isn't a plain word");
            return declared.wrong("", role, message, "use lower-case letters, digits and `-`");
        }
    }
    file.unique(
        "name:",
        "the person",
        people.people.iter().map(|person| person.name.as_str()),
    )?;
    let mut known: BTreeMap<String, (&str, &str)> = BTreeMap::new();
    for person in &people.people {
        if person.identities.is_empty() {
            let message = format!("`{}` has no identity, so nothing can be theirs", person.name);
            let help = "list their names in the approvers file and their addresses in commits";
            return file.wrong("name:", &person.name, message, help);
        }
        for identity in &person.identities {
            identity_of(&file, person, identity, &mut known)?;
        }
        for role in &person.roles {
            role_of(&file, people, person, role)?;
        }
    }
    Ok(())
}

fn identity_of<'a>(
    file: &File<'_>,
    person: &'a Person,
    identity: &'a str,
    known: &mut BTreeMap<String, (&'a str, &'a str)>,
) -> SourceResult<()> {
    if identity.trim().is_empty() || identity.contains(|c: char| c.is_whitespace() || c.is_control() || c == '<') {
        let message = format!("`{identity}` is no name: it is empty, or holds a blank");
        return file.wrong(
            "",
            identity,
            message,
            "write the address alone, such as `ana@example.com`",
        );
    }
    if !identity.is_ascii() {
        let message = format!("`{identity}` is not in plain ASCII, so it may look like someone else");
        return file.wrong("", identity, message, "write a domain in its `xn--` form");
    }
    match known.insert(folded(identity), (&person.name, identity)) {
        Some((other, theirs)) if other != person.name => {
            let message = format!(
                "`{identity}` of `{}` and `{theirs}` of `{other}` are one address, and one person has it",
                person.name
            );
            file.wrong("", identity, message, "list all names of a person in one entry")
        }
        _ => Ok(()),
    }
}

fn role_of(file: &File<'_>, people: &PeopleFile, person: &Person, role: &str) -> SourceResult<()> {
    if role == SERVICE_OWNER {
        let message = format!(
            "`{}` can't be given the role `{SERVICE_OWNER}`: it is worked out",
            person.name
        );
        let help = "name their `teams`, as the catalogue names owners, or the services that they own under `owns`";
        return file.wrong("roles:", role, message, help);
    }
    if ROLES.contains(&role) || people.roles.iter().any(|known| known == role) {
        return Ok(());
    }
    let known: Vec<&str> = ROLES
        .into_iter()
        .chain(people.roles.iter().map(String::as_str))
        .collect();
    let message = format!("there is no role `{role}`, which `{}` is given", person.name);
    let help = format!(
        "the roles are {}; declare others at the top, under `roles`",
        known.join(", ")
    );
    file.wrong("roles:", role, message, &help)
}

/// Checks the times of `approvals:`.
pub fn approvals(file: &File<'_>, config: &ApprovalsConfig) -> SourceResult<()> {
    let bounds = [
        (
            "lifetime:",
            config.lifetime,
            ApprovalsConfig::MAX_LIFETIME,
            "an approval counts",
        ),
        (
            "override_lifetime:",
            config.override_lifetime,
            ApprovalsConfig::MAX_OVERRIDE,
            "an emergency override counts",
        ),
    ];
    for (key, length, longest, what) in bounds {
        if length > longest {
            let message = format!("{what} for at most {longest}, and {length} is longer");
            return file.wrong(key, "", message, "write a shorter time");
        }
    }
    let mut before = None;
    for step in &config.escalate {
        if step.to.trim().is_empty() {
            let message = "nobody hears of this step".to_owned();
            return file.wrong("to:", "", message, "name a team or a person");
        }
        if step.after >= config.deadline {
            let message = format!(
                "`{}` would hear of it after {}, when it has been declined for {}",
                step.to, step.after, config.deadline
            );
            return file.wrong("to:", &step.to, message, "escalate before the `deadline`");
        }
        if before.is_some_and(|before| step.after < before) {
            let message = format!("`{}` hears of it before the step above does", step.to);
            return file.wrong("to:", &step.to, message, "put the steps in order of `after`");
        }
        before = Some(step.after);
    }
    Ok(())
}

fn is_word(text: &str) -> bool {
    !text.is_empty()
        && text
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
}

#[cfg(test)]
mod tests {
    use crate::error::SourceResult;
    use crate::estate::{read_estate, read_people};

    fn fails<T: std::fmt::Debug>(result: SourceResult<T>, at: (usize, usize), says: &str) {
        let error = result.unwrap_err();
        assert!(error.message.contains(says), "{}", error.message);
        assert_eq!(error.position, Some(at), "{}", error.message);
        assert!(error.help.is_some());
    }

    const PEOPLE: &str = "\
roles: [auditor]
people:
- name: Ana Lopez
  identities: [ana@x.example, alopez@x.example]
  teams: [payments]
  roles: [security, auditor]
  owns: [fx-rates]
  remediators: [depbot]
";

    #[test]
    fn people_are_read_with_their_names_teams_and_roles() {
        let people = read_people("people.yaml", PEOPLE).unwrap();
        assert_eq!(people.people[0].identities.len(), 2);
        assert!(people.people[0].roles.contains("auditor"));
    }

    #[test]
    fn each_mistake_in_a_people_file_is_told_at_its_place() {
        let with = |more: &str| format!("{PEOPLE}{more}");
        for (text, at, says) in [
            (with("- name: Ana Lopez\n  identities: [b@x]\n"), (9, 9), "there twice"),
            (with("- name: Bo\n  identities: []\n"), (9, 9), "no identity"),
            (
                with("- name: Bo\n  identities: [ANA+work@x.example]\n"),
                (10, 16),
                "are one address",
            ),
            (
                with("- name: Bo\n  identities: [\"b\u{43e}@x\"]\n"),
                (10, 17),
                "plain ASCII",
            ),
            (
                with("- name: Bo\n  identities: [\"Bo <bo@x>\"]\n"),
                (10, 17),
                "is no name",
            ),
            (
                with("- name: Bo\n  identities: [b@x]\n  roles: [secutiry]\n"),
                (11, 11),
                "no role `secutiry`",
            ),
            (
                with("- name: Bo\n  identities: [b@x]\n  roles: [service-owner]\n"),
                (11, 11),
                "worked out",
            ),
            (
                PEOPLE.replace("[auditor]\n", "[security]\n"),
                (1, 9),
                "without being declared",
            ),
            (PEOPLE.replace("[auditor]\n", "[Au]\n"), (1, 9), "plain word"),
        ] {
            fails(read_people("people.yaml", &text), at, says);
        }
        let error = read_people("people.yaml", &PEOPLE.replace("teams:", "team:")).unwrap_err();
        assert!(
            error.message.contains("team") && error.position.is_some(),
            "{}",
            error.message
        );
    }

    #[test]
    fn times_of_approvals_are_bounded_and_in_order() {
        let with = |approvals: &str| format!("name: x\napprovals:\n{approvals}repos: []\n");
        let good = "  lifetime: 3d\n  deadline: 10d\n  escalate: [{after: 1d, to: payments}, {after: 2d, to: cto}]\n";
        let estate = read_estate("h", &with(good)).unwrap();
        assert_eq!(estate.approvals.escalate.len(), 2);
        assert_eq!(
            estate.approvals.pause.to_string(),
            "7d",
            "what isn't said has its default"
        );
        for (text, at, says) in [
            ("  lifetime: 31d\n", (3, 12), "at most 30d"),
            ("  override_lifetime: 25h\n", (3, 21), "at most 1d"),
            (
                "  deadline: 1d\n  escalate: [{after: 1d, to: cto}]\n",
                (4, 30),
                "has been declined",
            ),
            (
                "  escalate: [{after: 2d, to: a}, {after: 1d, to: cto}]\n",
                (3, 50),
                "before the step above",
            ),
            ("  escalate: [{after: 2d, to: ''}]\n", (3, 29), "nobody hears"),
        ] {
            fails(read_estate("h", &with(text)), at, says);
        }
        for text in [
            "  lifetime: 0d\n",
            "  lifetime: soon\n",
            "  deadline: 1mo\n",
            "  lifetme: 1d\n",
        ] {
            let error = read_estate("h", &with(text)).unwrap_err();
            assert_eq!(error.position.map(|place| place.0), Some(3), "{}", error.message);
        }
    }
}
