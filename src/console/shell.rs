//! What is around every page: its title, who is signed in, where the page is, and what its forms send along.

use std::fmt::{self, Write as _};

use chrono::{DateTime, Utc};

use super::answer::sentence;
use super::assets;
use super::page::{Look, Visit};
use crate::access::Principal;
use crate::jsonapi::{Result, time};

/// What is around a page.
pub(super) struct Shell {
    pub(super) title: String,
    /// The name of who is signed in; none where nobody is.
    pub(super) username: Option<String>,
    /// The organization that the page is about.
    pub(super) organization: Option<String>,
    /// For the forms of the page.
    pub(super) token: String,
    /// What has been done, in a sentence.
    pub(super) notice: Option<String>,
    /// What is wrong with the form that was sent, and no field's fault.
    pub(super) faults: Vec<String>,
}

impl Shell {
    /// Around a page for who is signed in.
    ///
    /// # Errors
    /// 500 where there are no random numbers.
    pub(super) fn of(look: &Look<'_>, title: impl Into<String>) -> Result<Self> {
        let username = match &look.caller.principal {
            Principal::User { username, .. } => Some(username.clone()),
            _ => None,
        };
        Ok(Self { username, ..Self::for_guest(look.visit, title)? })
    }

    /// Around a page for anybody.
    ///
    /// # Errors
    /// As [`Shell::of`].
    pub(super) fn for_guest(visit: &Visit, title: impl Into<String>) -> Result<Self> {
        Ok(Self { token: visit.guard.token()?, ..Self::bare(title) })
    }

    /// Around a page without a form.
    pub(super) fn bare(title: impl Into<String>) -> Self {
        let title = title.into();
        Self { title, username: None, organization: None, token: String::new(), notice: None, faults: vec![] }
    }

    /// With what has been done.
    pub(super) fn notice(self, notice: Option<impl Into<String>>) -> Self {
        Self { notice: notice.map(Into::into), ..self }
    }

    /// With what is wrong and has no field among these.
    pub(super) fn faults_beside(self, visit: &Visit, fields: &[&str]) -> Self {
        let beside = visit.faults().filter(|(field, _)| !fields.contains(field)).map(|(_, detail)| sentence(detail));
        let faults = beside.collect();
        Self { faults, ..self }
    }

    pub(super) fn style(&self) -> &'static str {
        assets::style()
    }

    pub(super) fn script(&self) -> &'static str {
        assets::script()
    }
}

/// A text that somebody has chosen, so that what cannot be seen in it is seen, and nothing in it changes what is around it.
pub(super) struct Shown<'a>(pub(super) &'a str);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|letter| {
            if is_hidden(letter) { write!(out, "⟨U+{:04X}⟩", u32::from(letter)) } else { out.write_char(letter) }
        })
    }
}

/// Controls, letters without width, and what turns the direction of writing.
fn is_hidden(letter: char) -> bool {
    let marks = matches!(
        letter,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180e}'
            | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{feff}'
            | '\u{ffa0}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}'
    );
    letter.is_control() || marks
}

/// A moment, for `<time>`: how machines read it, and how people do without scripts.
pub(super) struct Moment(pub(super) DateTime<Utc>);

impl Moment {
    pub(super) fn machine(&self) -> String {
        time(self.0)
    }

    pub(super) fn human(&self) -> String {
        self.0.format("%Y-%m-%d %H:%M UTC").to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_seen_is_shown() {
        let shown = |text: &str| Shown(text).to_string();
        assert_eq!(shown("ci-deploy, für مرحبا 🚀"), "ci-deploy, für مرحبا 🚀");
        assert_eq!(shown("a\u{202e}b"), "a⟨U+202E⟩b");
        assert_eq!(shown("\u{200b}\n"), "⟨U+200B⟩⟨U+000A⟩");
        assert_eq!(shown("\u{2066}x"), "⟨U+2066⟩x");
    }
}
