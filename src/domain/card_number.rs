//! Telling what looks like the number of a payment card, so that none is ever logged or kept.
//!
//! A number has 13 to 19 digits, begins as the networks' numbers do, and ends with a check digit (ISO/IEC 7812-1, Luhn's formula). It is
//! written in one piece, or in the groups that are printed on cards. One in ten other numbers of that length has a fitting last digit: hence the beginnings and
//! the groups, so that the time in milliseconds, a date or a UUID is not taken for one.

/// The fewest and the most digits.
const LENGTHS: std::ops::RangeInclusive<usize> = 13..=19;

/// Nineteen digits in fours.
const MOST_GROUPS: usize = 5;

/// Whether a text has in it what looks like a card number. It takes time in proportion to the text.
#[must_use]
pub fn is_in(text: &str) -> bool {
    let characters: Vec<char> = text.chars().collect();
    let mut at = 0;
    while at < characters.len() {
        if digit(characters[at]).is_none() {
            at += 1;
            continue;
        }
        let groups = groups(&characters, at);
        if begins_number(&characters, at, &groups) {
            return true;
        }
        at = groups[0].end;
    }
    false
}

/// Digits that stand together.
struct Group {
    digits: Vec<u8>,
    /// The place after them.
    end: usize,
}

/// The groups of digits from a place on, as many as a number has, with one and the same character between them.
fn groups(characters: &[char], from: usize) -> Vec<Group> {
    let (mut groups, mut at, mut between) = (vec![], from, None);
    loop {
        let digits: Vec<u8> = characters[at..].iter().map_while(|c| digit(*c)).collect();
        at += digits.len();
        groups.push(Group { digits, end: at });
        let separator = characters.get(at).copied().filter(|c| separates(*c));
        let goes_on = characters
            .get(at + 1)
            .is_some_and(|next| digit(*next).is_some());
        let is_other = between.is_some() && between != separator;
        if groups.len() == MOST_GROUPS || separator.is_none() || !goes_on || is_other {
            return groups;
        }
        between = separator;
        at += 1;
    }
}

/// Whether the first of some groups are a number. Digits within a word, or a hexadecimal number, are its own.
fn begins_number(characters: &[char], at: usize, groups: &[Group]) -> bool {
    let is_letter = |place: usize| characters.get(place).is_some_and(char::is_ascii_alphabetic);
    if at.checked_sub(1).is_some_and(is_letter) {
        return false;
    }
    (1..=groups.len()).any(|count| {
        let some: Vec<&[u8]> = groups[..count]
            .iter()
            .map(|group| &group.digits[..])
            .collect();
        is_printed(&some) && !is_letter(groups[count - 1].end) && is_number(&some.concat())
    })
}

/// Whether numbers are printed in such groups: in one, in fours, or as 4-6-5 and 4-6-4.
fn is_printed(groups: &[&[u8]]) -> bool {
    let lengths: Vec<_> = groups.iter().map(|group| group.len()).collect();
    match lengths[..] {
        [_] | [4, 6, 4 | 5] => true,
        [ref fours @ .., last] => {
            fours.iter().all(|length| *length == 4) && (1..=4).contains(&last)
        }
        [] => false,
    }
}

fn is_number(digits: &[u8]) -> bool {
    if !LENGTHS.contains(&digits.len()) {
        return false;
    }
    let begin = digits[..4]
        .iter()
        .fold(0_u32, |begin, digit| begin * 10 + u32::from(*digit));
    // https://en.wikipedia.org/wiki/Payment_card_number: no bank's card begins with 0 or 7, and those with 1 are of airlines.
    let is_networks = matches!(begin, 2200..=2204 | 2221..=2720 | 3000..=6999 | 8000..=9999);
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

/// A digit, in whatever script keyboards write it.
fn digit(c: char) -> Option<u8> {
    let zero = match c {
        '0'..='9' => '0',
        '\u{660}'..='\u{669}' => '\u{660}',
        '\u{6f0}'..='\u{6f9}' => '\u{6f0}',
        '\u{966}'..='\u{96f}' => '\u{966}',
        '\u{ff10}'..='\u{ff19}' => '\u{ff10}',
        _ => return None,
    };
    u8::try_from(u32::from(c) - u32::from(zero)).ok()
}

fn separates(c: char) -> bool {
    c.is_whitespace()
        || matches!(c, '-' | '.' | '_' | '/' | '\u{b7}' | '\u{2010}'..='\u{2015}' | '\u{200b}'..='\u{200d}')
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
            "3056 930009 0200 04",
            "my card is 4242.4242.4242.4242, thanks",
            "٤٢٤٢٤٢٤٢٤٢٤٢٤٢٤٢",
            "４２４２４２４２４２４２４２４２",
            "4242\u{a0}4242\u{a0}4242\u{a0}4242",
            "12 4242-4242-4242-4242",
            "{\"card\":4242424242424242}",
            "6205500000000000004",
        ] {
            let printed = number != "3056 930009 0200 04";
            assert_eq!(is_in(number), printed, "{number}");
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
            "x4242424242424242",
            "4242424242424242a",
            "4242 4242 4242 424x",
            "38.7223,-9.1393",
            "0000000000000000",
        ] {
            assert!(!is_in(other), "{other}");
        }
    }
}
