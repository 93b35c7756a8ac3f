//! LCOV tracefiles (geninfo(1), "Tracefile format"): `SF:` opens a file, `DA:line,hits[,digest]` is a line.

use super::Coverage;

pub(super) fn read(text: &str) -> Result<Coverage, String> {
    let mut coverage = Coverage::default();
    let mut file = None;
    for (number, line) in text.lines().enumerate() {
        if let Some(path) = line.strip_prefix("SF:") {
            file = Some(path.trim());
        } else if line.starts_with("end_of_record") {
            file = None;
        } else if let Some(data) = line.strip_prefix("DA:") {
            let parsed = data.split_once(',').and_then(|(line, rest)| {
                let hits = rest.split(',').next()?;
                Some((line.trim().parse().ok()?, !matches!(hits.trim(), "0" | "-" | "=====")))
            });
            let (Some((at, ran)), Some(path)) = (parsed, file) else {
                return Err(format!("line {} makes no sense", number + 1));
            };
            coverage.add(path, at, ran);
        }
    }
    Ok(coverage)
}
