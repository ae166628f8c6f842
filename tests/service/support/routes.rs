//! The routes of the API, as the running service describes them.

use serde_json::Value;

use super::App;

/// What a route takes as its body. The strings are types of resources.
#[derive(Debug, Clone, PartialEq)]
pub enum Takes {
    Nothing,
    Resource(String),
    /// A resource whose type may be empty or absent.
    LenientResource(String),
    /// The same, or nothing at all.
    LenientResourceOrNothing(String),
    Identifiers(String),
    /// A list of resources.
    List(String),
}

/// One method of one path.
#[derive(Debug, Clone)]
pub struct Route {
    pub method: String,
    /// With `{names}` of its parameters.
    pub path: String,
    pub needs_token: bool,
    pub takes: Takes,
    /// What the description says of it.
    pub operation: Value,
}

/// The description of the API.
pub fn description(app: &App) -> Value {
    let answer = app.anonymous().get("/api/v2/openapi.json").expect(200);
    assert_eq!(answer.header("Content-Type"), Some("application/json"));
    answer.body
}

/// Every route that is described.
pub fn routes(description: &Value) -> Vec<Route> {
    let paths = description["paths"].as_object().unwrap();
    let all = paths.iter().flat_map(|(path, item)| {
        item.as_object().unwrap().iter().map(|(method, operation)| Route::new(method, path, operation))
    });
    all.collect()
}

impl Route {
    fn new(method: &str, path: &str, operation: &Value) -> Self {
        Self {
            method: method.to_uppercase(),
            path: path.to_owned(),
            needs_token: operation.get("security").is_some(),
            takes: takes(&operation["requestBody"]),
            operation: operation.clone(),
        }
    }

    /// `GET /api/v2/teams/{team}`
    pub fn name(&self) -> String {
        format!("{} {}", self.method, self.path)
    }

    /// Whether a path, without a query, is one of this route.
    pub fn leads_to(&self, path: &str) -> bool {
        let (template, path): (Vec<&str>, Vec<&str>) = (self.path.split('/').collect(), path.split('/').collect());
        template.len() == path.len()
            && template.iter().zip(&path).all(|(part, other)| part.starts_with('{') || part == other)
    }

    /// The names of its query parameters.
    pub fn query_names(&self) -> impl Iterator<Item = String> + use<> {
        let parameters = self.operation["parameters"].as_array().cloned().unwrap_or_default();
        let names = parameters.into_iter().filter(|parameter| parameter["in"] == "query");
        names.map(|parameter| {
            let name = parameter["name"].as_str().unwrap();
            // An object of members with any names.
            if parameter["style"] == "deepObject" { format!("{name}[any]") } else { name.to_owned() }
        })
    }

    /// Whether it answers a list in pages.
    pub fn is_paged(&self) -> bool {
        self.query_names().any(|name| name == "page[size]")
    }
}

fn takes(request_body: &Value) -> Takes {
    let Some(contents) = request_body["content"].as_object() else { return Takes::Nothing };
    let mut data = &contents.values().next().unwrap()["schema"]["properties"]["data"];
    // One resource or a list of them: the one stands first.
    if let Some(alternatives) = data["anyOf"].as_array() {
        data = &alternatives[0];
    }
    let is_list = data["type"] == "array";
    let resource = if is_list { &data["items"] } else { data };
    let requires = |member: &str| resource["required"].as_array().is_some_and(|all| all.contains(&member.into()));
    let kind = resource["properties"]["type"]["enum"][0].as_str().unwrap().to_owned();
    match (is_list, requires("type"), request_body["required"] == true) {
        (true, ..) if requires("id") => Takes::Identifiers(kind),
        (true, ..) => Takes::List(kind),
        (false, true, true) => Takes::Resource(kind),
        (false, false, true) => Takes::LenientResource(kind),
        (false, false, false) => Takes::LenientResourceOrNothing(kind),
        (false, true, false) => panic!("{kind} may be left out, but not its type"),
    }
}
