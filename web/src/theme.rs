//! Themes: a tenant's name, its ink and its sign, over the one style.
//!
//! Owns what a theme may say and the little style sheet that follows from it. An ink that would not be readable is made
//! darker or lighter until it is (WCAG 2.2, 1.4.3: at least 4.5 to 1), so that no theme breaks a page.

use std::fmt::Write as _;

/// The least contrast of ink on paper and of paper on ink.
const CONTRAST: f64 = 4.5;
/// The paper that accents lie on, in light and in dark: the darkest and the lightest of the style's backgrounds.
const LIGHT: Colour = Colour(0xe6, 0xef, 0xfa);
const DARK: Colour = Colour(0x1a, 0x20, 0x29);

/// A colour, sRGB.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Colour(pub u8, pub u8, pub u8);

/// What a tenant's pages look like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Theme {
    /// The tenant that it is for; none: everybody else.
    pub tenant: Option<String>,
    /// What stands on top of the page.
    pub name: String,
    /// The ink of links and buttons; none: the style's own.
    pub accent: Option<Colour>,
    /// A sign beside the name: an SVG document without script. None: the program's own.
    pub logo: Option<String>,
}

impl Default for Theme {
    fn default() -> Theme {
        Theme { tenant: None, name: "rollbook".to_owned(), accent: None, logo: None }
    }
}

impl Colour {
    /// `#rrggbb`.
    pub fn parse(text: &str) -> Option<Colour> {
        let digits = text.strip_prefix('#').filter(|digits| digits.len() == 6)?;
        let number = u32::from_str_radix(digits, 16).ok().filter(|_| !digits.starts_with('+'))?;
        let [_, red, green, blue] = number.to_be_bytes();
        Some(Colour(red, green, blue))
    }

    /// Relative luminance (WCAG 2.2).
    fn luminance(self) -> f64 {
        let linear = |part: u8| {
            let part = f64::from(part) / 255.0;
            if part <= 0.04045 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * linear(self.0) + 0.7152 * linear(self.1) + 0.0722 * linear(self.2)
    }

    /// Contrast with another (WCAG 2.2).
    fn contrast(self, other: Colour) -> f64 {
        let (one, two) = (self.luminance(), other.luminance());
        (one.max(two) + 0.05) / (one.min(two) + 0.05)
    }

    /// A twentieth of the way to another.
    fn towards(self, other: Colour) -> Colour {
        let step = |from: u8, to: u8| {
            let (from, to) = (i16::from(from), i16::from(to));
            let way = to.saturating_sub(from);
            let by = if way.abs() < 20 { way.signum() } else { way / 20 };
            u8::try_from(from.saturating_add(by)).unwrap_or(u8::MAX)
        };
        Colour(step(self.0, other.0), step(self.1, other.1), step(self.2, other.2))
    }

    /// The nearest to this that can be read on that paper.
    fn readable_on(self, paper: Colour) -> Colour {
        let goal = if paper.luminance() > 0.5 { Colour(0, 0, 0) } else { Colour(255, 255, 255) };
        let mut ink = self;
        while ink.contrast(paper) < CONTRAST && ink != goal {
            ink = ink.towards(goal);
        }
        ink
    }

    /// Black or white, whichever can be read better on this.
    fn on(self) -> Colour {
        let (black, white) = (Colour(0, 0, 0), Colour(255, 255, 255));
        if self.contrast(black) > self.contrast(white) { black } else { white }
    }

    fn text(self) -> String {
        format!("#{:02x}{:02x}{:02x}", self.0, self.1, self.2)
    }
}

impl Theme {
    /// The style sheet that lies over the common one; none when nothing differs.
    pub(crate) fn style(&self) -> Option<String> {
        let accent = self.accent?;
        let (light, dark) = (accent.readable_on(LIGHT), accent.readable_on(DARK));
        let hover = |ink: Colour, goal: Colour| (0..4).fold(ink, |ink, _| ink.towards(goal));
        let pair = |light: Colour, dark: Colour| format!("light-dark({},{})", light.text(), dark.text());
        let mut style = String::from(":root{");
        _ = write!(style, "--accent:{};", pair(light, dark));
        _ = write!(style, "--on-accent:{};", pair(light.on(), dark.on()));
        let hovered = pair(hover(light, light.on().opposite()), hover(dark, dark.on().opposite()));
        _ = write!(style, "--accent-hover:{hovered}}}");
        Some(style)
    }
}

impl Colour {
    fn opposite(self) -> Colour {
        Colour(!self.0, !self.1, !self.2)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: whatever accent a theme asks for, text in it and on it can be read, in both colours.
    #[test]
    fn every_accent_is_readable() {
        let parts = [0x00, 0x33, 0x66, 0x99, 0xcc, 0xff];
        for number in 0..216_usize {
            let part = |place: usize| parts[number / place % 6];
            let (red, green, blue) = (part(36), part(6), part(1));
            for paper in [LIGHT, DARK, Colour(255, 255, 255), Colour(0x11, 0x15, 0x1b)] {
                let dark = paper.luminance() < 0.5;
                let ink = Colour(red, green, blue).readable_on(if dark { DARK } else { LIGHT });
                assert!(ink.contrast(paper) >= CONTRAST, "{ink:?} on {paper:?}");
                assert!(ink.contrast(ink.on()) >= CONTRAST, "{ink:?} under {:?}", ink.on());
            }
        }
    }

    /// Goal: a colour is six digits after a `#`, nothing else.
    #[test]
    fn parsing() {
        assert_eq!(Colour::parse("#0a55A3").unwrap(), Colour(0x0a, 0x55, 0xa3));
        for bad in ["", "#fff", "0a55a3", "#0a55a3;", "#+a55a3", "red", "#0a55ag"] {
            assert!(Colour::parse(bad).is_none(), "{bad}");
        }
    }
}
