//! Second factors of an account: an authenticator app, recovery codes, whether a policy demands one.
//!
//! Enrolling is two steps: a seed is shown, then proven by a code. Until then it counts for nothing, and the former one
//! goes on. Proving a factor at a login is the gate's (`authenticate::factor`).

use super::apply::GrantOp;
use super::{check_texts, text, totp};
use crate::change::Receipt;
use crate::clock::{Millis, Span};
use crate::context::Context;
use crate::entry::record::Record;
use crate::error::{Reason, Refusal};
use crate::handle::Directory;
use crate::id::EntryId;
use crate::random::Random;
use crate::schema::Schema;
use crate::schema::known::attribute as known;
use crate::store::codec;
use crate::store::view::View;
use crate::token::Secret;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

/// How many recovery codes are made at a time.
pub const CODES: usize = 10;
/// Wrong factors in a row after which none is looked at for a while, whatever a right password resets.
pub const ATTEMPTS: u16 = 5;
/// How long the first such while is; each further failure doubles it.
pub const PAUSE: Span = Span::from_mins(15);
/// The longest while.
pub const LONGEST_PAUSE: Span = Span::from_hours(24);
/// The longest label.
const LABEL: usize = 128;
/// Letters of recovery codes that are not taken for one another: five bits each.
const LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";

/// An authenticator app, as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totp {
    /// What it is called.
    pub label: String,
    /// Enrolled (`wall`).
    pub created: Millis,
    /// The last step that was used.
    pub last_step: u64,
    /// The seed, sealed.
    pub(crate) sealed: Vec<u8>,
}

/// What is stored of an account's factors.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stored {
    /// The app that counts.
    pub totp: Option<Totp>,
    /// One that is not proven yet.
    pub pending: Option<Totp>,
    /// SHA-256 of the recovery codes that are left, salted.
    pub codes: Vec<[u8; 32]>,
    /// Their salt.
    pub salt: [u8; 16],
    /// Wrong factors in a row.
    pub failures: u16,
    /// The last one (`wall`).
    pub failed: Millis,
}

impl Stored {
    /// Until when no factor is looked at (`wall`).
    pub fn paused_until(&self) -> Option<Millis> {
        let beyond = self.failures.checked_sub(ATTEMPTS)?;
        let pause = PAUSE.doubled(u8::try_from(beyond.min(30)).unwrap_or(30), LONGEST_PAUSE);
        Some(self.failed.saturating_add(pause))
    }

    /// The digest of a recovery code as it is typed: case, spaces and dashes do not matter.
    pub fn code_digest(&self, account: EntryId, typed: &str) -> [u8; 32] {
        let plain: String = typed.chars().filter(char::is_ascii_alphanumeric).collect();
        let plain = Zeroizing::new(plain.to_ascii_lowercase());
        text::digest(&[self.salt.as_slice(), &account.0.to_be_bytes(), plain.as_bytes()].concat())
    }
}

/// An account's factors, for pages and lists.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Factors {
    /// The authenticator app: what it is called, and since when.
    pub totp: Option<(String, Millis)>,
    /// How many recovery codes are left.
    pub recovery_codes: usize,
    /// A login needs one.
    pub required: bool,
}

impl Factors {
    /// Something is enrolled.
    pub fn any(&self) -> bool {
        self.totp.is_some()
    }
}

/// An app that is being enrolled.
#[derive(Clone)]
pub struct NewTotp {
    /// The seed as it is typed into the app.
    pub seed: Secret,
    /// The same as an `otpauth` URI, for a QR code.
    pub uri: Secret,
}

impl Directory {
    /// The factors of an account.
    ///
    /// # Errors
    /// `Store`.
    pub fn factors_of(&self, account: EntryId) -> Result<Factors, Refusal> {
        let stored = self.stored_factors(account)?;
        Ok(Factors {
            totp: stored.totp.map(|totp| (totp.label, totp.created)),
            recovery_codes: stored.codes.len(),
            required: required(self.snapshot()?.as_ref(), self.schema(), account)?,
        })
    }

    /// Draws a seed and shows it. `issuer` and `name` are what the app shows. The door has seen the owner.
    ///
    /// # Errors
    /// `Unwilling` without the seal key, `NoSuchEntry` when the account is gone.
    pub async fn begin_totp(
        &self,
        context: &Context,
        account: EntryId,
        issuer: &str,
        name: &str,
    ) -> Result<NewTotp, Refusal> {
        check_texts([issuer, name], LABEL)?;
        let random = &self.inner().random;
        let seed = Zeroizing::new(random.bytes::<{ totp::SEED }>());
        let sealed = self.seal_key()?.seal(random, &place(account), seed.as_slice())?;
        let totp = Totp { label: name.to_owned(), created: context.now.wall, last_step: 0, sealed };
        self.grant(context, GrantOp::BeginTotp { account, totp: Box::new(totp) }).await?;
        let seed = totp::base32(seed.as_slice());
        let (who, what) = (escape(name), escape(issuer));
        let uri = format!("otpauth://totp/{what}:{who}?secret={seed}&issuer={what}&algorithm=SHA1&digits=6&period=30");
        Ok(NewTotp { seed: Secret::of(seed), uri: Secret::of(uri) })
    }

    /// Proves the app that is being enrolled by a code of it. It counts from now on, in place of the one before. False:
    /// it is not its code, and another may be tried.
    ///
    /// # Errors
    /// `NoSuchEntry` when none is being enrolled.
    pub async fn confirm_totp(&self, context: &Context, account: EntryId, code: &str) -> Result<bool, Refusal> {
        let none = || Refusal::new(Reason::NoSuchEntry { matched: String::new() }, "no app is being enrolled");
        let pending = self.stored_factors(account)?.pending.ok_or_else(none)?;
        let seed = self.seal_key()?.open(&place(account), &pending.sealed)?;
        let Some(step) = totp::find(&seed, code, context.now.wall, pending.last_step) else { return Ok(false) };
        let op = GrantOp::ConfirmTotp { account, sealed: pending.sealed, step };
        Ok(self.grant(context, op).await?.grants.denied.is_none())
    }

    /// Makes recovery codes in place of those before, and shows them. The door has seen the owner.
    ///
    /// # Errors
    /// `NoSuchEntry` when the account is gone.
    pub async fn make_recovery_codes(&self, context: &Context, account: EntryId) -> Result<Vec<Secret>, Refusal> {
        let random = &self.inner().random;
        let shell = Stored { salt: random.bytes(), ..Stored::default() };
        let codes: Vec<Secret> = (0..CODES).map(|_| Secret::of(recovery_code(random))).collect();
        let digests = codes.iter().map(|code| shell.code_digest(account, code.expose())).collect();
        self.grant(context, GrantOp::SetCodes { account, codes: digests, salt: shell.salt }).await?;
        Ok(codes)
    }

    /// Takes all factors from an account: by its owner, or by an administrator for whoever has lost them.
    ///
    /// # Errors
    /// `NotAllowed`.
    pub async fn remove_factors(&self, context: &Context, account: EntryId) -> Result<Receipt, Refusal> {
        self.grant_as(context, GrantOp::RemoveFactors { account }).await
    }

    pub(crate) fn stored_factors(&self, account: EntryId) -> Result<Stored, Refusal> {
        let snapshot = self.snapshot()?;
        let guard = snapshot.factors()?.get(account.0)?;
        Ok(guard.map(|g| codec::decode(g.value())).transpose()?.unwrap_or_default())
    }

    /// The seed of the app that counts.
    pub(crate) fn totp_seed(&self, account: EntryId, totp: &Totp) -> Result<Zeroizing<Vec<u8>>, Refusal> {
        self.seal_key()?.open(&place(account), &totp.sealed)
    }
}

/// Whether a login of this account needs a second factor: the account says so, or its policy, or the policy of the
/// nearest entry above it that names one.
fn required(view: &impl View, schema: &Schema, account: EntryId) -> Result<bool, Refusal> {
    let says = |id: EntryId| {
        let guard = view.record(id)?;
        let record = guard.as_ref().and_then(|g| Record::parse(g.value()).ok());
        let value = record.and_then(|r| r.values(known::ROLLBOOK_SECOND_FACTOR).next().map(<[u8]>::to_vec));
        Ok::<_, Refusal>(value.map(|value| value.eq_ignore_ascii_case(b"TRUE")))
    };
    if let Some(own) = says(account)? {
        return Ok(own);
    }
    let policy = policy_of(view, schema, account)?;
    Ok(policy.map(says).transpose()?.flatten().unwrap_or(false))
}

/// The policy of an entry: the one that it names, or that of the nearest entry above it that names one.
pub(super) fn policy_of(view: &impl View, schema: &Schema, from: EntryId) -> Result<Option<EntryId>, Refusal> {
    let mut id = from;
    // A tree is as deep as a DN has RDNs; the bound guards against a damaged store.
    for _ in 0..1_000 {
        let Some(guard) = view.record(id)? else { return Ok(None) };
        let Ok(record) = Record::parse(guard.value()) else { return Ok(None) };
        if let Some(dn) = record.values(known::ROLLBOOK_POLICY_NAME).next() {
            let key = crate::entry::dn::DnKey::parse(schema, dn).ok();
            return Ok(key.map(|key| view.id_of(key.as_bytes())).transpose()?.flatten());
        }
        id = record.parent();
        if id == EntryId::NONE {
            break;
        }
    }
    Ok(None)
}

/// Eighty random bits in four groups.
fn recovery_code(random: &Random) -> String {
    let drawn = Zeroizing::new(random.bytes::<16>());
    let letter = |byte: &u8| char::from(LETTERS.get(usize::from(byte & 31)).copied().unwrap_or(b'a'));
    let letters: Vec<String> = drawn.chunks(4).map(|group| group.iter().map(letter).collect()).collect();
    letters.join("-")
}

fn place(account: EntryId) -> String {
    format!("factors/{}", account.0)
}

/// Percent-encodes what is not unreserved (RFC 3986 §2.3).
fn escape(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}
