//! Adding a freeze to the text of `calendar.yaml`.

use holdpoint_schemas::control::Freeze;
use serde_json::Value;

use super::file;
use crate::controls::append;
use crate::error::SourceResult;

/// Adds a freeze to the text of `calendar.yaml` (which may be empty), after the last one. Comments
/// stay.
///
/// # Errors
/// When the text can't be read or is laid out so that adding isn't safe, and when the freeze covers
/// nothing or ends before it begins.
pub fn add_freeze(file: &str, text: &str, freeze: &Freeze) -> SourceResult<String> {
    let mut fields = vec![
        ("name", Value::from(freeze.name.as_str())),
        ("services", Value::from(freeze.services.clone())),
    ];
    if !freeze.environments.is_empty() {
        fields.push(("environments", Value::from(freeze.environments.clone())));
    }
    fields.push(("from", Value::from(freeze.from.to_string())));
    fields.push(("until", Value::from(freeze.until.to_string())));
    // What is wrong with the freeze itself is said of it alone.
    let alone = append("the new freeze", "", "freezes", &fields)?;
    file::read("the new freeze", &alone, &|_| Err("no file is named".to_owned()))?;
    append(file, text, "freezes", &fields)
}

#[cfg(test)]
mod tests {
    use super::*;
    use holdpoint_schemas::Timestamp;

    fn freeze() -> Freeze {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        Freeze {
            name: "Incident: INC-7 # all hands".to_owned(),
            services: vec!["*".to_owned(), "web".to_owned()],
            environments: vec!["production".to_owned()],
            from: at("2026-03-17T02:00:00Z"),
            until: at("2026-03-17T08:00:00Z"),
        }
    }

    #[test]
    fn a_freeze_comes_after_the_others_and_comments_stay() {
        let old = "# Ours.\nfreezes:  # keep sorted\n  - name: a   # first\n    services: [a]\n    from: 2026-03-01T00:00:00Z\n    until: 2026-03-02T00:00:00Z\n\n# Peak hours.\nbusiness: []\n";
        let new = add_freeze("calendar.yaml", old, &freeze()).unwrap();
        let added = "  - name: \"Incident: INC-7 # all hands\"\n    services: [\"*\", web]\n    environments: [production]\n    \
                     from: \"2026-03-17T02:00:00Z\"\n    until: \"2026-03-17T08:00:00Z\"\n";
        assert_eq!(new, old.replace("\n\n# Peak", &format!("\n{added}\n# Peak")));
        let calendar = super::super::Calendar::read("c", &new, &|_| Err(String::new())).unwrap();
        let now = "2026-03-17T03:00:00Z".parse().unwrap();
        assert!(matches!(
            calendar.freeze_at("x", Some("production"), now),
            super::super::Reading::Active(_)
        ));
    }

    #[test]
    fn an_empty_file_or_list_gets_its_first_freeze() {
        for old in ["", "# nothing yet\n", "freezes: []\n", "freezes:\n", "business: []"] {
            let new = add_freeze("c", old, &freeze()).unwrap();
            assert!(new.contains("freezes:\n  - name: \"Incident"), "{new}");
        }
    }

    #[test]
    fn a_list_in_brackets_and_a_freeze_without_length_are_refused() {
        let old = "freezes: [{name: a, services: [a], from: 2026-03-01T00:00:00Z, until: 2026-03-02T00:00:00Z}]\n";
        assert!(
            add_freeze("c", old, &freeze())
                .unwrap_err()
                .message
                .contains("edited safely")
        );
        let mut empty = freeze();
        empty.until = empty.from;
        assert!(
            add_freeze("c", "", &empty)
                .unwrap_err()
                .message
                .contains("before it begins")
        );
        let mut nobody = freeze();
        nobody.services.clear();
        assert!(add_freeze("c", "", &nobody).is_err());
        assert!(add_freeze("c", "freezes: [", &freeze()).is_err());
    }
}
