//! The queries of memberships.

use diesel::dsl::count_star;
use diesel::prelude::*;

use crate::database::page::{Listed, SortColumn, page};
use crate::database::schema::{listed_memberships, lower, memberships, organizations, team_members, teams};
use crate::database::text_enum::TextEnum;
use crate::database::{containing, violated_key};
use crate::ids::{MembershipId, OrganizationId, TeamId, UserId};
use crate::jsonapi::{Error, Page, Query, Result};
use crate::teams::Team;
use crate::users::{Membership, MembershipStatus};

impl Listed for Membership {
    const COLUMNS: &'static [SortColumn<Self>] = &[
        SortColumn::time("created-at", "created_at", |row| row.created_at),
        SortColumn::name("username", "username", |row| row.username.clone()),
        SortColumn::text("status", "status", |row| row.status.to_string()),
    ];

    fn id(&self) -> uuid::Uuid {
        self.id.uuid()
    }
}

/// Whose memberships a list holds.
#[derive(Debug, Clone, Copy)]
pub(super) enum MembershipList {
    /// An organization's. Who cannot see addresses cannot search them either.
    Organization(OrganizationId, Addresses),
    /// A user's, in any organization.
    User(UserId),
    /// Those of an organization's service accounts.
    ServiceAccounts(OrganizationId),
    /// Those of a team's users.
    Team(OrganizationId, TeamId),
    /// None.
    Nobody,
}

/// Whether the caller sees addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Addresses {
    Seen,
    Hidden,
}

pub(super) fn list(connection: &mut PgConnection, of: MembershipList, query: &Query) -> Result<Page<Membership>> {
    let mut found = listed_memberships::table.select(Membership::as_select()).into_boxed();
    found = match of {
        MembershipList::Organization(id, _) => found.filter(listed_memberships::organization_id.eq(id)),
        MembershipList::User(id) => found.filter(listed_memberships::user_id.eq(id)),
        MembershipList::ServiceAccounts(id) => {
            found.filter(listed_memberships::organization_id.eq(id)).filter(listed_memberships::service_account)
        }
        MembershipList::Team(organization, team) => {
            let inside = team_members::table.filter(team_members::team_id.eq(team)).select(team_members::user_id);
            found
                .filter(listed_memberships::organization_id.eq(organization))
                .filter(listed_memberships::user_id.eq_any(inside))
        }
        MembershipList::Nobody => found.filter(diesel::dsl::sql::<diesel::sql_types::Bool>("false")),
    };
    let addresses = !matches!(of, MembershipList::Organization(_, Addresses::Hidden));
    if let Some(q) = query.q() {
        let in_name = listed_memberships::username.ilike(containing(q));
        found = if addresses {
            found.filter(in_name.or(
                listed_memberships::email_known.and(listed_memberships::email.assume_not_null().ilike(containing(q))),
            ))
        } else {
            found.filter(in_name)
        };
    }
    if let Some(emails) = query.filter_list("email") {
        let emails: Vec<String> = emails.iter().map(|email| email.to_lowercase()).collect();
        let emails = if addresses { emails } else { vec![] };
        found = found.filter(
            listed_memberships::email_known.and(lower(listed_memberships::email.assume_not_null()).eq_any(emails)),
        );
    }
    if let Some(words) = query.filter_list("status") {
        found = found.filter(listed_memberships::status.eq_any(statuses(&words)?));
    }
    if let Some(service_account) = query.truth("is_service_account")? {
        found = found.filter(listed_memberships::service_account.eq(service_account));
    }
    page(connection, found, query)
}

fn statuses(words: &[&str]) -> Result<Vec<MembershipStatus>> {
    let known = |word: &&str| {
        MembershipStatus::of_word(word)
            .ok_or_else(|| Error::parameter("filter[status]", "Must be among invited, active"))
    };
    words.iter().map(known).collect()
}

/// A user's membership in an organization.
pub(super) fn of_user(
    connection: &mut PgConnection,
    organization: OrganizationId,
    user: UserId,
) -> QueryResult<MembershipId> {
    memberships::table
        .filter(memberships::organization_id.eq(organization))
        .filter(memberships::user_id.eq(user))
        .select(memberships::id)
        .first(connection)
}

/// How many of an organization's memberships have each status.
pub(super) fn status_counts(
    connection: &mut PgConnection,
    organization: OrganizationId,
) -> QueryResult<Vec<(MembershipStatus, i64)>> {
    memberships::table
        .filter(memberships::organization_id.eq(organization))
        .group_by(memberships::status)
        .select((memberships::status, count_star()))
        .load(connection)
}

pub(super) fn find(connection: &mut PgConnection, id: MembershipId) -> QueryResult<Membership> {
    listed_memberships::table.filter(listed_memberships::id.eq(id)).select(Membership::as_select()).first(connection)
}

/// An organization's memberships by id, as far as there are such.
pub(super) fn find_all(
    connection: &mut PgConnection,
    organization: OrganizationId,
    ids: &[MembershipId],
) -> QueryResult<Vec<Membership>> {
    listed_memberships::table
        .filter(listed_memberships::organization_id.eq(organization))
        .filter(listed_memberships::id.eq_any(ids))
        .select(Membership::as_select())
        .load(connection)
}

/// The teams that users of an organization are in, beside each user's id.
pub(super) fn teams_of(
    connection: &mut PgConnection,
    organization: OrganizationId,
    users: &[UserId],
) -> QueryResult<Vec<(UserId, Team)>> {
    team_members::table
        .inner_join(
            teams::table
                .on(teams::organization_id.eq(team_members::organization_id).and(teams::id.eq(team_members::team_id))),
        )
        .filter(team_members::organization_id.eq(organization))
        .filter(team_members::user_id.eq_any(users))
        .order((teams::created_at, teams::id))
        .select((team_members::user_id, Team::as_select()))
        .load(connection)
}

pub(super) fn invite(
    connection: &mut PgConnection,
    organization: OrganizationId,
    user: UserId,
) -> Result<MembershipId> {
    let id = MembershipId::generate();
    diesel::insert_into(memberships::table)
        .values((
            memberships::id.eq(id),
            memberships::organization_id.eq(organization),
            memberships::user_id.eq(user),
            memberships::status.eq(MembershipStatus::Invited),
        ))
        .execute(connection)
        .map_err(|fault| match violated_key(&fault) {
            Some("memberships_user_key" | "memberships_organization_key") => taken(),
            _ => fault.into(),
        })?;
    Ok(id)
}

/// Why a user is not invited twice.
pub(super) fn taken() -> Error {
    Error::attribute(
        "/data/attributes/email",
        "Email has already been taken: this user is a member of the organization or invited to it",
    )
}

/// Makes an invited user a member, and answers 0 if another request has.
pub(super) fn accept(connection: &mut PgConnection, id: MembershipId) -> QueryResult<usize> {
    diesel::update(memberships::table.find(id).filter(memberships::status.eq(MembershipStatus::Invited)))
        .set(memberships::status.eq(MembershipStatus::Active))
        .execute(connection)
}

/// Locks a membership until the transaction's end, so that nobody puts its user into a team, and answers how far it
/// has come; not found if it has been ended.
pub(super) fn lock(connection: &mut PgConnection, id: MembershipId) -> QueryResult<MembershipStatus> {
    memberships::table.find(id).select(memberships::status).for_update().first(connection)
}

/// Takes a user out of every team of an organization, and answers which these were.
pub(super) fn leave_teams(
    connection: &mut PgConnection,
    organization: OrganizationId,
    user: UserId,
) -> QueryResult<Vec<TeamId>> {
    diesel::delete(
        team_members::table
            .filter(team_members::organization_id.eq(organization))
            .filter(team_members::user_id.eq(user)),
    )
    .returning(team_members::team_id)
    .get_results(connection)
}

/// Ends a membership. It must be locked.
pub(super) fn delete(connection: &mut PgConnection, id: MembershipId) -> QueryResult<usize> {
    diesel::delete(memberships::table.find(id)).execute(connection)
}

/// Locks all memberships of a user until the transaction's end, in one order.
pub(super) fn lock_of_user(connection: &mut PgConnection, user: UserId) -> QueryResult<()> {
    memberships::table
        .filter(memberships::user_id.eq(user))
        .order(memberships::id)
        .select(memberships::id)
        .for_update()
        .load::<MembershipId>(connection)?;
    Ok(())
}

/// Takes a user out of every team, and answers which these were in organizations that are there.
pub(super) fn leave_all_teams(
    connection: &mut PgConnection,
    user: UserId,
) -> QueryResult<Vec<(OrganizationId, TeamId)>> {
    let left: Vec<(OrganizationId, TeamId)> =
        diesel::delete(team_members::table.filter(team_members::user_id.eq(user)))
            .returning((team_members::organization_id, team_members::team_id))
            .get_results(connection)?;
    let there: Vec<TeamId> =
        teams::table.filter(teams::id.eq_any(left.iter().map(|(_, team)| *team))).select(teams::id).load(connection)?;
    Ok(left.into_iter().filter(|(_, team)| there.contains(team)).collect())
}

/// Ends all memberships of a user, and answers in which organizations that are there.
pub(super) fn delete_of_user(connection: &mut PgConnection, user: UserId) -> QueryResult<Vec<OrganizationId>> {
    let ended: Vec<OrganizationId> = diesel::delete(memberships::table.filter(memberships::user_id.eq(user)))
        .returning(memberships::organization_id)
        .get_results(connection)?;
    organizations::table.filter(organizations::id.eq_any(ended)).select(organizations::id).load(connection)
}

/// Gives a user the memberships of another one in organizations of which the user has none, with their teams. Answers which
/// these are.
pub(super) fn pass_on(
    connection: &mut PgConnection,
    from: UserId,
    to: UserId,
) -> QueryResult<Vec<(OrganizationId, Vec<TeamId>)>> {
    let own: Vec<OrganizationId> =
        memberships::table.filter(memberships::user_id.eq(to)).select(memberships::organization_id).load(connection)?;
    let passed =
        memberships::table.filter(memberships::user_id.eq(from)).filter(memberships::organization_id.ne_all(own));
    let organizations: Vec<OrganizationId> = diesel::update(passed)
        .set(memberships::user_id.eq(to))
        .returning(memberships::organization_id)
        .get_results(connection)?;
    let inside: Vec<(OrganizationId, TeamId)> = team_members::table
        .filter(team_members::user_id.eq(to))
        .filter(team_members::organization_id.eq_any(&organizations))
        .select((team_members::organization_id, team_members::team_id))
        .load(connection)?;
    let teams_in = |id| inside.iter().filter(|(within, _)| *within == id).map(|(_, team)| *team).collect();
    Ok(organizations.into_iter().map(|id| (id, teams_in(id))).collect())
}
