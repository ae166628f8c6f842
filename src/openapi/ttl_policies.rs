//! How long an organization lets tokens live.

use super::Room;
use super::route::Route;
use super::sends::Sends;
use crate::jsonapi::schema::{ResourceSchema, or_null, time, written};
use crate::ttl_policies::{OnePolicyAttributes, POLICIES, PolicyAttributes, PolicyItem, http};

pub(super) fn room() -> Room {
    let path = "/organizations/{organization}/token-ttl-policies";
    let each = Sends::attributes::<OnePolicyAttributes>(&[POLICIES.name]).requires(&["token-type", "max-ttl-ms"]);
    let writes = Sends::attributes::<PolicyAttributes>(&[POLICIES.name]);
    let writes = writes.requires(&["token-ttl-policies"]).or_list_of(each);
    let routes = vec![
        Route::get(path, "listTtlPolicies", "Every kind's policy").query(&http::SHOW).gives_list(&POLICIES),
        Route::patch(path, "updateTtlPolicies", "Set the policies of some kinds")
            .details("They are sent as one resource with a list of policies in it, or as a list of resources.")
            .query(&http::SHOW)
            .sends(writes)
            .gives_list(&POLICIES),
    ];
    let about = "How long an organization lets tokens live, in force while its `max-ttl-enabled` is true";
    Room { tag: "token-ttl-policies", about, routes, kinds: vec![policy()] }
}

fn policy() -> ResourceSchema {
    ResourceSchema::new(&POLICIES, "The longest life of one kind of token")
        .attribute("token-type", written::<PolicyItem>("token-type"))
        .attribute("max-ttl-ms", written::<PolicyItem>("max-ttl-ms"))
        .attributes(&["created-at", "updated-at"], || or_null(time()))
}
