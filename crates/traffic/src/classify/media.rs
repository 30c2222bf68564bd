//! Media types and file name extensions, sorted into few kinds.
//!
//! The kinds are numbered so that neighbours are alike, from what only pages load to what only programs read: one border of a tree then
//! parts them well.

/// What is sent, by media type or by extension.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Kind {
    Image = 1,
    Font = 2,
    Media = 3,
    Style = 4,
    Script = 5,
    Page = 6,
    Document = 7,
    Bytes = 8,
    Text = 9,
    Xml = 10,
    Other = 11,
    Json = 12,
    NamedJson = 13,
    Stream = 14,
    Multipart = 15,
    Form = 16,
}

impl Kind {
    /// As the features `request_type` and `response_type` number it.
    pub(super) fn value(self) -> f32 {
        match self {
            Self::Multipart => 8.5,
            Self::Form => 9.5,
            kind => f32::from(kind as u8),
        }
    }
}

/// The longest part of a media type that is looked at, in bytes.
const MAX_BYTES: usize = 64;

/// The kind of a media type; parameters are ignored.
pub(super) fn kind(media_type: &str) -> Kind {
    // Some servers repeat the name of the header in its value.
    let text = media_type.trim_start();
    let text = match text.get(..13) {
        Some(start) if start.eq_ignore_ascii_case("content-type:") => text[13..].trim_start(),
        _ => text,
    };
    let mut buffer = [0; MAX_BYTES];
    let whole = lower(text.as_bytes(), &mut buffer);
    let end = whole
        .iter()
        .position(|byte| matches!(byte, b';' | b',' | b' '));
    let essence = &whole[..end.unwrap_or(whole.len())];
    let split = essence.iter().position(|byte| *byte == b'/');
    let Some((main, sub)) = split.map(|at| (&essence[..at], &essence[at + 1..])) else {
        return if essence == b"image" {
            Kind::Image
        } else {
            Kind::Other
        };
    };
    match main {
        b"image" => Kind::Image,
        b"font" => Kind::Font,
        b"audio" | b"video" => Kind::Media,
        b"multipart" => Kind::Multipart,
        b"text" => text_kind(sub),
        _ => application_kind(sub),
    }
}

fn text_kind(sub: &[u8]) -> Kind {
    match sub {
        b"html" | b"ng-template" | b"vnd.wap.wml" => Kind::Page,
        b"css" => Kind::Style,
        b"javascript" | b"x-javascript" | b"ecmascript" | b"jscript" | b"x-js" => Kind::Script,
        b"xml" | b"rss+xml" | b"x-cross-domain-policy" => Kind::Xml,
        b"json" | b"x-json" => Kind::Json,
        b"event-stream" => Kind::Stream,
        b"vtt" => Kind::Media,
        b"csv" | b"calendar" | b"vcard" | b"x-vcard" | b"rtf" => Kind::Document,
        _ => Kind::Text,
    }
}

fn application_kind(sub: &[u8]) -> Kind {
    match sub {
        b"json" | b"x-json" | b"json+protobuf" | b"x-ndjson" | b"ndjson" | b"jsonl"
        | b"jsonlines" | b"ld+json" | b"geo+json" | b"json5" => Kind::Json,
        b"javascript" | b"x-javascript" | b"ecmascript" | b"wasm" => Kind::Script,
        b"xhtml+xml" | b"x-httpd-php" | b"x-httpd-cgi" => Kind::Page,
        b"x-www-form-urlencoded" => Kind::Form,
        b"octet-stream" | b"binary" | b"x-binary" | b"unknown" => Kind::Bytes,
        b"grpc"
        | b"grpc-web"
        | b"grpc-web-text"
        | b"grpc+proto"
        | b"grpc-web+proto"
        | b"protobuf"
        | b"x-protobuf"
        | b"x-protobuffer"
        | b"msgpack"
        | b"x-msgpack"
        | b"cbor"
        | b"vnd.google.protobuf"
        | b"connect+json"
        | b"connect+proto"
        | b"proto"
        | b"vnd.amazon.eventstream" => Kind::Stream,
        b"x-shockwave-flash" | b"vnd.apple.mpegurl" | b"x-mpegurl" | b"dash+xml" | b"ogg" => {
            Kind::Media
        }
        b"vnd.ms-fontobject" | b"x-font-ttf" | b"x-font-otf" | b"x-font-woff" | b"font-woff"
        | b"font-woff2" | b"font-sfnt" => Kind::Font,
        b"pdf" | b"zip" | b"gzip" | b"x-gzip" | b"x-tar" | b"x-bzip2" | b"msword" | b"rtf"
        | b"x-7z-compressed" | b"java-archive" | b"x-msdownload" | b"ocsp-response"
        | b"pkix-crl" | b"x-x509-ca-cert" | b"manifest+json" => Kind::Document,
        b"xml" => Kind::Xml,
        _ if sub.starts_with(b"x-font") => Kind::Font,
        _ if sub.starts_with(b"vnd.openxml") || sub.starts_with(b"vnd.ms-") => Kind::Document,
        _ if sub.ends_with(b"+json") || sub.ends_with(b"-json") => Kind::NamedJson,
        _ if sub.ends_with(b"+xml") => Kind::Xml,
        _ => Kind::Other,
    }
}

/// What `Accept` asks for, as the feature `accept` numbers it.
pub(super) fn accepted(value: &str) -> u8 {
    let mut buffer = [0; MAX_BYTES];
    let text = lower(value.trim_start().as_bytes(), &mut buffer);
    let has = |needle: &[u8]| text.windows(needle.len()).any(|window| window == needle);
    let several = text.contains(&b',');
    if has(b"event-stream") || has(b"grpc") || has(b"protobuf") || has(b"msgpack") {
        11
    } else if has(b"json") {
        if several { 9 } else { 10 }
    } else if text.starts_with(b"image/") {
        1
    } else if text.starts_with(b"text/css") {
        2
    } else if text.starts_with(b"text/html") || text.starts_with(b"application/xhtml") {
        3
    } else if text.starts_with(b"font/")
        || text.starts_with(b"audio/")
        || text.starts_with(b"video/")
        || has(b"font")
    {
        4
    } else if has(b"javascript") || has(b"ecmascript") {
        5
    } else if text.starts_with(b"*/*") {
        6
    } else if has(b"xml") {
        8
    } else {
        7
    }
}

/// The kind of a file name extension, as the feature `extension` numbers it from 1; the extension comes without dot.
pub(super) fn extension(extension: &[u8]) -> u8 {
    let mut buffer = [0; 8];
    match lower(extension, &mut buffer) {
        b"png" | b"jpg" | b"jpeg" | b"gif" | b"svg" | b"svgz" | b"webp" | b"ico" | b"avif"
        | b"bmp" | b"tif" | b"tiff" | b"cur" | b"apng" | b"jfif" | b"heic" => 1,
        b"woff" | b"woff2" | b"ttf" | b"otf" | b"eot" => 2,
        b"mp3" | b"mp4" | b"m4a" | b"m4s" | b"m4v" | b"webm" | b"ogg" | b"ogv" | b"wav"
        | b"mov" | b"avi" | b"flv" | b"swf" | b"m3u8" | b"mpd" | b"vtt" | b"mpg" | b"mpeg" => 3,
        b"css" | b"scss" | b"less" => 4,
        b"js" | b"mjs" | b"cjs" | b"jsx" | b"tsx" | b"map" | b"wasm" | b"vue" | b"axd" => 5,
        b"html" | b"htm" | b"shtml" | b"xhtml" | b"php" | b"php3" | b"php5" | b"phtml" | b"asp"
        | b"aspx" | b"jsp" | b"jspx" | b"jsf" | b"cgi" | b"pl" | b"cfm" | b"do" | b"action"
        | b"dll" | b"tpl" => 6,
        b"pdf" | b"zip" | b"gz" | b"tgz" | b"tar" | b"bz" | b"bz2" | b"xz" | b"zst" | b"rar"
        | b"exe" | b"msi" | b"dmg" | b"deb" | b"rpm" | b"iso" | b"jar" | b"war" | b"apk"
        | b"doc" | b"docx" | b"xls" | b"xlsx" | b"ppt" | b"pptx" | b"odt" | b"csv" | b"txt"
        | b"md" | b"log" | b"bak" | b"old" | b"sql" | b"ini" | b"conf" | b"tmp" | b"crt"
        | b"pem" | b"key" | b"crl" | b"ics" | b"webmanifest" | b"sh" | b"py" | b"rb" | b"swp" => 7,
        b"xml" | b"rss" | b"atom" | b"rdf" | b"xsl" | b"wsdl" | b"xsd" => 9,
        b"json" | b"jsonl" | b"ndjson" | b"yaml" | b"yml" | b"geojson" | b"topojson" => 10,
        _ => 8,
    }
}

/// The text in lower case, cut to the room there is.
pub(super) fn lower<'b>(text: &[u8], buffer: &'b mut [u8]) -> &'b [u8] {
    let length = text.len().min(buffer.len());
    let copy = &mut buffer[..length];
    copy.copy_from_slice(&text[..length]);
    copy.make_ascii_lowercase();
    copy
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn media_types_have_their_kind() {
        let cases = [
            ("application/json", Kind::Json),
            ("Application/JSON; charset=utf-8", Kind::Json),
            ("Content-Type: application/json", Kind::Json),
            ("application/vnd.github.v3+json", Kind::NamedJson),
            ("application/problem+json", Kind::NamedJson),
            ("application/manifest+json", Kind::Document),
            ("text/html;charset=utf-8", Kind::Page),
            ("application/xhtml+xml", Kind::Page),
            ("application/soap+xml", Kind::Xml),
            ("image/svg+xml", Kind::Image),
            ("application/x-font-woff", Kind::Font),
            ("text/javascript, text/plain", Kind::Script),
            ("application/grpc-web+proto", Kind::Stream),
            ("multipart/form-data; boundary=x", Kind::Multipart),
            ("application/x-www-form-urlencoded", Kind::Form),
            ("image", Kind::Image),
            ("json", Kind::Other),
            ("", Kind::Other),
            ("é/ü", Kind::Other),
        ];
        for (media_type, expected) in cases {
            assert_eq!(kind(media_type), expected, "{media_type}");
        }
    }

    #[test]
    fn accept_tells_what_is_asked_for() {
        let cases = [
            ("image/webp,*/*;q=0.8", 1),
            ("text/css,*/*;q=0.1", 2),
            ("text/html,application/xhtml+xml,application/xml;q=0.9", 3),
            ("application/font-woff2;q=1.0,*/*", 4),
            ("text/javascript, application/javascript, */*", 5),
            ("*/*", 6),
            ("application/octet-stream", 7),
            ("application/xml", 8),
            ("application/json, text/plain, */*", 9),
            ("application/vnd.github.v3+json", 10),
            ("text/event-stream", 11),
            ("", 7),
        ];
        for (value, expected) in cases {
            assert_eq!(accepted(value), expected, "{value}");
        }
    }

    #[test]
    fn extensions_have_their_kind() {
        for (name, expected) in [
            ("PNG", 1),
            ("woff2", 2),
            ("css", 4),
            ("js", 5),
            ("php", 6),
            ("com", 8),
            ("json", 10),
            ("muchtoolongforone", 8),
        ] {
            assert_eq!(extension(name.as_bytes()), expected, "{name}");
        }
    }
}
