//! `docs/threats.md` names tests that there are.

use std::{fs, path::Path};

const PAGE: &str = include_str!("../../../../docs/threats.md");

/// Whether a file at this path below the crate's folder has a test of this name.
fn has_test(file: &str, name: &str) -> bool {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
    let source = fs::read_to_string(path).unwrap_or_default();
    source.contains(&format!("fn {name}("))
}

#[test]
fn every_attack_of_the_cheat_sheet_has_a_test_that_there_is() {
    let rows = PAGE.lines().filter(|line| line.starts_with("| ["));
    let mut named = 0;
    for row in rows {
        let tests = row.trim_end_matches(" |").rsplit(" | ").next();
        let tests: Vec<_> = tests
            .unwrap_or_default()
            .split('`')
            .skip(1)
            .step_by(2)
            .collect();
        assert!(!tests.is_empty(), "an attack without a test: {row}");
        for test in tests {
            let (file, name) = test.split_once("::").expect("a file and a test");
            assert!(has_test(file, name), "there is no {test}");
            named += 1;
        }
    }
    assert!(named > 40, "the page was not read");
}
