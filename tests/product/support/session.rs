//! What a client does to be signed in, and what it sees of it.

use reqwest::Method;
use serde_json::{Value, json};

use super::{Client, SESSION};

const WHO: &str = "{ viewer { email } }";
const REFRESH: &str =
    "mutation($input: RefreshSessionInput!) { refreshSession(input: $input) { accessToken } }";

impl Client {
    /// The status and the answer to a question with this header.
    pub async fn asks_with(&self, header: &str, value: &str, query: &str) -> (u16, Value) {
        let request = self
            .request(Method::POST, "/graphql")
            .header(header, value)
            .json(&json!({ "query": query }));
        let answer = request.send().await.expect("an answer");
        (
            answer.status().as_u16(),
            answer.json().await.expect("an answer in JSON"),
        )
    }

    /// The status and the answer to a question with this token.
    pub async fn asks_by_token(&self, token: &str) -> (u16, Value) {
        self.asks_with("authorization", &format!("Bearer {token}"), WHO)
            .await
    }

    pub async fn is_let_in(&self) {
        let (status, answer) = self.asks_with("accept", "application/json", WHO).await;
        assert_eq!(status, 200, "{answer}");
        assert!(answer["data"]["viewer"]["email"].is_string(), "{answer}");
    }

    /// The access token is refused.
    pub async fn is_refused(&self) {
        assert!(self.token.is_some());
        says_unauthenticated(&self.asks_with("accept", "application/json", WHO).await);
    }

    /// Gives the payload.
    pub async fn tries_to_sign_in(&self, email: &str, password: &str) -> Value {
        let input = json!({ "email": email, "password": password });
        self.mutate("signIn", "SignInInput!", input, SESSION).await
    }

    /// Signs in with the password that everybody has.
    pub async fn signs_in(&self, email: &str) -> Self {
        let answer = self.tries_to_sign_in(email, "a good password").await;
        assert_eq!(answer["userErrors"], json!([]));
        self.with_session(&answer)
    }

    /// Takes new tokens. It says no access token with it, which may have lapsed and would refuse the whole request.
    pub async fn refreshes(&self) -> Self {
        let input = json!({ "refreshToken": self.refresh_token });
        let answer = self
            .without_access_token()
            .mutate("refreshSession", "RefreshSessionInput!", input, SESSION)
            .await;
        assert_eq!(answer["userErrors"], json!([]));
        self.with_session(&answer)
    }

    /// No new tokens are given for this one, to a browser whose access token is gone.
    pub async fn is_refused_a_refresh(&self, refresh_token: Option<&str>) {
        let input = json!({ "input": { "refreshToken": refresh_token } });
        let refused = self.without_access_token().refusal(REFRESH, input).await;
        assert_eq!(refused, "UNAUTHENTICATED");
    }

    fn without_access_token(&self) -> Self {
        let mut client = self.clone();
        client.token = None;
        client
    }

    pub async fn signs_out(&self, everywhere: bool) {
        let query = "mutation($everywhere: Boolean!) { signOut(everywhere: $everywhere) { userErrors { code } } }";
        let answer = self.get(query, json!({ "everywhere": everywhere })).await;
        assert_eq!(answer["signOut"]["userErrors"], json!([]));
    }
}

/// The answer to a request whose token is not good.
pub fn says_unauthenticated((status, answer): &(u16, Value)) {
    assert_eq!(*status, 401, "{answer}");
    assert_eq!(
        answer["errors"][0]["extensions"]["code"], "UNAUTHENTICATED",
        "{answer}"
    );
    assert_eq!(answer["data"], json!(null));
}
