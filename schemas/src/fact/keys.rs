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

    /// Whether the live change that it would undo has a known actor; yes when the finding isn't drift.
    pub const DRIFT_EXPLAINED: Key<bool> = Key::new("change.drift_explained");
    /// Whether a code freeze covers the service now.
    pub const FREEZE_ACTIVE: Key<bool> = Key::new("change.freeze_active");
    /// Whether a person pushed to a touched file in the last three days.
    pub const PUSHED_BY_OTHERS: Key<bool> = Key::new("change.pushed_by_others");
    /// Whether it reverts an active break-glass change.
    pub const REVERTS_BREAK_GLASS: Key<bool> = Key::new("change.reverts_break_glass");
    /// Whether it removes or changes an active compensating control.
    pub const TOUCHES_COMPENSATING_CONTROL: Key<bool> = Key::new("change.touches_compensating_control");
    /// Whether it touches what a person asked automation to leave alone.
    pub const TOUCHES_HANDS_OFF: Key<bool> = Key::new("change.touches_hands_off");
}

/// Facts under `evidence`.
pub mod evidence {
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
    /// Severity as the scanner says it.
    pub const SEVERITY: Key<&'static str> = Key::new("finding.severity");
}

/// Facts under `fix`.
pub mod fix {
    use crate::fact::key::Key;

    /// Computed from the diff; what can't be classified is logic.
    pub const CLASS: Key<&'static str> = Key::new("fix.class");
    /// Whether it changes a database, a core IAM role or a network boundary.
    pub const CRITICAL_RESOURCE: Key<bool> = Key::new("fix.critical_resource");
    /// How many files it changes.
    pub const FILES: Key<i64> = Key::new("fix.files");
    /// Whether it touches policies, controls, rollout, CODEOWNERS or CI.
    pub const GOVERNANCE_FILES: Key<bool> = Key::new("fix.governance_files");
    /// What the diff does.
    pub const KIND: Key<&'static str> = Key::new("fix.kind");
    /// Whether a moved dependency ships with the service.
    pub const UPGRADE_SCOPE: Key<&'static str> = Key::new("fix.upgrade_scope");
    /// The farthest any dependency moves.
    pub const UPGRADE_STEP: Key<&'static str> = Key::new("fix.upgrade_step");
    /// Whether every variable that it newly reads exists where it will run.
    pub const VARIABLES_PROVISIONED: Key<bool> = Key::new("fix.variables_provisioned");
}

/// Facts under `graph`.
pub mod graph {
    use crate::fact::key::Key;

    /// How many services and outside parties can be affected if it breaks.
    pub const DEPENDENTS: Key<i64> = Key::new("graph.dependents");
    /// The most critical tier among itself and its dependents; 0 is the most critical.
    pub const MOST_CRITICAL_TIER: Key<i64> = Key::new("graph.most_critical_tier");
    /// Whether it or something that depends on it faces customers or an outside party.
    pub const REACHES_CUSTOMERS: Key<bool> = Key::new("graph.reaches_customers");
    /// Whether the organisation loses revenue while it or something that depends on it is down.
    pub const REACHES_REVENUE: Key<bool> = Key::new("graph.reaches_revenue");
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
    /// Whether a catalogue describes the service that owns what the fix touches.
    pub const KNOWN: Key<bool> = Key::new("service.known");
    /// Whether a merge reaches production.
    pub const PRODUCTION: Key<bool> = Key::new("service.production");
    /// Criticality: 0 is the most critical tier, 3 the least.
    pub const TIER: Key<i64> = Key::new("service.tier");
}
