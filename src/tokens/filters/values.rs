//! What filters of tokens take: their words, and how their values are read.

use std::collections::BTreeMap;
use std::str::FromStr;

use crate::credential::{Ability, InvalidAbility, Status};
use crate::database::text_enum::{TextEnum, text_enum};
use crate::jsonapi::{Error, Given, Query, Result, Timestamp};
use crate::tokens::Labels;

/// The most that `filter[unused-for-days]` takes: a hundred years.
pub(in crate::tokens) const UNUSED_DAYS_MAX: i32 = 36_500;

text_enum! {
    /// What `filter[trashed]` can ask for.
    #[derive(Default)]
    pub enum Trashed {
        With = "with",
        /// Only what is revoked.
        Only = "only",
        /// Nothing that is revoked: as if it were not asked.
        #[default]
        Without = "without",
    }
}

text_enum! {
    /// What `filter[name]` can ask for.
    pub enum Name {
        PersonalAccess = "personal_access",
        /// What belongs to no person, and so to an organization.
        ServiceAccess = "svc_access",
        CliActivation = "cli_activation",
        CliAccess = "cli_access",
        CliRefresh = "cli_refresh",
    }
}

text_enum! {
    /// What a filter can ask for that asks whether something is so.
    pub enum YesNo {
        Yes = "true",
        No = "false",
    }
}

/// What `filter[status]` can ask for.
pub(super) const STATUS_WORDS: &[&str] = &["active", "inactive", "disabled", "expired", "revoked"];

/// A status by its word, or by that of systems which call what is switched off disabled.
pub(super) fn status(word: &str) -> Option<Status> {
    if word == "disabled" { Some(Status::Inactive) } else { Status::of_word(word) }
}

/// Reads values of filters, and gathers what is wrong with them.
pub(super) struct Reader<'a> {
    query: &'a Query,
    pub(super) faults: Vec<Error>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(query: &'a Query) -> Self {
        Self { query, faults: vec![] }
    }

    /// The items of a list with commas, each read by `read`; none if the filter is not there.
    fn list<T>(&mut self, filter: &str, read: impl Fn(&str) -> Result<Option<T>, String>) -> Option<Vec<T>> {
        let given = self.query.given(filter);
        let mut all = vec![];
        for one in given {
            match items(one).map(|(_, item)| read(item)).collect::<Result<Vec<_>, _>>() {
                Ok(items) => all.extend(items.into_iter().flatten()),
                Err(fault) => self.faults.push(Error::parameter(&one.name, fault)),
            }
        }
        (!given.is_empty()).then_some(all)
    }

    /// The same, of a list that cannot be empty.
    fn some<T>(
        &mut self,
        filter: &str,
        read: impl Fn(&str) -> Result<Option<T>, String>,
        if_empty: impl Fn() -> String,
    ) -> Option<Vec<T>> {
        let faults = self.faults.len();
        let items = self.list(filter, read);
        if items.as_ref().is_some_and(Vec::is_empty) && self.faults.len() == faults {
            let first = self.query.given(filter).first();
            self.faults.extend(first.map(|given| Error::parameter(&given.name, if_empty())));
        }
        items
    }

    /// The one value of a filter that takes no list.
    fn one<T>(&mut self, filter: &str, read: impl Fn(&str) -> Result<T, String>) -> Option<T> {
        let (Given { name, value, .. }, more) = self.query.given(filter).split_first()?;
        let more =
            more.iter().map(|given| Error::parameter(&given.name, "Takes one value, and is there more than once"));
        self.faults.extend(more);
        read(value).map_err(|fault| self.faults.push(Error::parameter(name, fault))).ok()
    }

    pub(super) fn words<T: TextEnum>(&mut self, filter: &str) -> Option<Vec<T>> {
        let words: Vec<&str> = T::all().iter().map(|known| known.word()).collect();
        self.words_of(filter, &words, T::of_word)
    }

    /// The same of these words, which `of_word` knows.
    pub(super) fn words_of<T: TextEnum>(
        &mut self,
        filter: &str,
        words: &[&str],
        of_word: fn(&str) -> Option<T>,
    ) -> Option<Vec<T>> {
        let spelled = words.join(", ");
        let word = |word: &str| of_word(word).map(Some).ok_or_else(|| format!("Must be among {spelled}"));
        let asked = self.some(filter, word, || format!("Must name at least one of {spelled}"))?;
        // A set: each once and in one order, however often and in which order the client names them.
        let is_asked = |known: &T| asked.iter().any(|word| word.word() == known.word());
        Some(T::all().iter().copied().filter(is_asked).collect())
    }

    pub(super) fn word<T: TextEnum>(&mut self, filter: &str) -> Option<T> {
        self.one(filter, |word| T::of_word(word).ok_or_else(|| format!("Must be {}", spelled::<T>(" or "))))
    }

    /// An id that does not parse finds nothing; no id at all is a fault.
    pub(super) fn ids<T: FromStr>(&mut self, filter: &str) -> Option<Vec<T>> {
        let ids: Vec<Option<T>> =
            self.some(filter, |id| Ok(Some(id.parse().ok())), || "Must name at least one id".into())?;
        Some(ids.into_iter().flatten().collect())
    }

    pub(super) fn abilities(&mut self, filter: &str) -> Option<Vec<Ability>> {
        let ability =
            |text: &str| text.parse().map(Some).map_err(|fault: InvalidAbility| format!("An ability {fault}"));
        self.some(filter, ability, || "Must name at least one ability".to_owned())
    }

    /// Whole texts, which may hold commas: only a repeated filter names several.
    pub(super) fn texts(&self, filter: &str) -> Option<Vec<String>> {
        let given = self.query.given(filter);
        (!given.is_empty()).then(|| given.iter().map(|given| given.value.clone()).collect())
    }

    /// The values of labels, by their keys.
    pub(super) fn labels(&mut self, filter: &str) -> Option<BTreeMap<String, Vec<String>>> {
        let given = self.query.given(filter);
        let mut labels: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for Given { name, value, member } in given {
            match member.as_ref().filter(|key| Labels::is_key(key)) {
                Some(key) => labels.entry(key.clone()).or_default().push(value.clone()),
                None => self.faults.push(Error::parameter(name, "No label has such a key")),
            }
        }
        (!given.is_empty()).then_some(labels)
    }

    pub(super) fn time(&mut self, filter: &str) -> Option<Timestamp> {
        self.one(filter, |text| {
            // A plus that is not percent-encoded is a space.
            text.parse().map_err(|fault| format!("Time {fault}; in a query, a + is written as %2B"))
        })
    }

    pub(super) fn days(&mut self, filter: &str) -> Option<i32> {
        let number = |text: &str| {
            let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
            digits.then(|| text.parse().ok()).flatten().filter(|days| *days <= UNUSED_DAYS_MAX)
        };
        self.one(filter, |text| {
            number(text).ok_or_else(|| format!("Must be a whole number from 0 to {UNUSED_DAYS_MAX}"))
        })
    }
}

/// The items of a list with commas, each beside its parameter.
pub(super) fn items(given: &Given) -> impl Iterator<Item = (&str, &str)> {
    let items = given.value.split(',').map(str::trim).filter(|item| !item.is_empty());
    items.map(|item| (given.name.as_str(), item))
}

fn spelled<T: TextEnum>(between: &str) -> String {
    T::all().iter().map(|known| known.word()).collect::<Vec<_>>().join(between)
}
