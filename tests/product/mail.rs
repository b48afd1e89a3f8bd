//! Mail goes through a real server, which keeps what it took in a folder.

use std::path::Path;

use mail_parser::MessageParser;
use staygate::{
    service::mails::letter::{Letter, Site},
    store::mail::{MailError, Mailer as _, Message, smtp::Smtp},
};
use tokio::net::TcpListener;
use uuid::Uuid;

use crate::support::required;

const FROM: &str = "Staygate <no-reply@example.com>";

fn a_message(to: &str) -> Message {
    let letter = Letter::ResetPassword {
        full_name: "Zoë O'Neill".into(),
        token: "a-secret_1".into(),
    };
    let site = Site {
        name: "Staygate".into(),
        url: "https://www.example.com".into(),
    };
    letter.write(&site, to.into(), Uuid::new_v4().simple().to_string())
}

/// An address that no other test writes to.
fn an_address(domain: &str) -> String {
    format!("{}@{domain}", Uuid::new_v4().simple())
}

async fn send(message: &Message) -> Result<(), MailError> {
    let smtp = Smtp::new(&required("STAYGATE_TEST_SMTP"), FROM).expect("a URL and an address");
    smtp.send(message).await
}

/// The mails that the server took for an address, as they came.
fn taken_for(address: &str) -> Vec<Vec<u8>> {
    let folder = required("STAYGATE_TEST_MAILS");
    let mut files: Vec<_> = std::fs::read_dir(Path::new(&folder))
        .expect("the folder of the mail server")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| {
            let name = path.file_name().expect("a name").to_string_lossy();
            !name.starts_with('.') && name.ends_with(&format!(".{address}.eml"))
        })
        .collect();
    files.sort();
    files
        .iter()
        .map(|file| std::fs::read(file).expect("a mail"))
        .collect()
}

#[tokio::test]
async fn a_mail_arrives_in_both_of_its_forms() {
    let message = a_message(&an_address("example.com"));
    send(&message).await.expect("the mail is taken");

    let taken = taken_for(&message.to);
    let [raw] = &taken[..] else {
        panic!("{} mails came of one", taken.len());
    };
    let mail = MessageParser::default().parse(raw).expect("a mail");
    let to = mail.to().and_then(|list| list.first());
    assert_eq!(to.and_then(|to| to.address()), Some(&*message.to));
    assert_eq!(mail.subject(), Some("Reset your password at Staygate"));
    let unix = |text: &str| text.replace("\r\n", "\n").trim_end().to_owned();
    let text = mail.body_text(0).expect("a plain form");
    assert_eq!(unix(&text), unix(&message.text));
    let html = mail.body_html(0).expect("an HTML form");
    assert_eq!(unix(&html), unix(&message.html));
}

#[tokio::test]
async fn one_mailer_sends_many_mails_at_once() {
    let to = an_address("example.com");
    let smtp = Smtp::new(&required("STAYGATE_TEST_SMTP"), FROM).expect("a URL and an address");
    let message = a_message(&to);
    let sent = (0..10).map(|_| smtp.send(&message));
    for outcome in futures_util::future::join_all(sent).await {
        outcome.expect("the mail is taken");
    }
    assert_eq!(taken_for(&to).len(), 10);
}

#[tokio::test]
async fn a_receiver_that_does_not_exist_is_a_refusal() {
    let sent = send(&a_message(&an_address("refuses.example"))).await;
    let Err(MailError::Refused(why)) = sent else {
        panic!("{sent:?}");
    };
    assert!(why.contains("There is nobody of that name"), "{why}");
}

#[tokio::test]
async fn a_receiver_that_is_busy_may_be_asked_again() {
    let to = an_address("later.example");
    let sent = send(&a_message(&to)).await;
    assert!(matches!(sent, Err(MailError::Unreachable(_))), "{sent:?}");
    assert!(taken_for(&to).is_empty());
}

#[tokio::test]
async fn a_server_that_is_not_there_may_be_asked_again() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("smtp://{}", listener.local_addr().expect("an address"));
    drop(listener);
    let smtp = Smtp::new(&url, FROM).expect("a URL and an address");
    let sent = smtp.send(&a_message("ann@example.com")).await;
    assert!(matches!(sent, Err(MailError::Unreachable(_))), "{sent:?}");
}

#[tokio::test]
async fn a_server_without_the_encryption_that_is_required_gets_nothing() {
    let to = an_address("example.com");
    let url = format!("{}?tls=required", required("STAYGATE_TEST_SMTP"));
    let smtp = Smtp::new(&url, FROM).expect("a URL and an address");
    let sent = smtp.send(&a_message(&to)).await;
    assert!(matches!(sent, Err(MailError::Unreachable(_))), "{sent:?}");
    assert!(taken_for(&to).is_empty());
}

#[tokio::test]
async fn a_server_that_takes_no_password_may_be_asked_again() {
    let url = required("STAYGATE_TEST_SMTP").replace("smtp://", "smtp://ann:hunter2@");
    let smtp = Smtp::new(&url, FROM).expect("a URL and an address");
    let sent = smtp.send(&a_message(&an_address("example.com"))).await;
    let Err(MailError::Unreachable(why)) = sent else {
        panic!("{sent:?}");
    };
    assert!(!why.contains("hunter2"), "{why}");
}
