//! The protocol buffers of HDFS 3.5: our own `.proto` files (in `proto/`) and the code generated from them.
//!
//! The `.proto` files carry Hadoop's names, numbers and types; `tests/descriptors.rs` compares them with the descriptors
//! of Apache Hadoop 3.5.0, field by field. `cargo xtask codegen` writes `generated/`. This crate holds no logic: framing
//! and conversions live in `hdfs-format`.

/// Generated modules, one for each protobuf package, nested as the packages are.
#[allow(missing_docs, clippy::all, clippy::pedantic, unreachable_pub, unused_qualifications)]
pub mod hadoop {
    /// Package `hadoop.common`: RPC headers, tokens, HA service, refresh protocols.
    pub mod common {
        include!("generated/hadoop.common.rs");
    }
    /// Package `hadoop.fs`.
    pub mod fs {
        include!("generated/hadoop.fs.rs");
    }
    /// Package `hadoop.hdfs`: client, DataNode and data-transfer messages.
    pub mod hdfs {
        include!("generated/hadoop.hdfs.rs");
        /// Package `hadoop.hdfs.datanode`: DataNode to NameNode.
        pub mod datanode {
            include!("generated/hadoop.hdfs.datanode.rs");
        }
        /// Package `hadoop.hdfs.datanodelifeline`.
        pub mod datanodelifeline {
            include!("generated/hadoop.hdfs.datanodelifeline.rs");
        }
        /// Package `hadoop.hdfs.fsimage`.
        pub mod fsimage {
            include!("generated/hadoop.hdfs.fsimage.rs");
        }
        /// Package `hadoop.hdfs.namenode`: secondary, standby and balancer to NameNode.
        pub mod namenode {
            include!("generated/hadoop.hdfs.namenode.rs");
        }
        /// Package `hadoop.hdfs.qjournal`: NameNode to JournalNode.
        pub mod qjournal {
            include!("generated/hadoop.hdfs.qjournal.rs");
        }
    }
}

pub use hadoop::{common, fs, hdfs};
pub use prost;
