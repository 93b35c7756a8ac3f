//! An estate whose nights have limits, and what must hold of it whatever happened: each fix is on its branch once, no
//! night exceeds its limits, and the ledger says the same as the remotes.

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::process::Command;

use crate::support::cluster::Cluster;
use crate::support::flock::{Flock, command_in};

const REPOS: usize = 3;
const FILES: usize = 3;
const FIXES: usize = REPOS * FILES;
const TEAMS: [&str; REPOS] = ["red", "red", "blue"];

/// More nights than any of the estates needs.
pub const MAX_NIGHTS: usize = 6;

/// What a night may merge: a rollout file, and what it means.
struct Limits {
    rollout: &'static str,
    night: usize,
    repo: usize,
    team: usize,
}

const LIMITS: [Limits; 4] = [
    Limits {
        rollout: "default_stage: auto-apply\n",
        night: FIXES,
        repo: FIXES,
        team: FIXES,
    },
    Limits {
        rollout: "budget: {per_night: 5, suggestions: 0, per_tier_zero: 9}\n\
                  lanes:\n  - {name: all, stage: auto-apply}\n",
        night: 5,
        repo: FIXES,
        team: FIXES,
    },
    Limits {
        rollout: "lanes:\n  - {name: all, stage: auto-apply, \
                  budget: {per_night: 5, per_service: 2, suggestions: 1, per_tier_zero: 9}}\n",
        night: 5,
        repo: 2,
        team: FIXES,
    },
    Limits {
        rollout: "budget: {per_night: 7, suggestions: 0, per_tier_zero: 9}\n\
                  lanes:\n  - {name: all, stage: auto-apply, budget: {per_team: 3, suggestions: 0, per_tier_zero: 9}}\n",
        night: 7,
        repo: FIXES,
        team: 3,
    },
];

/// How often each value is there.
type Count = BTreeMap<String, usize>;

fn count(values: impl IntoIterator<Item = String>) -> Count {
    let mut count = Count::new();
    for value in values {
        *count.entry(value).or_default() += 1;
    }
    count
}

/// A merge, as a remote has it.
struct Merged {
    repo: usize,
    commit: String,
    fix: String,
    date: String,
}

/// An estate of a few repos, on one host or, with its ledger in a database, on two.
pub struct Nights {
    flock: Flock,
    limits: &'static Limits,
    hosts: Vec<PathBuf>,
    /// For whoever looks for what went wrong.
    seed: u64,
}

impl Nights {
    /// The estate of a seed. `database`: where its ledger is, else in a file.
    pub fn new(seed: u64, database: Option<&Cluster>) -> Self {
        let limits = &LIMITS[usize::try_from(seed).unwrap() % LIMITS.len()];
        let flock = Flock::untested(REPOS, FILES);
        flock.rollout(limits.rollout);
        flock.owned_by(&TEAMS);
        let mut hosts = vec![flock.root().to_owned()];
        if let Some(cluster) = database {
            flock.in_postgres(&cluster.url(), &format!("seed_{seed}"));
            hosts.push(flock.other_host());
        }
        Self {
            flock,
            limits,
            hosts,
            seed,
        }
    }

    /// How many hosts may run it.
    pub fn hosts(&self) -> u64 {
        self.hosts.len() as u64
    }

    /// A run on a host in a night.
    pub fn run(&self, host: u64, night: usize) -> Command {
        let at = format!("{}T02:30:00Z", date(night));
        let mut command = command_in(&self.hosts[usize::try_from(host).unwrap()], &at);
        command.arg("run");
        command
    }

    /// What must hold at any time: nothing is merged twice, and no night exceeds its limits. Says whether all is merged.
    pub fn is_kept(&self) -> bool {
        self.keeps(&self.merged())
    }

    fn keeps(&self, merged: &[Merged]) -> bool {
        let (seed, limits) = (self.seed, self.limits);
        let fixes = count(merged.iter().map(|merged| merged.fix.clone()));
        assert!(fixes.values().all(|times| *times == 1), "seed {seed}: {fixes:?}");
        for (limit, of) in [
            (
                limits.night,
                (&|merged: &Merged| merged.date.clone()) as &dyn Fn(&Merged) -> String,
            ),
            (limits.repo, &|merged| format!("{} repo{}", merged.date, merged.repo)),
            (limits.team, &|merged| format!("{} {}", merged.date, TEAMS[merged.repo])),
        ] {
            let spent = count(merged.iter().map(of));
            assert!(
                spent.values().all(|times| *times <= limit),
                "seed {seed}: {limit} of {spent:?}"
            );
        }
        merged.len() == FIXES
    }

    /// What must hold after a run that nobody disturbed: the night did all that it may, and the ledger says so. Says
    /// whether all is merged.
    pub fn is_done(&self, night: usize) -> bool {
        let seed = self.seed;
        let merged = self.merged();
        let all = self.keeps(&merged);
        let output = self.flock.run(&["ledger", "log", "--format", "json"]);
        let ledger: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
        let commits = |kind: &str, is_it: &dyn Fn(&Value) -> bool| {
            let entries = ledger.iter().filter(|entry| entry["kind"] == kind);
            let bodies = entries.map(|entry| &entry["body"]).filter(|body| is_it(body));
            count(bodies.map(|body| text(&body["commit"])))
        };
        let tonight = merged.iter().filter(|merged| merged.date == date(night)).count();
        assert_eq!(tonight, self.room(&merged, night), "seed {seed}, night {night}");
        let there = count(merged.iter().map(|merged| merged.commit.clone()));
        let on_record = commits("merge", &|_| true);
        assert_eq!(on_record, there, "seed {seed}: the ledger and the remotes differ");
        let outcomes = commits("outcome", &|body| body["kind"] == "merged");
        let settled = |(commit, times): (&String, &usize)| *times == 1 && there.contains_key(commit);
        assert!(outcomes.iter().all(settled), "seed {seed}: {outcomes:?}");
        self.has_admitted_what_it_may(&ledger);
        self.flock.run(&["ledger", "verify"]);
        if all {
            for (repo, file) in (0..REPOS).flat_map(|repo| (0..FILES).map(move |file| (repo, file))) {
                assert_eq!(self.flock.line(&format!("repo{repo}"), file), "ok 2", "seed {seed}");
            }
        }
        all
    }

    /// By the ledger, too, no night lets more through than it may.
    fn has_admitted_what_it_may(&self, ledger: &[Value]) {
        let mut fixes: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        let is_of_a_merge = |entry: &&Value| entry["kind"] == "admission" && entry["body"]["level"] == "auto-apply";
        for entry in ledger.iter().filter(is_of_a_merge) {
            let body = &entry["body"];
            let date = text(&entry["at"])[..10].to_owned();
            let mut spend = |whose: String| fixes.entry(whose).or_default().insert(text(&body["fix"]));
            spend(date.clone());
            for (list, kind) in [("services", "service"), ("teams", "team")] {
                for name in body[list].as_array().unwrap() {
                    spend(format!("{date} {kind} {name}"));
                }
            }
        }
        for (whose, fixes) in fixes {
            let limit = match whose.split(' ').nth(1) {
                None => self.limits.night,
                Some("service") => self.limits.repo,
                Some(_) => self.limits.team,
            };
            assert!(
                fixes.len() <= limit,
                "seed {}: {whose}: {} of {limit}",
                self.seed,
                fixes.len()
            );
        }
    }

    /// How many a night merges when it does all that it may, by what was merged before it.
    fn room(&self, merged: &[Merged], night: usize) -> usize {
        let mut teams: BTreeMap<&str, usize> = BTreeMap::new();
        for (repo, team) in TEAMS.iter().enumerate() {
            let before = merged
                .iter()
                .filter(|merged| merged.repo == repo && merged.date != date(night));
            *teams.entry(team).or_default() += (FILES - before.count()).min(self.limits.repo);
        }
        let room: usize = teams.values().map(|fixes| (*fixes).min(self.limits.team)).sum();
        room.min(self.limits.night)
    }

    /// What is on the main branches with our trailer, and when it was merged.
    fn merged(&self) -> Vec<Merged> {
        let mut merged = Vec::new();
        for repo in 0..REPOS {
            let format = "--format=%H %as %(trailers:key=Holdpoint-Fix,valueonly,separator=%x2C)";
            for line in self.flock.git(&format!("repo{repo}"), &["log", format, "main"]).lines() {
                let mut words = line.split(' ').map(str::to_owned);
                let (commit, date) = (words.next().unwrap(), words.next().unwrap());
                if let Some(fix) = words.next().filter(|fix| !fix.is_empty()) {
                    merged.push(Merged {
                        repo,
                        commit,
                        fix,
                        date,
                    });
                }
            }
        }
        merged
    }
}

fn date(night: usize) -> String {
    format!("2026-03-{}", 17 + night)
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}
