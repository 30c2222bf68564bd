//! Bodies that are judged as they arrive and not held.

use std::sync::Arc;

use smallvec::SmallVec;

use super::finder::Finder;
use super::multipart::Boundary;
use super::multipart::judge::MultipartJudge;
use super::plan::{Media, Other, Plan, Size};
use super::unpack::{self, Unpacker};
use super::{ContentCheck, Kind, body};
use crate::policy::Policy;
use crate::schema::store::Schemas;
use crate::violation::{ErrorClass, Location, Violation};

/// Most bytes that are held of a body which one of two operations of the same endpoint wants to see as a whole.
const MAX_HELD: usize = 1024 * 1024;

/// Judges a body as it arrives, in constant memory; made by [`Operation::body_stream`](crate::Operation::body_stream).
///
/// The verdict does not depend on how the body is cut into pieces. After an error the rest need not be given.
pub struct BodyStream {
    /// One for each operation that the body may be of. It conforms if it conforms to either.
    judges: SmallVec<[PlanStream; 1]>,
}

impl BodyStream {
    pub(super) fn new(judges: impl IntoIterator<Item = PlanStream>) -> Self {
        Self {
            judges: judges.into_iter().collect(),
        }
    }

    /// Judge the next piece.
    ///
    /// # Errors
    ///
    /// The first violation, as soon as it is certain.
    pub fn push(&mut self, bytes: &[u8]) -> Result<(), Violation> {
        if !bytes.is_empty() {
            for judge in &mut self.judges {
                judge.push(bytes);
            }
        }
        if self.judges.iter().all(PlanStream::is_refused) {
            return self.refusal().map_or(Ok(()), Err);
        }
        Ok(())
    }

    /// Judge the body, now that all of it has been given.
    ///
    /// # Errors
    ///
    /// The first violation.
    pub fn finish(self) -> Result<(), Violation> {
        let mut first = None;
        for judge in self.judges {
            match judge.finish(true).into_iter().next() {
                None => return Ok(()),
                Some(violation) => first = first.or(Some(violation)),
            }
        }
        first.map_or(Ok(()), Err)
    }

    /// The same, with all violations in order. Of a form that cannot be read on only the first is told.
    pub fn finish_all(self) -> Vec<Violation> {
        let mut first = None;
        for judge in self.judges {
            let found = judge.finish(false);
            if found.is_empty() {
                return found;
            }
            first = first.or(Some(found));
        }
        first.unwrap_or_default()
    }

    /// How many bytes of the body are held at the moment: fields of a form, which are judged as a whole. At most 2 MiB.
    pub fn held_bytes(&self) -> usize {
        self.judges.iter().map(PlanStream::held_bytes).sum()
    }

    fn refusal(&self) -> Option<Violation> {
        self.judges.first()?.refused.clone()
    }
}

impl std::fmt::Debug for BodyStream {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("BodyStream").finish_non_exhaustive()
    }
}

/// Judges a body as it arrives by one plan.
pub(super) struct PlanStream {
    plan: Arc<Plan>,
    schemas: Arc<Schemas>,
    policy: Policy,
    check: ContentCheck,
    unpacker: Option<Unpacker>,
    content: Content,
    /// Whether nothing has come.
    is_empty: bool,
    refused: Option<Violation>,
}

enum Content {
    Multipart(Box<MultipartJudge>),
    Bytes { size: Size, count: u64 },
    Held(Vec<u8>),
}

impl PlanStream {
    /// The stream for a check; `boundary` is that of a multipart form.
    pub(super) fn new(
        plan: Arc<Plan>,
        schemas: Arc<Schemas>,
        check: ContentCheck,
        boundary: Option<&Boundary>,
        policy: &Policy,
    ) -> Self {
        let content = match (check.kind, boundary) {
            (Kind::Multipart, Some(boundary)) => Content::Multipart(Box::new(MultipartJudge::new(
                Arc::clone(&plan),
                check.media,
                Arc::clone(&schemas),
                boundary,
                policy,
            ))),
            (Kind::Bytes, _) => Content::Bytes {
                size: match media(&plan, check).map(|media| media.other) {
                    Some(Other::Bytes(size)) => size,
                    _ => Size::ANY,
                },
                count: 0,
            },
            _ => Content::Held(Vec::new()),
        };
        let unpacks = !check.codings.is_none() && !matches!(content, Content::Held(_));
        Self {
            unpacker: unpacks.then(|| Unpacker::new(check.codings, policy)),
            plan,
            schemas,
            policy: policy.clone(),
            check,
            content,
            is_empty: true,
            refused: None,
        }
    }

    pub(super) fn is_refused(&self) -> bool {
        self.refused.is_some()
    }

    fn held_bytes(&self) -> usize {
        match &self.content {
            Content::Multipart(judge) => judge.held_bytes(),
            Content::Bytes { .. } => 0,
            Content::Held(held) => held.len(),
        }
    }

    pub(super) fn push(&mut self, bytes: &[u8]) {
        if self.is_refused() {
            return;
        }
        self.is_empty = false;
        let judged = match &mut self.unpacker {
            None => self.take(bytes),
            Some(unpacker) => {
                let mut out = Vec::new();
                let sound = unpacker.push(bytes, &mut out);
                self.take(&out).and_then(|()| self.sound(sound))
            }
        };
        self.refused = judged.err();
    }

    fn sound(&self, unpacked: Result<(), unpack::Fault>) -> Result<(), Violation> {
        unpacked.map_err(|fault| fault.violation(self.place()))
    }

    fn place(&self) -> &str {
        media(&self.plan, self.check).map_or("", |media| &media.place)
    }

    /// Judge the next piece of the content itself.
    fn take(&mut self, bytes: &[u8]) -> Result<(), Violation> {
        match &mut self.content {
            Content::Multipart(judge) => judge.push(bytes),
            Content::Bytes { size, count } => {
                *count += bytes.len() as u64;
                if *count > size.max {
                    return Err(self.wrong_size());
                }
                Ok(())
            }
            Content::Held(held) if held.len() + bytes.len() > MAX_HELD => {
                let class = ErrorClass::BodySize;
                Err(Violation::new(
                    Location::Body,
                    "$",
                    class,
                    None,
                    self.place(),
                ))
            }
            Content::Held(held) => {
                held.extend_from_slice(bytes);
                Ok(())
            }
        }
    }

    fn wrong_size(&self) -> Violation {
        Violation::new(
            Location::Body,
            "$",
            ErrorClass::ConstraintViolation,
            Some("string_length_not_in_range"),
            self.place(),
        )
    }

    /// What is wrong with the body: the first violation or all.
    pub(super) fn finish(mut self, first_only: bool) -> Vec<Violation> {
        let mut finder = if first_only {
            Finder::first()
        } else {
            Finder::all()
        };
        if let Some(violation) = self.refused {
            return vec![violation];
        }
        if self.is_empty {
            let required = self.plan.body.as_ref().filter(|body| body.required);
            return required
                .map(|body| body::missing(&body.place))
                .into_iter()
                .collect();
        }
        if let Some(unpacker) = self.unpacker.take() {
            let mut out = Vec::new();
            let sound = unpacker.finish(&mut out);
            if let Err(violation) = self.take(&out).and_then(|()| self.sound(sound)) {
                return vec![violation];
            }
        }
        if let Content::Bytes { size, count } = &self.content
            && *count < size.min
        {
            return vec![self.wrong_size()];
        }
        let _ = match self.content {
            Content::Multipart(judge) => judge.finish(&mut finder),
            Content::Bytes { .. } => return Vec::new(),
            Content::Held(bytes) => body::judge(
                &self.plan,
                &self.schemas,
                self.check,
                &bytes,
                &self.policy,
                &mut finder,
            ),
        };
        finder.into_all()
    }
}

fn media(plan: &Plan, check: ContentCheck) -> Option<&Media> {
    plan.body.as_ref()?.media.get(check.media)
}
