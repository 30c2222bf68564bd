//! Numbers of JSON, in order and as exact as is of use.
//!
//! A number is kept as the nearest binary64 and what is left to it, so integers up to 2^64 are exact, in order and
//! shown as they are. Beyond that, and with more digits than binary64 has, the nearest stands for it: two numbers may
//! become one, but never change their order. What is larger than binary64 can be, such as `1e400`, counts as its
//! largest. `-0` is 0, and `1.0`, `1e0` and `1` are the same, as they are for schemas.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

/// A number; never NaN, never infinite, never -0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Number {
    /// The bits of the nearest binary64, turned so that they are in the order of the numbers.
    key: i64,
    /// What is to be added to the nearest; not 0 only in integers beyond 2^53.
    rest: i16,
}

/// Integers up to this are binary64.
const MAX_EXACT: u64 = 1 << 53;

impl Number {
    #[inline]
    fn new(nearest: f64, rest: i16) -> Self {
        let bits = nearest.to_bits().cast_signed();
        Self {
            key: turn(bits),
            rest,
        }
    }

    /// An integer between -2^63 and 2^64.
    #[inline]
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_precision_loss,
        reason = "what the nearest leaves of an integer below 2^64 is at most 1024"
    )]
    fn whole(value: i128) -> Self {
        let nearest = value as f64;
        Self::new(nearest, (value - nearest as i128) as i16)
    }

    #[inline]
    #[allow(clippy::cast_precision_loss, reason = "what is lost is the rest")]
    fn integer(value: i64) -> Self {
        if value.unsigned_abs() <= MAX_EXACT {
            Self::new(value as f64, 0)
        } else {
            Self::whole(value.into())
        }
    }

    #[inline]
    fn real(value: f64) -> Self {
        // Adding 0 makes 0 of -0.
        Self::new(value.clamp(f64::MIN, f64::MAX) + 0.0, 0)
    }

    /// A count.
    #[inline]
    pub(super) fn count(value: u64) -> Self {
        i64::try_from(value).map_or_else(|_| Self::whole(value.into()), Self::integer)
    }

    /// The nearest binary64.
    #[inline]
    pub(super) fn nearest(self) -> f64 {
        f64::from_bits(turn(self.key).cast_unsigned())
    }

    /// Equal numbers have equal ones.
    #[inline]
    pub(super) fn bits(self) -> (u64, u16) {
        (self.key.cast_unsigned(), self.rest.cast_unsigned())
    }

    /// As an integer, if it is one between -2^63 and 2^64.
    #[allow(
        clippy::cast_possible_truncation,
        reason = "it is integral and in range"
    )]
    fn as_whole(self) -> Option<i128> {
        let nearest = self.nearest();
        let is_whole = nearest.fract() == 0.0 && nearest.abs() <= 2.0_f64.powi(64);
        let whole = is_whole.then(|| nearest as i128 + i128::from(self.rest))?;
        (i128::from(i64::MIN)..=i128::from(u64::MAX))
            .contains(&whole)
            .then_some(whole)
    }

    /// As it stands in profiles.
    pub(super) fn view(self) -> Value {
        match self.as_whole() {
            Some(whole) => match u64::try_from(whole) {
                Ok(whole) => whole.into(),
                Err(_) => i64::try_from(whole).map_or(Value::Null, Value::from),
            },
            None => self.nearest().into(),
        }
    }
}

/// Turns the bits of binary64 so that their order is that of the numbers, and back.
#[inline]
fn turn(bits: i64) -> i64 {
    bits ^ ((bits >> 63) & i64::MAX)
}

/// A number as it was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Literal {
    pub(super) number: Number,
    /// Whether its value is an integer.
    pub(super) is_whole: bool,
    /// Whether [`Literal::number`] is it, and not only near to it.
    pub(super) is_exact: bool,
    /// Digits after the point that are of use, up to 255.
    pub(super) decimals: u8,
}

impl Literal {
    /// Reads a number; `None` for what JSON's grammar does not allow.
    #[inline]
    pub(super) fn read(text: &str) -> Option<Self> {
        if let Some(small) = Self::of_small(text.as_bytes()) {
            return Some(small);
        }
        // It is a number for JSON, but a second spelling of 0 for parameters.
        if text == "-0" {
            return Self::read("0");
        }
        hauberk_openapi::json_number(text)?;
        Some(Self::of_any(text))
    }

    /// Reads a number of up to 15 digits and no exponent, as it is mostly written.
    #[inline]
    fn of_small(text: &[u8]) -> Option<Self> {
        let (is_negative, digits) = match text {
            [b'-', digits @ ..] => (true, digits),
            digits => (false, digits),
        };
        if digits.len() > 16 || !matches!(digits, [b'1'..=b'9', ..] | [b'0'] | [b'0', b'.', ..]) {
            return None;
        }
        let (mut value, mut point) = (0_i64, digits.len());
        for (at, digit) in digits.iter().enumerate() {
            match digit {
                b'0'..=b'9' => value = value * 10 + i64::from(digit - b'0'),
                b'.' if point == digits.len() && at + 1 < point => point = at,
                _ => return None,
            }
        }
        let mut decimals = digits.len().saturating_sub(point + 1);
        if decimals == 0 && digits.len() == 16 {
            return None;
        }
        while decimals > 0 && value % 10 == 0 {
            value /= 10;
            decimals -= 1;
        }
        if value == 0 && is_negative {
            return None;
        }
        let value = if is_negative { -value } else { value };
        // Both are binary64, so their quotient is the nearest to the number (Clinger 1990).
        #[allow(clippy::cast_precision_loss, reason = "below 10^15")]
        let number = match decimals {
            0 => Number::integer(value),
            _ => Number::real(value as f64 / POWERS[decimals]),
        };
        Some(Self {
            number,
            is_whole: decimals == 0,
            is_exact: true,
            decimals: u8::try_from(decimals).unwrap_or(u8::MAX),
        })
    }

    /// Reads a number that follows JSON's grammar.
    fn of_any(text: &str) -> Self {
        let (mantissa, exponent) = match text.find(['e', 'E']) {
            Some(at) => (&text[..at], exponent(&text[at + 1..])),
            None => (text, 0),
        };
        let (is_negative, mantissa) = match mantissa.strip_prefix('-') {
            Some(digits) => (true, digits),
            None => (false, mantissa),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let fraction = fraction.trim_end_matches('0');
        let zeros = if fraction.is_empty() {
            whole.len() - whole.trim_end_matches('0').len()
        } else {
            0
        };
        // The value is `digits` times ten to the power of `scale`.
        let digits = whole.bytes().chain(fraction.bytes());
        let digits = digits.take(whole.len() - zeros + fraction.len());
        let digits = digits.skip_while(|digit| *digit == b'0');
        let count = digits.clone().count();
        if count == 0 {
            return Self {
                number: Number::real(0.0),
                is_whole: true,
                is_exact: true,
                decimals: 0,
            };
        }
        let length = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
        let scale = exponent
            .saturating_sub(length(fraction.len()))
            .saturating_add(length(zeros));
        // What stands for any power of ten that is beyond all.
        let near: f64 = text.parse().unwrap_or(f64::MAX);
        let near = Number::real(near);
        let (mut number, mut is_exact) = (near, count <= 15 && scale.abs() <= 250);
        if scale >= 0 {
            let power = u32::try_from(scale).unwrap_or(u32::MAX);
            let value = digits.take(39).try_fold(0_i128, |value, digit| {
                value.checked_mul(10)?.checked_add((digit - b'0').into())
            });
            let value = value
                .and_then(|value| value.checked_mul(10_i128.checked_pow(power)?))
                .map(|value| if is_negative { -value } else { value })
                .filter(|value| (i128::from(i64::MIN)..=i128::from(u64::MAX)).contains(value));
            is_exact = value.is_some();
            number = value.map_or(near, Number::whole);
        }
        Self {
            number,
            is_whole: scale >= 0,
            is_exact,
            decimals: u8::try_from(scale.saturating_neg().max(0)).unwrap_or(u8::MAX),
        }
    }
}

const POWERS: [f64; 16] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
];

/// An exponent, as near as an integer can be.
fn exponent(text: &str) -> i64 {
    let (is_negative, digits) = match text.as_bytes() {
        [b'-', ..] => (true, &text[1..]),
        [b'+', ..] => (false, &text[1..]),
        _ => (false, text),
    };
    let value = digits.bytes().fold(0_i64, |value, digit| {
        value
            .saturating_mul(10)
            .saturating_add((digit - b'0').into())
    });
    if is_negative { -value } else { value }
}

/// Integers take few bytes written as such.
#[derive(Serialize, Deserialize)]
enum Written {
    Whole(i64),
    Large(u64),
    Real(f64),
}

impl Serialize for Number {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let written = match self.as_whole() {
            Some(whole) => match i64::try_from(whole) {
                Ok(whole) => Written::Whole(whole),
                Err(_) => {
                    u64::try_from(whole).map_or(Written::Real(self.nearest()), Written::Large)
                }
            },
            None => Written::Real(self.nearest()),
        };
        written.serialize(to)
    }
}

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Ok(match Written::deserialize(from)? {
            Written::Whole(whole) => Self::integer(whole),
            Written::Large(whole) => Self::whole(whole.into()),
            Written::Real(value) if value.is_nan() => Self::real(0.0),
            Written::Real(value) => Self::real(value),
        })
    }
}
