//! What the log says of a request, and what it never says.

use super::*;
use axum::body::Body;
use axum::http::Request;
use rollbook::config::log::{Format, Level, Log};
use rollbook::daemon::telemetry::subscriber;
use std::sync::Mutex;

#[tokio::test]
async fn a_request_is_a_line_without_secrets() {
    // Goal (hostile rows G1, G2, D12): one line for each request with its number, path and outcome; never a header, a query,
    // a body, or more of a path than a line may have; at the level that is configured.
    for (access_log, level) in [(true, "INFO"), (false, "DEBUG")] {
        let lines = Arc::new(Mutex::new(Vec::<String>::new()));
        let sink = Arc::clone(&lines);
        let write = move |line: &[u8]| sink.lock().unwrap().push(String::from_utf8(line.to_vec()).unwrap());
        let log = Log { format: Format::Json, level: Level::Trace };
        let _guard = tracing::subscriber::set_default(subscriber(&log, clock::wall, write));
        let door = Door::with(|settings| settings.http.access_log = access_log).await;
        let long = "y".repeat(4_000);
        let mut numbers = Vec::new();
        for mut client in [door.one().await, door.two().await] {
            for path in ["/scim/echo", "/path/a%0d%0ab", &format!("/path/{long}"), "/panic"] {
                let method = if path == "/scim/echo" { "POST" } else { "GET" };
                let request = Request::builder()
                    .method(method)
                    .uri(format!("{path}?filter=userName%20eq%20%22canary%22&access_token=canary"))
                    .header("authorization", "Bearer canary")
                    .header("cookie", "session=canary")
                    .header("user-agent", "canary")
                    .body(Body::from("canary"))
                    .unwrap();
                numbers.push(client.send(request).await.header("x-request-id").to_owned());
            }
        }
        let lines = lines.lock().unwrap().clone();
        assert!(lines.iter().all(|line| !line.contains("canary") && line.len() < 2_000), "{lines:#?}");
        let requests: Vec<serde_json::Value> = lines
            .iter()
            .map(|line| serde_json::from_str(line).unwrap())
            .filter(|line: &serde_json::Value| line["target"] == "rollbook::access")
            .collect();
        assert_eq!(requests.len(), 8);
        for (line, number) in requests.iter().zip(&numbers) {
            assert_eq!(line["request_id"], number.as_str());
            assert_eq!((&line["level"], &line["peer"]), (&level.into(), &"127.0.0.1".into()));
            assert!(line["microseconds"].is_u64());
        }
        assert_eq!((&requests[0]["method"], &requests[0]["path"]), (&"POST".into(), &"/scim/echo".into()));
        assert_eq!((&requests[0]["status"], &requests[3]["status"]), (&200.into(), &500.into()));
        assert_eq!(requests[1]["path"], "/path/a%0d%0ab");
    }
}
