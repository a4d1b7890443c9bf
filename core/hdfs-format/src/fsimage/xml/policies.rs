//! Erasure-coding policies as XML.

use super::Writer;
use hdfs_proto::hdfs as pb;
use std::io::Write;

/// Id, name, codec, data units, parity units and bytes of a cell of the built-in policies. Images hold only their ids.
///
/// Hadoop: org.apache.hadoop.hdfs.protocol.SystemErasureCodingPolicies (3.5.0)
const BUILT_IN: [(u32, &str, &str, u32, u32, u32); 5] = [
    (1, "RS-6-3-1024k", "rs", 6, 3, 1_048_576),
    (2, "RS-3-2-1024k", "rs", 3, 2, 1_048_576),
    (3, "RS-LEGACY-6-3-1024k", "rs-legacy", 6, 3, 1_048_576),
    (4, "XOR-2-1-1024k", "xor", 2, 1, 1_048_576),
    (5, "RS-10-4-1024k", "rs", 10, 4, 1_048_576),
];

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
        let built_in = BUILT_IN.iter().find(|known| known.0 == policy.id & 0xFF);
        if let Some((_, name, codec, data, parity, cell)) = built_in {
            self.head(name, *cell, state);
            self.schema(codec, *data, *parity, &[]);
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
