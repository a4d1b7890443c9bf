//! The table of commands: name, options and arguments, who runs it. Usage and help texts are in `commands.txt`.

use super::arguments::Format;
use super::snapshot::{Kind, Snapshot};
use super::walk::Command;
use super::{
    acl, attributes, copy, display, find, help, list, modify, move_files, remove, space, stat,
    text, trash, xattr,
};

/// A command of the shell.
pub(crate) struct Spec {
    /// Name without the dash.
    pub name: &'static str,
    /// `None` for a command that reads its arguments itself.
    pub format: Option<Format>,
    pub new: fn() -> Box<dyn Command>,
    /// What to use instead of a deprecated one.
    pub replaced_by: Option<&'static str>,
}

const fn command(name: &'static str, format: Format, new: fn() -> Box<dyn Command>) -> Spec {
    Spec { name, format: Some(format), new, replaced_by: None }
}

const fn plain(name: &'static str, new: fn() -> Box<dyn Command>) -> Spec {
    Spec { name, format: None, new, replaced_by: None }
}

const fn deprecated(mut spec: Spec, instead: &'static str) -> Spec {
    spec.replaced_by = Some(instead);
    spec
}

const LS: Format = Format::new(0, &["C", "d", "h", "q", "R", "r", "t", "S", "u", "e"]);
const RM: Format = Format::new(1, &["f", "r", "R", "skipTrash", "safely"]);
const DU: Format = Format::new(0, &["h", "s", "v", "x"]);
const PUT: Format = Format::new(1, &["f", "p", "l", "d"]).with_values(&["t", "q"]);
const GET: Format = Format::new(1, &["crc", "ignoreCrc", "p", "f"]).with_values(&["t", "q"]);
const SETFACL: Format = Format::new(0, &["b", "k", "R", "m", "x", "-set"]);
const COUNT: Format = Format::new(1, &["q", "h", "v", "u", "x", "e", "s"]).with_values(&["t"]);

/// Every command, by name.
pub(crate) const COMMANDS: &[Spec] = &[
    plain("appendToFile", || Box::new(copy::append::AppendToFile::default())),
    command("cat", Format::new(1, &["ignoreCrc"]), || Box::new(display::Cat::default())),
    command("checksum", Format::new(1, &["v"]), || Box::new(display::Checksum::default())),
    command("chgrp", Format::new(2, &["R"]), || Box::new(attributes::Chown::group_only())),
    command("chmod", Format::new(2, &["R"]).lenient(), || Box::new(attributes::Chmod::default())),
    command("chown", Format::new(2, &["R"]), || Box::new(attributes::Chown::default())),
    plain("concat", || Box::new(modify::Concat)),
    command("copyFromLocal", PUT, || Box::new(copy::Copying::put())),
    command("copyToLocal", GET, || Box::new(copy::Copying::get())),
    command("count", COUNT, || Box::new(space::count::Count::default())),
    command("cp", Format::new(2, &["f", "d"]).with_values(&["t", "q"]), || {
        Box::new(copy::Copying::cp())
    }),
    plain("createSnapshot", || Box::new(Snapshot::new(Kind::Create))),
    plain("deleteSnapshot", || Box::new(Snapshot::new(Kind::Delete))),
    command("df", Format::new(0, &["h"]), || Box::new(space::Df::default())),
    command("du", DU, || Box::new(space::Du::default())),
    deprecated(command("dus", DU, || Box::new(space::Du::summary())), "du -s"),
    command("expunge", Format::new(0, &["immediate"]).most(2).with_values(&["fs"]), || {
        Box::new(trash::Expunge::default())
    }),
    command("find", Format::new(1, &["L", "H"]).lenient(), || Box::new(find::Find::default())),
    command("get", GET, || Box::new(copy::Copying::get())),
    command("getfacl", Format::new(0, &["R"]), || Box::new(acl::GetAcl::default())),
    plain("getfattr", || Box::new(xattr::GetXAttr::default())),
    command("getmerge", Format::new(2, &["nl", "skip-empty-file"]), || {
        Box::new(copy::merge::Merge::default())
    }),
    command("head", Format::new(1, &[]).most(1), || Box::new(display::Head)),
    plain("help", || Box::new(help::Help { long: true })),
    command("ls", LS, || Box::new(list::Ls::default())),
    deprecated(command("lsr", LS, || Box::new(list::Ls::recursive())), "ls -R"),
    command("mkdir", Format::new(1, &["p"]), || Box::new(modify::Mkdir::default())),
    command("moveFromLocal", PUT, || Box::new(copy::Copying::move_from_local())),
    plain("moveToLocal", || Box::new(move_files::MoveToLocal)),
    command("mv", Format::new(2, &[]), || Box::new(move_files::Mv::default())),
    command("put", PUT, || Box::new(copy::Copying::put())),
    plain("renameSnapshot", || Box::new(Snapshot::new(Kind::Rename))),
    command("rm", RM, || Box::new(remove::Rm::default())),
    command("rmdir", Format::new(1, &["-ignore-fail-on-non-empty"]), || {
        Box::new(remove::Rmdir::default())
    }),
    deprecated(command("rmr", RM, || Box::new(remove::Rm::recursive())), "-rm -r"),
    command("setfacl", SETFACL, || Box::new(acl::SetAcl::default())),
    plain("setfattr", || Box::new(xattr::SetXAttr::default())),
    command("setrep", Format::new(2, &["R", "w"]), || {
        Box::new(attributes::SetReplication::default())
    }),
    command("stat", Format::new(1, &["R"]), || Box::new(stat::Stat::default())),
    command("tail", Format::new(1, &["f"]).most(1).with_values(&["s"]), || {
        Box::new(display::Tail::default())
    }),
    command("test", Format::new(1, &["e", "d", "f", "s", "z", "w", "r"]).most(1), || {
        Box::new(stat::Test::default())
    }),
    command("text", Format::new(1, &["ignoreCrc"]), || Box::new(text::Text)),
    command("touch", Format::new(1, &["t", "a", "m", "c"]), || {
        Box::new(modify::touch::Touch::default())
    }),
    command("touchz", Format::new(1, &[]), || Box::new(modify::touch::Touchz)),
    command("truncate", Format::new(2, &["w"]), || Box::new(modify::Truncate::default())),
    plain("usage", || Box::new(help::Help { long: false })),
];

/// The command that is typed so, with its dash.
pub(crate) fn find(typed: &str) -> Option<&'static Spec> {
    let name = typed.strip_prefix('-')?;
    COMMANDS.iter().find(|spec| spec.name == name)
}

/// Those that are not deprecated, by name.
pub(crate) fn current() -> impl Iterator<Item = &'static Spec> {
    COMMANDS.iter().filter(|spec| spec.replaced_by.is_none())
}
