//! x
pub mod clock;
pub mod telemetry;
pub mod tls;
