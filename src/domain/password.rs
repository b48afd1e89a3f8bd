//! Passwords: which are good enough, and how they are kept from view.

use std::sync::LazyLock;

use super::problem::Problem;

/// The most common passwords of at least 8 characters, in lower case and sorted. Their source stands in `common_passwords.md`.
static COMMON: LazyLock<Vec<&str>> =
    LazyLock::new(|| include_str!("common_passwords.txt").lines().collect());

/// A password as it was typed; never shown or logged.
#[derive(Clone)]
pub struct Password(String);

impl Password {
    /// Parses a new password: 8 to 128 characters, and none of the most common ones in any case, as NIST SP 800-63B (3.1.1.2) asks for. It
    /// bids no character classes.
    ///
    /// # Errors
    /// `INVALID` when it breaks one of these rules.
    pub fn parse(field: &str, raw: String) -> Result<Self, Problem> {
        let length = if raw.len() > 512 {
            usize::MAX
        } else {
            raw.chars().count()
        };
        if !(8..=128).contains(&length) {
            return Err(Problem::invalid(
                field,
                "A password has between 8 and 128 characters.",
            ));
        }
        if COMMON.binary_search(&raw.to_lowercase().as_str()).is_ok() {
            return Err(Problem::invalid(
                field,
                "This password is among the first that are guessed; choose another.",
            ));
        }
        Ok(Self(raw))
    }

    /// Whether it is one of the `hints`, or what stands before the `@` of one, in any case: what is known of its owner is guessed as soon as
    /// the most common passwords are.
    #[must_use]
    pub fn is_like(&self, hints: &[&str]) -> bool {
        let password = self.0.to_lowercase();
        hints.iter().any(|hint| {
            let hint = hint.to_lowercase();
            let local = hint.split_once('@').map(|(local, _)| local);
            password == hint || Some(password.as_str()) == local
        })
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

    #[test]
    fn what_is_guessed_first_is_no_password_in_any_case() {
        for common in ["password", "PassWord1", "12345678", "QWERTYUIOP"] {
            let message = parsed(common).unwrap_err().message;
            assert!(message.contains("guessed"), "{common}: {message}");
        }
        assert!(Password::typed("password".to_owned()).is_some());
    }

    #[test]
    fn the_list_of_common_passwords_is_one_that_can_be_searched() {
        assert_eq!(COMMON.len(), 8_354);
        assert!(COMMON.is_sorted_by(|one, next| one < next));
        for common in &*COMMON {
            assert!(common.chars().count() >= 8, "{common}");
            assert_eq!(*common, common.to_lowercase());
        }
    }

    #[test]
    fn a_password_is_like_a_name_or_the_local_part_of_an_address() {
        let password = parsed("Gus.Grissom").unwrap();
        for hint in ["gus.grissom", "GUS.GRISSOM@example.com", "gus.grissom@"] {
            assert!(password.is_like(&["somebody else", hint]), "{hint}");
        }
        for hint in ["", "@", "gus", "gus.grissom1", "example@gus.grissom"] {
            assert!(!password.is_like(&[hint]), "{hint}");
        }
        assert!(!password.is_like(&[]));
    }
}
