//! What a browser takes along when it is sent away from an authorization request, sealed into the address that it comes
//! back to: since when the login must be, what was asked already. Bound to the request that it belongs to.

use super::Provider;
use super::decide::Demanded;
use super::parameters::Parameters;
use aws_lc_rs::digest::{SHA256, digest};
use directory::clock::{Millis, Span};
use serde::{Deserialize, Serialize};

/// The parameter.
pub(super) const PARAMETER: &str = "resume";
/// The parameter that names the trail of a login; of no other meaning.
pub(super) const FLOW: &str = "flow";
const PURPOSE: &str = "authorize";
/// How long somebody may be away.
const LASTING: Span = Span::from_hours(1);

#[derive(Serialize, Deserialize)]
struct Sealed {
    request: [u8; 32],
    since: Option<i64>,
    level: bool,
    consented: bool,
}

impl Provider {
    /// What was demanded of this request before; nothing when that was another request, or too long ago.
    pub(super) fn demanded(&self, parameters: &Parameters) -> Demanded {
        let Some(text) = parameters.get(PARAMETER) else { return Demanded::default() };
        let now = self.directory().now().wall;
        let sealed: Option<Sealed> = self.web().sealer().open(PURPOSE, text, now);
        match sealed.filter(|sealed| sealed.request == mark(parameters)) {
            None => Demanded::default(),
            Some(Sealed { since, level, consented, .. }) => Demanded { since: since.map(Millis), level, consented },
        }
    }

    /// The path that leads back to this request.
    pub(super) fn way_back(&self, parameters: &Parameters, demanded: Demanded, flow: &str) -> Option<String> {
        let Demanded { since, level, consented } = demanded;
        let sealed = Sealed { request: mark(parameters), since: since.map(|at| at.0), level, consented };
        let now = self.directory().now().wall;
        let text = self.web().sealer().seal(self.directory(), PURPOSE, &sealed, now, LASTING)?;
        Some(format!("/oauth2/authorize?{}&{FLOW}={flow}&{PARAMETER}={text}", bare(parameters)))
    }
}

fn bare(parameters: &Parameters) -> String {
    parameters.encode_without(&[PARAMETER, FLOW])
}

fn mark(parameters: &Parameters) -> [u8; 32] {
    let mut out = [0; 32];
    out.copy_from_slice(digest(&SHA256, bare(parameters).as_bytes()).as_ref());
    out
}
