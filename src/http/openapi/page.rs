//! The description as one page of HTML that loads nothing: no script, no font, no image.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::Value;
use sha2::{Digest, Sha256};
use utoipa::openapi::OpenApi;

const STYLE: &str = include_str!("page.css");

/// The page with the policy under which a browser may show it.
pub(crate) struct Page {
    /// `Content-Security-Policy`: nothing but the style sheet inside the page.
    pub(crate) policy: String,
    pub(crate) html: String,
}

impl Page {
    pub(crate) fn of(description: &OpenApi) -> Self {
        let hash = BASE64_STANDARD.encode(Sha256::digest(STYLE));
        let policy = format!(
            "default-src 'none'; style-src 'sha256-{hash}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        );
        let description = serde_json::to_value(description).unwrap_or_default();
        Self { policy, html: html(&description) }
    }
}

fn html(description: &Value) -> String {
    let info = &description["info"];
    let mut page = format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\"><title>Latchkey: the API</title>\
         <style>{STYLE}</style></head>\n<body><header><h1>{} <small>{}</small></h1>{}\
         <p>For programs: <a href=\"/api/v2/openapi.json\">openapi.json</a></p></header>\n",
        text(&info["title"]),
        text(&info["version"]),
        prose(&info["description"]),
    );
    page += &contents(description);
    page += "<main>\n";
    for tag in items(&description["tags"]) {
        let name = text(&tag["name"]);
        let _ = writeln!(page, "<section id=\"{name}\"><h2>{name}</h2>{}", prose(&tag["description"]));
        operations(description).filter(|(_, _, operation)| operation["tags"][0] == tag["name"]).for_each(
            |(path, method, operation)| {
                page += &self::operation(path, method, operation);
            },
        );
        page += "</section>\n";
    }
    page += &schemas(&description["components"]["schemas"]);
    page + "</main></body></html>\n"
}

fn contents(description: &Value) -> String {
    let tags = items(&description["tags"]).map(|tag| text(&tag["name"])).chain(["schemas".to_owned()]);
    let links = tags.map(|name| format!("<a href=\"#{name}\">{name}</a>"));
    format!("<nav>{}</nav>\n", links.collect::<Vec<_>>().join(" "))
}

/// Path, method and operation of each route.
fn operations(description: &Value) -> impl Iterator<Item = (&String, &String, &Value)> {
    let paths = description["paths"].as_object().into_iter().flatten();
    paths.flat_map(|(path, item)| {
        item.as_object().into_iter().flatten().map(move |(method, operation)| (path, method, operation))
    })
}

fn operation(path: &str, method: &str, operation: &Value) -> String {
    let mut told = format!(
        "<details id=\"{}\"><summary><b class=\"{method}\">{}</b> <code>{}</code> <span>{}</span></summary>{}",
        text(&operation["operationId"]),
        method.to_uppercase(),
        escape(path),
        text(&operation["summary"]),
        prose(&operation["description"]),
    );
    if operation["security"].is_null() {
        told += "<p>Needs no token.</p>";
    }
    told += &parameters(&operation["parameters"]);
    if let Some(body) = operation.get("requestBody") {
        let _ = write!(told, "<h4>Request</h4>{}{}", prose(&body["description"]), contents_of(body));
    }
    told += "<h4>Answers</h4>";
    for (status, response) in operation["responses"].as_object().into_iter().flatten() {
        told += &self::response(status, response);
    }
    told + "</details>\n"
}

fn parameters(parameters: &Value) -> String {
    let rows = items(parameters).map(|parameter| {
        let schema = &parameter["schema"];
        let about = text(&parameter["description"]);
        format!("<tr><td><code>{}</code></td><td>{about}{}</td></tr>", text(&parameter["name"]), values(schema))
    });
    let rows: String = rows.collect();
    if rows.is_empty() { rows } else { format!("<h4>Parameters</h4><table>{rows}</table>") }
}

/// What a parameter may hold, if that is a choice.
fn values(schema: &Value) -> String {
    let words = if schema["items"].is_null() { &schema["enum"] } else { &schema["items"]["enum"] };
    let words: Vec<String> =
        items(words).filter(|word| *word != "").map(|word| format!("<code>{}</code>", text(word))).collect();
    if words.is_empty() { String::new() } else { format!(": {}", words.join(" ")) }
}

fn response(status: &str, response: &Value) -> String {
    if let Some(reference) = response["$ref"].as_str() {
        let name = reference.rsplit('/').next().unwrap_or_default();
        return format!("<p><b>{}</b> {} (<a href=\"#errors\">errors</a>)</p>", escape(status), escape(name));
    }
    format!("<p><b>{}</b> {}</p>{}", escape(status), text(&response["description"]), contents_of(response))
}

/// The schema and the examples of each media type.
fn contents_of(holder: &Value) -> String {
    let mut told = String::new();
    for (media_type, content) in holder["content"].as_object().into_iter().flatten() {
        let _ = write!(
            told,
            "<details><summary>{} schema</summary>{}</details>",
            escape(media_type),
            json(&content["schema"])
        );
        for (name, example) in content["examples"].as_object().into_iter().flatten() {
            let _ = write!(
                told,
                "<details><summary>Example: {}</summary>{}</details>",
                escape(name),
                json(&example["value"])
            );
        }
    }
    told
}

fn schemas(schemas: &Value) -> String {
    let mut told = "<section id=\"schemas\"><h2>schemas</h2>".to_owned();
    for (name, schema) in schemas.as_object().into_iter().flatten() {
        let name = escape(name);
        let _ =
            writeln!(told, "<details id=\"{name}\"><summary><code>{name}</code></summary>{}</details>", json(schema));
    }
    told + "</section>\n"
}

fn json(value: &Value) -> String {
    format!("<pre>{}</pre>", escape(&serde_json::to_string_pretty(value).unwrap_or_default()))
}

fn prose(value: &Value) -> String {
    let paragraphs = value.as_str().into_iter().flat_map(|text| text.split("\n\n"));
    paragraphs.map(|paragraph| format!("<p>{}</p>", code(&escape(paragraph)))).collect()
}

/// Text between backticks as code; of an odd number the last one stays.
fn code(text: &str) -> String {
    let parts: Vec<&str> = text.split('`').collect();
    let mut told = String::new();
    for (nth, part) in parts.iter().enumerate() {
        let _ = match nth % 2 {
            1 if nth + 1 < parts.len() => write!(told, "<code>{part}</code>"),
            1 => write!(told, "`{part}"),
            _ => write!(told, "{part}"),
        };
    }
    told
}

fn items(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn text(value: &Value) -> String {
    code(&escape(value.as_str().unwrap_or_default()))
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_told_cannot_become_markup() {
        let value = Value::from("<b> & \"`x` and ` one");
        assert_eq!(text(&value), "&lt;b&gt; &amp; &quot;<code>x</code> and ` one");
    }
}
