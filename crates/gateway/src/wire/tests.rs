//! Turns without a gateway around them.

use std::io::{ErrorKind, Read as _};
use std::net::{TcpListener, TcpStream};
use std::task::Waker;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::{HELD_BYTES, Wire};
use crate::turn;

/// A connection and its other end, which does not block.
fn pair() -> (Wire, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let near = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    near.set_nonblocking(true).unwrap();
    let (far, peer) = listener.accept().unwrap();
    far.set_nonblocking(true).unwrap();
    (Wire::new(near, peer).unwrap(), far)
}

fn run(test: impl Future<Output = ()>) {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    runtime.enable_all().build().unwrap().block_on(test);
}

/// Has the thread look for events.
async fn wait() {
    tokio::time::sleep(Duration::from_millis(20)).await;
}

/// What has arrived.
fn arrived(far: &mut TcpStream) -> Vec<u8> {
    let mut bytes = vec![0; 4 * HELD_BYTES];
    match far.read(&mut bytes) {
        Ok(count) => bytes.truncate(count),
        Err(error) if error.kind() == ErrorKind::WouldBlock => bytes.clear(),
        Err(error) => panic!("{error}"),
    }
    bytes
}

#[test]
fn what_is_flushed_in_a_turn_leaves_when_it_ends() {
    run(async {
        turn::begin(Waker::noop());
        let (mut wire, mut far) = pair();
        wait().await;
        for part in [b"head ", b"body "] {
            wire.write_all(part).await.unwrap();
            wire.flush().await.unwrap();
            assert_eq!(arrived(&mut far), b"");
        }
        turn::end();
        assert_eq!(arrived(&mut far), b"head body ");
        wire.write_all(b"more").await.unwrap();
        turn::end();
        assert_eq!(arrived(&mut far), b"", "it was not flushed");
        wire.flush().await.unwrap();
        turn::end();
        assert_eq!(arrived(&mut far), b"more");
    });
}

#[test]
fn what_is_too_much_to_be_held_leaves_at_once_after_what_was_held() {
    run(async {
        turn::begin(Waker::noop());
        let (mut wire, mut far) = pair();
        wait().await;
        wire.write_all(b"head").await.unwrap();
        wire.write_all(&[b'b'; HELD_BYTES]).await.unwrap();
        let bytes = arrived(&mut far);
        assert_eq!(bytes.len(), 4 + HELD_BYTES);
        assert!(bytes.starts_with(b"headb"));
    });
}

#[test]
fn without_turns_a_flush_sends() {
    run(async {
        let (mut wire, mut far) = pair();
        wire.write_all(b"all").await.unwrap();
        wire.flush().await.unwrap();
        assert_eq!(arrived(&mut far), b"all");
    });
}

#[test]
fn what_was_flushed_arrives_although_the_connection_is_dropped() {
    run(async {
        turn::begin(Waker::noop());
        let (mut wire, mut far) = pair();
        wire.write_all(b"farewell").await.unwrap();
        wire.flush().await.unwrap();
        drop(wire);
        turn::end();
        wait().await;
        assert_eq!(arrived(&mut far), b"farewell");
        assert_eq!(far.read(&mut [0]).unwrap(), 0, "and its end");
    });
}

#[test]
fn a_failure_at_the_end_of_a_turn_is_told_to_whoever_reads_or_writes_next() {
    run(async {
        turn::begin(Waker::noop());
        let (mut wire, far) = pair();
        wait().await;
        wire.write_all(b"unread").await.unwrap();
        wire.flush().await.unwrap();
        turn::end();
        // With something unread, a reset.
        drop(far);
        wait().await;
        wire.write_all(b"lost").await.unwrap();
        wire.flush().await.unwrap();
        turn::end();
        assert!(wire.write_all(b"late").await.is_err());
        assert!(matches!(wire.read(&mut [0; 8]).await, Ok(0) | Err(_)));
    });
}

#[test]
fn a_connection_that_rests_too_long_looks_closed_to_whoever_would_use_it() {
    run(async {
        let (wire, _far) = pair();
        let mut wire = wire.rests_at_most(Duration::from_millis(30));
        let asks = |wire: &mut Wire| {
            let mut byte = [0];
            let mut read = Box::pin(wire.read(&mut byte));
            let mut context = std::task::Context::from_waker(Waker::noop());
            read.as_mut().poll(&mut context).is_ready()
        };
        assert!(!asks(&mut wire), "it begins to rest");
        assert!(!asks(&mut wire), "and may be used");
        wait().await;
        wait().await;
        wire.write_all(b"used").await.unwrap();
        assert!(!asks(&mut wire), "it begins anew");
        wait().await;
        wait().await;
        assert!(asks(&mut wire));
    });
}

#[test]
fn a_task_that_keeps_itself_busy_does_not_put_off_what_others_have_to_send() {
    run(async {
        tokio::spawn(turn::take());
        wait().await;
        let (mut wire, mut far) = pair();
        wait().await;
        tokio::spawn(async {
            loop {
                tokio::task::yield_now().await;
            }
        });
        wire.write_all(b"soon").await.unwrap();
        wire.flush().await.unwrap();
        assert_eq!(arrived(&mut far), b"");
        for _ in 0..8 {
            tokio::task::yield_now().await;
        }
        assert_eq!(arrived(&mut far), b"soon");
    });
}
