//! Erasure-coding policies, as far as they are read from images: which one a directory has.
//!
//! Hadoop: FSDirErasureCodingOp.getErasureCodingPolicyForPath (3.5.0)

use hdfs_format::edits::XAttrNamespace;

use crate::namespace::Namespace;
use crate::store::record::Slot;

/// Attribute that holds the policy of a directory, in the namespace `system`.
const EC_XATTR: &str = "hdfs.erasurecoding.policy";

impl Namespace {
    /// The name of the policy that holds for an inode: of the nearest directory that has one. Files have none here.
    ///
    /// The value is a text with its length before it, as Java's WritableUtils writes it (one byte below 128).
    pub(crate) fn ec_policy_name(&self, slot: Slot) -> Option<String> {
        self.ancestry(slot).find_map(|ancestor| {
            let xattr = self.xattrs(ancestor).iter().find(|xattr| {
                xattr.namespace == XAttrNamespace::System && xattr.name == EC_XATTR
            })?;
            let value = xattr.value.as_deref()?;
            let text =
                value.get(4..).filter(|_| value.first() == Some(&0)).or_else(|| value.get(1..))?;
            Some(String::from_utf8_lossy(text).into_owned())
        })
    }

    /// True when new files below a directory are to be striped.
    pub(crate) fn has_ec_policy(&self, slot: Slot) -> bool {
        self.ec_policy_name(slot).is_some_and(|name| !name.eq_ignore_ascii_case("replication"))
    }
}
