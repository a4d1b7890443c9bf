//! The web interface: pages, modules and styles that are part of the binary, and the headers that they are served with.
//!
//! Pages and modules are in `edge/hdfs-daemon/web/`: plain HTML, one style sheet and ES modules, without a build step.
//! They read what everyone can read (`/jmx`, `/conf`, `/startupProgress`, WebHDFS) and `/history`.
//!
//! **Invariant:** no page loads anything from elsewhere. The Content-Security-Policy allows scripts and styles of this
//! server only, and connections only to it and to the DataNodes that it knows.

use std::sync::{Arc, LazyLock};

use axum::Router;
use axum::extract::Path;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use md5::{Digest as _, Md5};

/// Tells the origins (`http://host:port`) that a page may talk to besides its own.
pub(crate) type Origins = Arc<dyn Fn() -> Vec<String> + Send + Sync>;

/// More origins than these would make too long a header; then any host with the same ports is allowed.
const MAX_ORIGINS: usize = 64;

/// One file of `web/`.
struct Asset {
    name: &'static str,
    content_type: &'static str,
    bytes: &'static [u8],
}

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const SVG: &str = "image/svg+xml";

macro_rules! asset {
    ($name:literal, $content_type:expr) => {
        Asset {
            name: $name,
            content_type: $content_type,
            bytes: include_bytes!(concat!("../web/", $name)),
        }
    };
}

const NAMENODE_PAGE: Asset = asset!("namenode.html", HTML);
const DATANODE_PAGE: Asset = asset!("datanode.html", HTML);
/// What is served below `/static/`.
const ASSETS: &[Asset] = &[
    asset!("api.js", SCRIPT),
    asset!("charts.js", SCRIPT),
    asset!("datanode.js", SCRIPT),
    asset!("datanodes.js", SCRIPT),
    asset!("details.js", SCRIPT),
    asset!("dom.js", SCRIPT),
    asset!("explorer.js", SCRIPT),
    asset!("files.js", SCRIPT),
    asset!("format.js", SCRIPT),
    asset!("frame.js", SCRIPT),
    asset!("history.js", SCRIPT),
    asset!("listing.js", SCRIPT),
    asset!("modes.js", SCRIPT),
    asset!("namenode.js", SCRIPT),
    asset!("nodes.js", SCRIPT),
    asset!("overview.js", SCRIPT),
    asset!("snapshots.js", SCRIPT),
    asset!("startup.js", SCRIPT),
    asset!("table.js", SCRIPT),
    asset!("theme.js", SCRIPT),
    asset!("tools.js", SCRIPT),
    asset!("uploads.js", SCRIPT),
    asset!("tusk.css", CSS),
    asset!("tusk.svg", SVG),
];

/// A tag of each file, which changes when it does.
static ETAGS: LazyLock<Vec<String>> = LazyLock::new(|| ASSETS.iter().map(etag).collect());

fn etag(asset: &Asset) -> String {
    format!("\"{:032x}\"", u128::from_be_bytes(Md5::digest(asset.bytes).into()))
}

/// The NameNode's pages: `/`, `/dfshealth.html`, `/explorer.html`, and the modules below `/static/`.
pub(crate) fn namenode_router(datanodes: Origins) -> Router {
    let page = move |headers: HeaderMap| {
        let policy = policy(&datanodes());
        async move { serve(&NAMENODE_PAGE, &etag(&NAMENODE_PAGE), &headers, &policy) }
    };
    Router::new()
        .route("/", get(|| async { Redirect::temporary("/dfshealth.html") }))
        .route("/index.html", get(|| async { Redirect::temporary("/dfshealth.html") }))
        .route("/dfshealth.html", get(page.clone()))
        .route("/explorer.html", get(page))
        .merge(assets_router())
}

/// The DataNode's page: `/`, `/datanode.html`, and the modules below `/static/`.
pub(crate) fn datanode_router() -> Router {
    let page = |headers: HeaderMap| async move {
        serve(&DATANODE_PAGE, &etag(&DATANODE_PAGE), &headers, &policy(&[]))
    };
    Router::new()
        .route("/", get(|| async { Redirect::temporary("/datanode.html") }))
        .route("/index.html", get(|| async { Redirect::temporary("/datanode.html") }))
        .route("/datanode.html", get(page))
        .merge(assets_router())
}

fn assets_router() -> Router {
    let icon = |headers: HeaderMap| asset(Path("tusk.svg".to_owned()), headers);
    Router::new().route("/static/{name}", get(asset)).route("/favicon.ico", get(icon))
}

async fn asset(Path(name): Path<String>, headers: HeaderMap) -> Response {
    match ASSETS.iter().position(|asset| asset.name == name) {
        Some(index) => serve(&ASSETS[index], &ETAGS[index], &headers, "default-src 'none'"),
        None => (StatusCode::NOT_FOUND, format!("There is no /static/{name}\n")).into_response(),
    }
}

fn serve(asset: &Asset, etag: &str, request: &HeaderMap, policy: &str) -> Response {
    let known = request.get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok());
    let unchanged = known.is_some_and(|known| {
        known.split(',').any(|tag| tag.trim().trim_start_matches("W/") == etag || tag == "*")
    });
    let mut response = if unchanged {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        asset.bytes.into_response()
    };
    let headers = response.headers_mut();
    let mut set = |name, value: &str| match HeaderValue::from_str(value) {
        Ok(value) => drop(headers.insert(name, value)),
        Err(error) => {
            tracing::warn!(%name, value, %error, "a header of the web interface is left out")
        }
    };
    set(header::CONTENT_TYPE, asset.content_type);
    set(header::ETAG, etag);
    // Asked for again each time, and answered with 304 until the binary changes.
    set(header::CACHE_CONTROL, "no-cache");
    set(header::CONTENT_SECURITY_POLICY, policy);
    set(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(header::X_FRAME_OPTIONS, "SAMEORIGIN");
    set(header::REFERRER_POLICY, "no-referrer");
    response
}

/// The Content-Security-Policy of a page that may also talk to `origins`.
fn policy(origins: &[String]) -> String {
    let mut connect = String::from("'self'");
    for origin in shortened(origins) {
        connect.push(' ');
        connect.push_str(&origin);
    }
    format!(
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src {connect}; form-action \
         'none'; base-uri 'none'; frame-ancestors 'self'"
    )
}

/// Origins that a policy can carry: many hosts, and addresses of IPv6 (which it has no form for), become `*` with a port.
fn shortened(origins: &[String]) -> Vec<String> {
    let by_port = |origin: &String| match (origin.split_once("://"), origin.rsplit_once(':')) {
        (Some((scheme, _)), Some((_, port))) => format!("{scheme}://*:{port}"),
        _ => origin.clone(),
    };
    let many = origins.len() > MAX_ORIGINS;
    let safe = |origin: &String| {
        origin.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._:/*".contains(&byte))
    };
    let shorten = |origin: &String| {
        if many || origin.contains('[') { by_port(origin) } else { origin.clone() }
    };
    let mut shown: Vec<String> = origins.iter().map(shorten).filter(safe).collect();
    shown.sort_unstable();
    shown.dedup();
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_names_the_datanodes_and_nothing_else() {
        let origins = ["http://dn1:9864", "http://[::1]:9866", "http://a; script-src *:1"];
        let policy = policy(&origins.map(str::to_owned));
        assert!(
            policy.contains("connect-src 'self' http://*:9866 http://dn1:9864; form-action"),
            "{policy}"
        );
    }

    #[test]
    fn a_thousand_datanodes_fit_into_a_header() {
        let origins: Vec<String> = (0..1_000).map(|n| format!("http://dn{n}:9864")).collect();
        assert_eq!(shortened(&origins), ["http://*:9864"]);
    }

    #[test]
    fn pages_name_only_modules_that_are_served() {
        let text = |asset: &Asset| String::from_utf8(asset.bytes.to_vec()).unwrap();
        let pages = [&NAMENODE_PAGE, &DATANODE_PAGE].map(|page| (page.name, text(page)));
        let modules = ASSETS.iter().map(|asset| (asset.name, text(asset)));
        for (file, text) in pages.into_iter().chain(modules) {
            for quoted in text.split(['"', '\'']).filter(|part| !part.contains(char::is_whitespace))
            {
                let module = quoted.strip_prefix("/static/").or_else(|| quoted.strip_prefix("./"));
                if let Some(name) = module.filter(|name| !name.is_empty()) {
                    assert!(ASSETS.iter().any(|asset| asset.name == name), "{file} names {name}");
                }
            }
            assert!(!text.contains("innerHTML"), "{file} builds HTML from text");
        }
    }
}
