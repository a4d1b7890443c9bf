//! WebHDFS v1: what an HTTP request asks for, and the JSON that answers it, byte for byte as Hadoop writes it.
//!
//! ```text
//! GET /webhdfs/v1/a/b?op=GETFILESTATUS&user.name=alice
//!     └── PREFIX ┘└┬─┘ └── Query ─────────────────────┘
//!                path      │ params: one table a HTTP method, checked in Hadoop's order
//!                          └ step: the call of ClientProtocol, and how its answer is shown
//! ```
//!
//! Nothing here does IO: [`step`] turns checked parameters into a [`Step`]; whoever serves HTTP performs it.
//!
//! Hadoop: org.apache.hadoop.hdfs.web.resources, org.apache.hadoop.hdfs.web.JsonUtil,
//! org.apache.hadoop.hdfs.server.namenode.web.resources.NamenodeWebHdfsMethods (3.5.0)

mod acl_spec;
mod base64;
mod exception;
mod json;
mod locations;
mod op;
mod params;
mod policies;
mod query;
mod snapshots;
mod status;
mod step;
mod token;
mod xattr_value;

#[cfg(test)]
mod tests;

pub use acl_spec::parse as parse_acl_spec;
pub(crate) use acl_spec::parse_entry as parse_acl_entry;
pub use exception::{filter_exception, http_status, remote_exception};
pub use json::{Fields, object, text};
pub use op::{HttpMethod, Op};
pub use params::{Matcher, Params, Patterns};
pub use query::{Query, decode_path, form_encode, quote_path};
pub use status::{
    acl_status, file_checksum, listing_head, listing_tail, write_status, xattr_names, xattrs,
};
pub use step::{Answer, Call, Redirect, Settings, Step, location, step};
pub use xattr_value::{
    decode as decode_xattr_value, encode as encode_xattr_value, named as named_xattr,
};

/// What every path of WebHDFS begins with.
pub const PREFIX: &str = "/webhdfs/v1";

/// The type of a JSON body.
pub const JSON: &str = "application/json";

/// The type of every other body, also of an empty one.
pub const OCTET_STREAM: &str = "application/octet-stream";
