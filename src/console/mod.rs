//! The console: pages for people, in the same binary.
//!
//! It is a second caller of the operations that the API calls, and has no rule of its own about who may do what. A browser's
//! session becomes a caller in `access`, as a token does. `page.rs` has the one order in which each request is answered; a page
//! is declared once, in `pages`, and shown from a template.

mod answer;
mod assets;
mod fields;
mod form;
mod guard;
mod home;
mod listing;
mod next;
mod page;
mod settings;
mod shell;
mod sign_in;
mod site;
mod tokens;

use std::sync::Arc;

use actix_web::web::{Data, ServiceConfig};

use crate::jsonapi::BodyBudget;
use crate::sessions::Lifetime;
use page::Page;
use sign_in::Limits;

pub(crate) use sign_in::link_path;
pub(crate) use site::check_address;

/// What all pages share.
#[derive(Debug, Clone)]
pub struct Console {
    /// How long a session may be.
    lifetime: Lifetime,
    limits: Arc<Limits>,
    /// For the forms of who is not signed in: whoever sends them slowly takes no room from others.
    body_budget: BodyBudget,
}

/// How many KiB these forms may take together (docs/limits.md).
const GUESTS_BODIES_KIB: usize = 2048;

impl Console {
    /// A console whose sessions may be so long.
    #[must_use]
    pub fn new(lifetime: Lifetime) -> Self {
        Self { lifetime, limits: Arc::default(), body_budget: BodyBudget::of_kib(GUESTS_BODIES_KIB) }
    }
}

/// Makes routes of all pages.
pub(crate) fn all(console: Data<Console>) -> impl FnOnce(&mut ServiceConfig) {
    |service| {
        service.app_data(console);
        assets::register(service);
        page::register(pages(), service);
    }
}

/// The method and path of every page, and of every form that one sends.
#[must_use]
pub fn listed() -> Vec<(String, String)> {
    pages().iter().map(Page::named).collect()
}

/// Every page, and every form that one sends.
fn pages() -> Vec<Page> {
    [home::pages(), sign_in::pages(), settings::pages(), tokens::pages()].into_iter().flatten().collect()
}
