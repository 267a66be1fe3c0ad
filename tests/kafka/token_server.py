"""A small identity provider for tests: client credentials in, signed tokens out, as OAuth 2.0 and OpenID Connect have it."""

from __future__ import annotations

import base64
import json
import ssl
import subprocess
import threading
import time
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Self

AUDIENCE = "kafka"
ISSUER = "https://login.example"
CLIENTS = {"worker": "the-workers-secret"}


def make_keys(folder: Path) -> None:
    """A key to sign with, and the JWK set (RFC 7517) that a broker checks signatures by: tokens.key, jwks.json."""
    key = folder / "tokens.key"
    _openssl("genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out", str(key))
    modulus = _openssl("rsa", "-in", str(key), "-noout", "-modulus").decode().strip().partition("=")[2]
    jwk = {
        "kty": "RSA",
        "use": "sig",
        "alg": "RS256",
        "kid": "tests",
        "n": _base64url(bytes.fromhex(modulus)),
        "e": _base64url(b"\x01\x00\x01"),
    }
    (folder / "jwks.json").write_text(json.dumps({"keys": [jwk]}), encoding="utf-8")


class TokenServer:
    """Answers POST /token over TLS; counts what it gave out.

    Args:
        folder: holds tokens.key, and server.crt and server.key of the server itself.
        audience: whom its tokens are for.
        lifetime_s: how long they are good.
    """

    def __init__(self, folder: Path, *, audience: str = AUDIENCE, lifetime_s: int = 60) -> None:
        self._folder, self._audience, self._lifetime_s = folder, audience, lifetime_s
        self.given = 0
        self.refused = 0
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                """Give a token to a client that knows its secret."""
                length = int(self.headers.get("Content-Length", 0))
                form = urllib.parse.parse_qs(self.rfile.read(length).decode())
                scheme, _, credentials = self.headers.get("Authorization", "").partition(" ")
                client, _, secret = base64.b64decode(credentials).decode().partition(":")
                known = scheme == "Basic" and CLIENTS.get(client) == secret
                if self.path == "/token" and form.get("grant_type") == ["client_credentials"] and known:
                    provider.given += 1
                    answer = {"access_token": provider.token(client), "token_type": "Bearer", "expires_in": provider._lifetime_s}
                    status = 200
                else:
                    provider.refused += 1
                    status, answer = 401, {"error": "invalid_client", "error_description": "unknown client or wrong secret"}
                body = json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(folder / "server.crt", folder / "server.key")
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self.url = f"https://127.0.0.1:{self._server.server_port}/token"

    def __enter__(self) -> Self:
        """Answer."""
        threading.Thread(target=self._server.serve_forever, name="tokens", daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        """No more."""
        self._server.shutdown()
        self._server.server_close()

    def token(self, subject: str) -> str:
        """A signed token (RFC 7519, RS256)."""
        now = int(time.time())
        claims = {"sub": subject, "aud": self._audience, "iss": ISSUER, "iat": now, "exp": now + self._lifetime_s, "scope": "kafka"}
        parts = [{"alg": "RS256", "typ": "JWT", "kid": "tests"}, claims]
        signed = ".".join(_base64url(json.dumps(part).encode()) for part in parts)
        signature = _openssl("dgst", "-sha256", "-sign", str(self._folder / "tokens.key"), given=signed.encode())
        return f"{signed}.{_base64url(signature)}"


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _openssl(*arguments: str, given: bytes = b"") -> bytes:
    return subprocess.run(["openssl", *arguments], check=True, capture_output=True, input=given).stdout
