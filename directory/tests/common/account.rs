//! The life of an account as a small model knows it: from the requirements, in a few lines.

pub const MINUTE: i64 = 60_000;

pub type Refusals = Vec<&'static str>;

#[derive(Debug, Clone, Default)]
pub struct Account {
    pub standing: &'static str,
    pub disabled: bool,
    /// The end of a lock in milliseconds; `i64::MAX`: until unlocked.
    pub lock: Option<i64>,
    pub failures: u32,
    pub last_failure: i64,
    pub locks: u32,
    pub force_change: bool,
    pub password: Option<usize>,
}

impl Account {
    pub fn state(&self, now: i64) -> &'static str {
        if self.disabled {
            "DISABLED"
        } else if self.locked(now) {
            "LOCKED"
        } else {
            self.standing
        }
    }

    pub fn locked(&self, now: i64) -> bool {
        self.lock.is_some_and(|until| now < until)
    }

    pub fn clear(&mut self) {
        (self.lock, self.failures, self.locks) = (None, 0, 0);
    }

    pub fn reinstate(&mut self) {
        self.clear();
        self.disabled = false;
        self.standing = "ENABLED";
    }

    /// Requirements §2.3 and §2.4: true when the login is admitted.
    pub fn login(&mut self, password: usize, now: i64) -> bool {
        if self.disabled || self.locked(now) {
            return false;
        }
        if self.password == Some(password) {
            if self.force_change {
                return false;
            }
            self.standing = "ACTIVE";
            self.clear();
            return true;
        }
        let anew = self.lock.take().is_some() || now - self.last_failure > 15 * MINUTE;
        self.failures = if anew { 1 } else { self.failures + 1 };
        self.last_failure = now;
        if self.failures > 5 {
            self.lock = Some(now + ((15 * MINUTE) << self.locks).min(24 * 60 * MINUTE));
            self.locks += 1;
        }
        false
    }

    /// The acts of administrators by number, but for deletion; what each may be refused with.
    pub fn act(&mut self, act: usize, now: i64) -> Refusals {
        let (locked, disabled) = (self.locked(now) && !self.disabled, self.disabled);
        let refuse = |unless: bool| if unless { Vec::new() } else { vec!["Unwilling"] };
        match act {
            0 => {
                let why = refuse(!disabled);
                self.disabled = true;
                why
            }
            1 => {
                let why = refuse(disabled);
                if disabled {
                    self.reinstate();
                }
                why
            }
            2 if locked => vec!["Password"],
            3 if locked => {
                self.reinstate();
                (self.password, self.force_change) = (Some(7), true);
                Vec::new()
            }
            2 | 3 => vec!["Unwilling"],
            4 => {
                let why = refuse(!disabled && self.lock != Some(i64::MAX));
                if why.is_empty() {
                    (self.lock, self.locks) = (Some(i64::MAX), 0);
                }
                why
            }
            5 => {
                let why = refuse(self.state(now) == "ACTIVE");
                self.force_change |= why.is_empty();
                why
            }
            6 => {
                self.disabled = true;
                Vec::new()
            }
            _ => {
                if disabled {
                    let lock = self.lock.filter(|until| now < *until);
                    self.reinstate();
                    self.lock = lock;
                }
                Vec::new()
            }
        }
    }
}
