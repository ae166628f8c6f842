//! A browser without scripts: it keeps cookies, and sends the forms that it was shown.

use std::collections::BTreeMap;

use regex::Regex;

use super::App;
use super::app::{FIRST_PASSWORD, FIRST_PASSWORD_HASH, User};
use super::client::{Answer, Client};
use super::leaks;

/// Long enough for every user.
pub const PASSWORD: &str = FIRST_PASSWORD;

/// One browser, with its own cookies.
#[derive(Clone)]
pub struct Browser {
    client: Client,
    /// Where it believes to be.
    pub origin: String,
    pub cookies: BTreeMap<String, String>,
}

/// A form of a page.
#[derive(Debug, Clone)]
pub struct Form {
    pub action: String,
    pub fields: Vec<(String, String)>,
    /// What stands in it.
    pub html: String,
}

impl Browser {
    pub fn new(app: &App) -> Self {
        Self { client: app.anonymous(), origin: format!("http://{}", app.address), cookies: BTreeMap::new() }
    }

    /// A browser in which a user has signed in with [`PASSWORD`], which the user gets if there is none yet.
    pub fn of(app: &App, user: &User) -> Self {
        give_password(app, user);
        let mut browser = Self::new(app);
        browser.sign_in(&user.username, PASSWORD).expect(303);
        browser
    }

    /// Opens the page to sign in, and sends its form.
    pub fn sign_in(&mut self, name: &str, password: &str) -> Answer {
        let page = self.get("/app/sign-in").expect(200);
        self.send_form(&page, "/app/sign-in", &[("name", name), ("password", password)])
    }

    pub fn get(&mut self, path: &str) -> Answer {
        self.send("GET", path, &[], None)
    }

    /// Sends the form of a page that goes to `action`, with these fields in place of its own.
    #[track_caller]
    pub fn send_form(&mut self, page: &Answer, action: &str, fields: &[(&str, &str)]) -> Answer {
        let form = form(page, action);
        self.post(&form.action.clone(), &form.with(fields))
    }

    /// Sends fields as a page of the service would.
    pub fn post(&mut self, path: &str, fields: &[(String, String)]) -> Answer {
        let origin = self.origin.clone();
        self.post_from(path, fields, &[("Origin", &origin)])
    }

    /// Sends fields with these headers.
    pub fn post_from(&mut self, path: &str, fields: &[(String, String)], headers: &[(&str, &str)]) -> Answer {
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let kind = ("Content-Type", "application/x-www-form-urlencoded");
        self.send("POST", path, &[headers, &[kind]].concat(), Some(body.as_bytes()))
    }

    /// Any request with the browser's cookies.
    pub fn send(&mut self, method: &str, path: &str, headers: &[(&str, &str)], body: Option<&[u8]>) -> Answer {
        let cookies: Vec<String> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let cookies = cookies.join("; ");
        let mut headers = headers.to_vec();
        if !cookies.is_empty() {
            headers.push(("Cookie", &cookies));
        }
        let answer = self.client.send(method, path, &headers, body);
        self.keep_cookies(&answer);
        answer
    }

    fn keep_cookies(&mut self, answer: &Answer) {
        for cookie in answer.headers.get_all("set-cookie") {
            let text = cookie.to_str().unwrap();
            leaks::remember(text);
            let (name, value) = text.split(';').next().unwrap().split_once('=').unwrap();
            if text.contains("Max-Age=0") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
    }

    /// The value of the session's cookie.
    pub fn session(&self) -> Option<&str> {
        let mut named = self.cookies.iter().filter(|(name, _)| name.contains("latchkey-session"));
        named.next().map(|(_, value)| value.as_str())
    }

    /// Whether the browser is signed in.
    pub fn is_in(&mut self) -> bool {
        let answer = self.get("/app/settings");
        match answer.status {
            200 => true,
            303 => false,
            other => panic!("{other}: {}", answer.text),
        }
    }

    /// The token of the forms of this browser, as some page shows it.
    pub fn form_token(&mut self) -> String {
        let path = if self.session().is_some() { "/app/settings" } else { "/app/sign-in" };
        let page = self.get(path).expect(200);
        forms(&page)[0].field("form-token").to_owned()
    }
}

impl Form {
    /// The form's fields with these in place of its own.
    pub fn with(&self, fields: &[(&str, &str)]) -> Vec<(String, String)> {
        let own = self.fields.iter().filter(|(name, _)| !fields.iter().any(|(other, _)| other == name)).cloned();
        own.chain(fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))).collect()
    }

    #[track_caller]
    pub fn field(&self, name: &str) -> &str {
        let field = self.fields.iter().find(|(known, _)| known == name);
        &field.unwrap_or_else(|| panic!("{} has no {name}", self.action)).1
    }
}

/// Sets [`PASSWORD`], unless the user has a password.
pub fn give_password(app: &App, user: &User) {
    let only = format!("username = '{}' AND password_hash IS NULL", user.username);
    app.sql(&format!("UPDATE users SET password_hash = '{FIRST_PASSWORD_HASH}' WHERE {only}"));
}

/// Every form of a page that is sent by POST. One without an action goes to where the page is; that is empty here.
pub fn forms(page: &Answer) -> Vec<Form> {
    let (form, attribute) = (Regex::new(r"(?s)<form ([^>]*)>(.*?)</form>").unwrap(), |name: &str| {
        Regex::new(&format!(r#"\b{name}="([^"]*)""#)).unwrap()
    });
    let tag = Regex::new(r"<(input|button|select|textarea) ([^>]*)>").unwrap();
    let selected = Regex::new(r#"<option value="([^"]*)" selected"#).unwrap();
    let first = Regex::new(r#"<option value="([^"]*)""#).unwrap();
    let value_of = |tag: &str, name: &str| attribute(name).captures(tag).map(|found| unescaped(&found[1]));
    let field = |html: &str, found: &regex::Captures<'_>| {
        let name = value_of(&found[2], "name")?;
        let from = found.get(0).unwrap().start();
        let value = match &found[1] {
            "select" => {
                let options = html[from..].split("</select>").next().unwrap();
                let option = selected.captures(options).or_else(|| first.captures(options));
                option.map(|option| unescaped(&option[1])).unwrap_or_default()
            }
            "textarea" => {
                let text = html[from..].split("</textarea>").next().unwrap();
                unescaped(text.split_once('>').unwrap().1)
            }
            _ => value_of(&found[2], "value").unwrap_or_default(),
        };
        let choice = found[2].contains("\"checkbox\"") || found[2].contains("\"radio\"");
        (!choice || found[2].contains(" checked")).then_some((name, value))
    };
    let posted = form.captures_iter(&page.text).filter(|found| found[1].contains(r#"method="post""#));
    posted
        .map(|found| Form {
            action: value_of(&found[1], "action").unwrap_or_default(),
            fields: tag.captures_iter(&found[2]).filter_map(|tag| field(&found[2], &tag)).collect(),
            html: found[2].to_owned(),
        })
        .collect()
}

/// The first form of a page that goes to `action`.
#[track_caller]
pub fn form(page: &Answer, action: &str) -> Form {
    let found = forms(page).into_iter().find(|form| form.action == action || form.action.is_empty());
    let form = found.unwrap_or_else(|| panic!("there is no form for {action}: {}", page.text));
    Form { action: action.to_owned(), ..form }
}

pub fn unescaped(text: &str) -> String {
    [
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&#34;", "\""),
        ("&#39;", "'"),
        ("&#60;", "<"),
        ("&#62;", ">"),
        ("&#38;", "&"),
        ("&amp;", "&"),
    ]
    .iter()
    .fold(text.to_owned(), |text, (escaped, plain)| text.replace(escaped, plain))
}
