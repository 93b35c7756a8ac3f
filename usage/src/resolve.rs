//! What a chain of names stands for: through imports, aliases and the repo's own modules.

use std::ops::Range;

use crate::bounds::{MAX_HOPS, MAX_MEANINGS};
use crate::facts::{Bound, Chain};
use crate::language::Language;
use crate::package::segments;
use crate::sources::{Source, Usage};

/// One thing that a chain may stand for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Meaning {
    /// Absolute path: the module's segments, then members.
    pub path: Vec<String>,
    /// No other name hides it.
    pub certain: bool,
    /// Nothing in the repo binds the root: it is what the path would mean if it was written out in full.
    pub guess: bool,
}

/// Where and how deep a chain is looked up.
#[derive(Clone, Copy)]
struct Look {
    file: usize,
    /// Byte of the use, for names that functions hide; `None` from another file.
    offset: Option<usize>,
    hops: usize,
    certain: bool,
}

impl Usage {
    /// What a chain in a file may stand for; empty when it is something of the file's own, or unknown.
    pub(crate) fn meanings(&self, file: usize, chain: &Chain, offset: Option<usize>) -> Vec<Meaning> {
        let mut found = Vec::new();
        let mut open = vec![(
            Look {
                file,
                offset,
                hops: 0,
                certain: true,
            },
            chain.clone(),
        )];
        let mut steps = 0usize;
        while let Some((look, chain)) = open.pop() {
            steps += 1;
            if found.len() >= MAX_MEANINGS || steps > 8 * MAX_MEANINGS {
                break;
            }
            let Some(source) = self.files.get(look.file) else {
                continue;
            };
            if look.hops > MAX_HOPS {
                continue;
            }
            let Some((root, rest)) = chain.names.split_first().filter(|_| chain.module.is_none()) else {
                let bound = Bound {
                    local: String::new(),
                    module: chain.module.unwrap_or_default(),
                    members: Vec::new(),
                };
                self.follow(look, source, &bound, &chain.names, &mut found, &mut open);
                continue;
            };
            let hidden_in = look.offset.and_then(|offset| hidden(source, root, offset));
            let mut is_bound = false;
            for (import, bound) in source.imports_by_name.get(root).into_iter().flatten() {
                let bound = source
                    .facts
                    .imports
                    .get(*import)
                    .and_then(|import| import.bound.get(*bound));
                let Some(bound) = bound else { continue };
                is_bound = true;
                let look = Look {
                    certain: look.certain && hidden_in.is_none(),
                    ..look
                };
                self.follow(look, source, bound, rest, &mut found, &mut open);
            }
            for index in source.aliases_by_name.get(root).into_iter().flatten() {
                let Some(alias) = source.facts.aliases.get(*index) else {
                    continue;
                };
                if alias.chain.names.first() == Some(root) && alias.chain.module.is_none() {
                    continue;
                }
                is_bound = true;
                let inside = look.offset.is_none_or(|offset| alias.scope.contains(&offset));
                let own = hidden_in.as_ref().is_none_or(|hidden| *hidden == alias.scope);
                let mut chain = alias.chain.clone();
                chain.names.extend(rest.iter().cloned());
                let look = Look {
                    hops: look.hops + 1,
                    certain: look.certain && inside && own,
                    ..look
                };
                open.push((look, chain));
            }
            if is_bound {
                continue;
            }
            let look = Look {
                certain: look.certain && hidden_in.is_none(),
                ..look
            };
            self.unbound(look, source, chain, &mut found, &mut open);
        }
        found
    }

    /// What a chain may mean whose root nothing in the file binds.
    fn unbound(
        &self,
        look: Look,
        source: &Source,
        chain: Chain,
        found: &mut Vec<Meaning>,
        open: &mut Vec<(Look, Chain)>,
    ) {
        let Some((root, rest)) = chain.names.split_first() else {
            return;
        };
        let further = Look {
            hops: look.hops + 1,
            ..look
        };
        match source.language {
            // A path may be written out in full.
            Language::Java if root == "this" && !rest.is_empty() => {
                return open.push((
                    further,
                    Chain {
                        names: rest.to_vec(),
                        ..chain.clone()
                    },
                ));
            }
            Language::Java if !rest.is_empty() => {
                found.push(Meaning {
                    path: chain.names.clone(),
                    certain: look.certain,
                    guess: true,
                });
            }
            Language::Rust if !chain.dotted && !rest.is_empty() => {
                let bound = Bound {
                    local: String::new(),
                    module: root.clone(),
                    members: Vec::new(),
                };
                let before = found.len();
                self.follow(look, source, &bound, rest, found, open);
                found.iter_mut().skip(before).for_each(|meaning| meaning.guess = true);
            }
            _ => {}
        }
        // `from .a import *` and `export * from "./a"` hand on what they don't bind by name.
        let stars = self.stars.get(look.file).map_or(&[][..], Vec::as_slice);
        for (import, files) in stars {
            for file in files.iter().filter(|file| **file != look.file) {
                open.push((
                    Look {
                        file: *file,
                        offset: None,
                        ..further
                    },
                    chain.clone(),
                ));
            }
            let module = source.facts.imports.get(*import).map(|import| &import.module);
            if let Some(module) = module.filter(|_| look.hops > 0 && files.is_empty()) {
                let mut path = segments(source.language, module);
                path.extend(chain.names.iter().cloned());
                found.push(Meaning {
                    path,
                    certain: look.certain && stars.len() == 1,
                    guess: true,
                });
            }
        }
    }

    /// Follows what an import binds: out of the repo, or to a name in another of its files.
    fn follow(
        &self,
        look: Look,
        source: &Source,
        bound: &Bound,
        rest: &[String],
        found: &mut Vec<Meaning>,
        open: &mut Vec<(Look, Chain)>,
    ) {
        let members: Vec<String> = bound.members.iter().chain(rest).cloned().collect();
        let files = self
            .modules
            .resolve(source.language, &source.path, &bound.module, &members);
        for (taken, file) in &files {
            let names = members.get(*taken..).unwrap_or_default().to_vec();
            if !names.is_empty() && *file != look.file {
                let look = Look {
                    file: *file,
                    offset: None,
                    hops: look.hops + 1,
                    certain: look.certain,
                };
                open.push((
                    look,
                    Chain {
                        names,
                        ..Chain::default()
                    },
                ));
            }
        }
        if files.is_empty() || !bound.module.starts_with(['.', '/']) {
            let mut path = segments(source.language, &bound.module);
            path.extend(members);
            found.push(Meaning {
                path,
                certain: look.certain && files.is_empty(),
                guess: false,
            });
        }
    }
}

/// The innermost function around a byte that binds the name itself.
fn hidden(source: &Source, name: &str, offset: usize) -> Option<Range<usize>> {
    let indices = source.shadows_by_name.get(name)?.iter();
    let scopes = indices
        .filter_map(|index| source.facts.shadows.get(*index))
        .map(|(_, scope)| scope.clone());
    scopes
        .filter(|scope| scope.contains(&offset))
        .min_by_key(ExactSizeIterator::len)
}
