//! Patterns of paths. Not those of files: in `/pets/{id}` the braces are part of the path.

/// Whether a pattern fits a path: `*` within a segment is anything but `/`, `**` is anything. Takes time in the
/// product of both lengths at worst.
pub(super) fn matches(pattern: &str, path: &str) -> bool {
    let (pattern, path): (Vec<char>, Vec<char>) = (pattern.chars().collect(), path.chars().collect());
    // `reached[i]`: the pattern up to here fits the first i characters of the path.
    let mut reached = vec![false; path.len() + 1];
    if let Some(start) = reached.first_mut() {
        *start = true;
    }
    let mut rest = pattern.as_slice();
    while let Some((first, after)) = rest.split_first() {
        let mut next = vec![false; path.len() + 1];
        let double = *first == '*' && after.first() == Some(&'*');
        let mut running = false;
        for (at, slot) in next.iter_mut().enumerate() {
            let here = reached.get(at).copied().unwrap_or_default();
            let before = at.checked_sub(1).and_then(|before| path.get(before));
            *slot = if *first == '*' {
                running = here || (running && (double || before != Some(&'/')));
                running
            } else {
                let came = at.checked_sub(1).and_then(|before| reached.get(before)).copied();
                came.unwrap_or_default() && before == Some(first)
            };
        }
        reached = next;
        rest = if double {
            after.get(1..).unwrap_or_default()
        } else {
            after
        };
    }
    reached.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn patterns_fit_as_people_expect() {
        for (pattern, path, fits) in [
            ("/pets/{id}", "/pets/{id}", true),
            ("/pets/*", "/pets/{id}", true),
            ("/pets/*", "/pets/{id}/toys", false),
            ("/pets/**", "/pets/{id}/toys", true),
            ("/pets/**", "/pets/", true),
            ("/pets/**", "/petshop", false),
            ("/v*/pets", "/v12/pets", true),
            ("**/toys", "/pets/{id}/toys", true),
            ("**", "", true),
            ("", "", true),
            ("", "/", false),
            ("shop.v1.*", "shop.v1.Cart", true),
        ] {
            assert_eq!(matches(pattern, path), fits, "{pattern} {path}");
        }
    }

    proptest! {
        #[test]
        fn a_path_fits_itself_and_everything(path in "[a-z/{}.]{0,30}") {
            prop_assert!(matches(&path, &path));
            prop_assert!(matches("**", &path));
            prop_assert_eq!(matches("*", &path), !path.contains('/'));
        }
    }
}
