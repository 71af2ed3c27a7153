//! Points in time as microseconds since the Unix epoch, UTC, as the database keeps them.

use std::fmt;
use std::str::FromStr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use jiff::tz::TimeZone;
use serde::{Serialize, Serializer};

/// Microseconds since the Unix epoch, UTC.
///
/// Displayed as the API shows times: `2017-08-04T00:44:52.000000`, without a zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

/// The text is no ISO 8601 date or date and time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not an ISO 8601 time such as 2017-08-04T00:44:52")]
pub struct ParseTimestampError {
    text: String,
}

impl Timestamp {
    /// The present, from the system's clock.
    #[must_use]
    pub fn now() -> Self {
        let elapsed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
        Self(i64::try_from(elapsed.as_micros()).unwrap_or(i64::MAX))
    }

    /// A time from microseconds since the Unix epoch.
    #[must_use]
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// Microseconds since the Unix epoch.
    #[must_use]
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// This time and `duration`, at most the end of time.
    #[must_use]
    pub fn after(self, duration: Duration) -> Self {
        let micros = i64::try_from(duration.as_micros()).unwrap_or(i64::MAX);
        Self(self.0.saturating_add(micros))
    }

    /// This time less `duration`, at least the beginning of time.
    #[must_use]
    pub fn before(self, duration: Duration) -> Self {
        let micros = i64::try_from(duration.as_micros()).unwrap_or(i64::MAX);
        Self(self.0.saturating_sub(micros))
    }

    /// How long ago `earlier` was, zero if it is not earlier.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }
}

impl Timestamp {
    /// The text of a time from 1970 to 9999. Long lists write two of these a row, so it is made
    /// without a formatter.
    fn text(self) -> Option<[u8; 26]> {
        let micros = u64::try_from(self.0).ok()?;
        let (seconds, fraction) = (micros / 1_000_000, micros % 1_000_000);
        let (year, month, day) = civil_from_days(seconds / 86_400)?;
        let of_day = seconds % 86_400;
        let mut text = *b"0000-00-00T00:00:00.000000";
        write_digits(&mut text[0..4], year);
        write_digits(&mut text[5..7], month);
        write_digits(&mut text[8..10], day);
        write_digits(&mut text[11..13], of_day / 3_600);
        write_digits(&mut text[14..16], of_day / 60 % 60);
        write_digits(&mut text[17..19], of_day % 60);
        write_digits(&mut text[20..26], fraction);
        Some(text)
    }
}

/// Year, month and day of a day counted from 1970-01-01, up to the year 9999: Howard Hinnant's
/// `civil_from_days`, which counts years from March so that the leap day comes last.
fn civil_from_days(days: u64) -> Option<(u64, u64, u64)> {
    let days = days + 719_468;
    let (era, of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    (year <= 9_999).then_some((year, month, day))
}

fn write_digits(place: &mut [u8], mut number: u64) {
    for digit in place.iter_mut().rev() {
        *digit = b'0' + (number % 10) as u8;
        number /= 10;
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(text) = self.text()
            && let Ok(text) = std::str::from_utf8(&text)
        {
            return formatter.write_str(text);
        }
        let datetime = jiff::Timestamp::from_microsecond(self.0)
            .unwrap_or(jiff::Timestamp::UNIX_EPOCH)
            .to_zoned(TimeZone::UTC)
            .datetime();
        write!(
            formatter,
            "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:06}",
            datetime.year(),
            datetime.month(),
            datetime.day(),
            datetime.hour(),
            datetime.minute(),
            datetime.second(),
            datetime.subsec_nanosecond() / 1_000,
        )
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.text() {
            Some(text) => match std::str::from_utf8(&text) {
                Ok(text) => serializer.serialize_str(text),
                Err(_) => serializer.collect_str(self),
            },
            None => serializer.collect_str(self),
        }
    }
}

impl FromStr for Timestamp {
    type Err = ParseTimestampError;

    /// Reads `2017-08-04`, `2017-08-04T00:44:52`, with a fraction, with `Z` or an offset; a text
    /// without a zone is UTC.
    fn from_str(text: &str) -> Result<Self, ParseTimestampError> {
        let zoned = text.parse::<jiff::Timestamp>().ok();
        let civil = || {
            let datetime = text.parse::<jiff::civil::DateTime>().ok()?;
            datetime.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
        };
        zoned
            .or_else(civil)
            .map(|timestamp| Self(timestamp.as_microsecond()))
            .ok_or_else(|| ParseTimestampError { text: text.chars().take(64).collect() })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn shows_times_as_the_api_does_and_reads_them_back() {
        let time = Timestamp::from_micros(1_501_807_492_000_042);
        assert_eq!(time.to_string(), "2017-08-04T00:44:52.000042");
        assert_eq!(time.to_string().parse(), Ok(time));
        assert_eq!("2017-08-04T02:44:52.000042+02:00".parse(), Ok(time));
        assert_eq!("2017-08-04".parse(), Ok(Timestamp::from_micros(1_501_804_800_000_000)));
    }

    proptest! {
        #[test]
        fn the_quick_text_is_the_calendars(micros in 0_i64..253_402_300_800_000_000) {
            let calendar = jiff::Timestamp::from_microsecond(micros).unwrap();
            let expected = format!("{calendar:.6}").replace('Z', "");
            prop_assert_eq!(Timestamp::from_micros(micros).to_string(), expected);
        }

        #[test]
        fn any_time_has_a_text(micros in proptest::num::i64::ANY) {
            prop_assert!(Timestamp::from_micros(micros).to_string().len() >= 26);
        }
    }

    #[test]
    fn refuses_what_is_no_time() {
        for text in ["", "yesterday", "2017-13-04", "1501807492"] {
            assert!(text.parse::<Timestamp>().is_err(), "{text}");
        }
    }

    #[test]
    fn differences_do_not_wrap() {
        let early = Timestamp::from_micros(i64::MIN);
        assert_eq!(early.since(Timestamp::from_micros(0)), Duration::ZERO);
        assert_eq!(early.before(Duration::from_secs(1)), early);
    }
}
