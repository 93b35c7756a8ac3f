//! What a failed step's output says about why. Only ever a reason to try again or to say more, never
//! a verdict: the output is untrusted. Pure.

use holdpoint_schemas::evidence::StepEnd;

use crate::proxy::ProxyReport;
use crate::sandbox::StepOutcome;

/// What package managers say when the network, or a registry, failed: errno names (npm, pnpm, yarn), the
/// words of libc's resolver, curl (cargo, git), urllib3 (pip), Go and Java, and answers worth another try.
const NETWORK: [&str; 18] = [
    "econnreset",
    "econnrefused",
    "etimedout",
    "eai_again",
    "err_socket_timeout",
    "connection reset",
    "connection refused",
    "connection timed out",
    "read timed out",
    "temporary failure in name resolution",
    "spurious network error",
    "unexpected eof while reading",
    "tls handshake timeout",
    "i/o timeout",
    "429 too many requests",
    "502 bad gateway",
    "503 service unavailable",
    "504 gateway time-out",
];
/// What programs say when they wanted an answer and their input had ended.
const NO_INPUT: [&str; 8] = [
    "eoferror",
    "eof when reading a line",
    "no input was given",
    "aborted by user (eof)",
    "not a tty",
    "not a terminal",
    "could not read username for",
    "stdin is not",
];
/// What installers say when all that there is of a package is code that they may not run: pip and uv.
const NO_BINARY: [&str; 3] = [
    "no matching distribution found",
    "marked as `--no-build`",
    "building source distributions is disabled",
];
/// How the last line of a question ends.
const QUESTIONS: [&str; 6] = ["[y/n]", "(y/n)", "[yes/no]", "(yes/no)", "password:", "username:"];

/// Whether a failed `prepare` is worth another try.
pub(super) fn is_networks(outcome: &StepOutcome, report: &ProxyReport) -> bool {
    if !matches!(outcome.end, StepEnd::Exited { .. }) {
        return false;
    }
    // A refusal is one for every try, whatever the client takes it for.
    let refused = !report.refused.is_empty();
    report.faults > 0 || !refused && says_any(&outcome.tail, &NETWORK)
}

/// Whether a package could be missing because packages may not run code.
pub(super) fn needs_scripts(tail: &str) -> bool {
    says_any(tail, &NO_BINARY)
}

/// Whether a failed step seems to have asked for input.
pub(super) fn asks_for_input(tail: &str) -> bool {
    let question = tail
        .lines()
        .rev()
        .find(|line| !line.trim().is_empty())
        .is_some_and(|line| {
            let line = line.trim().trim_end_matches([':', '?', ' ']).to_ascii_lowercase();
            QUESTIONS
                .iter()
                .any(|question| line.ends_with(question.trim_end_matches(':')))
        });
    question || says_any(tail, &NO_INPUT)
}

fn says_any(tail: &str, words: &[&str]) -> bool {
    let tail = tail.to_ascii_lowercase();
    words.iter().any(|word| tail.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(end: StepEnd, tail: &str) -> StepOutcome {
        StepOutcome {
            end,
            millis: 1,
            tail: tail.to_owned(),
            captured: Vec::new(),
            capture_cut: false,
        }
    }

    #[test]
    fn faults_of_the_network_are_told_from_those_of_the_fix() {
        let red = |tail| outcome(StepEnd::Exited { code: 1 }, tail);
        let quiet = ProxyReport::default();
        for tail in [
            "npm error code ECONNRESET",
            "ReadTimeoutError: Read timed out.",
            "warning: spurious network error (3 tries remaining)",
        ] {
            assert!(is_networks(&red(tail), &quiet), "{tail}");
        }
        for tail in [
            "ERROR: No matching distribution found for x==9",
            "npm error code E404",
            "npm error `npm ci` can only install packages when your package.json and package-lock.json are in sync",
        ] {
            assert!(!is_networks(&red(tail), &quiet), "{tail}");
        }
        let refused = ProxyReport {
            refused: [("x".to_owned(), "not listed".to_owned())].into(),
            ..ProxyReport::default()
        };
        assert!(!is_networks(&red("npm error code ECONNRESET"), &refused));
        let faulty = ProxyReport {
            faults: 1,
            ..ProxyReport::default()
        };
        assert!(is_networks(&red(""), &faulty));
        assert!(!is_networks(&outcome(StepEnd::OutOfMemory, "ECONNRESET"), &faulty));
    }

    #[test]
    fn a_step_that_asks_is_recognised() {
        for tail in [
            "EOFError: EOF when reading a line\n",
            "Overwrite config? [y/N] \n",
            "Continue (yes/no)?\n\n",
            "Username: ",
            "fatal: could not read Username for 'https://x'",
        ] {
            assert!(asks_for_input(tail), "{tail}");
        }
        for tail in [
            "",
            "error: expected `;`\n",
            "3 tests failed\n",
            "[y/N] n\nbuild failed\n",
        ] {
            assert!(!asks_for_input(tail), "{tail}");
        }
    }
}
