//! Fingerprints.

use sha2::{Digest as _, Sha256};

/// SHA-256 in lower-case hexadecimal: 64 characters.
#[must_use]
pub fn sha256_hex(bytes: impl AsRef<[u8]>) -> String {
    hex(&Sha256::digest(bytes))
}

/// Bytes in lower-case hexadecimal.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |number: u8| char::from(DIGITS[usize::from(number)]);
    bytes
        .iter()
        .flat_map(|byte| [digit(byte >> 4), digit(byte & 15)])
        .collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_fingerprint_of_nothing_is_the_well_known_one() {
        assert!(super::sha256_hex("").starts_with("e3b0c44298fc1c14"));
    }
}
