//! Telling what looks like the number of a payment card, so that none is ever logged or kept.
//!
//! A number has 13 to 19 digits, begins as the networks' numbers of its length do, and ends with a check digit (ISO/IEC 7812-1, Luhn's formula). It is
//! written in one piece, or in the groups that people write. One in ten other numbers of that length has a fitting last digit: hence the beginnings and
//! the groups, so that a time in milliseconds, a coordinate, a date or a UUID is not taken for one.

use unicode_normalization::UnicodeNormalization as _;

/// The fewest digits.
const FEWEST: usize = 13;
/// The most groups that a number is written in: nineteen digits in fours.
const MOST_GROUPS: usize = 5;
/// The most characters between two groups: a dash with blanks around it.
const MOST_BETWEEN: usize = 3;
/// How far it is looked what a number is part of.
const AROUND: usize = 100;

/// Whether a text has in it what looks like a card number. It takes time in proportion to the text.
#[must_use]
pub fn is_in(text: &str) -> bool {
    // One character of another script may mean two digits.
    let fewest = if text.is_ascii() { FEWEST } else { FEWEST / 2 };
    if text
        .chars()
        .filter(|c| c.is_numeric())
        .nth(fewest - 1)
        .is_none()
    {
        return false;
    }
    let visible = text.nfkd().filter(|c| !is_invisible(*c));
    let characters: Vec<char> = visible
        .map(|c| digit(c).map_or(c, |digit| char::from(b'0' + digit)))
        .collect();
    let runs = runs(&characters);
    (0..runs.len()).any(|first| begins_number(&characters, &runs[first..]))
}

/// Digits that stand together, by the places of the first and after the last.
type Run = (usize, usize);

fn runs(characters: &[char]) -> Vec<Run> {
    let (mut runs, mut begun) = (vec![], None);
    for (at, c) in characters.iter().enumerate() {
        match (c.is_ascii_digit(), begun) {
            (true, None) => begun = Some(at),
            (false, Some(from)) => {
                runs.push((from, at));
                begun = None;
            }
            _ => {}
        }
    }
    runs.extend(begun.map(|from| (from, characters.len())));
    runs
}

/// Whether the first of some runs, or the first few, are a number.
fn begins_number(characters: &[char], runs: &[Run]) -> bool {
    let mut lengths = [0; MOST_GROUPS];
    let mut digits = [0_u8; 19];
    let (mut count, mut groups) = (0, 0_usize);
    for &(from, to) in runs.iter().take(MOST_GROUPS) {
        let before = groups.checked_sub(1).map(|last: usize| runs[last].1);
        let joins = before.is_none_or(|end| {
            from - end <= MOST_BETWEEN && characters[end..from].iter().all(|c| separates(*c))
        });
        if !joins || count + (to - from) > digits.len() {
            return false;
        }
        for (place, c) in digits[count..].iter_mut().zip(&characters[from..to]) {
            *place = u8::try_from(u32::from(*c) - u32::from('0')).unwrap_or_default();
        }
        count += to - from;
        lengths[groups] = to - from;
        groups += 1;
        let whole = (runs[0].0, to);
        if is_written(&lengths[..groups])
            && is_number(&digits[..count])
            && !is_part_of_a_word(characters, whole)
            && (groups > 1 || !is_something_else(characters, whole))
        {
            return true;
        }
    }
    false
}

/// Whether people write numbers in such groups.
fn is_written(groups: &[usize]) -> bool {
    match groups {
        [length] => *length >= FEWEST,
        [8, 8] | [6, 10 | 13] | [4, 6, 4 | 5] => true,
        [fours @ .., last] => fours.iter().all(|length| *length == 4) && (1..=4).contains(last),
        [] => false,
    }
}

/// Whether digits begin, for their count, as a network's numbers do, and have its check digit.
/// <https://en.wikipedia.org/wiki/Payment_card_number#Issuer_identification_number_(IIN)>
fn is_number(digits: &[u8]) -> bool {
    let begin = digits
        .iter()
        .take(4)
        .fold(0_u32, |begin, digit| begin * 10 + u32::from(*digit));
    let diners = matches!(begin, 3000..=3059 | 3095 | 3600..=3699 | 3800..=3999);
    let long = matches!(begin, 3528..=3589 | 5000..=5099 | 5600..=5899 | 6000..=6099 | 6200..=6599 | 6700..=6799);
    let is_networks = match digits.len() {
        13 => matches!(begin, 4000..=4999),
        14 => diners,
        15 => matches!(begin, 3400..=3499 | 3700..=3799),
        16 => matches!(begin, 2200..=2204 | 2221..=2720 | 3000..=6999 | 8000..=9999),
        17 | 18 => diners || long,
        19 => diners || long || matches!(begin, 4000..=4999 | 9704),
        _ => false,
    };
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(place, digit)| {
            let digit = u32::from(*digit);
            match (place % 2, digit * 2) {
                (0, _) => digit,
                (_, double) if double > 9 => double - 9,
                (_, double) => double,
            }
        })
        .sum();
    is_networks && sum.is_multiple_of(10)
}

/// Whether digits belong to a hexadecimal number, such as the name of a trace or a part of a UUID. Within any other word they stand for themselves.
fn is_part_of_a_word(characters: &[char], (from, to): Run) -> bool {
    let before = characters[..from].iter().rev().take(AROUND);
    let after = characters[to..].iter().take(AROUND);
    let mut hexadecimal = false;
    for side in [
        &mut before.copied() as &mut dyn Iterator<Item = char>,
        &mut after.copied(),
    ] {
        for c in side.take_while(|c| c.is_alphanumeric()) {
            if !c.is_ascii_hexdigit() {
                return false;
            }
            hexadecimal = true;
        }
    }
    hexadecimal
}

/// Whether digits in one piece are the decimals of a number, a telephone number with its country, or the name of something in the address of a page.
fn is_something_else(characters: &[char], (from, to): Run) -> bool {
    let before = |back: usize| from.checked_sub(back).map(|at| characters[at]);
    match before(1) {
        Some('.') => before(2).is_some_and(|c| c.is_ascii_digit()),
        // https://www.itu.int/rec/T-REC-E.164: 15 digits at most.
        Some('+') => to - from <= 15,
        // Hardly any card has 17 or 18 digits; the listings of other platforms do.
        Some('/') if matches!(to - from, 17 | 18) => {
            let around = characters[..from].iter().rev().take(AROUND);
            let path = around.take_while(|c| !c.is_whitespace() && !"\"'<>()".contains(**c));
            let backwards: String = path.collect();
            backwards.ends_with("//:ptth") || backwards.ends_with("//:sptth")
        }
        _ => false,
    }
}

/// A digit, in whatever script keyboards write it.
fn digit(c: char) -> Option<u8> {
    // Zeros; the other nine follow each. What is only another shape of 0 to 9 is that already.
    const ZEROS: [char; 16] = [
        '0', '\u{660}', '\u{6f0}', '\u{966}', '\u{9e6}', '\u{a66}', '\u{ae6}', '\u{b66}',
        '\u{be6}', '\u{c66}', '\u{ce6}', '\u{d66}', '\u{e50}', '\u{ed0}', '\u{1040}', '\u{17e0}',
    ];
    let after = |zero: char| u32::from(c).checked_sub(u32::from(zero));
    let value = ZEROS
        .iter()
        .find_map(|zero| after(*zero).filter(|value| *value < 10))?;
    u8::try_from(value).ok()
}

/// What nobody sees between two characters.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{fe00}'..='\u{fe0f}' | '\u{feff}')
}

fn separates(c: char) -> bool {
    c.is_whitespace()
        || matches!(
            c,
            '-' | '.' | '_' | '/' | '\u{b7}' | '\u{2010}'..='\u{2015}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_cards_are_told_however_they_are_written() {
        // https://docs.stripe.com/testing
        for number in [
            "4242424242424242",
            "4000056655665556",
            "5555555555554444",
            "2223003122003222",
            "5200828282828210",
            "378282246310005",
            "6011111111111117",
            "3056930009020004",
            "36227206271667",
            "6555900000604105",
            "3566002020360505",
            "6200000000000005",
            "4222222222222",
            "4242 4242 4242 4242",
            "4242-4242-4242-4242",
            "3782 822463 10005",
            "my card is 4242.4242.4242.4242, thanks",
            "٤٢٤٢٤٢٤٢٤٢٤٢٤٢٤٢",
            "４２４２４２４２４２４２４２４２",
            "4242\u{a0}4242\u{a0}4242\u{a0}4242",
            "12 4242-4242-4242-4242",
            "{\"card\":4242424242424242}",
            "6205500000000000004",
            "visa4242424242424242",
            "4242424242424242exp1227",
            "x4242424242424242",
            "tok_4242424242424242",
            "4242 - 4242 - 4242 - 4242",
            "4242-4242 4242.4242",
            "42424242 42424242",
            "424242 4242424242",
            "4242\u{ad}4242\u{feff}4242\u{2060}4242",
            "𝟒𝟐𝟒𝟐𝟒𝟐𝟒𝟐𝟒𝟐𝟒𝟐𝟒𝟐𝟒𝟐",
            "④②④②④②④②④②④②④②④②",
            "https://example.com/4242424242424242",
            "https://example.com/?card=629966061834034704",
            "12.5 4242424242424242",
        ] {
            assert!(is_in(number), "{number}");
        }
    }

    #[test]
    fn other_numbers_are_none() {
        for other in [
            "",
            "4242424242424241",
            "424242424242",
            "42424242424242424242",
            "1700000000123",
            "1800000000000000",
            "2027-03-10 2027-03-12",
            "2027-03-10T12:00:00.000000Z",
            "550e8400-e29b-41d4-a716-446655440000",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "4242424242424242a",
            "c4242424242424242",
            "abcd4242-4242-4242-4242-ef0123456789",
            "3056 930009 0200 04",
            "37.83009777016362",
            "{\"south\":37.83009777016362,\"west\":-122.4242424242424242}",
            "+8613800138002",
            "+4915123456787",
            "https://www.airbnb.com/calendar/ical/629966061834034704.ics?s=8f14e45fceea167a5a36dedd4bea2543",
            "105445aa7843bc8bf206b12000100000",
            "1732345678901234567",
            "4242 4242 4242 424x",
            "38.7223,-9.1393",
            "0000000000000000",
        ] {
            assert!(!is_in(other), "{other}");
        }
    }
}
