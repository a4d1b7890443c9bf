//! What differs between two runs of the same requests: times, numbers of things, addresses, sizes of disks.

use std::sync::LazyLock;

use regex::Regex;

/// Fields of JSON whose numbers differ.
const NUMBERS: &str = "accessTime|modificationTime|modification_time|access_time|fileId|blockId|generationStamp|\
    blockPoolUsed|capacity|dfsUsed|remaining|used|lastUpdate|lastUpdateMonotonic|lastBlockReportTime|\
    lastBlockReportMonotonic|infoPort|ipcPort|xferPort|xceiverCount";
/// Fields of JSON whose numbers differ, small ones too.
const COUNTERS: &str = "xceiverCount|used|dfsUsed|blockPoolUsed|generationStamp|\\w+Monotonic";
/// Fields of JSON whose texts differ.
const TEXTS: &str = "blockPoolId|storageID|hostName|ipAddr";

/// Patterns and what takes their place.
static MASKS: LazyLock<Vec<(Regex, &str)>> = LazyLock::new(|| {
    let masks = [
        // Times that a request set stay: they are small.
        (format!(r#""({NUMBERS})":\d{{5,}}"#), r#""$1":N"#),
        (format!(r#""({COUNTERS})":\d+"#), r#""$1":N"#),
        (format!(r#""({TEXTS})":"[^"]*""#), r#""$1":"T""#),
        (r#""hosts":\[[^\]]*\]"#.to_owned(), r#""hosts":[T]"#),
        (r"127\.0\.0\.1:\d+".to_owned(), "A"),
        (r"http://[^/:]+:\d+/".to_owned(), "http://D/"),
        // One or two replicas, and in any order.
        (r#"("/default-rack/A",?)+"#.to_owned(), r#""/default-rack/A""#),
        (r#"("A",?)+"#.to_owned(), r#""A""#),
        // Apache's DataNodes send the NameNode's stack trace as a part of the message.
        (r#"(\\n\\tat [^"]*?)*\\n"\}\}$"#.to_owned(), r#""}}"#),
    ];
    masks.into_iter().map(|(pattern, with)| (Regex::new(&pattern).unwrap(), with)).collect()
});

/// The text without them.
pub(crate) fn mask(text: &str, user: &str) -> String {
    let mut text = text.to_owned();
    for (pattern, with) in MASKS.iter() {
        text = pattern.replace_all(&text, *with).into_owned();
    }
    text.replace(&format!("\"{user}\""), "\"root\"")
        .replace(&format!("user.name={user}&"), "user.name=root&")
        .replace(&format!("/{user}\""), "/root\"")
}
