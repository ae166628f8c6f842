//! `authentication-tokens/:id/usage`: how often a token was used, day by day.

use actix_web::http::StatusCode;
use actix_web::web::{Data, Path, ServiceConfig, get, resource};
use actix_web::{HttpRequest, HttpResponse};
use chrono::{NaiveDate, TimeDelta, Utc};

use super::super::view::{self, USAGE_DAYS};
use super::super::{USAGE_KEPT_DAYS, store};
use super::{TokenOperation, may};
use crate::access::{Authenticator, BearerToken, OrganizationRef};
use crate::ids::TokenId;
use crate::jsonapi::{Document, Error, Query, QuerySpec, Result, Timestamp};

pub(crate) const LIST: QuerySpec = QuerySpec { filters: &["since"], ..QuerySpec::show(&[&USAGE_DAYS]) };

pub(super) fn routes(service: &mut ServiceConfig) {
    service.service(resource("/authentication-tokens/{token}/usage").route(get().to(list)));
}

/// Every day from the one asked for to today, oldest first; never so many that there is a second page. A revoked token
/// has its history, too.
async fn list(
    request: HttpRequest,
    bearer: BearerToken,
    path: Path<String>,
    authenticator: Data<Authenticator>,
) -> Result<HttpResponse> {
    let query = Query::of(&request, &LIST);
    let id = path.parse::<TokenId>().ok();
    let (query, id, days) = authenticator
        .read(bearer, OrganizationRef::Token(id), move |connection, caller| {
            let token = store::find_including_revoked(connection, id.ok_or_else(Error::not_found)?)?;
            may(connection, caller, TokenOperation::Read, &token)?;
            let query = query?;
            let today = Utc::now().date_naive();
            let oldest = today - TimeDelta::days(USAGE_KEPT_DAYS);
            let since = since(&query)?.map_or(oldest, |since| since.max(oldest));
            let used = store::usage(connection, token.id, since)?;
            let every_day = since.iter_days().take_while(|date| *date <= today);
            let days: Vec<_> = every_day.map(|date| (date, used.get(&date).copied().unwrap_or(0))).collect();
            Ok((query, token.id, days))
        })
        .await?;
    let days = days.into_iter().map(|(date, count)| view::usage_day(id, date, count)).collect();
    Ok(Document::list(days).respond(&query, &request, StatusCode::OK))
}

/// A day, or the day (UTC) of a time.
fn since(query: &Query) -> Result<Option<NaiveDate>> {
    let Some(text) = query.filter("since") else { return Ok(None) };
    let timestamp = || serde_json::from_value::<Timestamp>(text.into()).ok().map(|timestamp| timestamp.0.date_naive());
    // `%Y` alone would take years that no time on the wire has.
    let date =
        Some(text).filter(|text| text.len() == 10).and_then(|text| NaiveDate::parse_from_str(text, "%Y-%m-%d").ok());
    date.or_else(timestamp).map(Some).ok_or_else(|| {
        Error::parameter("filter[since]", "Must be a day such as 2031-05-17, or a time such as 2031-05-17T08:00:00Z")
    })
}
