//! The exit codes of `gambeson`: documented in `docs/errors.md`, made nowhere else.

use gambeson_sandbox::End;

/// What our exit code says. A program's own code is passed on as it is, so that one of these may also be a
/// program's; `--json` tells them apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExitCode {
    /// The program's own, 0 to 255.
    Program(u8),
    /// 128 plus the number of the signal that ended the program.
    Signal(i32),
    /// 120: the command line or an input makes no sense.
    Usage,
    /// 121: a limit was hit.
    Limit,
    /// 122: refused: by policy, or since this host lacks a layer.
    Refused,
    /// 123: cancelled.
    Cancelled,
    /// 124: its worker vanished, and it may not run twice.
    Lost,
    /// 125: our own failure.
    Fault,
}

impl ExitCode {
    /// The number.
    pub fn number(self) -> u8 {
        match self {
            ExitCode::Program(code) => code,
            ExitCode::Signal(signal) => 128u8.wrapping_add(signal as u8),
            ExitCode::Usage => 120,
            ExitCode::Limit => 121,
            ExitCode::Refused => 122,
            ExitCode::Cancelled => 123,
            ExitCode::Lost => 124,
            ExitCode::Fault => 125,
        }
    }

    /// The one for an end that a server tells of.
    pub fn of_job(end: &gambeson_api::End) -> ExitCode {
        use gambeson_api::End;
        match end {
            End::Exited { code } => ExitCode::Program(*code),
            End::Signalled { signal } => ExitCode::Signal(*signal),
            End::LimitHit { .. } => ExitCode::Limit,
            End::Refused {} => ExitCode::Refused,
            End::Cancelled {} => ExitCode::Cancelled,
            End::Lost {} => ExitCode::Lost,
            End::Fault { .. } => ExitCode::Fault,
        }
    }

    /// The one for an end.
    pub fn of(end: &End) -> ExitCode {
        match end {
            End::Exited(code) => ExitCode::Program(*code),
            End::Signalled(signal) => ExitCode::Signal(*signal),
            End::LimitHit { .. } => ExitCode::Limit,
            End::Refused(_) => ExitCode::Refused,
            End::Cancelled => ExitCode::Cancelled,
            End::Fault { .. } => ExitCode::Fault,
        }
    }
}

impl From<ExitCode> for std::process::ExitCode {
    fn from(code: ExitCode) -> std::process::ExitCode {
        code.number().into()
    }
}
