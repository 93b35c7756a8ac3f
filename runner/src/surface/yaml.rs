//! YAML as lines with the keys above them. No parser, because templates of charts are no YAML, and because the
//! place of each value is needed.

use super::source::Source;

/// Deepest nesting that is followed.
const MAX_DEPTH: usize = 64;

/// One value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Value {
    /// Kind and name of the document, as Kubernetes has them; empty elsewhere.
    pub(super) document: String,
    /// Keys above it, joined by `.`; `-` is an element of a list.
    pub(super) keys: String,
    /// Line, 1-based.
    pub(super) line: u32,
    /// The value, without quotes and comments; empty for a key with more below it.
    pub(super) text: String,
}

impl Value {
    /// Its last key.
    pub(super) fn key(&self) -> &str {
        self.keys.trim_end_matches(".-").rsplit('.').next().unwrap_or_default()
    }

    /// Whether the value is one of these, alone or in a list in brackets.
    pub(super) fn holds(&self, wanted: &[&str]) -> bool {
        self.elements().any(|element| wanted.contains(&element))
    }

    /// The value's elements, if it is a list in brackets; else itself.
    pub(super) fn elements(&self) -> impl Iterator<Item = &str> {
        let inner = self
            .text
            .strip_prefix('[')
            .and_then(|text| text.strip_suffix(']'))
            .unwrap_or(&self.text);
        inner.split(',').map(|element| element.trim().trim_matches(['"', '\'']))
    }
}

/// Whether a file is YAML.
pub(super) fn is_yaml(source: &Source<'_>) -> bool {
    source.ends_with(&[".yaml", ".yml"])
}

/// The values of a file.
pub(super) fn values(text: &str) -> Vec<Value> {
    let mut all: Vec<Value> = Vec::new();
    let mut start = 0;
    let mut stack: Vec<(usize, &str)> = Vec::new();
    for (line, raw) in (1..).zip(text.lines()) {
        if raw.starts_with("---") {
            name(all.get_mut(start..));
            start = all.len();
            stack.clear();
            continue;
        }
        let content = without_comment(raw);
        let mut rest = content.trim_start();
        let mut indent = content.len() - rest.len();
        if rest.is_empty() {
            continue;
        }
        stack.retain(|(at, key)| *at < indent || (*at == indent && *key != "-" && rest.starts_with("- ")));
        while let Some(inner) = rest.strip_prefix("- ").or_else(|| (rest == "-").then_some("")) {
            stack.retain(|(at, key)| *at < indent || (*at == indent && *key != "-"));
            stack.push((indent, "-"));
            indent += rest.len() - inner.trim_start().len();
            rest = inner.trim_start();
            if stack.len() > MAX_DEPTH {
                break;
            }
        }
        let (key, value) = match rest.split_once(": ").or_else(|| Some((rest.strip_suffix(':')?, ""))) {
            Some((key, value)) if !rest.starts_with(['"', '\'', '[', '{']) || key.len() > 1 && !key.contains(' ') => {
                (key.trim_matches(['"', '\'']), value)
            }
            _ => ("", rest),
        };
        if !key.is_empty() && stack.len() < MAX_DEPTH {
            stack.push((indent, key));
        }
        if !rest.is_empty() {
            all.push(Value {
                document: String::new(),
                keys: stack.iter().map(|(_, key)| *key).collect::<Vec<_>>().join("."),
                line,
                text: value.trim().trim_matches(['"', '\'']).to_owned(),
            });
        }
        if key.is_empty() || !value.trim().is_empty() {
            let keep = stack.len() - usize::from(!key.is_empty() && stack.last().is_some_and(|(_, last)| *last == key));
            stack.truncate(keep);
        }
    }
    name(all.get_mut(start..));
    all
}

fn name(document: Option<&mut [Value]>) {
    let Some(document) = document else { return };
    let of = |keys: &str| {
        document
            .iter()
            .find(|value| value.keys == keys)
            .map_or("", |value| value.text.as_str())
    };
    let name = format!("{}/{}", of("kind"), of("metadata.name"));
    if name != "/" {
        for value in document {
            value.document.clone_from(&name);
        }
    }
}

fn without_comment(line: &str) -> &str {
    let mut quote = None;
    let mut before = ' ';
    for (at, c) in line.char_indices() {
        match quote {
            Some(open) if c == open => quote = None,
            Some(_) => {}
            None if matches!(c, '"' | '\'') => quote = Some(c),
            None if c == '#' && before.is_whitespace() => return line.get(..at).unwrap_or(line).trim_end(),
            None => {}
        }
        before = c;
    }
    line.trim_end()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_know_the_keys_above_them_and_their_document() {
        let text = "kind: Service # x\nmetadata:\n  name: web\nspec:\n  ports:\n  - port: 80\n    name: \"a\"\n  - port: 81\n  verbs: [\"get\", '*']\n---\nservices:\n  db:\n    ports:\n      - \"80:80\"\n";
        let found: Vec<_> = values(text).into_iter().map(|value| (value.keys, value.text)).collect();
        let has =
            |keys: &str, text: &str| assert!(found.contains(&(keys.to_owned(), text.to_owned())), "{keys}: {found:?}");
        has("spec.ports.-.port", "80");
        has("spec.ports.-.name", "a");
        has("spec.ports.-.port", "81");
        has("services.db.ports.-", "80:80");
        assert!(
            values(text)
                .iter()
                .any(|value| value.document == "Service/web" && value.key() == "verbs" && value.holds(&["*"]))
        );
    }
}
