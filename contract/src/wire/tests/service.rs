//! A service with state, noise of many kinds and a seeded change.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::mutations::Change;
use crate::wire::{Reply, Response, Transcript, operation};

const REQUESTS: [(&str, &str); 14] = [
    ("POST", "/login"),
    ("GET", "/me"),
    ("GET", "/orders"),
    ("GET", "/orders?page=2"),
    ("GET", "/orders/1"),
    ("GET", "/orders/2"),
    ("POST", "/orders"),
    ("GET", "/orders/99"),
    ("GET", "/tags"),
    ("GET", "/events"),
    ("GET", "/old"),
    ("GET", "/page"),
    ("DELETE", "/orders/1"),
    ("GET", "/stats"),
];

pub(super) fn operations() -> Vec<String> {
    REQUESTS
        .iter()
        .map(|(method, path)| operation(method, path.split('?').next().unwrap()))
        .collect()
}

pub(super) struct Service {
    pub(super) seed: u64,
    pub(super) now: i64,
    pub(super) change: Option<Change>,
}

/// SplitMix64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn below(&mut self, n: u64) -> u64 {
        self.next() % n
    }

    fn hex(&mut self, digits: usize) -> String {
        let mut text = String::new();
        while text.len() < digits {
            write!(text, "{:016x}", self.next()).unwrap();
        }
        text.truncate(digits);
        text
    }

    fn uuid(&mut self) -> String {
        let h = self.hex(32);
        format!("{}-{}-4{}-a{}-{}", &h[..8], &h[8..12], &h[13..16], &h[17..20], &h[20..])
    }
}

fn rfc3339(seconds: i64, micros: u64) -> String {
    let timestamp = jiff::Timestamp::from_second(seconds).unwrap();
    format!("{}.{micros:06}Z", timestamp.strftime("%Y-%m-%dT%H:%M:%S"))
}

fn http_date(seconds: i64) -> String {
    let timestamp = jiff::Timestamp::from_second(seconds).unwrap();
    timestamp.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

impl Service {
    pub(super) fn transcript(&self) -> Transcript {
        let mut random = Random(self.seed);
        let answers = REQUESTS.iter().enumerate().map(|(at, (method, path))| {
            let mut response = self.answer(method, path, at, &mut random);
            if let Some(change) = self.change {
                change(&format!("{method} {path}"), &mut response);
            }
            Reply::Response(response)
        });
        answers.collect()
    }

    fn answer(&self, method: &str, path: &str, at: usize, random: &mut Random) -> Response {
        let (status, body) = self.body(method, path, at, random);
        let mut headers: BTreeMap<String, Vec<String>> = BTreeMap::new();
        let mut set = |name: &str, values: &[&str]| {
            headers.insert(name.to_owned(), values.iter().map(|v| (*v).to_owned()).collect());
        };
        set("date", &[&http_date(self.now)]);
        set("content-type", &["application/json; charset=utf-8"]);
        set("x-request-id", &[&random.uuid()]);
        set(
            "traceparent",
            &[&format!("00-{}-{}-01", random.hex(32), random.hex(16))],
        );
        set(
            "server-timing",
            &[&format!("db;dur={}.{}", random.below(90) + 10, random.below(10))],
        );
        set(
            "x-node",
            &[["blue", "green", "red"][usize::try_from(random.below(3)).unwrap()]],
        );
        set("cache-control", &["no-store, max-age=0"]);
        set("vary", &["Accept, Origin"]);
        set("access-control-allow-origin", &["https://shop.example"]);
        set("strict-transport-security", &["max-age=31536000; includeSubDomains"]);
        set(
            "link",
            &["</orders?page=1>; rel=\"first\"", "</orders?page=9>; rel=\"last\""],
        );
        match path {
            "/login" => set(
                "set-cookie",
                &[
                    &format!(
                        "sid={}; Path=/; HttpOnly; Secure; SameSite=Lax; Expires={}",
                        random.hex(40),
                        http_date(self.now + 3_600)
                    ),
                    "theme=dark; Path=/; Max-Age=86400",
                ],
            ),
            "/old" => set("location", &["/orders"]),
            "/page" => set("content-type", &["text/html; charset=utf-8"]),
            "/orders" if method == "GET" => set("etag", &[&format!("\"{}\"", random.hex(32))]),
            _ => {}
        }
        if !body.is_empty() {
            set("content-length", &[&body.len().to_string()]);
        }
        Response {
            status,
            headers,
            body: body.into_bytes(),
        }
    }

    fn order(&self, id: u64, random: &mut Random) -> String {
        format!(
            r#"{{"id":{id},"ref":"ORD-{:06}","uuid":"{}","state":"open","total":"12.50","weight":1.5,"count":3,"paid":false,"note":null,"created":"2020-01-02T03:04:05Z","updated":"{}","seen":{},"latency":{:.3},"tags":["b","a"],"customer":{{"name":"Zoë","mail":"z@x.example"}}}}"#,
            random.below(900_000) + 10 * id,
            random.uuid(),
            rfc3339(self.now, random.below(1_000_000)),
            self.now,
            0.001 * (1 + random.below(900)) as f64,
        )
    }

    fn body(&self, method: &str, path: &str, at: usize, random: &mut Random) -> (u16, String) {
        match (method, path) {
            ("POST", "/login") => (
                200,
                format!(
                    r#"{{"token":"s3cr3t{}","token_type":"Bearer","expires_in":3600,"expires_at":{}}}"#,
                    random.hex(40),
                    self.now + 3_600
                ),
            ),
            ("GET", "/me") => (
                200,
                r#"{"login":"ann","roles":["admin","user"],"quota":{"used":1,"limit":10}}"#.to_owned(),
            ),
            ("GET", "/orders") => {
                let orders: Vec<String> = [3, 1, 2].map(|id| self.order(id, random)).into();
                (
                    200,
                    format!(
                        r#"{{"items":[{}],"page":1,"pages":9,"request":{at}}}"#,
                        orders.join(",")
                    ),
                )
            }
            ("GET", "/orders?page=2") => {
                let orders: Vec<String> = [6, 5].map(|id| self.order(id, random)).into();
                (
                    200,
                    format!(
                        r#"{{"items":[{}],"page":2,"pages":9,"request":{at}}}"#,
                        orders.join(",")
                    ),
                )
            }
            ("GET", "/orders/1") => (200, self.order(1, random)),
            ("GET", "/orders/2") => (200, self.order(2, random)),
            ("POST", "/orders") => (201, self.order(1_000 + random.below(9_000), random)),
            ("GET", "/orders/99") => (
                404,
                format!(
                    r#"{{"error":{{"code":"not_found","message":"no such order","trace":"{}"}}}}"#,
                    random.hex(16)
                ),
            ),
            ("GET", "/tags") => {
                let mut tags = ["red", "green", "blue", "black", "white"];
                for at in (1..tags.len()).rev() {
                    tags.swap(at, usize::try_from(random.below(at as u64 + 1)).unwrap());
                }
                let tags: Vec<String> = tags.iter().map(|tag| format!("\"{tag}\"")).collect();
                (200, format!("[{}]", tags.join(",")))
            }
            ("GET", "/events") => {
                let mut time = self.now - 1_000;
                let count = 5 + random.below(3);
                let events: Vec<String> = (0..count)
                    .map(|_| {
                        time += 1 + i64::try_from(random.below(50)).unwrap();
                        let extra = if random.below(2) == 0 { ",\"retry\":true" } else { "" };
                        format!(
                            r#"{{"at":"{}","id":"{}","kind":"tick"{extra}}}"#,
                            rfc3339(time, 5),
                            random.uuid()
                        )
                    })
                    .collect();
                (200, format!(r#"{{"events":[{}]}}"#, events.join(",")))
            }
            ("GET", "/page") => (
                200,
                format!(
                    "<html>\n<title>Shop</title>\n<p>{} s</p>\n</html>\n",
                    random.below(90) + 10
                ),
            ),
            ("GET", "/stats") => (
                200,
                format!(
                    r#"{{"uptime":{:.2},"pid":{},"load":[0.{},1.{}],"ready":{},"today":"{}"}}"#,
                    random.below(9_000) as f64 / 100.0 + 0.01,
                    random.below(30_000),
                    random.below(9) + 1,
                    random.below(9) + 1,
                    random.below(2) == 0,
                    &rfc3339(self.now, 0)[..10],
                ),
            ),
            ("GET", "/old") => (302, String::new()),
            _ => (204, String::new()),
        }
    }
}
