//! `accounts --port PORT --config FILE`

mod config;
mod http;
mod store;

use std::net::{Ipv4Addr, TcpListener};
use std::process::ExitCode;
use std::sync::Arc;

fn main() -> ExitCode {
    match run(std::env::args().skip(1)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("accounts: {problem}");
            ExitCode::FAILURE
        }
    }
}

fn run(mut arguments: impl Iterator<Item = String>) -> Result<(), String> {
    let (mut port, mut config) = (8082, config::Config::default());
    while let Some(name) = arguments.next() {
        let value = arguments.next().ok_or_else(|| format!("`{name}` needs a value"))?;
        match name.as_str() {
            "--port" => port = value.parse::<u16>().map_err(|_| format!("`{value}` is not a port"))?,
            "--config" => {
                let text = std::fs::read_to_string(&value).map_err(|e| format!("{value}: {e}"))?;
                config = config::parse(&text).map_err(|e| format!("{value}: {e}"))?;
            }
            _ => return Err(format!("unknown option `{name}`")),
        }
    }
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).map_err(|e| e.to_string())?;
    let store = Arc::new(store::Store::demo());
    for stream in listener.incoming().flatten() {
        let store = Arc::clone(&store);
        std::thread::spawn(move || http::serve(&config, &store, stream));
    }
    Ok(())
}
