//! `organizations/:name/token-ttl-policies`.

use diesel::PgConnection;

use super::view::{self, POLICIES};
use super::{OnePolicyAttributes, PolicyAttributes, PolicyItem, SentPolicies, set, store};
use crate::access::{Action, Target};
use crate::http::openapi::Sends;
use crate::http::{BodySpec, PathParams, Read, Reply, Route, Section, Write};
use crate::ids::OrganizationId;
use crate::jsonapi::schema::{ResourceSchema, or_null, time, written};
use crate::jsonapi::{Body, MAX_LIST_BODY, QuerySpec, Resource, Result};
use crate::organizations;

const SHOW: QuerySpec = QuerySpec::show(&[&POLICIES]);

/// The endpoints of TTL policies.
pub(crate) fn section() -> Section {
    let path = "/organizations/{organization}/token-ttl-policies";
    Section {
        tag: "token-ttl-policies",
        about: "How long an organization lets tokens live, in force while its `max-ttl-enabled` is true",
        endpoints: vec![
            Route::get(path, "listTtlPolicies", "Every kind's policy")
                .query(&SHOW)
                .lists(&POLICIES)
                .allows(&[Action::SeeTtlPolicies])
                .read(list),
            Route::patch(path, "updateTtlPolicies", "Set the policies of some kinds")
                .details("They are sent as one resource with a list of policies in it, or as a list of resources.")
                .query(&SHOW)
                .body(OneOrMany)
                .lists(&POLICIES)
                .allows(&[Action::SetTtlPolicies])
                .write(update),
        ],
        kinds: vec![
            ResourceSchema::new(&POLICIES, "The longest life of one kind of token")
                .attribute("token-type", written::<PolicyItem>("token-type"))
                .attribute("max-ttl-ms", written::<PolicyItem>("max-ttl-ms"))
                .attributes(&["created-at", "updated-at"], || or_null(time())),
        ],
    }
}

/// One resource with a list of policies in it, or a list of resources: shipped clients send both.
struct OneOrMany;

impl BodySpec for OneOrMany {
    type Parsed = SentPolicies;

    fn parse(&self, body: &Body, path: &PathParams) -> Result<SentPolicies> {
        SentPolicies::of(body, path.text("organization"))
    }

    fn describe(&self) -> Sends {
        let each = Sends::attributes::<OnePolicyAttributes>(&[POLICIES.name]).requires(&["token-type", "max-ttl-ms"]);
        let one = Sends::attributes::<PolicyAttributes>(&[POLICIES.name]);
        one.requires(&["token-ttl-policies"]).or_list_of(each)
    }

    fn most_bytes(&self) -> usize {
        MAX_LIST_BODY
    }
}

/// Every kind's policy; one list, which never needs a second page.
fn list(call: Read<'_>) -> Result<Reply> {
    let call = call.may(Target::Organization)?;
    let policies = all(call.connection, call.caller.organization()?)?;
    Ok(call.list(policies))
}

fn update(call: Write<'_, SentPolicies>) -> Result<Reply> {
    let (call, organization) = call.lock(organizations::lock_own)?;
    let (call, sent) = call.may(Target::Organization)?.take_input();
    set(call.connection, &call.caller, organization, &sent.items(organization)?)?;
    let policies = all(call.connection, organization)?;
    Ok(call.list(policies))
}

fn all(connection: &mut PgConnection, organization: OrganizationId) -> Result<Vec<Resource>> {
    let policies = store::list(connection, organization)?;
    Ok(policies.iter().map(|policy| view::policy(organization, policy)).collect())
}
