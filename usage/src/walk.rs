//! Syntax trees, walked without recursion, and the member chains in them.

use std::ops::{ControlFlow, Range};
use tree_sitter::{Node, ParseOptions, Parser};

use crate::bounds::{MAX_CHAIN, MAX_NAME, MAX_NESTING, MAX_PARSE_ROUNDS};
use crate::facts::{Alias, Arguments, Chain, FileFacts, Function, Role, Spot, Use};

/// A node on the way from the root, with the name of the field of its parent that it is.
#[derive(Clone, Copy)]
pub(crate) struct Frame<'t> {
    pub node: Node<'t>,
    pub field: Option<&'static str>,
}

/// What a parent makes of the value of its child.
pub(crate) enum Step {
    /// A member of it, by name.
    Member(String),
    /// A member of it whose name is computed.
    AnyMember,
    /// Its result when called.
    Call,
    /// A member of it, called.
    MethodCall(String),
    /// The same value.
    Through,
    /// Something else.
    End,
}

/// How one language's tree is read.
pub(crate) trait Grammar: Sync {
    /// The tree-sitter grammar.
    fn language(&self) -> tree_sitter::Language;
    /// Whether a node of this kind has parameters and locals of its own.
    fn is_function(&self, kind: &str) -> bool;
    /// What `parent` makes of `child`.
    fn step(&self, trail: &Trail<'_, '_>, parent: Frame<'_>, child: Frame<'_>) -> Step;
    /// Members that the language itself asks for of a value, `level` above the node, where it stands.
    fn implied(&self, _trail: &Trail<'_, '_>, _level: usize) -> &'static [&'static str] {
        &[]
    }
    /// Adds what the last node of the trail says.
    fn visit(&self, trail: &Trail<'_, '_>, facts: &mut FileFacts);
}

/// The nodes from the root down to the one that is looked at.
pub(crate) struct Trail<'a, 't> {
    frames: &'a [Frame<'t>],
    text: &'a str,
    grammar: &'a dyn Grammar,
}

impl<'a, 't> Trail<'a, 't> {
    /// The frame `levels` above the node; 0 is its own.
    pub fn up(&self, levels: usize) -> Option<Frame<'t>> {
        self.frames
            .len()
            .checked_sub(levels + 1)
            .and_then(|index| self.frames.get(index))
            .copied()
    }

    pub fn field(&self) -> Option<&'static str> {
        self.up(0).and_then(|frame| frame.field)
    }

    /// Kind of the node `levels` above; empty above the root.
    pub fn kind_up(&self, levels: usize) -> &'static str {
        self.up(levels).map_or("", |frame| frame.node.kind())
    }

    pub fn node(&self) -> Option<Node<'t>> {
        self.up(0).map(|frame| frame.node)
    }

    /// Text of a node; empty when it is too long to be a name.
    pub fn text(&self, node: Node<'_>) -> &'a str {
        let text = self.text.get(node.byte_range()).unwrap_or_default();
        if text.len() <= MAX_NAME { text } else { "" }
    }

    /// Text of a node, however long.
    pub fn whole(&self, node: Node<'_>) -> &'a str {
        self.text.get(node.byte_range()).unwrap_or_default()
    }

    /// Text of the child in a field.
    pub fn child_text(&self, node: Node<'_>, field: &str) -> &'a str {
        node.child_by_field_name(field).map_or("", |child| self.text(child))
    }

    /// The frames above the node, innermost first.
    pub fn above(&self) -> impl Iterator<Item = Frame<'t>> + '_ {
        self.frames.iter().rev().skip(1).copied()
    }

    /// Bytes of the innermost function around the node.
    pub fn scope(&self) -> Option<Range<usize>> {
        self.above()
            .find(|frame| self.grammar.is_function(frame.node.kind()))
            .map(|frame| frame.node.byte_range())
    }

    /// Bytes of the innermost function around the node's parent: where a function's own name holds.
    pub fn scope_of_parent(&self) -> Option<Range<usize>> {
        self.above()
            .skip(1)
            .find(|frame| self.grammar.is_function(frame.node.kind()))
            .map(|frame| frame.node.byte_range())
    }

    /// Adds the use of the chain that starts at the node, with `names` as its first names. `expands` is for
    /// places whose meaning a macro decides.
    pub fn use_from(&self, chain: Chain, expands: bool, facts: &mut FileFacts) {
        let Some(start) = self.up(0) else { return };
        let (mut chain, mut called, mut level, mut child) = (chain, false, 0, start);
        let mut calls = Vec::new();
        while let Some(parent) = self.up(level + 1) {
            if chain.names.len() >= MAX_CHAIN {
                break;
            }
            match self.grammar.step(self, parent, child) {
                Step::Member(name) => {
                    called = false;
                    chain.dotted |= chain.names.len() == 1 && parent.node.kind() == "field_expression";
                    chain.names.push(name);
                }
                Step::AnyMember => {
                    called = false;
                    chain.names.push("*".to_owned());
                }
                Step::MethodCall(name) => {
                    called = true;
                    chain.names.push(name);
                    calls.push((chain.names.len(), self.arguments(parent.node)));
                }
                Step::Call => {
                    called = true;
                    calls.push((chain.names.len(), self.arguments(parent.node)));
                }
                Step::Through => {}
                Step::End => break,
            }
            level += 1;
            child = parent;
        }
        let aliased = self.alias_of(level, child, &chain, !calls.is_empty(), facts);
        let spot = spot(start.node);
        let used = Use {
            chain,
            called,
            aliased,
            expands,
            calls,
            role: self.role(level),
            implied: self.grammar.implied(self, level),
            spot,
        };
        FileFacts::push(&mut facts.uses, used, &mut facts.incomplete);
    }

    /// What the value `level` above is for.
    fn role(&self, level: usize) -> Role {
        let is_base = match (self.kind_up(level + 1), self.kind_up(level + 2)) {
            ("argument_list", "class_definition") | ("extends_clause" | "implements_clause", _) => true,
            ("class_heritage" | "extends_type_clause", _) => true,
            ("impl_item", _) => self.up(level).and_then(|frame| frame.field) == Some("trait"),
            _ => false,
        };
        match self.kind_up(level) {
            _ if is_base => Role::Base,
            "decorator" => Role::Decorator,
            _ if self.kind_up(level + 1) == "decorator" => Role::Decorator,
            _ => self.asks(level).unwrap_or_default(),
        }
    }

    /// How objects are asked if they are of the value `level` above.
    fn asks(&self, level: usize) -> Option<Role> {
        let mut level = level;
        // `except (A, B) as e`
        while matches!(
            self.kind_up(level + 1),
            "tuple" | "as_pattern" | "parenthesized_expression" | "dotted_name"
        ) {
            level += 1;
        }
        let field = self.up(level).and_then(|frame| frame.field);
        let parent = self.up(level + 1)?;
        let asked = match parent.node.kind() {
            "except_clause" => return (field != Some("alias")).then_some(Role::Caught),
            "class_pattern" => true,
            "binary_expression" => {
                let operator = parent.node.child_by_field_name("operator");
                field == Some("right") && operator.is_some_and(|operator| self.text(operator) == "instanceof")
            }
            "argument_list" => {
                let call = self.up(level + 2).map(|call| self.child_text(call.node, "function"));
                let first = parent.node.named_child(0).map(|first| first.id());
                matches!(call, Some("isinstance" | "issubclass")) && self.up(level).map(|up| up.node.id()) != first
            }
            _ => false,
        };
        asked.then_some(Role::Asked)
    }

    /// What a call hands over.
    fn arguments(&self, call: Node<'_>) -> Arguments {
        let mut given = Arguments {
            made: call.kind() == "new_expression",
            ..Arguments::default()
        };
        let list = call
            .child_by_field_name("arguments")
            .or_else(|| call.child_by_field_name("body"));
        let Some(list) = list else {
            // A decorator or `new X` has none; a macro's are its own affair.
            given.open = call.kind() == "macro_invocation";
            return given;
        };
        if list.kind() == "generator_expression" || list.kind() == "template_string" {
            given.positional.push(None);
            return given;
        }
        let mut cursor = list.walk();
        for argument in list.named_children(&mut cursor) {
            match argument.kind() {
                "comment" | "line_comment" | "block_comment" | "attribute_item" => {}
                "keyword_argument" => given.keywords.push(self.child_text(argument, "name").to_owned()),
                "field_initializer" => given.keywords.push(self.child_text(argument, "field").to_owned()),
                "shorthand_field_initializer" => given.keywords.push(self.text(argument).to_owned()),
                "list_splat" | "dictionary_splat" | "spread_element" | "base_field_initializer" => given.open = true,
                "object" => given.positional.push(self.keys(argument)),
                _ => given.positional.push(None),
            }
            if given.positional.len() + given.keywords.len() > MAX_CHAIN {
                given.open = true;
                break;
            }
        }
        given
    }

    /// The keys of an object that is written out; `None` when it may have others.
    fn keys(&self, object: Node<'_>) -> Option<Vec<String>> {
        let mut cursor = object.walk();
        let key = |member: Node<'_>| match member.kind() {
            "pair" => {
                let key = member.child_by_field_name("key")?;
                (key.kind() != "computed_property_name").then(|| self.text(key).trim_matches(['"', '\'']).to_owned())
            }
            "shorthand_property_identifier" => Some(self.text(member).to_owned()),
            "method_definition" => Some(self.child_text(member, "name").to_owned()),
            _ => None,
        };
        object
            .named_children(&mut cursor)
            .filter(|member| member.kind() != "comment")
            .map(key)
            .collect()
    }

    /// Notes `name = chain`, `{a, b: c} = chain` and the like; whether it was one.
    fn alias_of(&self, level: usize, value: Frame<'t>, chain: &Chain, gave: bool, facts: &mut FileFacts) -> bool {
        let Some(mut parent) = self.up(level + 1) else {
            return false;
        };
        if parent.node.kind() == "expression_list" && parent.node.named_child_count() == 1 {
            let Some(above) = self.up(level + 2) else { return false };
            return self.bind_alias(above, parent, chain, gave, facts);
        }
        if parent.node.kind() == "as_pattern" {
            parent = Frame {
                node: parent.node,
                field: Some("value"),
            };
        }
        self.bind_alias(parent, value, chain, gave, facts)
    }

    fn bind_alias(
        &self,
        parent: Frame<'t>,
        value: Frame<'t>,
        chain: &Chain,
        gave: bool,
        facts: &mut FileFacts,
    ) -> bool {
        let kind = parent.node.kind();
        let target = match (kind, value.field) {
            (
                "assignment" | "short_var_declaration" | "assignment_expression" | "assignment_statement",
                Some("right"),
            ) => parent.node.child_by_field_name("left"),
            ("variable_declarator" | "named_expression" | "var_spec" | "const_spec", Some("value")) => {
                parent.node.child_by_field_name("name")
            }
            ("let_declaration", Some("value")) => parent.node.child_by_field_name("pattern"),
            ("as_pattern", _) => parent
                .node
                .child_by_field_name("alias")
                .and_then(|alias| alias.named_child(0)),
            _ => None,
        };
        let Some(mut target) = target else { return false };
        if target.kind() == "expression_list" {
            // `v, err := p.F()`: the first is the value, by convention.
            let Some(first) = target.named_child(0) else {
                return false;
            };
            target = first;
        }
        let scope = self.scope().unwrap_or(0..usize::MAX);
        let mut add = |local: &str, member: Option<&str>| {
            let mut chain = chain.clone();
            chain.names.extend(member.map(str::to_owned));
            let alias = Alias {
                local: local.to_owned(),
                chain,
                gave,
                scope: scope.clone(),
            };
            FileFacts::push(&mut facts.aliases, alias, &mut facts.incomplete);
        };
        match target.kind() {
            "identifier" => add(self.text(target), None),
            "mut_pattern" => match target.named_child(target.named_child_count().saturating_sub(1) as u32) {
                Some(name) => add(self.text(name), None),
                None => return false,
            },
            "object_pattern" => {
                let mut cursor = target.walk();
                let parts: Vec<Node<'_>> = target.named_children(&mut cursor).collect();
                for part in &parts {
                    match part.kind() {
                        "shorthand_property_identifier_pattern" => add(self.text(*part), Some(self.text(*part))),
                        "pair_pattern" => {
                            let key = self.child_text(*part, "key").trim_matches(['"', '\'']);
                            let value = part.child_by_field_name("value");
                            match value {
                                Some(value) if value.kind() == "identifier" => add(self.text(value), Some(key)),
                                // `{a: {b}}`: what is below isn't followed, so the whole escapes.
                                _ => return false,
                            }
                        }
                        "object_assignment_pattern" => {
                            let name = self.child_text(*part, "left");
                            add(name, Some(name));
                        }
                        "comment" => {}
                        _ => return false,
                    }
                }
            }
            _ => return false,
        }
        true
    }
}

/// Where a node starts.
pub(crate) fn spot(node: Node<'_>) -> Spot {
    let line = u32::try_from(node.start_position().row).unwrap_or(u32::MAX - 1) + 1;
    Spot {
        line,
        offset: node.start_byte(),
    }
}

/// Notes a function around everything in it.
pub(crate) fn function(trail: &Trail<'_, '_>, name: &str, facts: &mut FileFacts) {
    let Some(node) = trail.node() else { return };
    let function = Function {
        name: name.to_owned(),
        range: node.byte_range(),
    };
    FileFacts::push(&mut facts.functions, function, &mut facts.incomplete);
}

/// Notes a string literal that could name a module, a class or a function.
pub(crate) fn string(content: &str, spot: Spot, facts: &mut FileFacts) {
    let name_like = |c: char| c.is_alphanumeric() || "_@/.-:#$+".contains(c);
    if !content.is_empty() && content.len() <= MAX_NAME && content.chars().all(name_like) {
        FileFacts::push(&mut facts.strings, (content.to_owned(), spot), &mut facts.incomplete);
    }
}

/// Parses a text and collects its facts.
pub(crate) fn read(grammar: &dyn Grammar, text: &str) -> FileFacts {
    let mut facts = FileFacts::default();
    let mut parser = Parser::new();
    if parser.set_language(&grammar.language()).is_err() {
        facts.incomplete = Some("its grammar can't be loaded".to_owned());
        return facts;
    }
    let mut rounds = 0usize;
    let mut progress = |_: &tree_sitter::ParseState| {
        rounds += 1;
        if rounds > MAX_PARSE_ROUNDS {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    };
    let options = ParseOptions::new().progress_callback(&mut progress);
    let bytes = text.as_bytes();
    let mut input = |offset: usize, _| bytes.get(offset..).unwrap_or_default();
    let Some(tree) = parser.parse_with_options(&mut input, None, Some(options)) else {
        facts.incomplete = Some("it takes too long to parse".to_owned());
        return facts;
    };
    if tree.root_node().has_error() {
        facts.incomplete = Some("part of it can't be parsed".to_owned());
    }
    let mut cursor = tree.walk();
    let mut frames: Vec<Frame<'_>> = Vec::new();
    loop {
        frames.push(Frame {
            node: cursor.node(),
            field: cursor.field_name(),
        });
        grammar.visit(
            &Trail {
                frames: &frames,
                text,
                grammar,
            },
            &mut facts,
        );
        if frames.len() >= MAX_NESTING {
            facts.incomplete = Some(format!("nested deeper than {MAX_NESTING} levels"));
        } else if cursor.goto_first_child() {
            continue;
        }
        loop {
            frames.pop();
            if cursor.goto_next_sibling() {
                break;
            }
            if !cursor.goto_parent() {
                return facts;
            }
        }
    }
}
