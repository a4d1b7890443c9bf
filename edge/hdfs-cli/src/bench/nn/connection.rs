//! One connection with many calls in flight, on a thread of its own: each answer that arrives frees a slot, and all calls
//! that became possible by one read go out in one write.

use std::io::{self, Read as _, Write as _};
use std::net::TcpStream;
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use hdfs_format::rpc::{AuthProtocol, Context, decode_response, encode_context, encode_preamble};
use hdfs_types::ClientId;

use super::super::report::Row;
use super::calls::{Encoder, FileKind, OPERATIONS, Operation, PROTOCOL, take_varint};
use super::workload::{Call, File, Layout, Plan, Slot, put_path};

/// A server that is silent for so long does not answer any more.
const SILENCE: Duration = Duration::from_secs(120);
/// Longest answer that is taken: a page of a listing is far shorter.
const MAX_FRAME: usize = 64 << 20;

/// What the connections of a run share.
pub(super) struct Shared {
    pub root: String,
    pub layout: Layout,
    /// Operations that may still be started.
    pub budget: AtomicI64,
    /// No new operation starts once it is set.
    pub stop: AtomicBool,
    pub done: AtomicU64,
    pub failed: AtomicU64,
    /// All connections are open, and start together.
    pub start: Barrier,
}

/// A connection with its slots.
pub(super) struct Connection {
    stream: TcpStream,
    encoder: Encoder,
    slots: Vec<InFlight>,
    /// Low bits of a call id that name the slot.
    slot_bits: u32,
    rows: Vec<Row>,
    out: Vec<u8>,
    input: Vec<u8>,
    /// Bytes of `input` that were read.
    filled: usize,
    paths: (Vec<u8>, Vec<u8>),
}

struct InFlight {
    slot: Slot,
    call: Option<Call>,
    started: Instant,
    /// Calls that this slot has made.
    sequence: u32,
}

/// Whom to reach, as whom.
#[derive(Clone, Copy, Debug)]
pub(super) struct Peer<'a> {
    pub addr: std::net::SocketAddr,
    pub user: &'a str,
    pub client_id: ClientId,
}

impl Connection {
    /// Opens a connection whose slots are numbered from `first_slot`.
    ///
    /// # Errors
    /// When the server does not take it.
    pub(super) fn open(
        peer: Peer<'_>,
        kind: &FileKind,
        first_slot: u64,
        depth: usize,
    ) -> io::Result<Self> {
        let mut stream = TcpStream::connect_timeout(&peer.addr, Duration::from_secs(20))?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(SILENCE))?;
        stream.set_write_timeout(Some(SILENCE))?;
        let mut hello = BytesMut::new();
        encode_preamble(&mut hello, AuthProtocol::None);
        let context = Context { user: Some(peer.user), real_user: None, protocol: PROTOCOL };
        encode_context(&mut hello, peer.client_id, context);
        stream.write_all(&hello)?;
        let now = Instant::now();
        let in_flight =
            |slot| InFlight { slot: Slot::new(slot), call: None, started: now, sequence: 0 };
        Ok(Self {
            stream,
            encoder: Encoder::new(peer.client_id, kind),
            slots: (first_slot..).take(depth).map(in_flight).collect(),
            slot_bits: usize::BITS - (depth - 1).leading_zeros(),
            rows: Vec::new(),
            out: Vec::new(),
            input: vec![0; 256 << 10],
            filled: 0,
            paths: (Vec::new(), Vec::new()),
        })
    }

    /// Works until the plan, the budget or the time is at its end; a row for each operation.
    pub(super) fn run(&mut self, plan: &Plan, shared: &Shared) -> Vec<Row> {
        self.rows = OPERATIONS.iter().map(|op| Row { name: op.name(), ..Row::default() }).collect();
        shared.start.wait();
        if let Err(error) = self.exchange(plan, shared) {
            self.lose(&error, shared);
        }
        std::mem::take(&mut self.rows)
    }

    fn exchange(&mut self, plan: &Plan, shared: &Shared) -> io::Result<()> {
        let now = Instant::now();
        for slot in 0..self.slots.len() {
            self.start(slot, plan, shared, now);
        }
        let mut in_flight = self.slots.iter().filter(|slot| slot.call.is_some()).count();
        while in_flight > 0 {
            if !self.out.is_empty() {
                self.stream.write_all(&self.out)?;
                self.out.clear();
            }
            self.fill()?;
            let now = Instant::now();
            let mut at = 0;
            let (mut done, mut failed) = (0, 0);
            while let Some((from, to)) = self.frame(at)? {
                let (slot, succeeded) = self.answer(from, to, plan, now)?;
                let counted = self.slots[slot].call.take().is_some_and(|call| call.counts);
                done += u64::from(counted && succeeded);
                failed += u64::from(!succeeded);
                in_flight -= 1;
                in_flight += usize::from(self.start(slot, plan, shared, now));
                at = to;
            }
            self.input.copy_within(at..self.filled, 0);
            self.filled -= at;
            shared.done.fetch_add(done, Ordering::Relaxed);
            if failed > 0 {
                shared.failed.fetch_add(failed, Ordering::Relaxed);
            }
        }
        Ok(())
    }

    /// Encodes the next call of a slot, if there is one. The calls of one batch share the time of the read that freed
    /// their slots: what the generator itself takes counts as latency, never the other way round.
    fn start(&mut self, slot: usize, plan: &Plan, shared: &Shared, now: Instant) -> bool {
        let in_flight = &mut self.slots[slot];
        let goes_on =
            !shared.stop.load(Ordering::Relaxed) && shared.budget.load(Ordering::Relaxed) > 0;
        let Some(call) = in_flight.slot.next(plan, &shared.layout, goes_on) else { return false };
        if call.counts && shared.budget.fetch_sub(1, Ordering::Relaxed) <= 0 {
            // Another connection took the last one.
            in_flight.slot.give_back(call);
            return false;
        }
        let (src, dst) = &mut self.paths;
        let root = shared.root.as_bytes();
        put_path(src, root, &shared.layout, call.operation, call.file);
        let is_rename = call.operation == Operation::Rename;
        if is_rename {
            let other = File { renamed: !call.file.renamed, ..call.file };
            put_path(dst, root, &shared.layout, call.operation, other);
        }
        let call_id = (in_flight.sequence << self.slot_bits | slot as u32) & i32::MAX as u32;
        in_flight.sequence = in_flight.sequence.wrapping_add(1);
        in_flight.started = now;
        in_flight.call = Some(call);
        let paths = (src.as_slice(), is_rename.then_some(dst.as_slice()));
        self.encoder.encode(&mut self.out, call_id, call.operation, paths);
        true
    }

    /// Reads what is there, at least one byte.
    fn fill(&mut self) -> io::Result<()> {
        if self.filled == self.input.len() {
            self.input.resize(self.input.len() * 2, 0);
        }
        match self.stream.read(&mut self.input[self.filled..]) {
            Ok(0) => Err(io::Error::new(
                io::ErrorKind::UnexpectedEof,
                "the server closed the connection",
            )),
            Ok(read) => {
                self.filled += read;
                Ok(())
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                let text = format!("no answer within {} s", SILENCE.as_secs());
                Err(io::Error::new(io::ErrorKind::TimedOut, text))
            }
            Err(error) => Err(error),
        }
    }

    /// Where the frame is that begins at `at`, if it is whole.
    fn frame(&self, at: usize) -> io::Result<Option<(usize, usize)>> {
        let Some(prefix) = self.input[at..self.filled].first_chunk::<4>() else { return Ok(None) };
        let length = u32::from_be_bytes(*prefix) as usize;
        if length > MAX_FRAME {
            return Err(broken("an answer of impossible length"));
        }
        let (from, to) = (at + 4, at + 4 + length);
        Ok((to <= self.filled).then_some((from, to)))
    }

    /// Takes an answer: which slot it is for, and whether the call did what it should.
    fn answer(
        &mut self,
        from: usize,
        to: usize,
        plan: &Plan,
        now: Instant,
    ) -> io::Result<(usize, bool)> {
        let frame = &self.input[from..to];
        let (call_id, body) = match quick_success(frame) {
            Some((call_id, body)) => (call_id, Ok(body)),
            None => slow_answer(frame)?,
        };
        let slot = (call_id & ((1 << self.slot_bits) - 1)) as usize;
        let in_flight = self.slots.get_mut(slot);
        let Some((in_flight, call)) = in_flight.and_then(|slot| slot.call.map(|call| (slot, call)))
        else {
            return Err(broken("an answer to no call"));
        };
        let row = &mut self.rows[call.operation as usize];
        let succeeded = match body {
            Ok(body) if call.operation.succeeded(body) => {
                row.latency.record(now - in_flight.started);
                true
            }
            Ok(_) => {
                row.errors.add("not done", "the server answered false or nothing");
                false
            }
            Err((class, message)) => {
                row.errors.add(&class, &message);
                false
            }
        };
        in_flight.slot.ended(plan, call, succeeded);
        Ok((slot, succeeded))
    }

    /// The connection is gone: what was in flight has failed.
    fn lose(&mut self, error: &io::Error, shared: &Shared) {
        let message = error.to_string();
        for slot in &mut self.slots {
            if let Some(call) = slot.call.take() {
                let class = "connection lost";
                self.rows[call.operation as usize].errors.add(class, &message);
                shared.failed.fetch_add(1, Ordering::Relaxed);
            }
        }
    }
}

fn broken(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

/// Call id and response message of a success whose header begins as every server writes it: call id, then status.
fn quick_success(frame: &[u8]) -> Option<(u32, &[u8])> {
    let (header_length, rest) = take_varint(frame)?;
    let (header, body) = rest.split_at_checked(usize::try_from(header_length).ok()?)?;
    let (call_id, header) = take_varint(header.strip_prefix(&[0x08])?)?;
    header.strip_prefix(&[0x10, 0])?;
    let (length, body) = take_varint(body)?;
    (body.len() as u64 == length).then_some((u32::try_from(call_id).ok()?, body))
}

/// What a server threw: class and message.
type Thrown = (String, String);

fn slow_answer(frame: &[u8]) -> io::Result<(u32, Result<&[u8], Thrown>)> {
    let response = decode_response(Bytes::copy_from_slice(frame))
        .map_err(|error| broken(&format!("{} cannot be decoded", error.what)))?;
    let header = response.header;
    let class = header.exception_class_name.unwrap_or_default();
    let class = class.rsplit('.').next().unwrap_or_default().to_owned();
    let message = header.error_msg.unwrap_or_default();
    if header.call_id > i32::MAX as u32 {
        // An answer to no call: the server gives the connection up.
        return Err(broken(&format!("{class}: {message}")));
    }
    if class.is_empty() {
        return Err(broken("an answer without result and without error"));
    }
    Ok((header.call_id, Err((class, message))))
}

/// Adds the connections' rows up; operations that did not occur are left out.
pub(super) fn combine(all: Vec<Vec<Row>>) -> Vec<Row> {
    let mut total: Vec<Row> =
        OPERATIONS.iter().map(|op| Row { name: op.name(), ..Row::default() }).collect();
    for rows in all {
        for (sum, row) in total.iter_mut().zip(rows) {
            sum.latency.merge(&row.latency);
            sum.errors.merge(row.errors);
        }
    }
    total.retain(|row| row.latency.count() > 0 || row.errors.count() > 0);
    total
}

#[cfg(test)]
mod tests {
    use hdfs_format::rpc::{ErrorReply, ReplyTo, encode_error, encode_success};
    use hdfs_proto::common::rpc_response_header_proto::{RpcErrorCodeProto, RpcStatusProto};

    use super::*;

    #[test]
    fn answers_are_read_as_servers_write_them() {
        let to = ReplyTo { call_id: 77, client_id: &[1; 16], ..ReplyTo::default() };
        let mut out = BytesMut::new();
        encode_success(&mut out, &to, &[0x08, 1]);
        assert_eq!(quick_success(&out[4..]), Some((77, &[0x08, 1][..])));
        out.clear();
        let error = ErrorReply {
            status: RpcStatusProto::Error,
            detail: RpcErrorCodeProto::ErrorApplication,
            class: "java.io.FileNotFoundException",
            message: "gone",
        };
        encode_error(&mut out, &to, &error);
        assert_eq!(quick_success(&out[4..]), None);
        let thrown = ("FileNotFoundException".to_owned(), "gone".to_owned());
        assert_eq!(slow_answer(&out[4..]).expect("a frame"), (77, Err(thrown)));
        let mut fatal = BytesMut::new();
        encode_error(&mut fatal, &ReplyTo { call_id: -1, ..to }, &error);
        let lost = slow_answer(&fatal[4..]).expect_err("no call");
        assert_eq!(lost.to_string(), "FileNotFoundException: gone");
        assert!(slow_answer(b"\x7F").is_err());
    }
}
