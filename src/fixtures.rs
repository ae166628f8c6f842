//! The demo data set: JSON:API documents in a folder that `latchkey fixtures load` puts into a database.
//!
//! The files are `users.json`, `organizations.json`, `abilities.json`, `teams.json` and `authentication-tokens.json`; one
//! that is missing holds nothing. Users and organizations are named by their names, teams as `organization/team`.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use diesel::PgConnection;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::abilities::{self, RegistryAttributes};
use crate::audit::Actor;
use crate::credential::Secret;
use crate::ids::{OrganizationId, UserId};
use crate::jsonapi::{self, Timestamp, is_name};
use crate::organizations::{self, Organization};
use crate::teams::{self, AccessChanges, Permissions, Team, Visibility, members};
use crate::tokens::{self, NewToken, Owner};
use crate::users::{MembershipStatus, NewUser, NotCreated, Rank};

/// Why a data set was not loaded; nothing of it is in the database then.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file cannot be read.
    #[error("cannot read {path}: {cause}")]
    Unreadable { path: PathBuf, cause: std::io::Error },
    /// A file is not such a document.
    #[error("{path} is not a document of this kind: {cause}")]
    Malformed {
        path: PathBuf,
        /// What is wrong with it.
        cause: serde_json::Error,
    },
    /// There is no such folder.
    #[error("there is no folder {0}")]
    NoFolder(PathBuf),
    /// There is nothing to load, which nobody means.
    #[error("there is nothing to load in {0}: a data set is one or more of {FILES}", FILES = FILES.join(", "))]
    Empty(PathBuf),
    /// Something would not be loaded.
    #[error("{0} is no file of a data set: these are {FILES}", FILES = FILES.join(", "))]
    NoPart(PathBuf),
    /// A name that is referred to and not defined, or not a name.
    #[error("the data set speaks of {0:?}, which is not in it or is no name")]
    Unknown(String),
    /// A user cannot be made.
    #[error(transparent)]
    User(#[from] NotCreated),
    /// Something else cannot be made.
    #[error("the data set does not fit into the database: {named}: {cause}")]
    Refused {
        /// What it is called in the data set.
        named: String,
        cause: jsonapi::Error,
    },
    #[error("the database failed: {0}")]
    Database(#[from] diesel::result::Error),
}

/// The files that a data set can have.
const FILES: [&str; 5] =
    ["users.json", "organizations.json", "abilities.json", "teams.json", "authentication-tokens.json"];

#[derive(Debug, Deserialize)]
struct Documents<A> {
    data: Vec<Item<A>>,
}

/// What a client could send as well, to register the same abilities.
#[derive(Debug, Deserialize)]
struct Registry {
    data: Item<RegistryAttributes>,
}

#[derive(Debug, Deserialize)]
struct Item<A> {
    #[serde(default)]
    id: String,
    attributes: A,
    #[serde(default)]
    relationships: HashMap<String, Relationship>,
}

#[derive(Debug, Deserialize)]
struct Relationship {
    data: Linkage,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Linkage {
    One(Reference),
    Many(Vec<Reference>),
}

#[derive(Debug, Deserialize)]
struct Reference {
    id: String,
}

impl<A> Item<A> {
    fn related(&self, name: &str) -> Vec<&str> {
        match self.relationships.get(name).map(|relationship| &relationship.data) {
            None => vec![],
            Some(Linkage::One(one)) => vec![&one.id],
            Some(Linkage::Many(many)) => many.iter().map(|one| one.id.as_str()).collect(),
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct UserData {
    email: String,
    #[serde(default)]
    is_site_admin: bool,
}

#[derive(Debug, Deserialize)]
struct OrganizationData {
    email: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
struct TeamData {
    description: Option<String>,
    visibility: Visibility,
    allow_member_token_management: bool,
    organization_access: AccessChanges,
}

impl Default for TeamData {
    fn default() -> Self {
        Self {
            description: None,
            visibility: Visibility::Secret,
            allow_member_token_management: true,
            organization_access: AccessChanges::default(),
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct TokenData {
    description: Option<String>,
    expired_at: Option<Timestamp>,
}

#[derive(Debug)]
pub struct DataSet {
    users: Vec<Item<UserData>>,
    organizations: Vec<Item<OrganizationData>>,
    abilities: Option<Registry>,
    teams: Vec<Item<TeamData>>,
    tokens: Vec<Item<TokenData>>,
}

impl DataSet {
    /// Reads a folder.
    ///
    /// # Errors
    /// When it is not there, holds nothing or something else, or a file in it cannot be understood.
    pub fn read(directory: &Path) -> Result<Self, Error> {
        if !directory.is_dir() {
            return Err(Error::NoFolder(directory.to_owned()));
        }
        check_files(directory)?;
        let data = Self {
            users: items(directory, "users.json")?,
            organizations: items(directory, "organizations.json")?,
            abilities: document(directory, "abilities.json")?,
            teams: items(directory, "teams.json")?,
            tokens: items(directory, "authentication-tokens.json")?,
        };
        let Self { users, organizations, abilities, teams, tokens } = &data;
        if abilities.is_none() && [users.len(), organizations.len(), teams.len(), tokens.len()] == [0; 4] {
            return Err(Error::Empty(directory.to_owned()));
        }
        Ok(data)
    }

    /// Puts everything into the database that the connection's transaction is on, and answers the secrets of the
    /// tokens made, each beside its owner's name. Every user gets a token.
    ///
    /// # Errors
    /// When a name is unknown or taken.
    pub fn load(&self, connection: &mut PgConnection) -> Result<Vec<(String, Secret)>, Error> {
        let mut secrets = vec![];
        let users = self.load_users(connection, &mut secrets)?;
        let organizations = self.load_organizations(connection, &users)?;
        self.load_abilities(connection, &organizations)?;
        let teams = self.load_teams(connection, &users, &organizations)?;
        for item in &self.tokens {
            for name in item.related("team") {
                let team = teams.get(name).ok_or_else(|| Error::Unknown(name.to_owned()))?;
                let owner = Owner::Team(team.organization_id, team.id);
                let expiry = item.attributes.expired_at.map(|moment| moment.0);
                let secret = create_token(connection, owner, item.attributes.description.as_deref(), expiry)
                    .map_err(refused(name))?;
                secrets.push((format!("team {name}"), secret));
            }
        }
        Ok(secrets)
    }

    fn load_users(
        &self,
        connection: &mut PgConnection,
        secrets: &mut Vec<(String, Secret)>,
    ) -> Result<HashMap<String, UserId>, Error> {
        let mut made = HashMap::new();
        for item in &self.users {
            let rank = if item.attributes.is_site_admin { Rank::SiteAdmin } else { Rank::Ordinary };
            let new = NewUser { username: name(&item.id)?, email: item.attributes.email.clone(), rank };
            let (user, secret) = tokens::create_user_with_token(connection, &new)?;
            secrets.push((format!("user {}", item.id), secret));
            made.insert(item.id.clone(), user.id);
        }
        Ok(made)
    }

    fn load_organizations(
        &self,
        connection: &mut PgConnection,
        users: &HashMap<String, UserId>,
    ) -> Result<HashMap<String, OrganizationId>, Error> {
        let mut made = HashMap::new();
        for item in &self.organizations {
            let new = Organization::new(name(&item.id)?, item.attributes.email.clone());
            let owners = known(users, &item.related("owners"))?;
            let organization =
                organizations::found(connection, &Actor::system(), &new, &owners).map_err(refused(&item.id))?;
            made.insert(item.id.clone(), organization.id);
        }
        Ok(made)
    }

    fn load_abilities(
        &self,
        connection: &mut PgConnection,
        organizations: &HashMap<String, OrganizationId>,
    ) -> Result<(), Error> {
        let Some(Registry { data: item }) = &self.abilities else { return Ok(()) };
        let name = item.related("organization").first().copied().unwrap_or_default();
        let organization = *organizations.get(name).ok_or_else(|| Error::Unknown(name.to_owned()))?;
        let registry = item.attributes.abilities.clone().unwrap_or_default();
        abilities::checked(registry)
            .and_then(|registry| abilities::register(connection, &Actor::system(), organization, &registry))
            .map_err(refused(name))
    }

    fn load_teams(
        &self,
        connection: &mut PgConnection,
        users: &HashMap<String, UserId>,
        organizations: &HashMap<String, OrganizationId>,
    ) -> Result<HashMap<String, Team>, Error> {
        let mut made = HashMap::new();
        for item in &self.teams {
            let unknown = || Error::Unknown(item.id.clone());
            let (organization, team) = item.id.split_once('/').ok_or_else(unknown)?;
            let organization = organizations.get(organization).ok_or_else(unknown)?;
            let new = Team {
                name: name(team)?,
                description: item.attributes.description.clone(),
                visibility: item.attributes.visibility,
                allow_member_token_management: item.attributes.allow_member_token_management,
                organization_access: item.attributes.organization_access.applied_to(&Permissions::default()),
                ..Team::new(*organization)
            };
            let team = teams::make(connection, &Actor::system(), &new).map_err(refused(&item.id))?;
            let inside = known(users, &item.related("users"))?;
            members::add(connection, &Actor::system(), &team, &inside, MembershipStatus::Active)
                .map_err(refused(&item.id))?;
            made.insert(item.id.clone(), team);
        }
        Ok(made)
    }
}

/// A file that is not a part of the set would be passed over without a word.
fn check_files(directory: &Path) -> Result<(), Error> {
    let unreadable = |cause| Error::Unreadable { path: directory.to_owned(), cause };
    for entry in std::fs::read_dir(directory).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        if !FILES.iter().any(|file| entry.file_name() == *file) {
            return Err(Error::NoPart(entry.path()));
        }
    }
    Ok(())
}

fn items<A: DeserializeOwned>(directory: &Path, file: &str) -> Result<Vec<Item<A>>, Error> {
    Ok(document(directory, file)?.map_or(vec![], |documents: Documents<A>| documents.data))
}

/// The document in a file; none if there is no such file.
fn document<D: DeserializeOwned>(directory: &Path, file: &str) -> Result<Option<D>, Error> {
    let path = directory.join(file);
    match std::fs::read(&path) {
        Ok(bytes) => serde_json::from_slice(&bytes).map(Some).map_err(|cause| Error::Malformed { path, cause }),
        Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(cause) => Err(Error::Unreadable { path, cause }),
    }
}

fn refused(named: &str) -> impl FnOnce(jsonapi::Error) -> Error + use<'_> {
    move |cause| Error::Refused { named: format!("{named:?}"), cause }
}

fn name(text: &str) -> Result<String, Error> {
    if is_name(text) { Ok(text.to_owned()) } else { Err(Error::Unknown(text.to_owned())) }
}

fn known(users: &HashMap<String, UserId>, names: &[&str]) -> Result<Vec<UserId>, Error> {
    let known = |name: &&str| users.get(*name).copied().ok_or_else(|| Error::Unknown((*name).to_owned()));
    names.iter().map(known).collect()
}

fn create_token(
    connection: &mut PgConnection,
    owner: Owner,
    description: Option<&str>,
    expired_at: Option<chrono::DateTime<chrono::Utc>>,
) -> jsonapi::Result<Secret> {
    let new = NewToken { description, expired_at, ..NewToken::of(owner) };
    let (_, secret) = tokens::create(connection, &Actor::system(), &new, |_| vec![])?;
    Ok(secret)
}
