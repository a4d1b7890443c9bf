//! Secrets and caches from XML.

use super::events::Node;
use super::inode::hex;
use super::{Reverse, ReverseError};
use crate::storage_dir::parse_iso_millis;
use hdfs_proto::hdfs as p;
use hdfs_proto::hdfs::fsimage as pb;
use pb::secret_manager_section as secret;
use std::io::Write;

impl<W: Write> Reverse<'_, W> {
    pub(super) fn secret_manager(&mut self) -> Result<(), ReverseError> {
        let mut head = self.events.head("SecretManager fields", &["delegationKey", "token"])?;
        let had_no = |name: &str| format!("SecretManager section had no <{name}>");
        let mut take = |name: &str| head.number::<i32>(name)?.ok_or_else(|| had_no(name));
        let current_id = take("currentId")?;
        let token_sequence_number = take("tokenSequenceNumber")?;
        let (keys, tokens) = (take("numDelegationKeys")?, take("numTokens")?);
        head.end("SecretManager")?;
        self.out.message(&pb::SecretManagerSection {
            current_id: Some(current_id.cast_unsigned()),
            token_sequence_number: Some(token_sequence_number.cast_unsigned()),
            num_keys: Some(keys.cast_unsigned()),
            num_tokens: Some(tokens.cast_unsigned()),
        })?;
        for found in 0..keys {
            let only = format!("Only read {found} delegation keys out of {keys}");
            let node = self.next_of("delegationKey", "Delegation key fields", &only)?;
            self.out.message(&delegation_key(node)?)?;
        }
        for found in 0..tokens {
            let only = format!("Only read {found} tokens out of {tokens}");
            let node = self.next_of("token", "PersistToken key fields", &only)?;
            self.out.message(&token(node)?)?;
        }
        Ok(self.events.end_of("SecretManagerSection")?)
    }

    pub(super) fn cache_manager(&mut self) -> Result<(), ReverseError> {
        let mut head = self.events.head("CacheManager fields", &["pool", "directive"])?;
        let had_no = |name: &str| format!("CacheManager section had no <{name}>");
        let next = head.long("nextDirectiveId")?.ok_or_else(|| had_no("nextDirectiveId"))?;
        let pools: i32 = head.number("numPools")?.ok_or_else(|| had_no("numPools"))?;
        let directives: i32 =
            head.number("numDirectives")?.ok_or_else(|| had_no("numDirectives"))?;
        self.out.message(&pb::CacheManagerSection {
            next_directive_id: next,
            num_pools: pools.cast_unsigned(),
            num_directives: directives.cast_unsigned(),
        })?;
        for found in 0..pools {
            let only = format!("Only read {found} cache pools out of {pools}");
            let node = self.next_of("pool", "pool fields", &only)?;
            self.out.message(&pool(node)?)?;
        }
        for found in 0..directives {
            let only = format!("Only read {found} cache pools out of {directives}");
            let node = self.next_of("directive", "directive fields", &only)?;
            self.out.message(&directive(node)?)?;
        }
        Ok(self.events.end_of("CacheManagerSection")?)
    }
}

fn delegation_key(mut node: Node) -> Result<secret::DelegationKey, String> {
    let lacked = |what: &str| format!("Delegation key stanza <delegationKey> lacked {what} field.");
    let id = node.int("id")?.ok_or_else(|| lacked("an <id>"))?;
    let expiry = date(&mut node, "expiry")?.ok_or_else(|| lacked("an <expiry>"))?;
    let key = hex(&node.string("key")?.ok_or_else(|| lacked("a <key>"))?)?;
    node.end("delegationKey")?;
    Ok(secret::DelegationKey { id: Some(id), expiry_date: Some(expiry), key: Some(key.into()) })
}

fn token(mut node: Node) -> Result<secret::PersistToken, String> {
    let token = secret::PersistToken {
        version: node.int("version")?,
        owner: node.string("owner")?,
        renewer: node.string("renewer")?,
        real_user: node.string("realUser")?,
        issue_date: date(&mut node, "issueDate")?,
        max_date: date(&mut node, "maxDate")?,
        sequence_number: node.int("sequenceNumber")?,
        master_key_id: node.int("masterKeyId")?,
        expiry_date: date(&mut node, "expiryDate")?,
    };
    node.end("token")?;
    Ok(token)
}

fn date(node: &mut Node, name: &str) -> Result<Option<u64>, String> {
    let millis = |text: String| {
        parse_iso_millis(&text).ok_or_else(|| format!("Failed to parse ISO date string {text}"))
    };
    node.string(name)?.map(millis).transpose()
}

fn pool(mut node: Node) -> Result<p::CachePoolInfoProto, String> {
    let without = |name: &str| format!("<pool> found without <{name}>");
    let info = p::CachePoolInfoProto {
        pool_name: Some(node.string("poolName")?.ok_or_else(|| without("poolName"))?),
        owner_name: Some(node.string("ownerName")?.ok_or_else(|| without("ownerName"))?),
        group_name: Some(node.string("groupName")?.ok_or_else(|| without("groupName"))?),
        mode: Some(node.number("mode")?.ok_or_else(|| without("mode"))?),
        limit: Some(node.number("limit")?.ok_or_else(|| without("limit"))?),
        max_relative_expiry: Some(
            node.number("maxRelativeExpiry")?.ok_or_else(|| without("maxRelativeExpiry"))?,
        ),
        ..p::CachePoolInfoProto::default()
    };
    node.end("pool")?;
    Ok(info)
}

fn directive(mut node: Node) -> Result<p::CacheDirectiveInfoProto, String> {
    let without = |name: &str| format!("<directive> found without <{name}>");
    let mut info = p::CacheDirectiveInfoProto {
        id: Some(node.number("id")?.ok_or_else(|| without("id"))?),
        path: Some(node.string("path")?.ok_or_else(|| without("path"))?),
        replication: Some(node.int("replication")?.ok_or_else(|| without("replication"))?),
        pool: Some(node.string("pool")?.ok_or_else(|| without("pool"))?),
        expiration: None,
    };
    if let Some(mut expiration) = node.child("expiration") {
        let missing = "cache directive <expiration> found without <millis>";
        info.expiration = Some(p::CacheDirectiveInfoExpirationProto {
            millis: expiration.number("millis")?.ok_or(missing)?,
            is_relative: expiration.flag("relative")?,
        });
    }
    node.end("directive")?;
    Ok(info)
}
