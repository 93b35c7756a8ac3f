//! A pack's test cases: read, and asked on all cores.

use anyhow::Result;
use holdpoint_engine::cases::{self, CaseResult};
use holdpoint_engine::policy::{PolicyError, PolicySource};
use holdpoint_intake::cases::{CaseText, read_cases};
use holdpoint_schemas::SourceError;
use holdpoint_schemas::pack::ResolvedCase;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use super::estate::read_text;
use super::packs::LoadedPack;
use crate::failure::BadInput;

/// Stack of a thread that asks: enough for the engine's deepest policy, or it would take another for each.
const STACK_BYTES: usize = 64 << 20;

/// A case and what became of it.
#[derive(Debug, Clone)]
pub struct Asked {
    /// What was asked and expected.
    pub case: ResolvedCase,
    /// What came.
    pub result: CaseResult,
}

/// Everything that is wrong in the cases of a pack.
pub fn errors(loaded: &LoadedPack) -> Vec<SourceError> {
    let files: Vec<CaseText> = loaded.cases.iter().map(text).collect();
    read_cases(&files, &[], loaded.pack.fact_table())
        .err()
        .unwrap_or_default()
}

/// The cases of a pack; or, where `files` are named, the cases of these, which may start from the
/// pack's named sets.
///
/// # Errors
/// When there are none, or everything that is wrong in them (a [`PolicyError`]).
pub fn load(loaded: &LoadedPack, files: &[PathBuf]) -> Result<Vec<ResolvedCase>> {
    let of_pack: Vec<CaseText> = loaded.cases.iter().map(text).collect();
    let named = files.iter().map(|file| {
        let path = file.to_string_lossy().into_owned();
        let text = read_text(Path::new(""), &path)?;
        Ok(CaseText { path, text })
    });
    let named: Vec<CaseText> = named.collect::<Result<_>>()?;
    let (asked, beside) = if named.is_empty() {
        (of_pack, Vec::new())
    } else {
        // A file that was put into the pack already would otherwise meet its own names.
        let others = of_pack
            .into_iter()
            .filter(|file| named.iter().all(|n| n.text != file.text));
        let others = others.collect();
        (named, others)
    };
    let read = read_cases(&asked, &beside, loaded.pack.fact_table()).map_err(|errors| PolicyError {
        pack: loaded.manifest.name.clone(),
        errors,
    })?;
    if read.is_empty() {
        return Err(BadInput::new(
            format!("pack `{}` has no cases", loaded.manifest.name),
            "write some into its `cases/*.yaml`: facts, and the level that they must give",
        )
        .into());
    }
    Ok(read)
}

fn text(source: &PolicySource) -> CaseText {
    CaseText {
        path: source.path.clone(),
        text: source.text.clone(),
    }
}

/// Asks the pack about each case; in their order.
pub fn ask(loaded: &LoadedPack, cases: Vec<ResolvedCase>) -> Vec<Asked> {
    let results = parallel(&cases, |case| cases::run(&loaded.pack, case));
    let asked = cases.into_iter().zip(results);
    asked.map(|(case, result)| Asked { case, result }).collect()
}

/// `work` on each item, on all cores; the results have the items' order.
pub fn parallel<'a, T: Sync, R: Send>(items: &'a [T], work: impl Fn(&'a T) -> R + Sync) -> Vec<R> {
    let cores = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
    let next = AtomicUsize::new(0);
    let take = || {
        let mut done = Vec::new();
        while let Some((index, item)) =
            Some(next.fetch_add(1, Ordering::Relaxed)).and_then(|i| Some((i, items.get(i)?)))
        {
            done.push((index, work(item)));
        }
        done
    };
    let mut done = std::thread::scope(|scope| {
        let threads: Vec<_> = (1..cores.min(items.len()))
            .filter_map(|_| {
                std::thread::Builder::new()
                    .stack_size(STACK_BYTES)
                    .spawn_scoped(scope, take)
                    .ok()
            })
            .collect();
        // This thread helps, so that all gets done where none could be started.
        let mut done = take();
        for thread in threads {
            match thread.join() {
                Ok(more) => done.extend(more),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        done
    });
    done.sort_by_key(|(index, _)| *index);
    done.into_iter().map(|(_, result)| result).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_have_the_order_of_their_items() {
        let items: Vec<usize> = (0..1000).collect();
        assert_eq!(
            parallel(&items, |n| n * 2),
            items.iter().map(|n| n * 2).collect::<Vec<_>>()
        );
        assert!(parallel(&[0_u8; 0], |n| *n).is_empty());
    }
}
