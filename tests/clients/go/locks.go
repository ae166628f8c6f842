package main

import (
	tfe "github.com/hashicorp/go-tfe"
)

// workspacesAreLocked tells of locks: whose they are, who takes them off, and what they forbid.
func (s *story) workspacesAreLocked() {
	workspaces := s.client.Workspaces
	held, err := workspaces.Create(s.ctx, s.organization, tfe.WorkspaceCreateOptions{Name: tfe.String("held")})
	s.must("create a workspace to lock", err)
	s.check("it is not locked", !held.Locked && held.LockedBy == nil)
	s.check("a lock can be put on and taken off",
		held.Permissions.CanLock && held.Permissions.CanUnlock && held.Permissions.CanForceUnlock)
	s.equal("it has a page", "/app/"+s.organization+"/workspaces/held", held.Links["self-html"])

	locked, err := workspaces.Lock(s.ctx, held.ID, tfe.WorkspaceLockOptions{Reason: tfe.String("Maintenance")})
	s.must("lock it", err)
	s.check("it is locked", locked.Locked)
	s.need("it tells by whom", locked.LockedBy != nil && locked.LockedBy.User != nil)
	s.equal("it is the user", s.me.ID, locked.LockedBy.User.ID)
	read, err := workspaces.ReadByIDWithOptions(s.ctx, held.ID, &tfe.WorkspaceReadOptions{Include: []tfe.WSIncludeOpt{tfe.WSLockedBy}})
	s.must("read it with who has locked it", err)
	s.need("it is told", read.LockedBy != nil && read.LockedBy.User != nil)
	s.equal("by name", s.me.Username, read.LockedBy.User.Username)
	_, err = workspaces.Lock(s.ctx, held.ID, tfe.WorkspaceLockOptions{})
	s.fails("a second lock is refused", tfe.ErrWorkspaceLocked, err)
	s.fails("it is not deleted safely by its id", tfe.ErrWorkspaceLockedCannotDelete, workspaces.SafeDeleteByID(s.ctx, held.ID))
	s.fails("nor by its name", tfe.ErrWorkspaceLockedCannotDelete, workspaces.SafeDelete(s.ctx, s.organization, "held"))
	unlocked, err := workspaces.Unlock(s.ctx, held.ID)
	s.must("unlock it", err)
	s.check("it is not locked any more", !unlocked.Locked && unlocked.LockedBy == nil)
	_, err = workspaces.Unlock(s.ctx, held.ID)
	s.fails("it cannot be unlocked twice", tfe.ErrWorkspaceNotLocked, err)
	_, err = workspaces.ForceUnlock(s.ctx, held.ID)
	s.fails("nor by force", tfe.ErrWorkspaceNotLocked, err)

	write := tfe.AccessWrite
	_, err = s.client.TeamAccess.Add(s.ctx, tfe.TeamAccessAddOptions{Access: &write, Team: s.release, Workspace: held})
	s.must("let a team lock it", err)
	team := s.as(s.createToken(s.client, s.release, "locks", nil).Token)
	locked, err = team.Workspaces.Lock(s.ctx, held.ID, tfe.WorkspaceLockOptions{})
	s.must("the team locks it", err)
	s.need("it tells which team", locked.LockedBy != nil && locked.LockedBy.Team != nil)
	s.equal("it is that team", s.release.ID, locked.LockedBy.Team.ID)
	_, err = workspaces.Unlock(s.ctx, held.ID)
	s.fails("nobody else unlocks it", tfe.ErrWorkspaceLockedByTeam, err)
	_, err = team.Workspaces.ForceUnlock(s.ctx, held.ID)
	s.fails("the team cannot use force", tfe.ErrResourceNotFound, err)
	_, err = workspaces.ForceUnlock(s.ctx, held.ID)
	s.must("an owner can", err)
	_, err = workspaces.Lock(s.ctx, held.ID, tfe.WorkspaceLockOptions{})
	s.must("lock it as the user", err)
	_, err = team.Workspaces.Unlock(s.ctx, held.ID)
	s.fails("the team does not unlock that", tfe.ErrWorkspaceLockedByUser, err)
	s.must("delete the team's token", s.deleteToken(s.release, "locks"))
	s.must("delete it although it is locked", workspaces.DeleteByID(s.ctx, held.ID))
}

// stateIsShared tells of the workspaces that may read the state of another one.
func (s *story) stateIsShared() {
	workspaces := s.client.Workspaces
	var all []*tfe.Workspace
	for _, name := range []string{"producer", "first", "second"} {
		made, err := workspaces.Create(s.ctx, s.organization, tfe.WorkspaceCreateOptions{Name: &name})
		s.must("create "+name, err)
		all = append(all, made)
	}
	producer, consumers := all[0], all[1:]
	s.check("everybody may read its state at first", producer.GlobalRemoteState)
	listed := func() []string {
		list, err := workspaces.ListRemoteStateConsumers(s.ctx, producer.ID, &tfe.RemoteStateConsumersListOptions{
			ListOptions: tfe.ListOptions{PageSize: 100},
		})
		s.must("list who may read its state", err)
		return each(list.Items, func(w *tfe.Workspace) string { return w.Name })
	}
	s.equal("nobody is named", []string{}, listed())
	s.must("name two", workspaces.AddRemoteStateConsumers(s.ctx, producer.ID,
		tfe.WorkspaceAddRemoteStateConsumersOptions{Workspaces: consumers}))
	s.equal("they are told", []string{"first", "second"}, listed())
	s.must("take one away", workspaces.RemoveRemoteStateConsumers(s.ctx, producer.ID,
		tfe.WorkspaceRemoveRemoteStateConsumersOptions{Workspaces: consumers[:1]}))
	s.equal("the other is left", []string{"second"}, listed())
	s.must("name another instead", workspaces.UpdateRemoteStateConsumers(s.ctx, producer.ID,
		tfe.WorkspaceUpdateRemoteStateConsumersOptions{Workspaces: consumers[:1]}))
	s.equal("it is the only one", []string{"first"}, listed())
	_, err := workspaces.UpdateByID(s.ctx, producer.ID, tfe.WorkspaceUpdateOptions{ProjectRemoteState: tfe.Bool(true)})
	s.failsSaying("the project alone and everybody exclude each other", "global remote state sharing is enabled", err)
	for _, workspace := range all {
		s.must("delete "+workspace.Name, workspaces.DeleteByID(s.ctx, workspace.ID))
	}
}

// anOrganizationHasTags tells of the tags of all workspaces.
func (s *story) anOrganizationHasTags() {
	tags := s.client.OrganizationTags
	one, err := s.client.Workspaces.Create(s.ctx, s.organization, tfe.WorkspaceCreateOptions{
		Name: tfe.String("one"),
		Tags: []*tfe.Tag{{Name: "shared"}, {Name: "lonely"}},
	})
	s.must("create a workspace with tags", err)
	two, err := s.client.Workspaces.Create(s.ctx, s.organization, tfe.WorkspaceCreateOptions{Name: tfe.String("two")})
	s.must("create one without", err)
	find := func(options tfe.OrganizationTagsListOptions) []*tfe.OrganizationTag {
		list, err := tags.List(s.ctx, s.organization, &options)
		s.must("list the tags", err)
		return list.Items
	}
	shared := find(tfe.OrganizationTagsListOptions{Query: "share"})
	s.need("one is found by a part of its name", len(shared) == 1)
	s.equal("it is that one", "shared", shared[0].Name)
	s.equal("one workspace has it", 1, shared[0].InstanceCount)
	s.check("it tells its organization", shared[0].Organization != nil && shared[0].Organization.Name == s.organization)
	rest := find(tfe.OrganizationTagsListOptions{Filter: one.ID, Query: "lonely"})
	s.equal("what the workspace has can be left out", 0, len(rest))
	s.equal("what another has not stays", 1, len(find(tfe.OrganizationTagsListOptions{Filter: two.ID, Query: "lonely"})))

	s.must("give it to the other", tags.AddWorkspaces(s.ctx, shared[0].ID, tfe.AddWorkspacesToTagOptions{
		WorkspaceIDs: []string{two.ID},
	}))
	theirs, err := s.client.Workspaces.ListTags(s.ctx, two.ID, nil)
	s.must("list the tags of the other", err)
	s.need("it has one", len(theirs.Items) == 1)
	s.equal("it is the same tag", shared[0].ID, theirs.Items[0].ID)
	s.equal("two workspaces have it", 2, find(tfe.OrganizationTagsListOptions{Query: "share"})[0].InstanceCount)

	s.must("delete it", tags.Delete(s.ctx, s.organization, tfe.OrganizationTagsDeleteOptions{IDs: []string{shared[0].ID}}))
	s.equal("it is not found any more", 0, len(find(tfe.OrganizationTagsListOptions{Query: "share"})))
	read, err := s.client.Workspaces.ReadByID(s.ctx, one.ID)
	s.must("read the first workspace", err)
	s.equal("it has just the other tag", []string{"lonely"}, read.TagNames)
	for _, workspace := range []*tfe.Workspace{one, two} {
		s.must("delete "+workspace.Name, s.client.Workspaces.DeleteByID(s.ctx, workspace.ID))
	}
}
