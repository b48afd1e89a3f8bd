//! Threads that let everybody else go first.

use std::{
    io,
    panic::{self, AssertUnwindSafe},
    sync::{Arc, Mutex, PoisonError, mpsc},
    thread,
};

use tokio::sync::oneshot;

type Work = Box<dyn FnOnce() + Send>;

/// A few threads for what takes long and can wait. On Linux, those who answer requests take the core from them at once: a thread of the
/// same rank would first be left to end its slice of some milliseconds. They end with the last clone of this.
#[derive(Debug, Clone)]
pub(super) struct PatientThreads(mpsc::Sender<Work>);

impl PatientThreads {
    /// Starts so many.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub(super) fn start(name: &str, count: usize) -> io::Result<Self> {
        let (sender, works) = mpsc::channel::<Work>();
        let works = Arc::new(Mutex::new(works));
        for _ in 0..count {
            let works = Arc::clone(&works);
            thread::Builder::new()
                .name(name.to_owned())
                .spawn(move || {
                    give_way();
                    loop {
                        let next = works.lock().unwrap_or_else(PoisonError::into_inner).recv();
                        let Ok(work) = next else { return };
                        // Who waits is told by the answer that does not come; the thread goes on.
                        let _ = panic::catch_unwind(AssertUnwindSafe(work));
                    }
                })?;
        }
        Ok(Self(sender))
    }

    /// Computes on one of them, also when nobody waits for it any more.
    ///
    /// # Errors
    /// When it panicked.
    pub(super) async fn compute<T: Send + 'static>(
        &self,
        compute: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, oneshot::error::RecvError> {
        let (tell, told) = oneshot::channel();
        let work = Box::new(move || {
            let _ = tell.send(compute());
        });
        // Should no thread be left, `tell` is dropped with the work that comes back.
        let _ = self.0.send(work);
        told.await
    }
}

/// Lowers the rank of this thread.
#[cfg(target_os = "linux")]
fn give_way() {
    /// A tenth of a core's time stays even where others want all of it, so that people can sign in to a busy server.
    const NICENESS: i32 = 10;
    if let Err(error) = rustix::process::nice(NICENESS) {
        tracing::warn!(%error, "hashing passwords may slow down other requests");
    }
}

/// Elsewhere niceness is of the process, not of its threads.
#[cfg(not(target_os = "linux"))]
fn give_way() {}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_breaks_off_its_own_work_alone() {
        let threads = PatientThreads::start("test", 1).unwrap();
        assert!(threads.compute(|| panic!("as planned")).await.is_err());
        assert_eq!(threads.compute(|| 1 + 1).await, Ok(2));
    }

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn they_alone_are_of_a_lower_rank() {
        let niceness = || rustix::process::getpriority_process(None).unwrap();
        let own = niceness();
        let threads = PatientThreads::start("test", 1).unwrap();
        assert_eq!(threads.compute(niceness).await, Ok((own + 10).min(19)));
        assert_eq!(niceness(), own);
    }
}
