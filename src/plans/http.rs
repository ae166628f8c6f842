//! `admin/feature-sets` and `admin/organizations/:name/subscription`, for site admins.

use serde::Deserialize;
use utoipa::ToSchema;
use validator::Validate;

use super::view::{self, FEATURE_SETS, SUBSCRIPTIONS};
use crate::access::{Action, Target};
use crate::database::text_enum::TextEnum as _;
use crate::http::openapi::Sends;
use crate::http::{BodySpec, PathParams, Read, Reply, Route, Section, Write};
use crate::jsonapi::{Body, Error, PageInfo, QuerySpec, Result, Search};
use crate::organizations::{self, Plan};

const LIST: QuerySpec = QuerySpec { q: Search::Text, ..QuerySpec::list(&[&FEATURE_SETS]) };
const SHOW: QuerySpec = QuerySpec::show(&[&SUBSCRIPTIONS]);

/// The endpoints of plans.
pub(crate) fn section() -> Section {
    Section {
        tag: "plans",
        about: "What organizations show that they may use, for shipped clients: Latchkey itself has no other limits for \
                one plan than for another",
        endpoints: vec![
            Route::get("/admin/feature-sets", "listFeatureSets", "List the plans that there are")
                .query(&LIST)
                .means("q", "Only those whose name holds this text, in any case")
                .lists(&FEATURE_SETS)
                .allows(&[Action::ListPlans])
                .read(list),
            Route::post(
                "/admin/organizations/{organization}/subscription",
                "setPlan",
                "Set the plan that an organization shows",
            )
            .query(&SHOW)
            .body(Wanted)
            .shows(&SUBSCRIPTIONS)
            .allows(&[Action::SetPlan])
            .write(set),
        ],
        kinds: view::schemas(),
    }
}

/// A subscription with its plan as the relationship `feature-set`. What shipped clients say of ceilings and dates is not
/// asked for.
struct Wanted;

#[derive(Debug, Clone, Default, Deserialize, Validate, ToSchema)]
struct NoAttributes {}

/// Shipped clients send the singular.
const SENT: &[&str] = &["subscription", SUBSCRIPTIONS.name];

impl BodySpec for Wanted {
    type Parsed = Plan;

    fn parse(&self, body: &Body, _: &PathParams) -> Result<Plan> {
        let resource = body.resource::<NoAttributes>(SENT, &[])?.without_id()?;
        let id = resource.relationships.to_one("feature-set", FEATURE_SETS.name)?;
        id.and_then(Plan::of_word).ok_or_else(|| {
            let detail = "Feature set must be one that /admin/feature-sets lists";
            Error::attribute("/data/relationships/feature-set/data/id", detail)
        })
    }

    fn describe(&self) -> Sends {
        Sends::attributes::<NoAttributes>(SENT).related_to_one("feature-set", FEATURE_SETS.name)
    }
}

fn list(call: Read<'_>) -> Result<Reply> {
    let call = call.may(Target::Organization)?;
    let part = call.query.q().unwrap_or_default().to_lowercase();
    let found: Vec<Plan> =
        Plan::ALL.into_iter().filter(|plan| view::name(*plan).to_lowercase().contains(&part)).collect();
    let number = |number: i64| usize::try_from(number).unwrap_or(usize::MAX);
    let page = found.iter().skip(number(call.query.page().offset())).take(number(call.query.page().size()));
    let resources = page.map(|plan| view::feature_set(*plan)).collect();
    let total = i64::try_from(found.len()).unwrap_or(i64::MAX);
    Ok(call.page(resources, PageInfo::Numbered { total }))
}

fn set(call: Write<'_, Plan>) -> Result<Reply> {
    let (call, organization) = call.lock(|connection, caller| {
        // Others take no lock on an organization.
        caller.may(Action::SetPlan, Target::Organization)?;
        Ok(organizations::lock(connection, caller.organization()?)?)
    })?;
    let (call, plan) = call.may(Target::Organization)?.take_input();
    let organization = organizations::set_plan(call.connection, &call.caller.actor(), organization, plan)?;
    Ok(call.one(view::subscription(&organization)))
}
