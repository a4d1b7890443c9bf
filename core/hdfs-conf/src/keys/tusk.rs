//! Keys of our own, which switch between Hadoop's way and ours.

use super::keys;

keys! { TUSK:
    /// Whether each DataNode of a pipeline verifies; false: only the last, as Hadoop does.
    TUSK_DATANODE_VERIFY_CHECKSUMS_AT_EVERY_HOP = "tusk.datanode.verify-checksums-at-every-hop", Bool, "true";
    /// Whether addBlock and complete wait for DataNodes' reports; false: the client retries, as with Hadoop.
    TUSK_NAMENODE_HOLD_REPLIES_FOR_RECEIVED_REPORTS = "tusk.namenode.hold-replies-for-received-reports", Bool, "true";
    /// Longest such wait; then the client retries.
    TUSK_NAMENODE_HOLD_REPLIES_TIMEOUT = "tusk.namenode.hold-replies-timeout", Time(Millis), "3s";
}
