//! What is wrong with a text that is not JSON, or JSON beyond the limits.

use crate::place;
use crate::schema::check::{Judging, Subject};
use crate::schema::names::NameSet;
use crate::schema::reader::{Raw, Read, Reader, Stop};
use crate::violation::{ErrorClass, Location, Violation};

/// One step of the way from the root to a value.
enum Step<'t> {
    Key(Raw<'t>),
    Index(usize),
}

/// The first thing wrong with a text, and the way to it, from the innermost step to the outermost.
struct Fault<'t> {
    stop: Stop,
    steps: Vec<Step<'t>>,
}

impl<'t> Fault<'t> {
    fn within(mut self, step: Step<'t>) -> Self {
        self.steps.push(step);
        self
    }
}

impl From<Stop> for Fault<'_> {
    fn from(stop: Stop) -> Self {
        Self {
            stop,
            steps: Vec::new(),
        }
    }
}

/// What is wrong with the text as JSON within limits, if anything is.
pub(crate) fn syntax_violation(
    text: &[u8],
    judging: Judging,
    subject: Subject<'_>,
) -> Option<Violation> {
    let Ok(text) = std::str::from_utf8(text) else {
        return Some(violation(
            ErrorClass::InvalidEncoding,
            Some("invalid_utf8"),
            subject.root,
            subject,
        ));
    };
    let fault = scan(text, judging).err()?;
    let (class, detail) = match fault.stop {
        Stop::Syntax => (ErrorClass::InvalidSyntax, Some("invalid_json")),
        Stop::LoneSurrogate => (ErrorClass::InvalidEncoding, Some("invalid_utf8")),
        Stop::Duplicate => (ErrorClass::DuplicateValue, None),
        Stop::TooManyMembers => (ErrorClass::TooManyValues, None),
        Stop::TooDeep | Stop::TooCostly | Stop::Mismatch => {
            (ErrorClass::ConstraintViolation, Some("value_too_deep"))
        }
    };
    let mut target = subject.root.to_owned();
    // The others belong to the text as a whole; sixty levels of `[0]` would tell nothing more.
    if matches!(fault.stop, Stop::LoneSurrogate | Stop::Duplicate)
        && subject.location == Location::Body
    {
        for step in fault.steps.iter().rev() {
            match step {
                Step::Key(name) => place::push_key(&mut target, &name.read()),
                Step::Index(index) => place::push_index(&mut target, *index),
            }
        }
    }
    Some(violation(class, detail, &target, subject))
}

/// The violation of a text that takes more steps to judge than it may.
pub(crate) fn too_costly(subject: Subject<'_>) -> Violation {
    violation(
        ErrorClass::ConstraintViolation,
        Some("value_too_deep"),
        subject.root,
        subject,
    )
}

fn violation(
    class: ErrorClass,
    detail: Option<&str>,
    target: &str,
    subject: Subject<'_>,
) -> Violation {
    Violation::new(subject.location, target, class, detail, subject.at)
}

fn scan(text: &str, judging: Judging) -> Result<(), Fault<'_>> {
    let mut scanner = Scanner {
        reader: Reader::new(text, judging.limits),
    };
    // Places in longer texts do not fit where they are kept.
    if u32::try_from(text.len()).is_err() {
        return Err(Stop::TooManyMembers.into());
    }
    scanner.reader.skip_whitespace();
    scanner.value(0)?;
    scanner.reader.end()?;
    Ok(())
}

struct Scanner<'t> {
    reader: Reader<'t>,
}

impl<'t> Scanner<'t> {
    fn value(&mut self, depth: usize) -> Result<(), Fault<'t>> {
        let scalar: Read = match self.reader.peek() {
            Some(b'{') => return self.object(depth + 1),
            Some(b'[') => return self.array(depth + 1),
            Some(b'"') => self.reader.string().map(drop),
            Some(b'-' | b'0'..=b'9') => self.reader.number().map(drop),
            Some(b't') => self.reader.word(b"true"),
            Some(b'f') => self.reader.word(b"false"),
            Some(b'n') => self.reader.word(b"null"),
            _ => Err(Stop::Syntax),
        };
        scalar.map_err(Fault::from)
    }

    fn array(&mut self, depth: usize) -> Result<(), Fault<'t>> {
        self.reader.enter(depth)?;
        if self.reader.peek() == Some(b']') {
            self.reader.at += 1;
            return Ok(());
        }
        for index in 0.. {
            self.reader.count_member()?;
            self.value(depth)
                .map_err(|fault| fault.within(Step::Index(index)))?;
            if !self.reader.more(b']')? {
                break;
            }
        }
        Ok(())
    }

    fn object(&mut self, depth: usize) -> Result<(), Fault<'t>> {
        self.reader.enter(depth)?;
        if self.reader.peek() == Some(b'}') {
            self.reader.at += 1;
            return Ok(());
        }
        let text = self.reader.text();
        let mut names = NameSet::default();
        loop {
            self.reader.count_member()?;
            let name = self.reader.name()?;
            if !names.insert(name, text) {
                return Err(Fault::from(Stop::Duplicate).within(Step::Key(name)));
            }
            self.value(depth)
                .map_err(|fault| fault.within(Step::Key(name)))?;
            if !self.reader.more(b'}')? {
                return Ok(());
            }
        }
    }
}
