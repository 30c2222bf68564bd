"""What the gateway is compared with, and what all of them forward to: nginx, Envoy and the origin, with their configuration."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

from certificates import Certificates
from payloads import Payload
from processes import Program

# Longer than a run, so that no connection is closed within one (nginx closes after 1000 requests otherwise).
REQUESTS_PER_CONNECTION = 100_000_000

_NGINX = """
daemon off;
worker_processes 1;
pid {folder}/nginx-{name}.pid;
error_log stderr error;
events {{ worker_connections 4096; }}
http {{
  access_log off;
  default_type application/json;
  keepalive_requests {requests};
  # The 32 KB body is kept in memory, as all others keep it; nginx would write it to a file.
  client_body_buffer_size 64k;
  client_body_temp_path {folder}/{name}-body;
  proxy_temp_path {folder}/{name}-proxy;
  fastcgi_temp_path {folder}/{name}-fastcgi;
  uwsgi_temp_path {folder}/{name}-uwsgi;
  scgi_temp_path {folder}/{name}-scgi;
{servers}
}}
"""

_ORIGIN = """
  server {{
    listen 127.0.0.1:{port} backlog=4096;
    location / {{
      if ($request_method = POST) {{ return 201 '{{"kept": 1}}'; }}
      return 200 '{{"kept": 1}}';
    }}
  }}
"""

_PROXIES = """
  upstream origin {{
    server 127.0.0.1:{origin};
    keepalive 256;
    keepalive_requests {requests};
  }}
  proxy_http_version 1.1;
  proxy_set_header Connection "";
  proxy_set_header Host $host;
  server {{
    listen 127.0.0.1:{plain} backlog=4096;
    location / {{ proxy_pass http://origin; }}
  }}
  server {{
    listen 127.0.0.1:{mutual_tls} ssl backlog=4096;
    ssl_protocols TLSv1.2 TLSv1.3;
    ssl_certificate {certificates.server};
    ssl_certificate_key {certificates.server_key};
    ssl_client_certificate {certificates.authority};
    ssl_verify_client on;
    location / {{ proxy_pass http://origin; }}
  }}
"""


def start_origin(folder: Path, core: int, port: int) -> Program:
    """Start an nginx that answers 201 to POST and 200 to all else, with a small JSON."""
    return _start_nginx("origin", folder, core, [port], _ORIGIN.format(port=port))


def start_nginx(folder: Path, core: int, plain: int, mutual_tls: int, origin: int, certificates: Certificates) -> Program:
    """Start an nginx with one worker that forwards, on one port plainly, on the other with a client certificate required."""
    servers = _PROXIES.format(
        plain=plain, mutual_tls=mutual_tls, origin=origin, certificates=certificates, requests=REQUESTS_PER_CONNECTION
    )
    return _start_nginx("nginx", folder, core, [plain, mutual_tls], servers)


def _start_nginx(name: str, folder: Path, core: int, ports: list[int], servers: str) -> Program:
    path = folder / f"{name}.conf"
    path.write_text(_NGINX.format(name=name, folder=folder, servers=servers, requests=REQUESTS_PER_CONNECTION))
    program = Program.start(name, core, ["nginx", "-p", str(folder), "-e", "stderr", "-c", str(path)], folder / f"{name}.log")
    program.wait_for_ports(ports)
    return program


def build_rival(folder: Path) -> Path | None:
    """Build the proxy of Go and kin-openapi; None without a Go toolchain."""
    go = shutil.which("go") or shutil.which("go", path="/usr/local/go/bin")
    if not go:
        return None
    program = folder / "kin-openapi"
    subprocess.run([go, "build", "-trimpath", "-o", str(program), "."], cwd=Path(__file__).parent / "rivals" / "kin-openapi", check=True)
    return program


def start_rival(program: Path, folder: Path, core: int, port: int, origin: int, payload: Payload) -> Program:
    """Start the Go proxy with one thread for Go code, judging by the payload's document."""
    options = ["-listen", f"127.0.0.1:{port}", "-origin", f"127.0.0.1:{origin}", "-document", str(payload.document)]
    name = f"kin-openapi-{payload.document.stem}"
    started = Program.start(name, core, ["env", "GOMAXPROCS=1", str(program), *options], folder / f"{name}.log")
    started.wait_for_ports([port])
    return started


def find_envoy() -> str | None:
    """The Envoy of the dependency group `benchmarks`, else one on PATH."""
    beside_python = shutil.which("envoy", path=str(Path(sys.executable).parent))
    return beside_python or shutil.which("envoy")


def start_envoy(executable: str, folder: Path, core: int, port: int, origin: int) -> Program:
    """Start an Envoy with one worker that forwards everything."""
    path = folder / "envoy.json"
    path.write_text(json.dumps(_envoy(port, origin)))
    command = [executable, "-c", str(path), "--concurrency", "1", "--disable-hot-restart", "--log-level", "error"]
    program = Program.start("Envoy", core, command, folder / "envoy.log")
    program.wait_for_ports([port])
    return program


def _envoy(port: int, origin: int) -> dict[str, object]:
    def address(number: int) -> dict[str, object]:
        return {"socket_address": {"address": "127.0.0.1", "port_value": number}}

    types = "type.googleapis.com/envoy.extensions"
    connections = {
        "@type": f"{types}.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "benchmark",
        "route_config": {
            "virtual_hosts": [{"name": "all", "domains": ["*"], "routes": [{"match": {"prefix": "/"}, "route": {"cluster": "origin"}}]}]
        },
        "http_filters": [{"name": "router", "typed_config": {"@type": f"{types}.filters.http.router.v3.Router"}}],
    }
    endpoints = [{"lb_endpoints": [{"endpoint": {"address": address(origin)}}]}]
    return {
        "static_resources": {
            "listeners": [
                {
                    "name": "plain",
                    "address": address(port),
                    "filter_chains": [{"filters": [{"name": "http", "typed_config": connections}]}],
                }
            ],
            "clusters": [{"name": "origin", "type": "STATIC", "load_assignment": {"cluster_name": "origin", "endpoints": endpoints}}],
        }
    }
