//! The replay agent alone: for images that can't run the application's own binary (another libc), and
//! for tests. The spec comes on standard input, results go to standard output.

use std::io::Read as _;
use std::process::ExitCode;

fn main() -> ExitCode {
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
