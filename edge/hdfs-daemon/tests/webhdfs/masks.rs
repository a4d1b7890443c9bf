//! What differs between two runs of the same requests: times, numbers of things, addresses, sizes of disks.

use regex::Regex;

/// Fields of JSON whose numbers differ.
const NUMBERS: &str = "accessTime|modificationTime|modification_time|access_time|fileId|blockId|generationStamp|\
    blockPoolUsed|capacity|dfsUsed|remaining|used|lastUpdate|lastUpdateMonotonic|lastBlockReportTime|\
    lastBlockReportMonotonic|infoPort|ipcPort|xferPort|xceiverCount";
/// Fields of JSON whose texts differ.
const TEXTS: &str = "blockPoolId|storageID|hostName|ipAddr";

/// The text without them.
pub fn mask(text: &str, user: &str) -> String {
    let replace = |text: &str, pattern: &str, with: &str| {
        Regex::new(pattern).unwrap().replace_all(text, with).into_owned()
    };
    // Times that a request set stay: they are small.
    let text = replace(text, &format!(r#""({NUMBERS})":\d{{5,}}"#), r#""$1":N"#);
    let text = replace(
        &text,
        r#""(xceiverCount|used|dfsUsed|blockPoolUsed|generationStamp|\w+Monotonic)":\d+"#,
        r#""$1":N"#,
    );
    let text = replace(&text, &format!(r#""({TEXTS})":"[^"]*""#), r#""$1":"T""#);
    let text = replace(&text, r#""hosts":\[[^\]]*\]"#, r#""hosts":[T]"#);
    let text = replace(&text, r"127\.0\.0\.1:\d+", "A");
    let text = replace(&text, r"http://[^/:]+:\d+/", "http://D/");
    // One or two replicas, and in any order.
    let text = replace(&text, r#"("/default-rack/A",?)+"#, r#""/default-rack/A""#);
    let text = replace(&text, r#"("A",?)+"#, r#""A""#);
    // Apache's DataNodes send the NameNode's stack trace as a part of the message.
    let text = replace(&text, r#"(\\n\\tat [^"]*?)*\\n"\}\}$"#, r#""}}"#);
    replace(&text, &format!(r"\b{user}\b"), "root")
}
