use super::*;
use crate::contract_check::{ContractPlan, Mismatch};
use crate::error::SandboxError;
use crate::plan::{ReportReader, ValidationPlan};
use crate::sandbox::control::{Controls, IsolationReport};
use crate::sandbox::{Limits, OnLine, Sandbox, StepSpec, Swept, WorkspaceId};
use crate::validate;
use async_trait::async_trait;
use holdpoint_schemas::estate::{PrepareConfig, SandboxConfig, StepsConfig, TestsConfig};
use holdpoint_schemas::event::NoEvents;
use holdpoint_schemas::evidence::{Check, Isolation};
use holdpoint_schemas::finding::Finding;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;
use std::sync::{Arc, Mutex};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt as _};
use tracing_subscriber::registry::LookupSpan;

/// Ends every step at once, as its command says.
struct Quick;

#[async_trait]
impl Sandbox for Quick {
    fn describe(&self) -> String {
        "quick".to_owned()
    }

    fn isolation(&self) -> IsolationReport {
        IsolationReport {
            kind: Isolation::Container,
            engine: "quick".to_owned(),
            controls: Controls::default(),
        }
    }

    async fn workspace(&self, _: &[u8]) -> Result<WorkspaceId, SandboxError> {
        Ok(WorkspaceId("w".to_owned()))
    }

    async fn run(&self, _: &WorkspaceId, step: &StepSpec, _: OnLine<'_>) -> StepOutcome {
        // The tests' command follows what looks for their reports.
        let end = match step.command.lines().last().unwrap() {
            "late" => StepEnd::TimedOut { after_seconds: 1 },
            code => StepEnd::Exited {
                code: code.parse().unwrap(),
            },
        };
        StepOutcome {
            end,
            millis: 7,
            tail: String::new(),
            captured: Vec::new(),
            capture_cut: false,
        }
    }

    async fn read_file(&self, _: &WorkspaceId, _: &str, _: usize) -> Result<Option<Vec<u8>>, SandboxError> {
        Ok(None)
    }

    async fn remove(&self, _: WorkspaceId) -> Result<(), SandboxError> {
        Ok(())
    }

    async fn sweep(&self) -> Result<Swept, SandboxError> {
        Ok(Swept::default())
    }
}

struct NoReports;

impl ReportReader for NoReports {
    fn read(&self, _: &str, _: Side, _: &[u8]) -> Result<Vec<Finding>, String> {
        Ok(Vec::new())
    }
}

#[derive(Debug, Default, Clone)]
struct Seen {
    name: &'static str,
    parent: Option<&'static str>,
    fields: BTreeMap<&'static str, String>,
}

impl Visit for Seen {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.fields.insert(field.name(), format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.fields.insert(field.name(), value.to_owned());
    }
}

/// Keeps spans as an exporter would see them, in the order of their beginning.
#[derive(Clone, Default)]
struct Collect(Arc<Mutex<Vec<(Id, Seen)>>>);

impl<S: tracing::Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Collect {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let mut seen = Seen {
            name: attributes.metadata().name(),
            parent: context.span(id).unwrap().parent().map(|parent| parent.name()),
            fields: BTreeMap::new(),
        };
        attributes.record(&mut seen);
        self.0.lock().unwrap().push((id.clone(), seen));
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, _: Context<'_, S>) {
        // An id is given again after its span is closed.
        let mut spans = self.0.lock().unwrap();
        let (_, seen) = spans.iter_mut().rev().find(|(known, _)| known == id).unwrap();
        values.record(seen);
    }
}

#[tokio::test]
async fn spans_lie_in_each_other_and_say_how_each_step_ended() {
    let collect = Collect::default();
    let _guard = tracing::subscriber::set_default(tracing_subscriber::registry().with(collect.clone()));
    let command = |text: &str| Some(text.to_owned());
    let plan = ValidationPlan {
        scrutiny: crate::scrutiny::Scrutiny::default(),
        subject: "payments: Upgrade x".to_owned(),
        checks: BTreeSet::from([Check::Test]),
        steps: StepsConfig {
            prepare: None,
            build: command("0"),
            test: command("late"),
        },
        unused: Vec::new(),
        limits: Limits::from(&SandboxConfig::default()),
        tests: TestsConfig::default(),
        reruns: 0,
        prepare: PrepareConfig::default(),
        packages: None,
        contract: ContractPlan::default(),
        scanners: Vec::new(),
        resolves: Vec::new(),
        baseline: Vec::new().into(),
        candidate: Vec::new().into(),
    };
    let judge = |_: usize, _: usize, _: &_| Vec::<Mismatch>::new();
    validate(&Quick, &plan, &NoReports, &judge, &NoEvents).await.unwrap();

    let spans: Vec<Seen> = collect.0.lock().unwrap().iter().map(|(_, seen)| seen.clone()).collect();
    let shape: Vec<_> = spans
        .iter()
        .map(|seen| (seen.name, seen.parent, seen.fields.get("step").map(String::as_str)))
        .collect();
    assert_eq!(
        shape,
        [
            ("validate", None, None),
            ("baseline", Some("validate"), None),
            ("step", Some("baseline"), Some("build")),
            ("step", Some("baseline"), Some("test")),
            ("candidate", Some("validate"), None),
            ("step", Some("candidate"), Some("build")),
            ("step", Some("candidate"), Some("test")),
        ]
    );
    for seen in &spans {
        assert_eq!(seen.fields["subject"], "payments: Upgrade x", "{seen:?}");
        assert!(
            !seen.fields.values().any(|value| value.contains("late")),
            "a command: {seen:?}"
        );
    }
    let build = &spans[2].fields;
    for (field, value) in [
        ("side", "baseline"),
        ("sandbox", "quick"),
        ("end", "exited"),
        ("exit_code", "0"),
        ("millis", "7"),
    ] {
        assert_eq!(build[field], value);
    }
    assert!(!build.contains_key("otel.status_code"));
    let test = &spans[6].fields;
    assert_eq!(
        (test["side"].as_str(), test["end"].as_str()),
        ("candidate", "timed-out")
    );
    assert_eq!(test["otel.status_code"], "ERROR");
}
