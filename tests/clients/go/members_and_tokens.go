package main

import (
	"slices"
	"strings"
	"time"

	tfe "github.com/hashicorp/go-tfe"
)

// anOrganizationHasTokensOfItsOwn tells of the organization token and the audit-trails token.
func (s *story) anOrganizationHasTokensOfItsOwn() {
	tokens := s.client.OrganizationTokens
	first, err := tokens.Create(s.ctx, s.organization)
	s.must("create the organization's token", err)
	s.check("it tells its secret", strings.HasPrefix(first.Token, "lko_"))
	s.check("it tells who made it", first.CreatedBy != nil && first.CreatedBy.User != nil)

	expiry := time.Now().Add(30 * day).UTC().Truncate(time.Second)
	second, err := tokens.CreateWithOptions(s.ctx, s.organization, tfe.OrganizationTokenCreateOptions{ExpiredAt: &expiry})
	s.must("create its successor", err)
	s.equal("it expires when it was asked to", timeKey(expiry), timeKey(second.ExpiredAt))
	_, err = s.as(first.Token).Organizations.Read(s.ctx, s.organization)
	s.fails("the first has stopped working", tfe.ErrUnauthorized, err)
	_, err = s.as(second.Token).Teams.List(s.ctx, s.organization, nil)
	s.must("list the teams with the second", err)

	kind := tfe.TokenType("audit-trails")
	trail, err := tokens.CreateWithOptions(s.ctx, s.organization, tfe.OrganizationTokenCreateOptions{TokenType: &kind})
	s.must("create the audit-trails token", err)
	reader := s.as(trail.Token)
	events, err := reader.AuditTrails.List(s.ctx, &tfe.AuditTrailListOptions{Since: time.Now().Add(-time.Hour).UTC()})
	s.must("read the audit trail", err)
	s.check("it tells of the organization's making", slices.ContainsFunc(events.Items, func(e *tfe.AuditTrail) bool {
		return e.Resource.Type == "organization" && e.Resource.Action == "create" && e.Auth.AccessorID == s.me.ID
	}))
	events, err = reader.AuditTrails.List(s.ctx, &tfe.AuditTrailListOptions{ListOptions: &tfe.ListOptions{PageSize: 2}})
	s.must("read a page of it", err)
	s.equal("the page has two events", 2, len(events.Items))
	_, err = reader.Teams.List(s.ctx, s.organization, nil)
	s.fails("its token reads nothing else", tfe.ErrResourceNotFound, err)

	read, err := tokens.ReadWithOptions(s.ctx, s.organization, tfe.OrganizationTokenReadOptions{TokenType: &kind})
	s.must("read the audit-trails token", err)
	s.equal("it is that one", trail.ID, read.ID)
	s.equal("it keeps its secret", "", read.Token)
	s.must("delete it", tokens.DeleteWithOptions(s.ctx, s.organization, tfe.OrganizationTokenDeleteOptions{TokenType: &kind}))
	read, err = tokens.Read(s.ctx, s.organization)
	s.must("read the organization's token", err)
	s.equal("it is the second", second.ID, read.ID)
	s.must("delete that, too", tokens.Delete(s.ctx, s.organization))
	_, err = tokens.Read(s.ctx, s.organization)
	s.fails("it is not found any more", tfe.ErrResourceNotFound, err)
}

// aUserHasTokens tells of the user's own tokens.
func (s *story) aUserHasTokens() {
	tokens := s.client.UserTokens
	made, err := tokens.Create(s.ctx, s.me.ID, tfe.UserTokenCreateOptions{Description: "go " + s.unique})
	s.must("create a user token", err)
	user, err := s.as(made.Token).Users.ReadCurrent(s.ctx)
	s.must("sign in with it", err)
	s.equal("it is the same user", s.me.ID, user.ID)
	list, err := tokens.List(s.ctx, s.me.ID)
	s.must("list the user's tokens", err)
	s.check("it is among them", slices.ContainsFunc(list.Items, func(t *tfe.UserToken) bool { return t.ID == made.ID }))
	read, err := tokens.Read(s.ctx, made.ID)
	s.must("read it", err)
	s.equal("it has its description", "go "+s.unique, read.Description)
	s.must("delete it", tokens.Delete(s.ctx, made.ID))
	_, err = tokens.Read(s.ctx, made.ID)
	s.fails("it is not found any more", tfe.ErrResourceNotFound, err)
}

// peopleAreInvited tells of memberships, and of teams that hold them.
func (s *story) peopleAreInvited() {
	members := s.client.OrganizationMemberships
	email := "invited-" + s.unique + "@latchkey.example"
	invited, err := members.Create(s.ctx, s.organization, tfe.OrganizationMembershipCreateOptions{
		Email: &email,
		Teams: []*tfe.Team{s.platform},
	})
	s.must("invite somebody", err)
	s.equal("the address is that", email, invited.Email)
	s.equal("the invitation is open", tfe.OrganizationMembershipInvited, invited.Status)
	_, err = members.Create(s.ctx, s.organization, tfe.OrganizationMembershipCreateOptions{Email: &email, Teams: []*tfe.Team{s.platform}})
	s.check("a second invitation is refused", err != nil)

	list, err := members.List(s.ctx, s.organization, &tfe.OrganizationMembershipListOptions{
		Emails:  []string{email},
		Status:  tfe.OrganizationMembershipInvited,
		Include: []tfe.OrgMembershipIncludeOpt{tfe.OrgMembershipUser, tfe.OrgMembershipTeam},
	})
	s.must("find the invitation", err)
	s.need("it is the only one", len(list.Items) == 1 && list.Items[0].ID == invited.ID)
	s.check("it tells of the user", list.Items[0].User != nil && list.Items[0].User.Email == email)
	s.equal("who has chosen no name yet", "", list.Items[0].User.Username)
	read, err := members.ReadWithOptions(s.ctx, invited.ID, tfe.OrganizationMembershipReadOptions{
		Include: []tfe.OrgMembershipIncludeOpt{tfe.OrgMembershipTeam},
	})
	s.must("read it", err)
	s.need("it names its team", len(read.Teams) == 1)
	s.equal("the team is the one it was invited into", s.platform.Name, read.Teams[0].Name)

	ids := []string{invited.ID}
	s.must("put it into a team", s.client.TeamMembers.Add(s.ctx, s.release.ID, tfe.TeamMemberAddOptions{OrganizationMembershipIDs: ids}))
	inside, err := s.client.TeamMembers.ListOrganizationMemberships(s.ctx, s.release.ID)
	s.must("list the team's memberships", err)
	s.check("it is among them", slices.ContainsFunc(inside, func(m *tfe.OrganizationMembership) bool { return m.ID == invited.ID }))
	s.must("take it out", s.client.TeamMembers.Remove(s.ctx, s.release.ID, tfe.TeamMemberRemoveOptions{OrganizationMembershipIDs: ids}))
	s.must("remove the invitation", members.Delete(s.ctx, invited.ID))
	_, err = members.Read(s.ctx, invited.ID)
	s.fails("it is not found any more", tfe.ErrResourceNotFound, err)
	s.usersAreAdministered(email)
}

// usersAreAdministered tells of what a site admin does with the user whom an invitation has made.
func (s *story) usersAreAdministered(email string) {
	users := s.client.Admin.Users
	list, err := users.List(s.ctx, &tfe.AdminUserListOptions{
		Query:          email,
		Administrators: "false",
		SuspendedUsers: "false",
		Include:        []tfe.AdminUserIncludeOpt{tfe.AdminUserOrgs},
	})
	s.must("find the user among all", err)
	s.need("it is the only one", len(list.Items) == 1 && list.TotalCount == 1)
	id := list.Items[0].ID
	s.equal("it has its address", email, list.Items[0].Email)
	all, err := users.List(s.ctx, &tfe.AdminUserListOptions{Query: s.me.Username, Include: []tfe.AdminUserIncludeOpt{tfe.AdminUserOrgs}})
	s.must("find oneself", err)
	s.check("one's organizations are there", slices.ContainsFunc(all.Items[0].Organizations, func(o *tfe.Organization) bool {
		return o.Name == s.organization && o.Email != ""
	}))

	user, err := users.Suspend(s.ctx, id)
	s.must("suspend the user", err)
	s.check("it is suspended", user.IsSuspended)
	_, err = users.Suspend(s.ctx, id)
	s.check("a second time is refused", err != nil)
	user, err = users.Unsuspend(s.ctx, id)
	s.must("end the suspension", err)
	s.check("it is not suspended any more", !user.IsSuspended)
	user, err = users.GrantAdmin(s.ctx, id)
	s.must("make it a site admin", err)
	s.check("it is one", user.IsAdmin)
	user, err = users.RevokeAdmin(s.ctx, id)
	s.must("undo that", err)
	s.check("it is none any more", !user.IsAdmin)
	s.must("delete it", users.Delete(s.ctx, id))
	s.fails("it is not found any more", tfe.ErrResourceNotFound, users.Delete(s.ctx, id))
	s.check("the last site admin stays", users.Delete(s.ctx, s.me.ID) != nil)
}

// tokensLiveOnlySoLong tells of TTL policies.
func (s *story) tokensLiveOnlySoLong() {
	policies := s.client.OrganizationTokenTTLPolicies
	list, err := policies.List(s.ctx, s.organization, nil)
	s.must("list the TTL policies", err)
	s.equal("there are four", 4, len(list.Items))
	changed, err := policies.Update(s.ctx, s.organization, tfe.OrganizationTokenTTLPolicyUpdateOptions{
		Policies: []tfe.OrganizationTokenTTLPolicyUpdateItem{{TokenType: tfe.TokenTypeOrganization, MaxTTLMs: day.Milliseconds()}},
	})
	s.must("set one", err)
	s.check("it is set", slices.ContainsFunc(changed, func(p *tfe.OrganizationTokenTTLPolicy) bool {
		return p.TokenType == tfe.TokenTypeOrganization && p.MaxTTLMs == day.Milliseconds()
	}))
	_, err = s.client.Organizations.Update(s.ctx, s.organization, tfe.OrganizationUpdateOptions{MaxTTLEnabled: tfe.Bool(true)})
	s.must("enforce them", err)
	late := time.Now().Add(2 * day)
	_, err = s.client.OrganizationTokens.CreateWithOptions(s.ctx, s.organization, tfe.OrganizationTokenCreateOptions{ExpiredAt: &late})
	s.check("a later expiry is refused", err != nil)
	_, err = s.client.Organizations.Update(s.ctx, s.organization, tfe.OrganizationUpdateOptions{MaxTTLEnabled: tfe.Bool(false)})
	s.must("enforce them no more", err)
}
