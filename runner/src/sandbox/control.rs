//! The controls that isolation is made of, by name: what a sandbox has in force, and what a test
//! takes away to show that an attack works without it.

use holdpoint_schemas::evidence::Isolation;
use std::collections::BTreeSet;
use std::fmt;

/// One control of the isolation profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Control {
    /// Steps run as a user without rights.
    UnprivilegedUser,
    /// The root file system can't be written.
    ReadOnlyRoot,
    /// No capabilities.
    NoCapabilities,
    /// Set-uid programs give no rights.
    NoNewPrivileges,
    /// System calls are filtered.
    Seccomp,
    /// Only loopback.
    NoNetwork,
    /// Own process numbers: the host's processes can't be seen or signalled.
    PrivateProcesses,
    /// Own shared memory and message queues.
    PrivateIpc,
    /// Nothing of the host is mounted but the workspace and what is bound read-only.
    NoHostMounts,
    /// Kernel interfaces under `/proc` and `/sys` are hidden or read-only.
    MaskedKernel,
    /// CPU is bounded.
    CpuBound,
    /// Memory is bounded.
    MemoryBound,
    /// Processes and threads are bounded.
    ProcessBound,
    /// Disk and number of files of the workspace are bounded.
    DiskBound,
    /// Wall time is bounded.
    TimeBound,
    /// Output is bounded.
    OutputBound,
    /// All processes of a step end with it.
    EndsWithStep,
    /// A snapshot can't be written by what starts from it.
    SealedSnapshot,
    /// Archives are checked before they are unpacked.
    CheckedTree,
}

impl Control {
    /// Every control.
    pub const ALL: [Self; 19] = [
        Self::UnprivilegedUser,
        Self::ReadOnlyRoot,
        Self::NoCapabilities,
        Self::NoNewPrivileges,
        Self::Seccomp,
        Self::NoNetwork,
        Self::PrivateProcesses,
        Self::PrivateIpc,
        Self::NoHostMounts,
        Self::MaskedKernel,
        Self::CpuBound,
        Self::MemoryBound,
        Self::ProcessBound,
        Self::DiskBound,
        Self::TimeBound,
        Self::OutputBound,
        Self::EndsWithStep,
        Self::SealedSnapshot,
        Self::CheckedTree,
    ];

    /// Its name, for evidence and messages.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::UnprivilegedUser => "unprivileged user",
            Self::ReadOnlyRoot => "read-only root",
            Self::NoCapabilities => "no capabilities",
            Self::NoNewPrivileges => "no new privileges",
            Self::Seccomp => "system call filter",
            Self::NoNetwork => "no network",
            Self::PrivateProcesses => "private processes",
            Self::PrivateIpc => "private ipc",
            Self::NoHostMounts => "no host mounts",
            Self::MaskedKernel => "masked kernel interfaces",
            Self::CpuBound => "cpu bound",
            Self::MemoryBound => "memory bound",
            Self::ProcessBound => "process bound",
            Self::DiskBound => "disk bound",
            Self::TimeBound => "time bound",
            Self::OutputBound => "output bound",
            Self::EndsWithStep => "processes end with their step",
            Self::SealedSnapshot => "sealed snapshots",
            Self::CheckedTree => "checked trees",
        }
    }
}

impl fmt::Display for Control {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Which controls are in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Controls(BTreeSet<Control>);

impl Default for Controls {
    fn default() -> Self {
        Self(Control::ALL.into())
    }
}

impl Controls {
    /// All but one: for the test that shows what that one is for.
    #[must_use]
    pub fn without(mut self, control: Control) -> Self {
        self.0.remove(&control);
        self
    }

    /// Whether it is in force.
    #[must_use]
    pub fn has(&self, control: Control) -> bool {
        self.0.contains(&control)
    }

    /// Those that aren't in force.
    #[must_use]
    pub fn missing(&self) -> Vec<Control> {
        Control::ALL.into_iter().filter(|control| !self.has(*control)).collect()
    }
}

/// How isolated a sandbox's steps are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IsolationReport {
    /// How strongly, as far as this sandbox can be when nothing is missing.
    pub kind: Isolation,
    /// What runs the steps, with its version: `docker 20.10.24, runc`.
    pub engine: String,
    /// The controls in force.
    pub controls: Controls,
}

impl IsolationReport {
    /// How strongly, all told: with a control missing, unproven.
    #[must_use]
    pub fn strength(&self) -> Isolation {
        if self.controls.missing().is_empty() {
            self.kind
        } else {
            Isolation::Unproven
        }
    }
}
