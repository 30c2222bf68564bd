//! Unpacks gzip and zstd while reading.

use std::io::{self, BufReader, Chain, Cursor, Read};
use std::{error, fmt};

use flate2::read::MultiGzDecoder;
use zstd::stream::read::Decoder;

type Source<R> = Chain<Cursor<Vec<u8>>, R>;

/// A source that is unpacked while it is read.
pub struct Unpacked<R: Read>(Kind<R>);

enum Kind<R: Read> {
    Plain(Source<R>),
    Gzip(Box<MultiGzDecoder<Told<Source<R>>>>),
    Zstd(Box<Decoder<'static, BufReader<Told<Source<R>>>>>),
}

/// Unpacks a source that begins like gzip or zstd, of one or of several members or frames, and leaves any other as it is.
///
/// Memory is bounded by the formats: 32 KiB for gzip, 128 MiB at most for a zstd frame that was packed with the largest window. Data that is
/// cut off or damaged becomes an error of the kind [`io::ErrorKind::InvalidData`] behind all that could be unpacked.
///
/// # Errors
///
/// If the source cannot be read.
pub fn decompressed<R: Read>(mut source: R) -> io::Result<Unpacked<R>> {
    let mut magic = Vec::with_capacity(4);
    source.by_ref().take(4).read_to_end(&mut magic)?;
    let is_gzip = magic.starts_with(&[0x1f, 0x8b]);
    let is_zstd = magic == [0x28, 0xb5, 0x2f, 0xfd]
        || (magic.len() == 4 && magic[0] & 0xf0 == 0x50 && magic[1..] == [0x2a, 0x4d, 0x18]);
    let source = Cursor::new(magic).chain(source);
    Ok(Unpacked(if is_gzip {
        Kind::Gzip(Box::new(MultiGzDecoder::new(Told(source))))
    } else if is_zstd {
        Kind::Zstd(Box::new(Decoder::new(Told(source))?))
    } else {
        Kind::Plain(source)
    }))
}

impl<R: Read> Read for Unpacked<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let unpacked = match &mut self.0 {
            Kind::Plain(source) => return source.read(buffer),
            Kind::Gzip(decoder) => decoder.read(buffer),
            Kind::Zstd(decoder) => decoder.read(buffer),
        };
        unpacked.map_err(|error| match error.downcast::<SourceFailed>() {
            Ok(SourceFailed(error)) => error,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => error,
            Err(error) => io::Error::new(io::ErrorKind::InvalidData, error),
        })
    }
}

/// Marks errors of the source, so that they are not taken for damage in what it holds.
struct Told<R>(R);

impl<R: Read> Read for Told<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer).map_err(|error| match error.kind() {
            io::ErrorKind::Interrupted => error,
            _ => io::Error::other(SourceFailed(error)),
        })
    }
}

#[derive(Debug)]
struct SourceFailed(io::Error);

impl fmt::Display for SourceFailed {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

impl error::Error for SourceFailed {}
