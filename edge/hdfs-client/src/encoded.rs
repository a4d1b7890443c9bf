//! Calls whose messages are encoded already: for gateways, which pass them on.

use hdfs_types::Result;
use prost::bytes::{Buf, BufMut, Bytes};
use prost::encoding::{DecodeContext, WireType};
use prost::{DecodeError, Message};

use crate::HdfsClient;

/// A message that stays as it is.
#[derive(Debug, Default)]
struct Encoded(Bytes);

impl Message for Encoded {
    fn encode_raw(&self, buf: &mut impl BufMut) {
        buf.put_slice(&self.0);
    }

    fn merge(&mut self, mut buf: impl Buf) -> Result<(), DecodeError> {
        self.0 = buf.copy_to_bytes(buf.remaining());
        Ok(())
    }

    fn merge_field(
        &mut self,
        tag: u32,
        wire_type: WireType,
        buf: &mut impl Buf,
        ctx: DecodeContext,
    ) -> Result<(), DecodeError> {
        prost::encoding::skip_field(wire_type, tag, buf, ctx)
    }

    fn encoded_len(&self) -> usize {
        self.0.len()
    }

    fn clear(&mut self) {
        self.0 = Bytes::new();
    }
}

impl HdfsClient {
    /// Calls a method of ClientProtocol with an encoded request; the answer is encoded, too.
    ///
    /// # Errors
    /// What the NameNode answers, or what the connection gives.
    pub async fn call_encoded(&self, method: &str, request: Bytes) -> Result<Bytes> {
        let answer: Encoded = self.namenode().call(method, &Encoded(request)).await?;
        Ok(answer.0)
    }
}
