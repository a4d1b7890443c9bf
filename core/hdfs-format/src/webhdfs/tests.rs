//! Tests of WebHDFS parsing and JSON.
