//! Dependencies of Jaeger (`/api/dependencies`: `{"data": [{parent, child, callCount}]}`) and of Zipkin
//! (`/api/v2/dependencies`: the same rows in a bare array).

use holdpoint_schemas::service::EdgeKind;
use serde::Deserialize;

use super::Topology;
use super::document::Document;
use super::part::{Authority, PartBuilder, id};
use crate::error::SourceResult;

pub const ID: &str = "jaeger-dependencies";

#[derive(Deserialize)]
#[serde(untagged)]
enum Answer {
    Jaeger { data: Vec<Row> },
    Zipkin(Vec<Row>),
}

#[derive(Deserialize)]
struct Row {
    parent: String,
    child: String,
}

pub fn detect(document: &Document<'_>) -> bool {
    document.outline().is_some_and(|outline| {
        let place = if outline.is_array { "" } else { "data" };
        outline.has_inner(place, "parent") && outline.has_inner(place, "child")
    })
}

pub fn read(documents: &[&Document<'_>], topology: &mut Topology) {
    for document in documents {
        let rows: SourceResult<Answer> = document.json("dependencies of Jaeger or Zipkin");
        let rows = match rows {
            Ok(Answer::Jaeger { data } | Answer::Zipkin(data)) => data,
            Err(error) => {
                topology.unreadable.push(*error);
                continue;
            }
        };
        let mut part = PartBuilder::new(ID, Authority::Observation);
        for row in rows {
            let (Some(parent), Some(child)) = (id(&row.parent), id(&row.child)) else {
                topology
                    .skipped
                    .push(format!("{}: a dependency without a name", document.name));
                continue;
            };
            part.node(&parent, document.name);
            part.node(&child, document.name);
            part.edge(&parent, &child, EdgeKind::Unspecified, document.name);
        }
        topology.add(part);
    }
}
