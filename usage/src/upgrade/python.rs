//! The surface of a Python distribution, read from its source or its stubs without running either.

mod modules;
mod parameters;

use std::collections::BTreeSet;

use tree_sitter::Node;

use super::files::{Bodies, PackageFile, children, collect, field, line, parse, short, text};
use super::signature::{Parameter, ParameterKind, Signature};
use super::surface::{Found, Item, Kind, Ref, ScopeId, Surface};
use crate::language::Language;
use modules::{Module, metadata, modules};
use parameters::signature;

/// Decorators that leave a signature as it is written.
const TRANSPARENT: &[&str] = &[
    "staticmethod",
    "classmethod",
    "abstractmethod",
    "final",
    "override",
    "overload",
    "wraps",
    "deprecated",
    "setupmethod",
    "property",
    "cached_property",
    "deprecate_kwarg",
    "versionadded",
    "runtime_checkable",
    "no_type_check",
];
/// Deepest nesting of blocks in which definitions are looked for.
const MAX_BLOCKS: usize = 20;

/// Reads the surface of a distribution: the content of a wheel, of a source archive, or of the part of
/// `site-packages` that is its own. `read_by` names the reader, for the evidence.
#[must_use]
pub fn read_python(package: &str, files: &[PackageFile<'_>], read_by: &str) -> Surface {
    let files = collect(files, &["PKG-INFO", "setup.py", "pyproject.toml", "setup.cfg"]);
    let mut reader = Reader {
        surface: Surface::new(Language::Python, package, read_by),
        bodies: Bodies::default(),
        roots: BTreeSet::new(),
        guesses: Vec::new(),
    };
    metadata(&files, &mut reader.surface);
    let modules = modules(&files);
    if modules.is_empty() {
        reader.surface.gaps.push("there is no Python source in it".to_owned());
    }
    reader.roots = modules.keys().filter_map(|path| path.first().cloned()).collect();
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
}

impl Reader {
    fn module(&mut self, path: &[String]) -> Option<ScopeId> {
        let mut at = 0;
        for (depth, name) in path.iter().enumerate() {
            at = match self.surface.at(path.get(..=depth)?) {
                Some(id) => id,
                None => {
                    let id = self.surface.add_scope(at, name, false)?;
                    let item = Item {
                        kind: Kind::Module(id),
                        body: 0,
                        file: String::new(),
                        line: 1,
                    };
                    self.surface.define(at, name, item);
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
        };
        self.block(into, tree.root_node(), 0);
    }

    fn item(&mut self, into: Into<'_>, name: &str, node: Node<'_>, kind: Kind) {
        let body = if into.is_stub {
            0
        } else {
            self.bodies.add(name, node, into.source)
        };
        let item = Item {
            kind,
            body,
            file: into.file.to_owned(),
            line: line(node),
        };
        self.surface.define(into.scope, name, item);
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
                "if_statement"
                | "elif_clause"
                | "else_clause"
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

    fn assignment(&mut self, into: Into<'_>, node: Node<'_>) {
        if node.kind() != "assignment" {
            // `__all__ += [...]`
            if node.kind() == "augmented_assignment" && field(node, "left", into.source) == "__all__" {
                self.listed(into, node);
            }
            return;
        }
        let Some(left) = node.child_by_field_name("left") else {
            return;
        };
        let right = node.child_by_field_name("right");
        let targets = match left.kind() {
            "identifier" => vec![left],
            "pattern_list" | "tuple_pattern" | "list_pattern" => children(left),
            _ => return,
        };
        for target in targets.iter().filter(|target| target.kind() == "identifier") {
            let name = text(*target, into.source);
            if name == "__all__" {
                self.listed(into, node);
                continue;
            }
            let ty = node.child_by_field_name("type").map(|ty| short(text(ty, into.source)));
            let literal = right.and_then(|right| match right.kind() {
                "string" | "concatenated_string" => Some("str"),
                "integer" => Some("int"),
                "float" => Some("float"),
                "true" | "false" => Some("bool"),
                _ => None,
            });
            let kind =
                match right.filter(|right| targets.len() == 1 && matches!(right.kind(), "identifier" | "attribute")) {
                    Some(right) if ty.is_none() => {
                        let names = text(right, into.source)
                            .split('.')
                            .map(|part| part.trim().to_owned())
                            .collect();
                        self.guesses.push((into.scope, name.to_owned()));
                        Kind::Alias(Ref::Local(into.scope, names))
                    }
                    _ => Kind::Value(ty.or_else(|| literal.map(str::to_owned))),
                };
            self.item(into, name, node, kind);
        }
        // `a = b = c`
        if let Some(right) = right.filter(|right| right.kind() == "assignment") {
            self.assignment(into, right);
        }
    }

    fn listed(&mut self, into: Into<'_>, node: Node<'_>) {
        let Some(right) = node.child_by_field_name("right") else {
            return;
        };
        let names: BTreeSet<String> = children(right)
            .into_iter()
            .filter(|child| child.kind() == "string")
            .map(|child| text(child, into.source).trim_matches(['"', '\'']).to_owned())
            .collect();
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
            let target = self.target(path);
            self.item(into, &local, node, Kind::Alias(target));
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
            // `from .sub import sub` in a package: the name stands for both.
            let target = if level > 0 {
                Ref::Absolute(path)
            } else {
                self.target(path)
            };
            self.item(into, &local, node, Kind::Alias(target));
        }
    }

    fn function(&mut self, into: Into<'_>, whole: Node<'_>, node: Node<'_>, decorators: &[String]) {
        let name = field(node, "name", into.source).to_owned();
        let in_class = self.surface.scope(into.scope).is_some_and(|scope| scope.is_class);
        let last = |decorator: &String| {
            let called = decorator.split('(').next().unwrap_or(decorator);
            called.rsplit('.').next().unwrap_or(called).trim().to_owned()
        };
        let has = |wanted: &str| decorators.iter().any(|decorator| last(decorator) == wanted);
        if has("overload") || has("setter") || has("deleter") || has("getter") {
            return;
        }
        let mut signature = signature(node, into.source, in_class && !has("staticmethod"));
        signature.qualifiers = decorators
            .iter()
            .filter(|d| !TRANSPARENT.contains(&last(d).as_str()))
            .cloned()
            .collect();
        if has("abstractmethod")
            && let Some(scope) = self.surface.scopes.get_mut(into.scope)
        {
            scope.required.insert(name.clone());
        }
        if name == "__getattr__" || name == "__getattribute__" {
            self.made_on_demand(into, node, in_class);
        }
        if in_class {
            self.attributes(into, node);
            let scope = self.surface.scopes.get_mut(into.scope);
            if let Some(scope) = scope.filter(|s| name == "__init__" || (name == "__new__" && s.constructor.is_none()))
            {
                scope.constructor = Some(signature.clone());
            }
        }
        let is_value = in_class && (has("property") || has("cached_property") || has("hybrid_property"));
        let kind = if is_value {
            Kind::Value(signature.returns)
        } else {
            Kind::Function(signature)
        };
        self.item(into, &name, whole, kind);
    }

    /// `__getattr__`: any name may be there; or, where it only compares with strings, those.
    fn made_on_demand(&mut self, into: Into<'_>, node: Node<'_>, in_class: bool) {
        let body = text(node, into.source);
        let open = [
            "import_module",
            "__import__",
            "getattr(",
            "globals",
            "_lazy",
            "[name]",
            "[item]",
            "[attr]",
        ];
        if in_class || open.iter().any(|call| body.contains(call)) {
            return self.hide(into.scope, "it makes members when they are asked for (`__getattr__`)");
        }
        for part in body.split(['"', '\'']).skip(1).step_by(2) {
            if !part.is_empty() && part.chars().all(|c| c.is_alphanumeric() || c == '_') {
                let why = "`__getattr__` makes it when it is asked for".to_owned();
                let item = Item {
                    kind: Kind::Opaque(why),
                    body: 0,
                    file: into.file.to_owned(),
                    line: line(node),
                };
                self.surface.define(into.scope, part, item);
            }
        }
    }

    /// Attributes that methods give to `self`.
    fn attributes(&mut self, into: Into<'_>, method: Node<'_>) {
        let receiver = method
            .child_by_field_name("parameters")
            .and_then(|parameters| parameters.named_child(0))
            .map_or("", |first| text(first, into.source));
        let receiver = receiver.split(':').next().unwrap_or_default().trim().to_owned();
        if receiver.is_empty() {
            return;
        }
        let mut open = vec![method];
        let mut steps = 0;
        while let Some(node) = open.pop() {
            steps += 1;
            if steps > 50_000 {
                return self.hide(into.scope, "its methods are too long");
            }
            if node.kind() == "assignment"
                && let Some(left) = node.child_by_field_name("left")
            {
                let targets = if left.kind() == "attribute" {
                    vec![left]
                } else {
                    children(left)
                };
                for target in targets.into_iter().filter(|target| target.kind() == "attribute") {
                    let name = field(target, "attribute", into.source);
                    let known = self
                        .surface
                        .scope(into.scope)
                        .is_some_and(|scope| scope.members.contains_key(name));
                    if field(target, "object", into.source) == receiver && !known {
                        let ty = node.child_by_field_name("type").map(|ty| short(text(ty, into.source)));
                        let item = Item {
                            kind: Kind::Value(ty),
                            body: 0,
                            file: into.file.to_owned(),
                            line: line(node),
                        };
                        self.surface.define(into.scope, name, item);
                    }
                }
            }
            open.extend(children(node));
        }
    }

    fn class(&mut self, into: Into<'_>, whole: Node<'_>, node: Node<'_>, decorators: &[String]) {
        let name = field(node, "name", into.source).to_owned();
        let mut path = self
            .surface
            .scope(into.scope)
            .map(|scope| scope.path.clone())
            .unwrap_or_default();
        path.push(name.clone());
        let known = self
            .surface
            .at(&path)
            .filter(|id| self.surface.scope(*id).is_some_and(|scope| scope.is_class));
        let Some(id) = known.or_else(|| self.surface.add_scope(into.scope, &name, true)) else {
            return;
        };
        let mut bases = Vec::new();
        for base in node
            .child_by_field_name("superclasses")
            .map(children)
            .unwrap_or_default()
        {
            match base.kind() {
                "keyword_argument" => {}
                "identifier" | "attribute" | "subscript" => {
                    let plain = text(base, into.source).split('[').next().unwrap_or_default();
                    let names = plain.split('.').map(|part| part.trim().to_owned()).collect();
                    bases.push(Ref::Local(into.scope, names));
                }
                _ => bases.push(Ref::Elsewhere(short(text(base, into.source)))),
            }
        }
        if let Some(scope) = self.surface.scopes.get_mut(id) {
            scope.bases.extend(bases);
        }
        self.item(into, &name, whole, Kind::Class(id));
        if let Some(body) = node.child_by_field_name("body") {
            self.block(Into { scope: id, ..into }, body, 0);
            let by_fields = decorators.iter().any(|d| {
                let called = d.split('(').next().unwrap_or(d);
                matches!(
                    called.rsplit('.').next(),
                    Some("dataclass" | "define" | "frozen" | "attrs" | "s" | "mutable")
                )
            }) || text(node, into.source)
                .lines()
                .next()
                .is_some_and(|head| head.contains("NamedTuple"));
            if by_fields {
                self.made_of_fields(Into { scope: id, ..into }, body);
            }
        }
    }

    /// The constructor that annotated fields make (PEP 557, `attrs`, `NamedTuple`).
    fn made_of_fields(&mut self, into: Into<'_>, body: Node<'_>) {
        let mut made = Signature::default();
        for statement in children(body)
            .into_iter()
            .filter(|child| child.kind() == "expression_statement")
        {
            for node in children(statement)
                .into_iter()
                .filter(|child| child.kind() == "assignment")
            {
                let Some(ty) = node.child_by_field_name("type") else {
                    continue;
                };
                let ty = short(text(ty, into.source));
                let default = node
                    .child_by_field_name("right")
                    .map(|right| short(text(right, into.source)));
                let made_later = default.as_deref().is_some_and(|text| text.contains("init=False"));
                if ty.contains("ClassVar") || made_later {
                    continue;
                }
                made.parameters.push(Parameter {
                    name: field(node, "left", into.source).to_owned(),
                    kind: ParameterKind::Either,
                    required: default.is_none(),
                    default,
                    ty: Some(ty),
                });
            }
        }
        if let Some(scope) = self.surface.scopes.get_mut(into.scope) {
            scope.constructor.get_or_insert(made);
        }
    }

    fn settle(&mut self) {
        for (scope, name) in std::mem::take(&mut self.guesses) {
            let found = matches!(self.surface.member(scope, &name), Found::Thing { .. });
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
        self.bodies.settle(&mut self.surface);
    }
}
