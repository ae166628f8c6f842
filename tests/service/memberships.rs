//! `organization-memberships`: inviting, accepting, seeing and removing.

use std::sync::Barrier;

use latchkey::users::{NewUser, Rank};
use serde_json::{Value, json};

use crate::support::app::{Acme, User, identifiers, resource};
use crate::support::client::{Answer, Client};

const ACME: &str = "/api/v2/organizations/acme/organization-memberships";
const OWN: &str = "/api/v2/organization-memberships";

impl Acme {
    fn invite(&self, email: &str) -> Answer {
        self.ada.client.post(ACME, &invitation(email, &[&self.team])).expect(201)
    }
}

fn invitation(email: &str, teams: &[&str]) -> Value {
    let mut document = resource("organization-memberships", json!({"email": email}));
    document["data"]["relationships"] = json!({"teams": identifiers("teams", teams)});
    document
}

fn accept(client: &Client, id: &str) -> Answer {
    client.post_nothing(&format!("{OWN}/{id}/actions/accept"))
}

fn membership_of(scene: &Acme, user: &User) -> String {
    let found = scene.ada.client.get(&format!("{ACME}?filter[email]={}@example.com", user.username)).expect(200);
    found.ids().remove(0)
}

#[test]
fn an_address_is_invited_into_a_team() {
    let scene = Acme::new();
    let bob = scene.app.user("bob");
    let other = scene.ada.team("acme", "other");
    let invited = scene.ada.client.post(ACME, &invitation("Bob@Example.com", &[&scene.team, &other])).expect(201);
    assert!(invited.id().starts_with("ou-"));
    assert_eq!(invited.body["data"]["type"], "organization-memberships");
    assert_eq!(*invited.attribute("status"), "invited");
    assert_eq!(*invited.attribute("email"), "bob@example.com");
    let relationships = &invited.body["data"]["relationships"];
    assert_eq!(relationships["user"]["data"], json!({"type": "users", "id": bob.id}));
    assert_eq!(relationships["organization"]["data"], json!({"type": "organizations", "id": "acme"}));
    assert_eq!(relationships["teams"], identifiers("teams", &[&scene.team, &other]));
    let about = format!("audit_events WHERE resource_id = '{}' AND action = 'create'", bob.id);
    assert_eq!(scene.app.count(&format!("{about} AND resource_type = 'organization_user'")), 1);
    assert_eq!(scene.app.count(&format!("{about} AND resource_type = 'team_member'")), 2);
}

#[test]
fn an_address_is_invited_into_no_team() {
    let scene = Acme::new();
    let (bob, cyd) = (scene.app.user("bob"), scene.app.user("cyd"));
    let without = |email: &str| resource("organization-memberships", json!({ "email": email }));
    let mia = scene.holder_of("manage-membership", "mia");
    let invited = [
        (&bob, scene.ada.client.post(ACME, &without("bob@example.com")).expect(201)),
        (&cyd, mia.client.post(ACME, &invitation("cyd@example.com", &[])).expect(201)),
    ];
    for (user, invited) in &invited {
        assert_eq!(*invited.attribute("status"), "invited");
        assert_eq!(invited.body["data"]["relationships"]["teams"]["data"], json!([]));
        user.client.get("/api/v2/organizations/acme").expect(404);
        accept(&user.client, &invited.id()).expect(200);
        user.client.get("/api/v2/organizations/acme").expect(200);
    }
    // Teams come later, by the membership.
    let path = format!("/api/v2/teams/{}/relationships/organization-memberships", scene.team);
    let these = identifiers("organization-memberships", &[&invited[0].1.id()]);
    scene.ada.client.post(&path, &these).expect(204);
    let teams = scene.ada.client.get(&format!("{OWN}/{}", invited[0].1.id())).expect(200);
    assert_eq!(teams.body["data"]["relationships"]["teams"], identifiers("teams", &[&scene.team]));
}

#[test]
fn who_manages_teams_alone_invites_into_some_team() {
    let scene = Acme::new();
    let (mel, dan, zoe) = (scene.holder_of("manage-teams", "mel"), scene.member("dan"), scene.app.user("zoe"));
    let without = resource("organization-memberships", json!({"email": "bob@example.com"}));
    let refused = mel.client.post(ACME, &without).expect(403);
    assert_eq!(refused.detail(), "Only owners and teams with manage-membership may invite somebody into no team");
    dan.client.post(ACME, &without).expect(404);
    zoe.client.post(ACME, &without).expect(404);
    assert_eq!(scene.app.count("memberships WHERE status = 'invited'"), 0);
}

/// Shipped clients compare the user in the answer with the one that they find later, and find members by their address.
#[test]
fn an_invitation_includes_its_user_as_later_answers_do() {
    let scene = Acme::new();
    let body = resource("organization-memberships", json!({"email": "new@example.com"}));
    let invited = scene.ada.client.post(ACME, &body).expect(201);
    let user = &invited.body["included"][0];
    assert_eq!(user["attributes"]["email"], "new@example.com");
    assert_eq!(user["attributes"]["username"], "", "nobody has chosen a name yet");
    assert_eq!(included(&invited).len(), 1);
    let shown = scene.ada.client.get(&format!("{OWN}/{}?include=user", invited.id())).expect(200);
    assert_eq!(shown.body["included"][0], *user);
    let found = scene.ada.client.get(&format!("{ACME}?filter[email]=new@example.com&include=user")).expect(200);
    assert_eq!(found.body["included"][0], *user);
    assert!(included(&scene.ada.client.get(&format!("{OWN}/{}", invited.id())).expect(200)).is_empty());
    // Who asks for something else gets that alone.
    let other = resource("organization-memberships", json!({"email": "other@example.com"}));
    assert!(included(&scene.ada.client.post(&format!("{ACME}?include="), &other).expect(201)).is_empty());
}

#[test]
fn a_wrong_invitation_is_refused() {
    let scene = Acme::new();
    let zoe = scene.app.user("zoe");
    zoe.organization("elsewhere");
    let foreign = zoe.team("elsewhere", "theirs");
    for email in [json!("nonsense"), json!(""), json!(7)] {
        let mut body = invitation("x@example.com", &[&scene.team]);
        body["data"]["attributes"]["email"] = email.clone();
        let refused = scene.ada.client.post(ACME, &body).expect(422);
        assert_eq!(refused.blamed(), ["/data/attributes/email"], "{email}");
    }
    let mut no_email = invitation("", &[&scene.team]);
    no_email["data"]["attributes"] = json!({});
    let refused = scene.ada.client.post(ACME, &no_email).expect(422);
    assert!(refused.blamed()[0].starts_with("/data/attributes"), "{:?}", refused.blamed());
    let unknown = latchkey::ids::TeamId::generate().to_string();
    for team in [&foreign, &unknown, "nonsense"] {
        let refused = scene.ada.client.post(ACME, &invitation("x@example.com", &[&scene.team, team])).expect(404);
        assert_eq!(refused.blamed(), ["/data/relationships/teams/data/1/id"], "{team}");
    }
    assert_eq!(scene.app.count("memberships"), 2, "of ada and of zoe");
    assert_eq!(scene.app.count("users"), 2);
}

#[test]
fn nobody_is_invited_twice() {
    let scene = Acme::new();
    let bob = scene.app.user("bob");
    let id = scene.invite("bob@example.com").id();
    let again = |address: &str| {
        let refused = scene.ada.client.post(ACME, &invitation(address, &[&scene.team])).expect(422);
        assert_eq!(refused.blamed(), ["/data/attributes/email"], "{address}");
    };
    again("bob@example.com");
    again("BOB@example.com");
    accept(&bob.client, &id).expect(200);
    again("bob@example.com");
    again("ada@example.com");
    scene.invite("new@example.com");
    again("New@Example.com");
    assert_eq!(scene.app.count("memberships"), 3);
    assert_eq!(scene.app.count("users"), 3);
}

#[test]
fn of_many_invitations_of_one_address_at_once_one_is_made() {
    let scene = Acme::new();
    for round in 0..4 {
        let barrier = Barrier::new(8);
        let body = invitation(&format!("new-{round}@example.com"), &[&scene.team]);
        let mut statuses: Vec<u16> = std::thread::scope(|scope| {
            let invite = || {
                barrier.wait();
                scene.ada.client.post(ACME, &body).status
            };
            let threads: Vec<_> = (0..8).map(|_| scope.spawn(invite)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        statuses.sort_unstable();
        assert_eq!(statuses, [201, 422, 422, 422, 422, 422, 422, 422]);
    }
    assert_eq!(scene.app.count("memberships"), 5);
}

#[test]
fn an_unknown_address_makes_a_user_who_cannot_log_in() {
    let scene = Acme::new();
    let invited =
        scene.ada.client.post(&format!("{ACME}?include=user"), &invitation("new@example.com", &[&scene.team]));
    let invited = invited.expect(201);
    assert_eq!(*invited.attribute("status"), "invited");
    assert_eq!(scene.app.count("users WHERE email = 'new@example.com' AND NOT confirmed AND password_hash IS NULL"), 1);
    assert_eq!(scene.app.count("tokens WHERE kind = 'user'"), 1, "the new user has no token");
    let user = invited.body["data"]["relationships"]["user"]["data"]["id"].as_str().unwrap();
    let tokens = format!("/api/v2/users/{user}/authentication-tokens");
    scene.ada.client.post(&tokens, &resource("authentication-tokens", json!({}))).expect(404);
}

#[test]
fn who_was_invited_is_taken_over_by_the_command_line() {
    let scene = Acme::new();
    let invited = scene.invite("Bob@example.com");
    let user = invited.body["data"]["relationships"]["user"]["data"]["id"].as_str().unwrap().to_owned();
    let bob = scene.app.user("bob");
    assert_eq!(bob.id, user);
    assert_eq!(*bob.client.get("/api/v2/account/details").expect(200).attribute("is-confirmed"), true);
    assert_eq!(bob.client.get(OWN).expect(200).ids(), [invited.id()]);
    accept(&bob.client, &invited.id()).expect(200);
    bob.client.get(&format!("/api/v2/teams/{}", scene.team)).expect(200);
    // Once taken over, the address is taken.
    let new = NewUser { username: "robert".to_owned(), email: "BOB@example.com".to_owned(), rank: Rank::Ordinary };
    let refused = scene.app.try_user(&new).err();
    assert!(matches!(refused, Some(latchkey::users::NotCreated::EmailTaken(_))), "{refused:?}");
}

#[test]
fn an_invited_user_has_no_rights_before_accepting() {
    let scene = Acme::new();
    let bob = scene.app.user("bob");
    let owners = scene.ada.owners_team("acme");
    let token = scene.ada.team_token(&scene.team).id();
    let teams = [scene.team.as_str(), &owners];
    let id = scene.ada.client.post(ACME, &invitation("bob@example.com", &teams)).expect(201).id();
    let team = format!("teams/{}", scene.team);
    let denied = [
        "organizations/acme".to_owned(),
        "organizations/acme/teams".to_owned(),
        "organizations/acme/team-tokens".to_owned(),
        "organizations/acme/organization-memberships".to_owned(),
        "organizations/acme/authentication-token".to_owned(),
        "organizations/acme/token-ttl-policies".to_owned(),
        format!("{team}/authentication-token"),
        format!("{team}/relationships/users"),
        format!("{team}/relationships/organization-memberships"),
        format!("authentication-tokens/{token}"),
        format!("users/{}", scene.ada.id),
        team.clone(),
    ];
    for path in &denied {
        bob.client.get(&format!("/api/v2/{path}")).expect(404);
    }
    bob.client.post_nothing(&format!("/api/v2/{team}/authentication-token")).expect(404);
    bob.client.post("/api/v2/organizations/acme/teams", &resource("teams", json!({"name": "x"}))).expect(404);
    bob.client.delete("/api/v2/organizations/acme").expect(404);
    assert!(bob.client.get("/api/v2/organizations").expect(200).ids().is_empty());
    // Being put into a team once more accepts nothing in somebody else's name.
    scene.ada.add_to_team(&scene.team, &bob);
    bob.client.get(&format!("/api/v2/{team}")).expect(404);

    accept(&bob.client, &id).expect(200);
    scene.ada.client.post_nothing("/api/v2/organizations/acme/authentication-token").expect(201);
    for path in &denied {
        bob.client.get(&format!("/api/v2/{path}")).expect(200);
    }
}

#[test]
fn only_the_invited_user_accepts() {
    let scene = Acme::new();
    let (bob, zoe, root) = (scene.app.user("bob"), scene.app.user("zoe"), scene.app.site_admin("root"));
    let id = scene.invite("bob@example.com").id();
    let owners = scene.app.with(&scene.ada.team_token(&scene.ada.owners_team("acme")).secret());
    for client in [&scene.ada.client, &zoe.client, &root.client, &owners] {
        accept(client, &id).expect(404);
    }
    accept(&scene.app.anonymous(), &id).expect(401);
    assert_eq!(scene.app.count("memberships WHERE status = 'invited'"), 1);
    let accepted = accept(&bob.client, &id).expect(200);
    assert_eq!(accepted.id(), id);
    assert_eq!(*accepted.attribute("status"), "active");
    bob.client.get("/api/v2/organizations/acme").expect(200);
    bob.client.get(&format!("/api/v2/teams/{}", scene.team)).expect(200);
}

#[test]
fn accepting_twice_is_accepting_once() {
    let scene = Acme::new();
    let bob = scene.app.user("bob");
    let id = scene.invite("bob@example.com").id();
    for _ in 0..2 {
        assert_eq!(*accept(&bob.client, &id).expect(200).attribute("status"), "active");
    }
    let about = "audit_events WHERE resource_type = 'organization_user' AND action = 'update'";
    assert_eq!(scene.app.count(about), 1);
    let unknown = latchkey::ids::MembershipId::generate().to_string();
    for absent in [unknown.as_str(), "nonsense"] {
        accept(&bob.client, absent).expect(404);
    }
}

#[test]
fn an_invitation_is_taken_back_by_who_may_remove() {
    let scene = Acme::new();
    let bob = scene.app.user("bob");
    let id = scene.invite("bob@example.com").id();
    scene.ada.client.delete(&format!("{OWN}/{id}")).expect(204);
    accept(&bob.client, &id).expect(404);
    bob.client.get(&format!("{OWN}/{id}")).expect(404);
    assert!(bob.client.get(OWN).expect(200).ids().is_empty());
    scene.invite("bob@example.com");
}

#[test]
fn the_invited_decline() {
    let scene = Acme::new();
    let (bob, eve, owners) = (scene.app.user("bob"), scene.app.user("eve"), scene.ada.owners_team("acme"));
    scene.invite("eve@example.com");
    // Among the owners, too: it is the invited one's own affair.
    let teams = [scene.team.as_str(), &owners];
    let id = scene.ada.client.post(ACME, &invitation("bob@example.com", &teams)).expect(201).id();
    eve.client.delete(&format!("{OWN}/{id}")).expect(404);
    bob.client.delete(&format!("{OWN}/{id}")).expect(204);
    bob.client.delete(&format!("{OWN}/{id}")).expect(404);
    accept(&bob.client, &id).expect(404);
    assert!(bob.memberships().is_empty());
    assert_eq!(scene.app.count("team_members"), 2, "ada and eve");
    let told = format!("audit_events WHERE action = 'destroy' AND accessor_id = '{0}' AND resource_id = '{0}'", bob.id);
    assert_eq!(scene.app.count(&told), 3, "from the organization and from two teams");
    scene.invite("bob@example.com");
}

#[test]
fn declining_is_not_leaving() {
    let scene = Acme::new();
    let bob = scene.app.user("bob");
    let id = scene.invite("bob@example.com").id();
    accept(&bob.client, &id).expect(200);
    bob.client.delete(&format!("{OWN}/{id}")).expect(403);
    bob.client.get(&format!("{OWN}/{id}")).expect(200);
}

#[test]
fn the_list_is_searched_and_filtered() {
    let scene = Acme::new();
    let (bob, joe) = (scene.app.user("bob"), scene.app.user("joe"));
    scene.ada.add_to_team(&scene.team, &bob);
    scene.invite("joe@example.com");
    let new = scene.invite("new@elsewhere.example");
    let names = |query: &str| {
        let listed = scene.ada.client.get(&format!("{ACME}?{query}")).expect(200);
        let mut emails: Vec<String> = listed.body["data"]
            .as_array()
            .unwrap()
            .iter()
            .map(|membership| membership["attributes"]["email"].as_str().unwrap().to_owned())
            .collect();
        emails.sort();
        emails
    };
    let (ada, bob, new_one) = ("ada@example.com", "bob@example.com", "new@elsewhere.example");
    let joe = format!("{}@example.com", joe.username);
    assert_eq!(names(""), [ada, bob, &joe, new_one]);
    assert_eq!(names("q=BO"), [bob]);
    assert_eq!(names("q=elsewhere"), [new_one]);
    assert_eq!(names("q=%25"), Vec::<&str>::new(), "a wildcard is a character");
    assert_eq!(names("filter[status]=invited"), [&joe, new_one]);
    assert_eq!(names("filter[status]=active"), [ada, bob]);
    assert_eq!(names("filter[email]=Bob@EXAMPLE.com"), [bob]);
    assert_eq!(names("filter[email]=bob"), Vec::<&str>::new(), "an address is matched as a whole");
    assert_eq!(names("filter[email]=bob@example.com,joe@example.com"), [bob, &joe]);
    assert_eq!(names("filter[status]=invited&q=new"), [new_one]);
    assert!(new.id().starts_with("ou-"));
    let refused = scene.ada.client.get(&format!("{ACME}?filter[status]=nonsense")).expect(400);
    assert_eq!(refused.blamed(), ["filter[status]"]);
}

#[test]
fn the_list_counts_by_status() {
    let scene = Acme::new();
    scene.ada.add_to_team(&scene.team, &scene.app.user("bob"));
    scene.invite("joe@example.com");
    let listed = scene.ada.client.get(&format!("{ACME}?page[size]=1")).expect(200);
    assert_eq!(listed.body["meta"]["status-counts"], json!({"total": 3, "active": 2, "invited": 1}));
    assert_eq!(listed.body["meta"]["pagination"]["total-count"], 3);
}

#[test]
fn the_list_is_sorted_and_paged() {
    let scene = Acme::new();
    for name in ["cleo", "bob", "dan"] {
        scene.ada.add_to_team(&scene.team, &scene.app.user(name));
    }
    let names = |query: &str| {
        let listed = scene.ada.client.get(&format!("{ACME}?{query}")).expect(200);
        let emails = listed.body["data"].as_array().unwrap().iter();
        emails
            .map(|one| one["attributes"]["email"].as_str().unwrap().split('@').next().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(names(""), ["ada", "cleo", "bob", "dan"]);
    assert_eq!(names("sort=username"), ["ada", "bob", "cleo", "dan"]);
    assert_eq!(names("sort=-username&page[size]=3"), ["dan", "cleo", "bob"]);
    assert_eq!(names("sort=-username&page[size]=3&page[number]=2"), ["ada"]);
    assert_eq!(names("page[number]=5"), Vec::<&str>::new());
    let first = scene.ada.client.get(&format!("{ACME}?page[size]=3")).expect(200);
    let next = first.body["links"]["next"].as_str().unwrap();
    let next = &next[next.find("/api/v2").unwrap()..];
    assert_eq!(scene.ada.client.get(next).expect(200).ids().len(), 1);
}

/// `type id` of what is included.
fn included(answer: &Answer) -> Vec<String> {
    let included = answer.body["included"].as_array().cloned().unwrap_or_default();
    let mut told: Vec<String> = included
        .iter()
        .map(|one| format!("{} {}", one["type"].as_str().unwrap(), one["id"].as_str().unwrap()))
        .collect();
    told.sort();
    told
}

#[test]
fn users_and_teams_are_included() {
    let scene = Acme::new();
    let bob = scene.app.user("bob");
    scene.ada.add_to_team(&scene.team, &bob);
    scene.ada.add_to_team(&scene.team, &scene.ada);
    let owners = scene.ada.owners_team("acme");
    let sorted = |mut lines: Vec<String>| {
        lines.sort();
        lines
    };
    let (users, teams) = (
        [format!("users {}", scene.ada.id), format!("users {}", bob.id)],
        [format!("teams {owners}"), format!("teams {}", scene.team)],
    );
    let get = |query: &str| included(&scene.ada.client.get(&format!("{ACME}?{query}")).expect(200));
    assert!(get("").is_empty());
    assert_eq!(get("include=user"), sorted(users.to_vec()));
    assert_eq!(get("include=teams"), sorted(teams.to_vec()), "each team once");
    assert_eq!(get("include=user,teams"), sorted([users, teams].concat()));
    let own = membership_of(&scene, &bob);
    let shown = scene.ada.client.get(&format!("{OWN}/{own}?include=user,teams")).expect(200);
    assert_eq!(included(&shown), sorted(vec![format!("users {}", bob.id), format!("teams {}", scene.team)]));
    scene.ada.client.get(&format!("{ACME}?include=organization")).expect(400);
    let invited =
        scene.ada.client.post(&format!("{ACME}?include=user,teams"), &invitation("x@example.com", &[&owners]));
    assert_eq!(included(&invited.expect(201)).len(), 2);
}

#[test]
fn addresses_are_told_to_who_may_invite_and_to_the_member() {
    let scene = Acme::new();
    let (bob, root) = (scene.app.user("bob"), scene.app.site_admin("root"));
    scene.ada.add_to_team(&scene.team, &bob);
    let (mia, mel) = (scene.holder_of("manage-membership", "mia"), scene.holder_of("manage-teams", "mel"));
    let member = scene.app.with(&scene.ada.team_token(&scene.team).secret());
    let emails = |client: &Client, path: &str| {
        let listed = client.get(path).expect(200).body["data"].as_array().unwrap().clone();
        let mut emails: Vec<String> =
            listed.iter().filter_map(|one| one["attributes"]["email"].as_str().map(str::to_owned)).collect();
        emails.sort();
        emails
    };
    for client in [&scene.ada.client, &mia.client, &mel.client, &root.client] {
        assert_eq!(emails(client, ACME).len(), 4);
    }
    assert_eq!(emails(&bob.client, ACME), ["bob@example.com"]);
    assert!(emails(&member, ACME).is_empty());
    let of_team = format!("/api/v2/teams/{}/relationships/organization-memberships", scene.team);
    scene.ada.add_to_team(&scene.team, &scene.ada);
    assert_eq!(emails(&bob.client, &of_team), ["bob@example.com"]);
    assert_eq!(emails(&scene.ada.client, &of_team).len(), 2);
    // What one does not see, one cannot find out by searching either.
    for query in ["q=example.com", "q=ada@", "filter[email]=ada@example.com"] {
        assert!(bob.client.get(&format!("{ACME}?{query}")).expect(200).ids().is_empty(), "{query}");
    }
    let ada = membership_of(&scene, &scene.ada);
    assert_eq!(*bob.client.get(&format!("{OWN}/{ada}")).expect(200).attribute("email"), Value::Null);
    let included = bob.client.get(&format!("{ACME}?include=user")).expect(200);
    let told = included.body["included"].to_string();
    assert!(!told.contains("ada@example.com") && told.contains("bob@example.com"), "the own one alone: {told}");
    // Whom somebody invited by name has told the address to nobody.
    let eve = scene.app.user("eve");
    let users = format!("/api/v2/teams/{}/relationships/users", scene.team);
    scene.ada.client.post(&users, &identifiers("users", &[&eve.username])).expect(204);
    let included = scene.ada.client.get(&format!("{ACME}?include=user")).expect(200).body["included"].to_string();
    assert!(included.contains("bob@example.com") && !included.contains("eve@example.com"), "{included}");
}

#[test]
fn secret_teams_are_told_to_who_sees_them() {
    let scene = Acme::new();
    let (bob, joe) = (scene.app.user("bob"), scene.app.user("joe"));
    let open = scene.ada.team_with("acme", json!({"name": "open", "visibility": "organization"}));
    let hidden = scene.ada.team("acme", "hidden");
    for team in [&open, &hidden] {
        scene.ada.add_to_team(team, &bob);
    }
    scene.ada.add_to_team(&open, &joe);
    let path = format!("{OWN}/{}?include=teams", membership_of(&scene, &bob));
    let seen = |client: &Client| {
        let shown = client.get(&path).expect(200);
        let linked = shown.body["data"]["relationships"]["teams"]["data"].as_array().unwrap().len();
        assert_eq!(included(&shown).len(), linked);
        linked
    };
    assert_eq!(seen(&scene.ada.client), 2);
    assert_eq!(seen(&bob.client), 2);
    assert_eq!(seen(&joe.client), 1);
    assert!(!joe.client.get(&format!("{ACME}?include=teams")).expect(200).body.to_string().contains(&hidden));
}

#[test]
fn a_user_lists_the_own_memberships() {
    let scene = Acme::new();
    let (zoe, bob) = (scene.app.user("zoe"), scene.app.user("bob"));
    zoe.organization("elsewhere");
    zoe.add_to_team(&zoe.team("elsewhere", "theirs"), &bob);
    let invited = scene.invite("bob@example.com").id();
    let own = bob.client.get(OWN).expect(200);
    assert_eq!(own.ids().len(), 2);
    assert_eq!(own.ids()[1], invited);
    let statuses: Vec<&Value> =
        own.body["data"].as_array().unwrap().iter().map(|one| &one["attributes"]["status"]).collect();
    assert_eq!(statuses, ["active", "invited"]);
    assert_eq!(own.body["data"][0]["attributes"]["email"], "bob@example.com");
    assert_eq!(bob.client.get(&format!("{OWN}?page[size]=1&page[number]=2")).expect(200).ids(), [invited]);
    assert_eq!(own.body["meta"]["pagination"]["total-count"], 2);
    let with_user = bob.client.get(&format!("{OWN}?include=user")).expect(200);
    assert_eq!(included(&with_user), [format!("users {}", bob.id)], "what is asked for is included");
    // Who has no user has no memberships.
    let token = scene.app.with(&scene.ada.team_token(&scene.team).secret());
    assert!(token.get(OWN).expect(200).ids().is_empty());
}

#[test]
fn a_membership_is_shown() {
    let scene = Acme::new();
    let (bob, zoe) = (scene.app.user("bob"), scene.app.user("zoe"));
    let id = scene.invite("bob@example.com").id();
    let path = format!("{OWN}/{id}");
    assert_eq!(*scene.ada.client.get(&path).expect(200).attribute("status"), "invited");
    let own = bob.client.get(&path).expect(200);
    assert_eq!(*own.attribute("email"), "bob@example.com");
    assert_eq!(own.body["data"]["relationships"]["teams"]["data"], json!([]), "a secret team stays one until then");
    zoe.client.get(&path).expect(404);
    accept(&bob.client, &id).expect(200);
    let own = bob.client.get(&path).expect(200);
    assert_eq!(own.body["data"]["relationships"]["teams"], identifiers("teams", &[&scene.team]));
    for absent in [latchkey::ids::MembershipId::generate().to_string(), scene.team.clone(), "ou-".to_owned()] {
        scene.ada.client.get(&format!("{OWN}/{absent}")).expect(404);
        scene.ada.client.delete(&format!("{OWN}/{absent}")).expect(404);
    }
}

#[test]
fn a_removed_members_rights_end_at_once_in_every_team() {
    let scene = Acme::new();
    let bob = scene.app.user("bob");
    let zoe = scene.app.user("zoe");
    zoe.organization("elsewhere");
    zoe.add_to_team(&zoe.team("elsewhere", "theirs"), &bob);
    let owners = scene.ada.owners_team("acme");
    let open = scene.ada.team_with("acme", json!({"name": "open", "visibility": "organization"}));
    for team in [&scene.team, &open, &owners] {
        scene.ada.add_to_team(team, &bob);
    }
    bob.client.get("/api/v2/organizations/acme/authentication-token").expect(404);
    bob.client.post_nothing("/api/v2/organizations/acme/authentication-token").expect(201);
    scene.ada.client.delete(&format!("{OWN}/{}", membership_of(&scene, &bob))).expect(204);
    for team in [&scene.team, &open, &owners] {
        bob.client.get(&format!("/api/v2/teams/{team}")).expect(404);
        bob.client.post_nothing(&format!("/api/v2/teams/{team}/authentication-token")).expect(404);
    }
    bob.client.get("/api/v2/organizations/acme").expect(404);
    bob.client.post_nothing("/api/v2/organizations/acme/authentication-token").expect(404);
    assert_eq!(scene.app.count("team_members"), 3, "ada among the owners, and who is elsewhere");
    bob.client.get("/api/v2/account/details").expect(200);
    bob.client.get("/api/v2/organizations/elsewhere").expect(200);
    // Who comes back comes back with nothing.
    let id = scene.invite("bob@example.com").id();
    accept(&bob.client, &id).expect(200);
    bob.client.delete("/api/v2/organizations/acme").expect(403);
    bob.client.get(&format!("/api/v2/teams/{}", scene.team)).expect(200);
    let gone = format!("audit_events WHERE resource_id = '{}' AND action = 'destroy'", bob.id);
    assert_eq!(scene.app.count(&format!("{gone} AND resource_type = 'organization_user'")), 1);
}

#[test]
fn the_last_owner_cannot_be_removed() {
    let scene = Acme::new();
    let (bob, joe) = (scene.app.user("bob"), scene.app.user("joe"));
    let owners = scene.ada.owners_team("acme");
    let own = format!("{OWN}/{}", membership_of(&scene, &scene.ada));
    let refused = scene.ada.client.delete(&own).expect(403);
    assert!(refused.detail().contains("last owner"), "{}", refused.detail());
    let organization = scene.ada.client.post_nothing("/api/v2/organizations/acme/authentication-token").expect(201);
    scene.app.with(&organization.secret()).delete(&own).expect(403);
    // An invited owner and an ordinary member do not count.
    let id = scene.ada.client.post(ACME, &invitation("bob@example.com", &[&owners])).expect(201).id();
    scene.ada.add_to_team(&scene.team, &joe);
    scene.ada.client.delete(&own).expect(403);
    scene.ada.client.get("/api/v2/organizations/acme").expect(200);
    accept(&bob.client, &id).expect(200);
    scene.ada.client.delete(&own).expect(204);
    scene.ada.client.get("/api/v2/organizations/acme").expect(404);
    bob.client.delete("/api/v2/organizations/acme").expect(204);
}

#[test]
fn two_owners_who_remove_each_other_leave_one() {
    let scene = Acme::new();
    let bob = scene.app.user("bob");
    let (ada, owners) = (&scene.ada, scene.ada.owners_team("acme"));
    let (mut first, mut second) = (ada, &bob);
    for _ in 0..20 {
        first.add_to_team(&owners, second);
        let of = |user: &User| {
            let list = format!("{ACME}?filter[email]={}@example.com", user.username);
            format!("{OWN}/{}", first.client.get(&list).expect(200).ids().remove(0))
        };
        let paths = [of(second), of(first)];
        let barrier = Barrier::new(2);
        let statuses: Vec<u16> = std::thread::scope(|scope| {
            let barrier = &barrier;
            let remove = move |remover: &User, path: &str| {
                barrier.wait();
                remover.client.delete(path).status
            };
            let threads =
                [(first, &paths[0]), (second, &paths[1])].map(|(who, path)| scope.spawn(move || remove(who, path)));
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        let here = [first, second].map(|user| user.client.get("/api/v2/organizations/acme").status == 200);
        assert!(here[0] != here[1], "exactly one is left: {statuses:?}");
        assert_eq!(statuses.iter().filter(|status| **status == 204).count(), 1, "{statuses:?}");
        assert!(statuses.iter().all(|status| matches!(status, 204 | 403 | 404)), "{statuses:?}");
        if here[1] {
            std::mem::swap(&mut first, &mut second);
        }
        assert_eq!(scene.app.count("team_members"), 1);
    }
}

#[test]
fn who_manages_membership_invites_and_removes_but_no_owners() {
    let scene = Acme::new();
    let mia = scene.holder_of("manage-membership", "mia");
    let (bob, owners) = (scene.app.user("bob"), scene.ada.owners_team("acme"));
    // They reach the teams that they see.
    let invited = invitation("bob@example.com", &[&scene.team]);
    mia.client.post(ACME, &invited).expect(404);
    let seen = resource("teams", json!({"visibility": "organization"}));
    scene.ada.client.patch(&format!("/api/v2/teams/{}", scene.team), &seen).expect(200);
    let refused = mia.client.post(ACME, &invitation("bob@example.com", &[&scene.team, &owners])).expect(403);
    assert_eq!(refused.blamed(), ["/data/relationships/teams/data/1/id"]);
    assert_eq!(scene.app.count("memberships"), 2);
    let id = mia.client.post(ACME, &invitation("bob@example.com", &[&scene.team])).expect(201).id();
    accept(&bob.client, &id).expect(200);
    scene.ada.add_to_team(&owners, &bob);
    mia.client.delete(&format!("{OWN}/{id}")).expect(403);
    mia.client.delete(&format!("{OWN}/{}", membership_of(&scene, &scene.ada))).expect(403);
    let users = format!("/api/v2/teams/{owners}/relationships/users");
    scene.ada.client.delete_with(&users, &identifiers("users", &["bob"])).expect(204);
    mia.client.delete(&format!("{OWN}/{id}")).expect(204);
    bob.client.get("/api/v2/organizations/acme").expect(404);
    // An invitation among the owners is an owner's business, too.
    let invited = scene.ada.client.post(ACME, &invitation("new@example.com", &[&owners])).expect(201).id();
    mia.client.delete(&format!("{OWN}/{invited}")).expect(403);
}

#[test]
fn who_manages_teams_invites_into_ordinary_teams() {
    let scene = Acme::new();
    let mel = scene.holder_of("manage-teams", "mel");
    let owners = scene.ada.owners_team("acme");
    mel.client.post(ACME, &invitation("bob@example.com", &[&owners])).expect(403);
    let id = mel.client.post(ACME, &invitation("bob@example.com", &[&scene.team])).expect(201).id();
    mel.client.delete(&format!("{OWN}/{id}")).expect(403);
    scene.ada.client.delete(&format!("{OWN}/{id}")).expect(204);
}

#[test]
fn a_member_neither_invites_nor_removes() {
    let scene = Acme::new();
    let (bob, zoe) = (scene.app.user("bob"), scene.app.user("zoe"));
    scene.ada.add_to_team(&scene.team, &bob);
    let token = scene.app.with(&scene.ada.team_token(&scene.team).secret());
    let ada = format!("{OWN}/{}", membership_of(&scene, &scene.ada));
    let own = format!("{OWN}/{}", membership_of(&scene, &bob));
    for client in [&bob.client, &token] {
        // As the HCP API has it, there is no 403 here.
        client.post(ACME, &invitation("x@example.com", &[&scene.team])).expect(404);
        client.delete(&ada).expect(403);
        client.delete(&own).expect(403);
    }
    zoe.client.post(ACME, &invitation("x@example.com", &[&scene.team])).expect(404);
    zoe.client.delete(&ada).expect(404);
    assert_eq!(scene.app.count("memberships"), 2);
}

#[test]
fn organizations_are_apart() {
    let scene = Acme::new();
    let zoe = scene.app.user("zoe");
    zoe.organization("elsewhere");
    let theirs = zoe.client.get(OWN).expect(200).ids().remove(0);
    let list = "/api/v2/organizations/elsewhere/organization-memberships";
    let nowhere = scene.ada.client.get("/api/v2/organizations/nowhere/organization-memberships").expect(404);
    let mut hidden = scene.ada.client.get(list).expect(404).body;
    hidden["errors"][0]["id"] = nowhere.body["errors"][0]["id"].clone();
    assert_eq!(hidden, nowhere.body, "another organization looks like none");
    scene.ada.client.post(list, &invitation("ada@example.com", &[&scene.team])).expect(404);
    scene.ada.client.get(&format!("{OWN}/{theirs}")).expect(404);
    scene.ada.client.delete(&format!("{OWN}/{theirs}")).expect(404);
    accept(&scene.ada.client, &theirs).expect(404);
    let acme = scene.ada.client.get(ACME).expect(200);
    assert_eq!(acme.ids(), [membership_of(&scene, &scene.ada)]);
    assert!(scene.ada.client.get(&format!("{ACME}?q=zoe")).expect(200).ids().is_empty());
}
