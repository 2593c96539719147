//! The yardstick: the raw hash, on as many threads as the machine has processors.

use std::time::{Duration, Instant};

/// Hashes of sha512crypt with 5,000 rounds in a second.
pub(super) fn sha512crypt_per_second(time: Duration) -> f64 {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let begun = Instant::now();
    let count: u64 = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(|| hash_until(begun + time))).collect();
        workers
            .into_iter()
            .map(|worker| worker.join().expect("it hashes"))
            .sum()
    });
    #[expect(clippy::cast_precision_loss, reason = "a count of hashes")]
    let count = count as f64;
    count / begun.elapsed().as_secs_f64()
}

fn hash_until(end: Instant) -> u64 {
    let mut count = 0;
    while Instant::now() < end {
        let hash = sha_crypt::sha512_crypt(b"s3cre7", b"saltsaltsalt", sha_crypt::Params::default());
        std::hint::black_box(&hash);
        count += 1;
    }
    count
}
