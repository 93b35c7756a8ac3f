//! Backstage catalogues: read by [`crate::catalogue`].

use super::Topology;
use super::document::{Content, Document};
use super::part::{Authority, Part};
use crate::catalogue::read_catalogue;

pub const ID: &str = "backstage";

pub fn detect(document: &Document<'_>) -> bool {
    matches!(document.content, Content::Entities)
}

pub fn read(documents: &[&Document<'_>], topology: &mut Topology) {
    let mut files: Vec<(&str, &str)> = documents
        .iter()
        .map(|document| (document.name, document.text))
        .collect();
    // A malformed file is left out and said; the others still refer to each other.
    while !files.is_empty() {
        match read_catalogue(&files) {
            Ok(catalogue) => {
                topology.parts.push(Part {
                    format: ID,
                    authority: Authority::Catalogue,
                    catalogue,
                });
                return;
            }
            Err(error) => {
                let Some(error) = error.source_error() else { return };
                let before = files.len();
                files.retain(|(name, _)| *name != error.file());
                topology.unreadable.push(error.clone());
                if files.len() == before {
                    return;
                }
            }
        }
    }
}
