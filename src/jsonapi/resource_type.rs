//! What the resources of a type have (JSON:API "Resource Objects").

/// A JSON:API type and the names that `fields[type]` may hold for it.
#[derive(Debug, PartialEq, Eq)]
pub struct ResourceType {
    /// The `type` member, for instance `teams`.
    pub name: &'static str,
    /// The names of its attributes and relationships (JSON:API "Fields").
    pub fields: &'static [&'static str],
}
