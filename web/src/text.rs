//! The words of the pages: one file for each language in `texts/`, one key for each text, checked when tests run.
//!
//! Owns the list of keys and of languages, and which language a visitor gets. A key that a template names and this list lacks
//! does not compile; a key that a file lacks, or has too many, fails [`Languages::load`] and its test.

use serde::Deserialize;
use std::fmt;

/// A text, perhaps with names between braces that are filled in.
#[derive(Debug, Clone, Deserialize)]
#[serde(transparent)]
pub(crate) struct Text(String);

impl Text {
    /// The text with a value in place of `{name}`. The value is escaped with the text, by the template.
    pub(crate) fn with(&self, name: &str, value: impl fmt::Display) -> Text {
        let wanted = format!("{{{name}}}");
        Text(self.0.replace(&wanted, &value.to_string()))
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Declares the texts of one language, by page.
macro_rules! texts {
    ($($section:ident $type:ident { $($key:ident)* })*) => {
        /// The texts of one language.
        #[derive(Debug, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub(crate) struct Texts {
            $(pub(crate) $section: $type,)*
        }

        $(
            #[derive(Debug, Deserialize)]
            #[serde(deny_unknown_fields)]
            pub(crate) struct $type {
                $(pub(crate) $key: Text,)*
            }
        )*

        #[cfg(test)]
        impl Texts {
            fn all(&self) -> Vec<(&'static str, &Text)> {
                vec![$($((concat!(stringify!($section), ".", stringify!($key)), &self.$section.$key),)*)*]
            }
        }
    };
}

texts! {
    frame FrameTexts {
        skip language colours system light dark signed_in_as sign_out reference utc
    }
    sign_in SignInTexts {
        title title_for username password show hide submit or with organisation refused refused_title busy
        busy_title missing_username missing_password step_up confirm changed expired ended upstream_failed
        link_first linked
    }
    factor FactorTexts {
        title intro code code_hint submit recovery_intro recovery_code recovery_hint another use_recovery use_app
        lost wrong wrong_recovery wrong_title missing restart
    }
    enrol EnrolTexts {
        title demanded why step_app step_scan qr_alt no_scan step_code submit wrong already
    }
    codes CodesTexts {
        title intro place list copy copied download print stored missing_stored submit file_title used left_none renew left_one left_many
    }
    password PasswordTexts {
        title forced account rules rule_length rule_common rule_name rule_history rule_history_one new again submit
        differ missing refused_title quality short reused young elsewhere failed
    }
    sign_out SignOutTexts {
        title question question_for as_who also submit stay done_title done not_in close again
    }
    sessions SessionsTexts {
        title intro this browser address since seen how pwd mfa by by_mfa unknown_provider end end_what
        end_others only_this ended_one ended_many ended_none apps_title apps_intro app gets agreed withdraw
        withdraw_what apps_none withdrawn second_title second_on second_off second_set_up no_codes second_codes unknown_agent
    }
    consent ConsentTexts {
        title account another gets allow deny later home scope_openid scope_profile scope_email scope_phone
        scope_address scope_groups scope_roles scope_tenant scope_offline_access scope_other
    }
    link LinkTexts {
        title there here means takes_password submit no
    }
    trial TrialTexts {
        title intro
    }
    problem ProblemTexts {
        what_next home start_again stale_title stale stale_next foreign_title foreign foreign_next
        missing_title missing missing_next method_title method failed_title failed failed_next denied_title denied
        denied_next upstream_title upstream upstream_next request_title request request_next large_title large technical
    }
}

/// A language that the pages speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// English.
    English,
    /// German.
    German,
}

impl Language {
    /// All of them, the one for everybody else first.
    pub const ALL: [Language; 2] = [Language::English, Language::German];

    /// The tag (RFC 5646).
    pub fn tag(self) -> &'static str {
        match self {
            Language::English => "en",
            Language::German => "de",
        }
    }

    /// What its speakers call it.
    pub fn name(self) -> &'static str {
        match self {
            Language::English => "English",
            Language::German => "Deutsch",
        }
    }

    fn file(self) -> &'static str {
        match self {
            Language::English => include_str!("../texts/en.toml"),
            Language::German => include_str!("../texts/de.toml"),
        }
    }

    /// The language of a tag: by its first part, so that `de-AT` is German.
    pub fn of(tag: &str) -> Option<Language> {
        let first = tag.split(['-', '_']).next().unwrap_or(tag);
        Language::ALL.into_iter().find(|language| language.tag().eq_ignore_ascii_case(first))
    }

    /// The first language of a list of tags that is spoken here, as `ui_locales` has it (OpenID Connect Core §3.1.2.1).
    pub fn of_list(tags: &str) -> Option<Language> {
        tags.split_ascii_whitespace().take(16).find_map(Language::of)
    }

    /// The best of `Accept-Language` (RFC 9110 §12.5.4); what cannot be read is passed over.
    pub fn accepted(header: &str) -> Option<Language> {
        let mut best: Option<(u16, Language)> = None;
        for item in header.split(',').take(32) {
            let (tag, parameter) = item.split_once(';').unwrap_or((item, ""));
            let weight = match parameter.trim().strip_prefix("q=") {
                Some(text) => text.trim().parse::<f32>().unwrap_or(0.0),
                None => 1.0,
            };
            let Some(language) = Language::of(tag.trim()) else { continue };
            let weight = permille(weight);
            if weight > 0 && best.is_none_or(|(known, _)| weight > known) {
                best = Some((weight, language));
            }
        }
        best.map(|(_, language)| language)
    }
}

fn permille(weight: f32) -> u16 {
    // Three digits at most (RFC 9110 §12.4.2): compared as whole numbers.
    (0..=1_000).rev().find(|n| f32::from(*n) <= weight * 1_000.0).unwrap_or(0)
}

/// The texts of all languages.
#[derive(Debug)]
pub(crate) struct Languages {
    english: Texts,
    german: Texts,
}

impl Languages {
    /// Reads the files that the program was built with.
    ///
    /// # Errors
    /// Which file is wrong, and where.
    pub(crate) fn load() -> Result<Languages, String> {
        let read = |language: Language| {
            toml::from_str(language.file()).map_err(|error| format!("texts/{}.toml: {error}", language.tag()))
        };
        Ok(Languages { english: read(Language::English)?, german: read(Language::German)? })
    }

    pub(crate) fn of(&self, language: Language) -> &Texts {
        match language {
            Language::English => &self.english,
            Language::German => &self.german,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str) -> Vec<&str> {
        let mut names: Vec<&str> =
            text.split('{').skip(1).filter_map(|rest| rest.split_once('}').map(|p| p.0)).collect();
        names.sort_unstable();
        names
    }

    /// Goal: every language has every text, none is empty, and each asks for the same values as the English one.
    #[test]
    fn languages_agree() {
        let languages = Languages::load().unwrap();
        let english = languages.of(Language::English).all();
        for language in Language::ALL {
            for ((key, text), (_, first)) in languages.of(language).all().into_iter().zip(&english) {
                assert!(!text.0.trim().is_empty(), "{language:?} {key}");
                assert_eq!(names(&text.0), names(&first.0), "{language:?} {key}");
            }
        }
    }

    /// Goal: a visitor gets the language that is asked for, by weight, and English otherwise; nonsense is passed over.
    #[test]
    fn choosing() {
        assert_eq!(Language::accepted("fr, de-AT;q=0.7, en;q=0.8"), Some(Language::English));
        assert_eq!(Language::accepted("de-DE,de;q=0.9,en;q=0.8"), Some(Language::German));
        assert_eq!(Language::accepted("en;q=0, de;q=0.001"), Some(Language::German));
        assert_eq!(Language::accepted("de;q=NaN, ;;, *"), None);
        assert_eq!(Language::of_list("fr-CA de en"), Some(Language::German));
        assert_eq!(Language::of_list("<script>"), None);
    }

    /// Goal: a value that looks like a name between braces is not filled in again, and no text hides another.
    #[test]
    fn filling() {
        let text = Text("{app} and {who}".to_owned());
        assert_eq!(text.with("app", "A").with("who", "B").0, "A and B");
    }
}
