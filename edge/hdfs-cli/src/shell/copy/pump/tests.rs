use super::*;

/// Gives bytes in odd pieces, and fails at a place if it is told to.
struct Source {
    left: u64,
    fails_at: Option<u64>,
    position: u64,
}

fn source(length: u64) -> Source {
    Source { left: length, fails_at: None, position: 0 }
}

impl Reader for Source {
    fn read(&mut self, buffer: &mut [u8]) -> Outcome<usize> {
        if self.fails_at.is_some_and(|place| self.position >= place) {
            return Err(Failure::io("broken source"));
        }
        let count = self.left.min(buffer.len() as u64).min(77_777) as usize;
        for (at, byte) in buffer[..count].iter_mut().enumerate() {
            *byte = ((self.position + at as u64) % 251) as u8;
        }
        self.position += count as u64;
        self.left -= count as u64;
        Ok(count)
    }

    fn seek(&mut self, _position: u64) -> Outcome<()> {
        Err(Failure::io("no seek"))
    }
}

#[derive(Default)]
struct Target {
    bytes: Vec<u8>,
    room: Option<usize>,
}

impl Writer for Target {
    fn write(&mut self, bytes: &[u8]) -> Outcome<()> {
        if self.room.is_some_and(|room| self.bytes.len() + bytes.len() > room) {
            return Err(Failure::io("full target"));
        }
        self.bytes.extend_from_slice(bytes);
        Ok(())
    }

    fn close(self: Box<Self>) -> Outcome<()> {
        Ok(())
    }
}

fn copy(mut source: Source, target: &mut Target) -> Outcome<()> {
    let length = Some(source.left);
    pump(&mut source, target, length, &mut FileProgress::default())
}

#[test]
fn every_byte_arrives_in_order_whether_read_ahead_or_not() {
    for length in [0, 1, 100_000, LARGE_BYTES, 3 * LARGE_BYTES + 12_345] {
        let mut target = Target::default();
        copy(source(length), &mut target).unwrap();
        assert_eq!(target.bytes.len() as u64, length);
        let right = target.bytes.iter().enumerate().all(|(at, byte)| *byte as usize == at % 251);
        assert!(right, "{length} bytes");
    }
}

#[test]
fn an_error_of_either_side_ends_the_copy() {
    let length = 8 * LARGE_BYTES;
    let broken = Source { fails_at: Some(LARGE_BYTES), ..source(length) };
    let failed = copy(broken, &mut Target::default()).unwrap_err();
    assert_eq!(failed.message(), "broken source");
    let mut full = Target { room: Some(2 * BUFFER), ..Target::default() };
    assert_eq!(copy(source(length), &mut full).unwrap_err().message(), "full target");
}
