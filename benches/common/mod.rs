//! What the floods have in common: the built server and the bare route beside it, those who ask in good faith, and the figures.

pub(crate) mod asking;
pub(crate) mod compared;
pub(crate) mod figures;
pub(crate) mod pace;
pub(crate) mod server;
