//! Units of measure: enough of UCUM to compare, add, multiply and divide what clinics record.
//!
//! A unit is read into a factor and exponents of base units. What is not known here is not guessed:
//! such a unit equals only the same text. Temperatures in degrees are among these for conversions,
//! because their zero differs.
//!
//! Source: The Unified Code for Units of Measure, version 2.1, tables 1 to 18.

use super::temporal_arithmetic::TimeUnit;
use crate::limits::{MAX_UNIT_BYTES, MAX_UNIT_DEPTH, MAX_UNIT_EXPONENT, MAX_UNIT_POWER_OF_TEN};
use rust_decimal::Decimal;

/// Base units, each its own dimension. Counts that UCUM calls arbitrary are dimensions of their own,
/// because nothing converts them.
const DIMENSIONS: usize = 15;

type Exponents = [i8; DIMENSIONS];

const NONE: Exponents = [0; DIMENSIONS];
const METRE: usize = 0;
const SECOND: usize = 1;
const GRAM: usize = 2;
const KELVIN: usize = 3;
const AMPERE: usize = 4;
const CANDELA: usize = 5;
const MOLE: usize = 6;
const RADIAN: usize = 7;
const INTERNATIONAL_UNIT: usize = 8;
const ARBITRARY_UNIT: usize = 9;
const OSMOLE: usize = 10;
const EQUIVALENT: usize = 11;
const CELSIUS: usize = 12;
const FAHRENHEIT: usize = 13;
const CALENDAR_MONTH: usize = 14;

/// A unit that is understood: `numerator / denominator` base units. Kept as a fraction so that
/// converting per minute into per second loses nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Unit {
    numerator: Decimal,
    denominator: Decimal,
    exponents: Exponents,
}

/// A number in one unit, in another of the same dimension, both by their UCUM codes. Temperatures in
/// degrees are not converted: their zero differs.
pub(crate) fn convert_ucum(value: f64, from: &str, to: &str) -> Option<f64> {
    let (from, to) = (Unit::ucum(from)?, Unit::ucum(to)?);
    if !from.is_same_dimension(&to) {
        return None;
    }
    f64::try_from(from.convert(Decimal::try_from(value).ok()?, &to)?).ok()
}

impl Unit {
    const ONE: Self = Self { numerator: Decimal::ONE, denominator: Decimal::ONE, exponents: NONE };

    /// Reads a UCUM code.
    pub(super) fn ucum(code: &str) -> Option<Self> {
        if code.is_empty() || code.len() > MAX_UNIT_BYTES || !code.is_ascii() {
            return None;
        }
        let mut reader = Reader { rest: code };
        let unit = reader.term(0)?;
        reader.rest.is_empty().then_some(unit)
    }

    /// A duration of the calendar. A year has twelve months, but neither has a number of days.
    pub(super) fn calendar(unit: TimeUnit) -> Option<Self> {
        let months = |count| Self {
            numerator: Decimal::from(count),
            exponents: exponents(&[(CALENDAR_MONTH, 1)]),
            ..Self::ONE
        };
        match unit {
            TimeUnit::Year => Some(months(12)),
            TimeUnit::Month => Some(months(1)),
            TimeUnit::Week => Self::ucum("wk"),
            TimeUnit::Day => Self::ucum("d"),
            TimeUnit::Hour => Self::ucum("h"),
            TimeUnit::Minute => Self::ucum("min"),
            TimeUnit::Second => Self::ucum("s"),
            TimeUnit::Millisecond => Self::ucum("ms"),
        }
    }

    /// Whether values in the two units can be compared.
    pub(super) fn is_same_dimension(&self, other: &Self) -> bool {
        self.exponents == other.exponents
    }

    /// A value in this unit, converted to another of the same dimension. Nothing on overflow.
    pub(super) fn convert(&self, value: Decimal, to: &Self) -> Option<Decimal> {
        if self.numerator == to.numerator && self.denominator == to.denominator {
            return Some(value);
        }
        let up = self.numerator.checked_mul(to.denominator)?;
        let down = self.denominator.checked_mul(to.numerator)?;
        // Whole factors first: 1000 / 1 stays exact where 1 / 1000 would be rounded.
        if let Some(factor) = up.checked_div(down)
            && factor.checked_mul(down) == Some(up)
        {
            return value.checked_mul(factor);
        }
        value.checked_mul(up)?.checked_div(down)
    }

    fn times(&self, other: &Self) -> Option<Self> {
        let mut exponents = self.exponents;
        for (mine, theirs) in exponents.iter_mut().zip(other.exponents) {
            *mine = mine.checked_add(theirs)?;
        }
        Some(Self {
            numerator: self.numerator.checked_mul(other.numerator)?,
            denominator: self.denominator.checked_mul(other.denominator)?,
            exponents,
        })
    }

    fn inverse(&self) -> Option<Self> {
        let mut exponents = self.exponents;
        for mine in &mut exponents {
            *mine = mine.checked_neg()?;
        }
        Some(Self { numerator: self.denominator, denominator: self.numerator, exponents })
    }

    /// A power of ten, written as its digits rather than multiplied.
    fn power_of_ten(exponent: i8) -> Option<Self> {
        let digits = exponent.unsigned_abs();
        if digits > MAX_UNIT_POWER_OF_TEN {
            return None;
        }
        let power = Decimal::try_from_i128_with_scale(10_i128.checked_pow(u32::from(digits))?, 0).ok()?;
        let unit = Self { numerator: power, ..Self::ONE };
        if exponent < 0 { unit.inverse() } else { Some(unit) }
    }

    fn power(&self, exponent: i8) -> Option<Self> {
        if exponent.unsigned_abs() > MAX_UNIT_EXPONENT {
            return None;
        }
        let base = if exponent < 0 { self.inverse()? } else { *self };
        let mut result = Self::ONE;
        for _ in 0..exponent.unsigned_abs() {
            result = result.times(&base)?;
        }
        Some(result)
    }
}

const fn exponents(of: &[(usize, i8)]) -> Exponents {
    let mut all = NONE;
    let mut at = 0;
    while at < of.len() {
        let (dimension, exponent) = of_at(of, at);
        set(&mut all, dimension, exponent);
        at += 1;
    }
    all
}

#[expect(clippy::indexing_slicing, reason = "evaluated for the table below, within its length")]
const fn of_at(of: &[(usize, i8)], at: usize) -> (usize, i8) {
    of[at]
}

#[expect(clippy::indexing_slicing, reason = "the dimensions are the constants above")]
const fn set(all: &mut Exponents, dimension: usize, exponent: i8) {
    all[dimension] = exponent;
}

struct Reader<'u> {
    rest: &'u str,
}

impl Reader<'_> {
    fn eat(&mut self, mark: char) -> bool {
        let after = self.rest.strip_prefix(mark);
        self.rest = after.unwrap_or(self.rest);
        after.is_some()
    }

    /// Factors joined by `.` and `/`, from left to right.
    fn term(&mut self, depth: usize) -> Option<Unit> {
        if depth > MAX_UNIT_DEPTH {
            return None;
        }
        let mut unit = if self.eat('/') { self.factor(depth)?.inverse()? } else { self.factor(depth)? };
        loop {
            if self.eat('.') {
                unit = unit.times(&self.factor(depth)?)?;
            } else if self.eat('/') {
                unit = unit.times(&self.factor(depth)?.inverse()?)?;
            } else {
                return Some(unit);
            }
        }
    }

    fn factor(&mut self, depth: usize) -> Option<Unit> {
        if self.eat('(') {
            let unit = self.term(depth + 1)?;
            return self.eat(')').then_some(unit);
        }
        if self.rest.starts_with('{') {
            self.annotation()?;
            return Some(Unit::ONE);
        }
        let unit = match self.powers_of_ten() {
            Some(unit) => unit,
            None => self.number_or_atom()?,
        };
        if self.rest.starts_with('{') {
            self.annotation()?;
        }
        Some(unit)
    }

    /// What stands in braces says what is counted, and doesn't change the unit.
    fn annotation(&mut self) -> Option<()> {
        let (_, rest) = self.rest.split_once('}')?;
        self.rest = rest;
        Some(())
    }

    /// `10*3` and `10^-3`, as cell counts are written.
    fn powers_of_ten(&mut self) -> Option<Unit> {
        let rest = self.rest.strip_prefix("10*").or_else(|| self.rest.strip_prefix("10^"))?;
        self.rest = rest;
        let exponent = self.exponent()?;
        Unit::power_of_ten(exponent)
    }

    fn number_or_atom(&mut self) -> Option<Unit> {
        let digits = self.rest.bytes().take_while(u8::is_ascii_digit).count();
        if digits > 0 {
            let number: Decimal = self.rest.get(..digits)?.parse().ok().filter(|n: &Decimal| !n.is_zero())?;
            self.rest = self.rest.get(digits..)?;
            return Some(Unit { numerator: number, ..Unit::ONE });
        }
        let end = self.atom_end();
        let unit = atom_with_prefix(self.rest.get(..end)?)?;
        self.rest = self.rest.get(end..)?;
        let exponent = self.exponent()?;
        unit.power(exponent)
    }

    /// An atom ends at an operator, a digit or a brace, but what stands in square brackets is part of it.
    fn atom_end(&self) -> usize {
        let mut is_inside = false;
        for (at, c) in self.rest.char_indices() {
            match c {
                '[' => is_inside = true,
                ']' => is_inside = false,
                '.' | '/' | '(' | ')' | '{' | '}' | '+' | '-' | '0'..='9' if !is_inside => return at,
                _ => {}
            }
        }
        self.rest.len()
    }

    fn exponent(&mut self) -> Option<i8> {
        let signs = usize::from(self.rest.starts_with(['+', '-']));
        let digits = self.rest.bytes().skip(signs).take_while(u8::is_ascii_digit).count();
        if digits == 0 {
            return (signs == 0).then_some(1);
        }
        let exponent = self.rest.get(..signs + digits)?.parse().ok()?;
        self.rest = self.rest.get(signs + digits..)?;
        Some(exponent)
    }
}

fn atom_with_prefix(text: &str) -> Option<Unit> {
    if let Some(atom) = ATOMS.iter().find(|atom| atom.code == text) {
        return Some(atom.unit());
    }
    PREFIXES.iter().find_map(|(prefix, exponent)| {
        let code = text.strip_prefix(prefix)?;
        let atom = ATOMS.iter().find(|atom| atom.is_metric && atom.code == code)?;
        Unit::power_of_ten(*exponent)?.times(&atom.unit())
    })
}

const PREFIXES: [(&str, i8); 16] = [
    ("da", 1),
    ("P", 15),
    ("T", 12),
    ("G", 9),
    ("M", 6),
    ("k", 3),
    ("h", 2),
    ("d", -1),
    ("c", -2),
    ("m", -3),
    ("u", -6),
    ("n", -9),
    ("p", -12),
    ("f", -15),
    ("a", -18),
    ("z", -21),
];

struct Atom {
    code: &'static str,
    /// Whether prefixes such as `m` may stand before it.
    is_metric: bool,
    /// The factor is `numerator / denominator` base units.
    numerator: i64,
    denominator: i64,
    exponents: Exponents,
}

impl Atom {
    fn unit(&self) -> Unit {
        Unit {
            numerator: Decimal::from(self.numerator),
            denominator: Decimal::from(self.denominator),
            exponents: self.exponents,
        }
    }
}

/// A unit of `numerator / 10^scale` base units that takes prefixes.
const fn metric(code: &'static str, numerator: i64, scale: u32, of: &[(usize, i8)]) -> Atom {
    Atom { code, is_metric: true, numerator, denominator: 10_i64.pow(scale), exponents: exponents(of) }
}

/// A unit of `numerator / 10^scale` base units that takes none.
const fn plain(code: &'static str, numerator: i64, scale: u32, of: &[(usize, i8)]) -> Atom {
    Atom { code, is_metric: false, numerator, denominator: 10_i64.pow(scale), exponents: exponents(of) }
}

const ENERGY: &[(usize, i8)] = &[(GRAM, 1), (METRE, 2), (SECOND, -2)];
const PRESSURE: &[(usize, i8)] = &[(GRAM, 1), (METRE, -1), (SECOND, -2)];

static ATOMS: &[Atom] = &[
    plain("%", 1, 2, &[]),
    plain("[ppth]", 1, 3, &[]),
    plain("[ppm]", 1, 6, &[]),
    plain("[ppb]", 1, 9, &[]),
    metric("m", 1, 0, &[(METRE, 1)]),
    metric("s", 1, 0, &[(SECOND, 1)]),
    metric("g", 1, 0, &[(GRAM, 1)]),
    metric("K", 1, 0, &[(KELVIN, 1)]),
    metric("A", 1, 0, &[(AMPERE, 1)]),
    metric("cd", 1, 0, &[(CANDELA, 1)]),
    metric("mol", 1, 0, &[(MOLE, 1)]),
    metric("rad", 1, 0, &[(RADIAN, 1)]),
    // Length, area, volume.
    plain("[in_i]", 254, 4, &[(METRE, 1)]),
    plain("[ft_i]", 3048, 4, &[(METRE, 1)]),
    plain("[yd_i]", 9144, 4, &[(METRE, 1)]),
    plain("[mi_i]", 1_609_344, 3, &[(METRE, 1)]),
    plain("[nmi_i]", 1852, 0, &[(METRE, 1)]),
    plain("[sin_i]", 64_516, 8, &[(METRE, 2)]),
    plain("[sft_i]", 9_290_304, 8, &[(METRE, 2)]),
    plain("[cin_i]", 16_387_064, 12, &[(METRE, 3)]),
    plain("[cft_i]", 28_316_846_592, 12, &[(METRE, 3)]),
    metric("ar", 100, 0, &[(METRE, 2)]),
    plain("har", 10_000, 0, &[(METRE, 2)]),
    metric("L", 1, 3, &[(METRE, 3)]),
    metric("l", 1, 3, &[(METRE, 3)]),
    metric("st", 1, 0, &[(METRE, 3)]),
    plain("[foz_us]", 295_735_295_625, 16, &[(METRE, 3)]),
    plain("[gal_us]", 3_785_411_784, 12, &[(METRE, 3)]),
    plain("[pt_us]", 473_176_473, 12, &[(METRE, 3)]),
    plain("[qt_us]", 946_352_946, 12, &[(METRE, 3)]),
    plain("[cup_us]", 2_365_882_365, 13, &[(METRE, 3)]),
    plain("[tbs_us]", 1_478_676_478_125, 17, &[(METRE, 3)]),
    plain("[tsp_us]", 492_892_159_375, 17, &[(METRE, 3)]),
    // Mass.
    metric("t", 1_000_000, 0, &[(GRAM, 1)]),
    plain("[lb_av]", 45_359_237, 5, &[(GRAM, 1)]),
    plain("[oz_av]", 28_349_523_125, 9, &[(GRAM, 1)]),
    plain("[gr]", 6_479_891, 8, &[(GRAM, 1)]),
    plain("[stone_av]", 635_029_318, 5, &[(GRAM, 1)]),
    plain("[dr_av]", 17_718_451_953_125, 13, &[(GRAM, 1)]),
    // Time. `mo` and `a` are means.
    plain("min", 60, 0, &[(SECOND, 1)]),
    plain("h", 3_600, 0, &[(SECOND, 1)]),
    plain("d", 86_400, 0, &[(SECOND, 1)]),
    plain("wk", 604_800, 0, &[(SECOND, 1)]),
    plain("mo", 2_629_800, 0, &[(SECOND, 1)]),
    plain("mo_j", 2_629_800, 0, &[(SECOND, 1)]),
    plain("mo_g", 2_629_746, 0, &[(SECOND, 1)]),
    plain("a", 31_557_600, 0, &[(SECOND, 1)]),
    plain("a_j", 31_557_600, 0, &[(SECOND, 1)]),
    plain("a_g", 31_556_952, 0, &[(SECOND, 1)]),
    plain("a_t", 31_556_925_216, 3, &[(SECOND, 1)]),
    metric("Hz", 1, 0, &[(SECOND, -1)]),
    metric("Bq", 1, 0, &[(SECOND, -1)]),
    metric("Ci", 37_000_000_000, 0, &[(SECOND, -1)]),
    // Force, pressure, energy, power, dose. A newton is 1000 gram metres.
    metric("N", 1_000, 0, &[(GRAM, 1), (METRE, 1), (SECOND, -2)]),
    metric("Pa", 1_000, 0, PRESSURE),
    metric("bar", 100_000_000, 0, PRESSURE),
    plain("atm", 101_325_000, 0, PRESSURE),
    metric("m[Hg]", 133_322_000, 0, PRESSURE),
    metric("m[H2O]", 9_806_650, 0, PRESSURE),
    plain("[psi]", 6_894_757_293_168, 6, PRESSURE),
    metric("J", 1_000, 0, ENERGY),
    metric("cal", 4_184, 0, ENERGY),
    plain("[Cal]", 4_184_000, 0, ENERGY),
    metric("W", 1_000, 0, &[(GRAM, 1), (METRE, 2), (SECOND, -3)]),
    metric("Gy", 1, 0, &[(METRE, 2), (SECOND, -2)]),
    metric("Sv", 1, 0, &[(METRE, 2), (SECOND, -2)]),
    // Amounts of substance and activity.
    metric("kat", 1, 0, &[(MOLE, 1), (SECOND, -1)]),
    // An enzyme unit is a micromole in a minute.
    Atom {
        code: "U",
        is_metric: true,
        numerator: 1,
        denominator: 60_000_000,
        exponents: exponents(&[(MOLE, 1), (SECOND, -1)]),
    },
    // UCUM counts these as moles. They stay apart here: a comparison of moles with osmoles is a mistake.
    metric("eq", 1, 0, &[(EQUIVALENT, 1)]),
    metric("osm", 1, 0, &[(OSMOLE, 1)]),
    metric("[iU]", 1, 0, &[(INTERNATIONAL_UNIT, 1)]),
    metric("[IU]", 1, 0, &[(INTERNATIONAL_UNIT, 1)]),
    plain("[arb'U]", 1, 0, &[(ARBITRARY_UNIT, 1)]),
    // Degrees equal degrees of the same scale only.
    metric("Cel", 1, 0, &[(CELSIUS, 1)]),
    plain("[degF]", 1, 0, &[(FAHRENHEIT, 1)]),
];
