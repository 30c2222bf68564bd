"""The origins, each served until its block ends."""

from __future__ import annotations

import os
import subprocess
import threading
import urllib.parse
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import flask
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from werkzeug.serving import WSGIRequestHandler, make_server

from conftest import eventually, free_port, missing, require_tool
from hauberk.serve.listening import bind

FOLDER = Path(__file__).parent
# Where Debian's packages of Node modules are; Node itself may be another one than Debian's.
NODE_MODULES = "/usr/share/nodejs"
METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]


def say(name: str) -> tuple[str, dict[str, str]]:
    """Text and headers of an answer: HEAD has the latter only."""
    return f"handler={name}", {"X-Handler": f"handler={name}"}


@contextmanager
def nginx(folder: Path, location: str) -> Iterator[int]:
    port = free_port()
    answer = "add_header X-Handler handler={0} always; return 200 handler={0};"
    (folder / "nginx.conf").write_text(
        f"""daemon off; worker_processes 1; pid {folder}/pid; error_log {folder}/error.log;
events {{ worker_connections 512; }}
http {{
  access_log off;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  server {{
    listen 127.0.0.1:{port};
    location {location} {{ {answer.format("admin")} }}
    location / {{ {answer.format("other")} }}
  }}
}}
"""
    )
    with subprocess.Popen([require_tool("nginx"), "-e", folder / "error.log", "-p", folder, "-c", folder / "nginx.conf"]) as process:
        try:
            eventually(lambda: _listens(port) or process.poll() is not None)
            yield port
        finally:
            process.terminate()


@contextmanager
def node(script: str, argument: str = "") -> Iterator[int]:
    environment = os.environ | {"NODE_PATH": NODE_MODULES}
    command = [require_tool("node"), str(FOLDER / script), argument]
    if (
        script == "express.js"
        and subprocess.run([command[0], "-e", "require('express')"], env=environment, check=False, stderr=-3).returncode
    ):
        missing("Express is not installed: .ci/packages.txt names the package that has it")
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        try:
            assert process.stdout is not None
            yield int(process.stdout.readline() or 0)
        finally:
            process.terminate()


def decoded_path(target: str) -> str:
    """The path of a target, percent-decoded once: what a careful server of its own looks at."""
    return urllib.parse.unquote(urllib.parse.urlsplit(target).path)


def careless_path(target: str) -> str:
    """The path as the least careful of all servers takes it: every leniency that some server has, in one."""
    path = target.split("#", maxsplit=1)[0].split("?", maxsplit=1)[0]
    for _ in range(3):
        path = urllib.parse.unquote(path)
    path = path.replace("\\", "/").split("\0", maxsplit=1)[0].split("?", maxsplit=1)[0]
    kept: list[str] = []
    for segment in path.split("/"):
        name = segment.split(";", maxsplit=1)[0].split("::$", maxsplit=1)[0].strip().casefold()
        if name == "..":
            kept = kept[:-1]
        elif name.rstrip(". "):
            kept.append(name.rstrip(". "))
    return "/" + "/".join(kept)


@contextmanager
def standard_library(path_of: Callable[[str], str]) -> Iterator[int]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            target = self.headers.get("X-Original-Url") or self.headers.get("X-Rewrite-Url") or self.path
            text, headers = say("admin" if path_of(target) == "/admin" else "other")
            self.rfile.read(int(self.headers.get("Content-Length", "0")))
            self.send_response(200)
            for name, value in {**headers, "Content-Length": str(len(text))}.items():
                self.send_header(name, value)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(text.encode())

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the library's
            pass

        def __getattr__(self, name: str) -> Callable[[], None]:
            if name.startswith("do_"):
                return self.answer
            raise AttributeError(name)

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


@contextmanager
def starlette() -> Iterator[int]:
    def handler(name: str) -> Callable[[Request], Response]:
        text, headers = say(name)
        return lambda _request: PlainTextResponse(text, headers=headers)

    routes = [Route("/admin", handler("admin"), methods=METHODS), Route("/{rest:path}", handler("other"), methods=METHODS)]
    bound = bind("127.0.0.1:0", "origin")
    server = uvicorn.Server(uvicorn.Config(Starlette(routes=routes), log_config=None, access_log=False, lifespan="off"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [bound]})
    thread.start()
    yield bound.getsockname()[1]
    server.should_exit = True
    thread.join()
    bound.close()


@contextmanager
def flask_app() -> Iterator[int]:
    app = flask.Flask("origin")

    class Quiet(WSGIRequestHandler):
        def log(self, type: str, message: str, *args: object) -> None:  # noqa: A002 - the name is the library's
            pass

    @app.route("/admin", methods=METHODS)
    def admin() -> tuple[str, dict[str, str]]:
        return say("admin")

    @app.route("/", defaults={"rest": ""}, methods=METHODS)
    @app.route("/<path:rest>", methods=METHODS)
    def other(rest: str) -> tuple[str, dict[str, str]]:
        return say("other")

    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=Quiet)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server.server_port
    server.shutdown()
    thread.join()
    server.server_close()


def _listens(port: int) -> bool:
    listening = f"0100007F:{port:04X} 00000000:0000 0A"
    return listening in Path("/proc/net/tcp").read_text()


ORIGINS: dict[str, Callable[[Path], AbstractContextManager[int]]] = {
    "nginx": lambda folder: nginx(folder, "= /admin"),
    "nginx-any-case": lambda folder: nginx(folder, "~* ^/admin/?$"),
    "node-url": lambda _: node("url.js", "whatwg"),
    "node-legacy-url": lambda _: node("url.js", "legacy"),
    "express": lambda _: node("express.js"),
    "http.server": lambda _: standard_library(decoded_path),
    "careless": lambda _: standard_library(careless_path),
    "starlette": lambda _: starlette(),
    "flask": lambda _: flask_app(),
}
