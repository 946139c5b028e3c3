//! Times of the week as operators write them: `mon-fri 08:00-18:00`, `sat,sun`, `22:00-06:00`.
//!
//! Left out: time zones and clocks. Whoever asks a policy says what time it is where the operator lives.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::document::Words;

/// Minutes of a day.
const DAY: u16 = 24 * 60;

/// A day of the week.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Weekday {
    /// Monday.
    Monday,
    /// Tuesday.
    Tuesday,
    /// Wednesday.
    Wednesday,
    /// Thursday.
    Thursday,
    /// Friday.
    Friday,
    /// Saturday.
    Saturday,
    /// Sunday.
    Sunday,
}

impl Words for Weekday {
    const WORDS: &'static [(&'static str, Self)] = &[
        ("mon", Self::Monday),
        ("tue", Self::Tuesday),
        ("wed", Self::Wednesday),
        ("thu", Self::Thursday),
        ("fri", Self::Friday),
        ("sat", Self::Saturday),
        ("sun", Self::Sunday),
    ];
}

impl Weekday {
    const fn bit(self) -> u8 {
        1 << self as u8
    }

    /// The bit of the day after, or before, that of `bit`.
    const fn next(bit: u8) -> u8 {
        if bit == Self::Sunday.bit() {
            1
        } else {
            bit << 1
        }
    }

    const fn previous(bit: u8) -> u8 {
        if bit == 1 {
            Self::Sunday.bit()
        } else {
            bit >> 1
        }
    }
}

/// A minute of the week. Written `mon 08:30`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Moment {
    weekday: Weekday,
    /// Minutes since midnight.
    minute: u16,
}

/// The text is no time of the week.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ScheduleError {
    /// It is no [`Moment`].
    #[error("a moment is written as mon 08:30")]
    Moment,
    /// It is no [`Period`].
    #[error("times are written as mon-fri 08:00-18:00, sat,sun or 22:00-06:00")]
    Period,
}

impl Moment {
    /// The minute at `hour` (0 to 23) and `minute` (0 to 59) of a day.
    #[must_use]
    pub fn new(weekday: Weekday, hour: u8, minute: u8) -> Option<Self> {
        (hour < 24 && minute < 60).then(|| Self {
            weekday,
            minute: u16::from(hour) * 60 + u16::from(minute),
        })
    }
}

impl FromStr for Moment {
    type Err = ScheduleError;

    fn from_str(text: &str) -> Result<Self, ScheduleError> {
        let (day, time) = text.split_once(' ').ok_or(ScheduleError::Moment)?;
        let weekday = weekday(day).ok_or(ScheduleError::Moment)?;
        let minute = clock(time).filter(|minute| *minute < DAY);
        let minute = minute.ok_or(ScheduleError::Moment)?;
        Ok(Self { weekday, minute })
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (hour, minute) = (self.minute / 60, self.minute % 60);
        write!(f, "{} {hour:02}:{minute:02}", self.weekday.word())
    }
}

impl Serialize for Moment {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// The same hours on some days of the week; hours over midnight belong to the day that they begin on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Period {
    /// One bit a day.
    days: u8,
    /// Minutes since midnight; up to, but not including, `to`.
    from: u16,
    to: u16,
}

impl Period {
    const EVERY_DAY: u8 = 0b0111_1111;

    /// Whether the moment lies in it.
    #[must_use]
    pub const fn contains(&self, moment: Moment) -> bool {
        let today = moment.weekday.bit();
        if self.from < self.to {
            return self.days & today != 0 && self.from <= moment.minute && moment.minute < self.to;
        }
        (self.days & today != 0 && self.from <= moment.minute)
            || (self.days & Weekday::previous(today) != 0 && moment.minute < self.to)
    }

    /// Whether every moment of `other` surely lies in it.
    #[must_use]
    pub const fn covers(&self, other: &Self) -> bool {
        let same_shape = (self.from < self.to) == (other.from < other.to);
        let hours = same_shape && self.from <= other.from && other.to <= self.to;
        hours && other.days & !self.days == 0
    }
}

impl FromStr for Period {
    type Err = ScheduleError;

    fn from_str(text: &str) -> Result<Self, ScheduleError> {
        let (days_text, hours_text) = match text.split_once(' ') {
            Some((days, hours)) => (Some(days), Some(hours)),
            None if text.contains(':') => (None, Some(text)),
            None => (Some(text), None),
        };
        let days = days_text.map_or(Some(Self::EVERY_DAY), days);
        let hours = hours_text.map_or(Some((0, DAY)), hours);
        let (Some(days), Some((from, to))) = (days, hours) else {
            return Err(ScheduleError::Period);
        };
        Ok(Self { days, from, to })
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let days = Weekday::WORDS.iter();
        let days = days.filter(|(_, day)| self.days & day.bit() != 0);
        let days: Vec<&str> = days.map(|(word, _)| *word).collect();
        let (from, to) = (self.from, self.to);
        write!(f, "{} ", days.join(","))?;
        write!(f, "{:02}:{:02}-", from / 60, from % 60)?;
        write!(f, "{:02}:{:02}", to / 60, to % 60)
    }
}

fn weekday(word: &str) -> Option<Weekday> {
    let own = |(known, _): &&(&str, Weekday)| known.eq_ignore_ascii_case(word);
    Weekday::WORDS.iter().find(own).map(|(_, day)| *day)
}

/// `mon-fri`, `sat,sun` or both mixed.
fn days(text: &str) -> Option<u8> {
    let mut days = 0;
    for span in text.split(',') {
        let (first, last) = span.split_once('-').unwrap_or((span, span));
        let (mut day, last) = (weekday(first)?.bit(), weekday(last)?.bit());
        days |= day;
        while day != last {
            day = Weekday::next(day);
            days |= day;
        }
    }
    Some(days)
}

/// `08:00-18:00`; none if no time lies between.
fn hours(text: &str) -> Option<(u16, u16)> {
    let (from, to) = text.split_once('-')?;
    let (from, to) = (clock(from).filter(|from| *from < DAY)?, clock(to)?);
    (from != to).then_some((from, to))
}

/// Minutes since midnight, up to 24:00.
fn clock(text: &str) -> Option<u16> {
    let (hour, minute) = text.split_once(':')?;
    let two_digits = |text: &str| text.len() == 2 && text.bytes().all(|b| b.is_ascii_digit());
    if !two_digits(hour) || !two_digits(minute) {
        return None;
    }
    let (hour, minute): (u16, u16) = (hour.parse().ok()?, minute.parse().ok()?);
    let minutes = hour * 60 + minute;
    (minute < 60 && minutes <= DAY).then_some(minutes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn periods_contain_their_moments() {
        for (period, moment, is_inside) in [
            ("mon-fri 08:00-18:00", "mon 08:00", true),
            ("mon-fri 08:00-18:00", "fri 17:59", true),
            ("mon-fri 08:00-18:00", "fri 18:00", false),
            ("mon-fri 08:00-18:00", "sat 12:00", false),
            ("Sat,SUN", "sun 00:00", true),
            ("sat,sun", "mon 00:00", false),
            ("sun-mon", "mon 23:59", true),
            ("sat-mon,wed", "tue 12:00", false),
            ("22:00-06:00", "wed 23:00", true),
            ("22:00-06:00", "wed 05:59", true),
            ("22:00-06:00", "wed 06:00", false),
            ("sun 22:00-06:00", "mon 05:00", true),
            ("sun 22:00-06:00", "sun 05:00", false),
            ("08:00-24:00", "tue 23:59", true),
        ] {
            let read: Period = period.parse().unwrap();
            assert_eq!(
                read.contains(moment.parse().unwrap()),
                is_inside,
                "{moment} in {period}"
            );
            assert_eq!(read.to_string().parse(), Ok(read), "{period}");
        }
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for text in [
            "",
            " ",
            "mo",
            "mon-",
            "-mon",
            "mon,,tue",
            "8:00-18:00",
            "08:00",
            "08:00-08:00",
            "24:00-06:00",
            "08:00-24:01",
            "08:60-09:00",
            "mon 08:00",
            "mon  08:00-09:00",
            "+8:00-09:00",
        ] {
            assert_eq!(
                text.parse::<Period>(),
                Err(ScheduleError::Period),
                "{text:?}"
            );
        }
        for text in [
            "",
            "mon",
            "mon 24:00",
            "mon 8:00",
            "mon 08:00-09:00",
            "08:00",
        ] {
            assert_eq!(
                text.parse::<Moment>(),
                Err(ScheduleError::Moment),
                "{text:?}"
            );
        }
    }

    #[test]
    fn covering_is_never_wrong() {
        let periods = [
            "mon-fri",
            "mon 08:00-10:00",
            "tue,mon 07:00-11:00",
            "22:00-06:00",
            "fri 23:00-05:00",
            "sat 23:00-07:00",
        ];
        let periods = periods.map(|text| text.parse::<Period>().unwrap());
        let week = Weekday::WORDS
            .iter()
            .flat_map(|(_, day)| (0..24).map(|hour| Moment::new(*day, hour, 30).unwrap()));
        for moment in week {
            for wide in periods {
                for narrow in periods.iter().filter(|narrow| wide.covers(narrow)) {
                    assert!(
                        !narrow.contains(moment) || wide.contains(moment),
                        "{wide} {narrow} {moment}"
                    );
                }
            }
        }
        assert!(periods[0].covers(&periods[1]) && periods[2].covers(&periods[1]));
        assert!(periods[3].covers(&periods[4]) && !periods[3].covers(&periods[5]));
    }
}
