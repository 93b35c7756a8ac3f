//! Claims in Terraform's language: tags and labels, and the block that a comment belongs to.

use hcl_edit::Span as _;
use hcl_edit::expr::{Expression, Object, ObjectKey};
use hcl_edit::structure::{Block, Body, Structure};
use hcl_edit::visit::{Visit, visit_block, visit_object};
use holdpoint_schemas::control::ControlKind;
use std::ops::Range;

use super::claim::Claim;
use super::{MAX_MARKERS, Marker};

/// Largest file that is parsed; a larger one isn't written by hand, and is read line by line.
const MAX_BYTES: usize = 1 << 20;

/// What a tag's name says about its value.
enum Tag {
    /// The name is the kind; the value says more.
    Kind(ControlKind),
    /// The value begins with the kind.
    Any,
}

/// Reads a tag's name. Clouds differ in what a name may hold: `holdpoint:control`,
/// `holdpoint-control`, `holdpoint_control`, `break_glass`.
fn tag(name: &str) -> Option<Tag> {
    let plain: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
    match plain.to_ascii_lowercase().as_str() {
        "breakglass" => Some(Tag::Kind(ControlKind::BreakGlass)),
        "handsoff" => Some(Tag::Kind(ControlKind::HandsOff)),
        "compensatingcontrol" => Some(Tag::Kind(ControlKind::Compensating)),
        "holdpointcontrol" | "holdpointdevcontrol" => Some(Tag::Any),
        _ => None,
    }
}

/// The claim of a tag; `value` is `None` when it can't be known here, and then it holds.
pub(super) fn claim(name: &str, value: Option<&str>) -> Option<Claim> {
    let tag = tag(name)?;
    if value.is_some_and(Claim::is_denied) {
        return None;
    }
    let text = value.unwrap_or_default();
    let mut claim = match tag {
        Tag::Kind(kind) => {
            let text = if text.eq_ignore_ascii_case("true") || text.eq_ignore_ascii_case("yes") {
                ""
            } else {
                text
            };
            Claim::of_kind(kind, text)
        }
        Tag::Any => Claim::parse(text).unwrap_or_else(|| {
            let mut claim = Claim::of_kind(ControlKind::HandsOff, "");
            claim.unclear = Some(format!("`{}` isn't a kind of control", super::claim::shown(text)));
            claim
        }),
    };
    if value.is_none() {
        claim.unclear = Some(format!("the value of the tag `{name}` is computed"));
    }
    Some(claim)
}

/// Adds the claims of tags in a Terraform file, and to those of its comments the address of the block
/// that they stand in or above. A file that can't be parsed is read line by line.
pub(super) fn refine(repo: &str, path: &str, text: &str, found: &mut Vec<Marker>) {
    if !mentions_tag(text) {
        return;
    }
    let parsed = (text.len() <= MAX_BYTES).then(|| text.parse::<Body>().ok());
    let Some(body) = parsed.flatten() else {
        by_line(repo, path, text, found);
        return;
    };
    let lines = Lines::new(text);
    let blocks: Vec<(Range<usize>, &Block)> = body
        .iter()
        .filter_map(Structure::as_block)
        .filter_map(|block| Some((lines.of(block.span()?), block)))
        .collect();
    for marker in found.iter_mut() {
        let holder = blocks.iter().find(|(range, _)| {
            let above = marker.line < range.start && (marker.line..range.start).all(|line| lines.is_comment(line));
            range.contains(&marker.line) || above
        });
        marker.control.address = holder.and_then(|(_, block)| address(block));
    }
    for (_, block) in blocks {
        let mut tags = Tags {
            whole: block.has_ident("locals"),
            inside: false,
            found: Vec::new(),
        };
        tags.visit_block(block);
        for (at, claim) in tags.found.into_iter().take(MAX_MARKERS.saturating_sub(found.len())) {
            let line = lines.number(at);
            // An annotation of a manifest in HCL is both; it was found by its line already.
            if !found
                .iter()
                .any(|marker| marker.line == line && marker.control.kind == claim.kind)
            {
                let mut marker = claim.marker(repo, path, line);
                marker.control.address = address(block);
                found.push(marker);
            }
        }
    }
}

/// Whether a text may hold a tag that matters: most don't, and needn't be parsed.
pub(super) fn mentions_tag(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    ["break", "hands", "compensating", "holdpoint"]
        .iter()
        .any(|name| lower.contains(name))
}

/// The address of what a block declares, as plans write it without its index.
fn address(block: &Block) -> Option<String> {
    let labels: Vec<&str> = block.labels.iter().map(|label| label.as_str()).collect();
    match (block.ident.as_str(), labels.as_slice()) {
        ("resource", [kind, name]) => Some(format!("{kind}.{name}")),
        ("data", [kind, name]) => Some(format!("data.{kind}.{name}")),
        ("module", [name]) => Some(format!("module.{name}")),
        _ => None,
    }
}

/// Looks for tags in a block: in `tags = { … }` and its like, however it is put together, and in
/// `tag { key = … value = … }`.
struct Tags {
    /// Whether all maps count, as in `locals`.
    whole: bool,
    inside: bool,
    found: Vec<(usize, Claim)>,
}

impl Visit for Tags {
    fn visit_attr(&mut self, attribute: &hcl_edit::structure::Attribute) {
        let name = attribute.key.as_str().to_ascii_lowercase();
        let before = self.inside;
        self.inside = before || self.whole || ["tag", "label", "annotation"].iter().any(|part| name.contains(part));
        hcl_edit::visit::visit_attr(self, attribute);
        self.inside = before;
    }

    fn visit_object(&mut self, object: &Object) {
        if self.inside {
            for (key, value) in object.iter() {
                let name = match key {
                    ObjectKey::Ident(name) => Some(name.as_str()),
                    ObjectKey::Expression(key) => key.as_str(),
                };
                self.add(name, value.expr());
            }
        }
        visit_object(self, object);
    }

    fn visit_block(&mut self, block: &Block) {
        if block.has_ident("tag") {
            let get = |name: &str| block.body.get_attribute(name).map(|attribute| &attribute.value);
            if let (Some(key), Some(value)) = (get("key").and_then(Expression::as_str), get("value")) {
                self.add(Some(key), value);
            }
        }
        visit_block(self, block);
    }
}

impl Tags {
    fn add(&mut self, name: Option<&str>, value: &Expression) {
        let text = match value {
            Expression::Null(_) => Some(String::new()),
            Expression::Bool(yes) => Some(yes.value().to_string()),
            value => value.as_str().map(str::to_owned),
        };
        let at = value.span().map(|span| span.start).unwrap_or_default();
        self.found.extend(
            name.and_then(|name| claim(name, text.as_deref()))
                .map(|claim| (at, claim)),
        );
    }
}

/// What can be told of tags without a parser: `name = "value"`.
fn by_line(repo: &str, path: &str, text: &str, found: &mut Vec<Marker>) {
    for (line, number) in text.lines().zip(1..) {
        let Some((name, value)) = line.split_once('=').filter(|_| found.len() < MAX_MARKERS) else {
            continue;
        };
        let quoted = value.trim().strip_prefix('"').and_then(|rest| rest.split('"').next());
        if let Some(claim) = claim(name.trim().trim_matches('"'), quoted)
            && !found.iter().any(|marker| marker.line == number)
        {
            found.push(claim.marker(repo, path, number));
        }
    }
}

/// Line numbers of byte offsets.
struct Lines<'a> {
    text: Vec<&'a str>,
    starts: Vec<usize>,
}

impl<'a> Lines<'a> {
    fn new(text: &'a str) -> Self {
        let breaks = text
            .bytes()
            .enumerate()
            .filter(|(_, byte)| *byte == b'\n')
            .map(|(at, _)| at + 1);
        Self {
            text: text.lines().collect(),
            starts: std::iter::once(0).chain(breaks).collect(),
        }
    }

    fn number(&self, at: usize) -> usize {
        self.starts.partition_point(|start| *start <= at)
    }

    /// The lines of bytes, from 1, without the one after.
    fn of(&self, bytes: Range<usize>) -> Range<usize> {
        self.number(bytes.start)..self.number(bytes.end.saturating_sub(1)) + 1
    }

    fn is_comment(&self, number: usize) -> bool {
        let line = number.checked_sub(1).and_then(|index| self.text.get(index));
        line.is_some_and(|line| line.trim_start().starts_with(['#', '/', '*']))
    }
}
