//! The `holdpoint.dev/…` annotations of an entity. An absent one is unknown; a wrong one is an
//! error, since guessing could raise autonomy.

use holdpoint_schemas::SourceError;
use holdpoint_schemas::service::{Deployment, ServiceRuntime, UpdateStrategy};
use serde_yaml::Spanned;
use std::collections::{BTreeMap, BTreeSet};

use crate::error::SourceResult;
use crate::estate::at;
use crate::topology::plain_branch;

const PREFIX: &str = "holdpoint.dev/";
/// All annotations that are read: a misspelt one would be unknown for ever without a word.
const NAMES: [&str; 16] = [
    "tier",
    "customer-facing",
    "revenue-critical",
    "data-classes",
    "compliance-scopes",
    "repo",
    "path",
    "deployments",
    "iac-addresses",
    "external",
    "internet-facing",
    "replicas",
    "update-strategy",
    "image",
    "images",
    "packages",
];

/// The annotations of one entity.
pub struct Annotations<'a> {
    pub file: &'a str,
    pub text: &'a str,
    pub values: &'a BTreeMap<String, Spanned<String>>,
}

impl<'a> Annotations<'a> {
    fn get(&self, name: &str) -> Option<&'a Spanned<String>> {
        self.values.get(&format!("{PREFIX}{name}"))
    }

    fn wrong<T>(&self, name: &str, value: &Spanned<String>, help: &str) -> SourceResult<T> {
        let error = SourceError::new(
            self.file,
            format!("`{}` isn't a value of `{PREFIX}{name}`", value.value),
        );
        let error = at(error, self.text, value.referenced);
        Err(Box::new(error.help(help)))
    }

    /// Refuses annotations of ours that don't exist.
    pub fn check_names(&self) -> SourceResult<()> {
        let unknown = self.values.iter().find_map(|(key, value)| {
            let name = key.strip_prefix(PREFIX)?;
            (!NAMES.contains(&name)).then_some((key, value))
        });
        let Some((key, value)) = unknown else { return Ok(()) };
        let error = SourceError::new(self.file, format!("no such annotation `{key}`"));
        let error = at(error, self.text, value.referenced);
        Err(Box::new(
            error.help(format!("annotations under `{PREFIX}`: {}", NAMES.join(", "))),
        ))
    }

    /// 0 is the most critical.
    pub fn tier(&self) -> SourceResult<Option<u8>> {
        let Some(value) = self.get("tier") else { return Ok(None) };
        match value.value.trim().parse::<u8>() {
            Ok(tier) if tier <= 3 => Ok(Some(tier)),
            _ => self.wrong("tier", value, "write 0 (most critical), 1, 2 or 3, in quotes"),
        }
    }

    pub fn yes_or_no(&self, name: &str) -> SourceResult<Option<bool>> {
        let Some(value) = self.get(name) else { return Ok(None) };
        match value.value.trim() {
            "true" => Ok(Some(true)),
            "false" => Ok(Some(false)),
            _ => self.wrong(
                name,
                value,
                "write \"true\" or \"false\"; leave it out while nobody knows",
            ),
        }
    }

    pub fn word(&self, name: &str) -> SourceResult<Option<String>> {
        match self.get(name) {
            Some(value) if value.value.trim().is_empty() => self.wrong(name, value, "write a name, or leave it out"),
            value => Ok(value.map(|value| value.value.trim().to_owned())),
        }
    }

    /// Parts between commas.
    pub fn list(&self, name: &str) -> Vec<String> {
        let parts = self
            .get(name)
            .map_or("", |value| value.value.as_str())
            .split(',')
            .map(str::trim);
        parts.filter(|part| !part.is_empty()).map(str::to_owned).collect()
    }

    /// Words, lower case, since policies compare them; `none` says that there are none; an empty value
    /// says nothing and is refused.
    pub fn set(&self, name: &str) -> SourceResult<Option<BTreeSet<String>>> {
        let Some(value) = self.get(name) else { return Ok(None) };
        let words: BTreeSet<String> = self.list(name).iter().map(|word| word.to_ascii_lowercase()).collect();
        match (words.is_empty(), words.contains("none")) {
            (false, false) => Ok(Some(words)),
            (false, true) if words.len() == 1 => Ok(Some(BTreeSet::new())),
            _ => self.wrong(name, value, "write names between commas, or `none` by itself"),
        }
    }

    /// How it runs. `image` and `images` are the same list.
    pub fn runtime(&self) -> SourceResult<ServiceRuntime> {
        let mut images: Vec<String> = self.list("image");
        images.extend(self.list("images"));
        Ok(ServiceRuntime {
            internet_facing: self.yes_or_no("internet-facing")?,
            replicas: self.replicas()?,
            update_strategy: self.update_strategy()?,
            images,
            packages: self.packages()?,
            addresses: Vec::new(),
        })
    }

    fn replicas(&self) -> SourceResult<Option<u32>> {
        let Some(value) = self.get("replicas") else {
            return Ok(None);
        };
        match value.value.trim().parse() {
            Ok(count) => Ok(Some(count)),
            Err(_) => self.wrong("replicas", value, "write a whole number, in quotes"),
        }
    }

    fn update_strategy(&self) -> SourceResult<Option<UpdateStrategy>> {
        let name = "update-strategy";
        let Some(value) = self.get(name) else { return Ok(None) };
        let strategies = [UpdateStrategy::Recreate, UpdateStrategy::Rolling];
        match strategies
            .into_iter()
            .find(|strategy| strategy.as_str() == value.value.trim())
        {
            Some(strategy) => Ok(Some(strategy)),
            None => self.wrong(name, value, "write `rolling` or `recreate`"),
        }
    }

    fn packages(&self) -> SourceResult<Vec<String>> {
        let packages = self.list("packages");
        match self.get("packages") {
            Some(value) if packages.iter().any(|package| !package.starts_with("pkg:")) => self.wrong(
                "packages",
                value,
                "write package URLs without version: `pkg:npm/left-pad`",
            ),
            _ => Ok(packages),
        }
    }

    /// Folder in the repo; empty for all of it.
    pub fn path(&self) -> SourceResult<String> {
        let Some(value) = self.get("path") else {
            return Ok(String::new());
        };
        let path = value.value.trim().trim_start_matches("./").trim_end_matches('/');
        let absolute = path.starts_with('/') || path.contains('\\');
        if absolute || path.split('/').any(|part| part == "..") {
            return self.wrong("path", value, "write a folder below the repo's root, without `..`");
        }
        Ok(if path == "." { String::new() } else { path.to_owned() })
    }

    /// `environment=branch` between commas; `none` says that it isn't deployed anywhere.
    pub fn deployments(&self) -> SourceResult<Option<Vec<Deployment>>> {
        let name = "deployments";
        let Some(value) = self.get(name) else { return Ok(None) };
        let help = "write `environment=branch` between commas, for example `production=main`, or `none`";
        let parts = self.list(name);
        if parts == ["none"] {
            return Ok(Some(Vec::new()));
        }
        let mut deployments = Vec::new();
        for part in &parts {
            match part
                .split_once('=')
                .and_then(|(environment, branch)| Some((environment.trim(), plain_branch(branch)?)))
            {
                Some((environment, branch)) if !environment.is_empty() => {
                    deployments.push(Deployment {
                        environment: environment.to_owned(),
                        branch: branch.to_owned(),
                    });
                }
                _ => return self.wrong(name, value, help),
            }
        }
        if deployments.is_empty() {
            self.wrong(name, value, help)
        } else {
            Ok(Some(deployments))
        }
    }
}
