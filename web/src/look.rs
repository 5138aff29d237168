//! The choice of language and colours, from the foot of every page.

use crate::Web;
use crate::return_to::ReturnTo;
use crate::text::Language;
use crate::visit::Colours;
use axum::body::Body;
use axum::extract::State;
use axum::http::{Request, Response, header};

/// `POST /look`.
pub(crate) async fn take(State(web): State<Web>, request: Request<Body>) -> Response<Body> {
    let posted = match web.posted(request).await {
        Ok(posted) => posted,
        Err(response) => return response,
    };
    let (visit, fields) = (posted.visit, posted.fields);
    let back = ReturnTo::path(&fields.text("back")).unwrap_or_else(ReturnTo::home);
    let mut response = visit.see_other(back.as_str());
    if let Some(line) = visit.look(Language::of(&fields.text("language")), Colours::of(&fields.text("colours"))) {
        response.headers_mut().append(header::SET_COOKIE, line);
    }
    response
}
