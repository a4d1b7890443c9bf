//! `/stacks`: the threads of this process.
//!
//! There are no Java stacks. What the kernel knows of each thread is shown: name, state, where it sleeps, processor time
//! and how often it slept (`Waited`) or was interrupted (`Blocked`).
//!
//! Hadoop: org.apache.hadoop.http.HttpServer2.StackServlet (3.5.0)

use std::fmt::Write;

use axum::Router;
use axum::http::header;
use axum::response::IntoResponse;
use axum::routing::get;

use crate::process::{self, ThreadStats};

pub(super) fn router() -> Router {
    Router::new().route("/stacks", get(page))
}

async fn page() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/plain;charset=utf-8")], text(&process::threads()))
}

fn text(threads: &[ThreadStats]) -> String {
    let mut out = format!("Process Thread Dump: \n{} active threads\n", threads.len());
    for thread in threads {
        let state = match thread.state {
            'R' => "RUNNABLE",
            'S' => "WAITING",
            'D' => "BLOCKED",
            'T' | 't' => "STOPPED",
            _ => "TERMINATED",
        };
        // Writing to a String can't fail.
        let _ = write!(
            out,
            "Thread {} ({}):\n  State: {state}\n  Blocked count: {}\n  Waited count: {}\n",
            thread.id, thread.name, thread.involuntary_switches, thread.voluntary_switches
        );
        if let Some(place) = &thread.waits_in {
            let _ = writeln!(out, "  Waiting on {place}");
        }
        let _ = writeln!(
            out,
            "  CPU: {} ms user, {} ms system",
            thread.user.as_millis(),
            thread.system.as_millis()
        );
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_thread_is_shown_with_its_state_and_time() {
        let thread = ThreadStats {
            id: 7,
            name: "edit-log".to_owned(),
            state: 'S',
            waits_in: Some("futex_wait_queue".to_owned()),
            user: Duration::from_millis(30),
            system: Duration::from_millis(10),
            voluntary_switches: 5,
            involuntary_switches: 2,
        };
        assert_eq!(
            text(&[thread]),
            "Process Thread Dump: \n1 active threads\nThread 7 (edit-log):\n  State: WAITING\n  Blocked count: 2\n  \
             Waited count: 5\n  Waiting on futex_wait_queue\n  CPU: 30 ms user, 10 ms system\n"
        );
    }
}
