//! `hdfs jmxget`: attributes of a daemon's beans.
//!
//! Hadoop: org.apache.hadoop.hdfs.tools.JMXGet (3.5.0)
// Differs: there is no RMI without a JVM, so `-port` is the daemon's web port and the beans come from its /jmx page.

use hdfs_conf::{Configuration, HostPort, keys};
use hdfs_types::{Error, Result};
use serde_json::Value;

use crate::dfsadmin::web_address;
use crate::output::{complain, say};
use hdfs_rt::http::client as http_get;

pub(crate) const USAGE: &str = "\
usage: jmxget options are:
 -help                    print help
 -localVM <VM's connector url>
                          not supported: there is no Java VM to connect to
 -port <port>             web port of the daemon (default: that of the
                          configuration)
 -server <host>           host of the daemon (default: that of the
                          configuration, else localhost)
 -service <NameNode|DataNode>
                          whose beans to read (NameNode by default)
Arguments: names of attributes; with '*' at the end, all that begin so; none: all.";
/// A page of beans is not longer than this.
const MAX_PAGE_BYTES: usize = 64 << 20;

struct Options {
    server: Option<String>,
    port: Option<u16>,
    service: String,
    attributes: Vec<String>,
}

/// Runs `hdfs jmxget ARGS…`; the exit status.
pub(crate) fn run(conf: &Configuration, args: &[String]) -> i32 {
    let options = match parse(args) {
        Ok(Some(options)) => options,
        Ok(None) => {
            say!("{USAGE}");
            return 0;
        }
        Err(message) => {
            complain!("Invalid args: {message}\n{USAGE}");
            return 255;
        }
    };
    match print(conf, &options) {
        Ok(true) => 0,
        Ok(false) => 255,
        Err(error) => {
            complain!("jmxget: {}", error.message);
            255
        }
    }
}

fn parse(args: &[String]) -> std::result::Result<Option<Options>, String> {
    let mut options =
        Options { server: None, port: None, service: "NameNode".into(), attributes: Vec::new() };
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        let (name, attached) = match arg.split_once('=') {
            Some((name, value)) => (name, Some(value.to_owned())),
            None => (arg.as_str(), None),
        };
        if name == "-help" {
            return Ok(None);
        }
        if !matches!(name, "-server" | "-port" | "-service" | "-localVM") {
            if name.starts_with('-') {
                return Err(format!("Unrecognized option: {arg}"));
            }
            options.attributes.push(arg.clone());
            continue;
        }
        let value = attached.or_else(|| args.next().cloned());
        let value = value.ok_or_else(|| format!("Missing argument for option: {}", &name[1..]))?;
        match name {
            "-server" => options.server = Some(value),
            "-port" => {
                let port = value.parse().map_err(|_| format!("-port {value}: no port"))?;
                options.port = Some(port);
            }
            "-service" => options.service = value,
            _ => return Err("-localVM: there is no Java VM here; use -server and -port".into()),
        }
    }
    Ok(Some(options))
}

/// Prints what is asked for; false when an attribute does not exist.
fn print(conf: &Configuration, options: &Options) -> Result<bool> {
    let mut address = if options.service == "DataNode" {
        conf.get_host_port(&keys::DFS_DATANODE_HTTP_ADDRESS)?
    } else {
        web_address(conf)?
    };
    if let Some(server) = &options.server {
        address.host.clone_from(server);
    }
    if address.host == "0.0.0.0" {
        "localhost".clone_into(&mut address.host);
    }
    address.port = options.port.unwrap_or(address.port);
    let beans = beans(&address, &options.service)?;
    if options.attributes.is_empty() {
        complain!("List of all the available keys:");
        for bean in &beans {
            complain!(">>>>>>>>jmx name: {}", properties(bean));
            for (name, value) in attributes(bean) {
                say!("{name}={}", text(value));
            }
        }
        return Ok(true);
    }
    let mut all_found = true;
    for wanted in &options.attributes {
        all_found &= print_matching(&beans, wanted);
    }
    Ok(all_found)
}

fn print_matching(beans: &[Value], wanted: &str) -> bool {
    let all = || beans.iter().flat_map(attributes);
    if let Some(beginning) = wanted.strip_suffix('*') {
        complain!("List of the keys matching {wanted} :");
        let mut matching = all().filter(|(name, _)| name.starts_with(beginning)).peekable();
        let found = matching.peek().is_some();
        matching.for_each(|(name, value)| say!("{name}={}", text(value)));
        return found;
    }
    let Some((name, value)) = all().find(|(name, _)| *name == wanted) else {
        complain!("{wanted}: no bean has this attribute");
        return false;
    };
    say!("{name}={}", text(value));
    true
}

fn beans(address: &HostPort, service: &str) -> Result<Vec<Value>> {
    let path = format!("/jmx?qry=Hadoop:service={service},*");
    let response = http_get::get(address, &path)?;
    if response.status != 200 {
        return Err(Error::io(format!(
            "http://{address}{path}: {} {}",
            response.status, response.reason
        )));
    }
    let page: Value = serde_json::from_str(&response.text(MAX_PAGE_BYTES)?).map_err(|error| {
        Error::io(format!("http://{address}{path} is no list of beans: {error}"))
    })?;
    let beans = page.get("beans").and_then(Value::as_array).cloned().unwrap_or_default();
    if beans.is_empty() {
        return Err(Error::io(format!("http://{address} has no beans of the service {service}")));
    }
    Ok(beans)
}

/// `service=NameNode,name=…` of a bean's name.
fn properties(bean: &Value) -> &str {
    let name = bean.get("name").and_then(Value::as_str).unwrap_or_default();
    name.split_once(':').map_or(name, |(_, properties)| properties)
}

fn attributes(bean: &Value) -> impl Iterator<Item = (&str, &Value)> {
    let fields = bean.as_object().into_iter().flatten();
    fields.map(|(name, value)| (name.as_str(), value)).filter(|(name, _)| {
        // These two describe the bean.
        *name != "name" && *name != "modelerType"
    })
}

fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> std::result::Result<Option<Options>, String> {
        parse(&line.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
    }

    #[test]
    fn options_and_attributes_are_told_apart() {
        let options = parsed("-server h -port=80 Total* -service DataNode x").ok().flatten();
        let options = options.expect("valid");
        assert_eq!((options.server.as_deref(), options.port), (Some("h"), Some(80)));
        assert_eq!((options.service.as_str(), options.attributes.len()), ("DataNode", 2));
        assert!(parsed("x -help").is_ok_and(|asked| asked.is_none()));
        for wrong in ["-port", "-port x", "-localVM 12", "-nonsense"] {
            assert!(parsed(wrong).is_err(), "{wrong}");
        }
    }
}
