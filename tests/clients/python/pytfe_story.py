"""The story of an organization, its teams and their tokens, told to a running
Latchkey in the words of the published Terraform client pytfe.

Reads the server's address from TFE_ADDRESS and a user's token from TFE_TOKEN,
checks every answer, and leaves nothing behind. Ends with 0 if every check passed.
"""

from __future__ import annotations

import functools
import os
import sys
import time
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta, timezone
from enum import Enum
from inspect import isfunction
from typing import Any, TypeVar

# The story is told to TFE_ADDRESS and to nobody else. httpx looks for proxies in
# the environment when a client is made, so they have to be gone before that.
for variable in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
    os.environ.pop(variable, None)
    os.environ.pop(variable.lower(), None)
os.environ["NO_PROXY"] = "*"

import httpx  # noqa: E402
from pytfe import TFEClient, TFEConfig  # noqa: E402
from pytfe.errors import AuthError, NotFound, TFEError  # noqa: E402
from pytfe.models import (  # noqa: E402
    AddWorkspacesToTagOptions,
    OrganizationAccess,
    OrganizationCreateOptions,
    OrganizationMembershipCreateOptions,
    OrganizationMembershipListOptions,
    OrganizationMembershipReadOptions,
    OrganizationTagsDeleteOptions,
    OrganizationTagsListOptions,
    OrganizationUpdateOptions,
    OrgMembershipIncludeOpt,
    Project,
    ProjectAddTagBindingsOptions,
    ProjectCreateOptions,
    ProjectListOptions,
    ProjectUpdateOptions,
    ReservedTagKeyCreateOptions,
    ReservedTagKeyUpdateOptions,
    Tag,
    TagBinding,
    Team,
    TeamCreateOptions,
    TeamIncludeOpt,
    TeamListOptions,
    TeamReadOptions,
    TeamToken,
    TeamTokenCreateOptions,
    TeamTokenListOptions,
    TeamUpdateOptions,
    User,
    Workspace,
    WorkspaceAddRemoteStateConsumersOptions,
    WorkspaceAddTagBindingsOptions,
    WorkspaceAddTagsOptions,
    WorkspaceCreateOptions,
    WorkspaceIncludeOpt,
    WorkspaceListOptions,
    WorkspaceLockOptions,
    WorkspaceReadOptions,
    WorkspaceRemoveRemoteStateConsumersOptions,
    WorkspaceRemoveTagsOptions,
    WorkspaceTagListOptions,
    WorkspaceUpdateOptions,
    WorkspaceUpdateRemoteStateConsumersOptions,
)
from pytfe.models.organization import OrganizationDefaultSettingsUpdateOptions  # noqa: E402
from pytfe.models.org_token_ttl_policy import (  # noqa: E402
    DEFAULT_MAX_TTL_MS,
    OrgTokenTTLPolicyUpdateOptions,
)
from pytfe.models.organization_token import (  # noqa: E402
    OrganizationTokenCreateOptions,
    OrganizationTokenDeleteOptions,
    OrganizationTokenReadOptions,
    TokenType,
)
from pytfe.models.team import OrganizationAccessOptions  # noqa: E402
from pytfe.models.team_project_access import (  # noqa: E402
    TeamProjectAccessAddOptions,
    TeamProjectAccessListOptions,
    TeamProjectAccessType,
    TeamProjectAccessUpdateOptions,
    TeamProjectAccessWorkspacePermissionsOptions,
    WorkspaceRunsPermissionType,
)
from pytfe.models.user import UserUpdateCurrentOptions  # noqa: E402
from pytfe.models.workspace import VCSRepoOptions  # noqa: E402
from pytfe.models.team_workspace_access import (  # noqa: E402
    TeamWorkspaceAccessAddOptions,
    TeamWorkspaceAccessType,
    TeamWorkspaceAccessUpdateOptions,
    TeamWorkspaceRunsPermission,
    TeamWorkspaceVariablesPermission,
)

Answer = TypeVar("Answer")

# What a client looks for when a description is not unique.
DESCRIPTION_TAKEN = "Validation failed: Description has already been taken"


# The parts of pytfe that are about what Latchkey has. It has none for user tokens and for the audit trail.
SERVICES = (
    "organization_memberships",
    "organization_tags",
    "organization_token_ttl_policies",
    "organization_tokens",
    "organizations",
    "projects",
    "reserved_tag_key",
    "team_project_accesses",
    "team_tokens",
    "team_workspace_accesses",
    "teams",
    "users",
    "workspaces",
)

# What pytfe can do besides with these, and why Latchkey has none of it.
REASONS = {
    "It asks no server.": ["organizations.validate"],
    "A token service has no runs.": ["organizations.read_capacity", "organizations.read_run_queue"],
    "A token service has no state, and so nothing to be retained.": [
        "organizations.delete_data_retention_policy",
        "organizations.read_data_retention_policy_choice",
        "organizations.set_data_retention_policy",
        "organizations.set_data_retention_policy_delete_older",
        "organizations.set_data_retention_policy_dont_delete",
        "workspaces.delete_data_retention_policy",
        "workspaces.read_data_retention_policy",
        "workspaces.read_data_retention_policy_choice",
        "workspaces.set_data_retention_policy",
        "workspaces.set_data_retention_policy_delete_older",
        "workspaces.set_data_retention_policy_dont_delete",
    ],
    "There are no SSH keys, assessments and variables.": [
        "workspaces.assign_ssh_key",
        "workspaces.current_assessment_result",
        "workspaces.list_applicable_varsets",
        "workspaces.unassign_ssh_key",
    ],
}
OUT_OF_PLACE = {method for methods in REASONS.values() for method in methods}

# Which methods the story has called.
CALLED: set[str] = set()


def noted(service: str, kind: type, name: str) -> None:
    """Have a method of pytfe's noted down when the story calls it."""
    method = vars(kind)[name]

    @functools.wraps(method)
    def call(*arguments: Any, **named: Any) -> Any:
        # Methods of pytfe that are called by pytfe itself do not count.
        if sys._getframe(1).f_code.co_filename == __file__:
            CALLED.add(f"{service}.{name}")
        return method(*arguments, **named)

    setattr(kind, name, call)


class Stopped(Exception):
    """The story cannot go on."""


class Nonsense(str, Enum):
    """Something that pytfe would not ask for by itself."""

    NONSENSE = "nonsense"


class Story:
    """The people and things of the story, and how well it went."""

    def __init__(self, address: str, token: str) -> None:
        self.address = address
        self.token = token
        self.unique = f"{time.time_ns():x}"
        self.clients: list[TFEClient] = []
        self.passed = 0
        self.failed = 0

        self.client: TFEClient  # speaks with the user's token
        self.me: User
        self.organization = ""  # where the story happens
        self.elsewhere = ""  # another organization, which must stay out of sight
        self.platform: Team
        self.release: Team
        self.managers: Team
        self.live: Workspace

    def tell(self) -> None:
        """Go through the chapters.

        A failed check does not end the story; only an answer that nothing can be
        built upon does.
        """
        try:
            self.a_user_arrives()
            self.an_organization_is_founded()
            self.teams_are_formed()
            self.a_user_joins_and_leaves()
            self.a_team_has_one_token_without_description()
            self.a_team_has_many_tokens_with_descriptions()
            self.an_organization_has_tokens_of_its_own()
            self.people_are_invited()
            self.tokens_live_only_so_long()
            self.tokens_are_listed()
            self.workspaces_are_made()
            self.workspaces_are_tagged()
            self.workspaces_are_locked()
            self.state_is_shared()
            self.an_organization_has_tags()
            self.projects_group_workspaces()
            self.teams_get_access_to_workspaces()
            self.teams_get_access_to_projects()
            self.tag_keys_are_reserved()
            self.strangers_are_refused()
            self.tokens_are_deleted()
            self.everything_is_deleted()
            self.nothing_was_left_out()
        except Stopped:
            pass
        except Exception as error:
            self.equal("the story can be told", "no error", describe(error))

    # The chapters.

    def a_user_arrives(self) -> None:
        self.need("TFE_ADDRESS and TFE_TOKEN are set", bool(self.address and self.token))
        self.client = self.connect(self.token)
        self.me = self.must(f"read the current user from {self.address}", self.client.users.read_current)
        self.check("the user has an id", self.me.id != "")
        self.check("the user has a user name", self.me.username != "")
        self.equal("the user is no service account", False, self.me.is_service_account)
        read = self.must("read the user by its id", lambda: self.client.users.read(self.me.id))
        self.equal("it is the same", (self.me.id, self.me.username), (read.id, read.username))
        name = f"py-{self.unique}"
        renamed = self.must(
            "take another user name",
            lambda: self.client.users.update_current(UserUpdateCurrentOptions(username=name)),
        )
        self.equal("it is the user's name now", name, renamed.username)
        self.must(
            "take the old one back",
            lambda: self.client.users.update_current(UserUpdateCurrentOptions(username=self.me.username)),
        )

    def an_organization_is_founded(self) -> None:
        organizations = self.client.organizations
        name = f"clients-py-{self.unique}"
        email = f"{name}@latchkey.example"
        self.organization = name

        created = self.must(
            "create an organization",
            lambda: organizations.create(OrganizationCreateOptions(name=name, email=email)),
        )
        self.equal("its id is its name", (name, name), (created.id, created.name))
        self.equal("it has the email that was asked for", email, created.email)

        read = self.must("read the organization", lambda: organizations.read(name))
        self.equal("it is the one that was created", created, read)
        self.need("it tells what the user may do", read.permissions is not None)
        self.equal("the user may update it", True, (read.permissions or {}).get("can-update"))
        self.equal("the user may create teams", True, (read.permissions or {}).get("can-create-team"))

        self.refused(
            "a second one of the same name is refused", TFEError, 422,
            lambda: organizations.create(OrganizationCreateOptions(name=name, email=email)),
        )

        # pytfe spells session_timeout with an underscore: a server may ignore it, but not refuse it.
        new_email = f"new-{email}"
        updated = self.must(
            "update the organization",
            lambda: organizations.update(
                name,
                OrganizationUpdateOptions(email=new_email, default_execution_mode="local", session_timeout=60),
            ),
        )
        self.equal("the email has changed", new_email, updated.email)
        self.equal("the execution mode has changed", "local", updated.default_execution_mode)
        read = self.must("read the updated organization", lambda: organizations.read(name))
        self.equal("the update was kept", (new_email, "local"), (read.email, read.default_execution_mode))

        settings = self.must("read the default settings", lambda: organizations.read_default_settings(name))
        self.equal("they tell of the execution mode", "local", settings.default_execution_mode)
        self.must("reset them", lambda: organizations.reset_default_settings(name))
        read = self.must("read the organization once more", lambda: organizations.read(name))
        self.equal("the execution mode is that of a new organization", "remote", read.default_execution_mode)
        settings = self.must(
            "update them",
            lambda: organizations.update_default_settings(
                name, OrganizationDefaultSettingsUpdateOptions(default_execution_mode="local")
            ),
        )
        self.equal("the execution mode has changed again", "local", settings.default_execution_mode)

        listed = self.must("list organizations", lambda: list(organizations.list()))
        self.equal("the organization is listed once", 1, [o.name for o in listed].count(name))

        entitlements = self.must("read the entitlements", lambda: organizations.read_entitlements(name))
        self.check("their id is the external id of the organization", entitlements.id.startswith("org-"))
        self.equal("the organization may have teams", True, entitlements.teams)

    def teams_are_formed(self) -> None:
        self.platform = self.create_team(
            "platform",
            visibility="organization",
            allow_member_token_management=False,
            organization_access=OrganizationAccessOptions(read_workspaces=True, read_projects=True),
        )
        self.equal("it is visible", "organization", self.platform.visibility)
        self.equal("its members may not manage its tokens", False, self.platform.allow_member_token_management)
        self.equal("it has no members", 0, users_count(self.platform))
        self.equal(
            "it may read workspaces and projects, and no more",
            {"read_workspaces", "read_projects"}, granted(self.platform.organization_access),
        )
        self.need("it tells what the user may do", self.platform.permissions is not None)
        permissions = self.platform.permissions
        self.equal(
            "the user may destroy it and change its members",
            (True, True), (permissions.can_destroy, permissions.can_update_membership),
        )

        self.release = self.create_team("release")
        self.equal("it is secret unless asked otherwise", "secret", self.release.visibility)
        self.equal("its members may manage its tokens unless asked otherwise",
                   True, self.release.allow_member_token_management)

        self.managers = self.create_team(
            "managers", organization_access=OrganizationAccessOptions(manage_teams=True)
        )

        read = self.must("read a team", lambda: self.client.teams.read(self.platform.id))
        self.equal("it is the one that was created", self.platform.name, read.name)
        self.equal("its organization access was kept", self.platform.organization_access, read.organization_access)

        self.platform = self.must(
            "update a team",
            lambda: self.client.teams.update(
                self.platform.id,
                TeamUpdateOptions(
                    name="platform-team",
                    visibility="secret",
                    allow_member_token_management=True,
                    organization_access=OrganizationAccessOptions(manage_workspaces=True),
                ),
            ),
        )
        self.equal("the name has changed", "platform-team", self.platform.name)
        self.equal("the visibility has changed", "secret", self.platform.visibility)
        self.equal("its members may now manage its tokens", True, self.platform.allow_member_token_management)
        self.equal(
            "it may manage workspaces, and still read",
            {"manage_workspaces", "read_workspaces", "read_projects"}, granted(self.platform.organization_access),
        )

        self.equal("all teams are listed, owners too",
                   ["managers", "owners", "platform-team", "release"], self.team_names())
        self.equal("teams are listed by one name",
                   ["release"], self.team_names(TeamListOptions(names=["release"])))
        self.equal("teams are listed by several names",
                   ["managers", "release"], self.team_names(TeamListOptions(names=["managers", "release"])))
        self.equal("teams are listed by a part of their name",
                   ["platform-team"], self.team_names(TeamListOptions(query="FORM-T")))
        self.equal("the pages hold every team once",
                   ["managers", "owners", "platform-team", "release"], self.team_names(TeamListOptions(page_size=3)))

    def a_user_joins_and_leaves(self) -> None:
        teams = self.client.teams
        self.equal("a new team has no members", [], self.must(
            "list the members of a team", lambda: list(teams.list_users(self.release.id))))

        self.must("add the user to the team", lambda: teams.add_users(self.release.id, [self.me.username]))
        users = self.must("list the members again", lambda: list(teams.list_users(self.release.id)))
        self.equal("the one member is the user, with id and user name",
                   [(self.me.id, self.me.username)], [(user.id, user.username) for user in users])

        read = self.must(
            "read the team with its users",
            lambda: teams.read(self.release.id, TeamReadOptions(include=[TeamIncludeOpt.TEAM_USERS])),
        )
        self.equal("it counts one member", 1, users_count(read))
        self.equal("the user is included", [self.me.username], [user.username for user in read.users])

        # In lists pytfe fills in no more of a user than the id.
        options = TeamListOptions(names=["owners", "release", "platform-team"], include=[TeamIncludeOpt.TEAM_USERS])
        for team in self.must("list teams with their users", lambda: list(teams.list(self.organization, options))):
            expected = [] if team.name == "platform-team" else [self.me.id]
            self.equal(f"the members of {team.name} are included", expected, [user.id for user in team.users])

        self.must("remove the user from the team", lambda: teams.remove_users(self.release.id, [self.me.username]))
        self.equal("it has no members any more", [], self.must(
            "list the members once more", lambda: list(teams.list_users(self.release.id))))

    def a_team_has_one_token_without_description(self) -> None:
        tokens = self.client.team_tokens
        self.not_found("a team without a token has none to read", lambda: tokens.read(self.platform.id))

        first = self.must("create the team's token", lambda: tokens.create(self.platform.id))
        self.check("its secret is shown", bool(first.token))
        self.equal("it has no description", None, first.description)
        self.check("it was created now", is_now(first.created_at))
        self.equal("it never expires", None, first.expired_at)
        self.equal("it was never used", None, first.last_used_at)
        self.need("it names its team", first.team is not None)
        self.equal("it belongs to the team", self.platform.id, first.team.id)
        self.equal("the user created it", ("user", self.me.id), creator(first))

        self.must("the team reads itself with its token",
                  lambda: self.acting_as(first).teams.read(self.platform.id))

        second = self.must("create the team's token again", lambda: tokens.create(self.platform.id))
        self.check("the secret is another one", bool(second.token) and second.token != first.token)
        self.unauthorized("the first token has stopped working",
                          lambda: self.acting_as(first).teams.read(self.platform.id))
        self.must("the second token works", lambda: self.acting_as(second).teams.read(self.platform.id))

        read = self.must("read the token by its team", lambda: tokens.read(self.platform.id))
        self.equal("it is the second one", second.id, read.id)
        self.equal("its secret is not shown again", None, read.token)

        expiry = in_days(10)
        expiring = self.must(
            "create a team's token that expires",
            lambda: tokens.create_with_options(self.release.id, TeamTokenCreateOptions(expired_at=expiry)),
        )
        self.equal("it expires when it was asked to", expiry, expiring.expired_at)
        self.equal("it has no description either", None, expiring.description)
        self.must("create another team's token", lambda: tokens.create(self.managers.id))

    def a_team_has_many_tokens_with_descriptions(self) -> None:
        tokens = self.client.team_tokens
        expiry = in_days(30)
        deploy = self.create_token(self.client, self.platform, "deploy", expiry)
        self.equal("it expires when it was asked to", expiry, deploy.expired_at)
        self.equal("the user created it", ("user", self.me.id), creator(deploy))
        self.create_token(self.client, self.platform, "build")

        self.refused(
            "the description is taken", TFEError, 422,
            lambda: tokens.create_with_options(self.platform.id, TeamTokenCreateOptions(description="deploy")),
            saying=DESCRIPTION_TAKEN,
        )
        self.create_token(self.client, self.release, "deploy")  # taken in one team, free in another
        self.refused(
            "a token that has expired already is refused", TFEError, 422,
            lambda: tokens.create_with_options(
                self.platform.id, TeamTokenCreateOptions(description="late", expired_at=in_days(-1))
            ),
        )

        read = self.must("read a token by its id", lambda: tokens.read_by_id(deploy.id))
        self.equal("it is that token", (deploy.id, "deploy", expiry), (read.id, read.description, read.expired_at))
        self.equal("its secret is not shown again", None, read.token)

        team = self.acting_as(deploy)
        itself = self.must("the team reads itself with this token", lambda: team.teams.read(self.platform.id))
        self.equal("it is that team", "platform-team", itself.name)
        current = self.must("read the current user with a team's token", team.users.read_current)
        self.equal("it is a service account", True, current.is_service_account)
        self.check("it is not the user", current.id != self.me.id)
        self.need("the use of the token is noted", self.eventually_used(deploy))

        # Teams may hold the right to manage others: then a team is the creator.
        managers = self.must("create the managers' token", lambda: tokens.create(self.managers.id))
        nightly = self.create_token(self.acting_as(managers), self.release, "nightly", in_days(60))
        self.equal("the managers created it", ("team", self.managers.id), creator(nightly))

    def an_organization_has_tokens_of_its_own(self) -> None:
        tokens = self.client.organization_tokens
        first = self.must("create the organization's token", lambda: tokens.create(self.organization))
        self.check("it tells its secret", (first.token or "").startswith("lko_"))
        expiry = in_days(30)
        second = self.must(
            "create its successor",
            lambda: tokens.create_with_options(
                self.organization, OrganizationTokenCreateOptions(expired_at=expiry)
            ),
        )
        self.equal("it expires when it was asked to", time_key(expiry), time_key(second.expired_at))
        self.unauthorized(
            "the first has stopped working", self.connect(first.token or "").users.read_current
        )
        teams = self.connect(second.token or "").teams
        self.must("list the teams with the second", lambda: list(teams.list(self.organization)))
        trail = self.must(
            "create the audit-trails token",
            lambda: tokens.create_with_options(
                self.organization, OrganizationTokenCreateOptions(token=TokenType.AUDIT_TRAILS)
            ),
        )
        read = self.must(
            "read the audit-trails token",
            lambda: tokens.read_with_options(
                self.organization, OrganizationTokenReadOptions(token=TokenType.AUDIT_TRAILS)
            ),
        )
        self.equal("it is that one", trail.id, read.id)
        self.equal("it keeps its secret", None, read.token)
        self.must(
            "delete it",
            lambda: tokens.delete_with_options(
                self.organization, OrganizationTokenDeleteOptions(token=TokenType.AUDIT_TRAILS)
            ),
        )
        read = self.must("read the organization's token", lambda: tokens.read(self.organization))
        self.equal("it is the second", second.id, read.id)
        self.must("delete that, too", lambda: tokens.delete(self.organization))
        self.not_found("it is not found any more", lambda: tokens.read(self.organization))

    def people_are_invited(self) -> None:
        members = self.client.organization_memberships
        email = f"invited-{self.unique}@latchkey.example"
        invited = self.must(
            "invite somebody",
            lambda: members.create(
                self.organization,
                OrganizationMembershipCreateOptions(email=email, teams=[self.platform]),
            ),
        )
        self.equal("the address is that", email, invited.email)
        self.equal("the invitation is open", "invited", invited.status.value)
        found = self.must(
            "find the invitation",
            lambda: list(
                members.list(self.organization, OrganizationMembershipListOptions(emails=[email]))
            ),
        )
        self.equal("it is the only one", [invited.id], [one.id for one in found])
        read = self.must("read it", lambda: members.read(invited.id))
        self.equal("it is that one", invited.id, read.id)
        both = OrganizationMembershipReadOptions(
            include=[OrgMembershipIncludeOpt.USER, OrgMembershipIncludeOpt.TEAMS]
        )
        read = self.must("read it with its user and teams", lambda: members.read_with_options(invited.id, both))
        self.check("the user is included", bool(read.user and read.user.email == email))
        self.check("who has chosen no name yet", not read.user.username)
        self.equal(
            "the team it was invited into is included", [self.platform.name], [team.name for team in read.teams or []]
        )

        teams, ids = self.client.teams, [invited.id]
        self.must("put it into a team", lambda: teams.add_organization_memberships(self.release.id, ids))
        inside = self.must(
            "list the team's memberships",
            lambda: list(
                teams.list_organization_memberships(
                    self.release.id, status="invited", is_service_account=False, sort="username"
                )
            ),
        )
        self.equal("it is the only one invited", ids, [one.id for one in inside])
        self.must("take it out", lambda: teams.remove_organization_memberships(self.release.id, ids))
        inside = self.must(
            "list them again", lambda: list(teams.list_organization_memberships(self.release.id))
        )
        self.equal("it is gone", [], [one.id for one in inside if one.id == invited.id])
        self.must("remove the invitation", lambda: members.delete(invited.id))
        self.not_found("it is not found any more", lambda: members.read(invited.id))

    def tokens_live_only_so_long(self) -> None:
        policies = self.client.organization_token_ttl_policies
        listed = self.must("list the TTL policies", lambda: list(policies.list(self.organization)))
        self.equal("there are four", 4, len(listed))
        changed = self.must(
            "set two of them",
            lambda: policies.update(
                self.organization, OrgTokenTTLPolicyUpdateOptions(organization="1d", audit_trails="2d")
            ),
        )
        day = 24 * 60 * 60 * 1000
        self.equal(
            "these two are set, and the others are as they were",
            {
                "organization": day,
                "audit_trails": 2 * day,
                "team": DEFAULT_MAX_TTL_MS,
                "user": DEFAULT_MAX_TTL_MS,
            },
            {one.token_type.value: one.max_ttl_ms for one in changed if one.token_type},
        )
        self.refused(
            "a maximum that is too short is refused", TFEError, 422,
            lambda: policies.update(self.organization, OrgTokenTTLPolicyUpdateOptions(team="1s")),
        )
        reset = self.must("reset them", lambda: policies.reset_to_defaults(self.organization))
        self.equal("all are the default again", {DEFAULT_MAX_TTL_MS}, {one.max_ttl_ms for one in reset})

    def tokens_are_listed(self) -> None:
        everything = self.tokens()
        self.equal(
            "every team token of the organization is listed",
            [
                "managers/None", "platform-team/None", "platform-team/build", "platform-team/deploy",
                "release/None", "release/deploy", "release/nightly",
            ],
            self.labels(everything),
        )
        self.equal("no secret is listed", {None}, {token.token for token in everything})

        expiries = [time_key(token.expired_at) for token in everything]
        self.equal("unless asked otherwise they are sorted by expiry", sorted(expiries), expiries)

        orders: dict[str, Callable[[TeamToken], str]] = {
            "team-name": self.team_name,
            "expired-at": lambda token: time_key(token.expired_at),
            # What was never used comes before what was.
            "last-used-at": lambda token: time_key(token.last_used_at) if token.last_used_at else "(never)",
        }
        for order, key in orders.items():
            up = [key(token) for token in self.tokens(sort=order)]
            self.equal(f"sorted by {order}, all are listed", len(everything), len(up))
            self.equal(f"sorted by {order}", sorted(up), up)
            down = [key(token) for token in self.tokens(sort=f"-{order}")]
            self.equal(f"sorted by -{order}, all are listed", len(everything), len(down))
            self.equal(f"sorted by -{order}", sorted(down, reverse=True), down)

        up = without_repeats(creator(token) for token in self.tokens(sort="created-by"))
        down = without_repeats(creator(token) for token in self.tokens(sort="-created-by"))
        self.equal(
            "sorted by created-by, each creator's tokens are together",
            [("team", self.managers.id), ("user", self.me.id)], sorted(up),
        )
        self.equal("sorted by -created-by, it is the other way round", up[::-1], down)

        self.equal("tokens are listed by a part of their team's name",
                   ["release/None", "release/deploy", "release/nightly"], self.labels(self.tokens(query="ELEAS")))
        self.equal("no team has such a name", [], self.tokens(query="no-such-team"))

        paged = self.tokens(page_size=1)
        self.equal("pages of one token each hold every token once, in order",
                   [token.id for token in everything], [token.id for token in paged])

    def workspaces_are_made(self) -> None:
        workspaces, place = self.client.workspaces, self.organization
        self.live = self.must(
            "create a workspace",
            lambda: workspaces.create(
                place,
                WorkspaceCreateOptions(
                    name="live",
                    description="What customers see",
                    auto_apply=True,
                    execution_mode="local",
                    trigger_patterns=["/a/**"],
                    working_directory="live",
                ),
            ),
        )
        self.check("it has an id", self.live.id.startswith("ws-"))
        read = self.must("read it by its name", lambda: workspaces.read("live", organization=place))
        self.equal("it is the one that was created", self.live.id, read.id)
        self.equal("its description is kept", "What customers see", read.description)
        self.equal("auto-apply is kept", True, read.auto_apply)
        self.equal("the execution mode is kept", "local", read.execution_mode and read.execution_mode.value)
        self.equal("the trigger patterns are kept", ["/a/**"], read.trigger_patterns)
        self.equal("the working directory is kept", "live", read.working_directory)
        self.check("the user may update it", bool(read.permissions and read.permissions.can_update))

        self.must("create another", lambda: workspaces.create(place, WorkspaceCreateOptions(name="test")))
        self.equal("both are listed", ["live", "test"], self.workspace_names())
        self.equal("they are searched", ["test"], self.workspace_names(WorkspaceListOptions(search="ES")))

        updated = self.must(
            "update it by its name",
            lambda: workspaces.update("test", WorkspaceUpdateOptions(name="trial"), organization=place),
        )
        self.equal("its name has changed", "trial", updated.name)
        changed = self.must(
            "update it by its id",
            lambda: workspaces.update_by_id(updated.id, WorkspaceUpdateOptions(queue_all_runs=True)),
        )
        self.equal("what was changed has changed", True, changed.queue_all_runs)
        self.equal("what was not changed is as it was", "trial", changed.name)

        repository = VCSRepoOptions(identifier="acme/infra", oauth_token_id="ot-1")
        for name, remove in (
            ("name", lambda: workspaces.remove_vcs_connection("trial", organization=place)),
            ("id", lambda: workspaces.remove_vcs_connection_by_id(updated.id)),
        ):
            with_one = self.must(
                "connect it with a repository",
                lambda: workspaces.update_by_id(updated.id, WorkspaceUpdateOptions(vcs_repo=repository)),
            )
            self.equal("it is kept", "acme/infra", with_one.vcs_repo and with_one.vcs_repo.identifier)
            without = self.must(f"disconnect it by its {name}", remove)
            self.equal("it is gone", None, without.vcs_repo)

        whole = WorkspaceReadOptions(include=[WorkspaceIncludeOpt.ORGANIZATION])
        for name, read_whole in (
            ("name", lambda: workspaces.read_with_options("trial", whole, organization=place)),
            ("id", lambda: workspaces.read_by_id_with_options(updated.id, whole)),
        ):
            read = self.must(f"read it with its organization by its {name}", read_whole)
            self.equal("the organization is the one it is in", place, read.organization and read.organization.name)
        self.equal("it has no readme", None, self.must("read its readme", lambda: workspaces.readme(updated.id)))

    def workspaces_are_tagged(self) -> None:
        workspaces, live = self.client.workspaces, self.live
        tags = [Tag(name="app"), Tag(name="team:web")]
        self.must("tag the workspace", lambda: workspaces.add_tags(live.id, WorkspaceAddTagsOptions(tags=tags)))
        read = self.must("read it", lambda: workspaces.read_by_id(live.id))
        self.equal("it tells its tags", ["app", "team:web"], read.tag_names)
        listed = self.must("list its tags", lambda: list(workspaces.list_tags(live.id)))
        self.equal("they are these", ["app", "team:web"], [tag.name for tag in listed])
        self.check("they have ids", all((tag.id or "").startswith("tag-") for tag in listed))
        part = WorkspaceTagListOptions(query="web")
        found = self.must("search them", lambda: list(workspaces.list_tags(live.id, part)))
        self.equal("one is found", ["team:web"], [tag.name for tag in found])
        self.equal("workspaces are found by a tag", ["live"], self.workspace_names(WorkspaceListOptions(tags="app")))
        self.equal("and by the lack of one", ["trial"],
                   self.workspace_names(WorkspaceListOptions(exclude_tags="app")))
        gone = [Tag(name="app"), Tag(id=listed[1].id)]
        self.must(
            "take the tags away, one by its name and one by its id",
            lambda: workspaces.remove_tags(live.id, WorkspaceRemoveTagsOptions(tags=gone)),
        )
        self.equal("it has none any more", [], self.must(
            "list its tags again", lambda: list(workspaces.list_tags(live.id))))

        pairs = [TagBinding(key="env", value="prod"), TagBinding(key="cost", value="42")]
        bound = self.must(
            "bind keys to it",
            lambda: list(workspaces.add_tag_bindings(live.id, WorkspaceAddTagBindingsOptions(tag_bindings=pairs))),
        )
        expected = [("env", "prod"), ("cost", "42")]
        self.equal("they are told", expected, [(one.key, one.value) for one in bound])
        for name, call in (
            ("those of its own", lambda: list(workspaces.list_tag_bindings(live.id))),
            ("those in force", lambda: list(workspaces.list_effective_tag_bindings(live.id))),
        ):
            told = self.must(f"list {name}", call)
            self.equal("they are kept", expected, [(one.key, one.value) for one in told])
        self.must("delete them all", lambda: workspaces.delete_all_tag_bindings(live.id))
        self.equal("there are none any more", [], self.must(
            "list them again", lambda: list(workspaces.list_tag_bindings(live.id))))

    def workspaces_are_locked(self) -> None:
        workspaces, live = self.client.workspaces, self.live
        locked = self.must("lock it", lambda: workspaces.lock(live.id, WorkspaceLockOptions(reason="Maintenance")))
        self.equal("it is locked", True, locked.locked)
        me = self.must("read oneself", self.client.users.read_current)
        self.equal("by the user", me.id, locked.locked_by and locked.locked_by.user)
        self.refused(
            "a second lock is refused", TFEError, 409,
            lambda: workspaces.lock(live.id, WorkspaceLockOptions(reason=None)), saying="is locked by User",
        )
        unsafe = "must be unlocked before it can be safely deleted"
        self.refused(
            "it is not deleted safely", TFEError, 409, lambda: workspaces.safe_delete_by_id(live.id), saying=unsafe
        )
        unlocked = self.must("unlock it", lambda: workspaces.unlock(live.id))
        self.equal("it is not locked any more", (False, None), (unlocked.locked, unlocked.locked_by))
        self.must("lock it again", lambda: workspaces.lock(live.id, WorkspaceLockOptions(reason=None)))
        forced = self.must("unlock it by force", lambda: workspaces.force_unlock(live.id))
        self.equal("it is not locked", False, forced.locked)

    def state_is_shared(self) -> None:
        workspaces, live = self.client.workspaces, self.live
        trial = self.must("read another", lambda: workspaces.read("trial", organization=self.organization))

        def consumers() -> list[str | None]:
            listed = self.must(
                "list who may read its state", lambda: list(workspaces.list_remote_state_consumers(live.id))
            )
            return [one.name for one in listed]

        self.equal("nobody is named", [], consumers())
        both, one = [live, trial], [trial]
        self.must(
            "name two",
            lambda: workspaces.add_remote_state_consumers(
                live.id, WorkspaceAddRemoteStateConsumersOptions(workspaces=both)),
        )
        self.equal("they are told", ["live", "trial"], consumers())
        self.must(
            "take one away",
            lambda: workspaces.remove_remote_state_consumers(
                live.id, WorkspaceRemoveRemoteStateConsumersOptions(workspaces=one)),
        )
        self.equal("the other is left", ["live"], consumers())
        self.must(
            "name another instead",
            lambda: workspaces.update_remote_state_consumers(
                live.id, WorkspaceUpdateRemoteStateConsumersOptions(workspaces=one)),
        )
        self.equal("it is the only one", ["trial"], consumers())

    def an_organization_has_tags(self) -> None:
        tags, place, live = self.client.organization_tags, self.organization, self.live
        shared = [Tag(name="shared")]
        self.must("tag it", lambda: self.client.workspaces.add_tags(live.id, WorkspaceAddTagsOptions(tags=shared)))

        def found(**options: str) -> list[tuple[str | None, int | None]]:
            listed = self.must("list the tags", lambda: list(tags.list(place, OrganizationTagsListOptions(**options))))
            return [(tag.name, tag.instance_count) for tag in listed]

        self.equal("one is found by a part of its name", [("shared", 1)], found(query="share"))
        self.equal("what a workspace has can be left out", [], found(query="share", filter=live.id))
        tag = self.must("read it", lambda: list(tags.list(place, OrganizationTagsListOptions(query="share"))))[0]
        self.equal("it tells its organization", place, tag.organization and tag.organization.id)
        trial = self.must("read another", lambda: self.client.workspaces.read("trial", organization=place))
        self.must(
            "give it to another",
            lambda: tags.add_workspaces(place, tag.id, AddWorkspacesToTagOptions(workspace_ids=[trial.id])),
        )
        self.equal("two have it", [("shared", 2)], found(query="share"))
        self.must("delete it", lambda: tags.delete(place, OrganizationTagsDeleteOptions(ids=[tag.id])))
        self.equal("it is not found any more", [], found(query="share"))

    def projects_group_workspaces(self) -> None:
        projects, place = self.client.projects, self.organization
        pairs = [TagBinding(key="env", value="prod"), TagBinding(key="area", value="eu")]
        options = ProjectCreateOptions(name="Core services", description="What all need", tag_bindings=pairs)
        made = self.must("create a project", lambda: projects.create(place, options))
        self.equal("its name", "Core services", made.name)
        self.equal("its description", "What all need", made.description)
        self.equal("it is in the organization", place, made.organization and made.organization.id)
        listed = self.must("list the projects", lambda: list(projects.list(place)))
        self.equal("the default project is first", ["Default Project", "Core services"], [one.name for one in listed])
        for search in (
            ProjectListOptions(name="core services"),
            ProjectListOptions(query="CORE"),
            ProjectListOptions(tags={"env": "prod", "area": "eu"}),
        ):
            found = self.must("search them", lambda search=search: list(projects.list(place, search)))
            self.equal("one is found", [made.id], [one.id for one in found])
        changed = self.must(
            "change it",
            lambda: projects.update(made.id, ProjectUpdateOptions(name="Core", auto_destroy_activity_duration="14d")),
        )
        self.equal("its name has changed", "Core", changed.name)
        read = self.must("read it", lambda: projects.read(made.id, include=["effective_tag_bindings"]))
        self.equal("its duration is kept", "14d", read.auto_destroy_activity_duration)
        more = ProjectAddTagBindingsOptions(tag_bindings=[TagBinding(key="env", value="test")])
        bound = self.must("give a binding another value", lambda: projects.add_tag_bindings(made.id, more))
        expected = [("env", "test"), ("area", "eu")]
        self.equal("both are there", expected, [(one.key, one.value) for one in bound])
        for name, call in (
            ("those of its own", lambda: projects.list_tag_bindings(made.id)),
            ("those in force", lambda: list(projects.list_effective_tag_bindings(made.id))),
        ):
            told = self.must(f"list {name}", call)
            self.equal("they are kept", expected, [(one.key, one.value) for one in told])
        workspaces, live = self.client.workspaces, self.live
        self.must("move a workspace into it", lambda: projects.move_workspaces(made.id, [live.id]))
        inside = self.must("read the workspace", lambda: workspaces.read_by_id(live.id))
        self.equal("it is there", made.id, inside.project and inside.project.id)
        inherited = self.must("list its bindings", lambda: list(workspaces.list_effective_tag_bindings(live.id)))
        self.equal("it inherits them", expected, [(one.key, one.value) for one in inherited])
        self.refused("a project with workspaces stays", AuthError, 403, lambda: projects.delete(made.id))
        self.must("move it back", lambda: projects.move_workspaces(listed[0].id, [live.id]))
        self.must("delete the bindings", lambda: projects.delete_tag_bindings(made.id))
        self.equal("none is left", [], self.must("list them", lambda: projects.list_tag_bindings(made.id)))
        self.must("delete the project", lambda: projects.delete(made.id))
        self.not_found("it is gone", lambda: projects.read(made.id))

    def teams_get_access_to_projects(self) -> None:
        access, projects = self.client.team_project_accesses, self.client.projects
        project = self.must(
            "create another project", lambda: projects.create(self.organization, ProjectCreateOptions(name="Shared"))
        )
        team, whole = Team(id=self.release.id), Project(id=project.id)
        for level in TeamProjectAccessType:
            options = TeamProjectAccessAddOptions(access=level, team=team, project=whole)
            given = self.must(f"give the access {level.value}", lambda options=options: access.add(options))
            self.equal("it has its level", level, given.access)
            self.equal("it names both", (self.release.id, project.id),
                       (given.team and given.team.id, given.project and given.project.id))
            of_project = TeamProjectAccessListOptions(project_id=project.id)
            listed = self.must("list who has access", lambda of_project=of_project: list(access.list(of_project)))
            self.equal("it is that one", [given.id], [one.id for one in listed])
            custom = TeamProjectAccessUpdateOptions(
                access=TeamProjectAccessType.TEAM_PROJECT_ACCESS_CUSTOM,
                workspace_access=TeamProjectAccessWorkspacePermissionsOptions(
                    runs=WorkspaceRunsPermissionType.WORKSPACE_RUNS_PERMISSION_PLAN, move=True
                ),
            )
            self.must("choose what it holds", lambda given=given, custom=custom: access.update(given.id, custom))
            read = self.must("read it", lambda given=given: access.read(given.id))
            self.check("it is kept", bool(read.workspace_access and read.workspace_access.move))
            self.must("take it away", lambda given=given: access.remove(given.id))
            self.not_found("it is gone", lambda given=given: access.read(given.id))
        self.must("delete the project", lambda: projects.delete(project.id))

    def tag_keys_are_reserved(self) -> None:
        keys, place = self.client.reserved_tag_key, self.organization
        new = ReservedTagKeyCreateOptions(key="cost-center", disable_overrides=False)
        made = self.must("reserve a tag key", lambda: keys.create(place, new))
        self.equal("the key", "cost-center", made.key)
        changes = ReservedTagKeyUpdateOptions(disable_overrides=True)
        changed = self.must("change it", lambda: keys.update(made.id, changes))
        self.equal("it is not overridden", True, changed.disable_overrides)
        listed = self.must("list the reserved keys", lambda: list(keys.list(place)))
        self.equal("there is one", [made.id], [one.id for one in listed])
        self.must("give it free", lambda: keys.delete(made.id))

    def teams_get_access_to_workspaces(self) -> None:
        access, live = self.client.team_workspace_accesses, self.live
        secret = self.create_token(self.client, self.release, "workspaces")
        theirs = self.acting_as(secret)
        self.not_found("without access there is no workspace", lambda: theirs.workspaces.read_by_id(live.id))
        for level in TeamWorkspaceAccessType:
            options = TeamWorkspaceAccessAddOptions(team_id=self.release.id, workspace_id=live.id, access=level)
            given = self.must(f"give the access {level.value}", lambda options=options: access.add(options))
            self.equal("it has its level", level, given.access)
            self.equal("it names both", (self.release.id, live.id), (given.team_id, given.workspace_id))
            seen = self.must("the team reads the workspace", lambda: theirs.workspaces.read_by_id(live.id))
            admin = level is TeamWorkspaceAccessType.ADMIN
            self.equal("only an admin may update it", admin, bool(seen.permissions and seen.permissions.can_update))
            self.must("take the access away", lambda given=given: access.remove(given.id))
            self.not_found("it is not found any more", lambda given=given: access.read(given.id))

        given = self.must(
            "give custom access",
            lambda: access.add(
                TeamWorkspaceAccessAddOptions(
                    team_id=self.release.id,
                    workspace_id=live.id,
                    access=TeamWorkspaceAccessType.CUSTOM,
                    runs=TeamWorkspaceRunsPermission.APPLY,
                    workspace_locking=True,
                )
            ),
        )
        self.equal("its runs are kept", TeamWorkspaceRunsPermission.APPLY, given.runs)
        self.equal("its variables are the least", TeamWorkspaceVariablesPermission.NONE, given.variables)
        self.equal("its locking is kept", True, given.workspace_locking)
        updated = self.must(
            "change it to plan",
            lambda: access.update(
                given.id, TeamWorkspaceAccessUpdateOptions(access=TeamWorkspaceAccessType.PLAN)
            ),
        )
        self.equal("its runs are those of the level", TeamWorkspaceRunsPermission.PLAN, updated.runs)
        read = self.must("read it", lambda: access.read(given.id))
        self.equal("it is as it was changed", (given.id, updated.access), (read.id, read.access))
        listed = self.must("list the access", lambda: list(access.list(live.id)))
        self.equal("it is the only one", [given.id], [one.id for one in listed])

        self.must("delete the workspace", lambda: self.client.workspaces.delete_by_id(live.id))
        self.not_found("its access is gone with it", lambda: access.read(given.id))
        self.must(
            "delete the other by its name",
            lambda: self.client.workspaces.delete("trial", organization=self.organization),
        )
        workspaces, place = self.client.workspaces, self.organization
        for name in ("by-name", "by-id"):
            again = self.must(
                f"create {name}",
                lambda name=name: workspaces.create(place, WorkspaceCreateOptions(name=name)),
            )
        self.must("delete one safely by its name", lambda: workspaces.safe_delete("by-name", organization=place))
        self.must("delete one safely by its id", lambda: workspaces.safe_delete_by_id(again.id))
        self.equal("there are no workspaces any more", [], self.workspace_names())
        self.must("delete the team's token", lambda: self.client.team_tokens.delete_by_id(secret.id))

    def strangers_are_refused(self) -> None:
        stranger = self.connect("not-a-token")
        self.unauthorized("a wrong token is refused", stranger.users.read_current)
        self.unauthorized("a wrong token learns nothing of a team", lambda: stranger.teams.read(self.platform.id))

        tokens = self.client.team_tokens
        self.not_found("no token is found by the id of no token", lambda: tokens.read_by_id("at-doesnotexist"))
        self.not_found("no token is deleted by the id of no token", lambda: tokens.delete_by_id("at-doesnotexist"))
        self.not_found("no token is found by the id of a team", lambda: tokens.read_by_id(self.platform.id))
        self.not_found("no team is found by a foreign id", lambda: self.client.teams.read("team-doesnotexist"))

        self.a_neighbour_is_out_of_sight()

        nonsense = TeamListOptions.model_construct(include=[Nonsense.NONSENSE])
        self.refused("teams cannot include nonsense", TFEError, 400,
                     lambda: list(self.client.teams.list(self.organization, nonsense)))
        self.refused("tokens cannot be sorted by nonsense", TFEError, 400,
                     lambda: list(tokens.list(self.organization, TeamTokenListOptions(sort="nonsense"))))

    def a_neighbour_is_out_of_sight(self) -> None:
        """A team of one organization learns nothing of another."""
        name = f"clients-py-elsewhere-{self.unique}"
        options = OrganizationCreateOptions(name=name, email=f"{name}@latchkey.example")
        self.elsewhere = name
        self.must("create another organization", lambda: self.client.organizations.create(options))
        neighbours = self.must(
            "create a team there", lambda: self.client.teams.create(name, TeamCreateOptions(name="neighbours"))
        )
        token = self.must("create its token", lambda: self.client.team_tokens.create(neighbours.id))

        neighbour = self.acting_as(token)
        self.not_found("the neighbours cannot see the organization",
                       lambda: neighbour.organizations.read(self.organization))
        self.not_found("the neighbours cannot see its team", lambda: neighbour.teams.read(self.platform.id))
        self.not_found("the neighbours cannot create a token there",
                       lambda: neighbour.team_tokens.create(self.platform.id))
        self.not_found("the neighbours cannot list its tokens",
                       lambda: list(neighbour.team_tokens.list(self.organization)))

    def tokens_are_deleted(self) -> None:
        tokens = self.client.team_tokens
        token = self.must("create the team's token once more", lambda: tokens.create(self.platform.id))
        self.must("delete it by its team", lambda: tokens.delete(self.platform.id))
        self.unauthorized("it has stopped working", lambda: self.acting_as(token).teams.read(self.platform.id))
        self.not_found("it is not found by its team", lambda: tokens.read(self.platform.id))
        self.not_found("it is not found by its id", lambda: tokens.read_by_id(token.id))
        self.not_found("it cannot be deleted twice", lambda: tokens.delete(self.platform.id))
        self.equal("the tokens with a description are left",
                   ["platform-team/build", "platform-team/deploy"], self.labels(self.tokens(query="platform")))

        short = self.create_token(self.client, self.platform, "short-lived")
        self.must("delete it by its id", lambda: tokens.delete_by_id(short.id))
        self.unauthorized("it has stopped working", lambda: self.acting_as(short).teams.read(self.platform.id))
        self.not_found("it is not found by its id", lambda: tokens.read_by_id(short.id))
        self.not_found("it cannot be deleted twice", lambda: tokens.delete_by_id(short.id))
        self.create_token(self.client, self.platform, "short-lived")  # its description is free again

    def everything_is_deleted(self) -> None:
        token = self.create_token(self.client, self.platform, "last")
        self.must("delete the team", lambda: self.client.teams.delete(self.platform.id))
        self.not_found("the team is not found any more", lambda: self.client.teams.read(self.platform.id))
        self.unauthorized("its tokens have stopped working", self.acting_as(token).users.read_current)

        token = self.create_token(self.client, self.release, "last")
        name = self.organization
        self.must("delete the organization", lambda: self.client.organizations.delete(name))
        self.not_found("the organization is not found any more", lambda: self.client.organizations.read(name))
        self.unauthorized("its teams' tokens have stopped working", self.acting_as(token).users.read_current)
        self.organization = ""

        self.must("delete the other organization", lambda: self.client.organizations.delete(self.elsewhere))
        self.elsewhere = ""

    def nothing_was_left_out(self) -> None:
        """Whatever pytfe can do with what Latchkey has was done, but for what `OUT_OF_PLACE` gives a reason."""
        for service in SERVICES:
            kind = type(getattr(self.client, service))
            methods = {f"{service}.{name}" for name in vars(kind) if not name.startswith("_")}
            excused = {name for name in OUT_OF_PLACE if name.startswith(f"{service}.")}
            self.equal(f"every method of {service} was called, or has its reason", methods, CALLED & methods | excused)
            self.equal(f"nothing of {service} was called that is out of place", set(), CALLED & excused)

    def clean_up(self) -> None:
        """Remove what a story that ended early has left behind."""
        for name in (self.organization, self.elsewhere):
            if name:
                try:
                    self.client.organizations.delete(name)
                except TFEError:
                    pass
        for client in self.clients:
            client.close()

    # The words in which the story is told.

    def connect(self, token: str) -> TFEClient:
        """Make a client that talks to the server and to nothing else."""
        config = TFEConfig(address=self.address, token=token, timeout=30, max_retries=2, proxies=None)
        client = TFEClient(config)
        for service in SERVICES:
            kind = type(getattr(client, service))
            for name, member in list(vars(kind).items()):
                if isfunction(member) and not name.startswith("_") and not hasattr(member, "__wrapped__"):
                    noted(service, kind, name)
        # pytfe follows redirects wherever they lead, and has no setting for it.
        client._transport._sync.event_hooks = {"request": [self.stay_here]}
        self.clients.append(client)
        return client

    def stay_here(self, request: httpx.Request) -> None:
        here = httpx.URL(self.address)
        if (request.url.scheme, request.url.host, request.url.port) != (here.scheme, here.host, here.port):
            raise TFEError(f"the server redirects to {request.url}")

    def acting_as(self, token: TeamToken) -> TFEClient:
        return self.connect(token.token or "")

    def create_team(self, name: str, **options: Any) -> Team:
        team = self.must(
            f"create the team {name}",
            lambda: self.client.teams.create(self.organization, TeamCreateOptions(name=name, **options)),
        )
        self.equal("it has its name", name, team.name)
        self.check("it has an id", team.id.startswith("team-"))
        self.need("it tells its organization access", team.organization_access is not None)
        return team

    def create_token(
        self, client: TFEClient, team: Team, description: str, expiry: datetime | None = None
    ) -> TeamToken:
        token = self.must(
            f"create a token of {team.name} with the description {description!r}",
            lambda: client.team_tokens.create_with_options(
                team.id, TeamTokenCreateOptions(description=description, expired_at=expiry)
            ),
        )
        self.check("its secret is shown", bool(token.token))
        self.equal("its description is the one that was asked for", description, token.description)
        self.need("it names its team", token.team is not None)
        self.equal("it belongs to the team", team.id, token.team.id)
        return token

    def team_names(self, options: TeamListOptions | None = None) -> list[str]:
        teams = self.must("list teams", lambda: list(self.client.teams.list(self.organization, options)))
        return sorted(team.name or "" for team in teams)

    def workspace_names(self, options: WorkspaceListOptions | None = None) -> list[str]:
        found = self.must("list the workspaces", lambda: list(self.client.workspaces.list(self.organization, options)))
        return [workspace.name for workspace in found]

    def tokens(self, **options: Any) -> list[TeamToken]:
        tokens = self.must(
            "list tokens",
            lambda: list(self.client.team_tokens.list(self.organization, TeamTokenListOptions(**options))),
        )
        self.need("every listed token names its team", all(token.team for token in tokens))
        return tokens

    def labels(self, tokens: Iterable[TeamToken]) -> list[str]:
        """Name tokens by their teams and descriptions."""
        return sorted(f"{self.team_name(token)}/{token.description}" for token in tokens)

    def team_name(self, token: TeamToken) -> str:
        names = {team.id: team.name or "" for team in (self.platform, self.release, self.managers)}
        return names.get(token.team.id if token.team else "", "an unknown team")

    def eventually_used(self, token: TeamToken) -> bool:
        """Wait until the server tells when a token was last used; it may take a moment to write that down."""
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            if is_now(self.client.team_tokens.read_by_id(token.id).last_used_at):
                return True
            time.sleep(0.2)
        return False

    # The checks.

    def equal(self, what: str, expected: Any, got: Any) -> None:
        if expected == got:
            self.passed += 1
            print(f"ok   {what}")
        else:
            self.failed += 1
            print(f"FAIL {what}: expected {expected!r}, got {got!r}")

    def check(self, what: str, holds: bool) -> None:
        self.equal(what, True, holds)

    def need(self, what: str, holds: bool) -> None:
        """Check something without which the story cannot go on."""
        self.check(what, holds)
        if not holds:
            raise Stopped

    def must(self, what: str, call: Callable[[], Answer]) -> Answer:
        """Make a call that has to succeed for the story to go on.

        Not only TFEError: pytfe raises pydantic's and Python's own errors where an
        answer has not the form that it expects.
        """
        try:
            answer = call()
        except Exception as error:
            self.equal(what, "no error", describe(error))
            raise Stopped from error
        self.check(what, True)
        return answer

    def refused(
        self, what: str, kind: type[TFEError], status: int, call: Callable[[], Any], saying: str = ""
    ) -> None:
        """Check that a call is refused with one of pytfe's own errors."""
        expected = f"{kind.__name__} ({status}) {saying}".rstrip()
        try:
            answer = call()
        except TFEError as error:
            as_expected = type(error) is kind and error.status == status and saying in str(error)
            self.equal(what, expected, expected if as_expected else describe(error))
        except Exception as error:
            self.equal(what, expected, describe(error))
        else:
            self.equal(what, expected, f"no error, but {type(answer).__name__}")

    def not_found(self, what: str, call: Callable[[], Any]) -> None:
        self.refused(what, NotFound, 404, call)

    def unauthorized(self, what: str, call: Callable[[], Any]) -> None:
        self.refused(what, AuthError, 401, call)


def describe(error: Exception) -> str:
    status = f" ({error.status})" if isinstance(error, TFEError) else ""
    return f"{type(error).__name__}{status} {error}"


def users_count(team: Team) -> Any:
    """pytfe looks for user-count, which no server sends; the true name lands among the extras."""
    return (team.model_extra or {}).get("users-count")


def granted(access: OrganizationAccess | None) -> set[str]:
    return {name for name in OrganizationAccess.model_fields if access and getattr(access, name)}


def creator(token: TeamToken) -> tuple[str, str]:
    by = token.created_by
    if by and by.user:
        return "user", by.user.id
    if by and by.team:
        return "team", by.team.id
    return "nobody", ""


def in_days(days: int) -> datetime:
    return datetime.now(timezone.utc).replace(microsecond=0) + timedelta(days=days)


def is_now(moment: datetime | None) -> bool:
    return moment is not None and abs(datetime.now(timezone.utc) - moment) < timedelta(minutes=5)


def time_key(moment: datetime | None) -> str:
    """Make times comparable as text, "never" behind all others."""
    return moment.astimezone(timezone.utc).isoformat(timespec="microseconds") if moment else "never"


def without_repeats(items: Iterable[Answer]) -> list[Answer]:
    """Keep the first of equal neighbours."""
    result: list[Answer] = []
    for item in items:
        if not result or result[-1] != item:
            result.append(item)
    return result


def main() -> int:
    story = Story(os.environ.get("TFE_ADDRESS", ""), os.environ.get("TFE_TOKEN", ""))
    try:
        story.tell()
    finally:
        story.clean_up()
        print(f"{story.passed} passed, {story.failed} failed")
    return 1 if story.failed else 0


if __name__ == "__main__":
    sys.exit(main())
