//! Mail over SMTP, to the server that the operator names.

use std::{error::Error as _, sync::Arc, time::Duration};

use anyhow::{Context as _, bail, ensure};
use async_trait::async_trait;
use lettre::{
    AsyncSmtpTransport, AsyncTransport as _, Tokio1Executor,
    message::Mailbox,
    transport::smtp::{
        Error,
        response::{Category, Code},
    },
};
use tokio::time::timeout;

use super::{
    MailError, Mailer, Message,
    compose::{compose, sender},
};
use crate::store::traces::{About, Span};

/// How long the server has to take the connection.
const CONNECTS_WITHIN: Duration = Duration::from_secs(10);

/// How long the whole conversation may take. More than for the connection, because servers read a mail before they answer it, and one that
/// was taken after we had hung up would be sent twice.
const TAKES_WITHIN: Duration = Duration::from_secs(30);

/// Hands mail to an SMTP server. Cheap to clone.
///
/// Each mail has a connection of its own. One that is kept is one whose other end may have gone; and when a conversation is broken off, it
/// has to go with its connection, or the next mail would read the answers to this one.
#[derive(Debug, Clone)]
pub struct Smtp {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
    takes_within: Duration,
    /// Which server it is.
    host: Arc<str>,
}

impl Smtp {
    /// Mail from `from`, an address with or without a name, through the server at `url`:
    ///
    /// - `smtps://USER:PASSWORD@HOST`: TLS from the first byte (port 465 unless said);
    /// - `smtp://USER:PASSWORD@HOST?tls=required`: STARTTLS, and nothing is sent without it (port 587);
    /// - `smtp://HOST`: no TLS (port 25), for a server on this machine or network.
    ///
    /// User and password are percent-encoded. No connection is made yet.
    ///
    /// # Errors
    /// When the URL is none of these, or `from` is no address. The error never shows the URL, which holds a password.
    pub fn new(url: &str, from: &str) -> anyhow::Result<Self> {
        // A query that is not understood would be passed over, and the password sent for all to read.
        if let Some((_, query)) = url.split_once('?')
            && query != "tls=required"
        {
            bail!("the mail server's URL may end in ?tls=required, and in no other query");
        }
        let transport = AsyncSmtpTransport::<Tokio1Executor>::from_url(url)
            .ok()
            .context(
                "the mail server's URL can't be used: give smtps://USER:PASSWORD@HOST:PORT, \
                 or smtp:// with ?tls=required for STARTTLS, with user and password percent-encoded",
            )?
            .timeout(Some(CONNECTS_WITHIN))
            .build();
        Ok(Self {
            transport,
            from: sender(from)?,
            takes_within: TAKES_WITHIN,
            host: url::Url::parse(url)
                .ok()
                .and_then(|url| url.host_str().map(Arc::from))
                .unwrap_or_default(),
        })
    }

    /// Greets the server, signs in where the URL says so, and hangs up.
    ///
    /// # Errors
    /// When it can't be reached, or lets us not in.
    pub async fn greet(&self) -> anyhow::Result<()> {
        let greeted = timeout(CONNECTS_WITHIN, self.transport.test_connection()).await;
        ensure!(
            greeted.context("the mail server does not answer")??,
            "the mail server does not answer as one does"
        );
        Ok(())
    }
}

#[async_trait]
impl Mailer for Smtp {
    async fn send(&self, message: &Message) -> Result<(), MailError> {
        let mail = compose(&self.from, message)?;
        let span =
            Span::here(|| About::asks("send mail").with("server.address", self.host.to_string()));
        let sending = timeout(self.takes_within, self.transport.send(mail));
        // The timeout that the transport knows ends with the connecting.
        let Ok(sent) = span.around(sending).await else {
            span.failed("timeout");
            return Err(MailError::Unreachable(format!(
                "the mail server did not take it within {:?}",
                self.takes_within
            )));
        };
        let Err(error) = sent else {
            return Ok(());
        };
        // The only complaint of the client's own about one address: not in ASCII, for a server without SMTPUTF8 (RFC 6531).
        let unwritable = error.is_client() && !message.to.is_ascii();
        let is_refused = unwritable || refuses_for_good(&error);
        span.failed(if is_refused { "refused" } else { "unreachable" });
        if is_refused {
            Err(MailError::Refused(error.to_string()))
        } else {
            Err(MailError::Unreachable(error.to_string()))
        }
    }
}

/// Whether the server's answer is about this mail or its receiver, and final.
fn refuses_for_good(error: &Error) -> bool {
    let answer = error.source().map(ToString::to_string).unwrap_or_default();
    error.is_permanent()
        && error
            .status()
            .is_some_and(|code| is_about_the_mail(code, &answer))
}

/// Whether a final answer is about the mail or its receiver. Those about the sender, the password or the conversation are for the operator
/// to mend, and mail should not be lost until that is done.
///
/// By the enhanced status code (RFC 3463) that an answer mostly begins with: `5.1` speaks of addresses, whereof `5.1.7` and `5.1.8` are the
/// sender's; `5.7` of who may send. Else by the reply code (RFC 5321, 4.2.1): `55x` speaks of the mail, `50x` of syntax, `52x` of the
/// connection, `53x` of authentication.
fn is_about_the_mail(code: Code, answer: &str) -> bool {
    let enhanced = answer.split_whitespace().next().unwrap_or_default();
    match enhanced.split('.').collect::<Vec<_>>()[..] {
        ["5", "1", "7" | "8"] | ["5", "7", _] => false,
        ["5", "1", _] => true,
        _ => code.category == Category::MailSystem,
    }
}

#[cfg(test)]
mod tests {
    use lettre::transport::smtp::response::{Detail, Severity};

    use super::*;

    const FROM: &str = "Staygate <no-reply@example.com>";

    #[test]
    fn a_url_says_how_the_server_is_reached() {
        for url in [
            "smtp://127.0.0.1:2525",
            "smtp://mail.example.com",
            "smtp://ann:s%40crt@mail.example.com?tls=required",
            "smtps://ann:s%40crt@mail.example.com:4650",
        ] {
            assert!(Smtp::new(url, FROM).is_ok(), "{url} was refused");
        }
        assert!(Smtp::new("smtp://127.0.0.1", "nobody").is_err());
    }

    #[test]
    fn no_error_of_a_url_shows_its_password() {
        for url in [
            "smtp://ann:hunter2",
            "smtp://ann:hunter2@mail.example.com?tls=requird",
            "smtp://ann:hunter2@mail.example.com?starttls=yes",
            "smtp://ann:hunter2@mail.example.com?tls=none",
            "smtp://ann:hunter2@mail example.com",
            "smtp://ann:hunter2@:25",
            "smtp://ann:hunter2%ff@mail.example.com",
            "smtp://ann:hunter2@mail.example.com:port",
            "https://ann:hunter2@mail.example.com",
            "hunter2",
            "hunter2:x",
        ] {
            let error = Smtp::new(url, FROM).expect_err(url);
            assert!(!format!("{error:?} {error:#}").contains("hunter2"), "{url}");
        }
        let good = Smtp::new("smtps://ann:hunter2@mail.example.com", FROM).unwrap();
        assert!(!format!("{good:?}").contains("hunter2"));
    }

    #[test]
    fn only_what_is_about_the_mail_is_a_refusal() {
        let code = |category, detail| Code {
            severity: Severity::PermanentNegativeCompletion,
            category,
            detail,
        };
        let of_mail = |detail| code(Category::MailSystem, detail);
        for (code, answer, refused) in [
            (of_mail(Detail::Zero), "5.1.1 no such mailbox", true),
            (of_mail(Detail::Zero), "no such mailbox", true),
            (of_mail(Detail::Two), "5.2.2 mailbox full", true),
            (of_mail(Detail::Four), "5.7.1 relay access denied", false),
            (
                of_mail(Detail::Zero),
                "5.1.8 sender's domain unknown",
                false,
            ),
            (
                code(Category::Syntax, Detail::One),
                "5.1.3 bad address",
                true,
            ),
            (
                code(Category::Syntax, Detail::Two),
                "no such command",
                false,
            ),
            (
                code(Category::Unspecified3, Detail::Five),
                "5.7.8 wrong password",
                false,
            ),
            (
                code(Category::Unspecified3, Detail::Five),
                "wrong password",
                false,
            ),
        ] {
            assert_eq!(is_about_the_mail(code, answer), refused, "{code} {answer}");
        }
    }

    #[tokio::test]
    async fn a_server_that_says_nothing_does_not_hold_the_sender_up() {
        let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("smtp://{}", silent.local_addr().unwrap());
        let smtp = Smtp {
            takes_within: Duration::from_millis(50),
            ..Smtp::new(&url, FROM).unwrap()
        };
        let message = Message {
            id: "0a1b".into(),
            to: "ann@example.com".into(),
            subject: "Hello".into(),
            text: "Hello".into(),
            html: "<p>Hello".into(),
        };
        let sent = smtp.send(&message).await;
        assert!(matches!(sent, Err(MailError::Unreachable(_))), "{sent:?}");
    }
}
