//! A TCP proxy that misbehaves on command, for tests of pipelines. Nothing of the product uses it.
//!
//! Each DataNode is reached through a [`Proxy`] of its own. All proxies of a cluster share [`Faults`], which counts the
//! connections whose first bytes hold a marker (a client's name, say): the first one after [`Faults::arm`] is the client's to the first DataNode of a pipeline, the
//! second one is the first DataNode's to the second, and so on. So a test can say "the second DataNode, after so many bytes"
//! before anybody knows which DataNode that will be.

use std::collections::BTreeSet;
use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::Duration;

use parking_lot::{Condvar, Mutex};

/// Which way bytes flow.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Way {
    /// To the DataNode.
    Down,
    /// From it.
    Up,
}

/// What happens.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fault {
    /// Only the callback is called: it does something to the DataNode.
    Callback,
    /// From now on nothing passes this DataNode's proxy, and nobody hears of it.
    Silence,
    /// From now on every piece of a few kilobytes is late by so many milliseconds.
    Slow(u64),
    /// One bit of the next piece turns over.
    Flip,
}

/// When it happens.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Trigger {
    /// On the connection to this DataNode of the pipeline, from 1.
    pub position: usize,
    /// With bytes of this way.
    pub way: Way,
    /// When so many have passed on that connection. `None`: before the first ones.
    pub after: Option<u64>,
    /// What then.
    pub fault: Fault,
}

type Callback = Box<dyn Fn(usize) + Send + Sync>;

#[derive(Default)]
struct State {
    marker: Vec<u8>,
    trigger: Option<Trigger>,
    callback: Option<Arc<Callback>>,
    /// Proxies by the position of their connection, from the first one.
    pipeline: Vec<usize>,
    struck: Option<usize>,
    silent: BTreeSet<usize>,
    slow: Vec<(usize, u64)>,
    ended: bool,
}

/// What the proxies of one cluster share.
#[derive(Clone, Default)]
pub struct Faults(Arc<(Mutex<State>, Condvar)>);

/// Bytes that pass at once.
const PIECE: usize = 8 << 10;

impl Faults {
    /// Connections count whose first bytes hold this.
    pub fn new(marker: &[u8]) -> Self {
        let faults = Self::default();
        faults.0.0.lock().marker = marker.to_vec();
        faults
    }

    /// Forgets what was, and counts connections from the next one on. `callback` gets the number of the proxy that is struck,
    /// before its bytes go on.
    pub fn arm(&self, trigger: Option<Trigger>, callback: impl Fn(usize) + Send + Sync + 'static) {
        let mut state = self.0.0.lock();
        let marker = std::mem::take(&mut state.marker);
        *state = State { marker, ended: state.ended, ..State::default() };
        state.trigger = trigger;
        state.callback = Some(Arc::new(Box::new(callback)));
        self.0.1.notify_all();
    }

    /// The same for connections that are there already: their places stay.
    pub fn strike(&self, trigger: Trigger) {
        self.0.0.lock().trigger = Some(trigger);
    }

    /// The proxies of the first pipeline, in its order.
    pub fn pipeline(&self) -> Vec<usize> {
        self.0.0.lock().pipeline.clone()
    }

    /// The proxy whose DataNode the fault met.
    pub fn struck(&self) -> Option<usize> {
        self.0.0.lock().struck
    }

    /// Silence and slowness end.
    pub fn calm(&self) {
        let mut state = self.0.0.lock();
        state.silent.clear();
        state.slow.clear();
        state.trigger = None;
        self.0.1.notify_all();
    }

    /// The first bytes of a connection: its place among those that count, from 1; 0 when it does not.
    fn opened(&self, proxy: usize, first: &[u8]) -> usize {
        let mut state = self.0.0.lock();
        let marker = &state.marker;
        if !marker.is_empty() && !first.windows(marker.len()).any(|bytes| bytes == marker) {
            return 0;
        }
        state.pipeline.push(proxy);
        let position = state.pipeline.len();
        let due = state.trigger.filter(|of| of.position == position && of.after.is_none());
        if let Some(trigger) = due {
            self.perform(state, trigger, proxy);
        }
        position
    }

    /// Bytes pass; true when a bit of them has to turn over.
    fn passing(&self, proxy: usize, position: usize, way: Way, before: u64) -> bool {
        let mut state = self.0.0.lock();
        let due = state.trigger.filter(|of| {
            (of.position, of.way) == (position, way)
                && of.after.is_some_and(|after| before >= after)
        });
        if let Some(trigger) = due {
            let flips = trigger.fault == Fault::Flip;
            self.perform(state, trigger, proxy);
            if flips {
                return true;
            }
            state = self.0.0.lock();
        }
        let late = state.slow.iter().find(|(of, _)| *of == proxy).map(|(_, millis)| *millis);
        while state.silent.contains(&proxy) && !state.ended {
            self.0.1.wait(&mut state);
        }
        drop(state);
        if let Some(millis) = late {
            thread::sleep(Duration::from_millis(millis));
        }
        false
    }

    fn perform(
        &self,
        mut state: parking_lot::MutexGuard<'_, State>,
        trigger: Trigger,
        proxy: usize,
    ) {
        state.trigger = None;
        state.struck = Some(proxy);
        match trigger.fault {
            Fault::Silence => {
                state.silent.insert(proxy);
            }
            Fault::Slow(millis) => state.slow.push((proxy, millis)),
            Fault::Callback | Fault::Flip => {}
        }
        let callback = state.callback.clone();
        drop(state);
        if let (Fault::Callback, Some(callback)) = (trigger.fault, callback) {
            callback(proxy);
        }
    }
}

/// Stands before one DataNode. It lives as long as the process's test: [`Proxy::end`] closes its port.
pub struct Proxy {
    listener: Arc<TcpListener>,
    faults: Faults,
}

impl Proxy {
    /// Listens at `address` and hands every connection on to `target`. Only connections of a proxy with a `number` are counted
    /// and can be struck.
    ///
    /// # Errors
    /// When the address is taken.
    pub fn start(
        address: SocketAddr,
        target: SocketAddr,
        number: Option<usize>,
        faults: &Faults,
    ) -> io::Result<Self> {
        let listener = Arc::new(TcpListener::bind(address)?);
        let (accepting, of) = (Arc::clone(&listener), faults.clone());
        thread::Builder::new().name("proxy".to_owned()).spawn(move || {
            for stream in accepting.incoming() {
                let Ok(stream) = stream else { return };
                if of.0.0.lock().ended {
                    return;
                }
                let of = of.clone();
                let serve = move || serve(stream, target, number, &of);
                if thread::Builder::new().name("proxied".to_owned()).spawn(serve).is_err() {
                    return;
                }
            }
        })?;
        Ok(Self { listener, faults: faults.clone() })
    }

    /// Ends everything of all proxies that share its faults.
    pub fn end(&self) {
        self.faults.0.0.lock().ended = true;
        self.faults.0.1.notify_all();
        if let Ok(address) = self.listener.local_addr() {
            let _ = TcpStream::connect(address);
        }
    }
}

/// The proxy's number, and the connection's place as soon as it is known.
type Place = Option<(usize, Arc<OnceLock<usize>>)>;

fn serve(client: TcpStream, target: SocketAddr, number: Option<usize>, faults: &Faults) {
    let place: Place = number.map(|proxy| (proxy, Arc::default()));
    let Ok(server) = TcpStream::connect(target) else { return };
    let _ = (client.set_nodelay(true), server.set_nodelay(true));
    let (Ok(from), Ok(to)) = (client.try_clone(), server.try_clone()) else { return };
    let (of, at) = (faults.clone(), place.clone());
    let down = thread::Builder::new()
        .name("down".to_owned())
        .spawn(move || pass(from, to, Way::Down, &at, &of));
    pass(server, client, Way::Up, &place, faults);
    if let Ok(down) = down {
        let _ = down.join();
    }
}

/// Passes bytes on until either side ends; then both do.
fn pass(mut from: TcpStream, mut to: TcpStream, way: Way, place: &Place, faults: &Faults) {
    let mut piece = [0; PIECE];
    let mut passed = 0_u64;
    loop {
        let count = match from.read(&mut piece) {
            Ok(0) | Err(_) => break,
            Ok(count) => count,
        };
        if let Some((proxy, position)) = place {
            if way == Way::Down {
                position.get_or_init(|| faults.opened(*proxy, &piece[..count]));
            }
            let position = position.get().copied().unwrap_or(0);
            if faults.passing(*proxy, position, way, passed) {
                // The last byte: of data, or of an acknowledgement's body.
                piece[count - 1] ^= 1;
            }
        }
        passed += count as u64;
        if to.write_all(&piece[..count]).is_err() {
            break;
        }
    }
    let _ = (to.shutdown(Shutdown::Write), from.shutdown(Shutdown::Read));
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    /// A server that sends back what it gets, and a proxy before it.
    fn echo(faults: &Faults) -> (Proxy, TcpStream) {
        let server = TcpListener::bind("127.0.0.1:0").unwrap();
        let target = server.local_addr().unwrap();
        thread::spawn(move || {
            let (mut stream, _) = server.accept().unwrap();
            let mut bytes = [0; 64];
            while let Ok(count @ 1..) = stream.read(&mut bytes) {
                stream.write_all(&bytes[..count]).unwrap();
            }
        });
        let proxy = Proxy::start("127.0.0.1:0".parse().unwrap(), target, Some(7), faults).unwrap();
        let stream = TcpStream::connect(proxy.listener.local_addr().unwrap()).unwrap();
        (proxy, stream)
    }

    fn answer(mut stream: &TcpStream, bytes: &[u8]) -> Vec<u8> {
        stream.write_all(bytes).unwrap();
        let mut answer = vec![0; bytes.len()];
        stream.read_exact(&mut answer).unwrap();
        answer
    }

    #[test]
    fn the_named_connection_is_struck_after_the_named_bytes_and_no_other() {
        let faults = Faults::default();
        let (heard, hears) = mpsc::channel();
        faults.arm(None, move |proxy| heard.send(proxy).unwrap());
        let (proxy, stream) = echo(&faults);
        assert_eq!(answer(&stream, b"abcd"), b"abcd");
        assert_eq!(faults.pipeline(), [7]);
        let mut trigger =
            Trigger { position: 1, way: Way::Down, after: Some(4), fault: Fault::Flip };
        faults.strike(trigger);
        assert_eq!(answer(&stream, b"aaaa"), b"aaa\x60");
        assert_eq!(answer(&stream, b"aaaa"), b"aaaa");
        assert_eq!(faults.struck(), Some(7));
        trigger.fault = Fault::Callback;
        faults.strike(Trigger { position: 2, ..trigger });
        assert_eq!(answer(&stream, b"x"), b"x");
        assert!(hears.try_recv().is_err());
        faults.strike(trigger);
        assert_eq!(answer(&stream, b"x"), b"x");
        assert_eq!(hears.try_recv().unwrap(), 7);
        proxy.end();
    }

    #[test]
    fn silence_holds_bytes_back_until_it_ends() {
        let faults = Faults::default();
        let (proxy, stream) = echo(&faults);
        assert_eq!(answer(&stream, b"a"), b"a");
        faults.strike(Trigger {
            position: 1,
            way: Way::Down,
            after: Some(0),
            fault: Fault::Silence,
        });
        (&stream).write_all(b"b").unwrap();
        stream.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
        assert!((&stream).read(&mut [0; 1]).is_err());
        stream.set_read_timeout(None).unwrap();
        faults.calm();
        let mut answer = [0; 1];
        (&stream).read_exact(&mut answer).unwrap();
        assert_eq!(&answer, b"b");
        proxy.end();
    }
}
