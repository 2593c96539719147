//! Crypt(3)'s schemes with SHA-256 and SHA-512.

use zeroize::Zeroizing;

use super::Digest;

/// The hash in the order in which crypt(3) writes its bytes. `None` for rounds that the scheme does not have.
pub(super) fn compute(digest: Digest, rounds: u32, password: &[u8], salt: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let params = sha_crypt::Params::new(rounds).ok()?;
    let (hash, order) = if digest == Digest::Sha512 {
        let hash = sha_crypt::sha512_crypt(password, salt, params).to_vec();
        (Zeroizing::new(hash), sha512_order())
    } else {
        let hash = sha_crypt::sha256_crypt(password, salt, params).to_vec();
        (Zeroizing::new(hash), sha256_order())
    };
    let ordered: Option<Vec<u8>> = order.into_iter().map(|place| hash.get(place).copied()).collect();
    ordered.map(Zeroizing::new)
}

/// Groups of three bytes, one from each third of the hash; which third is the first one changes from group to group.
fn sha512_order() -> Vec<usize> {
    let groups = (0..21).flat_map(|group| {
        let mut places = [group + 42, group + 21, group];
        places.rotate_right(group % 3);
        places
    });
    groups.chain([63]).collect()
}

fn sha256_order() -> Vec<usize> {
    let groups = (0..10).flat_map(|group| {
        let mut places = [group + 20, group + 10, group];
        places.rotate_left(group % 3);
        places
    });
    groups.chain([30, 31]).collect()
}
