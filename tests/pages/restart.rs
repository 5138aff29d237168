//! What a browser keeps survives a restart of the server: the key of the pages follows from the seal key.

use crate::factor::{code, demand, set_up};
use directory::clock::Span;
use testkit::{Browser, PASSWORD, Server};

/// Goal: a form of before the restart is taken after it, and a sign-in that waits for its second factor goes on where it was.
#[tokio::test]
async fn forms_and_half_done_sign_ins() {
    let server = Server::start().await;
    demand(&server, &server.active("karl").await).await;
    server.active("lena").await;
    let (key, _) = set_up(&server, &mut Browser::open(&server).await, "karl").await;
    let (mut form, mut half) = (Browser::open(&server).await, Browser::open(&server).await);
    form.visit("/sessions").await;
    half.visit("/sessions").await;
    half.sign_in("karl", PASSWORD).await;
    let (place, heading) = (half.place.clone(), half.heading());

    let server = server.restart().await;
    server.pass(Span::from_secs(60));
    for browser in [&mut form, &mut half] {
        browser.reconnect(&server).await;
    }
    form.sign_in("lena", PASSWORD).await;
    assert_eq!(form.heading(), "Where you are signed in");
    half.visit(&place).await;
    assert_eq!(half.heading(), heading, "the second factor is still what is missing");
    half.submit("/sign-in/factor", &[("code", &code(&server, &key))]).await;
    half.follow().await;
    assert_eq!(half.heading(), "Where you are signed in");
    server.verify().await;
}
