//! Packs that try to look sounder than they are, or to do more than be read.

use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::symlink;

use crate::packs::{PackFolder, all, policy};
use crate::support::{holdpoint, run, stderr, stdout};

const PERMIT: &str = "permit (principal, action == Action::\"suggest\", resource)\nwhen { context has fix.kind };";
const FORBID: &str = "forbid (principal, action, resource);";

fn refused(pack: &PackFolder) -> String {
    let output = run(&["policy", "check", pack.arg(), "--no-proofs"]);
    assert_eq!(output.status.code(), Some(3), "{}", all(&output));
    stdout(&output)
}

#[test]
fn an_attribute_with_a_dot_in_its_name_isnt_taken_for_a_fact() {
    for condition in [
        "context has \"change.freeze_active\" && context[\"change.freeze_active\"]",
        "context has fix.kind && context.fix has \"kind.x\"",
        "context has evidence.build.verdict && context.evidence has \"build.verdict\"",
    ] {
        let rule = format!("forbid (principal, action == Action::\"autoApply\", resource)\nwhen {{ {condition} }};");
        let text = refused(&PackFolder::new().policy("go", PERMIT).policy("dotted", &rule));
        assert!(
            text.contains("is taken for the name of one attribute"),
            "{condition}: {text}"
        );
        assert!(text.contains("help: write the path of a fact without quotes"), "{text}");
    }
}

#[test]
fn a_policy_file_that_cant_be_read_is_never_left_out() {
    let pack = PackFolder::new().policy("go", PERMIT);
    symlink("/nonexistent/no.cedar", pack.path().join("no.cedar")).unwrap();
    assert!(refused(&pack).contains("no.cedar: can't be read"));

    let pack = PackFolder::new().policy("go", PERMIT);
    let name = std::ffi::OsStr::from_bytes(b"no\xff.cedar");
    std::fs::write(pack.path().join(name), policy("no", FORBID)).unwrap();
    assert!(refused(&pack).contains("holds a file with a name that can't be shown"));

    let pack = PackFolder::new()
        .policy("go", PERMIT)
        .with("no.CEDAR", &policy("no", FORBID));
    assert!(refused(&pack).contains("no.CEDAR: isn't read: its ending isn't in lower case"));

    let pack = PackFolder::new().policy("go", PERMIT);
    symlink("/nonexistent/pack.yaml", pack.path().join("pack.yaml")).unwrap();
    assert!(refused(&pack).contains("pack.yaml: can't be read"));

    let pack = PackFolder::new()
        .policy("go", PERMIT)
        .with("more/no.cedar", &policy("no", FORBID));
    let output = run(&["policy", "check", pack.arg(), "--no-proofs"]);
    assert!(
        stdout(&output).contains("more: holds policies that aren't read"),
        "{}",
        all(&output)
    );
}

#[test]
fn a_link_out_of_the_pack_isnt_followed_and_nothing_of_its_target_is_shown() {
    let secret = PackFolder::new().with("secret", "root:hunter2\n");
    let pack = PackFolder::new().policy("go", PERMIT);
    symlink(secret.path().join("secret"), pack.path().join("a.cedar")).unwrap();
    let text = refused(&pack);
    assert!(text.contains("a.cedar: is a link that leads out of the pack"), "{text}");
    assert!(!text.contains("hunter2"), "{text}");
    // Within the pack it is fine: that is how a cluster mounts a folder of configuration.
    let pack = PackFolder::new().with("..data/go.cedar", &policy("go", PERMIT));
    symlink("..data/go.cedar", pack.path().join("go.cedar")).unwrap();
    let output = run(&["policy", "check", pack.arg(), "--no-proofs"]);
    assert_eq!(output.status.code(), Some(0), "{}", all(&output));
}

#[test]
fn text_of_a_pack_moves_no_cursor_and_begins_no_line() {
    let pack = PackFolder::new().policy("go", PERMIT).with(
        "odd.cedar",
        "@id(\"go\\u{1b}[31m\\n::error::x\")\n@reason(\"r\")\npermit (principal, action, resource);\n",
    );
    let text = refused(&pack);
    assert!(!text.contains('\u{1b}') && !text.contains("\n::error"), "{text:?}");
    let named = PackFolder::new()
        .policy("go", PERMIT)
        .with("pack.yaml", "name: \"mine\\e[31m\"\ndescription: d\n");
    let text = refused(&named);
    assert!(
        text.contains("control character") && !text.contains('\u{1b}'),
        "{text:?}"
    );
    let file = PackFolder::new().policy("go", PERMIT);
    file.write("a\u{1b}[31m\n::error::x.cedar", policy("x", FORBID));
    let text = refused(&file);
    assert!(!text.contains('\u{1b}') && !text.contains("\n::error"), "{text:?}");
}

#[test]
fn a_shipped_packs_name_is_never_taken_for_a_folder_of_that_name() {
    let here = PackFolder::new().with("baseline/no.cedar", &policy("no", FORBID));
    let check = |name: &str| {
        let mut command = holdpoint();
        command
            .current_dir(here.path())
            .args(["policy", "check", name, "--no-proofs"]);
        command.output().unwrap()
    };
    let output = check("baseline");
    assert_eq!(output.status.code(), Some(3));
    assert!(
        stderr(&output).contains("is a shipped pack and a folder here"),
        "{}",
        stderr(&output)
    );
    assert_eq!(check("./baseline").status.code(), Some(0));
    // What a shipped pack extends is shipped too, whatever lies here.
    assert_eq!(check("fintech").status.code(), Some(0), "{}", all(&check("fintech")));
}

#[test]
fn one_entry_loosens_one_thing_and_no_policy_calls_itself_a_bound() {
    let manifest =
        "name: x\ndescription: d\nextends: baseline\nrelaxes:\n  - policy: recent-push\n    reason: pushes are fine\n";
    let pack = PackFolder::new()
        .with("pack.yaml", manifest)
        .policy("recent-push", "permit (principal, action, resource);");
    assert!(refused(&pack).contains("policy `recent-push` permits, and pack `baseline` forbids under the same id"));
    let pack = PackFolder::new().policy("no-permit", FORBID);
    assert!(refused(&pack).contains("policy id `no-permit` means something else"));
}
