//! The documents behind schemas, compiled once for their text and kept from one snapshot to the next.

use std::collections::HashMap;
use std::sync::Arc;

use hauberk_openapi::{Limits, Loaded};
use openssl::sha::sha256;

use super::document::Schema;
use crate::error::Refused;

/// SHA-256 of the JSON string a document's text is written as.
pub(super) type SourceDigest = [u8; 32];

/// What a document was compiled from: its text, and whether its responses were read.
pub(super) type Key = (SourceDigest, bool);

/// Documents of the snapshot before.
pub(super) type Known = HashMap<Key, Arc<Loaded>>;

/// A document of this snapshot.
pub(super) struct KnownDocument {
    pub(super) key: Key,
    pub(super) loaded: Arc<Loaded>,
}

/// Compiles the documents of a snapshot, except those that are known already; their responses too if `responses` says so.
///
/// # Errors
///
/// A document that cannot be loaded, or stands there twice.
pub(super) fn compile<'a>(
    known: &Known,
    schemas: &'a [Schema<'_>],
    responses: bool,
) -> Result<HashMap<&'a str, KnownDocument>, Refused> {
    let mut documents = HashMap::new();
    for schema in schemas {
        let thing = || format!("schema {:?}", schema.name);
        let key = (sha256(schema.source.get().as_bytes()), responses);
        let loaded = match known.get(&key) {
            Some(loaded) => Arc::clone(loaded),
            None => Arc::new(load(schema, responses, &thing)?),
        };
        let known = KnownDocument { key, loaded };
        if documents.insert(&*schema.schema_id, known).is_some() {
            return Err(Refused::new(thing(), "its schema_id stands there twice"));
        }
    }
    Ok(documents)
}

fn load(
    schema: &Schema<'_>,
    responses: bool,
    thing: &dyn Fn() -> String,
) -> Result<Loaded, Refused> {
    let source: String = serde_json::from_str(schema.source.get())
        .map_err(|_| Refused::new(thing(), "source is not a string"))?;
    let limits = Limits {
        responses,
        ..Limits::default()
    };
    hauberk_openapi::load(source.as_bytes(), &limits).map_err(|problems| {
        let reason = match problems.first() {
            Some(first) => format!(
                "{} at {} ({} problems in all)",
                first.message,
                first.locations.first().map_or(".", |place| place.as_str()),
                problems.len()
            ),
            None => "it cannot be loaded".to_owned(),
        };
        Refused::new(thing(), reason)
    })
}
