//! A token in the words of the pages.

use chrono::{DateTime, TimeDelta, Utc};

use crate::console::shell::{Moment, Shown};
use crate::credential::{Ability, Kind, Status};
use crate::ids::TokenId;
use crate::jsonapi::time;
use crate::tokens::{Token, TokenRights};

/// A token as tables, cards and its own page show it.
pub(super) struct ShownToken {
    pub(super) id: TokenId,
    /// What its maker has called it.
    pub(super) label: String,
    /// The first 10 characters of its secret.
    pub(super) prefix: String,
    pub(super) owner: String,
    pub(super) role: &'static str,
    pub(super) abilities: String,
    pub(super) created: Moment,
    pub(super) creator: String,
    /// When it ends by itself.
    pub(super) ends: Option<Moment>,
    /// How soon that is, where it is soon.
    pub(super) soon: Option<String>,
    pub(super) used: Option<Moment>,
    pub(super) usage: i64,
    /// How it stands, in a word or a few.
    pub(super) status: String,
    /// The same for the stylesheet.
    pub(super) state: &'static str,
    pub(super) rights: TokenRights,
    pub(super) active: bool,
    pub(super) revoked: bool,
    pub(super) expired: bool,
    pub(super) replaced: bool,
}

/// From so many days before its end on, a token's end is near.
const SOON_DAYS: i64 = 7;

impl ShownToken {
    pub(super) fn of(token: &Token, rights: TokenRights, now: DateTime<Utc>) -> Self {
        let unnamed = || "(no description)".to_owned();
        let left = token.ends_at.map(|end| end - now).filter(|left| *left > TimeDelta::zero());
        let soon = left.filter(|left| token.status == Status::Active && *left <= TimeDelta::days(SOON_DAYS));
        Self {
            id: token.id,
            label: token.description.as_deref().filter(|text| !text.is_empty()).map_or_else(unnamed, shown),
            prefix: token.token_prefix.clone(),
            owner: owner(token),
            role: token.role.as_str(),
            abilities: abilities(token.abilities.as_deref()),
            created: Moment(token.created_at),
            creator: token.created_by_name.as_deref().map_or_else(|| "the command line".to_owned(), shown),
            ends: token.ends_at.map(Moment),
            soon: soon.map(in_days),
            used: token.last_used_at.map(Moment),
            usage: token.usage_count,
            status: status(token),
            state: token.status.as_str(),
            rights,
            active: token.status == Status::Active,
            revoked: token.status == Status::Revoked,
            expired: token.status == Status::Expired,
            replaced: token.replaced_by.is_some(),
        }
    }

    /// The first 8 characters, as a card shows it.
    pub(super) fn short(&self) -> String {
        self.prefix.chars().take(8).collect()
    }
}

fn shown(text: &str) -> String {
    Shown(text).to_string()
}

/// Whose it is.
fn owner(token: &Token) -> String {
    let name = token.owner_name.as_deref().map(shown).unwrap_or_default();
    match token.kind {
        Kind::User if token.organization_id.is_some() => format!("service account {name}"),
        Kind::User => format!("user {name}"),
        Kind::Team => format!("team {name}"),
        Kind::Workspace => format!("workspace {name}"),
        Kind::Organization => "the organization".to_owned(),
        Kind::AuditTrails => "the audit trail".to_owned(),
    }
}

/// What it may reach at other services.
pub(super) fn abilities(listed: Option<&[Ability]>) -> String {
    const SHOWN: usize = 3;
    let Some(listed) = listed else { return "all of its owner".to_owned() };
    let mut words: Vec<String> = listed.iter().take(SHOWN).map(|ability| shown(ability.as_str())).collect();
    if listed.len() > SHOWN {
        words.push(format!("and {} more", listed.len() - SHOWN));
    }
    if words.is_empty() { "none".to_owned() } else { words.join(", ") }
}

fn in_days(left: TimeDelta) -> String {
    match left.num_days() {
        0 => "in less than a day".to_owned(),
        1 => "in 1 day".to_owned(),
        days => format!("in {days} days"),
    }
}

/// Two states at once are both said.
fn status(token: &Token) -> String {
    match (token.status, token.disabled_at, token.revoked_at) {
        (Status::Revoked, ..) => "Revoked".to_owned(),
        (Status::Expired, Some(_), _) => "Expired, disabled".to_owned(),
        (Status::Expired, None, _) => "Expired".to_owned(),
        (Status::Inactive, _, Some(end)) => format!("Disabled; replaced, ends {}", time(end)),
        (Status::Inactive, _, None) => "Disabled".to_owned(),
        (Status::Active, _, Some(end)) => format!("Replaced, works until {}", time(end)),
        (Status::Active, _, None) => "Active".to_owned(),
    }
}
