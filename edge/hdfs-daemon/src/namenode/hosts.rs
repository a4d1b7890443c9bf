//! The files that say which DataNodes may join, and which are to leave: `dfs.hosts` and `dfs.hosts.exclude`, a host a line,
//! or one file in JSON.
//!
//! Names are resolved when a file is read, as in Hadoop; a name that nothing resolves still fits a DataNode that
//! registers under it.
//!
//! Hadoop: org.apache.hadoop.util.HostsFileReader, org.apache.hadoop.hdfs.util.CombinedHostsFileReader (3.5.0)

use std::net::{IpAddr, ToSocketAddrs};
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::time::Duration;

use hdfs_blocks::{AdminState, HostEntry, HostsLists};
use hdfs_types::{Error, Result, WallMillis};
use serde_json::Value;

use super::conf::{HostsConf, HostsFormat};
use super::durable::failed;

/// Reads the files; a key that is unset means an empty list.
///
/// # Errors
/// When a file that is named can't be read, or does not say what it should.
pub(crate) fn read(conf: &HostsConf) -> Result<HostsLists> {
    let (mut entries, everybody) = match conf.format {
        HostsFormat::Lines => {
            let include = words(&text(conf.include.as_deref(), conf.timeout)?);
            let exclude = words(&text(conf.exclude.as_deref(), conf.timeout)?);
            let everybody = include.is_empty();
            let include =
                include.iter().map(|line| HostEntry::from_line(line, true, AdminState::Normal));
            let exclude = exclude
                .iter()
                .map(|line| HostEntry::from_line(line, false, AdminState::Decommissioned));
            (include.chain(exclude).collect(), everybody)
        }
        HostsFormat::Combined => {
            let text = text(conf.include.as_deref(), conf.timeout)?;
            let entries = combined(&text).map_err(|what| {
                let path = conf.include.as_deref().unwrap_or_else(|| Path::new(""));
                Error::io(format!("{}: {what}", path.display()))
            })?;
            // Without a node in service, any may join: as an empty include file.
            let everybody = entries.iter().all(|entry| entry.admin != AdminState::Normal);
            (entries, everybody)
        }
    };
    entries.iter_mut().for_each(resolve);
    Ok(HostsLists::new(entries, everybody, conf.ports))
}

/// The text of a file, within a time.
fn text(path: Option<&Path>, timeout: Duration) -> Result<String> {
    let Some(path) = path else { return Ok(String::new()) };
    if timeout.is_zero() {
        return std::fs::read_to_string(path).map_err(|e| failed("read", path, e));
    }
    let (send, receive) = mpsc::channel();
    let owned: PathBuf = path.to_owned();
    std::thread::spawn(move || {
        // Nobody waits any more when the receiver is gone.
        let _ = send.send(std::fs::read_to_string(owned));
    });
    match receive.recv_timeout(timeout) {
        Ok(text) => text.map_err(|e| failed("read", path, e)),
        Err(_) => Err(Error::io("host file read operation timed out")),
    }
}

fn resolve(entry: &mut HostEntry) {
    if let Ok(address) = entry.host.parse::<IpAddr>() {
        entry.addresses = vec![address.to_string()];
        return;
    }
    match (entry.host.as_str(), 0).to_socket_addrs() {
        Ok(addresses) => {
            entry.addresses = addresses.map(|address| address.ip().to_string()).collect();
            entry.addresses.dedup();
        }
        Err(_) => tracing::warn!("the name {} of a hosts file is not resolved", entry.host),
    }
}

fn words(text: &str) -> Vec<String> {
    text.lines()
        .flat_map(|line| line.split_whitespace().take_while(|word| !word.starts_with('#')))
        .map(str::to_owned)
        .collect()
}

/// The entries of a file in JSON: an array of objects, or objects one after the other, as they once were written.
// Differs: Hadoop takes a file that does not parse for an empty one, which lets everybody join.
fn combined(text: &str) -> std::result::Result<Vec<HostEntry>, String> {
    let mut entries = Vec::new();
    for value in serde_json::Deserializer::from_str(text).into_iter::<Value>() {
        match value.map_err(|error| format!("invalid JSON: {error}"))? {
            Value::Array(all) => {
                for value in &all {
                    entries.push(entry(value)?);
                }
            }
            value => entries.push(entry(&value)?),
        }
    }
    Ok(entries)
}

fn entry(value: &Value) -> std::result::Result<HostEntry, String> {
    let Value::Object(fields) = value else {
        return Err(format!("{value} is no DataNode: an object with hostName is expected"));
    };
    let mut entry = HostEntry { included: true, ..HostEntry::default() };
    for (name, value) in fields {
        let wrong = || format!("{name} can't be {value}");
        match name.as_str() {
            "hostName" => value.as_str().ok_or_else(wrong)?.clone_into(&mut entry.host),
            "port" => {
                let port = value.as_u64().and_then(|port| u16::try_from(port).ok());
                entry.port = port.ok_or_else(wrong)?;
            }
            "upgradeDomain" if value.is_null() => {}
            "upgradeDomain" => {
                entry.upgrade_domain = Some(value.as_str().ok_or_else(wrong)?.to_owned());
            }
            "adminState" => entry.admin = value.as_str().and_then(admin_state).ok_or_else(wrong)?,
            "maintenanceExpireTimeInMS" => {
                let millis = value.as_i64().ok_or_else(wrong)?;
                entry.maintenance_expires = Some(WallMillis(millis.max(0).cast_unsigned()));
            }
            _ => return Err(format!("{name} is not known")),
        }
    }
    if entry.host.is_empty() {
        return Err(format!("{value} has no hostName"));
    }
    Ok(entry)
}

/// Hadoop: org.apache.hadoop.hdfs.protocol.DatanodeInfo.AdminStates (3.5.0)
fn admin_state(name: &str) -> Option<AdminState> {
    Some(match name {
        "NORMAL" => AdminState::Normal,
        "DECOMMISSION_INPROGRESS" => AdminState::DecommissionInProgress,
        "DECOMMISSIONED" => AdminState::Decommissioned,
        "ENTERING_MAINTENANCE" => AdminState::EnteringMaintenance,
        "IN_MAINTENANCE" => AdminState::InMaintenance,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_blanks_count_for_nothing() {
        assert_eq!(words("a b # c\n\n# d\n e:9866"), ["a", "b", "e:9866"]);
    }

    #[test]
    fn a_combined_file_is_an_array_or_the_objects_of_old_files() {
        let objects = [
            r#"{"hostName": "a"}"#,
            r#"{"hostName": "b", "port": 50010, "upgradeDomain": "ud1", "adminState": "DECOMMISSIONED"}"#,
            r#"{"hostName": "c", "adminState": "IN_MAINTENANCE", "maintenanceExpireTimeInMS": 1507663698000}"#,
        ];
        let array = combined(&format!("[{}]", objects.join(","))).unwrap();
        assert_eq!(combined(&objects.join("\n")).unwrap(), array);
        assert_eq!(array[1].upgrade_domain.as_deref(), Some("ud1"));
        assert_eq!((array[1].port, array[1].admin), (50_010, AdminState::Decommissioned));
        assert_eq!(array[2].maintenance_expires, Some(WallMillis(1_507_663_698_000)));
        assert_eq!(array[0].maintenance_expires, None);
        assert_eq!(combined("").unwrap(), []);
    }

    /// Hadoop would let everybody join.
    #[test]
    fn a_combined_file_that_is_none_is_refused() {
        for (text, why) in [
            ("a b c", "invalid JSON: expected value at line 1 column 1"),
            (
                "[{\"hostName\": \"a\"",
                "invalid JSON: EOF while parsing an object at line 1 column 17",
            ),
            ("[{}]", "{} has no hostName"),
            ("[{\"hostName\": \"a\", \"adminState\": \"DOWN\"}]", "adminState can't be \"DOWN\""),
            ("[{\"hostName\": \"a\", \"rack\": \"/r\"}]", "rack is not known"),
            ("[\"a\"]", "\"a\" is no DataNode: an object with hostName is expected"),
        ] {
            assert_eq!(combined(text).unwrap_err(), why);
        }
    }
}
