//! What every parser of untrusted input must hold: one function per fuzz target. The fuzzer calls them from
//! `fuzz/harness`, and the tests of this crate call them with the seeds.
//!
//! A target is a function of bytes that panics when a promise is broken. Beside "no panic", the promises are: the
//! answer is the same when it is asked for twice; an error says where or what to do; what is kept is bounded; what is
//! merged is merged. Time and memory are the fuzzer's to bound.

mod changes;
mod contexts;
mod contracts;
mod estates;
mod findings;
mod input;
mod oracle;
mod priorities;
mod sources;

/// A target: panics when the input breaks a promise.
pub type Target = fn(&[u8]);

/// All targets, by their names: also the names of the harness's binaries and of the folders of seeds.
pub const TARGETS: &[(&str, Target)] = &[
    ("report_json", findings::report),
    ("report_stream", findings::report),
    ("report_xml", findings::report),
    ("secrets", findings::secrets),
    ("vex", findings::vex),
    ("advisory", findings::advisory),
    ("epss", priorities::epss),
    ("kev", priorities::kev),
    ("cvss", priorities::cvss),
    ("versions", priorities::versions),
    ("compose", contexts::compose),
    ("kubernetes", contexts::kubernetes),
    ("kiali", contexts::kiali),
    ("jaeger", contexts::jaeger),
    ("otlp", contexts::otlp),
    ("terraform", contexts::terraform),
    ("services", contexts::services),
    ("backstage", contexts::backstage),
    ("deployments", contexts::deployments),
    ("codeowners", contexts::codeowners),
    ("calendar", estates::calendar),
    ("icalendar", estates::icalendar),
    ("rrule", estates::rrule),
    ("control_edit", estates::control_edit),
    ("estate", estates::estate),
    ("rollout", estates::rollout),
    ("org_facts", estates::org_facts),
    ("policy_cases", estates::policy_cases),
    ("markers", changes::markers),
    ("trailer", changes::trailer),
    ("plan", changes::plan),
    ("audit_log", changes::audit_log),
    ("tfstate", changes::tfstate),
    ("patch", changes::patch),
    ("classify", changes::classify),
    ("usage_python", sources::python),
    ("usage_javascript", sources::javascript),
    ("usage_rust", sources::rust),
    ("usage_go", sources::go),
    ("usage_java", sources::java),
    ("observation", sources::observation),
    ("openapi", contracts::openapi),
    ("pact", contracts::pact),
    ("protobuf", contracts::protobuf),
    ("graphql", contracts::graphql),
    ("sql", contracts::sql),
    ("http_match", contracts::http_match),
    ("failures", contracts::failures),
    ("har", contracts::har),
    ("generate", contracts::generated),
    ("wire", contracts::wire_bodies),
];

/// Runs the target of a name.
///
/// # Panics
/// When the input breaks a promise, or there is no such target.
pub fn run(name: &str, data: &[u8]) {
    let target = TARGETS.iter().find(|(known, _)| *known == name);
    assert!(target.is_some(), "no target `{name}`");
    if let Some((_, target)) = target {
        target(data);
    }
}
