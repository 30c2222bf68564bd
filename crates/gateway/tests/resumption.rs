//! Session resumption: a ticket must not open more than a full handshake would.

use openssl::ssl::{SslSession, SslVersion};

use crate::support::client::Connect;
use crate::support::{Authority, Client, Identity, Origin, Running, Snapshot};

const VERSIONS: [SslVersion; 2] = [SslVersion::TLS1_2, SslVersion::TLS1_3];

fn connect(
    running: &Running,
    name: &str,
    identity: Option<&Identity>,
    version: SslVersion,
    session: Option<SslSession>,
) -> Client {
    let connect = Connect {
        server_name: Some(name),
        identity,
        version: Some(version),
        session,
    };
    running.connect(&connect).expect("the handshake completes")
}

/// Makes a request and takes the session of its connection.
fn session(running: &Running, identity: Option<&Identity>, version: SslVersion) -> SslSession {
    let mut client = connect(running, "api.example.com", identity, version, None);
    client.get("api.example.com", "/temps");
    client
        .sessions()
        .pop()
        .expect("the gateway hands out tickets")
}

#[test]
fn a_resumed_session_has_the_identity_of_the_full_one() {
    let origin = Origin::start();
    let authority = Authority::root("Clients");
    let running = Running::start(&Snapshot::new(&origin.url()).require(&authority));
    let device = authority.client("device");
    let stranger = Authority::root("Strangers").client("device");
    for version in VERSIONS {
        for (identity, status) in [(Some(&device), 200), (None, 403), (Some(&stranger), 403)] {
            let ticket = session(&running, identity, version);
            let mut client = connect(&running, "api.example.com", identity, version, Some(ticket));
            let answer = client.get("api.example.com", "/temps");
            assert!(client.was_resumed(), "{version:?}");
            assert_eq!(answer.status, status, "{version:?} {:?}", answer.json());
        }
        let received = origin.last();
        assert_eq!(
            received.header("cf-client-cert-sha256"),
            Some(device.fingerprint().as_str())
        );
    }
}

#[test]
fn intermediates_hold_on_a_resumed_session() {
    let origin = Origin::start();
    let root = Authority::root("Root");
    let device = root
        .intermediate("Upper")
        .intermediate("Lower")
        .client("device");
    let running = Running::start(&Snapshot::new(&origin.url()).require(&root));
    for version in VERSIONS {
        let ticket = session(&running, Some(&device), version);
        let mut client = connect(
            &running,
            "api.example.com",
            Some(&device),
            version,
            Some(ticket),
        );
        let answer = client.get("api.example.com", "/temps");
        assert!(client.was_resumed(), "{version:?}");
        assert_eq!(answer.status, 200, "{version:?} {:?}", answer.json());
        let received = origin.received();
        let chains: Vec<_> = received
            .iter()
            .rev()
            .take(2)
            .map(|one| one.header("client-cert-chain"))
            .collect();
        assert!(
            chains[0].is_some() && chains[0] == chains[1],
            "the origin sees the same chain both times"
        );
    }
}

#[test]
fn a_certificate_revoked_since_is_refused_on_a_resumed_session() {
    let origin = Origin::start();
    let authority = Authority::root("Clients");
    let before = Snapshot::new(&origin.url()).require(&authority);
    for version in VERSIONS {
        let running = Running::start(&before);
        let device = authority.client("device");
        let ticket = session(&running, Some(&device), version);
        let mut after = before.clone().version(2);
        after.revoke(&device);
        running.apply(&after);
        let mut client = connect(
            &running,
            "api.example.com",
            Some(&device),
            version,
            Some(ticket),
        );
        let answer = client.get("api.example.com", "/temps");
        assert!(client.was_resumed(), "{version:?}");
        assert_eq!(answer.status, 403, "{version:?}");
        assert_eq!(answer.json()["client_certificate"], "revoked");
    }
}

#[test]
fn a_session_is_not_resumed_under_another_host_or_another_policy() {
    let origin = Origin::start();
    let authority = Authority::root("Clients");
    let mut snapshot = Snapshot::new(&origin.url()).require(&authority);
    snapshot.add_host("other.example.com", &origin.url());
    let device = authority.client("device");
    for version in VERSIONS {
        let running = Running::start(&snapshot);
        let ticket = session(&running, Some(&device), version);
        let client = connect(&running, "other.example.com", None, version, Some(ticket));
        assert!(!client.was_resumed(), "{version:?}: another host");

        // And not the other way: a session of a host that asked for nothing.
        let mut open = connect(&running, "other.example.com", None, version, None);
        open.get("other.example.com", "/");
        let ticket = open.sessions().pop().unwrap();
        let mut client = connect(&running, "api.example.com", None, version, Some(ticket));
        assert!(
            !client.was_resumed(),
            "{version:?}: towards a host that asks"
        );
        assert_eq!(client.get("api.example.com", "/temps").status, 403);

        let ticket = session(&running, Some(&device), version);
        let mut changed = snapshot.clone().version(2);
        changed.json["certificate_authorities"][0]["certificates_pem"] =
            Authority::root("New").pem().into();
        running.apply(&changed);
        let mut client = connect(
            &running,
            "api.example.com",
            Some(&device),
            version,
            Some(ticket),
        );
        assert!(!client.was_resumed(), "{version:?}: other authorities");
        assert_eq!(client.get("api.example.com", "/temps").status, 403);
    }
}
