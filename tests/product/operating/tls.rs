//! TLS in the server itself.

use std::{collections::HashMap, fs, net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};

use chrono::{Datelike as _, TimeDelta};
use futures_util::{SinkExt as _, StreamExt as _};
use rcgen::{CertificateParams, CertifiedKey, KeyPair, generate_simple_self_signed};
use reqwest::{Certificate, Client, StatusCode, Version, header, redirect::Policy};
use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, ServerName},
};
use serde_json::{Value, json};
use staygate::{
    app::{App, Server, config::Settings},
    domain::clock::{Clock as _, SystemClock},
};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    time::timeout,
};
use tokio_rustls::{TlsConnector, client::TlsStream};
use tokio_tungstenite::tungstenite::{Message, client::IntoClientRequest as _};
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::support::{World, command};

type Own = CertifiedKey<KeyPair>;

/// A server that speaks TLS with a certificate of its own.
struct Secured {
    address: SocketAddr,
    plain: SocketAddr,
    settings: HashMap<&'static str, String>,
    folder: TempDir,
    _stopping: DropGuard,
}

fn a_certificate() -> Own {
    generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate")
}

impl Secured {
    async fn serves(certificate: &Own, more: &[(&'static str, &str)]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let path = |name: &str| folder.path().join(name).display().to_string();
        let mut settings = HashMap::from([
            ("DATABASE_URL", format!("sqlite://{}", path("staygate.db"))),
            ("STAYGATE_LISTEN", "127.0.0.1:0".to_owned()),
            ("STAYGATE_ADMIN_LISTEN", "off".to_owned()),
            ("STAYGATE_REDIRECT_LISTEN", "127.0.0.1:0".to_owned()),
            ("STAYGATE_TLS_CERT", path("chain.pem")),
            ("STAYGATE_TLS_KEY", path("key.pem")),
        ]);
        settings.extend(
            more.iter()
                .map(|(name, value)| (*name, (*value).to_owned())),
        );
        fs::write(&settings["STAYGATE_TLS_CERT"], certificate.cert.pem()).expect("a file");
        fs::write(
            &settings["STAYGATE_TLS_KEY"],
            certificate.signing_key.serialize_pem(),
        )
        .expect("a file");
        let given = settings
            .iter()
            .map(|(name, value)| ((*name).to_owned(), value.clone()));
        let in_force = Settings::read(given).expect("good settings");
        let app = App::build(in_force, Arc::new(SystemClock))
            .await
            .expect("an app");
        let server = Server::bind(app, false).await.expect("free ports");
        let address = server.address().expect("an address");
        let plain = server
            .plain_address()
            .expect("an address")
            .expect("a plain port");
        let stopping = CancellationToken::new();
        tokio::spawn(server.run(stopping.clone()));
        settings.insert("STAYGATE_LISTEN", format!("localhost:{}", address.port()));
        Self {
            address,
            plain,
            settings,
            folder,
            _stopping: stopping.drop_guard(),
        }
    }

    fn url(&self, path: &str) -> String {
        format!("https://localhost:{}{path}", self.address.port())
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A connection, and the certificate that the server showed on it.
    async fn connects(
        &self,
        trusted: &[&Own],
    ) -> Option<(TlsStream<TcpStream>, CertificateDer<'static>)> {
        let mut roots = RootCertStore::empty();
        for own in trusted {
            roots.add(own.cert.der().clone()).expect("a root");
        }
        let config = ClientConfig::builder()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let stream = TcpStream::connect(self.address)
            .await
            .expect("a connection");
        let name = ServerName::try_from("localhost").expect("a name");
        let stream = TlsConnector::from(Arc::new(config))
            .connect(name, stream)
            .await
            .ok()?;
        let shown = stream.get_ref().1.peer_certificates()?[0]
            .clone()
            .into_owned();
        Some((stream, shown))
    }
}

fn trusting(certificate: &Own) -> reqwest::ClientBuilder {
    let root = Certificate::from_der(certificate.cert.der()).expect("a root");
    Client::builder()
        .tls_certs_only([root])
        .redirect(Policy::none())
}

/// One request on a connection that stays open.
async fn is_alive(stream: &mut TlsStream<TcpStream>) -> bool {
    let asked = stream
        .write_all(b"GET /livez HTTP/1.1\r\nhost: localhost\r\n\r\n")
        .await;
    let mut answer = [0; 4096];
    asked.is_ok()
        && matches!(stream.read(&mut answer).await, Ok(read) if answer[..read].starts_with(b"HTTP/1.1 200"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn http_1_and_2_are_spoken_and_browsers_are_told_to_stay_with_tls() {
    let own = a_certificate();
    let server = Secured::serves(&own, &[]).await;
    for (client, version) in [
        (trusting(&own), Version::HTTP_2),
        (trusting(&own).http1_only(), Version::HTTP_11),
    ] {
        let client = client.build().expect("a client");
        let query = json!({ "query": "{ __typename }" });
        let answer = client
            .post(server.url("/graphql"))
            .json(&query)
            .send()
            .await
            .expect("an answer");
        assert_eq!(answer.version(), version);
        assert_eq!(
            answer.headers()[header::STRICT_TRANSPORT_SECURITY],
            "max-age=31536000"
        );
        let told: Value = answer.json().await.expect("JSON");
        assert_eq!(told["data"]["__typename"], "Query");
    }
    let nobodys = Client::builder().build().expect("a client");
    assert!(
        nobodys.get(server.url("/livez")).send().await.is_err(),
        "nobody vouches for it"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_tls_nothing_is_said_of_it() {
    let world = World::on_sqlite().await;
    let answer = Client::builder()
        .build()
        .expect("a client")
        .get(format!("{}/livez", world.stranger().base()));
    let answer = answer.send().await.expect("an answer");
    assert!(
        !answer
            .headers()
            .contains_key(header::STRICT_TRANSPORT_SECURITY)
    );
    let policy = &answer.headers()[header::CONTENT_SECURITY_POLICY];
    assert_eq!(policy, "default-src 'none'; frame-ancestors 'none'");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_renewed_certificate_is_shown_to_new_connections_and_open_ones_stay() {
    let (old, new) = (a_certificate(), a_certificate());
    let server = Secured::serves(&old, &[]).await;
    let (mut open, shown) = server.connects(&[&old]).await.expect("a connection");
    assert_eq!(&shown, old.cert.der());
    assert!(is_alive(&mut open).await);
    // One file after the other, and rubbish in between: each is looked at as it comes.
    fs::write(server.file("chain.pem"), "half a certif").expect("a file");
    fs::write(server.file("key.pem"), new.signing_key.serialize_pem()).expect("a file");
    let (_, shown) = server.connects(&[&old, &new]).await.expect("a connection");
    assert_eq!(&shown, old.cert.der());
    fs::write(server.file("chain.pem"), new.cert.pem()).expect("a file");
    let renewed = async {
        // A connection that begins while the server takes it up is shown one or the other.
        while server.connects(&[&new]).await.is_none() {
            assert!(is_alive(&mut open).await);
        }
    };
    timeout(Duration::from_secs(30), renewed)
        .await
        .expect("it is taken up");
    assert!(is_alive(&mut open).await, "who is connected stays");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_certificate_with_another_key_stops_the_start() {
    let (own, other) = (a_certificate(), a_certificate());
    let server = Secured::serves(&own, &[]).await;
    fs::write(server.file("key.pem"), other.signing_key.serialize_pem()).expect("a file");
    let mut settings: Vec<_> = server
        .settings
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    settings.retain(|(name, _)| !name.ends_with("_LISTEN"));
    settings.extend([
        ("STAYGATE_LISTEN", "127.0.0.1:0"),
        ("STAYGATE_ADMIN_LISTEN", "off"),
    ]);
    let (good, said) = command(server.folder.path(), &["serve"], &settings).await;
    assert!(
        !good && said.contains("STAYGATE_TLS_CERT and STAYGATE_TLS_KEY"),
        "{said}"
    );
    let (good, said) = command(server.folder.path(), &["doctor"], &settings).await;
    assert!(!good && said.contains("BAD   TLS"), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn until_when_a_certificate_is_good_is_told_beforehand() {
    let day = |days| {
        let day = SystemClock.now() + TimeDelta::days(days);
        let small = |number: u32| u8::try_from(number).expect("at most 31");
        rcgen::date_time_ymd(day.year(), small(day.month()), small(day.day()))
    };
    let signing_key = KeyPair::generate().expect("a key");
    let mut parameters = CertificateParams::new(["localhost".to_owned()]).expect("parameters");
    (parameters.not_before, parameters.not_after) = (day(-80), day(10));
    let own = Own {
        cert: parameters.self_signed(&signing_key).expect("a certificate"),
        signing_key,
    };
    let free = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let operators = free.local_addr().expect("an address").to_string();
    drop(free);
    let server = Secured::serves(&own, &[("STAYGATE_ADMIN_LISTEN", &operators)]).await;
    let settings: Vec<_> = server
        .settings
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    let (_, said) = command(server.folder.path(), &["doctor"], &settings).await;
    let line = said.lines().find(|line| line.contains("TLS "));
    assert!(
        line.is_some_and(|line| line.contains("good until")),
        "{said}"
    );
    assert!(said.contains("renew it"), "{said}");
    let expiry = format!(
        "staygate_certificate_expiry_timestamp_seconds {}",
        parameters.not_after.unix_timestamp()
    );
    let told = async {
        loop {
            let page = reqwest::get(format!("http://{operators}/metrics")).await;
            let page = page.expect("an answer").text().await.expect("text");
            if page.contains(&expiry) {
                break;
            }
        }
    };
    timeout(Duration::from_secs(30), told)
        .await
        .expect("Prometheus is told");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sockets_are_opened_through_tls() {
    let own = a_certificate();
    let server = Secured::serves(&own, &[]).await;
    let (stream, _) = server.connects(&[&own]).await.expect("a connection");
    let mut request = server
        .url("/graphql")
        .replace("https", "wss")
        .into_client_request()
        .expect("a request");
    let protocol = "graphql-transport-ws".parse().expect("a header");
    request
        .headers_mut()
        .insert("sec-websocket-protocol", protocol);
    let (mut socket, _) = tokio_tungstenite::client_async(request, stream)
        .await
        .expect("it upgrades");
    let hello = Message::text(json!({ "type": "connection_init" }).to_string());
    socket.send(hello).await.expect("it is sent");
    let heard = socket.next().await.expect("a message").expect("a good one");
    assert!(
        heard.to_text().expect("text").contains("connection_ack"),
        "{heard}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_plain_port_leads_to_the_one_with_tls_and_takes_nothing() {
    let own = a_certificate();
    let known = [("STAYGATE_API_URL", "https://api.example.com")];
    for (more, origin) in [
        (&[][..], None),
        (&known[..], Some("https://api.example.com")),
    ] {
        let server = Secured::serves(&own, more).await;
        let here = format!("https://localhost:{}", server.address.port());
        let origin = origin.unwrap_or(&here);
        let client = trusting(&own).build().expect("a client");
        let plain = |path: &str| format!("http://localhost:{}{path}", server.plain.port());
        let answer = client
            .get(plain("/docs?a=1&b=%20"))
            .send()
            .await
            .expect("an answer");
        assert_eq!(answer.status(), StatusCode::PERMANENT_REDIRECT);
        assert_eq!(
            answer.headers()[header::LOCATION],
            format!("{origin}/docs?a=1&b=%20")
        );
        let answer = client
            .post(plain("/graphql"))
            .body("{}")
            .send()
            .await
            .expect("an answer");
        assert_eq!(answer.status(), StatusCode::FORBIDDEN);
        let told = answer.text().await.expect("text");
        assert!(told.contains(origin), "{told}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_container_asks_a_server_with_tls_whether_it_is_ready() {
    let server = Secured::serves(&a_certificate(), &[]).await;
    let settings: Vec<_> = server
        .settings
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    let (good, said) = command(server.folder.path(), &["healthcheck"], &settings).await;
    assert!(good, "{said}");
    let nobody = [("STAYGATE_LISTEN", "127.0.0.1:1")];
    let (good, said) = command(server.folder.path(), &["healthcheck"], &nobody).await;
    assert!(!good && !said.contains("panicked"), "{said}");
}
