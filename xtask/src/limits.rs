//! Every size, count and time that a check or a command compares with.

/// Lines that `ARCHITECTURE.md` may have: one sitting.
pub const ARCHITECTURE_MAX_LINES: usize = 250;
/// Lines that a source file may have before it is two subjects.
pub const SOURCE_FILE_MAX_LINES: usize = 800;
/// Lowest layer whose crates may use `ward-testkit` in their tests. The test kit depends on
/// everything below it, so a lower crate would be compiled twice to test itself.
pub const TESTKIT_MIN_LAYER: i64 = 5;
/// Files above this are data; neither tidy nor the secret scan reads them line by line.
pub const READ_MAX_BYTES: u64 = 4 * 1024 * 1024;

/// The oldest compiler that builds the workspace: major, minor.
pub const RUSTC_MIN: (u32, u32) = (1, 95);
/// The release of cargo-deny that `deny.toml` is written for.
pub const CARGO_DENY_VERSION: &str = "0.20.2";
/// How cargo-deny names the folder of its default advisory database.
pub const ADVISORY_DB_FOLDER: &str = "advisory-db-3157b0e258782691";

/// Shortest token that the secret scan weighs.
pub const SECRET_TOKEN_MIN_CHARS: usize = 32;
/// Entropy in bits a character from which a mixed-case token counts as random.
pub const SECRET_TOKEN_MIN_BITS: f64 = 4.2;
/// The same for a hexadecimal token, whose ceiling is 4 bits.
pub const SECRET_HEX_MIN_BITS: f64 = 3.2;

/// Characters between two marks (`/`, `-`, `_`, `+`) from which a bare word is one piece.
pub const SECRET_RUN_MIN_CHARS: usize = 14;

/// Lines below a citation in which the item that it belongs to is looked for.
pub const CITED_ITEM_MAX_DISTANCE_LINES: usize = 15;

/// Minutes that `cargo xtask ci` plans for on two cores from a cold clone: tools.
pub const BUDGET_TOOLS_MIN: f64 = 8.0;
/// The same: compiling.
pub const BUDGET_COMPILE_MIN: f64 = 20.0;
/// The same: running tests.
pub const BUDGET_TESTS_MIN: f64 = 10.0;
/// The same: everything else.
pub const BUDGET_REST_MIN: f64 = 5.0;

/// Minutes of processor time that one run of the fuzzer may be given: a week.
pub const FUZZ_MINUTES_MAX: f64 = 10_080.0;
/// Processes of the fuzzer at once.
pub const FUZZ_JOBS_MAX: u32 = 64;
/// Longest input that the fuzzer makes up. Longer ones are made by the tests of `ward-fuzz`.
pub const FUZZ_INPUT_MAX_BYTES: u32 = 16_384;
/// Seconds that one input may take. They are of the clock on the wall, on a machine that does other
/// things too, so the number is far above what any input needs.
pub const FUZZ_INPUT_MAX_SECONDS: u32 = 20;
/// Memory that one process of the fuzzer may have.
pub const FUZZ_MEMORY_MAX_MB: u32 = 2_048;
/// Stack that it has: no more than a thread in a browser.
pub const FUZZ_STACK_KB: u32 = 1_024;
/// Seconds spent on making a failing input smaller.
pub const FUZZ_MINIMISE_SECONDS: u32 = 60;
/// Largest failing input that is kept with the project.
pub const FUZZ_KEPT_MAX_BYTES: u64 = 16_384;
