//! Lists: pages, orders, times of change, and what narrows them.

use serde_json::{Value, json};

use crate::desk::Desk;

fn with_organizations(count: u64) -> Desk {
    let desk = Desk::new();
    for number in 1..=count {
        desk.make("organizations", &json!({"name": format!("Org {number}")}));
        desk.0.advance_ms(1000);
    }
    desk
}

#[test]
fn pages_are_followed_by_a_cursor_that_is_null_at_the_end() {
    let desk = with_organizations(5);
    let (first, cursor) = desk.ids("/organizations?limit=2");
    let (second, next) = desk.ids(&format!("/organizations?limit=2&cursor={}", cursor.unwrap()));
    let (third, end) = desk.ids(&format!("/organizations?limit=2&cursor={}", next.unwrap()));
    assert_eq!((first, second, third, end), (vec![1, 2], vec![3, 4], vec![5], None));
    assert_eq!(desk.get("/organizations?limit=5").1["additional_data"], json!({"next_cursor": null}));
    assert!(desk.objection("GET", "/organizations?limit=501", &Value::Null).contains("limit"));
    assert!(desk.objection("GET", "/organizations?cursor=abc", &Value::Null).contains("cursor"));
    assert_eq!(Desk::with(|builder| builder.seed_organizations(150)).ids("/organizations").0.len(), 100);
}

#[test]
fn a_walk_by_time_of_change_meets_what_changes_meanwhile_at_its_end() {
    let desk = with_organizations(4);
    let path = "/organizations?sort_by=update_time&sort_direction=asc&limit=2";
    let (first, cursor) = desk.ids(path);
    desk.patch("/organizations/1", &json!({"name": "Changed"}));
    let (second, next) = desk.ids(&format!("{path}&cursor={}", cursor.unwrap()));
    let (third, end) = desk.ids(&format!("{path}&cursor={}", next.unwrap()));
    assert_eq!((first, second, third, end), (vec![1, 2], vec![3, 4], vec![1], None));
    let descending = desk.ids("/organizations?sort_by=update_time&sort_direction=desc&limit=3").0;
    assert_eq!(descending, [1, 4, 3]);
    assert_eq!(desk.ids("/organizations?sort_by=add_time&sort_direction=desc").0, [4, 3, 2, 1]);
    assert!(desk.objection("GET", "/organizations?sort_by=name", &Value::Null).contains("sort_by"));
}

#[test]
fn times_of_change_are_whole_seconds_from_and_until() {
    let desk = with_organizations(4);
    let since = "/organizations?updated_since=2026-11-24T16:00:01Z";
    assert_eq!(desk.ids(since).0, [2, 3, 4], "from this time on");
    assert_eq!(desk.ids(&format!("{since}&updated_until=2026-11-24T16:00:03Z")).0, [2, 3], "before that time");
    let refused = desk.objection("GET", "/organizations?updated_since=2026-11-24T16:00:01.123Z", &Value::Null);
    assert!(refused.contains("not a valid datetime"), "{refused}");
    assert!(desk.0.user().forget_update_time("organizations", 3));
    assert_eq!(desk.ids(since).0, [2, 4], "a record without a time of change is in no range");
    assert_eq!(desk.ids("/organizations").0, [1, 2, 3, 4]);
    assert_eq!(desk.get("/organizations/3").1["data"]["update_time"], Value::Null);
}

#[test]
fn deleted_records_are_seen_by_their_id_and_deals_by_their_status() {
    let desk = with_organizations(3);
    desk.call("DELETE", "/organizations/2", &Value::Null);
    assert_eq!(desk.ids("/organizations").0, [1, 3]);
    let (_, named) = desk.get("/organizations?ids=3,2,77");
    let seen: Vec<_> = named["data"].as_array().unwrap().iter().map(|one| (&one["id"], &one["is_deleted"])).collect();
    assert_eq!(seen, [(&json!(2), &json!(true)), (&json!(3), &json!(false))]);
    let many: Vec<String> = (0..101).map(|id: u32| id.to_string()).collect();
    assert!(desk.objection("GET", &format!("/organizations?ids={}", many.join(",")), &Value::Null).contains("100"));

    for (title, status) in [("A", "open"), ("B", "won"), ("C", "lost"), ("D", "open")] {
        desk.make("deals", &json!({"title": title, "status": status}));
    }
    desk.call("DELETE", "/deals/4", &Value::Null);
    assert_eq!(desk.ids("/deals").0, [1, 2, 3]);
    assert_eq!(desk.ids("/deals?status=won,deleted").0, [2, 4]);
    assert_eq!(desk.get("/deals?status=deleted").1["data"][0]["status"], "deleted");
}

#[test]
fn lists_are_narrowed_and_their_records_widened() {
    let desk = with_organizations(2);
    desk.make("persons", &json!({"name": "A", "org_id": 1, "owner_id": 12}));
    desk.make("persons", &json!({"name": "B", "org_id": 2}));
    desk.make("deals", &json!({"title": "D", "org_id": 1, "person_id": 1, "status": "won"}));
    assert_eq!(desk.ids("/persons?org_id=1").0, [1]);
    assert_eq!(desk.ids("/persons?owner_id=11").0, [2]);
    assert_eq!(desk.ids("/persons?deal_id=1").0, [1]);
    assert_eq!(desk.ids("/deals?person_id=1&pipeline_id=1").0, [1]);
    let (_, wide) = desk.get("/organizations/1?include_fields=people_count,won_deals_count,open_deals_count");
    let wide = &wide["data"];
    assert_eq!(
        (&wide["people_count"], &wide["won_deals_count"], &wide["open_deals_count"]),
        (&json!(1), &json!(1), &json!(0))
    );
    desk.patch("/organizations/1", &json!({"label_ids": [5]}));
    let (_, labelled) = desk.get("/organizations/1?include_labels=true");
    assert_eq!(labelled["data"]["labels"], json!([{"id": 5, "label": "Customer"}]));
    assert!(desk.objection("GET", "/organizations?include_fields=foo", &Value::Null).contains("include_fields"));
    let many = ["a"; 16].join(",");
    assert!(desk.objection("GET", &format!("/organizations?custom_fields={many}"), &Value::Null).contains("15"));
}

#[test]
fn one_seed_gives_one_company() {
    let page = |seed: u64| Desk::with(|builder| builder.seed_records(60).rng_seed(seed)).get("/persons?limit=500").1;
    assert_eq!(page(9), page(9));
    assert_ne!(page(9), page(10));
    assert_eq!(page(9)["data"].as_array().unwrap().len(), 60);
}
