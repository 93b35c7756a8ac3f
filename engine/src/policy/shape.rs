//! Bounds on the shape of policy text, checked before it is parsed.

/// Longest policy file, in bytes. A person's policy is a few hundred.
const MAX_FILE_BYTES: usize = 1 << 20;
/// Deepest nesting of brackets: a person's policy has about five. Cedar's parser recurses, with some
/// 40 KB of stack for each level in a debug build.
const MAX_NESTING: usize = 32;
/// Most operator characters of one policy: chains such as `a && b && …` nest in the syntax tree too.
const MAX_OPERATORS: usize = 2_000;
/// Stack that is enough for the deepest policy that these bounds let through.
pub(crate) const STACK_BYTES: usize = 64 << 20;

/// Does `work` with a stack that is enough for the deepest policy: Cedar's printer, validator and
/// evaluator recurse as its parser does. A thread that has that much already keeps its own.
pub(crate) fn with_stack<R>(work: impl FnOnce() -> R) -> R {
    stacker::maybe_grow(STACK_BYTES / 2, STACK_BYTES, work)
}

/// What is too much, and at which byte.
pub(super) struct TooMuch {
    pub(super) offset: usize,
    pub(super) message: String,
}

/// Checks a file's size, and the nesting and length of each policy's conditions.
///
/// # Errors
/// The first thing that is too much.
pub(super) fn check(text: &str) -> Result<(), TooMuch> {
    if text.len() > MAX_FILE_BYTES {
        return Err(TooMuch {
            offset: 0,
            message: format!("{} bytes, expected at most {MAX_FILE_BYTES}", text.len()),
        });
    }
    let mut depth = 0_usize;
    let mut operators = 0_usize;
    let mut bytes = text.bytes().enumerate().peekable();
    while let Some((offset, byte)) = bytes.next() {
        match byte {
            b'"' => skip_string(&mut bytes),
            b'/' if bytes.peek().is_some_and(|(_, next)| *next == b'/') => {
                bytes.by_ref().find(|(_, byte)| *byte == b'\n');
            }
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth = depth.saturating_sub(1),
            b';' => (depth, operators) = (0, 0),
            // `if … then … else if …` is a chain without an operator.
            b'f' if ends_an_if(text, offset) => operators += 1,
            b'&' | b'|' | b'.' | b'+' | b'-' | b'*' | b'!' | b'=' | b'<' | b'>' => operators += 1,
            _ => {}
        }
        let message = if depth > MAX_NESTING {
            format!("brackets nested deeper than {MAX_NESTING}")
        } else if operators > MAX_OPERATORS {
            format!("more than {MAX_OPERATORS} operators in one policy")
        } else {
            continue;
        };
        return Err(TooMuch { offset, message });
    }
    Ok(())
}

/// Goes on behind the string whose opening quote was read.
pub(super) fn skip_string(bytes: &mut impl Iterator<Item = (usize, u8)>) {
    while let Some((_, byte)) = bytes.next() {
        match byte {
            b'\\' => drop(bytes.next()),
            b'"' => break,
            _ => {}
        }
    }
}

fn ends_an_if(text: &str, offset: usize) -> bool {
    text.as_bytes().get(offset.wrapping_sub(1)) == Some(&b'i')
}
