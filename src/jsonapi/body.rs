//! The one extractor for request bodies: a JSON:API document comes in, attributes of a room's own
//! type and relationships go out (JSON:API "Creating, Updating and Deleting Resources", docs/design.md §5).
//!
//! A document whose form is wrong is 400; one that names another type is 409; values that are not
//! acceptable are 422, with one error object and one JSON pointer per fault.

use std::future::Future;
use std::pin::Pin;

use actix_web::http::header::CONTENT_LENGTH;
use actix_web::web::{Bytes, Payload};
use actix_web::{FromRequest, HttpRequest, dev};
use serde_json::Value;

use super::attributes::Attributes;
use super::error::{Error, Result};
use super::json::{malformed, parse_data};
use super::negotiation::check_content_type;
use super::resource_body::{MAX_IDENTIFIERS, ResourceBody, TypeRule, read_all, wrong_type};

/// The most bytes of a request body: 1 MiB (docs/design.md §5).
pub const MAX_BODY: usize = 1024 * 1024;

/// The body of a request, not yet looked into: at most [`MAX_BODY`] bytes (413) of an acceptable
/// media type (415).
#[derive(Debug, Clone)]
pub struct Body(Bytes);

impl Body {
    /// The resource in the body, whose type must be one of `types`, and which must have the
    /// attributes `required`.
    pub fn resource<A: Attributes>(&self, types: &[&str], required: &[&str]) -> Result<ResourceBody<A>> {
        ResourceBody::parse(&self.0, TypeRule::OneOf(types), required)
    }

    /// The resource in the body, whose type may also be empty or absent.
    pub fn resource_lenient<A: Attributes>(&self, types: &[&str]) -> Result<ResourceBody<A>> {
        ResourceBody::parse(&self.0, TypeRule::Lenient(types), &[])
    }

    /// Like [`Body::resource_lenient`]; no body at all is a resource without attributes.
    pub fn resource_or_empty<A: Attributes>(&self, types: &[&str]) -> Result<ResourceBody<A>> {
        if self.0.trim_ascii().is_empty() {
            ResourceBody::parse(br#"{"data":{}}"#, TypeRule::Lenient(types), &[])
        } else {
            self.resource_lenient(types)
        }
    }

    /// The resources in the body if its data is a list of them, at most [`MAX_IDENTIFIERS`], each like that of
    /// [`Body::resource`]; `None` if its data is anything else.
    pub fn resources<A: Attributes>(&self, types: &[&str], required: &[&str]) -> Result<Option<Vec<ResourceBody<A>>>> {
        let Value::Array(items) = parse_data(&self.0)? else { return Ok(None) };
        read_all(items, "/data", types, required).map(Some)
    }

    /// The same, where the body must hold a list.
    pub fn list<A: Attributes>(&self, types: &[&str], required: &[&str]) -> Result<Vec<ResourceBody<A>>> {
        self.resources(types, required)?.ok_or_else(|| malformed("/data", "Must be a list of resources"))
    }

    /// The ids of the resource identifiers in the body, as sent, so that each is still at its place when a fault is
    /// pointed at: at most [`MAX_IDENTIFIERS`], of one of `types` (JSON:API "Updating To-Many Relationships").
    pub fn identifiers(&self, types: &[&str]) -> Result<Vec<String>> {
        identifiers_of(&parse_data(&self.0)?, types)
    }
}

impl FromRequest for Body {
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self>>>>;

    fn from_request(request: &HttpRequest, payload: &mut dev::Payload) -> Self::Future {
        let request = request.clone();
        let payload = Payload::from_request(&request, payload).into_inner();
        Box::pin(async move {
            check_length(&request)?;
            let unreadable = || Error::bad_request("unreadable body", "The body broke off");
            match payload.map_err(|_| unreadable())?.to_bytes_limited(MAX_BODY).await {
                Ok(Ok(bytes)) => {
                    if !bytes.is_empty() {
                        check_content_type(request.headers())?;
                    }
                    Ok(Self(bytes))
                }
                Ok(Err(_)) => Err(unreadable()),
                Err(_) => Err(Error::payload_too_large(MAX_BODY)),
            }
        })
    }
}

/// Refuses a body that announces itself as too large before any of it is read.
fn check_length(request: &HttpRequest) -> Result<()> {
    let length = request.headers().get(CONTENT_LENGTH).and_then(|value| value.to_str().ok());
    match length.map(str::parse::<usize>) {
        None => Ok(()),
        Some(Ok(length)) if length <= MAX_BODY => Ok(()),
        Some(_) => Err(Error::payload_too_large(MAX_BODY)),
    }
}

fn identifiers_of(data: &Value, types: &[&str]) -> Result<Vec<String>> {
    let Value::Array(items) = data else {
        return Err(malformed("/data", "Must be a list of resource identifiers"));
    };
    if items.len() > MAX_IDENTIFIERS {
        let detail = format!("Must hold at most {MAX_IDENTIFIERS} resource identifiers");
        return Err(Error::attribute("/data", detail).with_title("too many identifiers"));
    }
    let mut faults = Vec::new();
    let mut ids = Vec::new();
    for (n, item) in items.iter().enumerate() {
        let pointer = format!("/data/{n}");
        match item.get("type") {
            Some(Value::String(name)) if types.contains(&name.as_str()) => {}
            Some(Value::String(_)) => faults.push(wrong_type(&format!("{pointer}/type"), types)),
            _ => faults.push(malformed(&format!("{pointer}/type"), "Must be a string")),
        }
        match item.get("id") {
            Some(Value::String(id)) if !id.is_empty() => ids.push(id.clone()),
            _ => faults.push(malformed(&format!("{pointer}/id"), "Must be a non-empty string")),
        }
    }
    Error::check(faults)?;
    Ok(ids)
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::CONTENT_TYPE;
    use actix_web::test::TestRequest;
    use serde_json::json;

    use super::super::attributes::testing::Access;
    use super::super::error::testing::pointers;
    use super::*;

    #[test]
    fn identifiers_are_read_as_sent() {
        let read = |data: Value| Body(Bytes::from(json!({ "data": data }).to_string())).identifiers(&["users"]);
        let user = |id: &str| json!({"type": "users", "id": id});
        assert_eq!(read(json!([user("a"), user("b"), user("a")])).unwrap(), ["a", "b", "a"]);
        assert!(read(json!([])).unwrap().is_empty());

        let faulty = json!([{"type": "users"}, {"type": "teams", "id": "x"}, {"id": "y"}, 1]);
        let error = read(faulty).unwrap_err();
        let expected = ["/data/0/id", "/data/1/type", "/data/2/type", "/data/3/type", "/data/3/id"];
        assert_eq!(pointers(&error), expected);
        assert_eq!(pointers(&read(user("a")).unwrap_err()), ["/data"]);
        let many = vec![user("a"); MAX_IDENTIFIERS + 1];
        assert_eq!(read(many.into()).unwrap_err().status(), 422);
    }

    #[test]
    fn no_body_is_an_empty_resource_where_that_is_allowed() {
        let body = Body(Bytes::new());
        let empty = body.resource_or_empty::<Access>(&["authentication-tokens"]).unwrap();
        assert_eq!(empty.attributes.read_all, None);
        assert_eq!(body.resource::<Access>(&["teams"], &[]).unwrap_err().status(), 400);
    }

    /// What the client reads after it has sent these bytes to a real server and nothing more.
    async fn exchange(sent: Vec<u8>) -> String {
        use std::io::{Read, Write};
        let handler = |_: Body| async { "read" };
        let app = move || actix_web::App::new().default_service(actix_web::web::to(handler));
        let server = actix_web::HttpServer::new(app).workers(1);
        let server = server.disable_signals().bind("127.0.0.1:0").unwrap();
        let address = server.addrs()[0];
        let server = server.run();
        let handle = server.handle();
        actix_web::rt::spawn(server);
        let client = move || {
            let mut stream = std::net::TcpStream::connect(address).unwrap();
            let limit = std::time::Duration::from_secs(5);
            stream.set_read_timeout(Some(limit)).unwrap();
            let mut writer = stream.try_clone().unwrap();
            // The server may close the connection before everything is sent.
            std::thread::spawn(move || drop(writer.write_all(&sent)));
            let mut answer = [0; 12];
            stream.read_exact(&mut answer).unwrap();
            String::from_utf8_lossy(&answer).into_owned()
        };
        let answer = actix_web::web::block(client).await.unwrap();
        handle.stop(false).await;
        answer
    }

    #[actix_web::test]
    async fn a_large_body_is_refused_over_the_wire_without_waiting_for_its_end() {
        let head = "POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/vnd.api+json\r\n";
        let announced = format!("{head}Content-Length: {}\r\n\r\n", MAX_BODY + 1);
        assert_eq!(exchange(announced.clone().into_bytes()).await, "HTTP/1.1 413");
        let sent = format!("{announced}{}", " ".repeat(MAX_BODY + 1));
        assert_eq!(exchange(sent.into_bytes()).await, "HTTP/1.1 413");

        let chunk = format!("10000\r\n{}\r\n", " ".repeat(0x10000));
        let endless = format!("{head}Transfer-Encoding: chunked\r\n\r\n{}", chunk.repeat(17));
        assert_eq!(exchange(endless.into_bytes()).await, "HTTP/1.1 413");
    }

    async fn extract(request: TestRequest) -> u16 {
        let (request, mut payload) = request.to_http_parts();
        let body = Body::from_request(&request, &mut payload).await;
        body.map_or_else(|error| error.status().as_u16(), |_| 200)
    }

    #[actix_web::test]
    async fn a_body_has_a_type_and_at_most_a_mebibyte() {
        let post = |size: usize| {
            let kind = (CONTENT_TYPE, "application/vnd.api+json");
            TestRequest::post().insert_header(kind).set_payload(vec![b' '; size])
        };
        assert_eq!(extract(post(MAX_BODY)).await, 200);
        assert_eq!(extract(post(MAX_BODY + 1)).await, 413);
        let announced = post(2).insert_header((CONTENT_LENGTH, "99999999999999999999"));
        assert_eq!(extract(announced).await, 413);
        let unlabelled = TestRequest::post().insert_header((CONTENT_LENGTH, "2")).set_payload("{}");
        assert_eq!(extract(unlabelled).await, 415);
        assert_eq!(extract(TestRequest::post()).await, 200);
    }
}
