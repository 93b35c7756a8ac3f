//! Go's cover profiles: `example.org/a/x.go:10.13,12.2 1 1` is a block with its number of statements and
//! its count (`go doc cmd/cover`, package `golang.org/x/tools/cover`).

use super::Coverage;

/// Lines of one block: longer ones are an attack on the reader.
const MAX_BLOCK: u32 = 100_000;

pub(super) fn read(text: &str) -> Result<Coverage, String> {
    let mut coverage = Coverage::default();
    for (number, line) in text
        .lines()
        .enumerate()
        .skip(1)
        .filter(|(_, line)| !line.trim().is_empty())
    {
        let (path, from, to, count) = block(line).ok_or_else(|| format!("line {} makes no sense", number + 1))?;
        for at in from..=to.min(from.saturating_add(MAX_BLOCK)) {
            coverage.add(path, at, count > 0);
        }
    }
    Ok(coverage)
}

fn block(line: &str) -> Option<(&str, u32, u32, u64)> {
    let (path, rest) = line.rsplit_once(':')?;
    let mut words = rest.split_whitespace();
    let (start, end) = words.next()?.split_once(',')?;
    let row = |place: &str| place.split('.').next()?.parse().ok();
    let count = words.nth(1)?.parse().ok()?;
    Some((path, row(start)?, row(end)?, count))
}
