//! The refresh token in a browser's cookie: for pages of this host and of configured origins, and for nobody else.

use std::time::Duration;

use reqwest::{Method, header::HeaderMap};
use sea_orm::ConnectionTrait as _;
use serde_json::{Value, json};

use crate::support::{Client, World, on_both_engines};

const NAME: &str = "__Host-staygate-refresh";
const PAYLOAD: &str =
    "{ accessToken refreshToken viewer { email user { id } } userErrors { code } }";
const APP: &str = "https://app.example.com";

/// What a page does in a browser, which keeps its cookie.
struct Page {
    client: Client,
    origin: Option<String>,
    cookie: Option<String>,
}

/// What it is answered.
struct Answer {
    headers: HeaderMap,
    body: Value,
}

impl Page {
    /// A page of the server's own host.
    fn of(world: &World) -> Self {
        let client = world.stranger();
        let origin = Some(client.base().to_owned());
        Self {
            client,
            origin,
            cookie: None,
        }
    }

    fn of_origin(world: &World, origin: &str) -> Self {
        Self {
            origin: Some(origin.to_owned()),
            ..Self::of(world)
        }
    }

    /// The same browser, shown a page of another origin, or a program that names none.
    fn at(&self, origin: Option<&str>) -> Self {
        Self {
            client: self.client.clone(),
            origin: origin.map(str::to_owned),
            cookie: self.cookie.clone(),
        }
    }

    async fn asks(&self, query: &str, variables: Value) -> Answer {
        let mut request = self.client.request(Method::POST, "/graphql");
        if let Some(origin) = &self.origin {
            request = request.header("origin", origin);
        }
        if let Some(token) = &self.cookie {
            request = request.header("cookie", format!("theme=dark; {NAME}={token}; a=b"));
        }
        let body = json!({ "query": query, "variables": variables });
        let answer = request.json(&body).send().await.expect("an answer");
        Answer {
            headers: answer.headers().clone(),
            body: answer.json().await.expect("an answer in JSON"),
        }
    }

    async fn signs_in(&self) -> Answer {
        let query =
            format!("mutation($input: SignInInput!) {{ it: signIn(input: $input) {PAYLOAD} }}");
        let input = json!({ "email": "gus@example.com", "password": "a good password", "keepInCookie": true });
        self.asks(&query, json!({ "input": input })).await
    }

    async fn refreshes(&self) -> Answer {
        let query = format!("mutation {{ it: refreshSession(input: {{}}) {PAYLOAD} }}");
        self.asks(&query, json!({})).await
    }

    async fn signs_out(&self) -> Answer {
        self.asks(
            "mutation { it: signOut { userErrors { code } } }",
            json!({}),
        )
        .await
    }

    /// What the browser does with an answer.
    fn with(&self, answer: &Answer) -> Self {
        let it = &answer.body["data"]["it"];
        assert_eq!(it["userErrors"], json!([]), "{}", answer.body);
        assert_eq!(it["refreshToken"], json!(null), "no script reads it");
        Self {
            client: self.client.with_session(it),
            origin: self.origin.clone(),
            cookie: Some(answer.token()),
        }
    }

    /// Signed in.
    async fn signed_in(self) -> Self {
        let answer = self.signs_in().await;
        self.with(&answer)
    }
}

impl Answer {
    /// The cookie that is set, if one is.
    fn cookie(&self) -> Option<&str> {
        let mut all = self.headers.get_all("set-cookie").iter();
        let cookie = all.next().map(|value| value.to_str().expect("text"));
        assert!(all.next().is_none(), "there is one cookie");
        cookie
    }

    /// The token that is kept in it.
    fn token(&self) -> String {
        let cookie = self.cookie().expect("a cookie is set");
        let (name, rest) = cookie.split_once('=').expect("a name");
        assert_eq!(name, NAME);
        let (token, _) = rest.split_once(';').expect("attributes");
        assert!(!token.is_empty(), "{cookie}");
        token.to_owned()
    }

    fn code(&self) -> &str {
        let code = self.body["errors"][0]["extensions"]["code"].as_str();
        code.unwrap_or_else(|| panic!("no error in {}", self.body))
    }

    fn header(&self, name: &str) -> Option<&str> {
        let value = self.headers.get(name)?;
        Some(value.to_str().expect("text"))
    }

    /// Nothing is given and no cookie is touched.
    fn is_refused(&self, code: &str) {
        assert_eq!(self.code(), code);
        assert_eq!(self.body["data"]["it"], json!(null));
        assert_eq!(self.cookie(), None);
    }

    fn removes_the_cookie(&self) {
        let expected = format!("{NAME}=; Path=/; Max-Age=0; HttpOnly; Secure; SameSite=Strict");
        assert_eq!(self.cookie(), Some(expected.as_str()));
    }
}

on_both_engines! {
    async fn a_browser_keeps_its_refresh_token_where_no_script_and_no_other_site_has_it(world: World) {
        world.guest("gus").await;
        let page = Page::of(&world);
        let answer = page.signs_in().await;
        let signed_in = page.with(&answer);
        let token = signed_in.cookie.clone().expect("a token");
        let expected = format!("{NAME}={token}; Path=/; Max-Age=2592000; HttpOnly; Secure; SameSite=Strict");
        assert_eq!(answer.cookie(), Some(expected.as_str()));
        assert!(!answer.body.to_string().contains(&token), "it stands in the cookie alone");
        signed_in.client.is_let_in().await;

        world.clock.advance(chrono::Duration::hours(1));
        let refreshed = signed_in.with(&signed_in.refreshes().await);
        assert_ne!(refreshed.cookie, signed_in.cookie);
        refreshed.client.is_let_in().await;
        refreshed.with(&refreshed.refreshes().await).client.is_let_in().await;
    }

    async fn who_signs_up_may_keep_the_token_in_a_cookie_as_well(world: World) {
        let query = format!("mutation($input: SignUpInput!) {{ it: signUp(input: $input) {PAYLOAD} }}");
        let input = json!({ "fullName": "Gus", "email": "gus@example.com", "password": "a good password", "keepInCookie": true });
        let page = Page::of(&world);
        let answer = page.asks(&query, json!({ "input": input })).await;
        let page = page.with(&answer);
        page.with(&page.refreshes().await).client.is_let_in().await;
    }

    async fn a_page_of_another_origin_can_not_use_the_cookie_and_nothing_is_rotated(world: World) {
        world.guest("gus").await;
        let page = Page::of(&world).signed_in().await;
        let own = page.client.base().to_owned();
        let sibling = own.replace("127.0.0.1", "evil.127.0.0.1");
        for origin in [None, Some("https://evil.example.com"), Some("null"), Some(""), Some(sibling.as_str()), Some("http://127.0.0.1"), Some("http://127.0.0.1:1"), Some(APP)] {
            let other = page.at(origin);
            other.refreshes().await.is_refused("UNAUTHENTICATED");
            other.signs_in().await.is_refused("BAD_USER_INPUT");
        }
        assert_eq!(world.number("SELECT count(*) FROM sessions").await, 2, "signing up, and signing in once");
        world.clock.advance(chrono::Duration::minutes(5));
        page.with(&page.refreshes().await).client.is_let_in().await;
        assert_eq!(world.number("SELECT count(*) FROM alerts").await, 0, "the token was not spent before");
    }

    async fn a_configured_origin_uses_the_cookie_and_it_alone_may_send_one(world: World) {
        world.guest("gus").await;
        let world = world.instance_with(&[("STAYGATE_CORS_ORIGINS", "https://app.example.com,https://admin.example.com")]).await;
        let page = Page::of_origin(&world, APP);
        let answer = page.signs_in().await;
        let page = page.with(&answer);
        let answer = page.refreshes().await;
        assert_eq!(answer.header("access-control-allow-origin"), Some(APP));
        assert_eq!(answer.header("access-control-allow-credentials"), Some("true"));
        assert!(answer.headers.get_all("vary").iter().any(|vary| vary.as_bytes().starts_with(b"origin")), "caches tell origins apart");
        page.with(&answer).client.is_let_in().await;
        for evil in ["https://evil.example.com", "http://app.example.com", "https://app.example.com.evil.com", "null"] {
            let refused = page.at(Some(evil)).refreshes().await;
            refused.is_refused("UNAUTHENTICATED");
            assert_eq!(refused.header("access-control-allow-origin"), None, "{evil}");
            assert_eq!(refused.header("access-control-allow-credentials"), None, "{evil}");
        }
        let asked = page.client.request(Method::OPTIONS, "/graphql").header("origin", APP)
            .header("access-control-request-method", "POST").header("access-control-request-headers", "authorization,content-type");
        let answer = asked.send().await.expect("an answer");
        let header = |name: &str| answer.headers().get(name).map(|value| value.to_str().expect("text").to_owned());
        assert_eq!(header("access-control-allow-origin").as_deref(), Some(APP));
        assert_eq!(header("access-control-allow-credentials").as_deref(), Some("true"));
    }

    async fn where_any_page_may_call_none_of_another_host_may_send_a_cookie(world: World) {
        world.guest("gus").await;
        let own = Page::of(&world);
        let answer = own.signs_in().await;
        let page = own.with(&answer);
        for answer in [answer, page.refreshes().await, page.at(Some(APP)).refreshes().await] {
            assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
            assert_eq!(answer.header("access-control-allow-credentials"), None);
        }
    }

    async fn signing_out_takes_the_cookie_away(world: World) {
        world.guest("gus").await;
        let page = Page::of(&world).signed_in().await;
        let answer = page.signs_out().await;
        assert_eq!(answer.body["data"]["it"]["userErrors"], json!([]));
        answer.removes_the_cookie();
        page.client.is_refused().await;
        let signed_out = Page { client: world.stranger(), origin: page.origin.clone(), cookie: page.cookie.clone() };
        let refused = signed_out.refreshes().await;
        assert_eq!(refused.code(), "UNAUTHENTICATED");
        refused.removes_the_cookie();
        let without = Page::of(&world);
        without.refreshes().await.is_refused("UNAUTHENTICATED");
        let program = world.stranger().signs_in("gus@example.com").await;
        let no_browser = Page { client: program.clone(), origin: None, cookie: None };
        assert_eq!(no_browser.signs_out().await.cookie(), None);
        program.is_refused().await;
    }

    async fn deleting_the_account_takes_the_cookie_away(world: World) {
        world.guest("gus").await;
        let page = Page::of(&world).signed_in().await;
        let answer = page.asks("mutation { it: deleteAccount { deletedId userErrors { code } } }", json!({})).await;
        assert_eq!(answer.body["data"]["it"]["deletedId"], page.client.id.as_str(), "{}", answer.body);
        answer.removes_the_cookie();
    }

    async fn a_cookie_is_kept_over_http_alone(world: World) {
        world.guest("gus").await;
        let mut socket = world.stranger().opens_a_socket().await;
        let sign_in = format!(r#"mutation {{ signIn(input: {{ email: "gus@example.com", password: "a good password", keepInCookie: true }}) {PAYLOAD} }}"#);
        socket.subscribe("s", &sign_in, json!({})).await;
        let answer = socket.hears().await;
        assert_eq!(answer["payload"]["errors"][0]["extensions"]["code"], "BAD_USER_INPUT", "{answer}");
        assert_eq!(socket.hears().await, json!({ "type": "complete", "id": "s" }));
        socket.subscribe("r", &format!("mutation {{ refreshSession(input: {{}}) {PAYLOAD} }}"), json!({})).await;
        let answer = socket.hears().await;
        assert_eq!(answer["payload"]["errors"][0]["extensions"]["code"], "UNAUTHENTICATED", "{answer}");
        assert_eq!(world.number("SELECT count(*) FROM sessions").await, 1, "signing up made the only one");
    }

    async fn two_tabs_that_share_a_cookie_refresh_at_once_and_keep_the_same_one(world: World) {
        world.guest("gus").await;
        let page = Page::of(&world).signed_in().await;
        let (one, two) = tokio::join!(page.refreshes(), page.refreshes());
        let (one, two) = (page.with(&one), page.with(&two));
        assert_eq!(one.cookie, two.cookie);
        assert_ne!(one.cookie, page.cookie);
        one.client.is_let_in().await;
        two.client.is_let_in().await;
        let next = two.with(&two.refreshes().await);
        assert_ne!(next.cookie, two.cookie);
        next.client.is_let_in().await;
    }

    async fn a_cookie_that_was_used_twice_ends_the_session_and_is_taken_away(world: World) {
        world.guest("gus").await;
        let page = Page::of(&world).signed_in().await;
        let newer = page.with(&page.refreshes().await);
        world.clock.advance(chrono::Duration::seconds(31));
        let copied = Page { client: world.stranger(), origin: page.origin.clone(), cookie: page.cookie.clone() };
        let refused = copied.refreshes().await;
        assert_eq!(refused.code(), "UNAUTHENTICATED");
        refused.removes_the_cookie();
        newer.client.is_refused().await;
    }

    async fn a_request_that_refreshes_twice_keeps_the_first_ones_cookie(world: World) {
        world.guest("gus").await;
        let page = Page::of(&world).signed_in().await;
        let answer = page.asks(&format!("mutation {{ it: refreshSession(input: {{}}) {PAYLOAD} again: refreshSession(input: {{}}) {PAYLOAD} }}"), json!({})).await;
        assert_eq!((answer.code(), &answer.body["errors"][0]["path"]), ("BAD_USER_INPUT", &json!(["again"])));
        let page = Page { cookie: Some(answer.token()), ..page };
        page.with(&page.refreshes().await).client.is_let_in().await;
    }

    async fn a_token_in_the_input_goes_before_the_cookie_which_stays_as_it_is(world: World) {
        let program = world.guest("gus").await;
        let page = Page::of(&world).signed_in().await;
        let query = format!("mutation($input: RefreshSessionInput!) {{ it: refreshSession(input: $input) {PAYLOAD} }}");
        let answer = page.asks(&query, json!({ "input": { "refreshToken": program.refresh_token } })).await;
        assert!(answer.body["data"]["it"]["refreshToken"].is_string(), "{}", answer.body);
        assert_eq!(answer.cookie(), None);
        page.with(&page.refreshes().await).client.is_let_in().await;
    }
}

/// Another transaction keeps the session's row for longer than a statement may run.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refresh_that_fails_for_another_reason_leaves_the_browser_its_cookie() {
    let world = World::on_postgres().await;
    world.guest("gus").await;
    let page = Page::of(&world).signed_in().await;
    let other = world.app.db.begin().await.expect("a transaction");
    other
        .execute_unprepared("SELECT * FROM sessions FOR UPDATE")
        .await
        .expect("the rows are kept");
    let failed = tokio::time::timeout(Duration::from_secs(20), page.refreshes()).await;
    failed.expect("an answer in time").is_refused("INTERNAL");
    drop(other);
    page.with(&page.refreshes().await).client.is_let_in().await;
}
