//! The targets of `ward-fuzz` under libFuzzer. `cargo xtask fuzz` builds and starts it; which target and
//! for how many seconds of processor time, the environment says.
#![no_main]

use libfuzzer_sys::fuzz_target;
use std::cell::Cell;
use std::sync::OnceLock;

/// Names the target.
const TARGET: &str = "WARD_FUZZ_TARGET";
/// After how many seconds of processor time to stop; without it libFuzzer's own options decide.
const CPU_SECONDS: &str = "WARD_FUZZ_CPU_SECONDS";
/// How the line begins that says how much processor time was used so far.
const CPU_LINE: &str = "ward-fuzz: processor seconds";

/// Executions between two looks at the clock.
const EXECUTIONS_PER_LOOK: u32 = 64;
/// Seconds of processor time between two lines.
const SECONDS_PER_LINE: f64 = 2.0;
/// Room for the handler that writes down an input which used up the stack.
const SIGNAL_STACK_BYTES: usize = 256 * 1024;

struct Engine {
    run: fn(&[u8]),
    limit_seconds: f64,
}

static ENGINE: OnceLock<Engine> = OnceLock::new();

thread_local! {
    static EXECUTIONS: Cell<u32> = const { Cell::new(0) };
    static LAST_LINE: Cell<f64> = const { Cell::new(0.0) };
}

fuzz_target!(init: begin(), |input: &[u8]| run(input));

fn begin() {
    let name = std::env::var(TARGET).unwrap_or_default();
    let Some(target) = ward_fuzz::target(&name) else {
        eprintln!("{TARGET} names no target: {name:?}");
        std::process::exit(2);
    };
    let limit_seconds = std::env::var(CPU_SECONDS).ok().and_then(|text| text.parse().ok());
    let limit_seconds = limit_seconds.unwrap_or(f64::INFINITY);
    let _ = ENGINE.set(Engine { run: target.run, limit_seconds });
    a_stack_that_is_used_up_is_a_crash();
}

fn run(input: &[u8]) {
    let Some(engine) = ENGINE.get() else { return };
    let executions = EXECUTIONS.get().wrapping_add(1);
    EXECUTIONS.set(executions);
    if executions % EXECUTIONS_PER_LOOK == 0 {
        look_at_the_clock(engine.limit_seconds);
    }
    (engine.run)(input);
}

/// Says how much time was used, and asks libFuzzer to end when it is enough.
fn look_at_the_clock(limit_seconds: f64) {
    let seconds = processor_seconds();
    let is_over = seconds >= limit_seconds;
    if is_over || seconds - LAST_LINE.get() >= SECONDS_PER_LINE {
        LAST_LINE.set(seconds);
        eprintln!("{CPU_LINE} {seconds:.2}");
    }
    if is_over {
        // SAFETY: libFuzzer's handler of this signal only notes that the run shall end.
        unsafe { libc::raise(libc::SIGUSR1) };
    }
}

fn processor_seconds() -> f64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the pointer is valid for the call, which writes one timespec.
    unsafe { libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, &mut time) };
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}

/// A stack that is used up has no room for a handler, so that handler gets a stack of its own. libFuzzer
/// keeps that when it finds such a handler, and calls it instead of its own.
fn a_stack_that_is_used_up_is_a_crash() {
    let memory = Box::leak(vec![0_u8; SIGNAL_STACK_BYTES].into_boxed_slice());
    let stack = libc::stack_t { ss_sp: memory.as_mut_ptr().cast(), ss_flags: 0, ss_size: memory.len() };
    let handler: extern "C" fn(libc::c_int) = memory_fault;
    // SAFETY: the memory is never freed and nothing else uses it; the handler calls only what a handler may.
    unsafe {
        libc::sigaltstack(&stack, std::ptr::null_mut());
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = handler as libc::sighandler_t;
        action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK;
        libc::sigaction(libc::SIGSEGV, &action, std::ptr::null_mut());
    }
}

/// Ends the process in the way of which libFuzzer writes the input down.
extern "C" fn memory_fault(_: libc::c_int) {
    const TEXT: &[u8] = b"ward-fuzz: the stack is used up\n";
    // SAFETY: both may be called in a handler, and the text is as long as is said.
    unsafe {
        libc::write(libc::STDERR_FILENO, TEXT.as_ptr().cast(), TEXT.len());
        libc::abort();
    }
}
