//! The story of the demo: who is ill how, who is offline when, what goes wrong. All of it follows
//! from one seed; keys do not.

/// A small deterministic generator (SplitMix64) for the story only, never for keys.
pub struct Dice(u64);

impl Dice {
    /// Dice with a seed.
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `bound`; 0 when `bound` is 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        if bound == 0 { 0 } else { self.next() % bound }
    }

    /// True in `percent` of a hundred throws.
    pub fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }
}

/// One day of one participant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DayPlan {
    /// Whether the diary is answered that day.
    pub answers: bool,
    /// Minutes after midnight at which it is answered.
    pub at_minute: u64,
    /// Whether the diary is answered the next morning instead.
    pub answers_late: bool,
    /// Whether the phone meets a network that day.
    pub online: bool,
    /// Whether the answers are corrected in the evening.
    pub amends: bool,
    /// How bad the day is, 0 to 4.
    pub burden: u8,
    /// Whether the patient asks to be called.
    pub urgent: bool,
    /// Whether the day's medicine is taken.
    pub takes_dose: bool,
}

/// One participant's weeks.
#[derive(Debug, Clone)]
pub struct PatientPlan {
    /// Which of the two sites looks after them.
    pub site: usize,
    /// Day by day.
    pub days: Vec<DayPlan>,
    /// The day on which the phone is lost, if it is this participant's fate.
    pub loses_phone_on: Option<usize>,
    /// The day on which two clinicians change the same dose, each offline. One of them decides the
    /// day after; on the last day it happens again.
    pub dose_conflict_on: Option<usize>,
}

/// Everybody's weeks. The second participant loses a phone in the middle; the first has the
/// conflict, a third of the way in.
pub fn tell(seed: u64, patients: u32, days: u32) -> Vec<PatientPlan> {
    (0..patients as usize).map(|index| tell_one(seed, index, days as usize)).collect()
}

fn tell_one(seed: u64, index: usize, days: usize) -> PatientPlan {
    let mut dice = Dice::new(seed.wrapping_mul(1_000_003).wrapping_add(index as u64));
    let mut burden = dice.below(2) as u8;
    let worsens = dice.chance(25);
    let diligent = !dice.chance(15);
    let mut offline_for = 0;
    let mut plan = Vec::with_capacity(days);
    for day in 0..days {
        if offline_for == 0 && dice.chance(12) {
            offline_for = 1 + dice.below(4);
        }
        let drift = dice.below(100);
        let up = if worsens { 35 } else { 15 };
        if drift < up {
            burden = (burden + 1).min(4);
        } else if drift > 80 {
            burden = burden.saturating_sub(1);
        }
        let evening = dice.chance(15);
        let answers = dice.chance(if diligent { 97 } else { 75 });
        plan.push(DayPlan {
            answers,
            answers_late: !answers && day + 1 < days && dice.chance(40),
            at_minute: if evening { 20 * 60 } else { 7 * 60 } + dice.below(100),
            // Everybody is online on the last day, so that the demo can show that all arrived.
            online: offline_for == 0 || day + 1 == days,
            amends: dice.chance(4),
            burden,
            urgent: burden >= 3 && dice.chance(20),
            takes_dose: dice.chance(93),
        });
        offline_for = offline_for.saturating_sub(1);
    }
    PatientPlan {
        site: index % 2,
        days: plan,
        loses_phone_on: (index == 1).then_some(days / 2),
        dose_conflict_on: (index == 0).then_some(days / 3),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_story_follows_from_the_seed() {
        let days = |seed| tell(seed, 20, 14).into_iter().map(|plan| plan.days).collect::<Vec<_>>();
        assert_eq!(days(1), days(1));
        assert_ne!(days(1), days(2));
    }

    #[test]
    fn the_promised_events_happen() {
        for seed in 1..20 {
            let story = tell(seed, 20, 14);
            assert!(story.iter().any(|plan| plan.loses_phone_on.is_some()));
            assert!(story.iter().any(|plan| plan.dose_conflict_on.is_some()));
            assert!(story.iter().flat_map(|plan| &plan.days).any(|day| !day.online));
            assert!(story.iter().flat_map(|plan| &plan.days).any(|day| day.amends && day.answers));
            assert!(story.iter().all(|plan| plan.days.last().is_some_and(|day| day.online)));
        }
    }
}
