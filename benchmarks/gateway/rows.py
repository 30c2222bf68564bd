"""The rows of the table: which program is loaded in which way, and whether it truly does what the row says."""

from __future__ import annotations

import http.client
import ssl
from dataclasses import dataclass
from pathlib import Path

from certificates import Certificates
from load import LoadFailed, Outcome, run_ab, run_wrk
from payloads import READING, Payload
from processes import Program


@dataclass(frozen=True)
class Row:
    """
    One line of the table.

    Attributes:
        name: What `--only` selects by.

        label: What the table says.

        program: Whose CPU time is counted.

        port: Where it listens.

        host: The `Host` header, which tells the gateway's ways of use apart.

        client: Certificate and key to present; `None` means plain HTTP.

        validates: Whether a body that departs from the schema must be refused.

        baseline: The row that it is divided by.

        payload: What is sent.
    """

    name: str
    label: str
    program: Program
    port: int
    host: str
    client: Path | None = None
    validates: bool = False
    baseline: str = "nginx"
    payload: Payload = READING

    def load(self, core: int, connections: int, seconds: int) -> Outcome:
        """
        Load the program.

        Raises:
            LoadFailed: If any answer was not 2xx.
        """
        if self.client:
            url = f"https://{self.host}:{self.port}{self.payload.path}"
            return run_ab(core, connections, seconds, url, self.client, self.payload.body)
        url = f"http://127.0.0.1:{self.port}{self.payload.path}"
        return run_wrk(core, connections, seconds, url, self.host, self.payload.body)

    def check(self, certificates: Certificates) -> None:
        """
        Let in what must come in and keep out what must stay out, once.

        Raises:
            LoadFailed: If the program does not do what the row says.
        """
        body = self.payload.body.read_bytes()
        self._expect({201}, "a good body", body, certificates)
        if self.validates:
            self._expect({403}, "a body that departs from the schema", self.payload.refused, certificates)
        else:
            self._expect({201}, "a body that only a validator would refuse", self.payload.refused, certificates)
        if self.client:  # nginx refuses with 400, the gateway with 403
            self._expect({400, 403}, "a body without a certificate", body, certificates, certified=False)

    def _expect(self, wanted: set[int], what: str, body: bytes, certificates: Certificates, *, certified: bool = True) -> None:
        status = self._post(body, certificates, certified=certified)
        if status not in wanted:
            raise LoadFailed(f"{self.label}: {what} was answered {status}, not {' or '.join(map(str, sorted(wanted)))}")

    def _post(self, body: bytes, certificates: Certificates, *, certified: bool) -> int:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        if self.client:
            context = ssl.create_default_context(cafile=str(certificates.authority))
            if certified:
                context.load_cert_chain(self.client)
            connection = http.client.HTTPSConnection(self.host, self.port, timeout=10, context=context)
        try:
            connection.request("POST", self.payload.path, body, {"Host": self.host, "Content-Type": "application/json"})
            response = connection.getresponse()
            response.read()
            return response.status
        finally:
            connection.close()
