//! The agent alone: for images that can't run the application's own binary (another libc), and for
//! tests. `relay COMMAND` runs a shell command behind the relay of the proxy. With anything else, or
//! nothing, it replays: the spec comes on standard input, results go to standard output.

use std::io::Read as _;
use std::process::ExitCode;

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    if arguments.next().as_deref() == Some("relay") {
        return relay(arguments.next());
    }
    let mut spec = String::new();
    let replayed = match std::io::stdin().read_to_string(&mut spec) {
        Ok(_) => holdpoint_runner::agent::replay(&spec, &mut std::io::stdout().lock()),
        Err(error) => Err(error.into()),
    };
    match replayed {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("replay agent: {error}");
            ExitCode::FAILURE
        }
    }
}

fn relay(command: Option<String>) -> ExitCode {
    let Some(command) = command else {
        eprintln!("relay: no command");
        return ExitCode::FAILURE;
    };
    match holdpoint_runner::agent::relay::relay(&command) {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            eprintln!("relay: {error}");
            ExitCode::FAILURE
        }
    }
}
