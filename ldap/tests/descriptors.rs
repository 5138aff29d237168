//! Running out of file descriptors: a process of its own, because the limit is the process's (row G10).

#[cfg(test)]
#[expect(dead_code, reason = "shared with the hostile rows, which use all of it")]
#[path = "hostile/client.rs"]
mod client;
#[cfg(test)]
#[path = "hostile/fixture.rs"]
mod fixture;
#[cfg(test)]
#[expect(dead_code, reason = "shared with the hostile rows, which use all of it")]
#[path = "hostile/server.rs"]
mod server;

#[cfg(test)]
mod tests {
    use super::{client::Client, server::Server};
    use ldap::Settings;
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    use std::time::Duration;

    #[tokio::test]
    async fn no_descriptors_left_is_a_pause_and_not_the_end() {
        // Goal: while no descriptor is free, connections that stand are served and new ones wait; the first that closes
        // lets the next one in.
        let server = Server::start(Settings::default()).await;
        let mut standing = Client::connect(server.ldap).await;
        let mut leaving = Client::connect(server.ldap).await;
        assert_eq!((standing.who().await, leaving.who().await), (String::new(), String::new()));

        let limit = getrlimit(Resource::Nofile);
        // Counting opens one itself, which is closed again: the next connect takes its place and is the last.
        let open = std::fs::read_dir("/proc/self/fd").unwrap().count() as u64;
        setrlimit(Resource::Nofile, Rlimit { current: Some(open), ..limit }).unwrap();
        let mut waiting = Client::connect(server.ldap).await;
        let mut every = tokio::time::interval(Duration::from_millis(5));
        while server.metrics().accept_failures == 0 {
            every.tick().await;
        }
        assert_eq!(standing.who().await, "", "served while others wait");

        drop(leaving);
        assert_eq!(waiting.who().await, "", "let in when there is room");
        setrlimit(Resource::Nofile, limit).unwrap();
        let mut later = Client::connect(server.ldap).await;
        assert_eq!(later.who().await, "");
        server.stop().await;
    }
}
