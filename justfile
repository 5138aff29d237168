# The menu of commands: the same on a laptop and in CI. `just` alone lists it.

default:
    @just --list

# Start a populated server on free ports and print how to reach it
demo *ARGS:
    cargo run --release -- demo {{ARGS}}

# Every test: cargo's and those with real clients (installs the clients that are missing)
test:
    tests/run

# Cargo's tests only
quick:
    tests/run --quick

# What CI runs
ci:
    .ci/run

# Format and lint
lint:
    cargo fmt
    cargo clippy --workspace --all-targets -- -D warnings

# The interop scripts only, against a fresh build; e.g. `just interop ldapts`
interop *NAMES:
    cargo build
    tests/interop/run.py {{NAMES}}

# The same scripts against OpenLDAP's slapd: a script that fails there asks for something that is not LDAP
interop-self-test *NAMES:
    tests/interop/run.py --server slapd {{NAMES}}

# Write fixtures/org/org.ldif anew
fixtures:
    fixtures/org/generate.py

# Licences, advisories, bans, sources
deny:
    cargo deny check
