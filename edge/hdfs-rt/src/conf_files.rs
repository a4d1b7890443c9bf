//! Loading the configuration of this process: files of `HADOOP_CONF_DIR`, the environment and who runs it.
//!
//! Parsing and layering are `hdfs_conf`'s; here files are read.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use hdfs_conf::{Configuration, Environment, Load};
use hdfs_types::{Error, ErrorKind, Result};

/// Loads core-site.xml and hdfs-site.xml of `config_dir`, or else of the folder that `HADOOP_CONF_DIR` (then
/// `HADOOP_HOME`) names; `overrides` are `-D key=value`. Without any folder, the defaults.
///
/// # Errors
/// When `config_dir` is no folder, or a file cannot be read or understood; the message names it.
pub fn load_configuration(
    config_dir: Option<&Path>,
    overrides: &[(String, String)],
) -> Result<Configuration> {
    load_configuration_with(config_dir, &[], overrides)
}

/// The same with more files, which must exist (`-conf FILE`).
///
/// # Errors
/// As [`load_configuration`].
pub fn load_configuration_with(
    config_dir: Option<&Path>,
    files: &[String],
    overrides: &[(String, String)],
) -> Result<Configuration> {
    if let Some(folder) = config_dir.filter(|folder| !folder.is_dir()) {
        return Err(Error::io(format!("{} is no configuration folder", folder.display())));
    }
    let request = Load {
        directories: directories(config_dir),
        files: files.to_vec(),
        overrides: overrides.to_vec(),
        environment: environment(),
    };
    hdfs_conf::load(request, &mut read)
}

/// Where this process's configuration came from.
struct Sources {
    config_dir: Option<PathBuf>,
    files: Vec<String>,
    overrides: Vec<(String, String)>,
}

static SOURCES: OnceLock<Sources> = OnceLock::new();

/// Remembers what a daemon's configuration was loaded from, for [`reload_configuration`]. The first call counts.
pub fn remember_sources(
    config_dir: Option<&Path>,
    files: &[String],
    overrides: &[(String, String)],
) {
    SOURCES.get_or_init(|| Sources {
        config_dir: config_dir.map(Path::to_owned),
        files: files.to_vec(),
        overrides: overrides.to_vec(),
    });
}

/// Loads what this process was started with once more: the files may have changed.
///
/// # Errors
/// As [`load_configuration`], or when the process was started without any folder of configuration files.
pub fn reload_configuration() -> Result<Configuration> {
    let empty = Sources { config_dir: None, files: Vec::new(), overrides: Vec::new() };
    let sources = SOURCES.get().unwrap_or(&empty);
    let config_dir = sources.config_dir.as_deref();
    if directories(config_dir).is_empty() && sources.files.is_empty() {
        return Err(Error::new(
            ErrorKind::UnsupportedOperation,
            "this daemon was started without HADOOP_CONF_DIR, so there is no file to read again; restart it",
        ));
    }
    load_configuration_with(config_dir, &sources.files, &sources.overrides)
}

/// The folders that configuration files are read from.
pub fn configuration_directories() -> Vec<String> {
    directories(SOURCES.get().and_then(|sources| sources.config_dir.as_deref()))
}

/// `:` separates several folders, as in a Java class path.
fn directories(config_dir: Option<&Path>) -> Vec<String> {
    if let Some(folder) = config_dir {
        return vec![folder.to_string_lossy().into_owned()];
    }
    if let Some(folders) = std::env::var("HADOOP_CONF_DIR").ok().filter(|value| !value.is_empty()) {
        return folders.split(':').map(str::to_owned).collect();
    }
    let home = std::env::var("HADOOP_HOME").ok().filter(|value| !value.is_empty());
    let of_home = home.map(|home| format!("{home}/etc/hadoop"));
    let program = std::env::current_exe().ok();
    of_home.or_else(|| program.and_then(|program| installed(&program))).into_iter().collect()
}

/// The folder that belongs to a program in `bin`: `etc/hadoop` beside it, as Hadoop's scripts find theirs, or the system's
/// one for a program of the system.
fn installed(program: &Path) -> Option<String> {
    let home = program.parent()?.parent()?;
    let beside = home.join("etc/hadoop");
    let of_system = (home == Path::new("/usr")).then(|| PathBuf::from("/etc/hadoop/conf"));
    let folder = [Some(beside), of_system].into_iter().flatten().find(|folder| folder.is_dir());
    folder.map(|folder| folder.to_string_lossy().into_owned())
}

fn read(path: &str) -> Result<Option<Vec<u8>>> {
    match std::fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => {
            Err(Error::io(format!("read configuration {path}: {error}")).with_source(error))
        }
    }
}

/// The environment's variables, and those Java system properties that configurations refer to.
fn environment() -> Environment {
    let mut environment = Environment {
        variables: std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect(),
        ..Environment::default()
    };
    let (user, home) = user_and_home(&environment);
    let log_dir = environment.variables.get("HADOOP_LOG_DIR").cloned();
    let hadoop_home = environment.variables.get("HADOOP_HOME").cloned();
    let working_dir = std::env::current_dir().ok().map(|dir| dir.to_string_lossy().into_owned());
    let properties = [
        ("user.name", Some(user)),
        ("user.home", home),
        ("user.dir", working_dir),
        ("java.io.tmpdir", Some("/tmp".to_owned())),
        ("hadoop.log.dir", log_dir),
        ("hadoop.home.dir", hadoop_home),
    ];
    for (name, value) in properties {
        if let Some(value) = value {
            environment.properties.insert(name.to_owned(), value);
        }
    }
    environment
}

/// Name and home folder of the user that this process runs as; /etc/passwd counts, then the environment, then the number.
fn user_and_home(environment: &Environment) -> (String, Option<String>) {
    let uid = rustix::process::getuid().as_raw().to_string();
    let passwd = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    let entry = passwd
        .lines()
        .map(|line| line.split(':').collect::<Vec<_>>())
        .find(|fields| fields.get(2).is_some_and(|field| *field == uid));
    match entry.as_deref() {
        Some([name, _, _, _, _, home, ..]) => ((*name).to_owned(), Some((*home).to_owned())),
        _ => {
            let variable = |name: &str| environment.variables.get(name).cloned();
            (variable("USER").or_else(|| variable("LOGNAME")).unwrap_or(uid), variable("HOME"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hdfs_conf::keys;

    #[test]
    fn the_files_of_a_folder_and_the_environment_are_read() {
        let dir = std::env::temp_dir().join(format!("tusk-conf-files-{}", std::process::id()));
        std::fs::create_dir_all(&dir).expect("a folder");
        let write = |name: &str, text: &str| std::fs::write(dir.join(name), text).expect("a file");
        write(
            "core-site.xml",
            "<configuration><property name='hadoop.tmp.dir' value='/t/${user.name}/${env.PATH}'/></configuration>",
        );
        write("hdfs-site.xml", "<configuration><include href='more.xml'/></configuration>");
        write(
            "more.xml",
            "<configuration><property name='dfs.replication' value='2'/></configuration>",
        );
        let overrides = [("dfs.blocksize".to_owned(), "1m".to_owned())];
        let conf = load_configuration(Some(&dir), &overrides).expect("valid");
        let missing = load_configuration(Some(&dir.join("none")), &[]);
        std::fs::remove_dir_all(&dir).expect("the folder goes");
        let (user, _) = user_and_home(&Environment::default());
        let path = std::env::var("PATH").expect("there is a PATH");
        assert_eq!(conf.get_str(&keys::HADOOP_TMP_DIR), format!("/t/{user}/{path}"));
        assert_eq!(conf.get_u16(&keys::DFS_REPLICATION).expect("number"), 2);
        assert_eq!(conf.get_u64(&keys::DFS_BLOCK_SIZE).expect("size"), 1 << 20);
        assert!(missing.is_err_and(|error| error.message.ends_with("is no configuration folder")));
    }
}
