//! The audit trail, which is plain JSON as in the HCP API.

use utoipa::openapi::{ArrayBuilder, ObjectBuilder};

use super::Room;
use super::route::Route;
use crate::audit::http;
use crate::jsonapi::schema::{count, null, object, one_of, or_null, text, time};

pub(super) fn room() -> Room {
    let trail = object()
        .required("data")
        .required("pagination")
        .property("data", ArrayBuilder::new().items(event()))
        .property("pagination", pagination());
    let route = Route::get("/organization/audit-trail", "listAuditEvents", "What happened, oldest first")
        .details("Of the organization whose token calls: its own, or its audit-trails token. `since` is a time.")
        .query(&http::LIST)
        .values("since", time())
        .gives_plain("application/json", trail);
    Room { tag: "audit", about: "What happened, by whom", routes: vec![route], kinds: vec![] }
}

fn event() -> ObjectBuilder {
    let auth = object()
        .property("accessor_id", or_null(text()))
        .property("description", or_null(text()))
        .property("type", one_of(&["Client", "System"]))
        .property("impersonator_id", null())
        .property("organization_id", text());
    let resource =
        object().property("id", text()).property("type", text()).property("action", text()).property("meta", object());
    object()
        .property("id", text())
        .property("version", one_of(&["0"]))
        .property("type", one_of(&["Resource"]))
        .property("timestamp", time())
        .property("auth", auth)
        .property("request", object().property("id", or_null(text())))
        .property("resource", resource)
}

fn pagination() -> ObjectBuilder {
    object()
        .property("current_page", count(1))
        .property("prev_page", or_null(count(1)))
        .property("next_page", or_null(count(1)))
        .property("total_pages", count(1))
        .property("total_count", count(0))
}
