//! `change.*`: the moment in which the change would land.

use super::{DIFF, FactRow, dated, fact};
use crate::fact::FactType;

pub(super) const ROWS: &[FactRow] = &[
    dated(
        1,
        fact(
            "change.freeze_active",
            FactType::Bool,
            "Whether a code freeze covers the service now.",
            "whoever keeps the calendar, in the estate's `calendar.yaml`",
        ),
    ),
    dated(
        1,
        fact(
            "change.pushed_by_others",
            FactType::Bool,
            "Whether a person pushed to a touched file in the last three days.",
            "the repo's remote",
        ),
    ),
    dated(
        1,
        fact(
            "change.reverts_break_glass",
            FactType::Bool,
            "Whether it reverts an active break-glass change.",
            "the control's owner, in the estate's `controls.yaml`",
        ),
    ),
    dated(
        1,
        fact(
            "change.touches_compensating_control",
            FactType::Bool,
            "Whether it removes or changes an active compensating control.",
            "the control's owner, in the estate's `controls.yaml`",
        ),
    ),
    dated(
        1,
        fact(
            "change.touches_hands_off",
            FactType::Bool,
            "Whether it touches what a person asked automation to leave alone.",
            "the control's owner, in the estate's `controls.yaml`",
        ),
    ),
    fact(
        "change.drift_explained",
        FactType::Bool,
        "Whether the live change that it would undo has a known actor; yes when the finding isn't drift.",
        "whoever made the change, or the cloud's audit log",
    ),
    dated(
        1,
        fact(
            "change.window_open",
            FactType::Bool,
            "Whether a change window of the service is open now; yes where none restricts it.",
            "whoever keeps the calendar, in the estate's `calendar.yaml`",
        ),
    ),
    dated(
        1,
        fact(
            "change.business_window_active",
            FactType::Bool,
            "Whether a disturbance now would hurt the business most: peak hours of what can be affected.",
            "whoever keeps the calendar, in the estate's `calendar.yaml`",
        ),
    ),
    dated(
        1,
        fact(
            "change.callers_pushed_by_others",
            FactType::Bool,
            "Whether a person pushed in the last three days to code that uses what is touched.",
            "the repo's remote, in a language whose imports are read",
        ),
    ),
    dated(
        1,
        fact(
            "change.conflicting_branches",
            FactType::Long,
            "How many open branches conflict with it when merged.",
            "the repo's remote",
        ),
    ),
    dated(
        1,
        fact(
            "change.code_owners",
            FactType::Set,
            "Who owns the touched files by CODEOWNERS.",
            "a CODEOWNERS file in the repo",
        ),
    ),
    fact(
        "change.destroys_resources",
        FactType::Bool,
        "Whether applying it destroys or replaces infrastructure; no when it touches none.",
        "a Terraform plan of the candidate (`plan:` in `fix.yaml`) by one of the estate's `plan_authors`",
    ),
    fact(
        "change.restart_needed",
        FactType::Bool,
        "Whether a running service must be restarted for it to take effect.",
        DIFF,
    ),
    fact(
        "change.reboot_needed",
        FactType::Bool,
        "Whether a machine must be rebooted for it to take effect.",
        DIFF,
    ),
    fact(
        "change.downtime_needed",
        FactType::Bool,
        "Whether the service can't answer while it is applied.",
        "the service's owner: `holdpoint.dev/replicas` and `holdpoint.dev/update-strategy`",
    ),
    fact(
        "change.migration_needed",
        FactType::Bool,
        "Whether it brings or needs a migration of stored data.",
        DIFF,
    ),
    dated(
        1,
        fact(
            "change.drift_by_human",
            FactType::Bool,
            "Whether a person made the live change that it would undo; no when the finding isn't drift.",
            "the cloud's audit log (`audit_logs:` in `holdpoint.yaml`)",
        ),
    ),
    dated(
        1,
        fact(
            "change.undoes_hardening",
            FactType::Bool,
            "Whether it would take back a live change that made something safer; no when the finding isn't drift.",
            "the plan's values before and after, for settings whose safe direction is known",
        ),
    ),
];
