"""Who may come in and do what: names from a trusted proxy only, roles, tokens of forms, headers of every answer."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from stream_detector.errors import ConfigurationError
from stream_detector.observability import Metrics, Readiness
from stream_detector.review.audit import Action
from stream_detector.review.cases import State
from stream_detector.review.store import Store
from stream_detector.review.web import make_app
from stream_detector.review.web.accounts import label_of
from tests.review.web.fictional import violation
from tests.review.web.serving import PROXY, StandInScorer, settings_for

LOCAL = "http://127.0.0.1"


class Asked:
    """The application over a store with one case, asked without a browser."""

    def __init__(self, folder: Path, **flags: Any) -> None:
        self.settings = settings_for(folder, **flags)
        self.store = Store.open(self.settings)
        with self.store.database.write() as connection:
            self.store.take(connection, [violation(1, {"houseRules": "call [[phone:+44 7700 900142]]"})])
        self.app = make_app(self.settings, self.store, Metrics(), Readiness(), scorer=StandInScorer)

    def client(self, *, peer: str = "127.0.0.1", host: str = LOCAL, **headers: str) -> TestClient:
        """A browser, or a proxy, at an address."""
        return TestClient(self.app, base_url=host, client=(peer, 50_000), headers=headers, follow_redirects=False)

    def person(self, groups: str, name: str = "anna") -> TestClient:
        """Somebody whom the proxy names; Secure cookies want https."""
        return self.client(host="https://console.example.com", **{"X-User": name, "X-Groups": groups})


@pytest.fixture
def local(tmp_path: Path) -> Iterator[Asked]:
    """A console in local mode."""
    asked = Asked(tmp_path)
    yield asked
    asked.store.close()


@pytest.fixture
def proxied(tmp_path: Path) -> Iterator[Asked]:
    """A console behind a proxy."""
    asked = Asked(tmp_path, **PROXY)
    yield asked
    asked.store.close()


def token(client: TestClient, path: str = "/queue") -> str:
    """The token of the forms on a page."""
    found = re.search(r'name="csrf" value="([^"]+)"', client.get(path).text)
    assert found
    return found[1]


def test_local_mode_refuses_to_listen_to_others(tmp_path: Path) -> None:
    """Whoever reaches it is its user: on any other address that would be anybody."""
    with pytest.raises(ConfigurationError, match=r"http_host.*review\.user_header"):
        Asked(tmp_path, http_host="0.0.0.0")


@pytest.mark.parametrize(
    ("flags", "named"),
    [
        ({"review.groups_header": "X-Groups"}, "review.groups_header"),
        ({"review.user_header": "X-User"}, "review.groups_header"),
        (PROXY | {"review.trusted_proxies": ("nonsense",)}, "review.trusted_proxies"),
        (PROXY | {"review.unmask_roles": ("boss",)}, "review.unmask_roles"),
    ],
)
def test_settings_that_would_let_the_wrong_ones_in_are_refused(tmp_path: Path, flags: dict[str, Any], named: str) -> None:
    """At the start, naming the setting."""
    with pytest.raises(ConfigurationError, match=re.escape(named)):
        Asked(tmp_path, **flags)


@pytest.mark.parametrize("host", ["http://evil.example", "http://127.0.0.1.evil.example", "http://0.0.0.0"])
def test_a_page_from_elsewhere_is_not_let_in_by_its_name(local: Asked, host: str) -> None:
    """A name that was made to point to this machine is not the console's (DNS rebinding)."""
    assert local.client(host=host).get("/queue").status_code == 421
    assert local.client().get("/queue").status_code == 200
    assert local.client(host="http://localhost:8080").get("/queue").status_code == 200


def test_only_a_trusted_proxy_names_people(proxied: Asked) -> None:
    """Headers are anybody's to write: whoever comes past the proxy is refused."""
    named = {"X-User": "anna", "X-Groups": "reviewer"}
    assert proxied.client(peer="192.0.2.7", **named).get("/queue").status_code == 403
    assert proxied.client(peer="127.0.0.1", **named).get("/queue").status_code == 200
    assert proxied.client(peer="::ffff:127.0.0.1", **named).get("/queue").status_code == 200


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ([], 401),
        ([("X-User", "")], 401),
        ([("X-User", "anna"), ("X-User", "admin"), ("X-Groups", "admin")], 401),
        ([("X-User", "anna")], 403),
        ([("X-User", "anna"), ("X-Groups", "marketing")], 403),
        ([("X-User", "anna"), ("X-Groups", "marketing, reviewer")], 200),
        ([("X-User", "anna"), ("X-Groups", "marketing"), ("X-Groups", "lead")], 200),
    ],
)
def test_names_and_groups(proxied: Asked, headers: list[tuple[str, str]], status: int) -> None:
    """One name, and a group that has a role; a name given twice is nobody's."""
    client = proxied.client(host="https://console.example.com")
    assert client.get("/queue", headers=headers).status_code == status


#: What each role is answered; POSTs bear a good token. 303 and 422 are past the door.
_ALLOWED = {
    "GET /queue": {"reviewer", "lead", "auditor", "admin"},
    "GET /cases/1": {"reviewer", "lead", "auditor", "admin"},
    "GET /partners": {"reviewer", "lead", "auditor", "admin"},
    "GET /bulk": {"lead", "admin"},
    "GET /quality": {"lead", "auditor", "admin"},
    "GET /threshold": {"lead", "auditor", "admin"},
    "GET /audit": {"lead", "auditor", "admin"},
    "GET /audit.jsonl": {"lead", "auditor", "admin"},
    "POST /claim-next": {"reviewer", "lead", "admin"},
    "POST /cases/1/claim": {"reviewer", "lead", "admin"},
    "POST /cases/1/decide": {"reviewer", "lead", "admin"},
    "POST /cases/1/release": {"reviewer", "lead", "admin"},
    "POST /cases/1/skip": {"reviewer", "lead", "admin"},
    "POST /cases/1/unmask": {"reviewer", "lead", "admin"},
    "POST /cases/1/reading": {"reviewer", "lead", "admin"},
    "POST /cases/1/reopen": {"lead", "admin"},
    "POST /bulk": {"lead", "admin"},
    "POST /quality/golden": {"lead", "admin"},
    "POST /undo": {"reviewer", "lead", "admin"},
}


@pytest.mark.parametrize("asked", _ALLOWED)
def test_each_role_may_do_what_is_its_own(proxied: Asked, asked: str) -> None:
    """And nothing else; what was tried in vain is in the audit log."""
    method, path = asked.split()
    for role in ("reviewer", "lead", "auditor", "admin"):
        client = proxied.person(role, role)
        data = {"csrf": token(client)} if method == "POST" else None
        refused = client.request(method, path, data=data).status_code == 403
        assert refused is (role not in _ALLOWED[asked]), role
        entries = proxied.store.audit.page(actor=role, action=Action.REFUSED)
        assert bool(entries) is (refused and method == "POST"), role


def test_unmasking_is_for_the_roles_that_are_set(tmp_path: Path) -> None:
    """A platform may keep clear texts from its reviewers; the page doesn't offer them either."""
    asked = Asked(tmp_path, **PROXY, **{"review.unmask_roles": ("lead",)})
    reviewer, lead = asked.person("reviewer"), asked.person("lead")
    assert "Show in the clear" not in reviewer.get("/cases/1").text
    assert reviewer.post("/cases/1/unmask", data={"csrf": token(reviewer)}).status_code == 403
    clear = lead.post("/cases/1/unmask", data={"csrf": token(lead)})
    assert "+44 7700 900142" in clear.text
    asked.store.close()


@pytest.mark.parametrize("given", [None, "", "wrong"])
def test_a_form_from_elsewhere_does_nothing(local: Asked, given: str | None) -> None:
    """Without the token of one of the console's own pages."""
    client = local.client()
    token(client)
    data = {"confirm": "yes"} | ({} if given is None else {"csrf": given})
    assert client.post("/cases/1/decide", data=data).status_code == 403
    assert local.store.queue.totals()[State.OPEN] == 1


def test_a_token_is_its_own_sessions(proxied: Asked) -> None:
    """Somebody else's doesn't do, nor a good one from another site, nor a cookie that was tampered with."""
    anna, bert = proxied.person("reviewer", "anna"), proxied.person("reviewer", "bert")
    token(anna)
    assert anna.post("/cases/1/claim", data={"csrf": token(bert)}).status_code == 403
    own = {"csrf": token(anna)}
    assert anna.post("/cases/1/claim", data=own, headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
    assert anna.post("/cases/1/claim", data=own).status_code == 303
    (name,) = anna.cookies.keys()
    value = anna.cookies[name]
    anna.cookies.clear()
    anna.cookies.set(name, value[:-2])
    assert anna.post("/cases/1/claim", data=own).status_code == 403


def test_every_answer_says_what_a_browser_may_do(local: Asked) -> None:
    """Pages, refusals, pieces and static files alike; pages with texts are kept by no cache."""
    client = local.client()
    page = client.get("/queue").text
    style = re.search(r'href="(/static/[^"]+css[^"]*)"', page)
    assert style
    for path in ("/queue", "/cases/1", "/cases/99", "/nothing", "/healthz", style[1]):
        headers = client.get(path).headers
        policy = headers["content-security-policy"]
        assert "default-src 'self'" in policy
        assert "unsafe" not in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert headers["referrer-policy"] == "same-origin"
        assert ("immutable" if path.startswith("/static/") else "no-store") in headers["cache-control"]


def test_cookies_are_out_of_reach(proxied: Asked) -> None:
    """Of scripts, of other sites, and behind a proxy of plain HTTP."""
    cookie = proxied.person("reviewer").get("/queue").headers["set-cookie"].lower()
    assert {"httponly", "samesite=lax", "secure"} <= {part.strip() for part in cookie.split(";")}


def test_pages_hold_no_inline_script_or_style(local: Asked) -> None:
    """What the policy forbids isn't there to be forbidden."""
    client = local.client()
    for path in ("/queue", "/cases/1", "/bulk", "/partners", "/partner?id=P-7", "/quality", "/threshold", "/audit"):
        page = client.get(path).text
        assert not re.search(r"<script(?![^>]*src=)|<style|\sstyle=|\son\w+=|javascript:", page), path


@pytest.mark.parametrize(
    ("back", "there"),
    [("/cases/1?kind=phone", "/cases/1?kind=phone"), ("//evil.example", "/queue"), ("/\\evil.example", "/queue"),
     ("https://evil.example", "/queue"), ("/\t/evil.example", "/queue")],
)  # fmt: skip
def test_going_back_stays_here(local: Asked, back: str, there: str) -> None:
    """A form can't be made to lead elsewhere."""
    client = local.client()
    answer = client.post("/preferences", data={"csrf": token(client), "theme": "dark", "back": back})
    assert answer.headers["location"] == there
    assert 'data-theme="dark"' in client.get("/queue").text


def test_the_audit_log_is_exported(proxied: Asked) -> None:
    """As JSON Lines, with who came in and who took it."""
    client = proxied.person("auditor", "olga")
    client.get("/queue")
    answer = client.get("/audit.jsonl")
    assert answer.headers["content-type"] == "application/x-ndjson"
    assert "attachment" in answer.headers["content-disposition"]
    lines = answer.text.splitlines()
    assert '"signed_in"' in lines[0]
    assert '"exported"' in lines[-1]
    assert "7700" not in answer.text


@pytest.mark.parametrize(
    ("path", "label"),
    [
        ("/queue", "/queue"),
        ("/queue/live", "/queue/live"),
        ("/cases/7/decide", "/cases"),
        ("/audit.jsonl", "other"),
        ("/x/queue", "other"),
    ],
)
def test_requests_are_counted_under_few_names(path: str, label: str) -> None:
    """Whatever a scanner asks for, a metric keeps few labels."""
    assert label_of(path) == label
