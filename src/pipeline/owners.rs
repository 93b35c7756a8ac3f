//! Which services a change belongs to: the longest path wins; IaC addresses add their owners.

use holdpoint_schemas::service::{Service, ServiceId};

use super::estate::Estate;

/// Owners of what a fix (or, without one, a finding) touches.
#[derive(Debug, Clone, Default)]
pub struct Owners<'a> {
    /// Every owner, the most critical first.
    pub services: Vec<&'a Service>,
    /// Those of them that own the code, not only an IaC address.
    pub code: Vec<&'a Service>,
    /// Paths that no service owns.
    pub unowned: Vec<String>,
}

impl<'a> Owners<'a> {
    /// Owners of these paths and IaC addresses of a repo.
    pub fn of(estate: &'a Estate, repo: &str, paths: &[&str], addresses: &[&str]) -> Self {
        let mut owners = Self::default();
        let Ok(catalogue) = estate.catalogue.known() else {
            owners.unowned = paths.iter().map(|path| (*path).to_owned()).collect();
            return owners;
        };
        let in_repo: Vec<&Service> = catalogue
            .services
            .iter()
            .filter(|service| service.repo.as_deref() == Some(repo))
            .collect();
        for path in paths {
            let longest = in_repo
                .iter()
                .filter(|service| owns(&service.path, path))
                .map(|service| service.path.len())
                .max();
            match longest {
                None => owners.unowned.push((*path).to_owned()),
                Some(length) => owners.code.extend(
                    in_repo
                        .iter()
                        .filter(|service| owns(&service.path, path) && service.path.len() == length),
                ),
            }
        }
        owners.services.clone_from(&owners.code);
        owners.services.extend(catalogue.services.iter().filter(|service| {
            service
                .iac_addresses
                .iter()
                .any(|address| addresses.contains(&address.as_str()))
        }));
        let order = |service: &&Service| (service.tier.unwrap_or(u8::MAX), service.id.clone());
        for list in [&mut owners.services, &mut owners.code] {
            list.sort_by_key(order);
            list.dedup_by(|a, b| a.id == b.id);
        }
        owners
    }

    /// The service that is decided on: the most critical owner; `unknown` without one.
    pub fn primary(&self) -> ServiceId {
        self.services
            .first()
            .map_or_else(|| ServiceId("unknown".to_owned()), |service| service.id.clone())
    }

    /// Whether every path has an owner.
    pub fn known(&self) -> bool {
        self.unowned.is_empty() && !self.services.is_empty()
    }
}

fn owns(folder: &str, path: &str) -> bool {
    let folder = folder.trim_matches('/');
    folder.is_empty()
        || folder == "."
        || path == folder
        || path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::owns;

    #[test]
    fn a_folder_owns_what_is_below_it_and_nothing_beside_it() {
        assert!(owns("", "a/b"));
        assert!(owns("a", "a/b"));
        assert!(owns("a/b", "a/b"));
        assert!(!owns("a", "ab/c"));
    }
}
