mod attacks;
mod javascript;
mod python;

use super::*;
use crate::{Ecosystem, Package, SourceFile, Usage};

type Files<'a> = &'a [(&'a str, &'a str)];
type Read = fn(&str, &[PackageFile<'_>], &str) -> Surface;

/// Judges a client of `pkg` between versions, each a list of files.
fn judged(ecosystem: Ecosystem, read: Read, versions: &[(&str, Files<'_>)], client: Files<'_>) -> Compatibility {
    let surfaces: Vec<Surface> = versions
        .iter()
        .map(|(version, files)| {
            let files: Vec<PackageFile<'_>> = files
                .iter()
                .map(|(path, text)| PackageFile { path, text: Some(text) })
                .collect();
            let mut surface = read("pkg", &files, "tests");
            surface.version = Some((*version).to_owned());
            surface
        })
        .collect();
    let steps: Vec<Step<'_>> = surfaces.iter().map(|surface| Step { surface }).collect();
    let usage = Usage::of(client.iter().map(|(path, text)| SourceFile { path, text: Some(text) }));
    judge(&usage, &Package::new(ecosystem, "pkg"), &steps, &Runtime::default()).unwrap()
}

/// `safe`, `unknown`, or the kinds of the breaks with their places.
fn told(answer: &Compatibility) -> String {
    match &answer.verdict {
        Verdict::Safe { .. } => "safe".to_owned(),
        Verdict::Unknown { because } => format!("unknown: {}", because.join("; ")),
        Verdict::Breaking { breaks, .. } => {
            let of = |b: &Break| format!("{} {} {}", b.what.as_str(), b.symbol, b.place);
            breaks.iter().map(of).collect::<Vec<_>>().join("; ")
        }
    }
}
