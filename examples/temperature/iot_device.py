"""
A device that takes a temperature and reports it, with its client certificate.

    python iot_device.py --url https://api.example.com/temps --cert device.pem --key device-key.pem

While the host's name is not in DNS yet, `--connect-to 127.0.0.1` connects there under that name, as curl's `--resolve` does; `--ca`
trusts a self-signed server certificate.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import requests
from requests.adapters import HTTPAdapter


class ConnectTo(HTTPAdapter):
    """
    Connects to an address instead of asking DNS; TLS still names and checks the host.

    Args:
        host: The host's name, for SNI, the certificate check and the `Host` header.

        address: Where it really is.
    """

    def __init__(self, host: str, address: str) -> None:
        self.host = host
        self.address = address
        super().__init__()

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Name the host in the TLS handshake, whatever the URL says."""
        super().init_poolmanager(*args, server_hostname=self.host, assert_hostname=self.host, **kwargs)

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        """Put the address into the URL and the name into the header."""
        parts = urlsplit(request.url or "")
        request.headers["Host"] = parts.netloc
        port = f":{parts.port}" if parts.port else ""
        request.url = urlunsplit(parts._replace(netloc=f"{self.address}{port}"))
        return super().send(request, *args, **kwargs)


def read_sensor() -> dict[str, Any]:
    """Stand in for a sensor: about the temperature of a person."""
    temperature = round(random.uniform(36.1, 37.1), 2)  # noqa: S311 - a measurement, not a secret
    return {"temperature": temperature, "time": datetime.now(UTC).isoformat(timespec="seconds")}


def main() -> int:
    """Report one reading; the exit status is 0 if it was accepted."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--url", default="https://api.example.com/temps")
    parser.add_argument("--cert", default="device.pem", help="client certificate (PEM)")
    parser.add_argument("--key", default="device-key.pem", help="its private key (PEM)")
    parser.add_argument("--ca", help="certificate (PEM) to trust besides the usual authorities")
    parser.add_argument("--connect-to", metavar="ADDRESS", help="connect here instead of asking DNS")
    arguments = parser.parse_args()

    reading = read_sensor()
    with requests.Session() as session:
        if arguments.connect_to:
            session.mount("https://", ConnectTo(urlsplit(arguments.url).hostname or "", arguments.connect_to))
        answer = session.post(arguments.url, json=reading, cert=(arguments.cert, arguments.key), verify=arguments.ca or True, timeout=10)
    print(f"sent      {json.dumps(reading)}")
    print(f"answered  {answer.text}")
    print(answer.status_code)
    return 0 if answer.ok else 1


if __name__ == "__main__":
    sys.exit(main())
