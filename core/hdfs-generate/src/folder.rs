//! A name folder as bytes: what a NameNode finds at its start.

use hdfs_format::edits::{EditOp, encode_header, encode_op};
use hdfs_format::storage_dir::{
    ImageFile, NameNodeVersion, SEEN_TXID, VERSION, print_md5, print_number,
};
use hdfs_types::{BlockPoolId, TxId, WallMillis};

use crate::check::Image;

/// `namespaceID` of every folder.
pub const NAMESPACE_ID: u32 = 1_234_567;

/// The files of `current/`, by name.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Folder {
    /// Name and content.
    pub files: Vec<(String, Vec<u8>)>,
}

impl Folder {
    /// An image and every operation of a log that came after it. The log's first operation has transaction id 1, and it is
    /// cut into segments where one starts; the last one is still being written unless it ended.
    pub fn new(image: &Image, log: &[EditOp]) -> Self {
        let mut folder = Self::default();
        let version = NameNodeVersion::new(
            NAMESPACE_ID,
            "CID-generated".to_owned(),
            BlockPoolId::from("BP-1-127.0.0.1-1700000000000"),
        );
        let version = version.print(WallMillis(1_700_000_000_000));
        folder.add(VERSION.to_owned(), version.into_bytes());
        folder.add_image(ImageFile::Image(image.txid), image);
        let mut seen = image.txid;
        for (first, ops) in segments(image.txid, log) {
            seen = first;
            let mut bytes = Vec::new();
            encode_header(&mut bytes);
            for (txid, op) in (first.0..).zip(ops) {
                encode_op(&mut bytes, TxId(txid), op);
            }
            let last = first.0 + ops.len() as u64 - 1;
            let name = match ops.last() {
                Some(EditOp::EndLogSegment) => format!("edits_{:019}-{last:019}", first.0),
                _ => format!("edits_inprogress_{:019}", first.0),
            };
            folder.add(name, bytes);
        }
        folder.add(SEEN_TXID.to_owned(), print_number(seen.0).into_bytes());
        folder
    }

    /// Adds an image under a name, with its digest.
    pub fn add_image(&mut self, file: ImageFile, image: &Image) {
        self.add(file.name(), image.bytes.clone());
        self.add(file.md5_name(), print_md5(&image.md5, &file.name()).into_bytes());
    }

    /// The content of a file.
    pub fn file(&self, name: &str) -> Option<&[u8]> {
        self.files.iter().find(|(known, _)| known == name).map(|(_, bytes)| bytes.as_slice())
    }

    fn add(&mut self, name: String, bytes: Vec<u8>) {
        self.files.push((name, bytes));
    }
}

/// First transaction and operations of each segment after a transaction.
fn segments(after: TxId, log: &[EditOp]) -> impl Iterator<Item = (TxId, &[EditOp])> {
    let mut next = after.0 as usize;
    std::iter::from_fn(move || {
        let rest = log.get(next..).filter(|rest| !rest.is_empty())?;
        let length = rest
            .iter()
            .skip(1)
            .position(|op| matches!(op, EditOp::StartLogSegment))
            .map_or(rest.len(), |position| position + 1);
        let first = TxId(next as u64 + 1);
        next += length;
        Some((first, &rest[..length]))
    })
}
