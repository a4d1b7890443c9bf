//! `hdfs bench` does what it counts, cleans up, and tells errors.

use serde_json::Value;

use super::Cluster;

/// Runs it with JSON; the document and the exit status.
fn bench(cluster: &Cluster, line: &str) -> (Value, i32) {
    let mut args = vec!["bench"];
    args.extend(line.split(' '));
    args.push("--json");
    let output = cluster.hdfs(&args);
    let stdout = String::from_utf8_lossy(&output.stdout);
    let stderr = String::from_utf8_lossy(&output.stderr);
    let json =
        serde_json::from_str(&stdout).unwrap_or_else(|error| panic!("{error}: {stdout}{stderr}"));
    (json, output.status.code().expect("it ended by itself"))
}

/// Name and count of every row.
fn counts(json: &Value) -> Vec<(String, u64)> {
    let phases = json["phases"].as_array().expect("phases");
    let rows = phases.iter().flat_map(|phase| phase["operations"].as_array().expect("rows"));
    rows.map(|row| {
        assert_eq!(row["errors"].as_object().expect("errors").len(), 0, "{row}");
        let latency = &row["latency_us"];
        assert!(
            latency["p50"].as_f64() > Some(0.0)
                && latency["p50"].as_f64() <= latency["max"].as_f64()
        );
        (
            row["operation"].as_str().expect("a name").to_owned(),
            row["count"].as_u64().expect("a count"),
        )
    })
    .collect()
}

#[test]
fn every_call_of_a_run_is_counted_and_nothing_stays() {
    let cluster = Cluster::start("bench-nn");
    let pid = std::process::id();
    // More slots than some phases have files, so that slots run dry.
    let line = format!(
        "nn --ops 600 --files 100 --files-per-dir 7 --connections 3 --in-flight 50 --server-pids {pid}"
    );
    let (json, status) = bench(&cluster, &line);
    assert_eq!(status, 0);
    let names = ["create", "mkdirs", "open", "stat", "list", "rename", "delete"];
    let expected: Vec<_> = names.iter().map(|name| ((*name).to_owned(), 600)).collect();
    assert_eq!(counts(&json), expected);
    assert_eq!(json["phases"][0]["servers"][0]["pid"], pid);
    assert!(json["phases"][0]["generator"]["cpu_us_per_operation"].as_f64() > Some(0.0));

    // What was created is there, closed, in its directories; then the directory of all runs is gone again.
    let (json, status) =
        bench(&cluster, "nn create --ops 50 --close --files-per-dir 10 --keep --replication 1");
    assert_eq!((status, counts(&json)), (0, vec![("create".into(), 50), ("complete".into(), 50)]));
    let root = json["directory"].as_str().expect("a directory");
    let listed = cluster.hdfs(&["dfs", "-count", root]);
    let listed = String::from_utf8_lossy(&listed.stdout).into_owned();
    let numbers: Vec<&str> = listed.split_whitespace().take(2).collect();
    assert_eq!(numbers[1], "50", "{listed}");
    let open = cluster.hdfs(&["dfsadmin", "-listOpenFiles"]);
    assert!(!String::from_utf8_lossy(&open.stdout).contains(root));
    assert!(cluster.hdfs(&["dfs", "-rm", "-r", "-skipTrash", "/benchmarks"]).status.success());
    let (json, status) = bench(
        &cluster,
        "nn mix --duration 0.3s --files 50 --mix stat=1,create=2,rename=1,delete=2,list=1",
    );
    let rows = counts(&json);
    assert_eq!((status, rows.len()), (0, 5), "{rows:?}");
    assert!(!cluster.hdfs(&["dfs", "-test", "-e", "/benchmarks"]).status.success());
}

#[test]
fn bytes_are_moved_compared_and_counted() {
    let cluster = Cluster::start("bench-io");
    let line = "io --files 3 --size 1500k --block-size 1m --buffer 300000 --count 20 --small-size 100 --verify";
    let (json, status) = bench(&cluster, line);
    let rows = [("write", 3), ("read", 3), ("pread", 20), ("small", 20)];
    assert_eq!((status, counts(&json)), (0, rows.map(|(name, n)| (name.to_owned(), n)).to_vec()));
    let bytes = |phase: usize| json["phases"][phase]["operations"][0]["bytes"].as_u64();
    let moved = [3 * 1_536_000, 3 * 1_536_000, 20 * 4_096, 20 * 100].map(Some);
    assert_eq!([bytes(0), bytes(1), bytes(2), bytes(3)], moved);
    assert!(!cluster.hdfs(&["dfs", "-test", "-e", "/benchmarks"]).status.success());
}

#[test]
fn errors_are_counted_by_class_and_end_with_status_1() {
    let cluster = Cluster::start("bench-errors");
    assert!(cluster.hdfs(&["dfs", "-mkdir", "-p", "/full/quota"]).status.success());
    assert!(cluster.hdfs(&["dfsadmin", "-setQuota", "20", "/full/quota"]).status.success());
    let (json, status) = bench(&cluster, "nn create --ops 100 --dir /full/quota");
    let row = &json["phases"][0]["operations"][0];
    let error = &row["errors"]["NSQuotaExceededException"];
    assert_eq!(status, 1);
    assert_eq!(
        error["count"].as_u64().map(|failed| failed + row["count"].as_u64().expect("a count")),
        Some(100)
    );
    let first = error["first"].as_str().expect("a message");
    assert!(
        first.contains(
            "The NameSpace quota (directories and files) of directory /full/quota is exceeded"
        ),
        "{first}"
    );
    let table = cluster.hdfs(&["bench", "nn", "create", "--ops", "100", "--dir", "/full/quota"]);
    let table = String::from_utf8_lossy(&table.stdout).into_owned();
    assert!(table.contains(" errors of create: NSQuotaExceededException: "), "{table}");
    let refused = cluster.hdfs(&["bench", "nn", "--user", "joe"]);
    let refused = (refused.status.code(), String::from_utf8_lossy(&refused.stderr).into_owned());
    assert_eq!(refused.0, Some(1));
    assert!(
        refused.1.starts_with("bench nn: AccessControlException: Permission denied: user=joe"),
        "{refused:?}"
    );
}
