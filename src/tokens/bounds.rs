//! What binds all tokens of an owner: the owner's abilities, the roles that its organization and its workspace allow, and
//! the format that they prefer (docs/design.md §1, §3).

use diesel::PgConnection;

use super::{Owner, Token};
use crate::access::{Caller, Role};
use crate::credential::{ABILITIES_MAX, Abilities, Ability, Format, Period};
use crate::jsonapi::{Error, Result};
use crate::{abilities, workspaces};

/// What binds all tokens of an owner.
#[derive(Debug, Clone)]
pub(super) struct Bounds {
    pub(super) owner: Owner,
    /// What the owner may reach at other services.
    pub(super) abilities: Abilities,
    /// Whether it is a user who owns an organization.
    pub(super) owns: bool,
    /// The roles that its tokens may get, the lowest first.
    pub(super) roles: Vec<Role>,
    /// What the secret of a new token is unless its maker says otherwise.
    pub(super) format: Format,
    /// How long a new token lives unless its maker says otherwise; none for what the service says.
    pub(super) default_ttl: Option<Period>,
}

impl Bounds {
    /// The role of a new token: the one that is asked for, or the lowest that is allowed in a workspace, else the highest
    /// that is allowed and that the caller may give.
    ///
    /// # Errors
    /// As [`Self::check_gives_role`].
    pub(super) fn role(&self, asked: Option<Role>, highest: Role) -> Result<Role> {
        let within = || self.roles.iter().copied().filter(|role| *role <= highest);
        let by_default = || match self.owner {
            Owner::Workspace(..) => within().min(),
            _ => within().max(),
        };
        let role = asked.or_else(by_default).unwrap_or(highest);
        self.check_gives_role(role, highest).map(|()| role)
    }

    /// Checks that the caller, who may give no role above `highest`, may give this one to a token of the owner.
    ///
    /// # Errors
    /// 422 for a role that is not allowed, with those that are; 403 for one that is too high.
    pub(super) fn check_gives_role(&self, role: Role, highest: Role) -> Result<()> {
        self.check_role(role)?;
        too_high(role, highest)
    }

    fn check_role(&self, role: Role) -> Result<()> {
        if self.roles.contains(&role) {
            return Ok(());
        }
        let allowed: Vec<&str> = self.roles.iter().map(|role| role.as_str()).collect();
        let detail = match allowed.as_slice() {
            [] => "Role must be one that both the organization and the workspace allow (allowed-token-roles): there is none"
                .to_owned(),
            some => format!("Role must be one of {}: allowed-token-roles has no other", some.join(", ")),
        };
        Err(Error::attribute("/data/attributes/role", detail))
    }

    /// The abilities of a new token: those that are asked for, or all that its owner has. A caller who may not give all of
    /// these gives, unless asked, those that it may.
    ///
    /// # Errors
    /// 422 for what the owner does not have or the organization has not registered, 403 for what the caller may not give.
    pub(super) fn given(
        &self,
        connection: &mut PgConnection,
        caller: &Caller,
        asked: Option<Option<&[Ability]>>,
    ) -> Result<Option<Vec<Ability>>> {
        match asked {
            Some(Some(abilities)) => {
                self.check_given(connection, caller, abilities)?;
                Ok(Some(abilities.to_vec()))
            }
            Some(None) => self.check_gives_all(caller).map(|()| None),
            None if self.gives_all(caller) => Ok(None),
            None => {
                let own = caller.abilities.clone().map_or(Abilities::Every, Abilities::These);
                match own.in_common(&self.reach_of(caller)).in_common(&self.abilities) {
                    Abilities::Every => Ok(None),
                    Abilities::These(these) => distinct(these).map(Some),
                }
            }
        }
    }

    /// Checks that the owner has these abilities, that its organization has registered them, and that the caller may give
    /// them.
    ///
    /// # Errors
    /// 422 and 403, with a pointer.
    pub(super) fn check_given(
        &self,
        connection: &mut PgConnection,
        caller: &Caller,
        abilities: &[Ability],
    ) -> Result<()> {
        if let Some(beyond) = abilities.iter().find(|ability| !self.abilities.cover(ability)) {
            let detail = format!(
                "Abilities must be among those of the {}, which has {}; {beyond} is not",
                match self.owner {
                    Owner::User(_) => "user by their teams",
                    Owner::ServiceAccount(..) => "service account by its teams",
                    Owner::Team(..) => "team",
                    Owner::Workspace(..) => "workspace",
                    Owner::Organization(_) => "organization",
                    Owner::AuditTrails(_) => "reader of the audit trail",
                },
                self.abilities
            );
            return Err(Error::attribute("/data/attributes/abilities", detail));
        }
        self.check_caller_gives(caller, abilities)?;
        abilities::check(connection, self.owner.organization(), abilities)
    }

    /// Checks that the caller may give whatever the owner has, also what it gets later.
    ///
    /// # Errors
    /// 403 with a pointer.
    pub(super) fn check_gives_all(&self, caller: &Caller) -> Result<()> {
        if self.gives_all(caller) {
            return Ok(());
        }
        let detail = "The caller does not have every ability of the token's owner, and so cannot give them all";
        Err(Error::forbidden(detail).with_pointer("/data/attributes/abilities"))
    }

    /// Checks that the caller may give what a token has to its holder: a successor's secret, or one that it has made
    /// before. A token that replaces itself gives nothing new.
    ///
    /// # Errors
    /// 403 with a pointer.
    pub(super) fn check_gives_those_of(&self, caller: &Caller, token: &Token) -> Result<()> {
        match &token.abilities {
            _ if caller.is_token(token.id) => Ok(()),
            None => self.check_gives_all(caller),
            Some(abilities) => self.check_caller_gives(caller, abilities),
        }
    }

    fn check_caller_gives(&self, caller: &Caller, abilities: &[Ability]) -> Result<()> {
        let reach = self.reach_of(caller);
        let owner = if self.owner.organization().is_some() { caller.rights.owner } else { self.owns };
        caller.check_gives(abilities, &reach, owner)
    }

    fn gives_all(&self, caller: &Caller) -> bool {
        caller.abilities.is_none() && self.reach_of(caller).cover_all(&self.abilities)
    }

    /// What the caller's principal may reach where the token is to be: a person's token is no organization's.
    fn reach_of(&self, caller: &Caller) -> Abilities {
        match self.owner {
            Owner::User(_) => self.abilities.clone(),
            _ => caller.reach(),
        }
    }
}

/// Abilities that a token gets because its maker has no more to give: none of Latchkey's own, and none that another one
/// covers.
fn distinct(mut abilities: Vec<Ability>) -> Result<Vec<Ability>> {
    abilities.retain(|ability| !ability.is_latchkeys_own());
    let all = abilities.clone();
    abilities.retain(|ability| !all.iter().any(|other| other != ability && other.covers(ability)));
    if u64::try_from(abilities.len()).is_ok_and(|number| number > ABILITIES_MAX) {
        let detail = format!("Abilities must be said: those that the caller may give are more than {ABILITIES_MAX}");
        return Err(Error::attribute("/data/attributes/abilities", detail));
    }
    Ok(abilities)
}

/// The highest role that the caller may give a token of this owner: what its own token is capped to, and in a workspace
/// what the caller is there (docs/design.md §3, rule 8).
pub(super) fn highest_role(connection: &mut PgConnection, caller: &Caller, owner: Owner) -> Result<Role> {
    match owner {
        Owner::Workspace(_, workspace) => {
            let rights = workspaces::rights(connection, caller, workspace)?;
            rights.map(|rights| rights.role).ok_or_else(Error::not_found)
        }
        _ => Ok(caller.role),
    }
}

/// Checks that a role is not above the highest that the caller may give.
///
/// # Errors
/// 403 with a pointer.
pub(super) fn too_high(role: Role, highest: Role) -> Result<()> {
    if role <= highest {
        return Ok(());
    }
    let detail = format!("The role must be at most {highest}, which is the highest that the caller may give");
    Err(Error::forbidden(&detail).with_pointer("/data/attributes/role"))
}
