//! The files that come with the compiler: their names, and the names that they declare. What is in them is the same
//! on both sides of a comparison.

use super::features::Features;
use super::model::{Enum, File, Message, Options, Syntax};

/// One file: its path, what it imports, its messages and its enums; `Outer.Inner` for what is nested.
struct WellKnown {
    path: &'static str,
    imports: &'static [&'static str],
    messages: &'static [&'static str],
    enums: &'static [&'static str],
}

const fn file(path: &'static str, messages: &'static [&'static str]) -> WellKnown {
    WellKnown {
        path,
        imports: &[],
        messages,
        enums: &[],
    }
}

const DESCRIPTOR: &str = "google/protobuf/descriptor.proto";

const FILES: &[WellKnown] = &[
    file("google/protobuf/any.proto", &["Any"]),
    file("google/protobuf/duration.proto", &["Duration"]),
    file("google/protobuf/empty.proto", &["Empty"]),
    file("google/protobuf/field_mask.proto", &["FieldMask"]),
    file("google/protobuf/source_context.proto", &["SourceContext"]),
    file("google/protobuf/timestamp.proto", &["Timestamp"]),
    file(
        "google/protobuf/wrappers.proto",
        &[
            "DoubleValue",
            "FloatValue",
            "Int64Value",
            "UInt64Value",
            "Int32Value",
            "UInt32Value",
            "BoolValue",
            "StringValue",
            "BytesValue",
        ],
    ),
    WellKnown {
        path: "google/protobuf/struct.proto",
        imports: &[],
        messages: &["Struct", "Struct.FieldsEntry", "Value", "ListValue"],
        enums: &["NullValue"],
    },
    WellKnown {
        path: "google/protobuf/type.proto",
        imports: &["google/protobuf/any.proto", "google/protobuf/source_context.proto"],
        messages: &["Type", "Field", "Enum", "EnumValue", "Option"],
        enums: &["Field.Kind", "Field.Cardinality", "Syntax"],
    },
    WellKnown {
        path: "google/protobuf/api.proto",
        imports: &["google/protobuf/source_context.proto", "google/protobuf/type.proto"],
        messages: &["Api", "Method", "Mixin"],
        enums: &[],
    },
    WellKnown {
        path: DESCRIPTOR,
        imports: &[],
        messages: &[
            "FileDescriptorSet",
            "FileDescriptorProto",
            "DescriptorProto",
            "DescriptorProto.ExtensionRange",
            "DescriptorProto.ReservedRange",
            "ExtensionRangeOptions",
            "ExtensionRangeOptions.Declaration",
            "FieldDescriptorProto",
            "OneofDescriptorProto",
            "EnumDescriptorProto",
            "EnumDescriptorProto.EnumReservedRange",
            "EnumValueDescriptorProto",
            "ServiceDescriptorProto",
            "MethodDescriptorProto",
            "FileOptions",
            "MessageOptions",
            "FieldOptions",
            "FieldOptions.EditionDefault",
            "FieldOptions.FeatureSupport",
            "OneofOptions",
            "EnumOptions",
            "EnumValueOptions",
            "ServiceOptions",
            "MethodOptions",
            "UninterpretedOption",
            "UninterpretedOption.NamePart",
            "FeatureSet",
            "FeatureSetDefaults",
            "FeatureSetDefaults.FeatureSetEditionDefault",
            "SourceCodeInfo",
            "SourceCodeInfo.Location",
            "GeneratedCodeInfo",
            "GeneratedCodeInfo.Annotation",
        ],
        enums: &[
            "Edition",
            "ExtensionRangeOptions.VerificationState",
            "FieldDescriptorProto.Type",
            "FieldDescriptorProto.Label",
            "FileOptions.OptimizeMode",
            "FieldOptions.CType",
            "FieldOptions.JSType",
            "FieldOptions.OptionRetention",
            "FieldOptions.OptionTargetType",
            "MethodOptions.IdempotencyLevel",
            "FeatureSet.FieldPresence",
            "FeatureSet.EnumType",
            "FeatureSet.RepeatedFieldEncoding",
            "FeatureSet.Utf8Validation",
            "FeatureSet.MessageEncoding",
            "FeatureSet.JsonFormat",
            "GeneratedCodeInfo.Annotation.Semantic",
        ],
    },
    WellKnown {
        path: "google/protobuf/cpp_features.proto",
        imports: &[DESCRIPTOR],
        messages: &["CppFeatures"],
        enums: &["CppFeatures.StringType"],
    },
    WellKnown {
        path: "google/protobuf/java_features.proto",
        imports: &[DESCRIPTOR],
        messages: &["JavaFeatures"],
        enums: &["JavaFeatures.Utf8Validation"],
    },
    WellKnown {
        path: "google/protobuf/go_features.proto",
        imports: &[DESCRIPTOR],
        messages: &["GoFeatures"],
        enums: &["GoFeatures.APILevel", "GoFeatures.StripEnumPrefix"],
    },
    WellKnown {
        path: "google/protobuf/compiler/plugin.proto",
        imports: &[DESCRIPTOR],
        messages: &[
            "Version",
            "CodeGeneratorRequest",
            "CodeGeneratorResponse",
            "CodeGeneratorResponse.File",
        ],
        enums: &["CodeGeneratorResponse.Feature"],
    },
];

/// The file of that path, without the numbers, the fields and the lines that nothing asks for.
pub(super) fn well_known(path: &str) -> Option<File> {
    let known = FILES.iter().find(|file| file.path == path)?;
    let package = match path {
        "google/protobuf/compiler/plugin.proto" => "google.protobuf.compiler",
        _ if path.ends_with("_features.proto") => "pb",
        _ => "google.protobuf",
    };
    let mut file = File {
        path: path.to_owned(),
        syntax: if path == DESCRIPTOR {
            Syntax::Proto2
        } else {
            Syntax::Proto3
        },
        syntax_line: None,
        package: package.to_owned(),
        package_line: None,
        imports: known.imports.iter().map(|&import| import.to_owned()).collect(),
        options: Options::default(),
        features: Features::default(),
        messages: Vec::new(),
        enums: Vec::new(),
        services: Vec::new(),
        extensions: Vec::new(),
    };
    for name in known.messages {
        declare(&mut file.messages, &mut file.enums, name, false);
    }
    for name in known.enums {
        declare(&mut file.messages, &mut file.enums, name, true);
    }
    Some(file)
}

/// Puts a name where it belongs: below the message that its first parts name.
fn declare(messages: &mut Vec<Message>, enums: &mut Vec<Enum>, name: &str, is_enum: bool) {
    match name.split_once('.') {
        Some((outer, inner)) => {
            if let Some(message) = messages.iter_mut().find(|message| message.name == outer) {
                declare(&mut message.messages, &mut message.enums, inner, is_enum);
            }
        }
        None if is_enum => enums.push(Enum {
            name: name.to_owned(),
            ..Enum::default()
        }),
        None => messages.push(Message {
            name: name.to_owned(),
            map_entry: name.ends_with("Entry"),
            ..Message::default()
        }),
    }
}
