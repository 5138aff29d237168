//! A running rollbook for tests.
