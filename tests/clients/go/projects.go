package main

import (
	"slices"

	"github.com/hashicorp/jsonapi"

	tfe "github.com/hashicorp/go-tfe"
)

// projectsGroupWorkspaces tells of projects, of the access that teams have to them, and of reserved tag keys.
func (s *story) projectsGroupWorkspaces() {
	projects := s.client.Projects
	whole, err := s.client.Organizations.ReadWithOptions(s.ctx, s.organization, tfe.OrganizationReadOptions{
		Include: []tfe.OrganizationIncludeOpt{tfe.OrganizationDefaultProject},
	})
	s.must("read the organization with its default project", err)
	s.need("it has one", whole.DefaultProject != nil)
	s.equal("its name", "Default Project", whole.DefaultProject.Name)

	core, err := projects.Create(s.ctx, s.organization, tfe.ProjectCreateOptions{
		Name:                        "Core services",
		Description:                 tfe.String("What all others need"),
		AutoDestroyActivityDuration: jsonapi.NewNullableAttrWithValue("14d"),
		TagBindings:                 []*tfe.TagBinding{{Key: "env", Value: "prod"}, {Key: "area"}},
	})
	s.must("create a project", err)
	s.equal("its name", "Core services", core.Name)
	s.equal("its description", "What all others need", core.Description)
	duration, err := core.AutoDestroyActivityDuration.Get()
	s.must("read its duration", err)
	s.equal("it is kept", "14d", duration)
	s.equal("it executes as the organization does", whole.DefaultExecutionMode, core.DefaultExecutionMode)
	s.equal("it is in the organization", s.organization, core.Organization.Name)

	read, err := projects.ReadWithOptions(s.ctx, core.ID, tfe.ProjectReadOptions{
		Include: []tfe.ProjectIncludeOpt{tfe.ProjectEffectiveTagBindings},
	})
	s.must("read it with its bindings", err)
	s.need("it has two", len(read.EffectiveTagBindings) == 2)
	s.equal("the first key", "env", read.EffectiveTagBindings[0].Key)
	s.equal("the first value", "prod", read.EffectiveTagBindings[0].Value)

	name := func(p *tfe.Project) string { return p.Name }
	list, err := projects.List(s.ctx, s.organization, nil)
	s.must("list the projects", err)
	s.equal("the default project is first", []string{"Default Project", "Core services"}, each(list.Items, name))
	for _, options := range []*tfe.ProjectListOptions{
		{Name: "core services"},
		{Query: "core"},
		{TagBindings: []*tfe.TagBinding{{Key: "env", Value: "prod"}, {Key: "area"}}},
	} {
		found, err := projects.List(s.ctx, s.organization, options)
		s.must("search the projects", err)
		s.equal("one is found", []string{"Core services"}, each(found.Items, name))
	}

	changed, err := projects.Update(s.ctx, core.ID, tfe.ProjectUpdateOptions{
		Name:                        tfe.String("Core"),
		AutoDestroyActivityDuration: jsonapi.NewNullNullableAttr[string](),
	})
	s.must("change it", err)
	s.equal("its name has changed", "Core", changed.Name)
	s.equal("the rest is as it was", core.Description, changed.Description)
	s.check("the duration is cleared", !changed.AutoDestroyActivityDuration.IsSpecified() ||
		changed.AutoDestroyActivityDuration.IsNull())
	s.projectIsBound(core)
	s.workspacesMove(core)
	s.teamsGetAccessToProjects(core)
	s.tagKeysAreReserved()

	s.must("delete the project", projects.Delete(s.ctx, core.ID))
	_, err = projects.Read(s.ctx, core.ID)
	s.fails("it is gone", tfe.ErrResourceNotFound, err)
}

func (s *story) projectIsBound(project *tfe.Project) {
	projects := s.client.Projects
	pair := func(b *tfe.TagBinding) string { return b.Key + "=" + b.Value }
	bound, err := projects.AddTagBindings(s.ctx, project.ID, tfe.ProjectAddTagBindingsOptions{
		TagBindings: []*tfe.TagBinding{{Key: "env", Value: "test"}},
	})
	s.must("give a binding another value", err)
	s.equal("both are there", []string{"env=test", "area="}, each(bound, pair))
	s.must("delete them all", projects.DeleteAllTagBindings(s.ctx, project.ID))
	listed, err := projects.ListTagBindings(s.ctx, project.ID)
	s.must("list them", err)
	s.equal("none is left", 0, len(listed))
	_, err = projects.Update(s.ctx, project.ID, tfe.ProjectUpdateOptions{
		TagBindings: []*tfe.TagBinding{{Key: "env", Value: "live"}},
	})
	s.must("replace them with the project", err)
	effective, err := projects.ListEffectiveTagBindings(s.ctx, project.ID)
	s.must("list those in force", err)
	s.equal("one is left", 1, len(effective))
}

func (s *story) workspacesMove(project *tfe.Project) {
	workspaces := s.client.Workspaces
	inside, err := workspaces.Create(s.ctx, s.organization, tfe.WorkspaceCreateOptions{
		Name:    tfe.String("inside"),
		Project: project,
	})
	s.must("create a workspace in the project", err)
	s.equal("it is in it", project.ID, inside.Project.ID)
	s.equal("it is found by it", []string{"inside"}, s.workspaceNames(&tfe.WorkspaceListOptions{ProjectID: project.ID}))
	tagged := s.workspaceNames(&tfe.WorkspaceListOptions{TagBindings: []*tfe.TagBinding{{Key: "env", Value: "live"}}})
	s.check("it is found by what it inherits", slices.Contains(tagged, "inside"))
	effective, err := workspaces.ListEffectiveTagBindings(s.ctx, inside.ID)
	s.must("list its bindings in force", err)
	s.need("there is one", len(effective) == 1)
	s.equal("it says whence", any("/api/v2/projects/"+project.ID), effective[0].Links["inherited-from"])
	s.failsSaying("a project with workspaces stays", "workspaces", s.client.Projects.Delete(s.ctx, project.ID))
	moved, err := workspaces.UpdateByID(s.ctx, inside.ID, tfe.WorkspaceUpdateOptions{Project: s.defaultProject()})
	s.must("move it into the default project", err)
	s.equal("it is there", s.defaultProject().ID, moved.Project.ID)
	whole, err := workspaces.ReadByIDWithOptions(s.ctx, inside.ID, &tfe.WorkspaceReadOptions{
		Include: []tfe.WSIncludeOpt{tfe.WSProject},
	})
	s.must("read it with its project", err)
	s.equal("the project's name", "Default Project", whole.Project.Name)
	s.must("delete it", workspaces.DeleteByID(s.ctx, inside.ID))
}

func (s *story) defaultProject() *tfe.Project {
	organization, err := s.client.Organizations.Read(s.ctx, s.organization)
	s.must("read the organization", err)
	s.need("it has a default project", organization.DefaultProject != nil)
	return organization.DefaultProject
}

func (s *story) teamsGetAccessToProjects(project *tfe.Project) {
	access := s.client.TeamProjectAccess
	given, err := access.Add(s.ctx, tfe.TeamProjectAccessAddOptions{
		Access:  tfe.TeamProjectAccessMaintain,
		Team:    s.release,
		Project: project,
	})
	s.must("give a team access", err)
	s.equal("its level", tfe.TeamProjectAccessMaintain, given.Access)
	s.check("it makes workspaces", given.WorkspaceAccess.WorkspaceCreatePermission)
	s.equal("it names both", s.release.ID+" "+project.ID, given.Team.ID+" "+given.Project.ID)
	list, err := access.List(s.ctx, tfe.TeamProjectAccessListOptions{ProjectID: project.ID})
	s.must("list who has access", err)
	s.need("there is one", len(list.Items) == 1)
	s.equal("it is that one", given.ID, list.Items[0].ID)
	custom := tfe.TeamProjectAccessCustom
	settings := tfe.ProjectSettingsPermissionUpdate
	changed, err := access.Update(s.ctx, given.ID, tfe.TeamProjectAccessUpdateOptions{
		Access:          &custom,
		ProjectAccess:   &tfe.TeamProjectAccessProjectPermissionsOptions{Settings: &settings},
		WorkspaceAccess: &tfe.TeamProjectAccessWorkspacePermissionsOptions{Move: tfe.Bool(false)},
	})
	s.must("choose what it holds", err)
	s.equal("its settings", settings, changed.ProjectAccess.ProjectSettingsPermission)
	s.check("it moves nothing any more", !changed.WorkspaceAccess.WorkspaceMovePermission)
	read, err := access.Read(s.ctx, given.ID)
	s.must("read it", err)
	s.equal("it is kept", changed.WorkspaceAccess, read.WorkspaceAccess)
	s.must("take it away", access.Remove(s.ctx, given.ID))
	_, err = access.Read(s.ctx, given.ID)
	s.fails("it is gone", tfe.ErrResourceNotFound, err)
}

func (s *story) tagKeysAreReserved() {
	keys := s.client.ReservedTagKeys
	made, err := keys.Create(s.ctx, s.organization, tfe.ReservedTagKeyCreateOptions{Key: "cost-center"})
	s.must("reserve a tag key", err)
	s.equal("the key", "cost-center", made.Key)
	changed, err := keys.Update(s.ctx, made.ID, tfe.ReservedTagKeyUpdateOptions{DisableOverrides: tfe.Bool(true)})
	s.must("change it", err)
	s.check("it is not overridden", changed.DisableOverrides)
	list, err := keys.List(s.ctx, s.organization, nil)
	s.must("list the reserved keys", err)
	s.equal("there is one", 1, len(list.Items))
	s.must("give it free", keys.Delete(s.ctx, made.ID))
}
