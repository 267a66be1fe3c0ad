"""An Apache Kafka that lets nobody in who doesn't belong: SASL_SSL with SCRAM-SHA-512 or OAUTHBEARER, mutual TLS, ACLs."""

from __future__ import annotations

import csv
import string
import subprocess
from pathlib import Path

from confluent_kafka.admin import (
    AclBinding,
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ResourcePatternType,
    ResourceType,
)

from stream_detector.settings import Settings
from tests.kafka.broker import _DEPLOY, ApacheKafka, _free_port
from tests.kafka.token_server import AUDIENCE, ISSUER, make_keys

PASSWORD = "a-secret-of-the-tests"
_USERS = ("admin", "worker", "verifier", "aggregate", "replayer")
_ACLS = _DEPLOY / "acls" / "acls.csv"


class SecureKafka(ApacheKafka):
    """`bootstrap_servers` is for SCRAM, `mtls_servers` for certificates, `oauth_servers` for tokens."""

    def __init__(self) -> None:
        super().__init__()
        self._mtls_port, self._internal_port, self._oauth_port = _free_port(), _free_port(), _free_port()
        self.mtls_servers = f"127.0.0.1:{self._mtls_port}"
        self.oauth_servers = f"127.0.0.1:{self._oauth_port}"
        self.tls = self._directory / "tls"

    def kafka_keys(self, user: str, password: str = PASSWORD) -> dict[str, str]:
        """The [kafka] table of a user."""
        return {
            "security.protocol": "SASL_SSL",
            "sasl.mechanisms": "SCRAM-SHA-512",
            "sasl.username": user,
            "sasl.password": password,
            "ssl.ca.location": str(self.tls / "ca.pem"),
        }

    def admin(self) -> AdminClient:
        """Who may do everything."""
        return AdminClient({"bootstrap.servers": self.bootstrap_servers, "log_level": 0} | self.kafka_keys("admin"))

    def grant(self, role: str, settings: Settings, *, without: int | None = None) -> list[str]:
        """Give the user of a role's name exactly its ACLs, but for one; say which there are."""
        rows = acls(role, settings)
        bindings = [
            AclBinding(
                ResourceType[row["resource"].upper()],
                row["name"],
                ResourcePatternType[row["pattern"].upper()],
                f"User:{role}",
                "*",
                AclOperation[row["operation"].upper()],
                AclPermissionType.ALLOW,
            )
            for number, row in enumerate(rows)
            if number != without
        ]
        admin = self.admin()
        everything = AclBindingFilter(
            ResourceType.ANY, None, ResourcePatternType.ANY, f"User:{role}", None, AclOperation.ANY, AclPermissionType.ANY
        )
        for future in admin.delete_acls([everything]).values():
            future.result(20)
        for future in admin.create_acls(bindings).values():
            future.result(20)
        return [row["name"] for row in rows]

    def _format(self, properties: Path) -> None:
        self.tls.mkdir()
        _certificates(self.tls)
        make_keys(self.tls)
        super()._format(properties)

    def _options(self) -> list[str]:
        # Kafka fetches keys from nowhere that isn't named here.
        return [f"-Dorg.apache.kafka.sasl.oauthbearer.allowed.urls={(self.tls / 'jwks.json').as_uri()}"]

    def _scram(self) -> list[str]:
        return [part for user in _USERS for part in ("--add-scram", f"SCRAM-SHA-512=[name={user},password={PASSWORD}]")]

    def _properties(self) -> str:
        secure = (_DEPLOY / "server-secure.properties").read_text(encoding="utf-8")
        names = {line.partition("=")[0] for line in secure.splitlines()}
        plain = [line for line in super()._properties().splitlines() if line.partition("=")[0] not in names]
        values = {
            "port": self._port,
            "mtls_port": self._mtls_port,
            "internal_port": self._internal_port,
            "oauth_port": self._oauth_port,
            "jwks": (self.tls / "jwks.json").as_uri(),
            "issuer": ISSUER,
            "audience": AUDIENCE,
            "controller_port": self._controller_port,
            "tls": self.tls,
        }
        return "\n".join([*plain, string.Template(secure).safe_substitute(values)])


def acls(role: str, settings: Settings) -> list[dict[str, str]]:
    """The ACLs of a role, as they are written down, with the settings' names."""
    names = {f"topics.{name}": topic for name, topic in settings.topics} | {
        "group_id": settings.group_id,
        "aggregation.group_id": settings.aggregation.group_id,
    }
    lines = [line for line in _ACLS.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    rows = [row for row in csv.DictReader(lines) if row["role"] == role]
    for row in rows:
        for name, value in names.items():
            row["name"] = row["name"].replace(f"${{{name}}}", str(value))
    return rows


def _certificates(folder: Path) -> None:
    """A CA, a server's certificate for 127.0.0.1, and a client's whose name is "worker"."""

    def openssl(*arguments: str) -> None:
        subprocess.run(["openssl", *arguments], check=True, capture_output=True, cwd=folder)

    key = ("-newkey", "rsa:2048", "-nodes")
    openssl("req", "-x509", *key, "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=tests", "-days", "2")
    for name, subject in ("server", "/CN=127.0.0.1"), ("client", "/CN=worker"):
        (folder / f"{name}.ext").write_text("subjectAltName=IP:127.0.0.1\n", encoding="utf-8")
        openssl("req", *key, "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", subject)
        openssl(
            "x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2",
            "-extfile", f"{name}.ext", "-out", f"{name}.crt",
        )  # fmt: skip
    both = (folder / "server.key").read_text(encoding="utf-8") + (folder / "server.crt").read_text(encoding="utf-8")
    (folder / "server.pem").write_text(both, encoding="utf-8")
