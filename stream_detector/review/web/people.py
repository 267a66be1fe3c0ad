"""Who uses the console, and what each role may do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from stream_detector.errors import ConfigurationError
from stream_detector.settings import ReviewSettings


class Role(StrEnum):
    """What somebody is to the console; one may be several things."""

    REVIEWER = "reviewer"
    LEAD = "lead"
    AUDITOR = "auditor"
    ADMIN = "admin"


class Permission(StrEnum):
    """What somebody may do, in the words of a refusal."""

    READ = "read cases"
    DECIDE = "decide cases"
    #: Deciding many at once, opening decided cases again, planting golden ones, freeing the claims of others.
    LEAD = "decide cases in bulk, or open decided ones again"
    MEASURE = "see how reviewers and thresholds do"
    AUDIT = "read the audit log"
    UNMASK = "see texts in the clear"


_OF_ROLES: Final[Mapping[Role, frozenset[Permission]]] = {
    Role.REVIEWER: frozenset({Permission.READ, Permission.DECIDE}),
    Role.LEAD: frozenset(Permission) - {Permission.UNMASK},
    # Looks on, and changes nothing.
    Role.AUDITOR: frozenset({Permission.READ, Permission.MEASURE, Permission.AUDIT}),
    Role.ADMIN: frozenset(Permission) - {Permission.UNMASK},
}


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody, as the proxy names them or as the machine's only user."""

    name: str
    roles: frozenset[Role]
    permissions: frozenset[Permission]

    def may(self, permission: Permission) -> bool:
        """Whether they may do something."""
        return permission in self.permissions

    @property
    def title(self) -> str:
        """Their roles, as a page shows them."""
        return ", ".join(role.value for role in Role if role in self.roles)


class Directory:
    """Makes persons of names and groups.

    Raises:
        ConfigurationError: `review.unmask_roles` names a role that there isn't.
    """

    def __init__(self, settings: ReviewSettings) -> None:
        self._groups: Final[Mapping[Role, frozenset[str]]] = {
            Role.REVIEWER: frozenset(settings.reviewer_groups),
            Role.LEAD: frozenset(settings.lead_groups),
            Role.AUDITOR: frozenset(settings.auditor_groups),
            Role.ADMIN: frozenset(settings.admin_groups),
        }
        try:
            self._unmasking = frozenset(map(Role, settings.unmask_roles))
        except ValueError:
            raise ConfigurationError(
                f"review.unmask_roles: {', '.join(settings.unmask_roles)}: a role is one of {', '.join(Role)}"
            ) from None

    def person(self, name: str, groups: frozenset[str]) -> Person:
        """Somebody who is in some groups."""
        return self._made(name, frozenset(role for role, members in self._groups.items() if members & groups))

    def everything(self, name: str) -> Person:
        """Somebody who has every role: the only user of a machine."""
        return self._made(name, frozenset(Role))

    def _made(self, name: str, roles: frozenset[Role]) -> Person:
        permissions = frozenset[Permission]().union(*(_OF_ROLES[role] for role in roles))
        if roles & self._unmasking:
            permissions |= {Permission.UNMASK}
        return Person(name, roles, permissions)
