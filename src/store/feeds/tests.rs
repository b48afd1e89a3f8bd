use super::*;

/// Every spelling of an address that is not public, and some that are none.
#[tokio::test]
async fn what_is_not_public_is_refused_before_anything_is_sent() {
    let fetcher = Fetcher::new(false).unwrap();
    for address in [
        "http://127.0.0.1/",
        "http://127.1/",
        "http://0x7f.1/",
        "http://0x7f000001/",
        "http://2130706433/",
        "http://017700000001/",
        "http://0177.0.0.1/",
        "http://127.0.0.1./",
        "http://0/",
        "http://0.0.0.0/",
        "http://[::1]/",
        "http://[::]/",
        "http://[::ffff:127.0.0.1]/",
        "http://[::ffff:7f00:1]/",
        "http://[::127.0.0.1]/",
        "http://[64:ff9b::7f00:1]/",
        "http://[2002:7f00:1::]/",
        "http://[fd00::1]/",
        "http://[fe80::1]/",
        "http://169.254.169.254/latest/meta-data/",
        "http://10.0.0.1/",
        "https://192.168.0.1/",
        "http://100.64.0.1/",
        "http://localhost/",
        "http://localhost./",
        "http://LOCALHOST/",
        "http://１２７.０.０.１/",
        "http://127。0。0。1/",
        "http://foo.localhost/",
        "http://no-such-name.invalid/",
    ] {
        let url: Url = address.parse().unwrap();
        let answer = fetcher.fetch(&url, &Version::default()).await;
        assert_eq!(answer, Err(FetchError::NotPublic), "{address}");
    }
    for address in [
        "http://example.com:22/",
        "http://example.com:8080/",
        "https://example.com:6379/",
    ] {
        let url: Url = address.parse().unwrap();
        assert_eq!(fetcher.check(&url), Err(FetchError::Port), "{address}");
    }
    let url: Url = "https://example.com:443/x".parse().unwrap();
    assert_eq!(fetcher.check(&url), Ok(()));
}

/// The first address is allowed although it is not public; what it redirects to is held to the rules.
#[tokio::test]
async fn a_redirect_leads_nowhere_that_could_not_be_asked_for() {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let first_alone = |url: &Url| {
        if url.path() == "/first" {
            Ok(())
        } else {
            is_public_web(url)
        }
    };
    let fetcher = Fetcher::with(first_alone, |_| true).unwrap();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    for (target, why) in [
        ("/second", FetchError::Port),
        ("http://127.0.0.1/", FetchError::NotPublic),
        ("//0x7f.1/", FetchError::NotPublic),
        ("https://[::ffff:10.0.0.1]/", FetchError::NotPublic),
        ("http://example.com:25/", FetchError::Port),
        ("file:///etc/passwd", FetchError::Redirects),
    ] {
        let url: Url = format!("http://{address}/first").parse().unwrap();
        let redirects = async {
            let (mut socket, _) = listener.accept().await.unwrap();
            let asked = socket.read(&mut [0; 4_096]).await.unwrap();
            assert!(asked > 0);
            let answer =
                format!("HTTP/1.1 302 Found\r\nLocation: {target}\r\nContent-Length: 0\r\n\r\n");
            socket.write_all(answer.as_bytes()).await.unwrap();
        };
        let known = Version::default();
        let (answer, ()) = tokio::join!(fetcher.fetch(&url, &known), redirects);
        assert_eq!(answer, Err(why), "{target}");
    }
}
