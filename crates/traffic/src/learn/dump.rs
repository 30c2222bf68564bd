//! Profiles as bytes: compact, packed, the same for the same requests, and never trusted when read.
//!
//! A dump begins with what it is, its version, how long it is unpacked, and the hash of that. What follows is packed by
//! zstd, unless that would make it so small that a reader could not tell it from a trap.

use std::fmt;
use std::io::Read as _;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::days::HOURS_OF_WEEK;
use super::hash::hash;
use super::learner::Key;
use super::names::{Cursor, Named};
use super::node::{MAX_DEPTH, MAX_PLACES, Node};
use super::object::{
    Kinds, MAX_BRANCHES, MAX_MEMBERS, MAX_SHAPES, Map, Member, Members, Object, Objects, Shape,
    Shapes,
};
use super::operation::{Body, MAX_MEDIA_TYPES, OperationProfile};
use super::parameter::{MAX_PARAMETERS, Parameter, Parameters};
use super::tape::TAG_NAMES;

const MAGIC: [u8; 4] = *b"HBKL";
const VERSION: u8 = 1;
const PLAIN: u8 = 0;
const PACKED: u8 = 1;
/// Magic, version, packing, length, hash.
const HEAD_BYTES: usize = 4 + 1 + 1 + 8 + 8;

/// Packed bytes unpack to at most so many times as many, and this to begin with.
const MAX_RATIO: u64 = 64;
const ALLOWANCE: u64 = 64 * 1024;

/// Fast, and within some percent of the best for text as short as this.
const LEVEL: i32 = 3;

/// Most path variables of an endpoint.
const MAX_VARIABLES: usize = 256;

/// Deeper nesting is in no dump: the root, and for a map or branch no more.
const MAX_NESTING: usize = MAX_DEPTH + 2;

/// Bytes that are no dump of a profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DumpError {
    /// They begin like something else.
    Foreign,
    /// They were written by another version, of this number.
    Version(u8),
    /// They were damaged or cut.
    Damaged,
}

impl fmt::Display for DumpError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Foreign => formatter.write_str("these bytes are no profile of an operation"),
            Self::Version(version) => write!(
                formatter,
                "the profile has version {version}, and this hauberk reads version {VERSION}"
            ),
            Self::Damaged => formatter.write_str("the profile is damaged"),
        }
    }
}

impl std::error::Error for DumpError {}

/// Writes a profile of an operation (method, host, endpoint).
pub(super) fn write(operation: (&str, &str, &str), profile: &OperationProfile) -> Vec<u8> {
    let mut writer = Writer(Vec::new());
    for text in [operation.0, operation.1, operation.2] {
        writer.text(text);
    }
    writer.operation(profile);
    let content = writer.0;
    let packed = zstd::bulk::compress(&content, LEVEL).ok();
    let packed = packed.filter(|packed| content.len() as u64 <= most(packed.len()));
    let mut dumped =
        Vec::with_capacity(HEAD_BYTES + packed.as_ref().map_or(content.len(), Vec::len));
    dumped.extend_from_slice(&MAGIC);
    dumped.push(VERSION);
    dumped.push(if packed.is_some() { PACKED } else { PLAIN });
    dumped.extend_from_slice(&(content.len() as u64).to_le_bytes());
    dumped.extend_from_slice(&hash(&content).to_le_bytes());
    dumped.extend_from_slice(packed.as_ref().unwrap_or(&content));
    dumped
}

/// How long packed bytes may be unpacked.
fn most(packed: usize) -> u64 {
    (packed as u64)
        .saturating_mul(MAX_RATIO)
        .saturating_add(ALLOWANCE)
}

/// Reads what [`write`] wrote.
pub(super) fn read(dumped: &[u8]) -> Result<(Key, OperationProfile), DumpError> {
    let content = unpacked(dumped)?;
    let mut reader = Reader {
        rest: &content,
        places: 0,
    };
    let key = (reader.text()?, reader.text()?, reader.text()?);
    let profile = reader.operation()?;
    if reader.rest.is_empty() {
        Ok((key, profile))
    } else {
        Err(DumpError::Damaged)
    }
}

fn unpacked(dumped: &[u8]) -> Result<Vec<u8>, DumpError> {
    if !dumped.starts_with(&MAGIC) {
        return Err(DumpError::Foreign);
    }
    let (head, packed) = dumped
        .split_at_checked(HEAD_BYTES)
        .ok_or(DumpError::Damaged)?;
    if head[4] != VERSION {
        return Err(DumpError::Version(head[4]));
    }
    let word = |at: usize| {
        let mut word = [0; 8];
        word.copy_from_slice(&head[at..at + 8]);
        u64::from_le_bytes(word)
    };
    let (length, hashed) = (word(6), word(14));
    if length > most(packed.len()) {
        return Err(DumpError::Damaged);
    }
    let content = match head[5] {
        PLAIN => packed.to_vec(),
        PACKED => {
            let mut content = Vec::new();
            zstd::Decoder::new(packed)
                .and_then(|decoder| decoder.take(length + 1).read_to_end(&mut content))
                .map_err(|_| DumpError::Damaged)?;
            content
        }
        _ => return Err(DumpError::Damaged),
    };
    if content.len() as u64 == length && hash(&content) == hashed {
        Ok(content)
    } else {
        Err(DumpError::Damaged)
    }
}

struct Writer(Vec<u8>);

impl Writer {
    fn number(&mut self, number: u64) {
        self.leaf(&number);
    }

    fn count(&mut self, count: usize) {
        self.number(count as u64);
    }

    fn text(&mut self, text: &str) {
        self.count(text.len());
        self.0.extend_from_slice(text.as_bytes());
    }

    /// What has no places in it.
    fn leaf<T: Serialize>(&mut self, leaf: &T) {
        let buffer = std::mem::take(&mut self.0);
        self.0 = postcard::to_extend(leaf, buffer)
            .expect("a growing buffer takes everything that says how long it is");
    }

    fn optional<T>(&mut self, value: Option<&T>, write: impl FnOnce(&mut Self, &T)) {
        self.0.push(value.is_some().into());
        if let Some(value) = value {
            write(self, value);
        }
    }

    fn named<T>(&mut self, named: &Named<T>, write: impl Fn(&mut Self, &T)) {
        self.count(named.len());
        for entry in named.sorted() {
            self.text(&entry.name);
            write(self, &entry.value);
        }
    }

    fn operation(&mut self, profile: &OperationProfile) {
        self.leaf(&profile.requests);
        self.number(profile.identified);
        self.leaf(&(profile.times.first, profile.times.last, &profile.times.days));
        self.leaf(&profile.times.hours.as_slice());
        self.count(profile.path.len());
        for parameters in &profile.path {
            self.parameters(parameters);
        }
        for parameters in [&profile.query, &profile.headers, &profile.cookies] {
            self.parameters(parameters);
        }
        self.named(&profile.bodies, Self::body);
        self.leaf(&profile.without_body);
        self.number(profile.left_out);
    }

    fn parameters(&mut self, parameters: &Parameters) {
        self.number(parameters.left_out);
        self.named(&parameters.known, |writer, parameter| {
            writer.leaf(&(parameter.more, &parameter.repeated, &parameter.value));
        });
    }

    fn body(&mut self, body: &Body) {
        self.leaf(&(&body.present, &body.unreadable));
        for named in [&body.charsets, &body.files] {
            self.named(named, Self::leaf);
        }
        self.node(&body.node);
    }

    fn node(&mut self, node: &Node) {
        self.leaf(&node.value);
        self.optional(node.items.as_deref(), Self::node);
        self.optional(node.objects.as_deref(), Self::objects);
    }

    fn objects(&mut self, objects: &Objects) {
        self.object(&objects.plain);
        match &objects.kinds {
            Kinds::Unsaid => self.0.push(0),
            Kinds::Mixed => self.0.push(1),
            Kinds::Said(name, branches) => {
                self.0.extend_from_slice(&[2, *name]);
                self.count(branches.len());
                for (value, object) in branches {
                    self.text(value);
                    self.object(object);
                }
            }
        }
    }

    fn object(&mut self, object: &Object) {
        self.leaf(&object.present);
        match &object.members {
            Members::Listed(members) => {
                self.0.push(0);
                self.named(members, |writer, member| {
                    writer.node(&member.node);
                });
            }
            Members::Map(map) => {
                self.0.push(1);
                self.leaf(&map.names);
                self.node(&map.node);
            }
        }
        self.optional(object.shapes.0.as_ref(), |writer, shapes| {
            let mut sorted: Vec<_> = shapes.iter().collect();
            sorted.sort_unstable_by(|one, other| one.names.cmp(&other.names));
            writer.count(sorted.len());
            for shape in sorted {
                writer.count(shape.names.len());
                for name in &shape.names {
                    writer.text(name);
                }
                writer.leaf(&shape.support);
            }
        });
    }
}

struct Reader<'r> {
    rest: &'r [u8],
    places: usize,
}

type Done<T> = Result<T, DumpError>;

impl Reader<'_> {
    fn leaf<T: DeserializeOwned>(&mut self) -> Done<T> {
        let (leaf, rest) = postcard::take_from_bytes(self.rest).map_err(|_| DumpError::Damaged)?;
        self.rest = rest;
        Ok(leaf)
    }

    fn byte(&mut self) -> Done<u8> {
        let (byte, rest) = self.rest.split_first().ok_or(DumpError::Damaged)?;
        self.rest = rest;
        Ok(*byte)
    }

    fn count(&mut self, most: usize) -> Done<usize> {
        let count = usize::try_from(self.leaf::<u64>()?).map_err(|_| DumpError::Damaged)?;
        if count <= most {
            Ok(count)
        } else {
            Err(DumpError::Damaged)
        }
    }

    fn text(&mut self) -> Done<Box<str>> {
        let length = self.count(self.rest.len())?;
        let (text, rest) = self
            .rest
            .split_at_checked(length)
            .ok_or(DumpError::Damaged)?;
        self.rest = rest;
        std::str::from_utf8(text)
            .map(Into::into)
            .map_err(|_| DumpError::Damaged)
    }

    fn optional<T>(&mut self, read: impl FnOnce(&mut Self) -> Done<T>) -> Done<Option<T>> {
        match self.byte()? {
            0 => Ok(None),
            1 => read(self).map(Some),
            _ => Err(DumpError::Damaged),
        }
    }

    /// Names are written in order, each once.
    fn named<T>(
        &mut self,
        most: usize,
        mut read: impl FnMut(&mut Self, &str) -> Done<T>,
    ) -> Done<Named<T>> {
        let mut named = Named::default();
        let mut cursor = Cursor::default();
        let mut before: Option<Box<str>> = None;
        for _ in 0..self.count(most)? {
            let name = self.text()?;
            if before.is_some_and(|before| before >= name) {
                return Err(DumpError::Damaged);
            }
            let value = read(self, &name)?;
            named.insert(&name, value, &mut cursor);
            before = Some(name);
        }
        Ok(named)
    }

    fn operation(&mut self) -> Done<OperationProfile> {
        let mut profile = OperationProfile {
            requests: self.leaf()?,
            identified: self.leaf()?,
            ..OperationProfile::default()
        };
        (profile.times.first, profile.times.last, profile.times.days) = self.leaf()?;
        let hours: Vec<u64> = self.leaf()?;
        let hours: [u64; HOURS_OF_WEEK] = hours.try_into().map_err(|_| DumpError::Damaged)?;
        *profile.times.hours = hours;
        for _ in 0..self.count(MAX_VARIABLES)? {
            profile.path.push(self.parameters()?);
        }
        profile.query = self.parameters()?;
        profile.headers = self.parameters()?;
        profile.cookies = self.parameters()?;
        profile.bodies = self.named(MAX_MEDIA_TYPES, |reader, _| reader.body())?;
        profile.without_body = self.leaf()?;
        profile.left_out = self.leaf()?;
        profile.places = self.places;
        Ok(profile)
    }

    fn parameters(&mut self) -> Done<Parameters> {
        let left_out = self.leaf()?;
        let known = self.named(MAX_PARAMETERS, |reader, name| {
            let (more, repeated, value) = reader.leaf()?;
            Ok(Parameter::known(name, more, repeated, value))
        })?;
        Ok(Parameters::known(known, left_out))
    }

    fn body(&mut self) -> Done<Body> {
        let (present, unreadable) = self.leaf()?;
        let charsets = self.named(MAX_MEDIA_TYPES, |reader, _| reader.leaf())?;
        let files = self.named(MAX_MEDIA_TYPES, |reader, _| reader.leaf())?;
        Ok(Body {
            present,
            charsets,
            unreadable,
            files,
            node: self.node(MAX_NESTING)?,
        })
    }

    fn node(&mut self, nesting: usize) -> Done<Node> {
        // Learners that were merged may have some more places than one of them would have.
        self.places += 1;
        if nesting == 0 || self.places > 16 * MAX_PLACES {
            return Err(DumpError::Damaged);
        }
        let value = self.leaf()?;
        let items = self.optional(|reader| reader.node(nesting - 1))?;
        let objects = self.optional(|reader| reader.objects(nesting - 1))?;
        Ok(Node {
            value,
            items: items.map(Box::new),
            objects: objects.map(Box::new),
        })
    }

    fn objects(&mut self, nesting: usize) -> Done<Objects> {
        let plain = self.object(nesting)?;
        let kinds = match self.byte()? {
            0 => Kinds::Unsaid,
            1 => Kinds::Mixed,
            2 => {
                let name = self.byte()?;
                if usize::from(name) >= TAG_NAMES.len() {
                    return Err(DumpError::Damaged);
                }
                let mut branches = std::collections::BTreeMap::new();
                for _ in 0..self.count(MAX_BRANCHES)? {
                    let value = self.text()?;
                    branches.insert(value, self.object(nesting)?);
                }
                Kinds::Said(name, branches)
            }
            _ => return Err(DumpError::Damaged),
        };
        Ok(Objects { plain, kinds })
    }

    fn object(&mut self, nesting: usize) -> Done<Object> {
        let present = self.leaf()?;
        let members = match self.byte()? {
            0 => Members::Listed(self.named(MAX_MEMBERS, |reader, name| {
                let mut member = Member::named(name);
                member.node = reader.node(nesting)?;
                Ok(member)
            })?),
            1 => Members::Map(Box::new(Map {
                names: self.leaf()?,
                node: self.node(nesting)?,
            })),
            _ => return Err(DumpError::Damaged),
        };
        let shapes = self.optional(|reader| {
            let count = reader.count(MAX_SHAPES)?;
            let mut shapes = Vec::new();
            for _ in 0..count {
                let mut names = Vec::new();
                for _ in 0..reader.count(MAX_MEMBERS)? {
                    names.push(reader.text()?);
                }
                let support = reader.leaf()?;
                shapes.push(Shape::known(names.into(), support));
            }
            Ok(shapes)
        })?;
        Ok(Object {
            present,
            members,
            shapes: Shapes(shapes),
        })
    }
}
