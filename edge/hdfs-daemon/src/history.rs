//! A bounded past of a daemon's numbers, for the plots of the web interface: a sample every five seconds for an hour, and
//! one a minute for a day. Older ones are forgotten; nothing is averaged or made up. What the process did not see, because
//! it did not run, is a gap.
//!
//! Served at `/history` as JSON, which only our own pages read; other programs use `/jmx` or `/prom`.

use std::collections::VecDeque;
use std::sync::{Arc, Weak};
use std::time::Duration;

use axum::Router;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use hdfs_rt::clock;
use hdfs_types::WallMillis;
use parking_lot::Mutex;
use serde_json::{Value, json};

/// Between two samples of the hour.
const FINE: Duration = Duration::from_secs(5);
/// An hour of them.
const FINE_SAMPLES: usize = 720;
/// So many fine samples lie between two of the day.
const FINE_PER_COARSE: u64 = 12;
/// A day of minutes.
const COARSE_SAMPLES: usize = 1_440;

/// How to read a column.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    /// What is, at the moment of the sample.
    Gauge,
    /// What was counted since the process began: differences over time mean something.
    Counter,
}

/// A number that every sample holds.
pub(crate) type Column = (&'static str, Kind);

/// The samples of one daemon, which are the numbers of its columns in order.
pub(crate) struct History {
    columns: &'static [Column],
    rings: Mutex<Rings>,
}

#[derive(Default)]
struct Rings {
    recorded: u64,
    fine: Ring,
    coarse: Ring,
}

/// Samples, oldest first, and the moment of each.
#[derive(Default)]
struct Ring(VecDeque<(WallMillis, Box<[u64]>)>);

impl Ring {
    fn push(&mut self, limit: usize, at: WallMillis, values: Box<[u64]>) {
        if self.0.len() == limit {
            self.0.pop_front();
        }
        self.0.push_back((at, values));
    }
}

impl History {
    /// An empty past.
    pub(crate) fn new(columns: &'static [Column]) -> Arc<Self> {
        Arc::new(Self { columns, rings: Mutex::default() })
    }

    fn record(&self, at: WallMillis, values: Vec<u64>) {
        debug_assert_eq!(values.len(), self.columns.len(), "a sample has a number for each column");
        let mut rings = self.rings.lock();
        if rings.recorded.is_multiple_of(FINE_PER_COARSE) {
            rings.coarse.push(COARSE_SAMPLES, at, values.clone().into());
        }
        rings.recorded += 1;
        rings.fine.push(FINE_SAMPLES, at, values.into());
    }

    /// The samples later than `since`, column by column.
    fn json(&self, coarse: bool, since: WallMillis) -> Value {
        let rings = self.rings.lock();
        let ring = if coarse { &rings.coarse } else { &rings.fine };
        let later: Vec<_> = ring.0.iter().filter(|(at, _)| *at > since).collect();
        let times: Vec<u64> = later.iter().map(|(at, _)| at.0).collect();
        let columns: Vec<Value> = self
            .columns
            .iter()
            .enumerate()
            .map(|(index, (name, kind))| {
                let values: Vec<u64> = later.iter().map(|(_, values)| values[index]).collect();
                let kind = if *kind == Kind::Counter { "counter" } else { "gauge" };
                json!({"name": name, "kind": kind, "values": values})
            })
            .collect();
        let interval = FINE.as_millis() as u64 * if coarse { FINE_PER_COARSE } else { 1 };
        json!({"interval": interval, "times": times, "columns": columns})
    }

    /// The route `/history`, with the parameters `span` (`hour` or `day`) and `since` (milliseconds since 1970).
    pub(crate) fn router(self: &Arc<Self>) -> Router {
        Router::new().route("/history", get(answer)).with_state(Arc::clone(self))
    }
}

async fn answer(
    State(history): State<Arc<History>>,
    Query(parameters): Query<Vec<(String, String)>>,
) -> Response {
    let parameter = |name: &str| {
        parameters.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    };
    let since = parameter("since").and_then(|text| text.parse().ok()).unwrap_or(0);
    let body = history.json(parameter("span") == Some("day"), WallMillis(since)).to_string();
    let mut headers = HeaderMap::new();
    let mut set = |name, value| headers.insert(name, HeaderValue::from_static(value));
    set(header::CONTENT_TYPE, "application/json; charset=utf-8");
    set(header::CACHE_CONTROL, "no-store");
    // As `/jmx`: the NameNode's page adds up what the DataNodes tell.
    set(header::ACCESS_CONTROL_ALLOW_ORIGIN, "*");
    (headers, body).into_response()
}

/// Records what `sample` tells every five seconds, until nobody holds the history or `sample` has nothing to tell.
pub(crate) async fn keep(
    history: Weak<History>,
    sample: impl Fn() -> Option<Vec<u64>> + Send + 'static,
) {
    let mut ticks = tokio::time::interval(FINE);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let (Some(history), Some(values)) = (history.upgrade(), sample()) else { return };
        history.record(clock::wall(), values);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLUMNS: &[Column] = &[("Used", Kind::Gauge), ("Calls", Kind::Counter)];

    fn filled(samples: u64) -> Arc<History> {
        let history = History::new(COLUMNS);
        for number in 1..=samples {
            history.record(WallMillis(number * 5_000), vec![number, number * 10]);
        }
        history
    }

    #[test]
    fn an_hour_and_a_day_are_kept_and_no_more() {
        let history = filled(12 * 60 * 30);
        let (fine, coarse) =
            (history.json(false, WallMillis(0)), history.json(true, WallMillis(0)));
        assert_eq!(fine["times"].as_array().map(Vec::len), Some(720));
        assert_eq!(coarse["times"].as_array().map(Vec::len), Some(1_440));
        assert_eq!((&fine["interval"], &coarse["interval"]), (&json!(5_000), &json!(60_000)));
        assert_eq!(fine["times"][719], json!(12 * 60 * 30 * 5_000_u64));
        let times: Vec<u64> =
            coarse["times"].as_array().unwrap().iter().map(|at| at.as_u64().unwrap()).collect();
        assert!(times.windows(2).all(|pair| pair[1] - pair[0] == 60_000));
    }

    #[test]
    fn only_what_is_new_is_told_to_a_page_that_asks_again() {
        let answer = filled(10).json(false, WallMillis(45_000));
        let expected = json!({"interval": 5_000, "times": [50_000], "columns": [
            {"name": "Used", "kind": "gauge", "values": [10]},
            {"name": "Calls", "kind": "counter", "values": [100]},
        ]});
        assert_eq!(answer, expected);
    }
}
