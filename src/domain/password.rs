//! Passwords: which are good enough, and how they are kept from view.

use super::problem::Problem;

/// A password as it was typed; never shown, logged or compared.
#[derive(Clone)]
pub struct Password(String);

impl Password {
    /// Parses a new password: 8 to 128 characters, as NIST SP 800-63B asks for at least 8 and bids no character classes.
    ///
    /// # Errors
    /// `INVALID` outside of those lengths.
    pub fn parse(field: &str, raw: String) -> Result<Self, Problem> {
        let length = if raw.len() > 512 {
            usize::MAX
        } else {
            raw.chars().count()
        };
        if (8..=128).contains(&length) {
            Ok(Self(raw))
        } else {
            Err(Problem::invalid(
                field,
                "A password has between 8 and 128 characters.",
            ))
        }
    }

    /// A password typed to sign in: whatever it is, it is compared; one over 512 bytes can be nobody's.
    #[must_use]
    pub fn typed(raw: String) -> Option<Self> {
        (raw.len() <= 512).then_some(Self(raw))
    }

    /// The password's bytes, for hashing.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl std::fmt::Debug for Password {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Password(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(raw: &str) -> Result<Password, Problem> {
        Password::parse("password", raw.to_owned())
    }

    #[test]
    fn a_password_never_shows_itself() {
        let password = parsed("correct horse").unwrap();
        assert_eq!(format!("{password:?}"), "Password(…)");
    }

    #[test]
    fn a_password_has_8_to_128_characters_of_any_kind() {
        for good in ["a b c d ", "übergröß", &"x".repeat(128)] {
            assert!(parsed(good).is_ok(), "{good}");
        }
        for bad in ["seven77", "größe", &"x".repeat(129), &"é".repeat(300)] {
            assert!(parsed(bad).is_err(), "{bad}");
        }
    }
}
