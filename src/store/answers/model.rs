//! Every order in which writers, readers and those who are given kept answers can take their steps: nobody who asks after a write was acknowledged is
//! given what was there before it.

use std::sync::Arc;

use chrono::DateTime;

use super::{Answer, versions::Versions};
use crate::domain::freshness::{Moment, Slot, Tag, slots};

/// Runs something for every order of the steps of some actors, of whom each takes so many. An order is a list of actors, by their numbers.
fn in_every_order(steps: &[usize], run: &mut impl FnMut(&[usize])) -> usize {
    fn go(left: &mut [usize], order: &mut Vec<usize>, run: &mut impl FnMut(&[usize])) -> usize {
        let mut runs = 0;
        let mut ends = true;
        for actor in 0..left.len() {
            if left[actor] > 0 {
                ends = false;
                left[actor] -= 1;
                order.push(actor);
                runs += go(left, order, run);
                order.pop();
                left[actor] += 1;
            }
        }
        if ends {
            run(order);
            runs = 1;
        }
        runs
    }
    go(&mut steps.to_vec(), &mut vec![], run)
}

/// An answer, and which version of the row it shows.
type Shown = (Arc<Answer>, usize);

fn answer(began: Moment, tags: &[Slot]) -> Arc<Answer> {
    Arc::new(Answer::new(
        bytes::Bytes::new(),
        began,
        tags.into(),
        DateTime::UNIX_EPOCH,
    ))
}

/// One process, and the one row that is written, read, and shown.
struct Process {
    versions: Versions,
    tags: Box<[Slot]>,
    committed: usize,
    acknowledged: usize,
    kept: Option<Shown>,
}

impl Process {
    fn new() -> Self {
        let tags = slots([Tag::Listings]);
        let versions = Versions::of_slots(1);
        // Before anything happens an answer is kept and was given.
        let kept = answer(versions.now(), &tags);
        assert!(versions.is_fresh(&kept));
        Self {
            versions,
            tags,
            committed: 0,
            acknowledged: 0,
            kept: Some((kept, 0)),
        }
    }
}

/// How far a reader has come, who makes an answer and keeps it.
#[derive(Default)]
struct Reader {
    began: Option<Moment>,
    seen: usize,
}

impl Reader {
    /// What a reader does in its next step: begins, reads, keeps.
    fn step(&mut self, number: usize, process: &mut Process) {
        match number {
            0 => self.began = Some(process.versions.now()),
            1 => self.seen = process.committed,
            _ => {
                let began = self.began.expect("it has begun");
                process.kept = Some((answer(began, &process.tags), self.seen));
            }
        }
    }
}

/// Somebody who is given what is kept: the steps of [`Versions::is_fresh`], one by one.
#[derive(Default)]
struct Asker {
    acknowledged: usize,
    found: Option<Shown>,
    generation: u64,
    is_fresh: bool,
}

impl Asker {
    fn step(&mut self, number: usize, process: &Process) {
        match number {
            0 => {
                self.acknowledged = process.acknowledged;
                self.found.clone_from(&process.kept);
            }
            1 => self.generation = process.versions.generation(),
            2 => {
                let (answer, _) = self.found.as_ref().expect("something is always kept");
                self.is_fresh = answer.was_fresh_in(self.generation)
                    || process.versions.is_newer_than_its_slots(answer);
            }
            _ => {
                let (answer, seen) = self.found.as_ref().expect("something is always kept");
                if self.is_fresh {
                    answer.found_fresh_in(self.generation);
                    assert!(*seen >= self.acknowledged, "a stale answer was given");
                }
            }
        }
    }
}

/// Asks in one step.
fn asks(process: &Process) {
    let (answer, seen) = process.kept.as_ref().expect("something is always kept");
    if process.versions.is_fresh(answer) {
        assert!(
            *seen >= process.acknowledged,
            "a stale answer was given again"
        );
    }
}

#[test]
fn nobody_is_given_what_was_there_before_an_acknowledged_write() {
    let mut given = 0;
    // A writer, one who asks step by step, a reader whose answer is kept, and one who asks at once.
    let orders = in_every_order(&[4, 4, 3, 1], &mut |order| {
        let mut process = Process::new();
        let mut taken = [0; 4];
        let (mut asker, mut reader) = (Asker::default(), Reader::default());
        for &actor in order {
            let number = taken[actor];
            taken[actor] += 1;
            match (actor, number) {
                (0, 0) => process.committed = 1,
                // What `bump` does, which no other writer comes between.
                (0, 1) => process.versions.raise(Moment(2), &process.tags),
                (0, 2) => process.versions.advance(Moment(2)),
                (0, _) => process.acknowledged = 1,
                (1, _) => asker.step(number, &process),
                (2, _) => reader.step(number, &mut process),
                _ => asks(&process),
            }
        }
        given += usize::from(asker.is_fresh);
    });
    assert_eq!(orders, 138_600);
    assert!(given > orders / 3, "what is fresh is given: {given}");
}

/// The steps of what is read from a replica: the moment is taken, the primary says how far it is, a reader begins, reads what the replica has by then, at
/// least as much as that, and keeps it.
fn reads_replica(
    number: usize,
    process: &mut Process,
    known: &mut (Moment, usize),
    reader: &mut Reader,
) {
    match number {
        0 => known.0 = process.versions.now(),
        1 => known.1 = process.committed,
        2 => reader.step(0, process),
        3 => reader.seen = known.1,
        _ => {
            reader.began = reader.began.map(|began| began.min(known.0));
            reader.step(2, process);
        }
    }
}

#[test]
fn what_was_read_from_a_replica_is_as_old_as_what_it_is_known_to_have() {
    let mut kept = 0;
    // A writer, a reader, and one who asks at once.
    let orders = in_every_order(&[4, 5, 1], &mut |order| {
        let mut process = Process::new();
        let mut taken = [0; 3];
        let (mut reader, mut known) = (Reader::default(), (Moment(0), 0));
        for &actor in order {
            let number = taken[actor];
            taken[actor] += 1;
            match (actor, number) {
                (0, 0) => process.committed = 1,
                (0, 1) => process.versions.raise(Moment(2), &process.tags),
                (0, 2) => process.versions.advance(Moment(2)),
                (0, _) => process.acknowledged = 1,
                (1, _) => reads_replica(number, &mut process, &mut known, &mut reader),
                _ => asks(&process),
            }
        }
        asks(&process);
        let (answer, _) = process.kept.as_ref().expect("something is always kept");
        kept += usize::from(process.versions.is_fresh(answer));
    });
    assert_eq!(orders, 1_260);
    assert!(kept > 0, "what is new is kept");
}

/// What Redis has: what its scripts do is one step each.
struct Shared {
    clock: u64,
    bumped: u64,
    kept: (u64, usize),
    /// What was told and not heard yet.
    told: bool,
}

impl Shared {
    /// An answer if it is fresh, and the clock.
    fn get(&self) -> (Option<usize>, Moment) {
        let (began, seen) = self.kept;
        let fresh = (self.bumped <= began).then_some(seen);
        (fresh, Moment(self.clock))
    }
}

/// Two instances share Redis: a writer is on `here`, a reader and its answer on `there`.
struct Instances {
    here: Process,
    there: Process,
    shared: Shared,
    there_has_heard: bool,
}

impl Instances {
    fn new() -> Self {
        let instances = Self {
            here: Process::new(),
            there: Process::new(),
            shared: Shared {
                clock: 1,
                bumped: 0,
                kept: (1, 0),
                told: false,
            },
            there_has_heard: false,
        };
        assert_eq!(instances.shared.get(), (Some(0), Moment(1)));
        instances
    }

    fn write(&mut self, number: usize) {
        match number {
            0 => {
                self.here.committed = 1;
                self.there.committed = 1;
            }
            1 => {
                self.shared.clock += 1;
                self.shared.bumped = self.shared.clock;
                self.shared.told = true;
            }
            2 => self.here.versions.raise(Moment(2), &self.here.tags),
            _ => {
                self.here.acknowledged = 1;
                self.there.acknowledged = 1;
            }
        }
    }

    /// A reader on `there`, whose answer is kept there and in Redis.
    fn read(&mut self, reader: &mut Reader, number: usize) {
        match number {
            0 => reader.began = Some(self.shared.get().1),
            1 => reader.seen = self.there.committed,
            _ => {
                reader.step(number, &mut self.there);
                let Moment(began) = reader.began.expect("it has begun");
                self.shared.kept = (began, reader.seen);
            }
        }
    }

    /// What was told is heard on an instance.
    fn hear(&mut self, here: bool) {
        let process = if here { &self.here } else { &self.there };
        process.versions.raise(Moment(2), &process.tags);
        process.versions.advance(Moment(2));
        self.there_has_heard |= !here;
    }
}

#[test]
fn an_instance_that_shares_redis_gives_nothing_that_is_older_than_its_own_writes() {
    let mut fetched = 0;
    // A writer and one who asks on one instance, which takes an answer from Redis that a reader on the other one has made; and what is heard.
    let orders = in_every_order(&[4, 3, 1, 1, 1], &mut |order| {
        let (mut instances, mut reader) = (Instances::new(), Reader::default());
        let mut taken = [0; 5];
        for &actor in order {
            let number = taken[actor];
            taken[actor] += 1;
            match actor {
                0 => instances.write(number),
                1 => instances.read(&mut reader, number),
                2 if !instances.shared.told => return,
                2 => instances.hear(true),
                3 => {
                    if let (Some(seen), at) = instances.shared.get() {
                        fetched += 1;
                        assert!(
                            seen >= instances.here.acknowledged,
                            "Redis gave a stale one"
                        );
                        let kept = answer(at, &instances.here.tags);
                        instances.here.kept = Some((kept, seen));
                    }
                }
                _ => asks(&instances.here),
            }
        }
    });
    assert_eq!(orders, 25_200);
    assert!(fetched > 1_000, "{fetched}");
}

#[test]
fn another_instance_gives_nothing_that_is_older_than_what_it_has_heard_of_and_without_its_own_layer_nothing_old_at_all()
 {
    let orders = in_every_order(&[4, 3, 1, 1, 1], &mut |order| {
        let (mut instances, mut reader) = (Instances::new(), Reader::default());
        let mut taken = [0; 5];
        for &actor in order {
            let number = taken[actor];
            taken[actor] += 1;
            match actor {
                0 => instances.write(number),
                1 => instances.read(&mut reader, number),
                2 if !instances.shared.told => return,
                2 => instances.hear(false),
                // Through Redis alone.
                3 => {
                    let (given, _) = instances.shared.get();
                    let acknowledged = instances.there.acknowledged;
                    assert!(given.is_none_or(|seen| seen >= acknowledged));
                }
                _ if instances.there_has_heard => asks(&instances.there),
                _ => {}
            }
        }
    });
    assert_eq!(orders, 25_200);
}
