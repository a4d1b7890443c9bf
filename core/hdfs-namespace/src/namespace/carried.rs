//! What an image holds beyond the tree, kept so that nothing is lost from one image to the next.

use hdfs_format::edits::{DelegationTokenIdentifier, EditOp};
use hdfs_proto::hdfs::fsimage::secret_manager_section::{DelegationKey, PersistToken};

use crate::effects::Effects;
use crate::op::rolling_upgrade::RollingUpgrade;

/// Parts of an image beside inodes.
#[derive(Clone, PartialEq, Debug, Default)]
pub(crate) struct Carried {
    pub(crate) namespace_id: u32,
    pub(crate) secrets: Secrets,
    pub(crate) rolling_upgrade: Option<RollingUpgrade>,
}

/// Delegation keys and tokens, as they are stored.
#[derive(Clone, PartialEq, Debug, Default)]
pub(crate) struct Secrets {
    pub(crate) current_id: u32,
    pub(crate) sequence_number: u32,
    pub(crate) keys: Vec<DelegationKey>,
    pub(crate) tokens: Vec<PersistToken>,
}

impl Secrets {
    /// Hadoop: DelegationTokenSecretManager.{addPersistedDelegationToken, updatePersistedMasterKey, …} (3.5.0)
    pub(crate) fn apply(&mut self, op: &EditOp) -> Result<Effects, String> {
        match op {
            EditOp::GetDelegationToken(op) => {
                self.sequence_number =
                    self.sequence_number.max(op.token.sequence_number.cast_unsigned());
                self.tokens.push(token(&op.token, op.expiry_time.0));
            }
            EditOp::RenewDelegationToken(op) => {
                let stored = token(&op.token, op.expiry_time.0);
                if let Some(known) = self.tokens.iter_mut().find(|known| same(known, &stored)) {
                    *known = stored;
                }
            }
            EditOp::CancelDelegationToken(op) => {
                let gone = token(&op.token, 0);
                self.tokens.retain(|known| !same(known, &gone));
            }
            EditOp::UpdateMasterKey(op) => {
                let key = DelegationKey {
                    id: Some(op.key.key_id.cast_unsigned()),
                    expiry_date: Some(op.key.expiry_date.0),
                    key: op.key.key.clone().map(Into::into),
                };
                self.current_id = self.current_id.max(key.id());
                self.keys.retain(|known| known.id() != key.id());
                self.keys.push(key);
            }
            _ => return Err("the operation is not one of tokens".to_owned()),
        }
        Ok(Effects::default())
    }
}

fn token(token: &DelegationTokenIdentifier, expiry_date: u64) -> PersistToken {
    PersistToken {
        // Apache writes none.
        version: None,
        owner: Some(token.owner.clone()),
        renewer: Some(token.renewer.clone()),
        real_user: Some(token.real_user.clone()),
        issue_date: Some(token.issue_date.0),
        max_date: Some(token.max_date.0),
        sequence_number: Some(token.sequence_number.cast_unsigned()),
        master_key_id: Some(token.master_key_id.cast_unsigned()),
        expiry_date: Some(expiry_date),
    }
}

/// Two forms of one token, whenever it ends.
fn same(a: &PersistToken, b: &PersistToken) -> bool {
    (a.sequence_number, a.master_key_id, &a.owner) == (b.sequence_number, b.master_key_id, &b.owner)
}
