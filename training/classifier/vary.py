"""
Variations of a transaction that leave its label as it is.

The recordings are one-sided: API client libraries never fetched a page, and no exchange is both in a full record and in an access log.
A model would learn the recorder. Each function here takes a record and gives the same exchange as another client, recorder or
installation would have made it.
"""

import random
import re
from urllib.parse import urlsplit, urlunsplit

from training.classifier.corpus import Record, Row

_BROWSERS = (
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:128.0) Gecko/20100101 Firefox/128.0",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Safari/604.1",
)
_CRAWLER = "Mozilla/5.0 (compatible; examplebot/2.1; +http://www.example.com/bot.html)"
_LIBRARIES = ("curl/8.5.0", "python-requests/2.32.3", "Go-http-client/1.1", "okhttp/4.12.0", "axios/1.7.2", "Wget/1.21.4")
# What surely belongs to a page, whoever fetches it.
_SCRIPTS = ("text/javascript", "application/javascript", "application/x-javascript")
_LOADED = (*_SCRIPTS, "text/html", "text/css", "image/", "font/", "audio/", "video/", "application/font")
_LOGGED = {"user-agent", "referer"}
# Where an application may be mounted, and how its host may be called.
_PREFIXES = ("", "", "", "/app", "/tools/x", "/ui", "/portal", "/internal/console")
_HOSTS = ("example.com", "www.example.org", "intranet.example.net", "dash.example.com", "app.example.io", "tools.corp.example")


def as_log_line(record: Record, choose: random.Random, *, content_type: bool = False) -> Record:
    """
    What an access log has of the exchange: request line, status, size, user agent and referrer.

    Args:
        record: The exchange.
        choose: Chance; the user agent is another one every third time.
        content_type: Whether the log has the content type of the response too.
    """
    headers = [[name, value] for name, value in record["request_headers"] if name.lower() in _LOGGED]
    chance = choose.random()
    if chance < 0.35:
        headers = [[name, value] for name, value in headers if name.lower() != "user-agent"]
        headers.append(["User-Agent", choose.choice((*_BROWSERS, *_BROWSERS, _CRAWLER, *_LIBRARIES))])
        if choose.random() < 0.5:
            headers = [[name, value] for name, value in headers if name.lower() != "referer"]
            if choose.random() < 0.5:
                headers.append(["Referer", f"https://{record['host']}/"])
    elif chance < 0.45:
        headers = []
    return {
        **_without_bodies(record),
        "request_headers": headers,
        "response_headers": [],
        "response_content_type": record["response_content_type"] if content_type else None,
    }


def as_library(record: Record, choose: random.Random) -> Record:
    """The exchange as a command-line tool or library makes it: hardly a header."""
    headers = [["User-Agent", choose.choice(_LIBRARIES)], ["Accept", "*/*"]]
    if choose.random() < 0.6:
        headers += [["Accept-Encoding", "gzip, deflate"], ["Connection", "keep-alive"]]
    headers += [[name, value] for name, value in record["request_headers"] if name.lower() in {"content-type", "content-length"}]
    if choose.random() < 0.3:
        headers.append(["Authorization", "h:0"])
    if choose.random() < 0.15:
        headers = [header for header in headers if header[0] != "User-Agent"]
    return {**record, "request_headers": headers}


def as_script_in_page(record: Record, choose: random.Random) -> Record:
    """The exchange of a client library as a script in a page makes it."""
    kept = {"content-type", "content-length", "if-none-match"} | ({"authorization"} if choose.random() < 0.4 else set())
    headers = [[name, value] for name, value in record["request_headers"] if name.lower() in kept]
    same = choose.random() < 0.7
    host = record["host"] if same else "app.example.com"
    headers += [
        ["User-Agent", choose.choice(_BROWSERS)],
        ["Accept", choose.choice(("*/*", "application/json", "application/json, text/plain, */*"))],
        ["Accept-Encoding", "gzip, deflate, br"],
        ["Accept-Language", "en-US,en;q=0.9"],
        ["Referer", f"https://{host}/"],
    ]
    if choose.random() < 0.7:
        site = "same-origin" if same else choose.choice(("same-site", "cross-site"))
        headers += [["Sec-Fetch-Dest", "empty"], ["Sec-Fetch-Mode", "cors"], ["Sec-Fetch-Site", site]]
    if not same or record["method"] != "GET":
        headers.append(["Origin", f"https://{host}"])
    if choose.random() < 0.5:
        headers.append(["Cookie", "; ".join(["a=h:0"] * choose.randint(1, 5))])
    if choose.random() < 0.2:
        headers.append(["X-Requested-With", "XMLHttpRequest"])
    return {**record, "request_headers": headers}


def as_form(record: Record, choose: random.Random) -> Record:
    """A page load as the sending of a form to the same place, answered by a page or by the way to one."""
    kept = {"user-agent", "accept-language", "accept-encoding", "cookie", "connection", "sec-ch-ua"}
    headers = [[name, value] for name, value in record["request_headers"] if name.lower() in kept]
    size = choose.randint(20, 600)
    origin = f"https://{record['host']}"
    headers += [
        ["Accept", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"],
        ["Content-Type", choose.choice((*["application/x-www-form-urlencoded"] * 2, "multipart/form-data; boundary=x"))],
        ["Content-Length", str(size)],
        ["Referer", record["url"]],
    ]
    if choose.random() < 0.7:
        headers += [["Origin", origin], ["Upgrade-Insecure-Requests", "1"]]
    if choose.random() < 0.5:
        headers += [["Sec-Fetch-Dest", "document"], ["Sec-Fetch-Mode", "navigate"], ["Sec-Fetch-Site", "same-origin"]]
    varied = {**_without_bodies(record), "method": "POST", "request_headers": headers}
    if choose.random() < 0.6:
        varied["status"] = choose.choice((302, 303, 302, 301))
        varied["response_body_size"] = choose.choice((0, 0, None, choose.randint(100, 400)))
        if choose.random() < 0.5:
            varied["response_content_type"] = None
            varied["response_headers"] = [[name, value] for name, value in record["response_headers"] if name.lower() != "content-type"]
        varied["response_headers"] = [*varied["response_headers"], ["Location", record["url"]]]
    return varied


def without_content(record: Record, choose: random.Random) -> Record:
    """The same request, answered by no content: nothing has changed, look elsewhere, or nothing to say."""
    status = choose.choice((304, 302, 307, 204) if record["method"] == "GET" else (204, 202, 302))
    body = {
        "content-type",
        "content-length",
        "content-encoding",
        "content-disposition",
        "transfer-encoding",
        "last-modified",
        "accept-ranges",
    }
    headers = [[name, value] for name, value in record["response_headers"] if name.lower() not in body]
    if status in {302, 307}:
        headers.append(["Location", record["url"]])
    return {
        **record,
        "status": status,
        "response_headers": headers,
        "response_content_type": None,
        "response_body_size": choose.choice((0, 0, None)),
    }


def with_wrong_type(record: Record, choose: random.Random) -> Record:
    """The answer of a server that never says what it sends: data under the content type of pages or text."""
    wrong = choose.choice(("text/html", "text/html; charset=utf-8", "text/plain", "text/html; charset=UTF-8"))
    headers = [[name, wrong if name.lower() == "content-type" else value] for name, value in record["response_headers"]]
    return {**record, "response_headers": headers, "response_content_type": wrong}


def elsewhere(record: Record, choose: random.Random) -> Record:
    """The exchange of an application that is installed under another host and base path."""
    parts = urlsplit(record["url"])
    prefix = choose.choice(_PREFIXES)
    host = choose.choice(_HOSTS)
    old = re.escape(record["host"])
    headers = []
    for name, value in record["request_headers"]:
        if name.lower() in {"referer", "origin"}:
            headers.append([name, re.sub(rf"https?://{old}", f"https://{host}", value)])
        elif name.lower() != "host":
            headers.append([name, value])
    return {**record, "host": host, "url": urlunsplit(("https", host, prefix + parts.path, parts.query, "")), "request_headers": headers}


def variants(row: Row, choose: random.Random) -> list[tuple[str, Record]]:
    """The variations of a row to train on, each with its name; the record as it is comes first."""
    record = row.record
    varied = [("as-is", record)]
    if row.part == "log":
        return varied
    if row.source == "recorded":
        record = elsewhere(record, choose)
        varied.append(("elsewhere", record))
    if not row.weak and choose.random() < 0.12:
        varied.append(("without-content", without_content(record, choose)))
    if row.label == 1 and choose.random() < 0.06:
        varied.append(("wrong-type", with_wrong_type(record, choose)))
    # Of the large parts not every row is needed in each form.
    if choose.random() < (0.5 if row.part == "client" or row.weak else 1):
        varied.append(("log-line", as_log_line(record, choose, content_type=choose.random() < 0.35)))
    if row.part == "client":
        if choose.random() < 0.5:
            varied.append(("script-in-page", as_script_in_page(record, choose)))
        return varied
    content_type = (record["response_content_type"] or "").lower()
    if row.label == 1 or content_type.startswith(_LOADED):
        if choose.random() < 0.5:
            varied.append(("library", as_library(record, choose)))
        if row.label == 0 and choose.random() < 0.03:
            method, size = choose.choice(("HEAD", "OPTIONS")), choose.choice((0, None, 200))
            varied.append(("log-line", {**as_log_line(record, choose), "method": method, "response_body_size": size}))
    if row.label == 0 and content_type.startswith("text/html"):
        form = as_form(record, choose)
        varied += [("form", form), ("log-line", as_log_line(form, choose, content_type=choose.random() < 0.3))]
    return varied


def _without_bodies(record: Record) -> Record:
    return {name: value for name, value in record.items() if not name.startswith("request_body") and name != "response_body"}
