//! What monitoring reads: beans as Apache's daemons print them, and the numbers that the dashboard and the alerts name.

#![expect(clippy::unwrap_used, reason = "the whole file is a test")]

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};

use hdfs_daemon::minicluster::{MiniCluster, MiniClusterOptions};
use serde_json::{Map, Value};

/// Beans of a JVM, by the beginning of their names.
const JVM_BEANS: [(&str, &str); 8] = [
    ("JMImplementation:", "the server of a JVM's beans"),
    ("com.sun.management:", "diagnostics of a JVM"),
    ("java.lang:name=", "memory pools and collectors of a JVM"),
    ("java.lang:type=ClassLoading", "there are no classes"),
    ("java.lang:type=Compilation", "the code is compiled already"),
    ("java.nio:", "buffers outside of a JVM's heap"),
    ("java.util.logging:", "a logging library of Java"),
    ("jdk.management.jfr:", "recordings of a JVM"),
];

/// Attributes that Apache prints and we do not: bean without service, attribute, why. It may only shrink.
const LEFT_OUT: [(&str, &str, &str); 32] = [
    ("JvmMetrics", "GcCountCopy", "no collector"),
    ("JvmMetrics", "GcTimeMillisCopy", "no collector"),
    ("JvmMetrics", "GcCountMarkSweepCompact", "no collector"),
    ("JvmMetrics", "GcTimeMillisMarkSweepCompact", "no collector"),
    ("JvmMetrics", "GcTotalExtraSleepTime", "no pauses are watched"),
    ("JvmMetrics", "ThreadsTimedWaiting", "the kernel tells no kinds of waiting apart"),
    (
        "MetricsSystem,sub=Stats",
        "Sink_prometheusNumOps",
        "/prom reads the counts, there is no sink",
    ),
    ("MetricsSystem,sub=Stats", "Sink_prometheusAvgTime", "as above"),
    ("MetricsSystem,sub=Stats", "Sink_prometheusDropped", "as above"),
    ("MetricsSystem,sub=Stats", "Sink_prometheusQsize", "as above"),
    (
        "java.lang:type=OperatingSystem",
        "CpuLoad",
        "of the whole machine: not this daemon's to tell",
    ),
    ("java.lang:type=OperatingSystem", "SystemCpuLoad", "as above"),
    ("java.lang:type=Runtime", "ClassPath", "of a JVM"),
    ("java.lang:type=Runtime", "BootClassPathSupported", "of a JVM"),
    ("java.lang:type=Runtime", "LibraryPath", "of a JVM"),
    ("java.lang:type=Runtime", "ManagementSpecVersion", "of a JVM"),
    ("java.lang:type=Runtime", "Spec", "of a JVM"),
    ("java.lang:type=Runtime", "SystemProperties", "of a JVM"),
    ("java.lang:type=Threading", "ThreadAllocated", "of a JVM"),
    ("java.lang:type=Threading", "TotalThreadAllocatedBytes", "of a JVM"),
    ("java.lang:type=Threading", "CurrentThread", "the thread that answers means nothing"),
    ("java.lang:type=Threading", "ThreadContention", "of a JVM"),
    ("java.lang:type=Threading", "PeakThreadCount", "the kernel does not keep it"),
    ("java.lang:type=Threading", "TotalStartedThreadCount", "the kernel does not keep it"),
    ("java.lang:type=Threading", "DaemonThreadCount", "of a JVM"),
    ("java.lang:type=Threading", "ThreadCpuTime", "of a JVM"),
    ("java.lang:type=Threading", "ObjectMonitorUsageSupported", "of a JVM"),
    ("java.lang:type=Threading", "SynchronizerUsageSupported", "of a JVM"),
    ("RpcDetailedActivityForPort*", "(external)", "calls of WebHDFS count under their method"),
    ("RpcDetailedActivityForPort*", "Overall(external)", "as above"),
    ("RpcDetailedActivityForPort*", "NumOps", "of a call that Apache did not name"),
    ("RpcDetailedActivityForPort*", "AvgTime", "as above"),
];

struct Cluster {
    cluster: Option<MiniCluster>,
    dir: PathBuf,
}

impl Cluster {
    fn start(name: &str) -> Self {
        let dir = std::env::temp_dir().join(format!("tusk-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&dir);
        let mut options = MiniClusterOptions::new(&dir);
        options.datanodes = 1;
        let cluster = MiniCluster::start(options).unwrap();
        Self { cluster: Some(cluster), dir }
    }

    fn cluster(&self) -> &MiniCluster {
        self.cluster.as_ref().unwrap()
    }

    fn write_a_file(&self) {
        let client = hdfs_client::blocking::HdfsClient::connect(self.cluster().conf()).unwrap();
        let mut file = client.create("/monitored", Default::default()).unwrap();
        file.write_all(&[7; 300_000]).unwrap();
        file.close().unwrap();
        let mut back = Vec::new();
        client.open("/monitored").unwrap().read_to_end(&mut back).unwrap();
        assert_eq!(back.len(), 300_000);
        assert!(client.file_info("/none").unwrap().is_none());
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.cluster = None;
        let _ = std::fs::remove_dir_all(&self.dir);
    }
}

fn get(addr: SocketAddr, target: &str) -> String {
    let mut stream = TcpStream::connect(addr).unwrap();
    let request = format!("GET {target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 200"), "{target}: {head}");
    body.to_owned()
}

/// Bean names without what differs between clusters.
fn plain_name(name: &str) -> String {
    let marks =
        ["ForPort", "HttpServer2-", "FSDatasetState-", "DataNodeActivity-", "DataNodeVolume-"];
    for mark in marks {
        if let Some(at) = name.find(mark) {
            return format!("{}*", &name[..at + mark.len()]);
        }
    }
    name.to_owned()
}

fn beans(addr: SocketAddr) -> BTreeMap<String, Map<String, Value>> {
    let answer: Value = serde_json::from_str(&get(addr, "/jmx")).unwrap();
    let beans = answer["beans"].as_array().unwrap();
    beans
        .iter()
        .map(|bean| (plain_name(bean["name"].as_str().unwrap()), bean.as_object().unwrap().clone()))
        .collect()
}

/// Whether a value has the recorded type; says where not.
fn differences(recorded: &Value, found: &Value, path: &str, out: &mut Vec<String>) {
    match recorded {
        Value::String(kind) => {
            let fits = match kind.as_str() {
                "text" => found.is_string(),
                "int" => found.is_i64() || found.is_u64(),
                "float" => found.is_f64(),
                "bool" => found.is_boolean(),
                "null" => found.is_null() || found.is_string(),
                "list" => found.is_array(),
                "object" => found.is_object(),
                _ => false,
            };
            if !fits {
                out.push(format!("{path}: {kind} expected, found {found}"));
            }
        }
        Value::Array(of) => match (of.first(), found.as_array()) {
            (_, None) => out.push(format!("{path}: a list expected, found {found}")),
            (Some(of), Some(items)) => {
                items.iter().for_each(|item| differences(of, item, &format!("{path}[]"), out));
            }
            (None, Some(_)) => {}
        },
        Value::Object(fields) if fields.len() == 1 && fields.contains_key("json") => {
            let parsed = found.as_str().and_then(|text| serde_json::from_str(text).ok());
            match parsed {
                Some(parsed) => differences(&fields["json"], &parsed, path, out),
                None => out.push(format!("{path}: JSON in a text expected, found {found}")),
            }
        }
        Value::Object(fields) => {
            let Some(map) = found.as_object() else {
                return out.push(format!("{path}: an object expected, found {found}"));
            };
            for (name, of) in fields {
                match map.get(name) {
                    _ if name == "*" => {
                        map.values()
                            .for_each(|item| differences(of, item, &format!("{path}.*"), out));
                    }
                    Some(item) => differences(of, item, &format!("{path}.{name}"), out),
                    None => out.push(format!("{path}.{name}: missing")),
                }
            }
        }
        _ => out.push(format!("{path}: the recording holds {recorded}")),
    }
}

fn recording(name: &str) -> Map<String, Value> {
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/hadoop-3.5.0/jmx").join(name);
    let text = std::fs::read_to_string(path).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// What Apache prints and we do not, and what has another type; notes the exceptions that were needed.
fn compare(
    recorded: &Map<String, Value>,
    found: &BTreeMap<String, Map<String, Value>>,
    needed: &mut BTreeSet<usize>,
) -> Vec<String> {
    let mut wrong = Vec::new();
    for (bean, attributes) in recorded {
        let Some(own) = found.get(bean) else {
            if !JVM_BEANS.iter().any(|(start, _)| bean.starts_with(start)) {
                wrong.push(format!("{bean}: missing"));
            }
            continue;
        };
        let short = bean.split_once(",name=").map_or(bean.as_str(), |(_, name)| name);
        for (attribute, kind) in attributes.as_object().unwrap() {
            let Some(value) = own.get(attribute) else {
                let exception = LEFT_OUT
                    .iter()
                    .position(|(of, start, _)| *of == short && attribute.starts_with(start));
                match exception {
                    Some(index) => {
                        needed.insert(index);
                    }
                    None => wrong.push(format!("{bean} {attribute}: missing")),
                }
                continue;
            };
            differences(kind, value, &format!("{bean} {attribute}"), &mut wrong);
        }
    }
    wrong
}

#[test]
fn beans_have_the_names_and_types_of_apaches() {
    let cluster = Cluster::start("beans");
    cluster.write_a_file();
    let namenode = beans(cluster.cluster().namenode.http_addr());
    let datanode = beans(cluster.cluster().datanodes[0].http_address());
    let mut needed = BTreeSet::new();
    let mut wrong = compare(&recording("namenode.json"), &namenode, &mut needed);
    wrong.extend(compare(&recording("datanode.json"), &datanode, &mut needed));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let idle: Vec<_> = (0..LEFT_OUT.len())
        .filter(|index| !needed.contains(index))
        .map(|index| LEFT_OUT[index])
        .collect();
    assert!(idle.is_empty(), "these exceptions are not needed any more: {idle:?}");
}

#[test]
fn counts_are_of_what_happened() {
    let cluster = Cluster::start("counts");
    cluster.write_a_file();
    let namenode = beans(cluster.cluster().namenode.http_addr());
    let datanode = beans(cluster.cluster().datanodes[0].http_address());
    let number = |beans: &BTreeMap<String, Map<String, Value>>, bean: &str, attribute: &str| {
        let bean = beans.keys().find(|name| name.contains(bean)).unwrap();
        beans[bean][attribute].as_f64().unwrap()
    };
    let nn = |attribute| number(&namenode, "name=NameNodeActivity", attribute);
    assert_eq!((nn("CreateFileOps"), nn("AddBlockOps"), nn("GetBlockLocations")), (1.0, 1.0, 1.0));
    assert!(nn("SyncsNumOps") >= 1.0 && nn("TransactionsNumOps") >= 5.0);
    assert_eq!(number(&namenode, "RpcDetailedActivity", "CreateNumOps"), 1.0);
    assert!(number(&namenode, "RpcActivity", "RpcProcessingTimeAvgTime") > 0.0);
    assert_eq!(number(&namenode, "name=FSNamesystemState", "BlocksTotal"), 1.0);
    let status = &namenode["Hadoop:service=NameNode,name=NameNodeStatus"]["HostAndPort"];
    let port = cluster.cluster().namenode.rpc_addr().port();
    assert_eq!(status.as_str().unwrap(), format!("127.0.0.1:{port}"));
    let top = &namenode["Hadoop:service=NameNode,name=FSNamesystemState"]["TopUserOpCounts"];
    assert!(top.as_str().unwrap().contains(r#""opType":"create""#), "{top}");
    let dn = |attribute| number(&datanode, "name=DataNodeActivity", attribute);
    assert_eq!((dn("BytesWritten"), dn("BytesRead")), (300_000.0, 300_000.0));
    assert_eq!(
        (dn("BlocksWritten"), dn("WriteBlockOpNumOps"), dn("ReadBlockOpNumOps")),
        (1.0, 1.0, 1.0)
    );
    assert!(dn("PacketsReceived") >= 5.0 && dn("HeartbeatsNumOps") >= 1.0);
}

/// Names of samples, without labels and values, and the families that were announced.
fn metric_names(text: &str) -> (BTreeSet<&str>, BTreeSet<&str>) {
    let samples = text.lines().filter(|line| !line.starts_with('#'));
    let samples = samples.map(|line| line.split(['{', ' ']).next().unwrap()).collect();
    let families = text.lines().filter_map(|line| line.strip_prefix("# TYPE "));
    (samples, families.map(|line| line.split(' ').next().unwrap()).collect())
}

#[test]
fn dashboard_and_alerts_name_only_metrics_that_exist() {
    let cluster = Cluster::start("prom");
    cluster.write_a_file();
    let namenode = get(cluster.cluster().namenode.http_addr(), "/prom");
    let datanode = get(cluster.cluster().datanodes[0].http_address(), "/prom");
    assert!(namenode.contains("hdfs_rpc_call_duration_seconds_count{port="), "{namenode}");
    assert!(datanode.contains("hdfs_datanode_written_bytes_total 300000\n"), "{datanode}");
    let (mut known, families) = metric_names(&namenode);
    let (of_datanode, more) = metric_names(&datanode);
    known.extend(of_datanode);
    known.extend(families.union(&more));
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../packaging/monitoring");
    for file in ["grafana-dashboard.json", "prometheus-alerts.yml"] {
        let text = std::fs::read_to_string(folder.join(file)).unwrap();
        let words = text.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_');
        let named: BTreeSet<&str> = words
            .filter(|word| word.starts_with("hdfs_") || word.starts_with("process_"))
            .collect();
        assert!(named.len() > 5, "{file} names {named:?}");
        let unknown: Vec<_> = named.iter().filter(|name| !known.contains(*name)).collect();
        assert!(unknown.is_empty(), "{file} names metrics that do not exist: {unknown:?}");
    }
    let dashboard = std::fs::read_to_string(folder.join("grafana-dashboard.json")).unwrap();
    let _: Value = serde_json::from_str(&dashboard).unwrap();
}
