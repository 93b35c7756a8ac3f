//! The accounts.

/// State of an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// In use.
    Open,
    /// Blocked by compliance.
    Frozen,
}

/// One account. Balances live in the ledger, not here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Id, `acc-` and digits.
    pub id: String,
    /// ISO 4217 code.
    pub currency: String,
    /// Overdraft limit in minor units.
    pub overdraft_minor: i64,
    /// State.
    pub status: Status,
}

impl Account {
    /// JSON of the account. Ids and currencies are checked on the way in, so nothing needs escaping.
    pub fn to_json(&self) -> String {
        let status = match self.status {
            Status::Open => "open",
            Status::Frozen => "frozen",
        };
        format!(
            r#"{{"id":"{}","currency":"{}","overdraft_minor":{},"status":"{status}"}}"#,
            self.id, self.currency, self.overdraft_minor
        )
    }
}

/// Whether a text is an account id.
pub fn is_id(text: &str) -> bool {
    text.strip_prefix("acc-")
        .is_some_and(|digits| (1..=12).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit()))
}

/// All accounts, by id.
#[derive(Debug, Default)]
pub struct Store {
    accounts: Vec<Account>,
}

impl Store {
    /// The accounts of the demo bank.
    pub fn demo() -> Self {
        let account = |number: u32, currency: &str, overdraft_minor, status| Account {
            id: format!("acc-{number}"),
            currency: currency.to_owned(),
            overdraft_minor,
            status,
        };
        Self {
            accounts: vec![
                account(1001, "EUR", 50_000, Status::Open),
                account(1002, "GBP", 0, Status::Open),
                account(1003, "EUR", 0, Status::Frozen),
            ],
        }
    }

    /// One account.
    pub fn find(&self, id: &str) -> Option<&Account> {
        self.accounts.iter().find(|account| account.id == id)
    }

    /// The first `most` accounts.
    pub fn list(&self, most: usize) -> impl Iterator<Item = &Account> {
        self.accounts.iter().take(most)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_acc_and_digits() {
        assert!(is_id("acc-1001"));
        for odd in ["acc-", "acc-1x", "1001", "acc-1234567890123", "acc-1\"}"] {
            assert!(!is_id(odd), "{odd}");
        }
    }

    #[test]
    fn a_frozen_account_says_so() {
        let json = Store::demo().find("acc-1003").unwrap().to_json();
        assert_eq!(
            json,
            r#"{"id":"acc-1003","currency":"EUR","overdraft_minor":0,"status":"frozen"}"#
        );
    }
}
