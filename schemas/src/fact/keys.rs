//! A typed key for every shipped fact. Generated from the table of facts: run `./ci/generate`.

/// Facts under `approval`.
pub mod approval {
    use crate::fact::key::Key;

    /// How many different people approved.
    pub const APPROVERS: Key<i64> = Key::new("approval.approvers");
    /// Whether an approver is someone other than the change's author.
    pub const INDEPENDENT: Key<bool> = Key::new("approval.independent");
    /// How many different people other than the change's author approved.
    pub const INDEPENDENT_APPROVERS: Key<i64> = Key::new("approval.independent_approvers");
    /// Whether a verified signature approves exactly this change.
    pub const VERIFIED: Key<bool> = Key::new("approval.verified");
}

/// Facts under `change`.
pub mod change {
    use crate::fact::key::Key;

    /// Whether a disturbance now would hurt the business most: peak hours of what can be affected.
    pub const BUSINESS_WINDOW_ACTIVE: Key<bool> = Key::new("change.business_window_active");
    /// Whether a person pushed in the last three days to code that uses what is touched.
    pub const CALLERS_PUSHED_BY_OTHERS: Key<bool> = Key::new("change.callers_pushed_by_others");
    /// Who owns the touched files by CODEOWNERS.
    pub const CODE_OWNERS: Key<std::collections::BTreeSet<String>> = Key::new("change.code_owners");
    /// How many open branches conflict with it when merged.
    pub const CONFLICTING_BRANCHES: Key<i64> = Key::new("change.conflicting_branches");
    /// Whether applying it destroys or replaces infrastructure; no when it touches none.
    pub const DESTROYS_RESOURCES: Key<bool> = Key::new("change.destroys_resources");
    /// Whether the service can't answer while it is applied.
    pub const DOWNTIME_NEEDED: Key<bool> = Key::new("change.downtime_needed");
    /// Whether a person made the live change that it would undo; no when the finding isn't drift.
    pub const DRIFT_BY_HUMAN: Key<bool> = Key::new("change.drift_by_human");
    /// Whether the live change that it would undo has a known actor; yes when the finding isn't drift.
    pub const DRIFT_EXPLAINED: Key<bool> = Key::new("change.drift_explained");
    /// Whether a code freeze covers the service now.
    pub const FREEZE_ACTIVE: Key<bool> = Key::new("change.freeze_active");
    /// Whether it brings or needs a migration of stored data.
    pub const MIGRATION_NEEDED: Key<bool> = Key::new("change.migration_needed");
    /// Whether a person pushed to a touched file in the last three days.
    pub const PUSHED_BY_OTHERS: Key<bool> = Key::new("change.pushed_by_others");
    /// Whether a machine must be rebooted for it to take effect.
    pub const REBOOT_NEEDED: Key<bool> = Key::new("change.reboot_needed");
    /// Whether a running service must be restarted for it to take effect.
    pub const RESTART_NEEDED: Key<bool> = Key::new("change.restart_needed");
    /// Whether it reverts an active break-glass change.
    pub const REVERTS_BREAK_GLASS: Key<bool> = Key::new("change.reverts_break_glass");
    /// Whether it removes or changes an active compensating control.
    pub const TOUCHES_COMPENSATING_CONTROL: Key<bool> = Key::new("change.touches_compensating_control");
    /// Whether it touches what a person asked automation to leave alone.
    pub const TOUCHES_HANDS_OFF: Key<bool> = Key::new("change.touches_hands_off");
    /// Whether it would take back a live change that made something safer; no when the finding isn't drift.
    pub const UNDOES_HARDENING: Key<bool> = Key::new("change.undoes_hardening");
    /// Whether a change window of the service is open now; yes where none restricts it.
    pub const WINDOW_OPEN: Key<bool> = Key::new("change.window_open");
}

/// Facts under `evidence`.
pub mod evidence {
    /// Facts under `evidence.adequacy`.
    pub mod adequacy {
        use crate::fact::key::Key;

        /// Whether the passing tests run what the fix changes, and notice when it is undone.
        pub const VERDICT: Key<&'static str> = Key::new("evidence.adequacy.verdict");
    }

    /// Facts under `evidence.build`.
    pub mod build {
        use crate::fact::key::Key;

        /// Whether the candidate still builds, compared with the baseline.
        pub const VERDICT: Key<&'static str> = Key::new("evidence.build.verdict");
    }

    /// Facts under `evidence.contract`.
    pub mod contract {
        use crate::fact::key::Key;

        /// Whether what consumers rely on still holds.
        pub const VERDICT: Key<&'static str> = Key::new("evidence.contract.verdict");
    }

    /// Facts under `evidence.rescan`.
    pub mod rescan {
        use crate::fact::key::Key;

        /// Whether the finding is gone and nothing new appeared.
        pub const VERDICT: Key<&'static str> = Key::new("evidence.rescan.verdict");
    }

    /// Facts under `evidence.revert`.
    pub mod revert {
        use crate::fact::key::Key;

        /// Whether the fix can be taken back: its revert applies, and build and tests pass again.
        pub const VERDICT: Key<&'static str> = Key::new("evidence.revert.verdict");
    }

    /// Facts under `evidence.sandbox`.
    pub mod sandbox {
        use crate::fact::key::Key;

        /// How strongly the sandbox that made the evidence kept the fix apart from its host.
        pub const ISOLATION: Key<&'static str> = Key::new("evidence.sandbox.isolation");
    }

    /// Facts under `evidence.surface`.
    pub mod surface {
        use crate::fact::key::Key;

        /// Whether the fix leaves the attack surface as it is: routes, permissions, authentication, network.
        pub const VERDICT: Key<&'static str> = Key::new("evidence.surface.verdict");
    }

    /// Facts under `evidence.test`.
    pub mod test {
        use crate::fact::key::Key;

        /// Whether the tests still pass, compared with the baseline.
        pub const VERDICT: Key<&'static str> = Key::new("evidence.test.verdict");
    }
}

/// Facts under `finding`.
pub mod finding {
    use crate::fact::key::Key;

    /// What kind of thing was found.
    pub const CLASS: Key<&'static str> = Key::new("finding.class");
    /// Highest CVSS base score that its vectors give, in tenths of a point: 98 is 9.8.
    pub const CVSS_TENTHS: Key<i64> = Key::new("finding.cvss_tenths");
    /// Whether the vulnerable component ships with the service; `none` when it isn't about a component.
    pub const DEPENDENCY_SCOPE: Key<&'static str> = Key::new("finding.dependency_scope");
    /// Whether the service itself declares the vulnerable component; no when it isn't about one.
    pub const DIRECT_DEPENDENCY: Key<bool> = Key::new("finding.direct_dependency");
    /// Probability that it is exploited within 30 days (EPSS), in hundredths of a percent.
    pub const EPSS_BP: Key<i64> = Key::new("finding.epss_bp");
    /// Whether CISA's catalogue of known exploited vulnerabilities lists it.
    pub const KNOWN_EXPLOITED: Key<bool> = Key::new("finding.known_exploited");
    /// Whether the service's code, or what was observed of it, reaches the vulnerable part.
    pub const REACHABLE: Key<bool> = Key::new("finding.reachable");
    /// Severity as the scanner says it.
    pub const SEVERITY: Key<&'static str> = Key::new("finding.severity");
    /// Whether its scanners, or a scanner and the CVSS vectors, disagree on its severity.
    pub const SEVERITY_CONFLICT: Key<bool> = Key::new("finding.severity_conflict");
    /// What a VEX statement that still holds says of it; `none` where none speaks of it.
    pub const VEX_STATUS: Key<&'static str> = Key::new("finding.vex_status");
}

/// Facts under `fix`.
pub mod fix {
    use crate::fact::key::Key;

    /// Computed from the diff; what can't be classified is logic.
    pub const CLASS: Key<&'static str> = Key::new("fix.class");
    /// Whether it changes a database, a core IAM role or a network boundary.
    pub const CRITICAL_RESOURCE: Key<bool> = Key::new("fix.critical_resource");
    /// Ecosystems of the dependencies that it moves, as package URLs name them, for example `npm`.
    pub const ECOSYSTEMS: Key<std::collections::BTreeSet<String>> = Key::new("fix.ecosystems");
    /// How many files it changes.
    pub const FILES: Key<i64> = Key::new("fix.files");
    /// Whether it touches policies, controls, rollout, CODEOWNERS or CI.
    pub const GOVERNANCE_FILES: Key<bool> = Key::new("fix.governance_files");
    /// What the diff does.
    pub const KIND: Key<&'static str> = Key::new("fix.kind");
    /// Whether it touches only what its findings are about.
    pub const MINIMAL: Key<bool> = Key::new("fix.minimal");
    /// Whether a moved dependency ships with the service.
    pub const UPGRADE_SCOPE: Key<&'static str> = Key::new("fix.upgrade_scope");
    /// The farthest any dependency moves.
    pub const UPGRADE_STEP: Key<&'static str> = Key::new("fix.upgrade_step");
    /// Whether every variable that it newly reads exists where it will run.
    pub const VARIABLES_PROVISIONED: Key<bool> = Key::new("fix.variables_provisioned");
    /// How many steps of the highest changed version number an upgrade jumps over, at most.
    pub const VERSIONS_SKIPPED: Key<i64> = Key::new("fix.versions_skipped");
}

/// Facts under `graph`.
pub mod graph {
    use crate::fact::key::Key;

    /// Standards whose scope it is in or is connected to: its own and those of its neighbours.
    pub const COMPLIANCE_SCOPES: Key<std::collections::BTreeSet<String>> = Key::new("graph.compliance_scopes");
    /// How many services and outside parties can be affected if it breaks.
    pub const DEPENDENTS: Key<i64> = Key::new("graph.dependents");
    /// Whether requests from the internet reach it, itself or through other services.
    pub const EXPOSED: Key<bool> = Key::new("graph.exposed");
    /// Whether it relies on itself through others.
    pub const IN_CYCLE: Key<bool> = Key::new("graph.in_cycle");
    /// The most critical tier among itself and its dependents; 0 is the most critical.
    pub const MOST_CRITICAL_TIER: Key<i64> = Key::new("graph.most_critical_tier");
    /// Whether it or something that depends on it faces customers or an outside party.
    pub const REACHES_CUSTOMERS: Key<bool> = Key::new("graph.reaches_customers");
    /// Whether the organisation loses revenue while it or something that depends on it is down.
    pub const REACHES_REVENUE: Key<bool> = Key::new("graph.reaches_revenue");
    /// Whether a service that relies on others is cut off from some of them without it.
    pub const SINGLE_POINT_OF_FAILURE: Key<bool> = Key::new("graph.single_point_of_failure");
}

/// Facts under `service`.
pub mod service {
    use crate::fact::key::Key;

    /// Standards whose scope it is in, for example `pci-dss`.
    pub const COMPLIANCE_SCOPES: Key<std::collections::BTreeSet<String>> = Key::new("service.compliance_scopes");
    /// Whether customers use it directly.
    pub const CUSTOMER_FACING: Key<bool> = Key::new("service.customer_facing");
    /// Kinds of data it handles, for example `cardholder`.
    pub const DATA_CLASSES: Key<std::collections::BTreeSet<String>> = Key::new("service.data_classes");
    /// The most protected environment that a merge reaches.
    pub const ENVIRONMENT: Key<String> = Key::new("service.environment");
    /// Whether it takes requests from the internet itself.
    pub const INTERNET_FACING: Key<bool> = Key::new("service.internet_facing");
    /// Whether a catalogue describes the service that owns what the fix touches.
    pub const KNOWN: Key<bool> = Key::new("service.known");
    /// Whether a merge reaches production.
    pub const PRODUCTION: Key<bool> = Key::new("service.production");
    /// How many instances run where a merge reaches; the fewest where they differ.
    pub const REPLICAS: Key<i64> = Key::new("service.replicas");
    /// Systems that the services belong to that own what the fix touches.
    pub const SYSTEMS: Key<std::collections::BTreeSet<String>> = Key::new("service.systems");
    /// Teams that own what the fix touches.
    pub const TEAMS: Key<std::collections::BTreeSet<String>> = Key::new("service.teams");
    /// Criticality: 0 is the most critical tier, 3 the least.
    pub const TIER: Key<i64> = Key::new("service.tier");
    /// How instances are replaced when it is deployed.
    pub const UPDATE_STRATEGY: Key<&'static str> = Key::new("service.update_strategy");
}
