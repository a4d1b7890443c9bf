//! Calls on what is beside the tree: erasure-coding policies, cache pools and directives, encryption zones, rolling upgrades.

use hdfs_format::edits::{CachePoolInfo, ErasureCodingPolicyDefinition};
use hdfs_namespace::{CacheDirectiveRequest, CacheExpiration, CipherSuite};
use hdfs_types::{FsPermission, Result, Rng};

use crate::Generator;
use crate::generator::Call;
use crate::pick::{Entry, text};

pub(crate) const CALLS: &[(u32, Call)] = &[
    (2, enable_policy),
    (1, disable_policy),
    (1, add_policy),
    (1, remove_policy),
    (3, set_policy),
    (1, unset_policy),
    (2, add_pool),
    (2, modify_pool),
    (1, remove_pool),
    (3, add_directive),
    (2, modify_directive),
    (1, remove_directive),
    (1, encryption_zone),
    (1, rolling_upgrade),
];

/// Policies that are built in, and those that users add here.
const POLICIES: [&str; 6] = [
    "RS-6-3-1024k",
    "RS-3-2-1024k",
    "XOR-2-1-1024k",
    "RS-10-4-1024k",
    "XOR-3-2-64k",
    "RS-LEGACY-4-2-128k",
];

impl Generator {
    fn a_policy(&mut self) -> &'static str {
        self.one_of(&POLICIES)
    }

    /// One that is enabled, if there is one.
    fn an_enabled_policy(&mut self) -> &'static str {
        let enabled = |name: &&str| {
            self.namespace.erasure_coding_policy_named(name).is_ok_and(|policy| policy.is_some())
        };
        let names: Vec<&str> = POLICIES.into_iter().filter(enabled).collect();
        if names.is_empty() { self.a_policy() } else { self.one_of(&names) }
    }
}

fn enable_policy(generator: &mut Generator) -> Result<()> {
    let name = generator.a_policy();
    generator.say(format!("enable {name}"));
    generator
        .call(|namespace, ctx| namespace.plan_enable_erasure_coding_policy(ctx, name))
        .map(drop)
}

fn disable_policy(generator: &mut Generator) -> Result<()> {
    let name = generator.a_policy();
    generator.say(format!("disable {name}"));
    generator
        .call(|namespace, ctx| namespace.plan_disable_erasure_coding_policy(ctx, name))
        .map(drop)
}

fn add_policy(generator: &mut Generator) -> Result<()> {
    let definition = if generator.one_in(2) {
        ErasureCodingPolicyDefinition {
            codec_name: "xor".to_owned(),
            num_data_units: 3,
            num_parity_units: 2,
            cell_size: 64 * 1024,
            extra_options: Vec::new(),
        }
    } else {
        ErasureCodingPolicyDefinition {
            codec_name: "rs-legacy".to_owned(),
            num_data_units: 4,
            num_parity_units: 2,
            cell_size: 128 * 1024,
            extra_options: vec![("k".to_owned(), "v & w".to_owned())],
        }
    };
    generator.say(format!("add {definition:?}"));
    let added = generator
        .call(|namespace, ctx| namespace.plan_add_erasure_coding_policies(ctx, &[definition]))?;
    added.into_iter().try_for_each(|added| added.map(drop))
}

fn remove_policy(generator: &mut Generator) -> Result<()> {
    let name = generator.one_of(&["XOR-3-2-64k", "RS-LEGACY-4-2-128k"]);
    generator.say(format!("remove {name}"));
    generator.call(|namespace, ctx| namespace.plan_remove_erasure_coding_policy(ctx, name))
}

fn set_policy(generator: &mut Generator) -> Result<()> {
    let path = generator.a_directory();
    let name = if generator.one_in(6) { "replication" } else { generator.an_enabled_policy() };
    generator.say(format!("setErasureCodingPolicy {} {name}", text(&path)));
    generator.call(|namespace, ctx| namespace.plan_set_erasure_coding_policy(ctx, &path, name))
}

fn unset_policy(generator: &mut Generator) -> Result<()> {
    let path = generator.a_directory();
    generator.say(format!("unsetErasureCodingPolicy {}", text(&path)));
    generator.call(|namespace, ctx| namespace.plan_unset_erasure_coding_policy(ctx, &path))
}

/// Names of pools: few.
const POOLS: [&str; 3] = ["pool1", "pool2", "p\u{f6}\u{f6}l"];

fn a_pool(generator: &mut Generator) -> CachePoolInfo {
    let some = |generator: &mut Generator| !generator.one_in(3);
    let mut info = CachePoolInfo {
        pool_name: generator.one_of(&POOLS).to_owned(),
        ..CachePoolInfo::default()
    };
    if some(generator) {
        info.owner_name = Some(generator.one_of(&["alice", "bob"]).to_owned());
    }
    if some(generator) {
        info.group_name = Some(generator.one_of(&["users", "staff"]).to_owned());
    }
    if some(generator) {
        info.mode = Some(FsPermission(generator.one_of(&[0o755, 0o777, 0o700, 0])));
    }
    if some(generator) {
        info.limit = Some(generator.one_of(&[i64::MAX, 1 << 30, 0]));
    }
    if some(generator) {
        info.max_relative_expiry_ms = Some(generator.one_of(&[86_400_000, 1_000, i64::MAX / 4]));
    }
    if some(generator) {
        info.default_replication = Some(generator.one_of(&[1, 2, 3]));
    }
    info
}

fn add_pool(generator: &mut Generator) -> Result<()> {
    generator.as_superuser();
    let info = a_pool(generator);
    generator.say(format!("addCachePool {info:?}"));
    generator.call(|namespace, ctx| namespace.plan_add_cache_pool(ctx, &info))
}

fn modify_pool(generator: &mut Generator) -> Result<()> {
    generator.as_superuser();
    let info = a_pool(generator);
    generator.say(format!("modifyCachePool {info:?}"));
    generator.call(|namespace, ctx| namespace.plan_modify_cache_pool(ctx, &info))
}

fn remove_pool(generator: &mut Generator) -> Result<()> {
    generator.as_superuser();
    let name = generator.one_of(&POOLS);
    generator.say(format!("removeCachePool {name}"));
    generator.call(|namespace, ctx| namespace.plan_remove_cache_pool(ctx, name))
}

/// Calls with what a directive may say.
fn with_directive<T>(
    generator: &mut Generator,
    id: Option<i64>,
    call: impl FnOnce(&mut Generator, &CacheDirectiveRequest<'_>) -> Result<T>,
) -> Result<T> {
    let all = id.is_none();
    let path = text(&generator.anything());
    let now = generator.now.cast_signed();
    let request = CacheDirectiveRequest {
        id,
        path: (all || generator.one_in(2)).then_some(path.as_str()),
        replication: if generator.one_in(2) { Some(generator.one_of(&[1, 3])) } else { None },
        pool: if all || generator.one_in(3) { Some(generator.one_of(&POOLS)) } else { None },
        expiration: match generator.rng.below(4) {
            0 => Some(CacheExpiration { millis: 500, is_relative: true }),
            1 => Some(CacheExpiration { millis: now + 900, is_relative: false }),
            _ => None,
        },
        force: generator.one_in(2),
    };
    call(generator, &request)
}

fn add_directive(generator: &mut Generator) -> Result<()> {
    with_directive(generator, None, |generator, request| {
        generator.say(format!("addCacheDirective {request:?}"));
        generator.call(|namespace, ctx| namespace.plan_add_cache_directive(ctx, request)).map(drop)
    })
}

fn modify_directive(generator: &mut Generator) -> Result<()> {
    let id = 1 + generator.rng.below(6).cast_signed();
    with_directive(generator, Some(id), |generator, request| {
        generator.say(format!("modifyCacheDirective {request:?}"));
        generator.call(|namespace, ctx| namespace.plan_modify_cache_directive(ctx, request))
    })
}

fn remove_directive(generator: &mut Generator) -> Result<()> {
    let id = 1 + generator.rng.below(6).cast_signed();
    generator.say(format!("removeCacheDirective {id}"));
    generator.call(|namespace, ctx| namespace.plan_remove_cache_directive(ctx, id)).map(drop)
}

fn encryption_zone(generator: &mut Generator) -> Result<()> {
    generator.as_superuser();
    let empty = |entry: &Entry| entry.is_directory() && entry.status.children == 0;
    let path = generator.existing(|entry| empty(entry) && entry.path != b"/");
    let Some(path) = path else { return Ok(()) };
    generator.say(format!("createEncryptionZone {}", text(&path)));
    generator.call(|namespace, ctx| {
        namespace.plan_create_encryption_zone(ctx, &path, CipherSuite::AesCtr, "mykey")
    })
}

fn rolling_upgrade(generator: &mut Generator) -> Result<()> {
    generator.as_superuser();
    if generator.namespace.is_rolling_upgrade() {
        generator.say("finalize the rolling upgrade".to_owned());
        generator.call(|namespace, ctx| namespace.plan_finalize_rolling_upgrade(ctx)).map(drop)
    } else {
        generator.say("start a rolling upgrade".to_owned());
        generator.call(|namespace, ctx| namespace.plan_start_rolling_upgrade(ctx)).map(drop)
    }
}
