//! Which members of a line say what.

use std::collections::HashMap;
use std::fmt;

/// What a member can say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Field {
    Client,
    ForwardedFor,
    Host,
    HttpVersion,
    Method,
    Path,
    Query,
    Referer,
    Request,
    RequestContentType,
    RequestHeaders,
    ResponseBytes,
    ResponseContentType,
    ResponseHeaders,
    Scheme,
    Status,
    Time,
    Url,
    UserAgent,
}

pub(super) const FIELD_COUNT: usize = FIELDS.len();

/// Every field: its name for owners, and the members that say it in known logs, the best first. A dot leads into an object.
const FIELDS: [(Field, &str, &[&str]); 19] = [
    (
        Field::Client,
        "client",
        &[
            "ClientIP",
            "request.client_ip",
            "request.remote_ip",
            "ClientHost",
            "remote_addr",
            "remote_ip",
            "client_ip",
            "downstream_remote_address_without_port",
            "downstream_remote_address",
            "httpRequest.remoteIp",
            "client",
        ],
    ),
    (
        Field::ForwardedFor,
        "forwarded_for",
        &[
            "x_forwarded_for",
            "http_x_forwarded_for",
            "ClientRequestXForwardedFor",
        ],
    ),
    (
        Field::Host,
        "host",
        &[
            "ClientRequestHost",
            "request.host",
            "RequestHost",
            "authority",
            ":authority",
            "http_host",
            "host",
            "vhost",
            "server_name",
        ],
    ),
    (
        Field::HttpVersion,
        "http_version",
        &[
            "ClientRequestProtocol",
            "request.proto",
            "RequestProtocol",
            "server_protocol",
            "protocol",
            "http_version",
            "httpRequest.protocol",
        ],
    ),
    (
        Field::Method,
        "method",
        &[
            "ClientRequestMethod",
            "request.method",
            "RequestMethod",
            "request_method",
            "method",
            ":method",
            "httpRequest.requestMethod",
            "http_method",
            "verb",
        ],
    ),
    (
        Field::Path,
        "path",
        &[
            "ClientRequestURI",
            "request.uri",
            "request_uri",
            "RequestPath",
            "path",
            ":path",
            "uri",
            "ClientRequestPath",
            "request_path",
        ],
    ),
    (Field::Query, "query", &["query_string", "args", "query"]),
    (
        Field::Referer,
        "referer",
        &[
            "ClientRequestReferer",
            "http_referer",
            "http_referrer",
            "referer",
            "referrer",
            "httpRequest.referer",
        ],
    ),
    (Field::Request, "request", &["request", "request_line"]),
    (
        Field::RequestContentType,
        "request_content_type",
        &["content_type", "request_content_type"],
    ),
    (
        Field::RequestHeaders,
        "request_headers",
        &["RequestHeaders", "request.headers", "request_headers"],
    ),
    (
        Field::ResponseBytes,
        "response_bytes",
        &[
            "EdgeResponseBodyBytes",
            "EdgeResponseBytes",
            "size",
            "DownstreamContentSize",
            "body_bytes_sent",
            "bytes_sent",
            "bytes",
            "response_bytes",
            "httpRequest.responseSize",
        ],
    ),
    (
        Field::ResponseContentType,
        "response_content_type",
        &[
            "EdgeResponseContentType",
            "sent_http_content_type",
            "response_content_type",
            "upstream_http_content_type",
        ],
    ),
    (
        Field::ResponseHeaders,
        "response_headers",
        &["ResponseHeaders", "resp_headers", "response_headers"],
    ),
    (
        Field::Scheme,
        "scheme",
        &["ClientRequestScheme", "RequestScheme", "scheme", ":scheme"],
    ),
    (
        Field::Status,
        "status",
        &[
            "EdgeResponseStatus",
            "DownstreamStatus",
            "OriginResponseStatus",
            "OriginStatus",
            "response_code",
            "status",
            "status_code",
            "httpRequest.status",
        ],
    ),
    (
        Field::Time,
        "time",
        &[
            "EdgeStartTimestamp",
            "StartUTC",
            "start_time",
            "time_iso8601",
            "msec",
            "ts",
            "timestamp",
            "time",
            "time_local",
            "@timestamp",
            "StartLocal",
        ],
    ),
    (Field::Url, "url", &["httpRequest.requestUrl", "url"]),
    (
        Field::UserAgent,
        "user_agent",
        &[
            "ClientRequestUserAgent",
            "http_user_agent",
            "user_agent",
            "httpRequest.userAgent",
            "agent",
        ],
    ),
];

/// Which members of a line of a log say what.
///
/// The default knows what nginx, Caddy, Traefik and Envoy are usually told to write, and the fields of HTTP requests that CDNs push.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldMap {
    pub(super) root: Node,
}

/// What is known of a member: what it says itself, and its members.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Node {
    /// With its rank: of several members that say the same the lowest counts.
    pub(super) says: Option<(Field, usize)>,
    pub(super) members: HashMap<String, Node>,
}

/// The name of no field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnknownField;

impl fmt::Display for UnknownField {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = FIELDS.iter().map(|(_, name, _)| *name).collect();
        write!(formatter, "a field is one of {}", names.join(", "))
    }
}

impl std::error::Error for UnknownField {}

impl Default for FieldMap {
    fn default() -> Self {
        let mut map = Self {
            root: Node::default(),
        };
        for (field, _, members) in FIELDS {
            for (rank, member) in members.iter().enumerate() {
                map.insert(field, rank + 1, member);
            }
        }
        map
    }
}

impl FieldMap {
    /// Says which member says a field, before all that the map knew: `("method", "req.verb")`.
    ///
    /// # Errors
    ///
    /// If there is no field of this name.
    pub fn set(&mut self, field: &str, member: &str) -> Result<(), UnknownField> {
        let (field, ..) = FIELDS
            .iter()
            .find(|(_, name, _)| *name == field)
            .ok_or(UnknownField)?;
        self.insert(*field, 0, member);
        Ok(())
    }

    /// A member whose name has dots is found as well as one inside of others.
    fn insert(&mut self, field: Field, rank: usize, member: &str) {
        let mut node = &mut self.root;
        for name in member.split('.') {
            node = node.members.entry(name.to_owned()).or_default();
        }
        node.says = Some((field, rank));
        let flat = self.root.members.entry(member.to_owned()).or_default();
        flat.says = Some((field, rank));
    }
}
