//! The package that a SARIF message is about. SARIF has no field for one; Trivy writes lines.

use holdpoint_schemas::finding::Component;

/// A package, and the versions in which it is fixed.
pub struct Package {
    /// The package.
    pub component: Component,
    /// Versions in which it is fixed, as listed.
    pub fixed_versions: Vec<String>,
}

/// The package of a message of Trivy's form: `Package: …`, `Installed Version: …`, `Fixed
/// Version: …`, each on its line. `None` for any other message.
pub fn of_message(message: &str) -> Option<Package> {
    let field = |name: &str| {
        let value = message
            .lines()
            .find_map(|line| line.trim().strip_prefix(name)?.strip_prefix(':'))?;
        Some(value.trim()).filter(|value| !value.is_empty())
    };
    let (name, version) = (field("Package")?, field("Installed Version")?);
    let fixed = field("Fixed Version").unwrap_or_default().split(',').map(str::trim);
    Some(Package {
        component: Component {
            purl: None,
            name: name.to_owned(),
            version: Some(version.to_owned()),
        },
        fixed_versions: fixed.filter(|version| !version.is_empty()).map(str::to_owned).collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_is_read_from_its_lines() {
        let message = "Package: musl\nInstalled Version: 1.1.22-r3\nVulnerability X\nFixed Version: 1.1.22-r4, 1.2";
        let package = of_message(message).unwrap();
        assert_eq!(
            (package.component.name.as_str(), package.component.version.as_deref()),
            ("musl", Some("1.1.22-r3"))
        );
        assert_eq!(package.fixed_versions, ["1.1.22-r4", "1.2"]);
    }

    #[test]
    fn other_messages_name_no_package() {
        for message in [
            "",
            "Package: musl",
            "Package:\nInstalled Version: 1",
            "an import of package x",
        ] {
            assert!(of_message(message).is_none(), "{message}");
        }
    }
}
