//! Which keys and identities are the same human.

use ssh_key::HashAlg;
use ssh_key::public::KeyData;
use std::collections::BTreeMap;

use super::approvers::KeyLine;

/// SHA-256 fingerprint, as `ssh-keygen -l` shows it.
pub(super) fn fingerprint(key: &KeyData) -> String {
    key.fingerprint(HashAlg::Sha256).to_string()
}

/// Groups keys that share an identity, and identities that share a key: each group is one human,
/// named by the smallest fingerprint among its keys.
pub(super) fn persons(lines: &[KeyLine]) -> BTreeMap<String, String> {
    let mut of_key: BTreeMap<String, String> = lines
        .iter()
        .map(|line| (fingerprint(&line.key), fingerprint(&line.key)))
        .collect();
    // Each round carries the smallest name one link further; names only get smaller, so it ends.
    loop {
        let mut of_identity: BTreeMap<&str, String> = BTreeMap::new();
        for line in lines {
            let Some(person) = of_key.get(&fingerprint(&line.key)) else {
                continue;
            };
            for identity in &line.identities {
                let smallest = of_identity.entry(identity).or_insert_with(|| person.clone());
                if person < smallest {
                    *smallest = person.clone();
                }
            }
        }
        let mut changed = false;
        for line in lines {
            let smallest = line.identities.iter().filter_map(|i| of_identity.get(i.as_str())).min();
            if let (Some(smallest), Some(person)) = (smallest, of_key.get_mut(&fingerprint(&line.key)))
                && smallest < person
            {
                *person = smallest.clone();
                changed = true;
            }
        }
        if !changed {
            return of_key;
        }
    }
}
