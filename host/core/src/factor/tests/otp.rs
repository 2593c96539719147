//! The RFCs' own vectors.

use super::super::otp::{Generator, parse, time_step};
use super::*;
use crate::model::Timestamp;

const SEED_20: &str = "12345678901234567890";
const SEED_32: &str = "12345678901234567890123456789012";
const SEED_64: &str = "1234567890123456789012345678901234567890123456789012345678901234";

fn generator(algorithm: OtpAlgorithm, digits: u8, seed: &str) -> Generator {
    let parameters = OtpParameters {
        algorithm,
        digits,
        period: 30,
    };
    Generator::new(parameters, &secret(seed))
}

#[test]
fn hotp_makes_the_values_of_rfc_4226_appendix_d() {
    let generator = generator(OtpAlgorithm::Sha1, 6, SEED_20);
    let made: Vec<_> = (0..10).map(|counter| generator.at(counter)).collect();
    assert_eq!(
        made,
        [
            755_224, 287_082, 359_152, 969_429, 338_314, 254_676, 287_922, 162_583, 399_871, 520_489
        ]
    );
}

#[test]
fn totp_makes_the_values_of_rfc_6238_appendix_b() {
    let rows = [
        (59, 94_287_082, 46_119_246, 90_693_936),
        (1_111_111_109, 7_081_804, 68_084_774, 25_091_201),
        (1_111_111_111, 14_050_471, 67_062_674, 99_943_326),
        (1_234_567_890, 89_005_924, 91_819_424, 93_441_116),
        (2_000_000_000, 69_279_037, 90_698_825, 38_618_901),
        (20_000_000_000, 65_353_130, 77_737_706, 47_863_826),
    ];
    for (seconds, sha1, sha256, sha512) in rows {
        let step = time_step(Timestamp(seconds * 1_000_000), 30);
        assert_eq!(generator(OtpAlgorithm::Sha1, 8, SEED_20).at(step), sha1, "{seconds}");
        assert_eq!(
            generator(OtpAlgorithm::Sha256, 8, SEED_32).at(step),
            sha256,
            "{seconds}"
        );
        assert_eq!(
            generator(OtpAlgorithm::Sha512, 8, SEED_64).at(step),
            sha512,
            "{seconds}"
        );
    }
}

#[test]
fn a_short_seed_makes_one_time_passwords_too() {
    // RFC 2104: a key is padded with zeros, so these are one key to HMAC.
    let short = generator(OtpAlgorithm::Sha1, 6, "abc");
    let padded = generator(OtpAlgorithm::Sha1, 6, "abc\0\0");
    assert_eq!(short.at(5), padded.at(5));
}

#[test]
fn a_one_time_password_is_so_many_ascii_digits() {
    assert_eq!(parse(b"007081", 6), Some(7081));
    assert_eq!(parse(b"07081804", 8), Some(7_081_804));
    for text in [
        "",
        "12345",
        "1234567",
        "12345a",
        "+12345",
        "-12345",
        " 12345",
        "12 345",
        "\u{661}2345",
    ] {
        assert_eq!(parse(text.as_bytes(), 6), None, "{text:?}");
    }
    assert_eq!(parse(&[0xff; 6], 6), None);
}

#[test]
fn time_before_1970_is_the_first_step() {
    assert_eq!(time_step(Timestamp(-1), 30), 0);
    assert_eq!(time_step(Timestamp(59_999_999), 30), 1);
    assert_eq!(time_step(Timestamp(59_999_999), 60), 0);
}
