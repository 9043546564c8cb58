//! Records under WebAssembly: `run.mjs` calls these functions and takes the times.
//!
//! Randomness is seeded: a bench needs no secrets, and so the module imports nothing.

mod forms;
#[path = "../../made_form.rs"]
mod made_form;
mod phone;
mod seeded;

use forms::{OpenForm, compile, made_json, shape};
use phone::Phone;
use std::cell::RefCell;

thread_local! {
    static PHONE: RefCell<Option<Phone>> = const { RefCell::new(None) };
    static JSON: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
    static FORM: RefCell<Option<OpenForm>> = const { RefCell::new(None) };
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

fn with_json<R>(work: impl FnOnce(&[u8]) -> R) -> R {
    JSON.with_borrow(|json| work(json))
}

fn count(items: Option<usize>) -> u32 {
    items.and_then(|items| u32::try_from(items).ok()).unwrap_or(0)
}

/// Makes a form: 0 is as large as the largest published one at hand, 1 has 2,691 items. Returns how many
/// items it has.
#[unsafe(no_mangle)]
pub extern "C" fn make_form(kind: u32) -> u32 {
    JSON.set(made_json(kind == 1));
    count(Some(shape(kind == 1).items()))
}

/// Makes room for the bytes of a form that the caller writes there.
#[unsafe(no_mangle)]
pub extern "C" fn room_for(bytes: u32) -> *mut u8 {
    JSON.set(vec![0; bytes as usize]);
    JSON.with_borrow_mut(|json| json.as_mut_ptr())
}

/// Reads and compiles the form. Returns how many items it has; 0 if it cannot be published.
#[unsafe(no_mangle)]
pub extern "C" fn compile_form() -> u32 {
    count(with_json(compile))
}

/// Opens the form. Returns how many items it has.
#[unsafe(no_mangle)]
pub extern "C" fn open_form() -> u32 {
    FORM.with_borrow_mut(|form| {
        *form = with_json(OpenForm::open);
        count(form.as_ref().map(OpenForm::items))
    })
}

/// Asks for the questions that are on by now. Returns how many.
#[unsafe(no_mangle)]
pub extern "C" fn look() -> u32 {
    FORM.with_borrow_mut(|form| count(form.as_mut().map(OpenForm::look)))
}

/// Gives one answer. Returns 1 if it was taken.
#[unsafe(no_mangle)]
pub extern "C" fn answer_one() -> u32 {
    FORM.with_borrow_mut(|form| form.as_mut().is_some_and(OpenForm::answer_one).into())
}

/// Evaluates the open form from scratch. Returns 1 if it says the same.
#[unsafe(no_mangle)]
pub extern "C" fn form_again() -> u32 {
    FORM.with_borrow(|form| form.as_ref().is_some_and(OpenForm::again).into())
}
