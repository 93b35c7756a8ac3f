//! The file that a result is in.

use super::{File, Run, at};

/// Most base ids that one path is resolved through: they may name each other in a circle.
const MAX_BASES: usize = 8;

/// The path of a result's file: its URI, or that of the artifact that it names, below its base as far as that is
/// relative (SARIF §3.4.4). An absolute base is the folder that the repo lay in, which means nothing here.
pub fn path(run: &Run, file: &File) -> Option<String> {
    let file = match file.uri {
        Some(_) => file,
        None => at(&run.artifacts)(file.index?)?.location.as_ref()?,
    };
    let mut path = file.uri.clone()?;
    let mut base_id = file.uri_base_id.as_ref();
    for _ in 0..MAX_BASES {
        let Some(base) = base_id.and_then(|id| run.original_uri_base_ids.get(id)) else {
            break;
        };
        match base.uri.as_deref() {
            Some(uri) if is_relative(uri) && is_relative(&path) => {
                path = format!("{}/{path}", uri.trim_end_matches('/'));
            }
            _ => break,
        }
        base_id = base.uri_base_id.as_ref();
    }
    Some(path)
}

fn is_relative(uri: &str) -> bool {
    !uri.is_empty() && !uri.starts_with('/') && !uri.contains(':')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolved(bases: &str, location: &str) -> Option<String> {
        let run = format!(
            r#"{{"tool":{{"driver":{{}}}},"artifacts":[{{"location":{{"uri":"x.c"}}}}],"originalUriBaseIds":{bases}}}"#
        );
        let run: Run = serde_json::from_str(&run).unwrap();
        path(&run, &serde_json::from_str(location).unwrap())
    }

    #[test]
    fn a_path_is_put_below_relative_bases_only() {
        let bases = r#"{"ROOT":{"uri":"file:///home/me/repo/"},"SUB":{"uri":"backend/","uriBaseId":"ROOT"},"LOOP":{"uri":"l","uriBaseId":"LOOP"}}"#;
        let path = |location| resolved(bases, location);
        assert_eq!(path(r#"{"uri":"a.c","uriBaseId":"ROOT"}"#).as_deref(), Some("a.c"));
        assert_eq!(
            path(r#"{"uri":"a.c","uriBaseId":"SUB"}"#).as_deref(),
            Some("backend/a.c")
        );
        assert_eq!(
            path(r#"{"uri":"file:///x/a.c","uriBaseId":"SUB"}"#).as_deref(),
            Some("file:///x/a.c")
        );
        assert_eq!(path(r#"{"uri":"a.c","uriBaseId":"GONE"}"#).as_deref(), Some("a.c"));
        assert!(path(r#"{"uri":"a.c","uriBaseId":"LOOP"}"#).is_some());
    }

    #[test]
    fn an_index_names_an_artifact() {
        assert_eq!(resolved("null", r#"{"index":0}"#).as_deref(), Some("x.c"));
        assert_eq!(resolved("null", r#"{"index":7}"#), None);
        assert_eq!(resolved("null", r#"{"index":-1}"#), None);
    }
}
