//! On which line a change stands, for kinds whose comparison doesn't keep lines: trees of documents hold equal parts
//! once, so that a part has no line of its own. The text is read again, for the operations and channels that changed.

mod json;
mod yaml;

use std::collections::BTreeMap;

use crate::{Change, SideOf};

/// Parts of a description whose entries are places: of OpenAPI and of AsyncAPI.
const PARTS: [&str; 4] = ["paths", "webhooks", "x-webhooks", "channels"];

/// Lines of the entries of [`PARTS`] (`/pets`), and of what these hold (`/pets`, `get`); the first of equal ones.
type Lines = BTreeMap<(String, String), usize>;

/// Adds to each change of a description the line of its operation: of the revision, or of the base where the revision
/// has it no more. What stands in another file than the root, or in a form that isn't read, gets none.
pub(crate) fn add(changes: &mut [Change], base: SideOf<'_>, revision: SideOf<'_>) {
    if changes.iter().all(|change| change.path.is_empty()) {
        return;
    }
    let lines = |side: SideOf<'_>| {
        side.sources
            .read(side.root)
            .map(|text| lines(&text))
            .unwrap_or_default()
    };
    let (before, after) = (lines(base), lines(revision));
    for change in changes {
        let (entry, part) = (plain(&change.path), change.operation.to_ascii_lowercase());
        let of = |lines: &Lines, part: &str| lines.get(&(entry.clone(), part.to_owned())).copied();
        let found = of(&after, &part)
            .map(|line| (line, false))
            .or_else(|| of(&before, &part).map(|line| (line, true)))
            // An entry that is a reference to another file says nothing of its parts.
            .or_else(|| of(&after, "").map(|line| (line, false)))
            .or_else(|| of(&before, "").map(|line| (line, true)));
        if let Some((line, in_base)) = found {
            change.line = Some(line);
            change.in_base = in_base;
            change.file = Some(if in_base { base.root } else { revision.root }.to_owned());
        }
    }
}

fn lines(text: &str) -> Lines {
    let text = text.trim_start_matches('\u{feff}');
    let mut found = Lines::new();
    // Of a file in one line there is nothing to tell.
    if !text.trim_end().contains('\n') {
        return found;
    }
    let mut add = |entry: &str, part: &str, line: usize| {
        found.entry((plain(entry), part.to_ascii_lowercase())).or_insert(line);
    };
    if text.trim_start().starts_with('{') {
        json::keys(text, &mut add);
    } else {
        yaml::keys(text, &mut add);
    }
    // A channel of AsyncAPI 3 is told by its address, and stands under another name: its key is nobody's.
    let addressed: Vec<String> = found
        .keys()
        .filter(|(_, part)| part == "address")
        .map(|(entry, _)| entry.clone())
        .collect();
    found.retain(|(entry, _), _| !addressed.contains(entry));
    found
}

/// A path template without the names of its parameters, which may change.
fn plain(path: &str) -> String {
    let (mut out, mut inside) = (String::with_capacity(path.len()), false);
    for letter in path.chars() {
        inside &= letter != '}';
        if !inside {
            out.push(letter);
        }
        inside |= letter == '{';
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> Vec<(String, String, usize)> {
        lines(text)
            .into_iter()
            .map(|((entry, part), line)| (entry, part, line))
            .collect()
    }

    #[test]
    fn json_and_yaml_say_the_same() {
        let expected = [
            ("/a/{}", "", 4),
            ("/a/{}", "get", 5),
            ("/a/{}", "put", 8),
            ("/b\"c", "", 10),
            ("/b\"c", "get", 11),
        ]
        .map(|(entry, part, line)| (entry.to_owned(), part.to_owned(), line));
        let json = r#"{
"openapi": "3.1.0", "info": {"paths": {"/no": 1}},
"paths": {
  "/a/{id}": {
    "get": {
      "x": [{"/no": {"get": 1}}, "}{\"", {"y": "]"}]
    },
    "put": {}
  },
  "\/b\"c": {
    "get": null
  }
}, "components": {"paths": {"/no": {}}}
}"#;
        assert_eq!(told(json), expected);
        let yaml = "openapi: 3.1.0
paths:
  # Things.
  /a/{id}: # one
    get:
      description: |
        put: no
    'put':
      x: {}
  '/b\"c' :
    get: {}

components:
  /no:
    get: 1
";
        assert_eq!(told(yaml), expected);
    }

    #[test]
    fn what_isnt_understood_has_no_lines() {
        for text in [
            "",
            "{",
            "[]",
            "{\"paths\"",
            "{\"paths\": {\"/a",
            "paths: {/a: {get: {}}}",
            "paths:\n- /a\n",
            "\u{0}",
            "}}}]]]",
            "{]}",
        ] {
            assert_eq!(told(text), [], "{text}");
        }
    }
}
