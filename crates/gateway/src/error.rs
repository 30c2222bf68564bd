//! What can go wrong outside of a request: the gateway cannot start, or a snapshot is refused.

use std::error::Error as StdError;
use std::fmt::{self, Display, Formatter};

/// What kind of thing failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// An address to listen on is taken by another process, or by another listener of this one.
    AddressInUse,
    /// An address to listen on cannot be had for another reason: not ours, or a port below 1024 without the right.
    Address,
    /// The TLS library refused a setting of our own.
    Tls,
    /// The operating system refused threads or file descriptors.
    Runtime,
    /// [`Gateway::run`](crate::Gateway::run) was called a second time.
    AlreadyRun,
}

/// Why the gateway cannot start.
#[derive(Debug)]
pub struct Error {
    kind: ErrorKind,
    context: String,
    cause: Option<Box<dyn StdError + Send + Sync>>,
}

impl Error {
    pub(crate) fn new(kind: ErrorKind, context: impl Into<String>) -> Self {
        Self {
            kind,
            context: context.into(),
            cause: None,
        }
    }

    pub(crate) fn because(
        kind: ErrorKind,
        context: impl Into<String>,
        cause: impl Into<Box<dyn StdError + Send + Sync>>,
    ) -> Self {
        Self {
            cause: Some(cause.into()),
            ..Self::new(kind, context)
        }
    }

    /// What kind of thing failed.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }
}

impl Display for Error {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.context)?;
        match &self.cause {
            Some(cause) => write!(formatter, ": {cause}"),
            None => Ok(()),
        }
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.cause.as_ref().map(|cause| &**cause as _)
    }
}

/// Why a snapshot was refused. What was enforced before stays in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    thing: String,
    reason: String,
}

impl Refused {
    pub(crate) fn new(thing: impl Into<String>, reason: impl Display) -> Self {
        Self {
            thing: thing.into(),
            reason: reason.to_string(),
        }
    }

    /// The part of the snapshot that is wrong, such as `host "api.example.com"`.
    pub fn thing(&self) -> &str {
        &self.thing
    }

    /// What is wrong with it. Never contains a private key.
    pub fn reason(&self) -> &str {
        &self.reason
    }
}

impl Display for Refused {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "snapshot refused: {}: {}",
            self.thing, self.reason
        )
    }
}

impl StdError for Refused {}
