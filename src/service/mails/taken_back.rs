//! Mail that is not sent after all, because its reader has gone.

use super::Mail;
use crate::{
    service::{error::Result, queue},
    store::db::Tx,
};

/// Takes back, in the caller's transaction, what waits for an address or speaks of it, and forgets what of that was given up. A letter that tells
/// somebody's former address of this one is still sent: it is a warning.
pub(in crate::service) async fn take_back(tx: &Tx, address: &str) -> Result<()> {
    let is_warning =
        |mail: &Mail| matches!(mail, Mail::EmailChanged { to, .. } if to.as_str() != address);
    queue::take_back(tx, address, is_warning).await
}
