//! Terraform plans: numbers and addresses as the text beside each plan says.

use holdpoint_intake::plan::read_plan;

use super::corpus;

#[test]
fn plans_say_what_their_text_says() {
    let Some(folder) = corpus("terraform-plans") else {
        return;
    };
    let (mut right, mut all) = (0, 0);
    let mut wrong = Vec::new();
    let mut paths: Vec<_> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.sort();
    for json in paths
        .iter()
        .filter(|path| path.extension().is_some_and(|e| e == "json"))
    {
        let text = std::fs::read_to_string(json.with_extension("txt")).unwrap();
        let name = json.file_name().unwrap().to_string_lossy();
        let plan = read_plan(&name, &std::fs::read(json).unwrap()).unwrap();
        let found = &plan.summary;
        let drift_told = text.contains("Objects have changed outside of");
        let same = [found.imports, found.add, found.change, found.destroy] == numbers(&text)
            && found.destroys == told(&text, "will be destroyed")
            && found.replaces == told(&text, "must be replaced")
            && (!drift_told || !found.drift.is_empty());
        all += 1;
        if same {
            right += 1;
        } else {
            wrong.push(format!("{name}: {found:?}"));
        }
    }
    println!("plans {right}/{all}");
    assert!(all > 0, "no plan in {}", folder.display());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Imports, additions, changes, destructions, from "Plan: 1 to import, 1 to add, 2 to change, 0 to destroy."
fn numbers(text: &str) -> [usize; 4] {
    let line = text.lines().find_map(|line| line.trim().strip_prefix("Plan: "));
    let number = |word: &str| {
        let part = line?.split([',', '.']).find(|part| part.ends_with(word))?;
        part.split_whitespace().next()?.parse().ok()
    };
    ["to import", "to add", "to change", "to destroy"].map(|word| number(word).unwrap_or(0))
}

fn told(text: &str, what: &str) -> Vec<String> {
    let comments = text.lines().filter_map(|line| line.trim().strip_prefix("# "));
    let mut addresses: Vec<String> = comments
        .filter(|line| line.contains(what))
        .filter_map(|line| Some(line.split_whitespace().next()?.to_owned()))
        .collect();
    addresses.dedup();
    addresses
}
