//! What operators do to accounts.

use std::io::{BufRead as _, IsTerminal as _};

use anyhow::ensure;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use clap::{Subcommand, ValueEnum};

use crate::{
    domain::{
        password::Password,
        people::{Email, Role},
        problem::Problem,
        text::{self, Lines},
    },
    entity::user,
    service::{error::Error, people::People},
};

/// What is done, to whom.
#[derive(Debug, Subcommand)]
pub(super) enum Admin {
    /// Make an admin's account. The password is read from standard input; at a terminal, one is made up and printed.
    Create {
        /// The mail address to sign in with.
        email: String,
        /// The name shown to everyone.
        #[arg(long, default_value = "Admin")]
        name: String,
    },
    /// Give somebody another role. Access tokens at hand are refused from then on; a refresh gives new ones.
    Promote {
        /// Whose account.
        email: String,
        /// Which role.
        #[arg(long, value_enum, default_value = "admin")]
        to: Rank,
        /// Make an admin also of somebody whose mail address is not verified.
        #[arg(long)]
        unverified: bool,
    },
    /// Let somebody in no more: every session ends, and what the person lists is unlisted.
    Suspend {
        /// Whose account.
        email: String,
        /// Let the person in again instead.
        #[arg(long)]
        lift: bool,
    },
}

/// A role, as it is typed.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum Rank {
    Guest,
    Host,
    Admin,
}

impl From<Rank> for Role {
    fn from(rank: Rank) -> Self {
        match rank {
            Rank::Guest => Self::Guest,
            Rank::Host => Self::Host,
            Rank::Admin => Self::Admin,
        }
    }
}

/// Does it, and says what was done.
///
/// # Errors
/// One clear line.
pub(super) async fn run(people: &People, command: Admin) -> anyhow::Result<()> {
    match command {
        Admin::Create { email, name } => create(people, &email, &name).await,
        Admin::Promote {
            email,
            to,
            unverified,
        } => {
            let email = parse(&email)?;
            let user = people.set_role(&email, to.into(), unverified).await;
            tell(&user.map_err(explain)?);
            Ok(())
        }
        Admin::Suspend { email, lift } => {
            let email = parse(&email)?;
            let user = if lift {
                people.reinstate(&email).await
            } else {
                people.suspend(&email).await
            };
            tell(&user.map_err(explain)?);
            Ok(())
        }
    }
}

async fn create(people: &People, email: &str, name: &str) -> anyhow::Result<()> {
    let email = parse(email)?;
    let name =
        text::parse("name", name, 1..=100, Lines::One).map_err(|problem| mistake(&problem))?;
    let input = std::io::stdin();
    let made_up = input.is_terminal();
    let typed = if made_up {
        URL_SAFE_NO_PAD.encode(rand::random::<[u8; 18]>())
    } else {
        let mut line = String::new();
        input.lock().read_line(&mut line)?;
        line.trim_end_matches(['\r', '\n']).to_owned()
    };
    ensure!(!typed.is_empty(), "give the password on standard input");
    let password =
        Password::parse("password", typed.clone()).map_err(|problem| mistake(&problem))?;
    let user = people.create_admin(name, email, password).await;
    tell(&user.map_err(explain)?);
    if made_up {
        println!("password: {typed}");
    }
    Ok(())
}

fn tell(user: &user::Model) {
    let suspended = if user.suspended_at.is_some() {
        ", suspended"
    } else {
        ""
    };
    let (id, email, role) = (user.user_id, &user.email, user.role.as_column());
    println!("user:{id} {email} {role}{suspended}");
}

fn parse(email: &str) -> anyhow::Result<Email> {
    Email::parse("email", email).map_err(|problem| mistake(&problem))
}

fn mistake(problem: &Problem) -> anyhow::Error {
    anyhow::anyhow!("{}: {}", problem.field.join("."), problem.message)
}

fn explain(error: Error) -> anyhow::Error {
    match error {
        Error::Refused(problems) => {
            let messages: Vec<_> = problems
                .into_iter()
                .map(|problem| problem.message)
                .collect();
            anyhow::anyhow!(messages.join(" "))
        }
        error => anyhow::Error::from(error).context("it was not done"),
    }
}
