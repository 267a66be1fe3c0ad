"""Who asks: the one user of a machine, or whom a trusted proxy names.

In local mode the console listens on loopback alone, and whoever can reach it there is its user. With `review.user_header` set,
a proxy that has signed people in names them in headers, and only proxies at listed addresses are believed.

Either way the name by which a browser asks can be held to a list. In local mode it must be one of loopback's: a page from
elsewhere whose name suddenly points to this machine would otherwise be let in as if it belonged here (DNS rebinding).
"""

from __future__ import annotations

import getpass
import ipaddress
from collections.abc import Sequence
from http import HTTPStatus
from typing import Final

import structlog
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from stream_detector.errors import ConfigurationError
from stream_detector.http_server import is_loopback
from stream_detector.review.web.people import Directory, Person
from stream_detector.review.web.refusals import PageError, refusal_response
from stream_detector.settings import Settings

_LOOPBACK_HOSTS: Final = frozenset({"localhost", "127.0.0.1", "[::1]"})
#: Longest name that the store's columns take.
_LONGEST_NAME: Final = 512

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class Gate:
    """Tells who asks.

    Raises:
        ConfigurationError: the settings would let anybody in, or can't be read.
    """

    def __init__(self, settings: Settings) -> None:
        review = settings.review
        self._directory = Directory(review)
        self._user_header = review.user_header
        self._groups_header = review.groups_header
        self._proxies = _networks(review.trusted_proxies)
        self._hosts = frozenset(host.lower() for host in review.hosts)
        self.local: Final = review.user_header is None
        if not self.local:
            if review.groups_header is None:
                raise ConfigurationError("review.groups_header: is needed beside review.user_header: roles come from groups")
            return
        if review.groups_header is not None:
            raise ConfigurationError("review.groups_header: is set without review.user_header, and would be ignored; set both")
        if not is_loopback(settings.http_host):
            raise ConfigurationError(
                f"http_host: {settings.http_host} is not a loopback address, and in local mode whoever reaches the console is its"
                " user; put a proxy that signs people in before it and set review.user_header, or listen on 127.0.0.1"
            )
        self._hosts = self._hosts or _LOOPBACK_HOSTS
        self._user = self._directory.everything(_own_name())

    def person(self, headers: Headers, peer: str | None) -> Person:
        """Who asks.

        Raises:
            PageError: they may not.
        """
        self._check_host(headers.get("host", ""))
        if self.local:
            return self._user
        assert self._user_header is not None
        if not self._is_trusted(peer):
            raise PageError(
                HTTPStatus.FORBIDDEN,
                "This request did not come through the proxy that signs people in.",
                "Use the console's usual address. If this is that proxy, its address is missing in review.trusted_proxies.",
            )
        names = _values(headers, self._user_header)
        if len(names) != 1 or not 0 < len(names[0]) <= _LONGEST_NAME or not names[0].isprintable():
            raise PageError(
                HTTPStatus.UNAUTHORIZED,
                "The proxy did not say who you are.",
                f"Sign in again. The proxy must send {self._user_header} with each request, once.",
            )
        person = self._directory.person(names[0], self._groups(headers))
        if not person.roles:
            raise PageError(
                HTTPStatus.FORBIDDEN,
                f"You are signed in as {person.name}, and have no role here.",
                "Ask to be put into a group of reviewers, leads, auditors or admins.",
            )
        return person

    def _groups(self, headers: Headers) -> frozenset[str]:
        assert self._groups_header is not None
        return frozenset(part.strip() for value in _values(headers, self._groups_header) for part in value.split(","))

    def _is_trusted(self, peer: str | None) -> bool:
        try:
            address = ipaddress.ip_address(peer or "")
        except ValueError:
            return False
        # A socket that listens for both protocols writes IPv4 addresses in this way.
        address = getattr(address, "ipv4_mapped", None) or address
        return any(address in network for network in self._proxies)

    def _check_host(self, host: str) -> None:
        name, _, port = host.rpartition(":")
        name = (name if name and port.isdecimal() else host).lower()
        if self._hosts and name not in self._hosts:
            raise PageError(
                HTTPStatus.MISDIRECTED_REQUEST,
                "The console is not known by this name.",
                f"Ask for {' or '.join(sorted(self._hosts))}, or add the name to review.hosts.",
            )


class Access:
    """ASGI middleware that lets a request in with the person who asks, as `request.state.person`, or refuses it.

    Args:
        app: what answers.
        gate: who may.
        free: paths that anyone may ask for: probes, metrics, style.
    """

    def __init__(self, app: ASGIApp, gate: Gate, free: Sequence[str]) -> None:
        self._app = app
        self._gate = gate
        self._free = tuple(free)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request in, or refuse it."""
        if scope["type"] == "http" and not scope["path"].startswith(self._free):
            try:
                person = self._gate.person(Headers(scope=scope), (scope.get("client") or (None,))[0])
            except PageError as error:
                structlog.get_logger().warning("refused", path=scope["path"], status=error.status.value)
                await refusal_response(error)(scope, receive, send)
                return
            scope.setdefault("state", {})["person"] = person
        await self._app(scope, receive, send)


def _networks(texts: Sequence[str]) -> tuple[Network, ...]:
    try:
        return tuple(ipaddress.ip_network(text, strict=False) for text in texts)
    except ValueError as error:
        raise ConfigurationError(f"review.trusted_proxies: {error}; write addresses or networks such as 10.0.0.0/8") from None


def _values(headers: Headers, name: str) -> list[str]:
    # Proxies send names in UTF-8, and HTTP's own reading of a header is Latin-1.
    wanted = name.lower().encode("latin-1")
    return [value.decode("utf-8", "replace").strip() for key, value in headers.raw if key == wanted]


def _own_name() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container may run under a number that has no name
        return "local"
