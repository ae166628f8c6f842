//! The one extractor for request bodies: a JSON:API document comes in, attributes of a room's own
//! type and relationships go out (JSON:API "Creating, Updating and Deleting Resources", docs/design.md §5).
//!
//! A document whose form is wrong is 400; one that names another type is 409; values that are not
//! acceptable are 422, with one error object and one JSON pointer per fault.

use std::sync::Arc;
use std::time::Duration;

use actix_web::http::header::CONTENT_LENGTH;
use actix_web::web::{Bytes, BytesMut, Payload};
use actix_web::{FromRequest, HttpRequest, dev};
use futures_util::StreamExt as _;
use serde_json::Value;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::attributes::Attributes;
use super::error::{Error, Result};
use super::json::{malformed, parse_data, parse_identifiers};
use super::negotiation::check_content_type;
use super::resource_body::{MAX_IDENTIFIERS, ResourceBody, TypeRule, read_all, wrong_type};

/// The most bytes of a request's body (docs/limits.md).
pub const MAX_BODY: usize = 64 * 1024;

/// The same where it is a list.
pub const MAX_LIST_BODY: usize = 1024 * 1024;

/// How long a body may take until it is here.
const DEADLINE: Duration = Duration::from_secs(30);

/// How many bytes the bodies of all requests together may take while they are read and worked on.
#[derive(Debug, Clone)]
pub struct BodyBudget(Arc<Semaphore>);

impl BodyBudget {
    /// So many KiB.
    #[must_use]
    pub fn of_kib(kib: usize) -> Self {
        Self(Arc::new(Semaphore::new(kib)))
    }

    /// Takes room for so many KiB more.
    ///
    /// # Errors
    /// 503 when there is none.
    fn take(&self, kib: usize) -> Result<OwnedSemaphorePermit> {
        let kib = u32::try_from(kib).unwrap_or(u32::MAX);
        let full = |_| Error::unavailable("Too many bodies are being read; try again soon");
        Arc::clone(&self.0).try_acquire_many_owned(kib).map_err(full)
    }
}

/// The body of a request, not yet looked into, of an acceptable media type.
#[derive(Debug)]
pub struct Body {
    bytes: Bytes,
    /// What it has of the budget.
    _room: Option<OwnedSemaphorePermit>,
}

impl Body {
    /// What the client sent.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The resource in the body, whose type must be one of `types`, and which must have the
    /// attributes `required`.
    pub fn resource<A: Attributes>(&self, types: &[&str], required: &[&str]) -> Result<ResourceBody<A>> {
        ResourceBody::parse(&self.bytes, TypeRule::OneOf(types), required, &[])
    }

    /// The resource in the body, whose type may also be empty or absent, and which keeps these attributes as they were sent.
    pub fn resource_lenient<A: Attributes>(&self, types: &[&str], kept: &[&str]) -> Result<ResourceBody<A>> {
        ResourceBody::parse(&self.bytes, TypeRule::Lenient(types), &[], kept)
    }

    /// Like [`Body::resource_lenient`]; no body at all is a resource without attributes.
    pub fn resource_or_empty<A: Attributes>(&self, types: &[&str], kept: &[&str]) -> Result<ResourceBody<A>> {
        if self.bytes.trim_ascii().is_empty() {
            ResourceBody::parse(br#"{"data":{}}"#, TypeRule::Lenient(types), &[], &[])
        } else {
            self.resource_lenient(types, kept)
        }
    }

    /// The attributes of a resource that a client sent bare, with no document around them, if `attribute` is among them and
    /// there is no `data`.
    pub fn bare_attributes<A: Attributes>(&self, attribute: &str) -> Result<Option<ResourceBody<A>>> {
        ResourceBody::parse_bare(&self.bytes, attribute)
    }

    /// The resources in the body if its data is a list of them, at most [`MAX_IDENTIFIERS`], each like that of
    /// [`Body::resource`]; `None` if its data is anything else.
    pub fn resources<A: Attributes>(&self, types: &[&str], required: &[&str]) -> Result<Option<Vec<ResourceBody<A>>>> {
        let Value::Array(items) = parse_data(&self.bytes)? else { return Ok(None) };
        read_all(items, "/data", types, required).map(Some)
    }

    /// The same, where the body must hold a list.
    pub fn list<A: Attributes>(&self, types: &[&str], required: &[&str]) -> Result<Vec<ResourceBody<A>>> {
        self.resources(types, required)?.ok_or_else(|| malformed("/data", "Must be a list of resources"))
    }

    /// The ids of the resource identifiers in the body, as sent, so that each is still at its place when a fault is
    /// pointed at: at most [`MAX_IDENTIFIERS`], of one of `types` (JSON:API "Updating To-Many Relationships"). Whole resources
    /// identify themselves as well.
    pub fn identifiers(&self, types: &[&str]) -> Result<Vec<String>> {
        identifiers_of(&parse_identifiers(&self.bytes)?, types)
    }
}

impl Body {
    /// Reads the body of a request: at most `most` bytes, within half a minute, and as long as there is room for it.
    ///
    /// # Errors
    /// 408, 413, 415, 503, or 400 for one that breaks off.
    pub async fn read(
        request: &HttpRequest,
        payload: &mut dev::Payload,
        most: usize,
        budget: &BodyBudget,
    ) -> Result<Self> {
        let body = Self::read_of_any_type(request, payload, most, budget).await?;
        if !body.bytes.is_empty() {
            check_content_type(request.headers())?;
        }
        Ok(body)
    }

    /// The same of a body that is no JSON:API: whoever reads it looks at its media type.
    ///
    /// # Errors
    /// 408, 413, 503, or 400 for one that breaks off.
    pub async fn read_of_any_type(
        request: &HttpRequest,
        payload: &mut dev::Payload,
        most: usize,
        budget: &BodyBudget,
    ) -> Result<Self> {
        check_length(request, most)?;
        let payload = Payload::from_request(request, payload).into_inner().map_err(|_| unreadable())?;
        let reading = actix_web::rt::time::timeout(DEADLINE, read_all_of(payload, most, budget));
        reading.await.map_err(|_| Error::request_timeout(DEADLINE.as_secs()))?
    }
}

async fn read_all_of(mut payload: Payload, most: usize, budget: &BodyBudget) -> Result<Body> {
    let mut bytes = BytesMut::new();
    let mut room: Option<OwnedSemaphorePermit> = None;
    while let Some(chunk) = payload.next().await {
        let chunk = chunk.map_err(|_| unreadable())?;
        if bytes.len() + chunk.len() > most {
            return Err(Error::payload_too_large(most));
        }
        bytes.extend_from_slice(&chunk);
        // By the whole, not by the chunk: a body can come in very many of them.
        let held = room.as_ref().map_or(0, OwnedSemaphorePermit::num_permits);
        let needed = bytes.len().div_ceil(1024);
        if needed > held {
            let more = budget.take(needed - held)?;
            match &mut room {
                Some(room) => room.merge(more),
                none => *none = Some(more),
            }
        }
    }
    Ok(Body { bytes: bytes.freeze(), _room: room })
}

fn unreadable() -> Error {
    Error::bad_request("unreadable body", "The body broke off")
}

/// Refuses a body that announces itself as too large before any of it is read.
fn check_length(request: &HttpRequest, most: usize) -> Result<()> {
    let length = request.headers().get(CONTENT_LENGTH).and_then(|value| value.to_str().ok());
    match length.map(str::parse::<usize>) {
        None => Ok(()),
        Some(Ok(length)) if length <= most => Ok(()),
        Some(_) => Err(Error::payload_too_large(most)),
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

    fn body(bytes: Bytes) -> Body {
        Body { bytes, _room: None }
    }

    #[test]
    fn identifiers_are_read_as_sent() {
        let read = |data: Value| body(Bytes::from(json!({ "data": data }).to_string())).identifiers(&["users"]);
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
        let body = body(Bytes::new());
        let empty = body.resource_or_empty::<Access>(&["authentication-tokens"], &[]).unwrap();
        assert_eq!(empty.attributes.read_all, None);
        assert_eq!(body.resource::<Access>(&["teams"], &[]).unwrap_err().status(), 400);
    }

    /// What the client reads after it has sent these bytes to a real server and nothing more.
    async fn exchange(sent: Vec<u8>) -> String {
        use std::io::{Read, Write};
        let handler = |request: HttpRequest, payload: Payload| async move {
            let budget = BodyBudget::of_kib(1024);
            Body::read(&request, &mut payload.into_inner(), MAX_BODY, &budget).await.map(|_| "read")
        };
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

        let chunk = format!("1000\r\n{}\r\n", " ".repeat(0x1000));
        let endless = format!("{head}Transfer-Encoding: chunked\r\n\r\n{}", chunk.repeat(17));
        assert_eq!(exchange(endless.into_bytes()).await, "HTTP/1.1 413");
    }

    async fn extract(request: TestRequest) -> u16 {
        let (request, mut payload) = request.to_http_parts();
        let body = Body::read(&request, &mut payload, MAX_BODY, &BodyBudget::of_kib(1024)).await;
        body.map_or_else(|error| error.status().as_u16(), |_| 200)
    }

    #[actix_web::test]
    async fn a_body_has_a_type_and_a_maximum() {
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

    #[actix_web::test]
    async fn all_bodies_together_have_a_maximum() {
        let budget = BodyBudget::of_kib(100);
        let read = async || {
            let kind = (CONTENT_TYPE, "application/vnd.api+json");
            let request = TestRequest::post().insert_header(kind).set_payload(vec![b' '; 60_000]);
            let (request, mut payload) = request.to_http_parts();
            Body::read(&request, &mut payload, MAX_BODY, &budget).await
        };
        let first = read().await.unwrap();
        assert_eq!(read().await.unwrap_err().status(), 503);
        drop(first);
        assert!(read().await.is_ok());
    }

    /// A body in very many chunks takes no more room than the same in one.
    #[actix_web::test]
    async fn room_is_taken_by_the_whole_and_not_by_the_chunk() {
        let budget = BodyBudget::of_kib(8);
        let kind = (CONTENT_TYPE, "application/vnd.api+json");
        let (request, _) = TestRequest::post().insert_header(kind).to_http_parts();
        let chunks = (0..4096).map(|_| Ok(Bytes::from_static(b" ")));
        let stream: std::pin::Pin<Box<dyn futures_util::Stream<Item = _>>> =
            Box::pin(futures_util::stream::iter(chunks));
        let mut payload = dev::Payload::from(stream);
        let body = Body::read(&request, &mut payload, MAX_BODY, &budget).await.unwrap();
        assert_eq!(budget.0.available_permits(), 4);
        drop(body);
        assert_eq!(budget.0.available_permits(), 8);
    }
}
