//! Records under WebAssembly: `run.mjs` calls these functions and takes the times.
//!
//! Randomness is seeded: a bench needs no secrets, and so the module imports nothing.

mod phone;
mod seeded;

use phone::Phone;
use std::cell::RefCell;

thread_local! {
    static PHONE: RefCell<Option<Phone>> = const { RefCell::new(None) };
}

fn with_phone<R>(work: impl FnOnce(&mut Phone) -> R) -> R {
    PHONE.with_borrow_mut(|phone| work(phone.get_or_insert_with(Phone::new)))
}

/// Makes a phone and one batch of sealed records. Returns the bytes of one envelope.
#[unsafe(no_mangle)]
pub extern "C" fn prepare() -> u32 {
    with_phone(Phone::prepare)
}

/// Makes and signs so many records. Returns how many.
#[unsafe(no_mangle)]
pub extern "C" fn make(count: u32) -> u32 {
    with_phone(|phone| phone.make_many(count))
}

/// Seals the envelopes of so many records. Returns how many.
#[unsafe(no_mangle)]
pub extern "C" fn seal(count: u32) -> u32 {
    with_phone(|phone| phone.seal_many(count))
}

/// Verifies both signatures of so many records in batches of 64 and opens them. Returns how many
/// came out whole.
#[unsafe(no_mangle)]
pub extern "C" fn open(count: u32) -> u32 {
    with_phone(|phone| phone.open_many(count))
}
