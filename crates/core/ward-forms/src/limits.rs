//! Every size and count this crate accepts, in one place.
//!
//! A form comes from a study's author and a response from a person's device, so
//! both are foreign input. The numbers leave room above the largest real forms
//! seen (695 items, 700 kB) and keep the memory of one form bounded.

/// Largest `Questionnaire` accepted, in bytes of JSON.
pub const MAX_QUESTIONNAIRE_BYTES: usize = 4 * 1024 * 1024;

/// Largest `QuestionnaireResponse` accepted, in bytes of JSON.
pub const MAX_RESPONSE_BYTES: usize = 2 * 1024 * 1024;

/// Deepest nesting of JSON objects and arrays accepted.
///
/// It stays below the recursion limit of the JSON parser (128), so that a depth
/// bomb is answered by a typed error of this crate.
pub const MAX_JSON_DEPTH: usize = 112;

/// Longest JSON string accepted (keys too), in bytes as written.
pub const MAX_STRING_BYTES: usize = 1024 * 1024;

/// Deepest nesting of items accepted, in a form and in a response.
pub const MAX_ITEM_DEPTH: usize = 24;

/// Most items accepted in one form, all levels together.
pub const MAX_ITEMS: usize = 10_000;

/// Most items accepted in one response, all levels together.
pub const MAX_RESPONSE_ITEMS: usize = 20_000;

/// Most answers accepted in one response, all levels together.
pub const MAX_RESPONSE_ANSWERS: usize = 40_000;

/// Most bytes accepted of one response in dense form: as many as an entry's payload has.
pub const MAX_DENSE_BYTES: usize = 196_608;

/// Most answers accepted in one dense response. A response with more stays as JSON. It bounds the
/// search for the first of several equal offered answers.
pub const MAX_DENSE_ANSWERS: usize = 4_096;

/// Longest `linkId` accepted, in bytes.
pub const MAX_LINK_ID_BYTES: usize = 255;

/// Longest item text, prefix, title or option display accepted, in bytes.
pub const MAX_TEXT_BYTES: usize = 64 * 1024;

/// Most answer options accepted for one item, value set expansion included.
pub const MAX_OPTIONS_PER_ITEM: usize = 5_000;

/// Most answer options accepted in one form, each item's expansion counted.
pub const MAX_OPTIONS: usize = 100_000;

/// Most `enableWhen` conditions accepted on one item.
pub const MAX_CONDITIONS_PER_ITEM: usize = 200;

/// Most instances of one repeating group that an answering session adds.
pub const MAX_GROUP_INSTANCES: usize = 200;

/// Longest answer pattern (`regex` extension) that is compiled, in bytes.
pub const MAX_PATTERN_BYTES: usize = 1_000;

/// Most steps a compiled answer pattern may have.
pub const MAX_PATTERN_STEPS: usize = 2_000;

/// Deepest nesting of groups in an answer pattern.
pub const MAX_PATTERN_DEPTH: usize = 32;

/// Longest answer that is matched against a pattern, in characters.
pub const MAX_PATTERN_TEXT_CHARS: usize = 10_000;

/// Longest FHIRPath expression accepted, in bytes.
pub const MAX_EXPRESSION_BYTES: usize = 64 * 1024;

/// Most literals, steps, calls and operators in one FHIRPath expression.
pub const MAX_EXPRESSION_NODES: usize = 8_192;

/// Deepest nesting of a FHIRPath expression: brackets, arguments, signs and levels of operators.
/// It bounds the call stack of reading and of evaluating.
pub const MAX_EXPRESSION_DEPTH: usize = 64;

/// Most steps one evaluation of a FHIRPath expression may take: values visited, made or compared.
pub const MAX_EVALUATION_STEPS: usize = 4_000_000;

/// Most values in one collection of a FHIRPath evaluation.
pub const MAX_COLLECTION_VALUES: usize = 200_000;

/// Most values in all collections that a FHIRPath evaluation holds at once.
pub const MAX_HELD_VALUES: usize = 1_000_000;

/// Longest string that a FHIRPath evaluation builds, in bytes.
pub const MAX_BUILT_STRING_BYTES: usize = 1024 * 1024;

/// Most bytes a compiled FHIRPath pattern (`matches`, `replaceMatches`) may take.
pub const MAX_COMPILED_PATTERN_BYTES: usize = 64 * 1024;

/// Longest text of a number of the data that is read digit by digit, in bytes. It leaves room for a sign,
/// an exponent and leading zeros beside the 28 digits of a decimal.
pub const MAX_NUMBER_TEXT_BYTES: usize = 100;

/// Longest unit of a quantity that is read as UCUM, in bytes.
pub const MAX_UNIT_BYTES: usize = 64;

/// Deepest nesting of brackets in a unit of a quantity.
pub const MAX_UNIT_DEPTH: usize = 8;

/// Largest map from a form's questions to the numbers of a scored questionnaire, in bytes of JSON.
pub const MAX_SCORE_MAP_BYTES: usize = 64 * 1024;

/// Largest set of alert rules, in bytes of JSON: as large as one that the membership log takes.
pub const MAX_ALERT_RULES_BYTES: usize = 61_440;

/// Most rules of one set.
pub const MAX_ALERT_RULES: usize = 500;

/// Longest name in a rule, of who acknowledges, and of a unit or code, in bytes.
pub const MAX_RULE_NAME_BYTES: usize = 200;

/// Longest address of a questionnaire in a rule, in bytes.
pub const MAX_URL_BYTES: usize = 2_048;

/// Most planned times in a row that a rule may wait for.
pub const MAX_MISSED_IN_A_ROW: u32 = 366;

/// Most codes that mean an urgent wish.
pub const MAX_URGENT_ANSWERS: usize = 50;

/// Longest text about what was done, in bytes.
pub const MAX_ACTION_BYTES: usize = 4_096;

/// Longest text of a question that stands for it in a sentence, in characters.
pub const MAX_QUESTION_IN_SENTENCE_CHARS: usize = 80;

/// Largest weight of an option that counts as a score; a larger one is none.
pub const MAX_WEIGHT: i32 = 1_000;

/// Most expressions accepted on one item, and on the form itself.
pub const MAX_EXPRESSIONS_PER_ITEM: usize = 500;

/// Most items with a linkId that another item has that one check names.
pub const MAX_NAMED_DUPLICATES: usize = 100;

/// Most items of one loop that a message names.
pub const MAX_NAMED_IN_LOOP: usize = 20;

/// Most translations of one text that are read; those after them stay in the JSON.
pub const MAX_TRANSLATIONS_PER_TEXT: usize = 200;

/// Longest language tag of a person that is read, in bytes.
pub const MAX_LANGUAGE_TAG_BYTES: usize = 100;

/// Most reports that one evaluation of alert rules names as not judged; the others are counted.
pub const MAX_NOT_JUDGED: usize = 10_000;

/// Most alerts that one evaluation names, the most pressing and newest ones; the others are counted.
pub const MAX_ALERTS: usize = 10_000;

/// Most languages of one form in which missing translations are looked for.
pub const MAX_LANGUAGES: usize = 100;

/// Most variables that one expression needs, those of its variables included.
pub const MAX_VARIABLES_OF_AN_EXPRESSION: usize = 200;

/// Most reads of items that the expressions of a form take over from variables. Expressions beyond it
/// count as reading everything.
pub const MAX_READS: usize = 500_000;

/// Most steps that all expressions of a form take together after one change of its answers, as many as
/// 25 expressions that take the most. What they leave undone fails with that reason.
pub const MAX_STEPS_OF_A_CHANGE: usize = 100_000_000;

/// Most bytes of text in the answers that one formula gives.
pub const MAX_CALCULATED_BYTES: usize = 32 * 1024;

/// Most answers that one formula gives.
pub const MAX_CALCULATED_ANSWERS: usize = 200;

/// Most bytes of text that one FHIRPath evaluation builds, all its strings together.
pub const MAX_EVALUATION_TEXT_BYTES: usize = 16 * 1024 * 1024;

/// Most values that the variables defined in one FHIRPath expression hold at one time.
pub const MAX_DEFINED_VALUES: usize = 200_000;

/// Bytes of text that are read in one step of a FHIRPath evaluation.
pub const BYTES_PER_STEP: usize = 16;

/// Bytes that each part of a cut text counts besides its own.
pub const CUT_TEXT_BYTES: usize = 32;

/// Most states of a compiled FHIRPath pattern: its bytes allow no more.
pub const MAX_COMPILED_PATTERN_STATES: usize = MAX_COMPILED_PATTERN_BYTES / 32;

/// Steps that compiling a FHIRPath pattern costs for each of its states.
pub const STEPS_PER_PATTERN_STATE: usize = 16;

/// Groups of a FHIRPath pattern that cost as much to remember as a state to try.
pub const GROUPS_PER_STATE: usize = 4;

/// Longest unit of a quantity that an evaluation builds, in bytes; a longer one is none.
pub const MAX_BUILT_UNIT_BYTES: usize = 256;

/// Largest exponent of a unit that is read as UCUM.
pub const MAX_UNIT_EXPONENT: u8 = 9;

/// Largest exponent of ten in a unit: a decimal has no more digits.
pub const MAX_UNIT_POWER_OF_TEN: u8 = 28;

/// Steps that reading a unit costs for each of its bytes.
pub const STEPS_PER_UNIT_BYTE: usize = 8;

/// Longest date or time that an expression reads, in bytes; a longer text is none.
pub const MAX_TEMPORAL_BYTES: usize = 64;

/// Most keys that values are sorted by.
pub const MAX_SORT_KEYS: usize = 8;

/// Rounds of Newton's method for a square root: from a double, which knows half of the digits, few are
/// needed.
pub const SQUARE_ROOT_ROUNDS: u32 = 8;

/// Bytes at the beginning of a text that mark it in a set of values.
pub const MAX_MARKED_BYTES: usize = 256;

/// Steps that a logarithm, a power or a root costs.
pub const STEPS_PER_SERIES: usize = 128;

/// Most days between 1970 and a date that is calculated.
pub const MAX_DAYS_FROM_EPOCH: i64 = 4_000_000;

/// Most characters of a name that a message about an expression shows.
pub const MAX_NAMED_CHARS: usize = 80;

/// References in a list that are moved in one step of a FHIRPath evaluation.
pub const VALUES_MOVED_PER_STEP: usize = 64;

/// Format of the bytes of a schedule.
pub const SCHEDULE_FORMAT: u8 = 1;

/// Largest schedule, in bytes of JSON and of its canonical form.
pub const SCHEDULE_MAX_BYTES: usize = 64 * 1024;

/// Days for which schedules are computed, counted from 1970-01-01: to the year 2200 and a little more.
pub const SCHEDULE_DAYS: core::ops::Range<i64> = -1_000..84_100;

/// Most items of a schedule.
pub const SCHEDULE_MAX_ITEMS: usize = 64;

/// Most anchors of a schedule.
pub const SCHEDULE_MAX_ANCHORS: usize = 32;

/// Longest name of an item or anchor, in bytes.
pub const SCHEDULE_MAX_NAME_BYTES: usize = 64;

/// Longest distance from an anchor, longest repeat and its longest step, and how far a repeat without an
/// end is followed, in days.
pub const SCHEDULE_MAX_DAYS: u16 = 3_660;

/// Most cycles, and how far cycles without an end are followed.
pub const SCHEDULE_MAX_CYCLES: u16 = 200;

/// Longest cycle and furthest end of a window, in days.
pub const SCHEDULE_MAX_STEP_DAYS: u16 = 366;

/// Most times of one day.
pub const SCHEDULE_MAX_TIMES: usize = 8;

/// Most planned times of one schedule.
pub const SCHEDULE_MAX_OCCURRENCES: u64 = 20_000;

/// So many days a visit moves on at most, if its window holds no moment.
pub const VISIT_MOVED_ON_MAX_DAYS: i64 = 2;

/// Most reminders of one day.
pub const REMINDERS_MAX_PER_DAY: u8 = 24;

/// So often an end of quiet hours is looked for, and so long a reminder waits for it at most: clocks that
/// are moved, and journeys, may bring another quiet time.
pub const QUIET_ENDS_TRIED: u8 = 4;

/// See [`QUIET_ENDS_TRIED`].
pub const REMINDER_WAITS_MAX_MS: i64 = 48 * 3_600_000;

/// Furthest that reminders are planned ahead, in days.
pub const REMINDERS_MAX_DAYS: u16 = 62;

/// Minutes of a day.
pub const MINUTES_PER_DAY: u16 = 1_440;

/// Further than this no zone is from UTC: the time zone library's own bound is 25:59:59.
pub const ZONE_DISTANCE_MAX_MS: i64 = 26 * 3_600_000;

/// Longest time that a journey from one zone to another takes: so long before a zone was first seen it may
/// have been the one on the wall.
pub const JOURNEY_MAX_MS: i64 = 48 * 3_600_000;

/// A device that was not seen for so long, while others were, says no more where its person is.
pub const DEVICE_SILENT_MS: i64 = 14 * 24 * 3_600_000;

/// The zone in which days begin first, in seconds from UTC.
pub const FURTHEST_EAST_S: i32 = 14 * 3_600;

/// The zone in which days end last, in seconds from UTC.
pub const FURTHEST_WEST_S: i32 = -12 * 3_600;

/// So much earlier than its window an answer may come and belong to it still: clocks differ.
pub const EARLY_ANSWER_MS: i64 = 3_600_000;

/// So long before the end of its time somebody must have been able to know of a planned time to owe it.
pub const KNOWN_BEFORE_DUE_MS: i64 = 6 * 3_600_000;

/// Most planned times of one item that wait for answers at once.
pub const SCHEDULE_MAX_OPEN: u64 = 100;

/// Most different patterns of one expression that the check of a form reads.
pub const MAX_CHECKED_PATTERNS: usize = 200;
