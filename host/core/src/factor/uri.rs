//! What an authenticator app takes a factor in from: an `otpauth:` URI, as text and as a picture.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use data_encoding::BASE32_NOPAD;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use png::{BitDepth, ColorType, EncodingError};
use qrcode::{Color, QrCode};
use zeroize::Zeroizing;

use super::{Enrolled, FactorError};
use crate::Secret;
use crate::model::{FactorKind, OtpAlgorithm};

/// All but the unreserved characters of RFC 3986: apps read nothing else the same way.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The light margin that a reader needs around the code, in modules.
const MARGIN: usize = 4;

/// The side of a module, in pixels.
const SCALE: usize = 6;

/// The URI of a factor, the form that Google's authenticator began and others read:
/// `otpauth://totp/<label>?secret=<base32>&period=30&digits=6&issuer=<issuer>&serial=<serial>`. It holds the seed.
///
/// What an app takes for granted is left out: the algorithm if it is SHA-1. HOTP has `counter` in place of `period`, and it is 1 for a fresh factor, since
/// some apps take 0 for none; the window makes up for the one that is skipped. Empty for recovery codes, which no app takes in.
pub fn otpauth_uri(enrolled: &Enrolled, issuer: &str, label: &str) -> Secret<String> {
    let factor = &enrolled.factor;
    let moving = match factor.kind {
        FactorKind::Hotp => format!("counter={}", factor.counter.max(1)),
        FactorKind::Totp => format!("period={}", factor.parameters.period),
        FactorKind::Recovery => return Secret::new(String::new()),
    };
    let algorithm = match factor.parameters.algorithm {
        OtpAlgorithm::Sha1 => "",
        OtpAlgorithm::Sha256 => "&algorithm=SHA256",
        OtpAlgorithm::Sha512 => "&algorithm=SHA512",
    };
    let secret = Zeroizing::new(BASE32_NOPAD.encode(enrolled.seed.expose()));
    // Written into room that is enough, so that growing leaves no copy of the seed behind.
    let mut uri = String::with_capacity(256 + secret.len() + 3 * (label.len() + issuer.len()));
    // Writing to a string does not fail.
    let _ = write!(
        uri,
        "otpauth://{kind}/{label}?secret={secret}&{moving}{algorithm}&digits={digits}&issuer={issuer}&serial={serial}",
        kind = factor.kind.as_str(),
        label = utf8_percent_encode(label, ESCAPED),
        secret = secret.as_str(),
        digits = factor.parameters.digits,
        issuer = utf8_percent_encode(issuer, ESCAPED),
        serial = utf8_percent_encode(&factor.serial, ESCAPED),
    );
    Secret::new(uri)
}

/// A QR code of a text as `data:image/png;base64,...`. A picture of a seed is as secret as the seed.
///
/// # Errors
/// [`FactorError::Invalid`] for a text that no QR code holds: more than 2331 bytes.
pub fn qr_png_data_uri(text: &Secret<String>) -> Result<Secret<String>, FactorError> {
    let too_long = |_| FactorError::Invalid("the text is too long for a QR code".to_owned());
    let code = QrCode::new(text.expose().as_bytes()).map_err(too_long)?;
    let side = code.width();
    let modules = code.into_colors();
    let row = |y: usize| {
        let edge = std::iter::repeat_n(Color::Light, MARGIN);
        let row = modules.iter().copied().skip(y * side).take(side);
        edge.clone().chain(row).chain(edge)
    };
    let pixels = (side + 2 * MARGIN) * SCALE;
    let mut picture = Zeroizing::new(Vec::with_capacity(pixels * pixels));
    picture.resize(MARGIN * SCALE * pixels, u8::MAX);
    for y in 0..side {
        for _ in 0..SCALE {
            picture.extend(row(y).flat_map(|color| [color.select(0, u8::MAX); SCALE]));
        }
    }
    picture.resize(pixels * pixels, u8::MAX);
    let png = encode(&picture, pixels).map_err(|_| FactorError::Invalid("the QR code cannot be drawn".to_owned()))?;
    let mut uri = String::with_capacity(32 + png.len() * 2);
    uri.push_str("data:image/png;base64,");
    STANDARD.encode_string(png.as_slice(), &mut uri);
    Ok(Secret::new(uri))
}

fn encode(picture: &[u8], side: usize) -> Result<Zeroizing<Vec<u8>>, EncodingError> {
    let mut png = Zeroizing::new(Vec::new());
    // A QR code has at most 177 modules to a side.
    let side = u32::try_from(side).unwrap_or(u32::MAX);
    let mut encoder = png::Encoder::new(&mut *png, side, side);
    encoder.set_color(ColorType::Grayscale);
    encoder.set_depth(BitDepth::Eight);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(picture)?;
    writer.finish()?;
    Ok(png)
}
