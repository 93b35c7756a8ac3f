//! Packs in layers: an organisation's pack on a shipped one.

use std::collections::{BTreeMap, BTreeSet};

use holdpoint_schemas::SourceError;
use holdpoint_schemas::pack::PackManifest;

use super::compile::{self, Facts};
use super::{Effect, Pack, PolicyError, PolicySource, reads};

/// A pack that extends another, and what must be proved of it.
#[derive(Debug, Clone)]
pub struct Layer {
    /// What is asked: the inherited policies but those dropped or replaced, and the layer's own.
    pub pack: Pack,
    /// The same without the permits that the layer says it loosens by. It must permit no more than
    /// [`Self::inherited`].
    pub strict: Pack,
    /// The inherited pack without the forbids that the layer says it loosens.
    pub inherited: Pack,
}

impl Pack {
    /// Puts a layer on this pack. The layer's `sources` may be empty: one that only drops.
    ///
    /// A layer tightens by forbids. A permit of its own, and an inherited forbid that it drops or
    /// replaces (a policy with the same `@id`), must be listed in the manifest's `relaxes`.
    ///
    /// # Errors
    /// What is wrong with the layer's policies, and what it loosens without saying so or says without
    /// doing so; with places, the manifest's as `manifest`.
    pub fn layer(&self, manifest: &PackManifest, path: &str, sources: &[PolicySource]) -> Result<Layer, PolicyError> {
        let own = match sources {
            [] => self.keep(&manifest.name, |_| false),
            _ => Self::compile(&manifest.name, sources, &self.facts)?,
        };
        let errors = self.undeclared(manifest, path, &own, sources);
        if !errors.is_empty() {
            return Err(PolicyError {
                pack: manifest.name.clone(),
                errors,
            });
        }
        let relaxed: BTreeSet<&str> = manifest.relaxes.iter().map(|entry| entry.policy.as_str()).collect();
        let inherited = self.keep(&self.name, |id| !(relaxed.contains(id) && self.has(id, Effect::Forbid)));
        let kept = inherited.keep(&manifest.name, |id| own.policy(id).is_none());
        let strict = own.keep(&manifest.name, |id| !own.has(id, Effect::Permit));
        Ok(Layer {
            pack: kept.and(&own),
            strict: kept.and(&strict),
            inherited,
        })
    }

    fn has(&self, id: &str, effect: Effect) -> bool {
        self.policy(id).is_some_and(|policy| policy.effect == effect)
    }

    /// What the layer `own` loosens silently, and what it lists for nothing.
    fn undeclared(
        &self,
        manifest: &PackManifest,
        path: &str,
        own: &Self,
        sources: &[PolicySource],
    ) -> Vec<SourceError> {
        let listed: BTreeMap<&str, &str> = manifest
            .relaxes
            .iter()
            .map(|entry| (entry.policy.as_str(), entry.reason.as_str()))
            .collect();
        let mut errors = Vec::new();
        for policy in &own.policies {
            let message = if self.has(&policy.id, Effect::Forbid) && policy.effect == Effect::Permit {
                format!(
                    "policy `{}` permits, and pack `{}` forbids under the same id",
                    policy.id, self.name
                )
            } else if listed.contains_key(policy.id.as_str()) {
                continue;
            } else if self.has(&policy.id, Effect::Forbid) {
                format!("policy `{}` replaces a forbid of pack `{}`", policy.id, self.name)
            } else if policy.effect == Effect::Permit {
                format!(
                    "policy `{}` permits, and a layer on pack `{}` may only forbid",
                    policy.id, self.name
                )
            } else {
                continue;
            };
            let help =
                "give it an id of its own; what it loosens is listed under `relaxes:` in pack.yaml, with the reason";
            let error = match sources.iter().find(|source| source.path == policy.path) {
                Some(source) => {
                    let offset = source.text.find(&format!("\"{}\"", policy.id)).unwrap_or_default();
                    compile::at(source, offset, message)
                }
                None => SourceError::new(&policy.path, message),
            };
            errors.push(error.help(help));
        }
        for (id, reason) in listed {
            let message = if reason.trim().is_empty() {
                format!("`relaxes` lists `{id}` without a reason, expected one sentence")
            } else if !self.has(id, Effect::Forbid) && !own.has(id, Effect::Permit) {
                format!("`relaxes` lists `{id}`, which is neither an inherited forbid nor a permit of this pack")
            } else {
                continue;
            };
            errors.push(SourceError::new(path, message).help("correct or remove the entry"));
        }
        errors
    }

    /// The policies that `is_kept` chooses, under the name `name`.
    fn keep(&self, name: &str, is_kept: impl Fn(&str) -> bool) -> Self {
        let chosen = self.policies.iter().cloned().zip(self.compiled.iter().cloned());
        let (policies, compiled) = chosen.filter(|(policy, _)| is_kept(&policy.id)).unzip();
        compile::assemble(name, self.facts(), policies, compiled)
    }

    /// These policies and those of `other`, which has none of the same id.
    fn and(&self, other: &Self) -> Self {
        let both = |pack: &Self| -> Vec<_> {
            let compiled = pack.compiled.iter().cloned();
            pack.policies.iter().cloned().zip(compiled).collect()
        };
        let mut all = both(self);
        all.extend(both(other));
        all.sort_by(|(a, _), (b, _)| a.id.cmp(&b.id));
        let (policies, compiled) = all.into_iter().unzip();
        compile::assemble(&other.name, self.facts(), policies, compiled)
    }

    /// The pack without one policy, to show what that policy is for. Without such a policy, the
    /// same pack.
    #[must_use]
    pub fn without(&self, id: &str) -> Self {
        self.keep(&self.name, |other| other != id)
    }

    /// The pack with one policy only, to ask that one alone. Without such a policy, an empty pack.
    #[must_use]
    pub fn only(&self, id: &str) -> Self {
        self.keep(&self.name, |other| other == id)
    }

    /// The pack with another policy of the same id in the place of `id`; `None`: without it. The other
    /// one must have been validated.
    pub(crate) fn with(&self, id: &str, other: Option<&cedar_policy::Policy>) -> Self {
        let Some(other) = other else {
            return self.without(id);
        };
        let mut policies = self.policies.clone();
        let mut compiled = self.compiled.clone();
        for (info, compiled) in policies.iter_mut().zip(&mut compiled).filter(|(info, _)| info.id == id) {
            compiled.policy = other.clone();
            if let Some(reads) = reads::of_policy(other, &self.facts) {
                (info.facts, compiled.literals) = (reads.facts, reads.literals);
            }
        }
        compile::assemble(&self.name, self.facts(), policies, compiled)
    }

    /// The pack with the policy `id` as `from` has it; without it if `from` has none.
    #[must_use]
    pub fn restored(&self, id: &str, from: &Self) -> Self {
        self.without(id).and(&from.keep(&self.name, |other| other == id))
    }

    fn facts(&self) -> Facts {
        Facts {
            table: self.facts.clone(),
            schema: self.schema.clone(),
            digest: self.schema_digest.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use holdpoint_schemas::fact::FactTable;
    use holdpoint_schemas::pack::Relaxation;

    fn source(text: &str) -> PolicySource {
        PolicySource {
            path: "p.cedar".to_owned(),
            text: text.to_owned(),
        }
    }

    fn policy(id: &str, effect: &str) -> String {
        format!("@id(\"{id}\") @reason(\"because\") {effect} (principal, action, resource);\n")
    }

    fn base() -> Pack {
        let text = policy("go", "permit") + &policy("frozen", "forbid") + &policy("late", "forbid");
        Pack::compile("base", &[source(&text)], FactTable::shipped()).unwrap()
    }

    fn manifest(relaxes: &[(&str, &str)]) -> PackManifest {
        PackManifest {
            name: "mine".to_owned(),
            description: String::new(),
            extends: Some("base".to_owned()),
            relaxes: relaxes
                .iter()
                .map(|(policy, reason)| Relaxation {
                    policy: (*policy).to_owned(),
                    reason: (*reason).to_owned(),
                })
                .collect(),
            invariants: Vec::new(),
            minimum_facts: Vec::new(),
        }
    }

    fn ids(pack: &Pack) -> Vec<&str> {
        pack.policies().iter().map(|policy| policy.id.as_str()).collect()
    }

    fn refused(relaxes: &[(&str, &str)], text: &str) -> Vec<String> {
        let sources: Vec<PolicySource> = (!text.is_empty()).then(|| source(text)).into_iter().collect();
        let error = base().layer(&manifest(relaxes), "pack.yaml", &sources).unwrap_err();
        error.errors.iter().map(SourceError::one_line).collect()
    }

    #[test]
    fn a_layer_adds_forbids_freely() {
        let own = source(&policy("mine", "forbid"));
        let layer = base().layer(&manifest(&[]), "pack.yaml", &[own]).unwrap();
        assert_eq!(ids(&layer.pack), ["frozen", "go", "late", "mine"]);
        assert_eq!(layer.pack.name(), "mine");
        assert_eq!(layer.strict.digest(), layer.pack.digest());
        assert_eq!(layer.inherited.digest(), base().digest());
    }

    #[test]
    fn what_a_layer_loosens_must_be_listed() {
        assert_eq!(
            refused(&[], &policy("mine", "permit")),
            ["p.cedar:1:5: policy `mine` permits, and a layer on pack `base` may only forbid"]
        );
        assert_eq!(
            refused(&[], &policy("frozen", "forbid")),
            ["p.cedar:1:5: policy `frozen` replaces a forbid of pack `base`"]
        );
        // One entry would loosen two things.
        assert_eq!(
            refused(&[("frozen", "why")], &policy("frozen", "permit")),
            ["p.cedar:1:5: policy `frozen` permits, and pack `base` forbids under the same id"]
        );
        // Even one that replaces a permit: a tighter permit is a forbid.
        assert_eq!(refused(&[], &policy("go", "permit")).len(), 1);
        assert!(
            base()
                .layer(&manifest(&[]), "pack.yaml", &[source(&policy("go", "forbid"))])
                .is_ok()
        );
    }

    #[test]
    fn what_is_listed_must_be_there_with_a_reason() {
        assert_eq!(
            refused(&[("nothing", "why"), ("late", " "), ("go", "why")], ""),
            [
                "pack.yaml: `relaxes` lists `go`, which is neither an inherited forbid nor a permit of this pack",
                "pack.yaml: `relaxes` lists `late` without a reason, expected one sentence",
                "pack.yaml: `relaxes` lists `nothing`, which is neither an inherited forbid nor a permit of this pack",
            ]
        );
    }

    #[test]
    fn a_layer_drops_replaces_and_permits_what_it_lists() {
        let own = source(&(policy("frozen", "forbid") + &policy("mine", "permit")));
        let relaxes = [("late", "why"), ("frozen", "why"), ("mine", "why")];
        let layer = base().layer(&manifest(&relaxes), "pack.yaml", &[own]).unwrap();
        assert_eq!(ids(&layer.pack), ["frozen", "go", "mine"]);
        assert_eq!(ids(&layer.strict), ["frozen", "go"]);
        assert_eq!(ids(&layer.inherited), ["go"]);
        let dropping = base().layer(&manifest(&[("late", "why")]), "pack.yaml", &[]).unwrap();
        assert_eq!(ids(&dropping.pack), ["frozen", "go"]);
    }
}
