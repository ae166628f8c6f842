package main

import (
	"slices"

	tfe "github.com/hashicorp/go-tfe"
)

// workspacesAreTagged tells of tags, which are names, and of tag bindings, which are keys with values.
func (s *story) workspacesAreTagged() {
	workspaces := s.client.Workspaces
	tagged, err := workspaces.Create(s.ctx, s.organization, tfe.WorkspaceCreateOptions{
		Name:        tfe.String("tagged"),
		Tags:        []*tfe.Tag{{Name: "app"}, {Name: "team:web"}},
		TagBindings: []*tfe.TagBinding{{Key: "env", Value: "prod"}},
	})
	s.must("create a workspace with tags", err)
	s.equal("it tells them", []string{"app", "team:web"}, tagged.TagNames)

	s.must("add a tag", workspaces.AddTags(s.ctx, tagged.ID, tfe.WorkspaceAddTagsOptions{Tags: []*tfe.Tag{{Name: "db"}}}))
	list, err := workspaces.ListTags(s.ctx, tagged.ID, nil)
	s.must("list the tags", err)
	names := each(list.Items, func(t *tfe.Tag) string { return t.Name })
	s.equal("they are these", []string{"app", "db", "team:web"}, names)
	found, err := workspaces.ListTags(s.ctx, tagged.ID, &tfe.WorkspaceTagListOptions{
		ListOptions: tfe.ListOptions{PageSize: 1},
		Query:       tfe.String("web"),
	})
	s.must("search the tags", err)
	s.need("there is one", len(found.Items) == 1 && found.TotalCount == 1)
	s.equal("it is that one", list.Items[2].ID, found.Items[0].ID)

	s.equal("workspaces are found by their tags", []string{"tagged"},
		s.workspaceNames(&tfe.WorkspaceListOptions{Tags: "app,db"}))
	s.check("they are left out by their tags",
		!slices.Contains(s.workspaceNames(&tfe.WorkspaceListOptions{ExcludeTags: "nothing,db"}), "tagged"))

	s.must("take tags away, by name and by id", workspaces.RemoveTags(s.ctx, tagged.ID, tfe.WorkspaceRemoveTagsOptions{
		Tags: []*tfe.Tag{{Name: "app"}, {ID: list.Items[1].ID}},
	}))
	read, err := workspaces.ReadByIDWithOptions(s.ctx, tagged.ID, &tfe.WorkspaceReadOptions{
		Include: []tfe.WSIncludeOpt{tfe.WSEffectiveTagBindings},
	})
	s.must("read it with its bindings", err)
	s.equal("one tag is left", []string{"team:web"}, read.TagNames)
	s.need("it has one binding", len(read.EffectiveTagBindings) == 1)
	s.equal("its key", "env", read.EffectiveTagBindings[0].Key)
	s.equal("its value", "prod", read.EffectiveTagBindings[0].Value)

	s.bindingsAreChanged(tagged)
	s.must("delete it", workspaces.DeleteByID(s.ctx, tagged.ID))
}

func (s *story) bindingsAreChanged(workspace *tfe.Workspace) {
	workspaces := s.client.Workspaces
	pair := func(b *tfe.TagBinding) string { return b.Key + "=" + b.Value }
	bound, err := workspaces.AddTagBindings(s.ctx, workspace.ID, tfe.WorkspaceAddTagBindingsOptions{
		TagBindings: []*tfe.TagBinding{{Key: "env", Value: "test"}, {Key: "cost"}},
	})
	s.must("add bindings", err)
	s.equal("both are there", []string{"env=test", "cost="}, each(bound, pair))
	listed, err := workspaces.ListTagBindings(s.ctx, workspace.ID)
	s.must("list the bindings", err)
	s.equal("they are kept", []string{"env=test", "cost="}, each(listed, pair))
	effective, err := workspaces.ListEffectiveTagBindings(s.ctx, workspace.ID)
	s.must("list the bindings in force", err)
	s.equal("they are the same", 2, len(effective))

	_, err = workspaces.UpdateByID(s.ctx, workspace.ID, tfe.WorkspaceUpdateOptions{
		TagBindings: []*tfe.TagBinding{{Key: "only", Value: "this"}},
	})
	s.must("replace them with the workspace", err)
	listed, err = workspaces.ListTagBindings(s.ctx, workspace.ID)
	s.must("list them again", err)
	s.equal("one is left", []string{"only=this"}, each(listed, pair))
	s.must("delete them all", workspaces.DeleteAllTagBindings(s.ctx, workspace.ID))
	listed, err = workspaces.ListTagBindings(s.ctx, workspace.ID)
	s.must("list them once more", err)
	s.equal("none is left", 0, len(listed))
}
