//! A plain HTTP client that sends exactly what a test says, and an answer that is easy to ask.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use ureq::http::{Method, Request};

use super::cluster::Database;
use super::leaks;

/// JSON:API's media type.
pub const MEDIA_TYPE: &str = "application/vnd.api+json";

/// Calls the service as one principal.
#[derive(Clone)]
pub struct Client {
    agent: ureq::Agent,
    address: SocketAddr,
    secret: Option<String>,
    /// Where the secrets that it gets are made, for the search for leaks.
    origin: Option<Arc<str>>,
}

#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: ureq::http::HeaderMap,
    /// The body, if it is JSON; else null.
    pub body: Value,
    /// The body as it came.
    pub text: String,
    what: String,
}

impl Client {
    /// A client of the service at `address`.
    pub fn new(address: SocketAddr, secret: Option<String>) -> Self {
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            // DELETE with a body is one.
            .allow_non_standard_methods(true)
            .max_redirects(0)
            .timeout_global(Some(Duration::from_secs(30)))
            .build();
        Self { agent: config.into(), address, secret, origin: None }
    }

    /// The same of a service inside this process, which has this database.
    pub fn of(mut self, database: &Database) -> Self {
        self.origin = Some(Arc::clone(database.origin()));
        self
    }

    /// A client of the same service that calls with another secret.
    pub fn as_another(&self, secret: &str) -> Self {
        Self { secret: Some(secret.to_owned()), ..self.clone() }
    }

    /// The secret that it calls with.
    pub fn secret(&self) -> &str {
        self.secret.as_deref().expect("the client has a secret")
    }

    pub fn get(&self, path: &str) -> Answer {
        self.send("GET", path, &[], None)
    }

    pub fn post(&self, path: &str, document: &Value) -> Answer {
        self.send("POST", path, &[("Content-Type", MEDIA_TYPE)], Some(document.to_string().as_bytes()))
    }

    pub fn post_nothing(&self, path: &str) -> Answer {
        self.send("POST", path, &[], None)
    }

    pub fn patch(&self, path: &str, document: &Value) -> Answer {
        self.send("PATCH", path, &[("Content-Type", MEDIA_TYPE)], Some(document.to_string().as_bytes()))
    }

    pub fn delete(&self, path: &str) -> Answer {
        self.send("DELETE", path, &[], None)
    }

    pub fn delete_with(&self, path: &str, document: &Value) -> Answer {
        self.send("DELETE", path, &[("Content-Type", MEDIA_TYPE)], Some(document.to_string().as_bytes()))
    }

    /// Any request. The brackets in a path are percent-encoded, as clients do.
    pub fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: Option<&[u8]>) -> Answer {
        let answer = self.try_send(method, path, headers, body);
        answer.unwrap_or_else(|fault| panic!("{method} {path}: {fault}"))
    }

    /// A POST or DELETE to a service that may be gone before it has answered.
    pub fn try_with(&self, method: &str, path: &str, document: Option<&Value>) -> Result<Answer, ureq::Error> {
        let body = document.map(Value::to_string);
        let headers: &[_] = if body.is_some() { &[("Content-Type", MEDIA_TYPE)] } else { &[] };
        self.try_send(method, path, headers, body.as_deref().map(str::as_bytes))
    }

    /// Any request to a service that may not answer.
    pub fn try_send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<&[u8]>,
    ) -> Result<Answer, ureq::Error> {
        let path = path.replace('[', "%5B").replace(']', "%5D").replace(' ', "%20");
        let mut request = Request::builder()
            .method(Method::from_bytes(method.as_bytes()).unwrap())
            .uri(format!("http://{}{path}", self.address));
        if let Some(secret) = &self.secret {
            request = request.header("Authorization", format!("Bearer {secret}"));
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let what = format!("{method} {path}");
        let response = match body {
            Some(body) => self.agent.run(request.body(body.to_vec()).unwrap()),
            None => self.agent.run(request.body(()).unwrap()),
        };
        Answer::read(what, response?, self.origin.as_ref())
    }
}

impl Answer {
    fn read(
        what: String,
        mut response: ureq::http::Response<ureq::Body>,
        origin: Option<&Arc<str>>,
    ) -> Result<Self, ureq::Error> {
        let text = match response.body_mut().read_to_string() {
            Ok(text) => text,
            // An answer that breaks off is none; what is no text is no JSON either.
            Err(fault @ (ureq::Error::Io(_) | ureq::Error::Timeout(_))) => return Err(fault),
            Err(_) => String::new(),
        };
        leaks::remember_of(&text, origin);
        Ok(Self {
            status: response.status().as_u16(),
            headers: response.headers().clone(),
            body: serde_json::from_str(&text).unwrap_or_default(),
            text,
            what,
        })
    }

    /// The answer itself, if it has the status; else the test fails.
    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}: {:#}", self.what, self.body);
        self
    }

    #[track_caller]
    pub fn id(&self) -> String {
        self.body["data"]["id"].as_str().unwrap_or_else(|| panic!("{}: {:#}", self.what, self.body)).to_owned()
    }

    /// An attribute of the one resource.
    pub fn attribute(&self, name: &str) -> &Value {
        &self.body["data"]["attributes"][name]
    }

    /// The secret of a token just made.
    #[track_caller]
    pub fn secret(&self) -> String {
        let token = self.attribute("token");
        token.as_str().unwrap_or_else(|| panic!("{}: {:#}", self.what, self.body)).to_owned()
    }

    /// The ids of a list's resources, in order.
    #[track_caller]
    pub fn ids(&self) -> Vec<String> {
        let data = self.body["data"].as_array().unwrap_or_else(|| panic!("{}: {:#}", self.what, self.body));
        data.iter().map(|resource| resource["id"].as_str().unwrap().to_owned()).collect()
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// What each error object blames: its pointer, parameter or header.
    #[track_caller]
    pub fn blamed(&self) -> Vec<String> {
        let errors = self.body["errors"].as_array().unwrap_or_else(|| panic!("{}: {:#}", self.what, self.body));
        let source = |error: &Value| {
            let source = &error["source"];
            ["pointer", "parameter", "header"].iter().find_map(|kind| source[kind].as_str().map(str::to_owned))
        };
        errors.iter().map(|error| source(error).unwrap_or_default()).collect()
    }

    /// The `detail` of the first error.
    #[track_caller]
    pub fn detail(&self) -> String {
        self.body["errors"][0]["detail"].as_str().unwrap_or_else(|| panic!("{}: {:#}", self.what, self.body)).to_owned()
    }
}
