//! Times as logs write them, in ISO 8601.

use std::borrow::Cow;

/// A year, month and day with `-` between, as ISO 8601 begins.
fn is_iso(text: &str) -> bool {
    let bytes = text.as_bytes();
    (10..=40).contains(&bytes.len())
        && text.is_ascii()
        && bytes[4] == b'-'
        && bytes[7] == b'-'
        && [0, 1, 2, 3, 5, 6, 8, 9]
            .iter()
            .all(|at| bytes[*at].is_ascii_digit())
}

/// A time in ISO 8601 as it stands; seconds, milliseconds, microseconds or nanoseconds of Unix, told apart by their size; or a time of an
/// access log. None if it is nothing of that.
pub(super) fn iso(written: Cow<'_, str>) -> Option<Cow<'_, str>> {
    if is_iso(&written) {
        return Some(written);
    }
    unix(&written)
        .or_else(|| access_log(&written))
        .map(Cow::Owned)
}

/// Unix seconds of a time in ISO 8601; without an offset it is taken for UTC. None if it is no such time.
pub(crate) fn unix_seconds(written: &str) -> Option<i64> {
    if !is_iso(written) {
        return None;
    }
    let number = |from: usize, to: usize| -> Option<i64> { written.get(from..to)?.parse().ok() };
    let days = days(number(0, 4)?, number(5, 7)?, number(8, 10)?)?;
    let midnight = days * 86_400;
    let Some(time) = written.get(11..).filter(|time| !time.is_empty()) else {
        return Some(midnight);
    };
    let (hour, minute) = (number(11, 13)?, number(14, 16)?);
    let second = if time.as_bytes().get(5) == Some(&b':') {
        number(17, 19)?
    } else {
        0
    };
    if !(0..24).contains(&hour) || !(0..60).contains(&minute) || !(0..=60).contains(&second) {
        return None;
    }
    let local = midnight + hour * 3600 + minute * 60 + second;
    // The date has `-` as well, the time of day has none.
    let offset = match time.rfind(['+', '-']) {
        Some(at) => {
            let (sign, rest) = time[at..].split_at(1);
            let digits =
                |from: usize, to: usize| -> Option<i64> { rest.get(from..to)?.parse().ok() };
            let minutes = rest.trim_start_matches(|digit: char| digit.is_ascii_digit());
            let minutes = if rest.len() == 2 {
                0
            } else if minutes.starts_with(':') {
                digits(3, 5)?
            } else {
                digits(2, 4)?
            };
            let offset = digits(0, 2)? * 3600 + minutes * 60;
            if sign == "-" { -offset } else { offset }
        }
        None => 0,
    };
    Some(local - offset)
}

/// The days from 1 January 1970 to a date, by the algorithm `days_from_civil` of Howard Hinnant. None if there is no such date.
fn days(year: i64, month: i64, day: i64) -> Option<i64> {
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year - era * 400;
    let month = if month > 2 { month - 3 } else { month + 9 };
    let day_of_year = (153 * month + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    Some(era * 146_097 + day_of_era - 719_468)
}

/// From Unix time.
fn unix(written: &str) -> Option<String> {
    let (whole, fraction) = written.split_once('.').unwrap_or((written, ""));
    if fraction.bytes().any(|byte| !byte.is_ascii_digit()) {
        return exponential(written);
    }
    let whole: i64 = whole.parse().ok()?;
    // Each unit has its own range of sizes for all times from 1973 to 5138.
    let (per_second, digits) = match whole.unsigned_abs() {
        0..100_000_000_000 => {
            return Some(with_fraction(whole, &fraction[..fraction.len().min(9)]));
        }
        100_000_000_000..100_000_000_000_000 => (1_000, 3),
        100_000_000_000_000..100_000_000_000_000_000 => (1_000_000, 6),
        _ => (1_000_000_000, 9),
    };
    let rest = whole.rem_euclid(per_second);
    Some(with_fraction(
        whole.div_euclid(per_second),
        &format!("{rest:0digits$}"),
    ))
}

/// A large number as some programs write it: `1.7e9`.
fn exponential(written: &str) -> Option<String> {
    let seconds: f64 = written.parse().ok()?;
    // Far inside of the range of i64.
    #[allow(clippy::cast_possible_truncation)]
    (seconds.abs() < 1e11).then(|| with_fraction(seconds.floor() as i64, ""))
}

fn with_fraction(seconds: i64, fraction: &str) -> String {
    let (year, month, day) = date(seconds.div_euclid(86_400));
    let second = seconds.rem_euclid(86_400);
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    let point = if fraction.is_empty() { "" } else { "." };
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}{point}{fraction}Z")
}

/// Year, month and day of a day counted from 1 January 1970, by the algorithm `civil_from_days` of Howard Hinnant.
fn date(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

/// From the time of an access log: `17/May/2015:10:05:03 +0000`.
pub(super) fn access_log(written: &str) -> Option<String> {
    const MONTHS: &str = "JanFebMarAprMayJunJulAugSepOctNovDec";
    if written.len() != 26 || !written.is_ascii() {
        return None;
    }
    let is_shaped = written
        .bytes()
        .zip("00/Aaa/0000:00:00:00 +0000".bytes())
        .all(|(byte, form)| match form {
            b'0' => byte.is_ascii_digit(),
            b'A' | b'a' => byte.is_ascii_alphabetic(),
            b'+' => matches!(byte, b'+' | b'-'),
            _ => byte == form,
        });
    let month = MONTHS
        .find(&written[3..6])
        .filter(|at| is_shaped && at % 3 == 0)?
        / 3
        + 1;
    let (day, year, time) = (&written[..2], &written[7..11], &written[12..20]);
    let (hours, minutes) = (&written[21..24], &written[24..]);
    Some(format!("{year}-{month:02}-{day}T{time}{hours}:{minutes}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_in_iso_8601_are_counted_from_1970() {
        let cases = [
            ("1970-01-01", Some(0)),
            ("1970-01-01T00:00:00Z", Some(0)),
            ("2024-01-01T00:00:00Z", Some(1_704_067_200)),
            ("2024-01-01T01:30:00.123+01:30", Some(1_704_067_200)),
            ("2023-12-31T19:00:00-0500", Some(1_704_067_200)),
            ("2023-12-31T19:00-05", Some(1_704_067_200)),
            ("2000-02-29T12:34:56Z", Some(951_827_696)),
            ("1969-12-31 23:59:59", Some(-1)),
            ("2024-13-01T00:00:00Z", None),
            ("2024-01-01T25:00:00Z", None),
            ("2024-01-01Tnoon", None),
            ("yesterday", None),
            ("", None),
        ];
        for (written, wanted) in cases {
            assert_eq!(unix_seconds(written), wanted, "{written}");
        }
        for seconds in [0, 951_827_696, 1_704_067_199, 4_102_444_800, -86_401] {
            assert_eq!(unix_seconds(&with_fraction(seconds, "")), Some(seconds));
        }
    }

    #[test]
    fn times_are_written_in_iso_8601() {
        let cases = [
            (
                "2026-11-22T10:00:00.123+01:00",
                Some("2026-11-22T10:00:00.123+01:00"),
            ),
            (
                "17/May/2015:10:05:03 +0000",
                Some("2015-05-17T10:05:03+00:00"),
            ),
            (
                "29/Feb/2016:23:59:59 -0730",
                Some("2016-02-29T23:59:59-07:30"),
            ),
            ("0", Some("1970-01-01T00:00:00Z")),
            ("951827696", Some("2000-02-29T12:34:56Z")),
            ("951827696.25", Some("2000-02-29T12:34:56.25Z")),
            ("1646861401.524", Some("2022-03-09T21:30:01.524Z")),
            ("1646861401524", Some("2022-03-09T21:30:01.524Z")),
            ("1646861401524001", Some("2022-03-09T21:30:01.524001Z")),
            (
                "1646861401524000009",
                Some("2022-03-09T21:30:01.524000009Z"),
            ),
            ("1.646861401e9", Some("2022-03-09T21:30:01Z")),
            ("4102444800", Some("2100-01-01T00:00:00Z")),
            ("-1", Some("1969-12-31T23:59:59Z")),
            ("17/Foo/2015:10:05:03 +0000", None),
            ("17/anF/2015:10:05:03 +0000", None),
            ("yesterday", None),
            ("1e400", None),
            ("", None),
        ];
        for (written, wanted) in cases {
            assert_eq!(iso(Cow::Borrowed(written)).as_deref(), wanted, "{written}");
        }
    }
}
