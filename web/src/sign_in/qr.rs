//! QR codes as the path of an SVG that stands in the page: no picture is loaded, no style is written into it.

use qrcode::{Color, EcLevel, QrCode};
use std::fmt::Write as _;

/// Modules of white around the code (ISO/IEC 18004 §5.3.8).
const QUIET: usize = 4;

/// A code to be drawn.
pub(crate) struct Qr {
    /// Modules of a side, with the quiet zone.
    pub(crate) size: usize,
    /// The dark modules: one run after the other.
    pub(crate) path: String,
}

impl Qr {
    #[expect(clippy::arithmetic_side_effects, reason = "a code has at most 177 modules a side")]
    /// The code of a text; none when it is too long for one.
    pub(crate) fn of(text: &str) -> Option<Qr> {
        let code = QrCode::with_error_correction_level(text, EcLevel::M).ok()?;
        let (width, colours) = (code.width(), code.to_colors());
        let mut path = String::new();
        for (y, row) in colours.chunks(width).enumerate() {
            let mut x = 0;
            for run in row.chunk_by(|one, next| one == next) {
                if run.first() == Some(&Color::Dark) {
                    let (left, top, length) = (x + QUIET, y + QUIET, run.len());
                    _ = write!(path, "M{left} {top}h{length}v1h-{length}z");
                }
                x += run.len();
            }
        }
        Some(Qr { size: width + 2 * QUIET, path })
    }
}

/// A key in groups of four, for people to type.
pub(crate) fn in_groups(key: &str) -> String {
    let letters: Vec<char> = key.chars().collect();
    letters.chunks(4).map(|group| group.iter().collect::<String>()).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: a code has its finder patterns within the quiet zone, and what is too long for one is none.
    #[test]
    fn codes() {
        let uri = "otpauth://totp/Acme:amelie?secret=ABCDEFGHIJKLMNOPQRSTUVWXYZ234567&issuer=Acme";
        let qr = Qr::of(uri).expect("a code");
        assert!(qr.size > 40 && qr.path.starts_with("M4 4h7"), "{} {}", qr.size, &qr.path);
        assert!(Qr::of(&"x".repeat(5_000)).is_none());
        assert_eq!(in_groups("ABCDEFGHIJ"), "ABCD EFGH IJ");
    }
}
