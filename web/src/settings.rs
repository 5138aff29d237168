//! The pages as a whole: what they are made with, and their routes.

use crate::assets::{Assets, ICON, SCRIPT, STYLE};
use crate::look;
use crate::page::problem;
use crate::return_to::Wish;
use crate::seal::Sealer;
use crate::session;
use crate::sign_in::{self, Upstream};
use crate::text::{Language, Languages};
use crate::theme::Theme;
use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::{Request, Response, StatusCode};
use axum::routing::{get, post};
use directory::clock::Span;
use directory::handle::Directory;
use std::sync::Arc;

/// Who knows the upstream providers: what a sign-in may be offered.
pub type Upstreams = Arc<dyn Fn(&Wish) -> Vec<Upstream> + Send + Sync>;

/// What the pages are made with.
#[derive(Clone)]
pub struct Settings {
    /// The server's address as browsers know it; none: what they ask for.
    pub public_url: Option<String>,
    /// The language of those who ask for none that is spoken.
    pub language: Language,
    /// A session ends after so long without use.
    pub session_idle: Span,
    /// A session ends after so long in any case.
    pub session_life: Span,
    /// The themes; the one without a tenant is everybody else's.
    pub themes: Vec<Theme>,
    /// The upstream providers.
    pub upstreams: Upstreams,
    /// The key that sealed values follow from; the same on every server that shares its visitors.
    pub key: [u8; 32],
}

impl Settings {
    /// The defaults, with a key that follows from the directory's seal key: forms and sign-ins that are half done survive a
    /// restart. Without that key it is one of this run.
    pub fn new(directory: &Directory) -> Settings {
        Settings {
            public_url: None,
            language: Language::English,
            session_idle: Span::from_hours(1),
            session_life: Span::from_hours(12),
            themes: Vec::new(),
            upstreams: Arc::new(|_| Vec::new()),
            key: directory.derived_key("rollbook web").map_or_else(|_| directory.random_bytes(), |key| *key),
        }
    }
}

/// A theme and where its parts are.
pub(crate) struct Dress {
    pub(crate) theme: Theme,
    pub(crate) style: Option<String>,
    pub(crate) logo: String,
}

struct Inner {
    directory: Directory,
    settings: Settings,
    sealer: Sealer,
    languages: Languages,
    assets: Assets,
    style: String,
    script: String,
    icon: String,
    dresses: Vec<Dress>,
    common: Dress,
}

/// The pages. Cheap to clone.
#[derive(Clone)]
pub struct Web {
    inner: Arc<Inner>,
}

impl Web {
    /// Makes the pages over a directory.
    ///
    /// # Errors
    /// What cannot be used.
    pub fn open(directory: Directory, settings: Settings) -> Result<Web, String> {
        let sealer = Sealer::new(&settings.key).ok_or("the key for sealed values cannot be used")?;
        let mut assets = Assets::default();
        let style = assets.add("ledger.css", "text/css; charset=utf-8", STYLE);
        let script = assets.add("rollbook.js", "text/javascript; charset=utf-8", SCRIPT);
        let icon = assets.add("icon.svg", "image/svg+xml", ICON);
        let mut dresses: Vec<Dress> =
            settings.themes.iter().map(|theme| dress(&mut assets, &icon, theme.clone())).collect();
        let common = match dresses.iter().position(|dress| dress.theme.tenant.is_none()) {
            Some(at) => dresses.swap_remove(at),
            None => dress(&mut assets, &icon, Theme::default()),
        };
        let languages = Languages::load()?;
        let inner = Inner { directory, settings, sealer, languages, assets, style, script, icon, dresses, common };
        Ok(Web { inner: Arc::new(inner) })
    }

    /// The directory behind the pages.
    pub fn directory(&self) -> &Directory {
        &self.inner.directory
    }

    /// What seals values that leave the server.
    pub fn sealer(&self) -> &Sealer {
        &self.inner.sealer
    }

    /// The settings.
    pub fn settings(&self) -> &Settings {
        &self.inner.settings
    }

    pub(crate) fn languages(&self) -> &Languages {
        &self.inner.languages
    }

    pub(crate) fn style(&self) -> &str {
        &self.inner.style
    }

    pub(crate) fn script(&self) -> &str {
        &self.inner.script
    }

    pub(crate) fn icon(&self) -> &str {
        &self.inner.icon
    }

    /// The theme of a tenant.
    pub(crate) fn dress(&self, tenant: Option<&str>) -> &Dress {
        let of = |dress: &&Dress| tenant.is_some() && dress.theme.tenant.as_deref() == tenant;
        self.inner.dresses.iter().find(of).unwrap_or(&self.inner.common)
    }

    pub(crate) fn upstreams(&self, wish: &Wish) -> Vec<Upstream> {
        (self.inner.settings.upstreams)(wish)
    }
}

fn dress(assets: &mut Assets, icon: &str, theme: Theme) -> Dress {
    let style = theme.style().map(|style| assets.add("theme.css", "text/css; charset=utf-8", style));
    let logo = theme.logo.clone().map(|logo| assets.add("logo.svg", "image/svg+xml", logo));
    Dress { style, logo: logo.unwrap_or_else(|| icon.to_owned()), theme }
}

/// The routes of the pages.
pub fn router(web: Web) -> Router {
    Router::new()
        .route("/sign-in", get(sign_in::show).post(sign_in::take))
        .route("/sign-in/restart", get(sign_in::restart))
        .route("/sign-in/factor", get(sign_in::factor::show).post(sign_in::factor::take))
        .route("/sign-in/enrol", get(sign_in::enrol::show).post(sign_in::enrol::take))
        .route("/sign-in/codes", post(sign_in::codes::take))
        .route("/sign-in/password", get(sign_in::password::show).post(sign_in::password::take))
        .route("/sign-out", get(sign_in::sign_out::show).post(sign_in::sign_out::take))
        .route("/sessions", get(session::page::show).post(session::page::take))
        .route("/look", post(look::take))
        .route("/assets/{hash}/{name}", get(asset))
        .method_not_allowed_fallback(not_so)
        .with_state(web)
}

async fn asset(State(web): State<Web>, request: Request<Body>) -> Response<Body> {
    match web.inner.assets.answer(request.uri().path()) {
        Some(answer) => answer,
        None => {
            let (parts, _) = request.into_parts();
            let visit = web.visit(&parts);
            problem(&visit, StatusCode::NOT_FOUND, |t| (&t.missing_title, &t.missing, &t.missing_next))
        }
    }
}

async fn not_so(State(web): State<Web>, request: Request<Body>) -> Response<Body> {
    let (parts, _) = request.into_parts();
    let visit = web.visit(&parts);
    problem(&visit, StatusCode::METHOD_NOT_ALLOWED, |t| (&t.method_title, &t.method, &t.missing_next))
}
