//! Why a command failed, and its exit code by sysexits.h.

use std::io::{self, Write};
use std::process::ExitCode;

use policy::diagnostic::Diagnostic;

use crate::app::{StartError, StoreError};
use crate::spool::SpoolError;

/// The command line is wrong.
pub(super) const USAGE: u8 = 64;
const FAILED: u8 = 1;
const DATA: u8 = 65;
const UNAVAILABLE: u8 = 69;
const CANNOT_CREATE: u8 = 73;
const CONFIGURATION: u8 = 78;

/// What is said on standard error, and the exit code.
#[derive(Debug)]
pub(super) struct Trouble {
    code: u8,
    lines: Vec<String>,
}

impl Trouble {
    /// A test or a comparison failed; what, was printed already.
    pub(super) const fn failed() -> Self {
        Self {
            code: FAILED,
            lines: Vec::new(),
        }
    }

    /// The answer is no.
    pub(super) fn no(text: impl Into<String>) -> Self {
        Self::new(FAILED, text)
    }

    /// What was given cannot be used.
    pub(super) fn data(text: impl Into<String>) -> Self {
        Self::new(DATA, text)
    }

    /// Something that is needed does not work.
    pub(super) fn unavailable(text: impl Into<String>) -> Self {
        Self::new(UNAVAILABLE, text)
    }

    /// A file cannot be written.
    pub(super) fn cannot_create(text: impl Into<String>) -> Self {
        Self::new(CANNOT_CREATE, text)
    }

    /// The configuration or the policy is wrong.
    pub(super) fn configuration(text: impl Into<String>) -> Self {
        Self::new(CONFIGURATION, text)
    }

    /// The configuration or the policy is wrong, at these places.
    pub(super) fn mistakes(mistakes: &[Diagnostic]) -> Self {
        Self {
            code: CONFIGURATION,
            lines: mistakes.iter().map(Diagnostic::shown).collect(),
        }
    }

    /// What was given is wrong, at these places.
    pub(super) fn data_mistakes(mistakes: &[Diagnostic]) -> Self {
        Self {
            code: DATA,
            ..Self::mistakes(mistakes)
        }
    }

    /// Says it.
    pub(super) fn tell(&self) -> ExitCode {
        self.lines.iter().for_each(|line| say(line));
        ExitCode::from(self.code)
    }

    fn new(code: u8, text: impl Into<String>) -> Self {
        Self {
            code,
            lines: vec![format!("postern: {}", text.into())],
        }
    }
}

/// Prints a line on standard error.
pub(super) fn say(line: &str) {
    // Nobody may be there to hear it.
    let _unheard = writeln!(io::stderr().lock(), "{line}");
}

impl From<StoreError> for Trouble {
    fn from(error: StoreError) -> Self {
        let text = error.to_string();
        match error {
            StoreError::DataDir { .. } => Self::cannot_create(text),
            StoreError::Database(_) => Self::unavailable(text),
            StoreError::Vault(_)
            | StoreError::Directory(_)
            | StoreError::AnchorFile { .. }
            | StoreError::Anchor { .. }
            | StoreError::CrlFile { .. }
            | StoreError::NoFetching(_) => Self::configuration(text),
        }
    }
}

impl From<SpoolError> for Trouble {
    fn from(error: SpoolError) -> Self {
        match error {
            SpoolError::WrongKey => Self::configuration(error.to_string()),
            SpoolError::Locked(_)
            | SpoolError::Damaged { .. }
            | SpoolError::Format(_)
            | SpoolError::Full(_)
            | SpoolError::Unavailable(_)
            | SpoolError::Corrupt { .. }
            | SpoolError::Gone(_) => Self::unavailable(error.to_string()),
        }
    }
}

impl From<StartError> for Trouble {
    fn from(error: StartError) -> Self {
        match error {
            StartError::Store(error) => error.into(),
            StartError::Spool(error) => error.into(),
            StartError::Metrics { .. } => Self::unavailable(error.to_string()),
            StartError::Listen(error) => Self::unavailable(error.to_string()),
            StartError::Deliver(error) => Self::unavailable(error.to_string()),
        }
    }
}
