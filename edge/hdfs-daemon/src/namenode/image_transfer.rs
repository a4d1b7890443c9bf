//! `/imagetransfer`: images and edits for those who make checkpoints, and the images that they send back.
//!
//! ```text
//! GET ?getimage=1&txid=<txid|latest>[&storageInfo=…][&imageFile=…][&bootstrapstandby=true]
//! GET ?getedit=1&startTxId=…&endTxId=…[&storageInfo=…]
//! PUT ?txid=…&imageFile=<IMAGE|IMAGE_ROLLBACK>&File-Length=…&storageInfo=…
//! ```
//! Files go out and come in as streams, at no more than `dfs.image.transfer.bandwidthPerSec`.
//!
//! Hadoop: org.apache.hadoop.hdfs.server.namenode.{ImageServlet, TransferFsImage} (3.5.0)

use std::fs::File;
use std::io::Read;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use hdfs_conf::{Configuration, keys};
use hdfs_format::storage_dir::{self, ImageFile};
use hdfs_types::{Error, ErrorKind, Result, TxId};
use hyper::ext::ReasonPhrase;
use tokio::sync::mpsc;

use super::durable::failed;
use super::image_receiver::{Advertised, ImageReceiver};
use super::image_store::ImageStore;
use crate::throttle::Throttle;

/// The path of the servlet.
pub(crate) const PATH: &str = "/imagetransfer";
/// The digest of a file, in hexadecimal digits.
pub(crate) const MD5_HEADER: &str = "x-md5-digest";
/// The name of a file.
pub(crate) const NAME_HEADER: &str = "x-image-edits-name";
/// Bytes that are read, and wait, at once.
const PIECE_BYTES: usize = 256 << 10;
const WAITING_PIECES: usize = 4;
/// What is read of a file that is refused, so that its sender hears why.
const MAX_DRAINED_BYTES: u64 = 64 << 20;

/// The daemon that serves.
pub(crate) trait TransferHost: Send + Sync + 'static {
    /// Its images.
    fn images(&self) -> &ImageStore;
    /// `<layout>:<namespace>:<creation time>:<cluster>`: whose they are.
    fn storage_info(&self) -> String;
}

struct Servlet {
    host: Arc<dyn TransferHost>,
    bandwidth: u64,
    bootstrap_bandwidth: u64,
    /// An image that comes sooner than this after the last one, and has fewer transactions more, is refused.
    least_age: Duration,
    least_txns: u64,
    timeout: Duration,
}

type Parameters = Vec<(String, String)>;

/// The route. `uploads`: whether images may be sent here.
pub(crate) fn router(
    host: Arc<dyn TransferHost>,
    conf: &Configuration,
    uploads: bool,
) -> Result<Router> {
    /// Hadoop: ImageServlet.recentImageCheckTimePrecision
    const PERIOD_SHARE: f64 = 0.75;
    let period = conf.get_duration(&keys::DFS_NAMENODE_CHECKPOINT_PERIOD)?;
    let bootstrap = &keys::DFS_IMAGE_TRANSFER_BOOTSTRAP_STANDBY_BANDWIDTH_PER_SEC;
    let servlet = Servlet {
        host,
        bandwidth: conf.get_u64(&keys::DFS_IMAGE_TRANSFER_BANDWIDTH_PER_SEC)?,
        bootstrap_bandwidth: conf.get_u64(bootstrap)?,
        least_age: Duration::from_secs((period.as_secs() as f64 * PERIOD_SHARE).round() as u64),
        least_txns: conf.get_u64(&keys::DFS_NAMENODE_CHECKPOINT_TXNS)?,
        timeout: conf.get_duration(&keys::DFS_IMAGE_TRANSFER_TIMEOUT)?,
    };
    let methods = if uploads { get(send_file).put(take_image) } else { get(send_file) };
    Ok(Router::new().route(PATH, methods).with_state(Arc::new(servlet)))
}

/// A refusal: its status, and why.
type Refusal = (StatusCode, String);

fn gone(what: &str, error: &Error) -> Refusal {
    let class = error.kind.java_class();
    (StatusCode::GONE, format!("{what} failed. {class}: {}", error.message))
}

/// An answer whose reason phrase says why, too: that is what Hadoop's client shows.
fn refuse((status, text): Refusal) -> Response {
    let phrase: String = text.chars().map(|c| if c.is_ascii_graphic() { c } else { ' ' }).collect();
    let mut response = (status, text).into_response();
    if let Ok(phrase) = ReasonPhrase::try_from(phrase.into_bytes()) {
        response.extensions_mut().insert(phrase);
    }
    response
}

fn value<'a>(parameters: &'a Parameters, name: &str) -> Option<&'a str> {
    parameters.iter().find(|(of, _)| of == name).map(|(_, value)| value.as_str())
}

fn number(parameters: &Parameters, name: &str) -> Result<u64> {
    let text =
        value(parameters, name).ok_or_else(|| Error::io(format!("Missing parameter: {name}")))?;
    text.parse().map_err(|_| {
        Error::new(ErrorKind::IllegalArgument, format!("For input string: \"{text}\" ({name})"))
    })
}

impl Servlet {
    fn check_storage_info(&self, theirs: Option<&str>) -> Result<(), Refusal> {
        let ours = self.host.storage_info();
        match theirs.filter(|theirs| *theirs != ours) {
            None => Ok(()),
            Some(theirs) => {
                tracing::warn!("a transfer for storage info {theirs} is refused");
                let text = format!(
                    "This namenode has storage info {ours} but the secondary expected {theirs}"
                );
                Err((StatusCode::FORBIDDEN, text))
            }
        }
    }

    /// The file that is asked for.
    fn find(&self, parameters: &Parameters) -> Result<PathBuf> {
        let has = |name| usize::from(value(parameters, name).is_some());
        if has("getimage") + has("getedit") + has("getaliasmap") != 1 {
            return Err(Error::io("Illegal parameters to TransferFsImage"));
        }
        let images = self.host.images();
        if has("getedit") == 1 {
            let first = TxId(number(parameters, "startTxId")?);
            let last = TxId(number(parameters, "endTxId")?);
            return images.find_edits(first, last);
        }
        if has("getaliasmap") == 1 {
            return Err(Error::new(
                ErrorKind::UnsupportedOperation,
                "the alias map of provided storage is not supported",
            ));
        }
        if value(parameters, "txid") == Some("latest") {
            return images.newest_file().ok_or_else(|| Error::io("Could not find image"));
        }
        let txid = TxId(number(parameters, "txid")?);
        images
            .find_image(ImageFile::Image(txid))
            .or_else(|| images.find_image(ImageFile::Rollback(txid)))
            .ok_or_else(|| Error::io(format!("Could not find image with txid {txid}")))
    }
}

async fn send_file(
    State(servlet): State<Arc<Servlet>>,
    Query(parameters): Query<Parameters>,
) -> Response {
    if let Err(refusal) = servlet.check_storage_info(value(&parameters, "storageInfo")) {
        return refuse(refusal);
    }
    let bootstrap = value(&parameters, "bootstrapstandby")
        .is_some_and(|value| value.eq_ignore_ascii_case("true"));
    let limit = if bootstrap { servlet.bootstrap_bandwidth } else { servlet.bandwidth };
    let opened = tokio::task::spawn_blocking(move || open(&servlet.find(&parameters)?)).await;
    let opened = opened.unwrap_or_else(|error| Err(Error::io(format!("read: {error}"))));
    match opened {
        Ok(file) => file.response(limit),
        Err(error) => {
            tracing::warn!("GetImage failed: {error}");
            refuse(gone("GetImage", &error))
        }
    }
}

/// A file to send.
struct Opened {
    file: File,
    name: String,
    length: u64,
    md5: Option<[u8; 16]>,
}

fn open(path: &std::path::Path) -> Result<Opened> {
    let file = File::open(path).map_err(|e| failed("open", path, e))?;
    let length = file.metadata().map_err(|e| failed("open", path, e))?.len();
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
    Ok(Opened { file, length, md5: ImageStore::stored_md5(path)?, name })
}

impl Opened {
    fn response(self, limit: u64) -> Response {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_LENGTH, self.length.into());
        let mut text = |name: header::HeaderName, value: String| {
            if let Ok(value) = value.parse() {
                headers.insert(name, value);
            }
        };
        text(header::CONTENT_DISPOSITION, format!("attachment; filename={}", self.name));
        text(header::HeaderName::from_static(NAME_HEADER), self.name);
        if let Some(md5) = self.md5 {
            text(header::HeaderName::from_static(MD5_HEADER), storage_dir::print_hex(&md5));
        }
        let throttle = Arc::new(Throttle::new(limit));
        let pieces = stream::try_unfold((self.file, self.length), move |(mut file, left)| {
            let throttle = throttle.clone();
            async move {
                if left == 0 {
                    return Ok(None);
                }
                let read = tokio::task::spawn_blocking(move || {
                    let wanted = PIECE_BYTES.min(usize::try_from(left).unwrap_or(PIECE_BYTES));
                    let mut piece = vec![0; wanted];
                    file.read_exact(&mut piece)?;
                    throttle.wait(piece.len() as u64);
                    Ok::<_, std::io::Error>((file, piece))
                });
                let (file, piece) = read.await.map_err(std::io::Error::other)??;
                let left = left - piece.len() as u64;
                Ok::<_, std::io::Error>(Some((Bytes::from(piece), (file, left))))
            }
        });
        (headers, Body::from_stream(pieces)).into_response()
    }
}

/// What a sender says about its image.
struct Upload {
    txid: TxId,
    kind: fn(TxId) -> ImageFile,
    advertised: Advertised,
}

impl Upload {
    fn parse(parameters: &Parameters, headers: &HeaderMap) -> Result<Self> {
        let txid = TxId(number(parameters, "txid")?);
        let num_bytes = number(parameters, "File-Length")?;
        let kind = match value(parameters, "imageFile") {
            None | Some("IMAGE") => ImageFile::Image as fn(TxId) -> ImageFile,
            Some("IMAGE_ROLLBACK") => ImageFile::Rollback,
            Some(other) => {
                return Err(Error::new(
                    ErrorKind::IllegalArgument,
                    format!("no image of kind {other} is taken"),
                ));
            }
        };
        if num_bytes == 0 || value(parameters, "storageInfo").is_none_or(str::is_empty) {
            return Err(Error::io("Illegal parameters to TransferFsImage"));
        }
        let md5 = match headers.get(MD5_HEADER) {
            None => None,
            Some(digits) => {
                let parsed = digits.to_str().ok().and_then(storage_dir::parse_hex);
                Some(parsed.ok_or_else(|| {
                    Error::new(ErrorKind::IllegalArgument, "Wrong MD5 length or digits")
                })?)
            }
        };
        Ok(Self { txid, kind, advertised: Advertised { num_bytes, md5 } })
    }
}

async fn take_image(
    State(servlet): State<Arc<Servlet>>,
    Query(parameters): Query<Parameters>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let begun = match Upload::parse(&parameters, &headers) {
        Err(error) => Err(gone("PutImage", &error)),
        Ok(upload) => servlet
            .check_storage_info(value(&parameters, "storageInfo"))
            .and_then(|()| servlet.admit(&upload))
            .map(|guard| (upload, guard)),
    };
    match begun {
        Err(refusal) => {
            tracing::info!("an image is refused: {}", refusal.1);
            drain(body).await;
            refuse(refusal)
        }
        Ok((upload, guard)) => match receive(servlet, upload, guard, body).await {
            Ok(()) => StatusCode::OK.into_response(),
            Err(error) => {
                tracing::warn!("PutImage failed: {error}");
                refuse(gone("PutImage", &error))
            }
        },
    }
}

impl Servlet {
    /// Decides whether an image is wanted.
    fn admit(&self, upload: &Upload) -> Result<super::image_store::Checkpointing, Refusal> {
        let (images, txid) = (self.host.images(), upload.txid);
        let conflict = |text: String| (StatusCode::CONFLICT, text);
        let guard = images.begin_checkpoint(txid).map_err(|of| {
            conflict(if of > txid {
                format!(
                    "Another checkpointer is already in the process of uploading a checkpoint made up to transaction ID \
                     {of}"
                )
            } else {
                format!(
                    "Either current namenode is checkpointing or another checkpointer is already in the process of \
                     uploading a checkpoint made at transaction ID {txid}"
                )
            })
        })?;
        let age = images.age_of_latest().as_secs();
        let delta = i128::from(txid.0) - i128::from(images.latest().0);
        let (least_age, least_txns) = (self.least_age.as_secs(), self.least_txns);
        let is_image = matches!((upload.kind)(txid), ImageFile::Image(_));
        if is_image && age < least_age && delta < i128::from(least_txns) {
            return Err(conflict(format!(
                "Rejecting a fsimage due to small time delta and txnid delta. Time since previous checkpoint is {age} \
                 expecting at least {least_age} txnid delta since previous checkpoint is {delta} expecting at least \
                 {least_txns}"
            )));
        }
        if images.find_image((upload.kind)(txid)).is_some() {
            return Err(conflict(format!(
                "Either current namenode has checkpointed or another checkpointer already uploaded an checkpoint for \
                 txid {txid}"
            )));
        }
        Ok(guard)
    }
}

/// Reads what is left of a small upload: a sender that is hung up on does not hear why.
async fn drain(body: Body) {
    let mut pieces = body.into_data_stream();
    let mut left = MAX_DRAINED_BYTES;
    while let Some(Ok(piece)) = pieces.next().await {
        left = left.saturating_sub(piece.len() as u64);
        if left == 0 {
            return;
        }
    }
}

async fn receive(
    servlet: Arc<Servlet>,
    upload: Upload,
    guard: super::image_store::Checkpointing,
    body: Body,
) -> Result<()> {
    let timeout = servlet.timeout;
    let (send, receive) = mpsc::channel::<Bytes>(WAITING_PIECES);
    let writer = tokio::task::spawn_blocking(move || {
        let _guard = guard;
        write_pieces(&servlet, &upload, receive)
    });
    let mut pieces = body.into_data_stream();
    let sent = async {
        while let Some(piece) = next_piece(&mut pieces, timeout).await? {
            if send.send(piece).await.is_err() {
                // The writer failed, and says why.
                break;
            }
        }
        Ok::<_, Error>(())
    };
    let sent = sent.await;
    drop(send);
    let written =
        writer.await.map_err(|e| Error::new(ErrorKind::Runtime, format!("PutImage: {e}")));
    sent?;
    written?
}

async fn next_piece(
    pieces: &mut axum::body::BodyDataStream,
    timeout: Duration,
) -> Result<Option<Bytes>> {
    let next = if timeout.is_zero() {
        pieces.next().await
    } else {
        tokio::time::timeout(timeout, pieces.next()).await.map_err(|_| {
            Error::new(ErrorKind::SocketTimeout, format!("nothing came for {timeout:?}"))
        })?
    };
    next.transpose().map_err(|error| Error::io(format!("read the image: {error}")))
}

fn write_pieces(
    servlet: &Servlet,
    upload: &Upload,
    mut pieces: mpsc::Receiver<Bytes>,
) -> Result<()> {
    let images = servlet.host.images();
    let throttle = Throttle::new(servlet.bandwidth);
    let mut receiver = ImageReceiver::create(images.dirs(), upload.txid)?;
    while let Some(piece) = pieces.blocking_recv() {
        receiver.write(&piece)?;
        if receiver.received() > upload.advertised.num_bytes {
            break;
        }
        throttle.wait(piece.len() as u64);
    }
    let name = ImageFile::Checkpoint(upload.txid).name();
    receiver.commit(&name, upload.advertised, upload.kind)?;
    images.adopt((upload.kind)(upload.txid));
    Ok(())
}
