// Command clients tells the story of an organization, its teams and their
// tokens to a running Latchkey, in the words of the published Terraform client
// go-tfe, and checks every answer.
//
// It reads the server's address from TFE_ADDRESS and a user's token from
// TFE_TOKEN, and leaves nothing behind. It ends with 0 if every check passed.
package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"reflect"
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"

	tfe "github.com/hashicorp/go-tfe"
)

const (
	day = 24 * time.Hour

	// descriptionTaken is what a client looks for when a description is not unique.
	descriptionTaken = "Validation failed: Description has already been taken"
)

func main() {
	s := &story{
		ctx:     context.Background(),
		address: os.Getenv("TFE_ADDRESS"),
		unique:  strconv.FormatInt(time.Now().UnixNano(), 36),
	}
	s.tell(os.Getenv("TFE_TOKEN"))
	s.cleanUp()

	fmt.Printf("%d passed, %d failed\n", s.passed, s.failed)
	if s.failed > 0 {
		os.Exit(1)
	}
}

// story holds the people and things of the story, and how well it went.
type story struct {
	ctx     context.Context
	address string
	unique  string

	client *tfe.Client // speaks with the user's token
	me     *tfe.User

	organization string // where the story happens
	elsewhere    string // another organization, which must stay out of sight

	platform, release, managers *tfe.Team
	live, test                  *tfe.Workspace

	passed, failed int
}

// The story calls every method that go-tfe has for what Latchkey has: Organizations,
// OrganizationMemberships, OrganizationTokens, OrganizationTokenTTLPolicies, Teams,
// OrganizationTags, TeamMembers, TeamTokens, TeamAccess, Users, UserTokens, AuditTrails, Workspaces, Projects,
// TeamProjectAccess and ReservedTagKeys.
// These are left out, each for its reason:
//
//   - Organizations.ReadCapacity, ReadRunQueue: a token service has no runs.
//   - Organizations and Workspaces, all of …DataRetentionPolicy…: it has no state, and so nothing to be retained.
//   - Workspaces.AssignSSHKey, UnassignSSHKey: it has no SSH keys.

// tell goes through the chapters. A failed check does not end the story; only an
// answer that nothing can be built upon does.
func (s *story) tell(token string) {
	defer func() {
		if r := recover(); r != nil && r != errStopped {
			s.equal("the story can be told", "no panic", r)
		}
	}()

	s.aUserArrives(token)
	s.anOrganizationIsFounded()
	s.teamsAreFormed()
	s.aUserJoinsAndLeaves()
	s.aTeamHasOneTokenWithoutDescription()
	s.aTeamHasManyTokensWithDescriptions()
	s.anOrganizationHasTokensOfItsOwn()
	s.aUserHasTokens()
	s.peopleAreInvited()
	s.tokensLiveOnlySoLong()
	s.tokensAreListed()
	s.workspacesAreMade()
	s.workspacesAreTagged()
	s.workspacesAreLocked()
	s.stateIsShared()
	s.anOrganizationHasTags()
	s.projectsGroupWorkspaces()
	s.teamsGetAccessToWorkspaces()
	s.strangersAreRefused()
	s.tokensAreDeleted()
	s.everythingIsDeleted()
}

func (s *story) aUserArrives(token string) {
	s.need("TFE_ADDRESS and TFE_TOKEN are set", s.address != "" && token != "")

	var err error
	s.client, err = s.connect(token)
	s.must("connect to "+s.address, err)
	s.check("the server says its API version", s.client.RemoteAPIVersion() != "")
	s.equal("the server says whose age it is", "2.0.1", s.client.RemoteTFENumericVersion())

	s.me, err = s.client.Users.ReadCurrent(s.ctx)
	s.must("read the current user", err)
	s.check("the user has an id", s.me.ID != "")
	s.check("the user has a user name", s.me.Username != "")
	s.check("the user has a picture", s.me.AvatarURL != "")
	s.equal("the user is no service account", false, s.me.IsServiceAccount)
	renamed, err := s.client.Users.UpdateCurrent(s.ctx, tfe.UserUpdateOptions{Username: tfe.String("go-" + s.unique)})
	s.must("take another user name", err)
	s.equal("it is the user's name now", "go-"+s.unique, renamed.Username)
	_, err = s.client.Users.UpdateCurrent(s.ctx, tfe.UserUpdateOptions{Username: &s.me.Username})
	s.must("take the old one back", err)
}

func (s *story) anOrganizationIsFounded() {
	name := "clients-go-" + s.unique
	email := name + "@latchkey.example"
	s.organization = name

	created, err := s.client.Organizations.Create(s.ctx, tfe.OrganizationCreateOptions{
		Name:  &name,
		Email: &email,
	})
	s.must("create an organization", err)
	s.equal("its id is its name", name, created.Name)
	s.equal("it has the email that was asked for", email, created.Email)
	s.check("it has an external id", strings.HasPrefix(created.ExternalID, "org-"))
	s.check("it was created now", isNow(created.CreatedAt))

	read, err := s.client.Organizations.Read(s.ctx, name)
	s.must("read the organization", err)
	s.equal("it is the one that was created", created.ExternalID, read.ExternalID)
	s.need("it tells what the user may do", read.Permissions != nil)
	s.check("the user may update it", read.Permissions.CanUpdate)
	s.check("the user may destroy it", read.Permissions.CanDestroy)
	s.check("the user may create teams", read.Permissions.CanCreateTeam)

	_, err = s.client.Organizations.Create(s.ctx, tfe.OrganizationCreateOptions{Name: &name, Email: &email})
	s.check("a second one of the same name is refused", err != nil)

	newEmail := "new-" + email
	updated, err := s.client.Organizations.Update(s.ctx, name, tfe.OrganizationUpdateOptions{
		Email:                 &newEmail,
		CostEstimationEnabled: tfe.Bool(true),
		SessionTimeout:        tfe.Int(60),
		DefaultExecutionMode:  tfe.String("local"),
	})
	s.must("update the organization", err)
	s.equal("the email has changed", newEmail, updated.Email)
	s.equal("the cost estimation has changed", true, updated.CostEstimationEnabled)
	s.equal("the session timeout has changed", 60, updated.SessionTimeout)
	s.equal("the execution mode has changed", "local", updated.DefaultExecutionMode)

	read, err = s.client.Organizations.Read(s.ctx, name)
	s.must("read the updated organization", err)
	s.equal("the update was kept", []any{newEmail, true, 60, "local"},
		[]any{read.Email, read.CostEstimationEnabled, read.SessionTimeout, read.DefaultExecutionMode})

	for _, query := range []string{name, newEmail} {
		list, err := s.client.Organizations.List(s.ctx, &tfe.OrganizationListOptions{Query: query})
		s.must("list the organizations with "+query, err)
		s.equal("there is that one only", []string{name},
			each(list.Items, func(o *tfe.Organization) string { return o.Name }))
		s.equal("the list counts it", 1, list.TotalCount)
	}
	list, err := s.client.Organizations.List(s.ctx, &tfe.OrganizationListOptions{Query: "no-such-" + s.unique})
	s.must("list organizations that do not exist", err)
	s.equal("there are none", 0, len(list.Items))

	entitlements, err := s.client.Organizations.ReadEntitlements(s.ctx, name)
	s.must("read the entitlements", err)
	s.equal("their id is the external id of the organization", created.ExternalID, entitlements.ID)
	s.equal("the organization may have teams", true, entitlements.Teams)
}

func (s *story) teamsAreFormed() {
	s.platform = s.createTeam("platform", tfe.TeamCreateOptions{
		Visibility:                 tfe.String("organization"),
		AllowMemberTokenManagement: tfe.Bool(false),
		OrganizationAccess: &tfe.OrganizationAccessOptions{
			ReadWorkspaces: tfe.Bool(true),
			ReadProjects:   tfe.Bool(true),
		},
	})
	s.equal("it is visible", "organization", s.platform.Visibility)
	s.equal("its members may not manage its tokens", false, s.platform.AllowMemberTokenManagement)
	s.equal("it has no members", 0, s.platform.UserCount)
	s.need("it tells its organization access", s.platform.OrganizationAccess != nil)
	s.equal("it may read workspaces and projects, and no more",
		tfe.OrganizationAccess{ReadWorkspaces: true, ReadProjects: true}, *s.platform.OrganizationAccess)
	s.need("it tells what the user may do", s.platform.Permissions != nil)
	s.equal("the user may destroy it and change its members",
		tfe.TeamPermissions{CanDestroy: true, CanUpdateMembership: true}, *s.platform.Permissions)

	s.release = s.createTeam("release", tfe.TeamCreateOptions{})
	s.equal("it is secret unless asked otherwise", "secret", s.release.Visibility)
	s.equal("its members may manage its tokens unless asked otherwise", true, s.release.AllowMemberTokenManagement)

	s.managers = s.createTeam("managers", tfe.TeamCreateOptions{
		OrganizationAccess: &tfe.OrganizationAccessOptions{ManageTeams: tfe.Bool(true)},
	})

	read, err := s.client.Teams.Read(s.ctx, s.platform.ID)
	s.must("read a team", err)
	s.equal("it is the one that was created", s.platform.Name, read.Name)
	s.equal("its organization access was kept", *s.platform.OrganizationAccess, *read.OrganizationAccess)

	updated, err := s.client.Teams.Update(s.ctx, s.platform.ID, tfe.TeamUpdateOptions{
		Name:                       tfe.String("platform-team"),
		Visibility:                 tfe.String("secret"),
		AllowMemberTokenManagement: tfe.Bool(true),
		OrganizationAccess:         &tfe.OrganizationAccessOptions{ManageWorkspaces: tfe.Bool(true)},
	})
	s.must("update a team", err)
	s.equal("the name has changed", "platform-team", updated.Name)
	s.equal("the visibility has changed", "secret", updated.Visibility)
	s.equal("its members may now manage its tokens", true, updated.AllowMemberTokenManagement)
	s.need("it still tells its organization access", updated.OrganizationAccess != nil)
	s.equal("it may manage workspaces", true, updated.OrganizationAccess.ManageWorkspaces)
	s.equal("it may still read projects", true, updated.OrganizationAccess.ReadProjects)
	s.platform = updated

	s.equal("all teams are listed, owners too",
		[]string{"managers", "owners", "platform-team", "release"}, s.teamNames(nil))
	s.equal("teams are listed by one name",
		[]string{"release"}, s.teamNames(&tfe.TeamListOptions{Names: []string{"release"}}))
	s.equal("teams are listed by several names",
		[]string{"managers", "release"}, s.teamNames(&tfe.TeamListOptions{Names: []string{"managers", "release"}}))
	s.equal("teams are listed by a part of their name",
		[]string{"platform-team"}, s.teamNames(&tfe.TeamListOptions{Query: "FORM-T"}))

	var paged []string
	for page := 1; page != 0; {
		list, err := s.client.Teams.List(s.ctx, s.organization, &tfe.TeamListOptions{
			ListOptions: tfe.ListOptions{PageNumber: page, PageSize: 3},
		})
		s.must("list teams, page "+strconv.Itoa(page), err)
		paged = append(paged, names(list.Items)...)
		s.need("the next page is a later one", list.NextPage == 0 || list.NextPage > page)
		page = list.NextPage
	}
	slices.Sort(paged)
	s.equal("the pages hold every team once", []string{"managers", "owners", "platform-team", "release"}, paged)
}

func (s *story) aUserJoinsAndLeaves() {
	usernames := func(users []*tfe.User) []string {
		return each(users, func(u *tfe.User) string { return u.Username })
	}
	nobody, onlyMe := []string{}, []string{s.me.Username}

	users, err := s.client.TeamMembers.List(s.ctx, s.release.ID)
	s.must("list the members of a team", err)
	s.equal("it has none", nobody, usernames(users))

	err = s.client.TeamMembers.Add(s.ctx, s.release.ID, tfe.TeamMemberAddOptions{Usernames: onlyMe})
	s.must("add the user to the team", err)

	users, err = s.client.TeamMembers.ListUsers(s.ctx, s.release.ID)
	s.must("list the members again", err)
	s.need("there is one", len(users) == 1)
	s.equal("it is the user, with id and user name",
		[]string{s.me.ID, s.me.Username}, []string{users[0].ID, users[0].Username})

	team, err := s.client.Teams.Read(s.ctx, s.release.ID)
	s.must("read the team", err)
	s.equal("it counts one member", 1, team.UserCount)

	list, err := s.client.Teams.List(s.ctx, s.organization, &tfe.TeamListOptions{
		Include: []tfe.TeamIncludeOpt{tfe.TeamUsers},
		Names:   []string{"owners", "release", "platform-team"},
	})
	s.must("list teams with their users", err)
	for _, team := range list.Items {
		expected := onlyMe
		if team.Name == "platform-team" {
			expected = nobody
		}
		s.equal("the members of "+team.Name+" are included", expected, usernames(team.Users))
	}

	err = s.client.TeamMembers.Remove(s.ctx, s.release.ID, tfe.TeamMemberRemoveOptions{Usernames: onlyMe})
	s.must("remove the user from the team", err)
	users, err = s.client.TeamMembers.List(s.ctx, s.release.ID)
	s.must("list the members once more", err)
	s.equal("it has none any more", nobody, usernames(users))
}

func (s *story) aTeamHasOneTokenWithoutDescription() {
	_, err := s.client.TeamTokens.Read(s.ctx, s.platform.ID)
	s.fails("a team without a token has none to read", tfe.ErrResourceNotFound, err)

	first, err := s.client.TeamTokens.Create(s.ctx, s.platform.ID)
	s.must("create the team's token", err)
	s.check("its secret is shown", first.Token != "")
	s.check("it has no description", first.Description == nil)
	s.check("it was created now", isNow(first.CreatedAt))
	s.check("it never expires", first.ExpiredAt.IsZero())
	s.check("it was never used", first.LastUsedAt.IsZero())
	s.need("it names its team", first.Team != nil)
	s.equal("it belongs to the team", s.platform.ID, first.Team.ID)
	s.need("it names its creator", first.CreatedBy != nil && first.CreatedBy.User != nil)
	s.equal("the user created it", s.me.ID, first.CreatedBy.User.ID)

	_, err = s.as(first.Token).Teams.Read(s.ctx, s.platform.ID)
	s.must("the team reads itself with its token", err)

	second, err := s.client.TeamTokens.Create(s.ctx, s.platform.ID)
	s.must("create the team's token again", err)
	s.check("the secret is another one", second.Token != "" && second.Token != first.Token)
	_, err = s.as(first.Token).Teams.Read(s.ctx, s.platform.ID)
	s.fails("the first token has stopped working", tfe.ErrUnauthorized, err)
	_, err = s.as(second.Token).Teams.Read(s.ctx, s.platform.ID)
	s.must("the second token works", err)

	read, err := s.client.TeamTokens.Read(s.ctx, s.platform.ID)
	s.must("read the token by its team", err)
	s.equal("it is the second one", second.ID, read.ID)
	s.equal("its secret is not shown again", "", read.Token)

	expiry := time.Now().UTC().Truncate(time.Second).Add(10 * day)
	expiring, err := s.client.TeamTokens.CreateWithOptions(s.ctx, s.release.ID, tfe.TeamTokenCreateOptions{ExpiredAt: &expiry})
	s.must("create a team's token that expires", err)
	s.check("it expires when it was asked to", expiring.ExpiredAt.Equal(expiry))
	s.check("it has no description either", expiring.Description == nil)

	_, err = s.client.TeamTokens.Create(s.ctx, s.managers.ID)
	s.must("create another team's token", err)
}

func (s *story) aTeamHasManyTokensWithDescriptions() {
	expiry := time.Now().UTC().Truncate(time.Second).Add(30 * day)
	deploy := s.createToken(s.client, s.platform, "deploy", &expiry)
	s.check("it expires when it was asked to", deploy.ExpiredAt.Equal(expiry))
	s.need("it names its team and its creator", deploy.Team != nil && deploy.CreatedBy != nil && deploy.CreatedBy.User != nil)
	s.equal("it belongs to the team, and the user created it",
		[]string{s.platform.ID, s.me.ID}, []string{deploy.Team.ID, deploy.CreatedBy.User.ID})

	s.createToken(s.client, s.platform, "", nil)

	for _, description := range []string{"deploy", ""} {
		_, err := s.client.TeamTokens.CreateWithOptions(s.ctx, s.platform.ID, tfe.TeamTokenCreateOptions{Description: &description})
		s.failsSaying(fmt.Sprintf("the description %q is taken", description), descriptionTaken, err)
	}
	s.createToken(s.client, s.release, "deploy", nil) // taken in one team, free in another

	past := time.Now().Add(-day)
	_, err := s.client.TeamTokens.CreateWithOptions(s.ctx, s.platform.ID, tfe.TeamTokenCreateOptions{
		Description: tfe.String("late"),
		ExpiredAt:   &past,
	})
	s.check("a token that has expired already is refused", err != nil)

	read, err := s.client.TeamTokens.ReadByID(s.ctx, deploy.ID)
	s.must("read a token by its id", err)
	s.equal("it is that token", deploy.ID, read.ID)
	s.need("it has a description", read.Description != nil)
	s.equal("it is the same description", "deploy", *read.Description)
	s.check("it has the same expiry", read.ExpiredAt.Equal(expiry))
	s.equal("its secret is not shown again", "", read.Token)

	team := s.as(deploy.Token)
	itself, err := team.Teams.Read(s.ctx, s.platform.ID)
	s.must("the team reads itself with this token", err)
	s.equal("it is that team", "platform-team", itself.Name)
	current, err := team.Users.ReadCurrent(s.ctx)
	s.must("read the current user with a team's token", err)
	s.equal("it is a service account", true, current.IsServiceAccount)
	s.check("it is not the user", current.ID != s.me.ID)
	s.need("the use of the token is noted", s.eventuallyUsed(deploy.ID))

	// Teams may hold the right to manage others: then a team is the creator.
	managers, err := s.client.TeamTokens.Create(s.ctx, s.managers.ID)
	s.must("create the managers' token", err)
	later := expiry.Add(30 * day)
	nightly := s.createToken(s.as(managers.Token), s.release, "nightly", &later)
	s.need("it names a team as its creator", nightly.CreatedBy != nil && nightly.CreatedBy.Team != nil)
	s.equal("the managers created it", s.managers.ID, nightly.CreatedBy.Team.ID)
}

func (s *story) tokensAreListed() {
	all := s.tokens(nil)
	s.equal("every team token of the organization is listed", []string{
		"managers/none", "platform-team/", "platform-team/deploy", "platform-team/none",
		"release/deploy", "release/nightly", "release/none",
	}, sorted(each(all, s.label)))
	s.equal("no secret is listed", "", strings.Join(each(all, func(t *tfe.TeamToken) string { return t.Token }), ""))

	s.check("unless asked otherwise they are sorted by expiry", slices.IsSorted(each(all, expiredAt)))
	for _, order := range []struct {
		name string
		key  func(*tfe.TeamToken) string
	}{
		{"team-name", s.teamName},
		{"expired-at", expiredAt},
		{"last-used-at", lastUsedAt},
	} {
		up := s.tokens(&tfe.TeamTokenListOptions{Sort: order.name})
		s.equal("sorted by "+order.name+", all are listed", len(all), len(up))
		s.equal("sorted by "+order.name, sorted(each(up, order.key)), each(up, order.key))

		down := s.tokens(&tfe.TeamTokenListOptions{Sort: "-" + order.name})
		s.equal("sorted by -"+order.name+", all are listed", len(all), len(down))
		s.equal("sorted by -"+order.name, backwards(sorted(each(down, order.key))), each(down, order.key))
	}

	up := slices.Compact(each(s.tokens(&tfe.TeamTokenListOptions{Sort: "created-by"}), creator))
	down := slices.Compact(each(s.tokens(&tfe.TeamTokenListOptions{Sort: "-created-by"}), creator))
	s.equal("sorted by created-by, each creator's tokens are together",
		sorted([]string{s.me.ID, s.managers.ID}), sorted(slices.Clone(up)))
	s.equal("sorted by -created-by, it is the other way round", backwards(up), down)

	s.equal("tokens are listed by a part of their team's name", []string{
		"release/deploy", "release/nightly", "release/none",
	}, sorted(each(s.tokens(&tfe.TeamTokenListOptions{Query: "ELEAS"}), s.label)))
	s.equal("no team has such a name", 0, len(s.tokens(&tfe.TeamTokenListOptions{Query: "no-such-team"})))

	s.tokensArePaged(all)
}

// tokensArePaged reads the same list one token at a time.
func (s *story) tokensArePaged(all []*tfe.TeamToken) {
	id := func(t *tfe.TeamToken) string { return t.ID }

	var paged []*tfe.TeamToken
	for page := 1; page <= len(all)+1; page++ {
		list, err := s.client.TeamTokens.List(s.ctx, s.organization, &tfe.TeamTokenListOptions{
			ListOptions: tfe.ListOptions{PageNumber: page, PageSize: 1},
		})
		s.must("list tokens, page "+strconv.Itoa(page), err)
		paged = append(paged, list.Items...)

		expected := tfe.Pagination{
			CurrentPage: page, PreviousPage: page - 1, NextPage: page + 1,
			TotalPages: len(all), TotalCount: len(all),
		}
		if page == len(all) {
			expected.NextPage = 0
		}
		if page > len(all) {
			s.equal("past the end is nothing", 0, len(list.Items))
			break
		}
		s.equal("the pagination of page "+strconv.Itoa(page), expected, *list.Pagination)
	}
	s.equal("the pages hold every token once, in order", each(all, id), each(paged, id))
}

func (s *story) workspacesAreMade() {
	workspaces := s.client.Workspaces
	until := time.Now().Add(30 * day).UTC().Truncate(time.Second)
	var err error
	s.live, err = workspaces.Create(s.ctx, s.organization, tfe.WorkspaceCreateOptions{
		Name:                        tfe.String("live"),
		Description:                 tfe.String("What customers see"),
		AllowDestroyPlan:            tfe.Bool(false),
		AutoApply:                   tfe.Bool(true),
		AutoDestroyAt:               tfe.NullableTime(until),
		AutoDestroyActivityDuration: tfe.NullableString("14d"),
		ExecutionMode:               tfe.String("agent"),
		AgentPoolID:                 tfe.String("apool-1"),
		FileTriggersEnabled:         tfe.Bool(false),
		GlobalRemoteState:           tfe.Bool(true),
		QueueAllRuns:                tfe.Bool(true),
		SourceName:                  tfe.String("the story"),
		SourceURL:                   tfe.String("https://latchkey.example/story"),
		SpeculativeEnabled:          tfe.Bool(false),
		TerraformVersion:            tfe.String("1.9.8"),
		TriggerPrefixes:             []string{"/modules", "/shared"},
		WorkingDirectory:            tfe.String("live"),
		VCSRepo:                     &tfe.VCSRepoOptions{Identifier: tfe.String("acme/infra"), OAuthTokenID: tfe.String("ot-1")},
	})
	s.must("create a workspace", err)
	s.check("it has an id", strings.HasPrefix(s.live.ID, "ws-"))
	s.check("it was created now", isNow(s.live.CreatedAt))

	read, err := workspaces.ReadWithOptions(s.ctx, s.organization, "live", &tfe.WorkspaceReadOptions{
		Include: []tfe.WSIncludeOpt{tfe.WSOrganization, tfe.WSEffectiveTagBindings},
	})
	s.must("read it by its name", err)
	s.equal("it is the one that was created", s.live.ID, read.ID)
	s.need("it tells its organization", read.Organization != nil)
	s.equal("the organization is the one it is in", s.organization, read.Organization.Name)
	s.check("the organization is included", read.Organization.Email != "")
	s.equal("its description is kept", "What customers see", read.Description)
	s.equal("allow-destroy-plan is kept", false, read.AllowDestroyPlan)
	s.equal("auto-apply is kept", true, read.AutoApply)
	destroyAt, _ := read.AutoDestroyAt.Get()
	s.equal("auto-destroy-at is kept", until, destroyAt.UTC())
	duration, _ := read.AutoDestroyActivityDuration.Get()
	s.equal("auto-destroy-activity-duration is kept", "14d", duration)
	s.check("it inherits no other", !read.InheritsProjectAutoDestroy)
	s.equal("the execution mode is kept", "agent", read.ExecutionMode)
	s.need("it has an agent pool", read.AgentPool != nil)
	s.equal("the agent pool is kept", "apool-1", read.AgentPool.ID)
	s.equal("file-triggers-enabled is kept", false, read.FileTriggersEnabled)
	s.equal("global-remote-state is kept", true, read.GlobalRemoteState)
	s.equal("queue-all-runs is kept", true, read.QueueAllRuns)
	s.equal("the source is kept", "the story", read.SourceName)
	s.equal("speculative-enabled is kept", false, read.SpeculativeEnabled)
	s.equal("the Terraform version is kept", "1.9.8", read.TerraformVersion)
	s.equal("the trigger prefixes are kept", []string{"/modules", "/shared"}, read.TriggerPrefixes)
	s.equal("the working directory is kept", "live", read.WorkingDirectory)
	s.need("it has a repository", read.VCSRepo != nil)
	s.equal("the repository is kept", "acme/infra", read.VCSRepo.Identifier)
	s.equal("the repository's token is kept", "ot-1", read.VCSRepo.OAuthTokenID)
	s.need("it tells which settings are its own", read.SettingOverwrites != nil && read.SettingOverwrites.ExecutionMode != nil)
	s.equal("the execution mode is its own", true, *read.SettingOverwrites.ExecutionMode)
	s.need("it tells what the user may do", read.Permissions != nil && read.Actions != nil)
	s.check("the user may update and destroy it", read.Permissions.CanUpdate && read.Permissions.CanDestroy)

	s.test, err = workspaces.Create(s.ctx, s.organization, tfe.WorkspaceCreateOptions{Name: tfe.String("test")})
	s.must("create another workspace", err)
	s.check("it has no repository", s.test.VCSRepo == nil)
	_, err = workspaces.Create(s.ctx, s.organization, tfe.WorkspaceCreateOptions{Name: tfe.String("TEST")})
	s.failsSaying("a second one of the same name is refused", "Name has already been taken", err)

	s.equal("both are listed", []string{"live", "test"}, s.workspaceNames(nil))
	s.equal("they are listed backwards", []string{"test", "live"}, s.workspaceNames(&tfe.WorkspaceListOptions{Sort: "-name"}))
	s.equal("they are searched", []string{"test"}, s.workspaceNames(&tfe.WorkspaceListOptions{Search: "es"}))
	s.equal("they are searched with a wildcard", []string{"live"},
		s.workspaceNames(&tfe.WorkspaceListOptions{WildcardName: "*ve"}))

	updated, err := workspaces.Update(s.ctx, s.organization, "test", tfe.WorkspaceUpdateOptions{
		Name:      tfe.String("trial"),
		AutoApply: tfe.Bool(true),
	})
	s.must("update it by its name", err)
	s.equal("its name has changed", "trial", updated.Name)
	updated, err = workspaces.UpdateByID(s.ctx, s.test.ID, tfe.WorkspaceUpdateOptions{TriggerPatterns: []string{"/a/**"}})
	s.must("update it by its id", err)
	s.equal("its trigger patterns have changed", []string{"/a/**"}, updated.TriggerPatterns)
	_, err = workspaces.UpdateByID(s.ctx, s.test.ID, tfe.WorkspaceUpdateOptions{FileTriggersEnabled: tfe.Bool(false)})
	s.failsSaying("they need file triggers", "'trigger_patterns' cannot be populated when 'file_triggers_enabled' is set to false.", err)
	_, err = workspaces.UpdateByID(s.ctx, s.test.ID, tfe.WorkspaceUpdateOptions{TerraformVersion: tfe.String("nonexisting")})
	s.check("a version that cannot be is refused", err != nil)
	s.equal("what was not changed is as it was", true, updated.AutoApply)
	updated, err = workspaces.RemoveVCSConnectionByID(s.ctx, s.live.ID)
	s.must("remove the repository", err)
	s.check("it is gone", updated.VCSRepo == nil)
	_, err = workspaces.UpdateByID(s.ctx, s.live.ID, tfe.WorkspaceUpdateOptions{
		VCSRepo: &tfe.VCSRepoOptions{Identifier: tfe.String("acme/infra"), OAuthTokenID: tfe.String("ot-1")},
	})
	s.must("connect one again", err)
	updated, err = workspaces.RemoveVCSConnection(s.ctx, s.organization, "live")
	s.must("remove it by the workspace's name", err)
	s.check("it is gone, too", updated.VCSRepo == nil)
	readme, err := workspaces.Readme(s.ctx, s.live.ID)
	s.must("read the readme", err)
	s.check("there is none", readme == nil)
}

func (s *story) teamsGetAccessToWorkspaces() {
	access := s.client.TeamAccess
	token := s.as(s.createToken(s.client, s.release, "workspaces", nil).Token)
	_, err := token.Workspaces.ReadByID(s.ctx, s.live.ID)
	s.fails("without access the workspace does not exist for a team", tfe.ErrResourceNotFound, err)

	levels := []tfe.AccessType{tfe.AccessRead, tfe.AccessPlan, tfe.AccessWrite, tfe.AccessAdmin, tfe.AccessCustom}
	runs := []tfe.RunsPermissionType{"read", "plan", "apply", "apply", "read"}
	for n, level := range levels {
		given, err := access.Add(s.ctx, tfe.TeamAccessAddOptions{Access: &level, Team: s.release, Workspace: s.live})
		s.must("give the access "+string(level), err)
		s.equal("it has its level", level, given.Access)
		s.equal("it holds the level's runs", runs[n], given.Runs)
		s.need("it names both", given.Team != nil && given.Workspace != nil)
		s.equal("it names the team", s.release.ID, given.Team.ID)
		s.equal("it names the workspace", s.live.ID, given.Workspace.ID)

		seen, err := token.Workspaces.Read(s.ctx, s.organization, "live")
		s.must("the team reads the workspace", err)
		s.equal("only an admin may update it", level == tfe.AccessAdmin, seen.Permissions.CanUpdate)
		list, err := token.Workspaces.List(s.ctx, s.organization, nil)
		s.must("the team lists its workspaces", err)
		s.equal("it is the only one", 1, len(list.Items))

		s.must("take the access away", access.Remove(s.ctx, given.ID))
		_, err = access.Read(s.ctx, given.ID)
		s.fails("it is not found any more", tfe.ErrResourceNotFound, err)
	}

	custom, plan := tfe.AccessCustom, tfe.AccessPlan
	apply, write := tfe.RunsPermissionApply, tfe.VariablesPermissionWrite
	outputs, mocks := tfe.StateVersionsPermissionReadOutputs, tfe.SentinelMocksPermissionRead
	given, err := access.Add(s.ctx, tfe.TeamAccessAddOptions{
		Access: &custom, Runs: &apply, Variables: &write, StateVersions: &outputs, SentinelMocks: &mocks,
		WorkspaceLocking: tfe.Bool(true), RunTasks: tfe.Bool(true), PolicyOverrides: tfe.Bool(true),
		Team: s.release, Workspace: s.live,
	})
	s.must("give custom access", err)
	read, err := access.Read(s.ctx, given.ID)
	s.must("read it", err)
	s.equal("its runs are kept", apply, read.Runs)
	s.equal("its variables are kept", write, read.Variables)
	s.equal("its state versions are kept", outputs, read.StateVersions)
	s.equal("its Sentinel mocks are kept", mocks, read.SentinelMocks)
	s.check("the rest is kept", read.WorkspaceLocking && read.RunTasks && read.PolicyOverrides)
	_, err = access.Add(s.ctx, tfe.TeamAccessAddOptions{Access: &plan, Team: s.release, Workspace: s.live})
	s.check("a second access of the same team is refused", err != nil)

	updated, err := access.Update(s.ctx, given.ID, tfe.TeamAccessUpdateOptions{Access: &plan})
	s.must("change it to plan", err)
	s.equal("its runs are those of the level", tfe.RunsPermissionPlan, updated.Runs)
	_, err = access.Update(s.ctx, given.ID, tfe.TeamAccessUpdateOptions{Runs: &apply})
	s.failsSaying("a fixed level's permissions cannot be chosen",
		"Runs is read-only when access level is 'plan'; use the 'custom' access level to set this attribute.", err)
	list, err := access.List(s.ctx, &tfe.TeamAccessListOptions{WorkspaceID: s.live.ID})
	s.must("list the access to the workspace", err)
	s.equal("there is one", 1, len(list.Items))
	s.check("the team cannot give access itself", token.TeamAccess.Remove(s.ctx, given.ID) != nil)

	s.must("delete a workspace by its id", s.client.Workspaces.DeleteByID(s.ctx, s.live.ID))
	_, err = access.Read(s.ctx, given.ID)
	s.fails("the access to it is gone with it", tfe.ErrResourceNotFound, err)
	s.must("delete a workspace by its name", s.client.Workspaces.Delete(s.ctx, s.organization, "trial"))
	s.equal("there are no workspaces any more", []string{}, s.workspaceNames(nil))
	again, err := s.client.Workspaces.Create(s.ctx, s.organization, tfe.WorkspaceCreateOptions{Name: tfe.String("again")})
	s.must("create one more", err)
	s.must("delete it safely", s.client.Workspaces.SafeDeleteByID(s.ctx, again.ID))
	_, err = s.client.Workspaces.Create(s.ctx, s.organization, tfe.WorkspaceCreateOptions{Name: tfe.String("again")})
	s.must("create it anew", err)
	s.must("delete it safely by its name", s.client.Workspaces.SafeDelete(s.ctx, s.organization, "again"))
	s.must("delete the team's token", s.deleteToken(s.release, "workspaces"))
}

func (s *story) strangersAreRefused() {
	_, err := s.as("not-a-token").Users.ReadCurrent(s.ctx)
	s.fails("a wrong token is refused", tfe.ErrUnauthorized, err)
	_, err = s.as("not-a-token").Teams.Read(s.ctx, s.platform.ID)
	s.fails("a wrong token learns nothing of a team", tfe.ErrUnauthorized, err)

	for _, id := range []string{"at-doesnotexist", s.platform.ID} {
		_, err = s.client.TeamTokens.ReadByID(s.ctx, id)
		s.fails("no token has the id "+id, tfe.ErrResourceNotFound, err)
		s.fails("none can be deleted by it", tfe.ErrResourceNotFound, s.client.TeamTokens.DeleteByID(s.ctx, id))
	}
	_, err = s.client.Teams.Read(s.ctx, "team-doesnotexist")
	s.fails("no team is found by a foreign id", tfe.ErrResourceNotFound, err)

	s.aNeighbourIsOutOfSight()

	nonsense := []tfe.TeamIncludeOpt{"nonsense"}
	_, err = s.client.Teams.List(s.ctx, s.organization, &tfe.TeamListOptions{Include: nonsense})
	s.fails("teams cannot include nonsense", tfe.ErrInvalidIncludeValue, err)
	_, err = s.client.Organizations.ReadWithOptions(s.ctx, s.organization, tfe.OrganizationReadOptions{
		Include: []tfe.OrganizationIncludeOpt{"nonsense"},
	})
	s.fails("an organization cannot include nonsense", tfe.ErrInvalidIncludeValue, err)

	_, err = s.client.TeamTokens.List(s.ctx, s.organization, &tfe.TeamTokenListOptions{Sort: "nonsense"})
	s.check("tokens cannot be sorted by nonsense", err != nil)
}

// aNeighbourIsOutOfSight checks that a team of one organization learns nothing of another.
func (s *story) aNeighbourIsOutOfSight() {
	name := "clients-go-elsewhere-" + s.unique
	email := name + "@latchkey.example"
	s.elsewhere = name
	_, err := s.client.Organizations.Create(s.ctx, tfe.OrganizationCreateOptions{Name: &name, Email: &email})
	s.must("create another organization", err)

	neighbours, err := s.client.Teams.Create(s.ctx, name, tfe.TeamCreateOptions{Name: tfe.String("neighbours")})
	s.must("create a team there", err)
	token, err := s.client.TeamTokens.Create(s.ctx, neighbours.ID)
	s.must("create its token", err)

	neighbour := s.as(token.Token)
	_, err = neighbour.Organizations.Read(s.ctx, s.organization)
	s.fails("the neighbours cannot see the organization", tfe.ErrResourceNotFound, err)
	_, err = neighbour.Teams.Read(s.ctx, s.platform.ID)
	s.fails("the neighbours cannot see its team", tfe.ErrResourceNotFound, err)
	_, err = neighbour.TeamTokens.Create(s.ctx, s.platform.ID)
	s.fails("the neighbours cannot create a token there", tfe.ErrResourceNotFound, err)
	_, err = neighbour.TeamTokens.List(s.ctx, s.organization, nil)
	s.fails("the neighbours cannot list its tokens", tfe.ErrResourceNotFound, err)
}

func (s *story) tokensAreDeleted() {
	token, err := s.client.TeamTokens.Create(s.ctx, s.platform.ID)
	s.must("create the team's token once more", err)
	s.must("delete it by its team", s.client.TeamTokens.Delete(s.ctx, s.platform.ID))
	_, err = s.as(token.Token).Teams.Read(s.ctx, s.platform.ID)
	s.fails("it has stopped working", tfe.ErrUnauthorized, err)
	_, err = s.client.TeamTokens.Read(s.ctx, s.platform.ID)
	s.fails("it is not found by its team", tfe.ErrResourceNotFound, err)
	_, err = s.client.TeamTokens.ReadByID(s.ctx, token.ID)
	s.fails("it is not found by its id", tfe.ErrResourceNotFound, err)
	s.fails("it cannot be deleted twice", tfe.ErrResourceNotFound, s.client.TeamTokens.Delete(s.ctx, s.platform.ID))
	s.equal("the tokens with a description are left", []string{"platform-team/", "platform-team/deploy"},
		sorted(each(s.tokens(&tfe.TeamTokenListOptions{Query: "platform"}), s.label)))

	short := s.createToken(s.client, s.platform, "short-lived", nil)
	s.must("delete it by its id", s.client.TeamTokens.DeleteByID(s.ctx, short.ID))
	_, err = s.as(short.Token).Teams.Read(s.ctx, s.platform.ID)
	s.fails("it has stopped working", tfe.ErrUnauthorized, err)
	_, err = s.client.TeamTokens.ReadByID(s.ctx, short.ID)
	s.fails("it is not found by its id", tfe.ErrResourceNotFound, err)
	s.fails("it cannot be deleted twice", tfe.ErrResourceNotFound, s.client.TeamTokens.DeleteByID(s.ctx, short.ID))
	s.createToken(s.client, s.platform, "short-lived", nil) // its description is free again
}

func (s *story) everythingIsDeleted() {
	token := s.createToken(s.client, s.platform, "last", nil)
	s.must("delete the team", s.client.Teams.Delete(s.ctx, s.platform.ID))
	_, err := s.client.Teams.Read(s.ctx, s.platform.ID)
	s.fails("the team is not found any more", tfe.ErrResourceNotFound, err)
	_, err = s.as(token.Token).Users.ReadCurrent(s.ctx)
	s.fails("its tokens have stopped working", tfe.ErrUnauthorized, err)

	token = s.createToken(s.client, s.release, "last", nil)
	s.must("delete the organization", s.client.Organizations.Delete(s.ctx, s.organization))
	_, err = s.client.Organizations.Read(s.ctx, s.organization)
	s.fails("the organization is not found any more", tfe.ErrResourceNotFound, err)
	_, err = s.as(token.Token).Users.ReadCurrent(s.ctx)
	s.fails("its teams' tokens have stopped working", tfe.ErrUnauthorized, err)
	s.organization = ""

	s.must("delete the other organization", s.client.Organizations.Delete(s.ctx, s.elsewhere))
	s.elsewhere = ""
}

// cleanUp removes what a story that ended early has left behind.
func (s *story) cleanUp() {
	for _, name := range []string{s.organization, s.elsewhere} {
		if name != "" {
			_ = s.client.Organizations.Delete(s.ctx, name)
		}
	}
}

// The words in which the story is told.

// connect makes a client that talks to the server and to nothing else: it uses
// no proxy and follows no redirect.
func (s *story) connect(token string) (*tfe.Client, error) {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.Proxy = nil
	return tfe.NewClient(&tfe.Config{
		Address: s.address,
		Token:   token,
		HTTPClient: &http.Client{
			Transport: transport,
			Timeout:   30 * time.Second,
			CheckRedirect: func(r *http.Request, _ []*http.Request) error {
				return fmt.Errorf("the server redirects to %s", r.URL)
			},
		},
	})
}

// as is a client that speaks with another token.
func (s *story) as(token string) *tfe.Client {
	client, err := s.connect(token)
	if err != nil {
		s.must("connect with another token", err)
	}
	return client
}

func (s *story) createTeam(name string, options tfe.TeamCreateOptions) *tfe.Team {
	options.Name = &name
	team, err := s.client.Teams.Create(s.ctx, s.organization, options)
	s.must("create the team "+name, err)
	s.equal("it has its name", name, team.Name)
	s.check("it has an id", strings.HasPrefix(team.ID, "team-"))
	return team
}

func (s *story) createToken(client *tfe.Client, team *tfe.Team, description string, expiry *time.Time) *tfe.TeamToken {
	token, err := client.TeamTokens.CreateWithOptions(s.ctx, team.ID, tfe.TeamTokenCreateOptions{
		Description: &description,
		ExpiredAt:   expiry,
	})
	s.must(fmt.Sprintf("create a token of %s with the description %q", team.Name, description), err)
	s.check("its secret is shown", token.Token != "")
	s.need("it has a description", token.Description != nil)
	s.equal("it is the one that was asked for", description, *token.Description)
	return token
}

func (s *story) workspaceNames(options *tfe.WorkspaceListOptions) []string {
	list, err := s.client.Workspaces.List(s.ctx, s.organization, options)
	s.must("list the workspaces", err)
	names := []string{}
	for _, workspace := range list.Items {
		names = append(names, workspace.Name)
	}
	return names
}

func (s *story) deleteToken(team *tfe.Team, description string) error {
	for _, token := range s.tokens(nil) {
		if token.Team != nil && token.Team.ID == team.ID && token.Description != nil && *token.Description == description {
			return s.client.TeamTokens.DeleteByID(s.ctx, token.ID)
		}
	}
	return fmt.Errorf("no token %q", description)
}

func (s *story) teamNames(options *tfe.TeamListOptions) []string {
	list, err := s.client.Teams.List(s.ctx, s.organization, options)
	s.must("list teams", err)
	return sorted(names(list.Items))
}

func (s *story) tokens(options *tfe.TeamTokenListOptions) []*tfe.TeamToken {
	list, err := s.client.TeamTokens.List(s.ctx, s.organization, options)
	s.must("list tokens", err)
	for _, token := range list.Items {
		s.need("a listed token names its team", token.Team != nil)
	}
	return list.Items
}

// eventuallyUsed waits until the server tells when a token was last used; it may
// take a moment to write that down.
func (s *story) eventuallyUsed(tokenID string) bool {
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(200 * time.Millisecond) {
		token, err := s.client.TeamTokens.ReadByID(s.ctx, tokenID)
		if err == nil && isNow(token.LastUsedAt) {
			return true
		}
	}
	return false
}

// label names a token by its team and its description.
func (s *story) label(token *tfe.TeamToken) string {
	if token.Description == nil {
		return s.teamName(token) + "/none"
	}
	return s.teamName(token) + "/" + *token.Description
}

func (s *story) teamName(token *tfe.TeamToken) string {
	for _, team := range []*tfe.Team{s.platform, s.release, s.managers} {
		if team.ID == token.Team.ID {
			return team.Name
		}
	}
	return "an unknown team"
}

func creator(token *tfe.TeamToken) string {
	switch by := token.CreatedBy; {
	case by != nil && by.User != nil:
		return by.User.ID
	case by != nil && by.Team != nil:
		return by.Team.ID
	}
	return "nobody"
}

func expiredAt(token *tfe.TeamToken) string { return timeKey(token.ExpiredAt) }

// lastUsedAt has those that were never used before all others.
func lastUsedAt(token *tfe.TeamToken) string {
	if token.LastUsedAt.IsZero() {
		return "(never)"
	}
	return timeKey(token.LastUsedAt)
}

// timeKey makes times comparable as text, "never" behind all others.
func timeKey(t time.Time) string {
	if t.IsZero() {
		return "never"
	}
	return t.UTC().Format("2006-01-02T15:04:05.000000000Z")
}

func names(teams []*tfe.Team) []string {
	return each(teams, func(t *tfe.Team) string { return t.Name })
}

// each is never nil, so that an empty list equals an empty list.
func each[T any](items []T, f func(T) string) []string {
	result := make([]string, 0, len(items))
	for _, item := range items {
		result = append(result, f(item))
	}
	return result
}

func sorted(items []string) []string {
	items = slices.Clone(items)
	sort.Strings(items)
	return items
}

func backwards(items []string) []string {
	items = slices.Clone(items)
	slices.Reverse(items)
	return items
}

func isNow(t time.Time) bool {
	return time.Since(t).Abs() < 5*time.Minute
}

// The checks.

var errStopped = errors.New("the story cannot go on")

func (s *story) equal(what string, expected, got any) {
	if reflect.DeepEqual(expected, got) {
		s.passed++
		fmt.Println("ok  ", what)
		return
	}
	s.failed++
	fmt.Printf("FAIL %s: expected %v, got %v\n", what, expected, got)
}

func (s *story) check(what string, holds bool) {
	s.equal(what, true, holds)
}

// need is a check without which the story cannot go on.
func (s *story) need(what string, holds bool) {
	s.check(what, holds)
	if !holds {
		panic(errStopped)
	}
}

// must is a call that has to succeed for the story to go on.
func (s *story) must(what string, err error) {
	if err != nil {
		s.equal(what, "no error", fmt.Sprintf("%q", err))
		panic(errStopped)
	}
	s.check(what, true)
}

// fails checks that a call was refused with one of the client's own errors.
func (s *story) fails(what string, expected, got error) {
	if errors.Is(got, expected) {
		got = expected
	}
	s.equal(what, expected, got)
}

// failsSaying checks that a call was refused with an error that holds a text.
func (s *story) failsSaying(what, text string, err error) {
	if err != nil && strings.Contains(err.Error(), text) {
		s.check(what, true)
		return
	}
	s.equal(what, fmt.Sprintf("an error with %q", text), fmt.Sprintf("%v", err))
}
