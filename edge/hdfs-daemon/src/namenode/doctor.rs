//! `/doctor?target=PATH|blk_…`: what is wrong with a file or a block, and what to do, as text.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::{ConnectInfo, Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use hdfs_namenode::Call;
use hdfs_rt::rpc::server::{AuthMethod, CallerIdentity};
use hdfs_types::ErrorKind;

use super::fsck;
use super::shell::{Shell, now};

/// Its route.
pub(super) fn router(shell: Arc<Shell>) -> Router {
    Router::new().route("/doctor", get(doctor)).with_state(shell)
}

async fn doctor(
    State(shell): State<Arc<Shell>>,
    ConnectInfo(remote): ConnectInfo<SocketAddr>,
    Query(parameters): Query<Vec<(String, String)>>,
) -> Response {
    let kind = [(header::CONTENT_TYPE, "text/plain;charset=utf-8")];
    let user = fsck::user(&shell, &parameters);
    let target = parameters.iter().find(|(name, _)| name == "target");
    let Some((_, target)) = target.filter(|_| !user.is_empty()) else {
        let text = "a target is needed: a path or a block\n";
        return (StatusCode::BAD_REQUEST, kind, text).into_response();
    };
    let identity = Arc::new(CallerIdentity { user, real_user: None, auth: AuthMethod::Simple });
    let caller = shell.callers.get(&identity);
    let ip = remote.ip().to_string();
    let call = Call { caller: &caller, client_machine: &ip, key: None, now: now() };
    match shell.read_machine().diagnose(&call, target) {
        Ok(diagnosis) => (kind, diagnosis.text).into_response(),
        Err(error) => {
            let status = match error.kind {
                ErrorKind::FileNotFound => StatusCode::NOT_FOUND,
                ErrorKind::AccessControl => StatusCode::FORBIDDEN,
                _ => StatusCode::BAD_REQUEST,
            };
            (status, kind, format!("{}\n", error.message)).into_response()
        }
    }
}
