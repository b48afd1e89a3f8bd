//! What the cheat sheet of OWASP calls attacks on GraphQL, as far as no other test makes them.

mod documents;
mod texts;
