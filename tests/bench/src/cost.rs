//! Processor time: what processes have spent, and what the raw argon2id hash costs.

use std::time::Duration;

use argon2::{Algorithm, Argon2, Block, Params, Version};
use nix::time::ClockId;
use nix::unistd::Pid;

const SALT: &[u8] = b"sixteen byte salt";

/// The processor time of another process, user and system. That of its threads that have ended is in it.
pub(crate) fn of_process(pid: u32) -> anyhow::Result<Duration> {
    let pid = Pid::from_raw(i32::try_from(pid)?);
    Ok(ClockId::pid_cpu_clock_id(pid)?.now()?.into())
}

/// The processor time of this process.
pub(crate) fn own() -> anyhow::Result<Duration> {
    Ok(ClockId::CLOCK_PROCESS_CPUTIME_ID.now()?.into())
}

/// Milliseconds of one of so many.
pub(crate) fn each_ms(spent: Duration, count: u32) -> f64 {
    spent.as_secs_f64() * 1000.0 / f64::from(count)
}

/// One hash with the parameters that the server uses by default, memory allocated anew as a plain caller would.
pub(crate) fn raw_hash() {
    let mut output = [0; 32];
    argon2()
        .hash_password_into(b"s3cre7", SALT, &mut output)
        .expect("a hash");
    std::hint::black_box(output);
}

/// The same on as many threads at once as the machine has processors, each of which keeps its memory as the server does: milliseconds of processor time of one
/// of `hashes` on each thread.
pub(crate) fn raw_hashes_at_once(hashes: u32) -> anyhow::Result<f64> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let mut memories = vec![vec![Block::new(); argon2().params().block_count()]; threads];
    let before = own()?;
    std::thread::scope(|scope| {
        for memory in &mut memories {
            scope.spawn(move || {
                for _ in 0..hashes {
                    let mut output = [0; 32];
                    argon2()
                        .hash_password_into_with_memory(b"s3cre7", SALT, &mut output, memory.as_mut_slice())
                        .expect("a hash");
                    std::hint::black_box(output);
                }
            });
        }
    });
    let spent = own()?.saturating_sub(before);
    Ok(each_ms(spent, hashes * u32::try_from(threads)?))
}

fn argon2() -> Argon2<'static> {
    let params = Params::new(64 * 1024, 3, 1, None).expect("valid parameters");
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}
