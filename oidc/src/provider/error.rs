//! Why a request is not carried out, by the names of the specifications, and where that is told.

/// An error code (RFC 6749 §4.1.2.1 and §5.2, RFC 6750 §3.1, OpenID Connect Core §3.1.2.6).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Code {
    /// A parameter is missing, malformed, twice or too long.
    InvalidRequest,
    /// The client could not be authenticated.
    InvalidClient,
    /// The code or refresh token is not good.
    InvalidGrant,
    /// The client may not use this grant.
    UnauthorizedClient,
    /// The token endpoint does not know this grant.
    UnsupportedGrantType,
    /// No scope is left, or more is asked for than was granted.
    InvalidScope,
    /// Somebody said no: the person, or the rules of who may enter.
    AccessDenied,
    /// Anything but `code`.
    UnsupportedResponseType,
    /// Something failed here.
    ServerError,
    /// Too much is going on.
    TemporarilyUnavailable,
    /// `prompt=none`, and nobody is signed in as is needed.
    LoginRequired,
    /// `prompt=none`, and consent is needed.
    ConsentRequired,
    /// `prompt=none`, and a second factor is needed.
    InteractionRequired,
    /// `request` is not taken.
    RequestNotSupported,
    /// `request_uri` is not taken.
    RequestUriNotSupported,
    /// `registration` is not taken.
    RegistrationNotSupported,
    /// RFC 6750: the access token is not good.
    InvalidToken,
    /// RFC 6750: the access token does not reach that far.
    InsufficientScope,
    /// A level of authentication that is demanded cannot be had (OpenID Connect Core Error Code
    /// unmet_authentication_requirements).
    UnmetAuthentication,
    /// RFC 7009 §2.2.1.
    UnsupportedTokenType,
}

impl Code {
    /// The code as it is sent.
    pub fn name(self) -> &'static str {
        match self {
            Code::InvalidRequest => "invalid_request",
            Code::InvalidClient => "invalid_client",
            Code::InvalidGrant => "invalid_grant",
            Code::UnauthorizedClient => "unauthorized_client",
            Code::UnsupportedGrantType => "unsupported_grant_type",
            Code::InvalidScope => "invalid_scope",
            Code::AccessDenied => "access_denied",
            Code::UnsupportedResponseType => "unsupported_response_type",
            Code::ServerError => "server_error",
            Code::TemporarilyUnavailable => "temporarily_unavailable",
            Code::LoginRequired => "login_required",
            Code::ConsentRequired => "consent_required",
            Code::InteractionRequired => "interaction_required",
            Code::RequestNotSupported => "request_not_supported",
            Code::RequestUriNotSupported => "request_uri_not_supported",
            Code::RegistrationNotSupported => "registration_not_supported",
            Code::InvalidToken => "invalid_token",
            Code::InsufficientScope => "insufficient_scope",
            Code::UnmetAuthentication => "unmet_authentication_requirements",
            Code::UnsupportedTokenType => "unsupported_token_type",
        }
    }
}

/// A refusal: the code and a sentence of ours. Nothing that a peer sent is in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wrong {
    /// The code.
    pub code: Code,
    /// A sentence for the one who writes the client.
    pub why: &'static str,
}

impl Wrong {
    /// A refusal.
    pub const fn new(code: Code, why: &'static str) -> Wrong {
        Wrong { code, why }
    }
}

/// Where the refusal of an authorization request is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Told {
    /// On a page of ours: where the client wants its answers is not known for sure.
    Page(Wrong),
    /// At the client's registered address.
    Client {
        /// What.
        wrong: Wrong,
        /// Where.
        redirect_uri: String,
        /// With which state.
        state: Option<String>,
    },
}
