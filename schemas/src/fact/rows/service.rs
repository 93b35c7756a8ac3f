//! `service.*`: what is known of the owners of what is touched.

use super::{CATALOGUE, FactRow, dated, fact};
use crate::fact::FactType;

pub(super) const ROWS: &[FactRow] = &[
    fact(
        "service.known",
        FactType::Bool,
        "Whether a catalogue describes the service that owns what the fix touches.",
        CATALOGUE,
    ),
    dated(
        90,
        fact(
            "service.tier",
            FactType::Long,
            "Criticality: 0 is the most critical tier, 3 the least.",
            CATALOGUE,
        ),
    ),
    dated(
        90,
        fact(
            "service.production",
            FactType::Bool,
            "Whether a merge reaches production.",
            "the service's owner, in the catalogue (`holdpoint.dev/deployments`)",
        ),
    ),
    dated(
        90,
        fact(
            "service.environment",
            FactType::Text,
            "The most protected environment that a merge reaches.",
            "the service's owner, in the catalogue (`holdpoint.dev/deployments`)",
        ),
    ),
    dated(
        90,
        fact(
            "service.systems",
            FactType::Set,
            "Systems that the services belong to that own what the fix touches.",
            CATALOGUE,
        ),
    ),
    dated(
        90,
        fact(
            "service.teams",
            FactType::Set,
            "Teams that own what the fix touches.",
            CATALOGUE,
        ),
    ),
    dated(
        90,
        fact(
            "service.data_classes",
            FactType::Set,
            "Kinds of data it handles, for example `cardholder`.",
            CATALOGUE,
        ),
    ),
    dated(
        90,
        fact(
            "service.compliance_scopes",
            FactType::Set,
            "Standards whose scope it is in, for example `pci-dss`.",
            "whoever keeps the scope, in the catalogue (`holdpoint.dev/compliance-scopes`)",
        ),
    ),
    dated(
        90,
        fact(
            "service.customer_facing",
            FactType::Bool,
            "Whether customers use it directly.",
            CATALOGUE,
        ),
    ),
    dated(
        90,
        fact(
            "service.internet_facing",
            FactType::Bool,
            "Whether it takes requests from the internet itself.",
            "the service's owner: `holdpoint.dev/internet-facing`, an Ingress or a published port",
        ),
    ),
    dated(
        90,
        fact(
            "service.replicas",
            FactType::Long,
            "How many instances run where a merge reaches; the fewest where they differ.",
            "the service's owner: `holdpoint.dev/replicas`, or its deployment manifest",
        ),
    ),
    dated(
        90,
        fact(
            "service.update_strategy",
            FactType::Word(&["recreate", "rolling"]),
            "How instances are replaced when it is deployed.",
            "the service's owner: `holdpoint.dev/update-strategy`, or its deployment manifest",
        ),
    ),
];
