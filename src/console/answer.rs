//! What a page answers, and the headers that all of them have.

use actix_web::cookie::Cookie;
use actix_web::http::StatusCode;
use actix_web::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderValue, LOCATION, REFERRER_POLICY, RETRY_AFTER,
};
use actix_web::{HttpResponse, HttpResponseBuilder};
use askama::Template;

use super::shell::Shell;
use crate::jsonapi::{Error, Result};

/// What pages may do. Nothing comes from elsewhere, nothing is written into a page, and nobody frames one.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; base-uri 'none'; \
                      frame-ancestors 'none'; form-action 'self'";

/// A page, or the way to another one.
#[derive(Debug)]
pub(super) struct Answer {
    status: StatusCode,
    content: Content,
    cookies: Vec<Cookie<'static>>,
    retry_after: Option<HeaderValue>,
}

#[derive(Debug)]
enum Content {
    Html(String),
    SeeOther(String),
}

/// A page that says what is wrong.
#[derive(Template)]
#[template(path = "fault.html")]
struct Fault {
    shell: Shell,
    sentences: Vec<String>,
}

impl Answer {
    /// The page that a template makes.
    ///
    /// # Errors
    /// 500 where it cannot be written.
    pub(super) fn page(template: &impl Template) -> Result<Self> {
        let html = template.render().map_err(|fault| {
            log::error!("a page cannot be written: {fault}");
            Error::internal()
        })?;
        Ok(Self::new(StatusCode::OK, Content::Html(html)))
    }

    /// The way to a page, by GET.
    pub(super) fn see_other(place: impl Into<String>) -> Self {
        Self::new(StatusCode::SEE_OTHER, Content::SeeOther(place.into()))
    }

    /// A page that says what was wrong with a request.
    pub(super) fn fault(error: &Error) -> Self {
        let sentences = error.faults().map(|(_, detail)| sentence(detail)).collect();
        let answer = Self::refusal(error.status(), title(error.status()), sentences);
        Self { retry_after: error.retry_after().cloned(), ..answer }
    }

    /// A page that says why something is refused.
    pub(super) fn refusal(status: StatusCode, title: &str, sentences: Vec<String>) -> Self {
        let page = Fault { shell: Shell::bare(title), sentences };
        let html = page.render().unwrap_or_else(|fault| {
            log::error!("a page cannot be written: {fault}");
            String::new()
        });
        Self::new(status, Content::Html(html))
    }

    const fn new(status: StatusCode, content: Content) -> Self {
        Self { status, content, cookies: vec![], retry_after: None }
    }

    pub(super) fn with_status(self, status: StatusCode) -> Self {
        Self { status, ..self }
    }

    /// The same page, shown again because of what was wrong with its form.
    pub(super) fn because_of(self, error: &Error) -> Self {
        Self { status: error.status(), retry_after: error.retry_after().cloned(), ..self }
    }

    pub(super) fn with_cookie(mut self, cookie: Cookie<'static>) -> Self {
        self.cookies.push(cookie);
        self
    }

    /// The response. Every page is for who asked, and is kept nowhere.
    pub(super) fn respond(self) -> HttpResponse {
        let mut response = HttpResponse::build(self.status);
        response
            .insert_header((CACHE_CONTROL, "no-store"))
            .insert_header((CONTENT_SECURITY_POLICY, POLICY))
            // With less, browsers leave out the `Origin` of forms.
            .insert_header((REFERRER_POLICY, "same-origin"))
            .insert_header(("Cross-Origin-Opener-Policy", "same-origin"))
            .insert_header(("Cross-Origin-Resource-Policy", "same-origin"));
        if let Some(seconds) = self.retry_after {
            response.insert_header((RETRY_AFTER, seconds));
        }
        for cookie in self.cookies {
            response.cookie(cookie);
        }
        written(self.content, &mut response)
    }
}

fn written(content: Content, response: &mut HttpResponseBuilder) -> HttpResponse {
    match content {
        Content::Html(html) => response.content_type("text/html; charset=utf-8").body(html),
        Content::SeeOther(place) => response.insert_header((LOCATION, place)).finish(),
    }
}

/// What a page that refuses is called.
fn title(status: StatusCode) -> &'static str {
    match status {
        StatusCode::NOT_FOUND => "Not found",
        StatusCode::FORBIDDEN => "Not allowed",
        StatusCode::CONFLICT => "Not possible any more",
        StatusCode::TOO_MANY_REQUESTS => "Too many requests",
        StatusCode::SERVICE_UNAVAILABLE => "Not available now",
        status if status.is_server_error() => "Something went wrong",
        _ => "Not possible",
    }
}

/// Details are sentences without their full stop.
pub(super) fn sentence(detail: &str) -> String {
    if detail.ends_with(['.', '?', '!']) { detail.to_owned() } else { format!("{detail}.") }
}
