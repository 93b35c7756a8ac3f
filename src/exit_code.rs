//! Exit codes: public API. Scripts and pipelines rely on them; they change only with a major version.

/// How the process ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExitCode {
    /// Success, or nothing was held back.
    Success = 0,
    /// Internal error: ours, or the machine's.
    Internal = 1,
    /// Bad input, configuration or policy. (2, usage, is clap's.)
    BadInput = 3,
    /// Something needs a human.
    NeedsHuman = 10,
    /// A check of a single item failed, or a contract breaks.
    Failed = 11,
    /// A check of a single item is inconclusive.
    Inconclusive = 12,
}

impl From<ExitCode> for std::process::ExitCode {
    fn from(code: ExitCode) -> Self {
        Self::from(code as u8)
    }
}
