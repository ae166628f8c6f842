//! Tokens: long-lived credentials, each owned by a user, a team, an organization or a workspace (docs/design.md §1, §3).
//!
//! Here are the token, its kinds and its status. Who may do what with one is `access`'s business.

mod bounds;
mod filters;
mod first;
mod handle;
mod http;
mod include;
mod issue;
mod jwt;
mod labels;
mod leaked;
mod life;
mod lists;
mod model;
mod orphans;
mod owner_of_new;
mod retention;
mod right;
mod rotation;
mod schema;
mod sorted_ends;
mod store;
mod view;

pub use filters::reference as filters_reference;
pub use first::{create_service_account_with_token, create_user_with_token};
pub(crate) use handle::{list, lock, lock_several};
pub(crate) use http::section;
pub(crate) use http::{NEWEST_FIRST, mint};
pub(crate) use issue::create;
pub use labels::{LABEL_KEY_MAX, LABEL_VALUE_MAX, LABELS_MAX, Labels};
pub(crate) use life::{Switch, edit, record_look, replace, revoke, switch};
use model::named;
pub use model::{
    DESCRIPTION_MAX, ExpiryStatus, GRACE_MAX, Owner, Replacement, Revocation, SELF_ROTATION_GRACE, Token,
    TokenAttributes, TokenChanges, USAGE_KEPT_DAYS,
};
pub(crate) use model::{NewToken, Rotation};
pub use orphans::finish_deletions;
pub(crate) use owner_of_new::NewOwner;
pub use retention::remove_old_tokens;
pub(crate) use right::{TokenOperation, TokenRights, may, rights};
pub use sorted_ends::rewrite_ends;
pub use store::MadeTokens;
pub(crate) use store::{TokenList, find_all_including_revoked, find_including_revoked, made_by, usage};
pub(crate) use view::NAMES;
