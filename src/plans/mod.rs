//! Plans: what an organization shows that it may use. Shipped clients of the HCP API ask for the plans that there are and
//! set one of them; which flags a plan shows is in `organizations`.

mod http;
mod view;

pub(crate) use http::section;
