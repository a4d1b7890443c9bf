//! Calls about cache pools, directives, policies of erasure coding, attributes, and reports in parts.

use hdfs_format::edits::{CachePoolInfo, ErasureCodingPolicyDefinition, XAttr, XAttrNamespace};
use hdfs_namespace::{CacheDirectiveRequest, CacheExpiration, DiffCursor, XAttrSetFlags};
use hdfs_types::{FsPermission, Result};

use super::Script;
use crate::Generator;

/// The first number of a call that is made here.
pub(super) const FIRST: u8 = 240;

/// Names of pools and policies; a built-in policy among them.
const NAMES: [&str; 5] = ["pool", "p", "RS-6-3-1024k", "XOR-2-1-1024k", "RS-3-2-64k"];

/// One call.
pub(super) fn call(
    generator: &mut Generator,
    script: &mut Script<'_>,
    number: u8,
    (path, other): (&[u8], &[u8]),
) -> Result<()> {
    let name = NAMES[usize::from(script.byte()) % NAMES.len()];
    match number - FIRST {
        0 => {
            let pool = pool(script, name);
            generator.call(|tree, ctx| tree.plan_add_cache_pool(ctx, &pool))
        }
        1 => {
            let pool = pool(script, name);
            generator.call(|tree, ctx| tree.plan_modify_cache_pool(ctx, &pool))
        }
        2 => generator.call(|tree, ctx| tree.plan_remove_cache_pool(ctx, name)),
        3..=5 => directive(generator, script, number - FIRST, (path, name)),
        6 => {
            let id = script.number();
            generator.call(|tree, ctx| tree.plan_remove_cache_directive(ctx, id))
        }
        7 => generator.call(|tree, ctx| tree.plan_set_erasure_coding_policy(ctx, path, name)),
        8 => generator.call(|tree, ctx| tree.plan_unset_erasure_coding_policy(ctx, path)),
        9 => {
            let definition = definition(script);
            let add = |generator: &mut Generator| {
                generator.call(|tree, ctx| {
                    tree.plan_add_erasure_coding_policies(ctx, std::slice::from_ref(&definition))
                })
            };
            add(generator).map(drop)
        }
        10 => {
            generator.call(|tree, ctx| tree.plan_enable_erasure_coding_policy(ctx, name)).map(drop)
        }
        11 => {
            generator.call(|tree, ctx| tree.plan_disable_erasure_coding_policy(ctx, name)).map(drop)
        }
        12 => generator.call(|tree, ctx| tree.plan_remove_erasure_coding_policy(ctx, name)),
        13 | 14 => attribute(generator, script, (number - FIRST == 13, path)),
        _ => {
            let index = i32::try_from(script.number()).unwrap_or(i32::MIN);
            let cursor = DiffCursor { start_path: script.path(), index };
            let last = other.rsplit(|byte| *byte == b'/').next().unwrap_or_default();
            for names in [(last, &b""[..]), (b"s0", last), (last, b"s1")] {
                // Only that there is an answer.
                let _ = generator
                    .with(|tree, ctx| tree.get_snapshot_diff_listing(ctx, path, names, &cursor));
            }
            Ok(())
        }
    }
}

fn pool(script: &mut Script<'_>, name: &str) -> CachePoolInfo {
    let shape = script.byte();
    let given = |bit: u8| shape & bit != 0;
    CachePoolInfo {
        pool_name: name.to_owned(),
        owner_name: given(1).then(|| "alice".to_owned()),
        group_name: given(2).then(|| "eng".to_owned()),
        mode: given(4).then_some(FsPermission(0o750)),
        limit: given(8).then(|| script.number()),
        max_relative_expiry_ms: given(16).then(|| script.number()),
        default_replication: given(32).then(|| u16::from(script.byte())),
    }
}

/// Adds, changes or lists directives.
fn directive(
    generator: &mut Generator,
    script: &mut Script<'_>,
    which: u8,
    (path, name): (&[u8], &str),
) -> Result<()> {
    let (shape, path) = (script.byte(), String::from_utf8_lossy(path));
    let given = |bit: u8| shape & bit != 0;
    let request = CacheDirectiveRequest {
        id: given(1).then(|| script.number()),
        path: given(2).then_some(&*path),
        replication: given(4).then(|| i16::from(script.byte()) - 3),
        pool: given(8).then_some(name),
        expiration: given(16)
            .then(|| CacheExpiration { millis: script.number(), is_relative: given(32) }),
        force: given(64),
    };
    match which {
        3 => generator.call(|tree, ctx| tree.plan_add_cache_directive(ctx, &request)).map(drop),
        4 => generator.call(|tree, ctx| tree.plan_modify_cache_directive(ctx, &request)),
        _ => {
            let after = script.number();
            generator.with(|tree, ctx| {
                tree.list_cache_pools(ctx, name);
                tree.list_cache_directives(ctx, after, &request).map(drop)
            })
        }
    }
}

fn definition(script: &mut Script<'_>) -> ErasureCodingPolicyDefinition {
    let codecs = ["rs", "RS", "xor", "rs-legacy", "other", ""];
    let codec = codecs[usize::from(script.byte()) % codecs.len()];
    let extra = script.byte() & 1 != 0;
    let mut unit = || i32::from(script.byte().cast_signed());
    ErasureCodingPolicyDefinition {
        codec_name: codec.to_owned(),
        num_data_units: unit(),
        num_parity_units: unit(),
        cell_size: unit() << 10,
        extra_options: extra.then(|| ("key".to_owned(), "value".to_owned())).into_iter().collect(),
    }
}

fn attribute(
    generator: &mut Generator,
    script: &mut Script<'_>,
    (set, path): (bool, &[u8]),
) -> Result<()> {
    const NAMESPACES: [XAttrNamespace; 5] = [
        XAttrNamespace::User,
        XAttrNamespace::Trusted,
        XAttrNamespace::Security,
        XAttrNamespace::System,
        XAttrNamespace::Raw,
    ];
    let namespace = NAMESPACES[usize::from(script.byte()) % NAMESPACES.len()];
    let name = String::from_utf8_lossy(&script.component()).into_owned();
    let shape = script.byte();
    let value = vec![shape; usize::from(shape)];
    let flags = XAttrSetFlags { create: shape & 1 != 0, replace: shape & 2 != 0 };
    let xattr = XAttr { namespace, name, value: set.then_some(value) };
    if set {
        generator.call(|tree, ctx| tree.plan_set_xattr(ctx, path, &xattr, flags))
    } else {
        generator.call(|tree, ctx| tree.plan_remove_xattr(ctx, path, &xattr))
    }
}
