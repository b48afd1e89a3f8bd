//! What the cheat sheet of OWASP calls attacks on GraphQL, as far as no other test makes them: `docs/threats.md` names the test of each.

mod documents;
mod guesses;
mod hidden;
mod lines;
mod page;
mod production;
mod texts;
mod time;
