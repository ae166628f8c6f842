//! Where one arrives: the organizations that one sees.

use askama::Template;

use super::answer::Answer;
use super::listing::Listing;
use super::next;
use super::page::{Guest, Look, Page};
use super::shell::Shell;
use crate::jsonapi::Result;
use crate::organizations;

pub(super) fn pages() -> Vec<Page> {
    vec![Page::get("/").serves(go_home), Page::get("/app").looks(show)]
}

#[derive(Template)]
#[template(path = "home.html")]
struct Home {
    shell: Shell,
    listing: Listing,
    organizations: Vec<String>,
}

/// Who opens the bare address is a person.
async fn go_home(_: Guest) -> Result<Answer> {
    Ok(Answer::see_other(next::HOME))
}

fn show(look: Look<'_>) -> Result<Answer> {
    let mut listing = Listing::asked(look.visit, &organizations::LIST)?;
    let shell = Shell::of(&look, "Organizations")?;
    let found = organizations::seen(look.connection, look.caller, &listing.query)?;
    listing.found(&found.info);
    let organizations = found.rows.into_iter().map(|organization| organization.name).collect();
    Answer::page(&Home { shell, listing, organizations })
}
