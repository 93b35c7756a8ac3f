//! Files that are on both sides, and files and packages that aren't.

use super::{Checks, Finding, quoted};
use crate::protobuf::model::File;

/// Options of a file that must stay: the rule, the option, and what holds where it isn't set.
const OPTIONS: &[(&str, &str, &str)] = &[
    ("FILE_SAME_CC_ENABLE_ARENAS", "cc_enable_arenas", "true"),
    ("FILE_SAME_CC_GENERIC_SERVICES", "cc_generic_services", "false"),
    ("FILE_SAME_CSHARP_NAMESPACE", "csharp_namespace", ""),
    ("FILE_SAME_GO_PACKAGE", "go_package", ""),
    ("FILE_SAME_JAVA_GENERIC_SERVICES", "java_generic_services", "false"),
    ("FILE_SAME_JAVA_MULTIPLE_FILES", "java_multiple_files", "false"),
    ("FILE_SAME_JAVA_OUTER_CLASSNAME", "java_outer_classname", ""),
    ("FILE_SAME_JAVA_PACKAGE", "java_package", ""),
    ("FILE_SAME_OBJC_CLASS_PREFIX", "objc_class_prefix", ""),
    ("FILE_SAME_OPTIMIZE_FOR", "optimize_for", "SPEED"),
    ("FILE_SAME_PHP_CLASS_PREFIX", "php_class_prefix", ""),
    ("FILE_SAME_PHP_METADATA_NAMESPACE", "php_metadata_namespace", ""),
    ("FILE_SAME_PHP_NAMESPACE", "php_namespace", ""),
    ("FILE_SAME_PY_GENERIC_SERVICES", "py_generic_services", "false"),
    ("FILE_SAME_RUBY_PACKAGE", "ruby_package", ""),
    ("FILE_SAME_SWIFT_PREFIX", "swift_prefix", ""),
];

impl<'a> Checks<'a> {
    pub(super) fn files(&mut self) {
        let mut found = Vec::new();
        for (path, old) in &self.base.files {
            match self.revision.files.get(path) {
                Some(new) => same_file(old, new, &mut found),
                None => found.push(gone(
                    "FILE_NO_DELETE",
                    old,
                    format!("Previously present file {} was deleted.", quoted(path)),
                )),
            }
        }
        for (package, files) in &self.base.packages {
            if let (false, Some(first)) = (self.revision.packages.contains_key(package), files.first()) {
                let text = format!("Previously present package {} was deleted.", quoted(package));
                found.push(gone("PACKAGE_NO_DELETE", first, text));
            }
        }
        self.findings.append(&mut found);
    }
}

fn gone<'a>(rule: &'static str, file: &'a File, text: String) -> Finding<'a> {
    Finding {
        rule,
        file: None,
        base_file: Some(file),
        line: None,
        location: String::new(),
        text,
    }
}

fn same_file<'a>(old: &'a File, new: &'a File, found: &mut Vec<Finding<'a>>) {
    let mut check = |rule, name: &str, before: &str, after: &str, line| {
        if before != after {
            found.push(Finding {
                rule,
                file: Some(new),
                base_file: Some(old),
                line,
                location: String::new(),
                text: format!("File {name} changed from {} to {}.", quoted(before), quoted(after)),
            });
        }
    };
    for (rule, option, default) in OPTIONS {
        let value = |file: &File| file.options.text(option).unwrap_or_else(|| (*default).to_owned());
        let name = format!("option {option:?}");
        check(rule, &name, &value(old), &value(new), new.options.line(option));
    }
    let (before, after) = (old.syntax.as_str(), new.syntax.as_str());
    check("FILE_SAME_SYNTAX", "syntax", before, after, new.syntax_line);
    check(
        "FILE_SAME_PACKAGE",
        "package",
        &old.package,
        &new.package,
        new.package_line,
    );
}
