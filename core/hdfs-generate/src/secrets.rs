//! Keys and delegation tokens: the NameNode's secret manager logs them, the namespace keeps them for its image.

use hdfs_format::edits::{
    CancelDelegationTokenOp, DelegationKey, DelegationTokenIdentifier, EditOp,
    GetDelegationTokenOp, RenewDelegationTokenOp, UpdateMasterKeyOp,
};
use hdfs_types::{Result, Rng, WallMillis};

use crate::Generator;
use crate::generator::Call;

pub(crate) const CALLS: &[(u32, Call)] =
    &[(2, master_key), (4, get_token), (2, renew), (2, cancel)];

const DAY_MS: u64 = 86_400_000;

/// What was given out.
#[derive(Debug, Default)]
pub(crate) struct Secrets {
    last_key: i32,
    last_token: i32,
    tokens: Vec<DelegationTokenIdentifier>,
}

fn master_key(generator: &mut Generator) -> Result<()> {
    generator.secrets.last_key += 1;
    let key_id = generator.secrets.last_key;
    generator.say(format!("master key {key_id}"));
    let key = DelegationKey {
        key_id,
        expiry_date: WallMillis(generator.now + 8 * DAY_MS),
        key: Some((0..8).map(|_| generator.rng.next_u64() as u8).collect()),
    };
    generator.apply_ops(&[EditOp::UpdateMasterKey(UpdateMasterKeyOp { key })]);
    Ok(())
}

fn get_token(generator: &mut Generator) -> Result<()> {
    if generator.secrets.last_key == 0 {
        return master_key(generator);
    }
    generator.secrets.last_token += 1;
    let token = DelegationTokenIdentifier {
        owner: generator.one_of(&["alice", "bob"]).to_owned(),
        renewer: generator.one_of(&["yarn", ""]).to_owned(),
        real_user: generator.one_of(&["", "gateway"]).to_owned(),
        issue_date: WallMillis(generator.now),
        max_date: WallMillis(generator.now + 7 * DAY_MS),
        sequence_number: generator.secrets.last_token,
        master_key_id: generator.secrets.last_key,
    };
    generator.say(format!("token {}", token.sequence_number));
    generator.secrets.tokens.push(token.clone());
    let expiry_time = WallMillis(generator.now + DAY_MS);
    generator.apply_ops(&[EditOp::GetDelegationToken(GetDelegationTokenOp { token, expiry_time })]);
    Ok(())
}

fn renew(generator: &mut Generator) -> Result<()> {
    let Some(index) = a_token(generator) else { return Ok(()) };
    let token = generator.secrets.tokens[index].clone();
    generator.say(format!("renew token {}", token.sequence_number));
    let expiry_time = WallMillis(generator.now + DAY_MS);
    generator
        .apply_ops(&[EditOp::RenewDelegationToken(RenewDelegationTokenOp { token, expiry_time })]);
    Ok(())
}

fn cancel(generator: &mut Generator) -> Result<()> {
    let Some(index) = a_token(generator) else { return Ok(()) };
    let token = generator.secrets.tokens.swap_remove(index);
    generator.say(format!("cancel token {}", token.sequence_number));
    generator.apply_ops(&[EditOp::CancelDelegationToken(CancelDelegationTokenOp { token })]);
    Ok(())
}

fn a_token(generator: &mut Generator) -> Option<usize> {
    let count = generator.secrets.tokens.len() as u64;
    (count > 0).then(|| generator.rng.below(count) as usize)
}
