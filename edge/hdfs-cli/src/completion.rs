//! `hdfs completion bash|zsh|fish`: what the shells need to complete our command lines.
//!
//! The script is a few lines of glue for each shell: it asks `hdfs completion candidates WORD…` with what was typed so
//! far, so there is one place that knows, and it reads the tables and usage texts that the commands themselves use. An
//! answer is a line for each candidate, with a tab and a description where there is one; the line `:files` or
//! `:directories` asks the shell to add local ones. Paths on the cluster are listed within a second or not at all.

mod paths;
mod usage;

use crate::generic::Generic;
use crate::output::{complain, print};
use crate::{commands, shell};
use usage::Usage;

pub(crate) const USAGE: &str = "\
Usage: hdfs completion bash|zsh|fish
Prints a script that completes commands, options and paths:

  bash  source <(hdfs completion bash)      in ~/.bashrc
  zsh   source <(hdfs completion zsh)       in ~/.zshrc, after compinit
  fish  hdfs completion fish | source       in ~/.config/fish/config.fish
";

/// Runs `hdfs completion …`; the exit status.
pub(crate) fn run(args: Vec<String>) -> i32 {
    let script = match args.first().map(String::as_str) {
        Some("bash") => include_str!("completion/hdfs.bash"),
        Some("zsh") => include_str!("completion/hdfs.zsh"),
        Some("fish") => include_str!("completion/hdfs.fish"),
        Some("candidates") => {
            print(&Line::read(&args[1..]).candidates());
            return 0;
        }
        Some("-h" | "-help" | "--help") => {
            print(USAGE);
            return 0;
        }
        _ => {
            complain!("{}", USAGE.trim_end());
            return 1;
        }
    };
    print(script);
    0
}

/// A command line up to the cursor.
struct Line<'a> {
    /// The program's name without its folder.
    program: &'a str,
    /// Whole words after it.
    words: &'a [String],
    /// The word that is being typed.
    current: &'a str,
}

/// Words before the subcommand or the shell's command that are followed by a value.
const GENERIC: [(&str, &str); 7] = [
    ("--config", "Hadoop's configuration directory"),
    ("--loglevel", "level of the log"),
    ("--debug", "the same as --loglevel DEBUG"),
    ("--help", "usage information"),
    ("-D", "set a key of the configuration"),
    ("-conf", "read another configuration file"),
    ("-fs", "set the default file system"),
];
const LEVELS: [&str; 5] = ["ERROR", "WARN", "INFO", "DEBUG", "TRACE"];

impl<'a> Line<'a> {
    fn read(args: &'a [String]) -> Self {
        let (program, rest) = args.split_first().map_or(("hdfs", args), |(first, rest)| {
            (first.rsplit('/').next().unwrap_or_default(), rest)
        });
        let (current, words) =
            rest.split_last().map_or(("", rest), |(last, words)| (last.as_str(), words));
        Self { program, words, current }
    }

    fn candidates(&self) -> String {
        let mut answer = Answer { current: self.current, text: String::new() };
        self.answer(&mut answer);
        answer.text
    }

    fn answer(&self, answer: &mut Answer<'_>) {
        if let Some(previous) = self.words.last().filter(|_| self.generic_is_open()) {
            return value_of_generic(previous, answer);
        }
        let mut rest = self.words.to_vec();
        let mut generic = Generic::default();
        if generic.take(&mut rest).is_err() {
            return;
        }
        let Some((name, rest)) = rest.split_first() else {
            return self.subcommands(answer);
        };
        let mut rest = rest.to_vec();
        if generic.take(&mut rest).is_err() {
            return;
        }
        if let Some(tool) = commands::tool(name) {
            return tool_command(&generic, &tool, &rest, answer);
        }
        match name.as_str() {
            "dfs" | "fs" => shell_command(&generic, &rest, answer),
            name => {
                if let Some(text) = commands::usage(name) {
                    let usage = Usage::read(text);
                    answer.options(&usage);
                    answer.choices(&usage);
                }
                match name {
                    "doctor" | "fsck" | "lsSnapshot" | "snapshotDiff" => answer.paths(&generic),
                    _ => answer.files(),
                }
            }
        }
    }

    /// Whether the word before the cursor is a generic option that takes a value.
    fn generic_is_open(&self) -> bool {
        let takes = |word: &str| matches!(word, "--config" | "--loglevel" | "-D" | "-conf" | "-fs");
        let Some(last) = self.words.last().filter(|last| takes(last)) else { return false };
        // Behind a command of the shell the same letters are its own: `-ls -D` is none of ours.
        let before = &self.words[..self.words.len() - 1];
        let mut rest = before.to_vec();
        let mut generic = Generic::default();
        let none_left = generic.take(&mut rest).is_ok() && rest.len() <= 1;
        none_left && !last.is_empty()
    }

    fn subcommands(&self, answer: &mut Answer<'_>) {
        if self.current.starts_with('-') {
            for (name, what) in GENERIC {
                answer.add(name, what);
            }
            return;
        }
        if self.program == "hadoop" {
            answer.add("fs", "run a file-system command");
        }
        for (name, summary) in commands::built() {
            answer.add(name, summary);
        }
    }
}

fn value_of_generic(option: &str, answer: &mut Answer<'_>) {
    match option {
        "--config" => answer.directories(),
        "--loglevel" => LEVELS.iter().for_each(|level| answer.add(level, "")),
        "-conf" => answer.files(),
        "-fs" => answer.add("hdfs://", "the NameNode's address follows"),
        _ => {}
    }
}

/// `hdfs dfs …` after the generic options.
fn shell_command(generic: &Generic, words: &[String], answer: &mut Answer<'_>) {
    let Some((command, arguments)) = words.split_first() else {
        for (name, what) in shell::summaries() {
            answer.add(&format!("-{name}"), &what);
        }
        if answer.current.starts_with('-') {
            for (name, what) in GENERIC.iter().skip(4) {
                answer.add(name, what);
            }
        }
        return;
    };
    if matches!(command.as_str(), "-help" | "-usage") {
        return shell::summaries().for_each(|(name, what)| answer.add(name, &what));
    }
    let Some(text) = shell::usage_of(command) else { return };
    let mut usage = Usage::read(&text);
    usage.options.retain(|option| option != command);
    if answer.current.starts_with('-') {
        return answer.options(&usage);
    }
    let is_first = !arguments.iter().any(|word| !word.starts_with('-'));
    let (local, remote) = usage.places(is_first);
    if local {
        answer.files();
    }
    if remote {
        answer.paths(generic);
    }
}

/// `hdfs dfsadmin …` and the other tools with commands of their own; each is a name and a usage.
fn tool_command(
    generic: &Generic,
    commands: &[(String, String)],
    words: &[String],
    answer: &mut Answer<'_>,
) {
    let Some((command, arguments)) = words.split_first() else {
        return commands.iter().for_each(|(name, _)| answer.add(name, ""));
    };
    if command == "-help" {
        let names = commands.iter().map(|(name, _)| name.trim_start_matches('-'));
        return names.for_each(|name| answer.add(name, ""));
    }
    let Some((_, text)) = commands.iter().find(|(name, _)| name == command) else { return };
    let mut usage = Usage::read(text);
    usage.options.retain(|option| option != command);
    answer.options(&usage);
    if arguments.last().is_some_and(|last| last == "-path") {
        return answer.paths(generic);
    }
    answer.choices(&usage);
    answer.files();
}

/// The candidates so far.
struct Answer<'a> {
    current: &'a str,
    text: String,
}

impl Answer<'_> {
    /// One candidate, if it begins with what was typed.
    fn add(&mut self, candidate: &str, what: &str) {
        // A name that would break the lines of the answer cannot be completed.
        if !candidate.starts_with(self.current) || candidate.contains(['\n', '\t', '\r']) {
            return;
        }
        self.text.push_str(candidate);
        if !what.is_empty() {
            self.text.push('\t');
            self.text.push_str(what);
        }
        self.text.push('\n');
    }

    /// Only who typed a dash wants an option.
    fn options(&mut self, usage: &Usage) {
        if !self.current.starts_with('-') {
            return;
        }
        usage.options.iter().for_each(|option| self.add(option, ""));
    }

    fn choices(&mut self, usage: &Usage) {
        usage.choices.iter().for_each(|choice| self.add(choice, ""));
    }

    fn files(&mut self) {
        if self.current.starts_with('-') {
            return;
        }
        self.text.push_str(":files\n");
    }

    /// Those on the cluster.
    fn paths(&mut self, generic: &Generic) {
        if !self.current.starts_with('-') {
            for path in paths::starting_with(generic, self.current) {
                self.add(&path, "");
            }
        }
    }

    fn directories(&mut self) {
        self.text.push_str(":directories\n");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complete(line: &str) -> Vec<String> {
        let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
        let text = Line::read(&words).candidates();
        text.lines().map(|line| line.split('\t').next().unwrap_or_default().to_owned()).collect()
    }

    #[test]
    fn subcommands_and_generic_options_come_first() {
        assert_eq!(complete("hdfs dfsa"), ["dfsadmin"]);
        assert_eq!(complete("/usr/bin/hadoop fs"), ["fs", "fsck"]);
        assert_eq!(complete("hdfs --log"), ["--loglevel"]);
        assert_eq!(complete("hdfs --loglevel W"), ["WARN"]);
        assert_eq!(complete("hdfs --config "), [":directories"]);
        assert_eq!(complete("hdfs -fs hdfs://h:1 dfsa"), ["dfsadmin"]);
        assert!(!complete("hdfs ").iter().any(|name| name == "balancer"), "it is not built");
    }

    #[test]
    fn commands_of_the_shell_have_their_options() {
        assert_eq!(complete("hdfs dfs -mk"), ["-mkdir"]);
        assert_eq!(complete("hadoop fs -copyF"), ["-copyFromLocal"]);
        assert_eq!(
            complete("hdfs dfs -ls -"),
            ["-C", "-d", "-h", "-q", "-R", "-t", "-S", "-r", "-u", "-e"]
        );
        assert_eq!(complete("hdfs dfs -D a=b -rm -s"), ["-skipTrash", "-safely"]);
        assert_eq!(complete("hdfs dfs -help mk"), ["mkdir"]);
        assert_eq!(complete("hdfs dfs -nosuch -"), Vec::<String>::new());
    }

    #[test]
    fn local_files_are_asked_for_where_the_usage_says_so() {
        assert_eq!(complete("hdfs dfs -fs hdfs://127.0.0.1:1 -put "), [":files"]);
        assert_eq!(complete("hdfs oev -i "), [":files"]);
        assert!(complete("hdfs oev -").contains(&"-p".to_owned()));
    }

    #[test]
    fn words_of_an_administrators_command_are_offered() {
        assert_eq!(complete("hdfs dfsadmin -safem"), ["-safemode"]);
        assert_eq!(complete("hdfs dfsadmin -safemode f"), ["forceExit", ":files"]);
        assert_eq!(complete("hdfs storagepolicies -setS"), ["-setStoragePolicy"]);
        assert_eq!(complete("hdfs storagepolicies -setStoragePolicy -po"), ["-policy"]);
        assert_eq!(complete("hdfs debug rec"), ["recoverLease"]);
        assert_eq!(complete("hdfs completion z"), ["zsh", ":files"]);
    }
}
