//! What an endpoint takes in its body: declared once, and used for parsing and for the description alike.

use std::marker::PhantomData;

use utoipa::ToSchema;

use super::PathParams;
use crate::http::openapi::Sends;
use crate::jsonapi::{Attributes, Body, Error, MAX_BODY, MAX_LIST_BODY, ResourceBody, Result};

/// What an endpoint takes in its body.
pub(crate) trait BodySpec: Send + Sync + 'static {
    /// What the handler gets.
    type Parsed: Send + 'static;

    /// Parses a body; `path` has the ids that it may name.
    ///
    /// # Errors
    /// 400, 403, 409 or 422, with all faults together (docs/design.md §5).
    fn parse(&self, body: &Body, path: &PathParams) -> Result<Self::Parsed>;

    /// The same in the words of the OpenAPI description.
    fn describe(&self) -> Sends;

    /// The most bytes that it may have.
    fn most_bytes(&self) -> usize {
        MAX_BODY
    }
}

/// How strictly the `type` of a resource is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Strictness {
    Strict,
    /// It may be empty or absent, which shipped clients send (docs/design.md §5).
    Lenient,
    /// The same, and the whole body may be absent.
    OrNothing,
}

/// Which `id` a resource may have.
#[derive(Debug, Clone, Copy)]
enum IdRule {
    /// None: the server chooses it (JSON:API "Client-Generated IDs").
    New,
    /// None, or the text of this path parameter (JSON:API "Updating Resources").
    OfPath(&'static str),
    /// The handler looks at it: only the resource knows its ids.
    Any,
}

/// What other systems call an attribute.
#[derive(Debug)]
pub(crate) struct OtherWords {
    /// What it is called here.
    pub(crate) here: &'static str,
    /// What it is called there, in lower case and without hyphens.
    pub(crate) there: &'static [&'static str],
}

/// The names that people bring along from elsewhere, so that nothing that matters is dropped without a word.
#[derive(Debug, Clone, Copy)]
struct Misnomers {
    /// The names that the type has. Written in another way, they are refused as well.
    known: &'static [&'static str],
    words: &'static [&'static [OtherWords]],
}

impl Misnomers {
    const NONE: Self = Self { known: &[], words: &[] };

    /// What a name should be that the type does not have, if there is such a thing.
    fn right(&self, name: &str) -> Option<&'static str> {
        let plain = |name: &str| name.replace('-', "").to_lowercase();
        let sent = plain(name);
        let words = self.words.iter().copied().flatten().find(|words| words.there.contains(&sent.as_str()));
        let spelled = || self.known.iter().find(|known| plain(known) == sent).copied();
        words.map(|words| words.here).or_else(spelled).filter(|right| *right != name)
    }
}

/// One resource with attributes that `A` reads.
#[derive(Debug)]
pub(crate) struct OneResource<A> {
    types: &'static [&'static str],
    required: &'static [&'static str],
    strictness: Strictness,
    id: IdRule,
    related: fn(Sends) -> Sends,
    misnomers: Misnomers,
    kept: &'static [&'static str],
    most_bytes: usize,
    attributes: PhantomData<fn() -> A>,
}

impl<A> OneResource<A> {
    const fn with_id(types: &'static [&'static str], id: IdRule) -> Self {
        Self {
            types,
            required: &[],
            strictness: Strictness::Strict,
            id,
            related: std::convert::identity,
            misnomers: Misnomers::NONE,
            kept: &[],
            most_bytes: MAX_BODY,
            attributes: PhantomData,
        }
    }

    /// A new resource of one of these types.
    pub(crate) const fn new(types: &'static [&'static str]) -> Self {
        Self::with_id(types, IdRule::New)
    }

    /// Changes of the resource whose id is the path parameter `id`.
    pub(crate) const fn changes(types: &'static [&'static str], id: &'static str) -> Self {
        Self::with_id(types, IdRule::OfPath(id))
    }

    /// A resource whose id the handler looks at.
    pub(crate) const fn any(types: &'static [&'static str]) -> Self {
        Self::with_id(types, IdRule::Any)
    }

    /// These attributes must be there.
    pub(crate) const fn requires(self, required: &'static [&'static str]) -> Self {
        Self { required, ..self }
    }

    /// The type may be empty or absent, which shipped clients send (docs/design.md §5).
    pub(crate) const fn lenient(self) -> Self {
        Self { strictness: Strictness::Lenient, ..self }
    }

    /// The type, and the whole body, may be absent.
    pub(crate) const fn or_nothing(self) -> Self {
        Self { strictness: Strictness::OrNothing, ..self }
    }

    /// It holds a long list.
    pub(crate) const fn long(self) -> Self {
        Self { most_bytes: MAX_LIST_BODY, ..self }
    }

    /// Names that people bring along from elsewhere, beside those that the type has: what matters is not dropped without a
    /// word.
    pub(crate) const fn misnamed(
        self,
        known: &'static [&'static str],
        words: &'static [&'static [OtherWords]],
    ) -> Self {
        Self { misnomers: Misnomers { known, words }, ..self }
    }

    /// Attributes that the handler asks for as they were sent, of a lenient body.
    pub(crate) const fn keeps(self, kept: &'static [&'static str]) -> Self {
        Self { kept, ..self }
    }

    /// How its relationships are described; the handler asks for them by name.
    pub(crate) const fn related(self, related: fn(Sends) -> Sends) -> Self {
        Self { related, ..self }
    }
}

impl<A: Attributes + ToSchema + Send + 'static> BodySpec for OneResource<A> {
    type Parsed = ResourceBody<A>;

    fn parse(&self, body: &Body, path: &PathParams) -> Result<ResourceBody<A>> {
        let resource = match self.strictness {
            Strictness::Strict => body.resource(self.types, self.required)?,
            Strictness::Lenient => body.resource_lenient(self.types, self.kept)?,
            Strictness::OrNothing => body.resource_or_empty(self.types, self.kept)?,
        };
        let resource = match self.id {
            IdRule::New => resource.without_id()?,
            IdRule::OfPath(name) => resource.about(&[path.text(name)])?,
            IdRule::Any => resource,
        };
        let wrong = resource.names().filter_map(|name| Some((name, self.misnomers.right(name)?)));
        Error::check(wrong.map(|(name, right)| {
            let pointer = resource.pointer(&format!("attributes/{name}"));
            Error::attribute(pointer, format!("There is no attribute {name}: it is called {right} here"))
        }))?;
        Ok(resource)
    }

    fn describe(&self) -> Sends {
        let sends = Sends::attributes::<A>(self.types).requires(self.required);
        let sends = match self.strictness {
            Strictness::Strict => sends,
            Strictness::Lenient => sends.lenient(),
            Strictness::OrNothing => sends.or_nothing(),
        };
        (self.related)(sends)
    }

    fn most_bytes(&self) -> usize {
        self.most_bytes
    }
}

/// A list of resources with attributes that `A` reads.
#[derive(Debug)]
pub(crate) struct ResourceList<A> {
    types: &'static [&'static str],
    required: &'static [&'static str],
    most: usize,
    attributes: PhantomData<fn() -> A>,
}

impl<A> ResourceList<A> {
    /// At most `most` resources of one of these types.
    pub(crate) const fn up_to(most: usize, types: &'static [&'static str]) -> Self {
        Self { types, required: &[], most, attributes: PhantomData }
    }

    /// These attributes must be there in each.
    pub(crate) const fn requires(self, required: &'static [&'static str]) -> Self {
        Self { required, ..self }
    }
}

impl<A: Attributes + ToSchema + Send + 'static> BodySpec for ResourceList<A> {
    type Parsed = Vec<ResourceBody<A>>;

    fn parse(&self, body: &Body, _: &PathParams) -> Result<Self::Parsed> {
        let resources = body.list(self.types, self.required)?;
        if resources.len() > self.most {
            return Err(Error::attribute("/data", format!("Must hold at most {} resources", self.most)));
        }
        Ok(resources)
    }

    fn describe(&self) -> Sends {
        Sends::attributes::<A>(self.types).requires(self.required).listed_up_to(self.most)
    }

    fn most_bytes(&self) -> usize {
        MAX_LIST_BODY
    }
}

/// Resource identifiers of one of these types, as the client wrote them (JSON:API "Updating To-Many Relationships").
#[derive(Debug)]
pub(crate) struct Identifiers(pub(crate) &'static [&'static str]);

impl BodySpec for Identifiers {
    type Parsed = Vec<String>;

    fn parse(&self, body: &Body, _: &PathParams) -> Result<Vec<String>> {
        body.identifiers(self.0)
    }

    fn describe(&self) -> Sends {
        Sends::identifiers(self.0)
    }

    fn most_bytes(&self) -> usize {
        MAX_LIST_BODY
    }
}
