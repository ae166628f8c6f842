//! A resource object that a client sent, with its relationships (JSON:API "Resource Objects").

use serde_json::{Map, Value};

use super::attributes::{Attributes, dashed, read_attributes};
use super::error::{Error, Result};
use super::json::{escape, kind_of, malformed, parse_bare, parse_data};

/// The most resource identifiers in one request.
pub const MAX_IDENTIFIERS: usize = 1000;

#[derive(Debug, Clone, Copy)]
pub enum TypeRule<'a> {
    /// One of these, or 409 (JSON:API "Creating Resources")
    OneOf(&'a [&'a str]),
    /// One of these, or empty, or absent: what shipped clients send to the token endpoints (docs/design.md §5)
    Lenient(&'a [&'a str]),
}

/// A resource object that a client sent.
#[derive(Debug)]
pub struct ResourceBody<A> {
    /// Its `id`, unless absent or empty.
    pub id: Option<String>,
    /// Its `attributes`, deserialized and validated.
    pub attributes: A,
    /// Its `relationships`, to be asked for by name.
    pub relationships: Relationships,
    /// Where it is in the document, as a JSON pointer.
    at: String,
    /// Attributes as they were sent, those alone that the endpoint keeps.
    sent: Map<String, Value>,
    /// The names of all attributes that were sent.
    names: Vec<String>,
}

impl<A: Attributes> ResourceBody<A> {
    /// Reads a document with one resource object; every fault of its attributes is reported. Those that are `kept` can be
    /// asked for as they were sent.
    pub fn parse(bytes: &[u8], accepted: TypeRule<'_>, required: &[&str], kept: &[&str]) -> Result<Self> {
        Self::read(parse_data(bytes)?, "/data", accepted, required, kept)
    }

    /// Reads attributes that are sent bare, if `attribute` is among them; none for a document, and for what is neither.
    pub fn parse_bare(bytes: &[u8], attribute: &str) -> Result<Option<Self>> {
        let Some(members) = parse_bare(bytes, attribute)? else { return Ok(None) };
        let attributes = read_attributes(dashed(members), "", &[])?;
        let relationships = Relationships::default();
        Ok(Some(Self { id: None, attributes, relationships, at: String::new(), sent: Map::new(), names: vec![] }))
    }

    /// Reads the resource object at the pointer `at`.
    fn read(data: Value, at: &str, accepted: TypeRule<'_>, required: &[&str], kept: &[&str]) -> Result<Self> {
        let Value::Object(mut data) = data else {
            return Err(malformed(at, "Must be a resource object"));
        };
        check_type(data.get("type"), &format!("{at}/type"), accepted)?;
        let id = match data.remove("id") {
            None | Some(Value::Null) => None,
            Some(Value::String(id)) => Some(id).filter(|id| !id.is_empty()),
            Some(_) => return Err(malformed(&format!("{at}/id"), "Must be a string")),
        };
        let below = |name: &str| format!("{at}/{name}");
        let attributes = object_or_empty(data.remove("attributes"), &below("attributes"))?;
        let members = object_or_empty(data.remove("relationships"), &below("relationships"))?;
        let attributes = dashed(attributes);
        let keep = |name: &&str| Some(((*name).to_owned(), attributes.get(*name)?.clone()));
        let sent = kept.iter().filter_map(keep).collect();
        let names = attributes.keys().cloned().collect();
        Ok(Self {
            id,
            attributes: read_attributes(attributes, &below("attributes"), required)?,
            sent,
            names,
            relationships: Relationships { members, at: below("relationships") },
            at: at.to_owned(),
        })
    }

    /// An attribute as it was sent, if the endpoint keeps it; its name has hyphens.
    pub fn sent(&self, attribute: &str) -> Option<&Value> {
        self.sent.get(attribute)
    }

    /// The names of all attributes that were sent, also of those that nobody knows; with hyphens.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(String::as_str)
    }

    /// A JSON pointer to a member of it.
    pub fn pointer(&self, member: &str) -> String {
        format!("{}/{member}", self.at)
    }

    /// The same, if it leaves the id of something new to the server.
    ///
    /// # Errors
    /// 403 for an id that the client chose (JSON:API "Client-Generated IDs").
    pub fn without_id(self) -> Result<Self> {
        match self.id {
            None => Ok(self),
            Some(_) => {
                let fault = Error::forbidden("The server chooses the id of a new resource");
                Err(fault.with_pointer(self.pointer("id")))
            }
        }
    }

    /// The same, if it names no other resource than the request is about, which is known under these ids.
    ///
    /// # Errors
    /// 409 for the id of another one (JSON:API "Updating Resources").
    pub fn about(self, own: &[&str]) -> Result<Self> {
        match &self.id {
            Some(id) if !own.contains(&id.as_str()) => {
                let detail = "The id is not that of the resource that the request is about";
                Err(Error::conflict(Some(&self.pointer("id")), detail))
            }
            _ => Ok(self),
        }
    }
}

/// The resources in a list at the pointer `at`, or the faults of all of them.
pub(super) fn read_all<A: Attributes>(
    items: Vec<Value>,
    at: &str,
    types: &[&str],
    required: &[&str],
) -> Result<Vec<ResourceBody<A>>> {
    if items.len() > MAX_IDENTIFIERS {
        return Err(Error::attribute(at, format!("Must hold at most {MAX_IDENTIFIERS} resources")));
    }
    let (mut resources, mut faults) = (Vec::new(), Vec::new());
    for (n, item) in items.into_iter().enumerate() {
        match ResourceBody::read(item, &format!("{at}/{n}"), TypeRule::OneOf(types), required, &[]) {
            Ok(resource) => resources.push(resource),
            Err(fault) => faults.push(fault),
        }
    }
    Error::check(faults)?;
    Ok(resources)
}

fn check_type(kind: Option<&Value>, at: &str, accepted: TypeRule<'_>) -> Result<()> {
    let (names, lenient) = match accepted {
        TypeRule::OneOf(names) => (names, false),
        TypeRule::Lenient(names) => (names, true),
    };
    match kind {
        None | Some(Value::Null) if lenient => Ok(()),
        None => Err(malformed(at, "A resource object needs a type")),
        Some(Value::String(name)) if name.is_empty() && lenient => Ok(()),
        Some(Value::String(name)) if names.contains(&name.as_str()) => Ok(()),
        Some(Value::String(_)) => Err(wrong_type(at, names)),
        Some(_) => Err(malformed(at, "Must be a string")),
    }
}

/// 409 for a resource of another type.
pub(super) fn wrong_type(pointer: &str, names: &[&str]) -> Error {
    Error::conflict(Some(pointer), format!("The type must be {}", names.join(" or ")))
}

fn object_or_empty(value: Option<Value>, pointer: &str) -> Result<Map<String, Value>> {
    match value {
        None => Ok(Map::new()),
        Some(Value::Object(members)) => Ok(members),
        Some(other) => {
            let detail = format!("Must be an object, but is {}", kind_of(&other));
            Err(Error::attribute(pointer, detail))
        }
    }
}

/// The relationships of a resource that a client sent. Faults are 422 with a pointer.
#[derive(Debug, Clone, Default)]
pub struct Relationships {
    members: Map<String, Value>,
    /// Where they are in the document, as a JSON pointer.
    at: String,
}

impl Relationships {
    /// The id in a to-one relationship; `None` if it is absent or null.
    pub fn to_one(&self, name: &str, kind: &str) -> Result<Option<&str>> {
        let pointer = format!("{}/data", self.pointer(name));
        match self.linkage(name)? {
            None | Some(Value::Null) => Ok(None),
            Some(data) => linked_id(data, &pointer, kind).map(Some),
        }
    }

    /// The id in a to-one relationship that must be there.
    pub fn required_to_one(&self, name: &str, kind: &str) -> Result<&str> {
        self.to_one(name, kind)?
            .ok_or_else(|| invalid_relationship(&self.pointer(name), format!("The {name} is required")))
    }

    /// The ids in a to-many relationship; `None` if it is absent.
    pub fn to_many(&self, name: &str, kind: &str) -> Result<Option<Vec<&str>>> {
        let pointer = format!("{}/data", self.pointer(name));
        let items = match self.linkage(name)? {
            None => return Ok(None),
            Some(Value::Array(items)) if items.len() <= MAX_IDENTIFIERS => items,
            Some(Value::Array(_)) => {
                let detail = format!("Must hold at most {MAX_IDENTIFIERS} resource identifiers");
                return Err(invalid_relationship(&pointer, detail));
            }
            Some(other) => {
                let detail = format!("Must be a list, but is {}", kind_of(other));
                return Err(invalid_relationship(&pointer, detail));
            }
        };
        let mut faults = Vec::new();
        let mut ids = Vec::new();
        for (n, item) in items.iter().enumerate() {
            match linked_id(item, &format!("{pointer}/{n}"), kind) {
                Ok(id) => ids.push(id),
                Err(fault) => faults.push(fault),
            }
        }
        Error::check(faults)?;
        Ok(Some(ids))
    }

    /// The resources in a to-many relationship, whose attributes shipped clients send with it; `None` if it is absent.
    /// Their own faults are those of `Body::resources`.
    pub fn resources<A: Attributes>(
        &self,
        name: &str,
        types: &[&str],
        required: &[&str],
    ) -> Result<Option<Vec<ResourceBody<A>>>> {
        let pointer = format!("{}/data", self.pointer(name));
        match self.linkage(name)? {
            None => Ok(None),
            Some(Value::Array(items)) => read_all(items.clone(), &pointer, types, required).map(Some),
            Some(other) => {
                let detail = format!("Must be a list, but is {}", kind_of(other));
                Err(invalid_relationship(&pointer, detail))
            }
        }
    }

    /// The `data` of a relationship; `None` if there is no such relationship.
    fn linkage(&self, name: &str) -> Result<Option<&Value>> {
        let Some(relationship) = self.members.get(name) else {
            return Ok(None);
        };
        relationship
            .get("data")
            .map(Some)
            .ok_or_else(|| invalid_relationship(&self.pointer(name), "Must be an object with a member \"data\""))
    }

    fn pointer(&self, name: &str) -> String {
        format!("{}/{}", self.at, escape(name))
    }
}

fn invalid_relationship(pointer: &str, detail: impl Into<String>) -> Error {
    Error::attribute(pointer, detail).with_title("invalid relationship")
}

fn linked_id<'a>(item: &'a Value, pointer: &str, kind: &str) -> Result<&'a str> {
    if !item.is_object() {
        let detail = format!("Must be a resource identifier, but is {}", kind_of(item));
        return Err(invalid_relationship(pointer, detail));
    }
    if item.get("type").and_then(Value::as_str) != Some(kind) {
        let detail = format!("The type must be {kind}");
        return Err(invalid_relationship(&format!("{pointer}/type"), detail));
    }
    let id = item.get("id").and_then(Value::as_str).filter(|id| !id.is_empty());
    id.ok_or_else(|| invalid_relationship(&format!("{pointer}/id"), "Must be a non-empty string"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::attributes::testing::{Access, Team, Visibility};
    use super::super::error::testing::pointers;
    use super::*;

    fn parse(document: Value) -> Result<ResourceBody<Team>> {
        ResourceBody::parse(document.to_string().as_bytes(), TypeRule::OneOf(&["teams"]), &[], &[])
    }

    fn with_attributes(attributes: Value) -> Result<ResourceBody<Team>> {
        parse(json!({"data": {"type": "teams", "attributes": attributes}}))
    }

    #[track_caller]
    fn assert_fault(result: Result<ResourceBody<Team>>, status: u16, expected: &[&str]) {
        let error = result.unwrap_err();
        assert_eq!(pointers(&error), expected, "{error}");
        assert_eq!(error.status(), status, "{error}");
    }

    #[test]
    fn a_good_document_is_read_whole() {
        let body = parse(json!({"data": {
            "type": "teams",
            "id": "t",
            "attributes": {
                "name": "ops",
                "description": null,
                "visibility": "secret",
                "organization-access": {"manage-teams": true},
                "unknown": {"ignored": [1]},
            },
            "relationships": {
                "users": {"data": [{"type": "users", "id": "u1"}, {"type": "users", "id": "u2"}]},
                "owner": {"data": {"type": "users", "id": "u1"}},
                "none": {"data": null},
            },
        }}));
        let body = body.unwrap();
        assert_eq!(body.id.as_deref(), Some("t"));
        assert_eq!(body.attributes.name.as_deref(), Some("ops"));
        assert_eq!(body.attributes.description, Some(None));
        assert_eq!(body.attributes.visibility, Some(Visibility::Secret));
        let access = body.attributes.organization_access.unwrap();
        assert_eq!((access.manage_teams, access.read_all), (Some(true), None));
        let links = body.relationships;
        assert_eq!(links.to_many("users", "users").unwrap().unwrap(), ["u1", "u2"]);
        assert_eq!(links.to_one("owner", "users").unwrap(), Some("u1"));
        assert_eq!(links.to_one("none", "users").unwrap(), None);
        assert_eq!(links.to_many("absent", "users").unwrap(), None);
    }

    #[test]
    fn a_document_without_a_resource_is_400() {
        assert_fault(parse(json!([])), 400, &[""]);
        assert_fault(parse(json!({})), 400, &[""]);
        assert_fault(parse(json!({"data": null})), 400, &["/data"]);
        assert_fault(parse(json!({"data": [{"type": "teams"}]})), 400, &["/data"]);
        assert_fault(parse(json!({"data": {"type": "teams", "id": 1}})), 400, &["/data/id"]);
    }

    #[test]
    fn the_type_is_that_of_the_endpoint() {
        assert_fault(parse(json!({"data": {}})), 400, &["/data/type"]);
        assert_fault(parse(json!({"data": {"type": 1}})), 400, &["/data/type"]);
        assert_fault(parse(json!({"data": {"type": "team"}})), 409, &["/data/type"]);
        assert_fault(parse(json!({"data": {"type": ""}})), 409, &["/data/type"]);
    }

    #[test]
    fn the_lenient_rule_takes_what_shipped_clients_send() {
        let names = TypeRule::Lenient(&["authentication-tokens", "authentication-token"]);
        let status = |data: Value| {
            let document = json!({"data": data}).to_string();
            let result = ResourceBody::<Access>::parse(document.as_bytes(), names, &[], &[]);
            result.map_or_else(|error| error.status().as_u16(), |_| 200)
        };
        for data in [json!({}), json!({"type": ""}), json!({"type": null}), json!({"type": "authentication-token"})] {
            assert_eq!(status(data), 200);
        }
        assert_eq!(status(json!({"type": "teams"})), 409);
        assert_eq!(status(json!({"type": 1})), 400);
    }

    #[test]
    fn attributes_are_an_object() {
        for attributes in [json!([]), json!("x"), json!(null)] {
            assert_fault(with_attributes(attributes), 422, &["/data/attributes"]);
        }
    }

    #[test]
    fn faults_of_relationships_have_pointers() {
        let body = parse(json!({"data": {
            "type": "teams",
            "attributes": {"name": "a"},
            "relationships": {
                "teams": {"data": [{"type": "users", "id": "a"}, {"type": "teams"}, 1]},
                "one": {"data": {"type": "teams", "id": 1}},
                "bare": {},
                "null": {"data": null},
            },
        }}));
        let links = body.unwrap().relationships;
        let error = links.to_many("teams", "teams").unwrap_err();
        let expected = [
            "/data/relationships/teams/data/0/type",
            "/data/relationships/teams/data/1/id",
            "/data/relationships/teams/data/2",
        ];
        assert_eq!(pointers(&error), expected);
        assert_eq!(error.status(), 422);
        let error = links.to_one("one", "teams").unwrap_err();
        assert_eq!(pointers(&error), ["/data/relationships/one/data/id"]);
        let error = links.to_one("bare", "teams").unwrap_err();
        assert_eq!(pointers(&error), ["/data/relationships/bare"]);
        let error = links.to_many("null", "teams").unwrap_err();
        assert_eq!(pointers(&error), ["/data/relationships/null/data"]);
    }
}
