//! What a connection is allowed to do: the state between requests, without any I/O.
//!
//! ```text
//!                    bind begins                      admitted
//!   Anonymous ◀──────────────────── any state   ─────────────────▶ Bound
//!       ▲                                       └────────────────▶ Bound, must change its password
//!       │ TLS begins · bind refused                                      │ own password changed
//!       └──────────────────────────── any state                          ▼
//!                                                                      Bound
//! ```
//!
//! Owns the login, its rights (kept until the directory has changed) and the TLS state; the operations ask it. Holds no
//! rule about entries: what a login may do there is `directory`'s.

use crate::{
    door::{Door, Peer, PeerKind},
    operation::Operation,
    settings::Settings,
};
use directory::{
    access::Rights,
    authenticate::Admitted,
    context::{Actor, Context},
    error::{Reason, Refusal},
    id::Position,
    store::view::Snapshot,
};
use std::sync::Arc;

/// Who is at the other end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Login {
    /// Nobody.
    Anonymous,
    /// An account; `actor` says whether it must change its password first.
    Bound {
        /// The account, its epoch at login.
        actor: Actor,
        /// RFC 4513 §5.2.1.8: `dn:` and its DN at login.
        authorization: String,
    },
    /// The operator of this machine.
    Operator,
}

impl Login {
    pub(crate) fn is_anonymous(&self) -> bool {
        matches!(self, Login::Anonymous)
    }

    /// As `directory` sees it.
    pub(crate) fn actor(&self) -> Actor {
        match self {
            Login::Anonymous => Actor::Anonymous,
            Login::Bound { actor, .. } => *actor,
            Login::Operator => Actor::System,
        }
    }
}

/// Why an operation is not even begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Barred {
    /// RFC 4511 `confidentialityRequired`.
    Confidentiality,
    /// The password must be changed first.
    PasswordChange,
}

/// The rights of a login as of one state of the directory.
#[derive(Debug)]
struct Known {
    position: Position,
    rights: Arc<Rights>,
}

/// The state of one connection.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) peer: Peer,
    login: Login,
    tls: bool,
    known: Option<Known>,
}

/// What a login finds when it looks at the directory.
pub(crate) type View = (Arc<Snapshot>, Arc<Rights>);

/// Why it finds nothing.
#[derive(Debug)]
pub(crate) enum Blind {
    /// The login has ended: the account is disabled, deleted, or was signed out (requirement 2.6).
    Revoked,
    /// The directory cannot answer.
    Failed(Refusal),
}

impl Session {
    pub(crate) fn new(peer: Peer) -> Session {
        Session { peer, login: Login::Anonymous, tls: peer.kind == PeerKind::Tls, known: None }
    }

    pub(crate) fn login(&self) -> &Login {
        &self.login
    }

    pub(crate) fn actor(&self) -> Actor {
        self.login.actor()
    }

    /// Nobody else can read what is sent: TLS, or a socket of this machine.
    pub(crate) fn confidential(&self) -> bool {
        self.tls || matches!(self.peer.kind, PeerKind::Local { .. })
    }

    pub(crate) fn tls(&self) -> bool {
        self.tls
    }

    /// Octets that one request may have.
    pub(crate) fn request_bound(&self, settings: &Settings) -> usize {
        if self.login.is_anonymous() { settings.max_request_anonymous } else { settings.max_request_bound }
    }

    /// Only the change of the own password is allowed (requirement 2.10).
    pub(crate) fn must_change_password(&self) -> bool {
        matches!(self.login, Login::Bound { actor: Actor::Account { must_change_password: true, .. }, .. })
    }

    /// Whether an operation may begin. Passwords are not looked at before this. A bind and a search have their own
    /// exceptions, which they know themselves (an anonymous bind, the root DSE).
    pub(crate) fn bar(&self, operation: Operation, require_tls: bool) -> Option<Barred> {
        let always = matches!(operation, Operation::Unbind | Operation::Abandon | Operation::StartTls);
        if require_tls && !self.confidential() && !always {
            return Some(Barred::Confidentiality);
        }
        let restricted =
            matches!(operation, Operation::Bind | Operation::WhoAmI | Operation::PasswordModify | Operation::Modify);
        if self.must_change_password() && !always && !restricted {
            return Some(Barred::PasswordChange);
        }
        None
    }

    /// A bind begins: until it succeeds, and when it does not, this is nobody (RFC 4511 §4.2.1).
    pub(crate) fn begin_bind(&mut self) {
        self.become_(Login::Anonymous);
    }

    /// The account has been admitted.
    pub(crate) fn bound(&mut self, admitted: &Admitted) {
        let actor =
            Actor::Account { id: admitted.account, epoch: admitted.epoch, must_change_password: admitted.must_change };
        self.become_(Login::Bound { actor, authorization: format!("dn:{}", admitted.dn) });
    }

    /// The kernel says that the peer is the operator.
    pub(crate) fn operator(&mut self) {
        self.become_(Login::Operator);
    }

    /// TLS has begun; whoever was known in clear is not known any more (RFC 4513 §3.1.5 leaves it to the server).
    pub(crate) fn encrypted(&mut self) {
        self.tls = true;
        self.become_(Login::Anonymous);
    }

    /// The login's own password has been changed through this connection: the login goes on, in the new epoch.
    pub(crate) fn password_changed(&mut self, new_epoch: u64) {
        if let Login::Bound { actor: Actor::Account { epoch, must_change_password, .. }, .. } = &mut self.login {
            *epoch = new_epoch;
            *must_change_password = false;
        }
        self.known = None;
    }

    /// The state of the directory now and what this login may do there. Looked up again only when the directory has
    /// changed since the last time, so that a revoked login ends at its next request.
    pub(crate) fn view(&mut self, door: &Door, context: &Context) -> Result<View, Blind> {
        let snapshot = door.directory.snapshot().map_err(Blind::Failed)?;
        let position = snapshot.position();
        if let Some(known) = &self.known
            && known.position == position
        {
            return Ok((snapshot, Arc::clone(&known.rights)));
        }
        match door.directory.rights(&snapshot, context.actor) {
            Ok(rights) => {
                let rights = Arc::new(rights);
                self.known = Some(Known { position, rights: Arc::clone(&rights) });
                Ok((snapshot, rights))
            }
            Err(refusal) if matches!(refusal.reason, Reason::Store | Reason::Busy) => Err(Blind::Failed(refusal)),
            Err(_) => {
                self.become_(Login::Anonymous);
                Err(Blind::Revoked)
            }
        }
    }

    fn become_(&mut self, login: Login) {
        self.login = login;
        self.known = None;
    }
}
