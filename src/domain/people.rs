//! People: names, mail addresses and roles.

use chrono::Duration;

use super::{
    ids::UserId,
    password::Password,
    problem::{Problem, Problems},
    text::{self, Lines},
};

/// The name of who has deleted the account.
pub const FORMER_MEMBER: &str = "Former member";

/// What a person may do in the marketplace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// Books and reviews.
    Guest,
    /// Lists and manages own properties as well.
    Host,
    /// Sees and moderates everything.
    Admin,
}

/// What a secret that was mailed may be used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MailedFor {
    /// Showing that a mail address is read.
    VerifyEmail,
    /// Choosing a new password.
    ResetPassword,
}

impl MailedFor {
    /// How long it is good.
    #[must_use]
    pub const fn good_for(self) -> Duration {
        match self {
            Self::VerifyEmail => Duration::hours(24),
            Self::ResetPassword => Duration::minutes(30),
        }
    }
}

/// A mail address: trimmed, in lower case, with one `@` and something on both sides.
///
/// Whether mail arrives there is proven by sending some, so the check is of the shape alone (RFC 5321: at most 254 octets).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Email(String);

impl Email {
    /// Parses an address.
    ///
    /// # Errors
    /// `REQUIRED` when empty, `INVALID` when it has not the shape of a mail address.
    pub fn parse(field: &str, raw: &str) -> Result<Self, Problem> {
        let address = text::parse(field, raw, 1..=254, Lines::One)?.to_lowercase();
        let shape = address.split_once('@').is_some_and(|(local, domain)| {
            (1..=64).contains(&local.len())
                && !domain.contains('@')
                && domain.split('.').count() >= 2
                && domain.split('.').all(|label| {
                    !label.is_empty() && label.chars().all(|c| c.is_alphanumeric() || c == '-')
                })
        });
        if !shape
            || address.len() > 254
            || address
                .chars()
                .any(|c| c.is_whitespace() || "<>(),;:\\\"[]".contains(c))
        {
            return Err(Problem::invalid(
                field,
                "Give a mail address such as name@example.com.",
            ));
        }
        Ok(Self(address))
    }

    /// What stands in the place of the address of who has deleted the account. No two have the same; no mail arrives there (RFC 2606 keeps
    /// `.invalid` for that); and it is none that [`Self::parse`] takes, so that nobody signs up or is found by it.
    #[must_use]
    pub fn of_nobody(id: UserId) -> Self {
        Self(format!("erased-{id}@.invalid"))
    }

    /// The address in lower case.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Everything a new account needs, checked.
#[derive(Debug, Clone)]
pub struct NewPerson {
    /// The name shown to everyone.
    pub full_name: String,
    /// Where mail goes, and what one signs in with.
    pub email: Email,
    /// The chosen password.
    pub password: Password,
    /// GUEST or HOST.
    pub role: Role,
}

impl NewPerson {
    /// Parses a sign-up.
    ///
    /// # Errors
    /// Every mistake in it; asking for ADMIN is one, as admins are made on the command line alone.
    pub fn parse(
        full_name: &str,
        email: &str,
        password: String,
        role: Role,
    ) -> Result<Self, Vec<Problem>> {
        let mut problems = Problems::default();
        let full_name = problems.take(text::parse("fullName", full_name, 1..=100, Lines::One));
        let email = problems.take(Email::parse("email", email));
        let password = problems.take(Password::parse("password", password));
        let known = [full_name.as_deref(), email.as_ref().map(Email::as_str)];
        let known: Vec<_> = known.into_iter().flatten().collect();
        if password.as_ref().is_some_and(|new| new.is_like(&known)) {
            problems.add(Problem::invalid(
                "password",
                "A password is not one's own name or mail address.",
            ));
        }
        if role == Role::Admin {
            problems.add(Problem::invalid("role", "Sign up as GUEST or as HOST."));
        }
        problems.finish(|| {
            Some(Self {
                full_name: full_name?,
                email: email?,
                password: password?,
                role,
            })
        })
    }
}

/// What is to be changed of an account, checked.
#[derive(Clone)]
pub struct ProfileChange {
    /// The name shown to everyone.
    pub full_name: Option<String>,
    /// Where mail goes, and what one signs in with.
    pub email: Option<Email>,
    /// The current password, as it was typed.
    pub current_password: Option<String>,
}

impl ProfileChange {
    /// Parses a change.
    ///
    /// # Errors
    /// Every mistake in it.
    pub fn parse(
        full_name: Option<&str>,
        email: Option<&str>,
        current_password: Option<String>,
    ) -> Result<Self, Vec<Problem>> {
        let mut problems = Problems::default();
        let name = |raw| text::parse("fullName", raw, 1..=100, Lines::One);
        let full_name = problems.take(full_name.map(name).transpose());
        let email = problems.take(email.map(|raw| Email::parse("email", raw)).transpose());
        problems.finish(|| {
            Some(Self {
                full_name: full_name?,
                email: email?,
                current_password,
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::problem::ProblemCode;

    #[test]
    fn a_mail_address_has_a_name_and_a_domain() {
        assert_eq!(
            Email::parse("email", " Ann@Example.COM ")
                .map(|e| e.0)
                .as_deref(),
            Ok("ann@example.com")
        );
        for bad in [
            "",
            "ann",
            "ann@",
            "@example.com",
            "ann@example",
            "a b@example.com",
            "a@b@example.com",
            "a\u{7}@example.com",
            "a@exa..mple.com",
        ] {
            assert!(
                Email::parse("email", bad).is_err(),
                "{bad:?} was taken for a mail address"
            );
        }
    }

    #[test]
    fn nobody_signs_up_with_the_address_of_who_has_gone() {
        let Email(gone) = Email::of_nobody(UserId(7));
        assert_ne!(gone, Email::of_nobody(UserId(8)).0);
        assert!(Email::parse("email", &gone).is_err());
    }

    #[test]
    fn every_mistake_of_a_sign_up_is_named_at_once() {
        let problems = NewPerson::parse("", "nobody", "short".into(), Role::Admin).unwrap_err();
        let fields: Vec<_> = problems.iter().map(|p| p.field.join(".")).collect();
        assert_eq!(fields, ["fullName", "email", "password", "role"]);
    }

    #[test]
    fn a_password_is_not_what_everyone_knows_of_its_owner() {
        for password in ["Gus Grissom", "gus.grissom", "GUS.GRISSOM@example.com"] {
            let person = NewPerson::parse(
                "Gus Grissom",
                "gus.grissom@example.com",
                password.into(),
                Role::Guest,
            );
            let problems = person.unwrap_err();
            assert_eq!(problems.len(), 1, "{password}");
            assert_eq!(problems[0].field, ["password"]);
            assert_eq!(problems[0].code, ProblemCode::Invalid);
        }
    }
}
