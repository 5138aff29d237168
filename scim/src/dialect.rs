//! Dialects: what a client sends beside the RFCs and is understood, what it expects to be answered.
//!
//! Owns one row per client. A token names its dialect; the switches are those of [`crate::protocol::rules`], and whatever
//! passes only because of one is counted and logged by its name. A dialect changes how a request is read and how much an
//! answer tells, never what may be done.

use crate::protocol::filter::Mode;
use crate::protocol::rules::{Missing, Rules};
use crate::schema::Attribute;
use directory::entry::name::UsernameKey;
use std::sync::LazyLock;

/// What comes back after a group was changed, when the request does not say which attributes it wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// The whole resource.
    Whole,
    /// All but the members.
    WithoutMembers,
    /// 204.
    Nothing,
}

/// How a client speaks.
#[derive(Debug, Clone, Copy)]
pub struct Dialect {
    /// Its name, as tokens have it.
    pub name: &'static str,
    /// What is accepted in bodies.
    pub rules: Rules,
    /// What is accepted in filters.
    pub filters: Mode,
    /// After PATCH of a group.
    pub group_patch: Answer,
    /// After PUT or POST of a group.
    pub group_put: Answer,
    /// PUT of a group without `members` leaves them (RFC 7644 §3.5.1 lets the server choose).
    pub put_keeps_members: bool,
    /// Discovery and resources show what only this server has: the state of accounts, roles.
    pub extensions: bool,
}

/// A row: the name, what `replace` does when it finds nothing, the switches that differ from the lenient ones.
type Row = (&'static str, Missing, &'static [(&'static str, bool)], Answer, Answer);

#[rustfmt::skip]
const ROWS: &[Row] = &[
    // name          replace without target  differs from lenient                                              PATCH of a group         PUT of a group
    ("",             Missing::Create,   &[],                                                                   Answer::Nothing,         Answer::WithoutMembers),
    ("entra",        Missing::Create,   &[],                                                                   Answer::Nothing,         Answer::WithoutMembers),
    ("entra-legacy", Missing::Create,   &[],                                                                   Answer::Nothing,         Answer::WithoutMembers),
    ("okta",         Missing::NoTarget, &[("path_keys", false), ("packed_complex", false)],                    Answer::Nothing,         Answer::WithoutMembers),
    ("okta-oin",     Missing::NoTarget, &[("path_keys", false), ("packed_complex", false)],                    Answer::Nothing,         Answer::WithoutMembers),
    ("google",       Missing::NoTarget, &[("path_keys", false), ("packed_complex", false)],                    Answer::WithoutMembers,  Answer::WithoutMembers),
    ("jumpcloud",    Missing::Create,   &[("packed_complex", false)],                                          Answer::Nothing,         Answer::WithoutMembers),
    ("sailpoint",    Missing::Create,   &[("packed_complex", false)],                                          Answer::WithoutMembers,  Answer::WithoutMembers),
    ("onelogin",     Missing::Create,   &[("packed_complex", false)],                                          Answer::WithoutMembers,  Answer::WithoutMembers),
    ("ping",         Missing::Create,   &[("packed_complex", false)],                                          Answer::WithoutMembers,  Answer::WithoutMembers),
];

static DIALECTS: LazyLock<Vec<Dialect>> = LazyLock::new(|| {
    let mut dialects: Vec<Dialect> = ROWS.iter().map(lenient).collect();
    dialects.push(Dialect {
        name: "strict",
        rules: Rules { same, ..Rules::STRICT },
        filters: Mode::Strict,
        group_patch: Answer::Whole,
        group_put: Answer::Whole,
        put_keeps_members: false,
        extensions: false,
    });
    dialects
});

fn lenient((name, missing, switches, group_patch, group_put): &Row) -> Dialect {
    let mut rules = Rules { patch_replace_missing: *missing, same, ..Rules::LENIENT };
    for (switch, on) in *switches {
        rules.set(switch, *on);
    }
    Dialect {
        name,
        rules,
        filters: Mode::Lenient,
        group_patch: *group_patch,
        group_put: *group_put,
        put_keeps_members: true,
        extensions: true,
    }
}

/// The dialect of this name; one that is not known is the one for everybody.
pub fn of(name: &str) -> Dialect {
    let everybody = || lenient(&("", Missing::Create, &[], Answer::Nothing, Answer::WithoutMembers));
    DIALECTS.iter().find(|dialect| dialect.name == name).copied().unwrap_or_else(everybody)
}

/// The names that a token may have.
pub fn names() -> impl Iterator<Item = &'static str> {
    DIALECTS.iter().map(|dialect| dialect.name).filter(|name| !name.is_empty())
}

/// Two spellings of a username are one when the directory takes them for one.
fn same(attribute: &Attribute, one: &str, other: &str) -> bool {
    if attribute.name == "userName"
        && let (Ok(one), Ok(other)) = (UsernameKey::prepare(one), UsernameKey::prepare(other))
    {
        return one.as_bytes() == other.as_bytes();
    }
    (Rules::STRICT.same)(attribute, one, other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_names_switches_that_there_are() {
        // Goal: a row with a misspelt switch would silently accept too much.
        for (name, _, switches, ..) in ROWS {
            for (switch, on) in *switches {
                assert!(Rules::LENIENT.clone().set(switch, *on), "{name}: {switch}");
            }
        }
        assert_eq!(of("strict").filters, Mode::Strict);
        assert_eq!(of("nobody's").name, "");
        assert_eq!(names().count(), ROWS.len());
    }
}
