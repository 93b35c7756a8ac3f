//! How a host starts: unit files, kernel settings, boot loader.

use super::{Answer, Changed, Needs};

pub(super) fn read(changed: &Changed<'_>) -> Option<Needs> {
    let within = |known: &[&str]| changed.folders().any(|folder| known.contains(&folder));
    let name = changed.name();
    let boots = within(&["modprobe.d", "modules-load.d", "dracut.conf.d", "grub.d"])
        || matches!(name, "grub" | "grub.cfg" | "fstab" | "crypttab");
    if boots {
        return Some(Needs {
            reboot: Answer::Yes("is read when the machine boots".to_owned()),
            ..Needs::restart("is read when the machine boots")
        });
    }
    if within(&["sysctl.d"]) || name == "sysctl.conf" {
        return Some(Needs {
            restart: Answer::Unknown("sets the kernel; whether a running service notices can't be told"),
            reboot: Answer::Unknown("sets the kernel; whether that needs a reboot can't be told"),
            migration: Answer::No("sets the kernel, not data"),
        });
    }
    let unit = matches!(
        changed.ending(),
        "service" | "socket" | "timer" | "mount" | "path" | "slice"
    ) || within(&["systemd"]);
    unit.then(|| Needs::restart("is a unit, read when the service starts"))
}
