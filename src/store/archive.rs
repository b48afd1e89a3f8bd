//! What a backup is packed in: compressed with Zstandard (RFC 8878) and encrypted with age (<https://age-encryption.org/v1>), so that
//! `age -d -i key.txt FILE | zstd -d` unpacks it without us. All of it is streamed.
//!
//! Packing needs public keys alone: a server that makes backups can't read them.

use std::io::{self, Read, Write};

use age::x25519;
use anyhow::{Context as _, anyhow, ensure};
use ring::digest::{self, SHA256};
use tokio::task::JoinHandle;

use super::flow::{Inlet, Outlet};
use crate::domain::digest::hex;

/// Higher levels take longer and win little: `docs/adr/0017-backups.md` has the figures.
const LEVEL: i32 = 1;

/// Who can read a backup: public keys, `age1…`.
#[derive(Debug, Clone, Default)]
pub struct Recipients(Vec<String>);

impl Recipients {
    /// Reads public keys with commas between.
    ///
    /// # Errors
    /// When one is none, or a private key stands in its place; what stands there is in no message.
    pub fn parse(list: &str) -> anyhow::Result<Self> {
        let names = list
            .split(',')
            .map(str::trim)
            .filter(|name| !name.is_empty());
        let mut keys = vec![];
        for (index, name) in names.enumerate() {
            let is_private = name.to_ascii_uppercase().starts_with("AGE-SECRET-KEY-");
            ensure!(
                !is_private,
                "number {} is a private key: give its public one, age1…, and keep the private one away from the server",
                index + 1
            );
            let key = name.parse::<x25519::Recipient>();
            let key = key.map_err(|why| anyhow!("number {} is no key age1…: {why}", index + 1))?;
            keys.push(key.to_string());
        }
        Ok(Self(keys))
    }

    /// The keys as text.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.0
    }

    fn encryptor(&self) -> anyhow::Result<age::Encryptor> {
        let keys = self.0.iter().map(|name| name.parse());
        let keys: Result<Vec<x25519::Recipient>, _> = keys.collect();
        let keys = keys.map_err(|why| anyhow!("a recipient can't be used: {why}"))?;
        let keys = keys.iter().map(|key| key as &dyn age::Recipient);
        Ok(age::Encryptor::with_recipients(keys)?)
    }
}

/// Private keys, which open backups.
pub struct Identities(Vec<Box<dyn age::Identity + Send + Sync>>);

impl Identities {
    /// Reads a file as `age-keygen` writes it.
    ///
    /// # Errors
    /// When it can't be read or has no key. Nothing of it stands in the message.
    pub fn from_file(path: &str) -> anyhow::Result<Self> {
        let file = age::IdentityFile::from_file(path.to_owned());
        let file = file.with_context(|| format!("the identity file {path} can't be read"))?;
        let keys = file.into_identities();
        let keys = keys.map_err(|why| anyhow!("the identity file {path} can't be used: {why}"))?;
        ensure!(
            !keys.is_empty(),
            "the identity file {path} has no key AGE-SECRET-KEY-1…"
        );
        Ok(Self(keys))
    }
}

/// A new pair of keys, as an identity file with the public key in a comment.
#[must_use]
pub fn new_identity() -> String {
    use age::secrecy::ExposeSecret as _;

    let key = x25519::Identity::generate();
    let public = key.to_public();
    let private = key.to_string();
    format!("# public key: {public}\n{}\n", private.expose_secret())
}

/// How much went through, and its fingerprint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Measure {
    /// In bytes.
    pub bytes: u64,
    /// SHA-256 in lower-case hexadecimal.
    pub sha256: String,
}

/// Both sides of an archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Packed {
    /// Before it is packed.
    pub plain: Measure,
    /// As it lies in the store.
    pub sealed: Measure,
}

/// Compresses and encrypts all that flows in.
#[must_use]
pub fn pack(
    recipients: Recipients,
    from: Outlet,
    into: Inlet,
) -> JoinHandle<anyhow::Result<Packed>> {
    tokio::task::spawn_blocking(move || {
        let encryptor = recipients.encryptor()?;
        let sealed = encryptor.wrap_output(Counted::new(into))?;
        let mut encoder = zstd::Encoder::new(sealed, LEVEL)?;
        let mut from = Counted::new(from);
        copy(&mut from, &mut encoder)?;
        let sealed = encoder.finish()?.finish()?;
        let (into, sealed) = sealed.end();
        into.finish_blocking()?;
        let (_, plain) = from.end();
        Ok(Packed { plain, sealed })
    })
}

/// Decrypts and decompresses all that flows in. What it passes on is as it was packed, piece by piece; whether it is whole is known at
/// the end, and only then its flow is finished.
#[must_use]
pub fn unpack(
    identities: Identities,
    from: Outlet,
    into: Inlet,
) -> JoinHandle<anyhow::Result<Packed>> {
    tokio::task::spawn_blocking(move || {
        let mut from = Counted::new(from);
        let decryptor = age::Decryptor::new(&mut from);
        let decryptor = decryptor.map_err(|why| anyhow!("this is no archive of age: {why}"))?;
        let keys = identities.0.iter().map(|key| &**key as &dyn age::Identity);
        let opened = decryptor.decrypt(keys);
        let opened =
            opened.map_err(|why| anyhow!("no key of the identity file opens it: {why}"))?;
        let mut decoder = zstd::Decoder::new(opened)?;
        let mut into = Counted::new(into);
        copy(&mut decoder, &mut into).context("the archive is damaged")?;
        drop(decoder);
        copy(&mut from, &mut io::sink())?;
        let (into, plain) = into.end();
        let (_, sealed) = from.end();
        into.finish_blocking()?;
        Ok(Packed { plain, sealed })
    })
}

/// As [`io::copy`], with larger steps.
fn copy(from: &mut impl Read, into: &mut impl Write) -> io::Result<()> {
    let mut step = vec![0; 128 << 10];
    loop {
        match from.read(&mut step)? {
            0 => return Ok(()),
            length => into.write_all(&step[..length])?,
        }
    }
}

/// Reads or writes, and measures what passes.
struct Counted<T> {
    inner: T,
    bytes: u64,
    hash: digest::Context,
}

impl<T> Counted<T> {
    fn new(inner: T) -> Self {
        Self {
            inner,
            bytes: 0,
            hash: digest::Context::new(&SHA256),
        }
    }

    fn count(&mut self, bytes: &[u8]) {
        self.bytes += bytes.len() as u64;
        self.hash.update(bytes);
    }

    fn end(self) -> (T, Measure) {
        let measure = Measure {
            bytes: self.bytes,
            sha256: hex(self.hash.finish().as_ref()),
        };
        (self.inner, measure)
    }
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let length = self.inner.read(into)?;
        self.count(&into[..length]);
        Ok(length)
    }
}

impl<W: Write> Write for Counted<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let length = self.inner.write(bytes)?;
        self.count(&bytes[..length]);
        Ok(length)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

/// Measures all that flows in.
///
/// # Errors
/// When the flow is broken.
pub async fn measure(mut from: Outlet) -> io::Result<Measure> {
    let mut counted = Counted::new(());
    while let Some(piece) = from.next().await? {
        counted.count(&piece);
    }
    Ok(counted.end().1)
}

#[cfg(test)]
mod tests {
    use super::{super::flow::flow, *};

    async fn packed(recipients: &str, plain: &[u8]) -> (Vec<u8>, Packed) {
        let recipients = Recipients::parse(recipients).unwrap();
        let ((mut first, from), (into, mut last)) = (flow(), flow());
        let packing = pack(recipients, from, into);
        let plain = plain.to_vec();
        tokio::spawn(async move {
            first.send(&plain).await.unwrap();
            first.finish().await.unwrap();
        });
        let mut archive = vec![];
        while let Some(piece) = last.next().await.unwrap() {
            archive.extend_from_slice(&piece);
        }
        (archive, packing.await.unwrap().unwrap())
    }

    async fn unpacked(identity: &str, archive: &[u8]) -> anyhow::Result<(Vec<u8>, Packed)> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("key.txt");
        std::fs::write(&file, identity).unwrap();
        let identities = Identities::from_file(file.to_str().unwrap()).unwrap();
        let ((mut first, from), (into, mut last)) = (flow(), flow());
        let unpacking = unpack(identities, from, into);
        let archive = archive.to_vec();
        tokio::spawn(async move {
            // It may stop reading where it finds something wrong.
            if first.send(&archive).await.is_ok() {
                let _ = first.finish().await;
            }
        });
        let mut plain = vec![];
        let whole = loop {
            match last.next().await {
                Ok(Some(piece)) => plain.extend_from_slice(&piece),
                Ok(None) => break true,
                Err(_) => break false,
            }
        };
        let packed = unpacking.await.unwrap()?;
        assert!(whole, "what is good is whole");
        Ok((plain, packed))
    }

    fn public(identity: &str) -> String {
        let line = identity.lines().next().unwrap();
        line.rsplit(' ').next().unwrap().to_owned()
    }

    #[tokio::test]
    async fn each_of_several_keys_opens_it_and_no_other() {
        let (one, two, other) = (new_identity(), new_identity(), new_identity());
        let plain: Vec<u8> = (0..700_000_u32).flat_map(u32::to_le_bytes).collect();
        let both = format!("{}, {}", public(&one), public(&two));
        let (archive, made) = packed(&both, &plain).await;
        assert!(archive.len() < plain.len() && made.sealed.bytes == archive.len() as u64);
        for identity in [&one, &two] {
            let (got, opened) = unpacked(identity, &archive).await.unwrap();
            assert!(got == plain && opened == made);
        }
        let error = unpacked(&other, &archive).await.unwrap_err().to_string();
        assert!(
            error.contains("no key of the identity file opens it"),
            "{error}"
        );
    }

    #[tokio::test]
    async fn whatever_byte_is_flipped_or_missing_it_is_found() {
        let identity = new_identity();
        let plain: Vec<u8> = (0..60_000_u32).flat_map(u32::to_le_bytes).collect();
        let (archive, _) = packed(&public(&identity), &plain).await;
        for place in [0, 30, 100, archive.len() / 2, archive.len() - 1] {
            let mut damaged = archive.clone();
            damaged[place] ^= 1;
            assert!(unpacked(&identity, &damaged).await.is_err(), "{place}");
        }
        for length in [0, 10, archive.len() / 2, archive.len() - 1] {
            assert!(
                unpacked(&identity, &archive[..length]).await.is_err(),
                "{length}"
            );
        }
    }

    #[test]
    fn a_private_key_is_no_recipient_and_is_not_quoted() {
        let identity = new_identity();
        let private = identity.lines().nth(1).unwrap();
        let error = Recipients::parse(private).unwrap_err().to_string();
        assert!(
            error.contains("private") && !error.contains(private),
            "{error}"
        );
    }
}
