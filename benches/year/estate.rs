//! An estate of 1,000 services in 50 repos, and what happens in it from night to night: findings come, go and come back,
//! remediators offer fixes, teams push, and now and then somebody takes a merge back. All of it is drawn from one seed.

use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

pub const REPOS: usize = 50;
pub const SERVICES: usize = 1_000;
/// Findings before the first night.
pub const AT_FIRST: usize = 1_000;
/// Services of the system that all others rely on.
const CORE: usize = 30;
/// Services of each other system.
const OF_A_SYSTEM: usize = 25;
const TEAMS: usize = 60;
const REMEDIATORS: [&str; 3] = ["flagbot", "patch-model", "settings-bot"];
/// Policies of `baseline` that this estate could not satisfy: they ask for a container engine, contracts, tests that
/// cover what is changed, and scanners to run again. Without them nothing of what a year is about would happen.
const LEFT_OUT: [&str; 6] = [
    "adequacy-not-passed",
    "contract-not-passed",
    "rescan-not-passed",
    "revert-not-passed",
    "surface-not-passed",
    "weak-isolation",
];
const ROLLOUT: &str = "\
default_stage: suggest
budget: {per_night: 40, per_service: 2, per_team: 10, per_tier_zero: 1, suggestions: 60, minutes: 600}
breakers:
  estate: {failures: 5, hours: 24}
lanes:
  - name: core
    match: {systems: [core]}
    stage: suggest
  - name: internal
    match: {kinds: [config-flag], tiers: [2, 3]}
    stage: auto-apply
    demotion: {stages: 1, hold_days: 7, held_by_review: 50}
  - name: settings
    match: {kinds: [config-flag]}
    stage: suggest
    ceiling: auto-apply
    promotion: {success_rate: 90%, error: 5%, outcomes: 20, survival_days: 7}
";

/// A settings file with a flag that a scanner may find.
struct File {
    service: usize,
    number: usize,
    state: State,
}

enum State {
    /// The flag is on. A fix is offered from a night on, if ever.
    Found {
        since: usize,
        fix: Option<(usize, &'static str)>,
    },
    /// The flag is off again.
    Settled { night: usize, by_us: bool },
}

impl File {
    fn path(&self) -> String {
        format!("svc-{:04}/config/{:05}.toml", self.service, self.number)
    }

    fn repo(&self) -> usize {
        self.service / (SERVICES / REPOS)
    }

    fn text(&self) -> String {
        let on = matches!(self.state, State::Found { .. });
        format!("# Settings.\nlimit = {}\nverbose_errors = {on}\n", self.number)
    }

    fn severity(&self) -> &'static str {
        match (self.service + self.number) % 20 {
            0..3 => "ERROR",
            3..13 => "WARNING",
            _ => "INFO",
        }
    }

    /// Whether the tests ask for the flag: a fix of this one fails them.
    fn is_needed(&self) -> bool {
        self.number % 33 == 7
    }
}

pub struct Estate {
    root: PathBuf,
    draw: Draw,
    files: Vec<File>,
}

/// What happened before a night.
#[derive(Default)]
pub struct Day {
    pub merged: usize,
    pub reverted: usize,
    pub new: usize,
    pub back: usize,
    pub vanished: usize,
    pub open: usize,
}

impl Estate {
    /// Makes it in an empty folder.
    pub fn new(root: &Path) -> Self {
        let mut estate = Self {
            root: root.to_owned(),
            draw: Draw(2026),
            files: Vec::new(),
        };
        estate.settings();
        let catalogue = catalogue(&mut estate.draw);
        estate.write("estate/catalogue/all.yaml", &catalogue);
        for repo in 0..REPOS {
            let folder = format!("work/{}", name(repo));
            let steps = "steps:\n  build: 'true'\n  test: sh test.sh\n";
            estate.write(&format!("{folder}/.holdpoint.yaml"), steps);
            let test = "while read -r file; do grep -q 'verbose_errors = true' \"$file\" || exit 1; done <needed.txt\n";
            estate.write(&format!("{folder}/test.sh"), test);
            estate.write(&format!("{folder}/needed.txt"), "");
            let folder = estate.path(&folder);
            git(
                &folder,
                "2025-12-01T09:00:00Z",
                &["init", "--quiet", "--initial-branch=main"],
            );
            git(&folder, "2025-12-01T09:00:00Z", &["add", "."]);
            git(&folder, "2025-12-01T09:00:00Z", &["commit", "--quiet", "-m", "Start"]);
            let remote = estate.path(&format!("remotes/{}.git", name(repo)));
            let remote = remote.to_str().unwrap().to_owned();
            git(
                &folder,
                "2025-12-01T09:00:00Z",
                &["clone", "--quiet", "--bare", ".", &remote],
            );
            git(&folder, "2025-12-01T09:00:00Z", &["remote", "add", "origin", &remote]);
        }
        for _ in 0..AT_FIRST {
            estate.found(0);
        }
        estate
    }

    pub fn folder(&self) -> PathBuf {
        self.path("estate")
    }

    pub fn ledger(&self) -> PathBuf {
        self.path("estate/state/ledger.sqlite")
    }

    fn path(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    fn settings(&self) {
        let baseline = Path::new(env!("CARGO_MANIFEST_DIR")).join("policies/baseline");
        for policy in std::fs::read_dir(baseline).unwrap() {
            let path = policy.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap();
            if let Some(id) = name.strip_suffix(".cedar").filter(|id| !LEFT_OUT.contains(id)) {
                let text = std::fs::read_to_string(&path).unwrap();
                self.write(&format!("estate/pack/{id}.cedar"), &text);
            }
        }
        self.write("estate/pack/pack.yaml", "name: year\ndescription: Most of baseline.\n");
        self.write("estate/rollout.yaml", ROLLOUT);
        self.write("estate/calendar.yaml", "freezes: []\n");
        self.write("estate/controls.yaml", "controls: []\n");
        self.write("estate/environments.yaml", "environments:\n  production: {}\n");
        let mut config = "name: year\npolicies: pack\ncatalogue: [catalogue]\ncontrols: controls.yaml\n\
                          calendar: calendar.yaml\nenvironments: environments.yaml\nrollout: rollout.yaml\nfixes: fixes\n\
                          slas: {high: 30d, medium: 90d, low: 180d}\nkeep_reports: 2\n\
                          sandbox: {backend: local, reruns: 0, step_seconds: 60}\nrepos:\n"
            .to_owned();
        for repo in (0..REPOS).map(name) {
            let _ = writeln!(
                config,
                "  - {{name: {repo}, remote: ../remotes/{repo}.git, reports: [{{path: reports/{repo}.json}}]}}"
            );
        }
        self.write("estate/holdpoint.yaml", &config);
        std::fs::create_dir_all(self.path("estate/fixes")).unwrap();
    }

    fn found(&mut self, night: usize) {
        let (service, number) = (self.draw.below(SERVICES), self.files.len());
        let state = self.is_found(night);
        self.files.push(File { service, number, state });
    }

    /// Seven of ten get a fix, some nights after they were found.
    fn is_found(&mut self, since: usize) -> State {
        let late = if since == 0 {
            self.draw.below(30)
        } else {
            1 + self.draw.below(4)
        };
        let remediator = REMEDIATORS[self.draw.below(REMEDIATORS.len())];
        let fix = self.draw.happens(70).then_some((since + late, remediator));
        State::Found { since, fix }
    }

    /// What happens between the night before and this one: who pushed what, what the scanners say by now, and which
    /// fixes are there.
    pub fn day(&mut self, night: usize) -> Day {
        let mut day = Day::default();
        // What is there at first was pushed long ago.
        let pushed = match night {
            0 => "2025-12-01T10:00:00Z".to_owned(),
            _ => at(night).replace("T02:30", "T00:10"),
        };
        for repo in 0..REPOS {
            let folder = self.path(&format!("work/{}", name(repo)));
            git(&folder, &pushed, &["fetch", "--quiet", "origin"]);
            if night > 0 {
                git(&folder, &pushed, &["reset", "--quiet", "--hard", "origin/main"]);
            }
        }
        self.see_merges(night, &mut day);
        let mut reverts = Vec::new();
        for number in 0..self.files.len() {
            let (is_found, since, by_us) = match self.files[number].state {
                State::Found { since, .. } => (true, since, false),
                State::Settled { night, by_us } => (false, night, by_us),
            };
            if is_found && since + 3 < night && !self.files[number].is_needed() && self.draw.below(120) == 0 {
                self.files[number].state = State::Settled { night, by_us: false };
                day.vanished += 1;
            } else if !is_found && by_us && since + 5 > night && self.draw.below(400) == 0 {
                self.files[number].state = self.is_found(night);
                reverts.push(number);
                day.reverted += 1;
            } else if !is_found && since + 10 < night && self.draw.below(300) == 0 {
                self.files[number].state = self.is_found(night);
                day.back += 1;
            }
        }
        if night > 0 {
            day.new = 24 + self.draw.below(13);
            (0..day.new).for_each(|_| self.found(night));
        }
        self.push(night, &pushed, &reverts);
        self.scan();
        self.offer(night);
        day.open = self.open().count();
        day
    }

    fn open(&self) -> impl Iterator<Item = &File> {
        (self.files.iter()).filter(|file| matches!(file.state, State::Found { .. }))
    }

    /// What Holdpoint merged in the night before.
    fn see_merges(&mut self, night: usize, day: &mut Day) {
        for number in 0..self.files.len() {
            let file = &self.files[number];
            let path = self.path(&format!("work/{}/{}", name(file.repo()), file.path()));
            let is_found = matches!(file.state, State::Found { since, .. } if since < night);
            if is_found
                && std::fs::read_to_string(path)
                    .unwrap()
                    .contains("verbose_errors = false")
            {
                self.files[number].state = State::Settled { night, by_us: true };
                day.merged += 1;
            }
        }
    }

    /// Commits and pushes what differs from the repos; what is taken back goes by `git revert`.
    fn push(&self, night: usize, pushed: &str, reverts: &[usize]) {
        for number in reverts {
            let file = &self.files[*number];
            let folder = self.path(&format!("work/{}", name(file.repo())));
            let merge = git(&folder, pushed, &["log", "-1", "--format=%H", "--", &file.path()]);
            git(&folder, pushed, &["revert", "--no-edit", merge.trim()]);
        }
        for repo in 0..REPOS {
            let folder = self.path(&format!("work/{}", name(repo)));
            let mut needed = String::new();
            for file in self.files.iter().filter(|file| file.repo() == repo) {
                let path = folder.join(file.path());
                if !std::fs::read_to_string(&path).is_ok_and(|text| text == file.text()) {
                    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
                    std::fs::write(&path, file.text()).unwrap();
                }
                if file.is_needed() {
                    let _ = writeln!(needed, "{}", file.path());
                }
            }
            std::fs::write(folder.join("needed.txt"), needed).unwrap();
            git(&folder, pushed, &["add", "--all"]);
            if !git(&folder, pushed, &["status", "--porcelain"]).is_empty() {
                git(
                    &folder,
                    pushed,
                    &["commit", "--quiet", "-m", &format!("Work of day {night}")],
                );
            }
            git(&folder, pushed, &["push", "--quiet", "origin", "main"]);
        }
    }

    fn scan(&self) {
        for repo in 0..REPOS {
            let result = |file: &File| {
                json!({
                    "check_id": "verbose-errors-on", "path": file.path(),
                    "start": {"line": 3, "col": 1, "offset": 0}, "end": {"line": 3, "col": 4, "offset": 3},
                    "extra": {"message": "Errors tell strangers how the service works inside.",
                              "metadata": {"cwe": ["CWE-209"]}, "severity": file.severity()},
                })
            };
            let results: Vec<Value> = self.open().filter(|file| file.repo() == repo).map(result).collect();
            let report = json!({"version": "1.170.1", "errors": [], "results": results});
            self.write(&format!("estate/reports/{}.json", name(repo)), &report.to_string());
        }
    }

    /// Remediators offer fixes of what is found, and take back those of what isn't any more.
    fn offer(&self, night: usize) {
        let mut offered = BTreeSet::new();
        for file in self.open() {
            let State::Found {
                fix: Some((from, remediator)),
                ..
            } = file.state
            else {
                continue;
            };
            if from > night {
                continue;
            }
            let folder = format!("estate/fixes/{remediator}/{:04}-{:05}", file.service, file.number);
            let path = file.path();
            if !self.path(&folder).exists() {
                self.write(
                    &format!("{folder}/fix.yaml"),
                    &format!(
                        "repo: {}\nbase: main\npatch: change.patch\ntitle: Turn off verbose errors\n\
                         resolves: [{{scanner: semgrep, rule: verbose-errors-on, path: {path}}}]\n",
                        name(file.repo())
                    ),
                );
                self.write(
                    &format!("{folder}/change.patch"),
                    &format!(
                        "--- a/{path}\n+++ b/{path}\n@@ -1,3 +1,3 @@\n # Settings.\n limit = {}\n\
                         -verbose_errors = true\n+verbose_errors = false\n",
                        file.number
                    ),
                );
            }
            offered.insert(self.path(&folder));
        }
        for remediator in REMEDIATORS {
            let folders = std::fs::read_dir(self.path(&format!("estate/fixes/{remediator}")));
            for folder in folders.into_iter().flatten().map(|folder| folder.unwrap().path()) {
                if !offered.contains(&folder) {
                    std::fs::remove_dir_all(folder).unwrap();
                }
            }
        }
    }
}

/// The clock of a night; the first is the 5th of January 2026.
pub fn at(night: usize) -> String {
    let first: holdpoint_schemas::Timestamp = "2026-01-05T02:30:00Z".parse().unwrap();
    let nights = jiff::SignedDuration::from_hours(24 * i64::try_from(night).unwrap());
    (first + nights).to_string()
}

fn name(repo: usize) -> String {
    format!("repo-{repo:02}")
}

/// Services in systems of 25. Within one, each relies on one or two before it; one in four relies on the core, too.
fn catalogue(draw: &mut Draw) -> String {
    let mut text = String::new();
    for service in 0..SERVICES {
        let (system, tier, mut relies) = if service < CORE {
            ("core".to_owned(), u8::from(service >= CORE / 2), BTreeSet::new())
        } else {
            let (system, place) = ((service - CORE) / OF_A_SYSTEM, (service - CORE) % OF_A_SYSTEM);
            let tier = [1, 2, 2, 3, 3, 3][draw.below(6)];
            let before = (0..place.min(1 + draw.below(2))).map(|_| service - 1 - draw.below(place));
            (format!("system-{system:02}"), tier, before.collect())
        };
        if service >= CORE && draw.happens(25) {
            relies.insert(draw.below(CORE));
        }
        let relies: Vec<String> = (relies.iter())
            .map(|other| format!("component:svc-{other:04}"))
            .collect();
        let data = if service < 10 { "cardholder" } else { "none" };
        let _ = write!(
            text,
            "---\napiVersion: backstage.io/v1alpha1\nkind: Component\nmetadata:\n  name: svc-{service:04}\n  annotations:\n    \
             holdpoint.dev/tier: \"{tier}\"\n    holdpoint.dev/customer-facing: \"{}\"\n    \
             holdpoint.dev/internet-facing: \"false\"\n    holdpoint.dev/data-classes: {data}\n    \
             holdpoint.dev/repo: {}\n    holdpoint.dev/path: svc-{service:04}\n    holdpoint.dev/replicas: \"3\"\n    \
             holdpoint.dev/update-strategy: rolling\n    holdpoint.dev/deployments: production=main\n\
             spec:\n  type: service\n  lifecycle: production\n  owner: group:team-{:02}\n  system: {system}\n  \
             dependsOn: [{}]\n",
            service % 20 == 0,
            name(service / (SERVICES / REPOS)),
            service % TEAMS,
            relies.join(", ")
        );
    }
    text
}

fn git(folder: &Path, at: &str, arguments: &[&str]) -> String {
    let output = Command::new("git")
        .envs([("GIT_CONFIG_GLOBAL", "/dev/null"), ("GIT_CONFIG_NOSYSTEM", "1")])
        .envs([("GIT_AUTHOR_DATE", at), ("GIT_COMMITTER_DATE", at)])
        .args(["-c", "user.name=Ana Lopez", "-c", "user.email=ana@x.example", "-C"])
        .arg(folder)
        .args(arguments)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "git {arguments:?}: {text}");
    String::from_utf8(output.stdout).unwrap()
}

/// SplitMix64 (Steele, Lea, Flood 2014).
struct Draw(u64);

impl Draw {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        usize::try_from((z ^ (z >> 31)) >> 32).unwrap() % limit
    }

    fn happens(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }
}
