//! What the gateway knows of one request and its answer: Pingora's context of a session.

use std::sync::Arc;
use std::time::Instant;

use pingora::protocols::tls::SslDigest;
use pingora::proxy::Session;

use crate::body::Held;
use crate::clock;
use crate::host::Host;
use crate::identity::{Connection, Standing};
use crate::refusal::Refusal;
use crate::request_id::RequestId;
use crate::responses::Watched;
use crate::room::Share;
use crate::snapshot::{Enforced, SavedOperation};
use crate::stream::Streamed;
use crate::traffic::Sample;
use crate::upstream::Tried;
use crate::verdict::Action;

/// One request, from its head to its log line.
pub(crate) struct Exchange {
    pub(crate) id: RequestId,
    /// When its head had been read.
    pub(crate) begun: Instant,
    /// The snapshot this request is decided by, whatever is swapped meanwhile.
    pub(crate) enforced: Option<Arc<Enforced>>,
    pub(crate) route: Option<Route>,
    pub(crate) held: Held,
    /// What judges a body that goes on while it comes.
    pub(crate) streamed: Option<Box<Streamed>>,
    /// The memory both take.
    pub(crate) share: Share,
    /// What is kept of a response that will be judged.
    pub(crate) watched: Option<Box<Watched>>,
    /// What the client is told when its body was refused after its beginning had been sent.
    pub(crate) refusal: Option<Box<Refusal>>,
    /// Upstream addresses that failed.
    pub(crate) tried: Tried,
    /// The status for a client whose upstreams all failed: that of the last one.
    pub(crate) upstream_status: u16,
    pub(crate) client: Client,
    pub(crate) action: Action,
    /// Without a client certificate a rule would have refused it.
    pub(crate) is_demanded: bool,
    /// What is recorded of it, if it was sampled.
    pub(crate) sample: Option<Box<Sample>>,
}

/// Where the request goes.
pub(crate) struct Route {
    pub(crate) host: Arc<Host>,
    /// As asked for, in lower case without port.
    pub(crate) host_name: Box<str>,
    pub(crate) operation: Option<Arc<SavedOperation>>,
}

impl Exchange {
    pub(crate) fn new(enforced: Option<Arc<Enforced>>) -> Self {
        Self {
            id: RequestId::new(),
            begun: Instant::now(),
            enforced,
            route: None,
            held: Held::Nothing,
            streamed: None,
            share: Share::default(),
            watched: None,
            refusal: None,
            tried: Tried::new(),
            upstream_status: 502,
            client: Client::default(),
            action: Action::default(),
            is_demanded: false,
            sample: None,
        }
    }

    /// The saved operation the request is for.
    pub(crate) fn operation(&self) -> Option<&Arc<SavedOperation>> {
        self.route.as_ref()?.operation.as_ref()
    }

    /// Nothing of the body is needed any more. A client that is slow to read its refusal must not keep the memory.
    pub(crate) fn release(&mut self) {
        self.held = Held::Nothing;
        self.streamed = None;
        self.watched = None;
        self.share = Share::default();
    }

    /// The host asks for certificates now, but did not when this connection was made: a new one may fare better.
    pub(crate) fn was_never_asked(&self) -> bool {
        let asks = self
            .route
            .as_ref()
            .is_some_and(|route| route.host.policy.asks());
        let connection = self.client.connection();
        asks && connection.is_some_and(|connection| connection.asked_by == [0; 32])
    }
}

/// Who the client is, as far as its connection tells.
#[derive(Default)]
pub(crate) struct Client {
    digest: Option<Arc<SslDigest>>,
}

impl Client {
    /// Takes hold of what the handshake left behind.
    pub(crate) fn of(session: &Session) -> Self {
        Self {
            digest: session
                .digest()
                .and_then(|digest| digest.ssl_digest.clone()),
        }
    }

    /// The connection, if it has TLS.
    pub(crate) fn connection(&self) -> Option<&Connection> {
        self.digest.as_ref()?.extension.get::<Connection>()
    }

    /// What may be said about the client's certificate towards this host, at this moment.
    pub(crate) fn standing(&self, host: &Host) -> Option<Standing<'_>> {
        if !host.policy.asks() {
            return None;
        }
        let presented = self.connection()?.presented.as_ref()?;
        Some(Standing::of(presented, &host.policy, clock::unix_seconds()))
    }
}
