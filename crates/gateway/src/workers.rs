//! The threads that serve: each has a runtime, connections to upstreams and TLS contexts of its own.
//!
//! A connection stays on the thread that accepted it, and so does everything done for it. Nothing is handed from core
//! to core, which makes a request a fifth to a quarter cheaper than under a runtime that shares its tasks among
//! threads; the price is that a long validation holds up the other connections of its thread.
//!
//! The threads accept from the same sockets, so whoever is idle takes the next connection. A socket for each thread
//! (`SO_REUSEPORT`) would hand connections out blindly, would lose those in its queue when a thread stops, and would
//! let another process of the same user listen on our address without an error.

use std::net::TcpListener;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use pingora::apps::ServerApp as _;
use pingora::server::ListenFds;
use pingora::services::Service as _;
use pingora::services::listening::Service;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until};

use crate::accept::accept;
use crate::connections::Connections;
use crate::error::{Error, ErrorKind};
use crate::shared::Shared;
use crate::turn;

/// How often a stopping thread looks whether the connections are gone.
const DRAIN_STEP: Duration = Duration::from_millis(20);

/// What one thread serves.
pub(crate) struct Work {
    /// The listeners with TLS, if there are any.
    pub(crate) tls: Option<(Service<Connections>, ListenFds)>,
    /// Those without.
    pub(crate) plain: Vec<TcpListener>,
    pub(crate) connections: Arc<Connections>,
}

/// Running threads.
pub(crate) struct Workers {
    threads: Vec<JoinHandle<()>>,
    /// A receiver lives in each accept loop and each connection.
    stopping: watch::Sender<bool>,
    deadline: watch::Sender<Option<Instant>>,
}

impl Workers {
    /// Starts a thread for each piece of work. `ended` is called by one that ends, be it by a panic.
    ///
    /// # Errors
    ///
    /// When the system refuses a thread. Those that started end at once.
    pub(crate) fn start(
        work: Vec<Work>,
        shared: &Arc<Shared>,
        ended: impl Fn() + Clone + Send + 'static,
    ) -> Result<Self, Error> {
        let failed = |cause| Error::because(ErrorKind::Runtime, "threads cannot be started", cause);
        let mut workers = Self {
            threads: Vec::new(),
            stopping: watch::Sender::new(false),
            deadline: watch::Sender::new(None),
        };
        for work in work {
            let runtime = Builder::new_current_thread()
                .enable_all()
                .build()
                .map_err(failed)?;
            let serving = serve(
                work,
                Arc::clone(shared),
                workers.stopping.subscribe(),
                workers.deadline.subscribe(),
            );
            let ended = Ended(ended.clone());
            let thread = std::thread::Builder::new().name("gateway".to_owned());
            let thread = thread.spawn(move || run(runtime, serving, &ended));
            workers.threads.push(thread.map_err(failed)?);
        }
        Ok(workers)
    }

    /// Stops accepting, and waits up to `grace` for the connections to end.
    ///
    /// # Errors
    ///
    /// When a thread had panicked.
    pub(crate) fn stop(self, grace: Duration) -> Result<(), Error> {
        self.deadline.send_replace(Some(Instant::now() + grace));
        self.stopping.send_replace(true);
        let ended: Vec<_> = self.threads.into_iter().map(JoinHandle::join).collect();
        if ended.iter().any(Result::is_err) {
            return Err(Error::new(
                ErrorKind::Runtime,
                "a thread of the gateway panicked",
            ));
        }
        Ok(())
    }
}

/// Tells of the end of a thread, however it comes.
struct Ended<F: Fn()>(F);

impl<F: Fn()> Drop for Ended<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}

fn run<F: Fn()>(runtime: Runtime, serving: impl Future<Output = ()>, _ended: &Ended<F>) {
    runtime.spawn(turn::take());
    runtime.block_on(serving);
    // What is left of connections and tasks ends here.
    runtime.shutdown_background();
}

async fn serve(
    work: Work,
    shared: Arc<Shared>,
    stopping: watch::Receiver<bool>,
    deadline: watch::Receiver<Option<Instant>>,
) {
    let serving = async {
        let accepting: Vec<_> = work
            .plain
            .into_iter()
            .map(|listener| {
                let accepting = accept(listener, Arc::clone(&work.connections), stopping.clone());
                tokio::spawn(accepting)
            })
            .collect();
        if let Some((mut service, sockets)) = work.tls {
            service.start_service(Some(sockets), stopping, 1).await;
        }
        for listener in accepting {
            // Neither cancelled nor, in all that can be foreseen, panicked.
            if let Ok(Err(error)) = listener.await {
                log::error!("a listener cannot be watched: {error}");
            }
        }
        // The listeners are closed. Connections without a request are told to end.
        work.connections.cleanup().await;
        // Those of all threads are counted together, so one without any may wait for the others.
        while shared.metrics.open_connections.get() > 0 {
            sleep(DRAIN_STEP).await;
        }
    };
    tokio::select! {
        () = serving => {}
        () = passed(deadline) => {}
    }
}

async fn passed(mut deadline: watch::Receiver<Option<Instant>>) {
    // Without a sender there is nobody left who could give time.
    let set = deadline.wait_for(Option::is_some).await;
    let set = set.ok().and_then(|set| *set);
    if let Some(set) = set {
        sleep_until(set).await;
    }
}
