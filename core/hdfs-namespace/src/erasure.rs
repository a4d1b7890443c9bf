//! Erasure-coding policies: those that are built in, those that users add, and which of them new files may have.
//!
//! A policy has two states: the one that counts, and the one that images store. They differ for the default policy alone,
//! which the configuration enables at every start (`dfs.namenode.ec.system.default.policy`).
//!
//! Hadoop: org.apache.hadoop.hdfs.server.namenode.ErasureCodingPolicyManager (3.5.0)

use std::collections::BTreeMap;
use std::fmt;

use hdfs_format::edits::ErasureCodingPolicyDefinition;
use hdfs_proto::hdfs::{
    EcSchemaOptionEntryProto, EcSchemaProto, ErasureCodingPolicyProto, ErasureCodingPolicyState,
    fsimage as pb,
};
use hdfs_types::erasure::{SYSTEM_CELL_BYTES, SYSTEM_POLICIES, system_policy};
use hdfs_types::{Error, ErrorKind, Result};

use crate::plan::NamespaceConf;

/// Numbers of policies that users add begin here.
const FIRST_USER_POLICY: u8 = 64;
/// The last number.
const LAST_POLICY: u8 = i8::MAX as u8;
/// Most blocks of a group, and how far apart the ids of two groups are.
pub(crate) const MAX_BLOCKS_IN_GROUP: u32 = 16;
/// The name of the policy that is none.
pub(crate) const REPLICATION: &str = "replication";
/// Codes for which policies may be made.
const CODECS: [&str; 3] = ["rs", "rs-legacy", "xor"];

/// A policy.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ErasureCodingPolicy {
    /// Its number.
    pub id: u8,
    /// `RS-6-3-1024k`
    pub name: String,
    /// `rs`
    pub codec: String,
    /// Data blocks of a group.
    pub data_units: u32,
    /// Parity blocks of a group.
    pub parity_units: u32,
    /// Bytes of a cell.
    pub cell_size: u32,
    /// Further options of the code.
    pub options: Vec<(String, String)>,
}

impl ErasureCodingPolicy {
    /// Blocks of a full group.
    pub fn units(&self) -> u32 {
        self.data_units + self.parity_units
    }

    /// Bytes that a group with this much data takes on all DataNodes.
    ///
    /// Hadoop: StripedBlockUtil.spaceConsumedByStripedBlock, getInternalBlockLength (3.5.0)
    pub(crate) fn space_consumed(&self, data: u64) -> u64 {
        let (cell, units) = (u64::from(self.cell_size.max(1)), u64::from(self.data_units.max(1)));
        let stripe = cell * units;
        let rest = data % stripe;
        let parity = if rest == 0 { data / units } else { data / stripe * cell + rest.min(cell) };
        data.saturating_add(parity.saturating_mul(u64::from(self.parity_units)))
    }

    fn built_in(id: u32) -> Option<Self> {
        let policy = system_policy(id)?;
        Some(Self {
            id: u8::try_from(policy.id).ok()?,
            name: policy.name.to_owned(),
            codec: policy.codec.to_owned(),
            data_units: policy.data_units,
            parity_units: policy.parity_units,
            cell_size: SYSTEM_CELL_BYTES,
            options: Vec::new(),
        })
    }

    /// The policy as messages name it: what is built in by its number alone.
    pub fn to_proto(&self) -> ErasureCodingPolicyProto {
        let mut proto =
            ErasureCodingPolicyProto { id: self.id.into(), ..ErasureCodingPolicyProto::default() };
        if system_policy(proto.id).is_none() {
            let option = |(key, value): &(String, String)| EcSchemaOptionEntryProto {
                key: key.clone(),
                value: value.clone(),
            };
            proto.name = Some(self.name.clone());
            proto.cell_size = Some(self.cell_size);
            proto.schema = Some(EcSchemaProto {
                codec_name: self.codec.clone(),
                data_units: self.data_units,
                parity_units: self.parity_units,
                options: self.options.iter().map(option).collect(),
            });
        }
        proto
    }

    fn from_proto(proto: &ErasureCodingPolicyProto) -> Result<Self, String> {
        if proto.id != 0
            && let Some(policy) = Self::built_in(proto.id)
        {
            return Ok(policy);
        }
        let missing = |what: &str| format!("Missing {what} field in ErasureCodingPolicy proto");
        let schema = proto.schema.as_ref().ok_or_else(|| missing("schema"))?;
        let policy = Self {
            id: u8::try_from(proto.id)
                .ok()
                .filter(|id| (1..=LAST_POLICY).contains(id))
                .ok_or_else(|| format!("erasure-coding policy {} is out of range", proto.id))?,
            name: proto.name.clone().ok_or_else(|| missing("name"))?,
            codec: schema.codec_name.clone(),
            data_units: schema.data_units,
            parity_units: schema.parity_units,
            cell_size: proto.cell_size.ok_or_else(|| missing("cellsize"))?,
            options: schema.options.iter().map(|of| (of.key.clone(), of.value.clone())).collect(),
        };
        let units = u64::from(policy.data_units) + u64::from(policy.parity_units);
        if policy.data_units == 0
            || policy.cell_size == 0
            || units > u64::from(MAX_BLOCKS_IN_GROUP)
            || policy.cell_size > i32::MAX as u32
        {
            return Err(format!("erasure-coding policy {} makes no sense", policy.name));
        }
        Ok(policy)
    }
}

/// Hadoop's text, as in messages.
impl fmt::Display for ErasureCodingPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "ErasureCodingPolicy=[Name={}, Schema=[ECSchema=[Codec={}, numDataUnits={}, numParityUnits={}",
            self.name, self.codec, self.data_units, self.parity_units
        )?;
        for (key, value) in &self.options {
            write!(f, ", {key}={value}")?;
        }
        write!(f, "]], CellSize={}, Id={}]", self.cell_size, self.id)
    }
}

/// A policy and its states.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Entry {
    policy: ErasureCodingPolicy,
    state: ErasureCodingPolicyState,
    stored: ErasureCodingPolicyState,
}

use ErasureCodingPolicyState::{Disabled, Enabled, Removed};

/// All policies, by number.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct ErasureCodingPolicies {
    entries: BTreeMap<u8, Entry>,
}

impl Default for ErasureCodingPolicies {
    /// The built-in ones, none enabled.
    fn default() -> Self {
        let built_in = SYSTEM_POLICIES.iter().filter(|policy| policy.id != 0);
        let entry = |policy| Entry { policy, state: Disabled, stored: Disabled };
        let entries = built_in
            .filter_map(|policy| ErasureCodingPolicy::built_in(policy.id))
            .map(|policy| (policy.id, entry(policy)))
            .collect();
        Self { entries }
    }
}

impl ErasureCodingPolicies {
    /// The built-in ones, with the default one enabled.
    pub(crate) fn new(conf: &NamespaceConf) -> Self {
        let mut policies = Self::default();
        policies.enable_default(conf);
        policies
    }

    /// The built-in ones and those of an image, with the default one enabled.
    pub(crate) fn load(
        section: &pb::ErasureCodingSection,
        conf: &NamespaceConf,
    ) -> Result<Self, String> {
        let mut policies = Self::default();
        for proto in &section.policies {
            let policy = ErasureCodingPolicy::from_proto(proto)?;
            let usable =
                is_codec(&policy.codec) && policy.cell_size <= conf.max_erasure_coding_cell_bytes;
            let state = if usable { proto.state() } else { Disabled };
            policies.entries.insert(policy.id, Entry { policy, state, stored: state });
        }
        policies.enable_default(conf);
        Ok(policies)
    }

    fn enable_default(&mut self, conf: &NamespaceConf) {
        if let Some(entry) = self.named_mut(&conf.default_erasure_coding_policy) {
            entry.state = Enabled;
        }
    }

    /// # Errors
    /// Io when the configured default policy does not exist.
    pub(crate) fn check_default(&self, conf: &NamespaceConf) -> Result<()> {
        let name = &conf.default_erasure_coding_policy;
        if name.is_empty() || self.named(name).is_some() {
            return Ok(());
        }
        let names: Vec<&str> = self.by_name().map(|(policy, _)| policy.name.as_str()).collect();
        Err(Error::io(format!(
            "EC policy '{name}' specified at dfs.namenode.ec.system.default.policy is not a valid policy. Please choose \
             from list of available policies: [{}]",
            names.join(", ")
        )))
    }

    /// What an image stores.
    pub(crate) fn save(&self) -> pb::ErasureCodingSection {
        let policies = self
            .entries
            .values()
            .map(|entry| ErasureCodingPolicyProto {
                state: Some(entry.stored as i32),
                ..entry.policy.to_proto()
            })
            .collect();
        pb::ErasureCodingSection { policies }
    }

    pub(crate) fn get(&self, id: u8) -> Option<&ErasureCodingPolicy> {
        self.entries.get(&id).map(|entry| &entry.policy)
    }

    /// The policy with this name, whatever its state.
    pub(crate) fn by_exact_name(&self, name: &str) -> Option<&ErasureCodingPolicy> {
        self.named(name).map(|entry| &entry.policy)
    }

    /// Every policy with its state, sorted by name.
    pub(crate) fn by_name(
        &self,
    ) -> impl Iterator<Item = (&ErasureCodingPolicy, ErasureCodingPolicyState)> {
        let mut entries: Vec<&Entry> = self.entries.values().collect();
        entries.sort_by(|a, b| a.policy.name.cmp(&b.policy.name));
        entries.into_iter().map(|entry| (&entry.policy, entry.state))
    }

    fn named(&self, name: &str) -> Option<&Entry> {
        self.entries.values().find(|entry| entry.policy.name == name)
    }

    fn named_mut(&mut self, name: &str) -> Option<&mut Entry> {
        self.entries.values_mut().find(|entry| entry.policy.name == name)
    }

    /// The policy that new files may have by this name; `Ok(None)`: plain replication.
    ///
    /// # Errors
    /// HadoopIllegalArgument when it is not enabled.
    pub(crate) fn enabled(&self, name: &str) -> Result<Option<&ErasureCodingPolicy>> {
        if let Some(entry) = self.named(name).filter(|entry| entry.state == Enabled) {
            return Ok(Some(&entry.policy));
        }
        if name.eq_ignore_ascii_case(REPLICATION) {
            return Ok(None);
        }
        let names: Vec<&str> = self
            .by_name()
            .filter(|(_, state)| *state == Enabled)
            .map(|(policy, _)| policy.name.as_str())
            .collect();
        Err(refused(format!(
            "Policy '{name}' does not match any enabled erasure coding policies: [{}]. An erasure coding policy can be \
             enabled by enableErasureCodingPolicy API.",
            names.join(", ")
        )))
    }

    /// Checks a new policy as a call defines it.
    ///
    /// # Errors
    /// HadoopIllegalArgument with Hadoop's reasons, IllegalArgument for a cell that makes no name.
    pub(crate) fn check_new(
        &self,
        conf: &NamespaceConf,
        policy: &ErasureCodingPolicyDefinition,
    ) -> Result<()> {
        if !conf.user_erasure_coding_policies {
            return Err(refused(
                "Addition of user defined erasure coding policy is disabled.".to_owned(),
            ));
        }
        if !is_codec(&policy.codec_name) {
            return Err(refused(format!("Codec name {} is not supported", policy.codec_name)));
        }
        let units = i64::from(policy.num_data_units) + i64::from(policy.num_parity_units);
        if units > i64::from(MAX_BLOCKS_IN_GROUP) {
            return Err(refused(format!(
                "Number of data and parity blocks in an EC group {units} should not exceed maximum {MAX_BLOCKS_IN_GROUP}"
            )));
        }
        let (cell, most) = (i64::from(policy.cell_size), conf.max_erasure_coding_cell_bytes);
        if cell > i64::from(most) {
            return Err(refused(format!(
                "Cell size {cell} should not exceed maximum {most} bytes"
            )));
        }
        check_definition(policy).map_err(|why| Error::new(ErrorKind::IllegalArgument, why))?;
        if self.known(policy).is_none() && self.last_id() == LAST_POLICY {
            return Err(refused(format!(
                "Adding erasure coding policy failed because the number of policies stored in the system already reached \
                 the threshold, which is {LAST_POLICY}"
            )));
        }
        Ok(())
    }

    /// The policy that a definition means already: the same name, or the same fields.
    fn known(&self, policy: &ErasureCodingPolicyDefinition) -> Option<&ErasureCodingPolicy> {
        let name = policy_name(policy);
        self.by_name().map(|(known, _)| known).find(|known| {
            known.name == name
                || known.codec == policy.codec_name
                    && i64::from(known.data_units) == i64::from(policy.num_data_units)
                    && i64::from(known.parity_units) == i64::from(policy.num_parity_units)
                    && i64::from(known.cell_size) == i64::from(policy.cell_size)
                    && known.options == policy.extra_options
        })
    }

    fn last_id(&self) -> u8 {
        self.entries.last_key_value().map_or(0, |(id, _)| *id)
    }

    /// Adds a policy, unless it is there.
    pub(crate) fn add(
        &mut self,
        policy: &ErasureCodingPolicyDefinition,
    ) -> Result<&ErasureCodingPolicy, String> {
        check_definition(policy)?;
        if policy.num_data_units + policy.num_parity_units > MAX_BLOCKS_IN_GROUP as i32 {
            return Err("an erasure-coding policy has too many blocks in a group".to_owned());
        }
        let id = match self.known(policy) {
            Some(known) => known.id,
            None => {
                let last = self.last_id();
                let id = last.checked_add(1).filter(|id| *id <= LAST_POLICY);
                let id = id.ok_or("there are too many erasure-coding policies")?;
                let policy = ErasureCodingPolicy {
                    id: id.max(FIRST_USER_POLICY),
                    name: policy_name(policy),
                    codec: policy.codec_name.clone(),
                    data_units: policy.num_data_units.cast_unsigned(),
                    parity_units: policy.num_parity_units.cast_unsigned(),
                    cell_size: policy.cell_size.cast_unsigned(),
                    options: policy.extra_options.clone(),
                };
                let id = policy.id;
                self.entries.insert(id, Entry { policy, state: Disabled, stored: Disabled });
                id
            }
        };
        Ok(&self.entries[&id].policy)
    }

    /// What enabling comes to: false when nothing changes.
    ///
    /// # Errors
    /// HadoopIllegalArgument for an unknown policy.
    pub(crate) fn check_enable(&self, conf: &NamespaceConf, name: &str) -> Result<bool> {
        let entry = self.named(name).ok_or_else(|| unknown(name))?;
        Ok(entry.state != Enabled || name == conf.default_erasure_coding_policy)
    }

    /// What disabling comes to: false when nothing changes.
    ///
    /// # Errors
    /// HadoopIllegalArgument for an unknown policy.
    pub(crate) fn check_disable(&self, name: &str) -> Result<bool> {
        Ok(self.named(name).ok_or_else(|| unknown(name))?.state == Enabled)
    }

    /// # Errors
    /// HadoopIllegalArgument for unknown and for built-in policies.
    pub(crate) fn check_remove(&self, name: &str) -> Result<()> {
        let entry = self.named(name).ok_or_else(|| unknown(name))?;
        if entry.policy.id < FIRST_USER_POLICY {
            return Err(refused(format!("System erasure coding policy {name} cannot be removed")));
        }
        Ok(())
    }

    fn set_state(&mut self, name: &str, state: ErasureCodingPolicyState) -> Result<(), String> {
        let entry = self
            .named_mut(name)
            .ok_or_else(|| format!("erasure-coding policy {name} does not exist"))?;
        if state != Disabled || entry.state == Enabled {
            entry.state = state;
            entry.stored = state;
        }
        Ok(())
    }

    pub(crate) fn enable(&mut self, name: &str) -> Result<(), String> {
        self.set_state(name, Enabled)
    }

    pub(crate) fn disable(&mut self, name: &str) -> Result<(), String> {
        self.set_state(name, Disabled)
    }

    pub(crate) fn remove(&mut self, name: &str) -> Result<(), String> {
        if self.named(name).is_some_and(|entry| entry.policy.id < FIRST_USER_POLICY) {
            return Err(format!("erasure-coding policy {name} is built in"));
        }
        self.set_state(name, Removed)
    }
}

/// `RS-6-3-1024k`
///
/// Hadoop: ErasureCodingPolicy.composePolicyName (3.5.0)
fn policy_name(policy: &ErasureCodingPolicyDefinition) -> String {
    format!(
        "{}-{}-{}-{}k",
        policy.codec_name.to_uppercase(),
        policy.num_data_units,
        policy.num_parity_units,
        policy.cell_size / 1024
    )
}

fn check_definition(policy: &ErasureCodingPolicyDefinition) -> Result<(), String> {
    if policy.codec_name.is_empty() || policy.num_data_units <= 0 || policy.num_parity_units <= 0 {
        return Err("Data unit number and parity unit number must be positive".to_owned());
    }
    if policy.cell_size <= 0 {
        return Err("cellSize must be positive".to_owned());
    }
    if policy.cell_size % 1024 != 0 {
        return Err("cellSize must be 1024 aligned".to_owned());
    }
    Ok(())
}

fn is_codec(name: &str) -> bool {
    CODECS.contains(&name)
}

fn unknown(name: &str) -> Error {
    refused(format!("The policy name {name} does not exist"))
}

fn refused(message: String) -> Error {
    Error::new(ErrorKind::HadoopIllegalArgument, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_takes_its_data_and_its_parity() {
        // Numbers of Hadoop's StripedBlockUtil.spaceConsumedByStripedBlock.
        let policy = ErasureCodingPolicy::built_in(1).expect("RS-6-3-1024k is built in");
        let cell = u64::from(SYSTEM_CELL_BYTES);
        assert_eq!(policy.space_consumed(0), 0);
        assert_eq!(policy.space_consumed(1), 4);
        assert_eq!(policy.space_consumed(cell), 4 * cell);
        assert_eq!(policy.space_consumed(cell + 1), cell + 1 + 3 * cell);
        assert_eq!(policy.space_consumed(6 * cell), 9 * cell);
        assert_eq!(policy.space_consumed(6 * cell + 10), 9 * cell + 40);
    }

    #[test]
    fn user_policies_get_numbers_from_64_and_keep_them() {
        let conf = NamespaceConf::default();
        let mut policies = ErasureCodingPolicies::new(&conf);
        let definition = |data, cell_size| ErasureCodingPolicyDefinition {
            codec_name: "rs".to_owned(),
            num_data_units: data,
            num_parity_units: 2,
            cell_size,
            extra_options: Vec::new(),
        };
        let added = policies.add(&definition(4, 65_536)).expect("it is right").clone();
        assert_eq!((added.id, added.name.as_str()), (64, "RS-4-2-64k"));
        assert_eq!(policies.add(&definition(4, 65_536)).expect("it is there").id, 64);
        assert_eq!(policies.add(&definition(3, 1_048_576)).expect("it is built in").id, 2);
        assert_eq!(policies.add(&definition(5, 65_536)).expect("it is right").id, 65);
        policies.remove("RS-4-2-64k").expect("it is there");
        policies.enable("XOR-2-1-1024k").expect("it is there");
        let loaded = ErasureCodingPolicies::load(&policies.save(), &conf).expect("it was saved");
        assert_eq!(loaded, policies);
        assert_eq!(
            policies.check_new(&conf, &definition(15, 65_536)).expect_err("too many").message,
            "Number of data and parity blocks in an EC group 17 should not exceed maximum 16"
        );
    }
}
