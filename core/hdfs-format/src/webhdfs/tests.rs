//! Tests of parameters, encodings and JSON. The answers as a whole are compared with Apache's by `hdfs-daemon`'s tests.

use hdfs_proto::common::TokenProto;
use hdfs_types::{Error, ErrorKind};
use proptest::prelude::*;

use super::base64::{self, Alphabet};
use super::*;

fn patterns() -> Patterns {
    Patterns {
        user_text: "U".to_owned(),
        is_user: Box::new(|name| name.chars().all(char::is_alphanumeric)),
        acl_text: "A".to_owned(),
        is_acl: Box::new(|list| list.contains(':')),
    }
}

fn settings() -> Settings {
    Settings { replication: 3, block_size: 1 << 27, client_name: "DFSClient_1".to_owned() }
}

fn parse(method: HttpMethod, query: &str) -> Result<Params, Error> {
    Params::parse(method, &Query::parse(query), &patterns())
}

#[test]
fn the_first_wrong_parameter_is_named_whatever_the_operation_needs() {
    let error = parse(HttpMethod::Get, "op=GETFILESTATUS&length=x&offset=-1").unwrap_err();
    assert_eq!(error.kind, ErrorKind::IllegalArgument);
    assert!(error.message.starts_with("Invalid value for webhdfs parameter \"offset\": "));
    let bare = Params::parse_bare(HttpMethod::Get, &Query::parse("op=OPEN&offset=x"), &patterns());
    assert_eq!(bare.unwrap_err().message, "Failed to parse \"x\" as a radix-10 long integer.");
    // A parameter of another HTTP method counts for nothing.
    assert!(parse(HttpMethod::Delete, "op=DELETE&offset=x").is_ok());
}

#[test]
fn numbers_keep_to_the_ranges_of_their_java_types() {
    for (query, message) in [
        ("permission=1000000", "Failed to parse \"1000000\" as a radix-8 short integer."),
        ("permission=2000", "Invalid parameter range: permission = 2000 > 1777"),
        ("permission=-1", "Invalid parameter range: permission = -1 < 0"),
        ("replication=40000", "Failed to parse \"40000\" as a radix-10 short integer."),
        ("buffersize=3000000000", "Failed to parse \"3000000000\" as a radix-10 integer."),
        (
            "blocksize=9223372036854775808",
            "Failed to parse \"9223372036854775808\" as a radix-10 long integer.",
        ),
    ] {
        let error = parse(HttpMethod::Put, &format!("op=CREATE&{query}")).unwrap_err();
        assert!(error.message.ends_with(message), "{query}: {error}");
    }
}

#[test]
fn a_redirect_repeats_what_the_datanode_needs() {
    let query = "op=create&permission=0644&createflag=append,create&user.name=me&blocksize=+512&noredirect=true";
    // A plus in a query is a space.
    assert!(parse(HttpMethod::Put, query).is_err());
    let params = parse(HttpMethod::Put, &query.replace("=+512", "=512")).unwrap();
    let Ok(Step::Redirect(redirect)) = step(&params, "/a b", &settings()) else {
        panic!("CREATE redirects")
    };
    assert_eq!(redirect.block_size, 512);
    assert!(redirect.no_redirect);
    assert_eq!(
        location(&redirect, &params, "/a b/\u{e9}", ("dn:1", "nn:2"), true),
        "http://dn:1/webhdfs/v1/a%20b/%C3%A9?op=CREATE&user.name=me&namenoderpcaddress=nn:2&blocksize=512\
         &createflag=CREATE%252CAPPEND&createparent=true&overwrite=false&permission=644"
    );
}

#[test]
fn errors_have_hadoops_status_and_no_stack_trace() {
    let missing =
        Error::new(ErrorKind::FileNotFound, "no \"such\"\n\tat some.Class.method(C.java:1)");
    assert_eq!(http_status(&missing), 404);
    assert_eq!(
        remote_exception(&missing),
        "{\"RemoteException\":{\"exception\":\"FileNotFoundException\",\
         \"javaClassName\":\"java.io.FileNotFoundException\",\"message\":\"no \\\"such\\\"\"}}"
    );
    let inner = Error::new(ErrorKind::PathComponentTooLong, "x");
    assert!(remote_exception(&inner).contains("\"exception\":\"PathComponentTooLongException\""));
    assert!(remote_exception(&Error::new(ErrorKind::Eof, "")).contains("\"message\":null"));
    for (kind, status) in [
        (ErrorKind::AccessControl, 403),
        (ErrorKind::SafeMode, 403),
        (ErrorKind::InvalidPath, 400),
        (ErrorKind::UnsupportedOperation, 400),
        (ErrorKind::Runtime, 500),
        (ErrorKind::Remote("java.lang.SecurityException".to_owned()), 403),
        (ErrorKind::Remote("com.example.IOException".to_owned()), 403),
    ] {
        assert_eq!(http_status(&Error::new(kind.clone(), "")), status, "{kind:?}");
    }
}

#[test]
fn control_characters_are_escaped_as_by_jackson() {
    let mut out = String::new();
    text(&mut out, "a\u{1}\u{1f}\u{7f}\u{2028}/\u{8}\u{c}\n\u{1f600}");
    assert_eq!(out, "\"a\\u0001\\u001F\u{7f}\u{2028}/\\b\\f\\n\u{1f600}\"");
}

#[test]
fn a_token_in_a_url_is_javas() {
    let none = TokenProto::default();
    assert_eq!(token::encode(&none), "AAAAAA");
    assert_eq!(token::decode("AAAAAA").unwrap(), none);
    assert_eq!(token::decode("AAA").unwrap_err().kind, ErrorKind::Eof);
    // A length beyond the text is an end, not an allocation.
    assert_eq!(token::decode("jH____8").unwrap_err().kind, ErrorKind::Eof);
}

proptest! {
    #[test]
    fn no_query_and_no_path_makes_a_panic(query in ".{0,80}", path in ".{0,40}") {
        for op in Op::ALL {
            let query = format!("op={}&{query}", op.name());
            if let Ok(params) = parse(op.method(), &query) {
                let path = decode_path(&path);
                match step(&params, &path, &settings()) {
                    Ok(Step::Call(call)) => drop(call.answer(path.as_bytes())),
                    Ok(Step::Redirect(of)) => {
                        let there = location(&of, &params, &path, ("d:1", "n:2"), true);
                        prop_assert!(there.is_ascii());
                    }
                    _ => {}
                }
            }
        }
    }

    #[test]
    fn parameters_survive_their_way_through_a_query(name in "[a-z.]{1,8}", value in ".{0,40}") {
        let query = Query::parse(&format!("X=1&{name}={}&Y", form_encode(&value)));
        prop_assert_eq!(query.get(&name).unwrap(), value);
    }

    #[test]
    fn paths_survive_their_way_through_a_url(path in "(/[^/]{1,9}){1,4}", ascii in any::<bool>()) {
        prop_assert_eq!(decode_path(&quote_path(&path, ascii)), path);
    }

    #[test]
    fn base64_gives_back_what_it_took(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        for alphabet in [Alphabet::Standard, Alphabet::Url] {
            prop_assert_eq!(base64::decode(&base64::encode(&bytes, alphabet)), bytes.clone());
        }
    }

    #[test]
    fn tokens_survive_a_url(
        identifier in prop::collection::vec(any::<u8>(), 0..300),
        kind in "[A-Z_]{0,20}",
    ) {
        let token = TokenProto {
            identifier: identifier.into(),
            password: vec![7; 20].into(),
            kind,
            service: "127.0.0.1:8020".to_owned(),
        };
        prop_assert_eq!(token::decode(&token::encode(&token)).unwrap(), token);
    }

    #[test]
    fn values_of_attributes_survive_every_encoding(value in prop::collection::vec(any::<u8>(), 0..50)) {
        for encoding in ["HEX", "BASE64"] {
            let text = xattr_value::encode(&value, encoding);
            prop_assert_eq!(xattr_value::decode(&text).unwrap(), value.clone());
        }
    }
}
