//! What a process may do where it runs: users, capabilities, the host's namespaces and files.

use super::Entry;
use super::network::{instruction, is_dockerfile};
use super::source::Source;
use super::yaml::{is_yaml, values};

/// Privileges that are given.
pub(super) fn entries(source: &Source<'_>) -> Vec<Entry> {
    let mut found = Vec::new();
    if is_dockerfile(source) {
        for (line, text) in source.lines() {
            if let Some(user) = instruction(text, "USER").filter(|user| is_root(user)) {
                found.push(Entry::new(line, format!("USER {user}")));
            }
        }
    }
    if is_yaml(source) {
        for value in values(source.text) {
            let text = value.text.as_str();
            let keys = value.keys.as_str();
            let given = match value.key() {
                "privileged" | "allowPrivilegeEscalation" | "hostPID" | "hostIPC" => text == "true",
                "readOnlyRootFilesystem" | "runAsNonRoot" => text == "false",
                "automountServiceAccountToken" => text == "true",
                "runAsUser" | "runAsGroup" => text == "0",
                "user" => text == "0" || text == "root",
                "add" | "cap_add" => keys.to_ascii_lowercase().contains("cap") && !text.is_empty(),
                "path" => keys.contains("hostPath"),
                "pid" | "ipc" => text == "host",
                "seccompProfile" | "type" => keys.contains("seccompProfile") && text == "Unconfined",
                "security_opt" => text.contains("unconfined"),
                _ => text.contains("/var/run/docker.sock"),
            };
            if given {
                found.push(Entry::new(value.line, format!("{} {keys} = {text}", value.document)));
            }
        }
    }
    found
}

/// Restrictions that are taken.
pub(super) fn restrictions(source: &Source<'_>) -> Vec<Entry> {
    let mut found = Vec::new();
    if is_dockerfile(source) {
        for (line, text) in source.lines() {
            if instruction(text, "USER").is_some_and(|user| !is_root(user)) {
                found.push(Entry::new(line, "USER that isn't root"));
            }
        }
    }
    if is_yaml(source) {
        for value in values(source.text) {
            let text = value.text.as_str();
            let restricts = match value.key() {
                "runAsNonRoot" | "readOnlyRootFilesystem" | "no_new_privileges" => text == "true",
                "allowPrivilegeEscalation" | "automountServiceAccountToken" => text == "false",
                "drop" | "cap_drop" => value.holds(&["ALL", "all"]),
                "kind" => text == "NetworkPolicy" && value.keys == "kind",
                "permissions" => value.keys == "permissions" && source.path.contains(".github/workflows/"),
                _ => false,
            };
            if restricts {
                let shown = format!("{} {} {text}", value.document, value.keys);
                found.push(Entry::new(value.line, shown.trim().to_owned()));
            }
        }
    }
    found
}

fn is_root(user: &str) -> bool {
    matches!(user.split(':').next(), Some("root" | "0"))
}
