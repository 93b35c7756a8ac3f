//! System packages in images and in the provisioning of hosts, by what it takes to load them anew.

use super::{Answer, Changed, Needs};

/// How a package comes into use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Loading {
    /// Every process that has it loaded must start again.
    Library,
    /// A server that owns stored data.
    Engine,
    /// Only a boot loads it: kernel, firmware of the processor, the first process, the system bus.
    Boot,
}

/// Beginnings of package names, Debian's and Red Hat's, with how they are loaded.
const PACKAGES: [(&str, Loading); 30] = [
    ("linux-image", Loading::Boot),
    ("linux-generic", Loading::Boot),
    ("linux-aws", Loading::Boot),
    ("linux-virtual", Loading::Boot),
    ("linux-modules", Loading::Boot),
    ("kernel-core", Loading::Boot),
    ("kernel", Loading::Boot),
    ("intel-microcode", Loading::Boot),
    ("amd64-microcode", Loading::Boot),
    ("microcode_ctl", Loading::Boot),
    ("linux-firmware", Loading::Boot),
    ("systemd", Loading::Boot),
    ("dbus", Loading::Boot),
    ("grub", Loading::Boot),
    ("glibc", Loading::Library),
    ("libc6", Loading::Library),
    ("musl", Loading::Library),
    ("openssl", Loading::Library),
    ("libssl", Loading::Library),
    ("libcrypto", Loading::Library),
    ("gnutls", Loading::Library),
    ("zlib", Loading::Library),
    ("postgresql", Loading::Engine),
    ("mysql-server", Loading::Engine),
    ("mariadb-server", Loading::Engine),
    ("mongodb", Loading::Engine),
    ("redis", Loading::Engine),
    ("elasticsearch", Loading::Engine),
    ("cassandra", Loading::Engine),
    ("rabbitmq-server", Loading::Engine),
];

/// Words of a line that could be packages: `openssl=3.0.11-1`, `- linux-image-amd64`.
fn packages(line: &str) -> impl Iterator<Item = (&'static str, Loading)> {
    let words = line.split(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '+' | '.')));
    words.filter_map(|word| {
        let is = |name: &str| {
            word.strip_prefix(name)
                .is_some_and(|rest| rest.is_empty() || !rest.starts_with(|c: char| c.is_ascii_lowercase()))
        };
        PACKAGES.iter().find(|(name, _)| is(name)).copied()
    })
}

fn is_container(changed: &Changed<'_>) -> bool {
    crate::classify::is_dockerfile(changed.name())
}

/// Ansible, cloud-init, Packer, Kickstart, Salt, Puppet, Chef: what sets up a host.
fn is_provisioning(changed: &Changed<'_>) -> bool {
    let name = changed.name().to_ascii_lowercase();
    let within = |known: &[&str]| changed.folders().any(|folder| known.contains(&folder));
    within(&[
        "ansible",
        "roles",
        "playbooks",
        "group_vars",
        "host_vars",
        "packer",
        "cloud-init",
        "cookbooks",
        "salt",
        "puppet",
        "provisioning",
    ]) || name.contains("playbook")
        || name.contains("cloud-init")
        || name.ends_with(".pkr.hcl")
        || name.ends_with(".ks")
        || name.ends_with(".sls")
        || name.ends_with(".pp")
}

pub(super) fn read(changed: &Changed<'_>) -> Option<Needs> {
    let container = is_container(changed);
    if !container && !is_provisioning(changed) {
        return None;
    }
    let found = changed.lines().flat_map(packages).max_by_key(|(_, loading)| *loading);
    Some(match found {
        // A container runs on its host's kernel.
        _ if container => Needs {
            migration: match found {
                Some((_, Loading::Engine)) => {
                    Answer::Unknown("moves a database engine; whether its data must be migrated can't be told")
                }
                _ => Answer::No("holds no database engine that moves"),
            },
            ..Needs::restart("makes an image that running containers don't have yet")
        },
        Some((package, Loading::Boot)) => Needs {
            reboot: Answer::Yes(format!("changes `{package}`, which only a boot loads")),
            ..Needs::restart(format!("changes `{package}`, and a reboot stops all services"))
        },
        Some((package, Loading::Library)) => {
            Needs::restart(format!("changes `{package}`: all that has it loaded must start again"))
        }
        Some((package, Loading::Engine)) => Needs {
            migration: Answer::Unknown("moves a database engine; whether its data must be migrated can't be told"),
            ..Needs::restart(format!("changes the server `{package}`"))
        },
        None => Needs::unknown("sets up hosts in a way that can't be told"),
    })
}
