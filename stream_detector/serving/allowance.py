"""How often each caller may ask: a token bucket a caller.

A bucket holds `burst` tokens, loses one a request and wins `per_minute` a minute (the algorithm of ITU-T I.371's leaky bucket
read as a meter). Buckets are held in memory, so each process counts for itself.
"""

from __future__ import annotations

import ipaddress
import math
from collections import OrderedDict
from collections.abc import Callable
from http import HTTPStatus
from typing import Final

from stream_detector.serving.refusal import RefusalError

#: Callers remembered; beyond that the one that has been quiet longest starts afresh.
_MOST: Final = 10_000


class Allowances:
    """Who may still ask.

    Args:
        per_minute: requests a caller may make in the long run.
        burst: requests a caller may make at once.
        clock: seconds that never go back.
    """

    def __init__(self, per_minute: int, burst: int, clock: Callable[[], float]) -> None:
        self._per_second = per_minute / 60
        self._burst = burst
        self._clock = clock
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, caller: str) -> None:
        """Count one request of a caller.

        Raises:
            RefusalError: it has asked too often; the answer says when to ask again.
        """
        now = self._clock()
        tokens, since = self._buckets.pop(caller, (float(self._burst), now))
        tokens = min(self._burst, tokens + (now - since) * self._per_second)
        allowed = tokens >= 1
        self._buckets[caller] = (tokens - 1 if allowed else tokens, now)
        if len(self._buckets) > _MOST:
            self._buckets.popitem(last=False)
        if not allowed:
            again = max(1, math.ceil((1 - tokens) / self._per_second))
            raise RefusalError(
                HTTPStatus.TOO_MANY_REQUESTS,
                "too_often",
                f"more than {self._burst} requests at once, or {self._per_second * 60:g} a minute",
                f"send it again in {again} s",
                headers={"Retry-After": str(again)},
            )


def network_of(host: str) -> str:
    """The caller behind an address: of IPv6 the /64 network, which one household or machine has to itself."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    if isinstance(address, ipaddress.IPv6Address):
        return str(address.ipv4_mapped or ipaddress.ip_network((address, 64), strict=False).network_address)
    return host
