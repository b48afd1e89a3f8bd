//! The house keeps its floors: imports go down only.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// Each module's floor, as the table in `src/lib.rs` has it. A module may import what stands on a lower floor; those that share one know
/// nothing of each other, but for the tables and the outside world.
const FLOORS: &[(&str, u8)] = &[
    ("domain", 0),
    ("entity", 1),
    ("store", 1),
    ("service", 2),
    ("graphql", 3),
    ("jobs", 3),
    ("rest", 3),
    ("http", 4),
    ("app", 5),
    ("cli", 6),
];

fn floor(module: &str) -> Option<u8> {
    FLOORS
        .iter()
        .find(|(name, _)| *name == module)
        .map(|(_, floor)| *floor)
}

fn sources(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).expect("a folder of the sources");
    entries
        .map(|entry| entry.expect("an entry").path())
        .flat_map(|path| {
            if path.is_dir() {
                sources(&path)
            } else {
                vec![path]
            }
        })
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .collect()
}

/// The modules that a file names by `crate::…`, also inside of braces.
fn imports(text: &str) -> Vec<String> {
    let code: Vec<&str> = text
        .lines()
        .map(|line| line.split("//").next().unwrap_or_default())
        .collect();
    let code = code.join("\n");
    let mut found = Vec::new();
    for (start, _) in code.match_indices("crate::") {
        let rest = &code[start + "crate::".len()..];
        if let Some(list) = rest.strip_prefix('{') {
            let mut depth = 0;
            let mut name = String::new();
            for c in list.chars() {
                match c {
                    '{' => depth += 1,
                    '}' if depth == 0 => break,
                    '}' => depth -= 1,
                    ',' if depth == 0 => found.push(std::mem::take(&mut name)),
                    _ if depth == 0 => name.push(c),
                    _ => {}
                }
            }
            found.push(name);
        } else {
            found.push(rest.to_owned());
        }
    }
    let word = |text: String| {
        text.trim()
            .chars()
            .take_while(|c| c.is_alphanumeric() || *c == '_')
            .collect::<String>()
    };
    found
        .into_iter()
        .map(word)
        .filter(|name| !name.is_empty())
        .collect()
}

#[test]
fn imports_go_down_only() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut seen = 0;
    let mut wrong = Vec::new();
    for path in sources(&root) {
        let relative = path.strip_prefix(&root).expect("inside");
        let module = relative
            .components()
            .next()
            .expect("a part")
            .as_os_str()
            .to_string_lossy()
            .into_owned();
        let Some(own) = floor(&module) else {
            assert!(
                ["lib.rs", "main.rs"].contains(&module.as_str()),
                "{module} has no floor"
            );
            continue;
        };
        for import in imports(&fs::read_to_string(&path).expect("text")) {
            let Some(other) = floor(&import) else {
                continue;
            };
            seen += 1;
            let goes_down = other < own
                || import == module
                || (module.as_str(), import.as_str()) == ("store", "entity");
            if !goes_down {
                wrong.push(format!("{} imports {import}", relative.display()));
            }
        }
    }
    assert!(seen > 100, "the imports were not found");
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn an_import_that_goes_up_would_be_found() {
    assert_eq!(
        imports("use crate::{\n    domain::{a, b},\n    http::x,\n};"),
        ["domain", "http"]
    );
    assert_eq!(
        imports("fn f() { crate::graphql::sdl() } // crate::cli"),
        ["graphql"]
    );
}
