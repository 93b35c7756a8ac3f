//! Settings: flat `name = value` lines, a small subset of TOML.

/// Settings of the service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Config {
    /// Most accounts in one answer.
    pub max_accounts_per_answer: usize,
    /// Whether error answers say what went wrong inside.
    pub verbose_errors: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            max_accounts_per_answer: 50,
            verbose_errors: false,
        }
    }
}

/// Reads settings; unknown names and odd values are refused with their line.
pub fn parse(text: &str) -> Result<Config, String> {
    let mut config = Config::default();
    for (index, line) in text.lines().enumerate() {
        let line = line.split('#').next().unwrap_or_default().trim();
        if line.is_empty() {
            continue;
        }
        let odd = || format!("line {}: can't read `{line}`", index + 1);
        let (name, value) = line.split_once('=').ok_or_else(odd)?;
        match name.trim() {
            "max_accounts_per_answer" => {
                config.max_accounts_per_answer = value.trim().parse().map_err(|_| odd())?;
            }
            "verbose_errors" => config.verbose_errors = value.trim().parse().map_err(|_| odd())?,
            _ => return Err(odd()),
        }
    }
    Ok(config)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_file_can_be_read() {
        let config = parse(include_str!("../config/accounts.toml")).unwrap();
        assert_eq!(config.max_accounts_per_answer, 50);
    }

    #[test]
    fn what_is_absent_is_the_default() {
        assert_eq!(parse("# nothing\n").unwrap(), Config::default());
    }

    #[test]
    fn unknown_names_and_odd_values_are_refused() {
        assert_eq!(
            parse("\nverbose = true").unwrap_err(),
            "line 2: can't read `verbose = true`"
        );
        assert!(parse("verbose_errors = yes").is_err());
        assert!(parse("verbose_errors").is_err());
    }
}
