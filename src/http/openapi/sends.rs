//! What a route takes in its body.

use serde_json::Value;
use utoipa::openapi::content::ContentBuilder;
use utoipa::openapi::request_body::{RequestBody, RequestBodyBuilder};
use utoipa::openapi::schema::{AllOfBuilder, AnyOfBuilder, SchemaType};
use utoipa::openapi::{ArrayBuilder, Object, ObjectBuilder, RefOr, Required, Schema};
use utoipa::{PartialSchema, ToSchema};

use crate::jsonapi::schema::{Named, identifier, named, object, one_of, or_null, text, written};
use crate::jsonapi::{MAX_BODY, MAX_IDENTIFIERS, MEDIA_TYPE};

/// The body of a request.
pub(crate) struct Sends {
    types: Vec<&'static str>,
    name: String,
    schemas: Vec<Named>,
    required: Vec<(&'static str, RefOr<Schema>)>,
    schema_of: fn(&str) -> RefOr<Schema>,
    relationships: Option<Object>,
    rule: Rule,
    form: Form,
    most_bytes: usize,
}

/// How many resources the body can hold.
enum Form {
    One,
    /// A list of at most so many of them.
    List(usize),
    /// One, or a list of at least one of these others.
    OneOrListOf(Box<Sends>),
}

/// How strictly the body is taken.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Rule {
    /// A resource of one of the types.
    Resource,
    /// Its type may be empty or absent.
    Lenient,
    /// The same, and the body may be absent.
    OrNothing,
    Identifiers,
}

impl Sends {
    /// A resource of one of these types with attributes that `T` reads.
    pub(crate) fn attributes<T: ToSchema>(types: &[&'static str]) -> Self {
        let mut schemas = vec![(T::name().into_owned(), <T as PartialSchema>::schema())];
        T::schemas(&mut schemas);
        Self {
            types: types.to_vec(),
            name: T::name().into_owned(),
            schemas,
            required: vec![],
            schema_of: written::<T>,
            relationships: None,
            rule: Rule::Resource,
            form: Form::One,
            most_bytes: MAX_BODY,
        }
    }

    /// Identifiers of resources of one of these types.
    pub(crate) fn identifiers(types: &[&'static str]) -> Self {
        Self { rule: Rule::Identifiers, schemas: vec![], ..Self::attributes::<()>(types) }
    }

    /// The type may be empty or absent, which shipped clients send (docs/design.md §5).
    pub(crate) fn lenient(self) -> Self {
        Self { rule: Rule::Lenient, ..self }
    }

    /// The type, and the whole body, may be absent.
    pub(crate) fn or_nothing(self) -> Self {
        Self { rule: Rule::OrNothing, ..self }
    }

    /// Or a list of at least one of these, which one shipped client sends where another sends a single resource.
    pub(crate) fn or_list_of(self, each: Self) -> Self {
        Self { form: Form::OneOrListOf(Box::new(each)), ..self }
    }

    /// Not one but a list of at most so many of these.
    pub(crate) fn listed_up_to(self, most: usize) -> Self {
        Self { form: Form::List(most), ..self }
    }

    /// These attributes must be there.
    pub(crate) fn requires(mut self, names: &[&'static str]) -> Self {
        self.required = names.iter().map(|name| (*name, (self.schema_of)(name))).collect();
        self
    }

    /// This relationship can be there, to any number of resources of a type.
    pub(crate) fn related_to_many(mut self, name: &'static str, kind: &str) -> Self {
        let relationship = object().required("data").property("data", ArrayBuilder::new().items(identifier(&[kind])));
        self.relationships = Some(object().property(name, relationship).build());
        self
    }

    /// This relationship, to one resource of a type, must be there.
    pub(crate) fn related_to_one(mut self, name: &'static str, kind: &str) -> Self {
        let relationship = object().required("data").property("data", identifier(&[kind]));
        let before = self.relationships.take().map_or_else(object, ObjectBuilder::from);
        self.relationships = Some(before.required(name).property(name, relationship).build());
        self
    }

    /// This relationship, to one resource of a type, can be there.
    pub(crate) fn may_relate_to_one(mut self, name: &'static str, kind: &str) -> Self {
        let relationship = object().required("data").property("data", identifier(&[kind]));
        let before = self.relationships.take().map_or_else(object, ObjectBuilder::from);
        self.relationships = Some(before.property(name, relationship).build());
        self
    }

    /// This relationship can be there, to any number of resources that are sent with it.
    pub(crate) fn related_to_any(mut self, name: &'static str, each: &Self) -> Self {
        let list = ArrayBuilder::new().items(each.resource()).max_items(Some(MAX_IDENTIFIERS));
        let relationship = object().required("data").property("data", list);
        let before = self.relationships.take().map_or_else(object, ObjectBuilder::from);
        self.relationships = Some(before.property(name, relationship).build());
        self.schemas.extend(each.schemas());
        self
    }

    /// The most bytes that it may have.
    pub(crate) fn of_at_most(self, most_bytes: usize) -> Self {
        Self { most_bytes, ..self }
    }

    pub(crate) const fn most_bytes(&self) -> usize {
        self.most_bytes
    }

    /// The schemas that the body refers to.
    pub(crate) fn schemas(&self) -> Vec<Named> {
        let mut all = self.schemas.clone();
        if let Form::OneOrListOf(each) = &self.form {
            all.extend(each.schemas());
        }
        all
    }

    /// The body, with examples.
    pub(crate) fn body(&self, content: ContentBuilder) -> RequestBody {
        let required = if self.rule == Rule::OrNothing { Required::False } else { Required::True };
        let about = format!("{MEDIA_TYPE}; application/json is taken, too. At most {} KiB.", self.most_bytes / 1024);
        let content = content.schema(Some(self.document())).build();
        RequestBodyBuilder::new().description(Some(about)).required(Some(required)).content(MEDIA_TYPE, content).build()
    }

    fn document(&self) -> ObjectBuilder {
        let list_of = |items: ObjectBuilder| ArrayBuilder::new().items(items).max_items(Some(MAX_IDENTIFIERS));
        let data: RefOr<Schema> = match &self.form {
            _ if self.rule == Rule::Identifiers => list_of(identifier(&self.types)).into(),
            Form::One => self.resource().into(),
            Form::List(most) => list_of(self.resource()).max_items(Some(*most)).into(),
            Form::OneOrListOf(each) => {
                let list = list_of(each.resource()).min_items(Some(1));
                RefOr::T(AnyOfBuilder::new().item(self.resource()).item(list).into())
            }
        };
        object().required("data").property("data", data)
    }

    fn resource(&self) -> ObjectBuilder {
        let kind: RefOr<Schema> = if self.rule == Rule::Resource {
            one_of(&self.types).into()
        } else {
            let words: Vec<&str> = self.types.iter().copied().chain([""]).collect();
            or_null(text().enum_values(Some(words.into_iter().map(Value::from).chain([Value::Null])))).into()
        };
        let resource = object().property("type", kind).property("attributes", self.attribute_schema());
        let resource = if self.rule == Rule::Resource {
            resource
                .required("type")
                .property("id", or_null(text()).description(Some("None, or the id that the path names")))
        } else {
            resource
        };
        let resource = if self.required.is_empty() { resource } else { resource.required("attributes") };
        let Some(relationships) = &self.relationships else { return resource };
        let resource = if relationships.required.is_empty() { resource } else { resource.required("relationships") };
        resource.property("relationships", Schema::from(relationships.clone()))
    }

    fn attribute_schema(&self) -> RefOr<Schema> {
        if self.required.is_empty() {
            return named(&self.name);
        }
        let any = ObjectBuilder::new().schema_type(SchemaType::AnyValue);
        let rule =
            self.required.iter().fold(any, |rule, (name, schema)| rule.required(*name).property(*name, schema.clone()));
        AllOfBuilder::new().item(named(&self.name)).item(rule).into()
    }
}
