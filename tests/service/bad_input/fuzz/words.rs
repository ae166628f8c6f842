//! What near-valid requests are made of: texts that are right or nearly so, and what happens to some of them on their
//! way. A word in guillemets, `«team»`, stands for something of the running service, so that a seed makes the same
//! requests each time, whatever ids and secrets there are.

use proptest::prelude::*;
use proptest::sample::{Index, select};

/// A text, and what is done to its bytes before it is sent.
#[derive(Debug, Clone)]
pub struct Text {
    pub base: String,
    damage: Vec<Damage>,
}

#[derive(Debug, Clone)]
enum Damage {
    Insert(Index, &'static [u8]),
    Replace(Index, u8),
    Remove(Index),
    Truncate(Index),
    Repeat(Index, usize),
    ChangeCase(Index),
    /// Something is put behind an opening brace or bracket, which makes another member or element.
    Member(Index, &'static [u8]),
}

impl Text {
    /// What is sent, if `filled` is the base with everything filled in.
    pub fn damaged(&self, filled: String) -> Vec<u8> {
        self.damage.iter().fold(filled.into_bytes(), |mut bytes, damage| {
            damage.befall(&mut bytes);
            bytes
        })
    }
}

impl Damage {
    fn befall(&self, bytes: &mut Vec<u8>) {
        if bytes.is_empty() {
            if let Self::Insert(_, piece) = self {
                bytes.extend_from_slice(piece);
            }
            return;
        }
        match self {
            Self::Insert(at, piece) => {
                let at = at.index(bytes.len() + 1);
                bytes.splice(at..at, piece.iter().copied());
            }
            Self::Replace(at, byte) => {
                let at = at.index(bytes.len());
                bytes[at] = *byte;
            }
            Self::Remove(at) => drop(bytes.remove(at.index(bytes.len()))),
            Self::Truncate(at) => bytes.truncate(at.index(bytes.len())),
            Self::Repeat(at, times) => {
                let tail = bytes[at.index(bytes.len())..].to_vec();
                (0..*times).take_while(|nth| nth * tail.len() < 300_000).for_each(|_| bytes.extend_from_slice(&tail));
            }
            Self::ChangeCase(at) => {
                let at = at.index(bytes.len());
                bytes[at] ^= 0x20;
            }
            Self::Member(at, piece) => {
                let opening: Vec<usize> = (0..bytes.len()).filter(|at| matches!(bytes[*at], b'{' | b'[')).collect();
                if !opening.is_empty() {
                    let at = opening[at.index(opening.len())] + 1;
                    bytes.splice(at..at, piece.iter().copied());
                }
            }
        }
    }
}

/// What does not belong where it is put.
const PIECES: [&[u8]; 46] = [
    b"\0",
    b"\x01",
    b"\x7f",
    b"\x80",
    b"\xff",
    b"\xc0\xaf",
    b"\xed\xa0\x80",
    b"\xf4\x90\x80\x80",
    b"\r",
    b"\n",
    b"\r\n",
    b"\t",
    b" ",
    b"  ",
    b"\"",
    b"\\",
    b"'",
    b"`",
    b"&",
    b"=",
    b"+",
    b"#",
    b"?",
    b"/",
    b"//",
    b"/../",
    b"/./",
    b"[",
    b"]",
    b"{",
    b"}",
    b",",
    b";",
    b":",
    b"*",
    b"-",
    b"%",
    b"%00",
    b"%ff",
    b"%2F",
    b"%2e%2e",
    b"%zz",
    "\u{feff}".as_bytes(),
    "\u{202e}".as_bytes(),
    "e\u{301}İß".as_bytes(),
    "🗝\u{200d}".as_bytes(),
];

const MEMBERS: [&[u8]; 9] = [
    b"\"data\":null,",
    b"\"type\":\"teams\",",
    b"\"id\":\"x\",",
    b"\"attributes\":{},",
    b"\"name\":\"twice\",",
    b"\"\\u0000\":1,",
    b"\"__proto__\":{},",
    b"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]],",
    b"null,",
];

fn damage() -> impl Strategy<Value = Damage> {
    let at = any::<Index>;
    prop_oneof![
        5 => (at(), select(&PIECES[..])).prop_map(|(at, piece)| Damage::Insert(at, piece)),
        3 => (at(), any::<u8>()).prop_map(|(at, byte)| Damage::Replace(at, byte)),
        2 => at().prop_map(Damage::Remove),
        1 => at().prop_map(Damage::Truncate),
        1 => (at(), select(vec![1_usize, 2, 40, 3000])).prop_map(|(at, times)| Damage::Repeat(at, times)),
        2 => at().prop_map(Damage::ChangeCase),
        2 => (at(), select(&MEMBERS[..])).prop_map(|(at, piece)| Damage::Member(at, piece)),
    ]
}

/// Such a text, undamaged in `whole` of `whole` + 1 cases.
pub fn text(base: impl Strategy<Value = String> + 'static, whole: u32) -> BoxedStrategy<Text> {
    let damage = prop_oneof![
        whole => Just(vec![]),
        1 => prop::collection::vec(damage(), 1..4),
    ];
    (base, damage).prop_map(|(base, damage)| Text { base, damage }).boxed()
}

/// One of some words.
pub fn one_of(words: &[&str]) -> BoxedStrategy<String> {
    select(words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>()).boxed()
}

/// Numbers at the edges of what a page, a count or a time can be.
pub fn number() -> BoxedStrategy<String> {
    let edges = [
        "0",
        "1",
        "2",
        "-1",
        "100",
        "101",
        "1000",
        "1001",
        "2147483647",
        "2147483648",
        "4294967296",
        "9223372036854775806",
        "9223372036854775807",
        "9223372036854775808",
        "18446744073709551616",
        "-9223372036854775808",
        "-9223372036854775809",
        "1e3",
        "1.0",
        "+1",
        "01",
        "0x10",
        "٣",
        "",
        "NaN",
    ];
    let fitting = one_of(&["1", "2", "20", "100"]);
    prop_oneof![3 => fitting, 3 => one_of(&edges), 1 => any::<i64>().prop_map(|number| number.to_string())].boxed()
}

/// RFC 3339, and what lies around it.
pub fn time() -> BoxedStrategy<String> {
    let plain = one_of(&[
        "2031-05-17T10:00:00Z",
        "2031-05-17T10:00:00.123456789+02:00",
        "9999-12-31T23:59:59.999Z",
        "9999-12-31T23:59:59.9999Z",
        "9999-12-31T23:59:59-00:01",
        "0000-01-01T00:00:00Z",
        "0000-01-01T00:00:00+00:01",
        "0001-01-01T00:00:00Z",
        "1970-01-01T00:00:00Z",
        "-0001-12-31T23:59:59Z",
        "+10000-01-01T00:00:00Z",
        "-4713-11-23T00:00:00Z",
        "294277-01-01T00:00:00Z",
        "infinity",
        "-infinity",
        "now",
        "epoch",
        "tomorrow",
        "2031-05-17",
        "2031-05-17T10:00:00",
        "2016-12-31T23:59:60Z",
        "2031-02-29T00:00:00Z",
        "1700000000",
        "null",
        "",
        "2031-05-17 10:00:00Z",
        "2031-05-17t10:00:00z",
        "2031-W20-6T10:00:00Z",
        "20310517T100000Z",
    ]);
    let field = |most: u32| 0..=most;
    let parts = (
        select(vec![
            "0000", "0001", "1582", "1969", "1970", "2026", "2027", "2038", "9998", "9999", "10000", "-001", "202",
        ]),
        (field(13), field(32), field(25), field(61), field(61)),
        select(vec!["", ".", ".0", ".9", ".999", ".9999", ".999999", ".9999999", ".000000000000000000001", ",5"]),
        select(vec![
            "Z", "z", "", "+00:00", "-00:00", "+14:00", "-12:00", "+23:59", "-23:59", "+24:00", "+99:99", "+0200",
            "+02",
        ]),
        select(vec!["T", "t", " ", "+", "%20", ""]),
    );
    let made = parts.prop_map(|(year, (month, day, hour, minute, second), fraction, offset, separator)| {
        format!("{year}-{month:02}-{day:02}{separator}{hour:02}:{minute:02}:{second:02}{fraction}{offset}")
    });
    prop_oneof![2 => plain, 1 => made].boxed()
}

/// Ids: those that there are, those that could be, and those that could not.
pub fn id() -> BoxedStrategy<String> {
    let known = one_of(&[
        "«organization»",
        "«team»",
        "«token»",
        "«user»",
        "«membership»",
        "«workspace»",
        "«access»",
        "«owners»",
        "«other_team»",
        "«revoked»",
        "prod",
        "owners",
        "ada",
        "current",
        "ACME",
        "Acme",
    ]);
    let prefix = select(vec!["team-", "user-", "ou-", "at-", "ws-", "tws-", "org-", "", "TEAM-", "team", "team--"]);
    let rest = prop_oneof![
        "[1-9A-HJ-NP-Za-km-z]{15,17}",
        "[1-9A-HJ-NP-Za-km-z]{0,3}",
        Just("1".repeat(22)),
        Just("z".repeat(22)),
        Just("z".repeat(400)),
        Just("0OIl0OIl0OIl0OIl0OIl0".to_owned()),
        Just("01890a5d-ac96-774b-bcce-b302099a8057".to_owned()),
    ];
    prop_oneof![4 => known, 2 => (prefix, rest).prop_map(|(prefix, rest)| format!("{prefix}{rest}"))].boxed()
}

/// Secrets of every kind and state, and what only looks like one.
pub fn secret() -> BoxedStrategy<String> {
    let good = one_of(&["«ada»", "«ada»", "«ada»", "«organization_secret»", "«jwt»", "«team_secret»"]);
    let other = one_of(&[
        "«audit_secret»",
        "«workspace_secret»",
        "«viewer»",
        "«revoked_secret»",
        "«unknown»",
        "«disabled_secret»",
        "",
        "lku_",
        "lkx_0000000000000000000000000000000000000000000000000",
        "eyJhbGciOiJub25lIn0.eyJqdGkiOiJhdC0xIn0.",
        "eyJ.eyJ.x",
        "..",
        "null",
        "undefined",
        "Bearer",
        "«ada» «ada»",
        "«ada»,«ada»",
        "«ada»\t",
        " «ada»",
    ]);
    prop_oneof![6 => good, 2 => other].boxed()
}

/// Abilities, and what is none.
pub fn ability() -> BoxedStrategy<String> {
    let plain = one_of(&[
        "agents:read",
        "agents:*",
        "storage:write",
        "*:*",
        "*",
        ":",
        "a:",
        ":a",
        "a:b:c",
        "tokens:*",
        "Agents:Read",
        "a b:c",
        "a:b\u{0}",
        "ａ:ｂ",
        "a-b_c.d:e",
        "agents:rea\u{200b}d",
    ]);
    let long = (1..70_usize, 1..70_usize).prop_map(|(one, other)| format!("{}:{}", "a".repeat(one), "b".repeat(other)));
    prop_oneof![4 => plain, 1 => "[a-z*:_.-]{0,12}", 1 => long].boxed()
}

/// What people write into names, descriptions and searches.
pub fn words() -> BoxedStrategy<String> {
    let plain = one_of(&[
        "ci",
        "changed",
        "acme",
        "owners",
        "nightly build",
        "",
        " ",
        "%",
        "_",
        "\\",
        "%%%%%%%%%%%%%%%%%%%%%%a",
        "'; --",
        "\u{0}",
        "é",
        "e\u{301}",
        "İ",
        "ﬀ",
        "\u{202e}evil",
        "🗝",
        "\u{feff}x",
        "null",
        "true",
        "-",
        "..",
        "con",
        "a/b",
        "a,b",
        "ada@example.com",
        "@",
        "a@b",
        "\"quoted\"@example.com",
        "ада@пример.рф",
        "https://example.com/",
        "http://[::1]:0/",
        "javascript:alert(1)",
        "//evil",
        "user:pw@host",
        "settings",
        "new",
        "ci ",
        "\u{e000}\\",
        "\r\n",
        "\u{85}\u{2028}",
    ]);
    let long = select(vec![63_usize, 64, 65, 90, 91, 255, 256, 257, 2048, 2049, 9000]);
    prop_oneof![
        5 => plain,
        1 => any::<String>(),
        1 => long.clone().prop_map(|length| "x".repeat(length)),
        1 => long.prop_map(|length| "é".repeat(length)),
    ]
    .boxed()
}

/// `Accept` and `Content-Type`.
pub fn media_type() -> BoxedStrategy<String> {
    let name = one_of(&[
        "application/vnd.api+json",
        "application/json",
        "*/*",
        "application/*",
        "text/html",
        "*/json",
        "application/",
        "APPLICATION/JSON",
        "application/x-www-form-urlencoded",
        "multipart/form-data",
        "text/plain",
        "",
        "a/b/c",
        "/",
    ]);
    let parameter = one_of(&[
        "",
        "",
        "",
        ";q=0",
        ";q=0.5",
        ";q=1.0000",
        ";q=2",
        ";q=-1",
        ";q=NaN",
        ";q=",
        ";charset=utf-8",
        "; charset=\"utf-8\"",
        ";charset=utf-16",
        ";profile=\"https://jsonapi.org/profiles/ethanresnick/cursor-pagination/\"",
        ";profile=\"\"",
        ";ext=\"https://jsonapi.org/ext/atomic\"",
        ";profile=\"a\\\"b",
        ";;",
        ";a",
        ";=b",
        ";q=0.5;q=0.6",
        ";\u{e9}=x",
        ";boundary=x",
        ";profile=\"\u{e9}\"",
    ]);
    let range = (name, parameter).prop_map(|(name, parameter)| format!("{name}{parameter}"));
    prop::collection::vec(range, 1..4).prop_map(|ranges| ranges.join(", ")).boxed()
}

pub fn host() -> BoxedStrategy<String> {
    one_of(&[
        "latchkey",
        "127.0.0.1",
        "127.0.0.1:8080",
        "[::1]",
        "[::1]:8080",
        "localhost:0",
        "localhost:65536",
        "localhost:",
        "",
        " ",
        "a b",
        "a/b",
        "a\\b",
        "a@b",
        "user:pw@host",
        "\u{e9}",
        "xn--e1afmkfd",
        "%00",
        "a\"b",
        "<script>",
        "::1",
        "[",
        "a,b",
        "a?b#c",
        "..",
        "-",
        "_",
        "evil.example#",
        "latchkey:80:80",
        "LATCHKEY",
    ])
}

/// Headers beside those that each request has.
pub fn other_header() -> BoxedStrategy<(String, String)> {
    let headers: Vec<(&str, &[&str])> = vec![
        ("Content-Encoding", &["identity", "gzip", "", "gzip, identity", "x"]),
        ("Accept-Encoding", &["gzip", "identity;q=0", "*;q=0", ""]),
        ("Accept-Charset", &["utf-16"]),
        ("Expect", &["100-continue", "nonsense"]),
        ("Idempotency-Key", &["a", "", "\"8e03978e-40d5-43dd-bc93-6894a57f9324\"", "\u{e9}"]),
        ("If-Match", &["*", "\"x\""]),
        ("If-None-Match", &["*", "W/\"x\""]),
        ("If-Modified-Since", &["nonsense", "Sat, 01 Jan 2000 00:00:00 GMT"]),
        ("Range", &["bytes=0-1", "bytes=-", "x"]),
        ("Forwarded", &["host=\"evil.example\";proto=https", "for=\"[::1]\"", "=;=,"]),
        ("X-Forwarded-For", &["127.0.0.1", "nonsense", "::ffff:0:0, , x"]),
        ("X-Forwarded-Host", &["evil.example", ""]),
        ("X-HTTP-Method-Override", &["DELETE"]),
        ("X-Request-Id", &["mine", ""]),
        ("Cookie", &["a=b", "=;;", "\u{e9}"]),
        ("Origin", &["null", "https://evil.example"]),
        ("Upgrade", &["h2c", "websocket"]),
        ("TE", &["trailers"]),
        ("User-Agent", &["go-tfe", "\u{e9}", ""]),
        ("Accept-Language", &["*", "de;q=2"]),
        ("X-\u{e9}", &["x"]),
        ("", &["x"]),
        ("X Y", &["x"]),
    ];
    let all = headers.into_iter().flat_map(|(name, values)| {
        values.iter().map(move |value| (name.to_owned(), (*value).to_owned())).collect::<Vec<_>>()
    });
    select(all.collect::<Vec<_>>()).boxed()
}
