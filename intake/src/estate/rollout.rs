//! `rollout.yaml`: what must hold between its values, and between it and the estate.

use std::collections::BTreeSet;

use holdpoint_schemas::fix::FixKind;
use holdpoint_schemas::rollout::{Budget, Canary, DEFAULT_LANE, Lane, LaneMatch, Promotion, Ratio, Rollout};
use holdpoint_schemas::{Level, SourceError};
use jiff::civil::Time;
use jiff::tz::TimeZoneDatabase;

use super::check::File;
use crate::error::SourceResult;

/// Most lanes: every finding is held against each until one takes it.
const MAX_LANES: usize = 500;
/// Longest name of a lane, in letters: it heads columns.
const MAX_LANE_NAME: usize = 80;
/// Longest survival, soak, hysteresis or look-back in days: ten years.
const MAX_DAYS: u32 = 3_660;
/// Longest look-back of a circuit breaker in hours: a year.
const MAX_HOURS: u32 = 8_784;
/// Kinds that a fix can have.
const KINDS: [FixKind; 8] = [
    FixKind::DependencyUpgrade,
    FixKind::SecretToReference,
    FixKind::SecurityHeader,
    FixKind::ConfigFlag,
    FixKind::IacAttribute,
    FixKind::Formatting,
    FixKind::GeneratedCode,
    FixKind::Logic,
];

/// Names that an estate knows. An empty set says nothing, and then no name is refused.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KnownNames {
    /// Environments that something is deployed to.
    pub environments: BTreeSet<String>,
    /// Systems that services belong to.
    pub systems: BTreeSet<String>,
    /// Teams that own services.
    pub teams: BTreeSet<String>,
}

/// Refuses rings, environments, systems and teams of a rollout file that the estate doesn't know: a lane on a misspelt name
/// would silently never take anything.
///
/// # Errors
/// At the first name that isn't known.
pub fn check_rollout_names(name: &str, text: &str, rollout: &Rollout, known: &KnownNames) -> SourceResult<()> {
    let file = File { name, text };
    let check = |key: &str, what: &str, names: &[String], known: &BTreeSet<String>| {
        let missing = names.iter().find(|name| !known.is_empty() && !known.contains(*name));
        missing.map_or(Ok(()), |missing| {
            let known: Vec<&str> = known.iter().map(String::as_str).collect();
            let message = format!("no {what} of the estate is called `{missing}`");
            file.wrong(key, missing, message, &format!("{what}s here: {}", known.join(", ")))
        })
    };
    check("rings", "environment", &rollout.rings, &known.environments)?;
    for lane in &rollout.lanes {
        let matches = &lane.matches;
        for (key, what, names, known) in [
            (
                "environments",
                "environment",
                &matches.environments,
                &known.environments,
            ),
            ("systems", "system", &matches.systems, &known.systems),
            ("teams", "team", &matches.teams, &known.teams),
        ] {
            check(key, what, names.as_deref().unwrap_or_default(), known)?;
        }
    }
    Ok(())
}

/// What must hold between the values of the file.
pub(super) fn check(name: &str, text: &str, rollout: &Rollout) -> SourceResult<()> {
    let file = File { name, text };
    file.unique("name:", "the lane", rollout.lanes.iter().map(|lane| lane.name.as_str()))?;
    lane_names(&file, rollout)?;
    if rollout.lanes.len() > MAX_LANES {
        let message = format!("{} lanes, but at most {MAX_LANES} are read", rollout.lanes.len());
        return file.wrong(
            "lanes",
            ":",
            message,
            "let a lane take more kinds, environments or teams",
        );
    }
    file.unique("rings", "the ring", rollout.rings.iter().map(String::as_str))?;
    let whole = Part::whole(&file);
    minute(&whole, "begins", &rollout.night.begins)?;
    zone(&whole, &rollout.night.zone)?;
    for breaker in [&rollout.breakers.estate, &rollout.breakers.remediator] {
        at_least_one(
            &whole,
            "failures",
            breaker.failures,
            "a breaker of 0 failures would always be tripped",
        )?;
        at_least_one(&whole, "hours", breaker.hours, "within 0 hours nothing can happen")?;
        at_most(&whole, "hours", breaker.hours, MAX_HOURS)?;
    }
    if let Some(budget) = &rollout.budget {
        self::budget(&whole, "the estate", budget)?;
    }
    for (place, lane) in rollout.lanes.iter().enumerate() {
        self::lane(&Part::of(&file, &lane.name), rollout, lane)?;
        let before = rollout
            .lanes
            .iter()
            .take(place)
            .find(|before| takes_all_of(&before.matches, &lane.matches));
        if let Some(before) = before {
            let message = format!(
                "the lane `{}` can never take anything: `{}` before it takes all of it",
                lane.name, before.name
            );
            let help = format!("put it before `{}`, or let that one match less", before.name);
            return file.wrong("name:", &lane.name, message, &help);
        }
    }
    Ok(())
}

/// The file, or the part of it that is about one lane: the same words often stand in several.
struct Part<'a> {
    file: &'a File<'a>,
    /// First line of the part and the first one after it, from 0.
    lines: std::ops::Range<usize>,
}

impl<'a> Part<'a> {
    fn whole(file: &'a File<'a>) -> Self {
        Self {
            file,
            lines: 0..usize::MAX,
        }
    }

    /// From the line that names the lane to the one that names the next.
    fn of(file: &'a File<'a>, lane: &str) -> Self {
        let names = file.text.lines().enumerate().filter_map(|(index, line)| {
            let (_, after) = line.split_once("name:")?;
            let value = after.split([',', '}', '#']).next().unwrap_or_default();
            Some((index, value.trim().trim_matches(['"', '\'']) == lane))
        });
        let mut names = names.skip_while(|(_, named)| !named).map(|(index, _)| index);
        match names.next() {
            Some(start) => Self {
                file,
                lines: start..names.next().unwrap_or(usize::MAX),
            },
            None => Self::whole(file),
        }
    }

    /// An error at the first line of the part that holds `value`, as a word of its own, after `key`; at the key, if no
    /// value is given; else at the part's first line.
    fn wrong<T>(&self, key: &str, value: &str, message: String, help: &str) -> SourceResult<T> {
        let lines = || {
            let lines = self.file.text.lines().enumerate();
            lines.filter(|(index, _)| self.lines.contains(index))
        };
        let place = lines().find_map(|(index, line)| {
            let key_at = line.find(key)?;
            let after = key_at + key.len();
            let at = if value.is_empty() {
                key_at
            } else {
                after + word_in(line.get(after..)?, value)?
            };
            Some((index + 1, line.get(..at)?.chars().count() + 1))
        });
        let start = || {
            lines()
                .next()
                .map(|(index, line)| (index + 1, line.len() - line.trim_start().len() + 1))
        };
        let mut error = SourceError::new(self.file.name, message).help(help);
        if let Some((line, column)) = place.or_else(start) {
            error = error.at(self.file.text, line, column);
        }
        Err(Box::new(error))
    }
}

/// Where a word stands that isn't a part of a longer one.
fn word_in(text: &str, word: &str) -> Option<usize> {
    let joins = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '.');
    text.match_indices(word).map(|(at, _)| at).find(|at| {
        let before = text.get(..*at).and_then(|before| before.chars().next_back());
        let after = text.get(at + word.len()..).and_then(|after| after.chars().next());
        !joins(before) && !joins(after)
    })
}

fn lane(file: &Part<'_>, rollout: &Rollout, lane: &Lane) -> SourceResult<()> {
    let name = &lane.name;
    if name == DEFAULT_LANE {
        let message = format!("no lane may be called `{DEFAULT_LANE}`: that stands for what no lane takes");
        return file.wrong("name:", name, message, "give it another name, or set `default_stage`");
    }
    let ceiling = lane.ceiling();
    if lane.stage > ceiling {
        let message = format!(
            "the lane `{name}` starts at {}, above its ceiling {ceiling}",
            lane.stage
        );
        return file.wrong(
            "stage:",
            lane.stage.as_str(),
            message,
            "lower `stage`, or raise `ceiling`",
        );
    }
    if lane.promotion.is_some() && lane.stage == Level::AutoApply {
        let message = format!(
            "the lane `{name}` has nothing to be promoted to: it starts at {}",
            lane.stage
        );
        let help =
            "let it start at a lower `stage`, or drop `promotion`: without it a person advances it after a demotion";
        // After a demotion it may earn its stage again.
        if lane.demotion.floor == Some(Level::AutoApply) {
            return file.wrong("promotion", "", message, help);
        }
    } else if lane.promotion.is_some() && ceiling == lane.stage && lane.stage <= floor(lane) {
        let message =
            format!("the lane `{name}` has criteria for a promotion, but its ceiling is the stage it starts at");
        return file.wrong("promotion", "", message, "add `ceiling`, or drop `promotion`");
    }
    matches(file, name, &lane.matches)?;
    if let Some(promotion) = &lane.promotion {
        self::promotion(file, name, promotion)?;
    }
    demotion(file, lane)?;
    if let Some(canary) = &lane.canary {
        self::canary(file, name, canary)?;
    }
    if let Some(budget) = &lane.budget {
        self::budget(file, &format!("the lane `{name}`"), budget)?;
        within(file, name, budget, rollout.budget.as_ref())?;
    }
    if let Some(days) = lane.soak_days {
        if rollout.rings.len() < 2 {
            let message = format!("the lane `{name}` soaks, but there are no rings to soak in");
            let help = "list at least two environments in `rings`, the least protected first";
            return file.wrong("soak_days", "", message, help);
        }
        at_least_one(file, "soak_days", days, "0 days are no soak; drop the field")?;
        at_most(file, "soak_days", days, MAX_DAYS)?;
    }
    for window in &lane.windows {
        minute(file, "from", &window.from)?;
        minute(file, "to", &window.to)?;
        zone(file, &window.zone)?;
        if window.from == window.to {
            let message = format!("the window of the lane `{name}` ends when it begins, at {}", window.to);
            return file.wrong("to:", &window.to, message, "drop the window if it is always open");
        }
    }
    Ok(())
}

fn floor(lane: &Lane) -> Level {
    lane.demotion.floor.unwrap_or_else(|| lane.stage.min(Level::Suggest))
}

fn matches(file: &Part<'_>, name: &str, matches: &LaneMatch) -> SourceResult<()> {
    let lists = [
        ("kinds", matches.kinds.as_ref().map(Vec::len)),
        ("classes", matches.classes.as_ref().map(Vec::len)),
        ("ecosystems", matches.ecosystems.as_ref().map(Vec::len)),
        ("environments", matches.environments.as_ref().map(Vec::len)),
        ("tiers", matches.tiers.as_ref().map(Vec::len)),
        ("systems", matches.systems.as_ref().map(Vec::len)),
        ("teams", matches.teams.as_ref().map(Vec::len)),
        ("remediators", matches.remediators.as_ref().map(Vec::len)),
    ];
    if let Some((key, _)) = lists.iter().find(|(_, length)| *length == Some(0)) {
        let message = format!("the lane `{name}` can never take anything: its list of {key} is empty");
        return file.wrong(
            key,
            "[",
            message,
            "name some, or drop the field: then all of them match",
        );
    }
    let kinds = matches.kinds.iter().flatten();
    for kind in kinds {
        let Some(known) = KINDS.iter().find(|known| known.as_str() == kind) else {
            let known: Vec<&str> = KINDS.iter().map(|kind| kind.as_str()).collect();
            let message = format!("no fix is of kind `{kind}`");
            return file.wrong("kinds", kind, message, &format!("kinds: {}", known.join(", ")));
        };
        if matches
            .classes
            .as_ref()
            .is_some_and(|classes| !classes.contains(&known.class()))
        {
            let message = format!(
                "`{kind}` is of class {}, which the lane `{name}` doesn't take",
                known.class().as_str()
            );
            return file.wrong("kinds", kind, message, "drop it, or add its class to `classes`");
        }
    }
    if let Some(tier) = matches.tiers.iter().flatten().find(|tier| **tier > 3) {
        let message = format!("there is no tier {tier}");
        return file.wrong(
            "tiers",
            &tier.to_string(),
            message,
            "tiers go from 0, the most critical, to 3",
        );
    }
    Ok(())
}

fn promotion(file: &Part<'_>, name: &str, promotion: &Promotion) -> SourceResult<()> {
    let rate = promotion.success_rate;
    if rate < Ratio::percent(50) || rate >= Ratio::ONE {
        let message = format!("the lane `{name}` can't be promoted on a success rate of {rate}");
        let help = "ask for 50% at least, and less than 100%: that no number of outcomes shows";
        return file.wrong("success_rate", &rate.to_string(), message, help);
    }
    let error = promotion.error;
    if error == Ratio::ZERO || error > Ratio::percent(20) {
        let message = format!("an error of {error} was given for the lane `{name}`");
        let help = "an error above 0%, which no number of outcomes reaches, and of 20% at most";
        return file.wrong("error", &error.to_string(), message, help);
    }
    at_least_one(file, "outcomes", promotion.outcomes, "nothing is earned by 0 outcomes")?;
    at_least_one(
        file,
        "survival_days",
        promotion.survival_days,
        "a merge that has just been made has survived nothing",
    )?;
    at_most(file, "survival_days", promotion.survival_days, MAX_DAYS)
}

fn demotion(file: &Part<'_>, lane: &Lane) -> SourceResult<()> {
    let rule = &lane.demotion;
    at_least_one(file, "stages", rule.stages.into(), "a demotion by 0 stages is none")?;
    at_least_one(
        file,
        "window_days",
        rule.window_days,
        "within 0 days nothing can be counted",
    )?;
    at_most(file, "hold_days", rule.hold_days, MAX_DAYS)?;
    at_most(file, "window_days", rule.window_days, MAX_DAYS)?;
    if let Some(count) = rule.held_by_review {
        at_least_one(
            file,
            "held_by_review",
            count,
            "0 fixes that were held would always lower it",
        )?;
    }
    if let Some(rate) = &rule.validation_failures {
        at_least_one(file, "outcomes", rate.outcomes, "0 outcomes have no rate")?;
        if rate.share == Ratio::ZERO {
            let message = format!("a rate of 0% would always lower the lane `{}`", lane.name);
            return file.wrong("share", "0%", message, "name the rate from which on it is too much");
        }
    }
    if lane.ceiling() > Level::Alert && rule.floor >= Some(lane.ceiling()) {
        let message = format!(
            "no revert would ever lower the lane `{}`: its floor is its ceiling",
            lane.name
        );
        return file.wrong("floor", "", message, "lower `floor`, or drop it");
    }
    Ok(())
}

fn canary(file: &Part<'_>, name: &str, canary: &Canary) -> SourceResult<()> {
    let wrong = |share: Option<&Ratio>, message: String, help: &str| -> SourceResult<()> {
        file.wrong(
            "shares",
            &share.map_or_else(String::new, Ratio::to_string),
            message,
            help,
        )
    };
    if canary.shares.is_empty() {
        let message = format!("the canary of the lane `{name}` has no share");
        return wrong(None, message, "list the shares, smallest first: `[10%, 50%, 100%]`");
    }
    if let Some(zero) = canary.shares.iter().find(|share| **share == Ratio::ZERO) {
        let message = format!("a canary of 0% lets nothing of the lane `{name}` through, so nothing is learnt from it");
        return wrong(Some(zero), message, "start with a small share, or use `shadow: true`");
    }
    for pair in canary.shares.windows(2) {
        if let [one, next] = pair
            && one >= next
        {
            let message = format!("the canary of the lane `{name}` goes from {one} to {next}");
            return wrong(Some(next), message, "list the shares from the smallest to the largest");
        }
    }
    at_least_one(
        file,
        "outcomes",
        canary.outcomes,
        "a step after 0 outcomes is taken at once",
    )
}

fn budget(file: &Part<'_>, whose: &str, budget: &Budget) -> SourceResult<()> {
    at_least_one(
        file,
        "per_tier_zero",
        budget.per_tier_zero,
        "then nothing near a tier-0 service is ever merged",
    )?;
    let per_night = budget.per_night;
    for (key, limit) in [("per_service", budget.per_service), ("per_team", budget.per_team)] {
        if let (Some(limit), Some(per_night)) = (limit, per_night)
            && limit > per_night
        {
            let message = format!("{whose} allows {limit} merges `{key}`, but only {per_night} in a night");
            return file.wrong(key, &limit.to_string(), message, "lower it, or raise `per_night`");
        }
    }
    Ok(())
}

/// A lane's budget lies within the estate's: a larger one says something that never holds.
fn within(file: &Part<'_>, name: &str, lane: &Budget, estate: Option<&Budget>) -> SourceResult<()> {
    let Some(estate) = estate else { return Ok(()) };
    for (key, of_lane, of_estate) in [
        ("per_night", lane.per_night, estate.per_night),
        ("per_service", lane.per_service, estate.per_service),
        ("per_team", lane.per_team, estate.per_team),
        ("suggestions", lane.suggestions, estate.suggestions),
        ("minutes", lane.minutes, estate.minutes),
    ] {
        if let (Some(of_lane), Some(of_estate)) = (of_lane, of_estate)
            && of_lane > of_estate
        {
            let message = format!("the lane `{name}` has {of_lane} for `{key}`, but the whole estate only {of_estate}");
            return file.wrong(key, &of_lane.to_string(), message, "lower it, or raise the estate's");
        }
    }
    Ok(())
}

/// Whether one match takes all that the other does: each of its lists is absent, or holds all of the other's.
fn takes_all_of(one: &LaneMatch, other: &LaneMatch) -> bool {
    fn list<T: PartialEq>(one: Option<&Vec<T>>, other: Option<&Vec<T>>) -> bool {
        match (one, other) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(one), Some(other)) => other.iter().all(|word| one.contains(word)),
        }
    }
    list(one.classes.as_ref(), other.classes.as_ref())
        && list(one.kinds.as_ref(), other.kinds.as_ref())
        && list(one.ecosystems.as_ref(), other.ecosystems.as_ref())
        && list(one.environments.as_ref(), other.environments.as_ref())
        && list(one.tiers.as_ref(), other.tiers.as_ref())
        && list(one.systems.as_ref(), other.systems.as_ref())
        && list(one.teams.as_ref(), other.teams.as_ref())
        && list(one.remediators.as_ref(), other.remediators.as_ref())
}

/// Two names that people read as one would be two lanes to the track record.
fn lane_names(file: &File<'_>, rollout: &Rollout) -> SourceResult<()> {
    let mut seen = BTreeSet::new();
    for lane in &rollout.lanes {
        let name = lane.name.as_str();
        let is_shown = |letter: char| {
            !letter.is_control()
                && !matches!(letter, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{ad}')
        };
        if name.chars().count() > MAX_LANE_NAME || !name.chars().all(is_shown) {
            let message =
                format!("a lane's name is longer than {MAX_LANE_NAME} letters, or holds some that aren't seen");
            return file.wrong("name:", "", message, "give it a short name of plain letters");
        }
        if !seen.insert(name.trim().to_lowercase()) {
            let message = format!("the lane `{name}` differs from another one only in capitals or spaces");
            return file.wrong("name:", name, message, "give each its own name");
        }
    }
    Ok(())
}

fn at_least_one(file: &Part<'_>, key: &str, value: u32, help: &str) -> SourceResult<()> {
    if value > 0 {
        return Ok(());
    }
    file.wrong(key, "0", format!("`{key}` is 0; 1 at least was expected"), help)
}

fn at_most(file: &Part<'_>, key: &str, value: u32, limit: u32) -> SourceResult<()> {
    if value <= limit {
        return Ok(());
    }
    let message = format!("`{key}` is {value}; {limit} at most was expected");
    file.wrong(key, &value.to_string(), message, "write a smaller number")
}

fn minute(file: &Part<'_>, key: &str, text: &str) -> SourceResult<()> {
    let two = |text: &str| text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
    let time = text.split_once(':').filter(|(hour, minute)| two(hour) && two(minute));
    let valid = time.is_some_and(|(hour, minute)| match (hour.parse(), minute.parse()) {
        (Ok(hour), Ok(minute)) => Time::new(hour, minute, 0, 0).is_ok(),
        _ => false,
    });
    if valid {
        return Ok(());
    }
    let message = format!("`{text}` is no time of day; `HH:MM` was expected");
    file.wrong(key, text, message, "write it from 00:00 to 23:59, in quotes: `'22:00'`")
}

fn zone(file: &Part<'_>, name: &str) -> SourceResult<()> {
    if TimeZoneDatabase::bundled().get(name).is_ok() {
        return Ok(());
    }
    let message = format!("no time zone is called `{name}`");
    file.wrong(
        "zone",
        name,
        message,
        "write an IANA name, for example `Europe/Berlin` or `UTC`",
    )
}

#[cfg(test)]
mod tests;
