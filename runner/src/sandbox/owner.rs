//! Who owns a container: the process that made it, told apart from any later one with its number.

use std::collections::HashMap;
use std::io;

/// Marks everything of Holdpoint's.
pub(crate) const LABEL: &str = "holdpoint";
pub(crate) const LABEL_RUN: &str = "holdpoint.run";
const LABEL_PID: &str = "holdpoint.pid";
const LABEL_PID_START: &str = "holdpoint.pid-start";
pub(crate) const LABEL_BOOT: &str = "holdpoint.boot";
const LABEL_PID_NAMESPACE: &str = "holdpoint.pid-namespace";

/// A process, for as long as the machine is up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Owner {
    pid: u32,
    /// Start time in clock ticks since boot, field 22 of `/proc/<pid>/stat`.
    start: u64,
    boot: String,
    /// Process numbers mean nothing in another namespace, for example in another container.
    namespace: String,
}

impl Owner {
    /// This process.
    pub(crate) fn this_process() -> io::Result<Self> {
        let pid = std::process::id();
        let start = start_time(pid)?.ok_or_else(|| io::Error::other("this process isn't listed"))?;
        Ok(Self {
            pid,
            start,
            boot: boot_id()?,
            namespace: namespace()?,
        })
    }

    /// A text that no other owner on this machine has.
    pub(crate) fn unique(&self) -> String {
        let namespace: String = self.namespace.chars().filter(char::is_ascii_digit).collect();
        format!("{}-{}-{namespace}", self.pid, self.start)
    }

    /// Names the time since the machine was started.
    pub(crate) fn boot(&self) -> &str {
        &self.boot
    }

    pub(crate) fn labels(&self, run: &str) -> HashMap<String, String> {
        HashMap::from([
            (LABEL.to_owned(), "1".to_owned()),
            (LABEL_RUN.to_owned(), run.to_owned()),
            (LABEL_PID.to_owned(), self.pid.to_string()),
            (LABEL_PID_START.to_owned(), self.start.to_string()),
            (LABEL_BOOT.to_owned(), self.boot.clone()),
            (LABEL_PID_NAMESPACE.to_owned(), self.namespace.clone()),
        ])
    }

    /// Reads the labels back. `None` when they aren't ours or are incomplete.
    fn of_labels(labels: &HashMap<String, String>) -> Option<Self> {
        Some(Self {
            pid: labels.get(LABEL_PID)?.parse().ok()?,
            start: labels.get(LABEL_PID_START)?.parse().ok()?,
            boot: labels.get(LABEL_BOOT)?.clone(),
            namespace: labels.get(LABEL_PID_NAMESPACE)?.clone(),
        })
    }
}

/// Whether the process that the labels name is certainly gone, as seen from `me`. When that can't be
/// told (another process namespace, unreadable labels) it is taken to be alive.
pub(crate) fn is_gone(labels: &HashMap<String, String>, me: &Owner) -> bool {
    let Some(owner) = Owner::of_labels(labels) else {
        return false;
    };
    if owner.boot != me.boot {
        return true;
    }
    if owner.namespace != me.namespace {
        return false;
    }
    match start_time(owner.pid) {
        Ok(Some(start)) => start != owner.start,
        Ok(None) => true,
        Err(_) => false,
    }
}

/// Start time of a process; `None` when there is no such process, or only its unreaped remains.
fn start_time(pid: u32) -> io::Result<Option<u64>> {
    match std::fs::read_to_string(format!("/proc/{pid}/stat")) {
        Ok(stat) => parse_stat(&stat),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        // ESRCH: it went away between open and read.
        Err(error) if error.raw_os_error() == Some(3) => Ok(None),
        Err(error) => Err(error),
    }
}

fn parse_stat(stat: &str) -> io::Result<Option<u64>> {
    let malformed = || io::Error::new(io::ErrorKind::InvalidData, "unexpected form of /proc/<pid>/stat");
    // The second field is the command in parentheses, and may itself hold spaces and parentheses.
    let (_, rest) = stat.rsplit_once(')').ok_or_else(malformed)?;
    let mut fields = rest.split_whitespace();
    let state = fields.next().ok_or_else(malformed)?;
    if matches!(state, "Z" | "X") {
        return Ok(None);
    }
    // `state` is field 3; the start time is field 22.
    let start = fields
        .nth(18)
        .and_then(|field| field.parse().ok())
        .ok_or_else(malformed)?;
    Ok(Some(start))
}

fn boot_id() -> io::Result<String> {
    Ok(std::fs::read_to_string("/proc/sys/kernel/random/boot_id")?
        .trim()
        .to_owned())
}

fn namespace() -> io::Result<String> {
    Ok(std::fs::read_link("/proc/self/ns/pid")?.to_string_lossy().into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn me() -> Owner {
        Owner::this_process().unwrap()
    }

    #[test]
    fn a_live_process_is_not_gone() {
        assert!(!is_gone(&me().labels("r"), &me()));
    }

    #[test]
    fn a_later_process_with_the_same_number_is_another_one() {
        let mut old = me();
        old.start -= 1;
        assert!(is_gone(&old.labels("r"), &me()));
    }

    #[test]
    fn a_process_of_an_earlier_boot_is_gone() {
        let mut old = me();
        old.boot = "earlier".to_owned();
        assert!(is_gone(&old.labels("r"), &me()));
    }

    #[test]
    fn what_cannot_be_told_counts_as_alive() {
        let mut elsewhere = me();
        elsewhere.namespace = "pid:[1]".to_owned();
        elsewhere.start -= 1;
        assert!(!is_gone(&elsewhere.labels("r"), &me()));
        assert!(!is_gone(&HashMap::new(), &me()));
        let mut labels = me().labels("r");
        labels.insert(LABEL_PID.to_owned(), "not a number".to_owned());
        assert!(!is_gone(&labels, &me()));
    }

    #[test]
    fn a_killed_process_is_gone_even_before_it_is_reaped() {
        let mut child = std::process::Command::new("sleep").arg("60").spawn().unwrap();
        let owner = Owner {
            pid: child.id(),
            start: start_time(child.id()).unwrap().unwrap(),
            ..me()
        };
        assert!(!is_gone(&owner.labels("r"), &me()));
        child.kill().unwrap();
        while start_time(child.id()).unwrap().is_some() {
            std::thread::yield_now();
        }
        assert!(is_gone(&owner.labels("r"), &me()));
        child.wait().unwrap();
        assert!(is_gone(&owner.labels("r"), &me()));
    }

    #[test]
    fn a_command_name_may_hold_parentheses_and_spaces() {
        let stat = "7 (a) b (c) S 1 1 1 0 -1 4 0 0 0 0 0 0 0 0 20 0 1 0 4242 0 0";
        assert_eq!(parse_stat(stat).unwrap(), Some(4242));
        assert!(parse_stat("7 a S 1").is_err());
        assert!(parse_stat("7 (a) S 1").is_err());
    }
}
