//! Limits on tries hold in one process, over Redis, and while Redis is away.

use std::time::Instant;

use chrono::{DateTime, Duration, Utc};
use proptest::{prelude::*, test_runner::TestRunner};
use staygate::{domain::rate::Quota, store::limits::Limiter};
use tokio::{net::TcpListener, task::JoinSet};
use uuid::Uuid;

use crate::support::{START, at, required};

const TEN: Quota = Quota {
    burst: 10,
    every: Duration::minutes(1),
};

fn in_redis() -> Limiter {
    let prefix = format!("test_{}", Uuid::new_v4().simple());
    Limiter::over_redis(&required("STAYGATE_TEST_REDIS"), &prefix).expect("a URL of Redis")
}

/// How many of 64 takes at once succeed, some by a clock that is a little behind.
async fn takes_at_once(limiter: &Limiter) -> usize {
    let mut takes = JoinSet::new();
    for number in 0..64 {
        let limiter = limiter.clone();
        let now = at(START) - Duration::microseconds(number % 7);
        takes.spawn(async move { limiter.take("key", TEN, now).await });
    }
    let decisions = takes.join_all().await;
    decisions.iter().filter(|taken| taken.is_ok()).count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn takes_at_once_never_share_a_place() {
    for limiter in [Limiter::in_process(), in_redis()] {
        assert_eq!(takes_at_once(&limiter).await, 10);
        let wait = limiter.take("key", TEN, at(START)).await.unwrap_err();
        assert!(wait > Duration::zero() && wait <= TEN.every, "{wait}");
        assert_eq!(limiter.take("key", TEN, at(START) + wait).await, Ok(()));
        assert_eq!(limiter.take("another key", TEN, at(START)).await, Ok(()));
        limiter.forget("key").await;
        assert_eq!(takes_at_once(&limiter).await, 10);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn instances_that_share_redis_count_together() {
    let here = in_redis();
    let there = here.clone();
    for _ in 0..5 {
        assert_eq!(here.take("key", TEN, at(START)).await, Ok(()));
        assert_eq!(there.take("key", TEN, at(START)).await, Ok(()));
    }
    assert!(here.take("key", TEN, at(START)).await.is_err());
    there.give_back("key", TEN, at(START)).await;
    assert_eq!(here.take("key", TEN, at(START)).await, Ok(()));
    assert!(there.take("key", TEN, at(START)).await.is_err());
}

/// What is done to a limiter, and how the clock moves before it, in microseconds.
#[derive(Debug, Clone, Copy)]
enum Step {
    Take(i64),
    GiveBack(i64),
    Forget,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let pause = prop_oneof![Just(0), 0_i64..50_000, 0_i64..5_000_000, -20_000_000_i64..0];
    let step = prop_oneof![
        8 => pause.clone().prop_map(Step::Take),
        2 => pause.prop_map(Step::GiveBack),
        1 => Just(Step::Forget),
    ];
    prop::collection::vec(step, 1..80)
}

async fn decisions(limiter: &Limiter, quota: Quota, steps: &[Step]) -> Vec<Result<(), Duration>> {
    let key = Uuid::new_v4().to_string();
    let (mut decisions, mut now): (_, DateTime<Utc>) = (Vec::new(), at(START));
    for step in steps {
        match *step {
            Step::Take(pause) => {
                now += Duration::microseconds(pause);
                decisions.push(limiter.take(&key, quota, now).await);
            }
            Step::GiveBack(pause) => {
                now += Duration::microseconds(pause);
                limiter.give_back(&key, quota, now).await;
            }
            Step::Forget => limiter.forget(&key).await,
        }
    }
    decisions
}

#[test]
fn redis_decides_as_this_process_does() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let (here, redis) = (
        Limiter::in_process(),
        runtime.block_on(async { in_redis() }),
    );
    let cases = (1_u32..8, 1_i64..2_000_000, steps());
    let config = ProptestConfig {
        cases: 64,
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    let checked = TestRunner::new(config).run(&cases, |(burst, every, steps)| {
        let quota = Quota {
            burst,
            every: Duration::microseconds(every),
        };
        let here = runtime.block_on(decisions(&here, quota, &steps));
        let redis = runtime.block_on(decisions(&redis, quota, &steps));
        prop_assert_eq!(here, redis);
        Ok(())
    });
    checked.expect("the same decisions");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_that_is_away_or_silent_holds_nobody_up_for_long_and_lets_nobody_past() {
    let silent = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let silent = (silent.local_addr().expect("an address"), Some(silent));
    let closed = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = closed.local_addr().expect("an address");
    drop(closed);
    let closed = (address, None);
    for (address, _listener) in [silent, closed] {
        let limiter = Limiter::over_redis(&format!("redis://{address}"), "test").expect("a URL");
        let start = Instant::now();
        assert_eq!(takes_at_once(&limiter).await, 10);
        limiter.give_back("key", TEN, at(START)).await;
        assert_eq!(limiter.take("key", TEN, at(START)).await, Ok(()));
        assert!(limiter.take("key", TEN, at(START)).await.is_err());
        limiter.forget("key").await;
        assert_eq!(limiter.take("key", TEN, at(START)).await, Ok(()));
        assert!(start.elapsed().as_secs() < 5, "it waits for Redis");
    }
    assert!(Limiter::over_redis("not a URL", "test").is_err());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn redis_keeps_no_mail_address_and_nothing_for_longer_than_it_says_something() {
    let url = required("STAYGATE_TEST_REDIS");
    let prefix = format!("test_{}", Uuid::new_v4().simple());
    let limiter = Limiter::over_redis(&url, &prefix).expect("a URL of Redis");
    let address = "sign-in:ann@example.com";
    for _ in 0..2 {
        assert_eq!(limiter.take(address, TEN, at(START)).await, Ok(()));
    }
    let client = redis::Client::open(url).expect("a URL of Redis");
    let mut redis = client
        .get_multiplexed_async_connection()
        .await
        .expect("Redis");
    let mut keys = redis::cmd("KEYS");
    keys.arg(format!("{prefix}*"));
    let kept: Vec<String> = keys.query_async(&mut redis).await.expect("keys");
    let [key] = &kept[..] else {
        panic!("one key, not {kept:?}")
    };
    let digest = staygate::domain::digest::sha256_hex(address);
    assert_eq!(*key, format!("{prefix}:limit:{digest}"));
    let ttl: i64 = redis::cmd("PTTL")
        .arg(key)
        .query_async(&mut redis)
        .await
        .expect("a number");
    assert!((150_000..=180_000).contains(&ttl), "{ttl} ms");
    for _ in 0..2 {
        limiter.give_back(address, TEN, at(START)).await;
    }
    let kept: Vec<String> = keys.query_async(&mut redis).await.expect("keys");
    assert_eq!(kept, Vec::<String>::new());
}
