//! The surface of a Python distribution, read from its source or its stubs without running either.

mod classes;
mod fields;
mod functions;
mod modules;
mod parameters;
mod values;

use std::collections::BTreeSet;

use tree_sitter::Node;

use super::files::{Bodies, PackageFile, children, collect, field, line, parse, short, text};
use super::surface::{ANY, Found, Item, Kind, Ref, ScopeId, Surface};
use crate::language::Language;
use modules::{Module, metadata, modules};

/// Deepest nesting of blocks in which definitions are looked for.
const MAX_BLOCKS: usize = 20;
/// What stands before a condition that must not hold.
const NOT: &str = "not ";

/// Reads the surface of a distribution: the content of a wheel, of a source archive, or of the part of
/// `site-packages` that is its own. `read_by` names the reader, for the evidence.
#[must_use]
pub fn read_python(package: &str, files: &[PackageFile<'_>], read_by: &str) -> Surface {
    let files = collect(files, &["PKG-INFO", "setup.py", "pyproject.toml", "setup.cfg"]);
    let mut reader = Reader {
        surface: Surface::new(Language::Python, package, read_by),
        bodies: Bodies::default(),
        roots: BTreeSet::new(),
        overloads: BTreeSet::new(),
        guesses: Vec::new(),
    };
    metadata(&files, &mut reader.surface);
    let modules = modules(&files);
    if modules.is_empty() {
        reader.surface.gaps.push("there is no Python source in it".to_owned());
    }
    reader.roots = modules.keys().filter_map(|path| path.first().cloned()).collect();
    for around in modules
        .keys()
        .filter_map(|path| path.strip_suffix(&["__main__".to_owned()]))
    {
        let command = format!("python -m {}", around.join("."));
        reader.surface.commands.insert(command);
    }
    let ids: Vec<(ScopeId, &Module<'_>)> = modules
        .iter()
        .filter_map(|(path, module)| Some((reader.module(path)?, module)))
        .collect();
    for (id, module) in ids {
        reader.read(id, module);
    }
    reader.settle();
    reader.surface
}

struct Reader {
    surface: Surface,
    bodies: Bodies,
    /// Top-level names of the distribution.
    roots: BTreeSet<String>,
    /// Declarations by `overload`, until what they are of is read: scope, name, parameters.
    overloads: BTreeSet<(ScopeId, String, String)>,
    /// `a = b`: an alias if `b` is found, a value otherwise.
    guesses: Vec<(ScopeId, String)>,
}

/// Where definitions are read into.
#[derive(Clone, Copy)]
struct Into<'a> {
    scope: ScopeId,
    /// The module around it.
    module: &'a [String],
    is_package: bool,
    file: &'a str,
    source: &'a str,
    is_stub: bool,
    /// The condition around it, and whether it must hold.
    when: Option<(&'a str, bool)>,
}

impl Reader {
    fn module(&mut self, path: &[String]) -> Option<ScopeId> {
        let mut at = 0;
        for (depth, name) in path.iter().enumerate() {
            at = match self.surface.at(path.get(..=depth)?) {
                Some(id) => id,
                None => {
                    let id = self.surface.add_scope(at, name, false)?;
                    self.surface.define(at, name, Item::new(Kind::Module(id), "", 1));
                    id
                }
            };
        }
        Some(at)
    }

    fn hide(&mut self, scope: ScopeId, why: &str) {
        if let Some(scope) = self.surface.scopes.get_mut(scope) {
            scope.hidden.get_or_insert_with(|| why.to_owned());
        }
    }

    fn read(&mut self, scope: ScopeId, module: &Module<'_>) {
        let Some(source) = module.text else {
            return self.hide(scope, &format!("`{}` is native code, or can't be read", module.file));
        };
        let Some(tree) = parse(&tree_sitter_python::LANGUAGE.into(), source) else {
            return self.hide(scope, &format!("`{}` can't be parsed", module.file));
        };
        if tree.root_node().has_error() {
            self.hide(scope, &format!("part of `{}` can't be parsed", module.file));
        }
        for made in ["sys.modules[__name__]", "globals()[", "globals().update", "vars()["] {
            if source.contains(made) {
                self.hide(scope, &format!("`{}` makes names by `{made}`", module.file));
            }
        }
        let path = self
            .surface
            .scope(scope)
            .map(|scope| scope.path.clone())
            .unwrap_or_default();
        let into = Into {
            scope,
            module: &path,
            is_package: module.is_package,
            file: module.file,
            source,
            is_stub: module.is_stub,
            when: None,
        };
        self.block(into, tree.root_node(), 0);
    }

    fn item(&mut self, into: Into<'_>, name: &str, node: Node<'_>, kind: Kind) {
        let item = self.made(into, name, node, kind);
        self.surface.define(into.scope, name, item);
    }

    fn made(&mut self, into: Into<'_>, name: &str, node: Node<'_>, kind: Kind) -> Item {
        let mut item = Item::new(kind, into.file, line(node));
        if !into.is_stub {
            item.body = self.bodies.add(name, node, into.source);
        }
        item.when = into.when.map(|(condition, holds)| match holds {
            true => short(condition),
            false => format!("{NOT}{}", short(condition)),
        });
        item
    }

    /// Definitions of a block, and of the blocks in it that run in the same scope.
    fn block(&mut self, into: Into<'_>, block: Node<'_>, depth: usize) {
        if depth > MAX_BLOCKS {
            return self.hide(into.scope, "its blocks are nested too deep");
        }
        for node in children(block) {
            match node.kind() {
                "expression_statement" => {
                    for expression in children(node) {
                        self.assignment(into, expression);
                    }
                }
                "function_definition" => self.function(into, node, node, &[]),
                "class_definition" => self.class(into, node, node, &[]),
                "decorated_definition" => {
                    let decorators: Vec<String> = children(node)
                        .into_iter()
                        .filter(|child| child.kind() == "decorator")
                        .map(|child| short(text(child, into.source).trim_start_matches('@')))
                        .collect();
                    match node.child_by_field_name("definition") {
                        Some(inner) if inner.kind() == "function_definition" => {
                            self.function(into, node, inner, &decorators);
                        }
                        Some(inner) => self.class(into, node, inner, &decorators),
                        None => {}
                    }
                }
                "import_statement" => self.import(into, node),
                "import_from_statement" => self.import_from(into, node),
                "if_statement" => self.branches(into, node, depth),
                "raise_statement" if into.when.is_none() && depth == 0 => {
                    if let Some(scope) = self.surface.scopes.get_mut(into.scope) {
                        scope.raises = true;
                    }
                }
                "delete_statement" => {
                    for name in children(node).into_iter().flat_map(|child| match child.kind() {
                        "expression_list" => children(child),
                        _ => vec![child],
                    }) {
                        if let Some(scope) = self.surface.scopes.get_mut(into.scope) {
                            scope.members.remove(text(name, into.source));
                        }
                    }
                }
                "else_clause"
                | "try_statement"
                | "except_clause"
                | "finally_clause"
                | "with_statement"
                | "for_statement"
                | "while_statement"
                | "block"
                | "except_group_clause" => {
                    self.block(into, node, depth + 1);
                }
                "type_alias_statement" => {
                    let name = node.named_child(0).map_or("", |name| text(name, into.source));
                    let name = name.split('[').next().unwrap_or(name).to_owned();
                    self.item(into, &name, node, Kind::Type(short(text(node, into.source))));
                }
                _ => {}
            }
        }
    }

    /// The branches of an `if`, each with the condition under which it is taken.
    fn branches(&mut self, into: Into<'_>, node: Node<'_>, depth: usize) {
        let condition = field(node, "condition", into.source);
        for part in children(node) {
            let when = match part.kind() {
                "block" => (condition, true),
                "elif_clause" => (field(part, "condition", into.source), true),
                "else_clause" => (condition, false),
                _ => continue,
            };
            let when = Some(when);
            self.block(Into { when, ..into }, part, depth + 1);
        }
    }

    fn listed(&mut self, into: Into<'_>, node: Node<'_>) {
        let Some(right) = node.child_by_field_name("right") else {
            return;
        };
        let mut names: BTreeSet<String> = children(right)
            .into_iter()
            .filter(|child| child.kind() == "string")
            .map(|child| text(child, into.source).trim_matches(['"', '\'']).to_owned())
            .collect();
        let written_out =
            matches!(right.kind(), "list" | "tuple") && children(right).iter().all(|part| part.kind() == "string");
        if !written_out {
            names.insert(ANY.to_owned());
        }
        if let Some(scope) = self.surface.scopes.get_mut(into.scope) {
            scope.listed.get_or_insert_with(BTreeSet::new).extend(names);
        }
    }

    fn import(&mut self, into: Into<'_>, node: Node<'_>) {
        for name in children(node) {
            let (module, alias) = match name.kind() {
                "aliased_import" => (
                    field(name, "name", into.source),
                    Some(field(name, "alias", into.source)),
                ),
                _ => (text(name, into.source), None),
            };
            let path: Vec<String> = module.split('.').map(str::to_owned).collect();
            let Some(first) = path.first().cloned() else { continue };
            let (local, path) = match alias {
                Some(alias) => (alias.to_owned(), path),
                None => (first.clone(), vec![first.clone()]),
            };
            self.loads(into, &module.split('.').map(str::to_owned).collect::<Vec<_>>());
            let target = self.target(path);
            self.item(into, &local, node, Kind::Alias(target));
        }
    }

    fn loads(&mut self, into: Into<'_>, path: &[String]) {
        if let Some(scope) = self.surface.scopes.get_mut(into.scope) {
            scope.loads.insert(path.to_vec());
        }
    }

    fn target(&self, path: Vec<String>) -> Ref {
        match path.first() {
            Some(first) if self.roots.contains(first) => Ref::Absolute(path),
            _ => Ref::Elsewhere(path.join(".")),
        }
    }

    fn import_from(&mut self, into: Into<'_>, node: Node<'_>) {
        let written: String = field(node, "module_name", into.source).split_whitespace().collect();
        let level = written.chars().take_while(|c| *c == '.').count();
        let rest = written.get(level..).unwrap_or_default();
        let mut base: Vec<String> = if level > 0 {
            let up = level - usize::from(into.is_package);
            let keep = into.module.len().saturating_sub(up);
            into.module.get(..keep).unwrap_or_default().to_vec()
        } else {
            Vec::new()
        };
        base.extend(rest.split('.').filter(|part| !part.is_empty()).map(str::to_owned));
        self.loads(into, &base);
        for name in children(node).into_iter().skip(1) {
            let (member, alias) = match name.kind() {
                "wildcard_import" => {
                    match self.target(base.clone()) {
                        Ref::Elsewhere(what) => self.hide(into.scope, &format!("every name of `{what}` is taken")),
                        inside => {
                            if let Some(scope) = self.surface.scopes.get_mut(into.scope) {
                                scope.stars.push(inside);
                            }
                        }
                    }
                    continue;
                }
                "aliased_import" => (
                    field(name, "name", into.source),
                    Some(field(name, "alias", into.source)),
                ),
                _ => (text(name, into.source), None),
            };
            let mut path = base.clone();
            path.push(member.to_owned());
            let local = alias.unwrap_or(member).to_owned();
            self.loads(into, &path);
            // `from .sub import sub` in a package: the name stands for both.
            let target = if level > 0 {
                Ref::Absolute(path)
            } else {
                self.target(path)
            };
            self.item(into, &local, node, Kind::Alias(target));
        }
    }

    fn settle(&mut self) {
        for (scope, name) in std::mem::take(&mut self.guesses) {
            let found = matches!(self.surface.member(scope, &name), Found::Thing { .. });
            self.of_instance(scope, &name);
            if found {
                continue;
            }
            let items = self
                .surface
                .scopes
                .get_mut(scope)
                .and_then(|scope| scope.members.get_mut(&name));
            for item in items.into_iter().flatten() {
                if matches!(item.kind, Kind::Alias(Ref::Local(..))) {
                    item.kind = Kind::Value(None);
                }
            }
        }
        self.inherit_fields();
        for items in self
            .surface
            .scopes
            .iter_mut()
            .flat_map(|scope| scope.members.values_mut())
        {
            let conditions: BTreeSet<&str> = items.iter().filter_map(|item| item.when.as_deref()).collect();
            // What is there in both branches is there.
            let always = items.iter().any(|item| item.when.is_none())
                || conditions
                    .iter()
                    .any(|when| when.strip_prefix(NOT).is_some_and(|when| conditions.contains(when)));
            if always {
                items.iter_mut().for_each(|item| item.when = None);
            }
        }
        self.bodies.settle(&mut self.surface);
    }
}
