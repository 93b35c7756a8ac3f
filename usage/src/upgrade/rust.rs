//! The surface of a Rust crate, read from its source: where `cargo-semver-checks` can't be run, or to say which of
//! what it found is used.

mod impls;
mod items;
mod manifest;

use std::collections::{BTreeMap, BTreeSet};

use tree_sitter::Node;

use super::files::{Bodies, PackageFile, children, collect, field, line, parse, short, text};
use super::signature::{Parameter, ParameterKind, Signature};
use super::surface::{Found, INNER, Item, Kind, Made, Ref, ScopeId, Surface};
use crate::language::Language;

/// Deepest nesting of modules.
const MAX_MODULES: usize = 40;

/// Reads the surface of a crate: the content of its archive, or its folder among vendored sources. `read_by` names
/// the reader, for the evidence.
#[must_use]
pub fn read_rust(package: &str, files: &[PackageFile<'_>], read_by: &str) -> Surface {
    let files = collect(files, &["Cargo.toml"]);
    let mut reader = Reader {
        surface: Surface::new(Language::Rust, package, read_by),
        bodies: Bodies::default(),
        files: &files,
        impls: Vec::new(),
        aliases: Vec::new(),
        others: ["std", "core", "alloc"].map(str::to_owned).into(),
        root: 0,
        when: None,
    };
    let (name, file) = reader.manifest(package);
    let Some(root) = reader.surface.add_scope(0, &name, false) else {
        return reader.surface;
    };
    reader.root = root;
    let item = Item::new(Kind::Module(root), &file, 1);
    reader.surface.define(0, &name, item);
    let folder = file.rsplit_once('/').map_or("", |(folder, _)| folder).to_owned();
    reader.file(root, &file, &folder, 0);
    reader.settle();
    reader.surface
}

/// An `impl` block, until it is known where its type is.
struct Impl {
    module: ScopeId,
    ty: Vec<String>,
    of: Option<String>,
    /// Its head, as written.
    whole: String,
    members: Vec<(String, Item)>,
    /// A macro makes some of its members.
    hides: bool,
}

struct Reader<'a> {
    surface: Surface,
    bodies: Bodies,
    files: &'a BTreeMap<&'a str, Option<&'a str>>,
    impls: Vec<Impl>,
    /// `use` declarations: scope, name, first segment, the whole.
    aliases: Vec<(ScopeId, String, String, String)>,
    /// Crates that it depends on.
    others: BTreeSet<String>,
    root: ScopeId,
    /// The `cfg` around what is read.
    when: Option<String>,
}

/// Where items are read into.
#[derive(Clone, Copy)]
struct Into<'a> {
    /// What the module exports.
    exports: ScopeId,
    /// What it doesn't.
    inner: ScopeId,
    file: &'a str,
    /// Folder in which the files of its modules are.
    folder: &'a str,
    source: &'a str,
    depth: usize,
}

impl Into<'_> {
    fn of(&self, public: bool) -> ScopeId {
        if public { self.exports } else { self.inner }
    }
}

impl Reader<'_> {
    fn hide(&mut self, scope: ScopeId, why: String) {
        if let Some(scope) = self.surface.scopes.get_mut(scope) {
            scope.hidden.get_or_insert(why);
        }
    }

    fn file(&mut self, exports: ScopeId, file: &str, folder: &str, depth: usize) {
        let Some(Some(source)) = self.files.get(file).copied() else {
            return self.hide(exports, format!("`{file}` isn't there, or can't be read"));
        };
        self.source(exports, file, folder, source, depth);
    }

    fn source(&mut self, exports: ScopeId, file: &str, folder: &str, source: &str, depth: usize) {
        let Some(tree) = parse(&tree_sitter_rust::LANGUAGE.into(), source) else {
            return self.hide(exports, format!("`{file}` can't be parsed"));
        };
        if tree.root_node().has_error() {
            self.hide(exports, format!("part of `{file}` can't be parsed"));
        }
        self.module(exports, tree.root_node(), file, folder, source, depth);
    }

    fn inner(&mut self, exports: ScopeId) -> Option<ScopeId> {
        let path: Vec<String> = self
            .surface
            .scope(exports)?
            .path
            .iter()
            .cloned()
            .chain([INNER.to_owned()])
            .collect();
        self.surface
            .at(&path)
            .or_else(|| self.surface.add_scope(exports, INNER, false))
    }

    fn module(&mut self, exports: ScopeId, block: Node<'_>, file: &str, folder: &str, source: &str, depth: usize) {
        if depth > MAX_MODULES {
            return self.hide(exports, "its modules are nested too deep".to_owned());
        }
        let Some(inner) = self.inner(exports) else { return };
        let into = Into {
            exports,
            inner,
            file,
            folder,
            source,
            depth,
        };
        let mut attributes: Vec<String> = Vec::new();
        for node in children(block) {
            if node.kind() == "attribute_item" {
                attributes.push(short(text(node, source)));
                continue;
            }
            if node.kind() != "inner_attribute_item" {
                let attributes = std::mem::take(&mut attributes);
                // What only tests see is nobody's.
                if !attributes
                    .iter()
                    .any(|a| a.contains("cfg(test)") || a.contains("cfg(doctest)"))
                {
                    let around = self.when.clone();
                    let own = attributes.iter().find(|a| a.starts_with("#[cfg("));
                    self.when = own
                        .map(|cfg| cfg.trim_matches(['#', '[', ']']).to_owned())
                        .or(around.clone());
                    self.node(into, node, &attributes);
                    self.when = around;
                }
            }
        }
    }

    fn node(&mut self, into: Into<'_>, node: Node<'_>, attributes: &[String]) {
        let name = field(node, "name", into.source).to_owned();
        let public = is_public(node, into.source);
        match node.kind() {
            "function_item" => {
                let mut made = signature(node, into.source);
                made.qualifiers
                    .extend(attributes.iter().filter(|a| a.contains("cfg(")).cloned());
                let macro_name = attributes.iter().find_map(|a| {
                    let derive = a.split_once("proc_macro_derive(").map(|(_, rest)| rest);
                    derive
                        .and_then(|rest| rest.split([')', ',']).next())
                        .map(|name| name.trim().to_owned())
                });
                let exported = macro_name.unwrap_or(name);
                self.item(into, into.of(public), &exported, node, Kind::Function(made));
            }
            "struct_item" | "union_item" => self.structure(into, &name, node, attributes, public),
            "enum_item" => self.enumeration(into, &name, node, attributes, public),
            "trait_item" => self.trait_of(into, &name, node, public),
            "impl_item" => self.implementation(into, node),
            "const_item" | "static_item" => {
                let ty = node.child_by_field_name("type").map(|ty| short(text(ty, into.source)));
                self.item(into, into.of(public), &name, node, Kind::Value(ty));
            }
            "type_item" => {
                let generics = field(node, "type_parameters", into.source);
                let ty = short(&format!("{generics} {}", field(node, "type", into.source)));
                self.item(into, into.of(public), &name, node, Kind::Type(ty));
            }
            "macro_definition" => {
                let exported = attributes.iter().any(|a| a.contains("macro_export"));
                let rules = children(node).into_iter().filter(|child| child.kind() == "macro_rule");
                let qualifiers = rules
                    .filter_map(|rule| rule.child_by_field_name("left"))
                    .map(|left| short(text(left, into.source)))
                    .collect();
                let made = Signature {
                    qualifiers,
                    ..Signature::default()
                };
                let scope = if exported { self.root } else { into.inner };
                self.item(into, scope, &name, node, Kind::Function(made));
            }
            "use_declaration" => self.import(into, node, public),
            "extern_crate_declaration" if public => {
                let item = Kind::Alias(Ref::Elsewhere(name.clone()));
                self.item(into, into.exports, &name, node, item);
            }
            "mod_item" => self.submodule(into, &name, node, attributes, public),
            "foreign_mod_item" => {
                for child in node.child_by_field_name("body").map(children).unwrap_or_default() {
                    self.node(into, child, &[]);
                }
            }
            "function_signature_item" => {
                let made = signature(node, into.source);
                self.item(into, into.of(public), &name, node, Kind::Function(made));
            }
            "macro_invocation" => self.made_by_macro(into, node),
            "expression_statement" => {
                for child in children(node) {
                    self.node(into, child, attributes);
                }
            }
            _ => {}
        }
    }

    /// Items that a macro makes. What `cfg_x! { … }` holds is taken as it is.
    fn made_by_macro(&mut self, into: Into<'_>, node: Node<'_>) {
        let name = field(node, "macro", into.source).to_owned();
        if matches!(
            name.as_str(),
            "thread_local" | "compile_error" | "const_assert" | "assert_impl_all" | "doc_comment"
        ) {
            return;
        }
        let tokens = children(node).into_iter().find(|child| child.kind() == "token_tree");
        let inside = tokens.map_or("", |tokens| text(tokens, into.source));
        let inside = inside
            .get(1..inside.len().saturating_sub(1))
            .unwrap_or_default()
            .to_owned();
        let grammar = tree_sitter_rust::LANGUAGE.into();
        let tree = parse(&grammar, &inside).filter(|tree| !tree.root_node().has_error());
        match tree.filter(|_| name.starts_with("cfg_") || name.ends_with("_cfg")) {
            Some(tree) if into.depth < MAX_MODULES => {
                self.module(
                    into.exports,
                    tree.root_node(),
                    into.file,
                    into.folder,
                    &inside,
                    into.depth + 1,
                );
            }
            _ => self.hide(
                into.exports,
                format!("the macro `{name}` makes items in `{}`", into.file),
            ),
        }
    }

    fn submodule(&mut self, into: Into<'_>, name: &str, node: Node<'_>, attributes: &[String], public: bool) {
        let around = into.of(public);
        let mut path = self
            .surface
            .scope(around)
            .map(|scope| scope.path.clone())
            .unwrap_or_default();
        path.push(name.to_owned());
        let Some(id) = self
            .surface
            .at(&path)
            .or_else(|| self.surface.add_scope(around, name, false))
        else {
            return;
        };
        self.item(into, around, name, node, Kind::Module(id));
        let below = if into.folder.is_empty() {
            name.to_owned()
        } else {
            format!("{}/{name}", into.folder)
        };
        if let Some(body) = node.child_by_field_name("body") {
            return self.module(id, body, into.file, &below, into.source, into.depth + 1);
        }
        let given = attributes
            .iter()
            .find_map(|a| a.split_once("path").and_then(|(_, rest)| rest.split('"').nth(1)));
        let beside = into.file.rsplit_once('/').map_or("", |(folder, _)| folder);
        let mut wanted: Vec<String> = given.map(|file| format!("{beside}/{file}")).into_iter().collect();
        wanted.extend([format!("{below}.rs"), format!("{below}/mod.rs")]);
        let file = wanted
            .iter()
            .map(|file| file.trim_start_matches('/'))
            .find(|file| self.files.contains_key(file));
        match file.map(str::to_owned) {
            Some(file) => self.file(id, &file, &below, into.depth + 1),
            None => self.hide(id, format!("the file of the module `{name}` can't be found")),
        }
    }

    fn item(&mut self, into: Into<'_>, scope: ScopeId, name: &str, node: Node<'_>, kind: Kind) {
        let item = self.made(into, name, node, kind);
        self.surface.define(scope, name, item);
    }

    fn made(&mut self, into: Into<'_>, name: &str, node: Node<'_>, kind: Kind) -> Item {
        let body = match kind {
            Kind::Module(_) => 0,
            _ => self.bodies.add(name, node, into.source),
        };
        let mut item = Item::new(kind, into.file, line(node));
        item.body = body;
        item.when = self.when.clone();
        let value = node.child_by_field_name("value");
        if let Some(value) = value.filter(|value| value.kind().ends_with("_literal")) {
            item.made = Made::Literal(short(text(value, into.source)));
        }
        item
    }

    fn import(&mut self, into: Into<'_>, node: Node<'_>, public: bool) {
        let scope = into.of(public);
        let Some(argument) = node.child_by_field_name("argument") else {
            return;
        };
        let mut open: Vec<(Node<'_>, Vec<String>)> = vec![(argument, Vec::new())];
        let split = |text: &str| -> Vec<String> {
            text.split("::")
                .map(|part| part.trim().trim_start_matches("r#").to_owned())
                .filter(|p| !p.is_empty())
                .collect()
        };
        while let Some((part, mut prefix)) = open.pop() {
            match part.kind() {
                "scoped_use_list" => {
                    prefix.extend(split(field(part, "path", into.source)));
                    open.extend(part.child_by_field_name("list").map(|list| (list, prefix)));
                }
                "use_list" => open.extend(children(part).into_iter().map(|child| (child, prefix.clone()))),
                "use_as_clause" => {
                    prefix.extend(split(field(part, "path", into.source)));
                    self.alias(into, scope, field(part, "alias", into.source), prefix, node);
                }
                "use_wildcard" => {
                    prefix.extend(split(part.named_child(0).map_or("", |path| text(path, into.source))));
                    let target = self.reference(into, &prefix);
                    if let Some(scope) = self.surface.scopes.get_mut(scope) {
                        scope.stars.push(target);
                    }
                }
                _ => {
                    prefix.extend(split(text(part, into.source)));
                    let own = prefix.last().is_some_and(|last| last == "self") && prefix.len() > 1;
                    if own {
                        prefix.pop();
                    }
                    let name = prefix.last().cloned().unwrap_or_default();
                    self.alias(into, scope, &name, prefix, node);
                }
            }
        }
    }

    fn alias(&mut self, into: Into<'_>, scope: ScopeId, name: &str, path: Vec<String>, node: Node<'_>) {
        let first = path.first().cloned().unwrap_or_default();
        let target = self.reference(into, &path);
        self.aliases.push((scope, name.to_owned(), first, path.join("::")));
        self.item(into, scope, name, node, Kind::Alias(target));
    }

    fn reference(&self, into: Into<'_>, path: &[String]) -> Ref {
        let (mut from, mut rest) = (into.exports, path);
        while let Some((first, below)) = rest.split_first() {
            match first.as_str() {
                "crate" | "$crate" => from = self.root,
                "self" => {}
                "super" => {
                    // Above a module is another, or what one doesn't export.
                    let mut up = self
                        .surface
                        .scope(from)
                        .and_then(|scope| scope.parent)
                        .unwrap_or(self.root);
                    let inner = |id| {
                        self.surface
                            .scope(id)
                            .is_some_and(|s: &super::Scope| s.path.last().is_some_and(|l| l == INNER))
                    };
                    while inner(up) {
                        up = self
                            .surface
                            .scope(up)
                            .and_then(|scope| scope.parent)
                            .unwrap_or(self.root);
                    }
                    from = up;
                }
                _ => break,
            }
            rest = below;
        }
        let elsewhere = rest.len() == path.len()
            && path
                .first()
                .is_some_and(|first| matches!(first.as_str(), "std" | "core" | "alloc"));
        if elsewhere {
            Ref::Elsewhere(path.join("::"))
        } else {
            Ref::Local(from, rest.to_vec())
        }
    }

    fn settle(&mut self) {
        for (scope, name, first, whole) in std::mem::take(&mut self.aliases) {
            if !self.others.contains(&first) || matches!(self.surface.member(scope, &name), Found::Thing { .. }) {
                continue;
            }
            let items = self
                .surface
                .scopes
                .get_mut(scope)
                .and_then(|scope| scope.members.get_mut(&name));
            for item in items.into_iter().flatten() {
                if matches!(item.kind, Kind::Alias(Ref::Local(..))) {
                    item.kind = Kind::Alias(Ref::Elsewhere(whole.clone()));
                }
            }
        }
        for found in std::mem::take(&mut self.impls) {
            self.for_others(&found);
            let class = self.surface.class_from(found.module, &found.ty);
            let Some(class) = class else {
                // A trait of the crate, for a type of another or for every type.
                let names = |of: &String| {
                    of.split('<')
                        .next()
                        .unwrap_or(of)
                        .split("::")
                        .map(str::to_owned)
                        .collect()
                };
                let names: Option<Vec<String>> = found.of.as_ref().map(names);
                let own = names.and_then(|names| self.surface.class_from(found.module, &names));
                if let Some(scope) = own.and_then(|id| self.surface.scopes.get_mut(id)) {
                    scope.traits.insert(found.whole);
                }
                continue;
            };
            if let Some(scope) = self.surface.scopes.get_mut(class) {
                scope.traits.extend(found.of);
                if found.hides {
                    scope
                        .hidden
                        .get_or_insert_with(|| "a macro makes some of its members".to_owned());
                }
            }
            for (name, item) in found.members {
                self.surface.define(class, &name, item);
            }
        }
        for items in self
            .surface
            .scopes
            .iter_mut()
            .flat_map(|scope| scope.members.values_mut())
        {
            let conditions: BTreeSet<&str> = items.iter().filter_map(|item| item.when.as_deref()).collect();
            let otherwise = |when: &&str| {
                let inner = when
                    .strip_prefix("cfg(")
                    .and_then(|rest| rest.strip_suffix(')'))
                    .unwrap_or(when);
                conditions.contains(format!("cfg(not({inner}))").as_str())
            };
            if items.iter().any(|item| item.when.is_none()) || conditions.iter().any(otherwise) {
                items.iter_mut().for_each(|item| item.when = None);
            }
        }
        self.bodies.settle(&mut self.surface);
    }
}

/// Whether an item is visible outside of its crate as far as its own words say.
fn is_public(node: Node<'_>, source: &str) -> bool {
    children(node)
        .into_iter()
        .any(|child| child.kind() == "visibility_modifier" && text(child, source) == "pub")
}

fn signature(node: Node<'_>, source: &str) -> Signature {
    let mut made = Signature {
        returns: node
            .child_by_field_name("return_type")
            .map(|ty| short(text(ty, source))),
        ..Signature::default()
    };
    for child in children(node) {
        match child.kind() {
            "function_modifiers" => {
                let words = text(child, source);
                made.is_async = words.split_whitespace().any(|word| word == "async");
                let others = words.split_whitespace().filter(|word| *word != "async");
                made.qualifiers.extend(others.map(str::to_owned));
            }
            "type_parameters" | "where_clause" => made
                .qualifiers
                .push(short(text(child, source)).trim_end_matches(',').to_owned()),
            _ => {}
        }
    }
    for parameter in node.child_by_field_name("parameters").map(children).unwrap_or_default() {
        match parameter.kind() {
            "self_parameter" => made.qualifiers.push(short(text(parameter, source))),
            "parameter" => made.parameters.push(Parameter {
                name: short(field(parameter, "pattern", source)),
                kind: ParameterKind::Positional,
                required: true,
                default: None,
                ty: parameter.child_by_field_name("type").map(|ty| short(text(ty, source))),
            }),
            "variadic_parameter" => made.qualifiers.push("...".to_owned()),
            _ => {}
        }
    }
    made
}
