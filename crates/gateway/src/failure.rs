//! What a client is told, and what is logged, when a request fails on its way.

use pingora::proxy::Session;
use pingora::{Error, ErrorSource, ErrorType};

use crate::body;
use crate::exchange::Exchange;
use crate::refusal::Refusal;

/// 504 when the upstream took too long, 502 for everything else that is its fault.
pub(crate) fn upstream_status(error: &Error) -> u16 {
    match error.etype() {
        ErrorType::ConnectTimedout
        | ErrorType::TLSHandshakeTimedout
        | ErrorType::ReadTimedout
        | ErrorType::WriteTimedout => 504,
        _ => 502,
    }
}

/// The status when there is no upstream left to try: 503 when there was none to begin with.
pub(crate) fn without_upstream(exchange: &Exchange) -> u16 {
    if exchange.tried.is_empty() {
        503
    } else {
        exchange.upstream_status
    }
}

pub(crate) fn is_upstream(error: &Error) -> bool {
    matches!(error.esource(), ErrorSource::Upstream)
}

/// The answer for a client whose request failed; none when it has one already, or is gone.
pub(crate) fn refusal(
    session: &Session,
    exchange: &mut Exchange,
    error: &Error,
) -> Option<Refusal> {
    let begun = session.response_written();
    if begun.is_some_and(|answer| !answer.status.is_informational()) {
        return None;
    }
    if let Some(refusal) = exchange.refusal.take() {
        return Some(*refusal);
    }
    let refusal = match (error.etype(), error.esource()) {
        (ErrorType::HTTPStatus(status), _) => upstream_refusal(*status),
        (_, ErrorSource::Upstream) => upstream_refusal(upstream_status(error)),
        (ErrorType::ReadTimedout, ErrorSource::Downstream) => {
            Refusal::new(408, "body_timeout", "the body did not come in time")
        }
        // It may have closed its side only; whoever is judged is told.
        (ErrorType::ConnectionClosed, ErrorSource::Downstream) if exchange.streamed.is_some() => {
            body::broken()
        }
        (
            ErrorType::WriteError
            | ErrorType::WriteTimedout
            | ErrorType::ReadError
            | ErrorType::ConnectionClosed
            | ErrorType::H2Error,
            ErrorSource::Downstream,
        ) => return None,
        (_, ErrorSource::Downstream) => {
            Refusal::new(400, "malformed_request", "the request cannot be understood")
        }
        _ => Refusal::new(500, "internal_error", "the gateway failed"),
    };
    Some(refusal.closing())
}

fn upstream_refusal(status: u16) -> Refusal {
    match status {
        503 => Refusal::new(503, "no_upstream", "no upstream of the host has an address"),
        504 => Refusal::new(
            504,
            "upstream_timeout",
            "the upstream did not answer in time",
        ),
        _ => Refusal::new(
            502,
            "upstream_failed",
            "the upstream could not be reached, or broke off",
        ),
    }
}

/// One line for what went wrong. Kinds and sources only: contexts quote addresses and headers.
pub(crate) fn log(error: &Error, exchange: &Exchange, status: Option<u16>) {
    let host = exchange
        .route
        .as_ref()
        .map_or("-", |route| &route.host.name);
    let (id, kind, source) = (
        exchange.id.as_str(),
        error.etype().as_str(),
        error.esource().as_str(),
    );
    let status = status.unwrap_or(0);
    if is_upstream(error) {
        log::warn!("request {id} to host {host:?} failed: {kind}, {source}, status {status}");
    } else {
        log::debug!("request {id} to host {host:?} failed: {kind}, {source}, status {status}");
    }
}
