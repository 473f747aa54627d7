//! Schedules in cron notation, by the clock on the wall.
//!
//! The `cron` crate, given a zone, fires twice in the hour that comes twice and not at all in the one that is left out.
//! So it is asked for the times that a clock on the wall shows, which knows no such hours, and each is placed in the zone
//! here: a time that comes twice is the earlier one, a time that is left out is the first that there is after it.
//! What is scheduled more often than hourly so fires once in the hour that comes twice, and not again.

use chrono::{DateTime, Days, NaiveDateTime, Offset, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;

/// When something is to be done again and again.
#[derive(Debug, Clone)]
pub struct Schedule {
    /// Six fields, as the crate reads them.
    rule: cron::Schedule,
    zone: Tz,
}

/// One of the five fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SchedulePart {
    Minute,
    Hour,
    Day,
    Month,
    Weekday,
}

impl SchedulePart {
    const ALL: [SchedulePart; 5] = [
        SchedulePart::Minute,
        SchedulePart::Hour,
        SchedulePart::Day,
        SchedulePart::Month,
        SchedulePart::Weekday,
    ];

    pub fn in_words(self) -> &'static str {
        match self {
            SchedulePart::Minute => "minute",
            SchedulePart::Hour => "hour",
            SchedulePart::Day => "day of the month",
            SchedulePart::Month => "month",
            SchedulePart::Weekday => "day of the week",
        }
    }

    /// What can be written there, besides `*`.
    pub fn may_be(self) -> &'static str {
        match self {
            SchedulePart::Minute => "0 to 59",
            SchedulePart::Hour => "0 to 23",
            SchedulePart::Day => "1 to 31",
            SchedulePart::Month => "1 to 12, or jan to dec",
            SchedulePart::Weekday => "mon to sun, or 0 to 7 where 0 and 7 are Sunday",
        }
    }
}

/// Why a text is no schedule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ScheduleError {
    #[error("{0:?} has not five fields: minute, hour, day of the month, month and day of the week")]
    Fields(String),
    #[error("the {} {text:?} can't be read: {reason}", part.in_words())]
    Part {
        part: SchedulePart,
        text: String,
        reason: String,
    },
    #[error("{0:?} is no time zone: write it as Europe/London")]
    Zone(String),
    #[error("{0:?} never comes")]
    Never(String),
}

/// A day on which any rule that ever comes has come by: 29 February, on a certain day of the week, takes 40 years at most.
const HORIZON_DAYS: u64 = 366 * 41;

impl Schedule {
    /// `30 7 * * mon-fri` in `Europe/London`. Where a day of the month and one of the week are given, both have to hold. Days of the week are names, or 0 to 7 where 0 and 7 are Sunday, as cron has them.
    pub fn parse(rule: &str, zone: &str) -> Result<Self, ScheduleError> {
        let zone: Tz = zone
            .parse()
            .map_err(|_| ScheduleError::Zone(zone.to_owned()))?;
        let fields: Vec<&str> = rule.split_whitespace().collect();
        let [minute, hour, day, month, weekday] = fields[..] else {
            return Err(ScheduleError::Fields(rule.to_owned()));
        };
        let unreadable = |part, text: &str, reason| ScheduleError::Part {
            part,
            text: text.to_owned(),
            reason,
        };
        let named =
            named(weekday).map_err(|reason| unreadable(SchedulePart::Weekday, weekday, reason))?;
        let whole = [minute, hour, day, month, named.as_str()];
        // Each by itself first, so that it is known which one is wrong.
        for (part, field) in SchedulePart::ALL.into_iter().zip(whole) {
            let alone = SchedulePart::ALL.map(|other| if other == part { field } else { "*" });
            let read = as_cron(alone);
            read.map_err(|error| unreadable(part, field, error.to_string()))?;
        }
        let read = as_cron(whole).map_err(|_| ScheduleError::Fields(rule.to_owned()))?;
        let schedule = Self { rule: read, zone };
        let some_day = NaiveDateTime::default();
        let horizon = some_day.checked_add_days(Days::new(HORIZON_DAYS));
        let first = schedule.on_the_wall(some_day).next();
        if first.is_none() || first > horizon {
            return Err(ScheduleError::Never(rule.to_owned()));
        }
        Ok(schedule)
    }

    /// The times that a clock on the wall shows after this one.
    fn on_the_wall(&self, after: NaiveDateTime) -> impl Iterator<Item = NaiveDateTime> + '_ {
        self.rule
            .after_owned(after.and_utc())
            .map(|shown| shown.naive_utc())
    }

    /// The moments after this one at which it is time, in order and each once.
    pub fn after(&self, moment: DateTime<Utc>) -> impl Iterator<Item = DateTime<Utc>> + '_ {
        // From a day before, so that no time is passed over that is placed later than it is shown.
        let shown = moment.with_timezone(&self.zone).naive_local();
        let from = shown.checked_sub_days(Days::new(1)).unwrap_or(shown);
        let mut last = moment;
        self.on_the_wall(from)
            .filter_map(|shown| self.place(shown))
            .filter(move |at| {
                let is_later = *at > last;
                if is_later {
                    last = *at;
                }
                is_later
            })
    }

    /// The time that its own clock shows: `Friday 27 November 2026 at 07:30`.
    pub fn in_words(&self, moment: DateTime<Utc>) -> String {
        moment
            .with_timezone(&self.zone)
            .format("%A %-d %B %Y at %H:%M")
            .to_string()
    }

    /// Whether any two of the next hundred moments are nearer to each other than this.
    pub fn is_oftener_than(&self, gap: TimeDelta, from: DateTime<Utc>) -> bool {
        let next: Vec<DateTime<Utc>> = self.after(from).take(100).collect();
        next.windows(2)
            .any(|two| matches!(two, [one, other] if other.signed_duration_since(one) < gap))
    }

    /// The moments after one up to and on another, the earliest ones first and so many at most.
    pub fn between(
        &self,
        after: DateTime<Utc>,
        until: DateTime<Utc>,
        n_most: usize,
    ) -> Vec<DateTime<Utc>> {
        self.after(after)
            .take_while(|at| *at <= until)
            .take(n_most)
            .collect()
    }

    /// The moment at which the clocks of the zone show a time for the first time, or would have shown it.
    fn place(&self, shown: NaiveDateTime) -> Option<DateTime<Utc>> {
        if let Some(at) = self.zone.from_local_datetime(&shown).earliest() {
            return Some(at.to_utc());
        }
        // The clocks were put forward over it. Before that they went by this offset, by which it is that moment still.
        let before = shown.checked_sub_days(Days::new(1))?;
        let offset = self
            .zone
            .offset_from_local_datetime(&before)
            .earliest()?
            .fix();
        let at =
            shown.checked_sub_signed(TimeDelta::seconds(i64::from(offset.local_minus_utc())))?;
        // The first minute that there is: when the clocks were put forward.
        let would_show = self.zone.from_utc_datetime(&at).naive_local();
        let put_forward = would_show.signed_duration_since(shown);
        let past = TimeDelta::seconds(put_forward.num_seconds());
        (0..=past.num_minutes())
            .filter_map(|n| at.checked_sub_signed(TimeDelta::minutes(past.num_minutes() - n)))
            .find(|at| self.zone.from_utc_datetime(at).naive_local() > shown)
            .map(|at| at.and_utc())
    }
}

/// As the crate reads it, at second 0.
fn as_cron(fields: [&str; 5]) -> Result<cron::Schedule, cron::error::Error> {
    format!("0 {}", fields.join(" ")).parse()
}

/// The field of the day of the week said out day by day, with names in the place of numbers, which the crate counts
/// otherwise. `2/2` is from Tuesday to the end of the week, which is Saturday.
fn named(field: &str) -> Result<String, String> {
    const NAMES: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];
    if field == "*" {
        return Ok(field.to_owned());
    }
    let mut days = Vec::new();
    for part in field.split(',') {
        let (range, step) = match part.split_once('/') {
            Some((range, step)) => (range, Some(step)),
            None => (part, None),
        };
        let (first, n_days) = match (range.split_once('-'), step) {
            (Some((from, until)), _) => {
                let (first, last) = (day_of_week(from)?, day_of_week(until)?);
                match last.checked_sub(first) {
                    Some(n_later) => (first, (n_later + 1).min(7)),
                    // Over the end of a week.
                    None => (first, last + 7 - first + 1),
                }
            }
            (None, _) if range == "*" => (0, 7),
            (None, Some(_)) => {
                let first = day_of_week(range)? % 7;
                (first, 7 - first)
            }
            (None, None) => (day_of_week(range)?, 1),
        };
        let all = (first..first + n_days).step_by(step_of(step)?);
        days.extend(all.filter_map(|day| NAMES.get(day % 7).copied()));
    }
    Ok(days.join(","))
}

/// 0 to 7, where 0 and 7 are Sunday.
fn day_of_week(text: &str) -> Result<usize, String> {
    const NAMES: [&str; 7] = [
        "sunday",
        "monday",
        "tuesday",
        "wednesday",
        "thursday",
        "friday",
        "saturday",
    ];
    let lower = text.to_lowercase();
    let is_it = |name: &str| lower == name || name.get(..3) == Some(lower.as_str());
    let number = match lower.parse() {
        Ok(number @ 0..=7) if lower.len() == 1 => Some(number),
        _ => NAMES.iter().position(|name| is_it(name)),
    };
    number.ok_or_else(|| format!("{text} is no day of the week"))
}

fn step_of(step: Option<&str>) -> Result<usize, String> {
    match step {
        None => Ok(1),
        Some(step) => match step.parse() {
            Ok(step) if step > 0 => Ok(step),
            _ => Err(format!("{step} is no step")),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn london(rule: &str) -> Schedule {
        Schedule::parse(rule, "Europe/London").unwrap()
    }

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    /// Each in words of its own zone.
    fn between(rule: &str, after: &str, until: &str) -> Vec<String> {
        let schedule = london(rule);
        schedule
            .between(at(after), at(until), 1000)
            .into_iter()
            .map(|at| {
                at.with_timezone(&schedule.zone)
                    .format("%a %-d %b %H:%M %Z")
                    .to_string()
            })
            .collect()
    }

    #[test]
    fn a_daily_time_comes_once_each_day_whatever_the_clocks_do() {
        // Put back on 25 October: 01:30 comes twice.
        assert_eq!(
            between("30 1 * * *", "2026-10-24T00:00:00Z", "2026-10-27T00:00:00Z"),
            [
                "Sat 24 Oct 01:30 BST",
                "Sun 25 Oct 01:30 BST",
                "Mon 26 Oct 01:30 GMT"
            ]
        );
        // Put forward on 28 March: 01:30 does not come.
        assert_eq!(
            between("30 1 * * *", "2027-03-27T00:00:00Z", "2027-03-29T23:00:00Z"),
            [
                "Sat 27 Mar 01:30 GMT",
                "Sun 28 Mar 02:00 BST",
                "Mon 29 Mar 01:30 BST"
            ]
        );
        assert_eq!(
            between("0 17 * * *", "2027-03-27T12:00:00Z", "2027-03-29T00:00:00Z"),
            ["Sat 27 Mar 17:00 GMT", "Sun 28 Mar 17:00 BST"]
        );
        assert_eq!(
            between("0 17 * * *", "2026-10-24T12:00:00Z", "2026-10-26T00:00:00Z"),
            ["Sat 24 Oct 17:00 BST", "Sun 25 Oct 17:00 GMT"]
        );
    }

    #[test]
    fn every_half_hour_comes_46_times_on_the_short_day_and_48_on_the_long_one() {
        let of_day = |after, until| between("*/30 * * * *", after, until);
        // The day, from before its first minute until before the next one's.
        let short = of_day("2027-03-27T23:59:00Z", "2027-03-28T22:59:00Z");
        assert_eq!(short.len(), 46, "{short:?}");
        // The hour that comes twice counts once.
        let long = of_day("2026-10-24T22:59:00Z", "2026-10-25T23:59:00Z");
        assert_eq!(long.len(), 48, "{long:?}");
        let mut once = short.clone();
        once.dedup();
        assert_eq!(once, short);
    }

    #[test]
    fn every_moment_of_a_year_is_found_from_any_other() {
        for rule in ["30 1 * * *", "*/20 1,2 * * sun", "0 0 1 * *", "15 1 28 3 *"] {
            let schedule = london(rule);
            let (from, until) = (at("2026-09-01T00:00:00Z"), at("2027-09-01T00:00:00Z"));
            let all = schedule.between(from, until, 10_000);
            assert!(all.windows(2).all(|two| two[0] < two[1]), "{rule}");
            for (idx, moment) in all.iter().enumerate() {
                let next = schedule.after(*moment).next();
                if let Some(expected) = all.get(idx + 1) {
                    assert_eq!(next, Some(*expected), "{rule} after {moment}");
                }
                let again = schedule.after(*moment - TimeDelta::seconds(1)).next();
                assert_eq!(again, Some(*moment), "{rule}");
            }
        }
    }

    #[test]
    fn days_of_the_week_are_cron_s() {
        let week = |rule| between(rule, "2026-11-22T00:00:00Z", "2026-11-28T23:00:00Z").len();
        for (rule, n) in [
            ("0 9 * * MON-FRI", 5),
            ("0 9 * * mon-fri", 5),
            ("0 9 * * 1-5", 5),
            ("0 9 * * 0", 1),
            ("0 9 * * 7", 1),
            ("0 9 * * 5-1", 4),
            ("0 9 * * sat,sun", 2),
            ("0 9 * * sat-mon", 3),
            ("0 9 * * 1-5/2", 3),
            ("0 9 * * */3", 3),
            ("0 9 * * *", 7),
            ("0 9 * * 1/2", 3),
            ("0 9 * * mon/2", 3),
            ("0 9 * * 7/3", 3),
            ("0 9 * * 0-7", 7),
            ("0 9 * * 7-2", 3),
            ("0 9 * * 5-7", 3),
            ("0 9 * * sat-mon/2", 2),
            ("0 9 * * Monday-Friday", 5),
            ("0 9 * * mon,1,mon/7", 1),
        ] {
            assert_eq!(week(rule), n, "{rule}");
        }
        assert_eq!(
            between("0 9 * * 1", "2026-11-22T00:00:00Z", "2026-11-28T00:00:00Z"),
            ["Mon 23 Nov 09:00 GMT"]
        );
        assert_eq!(
            between(
                "0 9 * * mon/2",
                "2026-11-22T00:00:00Z",
                "2026-11-29T00:00:00Z"
            ),
            [
                "Mon 23 Nov 09:00 GMT",
                "Wed 25 Nov 09:00 GMT",
                "Fri 27 Nov 09:00 GMT"
            ]
        );
    }

    #[test]
    fn what_is_no_schedule_is_said() {
        for (rule, zone, told) in [
            ("0 0 9 * * MON", "Europe/London", "has not five fields"),
            ("0 9 * *", "Europe/London", "has not five fields"),
            ("0 25 * * *", "Europe/London", "can't be read"),
            (
                "0 nine * * *",
                "Europe/London",
                "the hour \"nine\" can't be read",
            ),
            (
                "60 9 * * *",
                "Europe/London",
                "the minute \"60\" can't be read",
            ),
            ("0 9 0 * *", "Europe/London", "the day of the month \"0\""),
            ("0 9 * 13 *", "Europe/London", "the month \"13\""),
            ("0 9 * * 8", "Europe/London", "8 is no day of the week"),
            ("0 9 * * 1-5/0", "Europe/London", "0 is no step"),
            ("0 9 * * */x", "Europe/London", "x is no step"),
            ("0 9 * * 1/x", "Europe/London", "x is no step"),
            ("0 9 * * mon/0", "Europe/London", "0 is no step"),
            (
                "0 9 * * monkey-fri",
                "Europe/London",
                "monkey is no day of the week",
            ),
            ("0 9 * * 1-9", "Europe/London", "9 is no day of the week"),
            ("0 9 * * mon,", "Europe/London", " is no day of the week"),
            ("0 9 * * +1", "Europe/London", "+1 is no day of the week"),
            ("0 9 30 2 *", "Europe/London", "never comes"),
            ("0 9 * * *", "Scotland", "is no time zone"),
            ("", "Europe/London", "has not five fields"),
        ] {
            let error = Schedule::parse(rule, zone).unwrap_err().to_string();
            assert!(error.contains(told), "{rule}: {error}");
        }
        london("0 9 29 2 *");
        london("30 7 1-7 jan,apr *");
    }

    #[test]
    fn it_is_known_how_often_it_comes() {
        let from = at("2026-10-20T00:00:00Z");
        for (rule, hours, is_oftener) in [
            ("*/30 * * * *", 1, true),
            ("0 * * * *", 1, false),
            ("0 7 * * *", 20, false),
            ("0 7,9 * * mon", 20, true),
            ("0 7 5 1,4,7,10 *", 20, false),
        ] {
            let gap = TimeDelta::hours(hours);
            assert_eq!(
                london(rule).is_oftener_than(gap, from),
                is_oftener,
                "{rule}"
            );
        }
    }

    #[test]
    fn a_time_is_placed_in_its_own_zone() {
        let tokyo = Schedule::parse("0 9 * * *", "Asia/Tokyo").unwrap();
        assert_eq!(
            tokyo.after(at("2026-11-25T12:00:00Z")).next(),
            Some(at("2026-11-26T00:00:00Z"))
        );
        assert_eq!(
            tokyo.in_words(at("2026-11-26T00:00:00Z")),
            "Thursday 26 November 2026 at 09:00"
        );
    }
}
