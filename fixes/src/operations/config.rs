//! Configuration: loaded when the service starts, unless it watches its files, which a diff doesn't tell.

use super::{Changed, Needs};

pub(super) fn read(changed: &Changed<'_>) -> Option<Needs> {
    let known = matches!(
        changed.ending(),
        "yaml" | "yml" | "json" | "toml" | "ini" | "cfg" | "conf" | "properties" | "env" | "config"
    );
    known.then(|| Needs::restart("is configuration that the service loads when it starts"))
}
