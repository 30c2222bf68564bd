"""Fixtures of real parts: a live control plane on a free port, official SDK clients, an example origin."""

from __future__ import annotations

import os
import shutil
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import cloudflare
import httpx
import pytest
import uvicorn
from fastapi import FastAPI
from sqlalchemy import make_url
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

import databases
from databases import missing
from hauberk.api.app import create_app
from hauberk.config import LimitSettings, Settings
from hauberk.pipeline import ControlPlane, compile_snapshot
from hauberk.serve.listening import bind
from hauberk.storage.database import Database

ZONE_NAME = "example.com"
HOST_NAME = "api.example.com"
PATIENCE_SECONDS = 20


def require_tool(name: str) -> str:
    """Find a program of the system; without it a user's test is skipped, and CI's fails."""
    path = shutil.which(name)
    if path is None:
        missing(f"{name} is not installed: .ci/packages.txt names the package that has it")
    return path


def this_minute() -> int:
    """Give when the current minute began, in seconds since 1970."""
    return int(time.time()) // 60 * 60


def eventually(condition: Callable[[], bool], seconds: float = PATIENCE_SECONDS) -> None:
    """Wait for something others bring about; how long it took is not judged here."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.02)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if metafunc.definition.get_closest_marker("both_databases") is not None and "database_kind" in metafunc.fixturenames:
        metafunc.parametrize("database_kind", databases.KINDS, indirect=True, scope="session")


def pytest_unconfigure() -> None:
    databases.end_server()


@pytest.fixture(scope="session")
def database_kind(request: pytest.FixtureRequest) -> str:
    """`sqlite` or `postgresql`."""
    return str(getattr(request, "param", databases.USUAL_KIND))


@pytest.fixture
def database_url(database_kind: str, tmp_path: Path) -> Iterator[str]:
    """The URL of a new database."""
    url = databases.new_database_url(database_kind, tmp_path)
    yield url
    if database_kind == "postgresql":
        databases.server().drop(str(make_url(url).database))


@pytest.fixture
def open_database(database_url: str) -> Iterator[Callable[[], Database]]:
    """Open the test's database, with each call once more, as another control plane would; all are closed at the end."""
    with ExitStack() as opened:
        yield lambda: opened.enter_context(closing(Database(database_url)))


@pytest.fixture(scope="session")
def recordings() -> Path:
    """The folder of recorded traffic, which is no part of the repository: in `HAUBERK_DATA`, or in `../shared/data` beside it."""
    beside = Path(__file__).parents[2] / "shared" / "data"
    folder = Path(os.environ.get("HAUBERK_DATA") or beside) / "traffic"
    if not (folder / "INDEX.json").exists():
        missing(f"no recorded traffic in {folder}; set HAUBERK_DATA")
    return folder


@dataclass
class LiveControlPlane:
    """A control plane that answers on a free port of the loopback address."""

    plane: ControlPlane
    app: FastAPI
    address: str
    token: str
    gateway_token: str
    zone_id: str
    account_id: str
    email: str = "admin@localhost"
    zone_name: str = ZONE_NAME
    host: str = HOST_NAME

    @property
    def base_url(self) -> str:
        return f"http://{self.address}"

    @property
    def api(self) -> str:
        return f"{self.base_url}/client/v4"

    @property
    def zone(self) -> str:
        return f"{self.api}/zones/{self.zone_id}"

    def client(self, token: str | None = None) -> httpx.Client:
        # Plain HTTP: `verify=False` only spares each client the reading of the system's authorities.
        return httpx.Client(base_url=self.base_url, headers={"Authorization": f"Bearer {token or self.token}"}, timeout=30, verify=False)


def settings_for(state_dir: Path, address: str, **tables: dict[str, Any]) -> Settings:
    control_plane = {"database_url": databases.url_of(state_dir), **tables.get("control_plane", {}), "listen": address}
    return Settings.model_validate(
        {
            **tables,
            "state_dir": state_dir,
            "control_plane": control_plane,
            "zones": [{"name": ZONE_NAME, "hosts": [{"name": HOST_NAME, "upstreams": ["http://127.0.0.1:9"]}]}],
        }
    )


@pytest.fixture(scope="session")
def first_states(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Give a state folder after its first start on a kind of database."""

    @cache
    def first(kind: str) -> Path:
        folder = tmp_path_factory.mktemp("first") / "state"
        if kind == "postgresql":
            databases.mark(folder, "template1")
        ControlPlane(settings_for(folder, "127.0.0.1:8080")).close()
        if kind == "postgresql":
            databases.mark(folder, databases.name_of(folder))
        return folder

    return first


@pytest.fixture(scope="session")
def first_state(first_states: Callable[[str], Path], database_kind: str) -> Path:
    """A state folder after its first start, to copy: keys and migrations are made once."""
    return first_states(database_kind)


@pytest.fixture
def state_dir(first_state: Path, tmp_path: Path) -> Iterator[Path]:
    folder = Path(shutil.copytree(first_state, tmp_path / "state"))
    yield folder
    if (folder / databases.MARK).exists():
        databases.server().drop(databases.name_of(folder))


@pytest.fixture
def control_plane(state_dir: Path) -> Iterator[LiveControlPlane]:
    with serve_control_plane(state_dir) as live:
        yield live


class serve_control_plane:  # noqa: N801 - used as a context manager
    """Serve a state folder on a free port until the block ends."""

    def __init__(self, state_dir: Path, limits: LimitSettings | None = None, **tables: dict[str, Any]) -> None:
        self.bound: socket.socket = bind("127.0.0.1:0", "control_plane.listen")
        self.address = f"127.0.0.1:{self.bound.getsockname()[1]}"
        settings = settings_for(state_dir, self.address, **tables)
        self.plane = ControlPlane(settings.model_copy(update={"limits": limits or settings.limits}))
        self.app = create_app(self.plane)
        self.server = uvicorn.Server(uvicorn.Config(self.app, log_config=None, access_log=False, lifespan="off"))
        self.thread = threading.Thread(target=self.server.run, kwargs={"sockets": [self.bound]})
        self.state_dir = state_dir

    def __enter__(self) -> LiveControlPlane:
        self.thread.start()
        try:
            return self._live()
        except BaseException:
            self.__exit__()
            raise

    def _live(self) -> LiveControlPlane:
        token = (self.state_dir / "admin-token").read_text().strip()
        headers = {"Authorization": f"Bearer {token}"}
        answer = httpx.get(f"http://{self.address}/client/v4/zones", headers=headers, timeout=30, verify=False)
        answer.raise_for_status()
        zones = answer.json()["result"]
        gateway_token = (self.state_dir / "gateway-token").read_text().strip()
        return LiveControlPlane(self.plane, self.app, self.address, token, gateway_token, zones[0]["id"], zones[0]["account"]["id"])

    def __exit__(self, *_: object) -> None:
        self.server.should_exit = True
        self.thread.join()
        self.bound.close()
        kept = self.plane.snapshot()
        with self.plane.database.read() as session:
            compiled = compile_snapshot(session)
        self.plane.close()
        # Whatever a test has changed: what was compiled before the commit is what the database says after it.
        assert kept == compiled


@pytest.fixture
def sdk(control_plane: LiveControlPlane) -> Iterator[cloudflare.Cloudflare]:
    """The official SDK, with a bearer token."""
    with cloudflare.Cloudflare(api_token=control_plane.token, base_url=control_plane.api, max_retries=0) as client:
        yield client


@pytest.fixture
def sdk_with_key(control_plane: LiveControlPlane) -> Iterator[cloudflare.Cloudflare]:
    """The official SDK, with e-mail address and key."""
    with cloudflare.Cloudflare(
        api_email=control_plane.email, api_key=control_plane.token, base_url=control_plane.api, max_retries=0
    ) as client:
        yield client


@dataclass
class OriginSays:
    """What the origin answers instead of telling what it saw, and how often it answered."""

    body: bytes | None = None
    answered: int = 0


@pytest.fixture
def origin_says() -> OriginSays:
    return OriginSays()


@pytest.fixture
def origin(origin_says: OriginSays) -> Iterator[str]:
    """An origin that tells which headers reached it."""

    async def answer(request: Request) -> Response:
        origin_says.answered += 1
        if origin_says.body is not None:
            return Response(origin_says.body)
        return JSONResponse({"path": request.url.path, "headers": dict(request.headers)})

    bound = bind("127.0.0.1:0", "origin")
    server = uvicorn.Server(
        uvicorn.Config(Starlette(routes=[Route("/{path:path}", answer, methods=["GET", "POST", "PUT"])]), log_config=None, lifespan="off")
    )
    thread = threading.Thread(target=server.run, kwargs={"sockets": [bound]})
    thread.start()
    yield f"http://127.0.0.1:{bound.getsockname()[1]}"
    server.should_exit = True
    thread.join()
    bound.close()
