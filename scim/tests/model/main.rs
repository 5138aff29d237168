//! The protocol against something that was thought out apart from it: naive models, another implementation, and noise.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test stops at the first surprise")]

mod another;
mod filter;
mod noise;
mod patch;

use std::sync::{Arc, LazyLock};

use scim::schema::{ResourceType, Schemas};

/// The standard schemas.
pub static SCHEMAS: LazyLock<Schemas> = LazyLock::new(|| Schemas::of(&directory::schema::Schema::standard()));

/// A resource type of the standard schemas.
pub fn kind(name: &str) -> Arc<ResourceType> {
    Arc::clone(SCHEMAS.resource_type(name).unwrap())
}
