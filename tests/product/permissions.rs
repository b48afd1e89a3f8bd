//! Who may do what: `docs/permissions.md` is read, and everything in it tried.

mod answer;
mod asked;
mod cast;
mod cell;
mod done;
mod held;
mod schema;
mod table;
mod watched;

use std::collections::BTreeSet;

use futures_util::future::join_all;

use self::{
    answer::Outcome,
    cast::{Cast, Stage, Who},
    cell::{Cell, Probe},
    schema::Schema,
    table::{Row, rows},
};
use crate::support::on_both_engines;

const ROOTS: [&str; 3] = ["Query", "Mutation", "Subscription"];

fn probes() -> impl Iterator<Item = &'static (&'static str, Probe)> {
    let all = [asked::PROBES, done::PROBES, watched::PROBES];
    all.into_iter().flatten()
}

/// The types that the table speaks of, whose every field must have a row.
fn held_types(schema: &Schema, rows: &[Row]) -> BTreeSet<String> {
    let public = table::public_types();
    let fields = rows.iter().flat_map(|row| &row.fields);
    let types = fields.filter_map(|field| field.split_once('.').map(|(object, _)| object));
    let held = types.filter(|object| !public.contains(*object));
    let held: BTreeSet<_> = held.map(str::to_owned).collect();
    assert!(ROOTS.iter().all(|root| held.contains(*root)));
    let unknown: Vec<_> = held
        .iter()
        .filter(|object| schema.fields_of(object).is_empty())
        .collect();
    assert!(
        unknown.is_empty(),
        "rows of types that do not exist: {unknown:?}"
    );
    held
}

/// Every field that not everyone may use.
fn guarded_fields(schema: &Schema, rows: &[Row]) -> BTreeSet<String> {
    let held = held_types(schema, rows);
    held.iter()
        .flat_map(|object| schema.fields_of(object))
        .collect()
}

#[test]
fn the_table_of_permissions_has_every_type_and_field_and_no_other() {
    let schema = Schema::served();
    let rows = rows();
    let (public, payloads) = (table::public_types(), schema.payloads());
    let held = held_types(&schema, &rows);
    let unsorted: Vec<_> = schema
        .objects()
        .filter(|object| {
            !held.contains(*object)
                && !public.contains(*object)
                && !payloads.contains(object.as_str())
        })
        .collect();
    assert!(
        unsorted.is_empty(),
        "neither in the table nor public: {unsorted:?}"
    );
    let known: BTreeSet<_> = schema.objects().collect();
    let gone: Vec<_> = public
        .iter()
        .filter(|object| !known.contains(object))
        .collect();
    assert!(gone.is_empty(), "public types that do not exist: {gone:?}");

    let named: BTreeSet<_> = rows
        .iter()
        .flat_map(|row| row.fields.iter().flat_map(|field| schema.meant_by(field)))
        .collect();
    let all: BTreeSet<_> = schema
        .objects()
        .flat_map(|object| schema.fields_of(object))
        .collect();
    let imaginary: Vec<_> = named.difference(&all).collect();
    assert!(
        imaginary.is_empty(),
        "rows of fields that do not exist: {imaginary:?}"
    );
    let guarded = guarded_fields(&schema, &rows);
    let missing: Vec<_> = guarded.difference(&named).collect();
    assert!(missing.is_empty(), "fields without a row: {missing:?}");
}

/// A field that is added later, and leads to a booking, fails here until it is tried.
#[test]
fn every_way_to_what_is_held_is_tried() {
    let schema = Schema::served();
    let held = held_types(&schema, &rows());
    let held: BTreeSet<_> = held.iter().map(String::as_str).chain(["Node"]).collect();
    let through = held::through();
    let payloads = schema.payloads();
    let untried: Vec<_> = schema
        .ways_to(&held)
        .into_iter()
        .filter(|way| !through.contains(way.as_str()))
        // What a mutation gives is tried by its own row.
        .filter(|way| !payloads.contains(way.split('.').next().unwrap_or_default()))
        // The row of this one looks at everything that comes.
        .filter(|way| way != "Subscription.viewerBookingStatusChanged")
        .collect();
    assert!(untried.is_empty(), "ways that nothing tries: {untried:?}");
}

/// What came of trying one cell.
struct Tried {
    fields: Vec<String>,
    wrong: Vec<String>,
}

/// Tries what one cell speaks of.
async fn compare(row: &Row, cell: &Cell<'_>, schema: &Schema) -> Tried {
    let said = row.said_of(cell.who);
    let probe = probes().find(|(title, _)| *title == row.title);
    let fields: Vec<_> = row
        .fields
        .iter()
        .flat_map(|field| schema.meant_by(field))
        .collect();
    let mut wrong = vec![];
    for field in &fields {
        let seen = if let Some((_, probe)) = probe {
            Some(Outcome::of_all(&probe(cell).await, &cell.caller().id))
        } else {
            let (holder, name) = field.split_once('.').expect("a type and a field");
            held::outcome(cell, schema, holder, name).await
        };
        let (outcome, answer) = seen.unwrap_or_else(|| panic!("nothing tries `{}`", row.title));
        if outcome != said {
            let (title, who) = (&row.title, cell.who.title());
            let (said, outcome) = (said.word(), outcome.word());
            wrong.push(format!(
                "`{title}` ({field}) as {who}: the table says `{said}`, the product `{outcome}`: {answer}"
            ));
        }
    }
    Tried { fields, wrong }
}

on_both_engines! {
    async fn everybody_may_do_what_the_table_of_permissions_says_and_nothing_else(world: World) {
        let (schema, rows, stage) = (Schema::served(), rows(), Stage::set(&world).await);
        let (mut tried, mut wrong, mut answers) = (BTreeSet::new(), vec![], 0);
        for (number, row) in rows.iter().enumerate() {
            let cells = Who::ALL.map(async |who| {
                let cast = if row.changes_something() {
                    Cast::new(&world, 1 + number * Who::ALL.len() + who as usize).await
                } else {
                    stage.cast.clone()
                };
                let cell = Cell { world: &world, stage: &stage, cast, who };
                compare(row, &cell, &schema).await
            });
            for cell in join_all(cells).await {
                answers += cell.fields.len();
                tried.extend(cell.fields);
                wrong.extend(cell.wrong);
            }
        }
        assert!(wrong.is_empty(), "{} of {answers} answers:\n{}", wrong.len(), wrong.join("\n"));
        let guarded = guarded_fields(&schema, &rows);
        let untried: Vec<_> = guarded.difference(&tried).collect();
        assert!(untried.is_empty(), "fields that are not public, and that nothing tried: {untried:?}");
        let titles: BTreeSet<_> = rows.iter().map(|row| row.title.as_str()).collect();
        let idle: Vec<_> = probes().map(|(title, _)| *title).filter(|title| !titles.contains(title)).collect();
        assert!(idle.is_empty(), "tried, and without a row: {idle:?}");
        println!("{} fields × {} actors tried, by {answers} answers of {} rows", guarded.len(), Who::ALL.len(), rows.len());
    }
}
