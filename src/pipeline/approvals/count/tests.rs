use super::*;
use holdpoint_intake::estate::read_people;
use holdpoint_ledger::approval::sign;
use holdpoint_schemas::approval::ApprovalStatement;
use jiff::SignedDuration;
use proptest::prelude::*;
use std::path::PathBuf;
use std::process::Command;
use std::sync::LazyLock;
use tempfile::TempDir;

use crate::output::samples;

/// Three people with three names each, every name with a key of its own. The last one is the author.
const NAMES: [[&str; 3]; 3] = [
    ["ana@x.example", "Ana+work@X.example", "lopez@y.example"],
    ["bo@x.example", "b.o@x.example", "bo@y.example"],
    ["cy@x.example", "CY@x.example", "cy@y.example"],
];
const PEOPLE: &str = "\
people:
- {name: Ana, identities: [ana@x.example, lopez@y.example], roles: [security], teams: [payments]}
- {name: Bo, identities: [bo@x.example, bo@y.example], roles: [emergency], owns: [fx-rates]}
- {name: Cy, identities: [cy@x.example, cy@y.example], roles: [release-manager]}
";

/// Keys, and the approvers whose they are.
struct World {
    folder: TempDir,
    approvers: Approvers,
}

static WORLD: LazyLock<World> = LazyLock::new(|| {
    let folder = tempfile::tempdir().unwrap();
    let mut lines = String::new();
    for (person, names) in NAMES.iter().enumerate() {
        for (alias, name) in names.iter().enumerate() {
            let key = key(folder.path().to_owned(), person, alias);
            let made = Command::new("ssh-keygen")
                .args(["-q", "-t", "ed25519", "-N", "", "-f"])
                .arg(&key)
                .status()
                .unwrap();
            assert!(made.success());
            let public = std::fs::read_to_string(key.with_extension("pub")).unwrap();
            lines.push_str(&format!("{name} {public}"));
        }
    }
    let approvers = Approvers::parse("approvers", &lines).unwrap();
    let approvers = approvers.with_people(read_people("people.yaml", PEOPLE).unwrap());
    World { folder, approvers }
});

fn key(folder: PathBuf, person: usize, alias: usize) -> PathBuf {
    folder.join(format!("{person}-{alias}"))
}

fn at(second: usize) -> Timestamp {
    samples::at() + SignedDuration::from_secs(i64::try_from(second).unwrap())
}

fn fix() -> Fix {
    let mut fix = samples::merged().fix.unwrap();
    fix.authors = vec!["Cy <Cy+git@x.example>".to_owned()];
    fix
}

fn binding(fix: &Fix) -> Binding {
    Binding {
        estate: "an estate".to_owned(),
        diff: fix.diff.clone(),
        base: fix.base_commit.clone(),
        tree: fix.candidate_tree.clone(),
        target_branch: fix.target_branch.clone(),
        repo: fix.repo.clone(),
        policies: Digest::of_bytes(b"policies"),
        schema: Digest::of_bytes(b"schema"),
        facts: Digest::of_bytes(b"facts"),
        evidence: None,
    }
}

/// What these votes come to: (person, name, whether it is a go), one second after the other.
fn counted(votes: &[(usize, usize, bool)], services: &[&Service]) -> (Counted, FactSet) {
    let (fix, config) = (fix(), ApprovalsConfig::default());
    let binding = binding(&fix);
    let mut desk = Desk::default();
    for (second, (person, alias, go)) in votes.iter().enumerate() {
        let statement = ApprovalStatement {
            verb: if *go { Verb::Approve } else { Verb::Decline },
            fix: fix.id.clone(),
            decision: Digest::of_bytes(b"decision"),
            binding: binding.clone(),
            by: NAMES[*person][*alias].to_owned(),
            at: at(second),
            expires: config.lifetime.after(at(second)),
            comment: None,
        };
        let signed = sign(statement, &key(WORLD.folder.path().to_owned(), *person, *alias)).unwrap();
        desk.said.entry(fix.id.clone()).or_default().push(OnRecord {
            signed,
            seq: second as u64 + 1,
            recorded: at(second),
        });
    }
    let ballot = Ballot {
        approvers: &WORLD.approvers,
        config: &config,
        desk: &desk,
        fix: &fix,
        binding: &binding,
        services,
        now: at(votes.len()),
    };
    let counted = ballot.count();
    let mut facts = FactSet::new();
    ballot.insert(&counted, &mut facts);
    (counted, facts)
}

/// The same by the rule as it is written down: who has said go, people taken as people.
fn expected(votes: &[(usize, usize, bool)]) -> BTreeSet<usize> {
    let (mut yes, mut no) = (BTreeSet::new(), BTreeSet::new());
    for (person, _, go) in votes {
        if *go {
            no.remove(person);
            yes.insert(*person);
        } else {
            yes.clear();
            no.insert(*person);
        }
    }
    let others = yes.iter().filter(|person| **person != 2).count();
    if !no.is_empty() && others < 2 {
        yes.clear();
    }
    yes
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn people_count_once_whatever_names_they_use(
        votes in prop::collection::vec((0_usize..3, 0_usize..3, prop::bool::weighted(0.75)), 0..7),
    ) {
        let (counted, facts) = counted(&votes, &[]);
        let people = expected(&votes);
        let number = |people: usize| Some(i64::try_from(people).unwrap());
        prop_assert_eq!(counted.voices.len(), people.len(), "{:?}: {:?}", votes, counted);
        prop_assert_eq!(facts.value(approval::APPROVERS), number(people.len()));
        let independent = people.iter().filter(|person| **person != 2).count();
        prop_assert_eq!(facts.value(approval::INDEPENDENT_APPROVERS), number(independent));
        prop_assert_eq!(facts.value(approval::VERIFIED), Some(!people.is_empty()));
        prop_assert_eq!(facts.value(approval::EMERGENCY), Some(false));
        // Roles are those of whoever had no part in it.
        let roles = facts.value(approval::ROLES).unwrap();
        prop_assert_eq!(roles.contains("security"), people.contains(&0));
        prop_assert_eq!(roles.contains("emergency"), people.contains(&1));
        prop_assert!(!roles.contains("release-manager"));
    }
}

#[test]
fn owners_are_owners_of_all_that_is_touched() {
    let service = |id: &str, owner: Option<&str>| {
        let mut service = samples::catalogue().services.into_iter().next().unwrap();
        service.id = holdpoint_schemas::service::ServiceId(id.to_owned());
        service.owner = owner.map(str::to_owned);
        service
    };
    let (ana, bo, cy) = ((0, 0, true), (1, 0, true), (2, 0, true));
    let payments = service("payments", Some("group:default/Payments"));
    let rates = service("fx-rates", Some("group:treasury"));
    let orphan = service("orphan", None);
    let table: [(Vec<_>, Vec<&Service>, bool); 7] = [
        (vec![ana], vec![&payments], true),
        (vec![bo], vec![&payments], false),
        (vec![bo], vec![&rates], true),
        (vec![ana], vec![&payments, &rates], false),
        (vec![ana, bo], vec![&payments, &rates], true),
        (vec![ana, bo], vec![&payments, &orphan], false),
        (vec![ana, bo, cy], vec![], false),
    ];
    for (votes, services, owned) in table {
        let (_, facts) = counted(&votes, &services);
        let roles = facts.value(approval::ROLES).unwrap();
        assert_eq!(roles.contains(SERVICE_OWNER), owned, "{votes:?}");
    }
}
