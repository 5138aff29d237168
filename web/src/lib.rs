//! The pages on which people sign in and see where they are signed in, and what every page of this server shares.
//!
//! ```text
//! request ─▶ visit (language, colours, form cookie) ─▶ page ─▶ template ─▶ headers
//!              │                                        ▲
//!              └─ POST: form (origin, token) ─▶ sign_in: step ─▶ finish ─▶ next step │ session ─▶ where the visitor wanted
//! ```
//!
//! Owns cookies, forms against forgery, headers, languages, themes, assets and the pages themselves. What a login is, and
//! whether it is good, is decided in `directory`; what an application asked for is `oidc`'s, which leads people here with
//! [`sign_in_uri`] and finds them again by [`SignedIn`].

#![deny(clippy::arithmetic_side_effects)]

mod agent;
mod application;
mod assets;
mod cookie;
mod form;
mod headers;
mod kept;
mod look;
mod page;
mod person;
mod return_to;
mod seal;
mod session;
mod settings;
mod sign_in;
mod text;
mod theme;
mod time;
mod upstream;
mod visit;

pub use application::{Consent, application_problem, ask_consent, denied};
pub use form::{Fields, Posted};
pub use headers::Policy;
pub use kept::Kept;
pub use page::{Problem, problem_page};
pub use person::Person;
pub use return_to::{Acr, Hints, Message, ReturnTo, Wish, sign_in_uri};
pub use seal::Sealer;
pub use session::SignedIn;
pub use settings::{Settings, Web, router};
pub use sign_in::Upstream;
pub use sign_in::finish::proceed;
pub use sign_in::progress::{Method, Progress, Stage};
pub use sign_in::sign_out::{ask_sign_out, end_session, leave, signed_out};
pub use text::Language;
pub use theme::{Colour, Theme};
pub use upstream::{Linking, ask_link, back_to_sign_in, sign_in_to_link, trial, upstream_refused};
pub use visit::{Colours, Visit};
