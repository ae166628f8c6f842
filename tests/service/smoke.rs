//! The main job in one story.

use crate::support::App;

#[test]
fn a_team_gets_a_token_and_uses_it() {
    let (app, ada) = App::with_acme();
    let team = ada.team("acme", "ci");
    let secret = ada.team_token(&team).secret();
    app.with(&secret).get(&format!("/api/v2/teams/{team}")).expect(200);
}
