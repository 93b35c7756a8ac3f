//! The surface of an npm package, read from its declarations, or from its source where it has none.

mod enums;
mod forms;
mod manifest;
mod members;
mod whole;

use std::collections::{BTreeMap, BTreeSet};

use tree_sitter::Node;

use forms::made;

use super::files::{Bodies, PackageFile, children, collect, field, line, parse, short, text};
use super::signature::{Parameter, ParameterKind, Signature};
use super::surface::{INNER, Item, Kind, Ref, ScopeId, Surface};
use crate::language::Language;

/// Bytes per line on average from which a file is what a bundler or a minifier wrote.
const MINIFIED: usize = 1_500;

/// Name of the scope that holds what a package declares of names that are everywhere (`declare global`).
pub(super) const GLOBAL: &str = "global";

/// Reads the surface of an npm package: the content of its archive, or its folder in `node_modules`. `read_by` names
/// the reader, for the evidence.
#[must_use]
pub fn read_javascript(package: &str, files: &[PackageFile<'_>], read_by: &str) -> Surface {
    let files = collect(files, &["package.json"]);
    let mut reader = Reader {
        surface: Surface::new(Language::JavaScript, package, read_by),
        bodies: Bodies::default(),
        modules: BTreeMap::new(),
        open: Vec::new(),
        files: &files,
    };
    let entries = manifest::entries(package, &files, &mut reader.surface);
    if entries.is_empty() {
        reader
            .surface
            .gaps
            .push("which of its files can be loaded can't be told".to_owned());
    }
    for (specifier, file) in entries {
        if let Some(id) = reader.module(&file) {
            let item = Item::new(Kind::Module(id), &file, 1);
            reader.surface.define(0, &specifier, item);
        }
    }
    while let Some((id, file)) = reader.open.pop() {
        reader.read(id, &file);
    }
    reader.settle();
    reader.surface
}

struct Reader<'a> {
    surface: Surface,
    bodies: Bodies,
    /// Scopes of files.
    modules: BTreeMap<String, ScopeId>,
    /// Files that are still to be read.
    open: Vec<(ScopeId, String)>,
    files: &'a BTreeMap<&'a str, Option<&'a str>>,
}

/// Where declarations are read into.
#[derive(Clone, Copy)]
struct Into<'a> {
    /// What the module exports.
    exports: ScopeId,
    /// What it declares.
    inner: ScopeId,
    file: &'a str,
    source: &'a str,
    /// Nothing but declarations: bodies aren't there.
    only_types: bool,
}

impl<'a> Reader<'a> {
    fn module(&mut self, file: &str) -> Option<ScopeId> {
        if let Some(id) = self.modules.get(file) {
            return Some(*id);
        }
        let name = format!("./{file}");
        let id = self.surface.add_scope(0, &name, false)?;
        self.surface.define(0, &name, Item::new(Kind::Module(id), file, 1));
        self.modules.insert(file.to_owned(), id);
        self.open.push((id, file.to_owned()));
        Some(id)
    }

    fn hide(&mut self, scope: ScopeId, why: String) {
        if let Some(scope) = self.surface.scopes.get_mut(scope) {
            scope.hidden.get_or_insert(why);
        }
    }

    fn read(&mut self, exports: ScopeId, file: &str) {
        let Some(Some(source)) = self.files.get(file).copied() else {
            return self.hide(exports, format!("`{file}` isn't there, or can't be read"));
        };
        if file.ends_with(".json") {
            return self.hide(exports, format!("`{file}` is data"));
        }
        let lines = source.lines().count().max(1);
        if source.len() / lines > MINIFIED {
            return self.hide(exports, format!("`{file}` is bundled or minified"));
        }
        let only_types = crate::language::only_types(file);
        let typed = only_types || [".ts", ".mts", ".cts"].iter().any(|ending| file.ends_with(ending));
        let grammar = if typed {
            tree_sitter_typescript::LANGUAGE_TYPESCRIPT.into()
        } else {
            tree_sitter_javascript::LANGUAGE.into()
        };
        let Some(tree) = parse(&grammar, source) else {
            return self.hide(exports, format!("`{file}` can't be parsed"));
        };
        if tree.root_node().has_error() {
            self.hide(exports, format!("part of `{file}` can't be parsed"));
        }
        let Some(inner) = self.surface.add_scope(exports, INNER, false) else {
            return;
        };
        let into = Into {
            exports,
            inner,
            file,
            source,
            only_types,
        };
        for node in children(tree.root_node()) {
            self.statement(into, node);
        }
        let nothing = self
            .surface
            .scope(exports)
            .is_some_and(|scope| scope.members.is_empty() && scope.stars.is_empty());
        if nothing {
            self.hide(exports, format!("what `{file}` exports can't be read"));
        }
    }

    fn statement(&mut self, into: Into<'_>, node: Node<'_>) {
        match node.kind() {
            "import_statement" => self.import(into, node),
            "export_statement" => self.export(into, node),
            "ambient_declaration" if text(node, into.source).starts_with("declare global") => self.global(into, node),
            "expression_statement" => {
                for expression in children(node) {
                    self.expression(into, expression);
                }
            }
            "if_statement" | "statement_block" | "try_statement" | "else_clause" => {
                for child in children(node) {
                    self.statement(into, child);
                }
            }
            _ => self.declare(into, into.inner, node),
        }
    }

    /// What a package declares of names that are everywhere.
    fn global(&mut self, into: Into<'_>, node: Node<'_>) {
        let known = self.surface.at(&[GLOBAL.to_owned()]);
        let Some(id) = known.or_else(|| self.surface.add_scope(0, GLOBAL, false)) else {
            return;
        };
        let inside = Into {
            exports: id,
            inner: id,
            ..into
        };
        for block in children(node) {
            for child in children(block) {
                self.statement(inside, child);
            }
        }
    }

    /// The file that a specifier in another file means; `None` for another package's.
    fn target(&mut self, into: Into<'_>, specifier: &str) -> Option<String> {
        if !specifier.starts_with('.') {
            return None;
        }
        let mut parts: Vec<&str> = into.file.split('/').collect();
        parts.pop();
        for part in specifier.split('/') {
            match part {
                "" | "." => {}
                ".." => {
                    parts.pop();
                }
                part => parts.push(part),
            }
        }
        let path = parts.join("/");
        manifest::file_of(&path, into.only_types, self.files)
    }

    fn reference(&mut self, into: Into<'_>, specifier: &str, member: Option<&str>) -> Ref {
        match self.target(into, specifier) {
            Some(file) => {
                self.module(&file);
                let path = std::iter::once(format!("./{file}")).chain(member.map(str::to_owned));
                Ref::Absolute(path.collect())
            }
            None => Ref::Elsewhere(match member {
                Some(member) => format!("{specifier}.{member}"),
                None => specifier.to_owned(),
            }),
        }
    }

    fn item(&mut self, into: Into<'_>, scope: ScopeId, name: &str, node: Node<'_>, kind: Kind) {
        let body = if into.only_types {
            0
        } else {
            self.bodies.add(name, node, into.source)
        };
        let value = node
            .child_by_field_name("value")
            .or_else(|| node.child_by_field_name("right"));
        let mut item = Item::new(kind, into.file, line(node));
        item.body = body;
        item.made = value.map(|value| made(value, into.source)).unwrap_or_default();
        self.surface.define(scope, name, item);
    }

    fn import(&mut self, into: Into<'_>, node: Node<'_>) {
        let specifier = field(node, "source", into.source).trim_matches(['"', '\'']).to_owned();
        let clauses = children(node);
        if let Some(clause) = clauses.iter().find(|child| child.kind() == "import_require_clause") {
            let specifier = field(*clause, "source", into.source)
                .trim_matches(['"', '\''])
                .to_owned();
            let local = clause
                .named_child(0)
                .map_or("", |name| text(name, into.source))
                .to_owned();
            let target = self.reference(into, &specifier, None);
            return self.item(into, into.inner, &local, node, Kind::Alias(target));
        }
        for clause in clauses.into_iter().filter(|child| child.kind() == "import_clause") {
            for part in children(clause) {
                match part.kind() {
                    "identifier" => {
                        let target = self.reference(into, &specifier, Some("default"));
                        self.item(into, into.inner, text(part, into.source), node, Kind::Alias(target));
                    }
                    "namespace_import" => {
                        let local = part.named_child(0).map_or("", |name| text(name, into.source));
                        let target = self.reference(into, &specifier, None);
                        self.item(into, into.inner, local, node, Kind::Alias(target));
                    }
                    _ => {
                        for name in children(part)
                            .into_iter()
                            .filter(|child| child.kind() == "import_specifier")
                        {
                            let member = field(name, "name", into.source);
                            let alias = field(name, "alias", into.source);
                            let target = self.reference(into, &specifier, Some(member));
                            let local = if alias.is_empty() { member } else { alias };
                            self.item(into, into.inner, local, node, Kind::Alias(target));
                        }
                    }
                }
            }
        }
    }

    fn export(&mut self, into: Into<'_>, node: Node<'_>) {
        let source = node
            .child_by_field_name("source")
            .map(|source| text(source, into.source).trim_matches(['"', '\'']));
        if let Some(declaration) = node.child_by_field_name("declaration") {
            let is_default = (0..node.child_count() as u32)
                .filter_map(|index| node.child(index))
                .any(|child| child.kind() == "default");
            if is_default {
                let name = field(declaration, "name", into.source).to_owned();
                if name.is_empty() {
                    let kind = self.value(into, declaration, "default");
                    return self.item(into, into.exports, "default", node, kind);
                }
                self.declare(into, into.inner, declaration);
                let target = Ref::Local(into.inner, vec![name]);
                return self.item(into, into.exports, "default", node, Kind::Alias(target));
            }
            return self.declare(into, into.exports, declaration);
        }
        let mut cursor = node.walk();
        let all: Vec<Node<'_>> = node.children(&mut cursor).collect();
        let whole = all.iter().any(|child| child.kind() == "=");
        if let Some(value) = node.child_by_field_name("value") {
            let kind = self.value(into, value, "default");
            return self.item(into, into.exports, "default", node, kind);
        }
        for child in &all {
            match child.kind() {
                "identifier" | "member_expression" if whole => {
                    let names = text(*child, into.source).split('.').map(str::to_owned).collect();
                    let target = Ref::Local(into.inner, names);
                    self.item(into, into.exports, "=", node, Kind::Alias(target));
                }
                "*" if source.is_some() && !all.iter().any(|child| child.kind() == "namespace_export") => {
                    match self.reference(into, source.unwrap_or_default(), None) {
                        Ref::Elsewhere(what) => self.hide(into.exports, format!("it hands on all of `{what}`")),
                        inside => {
                            if let Some(scope) = self.surface.scopes.get_mut(into.exports) {
                                scope.stars.push(inside);
                            }
                        }
                    }
                }
                "namespace_export" => {
                    let name = child.named_child(0).map_or("", |name| text(name, into.source));
                    let target = self.reference(into, source.unwrap_or_default(), None);
                    self.item(into, into.exports, name, node, Kind::Alias(target));
                }
                "export_clause" => {
                    for name in children(*child)
                        .into_iter()
                        .filter(|child| child.kind() == "export_specifier")
                    {
                        let member = field(name, "name", into.source);
                        let alias = field(name, "alias", into.source);
                        let target = match source {
                            Some(source) => self.reference(into, source, Some(member)),
                            None => Ref::Local(into.inner, vec![member.to_owned()]),
                        };
                        let local = if alias.is_empty() { member } else { alias };
                        self.item(into, into.exports, local, name, Kind::Alias(target));
                    }
                }
                _ => {}
            }
        }
    }

    /// Declarations of one name whose order matters become one item.
    fn settle(&mut self) {
        for scope in &mut self.surface.scopes {
            for items in scope.members.values_mut() {
                let overloads: BTreeSet<String> = items
                    .iter()
                    .filter_map(|item| match &item.kind {
                        Kind::Function(signature) => Some(signature.spelled()),
                        _ => None,
                    })
                    .collect();
                if overloads.len() > 1 {
                    for item in items.iter_mut() {
                        if let Kind::Function(signature) = &mut item.kind {
                            signature.qualifiers.extend(overloads.iter().map(|text| short(text)));
                        }
                    }
                }
            }
        }
        self.bodies.settle(&mut self.surface);
    }
}

/// What a function asks for and gives.
fn signature(node: Node<'_>, source: &str) -> Signature {
    let mut made = Signature {
        returns: node.child_by_field_name("return_type").map(|ty| plain_type(ty, source)),
        is_async: node.child(0).is_some_and(|first| first.kind() == "async"),
        ..Signature::default()
    };
    made.gives = forms::gives(node, source);
    made.never_made = made.is_async
        || match node.kind() {
            "arrow_function" | "generator_function" | "generator_function_declaration" => true,
            "method_definition" => field(node, "name", source) != "constructor",
            _ => false,
        };
    if let Some(generics) = node.child_by_field_name("type_parameters") {
        made.qualifiers.push(short(text(generics, source)));
    }
    let list = node.child_by_field_name("parameters").map(children).unwrap_or_default();
    let single = node.child_by_field_name("parameter");
    for parameter in list.into_iter().chain(single) {
        let (pattern, typed) = match parameter.kind() {
            "required_parameter" | "optional_parameter" => (parameter.child_by_field_name("pattern"), true),
            "assignment_pattern" => (parameter.child_by_field_name("left"), false),
            _ => (Some(parameter), false),
        };
        let Some(pattern) = pattern else { continue };
        if text(pattern, source) == "this" {
            continue;
        }
        let is_rest = pattern.kind() == "rest_pattern";
        let ty = parameter.child_by_field_name("type").map(|ty| plain_type(ty, source));
        let shape = matches!(pattern.kind(), "object_pattern" | "array_pattern").then(|| short(text(pattern, source)));
        let value = parameter
            .child_by_field_name("value")
            .or_else(|| parameter.child_by_field_name("right"));
        made.parameters.push(Parameter {
            name: short(text(pattern, source).trim_start_matches('.')),
            kind: if is_rest {
                ParameterKind::Rest
            } else {
                ParameterKind::Positional
            },
            // Without types, whether a parameter must be given is its function's own affair.
            required: typed && parameter.kind() == "required_parameter" && ty.is_some() && value.is_none() && !is_rest,
            default: value.map(|value| short(text(value, source))),
            ty: ty.or(shape),
        });
    }
    made
}

/// A type annotation without its colon.
fn plain_type(node: Node<'_>, source: &str) -> String {
    short(text(node, source).trim_start_matches(':'))
}
