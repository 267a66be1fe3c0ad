"""A schema registry: a real HTTP server with the part of Confluent's API that its client uses here."""

from __future__ import annotations

import base64
import json
import re
import uuid
from http.server import BaseHTTPRequestHandler
from typing import Any

from tests.local_server import LocalServer

_TYPE = "application/vnd.schemaregistry.v1+json"


class RegistryServer(LocalServer):
    """What it was sent, and how it answers.

    Attributes:
        away: answers 503 to everything while it is set.
        asked: what was asked, as method and path.
        user: what must be shown, as name:password; None: nothing.
        refuses: the status with which schemas that aren't filed yet are refused; None: they are filed.
    """

    def __init__(self) -> None:
        self.away = False
        self.asked: list[str] = []
        self.user: str | None = None
        self.refuses: int | None = None
        self.filed: list[tuple[str, dict[str, Any]]] = []
        super().__init__(_handler(self))

    def file(self, subject: str, schema: dict[str, Any], kind: str) -> int:
        """File a schema, as a producer would have; its number."""
        self.filed.append((subject, {"schema": json.dumps(schema), "schemaType": kind}))
        return len(self.filed)

    def answer(self, path: str, body: dict[str, Any] | None) -> tuple[int, dict[str, Any]]:
        """The status and the document."""
        if found := re.fullmatch(r"/schemas/ids/(\d+)", path):
            number = int(found[1])
            if 0 < number <= len(self.filed):
                return 200, self.filed[number - 1][1]
            return 404, {"error_code": 40403, "message": "Schema not found"}
        found = re.fullmatch(r"/subjects/([^/]+)(/versions)?", path)
        if not found or not body:
            return 404, {"error_code": 404, "message": "HTTP 404 Not Found"}
        subject = found[1]
        number = next((at for at, (name, schema) in enumerate(self.filed, 1) if name == subject and _same(schema, body)), 0)
        if not number and not found[2]:
            return 404, {"error_code": 40403, "message": "Schema not found"}
        if not number:
            if self.refuses:
                return self.refuses, {"error_code": self.refuses, "message": "no"}
            self.filed.append((subject, {"schema": body["schema"], "schemaType": body.get("schemaType", "AVRO")}))
            number = len(self.filed)
        return 200, {
            "subject": subject,
            "id": number,
            "version": number,
            "guid": str(uuid.UUID(int=number)),
            **self.filed[number - 1][1],
        }


def _same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    return bool(json.loads(one["schema"]) == json.loads(other["schema"]))


def _handler(server: RegistryServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer(None)

        def do_POST(self) -> None:
            self._answer(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

        def _answer(self, body: dict[str, Any] | None) -> None:
            path = self.path.partition("?")[0]
            server.asked.append(f"{self.command} {path}")
            status, document = 503, {"error_code": 503, "message": "away"}
            shown = (self.headers["Authorization"] or "").removeprefix("Basic ")
            if server.user is not None and base64.b64decode(shown).decode() != server.user:
                status, document = 401, {"error_code": 401, "message": f"not {server.user}"}
            elif not server.away:
                status, document = server.answer(path, body)
            payload = json.dumps(document).encode()
            self.send_response(status)
            self.send_header("Content-Type", _TYPE)
            self.send_header("Content-Length", str(len(payload)))
            self.end_headers()
            self.wfile.write(payload)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Say nothing."""

    return Handler
