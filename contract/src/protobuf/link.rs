//! From files to one image: names get full, types found, features inherited.

use std::collections::{BTreeMap, BTreeSet};

use holdpoint_schemas::SourceError;

use super::features::Features;
use super::model::{
    Cardinality, Enum, Field, File, Kind, Label, MAX_FIELD_NUMBER, MAX_INT32, Message, Service, Syntax,
};
use super::parser::{self, MAX};
use super::wellknown::well_known;
use crate::{ContractError, Gap, Sources};

/// Most files of one side: the largest public collections have below 10,000.
const MAX_FILES: usize = 20_000;
/// Most bytes of one side: the largest public collections have about 30 MiB.
const MAX_TOTAL_BYTES: usize = 32 << 20;
/// Most gaps that are listed.
const MAX_GAPS: usize = 1_000;

/// All files of one side, linked.
#[derive(Debug, Default)]
pub(super) struct Image {
    /// By path, those included that come with the compiler and are imported.
    pub files: Vec<File>,
    /// What leads nowhere or is ambiguous.
    pub gaps: Vec<Gap>,
}

/// Reads and links all `.proto` files of a side.
pub(super) fn image(sources: &dyn Sources) -> Result<Image, ContractError> {
    let paths: BTreeSet<String> = sources
        .paths()
        .into_iter()
        .filter(|path| path.ends_with(".proto"))
        .collect();
    if paths.len() > MAX_FILES {
        let message = format!("there are {} files; at most {MAX_FILES} are compared", paths.len());
        return Err(SourceError::new(".", message)
            .help("compare one module at a time")
            .into());
    }
    let mut image = Image::default();
    let mut bytes = 0;
    for path in &paths {
        let text = sources.read(path).map_err(|error| {
            SourceError::new(path, error.to_string()).help("make the file readable, or leave it out of the folder")
        })?;
        bytes += text.len();
        if bytes > MAX_TOTAL_BYTES {
            let message = format!("the files have more than {MAX_TOTAL_BYTES} bytes");
            return Err(SourceError::new(path, message)
                .help("compare one module at a time")
                .into());
        }
        image.files.push(parser::parse(path, &text)?);
    }
    image.add_well_known();
    image.link();
    Ok(image)
}

/// What a name of a type stands for.
type Types = BTreeMap<String, bool>;

impl Image {
    fn add_well_known(&mut self) {
        let mut known: BTreeSet<String> = self.files.iter().map(|file| file.path.clone()).collect();
        let imports: BTreeSet<&String> = self.files.iter().flat_map(|file| &file.imports).collect();
        let mut wanted: Vec<String> = imports.into_iter().cloned().collect();
        while let Some(path) = wanted.pop() {
            let Some(file) = well_known(&path) else { continue };
            // A copy in a folder of its own counts: then the folder is a root of imports.
            let copied = known.iter().any(|known| known.ends_with(&format!("/{path}")));
            if known.contains(&path) || copied {
                continue;
            }
            wanted.extend(file.imports.clone());
            known.insert(path);
            self.files.push(file);
        }
        self.files.sort_by(|a, b| a.path.cmp(&b.path));
    }

    fn link(&mut self) {
        let mut types = Types::new();
        let mut linker = Linker {
            file: String::new(),
            syntax: Syntax::Proto2,
            gaps: Vec::new(),
        };
        for file in &mut self.files {
            linker.file.clone_from(&file.path);
            linker.name_file(file, &mut types);
        }
        for file in &mut self.files {
            linker.file.clone_from(&file.path);
            linker.syntax = file.syntax;
            linker.link_file(file, &types);
        }
        self.gaps = linker.gaps;
    }
}

struct Linker {
    file: String,
    syntax: Syntax,
    gaps: Vec<Gap>,
}

fn join(scope: &str, name: &str) -> String {
    if scope.is_empty() {
        name.to_owned()
    } else {
        format!("{scope}.{name}")
    }
}

impl Linker {
    fn gap(&mut self, line: usize, text: String) {
        if self.gaps.len() < MAX_GAPS {
            let place = format!("{}:{line}", self.file);
            self.gaps.push(Gap { place, text });
        }
    }

    fn name_file(&mut self, file: &mut File, types: &mut Types) {
        let package = file.package.clone();
        for message in &mut file.messages {
            self.name_message(message, &package, types);
        }
        for found in &mut file.enums {
            self.name_enum(found, &package, types);
        }
        for extension in &mut file.extensions {
            extension.full_name = join(&package, &extension.name);
        }
        for service in &mut file.services {
            service.full_name = join(&package, &service.name);
            let mut names = BTreeSet::new();
            service.methods.retain(|method| {
                let first = names.insert(method.name.clone());
                if !first {
                    self.gap(method.line, format!("method `{}` is declared twice", method.name));
                }
                first
            });
        }
    }

    fn name_message(&mut self, message: &mut Message, scope: &str, types: &mut Types) {
        message.full_name = join(scope, &message.name);
        self.declare(&message.full_name, false, message.line, types);
        let scope = message.full_name.clone();
        let mut numbers = BTreeSet::new();
        message.fields.retain(|field| {
            let first = numbers.insert(field.number);
            if !first {
                let text = format!("number {} stands twice in `{scope}`", field.number);
                self.gap(field.line, text);
            }
            first
        });
        for field in &mut message.fields {
            field.full_name = join(&scope, &field.name);
        }
        for extension in &mut message.extensions {
            extension.full_name = join(&scope, &extension.name);
        }
        for nested in &mut message.messages {
            self.name_message(nested, &scope, types);
        }
        for nested in &mut message.enums {
            self.name_enum(nested, &scope, types);
        }
        // In the format of MessageSet numbers reach further; the last is kept for the wire.
        let message_set = message.options.is_true("message_set_wire_format");
        let max = if message_set { MAX_INT32 - 1 } else { MAX_FIELD_NUMBER };
        message.extension_ranges.settle(MAX, max);
        message.reserved.ranges.settle(MAX, max);
    }

    fn name_enum(&mut self, found: &mut Enum, scope: &str, types: &mut Types) {
        found.full_name = join(scope, &found.name);
        self.declare(&found.full_name, true, found.line, types);
        found.reserved.ranges.settle(MAX, MAX_INT32);
    }

    fn declare(&mut self, name: &str, is_enum: bool, line: usize, types: &mut Types) {
        if types.insert(name.to_owned(), is_enum).is_some() {
            self.gap(line, format!("`{name}` is declared twice"));
        }
    }

    fn link_file(&mut self, file: &mut File, types: &Types) {
        file.features = Features::of_syntax(file.syntax).with(&file.options);
        for message in &mut file.messages {
            self.link_message(message, &file.features, types);
        }
        for found in &mut file.enums {
            found.features = file.features.with(&found.options);
        }
        for extension in &mut file.extensions {
            self.link_field(extension, &file.package, &file.features, false, types);
        }
        for service in &mut file.services {
            self.link_service(service, types);
        }
    }

    fn link_message(&mut self, message: &mut Message, outer: &Features, types: &Types) {
        message.features = outer.with(&message.options);
        let of_oneofs: Vec<Features> = message
            .oneofs
            .iter()
            .map(|oneof| message.features.with(&oneof.options))
            .collect();
        let (scope, map_entry) = (&message.full_name, message.map_entry);
        for field in &mut message.fields {
            let of_oneof = field.oneof.and_then(|index| of_oneofs.get(index));
            let features = of_oneof.unwrap_or(&message.features);
            self.link_field(field, scope, features, map_entry, types);
        }
        for extension in &mut message.extensions {
            self.link_field(extension, scope, &message.features, false, types);
        }
        for nested in &mut message.messages {
            self.link_message(nested, &message.features, types);
        }
        for nested in &mut message.enums {
            nested.features = message.features.with(&nested.options);
        }
    }

    fn link_field(&mut self, field: &mut Field, scope: &str, outer: &Features, map_entry: bool, types: &Types) {
        field.features = outer.with(&field.options);
        if field.kind.is_named() {
            let (name, is_enum) = self.resolve(&field.type_name, scope, field.type_line, types);
            field.type_name = name;
            if is_enum {
                field.kind = Kind::Enum;
            } else if &*field.features.message_encoding == "DELIMITED" && !field.map && !map_entry {
                field.kind = Kind::Group;
            }
        }
        if let Some(extendee) = &field.extendee {
            field.extendee = Some(self.resolve(extendee, scope, field.line, types).0);
        }
        field.cardinality = self.cardinality(field);
    }

    fn cardinality(&self, field: &Field) -> Cardinality {
        let explicit = field.extendee.is_some()
            || field.oneof.is_some()
            || matches!(field.kind, Kind::Message | Kind::Group)
            || (self.syntax == Syntax::Proto3 && field.label == Label::Optional)
            || &*field.features.field_presence != "IMPLICIT";
        match field.label {
            _ if field.map => Cardinality::Map,
            Label::Repeated => Cardinality::Repeated,
            Label::Required => Cardinality::Required,
            _ if &*field.features.field_presence == "LEGACY_REQUIRED" => Cardinality::Required,
            _ if explicit => Cardinality::Explicit,
            _ => Cardinality::Implicit,
        }
    }

    fn link_service(&mut self, service: &mut Service, types: &Types) {
        let scope = service.full_name.clone();
        for method in &mut service.methods {
            for part in [&mut method.input, &mut method.output] {
                part.type_name = self.resolve(&part.type_name, &scope, part.line, types).0;
            }
        }
    }

    /// Full name of a type and whether it is an enum: the innermost scope that has it wins.
    fn resolve(&mut self, name: &str, scope: &str, line: usize, types: &Types) -> (String, bool) {
        if let Some(absolute) = name.strip_prefix('.') {
            if let Some(is_enum) = types.get(absolute) {
                return (absolute.to_owned(), *is_enum);
            }
        } else {
            let mut scope = Some(scope);
            while let Some(outer) = scope {
                let candidate = join(outer, name);
                if let Some(is_enum) = types.get(&candidate) {
                    return (candidate, *is_enum);
                }
                scope = match outer.rsplit_once('.') {
                    Some((outer, _)) => Some(outer),
                    None if outer.is_empty() => None,
                    None => Some(""),
                };
            }
        }
        self.gap(line, format!("type `{name}` is declared in no file"));
        (name.trim_start_matches('.').to_owned(), false)
    }
}
