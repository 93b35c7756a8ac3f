//! Just enough HTTP/1.1 for GET requests behind our own gateway.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use crate::config::Config;
use crate::store::{is_id, Store};

const MAX_HEAD: u64 = 8 * 1024;
const PATIENCE: Duration = Duration::from_secs(5);

/// A status and its JSON body.
#[derive(Debug, PartialEq, Eq)]
pub struct Answer {
    /// Status code.
    pub status: u16,
    /// JSON text.
    pub body: String,
}

/// Answers one request line, for example `GET /v1/accounts/acc-1001 HTTP/1.1`.
pub fn answer(config: &Config, store: &Store, request_line: &str) -> Answer {
    let mut words = request_line.split_ascii_whitespace();
    let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    if method != "GET" {
        return refuse(config, 405, "method not allowed", "http::answer knows only GET");
    }
    match path.trim_matches('/').split('/').collect::<Vec<_>>().as_slice() {
        ["healthz"] => Answer {
            status: 200,
            body: r#"{"status":"ok"}"#.to_owned(),
        },
        ["v1", "accounts"] => {
            let all: Vec<_> = store
                .list(config.max_accounts_per_answer)
                .map(|a| a.to_json())
                .collect();
            Answer {
                status: 200,
                body: format!(r#"{{"accounts":[{}]}}"#, all.join(",")),
            }
        }
        ["v1", "accounts", id] if is_id(id) => match store.find(id) {
            Some(account) => Answer {
                status: 200,
                body: account.to_json(),
            },
            None => refuse(config, 404, "no such account", "store::find returned nothing"),
        },
        _ => refuse(config, 404, "no such resource", "no route in http::answer"),
    }
}

fn refuse(config: &Config, status: u16, error: &str, detail: &str) -> Answer {
    let body = if config.verbose_errors {
        format!(r#"{{"error":"{error}","detail":"{detail}"}}"#)
    } else {
        format!(r#"{{"error":"{error}"}}"#)
    };
    Answer { status, body }
}

/// Serves one connection.
pub fn serve(config: &Config, store: &Store, stream: TcpStream) -> io::Result<()> {
    stream.set_read_timeout(Some(PATIENCE))?;
    let mut lines = BufReader::new((&stream).take(MAX_HEAD)).lines();
    let request_line = lines.next().transpose()?.unwrap_or_default();
    for line in lines {
        if line?.is_empty() {
            break;
        }
    }
    let answer = answer(config, store, &request_line);
    let reason = if answer.status == 200 { "OK" } else { "Refused" };
    write!(
        &stream,
        "HTTP/1.1 {} {reason}\r\nContent-Type: application/json\r\nX-Content-Type-Options: nosniff\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{}",
        answer.status,
        answer.body.len(),
        answer.body
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn get(config: &Config, path: &str) -> Answer {
        answer(config, &Store::demo(), &format!("GET {path} HTTP/1.1"))
    }

    #[test]
    fn an_account_is_found() {
        let answer = get(&Config::default(), "/v1/accounts/acc-1001");
        assert_eq!(answer.status, 200);
        assert!(answer.body.contains(r#""overdraft_minor":50000"#));
    }

    #[test]
    fn a_list_is_no_longer_than_the_settings_allow() {
        let config = Config {
            max_accounts_per_answer: 1,
            ..Config::default()
        };
        assert!(!get(&config, "/v1/accounts").body.contains("acc-1002"));
    }

    #[test]
    fn details_are_told_only_where_the_settings_say_so() {
        assert_eq!(
            get(&Config::default(), "/v1/accounts/acc-9").body,
            r#"{"error":"no such account"}"#
        );
        let verbose = Config {
            verbose_errors: true,
            ..Config::default()
        };
        assert!(get(&verbose, "/v1/accounts/acc-9").body.contains("detail"));
    }

    #[test]
    fn other_methods_and_odd_ids_are_refused() {
        assert_eq!(
            answer(&Config::default(), &Store::demo(), "POST /v1/accounts HTTP/1.1").status,
            405
        );
        assert_eq!(get(&Config::default(), "/v1/accounts/acc-1%22").status, 404);
        assert_eq!(answer(&Config::default(), &Store::demo(), "").status, 405);
    }
}
