//! Folding text into the words by which it is found, the same for what is stored and for what is looked for.
//!
//! `São Tomé` and `SAO TOME` are the same two words: letters lose their accents and their case, and whatever is neither a letter nor a digit
//! parts words. Each character of a script that is written without spaces, such as Chinese, is a word of its own.

use unicode_normalization::{
    UnicodeNormalization as _,
    char::{canonical_combining_class, is_combining_mark},
};

/// The longest word, in characters; what is longer is cut. No language needs more, and what indexes words has limits of its own.
const LONGEST: usize = 60;

/// The words of a text, in its order. None of them is empty, and each has letters and digits alone.
#[must_use]
pub fn words(text: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut length = 0;
    for c in text.nfkd().filter(|c| !is_silent(*c)) {
        if !c.is_alphanumeric() || stands_alone(c) {
            words.push(String::new());
            length = 0;
        }
        if c.is_alphanumeric() && length < LONGEST {
            let word = words.len() - 1;
            push_letter(&mut words[word], c);
            length += 1;
        }
        if stands_alone(c) {
            words.push(String::new());
            length = 0;
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

/// What a word is read without: accents, and marks that only say how to write it. A vowel sign, as Hindi has them, is a letter.
fn is_silent(c: char) -> bool {
    let mark = canonical_combining_class(c) != 0 || (is_combining_mark(c) && !c.is_alphanumeric());
    mark || matches!(c, '\u{AD}' | '\u{2BB}' | '\u{2BC}' | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{2069}' | '\u{FEFF}')
}

/// Kana and ideographs.
fn stands_alone(c: char) -> bool {
    matches!(c, '\u{3040}'..='\u{30FF}' | '\u{31F0}'..='\u{31FF}' | '\u{3400}'..='\u{4DBF}' | '\u{4E00}'..='\u{9FFF}'
        | '\u{F900}'..='\u{FAFF}' | '\u{20000}'..='\u{3FFFF}')
}

/// Through upper case, so that letters meet which have one capital between them: `ß` and `ss`, both sigmas of Greek, the dotless `ı`.
fn push_letter(word: &mut String, c: char) {
    let lower = c.to_lowercase();
    // A capital may have a small letter whose own capital is another: `ẞ`.
    let folded = lower
        .flat_map(char::to_uppercase)
        .flat_map(char::to_lowercase);
    for c in folded {
        // Letters that Unicode does not take apart, and that people type without their stroke.
        match c {
            'ø' => word.push('o'),
            'ł' => word.push('l'),
            'đ' | 'ð' => word.push('d'),
            'ħ' => word.push('h'),
            'ŧ' => word.push('t'),
            'æ' => word.push_str("ae"),
            'œ' => word.push_str("oe"),
            'þ' => word.push_str("th"),
            c if c.is_alphanumeric() => word.push(c),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_reads_the_same_folds_to_the_same_words() {
        for (one, other) in [
            ("São Tomé", "SAO  tome!"),
            ("Straße", "STRASSE"),
            ("STRAẞE", "strasse"),
            ("ΑΘΗΝΑΣ", "Αθήνας"),
            ("Łódź", "lodz"),
            ("Tromsø", "TROMSO"),
            ("ﬁne ＷＩＦＩ ½", "FINE wifi 1 2"),
            ("İstanbul ısparta", "istanbul ISPARTA"),
            ("Дом у мо\u{301}ря", "ДОМ У МОРЯ"),
            ("soft\u{AD}ened", "softened"),
            ("ʻOhana", "Ohana"),
            ("שָׁלוֹם", "שלום"),
            ("ガ", "ｶﾞ"),
        ] {
            assert_eq!(words(one), words(other), "{one} and {other}");
        }
    }

    #[test]
    fn words_part_at_what_is_no_letter() {
        assert_eq!(
            words("Fishermen's Quay, 100% sea-view"),
            ["fishermen", "s", "quay", "100", "sea", "view"]
        );
        assert_eq!(words("snake_case"), ["snake", "case"]);
        assert_eq!(words("京都の house"), ["京", "都", "の", "house"]);
        assert_eq!(words("हिन्दी"), ["हिनदी"]);
        assert_eq!(words("\"*'() -- 🏠 \u{FE0F} %_\\"), [""; 0]);
        assert_eq!(words(&"x".repeat(500))[0].len(), LONGEST);
    }

    proptest! {
        #[test]
        fn words_are_words_and_fold_to_themselves(text in "\\PC{0,200}") {
            let found = words(&text);
            for word in &found {
                prop_assert!(!word.is_empty() && word.chars().all(char::is_alphanumeric), "{word:?}");
            }
            // Letters that fold to several may pass the longest word once more.
            if found.iter().all(|word| word.chars().count() <= LONGEST) {
                prop_assert_eq!(words(&found.join(" ")), found);
            }
        }
    }
}
