//! Bind (RFC 4511 §4.2, RFC 4513 §5): who is there.
//!
//! Owns which of the binds it is. Names with a password go to the one gate, `directory`'s `authenticate`; every refusal
//! of it looks the same on the wire: `invalidCredentials`, no text, no name (requirement 2.9).

use super::{Asked, Step, barred_outcome};
use crate::{
    door::{Door, PeerKind},
    result::{Outcome, policy_error},
    session::{Barred, Session},
    wire::{
        ResultCode,
        control::{PasswordPolicyError, PasswordPolicyResponse, PasswordPolicyWarning},
        message::{Bind, Credentials},
    },
};
use bytes::BytesMut;
use directory::{
    authenticate::{Login, LoginName, Verdict},
    context::Context,
    credential::Secret,
    lifecycle::ChangePath,
};

/// A bind that waits for the gate.
#[derive(Debug)]
pub(crate) struct Pending {
    pub(crate) context: Context,
    pub(crate) login: Login,
    pub(crate) answer: Asked,
}

pub(crate) fn begin(door: &Door, session: &mut Session, asked: Asked, request: &Bind<'_>, out: &mut BytesMut) -> Step {
    if request.version != 3 {
        asked.answer(door, &Outcome::new(ResultCode::PROTOCOL_ERROR, "only version 3 is spoken here"), out);
        return Step::Answered;
    }
    let password = match request.credentials {
        Credentials::Simple(password) => password,
        Credentials::Sasl { mechanism, credentials } => {
            let outcome = sasl(door, session, mechanism, credentials.unwrap_or_default());
            asked.answer(door, &outcome, out);
            return Step::Answered;
        }
        Credentials::Unknown(_) => {
            asked.answer(door, &no_such_method(), out);
            return Step::Answered;
        }
    };
    let outcome = match (request.name.is_empty(), password.is_empty()) {
        (true, true) => anonymous(door),
        // RFC 4513 §5.1.2: a name without a password proves nothing, and clients take success for a proof.
        (false, true) => Outcome::new(ResultCode::UNWILLING_TO_PERFORM, "a bind with a name needs a password"),
        (true, false) => refused(),
        (false, false) if session.bar(asked.operation, door.settings.require_tls).is_some() => {
            door.metrics.password_exposed();
            tracing::warn!(
                connection = asked.connection,
                request_id = asked.context.request_id,
                "a password was sent in clear where TLS is required"
            );
            barred_outcome(Barred::Confidentiality)
        }
        (false, false) if password.len() > door.settings.max_password => refused(),
        (false, false) => {
            let login = Login {
                name: login_name(door, request.name),
                password: Secret::new(password.to_vec()),
                change: if asked.controls.password_policy { ChangePath::Control } else { ChangePath::None },
            };
            return Step::Bind(Box::new(Pending { context: asked.context, login, answer: asked }));
        }
    };
    asked.answer(door, &outcome, out);
    Step::Answered
}

/// The gate has spoken.
pub(crate) fn finish(door: &Door, session: &mut Session, asked: &Asked, verdict: Verdict, out: &mut BytesMut) {
    let outcome = match verdict {
        Verdict::Admitted(admitted) => {
            session.bound(&admitted);
            let warning = admitted.expires_in_seconds.map(PasswordPolicyWarning::TimeBeforeExpiration);
            let error = admitted.must_change.then_some(PasswordPolicyError::ChangeAfterReset);
            Outcome { policy: Some(PasswordPolicyResponse { warning, error }), ..Outcome::success() }
        }
        Verdict::Refused { hint } => {
            let error = hint.map(policy_error);
            Outcome { policy: Some(PasswordPolicyResponse { warning: None, error }), ..refused() }
        }
        Verdict::Busy => Outcome::new(ResultCode::BUSY, "too many logins at once"),
    };
    asked.answer(door, &outcome, out);
}

fn anonymous(door: &Door) -> Outcome<'static> {
    if door.settings.anonymous_bind {
        Outcome::success()
    } else {
        Outcome::new(ResultCode::INAPPROPRIATE_AUTHENTICATION, "anonymous binds are off")
    }
}

/// One answer for every refused login.
fn refused() -> Outcome<'static> {
    Outcome::new(ResultCode::INVALID_CREDENTIALS, "")
}

fn no_such_method() -> Outcome<'static> {
    Outcome::new(ResultCode::AUTH_METHOD_NOT_SUPPORTED, "")
}

fn login_name(door: &Door, name: &[u8]) -> LoginName {
    match std::str::from_utf8(name) {
        Ok(text) if door.settings.bind_by_username && !name.contains(&b'=') => LoginName::Username(text.to_owned()),
        _ => LoginName::Dn(name.to_vec()),
    }
}

/// EXTERNAL on a local socket: the kernel has authenticated the peer (RFC 4422 appendix A).
fn sasl(door: &Door, session: &mut Session, mechanism: &[u8], authorization: &[u8]) -> Outcome<'static> {
    let (b"EXTERNAL", PeerKind::Local { uid }) = (mechanism, session.peer.kind) else { return no_such_method() };
    // Nobody may act as somebody else.
    if !authorization.is_empty() || (uid != 0 && uid != door.own_uid) {
        return refused();
    }
    session.operator();
    Outcome::success()
}
