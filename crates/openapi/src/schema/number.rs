//! Numbers, exactly: judged by their text, because binary64 takes 9007199254740993 for 9007199254740992.

use std::cmp::Ordering;
use std::hash::{Hash, Hasher};

/// Digits that a [`Number`] keeps as an integer.
const SMALL_DIGITS: usize = 18;

const POWERS: [i128; SMALL_DIGITS + 1] = {
    let mut powers = [1; SMALL_DIGITS + 1];
    let mut at = 1;
    while at <= SMALL_DIGITS {
        powers[at] = powers[at - 1] * 10;
        at += 1;
    }
    powers
};

/// Exponents beyond this count as this; no text can spell two such numbers that are worth telling apart.
const MOST_EXPONENT: i64 = 1_000_000_000_000_000_000;

/// Most digits of a number times those of its divisor, where they are divided a digit at a time.
const MOST_DIVISION: i64 = 100_000;

/// A number in a text that follows JSON's grammar.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Number<'t> {
    text: &'t str,
    /// The digits as an integer and how many of them stand behind the point, if there are few and no exponent.
    small: Option<(i64, u8)>,
}

impl<'t> Number<'t> {
    /// Take a text that follows JSON's grammar.
    pub(crate) fn new(text: &'t str) -> Self {
        Self {
            text,
            small: small(text.as_bytes()),
        }
    }

    /// Take a text that is `mantissa / 10^scale`.
    #[inline]
    pub(crate) fn simple(text: &'t str, mantissa: i64, scale: u8) -> Self {
        Self {
            text,
            small: Some((mantissa, scale)),
        }
    }

    /// Whether it is an integer; `1.0` and `1e2` are.
    #[inline]
    pub(crate) fn is_integer(self) -> bool {
        match self.small {
            Some((_, 0)) => true,
            Some((mantissa, scale)) => i128::from(mantissa) % POWERS[usize::from(scale)] == 0,
            None => Decimal::of(self.text).exponent >= 0,
        }
    }

    #[inline]
    pub(crate) fn compare(self, other: Number<'_>) -> Ordering {
        match (self.small, other.small) {
            (Some((left, 0)), Some((right, 0))) => left.cmp(&right),
            (Some((left, left_scale)), Some((right, right_scale))) => (i128::from(left)
                * POWERS[usize::from(right_scale)])
            .cmp(&(i128::from(right) * POWERS[usize::from(left_scale)])),
            _ => Decimal::of(self.text).compare(&Decimal::of(other.text)),
        }
    }

    /// Whether it is a multiple of `divisor`, which is above 0.
    pub(crate) fn is_multiple_of(self, divisor: Number<'_>) -> bool {
        match (self.small, divisor.small) {
            (Some((value, 0)), Some((divisor, 0))) if divisor != 0 => value % divisor == 0,
            (Some((value, scale)), Some((divisor, divisor_scale))) if divisor != 0 => {
                let value = i128::from(value) * POWERS[usize::from(divisor_scale)];
                value % (i128::from(divisor) * POWERS[usize::from(scale)]) == 0
            }
            _ => Decimal::of(self.text).is_multiple_of(&Decimal::of(divisor.text)),
        }
    }

    /// The number as an integer, if it is one that fits.
    pub(crate) fn whole(self) -> Option<i128> {
        if let Some((mantissa, 0)) = self.small {
            return Some(mantissa.into());
        }
        Decimal::of(self.text).whole()
    }

    /// The nearest binary64; infinite beyond it.
    pub(crate) fn nearest(self) -> f64 {
        // JSON's grammar is within that of Rust.
        self.text.parse().unwrap_or(f64::INFINITY)
    }

    /// Hash the value: equal numbers hash alike, however they are written.
    pub(crate) fn hash_value(self, hasher: &mut impl Hasher) {
        let decimal = Decimal::of(self.text);
        decimal.negative.hash(hasher);
        decimal.exponent.hash(hasher);
        for digit in decimal.digits() {
            hasher.write_u8(digit);
        }
    }
}

/// A number of the document, kept.
#[derive(Clone, Debug)]
pub(crate) struct OwnedNumber {
    text: Box<str>,
    small: Option<(i64, u8)>,
}

impl OwnedNumber {
    pub(crate) fn new(text: &str) -> Self {
        Self {
            small: small(text.as_bytes()),
            text: text.into(),
        }
    }

    #[inline]
    pub(crate) fn number(&self) -> Number<'_> {
        Number {
            text: &self.text,
            small: self.small,
        }
    }
}

/// The digits as an integer and how many stand behind the point, if there are few and no exponent.
fn small(text: &[u8]) -> Option<(i64, u8)> {
    let (negative, digits) = match text {
        [b'-', digits @ ..] => (true, digits),
        digits => (false, digits),
    };
    if digits.len() > SMALL_DIGITS + 1 {
        return None;
    }
    let (mut mantissa, mut count, mut scale, mut behind) = (0_i64, 0, 0_u8, 0);
    for byte in digits {
        match byte {
            b'0'..=b'9' => {
                count += 1;
                if count > SMALL_DIGITS {
                    return None;
                }
                mantissa = mantissa * 10 + i64::from(byte - b'0');
                scale += behind;
            }
            b'.' => behind = 1,
            _ => return None,
        }
    }
    Some((if negative { -mantissa } else { mantissa }, scale))
}

/// A number as digits without zeros at either end, times a power of ten. Zero has no digits.
struct Decimal<'t> {
    negative: bool,
    whole: &'t [u8],
    fraction: &'t [u8],
    /// The exponent of the last digit.
    exponent: i64,
}

impl<'t> Decimal<'t> {
    fn of(text: &'t str) -> Self {
        let bytes = text.as_bytes();
        let (negative, bytes) = match bytes {
            [b'-', rest @ ..] => (true, rest),
            rest => (false, rest),
        };
        // Long numbers are looked at once for each number they are compared with.
        let split = memchr::memchr2(b'e', b'E', bytes);
        let (mantissa, exponent) = split.map_or((bytes, 0), |at| {
            (&bytes[..at], exponent_of(&bytes[at + 1..]))
        });
        let point = memchr::memchr(b'.', mantissa);
        let (mut whole, mut fraction) = point.map_or((mantissa, &[][..]), |at| {
            (&mantissa[..at], &mantissa[at + 1..])
        });
        let length = |digits: &[u8]| i64::try_from(digits.len()).unwrap_or(MOST_EXPONENT);
        let mut exponent = exponent.saturating_sub(length(fraction));
        whole = trim_start(whole);
        let trimmed = trim_end(fraction);
        exponent = exponent.saturating_add(length(fraction) - length(trimmed));
        fraction = trimmed;
        if fraction.is_empty() {
            let trimmed = trim_end(whole);
            exponent = exponent.saturating_add(length(whole) - length(trimmed));
            whole = trimmed;
        }
        if whole.is_empty() {
            fraction = trim_start(fraction);
        }
        let is_zero = whole.is_empty() && fraction.is_empty();
        Self {
            negative: negative && !is_zero,
            whole,
            fraction,
            exponent: if is_zero { 0 } else { exponent },
        }
    }

    fn digits(&self) -> impl Iterator<Item = u8> {
        self.whole
            .iter()
            .chain(self.fraction)
            .map(|byte| byte - b'0')
    }

    fn count(&self) -> i64 {
        i64::try_from(self.whole.len() + self.fraction.len()).unwrap_or(MOST_EXPONENT)
    }

    fn is_zero(&self) -> bool {
        self.count() == 0
    }

    fn compare(&self, other: &Decimal<'_>) -> Ordering {
        match (self.negative, other.negative) {
            (true, false) => Ordering::Less,
            (false, true) => Ordering::Greater,
            (false, false) => self.compare_magnitude(other),
            (true, true) => other.compare_magnitude(self),
        }
    }

    fn compare_magnitude(&self, other: &Decimal<'_>) -> Ordering {
        match (self.is_zero(), other.is_zero()) {
            (true, true) => return Ordering::Equal,
            (true, false) => return Ordering::Less,
            (false, true) => return Ordering::Greater,
            (false, false) => {}
        }
        let top = |decimal: &Decimal<'_>| decimal.exponent.saturating_add(decimal.count());
        // No zeros at the end: of two numbers where one begins with the other, the longer is larger.
        top(self)
            .cmp(&top(other))
            .then_with(|| self.digits().cmp(other.digits()))
    }

    fn whole(&self) -> Option<i128> {
        const MOST_DIGITS: i64 = 38;
        if self.exponent < 0 || self.exponent.saturating_add(self.count()) > MOST_DIGITS {
            return None;
        }
        let mut value = 0_i128;
        let zeros = std::iter::repeat_n(0, usize::try_from(self.exponent).ok()?);
        for digit in self.digits().chain(zeros) {
            value = value.checked_mul(10)?.checked_add(digit.into())?;
        }
        Some(if self.negative { -value } else { value })
    }

    fn is_multiple_of(&self, divisor: &Decimal<'_>) -> bool {
        if self.is_zero() || divisor.is_zero() {
            return self.is_zero();
        }
        // Neither ends in a zero, so digits that stand behind the divisor's last one leave a remainder.
        let Some(zeros) = self
            .exponent
            .checked_sub(divisor.exponent)
            .filter(|zeros| *zeros >= 0)
        else {
            return false;
        };
        // Appending zeros adds factors of two and five only; the divisor has fewer of them than bits.
        let zeros = zeros.min(divisor.count().saturating_mul(4));
        let zeros = std::iter::repeat_n(0, usize::try_from(zeros).unwrap_or(usize::MAX));
        let modulus: Vec<u8> = divisor.digits().collect();
        if let Some(modulus) = small_modulus(&modulus) {
            let mut rest = 0_u128;
            for digit in self.digits().chain(zeros) {
                rest = (rest * 10 + u128::from(digit)) % modulus;
            }
            return rest == 0;
        }
        // Nobody means such a divisor, and dividing a long number by it takes as long as both are.
        if self.count().saturating_mul(divisor.count()) > MOST_DIVISION {
            return false;
        }
        let mut rest = Vec::new();
        for digit in self.digits().chain(zeros) {
            rest.push(digit);
            subtract_while_possible(&mut rest, &modulus);
        }
        rest.is_empty()
    }
}

/// What decimal digits spell, the highest first, if a remainder of it and one more digit fit into 128 bits.
fn small_modulus(digits: &[u8]) -> Option<u128> {
    const MOST_DIGITS: usize = 37;
    (digits.len() <= MOST_DIGITS).then(|| {
        digits
            .iter()
            .fold(0, |value, digit| value * 10 + u128::from(*digit))
    })
}

/// Long division for longer divisors, a digit at a time.
fn subtract_while_possible(rest: &mut Vec<u8>, modulus: &[u8]) {
    let zeros = rest.iter().take_while(|digit| **digit == 0).count();
    rest.drain(..zeros);
    while rest.len() > modulus.len() || (rest.len() == modulus.len() && rest.as_slice() >= modulus)
    {
        let mut borrow = 0;
        let mut lower = modulus.iter().rev();
        for digit in rest.iter_mut().rev() {
            let take = borrow + lower.next().copied().unwrap_or(0);
            borrow = u8::from(*digit < take);
            *digit = *digit + 10 * borrow - take;
        }
        let zeros = rest.iter().take_while(|digit| **digit == 0).count();
        rest.drain(..zeros);
    }
}

fn exponent_of(text: &[u8]) -> i64 {
    let (negative, digits) = match text {
        [b'-', digits @ ..] => (true, digits),
        [b'+', digits @ ..] | digits => (false, digits),
    };
    let exponent = digits.iter().fold(0_i64, |exponent, byte| {
        exponent
            .saturating_mul(10)
            .saturating_add(i64::from(byte - b'0'))
            .min(MOST_EXPONENT)
    });
    if negative { -exponent } else { exponent }
}

fn trim_start(digits: &[u8]) -> &[u8] {
    let zeros = digits.iter().take_while(|digit| **digit == b'0').count();
    &digits[zeros..]
}

fn trim_end(digits: &[u8]) -> &[u8] {
    let zeros = digits
        .iter()
        .rev()
        .take_while(|digit| **digit == b'0')
        .count();
    &digits[..digits.len() - zeros]
}

/// Whether `text`, a number, means exactly what `shown` means.
pub(crate) fn is_same(text: &str, shown: &str) -> bool {
    Number::new(text).compare(Number::new(shown)) == Ordering::Equal
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_compare_by_value() {
        use Ordering::{Equal, Greater, Less};
        for (left, right, wanted) in [
            ("1", "1.0", Equal),
            ("0", "-0.0", Equal),
            ("1e2", "100", Equal),
            ("100.50", "1.005E+2", Equal),
            ("9007199254740993", "9007199254740992", Greater),
            ("123456789012345678901", "123456789012345678900", Greater),
            ("0.1", "0.10000000000000000000001", Less),
            ("-2", "1", Less),
            ("-2", "-1e400", Greater),
            ("1e400", "1e399", Greater),
            ("1e99999999999", "2", Greater),
            ("1e-99999999999", "0", Greater),
            ("0.001", "0.01", Less),
        ] {
            assert_eq!(
                Number::new(left).compare(Number::new(right)),
                wanted,
                "{left} {right}"
            );
        }
    }

    #[test]
    fn multiples_are_exact() {
        for (value, divisor, wanted) in [
            ("19.99", "0.01", true),
            ("0.3", "0.1", true),
            ("19.995", "0.01", false),
            ("9", "3", true),
            ("10", "3", false),
            ("1e3", "8", true),
            ("1e2", "8", false),
            ("1e999999999999", "7", false),
            ("1e999999999999", "1024", true),
            ("0", "7", true),
            ("1.5", "1e-30", true),
            (
                "123456789012345678901234567890",
                "1234567890123456789012",
                false,
            ),
            (
                "123456789012345678901200000000",
                "1234567890123456789012",
                true,
            ),
            ("2469135780246913578024", "1234567890123456789012", true),
            (
                "99999999999999999999999999999999999990",
                "9999999999999999999999999999999999999",
                true,
            ),
            (
                "24691357802469135780246913578024691357802",
                "12345678901234567890123456789012345678901",
                true,
            ),
            ("0.0075", "0.0001", true),
            ("1e308", "0.123456789", false),
        ] {
            assert_eq!(
                Number::new(value).is_multiple_of(Number::new(divisor)),
                wanted,
                "{value} {divisor}"
            );
        }
    }

    #[test]
    fn integers_have_many_spellings() {
        for (text, wanted) in [
            ("1", Some(1)),
            ("-1.0", Some(-1)),
            ("1.5e1", Some(15)),
            ("1e2", Some(100)),
            ("1.05e1", None),
            ("1e400", None),
            (
                "123456789012345678901234567890",
                Some(123_456_789_012_345_678_901_234_567_890),
            ),
            ("0e999", Some(0)),
            ("1e-1", None),
        ] {
            assert_eq!(Number::new(text).whole(), wanted, "{text}");
        }
        assert!(Number::new("1e400").is_integer());
        assert!(!Number::new("1e-400").is_integer());
    }
}
