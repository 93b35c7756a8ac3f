//! Reports on disk: the newest beside the ledger, and those of the runs before it under `reports/`.

use anyhow::{Context, Result};
use holdpoint_schemas::Timestamp;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::Instant;

/// Folder of runs' reports in the state folder.
pub const REPORTS: &str = "reports";
/// Runs whose reports are kept where the estate doesn't say.
pub const KEPT: usize = 30;

/// Name of a run's folder: its time, as every file system can have it, so that names sort as times do.
#[must_use]
pub fn folder_name(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H%M%SZ").to_string()
}

/// Writes a form of a report.
pub type Writing<'a> = Box<dyn Fn(&mut dyn Write) -> Result<()> + 'a>;

/// One form of a run's report.
pub struct Form<'a> {
    /// Name of its file.
    pub name: &'static str,
    /// Whether people read it, so that it is kept for later runs, too.
    pub kept: bool,
    /// Writes it. A report of thousands of findings is large in some forms, so that no form is ever whole in memory that
    /// needn't be.
    pub write: Writing<'a>,
}

/// Writes a run's files beside the ledger, and those that people read into a folder of the run's own; then drops the
/// oldest such folders until `keep` are left, never the one just written.
///
/// # Errors
/// When a file can't be written. One that is there stays whole.
pub fn write(state: &Path, at: Timestamp, forms: &[Form<'_>], keep: usize) -> Result<()> {
    for form in forms {
        let begun = Instant::now();
        write_whole(&state.join(form.name), &form.write)?;
        tracing::debug!(
            form = form.name,
            seconds = begun.elapsed().as_secs_f64(),
            "report written"
        );
    }
    let reports = state.join(REPORTS);
    let own = reports.join(folder_name(at));
    std::fs::create_dir_all(&own).with_context(|| format!("making `{}`", own.display()))?;
    for form in forms.iter().filter(|form| form.kept) {
        write_whole(&own.join(form.name), &|out| {
            std::io::copy(&mut File::open(state.join(form.name))?, out)?;
            Ok(())
        })?;
    }
    drop_oldest(&reports, &own, keep.max(1))
}

/// A reader sees the old file or the new one, whatever happens meanwhile.
fn write_whole(path: &Path, content: &dyn Fn(&mut dyn Write) -> Result<()>) -> Result<()> {
    let folder = path.parent().unwrap_or(path);
    let write = || -> Result<()> {
        let mut file = tempfile::Builder::new()
            .permissions(std::os::unix::fs::PermissionsExt::from_mode(0o644))
            .tempfile_in(folder)?;
        let mut out = BufWriter::new(&mut file);
        content(&mut out)?;
        out.flush()?;
        drop(out);
        file.persist(path)?;
        Ok(())
    };
    write().with_context(|| format!("writing `{}`", path.display()))
}

fn drop_oldest(reports: &Path, own: &Path, keep: usize) -> Result<()> {
    let mut others: Vec<PathBuf> = std::fs::read_dir(reports)
        .with_context(|| format!("reading `{}`", reports.display()))?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path != own && is_ours(path))
        .collect();
    others.sort();
    let surplus = (others.len() + 1).saturating_sub(keep);
    for old in others.iter().take(surplus) {
        std::fs::remove_dir_all(old).with_context(|| format!("removing `{}`", old.display()))?;
    }
    Ok(())
}

/// Whether a folder has a name as [`folder_name`] makes it: what people put there stays.
fn is_ours(path: &Path) -> bool {
    const FORM: &[u8] = b"0000-00-00T000000Z";
    let Some(name) = path.file_name().and_then(|name| name.to_str()) else {
        return false;
    };
    let fits = |(c, form): (u8, &u8)| if *form == b'0' { c.is_ascii_digit() } else { c == *form };
    path.is_dir() && !path.is_symlink() && name.len() == FORM.len() && name.bytes().zip(FORM).all(fits)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    fn forms() -> Vec<Form<'static>> {
        let form = |name, kept, text: &'static str| Form {
            name,
            kept,
            write: Box::new(|out| Ok(out.write_all(text.as_bytes())?)),
        };
        vec![form("report.md", true, "new"), form("last-run.json", false, "{}")]
    }

    #[test]
    fn the_newest_reports_are_kept_and_what_people_put_there_too() {
        let state = tempfile::tempdir().unwrap();
        let reports = state.path().join(REPORTS);
        std::fs::create_dir_all(reports.join("audit-2025")).unwrap();
        for day in 1..=5 {
            let at = format!("2026-03-0{day}T02:30:00Z").parse().unwrap();
            write(state.path(), at, &forms(), 3).unwrap();
        }
        let expected = [
            "2026-03-03T023000Z",
            "2026-03-04T023000Z",
            "2026-03-05T023000Z",
            "audit-2025",
        ];
        assert_eq!(names(&reports), expected);
        assert_eq!(names(&reports.join("2026-03-05T023000Z")), ["report.md"]);
        for kept in [
            state.path().join("report.md"),
            reports.join("2026-03-05T023000Z/report.md"),
        ] {
            assert_eq!(std::fs::read_to_string(kept).unwrap(), "new");
        }
        assert_eq!(names(state.path()), ["last-run.json", "report.md", "reports"]);
    }

    #[test]
    fn a_form_that_breaks_off_leaves_the_report_that_was_there() {
        let state = tempfile::tempdir().unwrap();
        let at = "2026-03-05T02:30:00Z".parse().unwrap();
        write(state.path(), at, &forms(), 1).unwrap();
        let broken = Form {
            name: "report.md",
            kept: true,
            write: Box::new(|out| {
                out.write_all(b"half")?;
                anyhow::bail!("no more")
            }),
        };
        let error = write(state.path(), at, &[broken], 1).unwrap_err();
        assert!(format!("{error:#}").ends_with("report.md`: no more"), "{error:#}");
        assert_eq!(std::fs::read_to_string(state.path().join("report.md")).unwrap(), "new");
        assert_eq!(names(state.path()), ["last-run.json", "report.md", "reports"]);
    }

    #[test]
    fn a_run_whose_clock_jumped_back_keeps_its_own_report() {
        let state = tempfile::tempdir().unwrap();
        for at in ["2026-03-05T02:30:00Z", "2026-03-06T02:30:00Z", "2020-01-01T00:00:00Z"] {
            write(state.path(), at.parse().unwrap(), &forms(), 2).unwrap();
        }
        let kept = names(&state.path().join(REPORTS));
        assert_eq!(kept, ["2020-01-01T000000Z", "2026-03-06T023000Z"]);
    }
}
