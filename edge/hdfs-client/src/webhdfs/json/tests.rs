//! PROVENANCE: answers of Apache Hadoop 3.5.0's NameNode to `curl http://…/webhdfs/v1/e?op=…`, shortened.

use super::*;

const LISTING: &str = r#"{"DirectoryListing":{"partialListing":{"FileStatuses":{"FileStatus":[
{"accessTime":0,"blockSize":0,"childrenNum":0,"fileId":16387,"group":"supergroup","length":0,
"modificationTime":1795265262432,"owner":"root","pathSuffix":"d","permission":"1755","replication":0,
"storagePolicy":0,"type":"DIRECTORY"},
{"aclBit":true,"accessTime":1795265263086,"blockSize":134217728,"childrenNum":0,"fileId":16388,"group":"supergroup",
"length":6,"modificationTime":1795265263933,"owner":"root","pathSuffix":"f","permission":"644","replication":3,
"storagePolicy":0,"type":"FILE"}]}},"remainingEntries":7}}"#;

fn value(text: &str) -> Value {
    parse(text.as_bytes()).unwrap()
}

#[test]
fn a_page_of_a_directory_is_read() {
    let (page, more) = directory_listing(&value(LISTING), "/e").unwrap();
    assert!(more);
    let shown: Vec<_> = page
        .iter()
        .map(|one| (one.path.as_str(), one.kind, one.length, one.permission.0, one.has_acl))
        .collect();
    let expected =
        [("/e/d", FileKind::Directory, 0, 0o1755, false), ("/e/f", FileKind::File, 6, 0o644, true)];
    assert_eq!(shown, expected);
    assert_eq!((page[1].replication, page[1].block_size), (3, 128 << 20));
    assert_eq!(page[1].modification_time, WallMillis(1_795_265_263_933));
}

#[test]
fn sums_quotas_and_capacity_are_read() {
    let summary = content_summary(&value(
        r#"{"ContentSummary":{"directoryCount":2,"ecPolicy":"","fileCount":1,"length":6,"quota":-1,
        "snapshotDirectoryCount":0,"snapshotFileCount":0,"snapshotLength":0,"snapshotSpaceConsumed":0,
        "spaceConsumed":18,"spaceQuota":-1,"typeQuota":{"SSD":{"consumed":5,"quota":10}}}}"#,
    ))
    .unwrap();
    assert_eq!((summary.directory_count, summary.space_consumed, summary.quota), (2, 18, None));
    let ssd = TypeQuota { storage_type: StorageType::Ssd, quota: Some(10), consumed: 5 };
    assert_eq!(summary.type_quotas, [ssd]);
    let usage = r#"{"QuotaUsage":{"fileAndDirectoryCount":3,"quota":-1,"spaceConsumed":18,"spaceQuota":9,"typeQuota":{}}}"#;
    let usage = quota_usage(&value(usage)).unwrap();
    assert_eq!((usage.file_and_directory_count, usage.space_quota), (3, Some(9)));
    let status =
        value(r#"{"FsStatus":{"used":86050,"remaining":150523138048,"capacity":811659522048}}"#);
    assert_eq!(fs_status(&status).unwrap().used, 86_050);
}

#[test]
fn a_checksum_has_the_bytes_that_its_length_says() {
    let answer = value(
        r#"{"FileChecksum":{"algorithm":"MD5-of-0MD5-of-512CRC32C",
        "bytes":"0000020000000000000000002b559725e23eb93541b0675b41e25ab300000000","length":28}}"#,
    );
    let checksum = file_checksum(&answer).unwrap();
    assert_eq!(checksum.algorithm, "MD5-of-0MD5-of-512CRC32C");
    assert_eq!((checksum.bytes.len(), checksum.bytes[27]), (28, 0xb3));
}

#[test]
fn an_exception_keeps_its_class_and_message() {
    let body = br#"{"RemoteException":{"exception":"FileNotFoundException",
        "javaClassName":"java.io.FileNotFoundException","message":"File does not exist: /e/x"}}"#;
    let error = remote_exception(body).unwrap();
    assert_eq!(error.kind, ErrorKind::FileNotFound);
    assert_eq!(error.message, "File does not exist: /e/x");
    assert!(remote_exception(b"<html>not found</html>").is_none());
}

#[test]
fn answers_that_make_no_sense_are_errors() {
    for text in ["", "{", "{}", r#"{"boolean":1}"#] {
        assert!(parse(text.as_bytes()).and_then(|value| boolean(&value)).is_err(), "{text}");
    }
    for broken in [r#""length":-6"#, r#""length":"6""#, r#""no":1"#] {
        let text = LISTING.replace(r#""length":6"#, broken);
        assert!(directory_listing(&value(&text), "/e").is_err(), "{broken}");
    }
}
