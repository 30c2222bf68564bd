//! Dates and times as RFC 3339 writes them.

/// `2024-02-29T23:59:60.5+01:00`; `T` and `Z` may be small.
pub(super) fn is_date_time(text: &[u8]) -> bool {
    match text.split_at_checked(10) {
        Some((date, [b'T' | b't', time @ ..])) => is_date(date) && is_time(time),
        _ => false,
    }
}

pub(super) fn is_date(text: &[u8]) -> bool {
    let Ok([y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2]) = <&[u8; 10]>::try_from(text) else {
        return false;
    };
    let (Some(century), Some(year), Some(month), Some(day)) =
        (two(*y1, *y2), two(*y3, *y4), two(*m1, *m2), two(*d1, *d2))
    else {
        return false;
    };
    let is_leap = if year == 0 {
        century % 4 == 0
    } else {
        year % 4 == 0
    };
    let days = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if is_leap => 29,
        2 => 28,
        _ => return false,
    };
    (1..=days).contains(&day)
}

pub(super) fn is_time(text: &[u8]) -> bool {
    let [h1, h2, b':', m1, m2, b':', s1, s2, rest @ ..] = text else {
        return false;
    };
    let (Some(hour), Some(minute), Some(second)) = (two(*h1, *h2), two(*m1, *m2), two(*s1, *s2))
    else {
        return false;
    };
    if hour > 23 || minute > 59 || second > 60 {
        return false;
    }
    let rest = match rest {
        [b'.', fraction @ ..] => {
            let count = fraction
                .iter()
                .take_while(|byte| byte.is_ascii_digit())
                .count();
            if count == 0 {
                return false;
            }
            &fraction[count..]
        }
        rest => rest,
    };
    let offset = match *rest {
        [b'Z' | b'z'] => 0,
        [sign @ (b'+' | b'-'), h1, h2, b':', m1, m2] => {
            let (Some(hours), Some(minutes)) = (two(h1, h2), two(m1, m2)) else {
                return false;
            };
            if hours > 23 || minutes > 59 {
                return false;
            }
            let offset = i32::from(hours) * 60 + i32::from(minutes);
            if sign == b'+' { offset } else { -offset }
        }
        _ => return false,
    };
    // Leap seconds come at the end of a day in UTC.
    let utc = (i32::from(hour) * 60 + i32::from(minute) - offset).rem_euclid(24 * 60);
    second < 60 || utc == 24 * 60 - 1
}

#[inline]
fn two(tens: u8, ones: u8) -> Option<u8> {
    let (tens, ones) = (tens.wrapping_sub(b'0'), ones.wrapping_sub(b'0'));
    (tens < 10 && ones < 10).then(|| tens * 10 + ones)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_those_of_rfc_3339() {
        for (text, wanted) in [
            ("2024-02-29T23:59:59Z", true),
            ("2023-02-29T23:59:59Z", false),
            ("1900-02-29t00:00:00z", false),
            ("2000-02-29t00:00:00z", true),
            ("2024-01-01T00:00:00.123456789+05:30", true),
            ("2024-01-01T00:00:00.+05:30", false),
            ("2024-01-01T00:00:00", false),
            ("2024-01-01 00:00:00Z", false),
            ("1998-12-31T23:59:60Z", true),
            ("1998-12-31T15:59:60.5-08:00", true),
            ("1998-12-31T23:58:60Z", false),
            ("2024-01-01T24:00:00Z", false),
            ("2024-01-01T00:60:00Z", false),
            ("2024-02-]9T00:00:00Z", false),
            ("2024-01-01T00:00:0\u{e9}Z", false),
            ("2024-01-01T00:00:00+24:00", false),
            ("2024-13-01T00:00:00Z", false),
            ("2024-00-01T00:00:00Z", false),
            ("2024-01-00T00:00:00Z", false),
            ("+024-01-01T00:00:00Z", false),
            ("", false),
        ] {
            assert_eq!(is_date_time(text.as_bytes()), wanted, "{text}");
        }
    }
}
