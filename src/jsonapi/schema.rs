//! Schemas of values, of resources, and of the documents around them (JSON:API "Document Structure").

use serde_json::Value;
use utoipa::openapi::schema::{AdditionalProperties, AnyOfBuilder, SchemaType, Type};
use utoipa::openapi::{ArrayBuilder, KnownFormat, Object, ObjectBuilder, Ref, RefOr, Schema, SchemaFormat, schema};
use utoipa::{PartialSchema, ToSchema};

use super::{ResourceType, Timestamp};

/// A schema with the name that it is referred to by.
pub type Named = (String, RefOr<Schema>);

/// The component that describes an error document.
pub const ERRORS: &str = "errors";

/// The schema of this name.
pub fn named(name: &str) -> RefOr<Schema> {
    Ref::from_schema_name(name).into()
}

/// A text, one of these.
pub fn one_of(words: &[&str]) -> Schema {
    text().enum_values(Some(words.iter().copied())).build().into()
}

/// A text of a form, at most so long.
pub fn pattern(pattern: &str, most: usize) -> Schema {
    text().pattern(Some(pattern)).max_length(Some(most)).build().into()
}

pub fn text() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String)
}

/// A whole number from `least`.
pub fn count(least: i64) -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(least))
}

pub fn truth() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::Boolean)
}

/// Always null: what the HCP API has and a token service has not.
pub fn null() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::Null)
}

/// A time, in RFC 3339.
pub fn time() -> ObjectBuilder {
    text().format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)))
}

/// The same value, or null.
pub fn or_null(one: ObjectBuilder) -> ObjectBuilder {
    let mut one: Object = one.build();
    if let SchemaType::Type(kind) = one.schema_type {
        one.schema_type = SchemaType::Array(vec![kind, Type::Null]);
    }
    one.into()
}

/// The same schema without null.
fn not_null(schema: RefOr<Schema>) -> RefOr<Schema> {
    let kinds = |kind: SchemaType| match kind {
        SchemaType::Array(mut kinds) => {
            kinds.retain(|kind| *kind != Type::Null);
            match kinds.as_slice() {
                [kind] => SchemaType::Type(kind.clone()),
                _ => SchemaType::Array(kinds),
            }
        }
        kind => kind,
    };
    let is_null = |item: &RefOr<Schema>| {
        matches!(item, RefOr::T(Schema::Object(Object { schema_type: SchemaType::Type(Type::Null), .. })))
    };
    match schema {
        RefOr::T(Schema::Object(mut one)) => {
            one.schema_type = kinds(one.schema_type);
            Schema::Object(one).into()
        }
        RefOr::T(Schema::Array(mut list)) => {
            list.schema_type = kinds(list.schema_type);
            Schema::Array(list).into()
        }
        RefOr::T(Schema::OneOf(mut one)) => {
            one.items.retain(|item| !is_null(item));
            match one.items.pop() {
                Some(only) if one.items.is_empty() => only,
                last => {
                    one.items.extend(last);
                    Schema::OneOf(one).into()
                }
            }
        }
        other => other,
    }
}

/// An object of nothing but truths: permissions.
pub fn truths() -> ObjectBuilder {
    object().additional_properties(Some(Schema::from(truth().build())))
}

/// An object with any members.
pub fn object() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::Object)
}

/// An object with no members but those that it has already.
fn closed(object: ObjectBuilder) -> ObjectBuilder {
    object.additional_properties(Some(AdditionalProperties::<Schema>::FreeForm(false)))
}

/// The attribute `name` of what clients write, where a value must be given: in a request that requires it.
pub fn written<T: PartialSchema>(name: &str) -> RefOr<Schema> {
    not_null(written_or_null::<T>(name))
}

/// The attribute `name` of what clients write.
pub fn written_or_null<T: PartialSchema>(name: &str) -> RefOr<Schema> {
    match T::schema() {
        RefOr::T(Schema::Object(mut object)) => {
            object.properties.remove(name).unwrap_or_else(|| schema::empty().into())
        }
        _ => schema::empty().into(),
    }
}

/// An attribute of a type of resource, declared once for its value and for its description.
pub struct Attribute<T> {
    pub name: &'static str,
    /// What its value can be.
    pub schema: fn() -> RefOr<Schema>,
    /// Its value.
    pub value: fn(&T) -> Value,
}

/// A relationship to one resource at most, declared once.
pub struct ToOne {
    pub name: &'static str,
    /// The types that the resource can have.
    pub types: &'static [&'static str],
}

/// The names of the items of some lists, one after the other, in a constant: `names!(name of ATTRIBUTES, RELATIONSHIPS)`.
#[macro_export]
macro_rules! names {
    ($name:ident of $($list:expr),+) => {
        &{
            let mut names = [""; 0 $(+ $list.len())+];
            let mut next = 0;
            $(
                let mut nth = 0;
                while nth < $list.len() {
                    names[next] = $list[nth].$name;
                    next += 1;
                    nth += 1;
                }
            )+
            assert!(next == names.len());
            names
        }
    };
}

/// How a type of resource looks in an answer. With `fields[…]` any of its members can be missing.
pub struct ResourceSchema {
    kind: &'static ResourceType,
    about: &'static str,
    attributes: ObjectBuilder,
    relationships: ObjectBuilder,
    links: ObjectBuilder,
    described: Vec<&'static str>,
}

impl ResourceSchema {
    pub fn new(kind: &'static ResourceType, about: &'static str) -> Self {
        let links = object().property("self", text());
        Self { kind, about, attributes: object(), relationships: object(), links, described: vec![] }
    }

    pub fn attribute(mut self, name: &'static str, schema: impl Into<RefOr<Schema>>) -> Self {
        self.attributes = self.attributes.property(name, schema);
        self.described.push(name);
        self
    }

    /// With attributes that are declared elsewhere.
    pub fn declared<T>(self, attributes: &'static [Attribute<T>]) -> Self {
        attributes.iter().fold(self, |kind, one| kind.attribute(one.name, (one.schema)()))
    }

    /// With attributes that all have the same schema.
    pub fn attributes(self, names: &[&'static str], schema: fn() -> ObjectBuilder) -> Self {
        names.iter().fold(self, |kind, name| kind.attribute(name, schema()))
    }

    /// With attributes that are shown as clients write them, and are never null.
    pub fn written<T: PartialSchema>(self, names: &[&'static str]) -> Self {
        names.iter().fold(self, |kind, name| kind.attribute(name, written::<T>(name)))
    }

    /// With attributes that are shown as clients write them.
    pub fn written_or_null<T: PartialSchema>(self, names: &[&'static str]) -> Self {
        names.iter().fold(self, |kind, name| kind.attribute(name, written_or_null::<T>(name)))
    }

    /// With a relationship to one resource of one of these types, or to none.
    pub fn one(self, name: &'static str, types: &[&str]) -> Self {
        let one = AnyOfBuilder::new().item(identifier(types)).item(null());
        self.relationship(name, object().property("data", one))
    }

    /// With a relationship to any number of resources of a type.
    pub fn many(self, name: &'static str, kind: &str) -> Self {
        self.relationship(name, object().property("data", ArrayBuilder::new().items(identifier(&[kind]))))
    }

    /// With a relationship that has only a link.
    pub fn link(self, name: &'static str) -> Self {
        self.relationship(name, object())
    }

    /// With another link of the resource itself than `self`.
    pub fn own_link(mut self, name: &'static str) -> Self {
        self.links = self.links.property(name, text());
        self
    }

    fn relationship(mut self, name: &'static str, relationship: ObjectBuilder) -> Self {
        let links = closed(object().property("related", text()));
        self.relationships = self.relationships.property(name, closed(relationship.property("links", links)));
        self.described.push(name);
        self
    }

    /// The schema. What is in the list of the type's fields and was not described can be anything.
    pub fn finish(self) -> Named {
        let (described, fields) = (&self.described, self.kind.fields);
        let missing = fields.iter().filter(|field| !described.contains(field));
        let attributes = missing.fold(self.attributes, |all, field| all.property(*field, schema::empty()));
        let page = closed(object().property("cursor", text()));
        let resource = object()
            .description(Some(self.about))
            .required("type")
            .required("id")
            .property("type", one_of(&[self.kind.name]))
            .property("id", text())
            .property("attributes", closed(attributes))
            .property("relationships", closed(self.relationships))
            .property("links", closed(self.links))
            .property("meta", closed(object().property("page", page)));
        (self.kind.name.to_owned(), closed(resource).into())
    }
}

/// A resource identifier object (JSON:API "Resource Identifier Objects").
pub fn identifier(types: &[&str]) -> ObjectBuilder {
    object().required("type").required("id").property("type", one_of(types)).property("id", text().min_length(Some(1)))
}

/// A document around `data` that can include resources of `types`.
pub fn document(data: impl Into<RefOr<Schema>>, types: &[&'static ResourceType]) -> ObjectBuilder {
    let known = types.iter().fold(AnyOfBuilder::new(), |any, kind| any.item(named(kind.name)));
    let included = ArrayBuilder::new().items(RefOr::T(Schema::AnyOf(known.build())));
    let document = object().required("data").required("jsonapi").property("data", data);
    let document = if types.is_empty() { document } else { document.property("included", included) };
    closed(document.property("jsonapi", named("jsonapi")).property("links", named("links")).property("meta", object()))
}

/// A document whose data is a list of `items`.
pub fn list(items: impl Into<RefOr<Schema>>, types: &[&'static ResourceType]) -> ObjectBuilder {
    document(ArrayBuilder::new().items(items.into()), types)
}

pub fn shared() -> Vec<Named> {
    let jsonapi = object().property("version", one_of(&["1.1"])).property("profile", ArrayBuilder::new().items(text()));
    let link = || or_null(text());
    let links =
        ["self", "first", "prev", "next", "last"].iter().fold(object(), |all, name| all.property(*name, link()));
    let source = object()
        .property("pointer", text().description(Some("Where in the request document, as a JSON pointer")))
        .property("parameter", text().description(Some("Which query parameter")))
        .property("header", text().description(Some("Which header")));
    let error = object()
        .description(Some("JSON:API \"Error Objects\""))
        .property("id", text().description(Some("The id of the request, as in `X-Request-Id`")))
        .property("status", text().pattern(Some("^[45][0-9]{2}$")))
        .property("title", text())
        .property("detail", text())
        .property("source", closed(source))
        .property("links", object())
        .property("meta", object());
    let error = ["id", "status", "title", "detail"].iter().fold(error, |error, name| error.required(*name));
    let errors = object()
        .required("errors")
        .property("jsonapi", named("jsonapi"))
        .property("errors", ArrayBuilder::new().items(named("error")).min_items(Some(1)));
    vec![
        ("jsonapi".to_owned(), closed(jsonapi).into()),
        ("links".to_owned(), closed(links).into()),
        ("error".to_owned(), closed(error).into()),
        (ERRORS.to_owned(), closed(errors).into()),
    ]
}

impl PartialSchema for Timestamp {
    fn schema() -> RefOr<Schema> {
        time().examples([Value::from("2031-05-17T08:00:00Z")]).into()
    }
}

impl ToSchema for Timestamp {
    /// Clients that are generated from the description know it by this name.
    fn name() -> std::borrow::Cow<'static, str> {
        "Moment".into()
    }
}
