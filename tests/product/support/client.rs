//! A client over HTTP.

use serde_json::{Value, json};

use super::{EventStream, Socket, a_property};

/// Somebody's browser: signed in or not.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    base: String,
    pub token: Option<String>,
    pub refresh_token: Option<String>,
    /// The global id of whoever is signed in.
    pub id: String,
}

impl Client {
    pub fn new(base: &str) -> Self {
        // Where the server runs in another process, nobody has chosen who does TLS; an error says that somebody has.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder().user_agent("staygate-tests");
        let http = http.build().expect("an HTTP client");
        Self {
            http,
            base: base.to_owned(),
            token: None,
            refresh_token: None,
            id: String::new(),
        }
    }

    /// The same, in a program that calls itself this.
    pub fn calling_itself(&self, name: &str) -> Self {
        let http = reqwest::Client::builder().user_agent(name).build();
        Self {
            http: http.expect("an HTTP client"),
            ..self.clone()
        }
    }

    pub fn base(&self) -> &str {
        &self.base
    }

    pub fn at(&self, base: &str) -> Self {
        Self {
            base: base.to_owned(),
            ..self.clone()
        }
    }

    pub async fn sign_up(&self, input: Value) -> Self {
        let answer = self.mutate("signUp", "SignUpInput!", input, SESSION).await;
        assert_eq!(answer["userErrors"], json!([]), "signing up");
        self.with_session(&answer)
    }

    pub fn with_session(&self, answer: &Value) -> Self {
        let text = |value: &Value| value.as_str().map(str::to_owned);
        Self {
            token: text(&answer["accessToken"]),
            refresh_token: text(&answer["refreshToken"]),
            id: text(&answer["viewer"]["user"]["id"]).expect("a viewer"),
            ..self.clone()
        }
    }

    pub fn request(&self, method: reqwest::Method, path: &str) -> reqwest::RequestBuilder {
        let request = self.http.request(method, format!("{}{path}", self.base));
        match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    /// The whole answer.
    pub async fn ask(&self, query: &str, variables: Value) -> Value {
        let body = json!({ "query": query, "variables": variables });
        let answer = self
            .request(reqwest::Method::POST, "/graphql")
            .json(&body)
            .send()
            .await
            .expect("an answer");
        answer.json().await.expect("an answer in JSON")
    }

    /// The data of an answer without errors.
    pub async fn get(&self, query: &str, variables: Value) -> Value {
        let mut answer = self.ask(query, variables).await;
        assert_eq!(answer.get("errors"), None, "{query}");
        answer["data"].take()
    }

    /// The code of the first top-level error.
    pub async fn refusal(&self, query: &str, variables: Value) -> String {
        let answer = self.ask(query, variables).await;
        let code = answer["errors"][0]["extensions"]["code"].as_str();
        code.unwrap_or_else(|| panic!("no top-level error in {answer}"))
            .to_owned()
    }

    /// A mutation with one input object; gives its payload.
    pub async fn mutate(
        &self,
        name: &str,
        input_type: &str,
        input: Value,
        selection: &str,
    ) -> Value {
        let query = format!(
            "mutation($input: {input_type}) {{ {name}(input: $input) {{ {selection} {PROBLEMS} }} }}"
        );
        self.get(&query, json!({ "input": input })).await[name].take()
    }

    /// A mutation of one thing by its id; gives its payload.
    pub async fn mutate_by_id(&self, name: &str, id: &str, selection: &str) -> Value {
        let query =
            format!("mutation($id: ID!) {{ {name}(id: $id) {{ {selection} {PROBLEMS} }} }}");
        self.get(&query, json!({ "id": id })).await[name].take()
    }

    /// Lists a property; gives its id.
    pub async fn lists(&self, changes: Value) -> String {
        let made = self
            .mutate(
                "createProperty",
                "CreatePropertyInput!",
                a_property(&changes),
                "property { id }",
            )
            .await;
        assert_eq!(made["userErrors"], json!([]), "listing a property");
        made["property"]["id"].as_str().expect("an id").to_owned()
    }

    /// Tries to book; gives the payload.
    pub async fn tries_to_book(&self, property: &str, check_in: &str, check_out: &str) -> Value {
        let input = json!({ "propertyId": property, "checkIn": check_in, "checkOut": check_out, "guests": 2 });
        let selection = format!("booking {{ {BOOKING_FIELDS} }}");
        self.mutate("createBooking", "CreateBookingInput!", input, &selection)
            .await
    }

    /// Books; gives the booking.
    pub async fn books(&self, property: &str, check_in: &str, check_out: &str) -> Value {
        let mut made = self.tries_to_book(property, check_in, check_out).await;
        assert_eq!(made["userErrors"], json!([]), "booking");
        made["booking"].take()
    }

    /// Tries to pay with a token; gives the payload.
    pub async fn tries_to_pay(&self, booking: &Value, token: &str) -> Value {
        let input = json!({ "bookingId": booking["id"], "paymentToken": token });
        self.mutate("createPayment", "CreatePaymentInput!", input, PAYMENT)
            .await
    }

    /// Pays; gives the payment.
    pub async fn pays(&self, booking: &Value) -> Value {
        let mut made = self.tries_to_pay(booking, "tok_visa").await;
        assert_eq!(made["userErrors"], json!([]), "paying");
        made["payment"].take()
    }

    /// A booking as it is now.
    pub async fn sees(&self, booking: &Value) -> Value {
        let query = format!("query($id: ID!) {{ booking(id: $id) {{ {BOOKING_FIELDS} }} }}");
        self.get(&query, json!({ "id": booking["id"] })).await["booking"].take()
    }

    /// A stream of server-sent events.
    pub async fn streams(&self, query: &str, variables: Value) -> EventStream {
        EventStream::open(self, query, variables, None).await
    }

    /// The same, for a client that was cut off.
    pub async fn streams_after(&self, id: &str, query: &str, variables: Value) -> EventStream {
        EventStream::open(self, query, variables, Some(id)).await
    }

    /// A socket that is introduced and acknowledged.
    pub async fn opens_a_socket(&self) -> Socket {
        Socket::introduced(&self.base, self.token.as_deref()).await
    }

    /// A socket of a client that names no subprotocol.
    pub async fn opens_a_socket_without_subprotocol(&self) -> Socket {
        Socket::open_as(&self.base, None).await
    }

    /// A socket that has not said anything yet.
    pub async fn opens_a_raw_socket(&self) -> Socket {
        Socket::open(&self.base).await
    }
}

pub const PROBLEMS: &str = "userErrors { field code message }";
pub const SESSION: &str =
    "accessToken refreshToken accessTokenExpiresAt viewer { email user { id fullName role } }";
pub const BOOKING_FIELDS: &str = "id status cancellationReason checkIn checkOut guests expiresAt
    totalPrice { amount } lineItems { kind amount { amount } } refundPreview { amount }
    payment { id status amount { amount } refundedAmount { amount } clientSecret }
    events { cursor from to at }";
pub const PAYMENT: &str =
    "payment { id status method amount { amount } clientSecret booking { id status } }";
