//! Who is in the demo.

use chrono::{DateTime, Duration, Utc};

use super::{
    catalogue::{CITIES, GUESTS, place_of},
    listed_before,
};
use crate::{
    cli::seed::{bulk::Keys, rows::Rows},
    domain::{ids::UserId, people::Role},
    entity::user,
};

/// The name of guest@example.com.
const DEMO_GUEST: &str = "Elena Marchetti";
/// The name of admin@example.com.
const DEMO_ADMIN: &str = "Samuel Lindqvist";

/// Everybody's key.
pub(super) struct Cast {
    /// guest@example.com.
    pub(super) guest: UserId,
    /// host@example.com.
    pub(super) host: UserId,
    /// The hosts of each city, in the catalogue's order.
    pub(super) hosts: Vec<Vec<UserId>>,
    /// The other guests, and since when they have been there.
    pub(super) guests: Vec<(UserId, DateTime<Utc>)>,
}

/// What somebody is in the demo.
#[derive(Clone, Copy)]
enum Part {
    Admin,
    DemoGuest,
    Guest,
    Host { city: usize },
}

/// Adds everybody, those who joined first in front. A host joined just before the first of their homes was listed.
pub(super) fn cast(rows: &mut Rows, password_hash: &str, now: DateTime<Utc>, keys: Keys) -> Cast {
    let mut people = vec![
        (now - Duration::days(729), DEMO_ADMIN, Part::Admin),
        (now - Duration::days(480), DEMO_GUEST, Part::DemoGuest),
    ];
    for (city, entry) in CITIES.iter().enumerate() {
        for (place, name) in entry.hosts.iter().enumerate() {
            let first = place_of(city, place);
            let joined = now - listed_before(first) - Duration::hours(41);
            people.push((joined, name, Part::Host { city }));
        }
    }
    for (hours, name) in (0..).map(|place| 717 * 24 - 661 * place).zip(GUESTS) {
        people.push((now - Duration::hours(hours), name, Part::Guest));
    }
    // Stable: the hosts of one city stay in their order.
    people.sort_by_key(|(joined, ..)| *joined);

    let mut cast = Cast {
        guest: UserId(0),
        host: UserId(0),
        hosts: vec![Vec::new(); CITIES.len()],
        guests: Vec::new(),
    };
    for (key, (created_at, full_name, part)) in (keys.user + 1..).zip(people) {
        let user_id = UserId(key);
        let (role, email) = match part {
            Part::Admin => (Role::Admin, "admin@example.com".to_owned()),
            Part::DemoGuest => {
                cast.guest = user_id;
                (Role::Guest, "guest@example.com".to_owned())
            }
            Part::Guest => {
                cast.guests.push((user_id, created_at));
                (Role::Guest, email_of(full_name))
            }
            Part::Host { city } => {
                let first = city == 0 && cast.hosts[city].is_empty();
                cast.hosts[city].push(user_id);
                if first {
                    cast.host = user_id;
                    (Role::Host, "host@example.com".to_owned())
                } else {
                    (Role::Host, email_of(full_name))
                }
            }
        };
        rows.users.push(user::Model {
            user_id,
            full_name: full_name.to_owned(),
            email,
            password_hash: password_hash.to_owned(),
            role,
            created_at,
            email_verified_at: Some(created_at),
            pending_email: None,
            suspended_at: None,
            token_version: 0,
            erased_at: None,
        });
    }
    cast
}

/// `Sofía Quintanilla` writes from `sofia.quintanilla@example.com`.
fn email_of(full_name: &str) -> String {
    let local: String = full_name
        .to_lowercase()
        .chars()
        .map(|letter| match letter {
            ' ' => '.',
            'á' | 'ā' | 'ằ' | 'ầ' | 'ả' => 'a',
            'é' | 'ễ' => 'e',
            'í' => 'i',
            'ó' | 'ố' => 'o',
            'ú' | 'ư' => 'u',
            letter => letter,
        })
        .collect();
    format!("{local}@example.com")
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::domain::people::Email;

    #[test]
    fn everybody_has_a_mail_address_of_their_own_that_is_easily_typed() {
        let mut rows = Rows::default();
        let now = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let cast = cast(&mut rows, "hash", now, Keys::default());
        for user in &rows.users {
            assert!(user.email.is_ascii(), "{}", user.email);
            assert_eq!(
                Email::parse("email", &user.email).unwrap().as_str(),
                user.email
            );
        }
        let emails: HashSet<_> = rows.users.iter().map(|user| &user.email).collect();
        assert_eq!(emails.len(), rows.users.len());
        assert_eq!(cast.hosts[0][0], cast.host);
    }
}
