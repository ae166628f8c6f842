//! What is deleted is gone for everybody at once, whatever it holds; what it held is removed little by little.
//!
//! A deletion marks one row of a table `all_…`, which is no more in the view without the `all_`, and writes one row of
//! `deletions`. In the background its tokens get their own end and their own event (`tokens/orphans.rs`), and the rows that
//! nobody can see any more are removed; those that a request holds are left for the second look. The marked row stays as
//! long as a token names it.

use chrono::{DateTime, Utc};
use diesel::dsl::{IntervalDsl, now};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text, Timestamptz, Uuid as SqlUuid};
use uuid::Uuid;

use crate::audit::Event;
use crate::database::schema::{deletions, statement_timestamp};
use crate::database::text_enum::text_enum;
use crate::ids::{AuditEventId, OrganizationId, ProjectId, TeamId, UserId, WorkspaceId};

/// What is deleted, by its id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Deleted {
    Organization(OrganizationId),
    Team(TeamId),
    Workspace(WorkspaceId),
    Project(ProjectId),
    User(UserId),
}

text_enum! {
    /// The kind of what is deleted.
    pub enum Kind {
        Organization = "organization",
        Team = "team",
        Workspace = "workspace",
        Project = "project",
        User = "user",
    }
}

impl Kind {
    /// The table that keeps the row.
    const fn table(self) -> &'static str {
        match self {
            Self::Organization => "all_organizations",
            Self::Team => "all_teams",
            Self::Workspace => "all_workspaces",
            Self::Project => "all_projects",
            Self::User => "all_users",
        }
    }
}

impl Deleted {
    const fn parts(self) -> (Kind, Uuid) {
        match self {
            Self::Organization(id) => (Kind::Organization, id.uuid()),
            Self::Team(id) => (Kind::Team, id.uuid()),
            Self::Workspace(id) => (Kind::Workspace, id.uuid()),
            Self::Project(id) => (Kind::Project, id.uuid()),
            Self::User(id) => (Kind::User, id.uuid()),
        }
    }
}

/// Deletes a row, which must be locked. The event is the one that tells of it; the caller records it.
pub(crate) fn mark(connection: &mut PgConnection, deleted: Deleted, event: &Event) -> QueryResult<()> {
    let (kind, id) = deleted.parts();
    let marked = diesel::sql_query(format!(
        "WITH marked AS (UPDATE {} SET deleted_at = statement_timestamp() WHERE id = $1 AND deleted_at IS NULL \
         RETURNING id, deleted_at) \
         INSERT INTO deletions (owner_id, kind, deleted_at, event_id) \
         SELECT id, $2, deleted_at, $3 FROM marked",
        kind.table()
    ))
    .bind::<SqlUuid, _>(id)
    .bind::<Text, _>(kind)
    .bind::<SqlUuid, _>(event.id())
    .execute(connection)?;
    if marked == 0 { Err(diesel::NotFound) } else { Ok(()) }
}

/// A deletion that is under way.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = deletions, check_for_backend(diesel::pg::Pg))]
pub(crate) struct Deletion {
    owner_id: Uuid,
    pub(crate) kind: Kind,
    pub(crate) deleted_at: DateTime<Utc>,
    /// The event of the trail that tells of it.
    #[diesel(column_name = event_id)]
    pub(crate) event: AuditEventId,
    looked: bool,
}

/// How long a request that had begun before a deletion may still write, in seconds: longer than any lives.
const LATE_SECONDS: i32 = 60;

impl Deletion {
    /// The primary key of what is deleted.
    pub(crate) const fn uuid(&self) -> Uuid {
        self.owner_id
    }

    /// The public id of what is deleted.
    pub(crate) fn owner(&self) -> String {
        match self.kind {
            Kind::Organization => OrganizationId::from(self.owner_id).to_string(),
            Kind::Team => TeamId::from(self.owner_id).to_string(),
            Kind::Workspace => WorkspaceId::from(self.owner_id).to_string(),
            Kind::Project => ProjectId::from(self.owner_id).to_string(),
            Kind::User => UserId::from(self.owner_id).to_string(),
        }
    }

    /// Removes rows that went with it and that nobody can see any more, at most so many of each table. Answers whether there
    /// may be more.
    pub(crate) fn remove_parts(&self, connection: &mut PgConnection, most: i64) -> QueryResult<bool> {
        let mut more = false;
        for statement in parts_of(self.kind) {
            let removed = diesel::sql_query(*statement)
                .bind::<SqlUuid, _>(self.owner_id)
                .bind::<BigInt, _>(most)
                .bind::<Timestamptz, _>(self.deleted_at)
                .execute(connection)?;
            more |= i64::try_from(removed).is_ok_and(|removed| removed == most);
        }
        Ok(more)
    }

    /// There may be more of it: the others have their turn first.
    pub(crate) fn goes_on(&self, connection: &mut PgConnection) -> QueryResult<()> {
        let this = deletions::table.find(self.owner_id);
        diesel::update(this).set(deletions::due_at.eq(statement_timestamp())).execute(connection)?;
        Ok(())
    }

    /// Nothing is left of it. It is over if that is so for the second time; else it is looked at again, once no request that
    /// had begun before it is left.
    pub(crate) fn nothing_left(&self, connection: &mut PgConnection) -> QueryResult<()> {
        let this = deletions::table.find(self.owner_id);
        if self.looked {
            diesel::delete(this).execute(connection)?;
        } else {
            let later = now.into_sql::<Timestamptz>() + LATE_SECONDS.seconds();
            diesel::update(this).set((deletions::looked.eq(true), deletions::due_at.eq(later))).execute(connection)?;
        }
        Ok(())
    }
}

/// What goes with an organization, a team, a workspace, a project or a user: its own rows, parts before what they belong to. `$1` is
/// its id, `$2` the most rows, `$3` when it was deleted.
const fn parts_of(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::Organization => &[
            "DELETE FROM team_projects WHERE id IN (SELECT id FROM team_projects WHERE organization_id = $1 ORDER BY id LIMIT $2 FOR UPDATE SKIP LOCKED)",
            "DELETE FROM team_workspaces WHERE id IN (SELECT id FROM team_workspaces WHERE organization_id = $1 ORDER BY id LIMIT $2 FOR UPDATE SKIP LOCKED)",
            "DELETE FROM team_members WHERE (team_id, user_id) IN (SELECT team_id, user_id FROM team_members \
             WHERE organization_id = $1 LIMIT $2 FOR UPDATE SKIP LOCKED)",
            "DELETE FROM memberships WHERE id IN (SELECT id FROM memberships WHERE organization_id = $1 \
             AND NOT EXISTS (SELECT FROM team_members AS inside WHERE inside.organization_id = $1) LIMIT $2 \
             FOR UPDATE SKIP LOCKED)",
            "DELETE FROM abilities WHERE (organization_id, name) IN (SELECT organization_id, name FROM abilities \
             WHERE organization_id = $1 LIMIT $2)",
            "DELETE FROM workspace_tags WHERE (workspace_id, tag_id) IN (SELECT workspace_id, tag_id FROM workspace_tags \
             WHERE organization_id = $1 LIMIT $2 FOR UPDATE SKIP LOCKED)",
            "DELETE FROM tags WHERE id IN (SELECT id FROM tags WHERE organization_id = $1 \
             AND NOT EXISTS (SELECT FROM workspace_tags AS given WHERE given.organization_id = $1) LIMIT $2 \
             FOR UPDATE SKIP LOCKED)",
            "DELETE FROM remote_state_consumers WHERE (workspace_id, consumer_id) IN (SELECT workspace_id, consumer_id \
             FROM remote_state_consumers WHERE organization_id = $1 LIMIT $2 FOR UPDATE SKIP LOCKED)",
            "DELETE FROM reserved_tag_keys WHERE id IN (SELECT id FROM reserved_tag_keys WHERE organization_id = $1 ORDER BY id LIMIT $2 FOR UPDATE SKIP LOCKED)",
            "UPDATE all_workspaces SET deleted_at = $3 WHERE id IN (SELECT id FROM all_workspaces \
             WHERE organization_id = $1 AND deleted_at IS NULL LIMIT $2)",
            "UPDATE all_projects SET deleted_at = $3 WHERE id IN (SELECT id FROM all_projects \
             WHERE organization_id = $1 AND deleted_at IS NULL LIMIT $2)",
            "UPDATE all_teams SET deleted_at = $3 WHERE id IN (SELECT id FROM all_teams \
             WHERE organization_id = $1 AND deleted_at IS NULL LIMIT $2)",
            "UPDATE all_users SET deleted_at = $3 WHERE id IN (SELECT id FROM all_users \
             WHERE organization_id = $1 AND deleted_at IS NULL LIMIT $2)",
        ],
        Kind::Team => &[
            "DELETE FROM team_projects WHERE id IN (SELECT id FROM team_projects WHERE team_id = $1 ORDER BY id LIMIT $2 FOR UPDATE SKIP LOCKED)",
            "DELETE FROM team_workspaces WHERE id IN (SELECT id FROM team_workspaces WHERE team_id = $1 ORDER BY id LIMIT $2 FOR UPDATE SKIP LOCKED)",
            "DELETE FROM team_members WHERE (team_id, user_id) IN (SELECT team_id, user_id FROM team_members \
             WHERE team_id = $1 LIMIT $2 FOR UPDATE SKIP LOCKED)",
        ],
        Kind::Workspace => &[
            "DELETE FROM team_workspaces WHERE id IN (SELECT id FROM team_workspaces WHERE workspace_id = $1 ORDER BY id LIMIT $2 FOR UPDATE SKIP LOCKED)",
            "DELETE FROM workspace_tags WHERE (workspace_id, tag_id) IN (SELECT workspace_id, tag_id FROM workspace_tags \
             WHERE workspace_id = $1 LIMIT $2 FOR UPDATE SKIP LOCKED)",
            "DELETE FROM remote_state_consumers WHERE (workspace_id, consumer_id) IN (SELECT workspace_id, consumer_id \
             FROM remote_state_consumers WHERE workspace_id = $1 OR consumer_id = $1 LIMIT $2 FOR UPDATE SKIP LOCKED)",
        ],
        Kind::Project => &[
            "DELETE FROM team_projects WHERE id IN (SELECT id FROM team_projects WHERE project_id = $1 ORDER BY id LIMIT $2 FOR UPDATE SKIP LOCKED)",
        ],
        Kind::User => &[
            "DELETE FROM team_members WHERE (team_id, user_id) IN (SELECT team_id, user_id FROM team_members \
             WHERE user_id = $1 LIMIT $2 FOR UPDATE SKIP LOCKED)",
            "DELETE FROM memberships WHERE id IN (SELECT id FROM memberships WHERE user_id = $1 \
             AND NOT EXISTS (SELECT FROM team_members AS inside WHERE inside.user_id = $1) LIMIT $2 \
             FOR UPDATE SKIP LOCKED)",
        ],
    }
}

/// Deletions that are due, the longest waiting first, at most so many.
pub(crate) fn due(connection: &mut PgConnection, most: i64) -> QueryResult<Vec<Uuid>> {
    deletions::table
        .filter(deletions::due_at.le(now))
        .order(deletions::due_at)
        .limit(most)
        .select(deletions::owner_id)
        .load(connection)
}

/// One of them, locked until the transaction's end; none if another replica has it, or it is over.
pub(crate) fn take(connection: &mut PgConnection, owner: Uuid) -> QueryResult<Option<Deletion>> {
    deletions::table.find(owner).select(Deletion::as_select()).for_update().skip_locked().first(connection).optional()
}

/// Removes the rows of what was deleted so many seconds ago and is named by no token any more, at most so many of each
/// kind. Answers whether there may be more.
pub(crate) fn remove_unnamed(connection: &mut PgConnection, seconds: i64, most: i64) -> QueryResult<bool> {
    let mut more = false;
    for (kind, named) in [
        (Kind::Workspace, "SELECT FROM tokens WHERE workspace_id = gone.id"),
        (Kind::Project, "SELECT FROM all_workspaces WHERE project_id = gone.id"),
        (
            Kind::Team,
            "SELECT FROM tokens WHERE team_id = gone.id UNION ALL SELECT FROM tokens WHERE created_by_team_id = gone.id",
        ),
        (
            Kind::User,
            "SELECT FROM tokens WHERE user_id = gone.id UNION ALL SELECT FROM tokens WHERE created_by_user_id = gone.id",
        ),
        (
            Kind::Organization,
            "SELECT FROM tokens WHERE organization_id = gone.id \
             UNION ALL SELECT FROM tokens WHERE created_by_organization_id = gone.id \
             UNION ALL SELECT FROM all_teams WHERE organization_id = gone.id \
             UNION ALL SELECT FROM all_workspaces WHERE organization_id = gone.id \
             UNION ALL SELECT FROM all_projects WHERE organization_id = gone.id \
             UNION ALL SELECT FROM all_users WHERE organization_id = gone.id",
        ),
    ] {
        let table = kind.table();
        let removed = diesel::sql_query(format!(
            "DELETE FROM {table} WHERE id IN (SELECT id FROM {table} AS gone \
             WHERE deleted_at <= now() - $1 * interval '1 second' \
             AND NOT EXISTS (SELECT FROM deletions WHERE owner_id = gone.id) AND NOT EXISTS ({named}) LIMIT $2)"
        ))
        .bind::<BigInt, _>(seconds)
        .bind::<BigInt, _>(most)
        .execute(connection)?;
        more |= i64::try_from(removed).is_ok_and(|removed| removed == most);
    }
    Ok(more)
}
