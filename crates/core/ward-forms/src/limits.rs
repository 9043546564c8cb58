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

/// Longest string that a FHIRPath evaluation builds, in bytes.
pub const MAX_BUILT_STRING_BYTES: usize = 1024 * 1024;

/// Most bytes a compiled FHIRPath pattern (`matches`, `replaceMatches`) may take.
pub const MAX_COMPILED_PATTERN_BYTES: usize = 64 * 1024;

/// Longest unit of a quantity that is read as UCUM, in bytes.
pub const MAX_UNIT_BYTES: usize = 64;

/// Deepest nesting of brackets in a unit of a quantity.
pub const MAX_UNIT_DEPTH: usize = 8;

/// Largest map from a form's questions to the numbers of a scored questionnaire, in bytes of JSON.
pub const MAX_SCORE_MAP_BYTES: usize = 64 * 1024;

/// Largest set of alert rules, in bytes of JSON.
pub const MAX_ALERT_RULES_BYTES: usize = 256 * 1024;

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

/// Most languages of one form in which missing translations are looked for.
pub const MAX_LANGUAGES: usize = 100;
