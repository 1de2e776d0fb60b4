//! What Pipedrive's documents get wrong, as far as the traffic meets it: an excuse that nothing needs is a failure too.

/// A place in the documents at which an answer or a request may differ from them.
#[derive(Debug)]
pub(crate) struct Mistake {
    /// The operations, as patterns: `*` is anything, `|` stands between alternatives.
    pub(crate) operation: &'static str,
    /// The places, as patterns. `#` is a place in a list.
    pub(crate) place: &'static str,
    /// Why it is the document that is wrong.
    pub(crate) reason: &'static str,
}

const fn mistake(operation: &'static str, place: &'static str, reason: &'static str) -> Mistake {
    Mistake { operation, place, reason }
}

const NULL_WHERE_THERE_IS_NONE: &str =
    "the documents hardly say `nullable`; a value that is not there is null in what Pipedrive answers";
const NEWER: &str = "the parameter `include_labels` is declared, and says what it adds";
const EXAMPLE_HAS_IT: &str = "the operation's own example shows it";
const LIST: &str = "the description says that it is a list with commas; the schema has one of its words";
const HARDLY_ANY: &str =
    "hardly any refusal is declared, and this one is documented (\"HTTP status codes\", \"Responses\")";
const NO_ZONE: &str = "API v1 writes times with a blank and without a zone, as the operation's own example does";

pub(crate) const MISTAKES: &[Mistake] = &[
    // What is null.
    mistake(
        "GET /api/v2/*",
        "answer 200 /additional_data/next_cursor null",
        "its own description says that it is null at the end",
    ),
    mistake("* /api/v2/organizations*", "answer 200 /data*/address null", NULL_WHERE_THERE_IS_NONE),
    mistake("* /api/v2/organizations*", "answer 200 /data*/address/* null", NULL_WHERE_THERE_IS_NONE),
    mistake(
        "GET /api/v2/organizations|GET /api/v2/persons",
        "answer 200 /data/#/update_time null",
        "records that were never changed have none (airbytehq/airbyte#16376)",
    ),
    mistake(
        "* /api/v2/persons*",
        "answer 200 /data*/birthday null|answer 200 /data*/job_title null|answer 200 /data*/notes null|answer 200 /data*/postal_address null",
        NULL_WHERE_THERE_IS_NONE,
    ),
    mistake(
        "* /api/v2/persons*",
        "answer 200 /data*/last_name null|answer 200 /data*/org_id null|answer 200 /data*/picture_id null",
        NULL_WHERE_THERE_IS_NONE,
    ),
    mistake(
        "* /api/v2/deals*",
        "answer 200 /data*/org_id null|answer 200 /data*/person_id null",
        NULL_WHERE_THERE_IS_NONE,
    ),
    mistake(
        "* /api/v2/activities*",
        "answer 200 /data*/deal_id null|answer 200 /data*/lead_id null|answer 200 /data*/org_id null\
         |answer 200 /data*/person_id null|answer 200 /data*/project_id null",
        NULL_WHERE_THERE_IS_NONE,
    ),
    mistake(
        "* /api/v2/activities*",
        "answer 200 /data*/due_date null|answer 200 /data*/due_time null|answer 200 /data*/duration null\
         |answer 200 /data*/location null|answer 200 /data*/marked_as_done_time null|answer 200 /data*/note null\
         |answer 200 /data*/priority null|answer 200 /data*/public_description null",
        NULL_WHERE_THERE_IS_NONE,
    ),
    mistake(
        "* /api/v1/notes*",
        "answer 200 /data*/deal null|answer 200 /data*/deal_id null|answer 200 /data*/lead_id null\
         |answer 200 /data*/org_id null|answer 200 /data*/organization null|answer 200 /data*/person null\
         |answer 200 /data*/person_id null|answer 200 /data*/project_id null|answer 200 /data*/task_id null",
        NULL_WHERE_THERE_IS_NONE,
    ),
    mistake(
        "* /api/v1/notes*",
        "answer 200 /data*/last_update_user_id null|answer 200 /data*/user/icon_url null",
        NULL_WHERE_THERE_IS_NONE,
    ),
    mistake(
        "PATCH /api/v2/deals/{id}|PATCH /api/v2/persons/{id}",
        "body/expected_close_date null|body/job_title null|body/org_id null|body/person_id null",
        "null takes a value away (migration guide); the document says so of custom fields only",
    ),
    // What is not declared, and there.
    mistake("* /api/v2/deals*", "answer 200 /data*/creator_user_id undeclared", EXAMPLE_HAS_IT),
    mistake(
        "GET /api/v2/persons/search",
        "answer 200 /data/items/#/item/organization/address undeclared",
        EXAMPLE_HAS_IT,
    ),
    mistake("* /api/v1/notes*", "answer 200 /data*/pinned_to_lead_flag undeclared", EXAMPLE_HAS_IT),
    mistake("GET /api/v1/deals/summary", "answer 200 /data/values_total/EUR undeclared", EXAMPLE_HAS_IT),
    mistake(
        "GET /api/v2/deals*|GET /api/v2/organizations*|GET /api/v2/persons*",
        "answer 200 /data*/labels undeclared",
        NEWER,
    ),
    mistake(
        "PATCH /api/v2/persons/{id}|POST /api/v2/persons",
        "body/first_name undeclared|body/last_name undeclared",
        "the migration guide writes them; an account that takes whole names only says so, and is told those",
    ),
    mistake("GET /api/v1/users/me", "answer 401 /error_info undeclared", "the gateway adds it, as field reports show"),
    // What is of another form.
    mistake("* /api/v1/*Fields*|* /api/v1/activityTypes", "answer 200 /data*/add_time", NO_ZONE),
    mistake("* /api/v1/*Fields*|* /api/v1/activityTypes", "answer 200 /data*/update_time", NO_ZONE),
    mistake(
        "GET /api/v1/*Fields",
        "answer 200 /data/#/field_type",
        "only the types of custom fields are listed; built-in fields have others, as the Fields API of v2 declares",
    ),
    mistake("GET /api/v2/deals", "query status", LIST),
    mistake("GET /api/v2/itemSearch", "query item_types", LIST),
    // Refusals.
    mistake("*", "status 400", HARDLY_ANY),
    mistake("*", "status 401", HARDLY_ANY),
    mistake("*", "status 403", HARDLY_ANY),
    mistake("*", "status 404", HARDLY_ANY),
    mistake("*", "status 410", HARDLY_ANY),
    // Authorization.
    mistake(
        "POST /oauth/token",
        "body/refresh_token undeclared",
        "keys of paths are unique, so that the document has the refresh at `/oauth/token/`, which redirects",
    ),
    mistake(
        "GET /oauth/authorize",
        "query response_type undeclared",
        "RFC 6749, which the document refers to, asks for it, and each client library of OAuth sends it",
    ),
    mistake("POST /oauth/revoke", "path", "it is documented in the guide to OAuth only"),
    mistake(
        "GET /oauth/authorize",
        "status 302",
        "what follows the page that is declared, on which the fake's user has agreed",
    ),
];
