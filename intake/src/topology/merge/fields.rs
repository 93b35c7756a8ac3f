//! What several sources say of one service, settled to the worse.

use holdpoint_schemas::service::{Deployment, Service, ServiceId, ServiceRuntime, SourceConflict, UpdateStrategy};
use std::collections::BTreeSet;

use super::super::part::{Authority, blank};

/// Statements on one service.
#[derive(Default)]
pub struct Statements {
    all: Vec<(Authority, Service)>,
}

const UNKNOWN: &str = "unknown";

impl Statements {
    pub fn add(&mut self, authority: Authority, service: Service) {
        self.all.push((authority, service));
    }

    /// One service of all statements.
    pub fn settle(mut self, id: ServiceId, conflicts: &mut Vec<SourceConflict>) -> Service {
        self.all.sort_by(|(one, a), (other, b)| {
            (one, &a.source, &a.id, &a.name, a.kind).cmp(&(other, &b.source, &b.id, &b.name, b.kind))
        });
        let sources: BTreeSet<&str> = self
            .all
            .iter()
            .flat_map(|(_, service)| service.source.split(", "))
            .collect();
        let sources: Vec<&str> = sources.into_iter().collect();
        let mut settled = blank(id.clone(), &sources.join(", "));
        let mut field = Field {
            all: &self.all,
            id: &id,
            conflicts,
        };
        // Kind and name are what the highest authority says.
        if let Some((_, first)) = self.all.first() {
            settled.kind = first.kind;
            settled.name.clone_from(&first.name);
        }
        settled.system = field.same("system", |service| service.system.clone());
        settled.owner = field.same("owner", |service| service.owner.clone());
        settled.tier = field.worst("tier", |service| service.tier, u8::min, u8::to_string);
        settled.customer_facing = field.yes("customer-facing", |service| service.customer_facing);
        settled.revenue_critical = field.yes("revenue-critical", |service| service.revenue_critical);
        settled.data_classes = field.all_of("data-classes", |service| service.data_classes.clone());
        settled.compliance_scopes = field.all_of("compliance-scopes", |service| service.compliance_scopes.clone());
        settled.repo = field.same("repo", |service| service.repo.clone());
        if settled.repo.is_some() {
            // Of two folders neither is worse: the whole repo holds both.
            let path = field.same("path", |service| service.repo.as_ref().map(|_| service.path.clone()));
            settled.path = path.unwrap_or_default();
        }
        settled.deployments = field.deployments();
        settled.iac_addresses = field.union(|service| &service.iac_addresses);
        settled.runtime = ServiceRuntime {
            internet_facing: field.yes("internet-facing", |service| service.runtime.internet_facing),
            replicas: field.worst("replicas", |service| service.runtime.replicas, u32::min, u32::to_string),
            update_strategy: field.worst(
                "update-strategy",
                |service| service.runtime.update_strategy,
                UpdateStrategy::min,
                |strategy| strategy.as_str().to_owned(),
            ),
            images: field.union(|service| &service.runtime.images),
            packages: field.union(|service| &service.runtime.packages),
            addresses: field.union(|service| &service.runtime.addresses),
        };
        settled
    }
}

struct Field<'a> {
    all: &'a [(Authority, Service)],
    id: &'a ServiceId,
    conflicts: &'a mut Vec<SourceConflict>,
}

impl Field<'_> {
    /// Notes a difference, if there is one.
    fn compare(&mut self, field: &str, values: Vec<(String, String)>, taken: &str) {
        let different: BTreeSet<&str> = values.iter().map(|(_, value)| value.as_str()).collect();
        if different.len() > 1 {
            let values: BTreeSet<(String, String)> = values.into_iter().collect();
            self.conflicts.push(SourceConflict {
                service: self.id.clone(),
                field: field.to_owned(),
                values: values.into_iter().collect(),
                taken: taken.to_owned(),
            });
        }
    }

    fn worst<T: Copy>(
        &mut self,
        field: &str,
        get: impl Fn(&Service) -> Option<T>,
        worse: impl Fn(T, T) -> T,
        show: impl Fn(&T) -> String,
    ) -> Option<T> {
        let said: Vec<(&str, T)> = self
            .all
            .iter()
            .filter_map(|(_, service)| Some((service.source.as_str(), get(service)?)))
            .collect();
        let taken = said.iter().map(|(_, value)| *value).reduce(&worse)?;
        let values = said.iter().map(|(source, value)| ((*source).to_owned(), show(value)));
        self.compare(field, values.collect(), &show(&taken));
        Some(taken)
    }

    fn yes(&mut self, field: &str, get: impl Fn(&Service) -> Option<bool>) -> Option<bool> {
        self.worst(field, get, |one, other| one || other, bool::to_string)
    }

    fn same(&mut self, field: &str, get: impl Fn(&Service) -> Option<String>) -> Option<String> {
        let said: Vec<(String, String)> = self
            .all
            .iter()
            .filter_map(|(_, service)| Some((service.source.clone(), get(service)?)))
            .collect();
        let different: BTreeSet<&String> = said.iter().map(|(_, value)| value).collect();
        let taken = match different.len() {
            1 => different.into_iter().next().cloned(),
            _ => None,
        };
        self.compare(field, said, taken.as_deref().unwrap_or(UNKNOWN));
        taken
    }

    fn all_of(&mut self, field: &str, get: impl Fn(&Service) -> Option<BTreeSet<String>>) -> Option<BTreeSet<String>> {
        let show = |words: &BTreeSet<String>| {
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            if words.is_empty() {
                "none".to_owned()
            } else {
                words.join(", ")
            }
        };
        let said: Vec<(&str, BTreeSet<String>)> = self
            .all
            .iter()
            .filter_map(|(_, service)| Some((service.source.as_str(), get(service)?)))
            .collect();
        let taken = said.iter().map(|(_, words)| words.clone()).reduce(|mut one, other| {
            one.extend(other);
            one
        })?;
        let values = said.iter().map(|(source, words)| ((*source).to_owned(), show(words)));
        self.compare(field, values.collect(), &show(&taken));
        Some(taken)
    }

    /// All deployments that any source names: a merge may reach them all.
    fn deployments(&mut self) -> Option<Vec<Deployment>> {
        let said: Vec<(&str, BTreeSet<&Deployment>)> = self
            .all
            .iter()
            .filter_map(|(_, service)| {
                let deployments = service.deployments.as_ref()?;
                Some((service.source.as_str(), deployments.iter().collect()))
            })
            .collect();
        let show = |deployments: &BTreeSet<&Deployment>| {
            let each: Vec<String> = deployments
                .iter()
                .map(|deployment| format!("{}={}", deployment.environment, deployment.branch))
                .collect();
            if each.is_empty() {
                "none".to_owned()
            } else {
                each.join(", ")
            }
        };
        let taken = said
            .iter()
            .map(|(_, deployments)| deployments.clone())
            .reduce(|mut one, other| {
                one.extend(other);
                one
            })?;
        let values = said
            .iter()
            .map(|(source, deployments)| ((*source).to_owned(), show(deployments)));
        self.compare("deployments", values.collect(), &show(&taken));
        Some(taken.into_iter().cloned().collect())
    }

    fn union(&self, get: impl Fn(&Service) -> &Vec<String>) -> Vec<String> {
        let all: BTreeSet<&String> = self.all.iter().flat_map(|(_, service)| get(service)).collect();
        all.into_iter().cloned().collect()
    }
}
