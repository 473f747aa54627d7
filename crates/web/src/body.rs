//! A request body that has to keep coming: actix itself has no deadline for one.

use std::cell::RefCell;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::error::PayloadError;
use actix_web::middleware::Next;
use actix_web::web::Bytes;
use actix_web::{Error, HttpMessage as _};
use futures_util::{Stream, StreamExt as _, stream};
use tokio::time::{Instant, timeout_at};

use crate::BodyLimits;
use crate::problem::Problem;
use crate::spool::SpoolError;

/// A request's body, held from two sides: by whoever reads it, and by the answer. actix goes on reading a chunked body that
/// nobody holds any more, for as long as the sender likes; one that is still held when the answer has gone out, and was not
/// read to its end, makes it close the connection.
#[derive(Clone)]
pub(crate) struct Body(Rc<RefCell<Payload>>);

impl Body {
    pub(crate) fn new(payload: Payload) -> Self {
        Self(Rc::new(RefCell::new(payload)))
    }
}

/// Has every answer hold its request's body, also where nobody asked for the body: no address keeps a connection open for
/// whoever goes on sending.
pub(crate) async fn held(
    mut request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let payload = request.take_payload();
    if matches!(payload, Payload::None) {
        return Ok(next.call(request).await?.map_into_boxed_body());
    }
    let body = Body::new(payload);
    request.set_payload(Payload::Stream {
        payload: Box::pin(body.clone()),
    });
    let response = next.call(request).await?.map_into_boxed_body();
    Ok(response.map_body(|_, answer| {
        BoxBody::new(Held {
            answer,
            _body: body,
        })
    }))
}

impl Stream for Body {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        Pin::new(&mut *self.0.borrow_mut()).poll_next(cx)
    }
}

struct Held {
    answer: BoxBody,
    _body: Body,
}

impl MessageBody for Held {
    type Error = <BoxBody as MessageBody>::Error;

    fn size(&self) -> BodySize {
        self.answer.size()
    }

    fn poll_next(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Self::Error>>> {
        Pin::new(&mut self.answer).poll_next(cx)
    }
}

/// The body's chunks, with an error as the last item when it grows past `bytes` ([`PayloadError::Overflow`]) or comes
/// too slowly (an [`PayloadError::Io`] that timed out). At most one chunk past the limit is ever read.
pub(crate) fn paced(
    body: Body,
    limits: BodyLimits,
    bytes: u64,
) -> impl Stream<Item = Result<Bytes, PayloadError>> {
    let now = Instant::now();
    let pace = Pace {
        limits,
        left: bytes,
        ends_at: now + limits.total,
        window_ends_at: now + limits.window,
        window_bytes: 0,
    };
    stream::unfold(Some((body, pace)), |state| async {
        let (mut body, mut pace) = state?;
        match pace.next(&mut body).await? {
            Ok(chunk) => Some((Ok(chunk), Some((body, pace)))),
            Err(error) => Some((Err(error), None)),
        }
    })
    // A reader may ask again after the end.
    .fuse()
}

/// A whole body of so many bytes at most.
pub(crate) async fn whole(body: Body, limits: BodyLimits, most: u64) -> Result<Vec<u8>, Problem> {
    let mut chunks = std::pin::pin!(paced(body, limits, most));
    let mut whole = Vec::new();
    while let Some(chunk) = chunks.next().await {
        match chunk {
            Ok(chunk) => whole.extend_from_slice(&chunk),
            Err(PayloadError::Overflow) => return Err(Problem::body_too_large(most)),
            Err(error) => return Err(SpoolError::of_payload(&error, most).into()),
        }
    }
    Ok(whole)
}

/// Reads a body to its end or until it has gone on for too long, and keeps nothing of it.
pub(crate) async fn drain(body: Body, limits: BodyLimits, bytes: u64) {
    let mut chunks = std::pin::pin!(paced(body, limits, bytes));
    while let Some(Ok(_)) = chunks.next().await {}
}

struct Pace {
    limits: BodyLimits,
    left: u64,
    ends_at: Instant,
    window_ends_at: Instant,
    window_bytes: u64,
}

impl Pace {
    async fn next(&mut self, body: &mut Body) -> Option<Result<Bytes, PayloadError>> {
        let chunk_by = Instant::now() + self.limits.chunk;
        loop {
            let wake_at = chunk_by.min(self.ends_at).min(self.window_ends_at);
            let chunk = timeout_at(wake_at, body.next()).await;
            let now = Instant::now();
            match chunk {
                Ok(Some(Ok(chunk))) => return Some(self.count(now, chunk)),
                Ok(end) => return end,
                Err(_) if now >= chunk_by || now >= self.ends_at => return Some(Err(too_slow())),
                Err(_) => {
                    if let Err(error) = self.close_window(now) {
                        return Some(Err(error));
                    }
                }
            }
        }
    }

    fn count(&mut self, now: Instant, chunk: Bytes) -> Result<Bytes, PayloadError> {
        let n_bytes = chunk.len() as u64;
        self.left = self
            .left
            .checked_sub(n_bytes)
            .ok_or(PayloadError::Overflow)?;
        self.window_bytes += n_bytes;
        if now >= self.ends_at {
            return Err(too_slow());
        }
        self.close_window(now)?;
        Ok(chunk)
    }

    /// At a window's end: was it enough? Then the next one begins.
    fn close_window(&mut self, now: Instant) -> Result<(), PayloadError> {
        if now < self.window_ends_at {
            return Ok(());
        }
        let wanted =
            self.limits.window.as_millis() * u128::from(self.limits.bytes_per_second) / 1000;
        if u128::from(self.window_bytes) < wanted {
            return Err(too_slow());
        }
        self.window_ends_at = now + self.limits.window;
        self.window_bytes = 0;
        Ok(())
    }
}

fn too_slow() -> PayloadError {
    PayloadError::Io(io::Error::from(io::ErrorKind::TimedOut))
}
