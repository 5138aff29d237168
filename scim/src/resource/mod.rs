//! Resources and entries: the binding between SCIM's JSON and the directory's attributes.
//!
//! The directory's attributes are the truth; what they cannot say is kept beside them ([`detail`]).
//!
//! - [`binding`] says which attribute is kept where, [`values`] how a value is written.
//! - [`reader`] says what exists for a token; [`to_json`], [`families`] and [`members`] show it.
//! - [`lower`] turns the difference of two states into values, [`change`] into changes of the directory.
//! - [`filter`] translates filters so that indexes find what they ask for.

pub mod binding;
pub mod change;
pub mod detail;
pub mod families;
pub mod filter;
pub mod lower;
pub mod members;
pub mod reader;
pub mod to_json;
pub mod values;

pub use binding::Binding;
pub use change::Planned;
pub use reader::{Kind, Reader, Realm};
pub use to_json::{Resource, Wants};
