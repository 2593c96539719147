//! What apps take factors in from.

use base64::Engine as _;

use super::*;

async fn enrolled(kind: FactorKind, parameters: OtpParameters) -> Enrolled {
    let enrollment = Enrollment {
        parameters,
        seed: Some(secret("12345678901234567890")),
        serial: Some("T_1-a".to_owned()),
        ..of(kind)
    };
    House::new().factors.enroll(enrollment).await.unwrap()
}

#[tokio::test]
async fn a_uri_says_what_an_app_must_know() {
    let totp = enrolled(FactorKind::Totp, SIX).await;
    assert_eq!(
        otpauth_uri(&totp, "Keyway & Söhne", "corp:alice@x").expose(),
        "otpauth://totp/corp%3Aalice%40x?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&period=30&digits=6\
         &issuer=Keyway%20%26%20S%C3%B6hne&serial=T_1-a"
    );
    let parameters = OtpParameters {
        algorithm: OtpAlgorithm::Sha512,
        digits: 8,
        period: 60,
    };
    let totp = enrolled(FactorKind::Totp, parameters).await;
    let uri = otpauth_uri(&totp, "I", "l");
    assert!(
        uri.expose()
            .ends_with("&period=60&algorithm=SHA512&digits=8&issuer=I&serial=T_1-a")
    );
    let hotp = enrolled(FactorKind::Hotp, parameters).await;
    let uri = otpauth_uri(&hotp, "I", "l");
    assert!(uri.expose().starts_with("otpauth://hotp/l?secret="));
    assert!(
        uri.expose()
            .ends_with("&counter=1&algorithm=SHA512&digits=8&issuer=I&serial=T_1-a")
    );
}

#[tokio::test]
async fn recovery_codes_have_no_uri() {
    let enrolled = House::new().factors.enroll(of(FactorKind::Recovery)).await.unwrap();
    assert_eq!(otpauth_uri(&enrolled, "I", "l").expose(), "");
}

#[test]
fn a_qr_code_is_a_square_png_with_a_margin() {
    let uri = qr_png_data_uri(&Secret::new("otpauth://totp/x?secret=ABC".to_owned())).unwrap();
    let png = uri.expose().strip_prefix("data:image/png;base64,").unwrap();
    let png = base64::engine::general_purpose::STANDARD.decode(png).unwrap();
    let mut reader = png::Decoder::new(std::io::Cursor::new(png)).read_info().unwrap();
    let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
    let frame = reader.next_frame(&mut pixels).unwrap();
    let side = frame.width as usize;
    assert_eq!(frame.width, frame.height);
    let at = |x: usize, y: usize| pixels[y * side + x];
    // Four modules of six pixels are light all around, and then the finder patterns begin in three corners.
    for along in 0..side {
        for edge in [0, 23, side - 24, side - 1] {
            assert_eq!((at(along, edge), at(edge, along)), (255, 255));
        }
    }
    assert_eq!((at(24, 24), at(side - 25, 24), at(24, side - 25)), (0, 0, 0));
    // A finder pattern's rows: dark, light, three dark, light, dark.
    let row: Vec<_> = (0..7).map(|module| at(24 + module * 6, 24 + 3 * 6)).collect();
    assert_eq!(row, [0, 255, 0, 0, 0, 255, 0]);
}

#[test]
fn a_text_that_no_qr_code_holds_is_refused() {
    assert!(qr_png_data_uri(&Secret::new("x".repeat(2331))).is_ok());
    let refused = qr_png_data_uri(&Secret::new("x".repeat(2332)));
    assert!(matches!(refused, Err(FactorError::Invalid(_))));
}
