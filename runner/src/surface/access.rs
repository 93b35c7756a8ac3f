//! Who may do what: IAM policies, Kubernetes roles, the tokens of workflows.

use super::Entry;
use super::source::{Source, blocks, closing};
use super::yaml::{Value, is_yaml, values};
use crate::code::{Kind, Token};

/// Keys of a policy's statement, in lower case; each with what a wildcard there means.
const WILD: [&str; 10] = [
    "action",
    "actions",
    "notaction",
    "not_actions",
    "resource",
    "resources",
    "principal",
    "principals",
    "identifiers",
    "aws",
];
/// Roles that may do nearly everything.
const ADMIN: [&str; 8] = [
    "AdministratorAccess",
    "PowerUserAccess",
    "IAMFullAccess",
    "roles/owner",
    "roles/editor",
    "cluster-admin",
    "Owner",
    "Contributor",
];

/// Permissions that are wide, or given to many.
pub(super) fn entries(source: &Source<'_>) -> Vec<Entry> {
    let mut found = Vec::new();
    if source.ends_with(&[".tf", ".json", ".hcl", ".py", ".ts"]) && !source.is_test() {
        found.extend(policies(source));
    }
    if is_yaml(source) {
        let all = values(source.text);
        let workflow = source.path.contains(".github/workflows/") || source.name() == "action.yml";
        for value in &all {
            if workflow {
                found.extend(of_workflow(value));
            } else {
                found.extend(of_role(value));
            }
        }
    }
    found
}

/// Wildcards and administrators' roles in policies as JSON or HCL.
fn policies(source: &Source<'_>) -> Vec<Entry> {
    let tokens = source.tokens();
    let terraform = source.ends_with(&[".tf", ".hcl"]);
    let owners: Vec<(u32, String)> = blocks(source)
        .iter()
        .flat_map(|block| block.attributes.iter().map(|(.., line)| (*line, block.chain.clone())))
        .collect();
    let owner = |line: u32| {
        let own = owners.iter().filter(|(at, _)| *at <= line).max_by_key(|(at, _)| *at);
        own.map_or(String::new(), |(_, chain)| format!("{chain}: "))
    };
    let mut found = Vec::new();
    for (index, token) in tokens.iter().enumerate() {
        if token.kind == Kind::Text
            && ADMIN
                .iter()
                .any(|role| token.text == *role || token.text.ends_with(&format!("/{role}")))
        {
            found.push(Entry::new(token.line, format!("{}{}", owner(token.line), token.text)));
        }
        let key = token.text.to_ascii_lowercase();
        let assigned = tokens.get(index + 1).is_some_and(|next| next.is(":") || next.is("="));
        if !assigned
            || token.kind == Kind::Mark
            || !WILD.contains(&key.as_str())
            || (token.kind == Kind::Word && !terraform)
        {
            continue;
        }
        for element in elements(&tokens, index + 2) {
            let wild = element.text == "*" || (key.contains("action") && element.text.ends_with(":*"));
            if wild {
                let shown = format!("{}{} {}", owner(token.line), token.text, element.text);
                found.push(Entry::new(element.line, shown));
            }
        }
    }
    found
}

/// The texts of a value: itself, or a list's.
fn elements<'a>(tokens: &[Token<'a>], at: usize) -> Vec<Token<'a>> {
    match tokens.get(at) {
        Some(first) if first.kind == Kind::Text => vec![*first],
        Some(first) if first.is("[") => {
            let list = tokens.get(at..closing(tokens, at)).unwrap_or_default();
            list.iter().filter(|token| token.kind == Kind::Text).copied().collect()
        }
        _ => Vec::new(),
    }
}

/// Verbs, resources and bindings of roles, and CloudFormation's statements.
fn of_role(value: &Value) -> Vec<Entry> {
    let role = value.document.starts_with("ClusterRole/") || value.document.starts_with("Role/");
    let key = value.key();
    let binding = value.document.contains("RoleBinding/");
    let opens = match key {
        "verbs" | "resources" | "apiGroups" | "nonResourceURLs" => {
            role && !value.text.is_empty() && (key == "verbs" || value.holds(&["*", "secrets"]))
        }
        "name" => binding && (value.keys.contains("subjects") || value.text == "cluster-admin"),
        "Action" | "NotAction" | "Resource" | "Principal" | "AWS" => value
            .elements()
            .any(|element| element == "*" || element.ends_with(":*")),
        _ => ADMIN.iter().any(|admin| value.text.ends_with(&format!("/{admin}"))),
    };
    if !opens {
        return Vec::new();
    }
    let entry = |element: &str| Entry::new(value.line, format!("{} {} = {element}", value.document, value.keys));
    value.elements().map(entry).collect()
}

/// What a GitHub workflow's token may do, and whose code gets it.
fn of_workflow(value: &Value) -> Option<Entry> {
    let keys = value.keys.as_str();
    let scoped = keys.contains("permissions.") && (value.text == "write" || value.text == "write-all");
    let all = value.key() == "permissions" && value.text == "write-all";
    let foreign = keys.contains("pull_request_target")
        || keys.contains("workflow_run")
        || (keys.starts_with("on") && value.holds(&["pull_request_target", "workflow_run"]));
    let inherits = value.key() == "secrets" && value.text == "inherit";
    (scoped || all || foreign || inherits).then(|| Entry::new(value.line, format!("workflow {keys} = {}", value.text)))
}
