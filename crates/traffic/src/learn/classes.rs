//! Which kinds of characters occur in texts: a look at a table for each byte.

/// A class of characters; below [`CLASSES`].
pub(super) type Class = u8;

pub(super) const LOWER: Class = 0;
pub(super) const UPPER: Class = 1;
pub(super) const DIGIT: Class = 2;
const SPACE: Class = 3;
const LINE_BREAK: Class = 4;
const CONTROL: Class = 5;
const LETTER: Class = 6;
const OTHER: Class = 7;

/// The class of the first mark.
const FIRST_MARK: Class = 8;

/// Classes that are no mark.
const NAMES: [&str; 8] = [
    "lower",
    "upper",
    "digit",
    "space",
    "line-break",
    "control",
    "letter",
    "other",
];

/// The ASCII marks, each a class; in order, so that the order of classes is always the same.
const MARKS: &str = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~";

/// So many classes.
pub(super) const CLASSES: usize = NAMES.len() + MARKS.len();

const OF_BYTES: [Class; 256] = {
    let mut classes = [OTHER; 256];
    let mut byte: u8 = 0;
    let mut mark = FIRST_MARK;
    while byte < 128 {
        classes[byte as usize] = match byte {
            b'a'..=b'z' => LOWER,
            b'A'..=b'Z' => UPPER,
            b'0'..=b'9' => DIGIT,
            b' ' => SPACE,
            b'\n' | b'\r' => LINE_BREAK,
            _ if byte.is_ascii_control() => CONTROL,
            _ => {
                mark += 1;
                mark - 1
            }
        };
        byte += 1;
    }
    classes
};

/// The class of each byte as a bit; the topmost for what is not ASCII.
const BITS_OF_BYTES: [u64; 256] = {
    let mut bits = [NON_ASCII; 256];
    let mut byte = 0;
    while byte < 128 {
        bits[byte] = 1 << OF_BYTES[byte];
        byte += 1;
    }
    bits
};

const NON_ASCII: u64 = 1 << 63;

/// Which classes occur in some text, a bit for each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Classes(pub(super) u64);

impl Classes {
    /// Those of `text`.
    #[inline]
    pub(super) fn of(text: &str) -> Self {
        let mut bits = 0;
        for byte in text.bytes() {
            bits |= BITS_OF_BYTES[usize::from(byte)];
        }
        if bits & NON_ASCII != 0 {
            bits &= !NON_ASCII;
            let others = text.chars().filter(|character| !character.is_ascii());
            for character in others {
                bits |= 1 << class_of(character);
            }
        }
        Self(bits)
    }

    /// Those given, one byte each.
    pub(super) const fn of_all(bytes: &[u8]) -> Self {
        let mut bits = 0;
        let mut at = 0;
        while at < bytes.len() {
            bits |= BITS_OF_BYTES[bytes[at] as usize];
            at += 1;
        }
        Self(bits)
    }

    /// Whether the class of this ASCII byte is among them.
    #[inline]
    pub(super) fn has(self, byte: u8) -> bool {
        self.0 & BITS_OF_BYTES[usize::from(byte)] != 0
    }

    /// Whether there are no others than these.
    #[inline]
    pub(super) fn are_among(self, others: Self) -> bool {
        self.0 & !others.0 == 0
    }

    /// Whether all characters are ASCII.
    #[inline]
    pub(super) fn is_ascii(self) -> bool {
        self.0 & (1 << LETTER | 1 << OTHER) == 0
    }
}

#[inline]
pub(super) fn class_of(character: char) -> Class {
    match u8::try_from(character) {
        Ok(byte) if byte < 128 => class_of_byte(byte),
        _ if character.is_alphabetic() => LETTER,
        _ => OTHER,
    }
}

/// The class of an ASCII byte.
#[inline]
pub(super) fn class_of_byte(byte: u8) -> Class {
    OF_BYTES[usize::from(byte)]
}

/// Whether the class is a mark or the space: of one character alone.
#[inline]
pub(super) fn is_one_character(class: Class) -> bool {
    class == SPACE || class >= FIRST_MARK
}

/// What a class is called in profiles: `lower`, or the mark itself.
pub(super) fn name_of(class: Class) -> &'static str {
    let class = usize::from(class);
    let mark = class.wrapping_sub(NAMES.len());
    let name = NAMES.get(class).copied();
    name.or(MARKS.get(mark..=mark)).unwrap_or_default()
}
