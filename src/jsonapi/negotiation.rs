//! Which media types come in and go out: `Content-Type` and `Accept`
//! (JSON:API "Content Negotiation", RFC 9110 §12.5.1, docs/design.md §5).
//!
//! `mediatype` reads each media type; the `mime` crate refuses the optional white space before `;` that RFC 9110 §5.6.6
//! allows.

use actix_web::HttpRequest;
use actix_web::http::header::{
    ACCEPT, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue,
};
use mediatype::ReadParams;

use super::MEDIA_TYPE;
use super::error::{Error, Result};

const JSON: &str = "application/json";

/// How an answer's document is labelled; the document itself is the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MediaType {
    /// `application/vnd.api+json`
    #[default]
    JsonApi,
    /// `application/json`, for clients that accept nothing of JSON:API
    Json,
}

/// What the `Accept` of a request asks for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Answer {
    /// The label of the answer.
    pub media_type: MediaType,
    /// The profile URIs that the client names (JSON:API "Profiles").
    pub profiles: Vec<String>,
}

impl Answer {
    /// What the client accepts, or 406 if that is nothing we have.
    ///
    /// JSON:API is preferred, unless the client gives plain JSON a higher weight.
    pub fn of(headers: &HeaderMap) -> Result<Self> {
        let ranges = media_ranges(headers, ACCEPT).map_err(Error::not_acceptable)?;
        if ranges.is_empty() {
            return Ok(Self::default());
        }
        let (jsonapi, others): (Vec<_>, Vec<_>) = ranges.into_iter().partition(|range| range.name == MEDIA_TYPE);
        let usable: Vec<&MediaRange> = jsonapi.iter().filter(|range| !range.is_modified()).collect();
        if !jsonapi.is_empty() && usable.is_empty() {
            return Err(Error::not_acceptable(format!(
                "No instance of {MEDIA_TYPE} in Accept is without parameters other than profile; \
                 no extension is supported"
            )));
        }
        let (for_jsonapi, for_json) = weights(&usable, &others);
        if for_jsonapi == 0 && for_json == 0 {
            return Err(Error::not_acceptable(format!("Accept leaves neither {MEDIA_TYPE} nor {JSON}")));
        }
        if for_json > for_jsonapi {
            return Ok(Self { media_type: MediaType::Json, profiles: Vec::new() });
        }
        let wanted = usable.iter().filter(|range| range.quality > 0);
        Ok(Self { media_type: MediaType::JsonApi, profiles: wanted.flat_map(|range| range.profiles()).collect() })
    }

    /// The value of `Content-Type` for a document to which `profiles` apply.
    pub(super) fn content_type(&self, profiles: &[&str]) -> String {
        match self.media_type {
            MediaType::Json => JSON.to_owned(),
            MediaType::JsonApi if profiles.is_empty() => MEDIA_TYPE.to_owned(),
            MediaType::JsonApi => format!("{MEDIA_TYPE}; profile=\"{}\"", profiles.join(" ")),
        }
    }
}

/// The weights of JSON:API and of plain JSON: that of the most specific range that names them
/// (RFC 9110 §12.5.1), or 0.
fn weights(jsonapi: &[&MediaRange], others: &[MediaRange]) -> (u16, u16) {
    let weight = |name| {
        let named = others.iter().filter(|range| range.name == name);
        named.map(|range| range.quality).max()
    };
    let general = weight("application/*").or_else(|| weight("*/*")).unwrap_or(0);
    let for_jsonapi = jsonapi.iter().map(|range| range.quality).max().unwrap_or(general);
    (for_jsonapi, weight(JSON).unwrap_or(general))
}

/// Holds a request's `Content-Type` (415) and `Accept` (406) against what JSON:API requires.
///
/// Meant for every request before it is routed; it reads headers only.
pub fn check_request(request: &HttpRequest) -> Result<()> {
    if announces_body(request.headers()) {
        check_content_type(request.headers())?;
    }
    Answer::of(request.headers()).map(drop)
}

/// 415, unless the body is labelled as JSON:API or JSON without parameters other than `profile`
/// (JSON:API "Server Responsibilities", docs/design.md §5). To be asked only where there is a body.
pub fn check_content_type(headers: &HeaderMap) -> Result<()> {
    let encoded = |value: &HeaderValue| !value.as_bytes().trim_ascii().eq_ignore_ascii_case(b"identity");
    if headers.get_all(CONTENT_ENCODING).any(encoded) {
        return Err(Error::unsupported_encoding());
    }
    let ranges = media_ranges(headers, CONTENT_TYPE).map_err(Error::unsupported_media_type)?;
    match ranges.as_slice() {
        [range] if range.name != MEDIA_TYPE && range.name != JSON => Err(Error::unsupported_media_type(format!(
            "The body must be {MEDIA_TYPE} or {JSON}, but is {}",
            range.name
        ))),
        [range] if range.is_modified() => Err(Error::unsupported_media_type(
            "JSON:API's media type may have no parameters but profile, and no extension is supported; application/json \
             may have charset=utf-8",
        )),
        [_] => Ok(()),
        [] => Err(Error::unsupported_media_type(format!("A request with a body needs a Content-Type: {MEDIA_TYPE}"))),
        _ => Err(Error::unsupported_media_type("Content-Type names more than one media type")),
    }
}

/// Whether a request announces a body with something in it (RFC 9112 §6.3). A chunked one shows only when it is
/// read whether it holds anything.
fn announces_body(headers: &HeaderMap) -> bool {
    headers.get(CONTENT_LENGTH).is_some_and(|length| length.as_bytes() != b"0")
}

/// One media range with its weight in thousandths.
struct MediaRange {
    name: String,
    parameters: Vec<(String, String)>,
    quality: u16,
}

impl MediaRange {
    fn parse(text: &str) -> Option<Self> {
        // An empty parameter is allowed (RFC 9110 §5.6.6), but not by `mediatype`.
        let text = parts(text, ';').join(";");
        let media_type = mediatype::MediaType::parse(&text).ok()?;
        let name = media_type.essence().to_string().to_ascii_lowercase();
        if name.starts_with("*/") && name != "*/*" {
            return None;
        }
        let mut range = Self { name, parameters: Vec::new(), quality: 1000 };
        for (key, value) in media_type.params() {
            if value.as_str().is_empty() {
                return None;
            }
            let value = value.unquoted_str().into_owned();
            if key == "q" {
                range.quality = parse_quality(&value)?;
            } else {
                range.parameters.push((key.as_str().to_ascii_lowercase(), value));
            }
        }
        Some(range)
    }

    /// Whether a parameter changes the meaning of the media type in a way that we do not know.
    /// The charset of plain JSON changes nothing (RFC 8259 §11), and many clients send it.
    fn is_modified(&self) -> bool {
        let plain = self.name == JSON;
        let known = |(key, value): &(String, String)| {
            key == "profile" || (plain && key == "charset" && value.eq_ignore_ascii_case("utf-8"))
        };
        !self.parameters.iter().all(known)
    }

    fn profiles(&self) -> Vec<String> {
        self.parameters
            .iter()
            .filter(|(key, _)| key == "profile")
            .flat_map(|(_, value)| value.split_ascii_whitespace().map(str::to_owned))
            .collect()
    }
}

/// All media ranges of all header lines of that name; the error is a detail for the client.
fn media_ranges(headers: &HeaderMap, name: HeaderName) -> Result<Vec<MediaRange>, String> {
    let mut ranges = Vec::new();
    for line in headers.get_all(&name) {
        let malformed = || format!("{} is malformed (RFC 9110 §12.5.1)", header_case(&name));
        let line = line.to_str().map_err(|_| malformed())?;
        for text in parts(line, ',') {
            ranges.push(MediaRange::parse(text).ok_or_else(malformed)?);
        }
    }
    Ok(ranges)
}

fn header_case(name: &HeaderName) -> &'static str {
    if *name == ACCEPT { "Accept" } else { "Content-Type" }
}

/// What is not empty between separators that stand outside of quoted strings (RFC 9110 §5.6.1.2, §5.6.4).
fn parts(text: &str, separator: char) -> Vec<&str> {
    let (mut quoted, mut escaped) = (false, false);
    let split = text.split(move |c: char| {
        if escaped {
            escaped = false;
        } else if quoted && c == '\\' {
            escaped = true;
        } else if c == '"' {
            quoted = !quoted;
        }
        c == separator && !quoted
    });
    split.map(str::trim).filter(|part| !part.is_empty()).collect()
}

/// A weight in thousandths (RFC 9110 §12.4.2).
fn parse_quality(value: &str) -> Option<u16> {
    let valid = value.len() <= 5 && value.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    let weight: f32 = value.parse().ok().filter(|_| valid)?;
    // Between 0 and 1000, so that the conversion loses nothing but the rounding error.
    (weight <= 1.0).then(|| (weight * 1000.0).round() as u16)
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    fn accept(lines: &[&str]) -> Result<Answer> {
        let mut request = TestRequest::get();
        for line in lines {
            request = request.append_header((ACCEPT, *line));
        }
        Answer::of(request.to_http_request().headers())
    }

    fn label(line: &str) -> MediaType {
        accept(&[line]).unwrap().media_type
    }

    fn content_type(value: &str) -> u16 {
        let request = TestRequest::post()
            .insert_header((CONTENT_LENGTH, "2"))
            .insert_header((CONTENT_TYPE, value))
            .to_http_request();
        check_request(&request).map_or_else(|error| error.status().as_u16(), |()| 200)
    }

    #[test]
    fn what_accepts_json_api_gets_it() {
        assert_eq!(accept(&[]).unwrap(), Answer::default());
        for line in [
            "application/vnd.api+json",
            "*/*",
            "application/*",
            "APPLICATION/VND.API+JSON",
            "application/json, application/vnd.api+json",
            "application/json, text/plain, */*",
            "application/vnd.api+json ; q=0.5 , text/html",
            "application/vnd.api+json; charset=utf-8, application/vnd.api+json",
            "application/vnd.api+json; profile=\"https://example.org/a,b;c\"",
            ", application/vnd.api+json;; q=0.5;, ,",
            "",
        ] {
            assert_eq!(label(line), MediaType::JsonApi, "{line}");
        }
    }

    #[test]
    fn plain_json_is_labelled_so() {
        for line in [
            "application/json",
            "application/json; charset=utf-8",
            "text/html, application/json;q=0.9",
            "*/*, application/vnd.api+json;q=0",
            "application/vnd.api+json;q=0.1, application/json",
        ] {
            assert_eq!(label(line), MediaType::Json, "{line}");
        }
    }

    #[test]
    fn what_rules_json_api_out_is_406() {
        for line in [
            "text/html",
            "image/*",
            "*/*;q=0",
            "application/vnd.api+json;q=0",
            "application/vnd.api+json; charset=utf-8",
            "application/vnd.api+json; charset=utf-8, */*",
            "application/vnd.api+json; ext=\"https://jsonapi.org/ext/atomic\"",
        ] {
            assert_eq!(accept(&[line]).unwrap_err().status(), 406, "{line}");
        }
    }

    #[test]
    fn a_malformed_accept_is_406() {
        for line in [
            "application",
            "/",
            "*/json",
            "application/json;q",
            "application/json;q=2",
            "application/json;q=NaN",
            "a/b;c=\"",
            "a/b;c=\"\\",
            "a b/c",
            ";",
            "a/b;=1",
            "a/b;c=",
            "é/b",
        ] {
            assert_eq!(accept(&[line]).unwrap_err().status(), 406, "{line}");
        }
    }

    #[test]
    fn several_accept_lines_count_as_one() {
        let answer = accept(&["text/html", "application/vnd.api+json"]).unwrap();
        assert_eq!(answer.media_type, MediaType::JsonApi);
    }

    #[test]
    fn profiles_are_read_and_applied() {
        let answer = accept(&["application/vnd.api+json; profile=\"http://a/ http://b/\""]).unwrap();
        assert_eq!(answer.profiles, ["http://a/", "http://b/"]);
        let label = answer.content_type(&["http://a/"]);
        assert_eq!(label, "application/vnd.api+json; profile=\"http://a/\"");
    }

    #[test]
    fn bodies_are_json_api_or_json() {
        assert_eq!(content_type("application/vnd.api+json"), 200);
        assert_eq!(content_type("application/json"), 200);
        assert_eq!(content_type("application/vnd.api+json; profile=\"http://a/\""), 200);
        assert_eq!(content_type("application/json; charset=utf-8"), 200);
        assert_eq!(content_type("application/json;charset=\"UTF-8\""), 200);
        for value in [
            "text/plain",
            "application/x-www-form-urlencoded",
            "application/vnd.api+json; charset=utf-8",
            "application/json; charset=latin1",
            "application/vnd.api+json; ext=\"http://a/\"",
            "application/vnd.api+json, application/json",
            "application/*",
            "nonsense",
            "",
        ] {
            assert_eq!(content_type(value), 415, "{value}");
        }
    }

    #[test]
    fn only_a_body_needs_a_content_type() {
        let status = |name: HeaderName, value: &'static str| {
            let request = TestRequest::post().insert_header((name, value)).to_http_request();
            check_request(&request).map_or_else(|error| error.status().as_u16(), |()| 200)
        };
        assert_eq!(status(CONTENT_LENGTH, "0"), 200);
        assert_eq!(status(CONTENT_TYPE, "text/plain"), 200);
        assert_eq!(status(CONTENT_LENGTH, "2"), 415);
    }
}
