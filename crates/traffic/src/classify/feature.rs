//! The table of features: what each number of the vector means, in the order of the vector.

/// What a number of the feature vector says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Feature {
    /// Short and stable; the feature tables of the training have columns of these names.
    pub name: &'static str,
    /// Which part of the exchange it comes from. Training leaves out whole groups at random, so that a record that knows
    /// little is scored on what it knows.
    pub group: Group,
    /// What the values mean. NaN always means that the record does not tell.
    pub meaning: &'static str,
}

/// A part of the exchange that a recorder keeps or does not keep as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Group {
    /// The request method.
    Method,
    /// How the path is built, whatever its words are.
    PathShape,
    /// Words of the path, by the lists in `words.rs`.
    PathWords,
    /// Words of the host name, by the lists in `words.rs`.
    HostWords,
    /// The query of the URL.
    Query,
    /// What the request carries.
    RequestContent,
    /// What the client asks for.
    Accept,
    /// What a browser says about why it asks: `Sec-Fetch-*`, `X-Requested-With`, `Upgrade-Insecure-Requests`.
    Fetch,
    /// `Origin`.
    Origin,
    /// `Referer`.
    Referer,
    /// Whether credentials are sent; never which.
    Credentials,
    /// Cookies of request and response; only how many.
    Cookies,
    /// Conditional and partial requests.
    Conditional,
    /// The kind of client.
    UserAgent,
    /// The status of the response.
    Status,
    /// The size of the response.
    Size,
    /// What the response carries.
    ResponseContent,
    /// How long and by whom the response may be kept.
    Caching,
    /// Headers by which servers speak to programs, or to browsers that show pages.
    ServiceHeaders,
}

impl Group {
    /// The name in feature tables and reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Method => "method",
            Self::PathShape => "path-shape",
            Self::PathWords => "path-words",
            Self::HostWords => "host-words",
            Self::Query => "query",
            Self::RequestContent => "request-content",
            Self::Accept => "accept",
            Self::Fetch => "fetch",
            Self::Origin => "origin",
            Self::Referer => "referer",
            Self::Credentials => "credentials",
            Self::Cookies => "cookies",
            Self::Conditional => "conditional",
            Self::UserAgent => "user-agent",
            Self::Status => "status",
            Self::Size => "size",
            Self::ResponseContent => "response-content",
            Self::Caching => "caching",
            Self::ServiceHeaders => "service-headers",
        }
    }
}

macro_rules! features {
    ($($id:ident $name:literal $group:ident $meaning:literal;)*) => {
        /// A place in the feature vector.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(super) enum At { $($id),* }

        /// All features, in the order of the vector.
        pub const FEATURES: &[Feature] = &[$(Feature { name: $name, group: Group::$group, meaning: $meaning }),*];
    };
}

features! {
    Method "method" Method "0 GET, 1 HEAD, 2 OPTIONS, 3 POST, 4 PUT, 5 PATCH, 6 DELETE, 7 any other";

    PathDepth "path_depth" PathShape "number of segments that are not empty";
    PathLength "path_length" PathShape "bytes of the path";
    PathEndsInSlash "path_ends_in_slash" PathShape "1 if the path ends in a slash and is more than that";
    PathVersion "path_version" PathShape "place from 1 of the first segment that is a version (`v1`, `v2beta1`, `2.0`, `2015-01-09`); 0 none";
    PathNumbers "path_numbers" PathShape "number of segments of digits only";
    PathTokens "path_tokens" PathShape "number of segments that look like an identifier: UUID, long hexadecimal, letters mixed with digits";
    PathWordSegments "path_word_segments" PathShape "number of segments of lower-case letters only";
    PathPlurals "path_plurals" PathShape "number of segments that are lower-case words ending in `s`";
    PathCamel "path_camel" PathShape "number of segments joined `likeThis`";
    PathUnderscore "path_underscore" PathShape "number of segments with an underscore inside";
    PathDashes "path_dashes" PathShape "most dashes in one segment: headlines of articles have many";
    PathLongest "path_longest" PathShape "bytes of the longest segment";
    PathDigits "path_digits" PathShape "share of digits among the bytes of the path, 0 to 1";
    PathVerb "path_verb" PathShape "1 if the last segment has a verb behind a colon (`instances:list`)";
    PathEscapes "path_escapes" PathShape "number of percent-encoded bytes";
    PathOdd "path_odd" PathShape "number of bytes that a path of a person's making seldom has: quotes, brackets, `;`, `|`, `\\`, `..`";
    PathDots "path_dots" PathShape "number of segments before the last with a dot inside";
    LastKind "last_kind" PathShape "last segment: 0 the path is `/`, 1 other, 2 word, 3 number, 4 looks like an identifier";
    Extension "extension" PathShape "of the last segment: 0 none, 1 image, 2 font, 3 audio or video, 4 style sheet, 5 script, 6 page (`html`, `php`, `aspx`), 7 document or archive, 8 any other, 9 XML or feed, 10 JSON or YAML";
    NameHash "name_hash" PathShape "1 if a file name holds a digest (`main.3f2a91c4.js`)";

    WordsApi "words_api" PathWords "number of words that name an interface: `api`, `rest`, `graphql`, `rpc`";
    WordsStatic "words_static" PathWords "number of words of places for files: `static`, `images`, `dist`, `fonts`";
    WordsPage "words_page" PathWords "number of words of sites for readers: `blog`, `news`, `article`, `wiki`";
    WordsResource "words_resource" PathWords "number of nouns that services manage: `users`, `orders`, `instances`";
    WordsAction "words_action" PathWords "number of verbs of services: `list`, `create`, `search`";
    WordsBeacon "words_beacon" PathWords "number of words of advertising and measuring: `pixel`, `collect`, `ads`";
    WordsAuth "words_auth" PathWords "number of words of signing in: `login`, `oauth`, `token`";
    FirstWord "first_word" PathWords "kind of the first known word: 0 none, 1 static, 2 page, 3 beacon, 4 auth, 5 action, 6 resource, 7 api";

    HostApi "host_api" HostWords "number of words of the host name that name an interface";
    HostStatic "host_static" HostWords "number of words of the host name for places of files: `cdn`, `static`, `img`";
    HostBeacon "host_beacon" HostWords "number of words of the host name of advertising and measuring";

    QueryParameters "query_parameters" Query "number of parameters; 0 if there is no query";
    QueryLength "query_length" Query "bytes of the query";
    QueryPaging "query_paging" Query "number of parameters for pages, order and choice: `limit`, `offset`, `sort`, `filter`, `fields`";
    QueryFresh "query_fresh" Query "number of parameters against stale copies: `v`, `ver`, `_`, `ts`";
    QueryCallback "query_callback" Query "1 if a parameter names a function to call (JSONP)";
    QueryTracking "query_tracking" Query "number of parameters of advertising and measuring: `utm_source`, `gclid`, `cid`";
    QueryFormat "query_format" Query "answer asked for by parameter: 0 none, 1 other, 2 JSON or XML";
    QueryKey "query_key" Query "number of parameters that carry a credential; only that they are there";
    QueryOperation "query_operation" Query "1 if a parameter names what to do: `action`, `method`, `operation`";
    QueryStructured "query_structured" Query "1 if there are brackets or braces, plain or percent-encoded";
    QueryBare "query_bare" Query "1 if the query has no `=`";

    RequestType "request_type" RequestContent "content type: 0 none, else as `response_type`, and 8.5 multipart, 9.5 URL-encoded form";
    RequestSize "request_size" RequestContent "log2 of 1 + bytes of the body by `Content-Length`, else as recorded; 0 if there is none";
    RequestBody "request_body" RequestContent "first byte of the body: 0 no body, 1 other, 2 `<`, 3 `{` or `[`";

    Accept "accept" Accept "0 not sent, 1 image, 2 style sheet, 3 page, 4 font, audio or video, 5 script, 6 anything, 7 other, 8 XML, 9 JSON beside others, 10 JSON, 11 event stream or binary protocol";
    AcceptRanges "accept_types" Accept "number of media types named";

    FetchDestination "fetch_destination" Fetch "`Sec-Fetch-Dest`: 0 not sent, 1 image, 2 font, audio or video, 3 style sheet, 4 script, 5 document, 6 other, 7 empty";
    FetchMode "fetch_mode" Fetch "`Sec-Fetch-Mode`: 0 not sent, 1 navigate, 2 no-cors, 3 other, 4 same-origin, 5 cors";
    FetchSite "fetch_site" Fetch "`Sec-Fetch-Site`: 0 not sent, 1 none, 2 cross-site, 3 same-site, 4 same-origin";
    RequestedWith "requested_with" Fetch "`X-Requested-With`: 0 not sent, 1 other, 2 `XMLHttpRequest`";
    Upgrade "upgrade" Fetch "1 if `Upgrade-Insecure-Requests` or `Sec-Fetch-User` was sent: a page is loaded";
    Urgency "urgency" Fetch "`Priority`: -1 not sent, else the urgency from 0 to 7";

    Origin "origin" Origin "0 not sent, 1 `null`, 2 another host, 3 the same host";

    Referer "referer" Referer "0 not sent, 1 another host, 2 the same host";
    RefererAsset "referer_asset" Referer "1 if the referring page is a style sheet or script";

    Authorization "authorization" Credentials "1 if `Authorization` was sent";
    KeyHeader "key_header" Credentials "number of other headers that carry a key, token or signature";
    CsrfHeader "csrf_header" Credentials "1 if a header against forged requests was sent";
    CustomHeaders "custom_headers" Credentials "number of request headers that begin with `x-` and are not added by proxies or named elsewhere here";

    CookiesSent "cookies_sent" Cookies "number of cookies in the request";
    CookiesSet "cookies_set" Cookies "number of cookies the response sets";

    Conditional "conditional" Conditional "0 none, 1 `If-Modified-Since`, 2 `If-None-Match`, 3 `If-Match` or `If-Unmodified-Since`";
    Range "range" Conditional "1 if part of the content was asked for";

    UserAgent "user_agent" UserAgent "0 not sent, 1 browser, 2 crawler, feed reader or scanner, 3 library, tool or application";

    Status "status" Status "the status code; 0 if there was no response";

    ResponseSize "response_size" Size "log2 of 1 + bytes of the body";

    ResponseType "response_type" ResponseContent "content type: 0 none, 1 image, 2 font, 3 audio or video, 4 style sheet, 5 script, 6 page, 7 document or archive, 8 unknown bytes, 9 plain text, 10 XML or feed, 11 other, 12 JSON, 13 JSON of a named kind, 14 event stream or binary protocol";
    ResponseCharset "response_charset" ResponseContent "1 if the content type has a charset";
    Disposition "disposition" ResponseContent "`Content-Disposition`: 0 none, 1 inline, 2 attachment";

    CacheStore "cache_store" Caching "`Cache-Control`: 0 not sent, 1 public or other, 2 private or must-revalidate, 3 no-cache, 4 no-store";
    CacheAge "cache_age" Caching "log2 of 1 + `max-age` in seconds; -1 if there is none";
    Etag "etag" Caching "0 none, 1 weak, 2 strong";
    LastModified "last_modified" Caching "1 if sent";
    Expires "expires" Caching "0 not sent, 1 a date, 2 no date (`0`, `-1`)";
    Age "age" Caching "1 if the answer came out of a shared cache (`Age`)";
    AcceptRangesSent "accept_ranges" Caching "1 if the response offers parts (`Accept-Ranges: bytes`)";
    VaryAccept "vary_accept" Caching "1 if the answer varies by `Accept`, `Authorization` or the like; 2 by `Origin`";

    RateLimit "rate_limit" ServiceHeaders "number of headers that tell a rate limit or when to retry";
    RequestId "request_id" ServiceHeaders "1 if the response names the request (`X-Request-Id`, trace ids)";
    Timing "timing" ServiceHeaders "1 if the response tells how long it took (`Server-Timing`, `X-Runtime`)";
    ApiHeader "api_header" ServiceHeaders "number of headers with `api`, `scope` or `version` in the name";
    Paging "paging" ServiceHeaders "1 if the response links to more (`Link` with `next`, totals)";
    CorsOrigin "cors_origin" ServiceHeaders "`Access-Control-Allow-Origin`: 0 none, 1 any, 2 one";
    CorsOthers "cors_others" ServiceHeaders "number of other `Access-Control-*` headers";
    Policy "policy" ServiceHeaders "`Content-Security-Policy`: 0 none, 1 allows nothing (`default-src 'none'`), 2 for a page";
    Frame "frame" ServiceHeaders "1 if the response says who may frame it";
    NoSniff "no_sniff" ServiceHeaders "1 if `X-Content-Type-Options` was sent";
    Language "language" ServiceHeaders "1 if `Content-Language` was sent";
    Location "location" ServiceHeaders "1 if `Location` was sent";
    Authenticate "authenticate" ServiceHeaders "1 if `WWW-Authenticate` was sent";
    Allow "allow" ServiceHeaders "1 if `Allow` was sent";
}

/// The length of the vector.
pub(super) const COUNT: usize = FEATURES.len();

/// A feature vector under construction. What is not set is NaN: the record does not tell.
pub(super) struct Vector(pub(super) [f32; COUNT]);

impl Vector {
    pub(super) const fn new() -> Self {
        Self([f32::NAN; COUNT])
    }

    pub(super) fn set(&mut self, at: At, value: impl Into<f32>) {
        self.0[at as usize] = value.into();
    }

    pub(super) fn get(&self, at: At) -> f32 {
        self.0[at as usize]
    }

    /// Sets a count or a size. Beyond 2^24 an f32 loses units, which no border of the model can tell.
    #[expect(clippy::cast_precision_loss, reason = "see above")]
    pub(super) fn count(&mut self, at: At, value: usize) {
        self.0[at as usize] = value as f32;
    }

    /// Adds to a count that was set before.
    #[expect(clippy::cast_precision_loss, reason = "as with `count`")]
    pub(super) fn add(&mut self, at: At, value: usize) {
        self.0[at as usize] += value as f32;
    }

    /// Sets a class if it is higher than the one set before.
    pub(super) fn raise(&mut self, at: At, class: u8) {
        let place = &mut self.0[at as usize];
        *place = place.max(f32::from(class));
    }

    /// Sets features to 0: there is none, unless something says otherwise.
    pub(super) fn zero(&mut self, features: &[At]) {
        for at in features {
            self.0[*at as usize] = 0.0;
        }
    }

    /// Sets features back to NaN: the record does not tell.
    pub(super) fn forget(&mut self, features: &[At]) {
        for at in features {
            self.0[*at as usize] = f32::NAN;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_feature_has_a_name_of_its_own_and_says_what_it_means() {
        let names: HashSet<_> = FEATURES.iter().map(|feature| feature.name).collect();
        assert_eq!(names.len(), FEATURES.len());
        for feature in FEATURES {
            assert!(feature.meaning.len() > 8, "{}", feature.name);
            assert!(
                feature
                    .name
                    .bytes()
                    .all(|byte| byte == b'_' || byte.is_ascii_lowercase()),
                "{}",
                feature.name
            );
        }
    }
}
