//! Bytes on their way from one task or thread to another, a few pieces at a time: whoever is faster waits.
//!
//! A flow that ends without [`Inlet::finish`] is broken, and its reader gets an error where it would else see a shorter whole. So whatever
//! fails along the way, nothing that is incomplete passes for complete.

use std::io;

use bytes::Bytes;
use tokio::sync::mpsc::{Receiver, Sender, channel};

/// How many pieces wait between the two.
const PIECES: usize = 16;
/// How large a piece becomes before it is passed on. Larger ones, made in one thread and dropped in another, our allocator does not give back.
const PIECE: usize = 64 << 10;

/// Where bytes go in. Dropped before it is finished, it breaks the flow.
#[derive(Debug)]
pub struct Inlet {
    pieces: Sender<Option<Bytes>>,
    small: Vec<u8>,
}

/// Where bytes come out.
#[derive(Debug)]
pub struct Outlet {
    pieces: Receiver<Option<Bytes>>,
    rest: Bytes,
    has_ended: bool,
}

/// A new flow.
#[must_use]
pub fn flow() -> (Inlet, Outlet) {
    let (sender, receiver) = channel(PIECES);
    let inlet = Inlet {
        pieces: sender,
        small: Vec::new(),
    };
    let outlet = Outlet {
        pieces: receiver,
        rest: Bytes::new(),
        has_ended: false,
    };
    (inlet, outlet)
}

/// What the other end is told when one end is gone.
fn broken() -> io::Error {
    io::Error::new(io::ErrorKind::BrokenPipe, "the stream was broken off")
}

/// The reason among the errors of those along one flow: where one fails, its neighbours see the flow break. None without an error.
pub fn reason(errors: impl IntoIterator<Item = Option<anyhow::Error>>) -> Option<anyhow::Error> {
    let is_broken = |error: &anyhow::Error| {
        error.chain().any(|cause| {
            let cause = cause.downcast_ref::<io::Error>();
            cause.is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
        })
    };
    let mut errors: Vec<_> = errors.into_iter().flatten().collect();
    errors.sort_by_key(is_broken);
    errors.into_iter().next()
}

impl Inlet {
    /// Passes some bytes on; small ones are gathered first.
    ///
    /// # Errors
    /// When nobody reads any more.
    pub async fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        // Large ones are parted, so that what waits is bounded in bytes too.
        for bytes in bytes.chunks(PIECE) {
            if let Some(piece) = self.gather(bytes) {
                let sent = self.pieces.send(Some(piece)).await;
                sent.map_err(|_| broken())?;
            }
        }
        Ok(())
    }

    /// Says that this was all.
    ///
    /// # Errors
    /// When nobody reads any more.
    pub async fn finish(mut self) -> io::Result<()> {
        for last in self.last() {
            self.pieces.send(last).await.map_err(|_| broken())?;
        }
        Ok(())
    }

    /// The same from a thread that may block.
    ///
    /// # Errors
    /// When nobody reads any more.
    pub fn finish_blocking(mut self) -> io::Result<()> {
        for last in self.last() {
            self.pieces.blocking_send(last).map_err(|_| broken())?;
        }
        Ok(())
    }

    /// What was gathered, if anything, and the end: which is sent once, because nobody may be there to take a second one.
    fn last(&mut self) -> Vec<Option<Bytes>> {
        let rest = Bytes::from(std::mem::take(&mut self.small));
        if rest.is_empty() {
            vec![None]
        } else {
            vec![Some(rest), None]
        }
    }

    fn gather(&mut self, bytes: &[u8]) -> Option<Bytes> {
        if self.small.capacity() == 0 {
            self.small.reserve(PIECE);
        }
        self.small.extend_from_slice(bytes);
        (self.small.len() >= PIECE).then(|| std::mem::take(&mut self.small).into())
    }
}

/// For a thread that may block.
impl io::Write for Inlet {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let bytes = &bytes[..bytes.len().min(PIECE)];
        if let Some(piece) = self.gather(bytes) {
            let sent = self.pieces.blocking_send(Some(piece));
            sent.map_err(|_| broken())?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Outlet {
    /// The next bytes; none at the end.
    ///
    /// # Errors
    /// When the flow is broken.
    pub async fn next(&mut self) -> io::Result<Option<Bytes>> {
        if self.has_ended {
            return Ok(None);
        }
        let piece = self.pieces.recv().await.ok_or_else(broken)?;
        self.has_ended = piece.is_none();
        Ok(piece)
    }

    /// Reads to the end and throws it away.
    ///
    /// # Errors
    /// When the flow is broken.
    pub async fn drain(&mut self) -> io::Result<()> {
        while self.next().await?.is_some() {}
        Ok(())
    }
}

/// For a thread that may block.
impl io::Read for Outlet {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while self.rest.is_empty() {
            if self.has_ended {
                return Ok(0);
            }
            match self.pieces.blocking_recv().ok_or_else(broken)? {
                Some(piece) => self.rest = piece,
                None => self.has_ended = true,
            }
        }
        let length = into.len().min(self.rest.len());
        into[..length].copy_from_slice(&self.rest.split_to(length));
        Ok(length)
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};

    use super::*;

    #[tokio::test]
    async fn what_goes_in_comes_out_through_threads_too() {
        let (mut first, mut between) = flow();
        let (mut second, mut last) = flow();
        let sent: Vec<u8> = (0..3_000_000_u32).map(|n| n.to_le_bytes()[1]).collect();
        let copies = tokio::task::spawn_blocking(move || {
            let mut all = vec![];
            between.read_to_end(&mut all)?;
            for part in all.chunks(1_000) {
                second.write_all(part)?;
            }
            second.finish_blocking()
        });
        let all = sent.clone();
        let sends = tokio::spawn(async move {
            for part in all.chunks(70_001) {
                first.send(part).await?;
            }
            first.finish().await
        });
        let mut got = vec![];
        while let Some(piece) = last.next().await.unwrap() {
            got.extend_from_slice(&piece);
        }
        assert!(got == sent && last.next().await.unwrap().is_none());
        copies.await.unwrap().unwrap();
        sends.await.unwrap().unwrap();
    }

    #[tokio::test]
    async fn a_flow_of_whole_pieces_ends_once() {
        for pieces in 0..3 {
            let (mut inlet, mut outlet) = flow();
            inlet.send(&vec![1; pieces * PIECE]).await.unwrap();
            for _ in 0..pieces {
                assert!(outlet.next().await.unwrap().is_some());
            }
            let (finished, end) = tokio::join!(inlet.finish(), async move {
                // The reader is gone as soon as it has seen the end.
                outlet.next().await
            });
            assert!(finished.is_ok() && end.unwrap().is_none(), "{pieces}");
        }
    }

    #[tokio::test]
    async fn a_flow_that_is_not_finished_is_broken_and_not_short() {
        let (mut inlet, mut outlet) = flow();
        inlet.send(&vec![1; PIECE]).await.unwrap();
        drop(inlet);
        assert!(outlet.next().await.unwrap().is_some());
        assert!(outlet.next().await.is_err());
    }
}
