//! A reader gets the bytes that were written: all that was acknowledged, nothing else, nothing twice.

use crate::truth::FileTruth;

/// Compares what was read with the truth before and after the read.
pub(crate) fn check(read: &[u8], before: &FileTruth, after: &FileTruth) -> Result<(), String> {
    if before.cuts != after.cuts || before.perhaps_cut.is_some() {
        // It was cut meanwhile: what is left of it must be right.
        let common = read.len().min(after.bytes.len()).min(before.bytes.len());
        let kept = after.perhaps_cut.unwrap_or(common).min(common);
        return same(&read[..kept], &after.bytes[..kept]);
    }
    let least = if before.closed && after.closed { before.bytes.len() } else { before.visible };
    let least = if after.lost_power { least.min(after.durable) } else { least };
    if read.len() < least {
        return Err(format!("{} bytes were acknowledged, and {} are read", least, read.len()));
    }
    if read.len() > after.bytes.len() {
        return Err(format!(
            "{} bytes were written, and {} are read",
            after.bytes.len(),
            read.len()
        ));
    }
    same(read, &after.bytes[..read.len()])
}

fn same(read: &[u8], truth: &[u8]) -> Result<(), String> {
    match read.iter().zip(truth).position(|(read, truth)| read != truth) {
        None => Ok(()),
        Some(at) => Err(format!("byte {at} is {}, and was written as {}", read[at], truth[at])),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_a_missing_and_an_invented_byte_are_found() {
        let file = FileTruth { bytes: vec![1, 2, 3, 4], visible: 2, ..FileTruth::default() };
        assert!(check(&[1, 2], &file, &file).is_ok());
        assert!(check(&[1, 2, 3, 4], &file, &file).is_ok());
        assert!(check(&[1], &file, &file).unwrap_err().contains("acknowledged"));
        assert!(check(&[1, 9], &file, &file).unwrap_err().contains("byte 1"));
        assert!(check(&[1, 2, 3, 4, 5], &file, &file).unwrap_err().contains("written"));
        let closed = FileTruth { closed: true, ..file.clone() };
        assert!(check(&[1, 2, 3], &closed, &closed).is_err());
        let cut = FileTruth { cuts: 1, bytes: vec![1], visible: 1, ..file.clone() };
        assert!(check(&[1], &file, &cut).is_ok());
        let lost = FileTruth { lost_power: true, durable: 1, ..file.clone() };
        assert!(check(&[1], &file, &lost).is_ok());
    }
}
