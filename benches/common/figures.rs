//! Percentiles and medians.

/// The answers of one window, in milliseconds.
pub(crate) struct Latencies {
    pub(crate) p50: f64,
    pub(crate) p99: f64,
    pub(crate) wrong: u32,
}

impl Latencies {
    pub(crate) fn of(answers: Vec<(f64, bool)>) -> Self {
        let wrong = answers.iter().filter(|(_, good)| !good).count();
        let mut times: Vec<f64> = answers.into_iter().map(|(took, _)| took).collect();
        times.sort_by(f64::total_cmp);
        Self {
            p50: times[times.len() / 2],
            p99: times[times.len() * 99 / 100],
            wrong: u32::try_from(wrong).unwrap_or(u32::MAX),
        }
    }
}

/// The middle one.
pub(crate) fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
