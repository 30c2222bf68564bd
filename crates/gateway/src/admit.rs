//! May this request go on? Host, TLS policy, path, operation, rules, schema, body: in this order, and the first "no"
//! is the answer.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Instant;

use hauberk_openapi::{BodyPlan, Match, Operation, RequestHead, Violation, loosest_reading};
use pingora::http::RequestHeader;
use pingora::proxy::Session;
use smallvec::SmallVec;

use crate::events::EventSource;
use crate::exchange::{Client, Exchange, Route};
use crate::fields::RequestFields;
use crate::host::Host;
use crate::judge::{judge_body, log_all, mitigate, mitigate_violations};
use crate::limits;
use crate::method;
use crate::refusal::{Refusal, lookalike_violation, query_violation};
use crate::report::{Happened, report};
use crate::shared::Shared;
use crate::snapshot::{
    Enforced, Mitigation, Rule, RuleAction, SavedOperation, Settings, Suspicious,
};
use crate::stream;
use crate::target;
use crate::traffic::Sample;

/// Decides about a request, and leaves in the exchange what its forwarding needs.
///
/// # Errors
///
/// The refusal, if it is one.
pub(crate) async fn admit(
    shared: &Shared,
    session: &mut Session,
    exchange: &mut Exchange,
) -> Result<(), Refusal> {
    let Some(enforced) = exchange.enforced.clone() else {
        return Err(Refusal::new(
            503,
            "no_snapshot",
            "this gateway has nothing to enforce yet",
        )
        .closing());
    };
    limits::check_head(session, &enforced.settings)?;
    limits::drop_nominated(session)?;
    exchange.client = Client::of(session);
    let host = route(session, exchange, &enforced)?;
    exchange.sample = Sample::draw(shared, session, exchange);
    check_policy(exchange, &enforced, &host)?;
    if !host.is_guarded() {
        return Ok(());
    }
    match judge_head(shared, session, exchange, &enforced, &host)? {
        Next::Body(plan @ BodyPlan::Check(_)) => {
            judge_body(shared, session, exchange, &enforced, &plan).await
        }
        Next::Body(plan @ BodyPlan::Stream(_)) => {
            stream::begin(shared, session, exchange, &enforced, &plan).await
        }
        Next::Body(BodyPlan::None | BodyPlan::Pass) => Ok(()),
        Next::LogAll(violation) => log_all(shared, session, exchange, &enforced, *violation).await,
    }
}

/// What is left to do for a request whose head may pass.
enum Next {
    /// Its body is judged as planned.
    Body(BodyPlan),
    /// It departs from its schema, which is only logged.
    LogAll(Box<Violation>),
}

fn route(
    session: &Session,
    exchange: &mut Exchange,
    enforced: &Enforced,
) -> Result<Arc<Host>, Refusal> {
    let Some(name) = target::host(session.req_header()) else {
        return Err(Refusal::new(
            400,
            "no_host",
            "the request names no host, or what it names cannot be one",
        )
        .closing());
    };
    let Some(host) = enforced.hosts.find(&name) else {
        return Err(
            Refusal::new(404, "unknown_host", "this gateway does not serve the host").closing(),
        );
    };
    exchange.route = Some(Route {
        host: Arc::clone(host),
        host_name: name,
        operation: None,
    });
    Ok(Arc::clone(host))
}

/// A connection made for one host may carry requests for another of the same certificate, but not around its policy.
fn check_policy(exchange: &Exchange, enforced: &Enforced, host: &Host) -> Result<(), Refusal> {
    let Some(connection) = exchange.client.connection() else {
        return Ok(());
    };
    let shown = enforced
        .hosts
        .for_server_name(connection.server_name.as_deref());
    if shown.is_some_and(|shown| shown.policy.digest == host.policy.digest) {
        return Ok(());
    }
    Err(Refusal::by_shield(
        421,
        "misdirected",
        "the host takes other client certificates than the one this connection was made for",
    ))
}

/// The path as operations and rules see it.
fn matched_path<'p>(head: &RequestHeader, path: &'p [u8]) -> Result<Cow<'p, str>, &'static str> {
    // The one target that is no path, and means the server as a whole.
    if path == b"*" && head.method == http::Method::OPTIONS {
        return Ok("*".into());
    }
    target::matched_path(path)
}

/// Shows the head of a request once more to the operation it was found to be for.
pub(crate) fn with_head<T>(
    session: &Session,
    exchange: &Exchange,
    has_body: bool,
    read: impl FnOnce(&Operation, &RequestHead<'_>) -> T,
) -> Option<T> {
    let head = session.req_header();
    let route = exchange.route.as_ref()?;
    let (path, query) = target::split_query(target::path_and_query(head));
    let path = matched_path(head, path).ok()?;
    let found = find(&route.host, &route.host_name, &head.method, &path)?;
    let head = RequestHead {
        path_variables: &found.variables,
        query: query.map(std::str::from_utf8).transpose().ok()?,
        headers: &head.headers,
        has_body,
    };
    let validation = found.value.validation.as_ref()?;
    Some(read(&validation.operation, &head))
}

/// Rules, then what the schema can say before the body.
fn judge_head(
    shared: &Shared,
    session: &mut Session,
    exchange: &mut Exchange,
    enforced: &Enforced,
    host: &Host,
) -> Result<Next, Refusal> {
    let nothing = Next::Body(BodyPlan::None);
    let has_body = !session.is_body_empty();
    let head = session.req_header();
    check_method(head, &enforced.settings)?;
    let (path, query) = target::split_query(target::path_and_query(head));
    let path =
        matched_path(head, path).map_err(|why| Refusal::by_shield(400, "ambiguous_path", why))?;
    let route = exchange.route.as_mut().expect("the host was found before");
    let mut variables: SmallVec<[&str; 4]> = SmallVec::new();
    if let Some(found) = find(host, &route.host_name, &head.method, &path) {
        route.operation = Some(Arc::clone(found.value));
        variables = found.variables;
    }
    exchange.is_demanded = apply_rules(shared, session, exchange, enforced, host, &path)?;
    let route = exchange.route.as_ref().expect("the host was found before");
    let Some(operation) = &route.operation else {
        return check_lookalike(shared, session, exchange, enforced, host, &path).map(|()| nothing);
    };
    let Some(validation) = &operation.validation else {
        return Ok(nothing);
    };
    let action = validation.action;
    let query = match query.map(std::str::from_utf8) {
        None => None,
        Some(Ok(query)) => Some(query),
        Some(Err(_)) => {
            let found = vec![query_violation()];
            let refuse = |_| Refusal::ambiguous_query();
            mitigate(shared, session, exchange, action, found, refuse)?;
            return Ok(nothing);
        }
    };
    let begun = Instant::now();
    let judged = validation.operation.validate_head(
        &RequestHead {
            path_variables: &variables,
            query,
            headers: &session.req_header().headers,
            has_body,
        },
        &enforced.policy,
    );
    shared.metrics.validated(begun.elapsed());
    match judged {
        Ok(plan) => Ok(Next::Body(plan)),
        Err(violation) if action == Mitigation::Log => Ok(Next::LogAll(Box::new(violation))),
        Err(violation) => {
            mitigate_violations(shared, session, exchange, action, vec![violation])?;
            Ok(nothing)
        }
    }
}

/// The method decides here as well as the path, so it must be what the origin takes for it.
fn check_method(head: &RequestHeader, settings: &Settings) -> Result<(), Refusal> {
    if method::is_misspelt(&head.method) {
        return Err(Refusal::by_shield(
            400,
            "malformed_request",
            "the method is not written in upper case",
        ));
    }
    if settings.method_override_headers == Suspicious::Refuse
        && method::is_overridden(&head.method, &head.headers)
    {
        return Err(Refusal::by_shield(
            400,
            "method_override",
            "a header names another method than the request has",
        ));
    }
    Ok(())
}

/// The operation of a request. A HEAD is a GET without the answer's body (RFC 9110 section 9.3.2), and most origins run
/// the handler of GET for it, so it is judged as one unless the operation HEAD is saved.
fn find<'h, 'p>(
    host: &'h Host,
    host_name: &str,
    method: &http::Method,
    path: &'p str,
) -> Option<Match<'h, 'p, Arc<SavedOperation>>> {
    let operations = &host.operations;
    operations
        .find(host_name, method.as_str(), path)
        .or_else(|| {
            (*method == http::Method::HEAD).then(|| operations.find(host_name, "GET", path))?
        })
}

/// A path that is no operation's, but may be to an origin that reads paths more loosely, would be served unjudged.
fn check_lookalike(
    shared: &Shared,
    session: &Session,
    exchange: &Exchange,
    enforced: &Enforced,
    host: &Host,
    path: &str,
) -> Result<(), Refusal> {
    if enforced.settings.lookalike_paths == Suspicious::Pass {
        return Ok(());
    }
    let route = exchange.route.as_ref().expect("the host was found before");
    let Some(alike) = host.operations.lookalike(&route.host_name, path) else {
        return Ok(());
    };
    let found = vec![lookalike_violation(&alike.endpoint)];
    mitigate(
        shared,
        session,
        exchange,
        alike.action(),
        found,
        Refusal::by_schema,
    )
}

/// Asks the rules one after the other. True for a request that would have been refused without its client certificate.
fn apply_rules(
    shared: &Shared,
    session: &Session,
    exchange: &Exchange,
    enforced: &Enforced,
    host: &Host,
    path: &str,
) -> Result<bool, Refusal> {
    let rules = &host.zone.rules;
    if rules.is_empty() {
        return Ok(false);
    }
    let route = exchange.route.as_ref().expect("the host was found before");
    let standing = exchange.client.standing(host);
    let fields = RequestFields {
        host: &route.host_name,
        method: session.req_header().method.as_str(),
        path,
        fallthrough: route.operation.is_none(),
        standing: standing.as_ref(),
    };
    let wary = enforced.settings.lookalike_paths == Suspicious::Refuse
        && rules.iter().any(Rule::has_paths);
    let reading = wary.then(|| loosest_reading(path));
    for rule in rules {
        let matches = rule.expression.evaluate(&fields)
            || reading
                .as_deref()
                .is_some_and(|reading| matches_a_lookalike(rule, &fields, reading));
        if !matches {
            continue;
        }
        match rule.action {
            RuleAction::Skip => break,
            RuleAction::Log => {
                let happened = Happened {
                    rule_id: Some(rule.id.to_string()),
                    ..Happened::default()
                };
                report(
                    shared,
                    session,
                    exchange,
                    EventSource::FirewallCustom,
                    happened,
                );
            }
            RuleAction::Block => {
                let certificate = match &standing {
                    Some(standing) => standing.describe(),
                    None => "none".to_owned(),
                };
                let refusal = Refusal::by_rule(rule, certificate);
                return Err(if exchange.was_never_asked() {
                    refusal.on_another_connection()
                } else {
                    refusal
                });
            }
        }
    }
    let anonymous = RequestFields {
        standing: None,
        ..fields
    };
    Ok(standing.is_some() && would_refuse(rules, &anonymous))
}

/// Whether one of the rules would refuse the request.
fn would_refuse(rules: &[Rule], fields: &RequestFields<'_>) -> bool {
    let mut decisive = rules.iter().filter(|rule| rule.action != RuleAction::Log);
    let first = decisive.find(|rule| rule.expression.evaluate(fields));
    first.is_some_and(|rule| rule.action == RuleAction::Block)
}

/// Whether the rule would match if the path were spelt as the rule spells it. Nothing is skipped for such a path: what a
/// rule lets through, it lets through as written.
fn matches_a_lookalike(rule: &Rule, fields: &RequestFields<'_>, reading: &str) -> bool {
    rule.action != RuleAction::Skip
        && rule
            .paths_like(reading)
            .iter()
            .any(|path| rule.expression.evaluate(&RequestFields { path, ..*fields }))
}
