//! The queries of tokens.

use std::collections::HashMap;

use chrono::{DateTime, NaiveDate, Utc};
use diesel::dsl::{IntervalDsl, exists, not, now, sql};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Integer, Nullable, Timestamptz, Uuid as SqlUuid};

use super::bounds::Bounds;
use super::jwt::{self, Form};
use super::{Labels, NewToken, Owner, Token, USAGE_KEPT_DAYS};
use crate::access::{Caller, Role, TeamFacts};
use crate::credential::{Abilities, Ability, Digest, Format, Kind, Period, Secret, Status};
use crate::database::schema::{
    abilities_of_user, all_teams, all_users, all_workspaces, effective_abilities, least, listed_tokens, lower,
    memberships, organizations, registered_abilities, statement_timestamp, team_members, teams, token_usage_days,
    tokens, workspaces,
};
use crate::database::try_lock;
use crate::deletions::{self, Deletion};
use crate::ids::{OrganizationId, TeamId, TokenId, UserId, WorkspaceId};
use crate::jsonapi::{Error, Result};
use crate::teams::Visibility;
use crate::users::MembershipStatus;

/// Whose tokens a list holds.
#[derive(Debug, Clone, Copy)]
pub(crate) enum TokenList {
    /// All that belong to an organization: its own, and those of its teams, workspaces and service accounts.
    Organization(OrganizationId),
    /// Those of all teams of an organization.
    Teams(OrganizationId),
    Team(TeamId),
    User(UserId),
    Workspace(WorkspaceId),
    Everybody,
    /// None.
    Nobody,
}

/// Tokens of an organization's teams by id, as far as there are such, locked until the transaction's end and in one
/// order, so that requests that lock several take turns.
pub(super) fn lock_all(
    connection: &mut PgConnection,
    organization: OrganizationId,
    ids: &[TokenId],
) -> QueryResult<Vec<Token>> {
    let locked: Vec<TokenId> = tokens::table
        .filter(tokens::id.eq_any(ids))
        .filter(tokens::organization_id.eq(organization))
        .order(tokens::id)
        .select(tokens::id)
        .for_no_key_update()
        .load(connection)?;
    listed_tokens::table
        .filter(listed_tokens::id.eq_any(locked))
        .filter(listed_tokens::kind.eq(Kind::Team))
        .filter(not_revoked())
        .select(Token::as_select())
        .load(connection)
}

/// The tokens with these secrets, as far as there are such and they are not revoked, locked until the transaction's end
/// and in one order; one query, whether or not there are any.
pub(super) fn lock_by_secret(connection: &mut PgConnection, digests: &[Digest]) -> QueryResult<Vec<(Digest, Token)>> {
    let hashes: Vec<&[u8]> = digests.iter().map(|digest| digest.as_bytes().as_slice()).collect();
    let locked: Vec<(TokenId, Vec<u8>)> = tokens::table
        .filter(tokens::token_hash.eq_any(hashes))
        .order(tokens::id)
        .select((tokens::id, tokens::token_hash))
        .for_no_key_update()
        .load(connection)?;
    let ids = locked.iter().map(|(id, _)| *id);
    let found = listed_tokens::table.filter(listed_tokens::id.eq_any(ids.collect::<Vec<_>>())).filter(not_revoked());
    let found: Vec<Token> = found.select(Token::as_select()).load(connection)?;
    let digest_of = |token: &Token| {
        let (_, hash) = locked.iter().find(|(id, _)| *id == token.id)?;
        digests.iter().find(|digest| digest.as_bytes() == hash.as_slice()).cloned()
    };
    Ok(found.into_iter().filter_map(|token| Some((digest_of(&token)?, token))).collect())
}

/// A token by id, unless it is revoked.
pub(super) fn find(connection: &mut PgConnection, id: TokenId) -> QueryResult<Token> {
    listed_tokens::table
        .filter(listed_tokens::id.eq(id))
        .filter(not_revoked())
        .select(Token::as_select())
        .first(connection)
}

/// A token by id, whether or not it is revoked.
pub(crate) fn find_including_revoked(connection: &mut PgConnection, id: TokenId) -> QueryResult<Token> {
    listed_tokens::table.find(id).select(Token::as_select()).first(connection)
}

/// Tokens by id, whether or not they are revoked.
pub(crate) fn find_all_including_revoked(connection: &mut PgConnection, ids: &[TokenId]) -> QueryResult<Vec<Token>> {
    listed_tokens::table.filter(listed_tokens::id.eq_any(ids)).select(Token::as_select()).load(connection)
}

/// The kind of a token, whether or not it is revoked, and the team and the organization that it belongs to.
pub(super) fn belonging(
    connection: &mut PgConnection,
    id: TokenId,
) -> QueryResult<(Kind, Option<TeamId>, Option<OrganizationId>)> {
    tokens::table.find(id).select((tokens::kind, tokens::team_id, tokens::organization_id)).first(connection)
}

/// Locks the tokens in whose place a new one is to step, until the transaction's end: one of them may be the token
/// that asks for it, and be revoked by its id at this moment. Those in their grace as well, and all in one order. Answers
/// the one that is not in its grace.
pub(super) fn lock_current(connection: &mut PgConnection, owner: Owner) -> QueryResult<Option<TokenId>> {
    let live = tokens::table
        .filter(not(tokens::revoked))
        .order(tokens::id)
        .select((tokens::id, tokens::revoked_at))
        .for_no_key_update();
    let locked: Vec<(TokenId, Option<DateTime<Utc>>)> = match owner {
        Owner::User(_) | Owner::ServiceAccount(..) | Owner::Workspace(..) => return Ok(None),
        Owner::Team(_, team) => {
            live.filter(tokens::team_id.eq(team)).filter(tokens::description.is_null()).load(connection)?
        }
        Owner::Organization(organization) | Owner::AuditTrails(organization) => live
            .filter(tokens::organization_id.eq(organization))
            .filter(tokens::kind.eq(owner.kind()))
            .load(connection)?,
    };
    Ok(locked.into_iter().find_map(|(id, grace_ends)| grace_ends.is_none().then_some(id)))
}

/// The token whose id this query finds.
fn the_one(connection: &mut PgConnection, id: tokens::BoxedQuery<'_, Pg, SqlUuid>) -> QueryResult<Token> {
    // A scalar: joined to a set, the plan may begin with the tokens of everybody.
    let listed = listed_tokens::table.filter(listed_tokens::id.nullable().eq(id.single_value()));
    listed.select(Token::as_select()).first(connection)
}

/// A team's one descriptionless token.
pub(super) fn descriptionless(connection: &mut PgConnection, team: TeamId) -> QueryResult<Token> {
    let current = tokens::table
        .filter(tokens::team_id.eq(team))
        .filter(tokens::kind.eq(Kind::Team))
        .filter(tokens::description.is_null())
        .filter(tokens::revoked_at.is_null())
        .select(tokens::id)
        .into_boxed();
    the_one(connection, current)
}

/// An organization's one token of a kind.
pub(super) fn of_organization(
    connection: &mut PgConnection,
    organization: OrganizationId,
    kind: Kind,
) -> QueryResult<Token> {
    let current = tokens::table
        .filter(tokens::organization_id.eq(organization))
        .filter(tokens::kind.eq(kind))
        .filter(tokens::revoked_at.is_null())
        .select(tokens::id)
        .into_boxed();
    the_one(connection, current)
}

/// The live token of the team that has this description, or the one that has none. To rely on the answer, hold the lock on
/// the team's row.
pub(super) fn of_description(
    connection: &mut PgConnection,
    team: TeamId,
    description: Option<&str>,
) -> QueryResult<Token> {
    let live = tokens::table
        .filter(tokens::team_id.eq(team))
        .filter(not(tokens::revoked))
        .filter(tokens::revoked_at.is_null())
        .filter(sql::<Bool>("coalesce(current_end(tokens) > statement_timestamp(), true)"))
        .select(tokens::id)
        .into_boxed();
    let same = match description {
        Some(description) => live.filter(tokens::description.eq(description)),
        None => live.filter(tokens::description.is_null()).filter(tokens::kind.eq(Kind::Team)),
    };
    the_one(connection, same)
}

/// A new row.
#[derive(Insertable)]
#[diesel(table_name = tokens)]
struct Row<'a> {
    id: TokenId,
    kind: Kind,
    organization_id: Option<OrganizationId>,
    user_id: Option<UserId>,
    team_id: Option<TeamId>,
    workspace_id: Option<WorkspaceId>,
    created_by_user_id: Option<UserId>,
    created_by_team_id: Option<TeamId>,
    created_by_organization_id: Option<OrganizationId>,
    created_by_workspace_id: Option<WorkspaceId>,
    token_hash: &'a [u8],
    token_prefix: String,
    format: Format,
    signing_key: Option<String>,
    description: Option<&'a str>,
    expired_at: Option<DateTime<Utc>>,
    role: Role,
    abilities: Option<&'a [Ability]>,
    self_rotation: bool,
    rotates_until: Option<DateTime<Utc>>,
    labels: &'a Labels,
    labels_in_jwt: bool,
    replaces: Option<TokenId>,
}

/// Makes a token and answers it with its secret, which is nowhere else from here on.
pub(super) fn create(connection: &mut PgConnection, new: &NewToken<'_>) -> Result<(Token, Secret)> {
    let id = TokenId::generate();
    let (secret, signing_key) = secret(connection, id, new)?;
    let digest = secret.digest();
    let row = Row {
        id,
        kind: new.owner.kind(),
        organization_id: new.owner.organization(),
        user_id: new.owner.user(),
        team_id: new.owner.team(),
        workspace_id: new.owner.workspace(),
        created_by_user_id: new.created_by.user(),
        created_by_team_id: new.created_by.team(),
        created_by_organization_id: new.created_by.organization(),
        created_by_workspace_id: new.created_by.workspace(),
        token_hash: digest.as_bytes(),
        token_prefix: secret.prefix(),
        format: new.form.format(),
        signing_key,
        description: new.description,
        expired_at: new.expired_at,
        role: new.role,
        abilities: new.abilities,
        self_rotation: new.rotation.itself,
        rotates_until: new.rotation.until,
        labels: new.labels,
        labels_in_jwt: new.labels_in_jwt,
        replaces: new.replaces,
    };
    diesel::insert_into(tokens::table).values(row).execute(connection)?;
    Ok((find(connection, id)?, secret))
}

/// What binds all tokens of an owner. Where it is no organization's, only its abilities do.
pub(super) fn bounds(connection: &mut PgConnection, owner: Owner) -> QueryResult<Bounds> {
    let Some(organization) = owner.organization() else { return bounds_of_user(connection, owner) };
    type Row = (
        (Option<Vec<Role>>, Format, Option<Period>),
        Option<(bool, Vec<Ability>)>,
        Option<(Vec<Ability>, Option<Vec<Role>>, Option<Format>)>,
    );
    let ((by_organization, format, default_ttl), team, workspace): Row = organizations::table
        .left_join(teams::table.on(teams::id.nullable().eq(owner.team())))
        .left_join(workspaces::table.on(workspaces::id.nullable().eq(owner.workspace())))
        .filter(organizations::id.eq(organization))
        .select((
            (organizations::allowed_token_roles, organizations::default_token_format, organizations::default_token_ttl),
            (teams::owners, teams::abilities).nullable(),
            (workspaces::abilities, workspaces::allowed_token_roles, workspaces::default_token_format).nullable(),
        ))
        .first(connection)?;
    let (of_workspace, by_workspace, preferred) = workspace.unwrap_or_default();
    let abilities = match (owner, team) {
        (Owner::ServiceAccount(_, user), _) => {
            listed(&diesel::select(abilities_of_user(user, true)).get_result::<Vec<String>>(connection)?)
        }
        (Owner::Organization(_), _) | (Owner::Team(..), Some((true, _))) => Abilities::Every,
        (Owner::Team(..), Some((false, abilities))) => Abilities::These(abilities),
        _ => Abilities::These(of_workspace),
    };
    let allow = |allowed: &Option<Vec<Role>>, role: &Role| allowed.as_ref().is_none_or(|roles| roles.contains(role));
    let roles = Role::ALL.into_iter().filter(|role| allow(&by_organization, role) && allow(&by_workspace, role));
    let format = preferred.unwrap_or(format);
    Ok(Bounds { owner, abilities, owns: false, roles: roles.collect(), format, default_ttl })
}

/// The same of a person, whose tokens are no organization's.
fn bounds_of_user(connection: &mut PgConnection, owner: Owner) -> QueryResult<Bounds> {
    let mut bounds = Bounds {
        owner,
        abilities: Abilities::These(vec![]),
        owns: false,
        roles: Role::ALL.to_vec(),
        format: Format::Opaque,
        default_ttl: None,
    };
    let Some(user) = owner.user() else { return Ok(bounds) };
    let owned = team_members::table
        .inner_join(teams::table.on(teams::id.eq(team_members::team_id).and(teams::owners)))
        .inner_join(
            memberships::table.on(memberships::user_id
                .eq(team_members::user_id)
                .and(memberships::organization_id.eq(team_members::organization_id))
                .and(memberships::status.eq(MembershipStatus::Active))),
        )
        .filter(team_members::user_id.eq(user));
    let (words, owns): (Vec<String>, bool) =
        diesel::select((abilities_of_user(user, true), exists(owned))).get_result(connection)?;
    (bounds.abilities, bounds.owns) = (listed(&words), owns);
    Ok(bounds)
}

/// Abilities as the database lists them, where `*` is every one.
fn listed(words: &[String]) -> Abilities {
    if words.iter().any(|word| word == "*") {
        return Abilities::Every;
    }
    Abilities::These(words.iter().filter_map(|word| word.parse().ok()).collect())
}

/// What a new token will reach whose owner has `reach`; none for a person's, which is no organization's.
pub(super) fn effective_abilities_of(
    connection: &mut PgConnection,
    new: &NewToken<'_>,
    reach: &Abilities,
) -> QueryResult<Option<Vec<String>>> {
    let Some(organization) = new.owner.organization() else { return Ok(None) };
    let of_owner = match reach {
        Abilities::Every => None,
        Abilities::These(these) => Some(these.as_slice()),
    };
    let registered = registered_abilities(organization);
    let effective = match new.owner {
        // An owner's are every one, but for Latchkey's own unless these are listed.
        Owner::ServiceAccount(_, user) => {
            let of_account = abilities_of_user(user, new.abilities.is_some()).nullable();
            diesel::select(effective_abilities(new.abilities, of_account, registered)).get_result(connection)
        }
        _ => diesel::select(effective_abilities(new.abilities, of_owner, registered)).get_result(connection),
    };
    effective.map(Some)
}

/// The secret of a new token, and the key that has signed it, if it is signed.
fn secret(connection: &mut PgConnection, id: TokenId, new: &NewToken<'_>) -> Result<(Secret, Option<String>)> {
    match new.form {
        Form::Opaque => {
            let secret = Secret::generate(new.owner.kind()).map_err(|fault| {
                log::error!("{fault}");
                Error::internal()
            })?;
            Ok((secret, None))
        }
        Form::Jwt { signer, reach } => {
            jwt::sign(connection, (signer, reach), id, new).map(|(secret, kid)| (secret, Some(kid)))
        }
    }
}

pub(super) fn revoke(connection: &mut PgConnection, ids: &[TokenId], reason: Option<&str>) -> QueryResult<()> {
    diesel::update(tokens::table.filter(tokens::id.eq_any(ids)))
        .set((
            tokens::revoked.eq(true),
            tokens::revoked_at.eq(now),
            tokens::revocation_reason.eq(reason),
            tokens::updated_at.eq(now),
        ))
        .execute(connection)?;
    Ok(())
}

/// Ends a token for good after a grace, during which it goes on working.
pub(super) fn revoke_after(connection: &mut PgConnection, id: TokenId, grace_seconds: i32) -> QueryResult<()> {
    let then = now.into_sql::<Timestamptz>() + grace_seconds.seconds();
    diesel::update(tokens::table.find(id))
        .set((
            tokens::revoked.eq(grace_seconds == 0),
            tokens::revoked_at.eq(then.nullable()),
            tokens::updated_at.eq(now),
        ))
        .execute(connection)?;
    Ok(())
}

/// Switches a token off, or on.
pub(super) fn switch(connection: &mut PgConnection, id: TokenId, on: bool) -> QueryResult<()> {
    let token = diesel::update(tokens::table.find(id));
    if on {
        let never = None::<DateTime<Utc>>;
        token.set((tokens::disabled_at.eq(never), tokens::updated_at.eq(now))).execute(connection)?;
    } else {
        token.set((tokens::disabled_at.eq(now), tokens::updated_at.eq(now))).execute(connection)?;
    }
    Ok(())
}

/// What can be edited of a token.
#[derive(AsChangeset)]
#[diesel(table_name = tokens, treat_none_as_null = true)]
struct Edited<'a> {
    description: Option<&'a str>,
    expired_at: Option<DateTime<Utc>>,
    abilities: Option<&'a [Ability]>,
    self_rotation: bool,
    rotates_until: Option<DateTime<Utc>>,
    labels: &'a Labels,
}

/// Writes what can be edited of a token.
pub(super) fn edit(connection: &mut PgConnection, before: &Token, edited: &Token) -> QueryResult<()> {
    let Token { description, expired_at, abilities, labels, .. } = edited;
    let changes = Edited {
        description: description.as_deref(),
        expired_at: *expired_at,
        abilities: abilities.as_deref(),
        self_rotation: edited.self_rotation,
        rotates_until: edited.rotates_until,
        labels,
    };
    // A role that is lowered by its organization rises again with that; an edit of something else does not make it last.
    let role = (edited.role != before.role).then(|| tokens::role.eq(edited.role));
    diesel::update(tokens::table.find(edited.id))
        .set((changes, role, tokens::updated_at.eq(now)))
        .execute(connection)?;
    Ok(())
}

/// The slot that a new token takes.
#[derive(Debug, Clone, Copy)]
pub(super) enum Slot<'a> {
    /// The one token of its kind that its owner has.
    OneOfKind,
    /// The one live token of its team with this description, or without any.
    Described(Option<&'a str>),
    /// One more, beside whatever there is.
    OneMore(Option<&'a str>),
}

impl<'a> Slot<'a> {
    /// What the new token's maker says of it.
    pub(super) const fn description(self) -> Option<&'a str> {
        match self {
            Self::OneOfKind => None,
            Self::Described(description) | Self::OneMore(description) => description,
        }
    }
}

/// Ends what stands in a new token's place, also what is expired or in its grace, and answers which.
pub(super) fn revoke_current(connection: &mut PgConnection, owner: Owner, slot: Slot<'_>) -> QueryResult<Vec<TokenId>> {
    let in_grace = tokens::revoked_at.gt(statement_timestamp().nullable());
    let live = not(tokens::revoked).nullable().and(tokens::revoked_at.is_null().nullable().or(in_grace));
    let mut before = tokens::table.filter(live).select(tokens::id).into_boxed();
    before = match (owner, slot) {
        (_, Slot::OneMore(_)) => return Ok(vec![]),
        (Owner::User(user) | Owner::ServiceAccount(_, user), _) => before.filter(tokens::user_id.eq(user)),
        (Owner::Team(_, team), _) => before.filter(tokens::team_id.eq(team)),
        (Owner::Workspace(_, workspace), _) => before.filter(tokens::workspace_id.eq(workspace)),
        (Owner::Organization(organization) | Owner::AuditTrails(organization), _) => {
            before.filter(tokens::organization_id.eq(organization)).filter(tokens::kind.eq(owner.kind()))
        }
    };
    before = match slot {
        Slot::Described(Some(description)) => before.filter(tokens::description.eq(description)),
        Slot::Described(None) => before.filter(tokens::description.is_null()),
        Slot::OneOfKind | Slot::OneMore(_) => before,
    };
    diesel::update(tokens::table.filter(tokens::id.eq_any(before)))
        .set((tokens::revoked.eq(true), tokens::revoked_at.eq(now), tokens::updated_at.eq(now)))
        .returning(tokens::id)
        .get_results(connection)
}

/// Locks a token. A person's token is locked for nobody but the person and site admins, who alone may see it: others get
/// `NotFound`.
pub(super) fn lock(connection: &mut PgConnection, caller: &Caller, id: TokenId) -> QueryResult<()> {
    let of_organization = tokens::organization_id.is_not_null().nullable();
    tokens::table
        .find(id)
        .filter(
            of_organization
                .or(tokens::user_id.eq(caller.user()))
                .or(caller.is_site_admin().into_sql::<Nullable<Bool>>()),
        )
        .select(tokens::id)
        .for_no_key_update()
        .first::<TokenId>(connection)?;
    Ok(())
}

/// How often a token was used, by day, from a day on.
pub(crate) fn usage(
    connection: &mut PgConnection,
    id: TokenId,
    since: NaiveDate,
) -> QueryResult<HashMap<NaiveDate, i64>> {
    let days = token_usage_days::table
        .filter(token_usage_days::token_id.eq(id))
        .filter(token_usage_days::date.ge(since))
        .select((token_usage_days::date, token_usage_days::count))
        .load(connection)?;
    Ok(days.into_iter().collect())
}

/// Any number, as long as nothing else on the same database locks it.
const REMOVAL_LOCK: i64 = 0x1a7c_4b3f;

/// Takes the lock under which old things are removed until the transaction's end, or answers that somebody has it.
pub(super) fn lock_removal(connection: &mut PgConnection) -> QueryResult<bool> {
    try_lock(connection, REMOVAL_LOCK)
}

/// Makes a fact of graces that are over, of at most so many, and answers how many. Tokens that somebody has locked are
/// left for the next time.
pub(super) fn end_graces(connection: &mut PgConnection, most: usize) -> QueryResult<usize> {
    diesel::sql_query(
        "UPDATE tokens SET revoked = true WHERE id IN (SELECT id FROM tokens \
         WHERE revoked_at <= now() AND NOT revoked ORDER BY id LIMIT $1 FOR NO KEY UPDATE SKIP LOCKED)",
    )
    .bind::<BigInt, _>(i64::try_from(most).unwrap_or(i64::MAX))
    .execute(connection)
}

/// Tokens that have ended with their owner.
pub(super) struct Ended {
    /// Those that had not ended before; a grace that was over is told of by its replacement.
    pub(super) told: Vec<Token>,
    /// Whether there may be more.
    pub(super) full: bool,
}

/// Makes a fact of the end of tokens whose owner was deleted, of at most so many. They ended when the owner did.
pub(super) fn end_with_owner(connection: &mut PgConnection, deletion: &Deletion, most: i64) -> QueryResult<Ended> {
    let live = tokens::table
        .filter(not(tokens::revoked))
        .order(tokens::id)
        .limit(most)
        .select((tokens::id, tokens::revoked_at))
        .for_no_key_update();
    let owner = deletion.uuid();
    let locked: Vec<(TokenId, Option<DateTime<Utc>>)> = match deletion.kind {
        deletions::Kind::Organization => live.filter(tokens::organization_id.eq(owner)).load(connection)?,
        deletions::Kind::Team | deletions::Kind::Workspace | deletions::Kind::Project | deletions::Kind::User => {
            // As in the index.
            let owner_id = sql::<Nullable<SqlUuid>>("coalesce(user_id, team_id, workspace_id)");
            live.filter(owner_id.eq(owner)).load(connection)?
        }
    };
    let ids: Vec<TokenId> = locked.iter().map(|(id, _)| *id).collect();
    let ended_now = |(_, ends): &&(_, Option<DateTime<Utc>>)| ends.is_none_or(|ends| ends > deletion.deleted_at);
    let told: Vec<TokenId> = locked.iter().filter(ended_now).map(|(id, _)| *id).collect();
    let told = listed_tokens::table
        .filter(listed_tokens::id.eq_any(told))
        .order(listed_tokens::id)
        .select(Token::as_select())
        .load(connection)?;
    diesel::update(tokens::table.filter(tokens::id.eq_any(&ids)))
        .set((
            tokens::revoked.eq(true),
            tokens::revoked_at.eq(least(tokens::revoked_at, deletion.deleted_at)),
            tokens::updated_at.eq(now),
        ))
        .execute(connection)?;
    Ok(Ended { told, full: i64::try_from(ids.len()).is_ok_and(|ended| ended == most) })
}

/// A token that was removed.
#[derive(Debug, Queryable, Selectable)]
#[diesel(table_name = tokens, check_for_backend(Pg))]
pub(super) struct Removed {
    pub(super) id: TokenId,
    pub(super) kind: Kind,
    pub(super) organization_id: Option<OrganizationId>,
    pub(super) user_id: Option<UserId>,
    pub(super) team_id: Option<TeamId>,
    pub(super) workspace_id: Option<WorkspaceId>,
    pub(super) description: Option<String>,
    pub(super) revoked_at: Option<DateTime<Utc>>,
}

/// Removes those tokens that have been revoked for so many seconds, the oldest first, at most so many.
pub(super) fn remove_revoked(connection: &mut PgConnection, seconds: i64, most: usize) -> QueryResult<Vec<Removed>> {
    let before = now.into_sql::<Timestamptz>() - seconds.seconds();
    let due: Vec<TokenId> = tokens::table
        .filter(tokens::revoked.eq(true))
        .filter(tokens::revoked_at.le(before.nullable()))
        .order(tokens::revoked_at)
        .limit(i64::try_from(most).unwrap_or(i64::MAX))
        .select(tokens::id)
        .load(connection)?;
    if due.is_empty() {
        return Ok(vec![]);
    }
    // Their successors change as well: they forget whom they succeeded. All are locked in the one order, as others do.
    tokens::table
        .filter(tokens::id.eq_any(&due).or(tokens::replaces.eq_any(&due)))
        .order(tokens::id)
        .select(tokens::id)
        .for_update()
        .load::<TokenId>(connection)?;
    diesel::delete(tokens::table.filter(tokens::id.eq_any(&due))).returning(Removed::as_returning()).load(connection)
}

/// Removes days of use that are too old, at most so many, and answers how many. Those that somebody else is about to
/// delete, with their token, are left to them.
pub(super) fn remove_usage(connection: &mut PgConnection, most: usize) -> QueryResult<usize> {
    diesel::sql_query(
        "DELETE FROM token_usage_days AS days USING (SELECT token_id, date FROM token_usage_days \
         WHERE date < (now() AT TIME ZONE 'UTC')::date - $1 ORDER BY date LIMIT $2 FOR UPDATE SKIP LOCKED) AS old \
         WHERE days.token_id = old.token_id AND days.date = old.date",
    )
    .bind::<Integer, _>(i32::try_from(USAGE_KEPT_DAYS).unwrap_or(i32::MAX))
    .bind::<BigInt, _>(i64::try_from(most).unwrap_or(i64::MAX))
    .execute(connection)
}

/// So far are the tokens counted that a user has made.
const MADE_COUNTED: i64 = 10_000;

/// The live tokens of teams, service accounts, organizations and workspaces that a user has made.
#[derive(Debug, Clone)]
pub struct MadeTokens {
    /// How many there are, counted to 10,000 and one more.
    pub all: i64,
    /// As many of them as are told, the oldest first.
    pub told: Vec<Token>,
}

/// What live tokens of others a user has made, at most so many of them in full. One that is switched off is live: somebody
/// may switch it on.
pub(crate) fn made_by(connection: &mut PgConnection, maker: UserId, most: i64) -> QueryResult<MadeTokens> {
    let found = || {
        listed_tokens::table
            .filter(listed_tokens::created_by_user_id.eq(maker))
            .filter(listed_tokens::organization_id.is_not_null())
            // Those that a service account has made for itself end with it.
            .filter(listed_tokens::user_id.is_distinct_from(maker))
            .filter(listed_tokens::status.eq_any([Status::Active, Status::Inactive]))
    };
    let told = found()
        .order((listed_tokens::created_at, listed_tokens::id))
        .limit(most)
        .select(Token::as_select())
        .load(connection)?;
    let all: Vec<TokenId> = found().limit(MADE_COUNTED + 1).select(listed_tokens::id).load(connection)?;
    Ok(MadeTokens { all: i64::try_from(all.len()).unwrap_or(i64::MAX), told })
}

/// Of whom a name counts as that of a maker of tokens.
#[derive(Debug, Clone, Copy)]
pub(super) enum Makers {
    OfAll,
    /// Of an organization's members, and of who has made tokens of it.
    Of(OrganizationId),
    /// Of who has made tokens of a workspace.
    OfWorkspace(WorkspaceId),
}

/// The users of these names, which are in lower case. Of two users who had a name after each other it is both.
pub(super) fn makers_named(
    connection: &mut PgConnection,
    makers: Makers,
    names: &[String],
) -> QueryResult<Vec<(UserId, String)>> {
    if names.is_empty() {
        return Ok(vec![]);
    }
    let found = all_users::table.filter(lower(all_users::username).eq_any(names)).into_boxed();
    let made = || tokens::table.filter(tokens::created_by_user_id.eq(all_users::id.nullable()));
    let found = match makers {
        Makers::OfAll => found,
        Makers::OfWorkspace(workspace) => found.filter(exists(made().filter(tokens::workspace_id.eq(workspace)))),
        Makers::Of(organization) => {
            let member = memberships::table
                .filter(memberships::organization_id.eq(organization))
                .filter(memberships::user_id.eq(all_users::id));
            found.filter(exists(member).or(exists(made().filter(tokens::organization_id.eq(organization)))))
        }
    };
    found.select((all_users::id, all_users::username)).load(connection)
}

/// The teams of these names, which are in lower case, in an organization or everywhere, also deleted ones that a token names.
pub(super) fn teams_named(
    connection: &mut PgConnection,
    organization: Option<OrganizationId>,
    names: &[String],
) -> QueryResult<Vec<(TeamFacts, String)>> {
    if names.is_empty() {
        return Ok(vec![]);
    }
    let found = all_teams::table.filter(lower(all_teams::name).eq_any(names)).into_boxed();
    let found = match organization {
        Some(organization) => found.filter(all_teams::organization_id.eq(organization)),
        None => found,
    };
    let secret = all_teams::visibility.eq(Visibility::Secret);
    let facts = (all_teams::id, all_teams::owners, secret, all_teams::allow_member_token_management);
    let found: Vec<((TeamId, bool, bool, bool), String)> = found.select((facts, all_teams::name)).load(connection)?;
    let team = |((id, owners, secret, allows_members), name)| (TeamFacts { id, owners, secret, allows_members }, name);
    Ok(found.into_iter().map(team).collect())
}

/// The same of workspaces.
pub(super) fn workspaces_named(
    connection: &mut PgConnection,
    organization: Option<OrganizationId>,
    names: &[String],
) -> QueryResult<Vec<(WorkspaceId, String)>> {
    if names.is_empty() {
        return Ok(vec![]);
    }
    let found = all_workspaces::table.filter(lower(all_workspaces::name).eq_any(names)).into_boxed();
    let found = match organization {
        Some(organization) => found.filter(all_workspaces::organization_id.eq(organization)),
        None => found,
    };
    found.select((all_workspaces::id, all_workspaces::name)).load(connection)
}

/// Whether a token is not ended for good.
pub(super) fn not_revoked() -> diesel::dsl::NotEq<listed_tokens::status, Status> {
    listed_tokens::status.ne(Status::Revoked)
}
