//! The table of `docs/permissions.md`, as data.

use std::collections::BTreeSet;

use super::{answer::Outcome, cast::Who};

const PAGE: &str = include_str!("../../../docs/permissions.md");
const PUBLIC: &str = "## What everyone may read";

/// One row of the table.
pub struct Row {
    /// The first cell without its quotes, such as `Query.property of an unlisted one`.
    pub title: String,
    /// The fields that it names, such as `Query.property`, or `BookingEdge.*`.
    pub fields: Vec<String>,
    /// One for each column, in the order of [`Who::ALL`].
    cells: [Outcome; 6],
}

impl Row {
    /// What the table says of an actor.
    pub fn said_of(&self, who: Who) -> Outcome {
        self.cells[who as usize]
    }

    /// Whether trying it changes something, so that it takes people of its own.
    pub fn changes_something(&self) -> bool {
        let changes = ["Mutation.", "Subscription.availabilityChanged"];
        changes.iter().any(|field| self.title.starts_with(field))
    }
}

/// Every row of the table.
pub fn rows() -> Vec<Row> {
    let header: Vec<_> = Who::ALL.iter().map(|who| who.title()).collect();
    let header = format!("| field | {} |", header.join(" | "));
    assert!(PAGE.contains(&header), "the table has other columns");
    let rows: Vec<_> = PAGE
        .lines()
        .filter(|line| line.starts_with("| `"))
        .map(row)
        .collect();
    let titles: BTreeSet<_> = rows.iter().map(|row| &row.title).collect();
    assert_eq!(titles.len(), rows.len(), "a row stands in the table twice");
    rows
}

fn row(line: &str) -> Row {
    let line_cells: Vec<_> = line.trim_matches('|').split('|').map(str::trim).collect();
    let [name, cells @ ..] = &line_cells[..] else {
        panic!("no cells: {line}");
    };
    let cells: Vec<_> = cells
        .iter()
        .map(|word| {
            Outcome::named(word).unwrap_or_else(|| panic!("`{word}` is not explained: {line}"))
        })
        .collect();
    Row {
        title: name.replace('`', ""),
        fields: quoted(name),
        cells: cells
            .try_into()
            .unwrap_or_else(|_| panic!("not a cell for each actor: {line}")),
    }
}

/// The types whose fields everyone may read.
pub fn public_types() -> BTreeSet<String> {
    let (_, list) = PAGE.split_once(PUBLIC).expect("the list of public types");
    let list = list.split("\n## ").next().unwrap_or_default();
    quoted(list).into_iter().collect()
}

/// What stands between backquotes.
fn quoted(text: &str) -> Vec<String> {
    text.split('`')
        .skip(1)
        .step_by(2)
        .map(str::to_owned)
        .collect()
}
