//! Content codings, undone for judging only: what is forwarded stays as it came.
//!
//! A packed body is read in blocks of one size, however it arrives, so that it is judged alike however it arrives.

use std::io::{self, Write};

use brotli_decompressor::DecompressorWriter;
use flate2::write::MultiGzDecoder;
use flate2::{Decompress, FlushDecompress, Status};

use crate::policy::Policy;
use crate::violation::{ErrorClass, Location, Violation};

/// Most codings of one body.
const MAX_CODINGS: usize = 3;

/// Bytes that are unpacked at a time.
const BLOCK: usize = 4096;

/// What unpacks to no more than this is not asked what it was packed to.
const FREE: usize = 64 * 1024;

/// A content coding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Coding {
    Gzip,
    /// zlib's format, RFC 1950.
    Deflate,
    Brotli,
}

/// The codings of a body, in the order they were applied.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Codings([Option<Coding>; MAX_CODINGS]);

impl Codings {
    /// Add a coding by its name; `None` if it is unknown or one too many.
    pub(super) fn push(&mut self, name: &[u8]) -> Option<()> {
        let known: [(&[u8], Coding); 4] = [
            (b"gzip", Coding::Gzip),
            (b"x-gzip", Coding::Gzip),
            (b"deflate", Coding::Deflate),
            (b"br", Coding::Brotli),
        ];
        let (_, coding) = known
            .iter()
            .find(|(known, _)| name.eq_ignore_ascii_case(known))?;
        let free = self.0.iter_mut().find(|place| place.is_none())?;
        *free = Some(*coding);
        Some(())
    }

    pub(super) fn is_none(self) -> bool {
        self.0[0].is_none()
    }
}

/// Why a body cannot be unpacked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// It does not follow its coding, or ends too early.
    Corrupt,
    /// It stands for more than the policy allows.
    TooLarge,
}

impl Fault {
    pub(super) fn violation(self, place: &str) -> Violation {
        let class = match self {
            Self::Corrupt => ErrorClass::UnsupportedMediaType,
            Self::TooLarge => ErrorClass::BodySize,
        };
        Violation::new(Location::Body, "$", class, None, place)
    }
}

/// Unpack a whole body.
pub(super) fn whole(codings: Codings, bytes: &[u8], policy: &Policy) -> Result<Vec<u8>, Fault> {
    let mut unpacker = Unpacker::new(codings, policy);
    let mut out = Vec::new();
    unpacker.push(bytes, &mut out)?;
    unpacker.finish(&mut out)?;
    Ok(out)
}

/// Unpacks a body as it arrives.
pub(super) struct Unpacker {
    /// The one that was applied last comes first.
    stages: Vec<Stage>,
    block: Vec<u8>,
    came: u64,
    ratio: u32,
}

impl Unpacker {
    pub(super) fn new(codings: Codings, policy: &Policy) -> Self {
        let stages = codings.0.iter().rev().flatten();
        Self {
            stages: stages
                .map(|coding| Stage::new(*coding, policy.max_unpacked_bytes))
                .collect(),
            block: Vec::new(),
            came: 0,
            ratio: policy.max_unpack_ratio,
        }
    }

    /// Append to `out` what `bytes` stand for. After a fault `out` holds what came before it.
    pub(super) fn push(&mut self, mut bytes: &[u8], out: &mut Vec<u8>) -> Result<(), Fault> {
        self.came += bytes.len() as u64;
        while !bytes.is_empty() {
            let (now, later) = bytes.split_at(bytes.len().min(BLOCK - self.block.len()));
            self.block.extend_from_slice(now);
            bytes = later;
            if self.block.len() == BLOCK {
                let block = std::mem::take(&mut self.block);
                feed(&mut self.stages, &block, out)?;
                self.block = block;
                self.block.clear();
            }
        }
        Ok(())
    }

    /// Append to `out` what is left.
    pub(super) fn finish(mut self, out: &mut Vec<u8>) -> Result<(), Fault> {
        feed(&mut self.stages, &self.block, out)?;
        for index in 0..self.stages.len() {
            let (stage, later) = self.stages[index..]
                .split_first_mut()
                .ok_or(Fault::Corrupt)?;
            let mut rest = Vec::new();
            stage.finish(&mut rest)?;
            feed(later, &rest, out)?;
        }
        let unpacked = self.stages.last().map_or(0, Stage::total);
        let allowed = self.came.saturating_mul(u64::from(self.ratio));
        if unpacked > FREE && unpacked as u64 > allowed {
            return Err(Fault::TooLarge);
        }
        Ok(())
    }
}

fn feed(stages: &mut [Stage], bytes: &[u8], out: &mut Vec<u8>) -> Result<(), Fault> {
    let Some((stage, later)) = stages.split_first_mut() else {
        out.extend_from_slice(bytes);
        return Ok(());
    };
    let mut unpacked = Vec::new();
    let fed = stage.feed(bytes, &mut unpacked);
    feed(later, &unpacked, out)?;
    fed
}

/// One coding, undone.
enum Stage {
    Gzip(Box<MultiGzDecoder<Sink>>),
    Deflate {
        zlib: Box<Decompress>,
        sink: Sink,
        is_over: bool,
    },
    Brotli(Box<DecompressorWriter<Sink>>),
}

impl Stage {
    fn new(coding: Coding, max: usize) -> Self {
        let sink = Sink {
            out: Vec::new(),
            total: 0,
            max,
        };
        match coding {
            Coding::Gzip => Self::Gzip(Box::new(MultiGzDecoder::new(sink))),
            Coding::Deflate => Self::Deflate {
                zlib: Box::new(Decompress::new(true)),
                sink,
                is_over: false,
            },
            Coding::Brotli => Self::Brotli(Box::new(DecompressorWriter::new(sink, BLOCK))),
        }
    }

    fn sink(&mut self) -> &mut Sink {
        match self {
            Self::Gzip(decoder) => decoder.get_mut(),
            Self::Deflate { sink, .. } => sink,
            Self::Brotli(decoder) => decoder.get_mut(),
        }
    }

    fn total(&self) -> usize {
        match self {
            Self::Gzip(decoder) => decoder.get_ref().total,
            Self::Deflate { sink, .. } => sink.total,
            Self::Brotli(decoder) => decoder.get_ref().total,
        }
    }

    fn feed(&mut self, bytes: &[u8], out: &mut Vec<u8>) -> Result<(), Fault> {
        if bytes.is_empty() {
            return Ok(());
        }
        let fed = match self {
            Self::Gzip(decoder) => decoder.write_all(bytes).and_then(|()| decoder.flush()),
            Self::Deflate {
                zlib,
                sink,
                is_over,
            } => inflate(zlib, bytes, sink, is_over),
            Self::Brotli(decoder) => decoder.write_all(bytes),
        };
        self.drain(fed.is_ok(), out)
    }

    fn finish(&mut self, out: &mut Vec<u8>) -> Result<(), Fault> {
        let finished = match self {
            Self::Gzip(decoder) => decoder.try_finish(),
            Self::Deflate { is_over: true, .. } => Ok(()),
            Self::Deflate { .. } => Err(io::ErrorKind::UnexpectedEof.into()),
            Self::Brotli(decoder) => decoder.close(),
        };
        self.drain(finished.is_ok(), out)
    }

    fn drain(&mut self, is_sound: bool, out: &mut Vec<u8>) -> Result<(), Fault> {
        let sink = self.sink();
        out.append(&mut sink.out);
        if is_sound {
            Ok(())
        } else if sink.is_full() {
            Err(Fault::TooLarge)
        } else {
            Err(Fault::Corrupt)
        }
    }
}

fn inflate(
    zlib: &mut Decompress,
    mut bytes: &[u8],
    sink: &mut Sink,
    is_over: &mut bool,
) -> io::Result<()> {
    let mut room = [0; BLOCK];
    loop {
        if *is_over {
            // Text behind the end is of nobody's concern who unpacks, but of one who reads.
            return if bytes.is_empty() {
                Ok(())
            } else {
                Err(io::ErrorKind::InvalidData.into())
            };
        }
        let (before_in, before_out) = (zlib.total_in(), zlib.total_out());
        let status = zlib.decompress(bytes, &mut room, FlushDecompress::None);
        // Both are at most the length of a slice.
        let taken = usize::try_from(zlib.total_in() - before_in).unwrap_or(bytes.len());
        let made = usize::try_from(zlib.total_out() - before_out).unwrap_or(BLOCK);
        sink.write_all(&room[..made])?;
        bytes = &bytes[taken..];
        match status {
            Ok(Status::StreamEnd) => *is_over = true,
            Ok(_) if bytes.is_empty() && made < BLOCK => return Ok(()),
            Ok(_) if taken == 0 && made == 0 => return Err(io::ErrorKind::InvalidData.into()),
            Ok(_) => {}
            Err(_) => return Err(io::ErrorKind::InvalidData.into()),
        }
    }
}

/// Takes what a decoder makes, up to a bound.
struct Sink {
    out: Vec<u8>,
    total: usize,
    max: usize,
}

impl Sink {
    fn is_full(&self) -> bool {
        self.total > self.max
    }
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.total = self.total.saturating_add(bytes.len());
        if self.is_full() {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.out.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
