//! Test tools of abmatic-sync: fake CRMs that anyone can call, in any language, and what connectors and the engine are held against.
//!
//! A connector is certified by [`conformance`], the engine by [`simulator`]; [`memory`] has stores and a CRM without a socket.
//!
//! # The fake HubSpot
//!
//! [`fake::hubspot::FakeHubspot`] holds an account in memory and answers as HubSpot's documentation says, not as any
//! connector expects; it shares no code with one. Call it in the same process, or over HTTP:
//!
//! ```
//! use abmatic_sync_testkit::fake::exchange::Request;
//! use abmatic_sync_testkit::fake::fault::{Fault, FaultKind};
//! use abmatic_sync_testkit::fake::hubspot::FakeHubspot;
//!
//! // `.start().await` instead of `.build()` listens on a free port of 127.0.0.1; `base_url()` says where.
//! let fake = FakeHubspot::builder().seed_records(70).rng_seed(1).simulated_clock(1_795_536_000_000).build();
//! let list = Request::new("GET", "/crm/objects/2026-09/contacts?limit=100").bearer(&fake.token());
//! assert_eq!(fake.answer(&list).json()["results"].as_array().map(Vec::len), Some(70));
//!
//! fake.inject(Fault::new(FaultKind::RateLimited).on("contacts").with_retry_after_seconds(1));
//! assert_eq!(fake.answer(&list).status, 429);
//! assert_eq!(fake.calls().of("GET /crm/objects/{v}/contacts"), 2);
//! ```
//!
//! By itself: `cargo run -p abmatic-sync-testkit --bin fake-crm -- hubspot --port 0 --seed-records 1000`. The first
//! line on standard output is `{"crm":"hubspot","base_url":"http://127.0.0.1:PORT","token":"…"}`; then it serves until
//! it is killed. `--fault rate_limited,matches=search,times=3` hangs a fault on it; so does the admin route.
//!
//! | Path (`{v}` is 2026-09, 2026-03, v3, and v4 where HubSpot has it) | Covered |
//! |---|---|
//! | `/crm/objects/{v}/{type}`, `/crm/v3/objects/{type}` | list, create; paging, history, associations, archived |
//! | `…/{type}/{id}` | read, update, archive; `idProperty`, merged-away ids |
//! | `…/{type}/batch/{read,create,update,upsert,archive}` | 100 inputs, trace ids, 207, unordered results |
//! | `…/{type}/search` | all operators, one sort, `query`, limits, 10,000 cap, index lag |
//! | `…/{type}/{merge,gdpr-delete}` | third id with aliases; blocked addresses |
//! | `…/{type}/{id}/associations/…`, `/crm/v4/objects/…` | read, default and labelled PUT, delete |
//! | `/crm/associations/{v}/{from}/{to}/…`, `/crm/v4/…`, `/crm/v3/…` | batch read, create, default, archive, labels |
//! | `/crm/properties/{v}/{type}…` | list, one, create, update, archive, batch, groups |
//! | `/crm/pipelines/{v}/{type}…` | read only; deals have two |
//! | `/crm/owners/{v}…` | list by e-mail or archived, one by id or user id |
//! | `/crm/lists/{v}…` | search, read, by name, create, delete, restore, members, `all` on one page |
//! | `/crm/limits/{v}/{records,custom-properties}`, `/crm/property-validations/{v}/{type}` | usage; always no rules |
//! | `/account-info/{v}/{details,api-usage/daily/private-apps}` | yes |
//! | `/oauth/{v}/token`, `…/token/{introspect,revoke}`, `/oauth/v1/access-tokens/{token}` (GET), `…/refresh-tokens/{token}` (DELETE) | see `OAUTH_CLIENT` |
//! | `/webhooks-journal/subscriptions/{v}…`, `/webhooks-journal/journal/{v}/{earliest,latest,offset/{offset}/next}` | with the token of the app itself |
//! | `/__fake/faults` (POST, DELETE), `/__fake/calls` (GET, DELETE), `/__fake/recording` (POST, GET, DELETE), `/__fake/clock/advance`, `/__fake/state` | no token |
//!
//! Types: contacts, companies, deals, leads, notes, tasks, meetings, calls, emails, communications, by plural,
//! singular or id. Any other path is a 404 in HubSpot's JSON error shape.
//!
//! Not covered: custom objects, tickets, products; webhooks; journal events other than of records; events; imports and exports; writing
//! pipelines; list filters (a dynamic list keeps the members it was given) and list folders; property rules beyond
//! required ones; PKCE; the 414 for long URLs; sensitive properties; the sanitising of HTML; compressed answers.
//! Where HubSpot's answer is not documented (the text of a 400 beyond the cap, say) the status is right and the words
//! are ours.
//!
//! # What was said
//!
//! Every fake counts its calls, and keeps them if it is asked to: each call with its answer, as a value or as a line of JSON
//! ([`fake::recording::Exchange`]), for assertions on what a program says to its CRM.
//!
//! ```
//! use abmatic_sync_testkit::fake::exchange::Request;
//! use abmatic_sync_testkit::fake::hubspot::FakeHubspot;
//!
//! let fake = FakeHubspot::builder().simulated_clock(1_795_536_000_000).build();
//! fake.record();
//! let body = serde_json::json!({"properties": {"email": "jane@x.test"}});
//! fake.answer(&Request::new("POST", "/crm/objects/2026-09/contacts").bearer(&fake.token()).json(&body));
//!
//! let said = &fake.recorded()[0];
//! assert_eq!((said.status, &said.request_body), (201, &body));
//! assert_eq!(said.request_headers["authorization"], "REDACTED");
//! let line = fake.recorded_lines();
//! assert!(line.starts_with(
//!     r#"{"number":1,"time":"2026-11-24T16:00:00.000Z","method":"POST","path":"/crm/objects/2026-09/contacts","query":[],"#
//! ));
//! ```
//!
//! In other languages: `fake-crm hubspot --record calls.jsonl` writes each line as soon as its call was answered; or
//! `POST /__fake/recording` begins, `GET` answers the lines so far, `DELETE` ends it. In place of tokens, secrets, codes and
//! passwords stands `REDACTED`.
//!
//! # The fake Salesforce
//!
//! [`fake::salesforce::FakeSalesforce`] does the same for an org, at any API version from 31.0 to 68.0 in the path; the
//! login host and the instance are one address. By itself: `fake-crm salesforce --port 0 --seed-records 1000`, or
//! `--seed-accounts 1000000`.
//!
//! ```
//! use abmatic_sync_testkit::fake::exchange::Request;
//! use abmatic_sync_testkit::fake::salesforce::{FakeSalesforce, Field};
//!
//! let fake = FakeSalesforce::builder()
//!     .seed_records(70)
//!     .field("Account", Field::picklist("Region__c", &["EMEA", "APAC"]).restricted())
//!     .build();
//! let count = Request::new("GET", "/services/data/v62.0/query?q=SELECT+COUNT()+FROM+Contact").bearer(&fake.token());
//! assert_eq!(fake.answer(&count).json()["totalSize"], 70);
//! ```
//!
//! | Path (behind `/services/data/vXX.0` where it begins with `…`) | Covered |
//! |---|---|
//! | `/services/data`, `…`, `…/limits`, `…/limits/recordCount` | yes; the day's limit rolls and is enforced |
//! | `…/sobjects`, `…/sobjects/{Object}`, `…/describe` | every key; children; one record type (master) |
//! | `…/sobjects/{Object}/{id}` | create, read, update, delete; conditional headers; `ETag` on accounts |
//! | `…/sobjects/{Object}/{field}/{value}` | upsert (201, 200, 300, 204 before v46), read, delete, `updateOnly` |
//! | `…/composite/sobjects…` | create, update, upsert, delete, retrieve; `allOrNone`; 200 rows, 10 chunks |
//! | `…/composite`, `…/composite/batch`, `…/composite/tree/{Object}` | references, all or none; each call of a batch counts |
//! | `…/query`, `…/queryAll`, `…/query/{locator}` | SOQL, see below; locators of one session, for two days |
//! | `…/sobjects/{Object}/{updated,deleted}` | 30 and 15 days back |
//! | `…/jobs/query…` | results by locator, `resultPages`, abort, delete |
//! | `…/jobs/ingest…` | insert, update, upsert, delete, hardDelete; three kinds of results; abort, delete |
//! | `…/sobjects/{Object}/listviews…` | list, one, describe, results |
//! | `/services/oauth2/{authorize,token,revoke,userinfo}`, `/id/{org}/{user}` | code with PKCE, refresh (rotating if set), client credentials, JWT bearer (claims are checked, **the signature is not**); everyone who is asked agrees at once |
//! | `/__fake/…` as above, and `user`, `limits`, `tokens/{expire,revoke}`, `locators/expire` (all POST) | no token |
//!
//! Objects: Account, Contact, Lead, Opportunity, OpportunityContactRole, Task, Campaign, CampaignMember, and to read
//! User, Group, Organization, OpportunityStage, LeadStatus. Accounts, contacts, leads and opportunities have custom
//! fields of each kind; the external id is `Abmatic_Id__c` (text, unique, case-insensitive) there and on Task and
//! Campaign. `Host_Key__c` is an external id that is *not* unique. More fields by the builder.
//!
//! SOQL: paths over five relationships, polymorphic ones too; subqueries and semi-joins; all operators, date literals
//! (in UTC), `USING SCOPE mine`, `GROUP BY` with aggregates, `FIELDS()`, `ALL ROWS`. Not: `TYPEOF`, `HAVING`, `ROLLUP`,
//! `toLabel()` and other functions, geolocation, SOSL.
//!
//! `/__fake/user` takes `{"action":"create","object":"Account","fields":{…}}`; other actions are `update`, `delete`,
//! `undelete`, `erase`, `lock`, `unlock` (with `id`), `create` with `late_ms` (a long transaction: old dates), `merge`
//! (`id` survives, `loser` goes) and `convert` (`id`, and if wanted `account`, `contact`, `opportunity`). Faults as
//! above: `rate_limited` is 403 `REQUEST_LIMIT_EXCEEDED` (policy `CONCURRENT` for the other one), `locked` fails every
//! row with `UNABLE_TO_LOCK_ROW`, `migrating` is 503 `ORG_IN_MAINTENANCE`, `server_error` with a policy such as
//! `QUERY_TIMEOUT`, `QUERY_TOO_COMPLICATED`, `STORAGE_LIMIT_EXCEEDED` or `FIELD_CUSTOM_VALIDATION_EXCEPTION` is that
//! error, `expired_token` is 401 `INVALID_SESSION_ID` once; `/__fake/tokens/expire` ends all sessions.
//!
//! Not covered: person accounts, record types, several currencies, translations, UI API, composite graphs, SOAP (so no
//! login by user name and password), Bulk 1.0, events and streaming, triggers and flows, approval locks, sharing.
//! Results of a cursor are ids that were found once; their values are those of the moment when a page is read.
//!
//! # The fake ActiveCampaign
//!
//! [`fake::activecampaign::FakeActiveCampaign`] does the same for an account of API v3. By itself: `fake-crm activecampaign --port 0
//! --seed-records 1000`, with `--enforce-rate-limits`, `--rate-headers`, `--import-polls 3`, `--no-includes` if wanted.
//!
//! | Path below `/api/3` | Covered |
//! |---|---|
//! | `/contacts`, `/contacts/{id}`, `/contact/sync` | list with its documented parameters, keyset by `id_greater`, segments, `include`; read, create, upsert, update, delete |
//! | `/contacts/{id}/{fieldValues,accountContacts,contactLists,contactTags,notes}` | read |
//! | `/accounts`, `/accounts/{id}`, `/accounts/bulk_delete` | yes; names are unique |
//! | `/accountContacts…` | yes; one for each contact |
//! | `/deals…`, `/contactDeals`, `/dealGroups`, `/dealStages` | yes; hidden deals are stubs; stages cannot be changed |
//! | `/fields`, `/fieldRels`, `/fieldOption/bulk`, `/fieldValues…` | list, create, options, values |
//! | `/accountCustomFieldMeta`, `/accountCustomFieldData`, and the same of deals | list, create, values; both shapes of values |
//! | `/lists`, `/lists/{id}`, `/contactLists`, `/tags`, `/tags/{id}`, `/contactTags` | list, read, subscribe, tag, untag |
//! | `/import/bulk_import`, `/import/info` | yes: carried out after some looks |
//! | `/notes…`, `/users…`, `/webhooks…`, `/webhook/events`, `/eventTracking` | yes; webhooks are kept and not sent |
//! | `POST /event` (at the host's root) | event tracking, by its own key |
//! | `/__fake/…` as above, and `user`, `tokens/revoke` (both POST) | no token |
//!
//! `/__fake/user` takes `{"action":"create","object":"contacts","body":{…}}`; other actions are `update`, `delete` and `merge` (`id`
//! survives, `loser` goes).
//!
//! Not covered: campaigns, automations, scores, forms, messages, sites, e-commerce, groups and permissions, activities and
//! tracking logs, sending webhooks. What the documentation leaves open is chosen: a bad key is 403 `{"message":"Forbidden"}`, a
//! limit above 100 is cut to it, dates of filters are midnight of the server's, an association does not move a contact's `udate`.
//!
//! # The fake Pipedrive
//!
//!
//! [`fake::pipedrive::FakePipedrive`] does the same for a company: API v2, and v1 (`/v1` or `/api/v1`) where it is the
//! only one. By itself: `fake-crm pipedrive --port 0 --seed-records 1000`, with `--contact-sync`, `--no-firmographics`,
//! `--enforce-rate-limits --daily-tokens 30000 --burst 20` if wanted.
//!
//! ```
//! use abmatic_sync_testkit::fake::exchange::Request;
//! use abmatic_sync_testkit::fake::pipedrive::{FakePipedrive, Field};
//!
//! let fake = FakePipedrive::builder()
//!     .seed_records(70)
//!     .field("organizations", Field::new("Region", "enum").with_options(&["EMEA", "APAC"]))
//!     .build();
//! let page = Request::new("GET", "/api/v2/persons?limit=500").with_header("x-api-token", &fake.token());
//! assert_eq!(fake.answer(&page).json()["data"].as_array().map(Vec::len), Some(70));
//! ```
//!
//! | Path | Covered |
//! |---|---|
//! | `/api/v2/{organizations,persons,deals,activities}` | list, create; cursors, `ids`, `updated_since`, sort, filters, optional fields |
//! | `…/{id}` | read, PATCH, DELETE (seen by id for 30 days); strict bodies, custom fields of every type |
//! | `/api/v2/deals/archived` | yes |
//! | `/api/v2/{organizations,persons,deals}/search`, `/api/v2/itemSearch` | yes; a lag by the builder |
//! | `/api/v2/{…}Fields`, `…/{field_code}`, `…/options` | list, create, rename, delete, options |
//! | `/api/v2/pipelines`, `/api/v2/stages` | read only |
//! | `/api/v1/{…}Fields`, `…/{id}` | read only, with the numbers that filters use |
//! | `/api/v1/filters…` | list, read, helpers, create, update, delete, delete many; applied by `filter_id` |
//! | `/api/v1/{organizations,persons,deals}/{id}/merge` | the record of the path is the one that goes |
//! | `/api/v1/notes…` | list, read, create, update, delete |
//! | `/api/v1/webhooks…` | list, create, delete; they are kept and nothing is sent |
//! | `/api/v1/users…`, `/activityTypes`, `/currencies`, `/deals/summary` | read; activity types can be made |
//! | `/oauth/authorize`, `/oauth/token`, `/oauth/revoke` | a consent page on which everybody agrees; code and refresh, see `OAUTH_CLIENT` |
//! | `/__fake/…` as above, and `user`, `budget`, `tokens/revoke` (all POST) | no token |
//!
//! `/__fake/user` takes `{"action":"create","object":"persons","body":{…}}`; other actions are `update`, `delete`,
//! `restore`, `erase` (with `id`), `merge` (`id` survives, `loser` goes) and `add_field`. Each call costs its documented
//! tokens; the headers of the budget and of the two-second window are always there, and are enforced when switched on.
//!
//! Not covered: leads, products, projects, files, mail, calls, followers, goals, roles; changelogs, flows and recents;
//! sending webhooks; conversions; deprecated v1 endpoints (404). What the documentation leaves open is chosen: a deleted record
//! answers to its id with `is_deleted` (or 404, by the builder), `updated_since` combines with `filter_id` and leaves
//! out records without `update_time`, a `limit` above 500 is a 400, `PATCH` replaces `emails` and `phones` as a whole.

pub mod conformance;
pub mod fake;
pub mod memory;
pub mod simulator;
