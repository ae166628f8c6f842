//! Tag bindings: keys with values that projects and workspaces are grouped by. A workspace inherits those of its project.
//!
//! A binding has no row of its own: they are kept with what they are bound to, in the order in which they came, and the id
//! of each is made of its key.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;
use uuid::Uuid;
use validator::{Validate, ValidationError};

use crate::ids::TagBindingId;
use crate::jsonapi::schema::ResourceSchema;
use crate::jsonapi::{Error, Given, Identifier, Query, Relationships, Resource, ResourceBody, ResourceType, Result};

/// The type that names a tag binding.
pub(crate) const BINDING: &str = "tag-bindings";

pub(crate) const BINDINGS: ResourceType = ResourceType { name: BINDING, fields: &["key", "value"] };

/// The type `effective-tag-bindings`: what a project or a workspace has by itself, or a workspace by its project.
pub(crate) const EFFECTIVE_BINDINGS: ResourceType =
    ResourceType { name: "effective-tag-bindings", fields: &["key", "value", INHERITED] };

const INHERITED: &str = "inherited-from";

/// A project can have as many, and so can a workspace.
pub const BINDINGS_MAX: usize = 10;

/// What a client may write of a tag binding.
#[derive(Debug, Clone, Default, Deserialize, Validate, ToSchema)]
#[serde(rename_all = "kebab-case", default)]
pub struct BindingAttributes {
    /// `key`: 1 to 128 letters, digits, spaces within and `_ . : / = + - @`.
    #[validate(custom(function = "valid_key"))]
    #[schema(pattern = "^[A-Za-z0-9_.:/=+@-]([A-Za-z0-9 _.:/=+@-]{0,126}[A-Za-z0-9_.:/=+@-])?$")]
    pub key: Option<String>,
    /// `value`: at most 256 characters; none is the same as an empty one.
    #[validate(length(max = 256))]
    #[schema(max_length = 256)]
    pub value: Option<String>,
}

/// Validates the key of a tag binding.
///
/// # Errors
/// With a message that says how it must be.
pub(crate) fn valid_key(key: &str) -> Result<(), ValidationError> {
    let known = |byte: u8| byte.is_ascii_alphanumeric() || b" _.:/=+@-".contains(&byte);
    if (1..=128).contains(&key.len()) && key.bytes().all(known) && key.trim() == key {
        return Ok(());
    }
    let message = "Key is invalid: it must be 1 to 128 letters, digits, spaces within and _ . : / = + - @";
    Err(ValidationError::new("key").with_message(message.into()))
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Binding {
    pub key: String,
    pub value: String,
}

/// The tag bindings of one thing; each key is there once.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Bindings(Vec<Binding>);

impl From<Value> for Bindings {
    /// Reads what is stored; what is no list of bindings counts as none.
    fn from(stored: Value) -> Self {
        Self(serde_json::from_value(stored).unwrap_or_else(|fault| {
            log::error!("stored tag bindings cannot be read and count as none: {fault}");
            vec![]
        }))
    }
}

impl FromIterator<Binding> for Bindings {
    /// Of a key that is there twice, the last.
    fn from_iter<I: IntoIterator<Item = Binding>>(bindings: I) -> Self {
        bindings.into_iter().fold(Self::default(), Self::with)
    }
}

impl Bindings {
    /// The bindings that a client sent, whose keys were required.
    pub(crate) fn sent(sent: Vec<ResourceBody<BindingAttributes>>) -> Self {
        let binding = |BindingAttributes { key, value }| Some(Binding { key: key?, value: value.unwrap_or_default() });
        sent.into_iter().filter_map(|body| binding(body.attributes)).collect()
    }

    /// Those that the relationships of a resource that a client sent name; none where they say nothing.
    ///
    /// # Errors
    /// 422 for what is no binding, or too many of them.
    pub(crate) fn related(sent: &Relationships) -> Result<Option<Self>> {
        let Some(sent) = sent.resources(BINDING, &[BINDING], &["key"])? else { return Ok(None) };
        Self::sent(sent).checked("/data/relationships/tag-bindings/data").map(Some)
    }

    /// With one more, or another value of its key.
    fn with(mut self, binding: Binding) -> Self {
        match self.0.iter_mut().find(|own| own.key == binding.key) {
            Some(own) => own.value = binding.value,
            None => self.0.push(binding),
        }
        self
    }

    /// With these as well.
    pub(crate) fn and(self, more: Self) -> Self {
        more.0.into_iter().fold(self, Self::with)
    }

    /// The same, if they are not more than [`BINDINGS_MAX`]; `pointer` says where they were sent.
    ///
    /// # Errors
    /// 422.
    pub(crate) fn checked(self, pointer: &str) -> Result<Self> {
        if self.0.len() <= BINDINGS_MAX {
            return Ok(self);
        }
        Err(Error::attribute(pointer, format!("Tag bindings cannot exceed {BINDINGS_MAX} on one resource")))
    }

    pub(crate) fn has(&self, key: &str) -> bool {
        self.value(key).is_some()
    }

    pub(crate) fn value(&self, key: &str) -> Option<&str> {
        self.0.iter().find(|own| own.key == key).map(|own| own.value.as_str())
    }

    pub(crate) fn keys(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|own| own.key.as_str())
    }

    /// As an object, for the audit trail.
    pub(crate) fn told(&self) -> BTreeMap<&str, &str> {
        self.0.iter().map(|own| (own.key.as_str(), own.value.as_str())).collect()
    }

    /// As resources; `owner` is the key of what has them.
    pub(crate) fn resources(&self, owner: Uuid) -> Vec<Resource> {
        self.0.iter().map(|binding| resource(&BINDINGS, owner, binding)).collect()
    }
}

/// Whom a workspace inherits bindings from.
pub(crate) struct Inherited<'a> {
    pub(crate) from: Identifier,
    /// A path.
    pub(crate) link: String,
    pub(crate) bindings: &'a Bindings,
    /// The keys of which a workspace cannot have a value of its own.
    pub(crate) fixed: &'a BTreeSet<String>,
}

/// The bindings that are in force, as resources: one's own, and those of whom one inherits from whose keys one lacks.
pub(crate) fn effective(owner: Uuid, own: &Bindings, inherited: Option<&Inherited<'_>>) -> Vec<Resource> {
    let fixed = |key: &str| inherited.is_some_and(|from| from.fixed.contains(key) && from.bindings.has(key));
    let of_own = own.0.iter().filter(|binding| !fixed(&binding.key));
    let of_own = of_own.map(|binding| resource(&EFFECTIVE_BINDINGS, owner, binding));
    let others = inherited.into_iter().flat_map(|from| {
        let lacking = from.bindings.0.iter().filter(|binding| fixed(&binding.key) || !own.has(&binding.key));
        lacking.map(|binding| {
            resource(&EFFECTIVE_BINDINGS, owner, binding)
                .to_one(INHERITED, Some(from.from.clone()))
                .link(INHERITED, from.link.clone())
        })
    });
    of_own.chain(others).collect()
}

fn resource(kind: &'static ResourceType, owner: Uuid, Binding { key, value }: &Binding) -> Resource {
    Resource::new(kind, TagBindingId::of(owner, key)).attribute("key", key).attribute("value", value)
}

/// A resource that links to its effective tag bindings, which are in the same document.
pub(crate) fn linked(resource: Resource, effective: &[Resource]) -> Resource {
    resource.to_many(EFFECTIVE_BINDINGS.name, effective.iter().map(Resource::identifier).collect())
}

/// These types in the words of the OpenAPI description.
pub(crate) fn schemas() -> Vec<ResourceSchema> {
    let described = |kind, about| ResourceSchema::new(kind, about).written::<BindingAttributes>(&["key", "value"]);
    vec![
        described(&BINDINGS, "A key with a value that is bound to a project or a workspace"),
        described(&EFFECTIVE_BINDINGS, "A key with a value that is in force, bound or inherited")
            .one(INHERITED, &["projects"])
            .own_link(INHERITED),
    ]
}

/// The filters of lists: `filter[tagged][N][key]`, and `value` with the same N.
pub(crate) const TAGGED: [&str; 2] = ["tagged.*.key", "tagged.*.value"];

/// What shipped clients send beside these filters, without a meaning.
pub(crate) const STRAY: &str = "TagBindings";

/// The tag bindings that a list's filters ask for, all of which must be there; without a value any will do.
///
/// # Errors
/// 400 for a value without a key, for a number that is there twice, and for more than [`ASKED_MAX`].
pub(crate) fn asked(query: &Query) -> Result<Vec<Asked>> {
    let [keys, values] = TAGGED.map(|filter| query.given(filter));
    let mut asked: BTreeMap<&str, Asked> = BTreeMap::new();
    let twice = |given: &Given| Error::parameter(given.name.clone(), "Is there more than once");
    for given in keys {
        let wanted = Asked { key: given.value.clone(), value: None };
        if asked.insert(given.member.as_deref().unwrap_or_default(), wanted).is_some() {
            return Err(twice(given));
        }
        if asked.len() > ASKED_MAX {
            let detail = format!("At most {ASKED_MAX} tag bindings can be asked for at once");
            return Err(Error::parameter(given.name.clone(), detail));
        }
    }
    let mut numbers = BTreeSet::new();
    for given in values {
        let number = given.member.as_deref().unwrap_or_default();
        if !numbers.insert(number) {
            return Err(twice(given));
        }
        let alone = || Error::parameter(given.name.clone(), "Must go with a key of the same number");
        asked.get_mut(number).ok_or_else(alone)?.value = Some(given.value.clone()).filter(|value| !value.is_empty());
    }
    Ok(asked.into_values().collect())
}

/// A workspace has no more bindings than this by itself and by its project together.
const ASKED_MAX: usize = 2 * BINDINGS_MAX;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Asked {
    key: String,
    value: Option<String>,
}

impl Asked {
    pub(crate) fn key(&self) -> &str {
        &self.key
    }

    /// What a `jsonb` list of bindings contains that has it.
    pub(crate) fn contained(&self) -> Value {
        match &self.value {
            Some(value) => json!([{"key": self.key, "value": value}]),
            None => self.any(),
        }
    }

    /// The same with any value.
    pub(crate) fn any(&self) -> Value {
        json!([{"key": self.key}])
    }
}
