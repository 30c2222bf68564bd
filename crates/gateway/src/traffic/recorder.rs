//! The thread that masks and scores what was sampled. Masking takes longer than forwarding does, so it is done by a thread
//! that steps back behind those that serve.

use std::borrow::Cow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use hauberk_traffic::{Header, LazyText, Transaction, TransactionRef, api_likelihood};
use http::{HeaderMap, Version, header};

use super::sample::Exchanged;
use crate::clock;
use crate::error::{Error, ErrorKind};
use crate::shared::Shared;

/// How long exchanges gather before they are masked, so that a busy gateway wakes the thread seldom.
const GATHER: Duration = Duration::from_millis(20);

/// How many bytes of exchanges are masked before the queue is looked at again.
const BATCH_BYTES: usize = 1024 * 1024;

/// How far the thread steps back: a gateway that has no time left drops samples, not requests.
const NICENESS: libc::c_int = 10;

/// Masks for as long as it lives, and at its end all that waits.
pub(crate) struct Recorder {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl Recorder {
    /// # Errors
    ///
    /// When the system refuses the thread.
    pub(crate) fn start(shared: Arc<Shared>) -> Result<Self, Error> {
        let masking = Arc::clone(&shared);
        let thread = std::thread::Builder::new()
            .name("gateway-traffic".to_owned())
            .spawn(move || run(&masking))
            .map_err(|cause| {
                Error::because(ErrorKind::Runtime, "threads cannot be started", cause)
            })?;
        Ok(Self {
            shared,
            thread: Some(thread),
        })
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        self.shared.traffic.waiting.end();
        if let Some(Err(_)) = self.thread.take().map(JoinHandle::join) {
            log::error!("the thread that masks traffic panicked: nothing is recorded any more");
        }
    }
}

fn run(shared: &Shared) {
    // SAFETY: it takes and gives numbers only. Of the calling thread alone on Linux, where each has a priority of its own.
    // Where that fails the thread is as eager as the others, no more.
    unsafe { libc::setpriority(libc::PRIO_PROCESS, 0, NICENESS) };
    let traffic = &shared.traffic;
    loop {
        let is_ended = traffic.waiting.wait();
        if !is_ended {
            std::thread::sleep(GATHER);
        }
        let batch = traffic.waiting.take(BATCH_BYTES, Duration::ZERO);
        if batch.is_empty() && is_ended {
            return;
        }
        for exchanged in batch {
            // Should masking ever break on something, that one is lost and the others are not.
            let line = catch_unwind(AssertUnwindSafe(|| masked_line(&exchanged)));
            let is_kept = line.is_ok_and(|line| {
                // Many of them wait, so none keeps more room than it needs.
                let line = line.into_boxed_str();
                let bytes = line.len() + size_of_val(&line);
                traffic.masked.push(line, bytes)
            });
            if !is_kept {
                traffic.dropped(1, &shared.metrics);
            }
        }
    }
}

/// The transaction as a line of JSON, masked and scored.
fn masked_line(exchanged: &Exchanged) -> String {
    let masker = &exchanged.drawing.masker;
    let unmasked = borrowed(exchanged);
    let identifiers = &exchanged.host.zone.session_identifiers;
    let session = identifiers.session_id(&unmasked, masker);
    let score = api_likelihood(&unmasked);
    let owned = |headers: Vec<Header<'_>>| {
        let pairs = headers.into_iter();
        let pairs = pairs.map(|header| (header.name.into_owned(), header.value.into_owned()));
        pairs.collect()
    };
    let transaction = Transaction {
        host: unmasked.host.into_owned(),
        method: unmasked.method.into_owned(),
        url: unmasked.url.into_owned(),
        http_version: unmasked.http_version.map(Cow::into_owned),
        request_headers: owned(unmasked.request_headers),
        request_body: unmasked
            .request_body
            .map(|body| body.decoded().into_owned()),
        request_body_omitted: unmasked.request_body_omitted,
        status: unmasked.status,
        response_headers: owned(unmasked.response_headers),
        response_body_size: unmasked.response_body_size,
        response_content_type: unmasked.response_content_type.map(Cow::into_owned),
        time: unmasked.time.map(Cow::into_owned),
        client: unmasked.client.map(Cow::into_owned),
        duration_us: unmasked.duration_us,
        operation_id: unmasked.operation_id.map(Cow::into_owned),
        request_id: Some(exchanged.request_id.as_str().to_owned()),
        action: Some(exchanged.action.to_owned()),
        session,
        certificate: exchanged.certificate.as_deref().map(str::to_owned),
        score: Some(score),
        weight: unmasked.weight,
        ..Transaction::default()
    };
    transaction.into_masked(masker).to_line()
}

/// The exchange as it was, without copying what is text already.
fn borrowed(exchanged: &Exchanged) -> TransactionRef<'_> {
    let scheme = if exchanged.is_tls { "https" } else { "http" };
    let (host, target) = (
        &*exchanged.host_name,
        String::from_utf8_lossy(&exchanged.target),
    );
    // Of `OPTIONS *` the target is no path.
    let slash = if target.starts_with('/') { "" } else { "/" };
    let request_body = std::str::from_utf8(&exchanged.request_body);
    let request_body = request_body.ok().filter(|body| !body.is_empty());
    let sent = exchanged.request_body_bytes;
    let content_type = exchanged.response_headers.as_ref();
    let content_type = content_type.and_then(|headers| headers.get(header::CONTENT_TYPE));
    let response_headers = exchanged.response_headers.as_ref();
    TransactionRef {
        host: host.into(),
        method: exchanged.method.as_str().into(),
        url: format!("{scheme}://{host}{slash}{target}").into(),
        http_version: Some(version(exchanged.version).into()),
        request_headers: headers(&exchanged.request_headers),
        request_body: request_body.map(|body| LazyText::Plain(body.into())),
        request_body_omitted: (request_body.is_none() && sent > 0).then_some(sent),
        status: exchanged.status,
        response_headers: response_headers.map(headers).unwrap_or_default(),
        response_body_size: Some(exchanged.response_body_bytes),
        response_content_type: content_type.map(|value| String::from_utf8_lossy(value.as_bytes())),
        time: Some(rfc3339(exchanged.began).into()),
        client: exchanged.client.map(|address| address.to_string().into()),
        duration_us: Some(u64::try_from(exchanged.took.as_micros()).unwrap_or(u64::MAX)),
        operation_id: exchanged.operation.as_ref().map(|one| (&*one.id).into()),
        weight: Some(exchanged.weight),
        ..TransactionRef::default()
    }
}

fn headers(headers: &HeaderMap) -> Vec<Header<'_>> {
    let fields = headers.iter().map(|(name, value)| Header {
        name: name.as_str().into(),
        value: String::from_utf8_lossy(value.as_bytes()),
    });
    fields.collect()
}

fn version(version: Version) -> &'static str {
    match version {
        Version::HTTP_10 => "HTTP/1.0",
        Version::HTTP_2 => "HTTP/2",
        _ => "HTTP/1.1",
    }
}

fn rfc3339(time: SystemTime) -> String {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    clock::format_rfc3339(since.as_secs(), since.subsec_millis())
}
