//! What the Python toolchains share: how a repo is compiled and tested.

use super::place::Place;
use super::{CACHE, REPORTS, Recipe, line};

/// Code of the repo, but not what tests keep as data or a template engine fills in.
const NOT_COMPILED: &str = "(^|/)(tests?|testdata|fixtures|templates|node_modules|[.][^/]+)/";

/// Where a virtual environment is made: outside of the tree, so that no scanner takes it for code.
pub(super) fn environment() -> String {
    format!("{CACHE}/venv")
}

/// Adds build and tests, run by `python`; `declares` says whether the repo pins a package.
pub(super) fn add_steps(place: &Place<'_>, recipe: &mut Recipe, python: &str, declares: impl Fn(&str) -> bool) {
    // Of a package below `src` the tests want the checked-out code, which isn't installed.
    let path = if place.below().any(|path| path.starts_with("src/")) {
        "PYTHONPATH=src:."
    } else {
        "PYTHONPATH=."
    };
    // Not by `env`: where coverage is measured, `python3` is a function of the shell.
    let python = format!("export {path} && {python}");
    // By default compiled code is taken as fresh when the source has the same size and second: a
    // candidate that is branched off quickly would run the baseline's code (PEP 552).
    recipe.build = line(
        format!("{python} -m compileall -q --invalidation-mode checked-hash -x '{NOT_COMPILED}' ."),
        "Python sources, all of which must compile",
    );
    let Some((runner, because)) = runner(place, &declares) else {
        recipe
            .notes
            .push("no Python tests were found; without tests nothing is proved".to_owned());
        return;
    };
    let report = format!("{REPORTS}/junit.xml");
    let arguments = if runner.starts_with("pytest") {
        recipe.reports.push(report.clone());
        format!(" --junitxml={report}")
    } else {
        String::new()
    };
    recipe.test = line(format!("{python} -m {runner}{arguments}"), because);
    if declares("coverage") || declares("pytest-cov") {
        let report = format!("{REPORTS}/coverage.json");
        let data = format!("--data-file={REPORTS}/coverage.data");
        recipe.coverage = Some((
            format!(
                "mkdir -p {REPORTS} && {python} -m coverage run {data} -m {runner} && \
                 {python} -m coverage json {data} -o {report}"
            ),
            report,
        ));
    }
}

fn runner(place: &Place<'_>, declares: &impl Fn(&str) -> bool) -> Option<(String, String)> {
    let name = |path: &str| path.rsplit('/').next().unwrap_or_default().to_owned();
    let configured = place.first(&["pytest.ini"]).map(str::to_owned).or_else(|| {
        place
            .below()
            .find(|path| name(path) == "conftest.py")
            .map(str::to_owned)
    });
    if let Some(file) = configured {
        return Some(("pytest".to_owned(), format!("`{file}`")));
    }
    if declares("pytest") {
        return Some(("pytest".to_owned(), "pytest is pinned".to_owned()));
    }
    let test = place
        .below()
        .find(|path| name(path).starts_with("test") && path.ends_with(".py"))?;
    let arguments = match test.split_once('/') {
        // A package can only be imported from the folder above it.
        Some((folder @ ("tests" | "test"), _)) if place.has(&format!("{folder}/__init__.py")) => {
            format!(" -s {folder} -t .")
        }
        Some((folder @ ("tests" | "test"), _)) => format!(" -s {folder}"),
        _ => String::new(),
    };
    // With `-v` each test has a name.
    Some((format!("unittest discover -v{arguments}"), format!("`{test}`")))
}

/// A package's name as PyPI compares it (PEP 503).
pub(super) fn normalised(name: &str) -> String {
    let mut out = String::new();
    for c in name.trim().chars() {
        match c {
            '-' | '_' | '.' if out.ends_with('-') => {}
            '-' | '_' | '.' => out.push('-'),
            c => out.push(c.to_ascii_lowercase()),
        }
    }
    out
}

/// Names of all packages of a TOML lockfile (`[[package]] name = …`), as poetry and uv write it.
pub(super) fn locked(lock: &str) -> Vec<String> {
    lock.lines()
        .filter_map(|line| line.strip_prefix("name = \"")?.strip_suffix('"'))
        .map(normalised)
        .collect()
}
