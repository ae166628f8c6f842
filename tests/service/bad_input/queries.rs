//! Query parameters and pages.

use std::collections::BTreeSet;

use super::*;

#[test]
fn no_route_takes_a_query_that_it_does_not_know() {
    let world = World::new();
    for route in &world.routes {
        for (query, blamed) in [
            ("nonsense=1", "nonsense"),
            ("nonsense", "nonsense"),
            ("sort=nonsense", "sort"),
            ("sort=name,,", "sort"),
            ("filter[nonsense]=1", "filter[nonsense]"),
            ("filter=1", "filter"),
            ("include=nonsense", "include"),
            ("fields[nonsense]=name", "fields[nonsense]"),
            ("page=2", "page"),
            ("page[nonsense]=2", "page[nonsense]"),
            ("page[number]=0", "page[number]"),
            ("page[number]=-1", "page[number]"),
            ("page[number]=abc", "page[number]"),
            ("page[number]=99999999999999999999", "page[number]"),
            ("page[number]=", "page[number]"),
            ("page[size]=0", "page[size]"),
            ("page[after]=nonsense", "page[after]"),
            ("q=%00", "q"),
            ("q=%ff", "q"),
            ("q[nonsense]=1", "q[nonsense]"),
            ("Sort=name", "Sort"),
        ] {
            let target = with_query(&world.target(route), query);
            let answer = world.send_good(world.client(route), route, &target);
            let what = format!("{} {target}", route.method);
            assert_refused(&answer, &[400], &what);
            assert_eq!(answer.blamed(), [blamed], "{what}");
            assert!(answer.body["errors"][0]["source"]["parameter"].is_string(), "{what}");
        }
    }
    world.assert_unchanged();
}

#[test]
fn no_list_takes_a_page_that_cannot_be() {
    let world = World::new();
    for route in world.routes.iter().filter(|route| route.is_paged()) {
        for (query, parameter) in [
            ("page[number]=1.5", "page[number]"),
            ("page[number]=+1", "page[number]"),
            ("page[number]=0x1", "page[number]"),
            ("page[size]=-1", "page[size]"),
            ("page[size]=abc", "page[size]"),
            ("page[after]=%00", "page[after]"),
            ("page[before]=eyJ9", "page[before]"),
        ] {
            let path = with_query(&world.target(route), query);
            let answer = world.client(route).get(&path);
            assert_refused(&answer, &[400], &path);
            assert_eq!(answer.blamed(), [parameter], "{path}");
        }
        // There is such a page; it is just far behind the end. The audit trail adds one to the number even of the last
        // page that can be asked for, which a build with overflow checks refuses.
        let number = if route.path.ends_with("/audit-trail") { i64::MAX - 1 } else { i64::MAX };
        let far = with_query(&world.target(route), &format!("page[number]={number}&page[size]=100"));
        assert!(world.client(route).get(&far).status < 500, "{far}");
    }
}

#[test]
fn no_list_takes_the_same_parameter_twice() {
    let world = World::new();
    for route in world.routes.iter().filter(|route| route.is_paged()) {
        for (query, blamed) in [
            ("page[number]=1&page[number]=2", "page[number]"),
            ("page[size]=1&page[size]=2", "page[size]"),
            ("q=a&q=b", "q"),
        ] {
            let path = with_query(&world.target(route), query);
            let answer = world.client(route).get(&path);
            assert_refused(&answer, &[400], &path);
            let blames = answer.blamed();
            assert!(!blames.is_empty() && blames.iter().all(|one| one == blamed), "{path}: {blames:?}");
        }
    }
    let twice = "/api/v2/organizations?sort=nonsense&page[number]=0&filter[nonsense]=1";
    let every_fault = world.ada.client.get(twice);
    assert_refused(&every_fault, &[400], twice);
    assert_eq!(every_fault.blamed().into_iter().collect::<BTreeSet<_>>(), {
        BTreeSet::from(["sort", "page[number]", "filter[nonsense]"].map(String::from))
    });
}
