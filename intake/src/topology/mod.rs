//! The service graph from many sources. A format is one file here and one line in [`FORMATS`].
//!
//! Each source is read into a [`Part`]; [`merge`](merge::merge) makes one catalogue of them. An edge is drawn only
//! where the source says so: a missing edge is found sooner or later, a wrong one misleads for ever.

mod address;
mod backstage;
mod compose;
mod dependencies;
mod document;
mod image;
mod kiali;
mod kubernetes;
mod merge;
mod part;
mod service_graph;
mod services;
mod terraform;
mod variables;

pub mod deployments;

use holdpoint_schemas::SourceError;

use document::Document;

pub(crate) use deployments::names::plain_branch;
pub use merge::merge;
pub use part::{Authority, Part};

/// Largest file in bytes: a service mesh of thousands of services is about half of it, and at its densest it takes
/// sixteen times as much memory. (YAML has a lower bound of its own.)
pub const MAX_TOPOLOGY_BYTES: usize = 32 << 20;
/// Endings of file names that are worth reading from a folder. (`.env` is a name, too.)
pub const ENDINGS: [&str; 5] = ["yaml", "yml", "json", "tfstate", "env"];

/// What files say of the service graph.
#[derive(Debug, Default)]
pub struct Topology {
    /// What each source says, for [`merge`](merge::merge).
    pub parts: Vec<Part>,
    /// Files in no known format: an error where the file was named, nothing where it lay in a folder.
    pub unknown: Vec<SourceError>,
    /// Files that are malformed: what they say is missing.
    pub unreadable: Vec<SourceError>,
    /// What was left out of files that could be read, one line each, for people.
    pub skipped: Vec<String>,
}

impl Topology {
    fn add(&mut self, builder: part::PartBuilder) {
        let (part, skipped) = builder.finish();
        if !part.catalogue.services.is_empty() || !part.catalogue.edges.is_empty() {
            self.parts.push(part);
        }
        self.skipped.extend(skipped);
    }
}

/// One format.
struct Format {
    /// Name for people.
    id: &'static str,
    /// Whether a document is in this format. A file of several YAML documents may be in several.
    detect: fn(&Document<'_>) -> bool,
    /// Reads all documents in this format: what one file leaves open, another may say.
    read: fn(&[&Document<'_>], &mut Topology),
}

/// All formats.
const FORMATS: &[Format] = &[
    Format {
        id: backstage::ID,
        detect: backstage::detect,
        read: backstage::read,
    },
    Format {
        id: services::ID,
        detect: services::detect,
        read: services::read,
    },
    Format {
        id: compose::ID,
        detect: compose::detect,
        read: compose::read,
    },
    Format {
        id: kubernetes::ID,
        detect: kubernetes::detect,
        read: kubernetes::read,
    },
    Format {
        id: terraform::ID,
        detect: terraform::detect,
        read: terraform::read,
    },
    Format {
        id: kiali::ID,
        detect: kiali::detect,
        read: kiali::read,
    },
    Format {
        id: dependencies::ID,
        detect: dependencies::detect,
        read: dependencies::read,
    },
    Format {
        id: service_graph::ID,
        detect: service_graph::detect,
        read: service_graph::read,
    },
];

/// Reads files, given as (name, content), in any known formats. Names are paths, since files of one folder belong
/// together (a Compose file and its `.env`).
///
/// What can't be read is in the result beside what can: the caller decides whether it goes on without.
#[must_use]
pub fn read_topology(files: &[(&str, &[u8])]) -> Topology {
    let mut topology = Topology::default();
    let mut documents = Vec::new();
    for (name, bytes) in files {
        match Document::read(name, bytes) {
            Ok(document) => documents.push(document),
            Err(error) => topology.unreadable.push(*error),
        }
    }
    documents.sort_by_key(|document| document.name);
    for format in FORMATS {
        let own: Vec<&Document<'_>> = documents.iter().filter(|document| (format.detect)(document)).collect();
        if !own.is_empty() {
            (format.read)(&own, &mut topology);
        }
    }
    for document in &documents {
        if !FORMATS.iter().any(|format| (format.detect)(document)) {
            topology.unknown.push(unknown(document.name));
        }
    }
    topology
}

fn unknown(name: &str) -> SourceError {
    let ids: Vec<&str> = FORMATS.iter().map(|format| format.id).collect();
    SourceError::new(name, "not a service graph in a known format").help(format!("known formats: {}", ids.join(", ")))
}

#[cfg(test)]
mod tests;
