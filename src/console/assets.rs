//! The stylesheet and the scripts, which are in the binary. Their paths hold a hash of what they are, so that browsers keep
//! them for good.

use std::sync::LazyLock;

use actix_web::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use actix_web::web::{self, ServiceConfig};
use actix_web::{HttpResponse, Responder};
use sha2::{Digest as _, Sha256};

static STYLE: LazyLock<Asset> =
    LazyLock::new(|| Asset::new("console", "css", "text/css; charset=utf-8", include_str!("assets/console.css")));
static SCRIPT: LazyLock<Asset> =
    LazyLock::new(|| Asset::new("console", "js", "text/javascript; charset=utf-8", include_str!("assets/console.js")));

struct Asset {
    path: String,
    media_type: &'static str,
    text: &'static str,
}

impl Asset {
    fn new(name: &str, end: &str, media_type: &'static str, text: &'static str) -> Self {
        let hash: String = Sha256::digest(text).iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        Self { path: format!("/assets/{name}-{hash}.{end}"), media_type, text }
    }

    fn respond(&self) -> HttpResponse {
        HttpResponse::Ok()
            .insert_header((CONTENT_TYPE, self.media_type))
            .insert_header((CACHE_CONTROL, "public, max-age=31536000, immutable"))
            .insert_header((CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"))
            .insert_header(("Cross-Origin-Resource-Policy", "same-origin"))
            .body(self.text)
    }
}

/// The path of the stylesheet.
pub(super) fn style() -> &'static str {
    &STYLE.path
}

/// The path of the script.
pub(super) fn script() -> &'static str {
    &SCRIPT.path
}

/// Makes the routes.
pub(super) fn register(service: &mut ServiceConfig) {
    service.route(style(), web::get().to(serve_style)).route(script(), web::get().to(serve_script));
}

async fn serve_style() -> impl Responder {
    STYLE.respond()
}

async fn serve_script() -> impl Responder {
    SCRIPT.respond()
}
