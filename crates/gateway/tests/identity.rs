//! Client certificates: who is let in, who is not, and what is said about it.

use std::time::Duration;

use openssl::ssl::SslVersion;
use serde_json::json;

use crate::support::client::Connect;
use crate::support::http2::Http2;
use crate::support::pki::Wish;
use crate::support::snapshot::AUTHORITY_ID;
use crate::support::{Authority, Origin, Running, Snapshot};

#[test]
fn a_certificate_of_the_host_s_authority_opens_the_host_and_nothing_else_does() {
    let origin = Origin::start();
    let authority = Authority::root("Clients");
    let running = Running::start(&Snapshot::new(&origin.url()).require(&authority));

    let stranger = Authority::root("Strangers");
    let expired = Wish {
        begins: -7200,
        ends: -3600,
        ..Wish::default()
    };
    let server_only = Wish {
        client_auth: false,
        server_auth: true,
        ..Wish::default()
    };
    for (who, identity, status, said) in [
        ("a good one", Some(authority.client("device")), 200, ""),
        ("none", None, 403, "none"),
        (
            "a foreign one",
            Some(stranger.client("device")),
            403,
            "unverified: unable to get local issuer certificate",
        ),
        (
            "an expired one",
            Some(authority.issue(&expired)),
            403,
            "expired",
        ),
        (
            "one for servers",
            Some(authority.issue(&server_only)),
            403,
            "unverified: unsuitable certificate purpose",
        ),
    ] {
        for version in [SslVersion::TLS1_2, SslVersion::TLS1_3] {
            let connect = Connect {
                server_name: Some("api.example.com"),
                identity: identity.as_ref(),
                version: Some(version),
                ..Connect::default()
            };
            let mut client = running
                .connect(&connect)
                .expect("the handshake completes whatever is presented");
            let answer = client.get("api.example.com", "/temps");
            assert_eq!(answer.status, status, "{who}: {:?}", answer.json());
            assert_eq!(
                answer.json()["client_certificate"].as_str().unwrap_or(""),
                said,
                "{who}"
            );
        }
    }
    assert_eq!(
        origin.received().len(),
        2,
        "refused requests do not reach the origin"
    );
}

#[test]
fn http_2_carries_the_identity_as_well() {
    let origin = Origin::start();
    let authority = Authority::root("Clients");
    let running = Running::start(&Snapshot::new(&origin.url()).require(&authority));
    let device = authority.client("device");
    let mut with = Http2::connect(running.https(), "api.example.com", Some(&device));
    assert_eq!(with.get("api.example.com", "/temps").status(), 200);
    let mut without = Http2::connect(running.https(), "api.example.com", None);
    assert_eq!(without.get("api.example.com", "/temps").status(), 403);
}

#[test]
fn a_certificate_is_asked_for_on_associated_hosts_only() {
    let origin = Origin::start();
    let authority = Authority::root("Clients");
    let mut snapshot = Snapshot::new(&origin.url()).require(&authority);
    snapshot.add_host("other.example.com", &origin.url());
    let running = Running::start(&snapshot);
    for (name, asked_for) in [("api.example.com", 1), ("other.example.com", 0)] {
        let connect = Connect {
            server_name: Some(name),
            version: Some(SslVersion::TLS1_2),
            ..Connect::default()
        };
        assert_eq!(
            running.connect(&connect).unwrap().asked_for(),
            asked_for,
            "{name}"
        );
    }
}

#[test]
fn the_rule_s_words_follow_the_certificate() {
    let origin = Origin::start();
    let authority = Authority::root("Clients");
    let device = authority.client("device 7");
    let mut snapshot = Snapshot::new(&origin.url()).require(&authority);
    let fingerprint = device.fingerprint();
    snapshot.zone()["rules"] = json!([]);
    for expression in [
        format!(r#"not cf.tls_client_auth.cert_fingerprint_sha256 eq "{fingerprint}""#),
        r#"not cf.tls_client_auth.cert_subject_dn_rfc2253 eq "CN=device 7,O=Example\\, Inc.,C=US""#.to_owned(),
        r#"not cf.tls_client_auth.cert_subject_dn_legacy eq "/C=US/O=Example, Inc./CN=device 7""#.to_owned(),
        r#"not cf.tls_client_auth.cert_subject_dn eq "C = US, O = \"Example, Inc.\", CN = device 7""#.to_owned(),
        r#"cf.tls_client_auth.cert_issuer_serial eq """#.to_owned(),
        r#"cf.tls_client_auth.cert_issuer_ski eq """#.to_owned(),
    ] {
        snapshot.add_rule("block", &expression);
    }
    let running = Running::start(&snapshot);
    let answer = running.get(Some(&device), "/temps");
    assert_eq!(answer.status, 200, "{:?}", answer.json());
}

#[test]
fn a_chain_with_an_intermediate_is_verified_to_the_root_or_to_the_uploaded_intermediate() {
    let origin = Origin::start();
    let root = Authority::root("Root");
    let intermediate = root.intermediate("Intermediate");
    let device = intermediate.client("device");
    let mut alone = device.clone();
    alone.chain.clear();
    for (trusted, identity, status) in [
        (&root, &device, 200),
        (&root, &alone, 403),
        (&intermediate, &device, 200),
        (&intermediate, &alone, 200),
    ] {
        let running = Running::start(&Snapshot::new(&origin.url()).require(trusted));
        let answer = running.get(Some(identity), "/temps");
        assert_eq!(answer.status, status, "{:?}", answer.json());
    }
}

#[test]
fn two_authorities_of_one_name_both_vouch_for_their_clients() {
    let origin = Origin::start();
    for make in [Authority::root, Authority::root_without_key_identifier] {
        let (first, second) = (make("Twins"), make("Twins"));
        let mut snapshot = Snapshot::new(&origin.url()).require(&first);
        snapshot.add_authority("second", &second.pem());
        snapshot.host(0)["certificate_authority_ids"] = json!([AUTHORITY_ID, "second"]);
        let apart = Running::start(&snapshot);
        let bundle = format!("{}{}", first.pem(), second.pem());
        let mut together = Snapshot::new(&origin.url()).require(&first);
        together.json["certificate_authorities"][0]["certificates_pem"] = json!(bundle);
        let together = Running::start(&together);
        for running in [&apart, &together] {
            for authority in [&first, &second] {
                let answer = running.get(Some(&authority.client("device")), "/temps");
                assert_eq!(answer.status, 200, "{:?}", answer.json());
            }
        }
    }
}

#[test]
fn oversized_chains_are_bounded() {
    let origin = Origin::start();
    let authority = Authority::root("Clients");
    let running = Running::start(&Snapshot::new(&origin.url()).require(&authority));
    // Above 10 KiB the certificate is not handed on, but it is still one.
    let large = authority.issue(&Wish {
        ballast: 12 * 1024,
        ..Wish::default()
    });
    let answer = running.get(Some(&large), "/temps");
    assert_eq!(answer.status, 200, "{:?}", answer.json());
    let received = origin.last();
    assert_eq!(received.header("client-cert"), None);
    assert_eq!(received.header("cf-cert-verified"), Some("true"));
    // A chain above 64 KiB ends the handshake.
    let mut endless = authority.client("device");
    endless.chain = vec![large.certificate.clone(); 8];
    let connect = Connect {
        server_name: Some("api.example.com"),
        identity: Some(&endless),
        version: Some(SslVersion::TLS1_2),
        ..Connect::default()
    };
    assert!(running.connect(&connect).is_err());
    // The next client is served.
    assert_eq!(
        running
            .get(Some(&authority.client("device")), "/temps")
            .status,
        200
    );
}

#[test]
fn an_endless_row_of_intermediates_is_not_followed() {
    let origin = Origin::start();
    let root = Authority::root("Root");
    let mut authority = root.clone();
    for depth in 0..12 {
        authority = authority.intermediate(&format!("Level {depth}"));
    }
    let running = Running::start(&Snapshot::new(&origin.url()).require(&root));
    let answer = running.get(Some(&authority.client("device")), "/temps");
    assert_eq!(answer.status, 403);
    assert_eq!(
        answer.json()["client_certificate"],
        "unverified: certificate chain too long"
    );
}

#[test]
fn a_certificate_that_ends_while_its_connection_is_kept_alive_is_refused_from_then_on() {
    let origin = Origin::start();
    let authority = Authority::root("Clients");
    let running = Running::start(&Snapshot::new(&origin.url()).require(&authority));
    let brief = authority.issue(&Wish {
        ends: 2,
        ..Wish::default()
    });
    let mut client = running.tls(Some(&brief));
    assert_eq!(client.get("api.example.com", "/temps").status, 200);
    std::thread::sleep(Duration::from_secs(4));
    let answer = client.get("api.example.com", "/temps");
    assert_eq!(answer.status, 403);
    assert_eq!(answer.json()["client_certificate"], "expired");
}

#[test]
fn a_revoked_certificate_is_refused_on_its_kept_alive_connection_after_the_next_swap() {
    let origin = Origin::start();
    let authority = Authority::root("Clients");
    let before = Snapshot::new(&origin.url()).require(&authority);
    let running = Running::start(&before);
    let (device, other) = (authority.client("device"), authority.client("other"));
    let mut client = running.tls(Some(&device));
    let mut other = running.tls(Some(&other));
    assert_eq!(client.get("api.example.com", "/temps").status, 200);

    let mut after = before.clone().version(2);
    after.revoke(&device);
    running.apply(&after);
    let answer = client.get("api.example.com", "/temps");
    assert_eq!(answer.status, 403);
    assert_eq!(answer.json()["client_certificate"], "revoked");
    assert_eq!(
        other.get("api.example.com", "/temps").status,
        200,
        "the neighbour is not touched"
    );
    let certificate = running
        .event()
        .client_certificate
        .expect("one was presented");
    assert!(
        certificate.verified && certificate.revoked,
        "a revoked certificate is still a verified one"
    );
    assert_eq!(certificate.serial_number, device.serial_decimal());
    assert_eq!(certificate.fingerprint_sha256, device.fingerprint());

    running.apply(&before.clone().version(3));
    assert_eq!(
        client.get("api.example.com", "/temps").status,
        200,
        "restored"
    );
}

#[test]
fn an_authority_that_is_taken_away_takes_its_clients_along_also_on_open_connections() {
    let origin = Origin::start();
    let (old, new) = (Authority::root("Old"), Authority::root("New"));
    let mut both = Snapshot::new(&origin.url()).require(&old);
    both.add_authority("new", &new.pem());
    both.host(0)["certificate_authority_ids"] = json!([AUTHORITY_ID, "new"]);
    let running = Running::start(&both);
    let mut client = running.tls(Some(&old.client("device")));
    let mut other = running.tls(Some(&new.client("device")));
    assert_eq!(client.get("api.example.com", "/temps").status, 200);
    assert_eq!(other.get("api.example.com", "/temps").status, 200);
    let mut one = both.clone().version(2);
    one.host(0)["certificate_authority_ids"] = json!(["new"]);
    running.apply(&one);
    assert_eq!(client.get("api.example.com", "/temps").status, 403);
    assert_eq!(other.get("api.example.com", "/temps").status, 200);
}

#[test]
fn a_connection_for_a_host_of_another_policy_is_misdirected() {
    let origin = Origin::start();
    let authority = Authority::root("Clients");
    let mut snapshot = Snapshot::new(&origin.url()).require(&authority);
    snapshot.add_host("other.example.com", &origin.url());
    snapshot.add_host("third.example.com", &origin.url());
    let running = Running::start(&snapshot);

    let mut client = Http2::connect(running.https(), "other.example.com", None);
    assert_eq!(client.get("other.example.com", "/").status(), 200);
    assert_eq!(
        client.get("third.example.com", "/").status(),
        200,
        "the same policy"
    );
    assert_eq!(client.get("api.example.com", "/temps").status(), 421);
    assert_eq!(
        client.get("other.example.com", "/").status(),
        200,
        "the connection goes on"
    );

    let device = authority.client("device");
    let mut client = running.tls(Some(&device));
    assert_eq!(client.get("api.example.com", "/temps").status, 200);
    let answer = client.get("other.example.com", "/");
    assert_eq!(
        (answer.status, answer.code().as_str()),
        (421, "misdirected")
    );
}

#[test]
fn a_connection_from_before_the_association_is_told_to_come_again() {
    let origin = Origin::start();
    let authority = Authority::root("Clients");
    let running = Running::start(&Snapshot::new(&origin.url()));
    let device = authority.client("device");
    let mut client = running.tls(Some(&device));
    assert_eq!(client.get("api.example.com", "/temps").status, 200);
    running.apply(&Snapshot::new(&origin.url()).require(&authority).version(2));
    let answer = client.get("api.example.com", "/temps");
    assert_eq!(answer.status, 421, "{:?}", answer.json());
    assert!(client.is_closed());
    assert_eq!(running.get(Some(&device), "/temps").status, 200);
}

#[test]
fn clients_that_name_no_host_or_an_unknown_one_are_shown_the_first() {
    let origin = Origin::start();
    let authority = Authority::root("Clients");
    let snapshot = Snapshot::new(&origin.url()).require(&authority);
    let running = Running::start(&snapshot);
    let device = authority.client("device");
    for server_name in [None, Some("unknown.test")] {
        let connect = Connect {
            server_name,
            identity: Some(&device),
            ..Connect::default()
        };
        let mut client = running.connect(&connect).unwrap();
        assert_eq!(
            client.get("api.example.com", "/temps").status,
            200,
            "{server_name:?}"
        );
        assert_eq!(client.get("unknown.test", "/temps").status, 404);
    }
}
