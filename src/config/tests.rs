//! Tests of the whole configuration: sources, precedence, messages.

use super::*;
use std::time::Duration;

fn from_file(text: &str) -> Sources {
    Sources { file: Some(("c.toml".into(), text.to_owned())), ..Sources::default() }
}

fn messages(sources: &Sources) -> Vec<String> {
    Config::load(sources).expect_err("should be refused").0.iter().map(ToString::to_string).collect()
}

/// Goal: no source at all is a good configuration, and every default fits its field's type and bounds.
#[test]
fn the_defaults_stand_alone() {
    let config = Config::load(&Sources::default()).unwrap();
    assert_eq!(config.limits.pdu_anonymous, 65_536);
    assert_eq!(config.policy.lock_duration, Some(Duration::from_secs(900)));
    assert_eq!(config.tls.certificate_file, None);
    assert!(config.origins.values().all(|(_, origin)| *origin == Origin::Default));
    assert_eq!(config.origins.len(), settings().count(), "each key once");
}

/// Goal: a file with every setting at its default, written the way `config show` prints it, gives the defaults.
#[test]
fn shown_values_are_file_syntax() {
    let defaults = Config::load(&Sources::default()).unwrap();
    let text: String = defaults.origins.iter().map(|(key, (value, _))| format!("{key} = {value}\n")).collect();
    let read = Config::load(&from_file(&text)).unwrap();
    for (key, (value, origin)) in &read.origins {
        assert_eq!(Some(value), defaults.origins.get(key).map(|(value, _)| value), "{key}");
        assert!(matches!(origin, Origin::File(..)), "{key}");
    }
}

/// Goal: what is wrong in a file is said by line, with what would be right.
#[test]
fn a_file_is_refused_by_line() {
    let cases: &[(&str, &[&str])] = &[
        (
            "[limits]\nconections = 5\n",
            &["c.toml:2: unknown setting \"limits.conections\" (did you mean \"limits.connections\"?)"],
        ),
        (
            "[limts]\n\n\nconnections = 5\n",
            &["c.toml:4: unknown setting \"limts.connections\" (did you mean \"limits.connections\"?)"],
        ),
        ("require_tls = true\n", &["c.toml:1: unknown setting \"require_tls\" (did you mean \"ldap.require_tls\"?)"]),
        ("password = \"x\"\n", &["c.toml:1: unknown setting \"password\""]),
        (
            "[limits]\nconnections = \"5\"\n",
            &[
                "c.toml:2: limits.connections needs a whole number from 1 to 1000000, without quotation marks, not the text \"5\"",
            ],
        ),
        (
            "[limits]\nconnections = 0\n",
            &["c.toml:2: limits.connections needs a whole number from 1 to 1000000, not \"0\""],
        ),
        (
            "[policy]\nlock_duration = 15\n",
            &["c.toml:2: policy.lock_duration needs a unit, such as \"15s\", \"15m\" or \"15d\""],
        ),
        (
            "[policy]\nlock_duration = \"9000d\"\n",
            &["c.toml:2: policy.lock_duration needs \"until-unlocked\" or a duration from 1s to 3650d, not \"9000d\""],
        ),
        (
            "[log]\nformat = \"jsn\"\n",
            &["c.toml:2: log.format needs one of \"json\", \"text\", not \"jsn\"; did you mean \"json\"?"],
        ),
        ("[listen]\nldap = [389]\n", &["c.toml:2: listen.ldap takes a list of texts; one item is a integer"]),
        (
            "[listen]\nldap = [\"host:389\"]\n",
            &["c.toml:2: listen.ldap \"host:389\" is no address and port, such as \"127.0.0.1:389\" or \"[::]:389\""],
        ),
        ("[ldap]\nrequire_tls = 1\n", &["c.toml:2: ldap.require_tls needs true or false, not a number"]),
        ("[ldap]\nrequire_tls = 2000-01-01\n", &["c.toml:2: ldap.require_tls cannot be a datetime"]),
        (
            "[log]\nlevel = \"loud\"\n[limits]\nidle = 1\npage_entries = -1\n",
            &[
                "c.toml:2: log.level needs",
                "c.toml:4: unknown setting \"limits.idle\"",
                "c.toml:5: limits.page_entries needs",
            ],
        ),
        ("[limits\nconnections = 5\n", &["c.toml:1: "]),
        ("[limits]\nconnections = 5\nconnections = 6\n", &["c.toml:3: duplicate key"]),
    ];
    for (text, expected) in cases {
        let messages = messages(&from_file(text));
        assert_eq!(messages.len(), expected.len(), "{text}: {messages:#?}");
        for (message, part) in messages.iter().zip(*expected) {
            assert!(message.starts_with(part), "{text}: {message}");
        }
    }
}

/// Goal: settings that are each fine but not together are refused where the deciding one stands.
#[test]
fn contradictions_are_refused() {
    let cases = [
        ("[listen]\nmetrics = [\"0.0.0.0:9389\"]\n", "c.toml:2: listen.metrics = 0.0.0.0:9389 can be reached"),
        (
            "[listen]\nhttp = [\"[::1]:80\", \"10.0.0.1:80\"]\n",
            "c.toml:2: listen.http = 10.0.0.1:80 would carry tokens",
        ),
        ("[http]\npublic_url = \"directory.example.com\"\n", "c.toml:2: http.public_url begins with neither"),
        ("[http]\npublic_url = \"https://example.com/\"\n", "c.toml:2: http.public_url is more than"),
        ("[tls]\ncertificate_file = \"/c\"\n", "c.toml:2: tls.certificate_file is set but tls.key_file is not"),
        ("[tls]\nkey_file = \"/c\"\n", "c.toml:2: tls.key_file is set but"),
        ("[limits]\npdu_authenticated = \"2KiB\"\n", "c.toml:2: limits.pdu_authenticated is smaller"),
        ("[server]\ndata_dir = \"\"\n", "c.toml:2: server.data_dir is empty"),
        ("[policy]\nlockout = false\n", "c.toml:2: policy.lockout (may be off only when delay_tiers is on)"),
        (
            "[policy]\npassword_min_age = \"2d\"\npassword_max_age = \"1d\"\n",
            "c.toml:3: policy.password_max_age (must be above password_min_age",
        ),
    ];
    for (text, part) in cases {
        let messages = messages(&from_file(text));
        assert!(messages.len() == 1 && messages[0].starts_with(part), "{text}: {messages:#?}");
    }
    let open = "[listen]\nmetrics = [\"0.0.0.0:9389\", \"[::ffff:127.0.0.1]:1\"]\nmetrics_beyond_loopback = true\n";
    assert!(Config::load(&from_file(open)).is_ok());
}

/// Goal: flag over variable over file over default, each remembered as the origin.
#[test]
fn later_sources_win() {
    let mut sources = from_file("[limits]\nconnections = 1\nconnections_per_address = 1\npage_entries = 1\n");
    sources.environment = vec![
        ("ROLLBOOK_LIMITS_CONNECTIONS".into(), "2".into()),
        ("ROLLBOOK_LIMITS_PAGE_ENTRIES".into(), "2".into()),
        ("ROLLBOOK_LISTEN_LDAP".into(), "127.0.0.1:1389, [::1]:1389".into()),
        ("ROLLBOOK_CONFIG".into(), "elsewhere".into()),
        ("HOME".into(), "/root".into()),
    ];
    sources.flags =
        vec![("--set", "limits.connections".into(), "3".into()), ("--set", "limits.connections".into(), "4".into())];
    let config = Config::load(&sources).unwrap();
    assert_eq!(config.limits.connections, 4);
    assert_eq!(config.origin("limits.connections"), Origin::Flag("--set"));
    assert_eq!(config.limits.page_entries, 2);
    assert_eq!(config.origin("limits.page_entries").to_string(), "environment variable ROLLBOOK_LIMITS_PAGE_ENTRIES");
    assert_eq!(config.limits.connections_per_address, 1);
    assert_eq!(config.origin("limits.connections_per_address").to_string(), "c.toml:3");
    assert_eq!(config.listen.ldap.len(), 2);
    assert_eq!(config.warnings, vec![]);
}

/// Goal: bad flags and variables are refused by their name; unknown variables are only warned about.
#[test]
fn flags_and_variables_are_checked() {
    let mut sources = Sources {
        flags: vec![("--set", "log.levle".into(), "info".into())],
        environment: vec![("ROLLBOOK_LOG_LEVEL".into(), "loud".into())],
        ..Sources::default()
    };
    assert_eq!(
        messages(&sources),
        [
            "environment variable ROLLBOOK_LOG_LEVEL: log.level needs one of \"error\", \"warn\", \"info\", \"debug\", \"trace\", not \"loud\"",
            "--set: unknown setting \"log.levle\" (did you mean \"log.level\"?)",
        ]
    );
    sources.flags.clear();
    sources.environment =
        vec![("ROLLBOOK_LOG_LEVLE".into(), "x".into()), ("ROLLBOOK_PORT_389_TCP".into(), "tcp://10.0.0.1:389".into())];
    let warnings: Vec<String> = Config::load(&sources).unwrap().warnings.iter().map(ToString::to_string).collect();
    assert_eq!(
        warnings,
        [
            "environment variable ROLLBOOK_LOG_LEVLE: no such setting, ignored (did you mean ROLLBOOK_LOG_LEVEL?)",
            "environment variable ROLLBOOK_PORT_389_TCP: no such setting, ignored",
        ]
    );
}

/// Goal: a credential serves the setting of its name, below the file.
#[test]
fn credentials_name_secret_files() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("tls.key_file"), "k").unwrap();
    std::fs::write(dir.path().join("server.data_dir"), "not a secret, so not looked at").unwrap();
    let mut sources = from_file("[tls]\ncertificate_file = \"/c\"\n");
    sources.credentials = Some(dir.path().to_owned());
    let config = Config::load(&sources).unwrap();
    assert_eq!(config.tls.key_file, Some(dir.path().join("tls.key_file")));
    assert!(matches!(config.origin("tls.key_file"), Origin::Credential(_)));
    assert_eq!(config.origin("server.data_dir"), Origin::Default);
    sources.file = Some(("c.toml".into(), "[tls]\ncertificate_file = \"/c\"\nkey_file = \"/k\"\n".into()));
    assert_eq!(Config::load(&sources).unwrap().tls.key_file, Some("/k".into()));
}

/// Goal: a configuration file that everyone may write is refused, a missing one is named.
#[test]
fn the_file_itself_is_checked() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("c.toml");
    std::fs::write(&path, "").unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o666)).unwrap();
    assert!(Sources::of_process(Some(&path), vec![]).unwrap_err().to_string().contains("chmod o-w"));
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
    assert!(Sources::of_process(Some(&path), vec![]).is_ok());
    assert!(
        Sources::of_process(Some(&dir.path().join("none")), vec![]).unwrap_err().to_string().contains("No such file")
    );
}

/// Goal: `auto` follows the machine.
#[test]
fn auto_follows_the_machine() {
    let config = Config::load(&Sources::default()).unwrap();
    for (processors, workers) in [(1, 1), (2, 1), (4, 4), (64, 64)] {
        assert_eq!(config.server.worker_threads(processors), workers);
        assert_eq!(config.hashing.hashing_threads(processors), processors);
    }
}

/// Goal: the policy's defaults here and in the domain are the same, and every setting reaches its rule.
#[test]
fn the_policy_is_the_domains() {
    use directory::clock::Span;
    use directory::lifecycle::{LockDuration, Names, Period, Policy, Unprompted};
    assert_eq!(Config::load(&Sources::default()).unwrap().policy.rules().unwrap(), Policy::default());
    let text = "[policy]\nlockout = false\nattempts = 7\nfailure_window = \"1m\"\nlock_duration = \"until-unlocked\"\n\
        lock_duration_cap = \"2h\"\nlock_api_accounts = false\ndelay_tiers = true\nforgive_repeats = true\n\
        dormancy_months = \"never\"\npassword_min_length = 12\npassword_history = 0\npassword_not_name = false\n\
        password_max_age = \"90d\"\npassword_min_age = \"1d\"\nmust_change_without_control = \"restrict\"\n\
        unlock_requires_password = false\nenable_requires_password = true\npurge_months = 0\npurge_early = true\n\
        names_after_deletion = \"free\"\nnames_after_scim_deletion = \"reserved\"\n";
    let expected = Policy {
        lockout: false,
        attempts: 7,
        failure_window: Span::from_mins(1),
        lock_duration: LockDuration::UntilUnlocked,
        lock_duration_cap: Span::from_hours(2),
        lock_api_accounts: false,
        delay_tiers: true,
        forgive_repeats: true,
        dormancy_months: Period::Never,
        dormancy_from: Policy::default().dormancy_from,
        password_min_length: 12,
        password_history: 0,
        password_not_name: false,
        password_max_age: Period::After(Span::from_days(90)),
        password_min_age: Span::from_days(1),
        must_change_without_control: Unprompted::Restrict,
        unlock_requires_password: false,
        enable_requires_password: true,
        purge_months: 0,
        purge_early: true,
        names_after_deletion: Names::Free,
        names_after_scim_deletion: Names::Reserved,
    };
    let config = Config::load(&from_file(text)).unwrap();
    assert_eq!(config.policy.rules().unwrap(), expected);
    let settings = settings().filter(|setting| setting.key.starts_with("policy."));
    assert!(
        settings.into_iter().all(|setting| matches!(config.origin(setting.key), Origin::File(..))),
        "none is left out"
    );
}
