//! A parsed description.

use serde_json::Value;

use super::swagger;
use crate::bundle::{Beside, Bundle, fault, read_file, read_root};
use crate::tree::{Builder, NodeId, Sym, Tree, word};
use crate::{ContractError, Sources, text};

/// Refuses a version that is a number: as one, `3.10` is `3.1`.
pub(crate) fn unquoted(tree: &Tree, root: NodeId, key: Sym, file: &str, text: &str) -> Result<(), ContractError> {
    let Some(digits) = tree.get(root, key).and_then(|version| tree.digits(version)) else {
        return Ok(());
    };
    let key = tree.str(key);
    let message = format!("expected a text as `{key}`, found the number {digits}");
    let help = format!("write the version in quotes: `{key}: \"{digits}\"`");
    Err(fault(file, text, key, message, &help))
}

/// An OpenAPI description with all files that it refers to.
#[derive(Debug, Clone)]
pub struct Document {
    pub(super) bundle: Bundle,
}

impl Document {
    /// Reads YAML or JSON. `file` is its name for messages. A reference to another file, or to nowhere, leaves
    /// a gap, and with it no comparison says that nothing breaks.
    ///
    /// # Errors
    /// When the text can't be parsed or is too large, or isn't OpenAPI 2.0, 3.0 or 3.1.
    pub fn parse(file: &str, text: &str) -> Result<Self, ContractError> {
        Self::read(file, text, None)
    }

    /// Reads a description and the files that it refers to. What can't be had leaves a gap.
    ///
    /// # Errors
    /// As [`Document::parse`], and when the root itself can't be read.
    pub fn load(root: &str, sources: &dyn Sources) -> Result<Self, ContractError> {
        let text = read_root(root, sources)?;
        Self::read(root, &text, Some(&Beside { root, sources }))
    }

    fn read(file: &str, text: &str, sources: Option<&dyn Sources>) -> Result<Self, ContractError> {
        let mut builder = Builder::new();
        let mut root = read_file(&mut builder, file, "", text)?;
        for key in [word::OPENAPI, word::SWAGGER] {
            unquoted(&builder.tree, root, key, file, text)?;
        }
        if let Some(version) = builder.tree.text_of(root, word::SWAGGER) {
            if !version.starts_with("2.") {
                let message = format!("expected `swagger: '2.0'`, found `{}`", version.escape_debug());
                return Err(fault(
                    file,
                    text,
                    "swagger",
                    message,
                    "convert the description to OpenAPI 3",
                ));
            }
            let value: Value = text::read_value(file, text.trim_start_matches('\u{feff}'))?;
            builder = Builder::new();
            let converted = swagger::converted(&value);
            root = builder
                .value("", &converted)
                .map_err(|error| text::json_error(file, text, &error))?;
        }
        let tree = &builder.tree;
        let version = tree.text_of(root, word::OPENAPI).unwrap_or_default();
        if !["3.0", "3.1", "3.2"]
            .into_iter()
            .any(|known| version.starts_with(known))
        {
            let message = format!(
                "expected `openapi: 3.0.x`, `3.1.x`, `3.2.x` or `swagger: '2.0'`, found `{}`",
                version.escape_debug()
            );
            let help = "name a file with an OpenAPI description";
            return Err(fault(file, text, "openapi", message, help));
        }
        if let Some(paths) = tree.get(root, word::PATHS)
            && !tree.is_map(paths)
            && !tree.is_null(paths)
        {
            let help = "expected a map of path templates";
            return Err(fault(file, text, "paths", "`paths` is no object", help));
        }
        Ok(Self {
            bundle: Bundle::new(builder, root, file, text, sources),
        })
    }
}
