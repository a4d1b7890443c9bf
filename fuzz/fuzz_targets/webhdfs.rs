//! A request of WebHDFS: a method, a path, a query with lists, attributes and numbers.
#![no_main]

use hdfs_format::webhdfs::{
    HttpMethod, Params, Patterns, Query, Settings, decode_path, quote_path, step,
};
use libfuzzer_sys::fuzz_target;

const METHODS: [HttpMethod; 4] =
    [HttpMethod::Get, HttpMethod::Put, HttpMethod::Post, HttpMethod::Delete];

fuzz_target!(|input: (u8, &str)| {
    let (method, text) = input;
    let (path, query) = text.split_once('?').unwrap_or((text, ""));
    let patterns = Patterns {
        user_text: String::new(),
        is_user: Box::new(|_| true),
        acl_text: String::new(),
        is_acl: Box::new(|_| true),
    };
    let settings =
        Settings { replication: 3, block_size: 1 << 27, client_name: "DFSClient_1".to_owned() };
    let path = decode_path(path);
    let _ = quote_path(&path, true);
    let method = METHODS[usize::from(method) % METHODS.len()];
    let Ok(params) = Params::parse(method, &Query::parse(query), &patterns) else { return };
    let _ = step(&params, &path, &settings);
});
