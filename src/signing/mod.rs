//! Signing: the keys that JWTs are signed with, from their making to their retirement, and the public parts for whoever
//! verifies. What a JWT says is `tokens`' business.
//!
//! The library that signs is `ring`, which TLS uses as well. A JWT library would add to it three lines of base64, and
//! code to verify: Latchkey verifies nothing by its signature, the row of a token is the judge.

mod model;
mod seal;
mod store;

pub(crate) use model::PublicJwk;
pub use model::{Error, PreviousKey, Rotated, Signed, Signer, check, rotate};
pub(crate) use seal::Cipher;
pub use seal::{EncryptionKey, InvalidEncryptionKey};
pub(crate) use store::published;
pub use store::{ListedKey, list};
