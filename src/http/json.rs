//! JSON as the transports take it, and write it.

use serde::{
    Deserialize, Deserializer, Serialize,
    de::{MapAccess, Visitor, value::MapAccessDeserializer},
};

/// Writes JSON. What can't be written is logged.
pub(super) fn text(data: &impl Serialize) -> Option<String> {
    serde_json::to_string(data)
        .inspect_err(|error| tracing::error!(%error, "an answer could not be written as JSON"))
        .ok()
}

/// A JSON object. Without it, a list of the fields' values in their order would be read as one.
#[derive(Debug)]
pub(super) struct Object<T>(pub(super) T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Objects<T>(std::marker::PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Objects<T> {
            type Value = T;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
                T::deserialize(MapAccessDeserializer::new(map))
            }
        }

        deserializer
            .deserialize_map(Objects(std::marker::PhantomData))
            .map(Self)
    }
}
