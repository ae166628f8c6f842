//! One token: all of it, its use, and what can be done with it.

use std::collections::HashMap;

use askama::Template;
use chrono::{NaiveDate, TimeDelta, Utc};

use super::shown::ShownToken;
use super::{Page, Scope};
use crate::console::answer::Answer;
use crate::console::next;
use crate::console::page::{Act, Look};
use crate::console::shell::{Moment, Shell, Shown};
use crate::ids::TokenId;
use crate::jsonapi::Result;
use crate::tokens::{self, Switch, Token, TokenOperation, USAGE_KEPT_DAYS};

pub(super) fn pages(list: &str) -> Vec<Page> {
    vec![
        Page::get(format!("{list}/{{token}}")).looks(show),
        Page::post(format!("{list}/{{token}}/activate")).acts(activate, show),
        Page::post(format!("{list}/{{token}}/deactivate")).acts(deactivate, show),
    ]
}

/// A day in the chart.
struct Bar {
    x: usize,
    y: i64,
    height: i64,
}

/// How high the chart is, in its own units.
const CHART: i64 = 40;

#[derive(Template)]
#[template(path = "token.html")]
struct One {
    shell: Shell,
    scope: Scope,
    token: ShownToken,
    format: &'static str,
    effective: Vec<String>,
    listed: Option<Vec<String>>,
    labels: Vec<(String, String)>,
    updated: Moment,
    disabled: Option<Moment>,
    ended: Option<Moment>,
    reason: Option<String>,
    predecessor: Option<String>,
    successor: Option<String>,
    bars: Vec<Bar>,
    days: usize,
    /// How often it was used in these days, and at most on one.
    uses: i64,
    most: i64,
}

/// The token that the path names, if it is at this place and the caller may read it.
pub(super) fn find(look: &mut Look<'_>) -> Result<(Scope, Token)> {
    let id: TokenId = look.visit.path.get("token")?;
    let scope = Scope::of(look.connection, look.caller, look.visit)?;
    let token = tokens::find_including_revoked(look.connection, id)?;
    scope.check(&token)?;
    tokens::may(look.connection, look.caller, TokenOperation::Read, &token)?;
    Ok((scope, token))
}

fn show(mut look: Look<'_>) -> Result<Answer> {
    let (scope, token) = find(&mut look)?;
    tokens::record_look(look.connection, look.caller, &token)?;
    let rights = tokens::rights(look.connection, look.caller, std::slice::from_ref(&token))?;
    let today = Utc::now().date_naive();
    let since = today - TimeDelta::days(USAGE_KEPT_DAYS);
    let used = tokens::usage(look.connection, token.id, since)?;
    let (bars, uses, most) = chart(&used, since, today);
    let title = token.description.as_deref().map_or_else(|| "Token".to_owned(), |text| Shown(text).to_string());
    let shell = Shell::of(&look, title)?.faults_beside(look.visit, &[]);
    let all = |abilities: &[crate::credential::Ability]| abilities.iter().map(|one| one.as_str().to_owned()).collect();
    let shown = rights.first().map(|rights| ShownToken::of(&token, *rights, look.caller.now));
    Answer::page(&One {
        shell: Shell { organization: scope.organization.clone(), ..shell },
        format: token.format.as_str(),
        effective: token.effective_abilities.iter().map(|ability| Shown(ability).to_string()).collect(),
        listed: token.abilities.as_deref().map(all),
        labels: token.labels.0.iter().map(|(key, value)| (Shown(key).to_string(), Shown(value).to_string())).collect(),
        updated: Moment(token.updated_at),
        disabled: token.disabled_at.map(Moment),
        ended: token.revoked_at.map(Moment),
        reason: token.revocation_reason.as_deref().map(|text| Shown(text).to_string()),
        predecessor: token.replaces.map(|id| scope.token(id)),
        successor: token.replaced_by.map(|id| scope.token(id)),
        days: bars.len(),
        bars,
        uses,
        most,
        token: shown.ok_or_else(crate::jsonapi::Error::internal)?,
        scope,
    })
}

/// The bars of every day, the uses of all, and the most of one.
fn chart(used: &HashMap<NaiveDate, i64>, since: NaiveDate, today: NaiveDate) -> (Vec<Bar>, i64, i64) {
    let days = since.iter_days().take_while(|day| *day <= today).map(|day| used.get(&day).copied().unwrap_or(0));
    let days: Vec<i64> = days.collect();
    let most = days.iter().copied().max().unwrap_or(0);
    let bar = |(x, uses): (usize, &i64)| {
        // What was used at all is seen.
        let height = if *uses == 0 { 0 } else { (uses.saturating_mul(CHART) / most.max(1)).max(1) };
        Bar { x, y: CHART - height, height }
    };
    (days.iter().enumerate().map(bar).collect(), days.iter().sum(), most)
}

fn activate(act: Act<'_>) -> Result<Answer> {
    switch(act, Switch::On)
}

fn deactivate(act: Act<'_>) -> Result<Answer> {
    switch(act, Switch::Off)
}

fn switch(act: Act<'_>, to: Switch) -> Result<Answer> {
    let (act, (scope, token)) =
        act.lock(|connection, caller, visit| Scope::lock(connection, caller, visit, TokenOperation::Switch))?;
    tokens::may(act.connection, &act.caller, TokenOperation::Switch, &token)?;
    let id = token.id;
    tokens::switch(act.connection, &act.caller, token, to)?;
    let back = act.visit.fields.text("next");
    let own = scope.token(id);
    let place = next::safe(act.visit.site.base(), if back.is_empty() { &own } else { &back });
    Ok(Answer::see_other(place))
}
