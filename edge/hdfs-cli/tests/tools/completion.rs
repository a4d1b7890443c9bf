//! Completion by the shells themselves. bash must be there; zsh and fish are asked where they are installed.

use std::path::Path;
use std::process::Command;

use super::Cluster;

/// A command line up to the cursor, and what is offered.
const CASES: &[(&str, &[&str])] = &[
    ("hdfs dfsadm", &["dfsadmin"]),
    ("hdfs dfs -mk", &["-mkdir"]),
    ("hdfs dfsadmin -safemode forceE", &["forceExit"]),
    ("hdfs dfs -cat /inp", &["/input/"]),
    ("hdfs dfs -cat /input/", &["/input/a file", "/input/part-1", "/input/part-2"]),
    (
        "hdfs dfs -ls hdfs://NAMENODE/input/part-",
        &["hdfs://NAMENODE/input/part-1", "hdfs://NAMENODE/input/part-2"],
    ),
    ("hdfs dfs -put loc", &["local.txt"]),
    ("hdfs -fs hdfs://127.0.0.1:1 dfs -ls /inp", &[]),
];

/// Words are cut at `:` as bash does, and what it keeps of the line before the last one is given back.
const BASH: &str = r#"
source <(hdfs completion bash)
compopt() { :; }
while IFS= read -r line; do
  COMP_LINE="$line" COMP_POINT=${#line} COMP_WORDS=()
  for word in ${line//:/ : }; do COMP_WORDS+=("$word"); done
  COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
  _hdfs_completion
  last="${line##* }" before=""
  [[ $last == *:* ]] && before="${last%:*}:"
  for reply in "${COMPREPLY[@]}"; do eval "printf '%s\n' \"\$before\"$reply"; done
  echo END
done
"#;

const FISH: &str = r#"
hdfs completion fish | source
while read --local line
    complete --do-complete $line | string replace --regex '\t.*' ''
    echo END
end
"#;

/// The function itself with the words as zsh's editor cuts them; what it adds is printed.
const ZSH: &str = r#"
compdef() { }
source <(hdfs completion zsh)
compadd() { local name=$@[-1]; print -l -r -- ${(P)name} }
_files() { local -a found=(${words[-1]}*(N)); (( $#found )) && print -l -r -- $found }
while IFS= read -r line; do
  words=("${(@s. .)line}") CURRENT=${#words}
  _hdfs
  echo END
done
"#;

/// What a shell offers for each case.
fn ask(shell: &[&str], cluster: &Cluster) -> Vec<Vec<String>> {
    let bin = Path::new(env!("CARGO_BIN_EXE_hdfs")).parent().expect("it is in a folder");
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap_or_default());
    let dir = cluster.dir.join("here");
    std::fs::create_dir_all(&dir).expect("make the shell's folder");
    std::fs::write(dir.join("local.txt"), "x").expect("make a local file");
    let authority = cluster.running().uri().replace("hdfs://", "");
    let lines: String =
        CASES.iter().map(|(line, _)| line.replace("NAMENODE", &authority) + "\n").collect();
    std::fs::write(dir.join("cases"), lines).expect("write the cases");
    let output = Command::new(shell[0])
        .args(&shell[1..])
        .current_dir(&dir)
        .env("PATH", path)
        .env("HOME", &dir)
        .env("HADOOP_CONF_DIR", cluster.running().conf_dir())
        .stdin(std::fs::File::open(dir.join("cases")).expect("just written"))
        .output()
        .expect("the shell starts");
    let text = String::from_utf8_lossy(&output.stdout).replace(&authority, "NAMENODE");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(errors.is_empty(), "{shell:?}: {errors}");
    let mut answers: Vec<Vec<String>> =
        text.split("END\n").map(|part| part.lines().map(str::to_owned).collect()).collect();
    assert_eq!(answers.pop(), Some(Vec::new()), "{text}");
    answers
}

#[test]
fn shells_complete_commands_options_and_paths_on_the_cluster() {
    let cluster = Cluster::start("completion");
    assert!(cluster.hdfs(&["dfs", "-mkdir", "/input"]).status.success());
    let files = ["/input/part-1", "/input/part-2", "/input/a file", "/input/.hidden"];
    for file in files {
        assert!(cluster.hdfs(&["dfs", "-touchz", file]).status.success());
    }
    let shells: [&[&str]; 3] = [
        &["bash", "--norc", "-c", BASH],
        &["zsh", "-f", "-c", ZSH],
        &["fish", "--no-config", "-c", FISH],
    ];
    for shell in shells {
        if shell[0] != "bash" && Command::new(shell[0]).arg("--version").output().is_err() {
            eprintln!("{} is not installed: its completion was not tested", shell[0]);
            continue;
        }
        let answers = ask(shell, &cluster);
        for ((line, expected), mut answer) in CASES.iter().zip(answers) {
            answer.sort();
            assert_eq!(answer, *expected, "{} offers for: {line}", shell[0]);
        }
    }
}
