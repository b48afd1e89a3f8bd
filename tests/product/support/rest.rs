//! A client of the resources.

use reqwest::{Method, header::HeaderMap};
use serde_json::Value;

use super::Client;

/// An answer to a request.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Value,
}

impl Client {
    pub async fn reads(&self, path: &str) -> Answer {
        self.sends(Method::GET, path, None, &[]).await
    }

    pub async fn posts(&self, path: &str, body: Value) -> Answer {
        self.sends(Method::POST, path, Some(body), &[]).await
    }

    pub async fn patches(&self, path: &str, body: Value) -> Answer {
        self.sends(Method::PATCH, path, Some(body), &[]).await
    }

    pub async fn deletes(&self, path: &str) -> Answer {
        self.sends(Method::DELETE, path, None, &[]).await
    }

    /// A request with headers of its own, to an address below the root of the resources.
    pub async fn sends(
        &self,
        method: Method,
        path: &str,
        body: Option<Value>,
        headers: &[(&str, &str)],
    ) -> Answer {
        let mut request = self.request(method, &format!("/api/v1{path}"));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(body) = body {
            request = request.json(&body);
        }
        Answer::of(request).await
    }

    /// The key of whoever is signed in.
    pub async fn key(&self) -> i64 {
        self.reads("/users/me/").await.body["id"]
            .as_i64()
            .expect("a key")
    }
}

impl Answer {
    pub async fn of(request: reqwest::RequestBuilder) -> Self {
        let answer = request.send().await.expect("an answer");
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        let text = answer.text().await.expect("text");
        let body = if text.is_empty() {
            Value::Null
        } else {
            serde_json::from_str(&text).unwrap_or_else(|_| panic!("no JSON: {status} {text}"))
        };
        if status >= 400 {
            assert_eq!(headers["content-type"], "application/problem+json");
            assert_eq!(body["status"], status);
        }
        Self {
            status,
            headers,
            body,
        }
    }

    pub fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name);
        let value = value.unwrap_or_else(|| panic!("no {name}: {self:?}"));
        value.to_str().expect("text")
    }

    /// What was made or shown.
    pub fn thing(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{:?}", self.body);
        self.body
    }

    /// The status, the code and the fields of a problem.
    pub fn problem(&self) -> (u16, String, Vec<String>) {
        let mistakes = self.body["errors"].as_array().expect("a problem");
        let fields = mistakes.iter().map(|mistake| {
            let parts = mistake["field"].as_array().expect("a path").iter();
            let parts: Vec<_> = parts.map(|part| part.as_str().expect("text")).collect();
            parts.join(".")
        });
        let code = self.body["code"].as_str().expect("a code").to_owned();
        (self.status, code, fields.collect())
    }
}
