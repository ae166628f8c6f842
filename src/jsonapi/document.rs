//! What an answer looks like: resource objects, the document around them, and its labels
//! (JSON:API "Document Structure").
//!
//! Rooms build resources; sparse fieldsets, compound documents and headers are taken care of here.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Display};

use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_TYPE, LOCATION, VARY};
use actix_web::{HttpRequest, HttpResponse};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::error::{Error, Result};
use super::negotiation::Answer;
use super::query::Query;
use super::resource_type::ResourceType;
use super::schema::Attribute;

/// A resource identifier object (JSON:API "Resource Identifier Objects").
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identifier {
    kind: &'static str,
    id: String,
}

impl Identifier {
    /// Names the resource `id` of type `kind`.
    pub fn new(kind: &'static str, id: impl Display) -> Self {
        Self { kind, id: id.to_string() }
    }

    fn to_json(&self) -> Value {
        json!({"type": self.kind, "id": self.id})
    }
}

/// A relationship object; at least one of the two is set (JSON:API "Relationships").
#[derive(Debug, Clone, Default)]
struct Relationship {
    data: Option<Value>,
    related: Option<String>,
}

/// A resource object (JSON:API "Resource Objects").
#[derive(Debug, Clone)]
pub struct Resource {
    kind: &'static ResourceType,
    id: String,
    attributes: Map<String, Value>,
    relationships: BTreeMap<&'static str, Relationship>,
    self_link: Option<String>,
    other_links: BTreeMap<&'static str, String>,
    meta: Map<String, Value>,
    incomplete: bool,
}

impl Resource {
    pub fn new(kind: &'static ResourceType, id: impl Display) -> Self {
        Self {
            kind,
            id: id.to_string(),
            attributes: Map::new(),
            relationships: BTreeMap::new(),
            self_link: None,
            other_links: BTreeMap::new(),
            meta: Map::new(),
            incomplete: false,
        }
    }

    /// Adds the members of something that serializes to a JSON object.
    ///
    /// If it does not, that is a mistake in our code: it is logged, and the document that holds
    /// this resource answers 500 rather than pass for a complete one.
    pub fn attributes(mut self, attributes: &impl Serialize) -> Self {
        match serde_json::to_value(attributes) {
            Ok(Value::Object(members)) => self.attributes.extend(members),
            Ok(_) => self.spoil("attributes are not an object"),
            Err(error) => self.spoil(error),
        }
        self
    }

    /// With the attributes that a type declares.
    #[must_use]
    pub fn declared<T>(self, attributes: &[Attribute<T>], of: &T) -> Self {
        attributes.iter().fold(self, |resource, one| resource.attribute(one.name, (one.value)(of)))
    }

    /// Adds one attribute; see [`Resource::attributes`] for a value that does not serialize.
    pub fn attribute(mut self, name: &str, value: impl Serialize) -> Self {
        match serde_json::to_value(value) {
            Ok(value) => drop(self.attributes.insert(name.to_owned(), value)),
            Err(error) => self.spoil(error),
        }
        self
    }

    /// Adds a relationship to one resource, or to none (`data: null`).
    pub fn to_one(mut self, name: &'static str, target: Option<Identifier>) -> Self {
        let data = target.map_or(Value::Null, |identifier| identifier.to_json());
        self.relationships.entry(name).or_default().data = Some(data);
        self
    }

    /// Adds a relationship to any number of resources.
    pub fn to_many(mut self, name: &'static str, targets: Vec<Identifier>) -> Self {
        let data = targets.iter().map(Identifier::to_json).collect();
        self.relationships.entry(name).or_default().data = Some(data);
        self
    }

    /// Adds `links.related` to a relationship, which need not have linkage.
    pub fn relation_link(mut self, name: &'static str, path: impl Into<String>) -> Self {
        self.relationships.entry(name).or_default().related = Some(path.into());
        self
    }

    /// Sets `links.self`: a path, as in the HCP API.
    pub fn link_self(mut self, path: impl Into<String>) -> Self {
        self.self_link = Some(path.into());
        self
    }

    /// Adds another link: a path, as in the HCP API.
    pub fn link(mut self, name: &'static str, path: impl Into<String>) -> Self {
        self.other_links.insert(name, path.into());
        self
    }

    /// Sets a member of the resource's `meta`.
    pub fn meta(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.meta.insert(key.to_owned(), value.into());
        self
    }

    fn spoil(&mut self, cause: impl Display) {
        log::error!("cannot serialize the {} {}: {cause}", self.kind.name, self.id);
        self.incomplete = true;
    }

    /// What names it.
    pub fn identifier(&self) -> Identifier {
        Identifier::new(self.kind.name, &self.id)
    }

    fn key(&self) -> (&'static str, &str) {
        (self.kind.name, &self.id)
    }

    /// The object with just the fields that the client asked for (JSON:API "Sparse Fieldsets").
    fn to_json(&self, query: &Query) -> Value {
        let fields = query.fields_of(self.kind.name);
        let wanted = |name: &str| fields.is_none_or(|fields| fields.contains(name));
        let mut object = Map::new();
        object.insert("type".into(), self.kind.name.into());
        object.insert("id".into(), self.id.as_str().into());
        let attributes: Map<String, Value> = self
            .attributes
            .iter()
            .filter(|(name, _)| wanted(name))
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect();
        let relationships: Map<String, Value> = self
            .relationships
            .iter()
            .filter(|(name, _)| wanted(name))
            .map(|(name, relationship)| ((*name).to_owned(), relationship.to_json()))
            .collect();
        insert_unless_empty(&mut object, "attributes", attributes);
        insert_unless_empty(&mut object, "relationships", relationships);
        insert_unless_empty(&mut object, "meta", self.meta.clone());
        let own = self.self_link.as_ref().map(|path| ("self", path));
        let others = self.other_links.iter().map(|(name, path)| (*name, path));
        let links = own.into_iter().chain(others).map(|(name, path)| (name.to_owned(), Value::from(path.as_str())));
        insert_unless_empty(&mut object, "links", links.collect());
        Value::Object(object)
    }
}

impl Relationship {
    fn to_json(&self) -> Value {
        let mut object = Map::new();
        if let Some(data) = &self.data {
            object.insert("data".into(), data.clone());
        }
        if let Some(path) = &self.related {
            object.insert("links".into(), json!({ "related": path }));
        }
        Value::Object(object)
    }
}

fn insert_unless_empty(object: &mut Map<String, Value>, name: &str, members: Map<String, Value>) {
    if !members.is_empty() {
        object.insert(name.to_owned(), Value::Object(members));
    }
}

/// A links object (JSON:API "Links").
#[derive(Debug, Clone, Default)]
pub struct Links(Map<String, Value>);

impl Links {
    /// A links object without links.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a link; `None` says that there is none (`null`).
    pub fn with(mut self, name: &str, url: Option<String>) -> Self {
        self.0.insert(name.to_owned(), url.into());
        self
    }
}

/// The primary data of a document (JSON:API "Top Level").
#[derive(Debug, Clone)]
enum Primary {
    None,
    One(Box<Resource>),
    List(Vec<Resource>),
}

/// Resources, and those that the client wants included with them (JSON:API "Compound Documents").
#[derive(Debug, Default)]
pub struct Compound {
    pub resources: Vec<Resource>,
    pub included: Vec<Resource>,
}

impl Compound {
    /// The document of the first resource; none if there is none.
    pub fn into_one(self) -> Option<Document> {
        let resource = self.resources.into_iter().next()?;
        Some(Document::one(resource).include(self.included))
    }
}

/// A document with data (JSON:API "Top Level"); errors are [`Error`]s.
#[derive(Debug, Clone)]
pub struct Document {
    primary: Primary,
    included: Vec<Resource>,
    meta: Map<String, Value>,
    links: Links,
    profiles: Vec<&'static str>,
}

impl Document {
    /// A document about one resource.
    pub fn one(resource: Resource) -> Self {
        Self::of(Primary::One(Box::new(resource)))
    }

    /// A document whose `data` is null.
    pub fn none() -> Self {
        Self::of(Primary::None)
    }

    /// A document about any number of resources.
    pub fn list(resources: Vec<Resource>) -> Self {
        Self::of(Primary::List(resources))
    }

    fn of(primary: Primary) -> Self {
        Self { primary, included: Vec::new(), meta: Map::new(), links: Links::new(), profiles: Vec::new() }
    }

    /// Adds related resources. What is already there, as primary data or included, is left out
    /// (JSON:API "Compound Documents": one resource object per type and id).
    pub fn include(mut self, resources: Vec<Resource>) -> Self {
        self.included.extend(resources);
        self
    }

    /// Sets a member of the document's `meta`.
    pub fn meta(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.meta.insert(key.to_owned(), value.into());
        self
    }

    /// How many resources its primary data lists.
    pub(super) fn rows(&self) -> i64 {
        match &self.primary {
            Primary::List(resources) => i64::try_from(resources.len()).unwrap_or(i64::MAX),
            _ => 0,
        }
    }

    /// Changes each resource of a list, by its position.
    pub(super) fn map_primary(mut self, change: impl Fn(usize, Resource) -> Resource) -> Self {
        if let Primary::List(resources) = self.primary {
            let changed = resources.into_iter().enumerate().map(|(nth, resource)| change(nth, resource));
            self.primary = Primary::List(changed.collect());
        }
        self
    }

    /// Sets the document's links.
    pub fn links(mut self, links: Links) -> Self {
        self.links = links;
        self
    }

    /// Says that a profile was applied (JSON:API "Profiles").
    pub fn profile(mut self, uri: &'static str) -> Self {
        self.profiles.push(uri);
        self
    }

    /// The answer to a request: the document with the fields that were asked for, under the label
    /// that the client accepts; with 201, `Location` is the resource's own link (JSON:API
    /// "Creating Resources").
    pub fn respond(&self, query: &Query, request: &HttpRequest, status: StatusCode) -> HttpResponse {
        match self.written(query) {
            Ok(written) => written.labelled(request, status, &self.profiles),
            Err(fault) => HttpResponse::from_error(fault),
        }
    }

    /// The document as text, with the fields that were asked for, for an answer that is kept.
    ///
    /// # Errors
    /// 500 where a resource could not be shown as a whole.
    pub fn written(&self, query: &Query) -> Result<Written> {
        if self.resources().any(|resource| resource.incomplete) {
            return Err(Error::internal());
        }
        Ok(Written { text: self.to_json(query).to_string(), location: self.location().map(str::to_owned) })
    }

    fn primaries(&self) -> &[Resource] {
        match &self.primary {
            Primary::None => &[],
            Primary::One(resource) => std::slice::from_ref(resource),
            Primary::List(resources) => resources,
        }
    }

    fn resources(&self) -> impl Iterator<Item = &Resource> {
        self.primaries().iter().chain(&self.included)
    }

    fn location(&self) -> Option<&str> {
        match &self.primary {
            Primary::One(resource) => resource.self_link.as_deref(),
            _ => None,
        }
    }

    fn to_json(&self, query: &Query) -> Value {
        let mut about = json!({"version": "1.1"});
        if !self.profiles.is_empty() {
            about["profile"] = json!(self.profiles);
        }
        let mut document = Map::new();
        document.insert("jsonapi".into(), about);
        let data = match &self.primary {
            Primary::None => Value::Null,
            Primary::One(resource) => resource.to_json(query),
            Primary::List(resources) => resources.iter().map(|r| r.to_json(query)).collect(),
        };
        document.insert("data".into(), data);
        // A client that sent `include` gets the member even if it is empty (JSON:API "Inclusion of
        // Related Resources").
        if !self.included.is_empty() || query.asks_to_include() {
            document.insert("included".into(), self.included_json(query));
        }
        insert_unless_empty(&mut document, "links", self.links.0.clone());
        insert_unless_empty(&mut document, "meta", self.meta.clone());
        Value::Object(document)
    }

    fn included_json(&self, query: &Query) -> Value {
        let mut seen: BTreeSet<_> = self.primaries().iter().map(Resource::key).collect();
        let fresh = self.included.iter().filter(|resource| seen.insert(resource.key()));
        fresh.map(|resource| resource.to_json(query)).collect()
    }
}

/// A document without profiles as text. It may hold a secret, so it cannot be printed.
#[derive(Clone, Serialize, Deserialize)]
pub struct Written {
    text: String,
    /// The own link of its one resource.
    location: Option<String>,
}

impl Written {
    /// The answer to a request, as [`Document::respond`] makes it.
    pub fn respond(self, request: &HttpRequest, status: StatusCode) -> HttpResponse {
        self.labelled(request, status, &[])
    }

    fn labelled(self, request: &HttpRequest, status: StatusCode, profiles: &[&'static str]) -> HttpResponse {
        // A request whose Accept is at fault was refused before it was routed.
        let answer = Answer::of(request.headers()).unwrap_or_default();
        let mut response = HttpResponse::build(status);
        response.insert_header((CONTENT_TYPE, answer.content_type(profiles))).insert_header((VARY, "Accept"));
        if let (StatusCode::CREATED, Some(path)) = (status, self.location) {
            response.insert_header((LOCATION, path));
        }
        response.body(self.text)
    }
}

impl fmt::Debug for Written {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Written(…)")
    }
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::ACCEPT;
    use actix_web::test::TestRequest;

    use super::super::error::testing::body_of;
    use super::super::query_spec::QuerySpec;
    use super::*;

    static TREES: ResourceType = ResourceType { name: "trees", fields: &["height", "age", "wood", "birds"] };
    static KNOWN: QuerySpec = QuerySpec { include: &["wood"], ..QuerySpec::show(&[&TREES]) };

    fn tree(id: u8) -> Resource {
        Resource::new(&TREES, id)
            .attributes(&json!({"height": 3, "age": null}))
            .to_one("wood", Some(Identifier::new("woods", "w")))
            .relation_link("wood", "/woods/w")
            .relation_link("birds", "/trees/1/birds")
            .link_self("/trees/1")
    }

    fn shown(document: &Document, query: &str) -> Value {
        document.to_json(&Query::parse(query, &KNOWN).unwrap())
    }

    #[test]
    fn a_resource_has_every_part() {
        let expected = json!({
            "jsonapi": {"version": "1.1"},
            "data": {
                "type": "trees",
                "id": "1",
                "attributes": {"height": 3, "age": null},
                "relationships": {
                    "wood": {
                        "data": {"type": "woods", "id": "w"},
                        "links": {"related": "/woods/w"},
                    },
                    "birds": {"links": {"related": "/trees/1/birds"}},
                },
                "links": {"self": "/trees/1"},
            },
        });
        assert_eq!(shown(&Document::one(tree(1)), ""), expected);
    }

    #[test]
    fn sparse_fieldsets_leave_only_what_was_asked_for() {
        let document = shown(&Document::one(tree(1)), "fields[trees]=height,wood");
        assert_eq!(document["data"]["attributes"], json!({"height": 3}));
        assert_eq!(document["data"]["relationships"].as_object().unwrap().len(), 1);
        let document = shown(&Document::one(tree(1)), "fields[trees]=");
        let expected = json!({"type": "trees", "id": "1", "links": {"self": "/trees/1"}});
        assert_eq!(document["data"], expected);
    }

    #[test]
    fn nothing_is_in_a_document_twice() {
        let document =
            Document::list(vec![tree(1), tree(2)]).include(vec![tree(2), tree(3)]).include(vec![tree(3), tree(1)]);
        let document = shown(&document, "");
        assert_eq!(document["included"].as_array().unwrap().len(), 1);
        assert_eq!(document["included"][0]["id"], "3");
    }

    #[test]
    fn included_is_there_once_it_was_asked_for() {
        let document = Document::none().meta("n", 1);
        assert_eq!(shown(&document, "include=wood")["included"], json!([]));
        let expected = json!({"jsonapi": {"version": "1.1"}, "data": null, "meta": {"n": 1}});
        assert_eq!(shown(&document, ""), expected);
    }

    #[test]
    fn a_created_resource_has_its_location() {
        let request = TestRequest::get().to_http_request();
        let query = Query::default();
        let response = Document::one(tree(1)).respond(&query, &request, StatusCode::CREATED);
        assert_eq!(response.headers().get(LOCATION).unwrap(), "/trees/1");
        assert_eq!(response.headers().get(VARY).unwrap(), "Accept");
        assert_eq!(response.headers().get(CONTENT_TYPE).unwrap(), "application/vnd.api+json");
        let response = Document::one(tree(1)).respond(&query, &request, StatusCode::OK);
        assert!(response.headers().get(LOCATION).is_none());
    }

    #[test]
    fn the_label_is_what_the_client_accepts() {
        let request = TestRequest::get().insert_header((ACCEPT, "application/json")).to_http_request();
        let response = Document::none().respond(&Query::default(), &request, StatusCode::OK);
        assert_eq!(response.headers().get(CONTENT_TYPE).unwrap(), "application/json");
    }

    #[test]
    fn an_incomplete_resource_is_not_passed_off_as_whole() {
        let request = TestRequest::get().to_http_request();
        let document = Document::one(tree(1).attributes(&"not an object"));
        let response = document.respond(&Query::default(), &request, StatusCode::OK);
        assert_eq!(response.status(), 500);
        assert_eq!(body_of(response)["errors"][0]["status"], "500");
    }
}
