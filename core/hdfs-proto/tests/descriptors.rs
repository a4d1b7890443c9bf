//! Our `.proto` files against the descriptors of Apache Hadoop 3.5.0, field by field, in both directions.
//!
//! Both sides are turned into lines of text, one for each message, field, enum value and method, and compared as sets.

#![allow(
    clippy::disallowed_methods,
    reason = "this test reads the .proto files and Hadoop's descriptors"
)]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use prost::Message as _;
use prost_types::field_descriptor_proto::{Label, Type};
use prost_types::{
    DescriptorProto, EnumDescriptorProto, FieldDescriptorProto, FileDescriptorSet,
    ServiceDescriptorProto,
};

fn crate_dir() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn hadoop() -> FileDescriptorSet {
    let path = crate_dir().join("../../../shared/facts/hadoop-3.5.0.fds");
    let bytes = std::fs::read(&path).unwrap_or_else(|error| {
        panic!(
            "{}: {error}. The shared folder with Hadoop's descriptors must lie beside the checkout",
            path.display()
        )
    });
    FileDescriptorSet::decode(bytes.as_slice()).expect("a FileDescriptorSet")
}

fn ours() -> FileDescriptorSet {
    let dir = crate_dir().join("proto");
    let entries = std::fs::read_dir(&dir).expect("the proto folder");
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    files.sort();
    protox::compile(&files, [&dir]).expect("our .proto files parse")
}

/// Every fact of a set, one a line.
fn facts(set: &FileDescriptorSet) -> BTreeSet<String> {
    let mut facts = BTreeSet::new();
    for file in &set.file {
        let package = file.package();
        assert!(matches!(file.syntax(), "proto2" | ""), "{} is {}", file.name(), file.syntax());
        for message in &file.message_type {
            add_message(&mut facts, package, message);
        }
        for enumeration in &file.enum_type {
            add_enum(&mut facts, package, enumeration);
        }
        for service in &file.service {
            add_service(&mut facts, package, service);
        }
    }
    facts
}

fn add_message(facts: &mut BTreeSet<String>, scope: &str, message: &DescriptorProto) {
    let name = format!("{scope}.{}", message.name());
    facts.insert(format!("message {name}"));
    assert!(
        message.oneof_decl.is_empty() && message.extension.is_empty(),
        "{name} is not plain proto2"
    );
    for field in &message.field {
        facts.insert(format!("field {name}.{}", describe(field)));
    }
    for nested in &message.nested_type {
        add_message(facts, &name, nested);
    }
    for enumeration in &message.enum_type {
        add_enum(facts, &name, enumeration);
    }
}

/// Label, type, name, number, default and packing of a field.
fn describe(field: &FieldDescriptorProto) -> String {
    let label = match field.label() {
        Label::Optional => "optional",
        Label::Required => "required",
        Label::Repeated => "repeated",
    };
    let kind = match field.r#type() {
        Type::Message | Type::Enum => field.type_name().to_owned(),
        scalar => scalar.as_str_name().to_owned(),
    };
    let packed = field.options.as_ref().is_some_and(|options| options.packed());
    let default = field.default_value.as_deref();
    format!(
        "{} = {}: {label} {kind}, default {default:?}, packed {packed}",
        field.name(),
        field.number()
    )
}

fn add_enum(facts: &mut BTreeSet<String>, scope: &str, enumeration: &EnumDescriptorProto) {
    let name = format!("{scope}.{}", enumeration.name());
    facts.insert(format!("enum {name}"));
    for value in &enumeration.value {
        facts.insert(format!("enum value {name}.{} = {}", value.name(), value.number()));
    }
}

fn add_service(facts: &mut BTreeSet<String>, scope: &str, service: &ServiceDescriptorProto) {
    let name = format!("{scope}.{}", service.name());
    facts.insert(format!("service {name}"));
    for method in &service.method {
        facts.insert(format!(
            "method {name}.{}({}) -> {}",
            method.name(),
            method.input_type(),
            method.output_type()
        ));
    }
}

#[test]
fn our_proto_files_say_what_hadoops_say() {
    let (ours, theirs) = (facts(&ours()), facts(&hadoop()));
    assert!(theirs.len() > 2_000, "Hadoop's descriptors hold {} facts", theirs.len());
    let missing = theirs.difference(&ours).map(|fact| format!("only Hadoop: {fact}"));
    let extra = ours.difference(&theirs).map(|fact| format!("only ours:   {fact}"));
    let differences: Vec<String> = missing.chain(extra).collect();
    assert!(
        differences.is_empty(),
        "{} differences\n{}",
        differences.len(),
        differences.join("\n")
    );
}
