//! Erasure-coding policies as XML.

use super::Writer;
use hdfs_proto::hdfs as pb;
use hdfs_types::erasure::{SYSTEM_CELL_BYTES, system_policy};
use std::io::Write;

impl<W: Write> Writer<W> {
    pub(super) fn policy(&mut self, policy: &pb::ErasureCodingPolicyProto) {
        let state = match policy.state() {
            pb::ErasureCodingPolicyState::Disabled => "DISABLED",
            pb::ErasureCodingPolicyState::Enabled => "ENABLED",
            pb::ErasureCodingPolicyState::Removed => "REMOVED",
        };
        self.raw("<erasureCodingPolicy>\n");
        // Java holds the id in a byte.
        self.number("policyId", i64::from((policy.id as u8).cast_signed()));
        // Images hold only the numbers of built-in policies; 0, replication, is not one to Java's reader.
        let built_in = system_policy(policy.id & 0xFF).filter(|built_in| built_in.id != 0);
        if let Some(built_in) = built_in {
            self.head(built_in.name, SYSTEM_CELL_BYTES, state);
            self.schema(built_in.codec, built_in.data_units, built_in.parity_units, &[]);
        } else {
            self.head(policy.name(), policy.cell_size(), state);
            let schema = policy.schema.clone().unwrap_or_default();
            let (data, parity) = (schema.data_units, schema.parity_units);
            self.schema(&schema.codec_name, data, parity, &schema.options);
        }
        self.raw("</ecSchema>\n</erasureCodingPolicy>\n\n");
    }

    fn head(&mut self, name: &str, cell: u32, state: &str) {
        self.leaf("policyName", name);
        self.int("cellSize", cell);
        self.leaf("policyState", state);
        self.raw("<ecSchema>\n");
    }

    fn schema(
        &mut self,
        codec: &str,
        data: u32,
        parity: u32,
        options: &[pb::EcSchemaOptionEntryProto],
    ) {
        self.leaf("codecName", codec);
        self.int("dataUnits", data);
        self.int("parityUnits", parity);
        if options.is_empty() {
            return;
        }
        self.raw("<extraOptions>\n");
        for option in options {
            self.raw("<option>\n");
            self.leaf("key", &option.key);
            self.leaf("value", &option.value);
            self.raw("</option>\n");
        }
        self.raw("</extraOptions>\n");
    }
}
