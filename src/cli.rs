//! The command line. Every flag has an environment variable, and every failure one line and an exit status:
//! 2 for a wrong command line, 1 for everything else.

use std::ffi::OsString;
use std::io::Write;
use std::net::{SocketAddr, TcpListener, ToSocketAddrs};
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::builder::BoolishValueParser;
use clap::{Args, Parser, Subcommand, ValueEnum, error::ErrorKind};
use diesel::{Connection, PgConnection};
use secrecy::SecretString;
use serde_json::json;
use validator::ValidateEmail;

use crate::administration;
use crate::audit::{self, Actor};
use crate::audit_trail;
use crate::config::{Encryption, Opened, Storage};
use crate::connections;
use crate::console;
use crate::credential::{BrowserSecret, Period, Secret};
use crate::data_directory::Purpose;
use crate::database::text_enum::TextEnum as _;
use crate::database::{self, Database};
use crate::fixtures;
use crate::jsonapi::{PublicUrl, Timestamp, TrustedProxies, time};
use crate::organizations::{self, Organization, Plan};
use crate::retention::{Kept, Retention};
use crate::server::{Listen, Service};
use crate::sessions::Lifetime;
use crate::signing::{self, PreviousKey, Rotated};
use crate::tls;
use crate::tokens;
use crate::users::{self, NewUser, Rank, User};

/// Latchkey: a self-hosted authority for long-lived API tokens
#[derive(Debug, Parser)]
#[command(name = "latchkey", version, about, propagate_version = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve the API; creates the tables and a first admin where there are none
    Serve(Serve),
    /// Bring the database's tables up to this release, and end
    Migrate {
        #[command(flatten)]
        storage: Storage,
    },
    /// Manage users
    #[command(subcommand)]
    User(UserCommand),
    /// Manage the keys that JWTs are signed with
    #[command(subcommand)]
    Keys(KeysCommand),
    /// Print the audit trail of everybody as lines of JSON, the oldest event first
    Audit(AuditCommand),
    /// Manage organizations
    #[command(subcommand)]
    Organization(OrganizationCommand),
    /// Load sample data
    #[command(subcommand)]
    Fixtures(FixturesCommand),
}

#[derive(Debug, Args)]
struct AuditCommand {
    /// Only events after this time (RFC 3339)
    #[arg(long, value_name = "TIME", env = "LATCHKEY_SINCE", default_value = "1970-01-01T00:00:00Z")]
    since: Timestamp,

    #[command(flatten)]
    storage: Storage,
}

#[derive(Debug, Args)]
struct Serve {
    /// Address to listen on; port 0 takes any free one
    #[arg(long, value_name = "ADDR", env = "LATCHKEY_LISTEN", default_value = "127.0.0.1:8080", value_parser = address)]
    listen: SocketAddr,

    /// Most connections to the database at one time
    #[arg(long, value_name = "N", env = "LATCHKEY_DATABASE_CONNECTIONS", default_value_t = 16,
          value_parser = clap::value_parser!(u32).range(1..=1000))]
    database_connections: u32,

    /// Certificate chain in PEM for TLS; read again whenever the file changes
    #[arg(long, value_name = "FILE", env = "LATCHKEY_TLS_CERTIFICATE", requires = "tls_key")]
    tls_certificate: Option<PathBuf>,

    /// Private key in PEM that belongs to the certificate
    #[arg(long, value_name = "FILE", env = "LATCHKEY_TLS_KEY", requires = "tls_certificate")]
    tls_key: Option<PathBuf>,

    /// Address under which clients reach the service, for links, service discovery and the issuer of JWTs [default: what a request names; of JWTs, latchkey]
    #[arg(long, value_name = "URL", env = "LATCHKEY_PUBLIC_URL")]
    public_url: Option<PublicUrl>,

    /// How long revoked tokens stay in the database: a number of days, or a time such as 90d or 12h
    #[arg(long, value_name = "TIME", env = "LATCHKEY_REVOKED_RETENTION", default_value = "90d")]
    revoked_retention: Retention,

    /// How long events of the audit trail are kept, and at most a month more: a number of days, or a time such as 90d or 52w
    #[arg(long, value_name = "TIME", env = "LATCHKEY_AUDIT_RETENTION", default_value = "400d")]
    audit_retention: Retention,

    /// Most requests of one address without a good token, at once and in a minute; then it gets 429 instead of 401
    #[arg(long, value_name = "N", env = "LATCHKEY_FAILED_AUTHENTICATIONS", default_value = "300")]
    failed_authentications: NonZeroU32,

    /// Proxies that are believed about where a request comes from and was sent to: addresses and networks with commas between [default: none]
    #[arg(long, value_name = "NETS", env = "LATCHKEY_TRUSTED_PROXIES")]
    trusted_proxies: Option<TrustedProxies>,

    /// Most connections of one address (IPv6: of one /64); more are closed. Trusted proxies may have any number
    #[arg(long, value_name = "N", env = "LATCHKEY_CONNECTIONS_PER_ADDRESS", default_value = "500")]
    connections_per_address: NonZeroU32,

    /// How long a connection may be idle after an authenticated request, or from a trusted proxy
    #[arg(long, value_name = "TIME", env = "LATCHKEY_IDLE_TIMEOUT", default_value = "75s", value_parser = idle)]
    idle_timeout: Duration,

    /// How long any other connection may be idle
    #[arg(long, value_name = "TIME", env = "LATCHKEY_IDLE_TIMEOUT_UNAUTHENTICATED", default_value = "10s", value_parser = idle)]
    idle_timeout_unauthenticated: Duration,

    /// How long a new token lives where neither its maker nor its organization says: a number of hours, days or years, such as 90d or 2y [default: as long as it may]
    #[arg(long, value_name = "TIME", env = "LATCHKEY_DEFAULT_TOKEN_TTL")]
    default_token_ttl: Option<Period>,

    /// Ask for a user name and a password where a token is missing, for programs that send one only when asked; browsers open a dialog then
    #[arg(long, env = "LATCHKEY_CHALLENGE_BASIC", value_parser = BoolishValueParser::new())]
    challenge_basic: bool,

    /// How long a session in the console may be idle
    #[arg(long, value_name = "TIME", env = "LATCHKEY_SESSION_IDLE", default_value = "12h", value_parser = session)]
    session_idle: Duration,

    /// How long a session in the console lasts, however often it is used
    #[arg(long, value_name = "TIME", env = "LATCHKEY_SESSION_LIFETIME", default_value = "7d", value_parser = session)]
    session_lifetime: Duration,

    #[command(flatten)]
    encryption: Encryption,

    #[command(flatten)]
    storage: Storage,
}

#[derive(Debug, Subcommand)]
enum UserCommand {
    /// Create a user with a first token, which is shown this once
    Create(CreateUser),
    /// Confirm the address that a user asks for: from then on it is the user's
    ConfirmEmail(ConfirmEmail),
    /// Print a link with which a user sets a password for the console; it works once, within an hour
    SignInLink(SignInLink),
    /// Refuse all tokens and sessions of a user until `enable`, and print which tokens of others the user has made
    Disable(NamedUser),
    /// Take the tokens and sessions of a disabled user again
    Enable(NamedUser),
    /// Delete a user with the user's tokens and memberships, and print which tokens of others the user has made
    Delete(NamedUser),
}

#[derive(Debug, Subcommand)]
enum OrganizationCommand {
    /// Set what an organization shows that it may use: shipped clients of the HCP API ask for it, Latchkey does not
    Plan {
        /// Name of the organization
        #[arg(value_parser = username)]
        name: String,

        /// Plan
        #[arg(value_parser = clap::builder::PossibleValuesParser::new(Plan::ALL.map(Plan::as_str)))]
        plan: String,

        #[command(flatten)]
        storage: Storage,
    },
    /// Let tokens of users in again (`user-tokens-enabled`), where nobody has another token to set it back with
    EnableUserTokens {
        /// Name of the organization
        #[arg(value_parser = username)]
        name: String,

        #[command(flatten)]
        storage: Storage,
    },
}

#[derive(Debug, Args)]
struct NamedUser {
    /// User name
    #[arg(value_parser = username)]
    name: String,

    #[command(flatten)]
    storage: Storage,
}

#[derive(Debug, Args)]
struct CreateUser {
    /// User name: 1 to 90 letters, digits, hyphens and underscores
    #[arg(value_parser = username)]
    name: String,

    /// Email address; of everybody but a service account
    #[arg(long, value_name = "E", env = "LATCHKEY_EMAIL", value_parser = email,
          required_unless_present = "service_account")]
    email: Option<String>,

    /// Make a program's account, which is in one organization and has no address, instead of a person's
    #[arg(long, env = "LATCHKEY_SERVICE_ACCOUNT", value_parser = BoolishValueParser::new(),
          requires = "organization")]
    service_account: bool,

    /// Organization of the service account
    #[arg(long, value_name = "NAME", env = "LATCHKEY_ORGANIZATION", conflicts_with_all = ["email", "site_admin"])]
    organization: Option<String>,

    /// Let the user see, change and delete every organization
    #[arg(long, env = "LATCHKEY_SITE_ADMIN", value_parser = BoolishValueParser::new())]
    site_admin: bool,

    /// How to print the user
    #[arg(long, env = "LATCHKEY_FORMAT", value_enum, default_value_t = Format::Text)]
    format: Format,

    #[command(flatten)]
    storage: Storage,
}

#[derive(Debug, Args)]
struct ConfirmEmail {
    /// User name
    #[arg(value_parser = username)]
    name: String,

    /// Email address that the user asks for; another one is not confirmed
    #[arg(long, value_name = "E", env = "LATCHKEY_EMAIL", value_parser = email)]
    email: String,

    #[command(flatten)]
    storage: Storage,
}

#[derive(Debug, Args)]
struct SignInLink {
    /// User name
    #[arg(value_parser = username)]
    name: String,

    /// Address under which browsers reach the service
    #[arg(long, value_name = "URL", env = "LATCHKEY_PUBLIC_URL", default_value = "http://127.0.0.1:8080")]
    public_url: PublicUrl,

    #[command(flatten)]
    storage: Storage,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Format {
    /// For reading
    Text,
    /// {"id", "username", "token"}
    Json,
}

#[derive(Debug, Subcommand)]
enum KeysCommand {
    /// Sign with a new key from now on; tokens that the one before has signed stay good
    Rotate(RotateKeys),
    /// Show every signing key, the newest first, without its private part
    List {
        #[command(flatten)]
        storage: Storage,
    },
}

#[derive(Debug, Args)]
struct RotateKeys {
    /// Go on even if the key in use cannot be decrypted: the encryption key was lost or is to be another from now on
    #[arg(long, env = "LATCHKEY_NEW_ENCRYPTION_KEY", value_parser = BoolishValueParser::new())]
    new_encryption_key: bool,

    #[command(flatten)]
    encryption: Encryption,

    #[command(flatten)]
    storage: Storage,
}

#[derive(Debug, Subcommand)]
enum FixturesCommand {
    /// Load the JSON:API documents of a folder: users, organizations, teams and tokens; their secrets are shown
    /// this once
    Load {
        /// Folder with users.json, organizations.json, teams.json and authentication-tokens.json
        directory: PathBuf,

        #[command(flatten)]
        storage: Storage,
    },
}

/// What is logged unless `RUST_LOG` says otherwise. What anybody can send to a port and that is no HTTP is not told.
const LOG: &str = "warn,latchkey=info,actix_http=off";

/// What ends a command, in one line.
type Failure = Box<dyn std::error::Error>;

/// Runs the command that the arguments name.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(fault) => return misused(&fault),
    };
    env_logger::Builder::from_env(env_logger::Env::default().default_filter_or(LOG)).init();
    let done = match cli.command {
        Command::Serve(serve) => serve.run(),
        Command::Migrate { storage } => migrate(&storage),
        Command::User(UserCommand::Create(create)) => create.run(),
        Command::User(UserCommand::ConfirmEmail(confirm)) => confirm.run(),
        Command::User(UserCommand::SignInLink(link)) => link.run(),
        Command::User(UserCommand::Disable(user)) => user.run(disable),
        Command::User(UserCommand::Enable(user)) => user.run(enable),
        Command::User(UserCommand::Delete(user)) => user.run(delete),
        Command::Organization(organization) => organization.run(),
        Command::Keys(KeysCommand::Rotate(rotate)) => rotate.run(),
        Command::Keys(KeysCommand::List { storage }) => list_keys(&storage),
        Command::Audit(audit) => audit.run(),
        Command::Fixtures(FixturesCommand::Load { directory, storage }) => load(&directory, &storage),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            eprintln!("latchkey: {}", fault.to_string().replace('\n', " "));
            ExitCode::FAILURE
        }
    }
}

fn misused(fault: &clap::Error) -> ExitCode {
    if matches!(fault.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
        let _ = fault.print();
        return ExitCode::SUCCESS;
    }
    if fault.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        let _ = fault.print();
        return ExitCode::from(2);
    }
    let text = fault.to_string();
    let first = text.lines().take_while(|line| !line.trim().is_empty()).map(str::trim).collect::<Vec<_>>().join(" ");
    eprintln!("latchkey: {}; see --help", first.trim_start_matches("error: "));
    ExitCode::from(2)
}

fn address(text: &str) -> Result<SocketAddr, String> {
    let wrong = "must be an address and a port, such as 127.0.0.1:8080";
    text.to_socket_addrs().ok().and_then(|mut found| found.next()).ok_or_else(|| wrong.to_owned())
}

fn idle(text: &str) -> Result<Duration, String> {
    let wrong = "must be a time such as 75s or 2m, from a second to a day";
    let time = humantime::parse_duration(text).map_err(|_| wrong.to_owned())?;
    let fits = (Duration::from_secs(1)..=Duration::from_secs(86_400)).contains(&time);
    if fits { Ok(time) } else { Err(wrong.to_owned()) }
}

fn session(text: &str) -> Result<Duration, String> {
    let wrong = "must be a time such as 12h or 7d, from a minute to 400 days";
    let time = humantime::parse_duration(text).map_err(|_| wrong.to_owned())?;
    let fits = (Duration::from_secs(60)..=Duration::from_secs(400 * 86_400)).contains(&time);
    if fits { Ok(time) } else { Err(wrong.to_owned()) }
}

fn username(text: &str) -> Result<String, String> {
    let wrong = "must be 1 to 90 letters, digits, hyphens and underscores";
    if crate::jsonapi::is_name(text) { Ok(text.to_owned()) } else { Err(wrong.to_owned()) }
}

fn email(text: &str) -> Result<String, String> {
    let fits = text.len() <= 254 && text.validate_email();
    if fits { Ok(text.to_owned()) } else { Err("must be an email address".to_owned()) }
}

impl Serve {
    fn listen(&self) -> Listen {
        let files = self.tls_certificate.clone().zip(self.tls_key.clone());
        Listen {
            address: self.listen,
            tls: files.map(|(certificate, key)| tls::Files { certificate, key }),
            public_url: self.public_url.clone(),
            workers: std::thread::available_parallelism().map_or(2, usize::from),
            failed_authentications: self.failed_authentications,
            trusted_proxies: self.trusted_proxies.clone().unwrap_or_default(),
            connections: connections::Rules {
                per_address: self.connections_per_address,
                idle: self.idle_timeout,
                idle_unauthenticated: self.idle_timeout_unauthenticated,
            },
            default_token_ttl: self.default_token_ttl,
            challenge_basic: self.challenge_basic,
            sessions: Lifetime { idle: self.session_idle, whole: self.session_lifetime },
        }
    }

    fn run(&self) -> Result<(), Failure> {
        let opened = self.storage.open(Purpose::Serve)?;
        let served = self.serve(&opened);
        opened.close()?;
        served
    }

    fn serve(&self, opened: &Opened) -> Result<(), Failure> {
        let cannot_listen = |fault| format!("cannot listen on {}: {fault}", self.listen);
        // Tried before anything connects to the database: the end of a private PostgreSQL under a pool that is
        // about to connect is told of on the console, beside the one line that matters.
        drop(TcpListener::bind(self.listen).map_err(cannot_listen)?);
        let encryption = self.encryption.key(&opened.directory)?;
        let admin = admin_of(opened)?;
        if let Err(fault) = signing::check(&mut database::connect(&opened.url)?, &encryption) {
            // Everything else works: a wrong key keeps nobody's tokens from being checked.
            log::error!("no token can be made as a JWT: {fault}");
        }
        let database = Database::new(&opened.url, self.database_connections);
        actix_web::rt::System::new().block_on(async {
            let kept = Kept { revoked_tokens: self.revoked_retention, audit_events: self.audit_retention };
            let service = Service::start(&database, encryption, self.listen(), kept)?;
            let address = self.reached_at(service.address());
            let link = admin.link.as_ref().map(|link| match &self.public_url {
                Some(public_url) => public_url.join(&console::link_path(link)),
                None => format!("{address}{}", console::link_path(link)),
            });
            // It listens to signals from its first step on: who has read the greeting can stop it cleanly.
            let running = actix_web::rt::spawn(service.run());
            actix_web::rt::task::yield_now().await;
            greet(&address, opened, admin.token.as_ref(), link.as_deref())?;
            Ok(running.await??)
        })
    }

    /// The address at which it is reached from this machine.
    fn reached_at(&self, address: SocketAddr) -> String {
        let scheme = if self.tls_certificate.is_some() { "https" } else { "http" };
        format!("{scheme}://{address}")
    }
}

/// A few lines for the person at the console.
fn greet(address: &str, opened: &Opened, admin: Option<&PathBuf>, link: Option<&str>) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    let folder = opened.directory.path().display();
    writeln!(out, "Latchkey {} serves {address}", env!("CARGO_PKG_VERSION"))?;
    if opened.is_private() {
        writeln!(out, "  data folder  {folder} (with a private PostgreSQL)")?;
    } else {
        writeln!(out, "  data folder  {folder} (the state is in the database given)")?;
    }
    if let Some(link) = link {
        writeln!(out, "  console      {link}  (sets the admin's password: once, within an hour)")?;
    } else {
        writeln!(out, "  console      {address}/app")?;
    }
    if let Some(path) = admin {
        let path = path.display();
        writeln!(out, "  admin token  {path}")?;
        writeln!(
            out,
            "  try          curl -H \"Authorization: Bearer $(cat '{path}')\" {address}/api/v2/account/details"
        )?;
    } else {
        writeln!(out, "  admin token  not here; make an admin with: latchkey user create NAME --email E --site-admin")?;
    }
    out.flush()
}

/// What is known of the first admin.
struct Admin {
    /// Where the token is; none if it is not here.
    token: Option<PathBuf>,
    /// With which to set a password, of an admin who was made just now.
    link: Option<BrowserSecret>,
}

/// The first admin, who is made if there is no user yet.
fn admin_of(opened: &Opened) -> Result<Admin, Failure> {
    let new = NewUser { username: "admin".into(), email: "admin@latchkey.invalid".into(), rank: Rank::SiteAdmin };
    let mut connection = database::connect(&opened.url)?;
    let link = connection.transaction::<_, Failure, _>(|connection| {
        // Replicas may start together: one of them makes the admin, the others wait here and find it.
        users::lock_all(connection)?;
        if users::any(connection)? {
            return Ok(None);
        }
        let (user, secret) = tokens::create_user_with_token(connection, &new)?;
        let link = users::make_link(connection, &user.username)?;
        // Before the commit: a folder that cannot be written must not leave an admin whose token nobody has.
        opened.directory.write_admin_token(&SecretString::from(secret.reveal()))?;
        Ok(Some(link))
    })?;
    let path = opened.directory.admin_token_path();
    Ok(Admin { token: path.exists().then_some(path), link })
}

impl SignInLink {
    fn run(&self) -> Result<(), Failure> {
        // A link to where no page is shown is of use to nobody.
        console::check_address(&self.public_url)?;
        let opened = self.storage.open(Purpose::Command)?;
        let made = self.make(&opened.url);
        opened.close()?;
        Ok(writeln!(std::io::stdout().lock(), "{}", self.public_url.join(&console::link_path(&made?)))?)
    }

    fn make(&self, url: &str) -> Result<BrowserSecret, Failure> {
        database::connect(url)?.transaction(|connection| Ok(users::make_link(connection, &self.name)?))
    }
}

impl CreateUser {
    fn run(&self) -> Result<(), Failure> {
        let opened = self.storage.open(Purpose::Command)?;
        let made = self.create(&opened.url);
        opened.close()?;
        let (user, secret) = made?;
        let mut out = std::io::stdout().lock();
        match self.format {
            Format::Json => {
                let line = json!({"id": user.id, "username": user.username, "token": secret.reveal()});
                writeln!(out, "{line}")?;
            }
            Format::Text => {
                writeln!(out, "id        {}", user.id)?;
                writeln!(out, "username  {}", user.username)?;
                writeln!(out, "token     {}   (shown this once)", secret.reveal())?;
            }
        }
        Ok(())
    }

    fn create(&self, url: &str) -> Result<(User, Secret), Failure> {
        let organization = self.organization.as_ref().filter(|_| self.service_account);
        database::connect(url)?.transaction(|connection| match (organization, &self.email) {
            (Some(organization), _) => {
                let made = tokens::create_service_account_with_token(connection, organization, &self.name)?;
                made.ok_or_else(|| format!("there is no organization {organization:?}").into())
            }
            (None, Some(email)) => {
                let rank = if self.site_admin { Rank::SiteAdmin } else { Rank::Ordinary };
                let new = NewUser { username: self.name.clone(), email: email.clone(), rank };
                Ok(tokens::create_user_with_token(connection, &new)?)
            }
            (None, None) => Err("a user needs an email address".into()),
        })
    }
}

/// How many events are read at once.
const EVENTS_AT_ONCE: i64 = 1000;

impl AuditCommand {
    fn run(&self) -> Result<(), Failure> {
        let opened = self.storage.open(Purpose::Command)?;
        let printed = self.print(&opened.url);
        opened.close()?;
        printed
    }

    fn print(&self, url: &str) -> Result<(), Failure> {
        let mut connection = database::connect(url)?;
        let mut out = std::io::stdout().lock();
        let mut last = None;
        loop {
            let events = audit::everything(&mut connection, self.since.0, last.as_ref(), EVENTS_AT_ONCE)?;
            for event in &events {
                writeln!(out, "{}", audit_trail::told(event))?;
            }
            match events.into_iter().last() {
                Some(event) => last = Some(event),
                None => return Ok(()),
            }
        }
    }
}

impl ConfirmEmail {
    fn run(&self) -> Result<(), Failure> {
        let opened = self.storage.open(Purpose::Command)?;
        let confirmed = self.confirm(&opened.url);
        opened.close()?;
        let user = confirmed?;
        writeln!(std::io::stdout().lock(), "The email address of {} is {} now.", user.username, self.email)?;
        Ok(())
    }

    fn confirm(&self, url: &str) -> Result<User, Failure> {
        database::connect(url)?
            .transaction(|connection| Ok(administration::confirm_email(connection, &self.name, &self.email)?))
    }
}

impl NamedUser {
    /// Makes a change of the user, and prints what it answers.
    fn run(&self, change: fn(&mut PgConnection, &User) -> Result<Vec<String>, Failure>) -> Result<(), Failure> {
        let opened = self.storage.open(Purpose::Command)?;
        let changed = self.change(&opened.url, change);
        opened.close()?;
        let mut out = std::io::stdout().lock();
        for line in changed? {
            writeln!(out, "{line}")?;
        }
        Ok(())
    }

    fn change(
        &self,
        url: &str,
        change: fn(&mut PgConnection, &User) -> Result<Vec<String>, Failure>,
    ) -> Result<Vec<String>, Failure> {
        database::connect(url)?.transaction(|connection| {
            let user = administration::lock_by_name(connection, &self.name)?;
            let user = user.ok_or_else(|| format!("there is no user {:?}", self.name))?;
            change(connection, &user)
        })
    }
}

fn disable(connection: &mut PgConnection, user: &User) -> Result<Vec<String>, Failure> {
    let (user, made) = administration::suspend(connection, &Actor::system(), user)?;
    let mut lines =
        vec![format!("The tokens and sessions of {} are refused until: latchkey user enable {0}", user.username)];
    lines.extend(administration::lines(&user, &made));
    Ok(lines)
}

fn enable(connection: &mut PgConnection, user: &User) -> Result<Vec<String>, Failure> {
    let user = administration::unsuspend(connection, &Actor::system(), user)?;
    Ok(vec![format!("The tokens and sessions of {} work again.", user.username)])
}

fn delete(connection: &mut PgConnection, user: &User) -> Result<Vec<String>, Failure> {
    let made = administration::delete(connection, &Actor::system(), user)?;
    let mut lines = vec![format!("The user {} is deleted.", user.username)];
    lines.extend(administration::lines(user, &made));
    Ok(lines)
}

impl OrganizationCommand {
    fn run(&self) -> Result<(), Failure> {
        let said = match self {
            Self::Plan { name, plan, storage } => {
                let plan = Plan::of_word(plan).ok_or("there is no such plan")?;
                let set = change_organization(storage, name, |connection, organization| {
                    organizations::set_plan(connection, &Actor::system(), organization, plan)
                })?;
                format!("The plan of {} is {plan} now.", set.name)
            }
            Self::EnableUserTokens { name, storage } => {
                let enabled = change_organization(storage, name, |connection, organization| {
                    organizations::enable_user_tokens(connection, &Actor::system(), organization)
                })?;
                format!("Tokens of users let them into {} again.", enabled.name)
            }
        };
        Ok(writeln!(std::io::stdout().lock(), "{said}")?)
    }
}

/// Makes a change of the organization of this name.
fn change_organization(
    storage: &Storage,
    name: &str,
    change: impl FnOnce(&mut PgConnection, Organization) -> crate::jsonapi::Result<Organization>,
) -> Result<Organization, Failure> {
    let opened = storage.open(Purpose::Command)?;
    let changed = database::connect(&opened.url).map_err(Failure::from).and_then(|mut connection| {
        connection.transaction(|connection| {
            let organization = organizations::lock_named(connection, name)?;
            let organization = organization.ok_or_else(|| format!("there is no organization {name:?}"))?;
            Ok(change(connection, organization)?)
        })
    });
    opened.close()?;
    changed
}

impl RotateKeys {
    fn run(&self) -> Result<(), Failure> {
        let opened = self.storage.open(Purpose::Command)?;
        let rotated = self.rotate(&opened);
        opened.close()?;
        let Rotated { new, old } = rotated?;
        let mut out = std::io::stdout().lock();
        writeln!(out, "{new}  in use")?;
        if let Some(old) = old {
            writeln!(out, "{old}  retired, published as long as a token that it has signed is good")?;
        }
        Ok(())
    }

    fn rotate(&self, opened: &Opened) -> Result<Rotated, Failure> {
        let before = if self.new_encryption_key { PreviousKey::MayBeLost } else { PreviousKey::MustDecrypt };
        let encryption = self.encryption.key(&opened.directory)?;
        Ok(signing::rotate(&mut database::connect(&opened.url)?, &encryption, before)?)
    }
}

fn list_keys(storage: &Storage) -> Result<(), Failure> {
    let opened = storage.open(Purpose::Command)?;
    let listed = database::connect(&opened.url)
        .map_err(Failure::from)
        .and_then(|mut connection| Ok(signing::list(&mut connection)?));
    opened.close()?;
    let mut out = std::io::stdout().lock();
    for key in listed? {
        writeln!(out, "{}  {}  since {}", key.kid, key.state(), time(key.since()))?;
    }
    Ok(())
}

fn migrate(storage: &Storage) -> Result<(), Failure> {
    let opened = storage.open(Purpose::Command)?;
    let migrated = opened.migrated;
    opened.close()?;
    match migrated {
        0 => println!("The database is up to date."),
        1 => println!("Ran 1 migration."),
        more => println!("Ran {more} migrations."),
    }
    Ok(())
}

fn load(directory: &std::path::Path, storage: &Storage) -> Result<(), Failure> {
    let data = fixtures::DataSet::read(directory)?;
    let opened = storage.open(Purpose::Command)?;
    let loaded = database::connect(&opened.url)
        .map_err(Failure::from)
        .and_then(|mut connection| Ok(connection.transaction(|connection| data.load(connection))?));
    opened.close()?;
    let mut out = std::io::stdout().lock();
    for (owner, secret) in loaded? {
        writeln!(out, "{}  {owner}", secret.reveal())?;
    }
    Ok(())
}
