//! Bounds of the sandbox that make sense: an engine takes 0 for "none", and what can't run anything is a typo.

use anyhow::Result;
use holdpoint_schemas::estate::SandboxConfig;

use crate::failure::BadInput;

/// Largest disk of a workspace in MiB: an exbibyte is a typo too.
const MAX_DISK_MIB: u64 = 16 << 20;
/// Most processors, in thousandths.
const MAX_CPU_MILLIS: u64 = 1_024_000;
/// Most processes: Linux has no more (`PID_MAX_LIMIT`).
const MAX_PIDS: u64 = 4 << 20;
/// Longest step in seconds: a week.
const MAX_STEP_SECONDS: u64 = 604_800;
/// Most fixes under way at once.
const MAX_AT_ONCE: u64 = 1_024;

/// Refuses bounds under which no step could run, or that would be none.
///
/// # Errors
/// [`BadInput`] that names the key.
pub fn check(config: &SandboxConfig) -> Result<()> {
    let least: [(&str, u64, u64); 8] = [
        ("cpu_millis", config.cpu_millis.into(), 10),
        ("memory_mib", config.memory_mib, 16),
        ("pids", config.pids.into(), 8),
        ("step_seconds", config.step_seconds, 1),
        ("log_bytes", config.log_bytes as u64, 1024),
        ("tmp_mib", config.tmp_mib, 1),
        ("disk_mib", config.disk_mib, 16),
        ("at_once", config.at_once as u64, 1),
    ];
    for (key, value, least) in least {
        if value < least {
            return Err(BadInput::new(
                format!("`sandbox.{key}` is {value}: no step can run with less than {least}"),
                format!("set it to {least} or more, or leave it out"),
            )
            .into());
        }
    }
    let most: [(&str, u64, u64); 7] = [
        ("cpu_millis", config.cpu_millis.into(), MAX_CPU_MILLIS),
        ("memory_mib", config.memory_mib, MAX_DISK_MIB),
        ("pids", config.pids.into(), MAX_PIDS),
        ("step_seconds", config.step_seconds, MAX_STEP_SECONDS),
        ("tmp_mib", config.tmp_mib, MAX_DISK_MIB),
        ("disk_mib", config.disk_mib, MAX_DISK_MIB),
        ("at_once", config.at_once as u64, MAX_AT_ONCE),
    ];
    for (key, value, most) in most {
        if value > most {
            return Err(BadInput::new(
                format!("`sandbox.{key}` is {value}: more than any machine has"),
                format!("set it to at most {most}"),
            )
            .into());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_bounds_and_nothing_is_none() {
        check(&SandboxConfig::default()).unwrap();
        let zero = [
            SandboxConfig {
                memory_mib: 0,
                ..SandboxConfig::default()
            },
            SandboxConfig {
                pids: 0,
                ..SandboxConfig::default()
            },
            SandboxConfig {
                step_seconds: 0,
                ..SandboxConfig::default()
            },
            SandboxConfig {
                at_once: 0,
                ..SandboxConfig::default()
            },
            SandboxConfig {
                pids: u32::MAX,
                ..SandboxConfig::default()
            },
            SandboxConfig {
                tmp_mib: u64::MAX,
                ..SandboxConfig::default()
            },
            SandboxConfig {
                disk_mib: u64::MAX,
                ..SandboxConfig::default()
            },
        ];
        for config in zero {
            assert!(check(&config).unwrap_err().to_string().starts_with("`sandbox."));
        }
    }
}
