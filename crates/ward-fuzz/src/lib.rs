//! What must hold for any input of the readers of Ward: the targets of fuzzing.
//!
//! A target is a plain function over bytes. It returns when all that it asserts holds, and panics when
//! something does not. The fuzzer calls it with bytes that it makes up (`cargo xtask fuzz`); an
//! ordinary test calls it with the inputs that are kept in `testdata/fuzz`, and with those that only a
//! program can write down, such as a text of a megabyte. `docs/fuzzing.md` tells how.
//!
//! The crate does no I/O and has no clock: what a target bounds, it counts.
//!
//! ```
//! let target = ward_fuzz::target("expression").ok_or("there is such a target")?;
//! (target.run)(b"1 + 1");
//! # Ok::<(), &str>(())
//! ```

mod choices;
mod fixtures;
mod forms;
mod infrastructure;
pub mod limits;
mod readers;

/// Something that takes bytes from elsewhere, with what must hold for it.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// Its name: that of its folder in `testdata/fuzz`.
    pub name: &'static str,
    /// What it reads and what it asserts, in one line.
    pub about: &'static str,
    /// Words that its inputs are made of, so that the fuzzer need not guess them.
    pub words: &'static [&'static str],
    /// Reads the input and asserts. Panics when something does not hold.
    pub run: fn(&[u8]),
}

/// Every target, forms first.
pub const TARGETS: &[Target] = &[
    forms::questionnaire::TARGET,
    forms::response::TARGET,
    forms::expression::TARGET,
    forms::alert_rules::TARGET,
    forms::dense_answers::TARGET,
    readers::envelope::TARGET,
    readers::payload::TARGET,
    readers::mlog_entry::TARGET,
    readers::text_edits::TARGET,
    readers::note::TARGET,
    infrastructure::terraform_source::TARGET,
    infrastructure::plan::TARGET,
    infrastructure::cloudformation::TARGET,
    infrastructure::manifests::TARGET,
    infrastructure::admission_review::TARGET,
    infrastructure::own_rules::TARGET,
    infrastructure::waiver::TARGET,
];

/// The target of this name.
#[must_use]
pub fn target(name: &str) -> Option<&'static Target> {
    TARGETS.iter().find(|target| target.name == name)
}
