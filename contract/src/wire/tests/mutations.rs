//! Changes of a service's answers, as data: a name, where the difference must be found, and the change.

use crate::wire::Response;

pub(super) type Change = fn(&str, &mut Response);

fn is_json(response: &Response) -> bool {
    response.body.first().is_some_and(|byte| b"{[".contains(byte))
}

fn text(response: &Response) -> String {
    String::from_utf8(response.body.clone()).unwrap()
}

/// Replaces in the body, and keeps its length's header true.
fn body(response: &mut Response, change: impl Fn(String) -> String) {
    let changed = change(text(response));
    if response.headers.contains_key("content-length") {
        response
            .headers
            .insert("content-length".to_owned(), vec![changed.len().to_string()]);
    }
    response.body = changed.into_bytes();
}

fn set(response: &mut Response, name: &str, values: &[&str]) {
    response
        .headers
        .insert(name.to_owned(), values.iter().map(|v| (*v).to_owned()).collect());
}

fn header(response: &mut Response, name: &str, change: impl Fn(&str) -> String) {
    for value in response.headers.get_mut(name).into_iter().flatten() {
        *value = change(value);
    }
}

fn regex(pattern: &str, text: &str, with: &str) -> String {
    regex::Regex::new(pattern).unwrap().replace_all(text, with).into_owned()
}

#[rustfmt::skip]
pub(super) const MUTATIONS: &[(&str, &str, Change)] = &[
    // Session.
    ("cookie without HttpOnly", "$.header.set-cookie.sid.httponly", |_, r| header(r, "set-cookie", |v| v.replace("; HttpOnly", ""))),
    ("cookie without Secure", "$.header.set-cookie.sid.secure", |_, r| header(r, "set-cookie", |v| v.replace("; Secure", ""))),
    ("cookie SameSite", "$.header.set-cookie.sid.samesite", |_, r| header(r, "set-cookie", |v| v.replace("Lax", "Strict"))),
    ("cookie path", "$.header.set-cookie.sid.path", |_, r| header(r, "set-cookie", |v| if v.starts_with("sid") { v.replace("Path=/", "Path=/api") } else { v.to_owned() })),
    ("cookie gains a domain", "$.header.set-cookie.theme.domain", |_, r| header(r, "set-cookie", |v| if v.starts_with("theme") { format!("{v}; Domain=shop.example") } else { v.to_owned() })),
    ("cookie renamed", "$.header.set-cookie.sid", |_, r| header(r, "set-cookie", |v| v.replace("sid=", "session="))),
    ("cookie lives twice as long", "$.header.set-cookie.theme.max-age", |_, r| header(r, "set-cookie", |v| v.replace("86400", "172800"))),
    ("cookie expires at another distance", "$.header.set-cookie.sid.expires", |_, r| header(r, "set-cookie", |v| regex(" ([0-9]{2}):([0-9]{2}):([0-9]{2}) GMT", v, " 23:$2:$3 GMT"))),
    ("shorter session id", "$.header.set-cookie.sid", |_, r| header(r, "set-cookie", |v| regex("sid=([0-9a-f]{16})[0-9a-f]*", v, "sid=$1"))),
    ("cookies in another order", "$.header.set-cookie", |_, r| if let Some(v) = r.headers.get_mut("set-cookie") { v.reverse() }),
    ("no cookie at all", "$.header.set-cookie", |_, r| drop(r.headers.remove("set-cookie"))),
    ("token of another kind", "$.body.token", |_, r| body(r, |t| regex("\"s3cr3t([0-9a-f]{8})[0-9a-f]*\"", &t, "\"s3cr3t.$1.x\""))),
    ("token type in lower case", "$.body.token_type", |_, r| body(r, |t| t.replace("Bearer", "bearer"))),
    ("token lives longer", "$.body.expires_in", |_, r| body(r, |t| t.replace("3600", "7200"))),
    // Headers.
    ("header added", "$.header.x-frame-options", |_, r| set(r, "x-frame-options", &["DENY"])),
    ("header removed", "$.header.vary", |_, r| drop(r.headers.remove("vary"))),
    ("header renamed", "$.header.x-request-id", |_, r| { let v = r.headers.remove("x-request-id").unwrap(); r.headers.insert("request-id".to_owned(), v); }),
    ("header of noise loses its kind", "$.header.x-request-id", |_, r| header(r, "x-request-id", |v| v.replace('-', ""))),
    ("header of noise in upper case", "$.header.x-request-id", |_, r| header(r, "x-request-id", str::to_uppercase)),
    ("caching", "$.header.cache-control", |_, r| set(r, "cache-control", &["public, max-age=60"])),
    ("CORS for all", "$.header.access-control-allow-origin", |_, r| set(r, "access-control-allow-origin", &["*"])),
    ("HSTS without subdomains", "$.header.strict-transport-security", |_, r| set(r, "strict-transport-security", &["max-age=31536000"])),
    ("charset", "$.header.content-type", |_, r| header(r, "content-type", |v| v.replace("utf-8", "iso-8859-1"))),
    ("media type", "$.header.content-type", |_, r| header(r, "content-type", |v| v.replace("application/json", "application/hal+json"))),
    ("weak ETag", "$.header.etag", |_, r| header(r, "etag", |v| format!("W/{v}"))),
    ("shorter ETag", "$.header.etag", |_, r| header(r, "etag", |v| format!("{}\"", &v[..17]))),
    ("trace without its version", "$.header.traceparent", |_, r| header(r, "traceparent", |v| v[3..].to_owned())),
    ("vary in another order", "$.header.vary", |_, r| set(r, "vary", &["Origin, Accept"])),
    ("links in another order", "$.header.link", |_, r| if let Some(v) = r.headers.get_mut("link") { v.reverse() }),
    ("one link less", "$.header.link", |_, r| if let Some(v) = r.headers.get_mut("link") { v.pop(); }),
    ("encoded", "$.header.content-encoding", |_, r| set(r, "content-encoding", &["identity"])),
    ("chunked", "$.header.transfer-encoding", |_, r| if r.headers.remove("content-length").is_some() { set(r, "transfer-encoding", &["chunked"]) }),
    ("timing in another unit", "$.header.server-timing", |_, r| header(r, "server-timing", |v| v.replace("db;dur=", "db;dur=0."))),
    // Order.
    ("list in another order", "$.body.items", |_, r| body(r, |t| if t.contains("\"page\":2") { swap_orders(&t) } else { t })),
    ("inner list in another order", "$.body", |_, r| body(r, |t| t.replace(r#"["b","a"]"#, r#"["a","b"]"#))),
    ("scalars in another order", "$.body.roles", |_, r| body(r, |t| t.replace(r#"["admin","user"]"#, r#"["user","admin"]"#))),
    ("keys in another order", "$.body", |_, r| body(r, |t| t.replace(r#""login":"ann","roles":["admin","user"]"#, r#""roles":["admin","user"],"login":"ann""#))),
    ("events newest first", "$.body.events", |_, r| body(r, reverse_events)),
    // Formats.
    ("date with an offset", "$.body", |_, r| body(r, |t| t.replace("2020-01-02T03:04:05Z", "2020-01-02T03:04:05+00:00"))),
    ("noisy date without a fraction", "$.body", |_, r| body(r, |t| regex(r"(:[0-9][0-9])\.[0-9]{6}Z", &t, "${1}Z"))),
    ("noisy date in milliseconds", "$.body", |_, r| body(r, |t| regex(r"(:[0-9][0-9]\.[0-9]{3})[0-9]{3}Z", &t, "${1}Z"))),
    ("noisy date with a blank", "$.body", |_, r| body(r, |t| regex(r"([0-9])T([0-9])", &t, "$1 $2"))),
    ("epoch in milliseconds", "$.body", |_, r| body(r, |t| regex(r#""seen":([0-9]+)"#, &t, r#""seen":${1}000"#))),
    ("number as text", "$.body", |_, r| body(r, |t| t.replace(r#""count":3"#, r#""count":"3""#))),
    ("noisy number as text", "$.body", |_, r| body(r, |t| regex(r#""latency":([0-9.]+)"#, &t, r#""latency":"$1""#))),
    ("text as number", "$.body", |_, r| body(r, |t| t.replace(r#""12.50""#, "12.50"))),
    ("decimals lost", "$.body", |_, r| body(r, |t| t.replace(r#""12.50""#, r#""12.5""#))),
    ("whole number with a fraction", "$.body", |_, r| body(r, |t| t.replace(r#""count":3"#, r#""count":3.0"#))),
    ("uuid without hyphens", "$.body", |_, r| body(r, |t| regex(r"([0-9a-f]{8})-([0-9a-f]{4})-([0-9a-f]{4})-([0-9a-f]{4})-([0-9a-f]{12})", &t, "$1$2$3$4$5"))),
    ("uuid in upper case", "$.body", |_, r| body(r, |t| regex::Regex::new(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}").unwrap().replace_all(&t, |c: &regex::Captures<'_>| c[0].to_uppercase()).into_owned())),
    ("reference without padding", "$.body", |_, r| body(r, |t| regex(r"ORD-[0-9]+", &t, "ORD7"))),
    ("enumeration in upper case", "$.body", |_, r| body(r, |t| t.replace("\"open\"", "\"OPEN\""))),
    ("boolean as number", "$.body", |_, r| body(r, |t| t.replace(r#""paid":false"#, r#""paid":0"#))),
    ("key in camel case", "$.body.expires", |_, r| body(r, |t| t.replace("expires_in", "expiresIn"))),
    ("escaped letters", "$.body", |_, r| body(r, |t| t.replace('ë', "\\u00eb"))),
    ("trailing newline", "$.body", |_, r| if is_json(r) { body(r, |t| t + "\n") }),
    ("blanks after colons", "$.body", |_, r| if is_json(r) { body(r, |t| t.replace("\":", "\": ")) }),
    // Shape.
    ("field removed", "$.body", |_, r| body(r, |t| t.replace(r#""paid":false,"#, ""))),
    ("field added", "$.body", |_, r| body(r, |t| t.replace(r#""paid":false"#, r#""paid":false,"late":false"#))),
    ("null gone", "$.body", |_, r| body(r, |t| t.replace(r#""note":null,"#, ""))),
    ("null became a text", "$.body", |_, r| body(r, |t| t.replace(r#""note":null"#, r#""note":"""#))),
    ("object flattened", "$.body", |_, r| body(r, |t| t.replace(r#"{"name":"Zoë","mail":"z@x.example"}"#, r#""Zoë""#))),
    ("list for one", "$.body", |_, r| body(r, |t| t.replace(r#"["b","a"]"#, r#""b,a""#))),
    ("wrapped", "$.body", |op, r| if op == "GET /tags" { body(r, |t| format!("{{\"tags\":{t}}}")) }),
    ("another value", "$.body", |_, r| body(r, |t| t.replace("z@x.example", "zoe@x.example"))),
    ("page too short", "$.body.items", |op, r| if op == "GET /orders?page=2" { body(r, drop_order) }),
    ("one tag less", "$.body", |_, r| body(r, |t| t.replace("\"red\",", "").replace(",\"red\"", ""))),
    ("field of an element of noise removed", "$.body.events[].kind", |_, r| body(r, |t| t.replace(",\"kind\":\"tick\"", ""))),
    ("no events", "$.body.events", |op, r| if op == "GET /events" { body(r, |_| r#"{"events":[]}"#.to_owned()) }),
    // Status and errors.
    ("204 for 200", "$.status", |op, r| if op == "GET /me" { r.status = 204; r.body.clear(); }),
    ("200 for 201", "$.status", |op, r| if op == "POST /orders" { r.status = 200; }),
    ("200 for 204", "$.status", |op, r| if op == "DELETE /orders/1" { r.status = 200; }),
    ("400 for 404", "$.status", |_, r| if r.status == 404 { r.status = 400; }),
    ("500", "$.status", |op, r| if op == "GET /orders/2" { r.status = 500; }),
    ("301 for 302", "$.status", |_, r| if r.status == 302 { r.status = 301; }),
    ("redirected elsewhere", "$.header.location", |_, r| header(r, "location", |_| "/v2/orders".to_owned())),
    ("redirected by a full address", "$.header.location", |_, r| header(r, "location", |v| format!("http://127.0.0.1{v}"))),
    ("error of another shape", "$.body", |_, r| if r.status == 404 { body(r, |_| r#"{"detail":"no such order"}"#.to_owned()) }),
    ("error of another code", "$.body.error.code", |_, r| body(r, |t| t.replace("not_found", "NOT_FOUND"))),
    ("error of another text", "$.body.error.message", |_, r| body(r, |t| t.replace("no such order", "order not found"))),
    ("error as text", "$.body", |_, r| if r.status == 404 { body(r, |_| "no such order".to_owned()) }),
    ("error trace of another kind", "$.body.error.trace", |_, r| body(r, |t| regex("\"trace\":\"([0-9a-f]{4})", &t, "\"trace\":\"$1-"))),
    ("page title", "$.body", |_, r| body(r, |t| t.replace("Shop", "Store"))),
    ("page of another unit", "$.body", |_, r| body(r, |t| t.replace(" s</p>", " ms</p>"))),
];

fn swap_orders(text: &str) -> String {
    let (head, rest) = text.split_once("[{").unwrap();
    let (items, tail) = rest.split_once("}],\"page\"").unwrap();
    let (one, two) = items.split_once("}},{").unwrap();
    // The last element's own closing brace went with the list's.
    format!("{head}[{{{two}}},{{{one}}}}}],\"page\"{tail}")
}

fn drop_order(text: String) -> String {
    let (head, rest) = text.split_once("[{").unwrap();
    let (items, tail) = rest.split_once("}],\"page\"").unwrap();
    let (one, _) = items.split_once("}},{").unwrap();
    format!("{head}[{{{one}}}}}],\"page\"{tail}")
}

fn reverse_events(text: String) -> String {
    let Some(inner) = text
        .strip_prefix("{\"events\":[")
        .and_then(|rest| rest.strip_suffix("]}"))
    else {
        return text;
    };
    let mut events: Vec<&str> = inner.split("},").collect();
    let last = events.pop().unwrap().trim_end_matches('}').to_owned();
    events.push(&last);
    events.reverse();
    format!("{{\"events\":[{}}}]}}", events.join("},"))
}
