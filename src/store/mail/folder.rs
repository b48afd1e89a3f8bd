//! For development: mail becomes a file, and a line in the log says where.

use std::path::PathBuf;

use async_trait::async_trait;
use lettre::message::Mailbox;
use tokio::fs;
use uuid::Uuid;

use super::{
    MailError, Mailer, Message,
    compose::{compose, sender},
};

/// Writes each mail into a folder, as a file that mail programs open. Sorted by name, files are in the order of writing.
#[derive(Debug, Clone)]
pub struct Folder {
    dir: PathBuf,
    from: Mailbox,
}

impl Folder {
    /// A folder for mail from `from`, which is an address with or without a name. It is made when the first mail is written.
    ///
    /// # Errors
    /// When `from` is no address.
    pub fn new(dir: PathBuf, from: &str) -> anyhow::Result<Self> {
        Ok(Self {
            dir,
            from: sender(from)?,
        })
    }
}

#[async_trait]
impl Mailer for Folder {
    async fn send(&self, message: &Message) -> Result<(), MailError> {
        let mail = compose(&self.from, message)?.formatted();
        let path = self.dir.join(format!("{}.eml", Uuid::now_v7()));
        let written = async {
            fs::create_dir_all(&self.dir).await?;
            // Under its own name only once it is whole: somebody may be reading every file that turns up.
            let unfinished = path.with_extension("part");
            fs::write(&unfinished, mail).await?;
            fs::rename(&unfinished, &path).await
        };
        written.await.map_err(|error| {
            MailError::Unreachable(format!("{} can't be written: {error}", path.display()))
        })?;
        tracing::info!(subject = ?message.subject, file = %path.display(), "wrote a mail");
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use mail_parser::MessageParser;

    use super::*;

    fn message(subject: &str) -> Message {
        Message {
            id: "0a1b".into(),
            to: "ann@example.com".into(),
            subject: subject.into(),
            text: "Hello Ann".into(),
            html: "<p>Hello Ann</p>".into(),
        }
    }

    #[tokio::test]
    async fn a_listing_of_the_folder_is_the_mail_in_order() {
        let parent = tempfile::tempdir().unwrap();
        let dir = parent.path().join("made/when/needed");
        let folder = Folder::new(dir.clone(), "Staygate <no-reply@example.com>").unwrap();
        assert!(
            !dir.exists(),
            "the folder was made before there was any mail"
        );
        let sent: Vec<String> = (0..20).map(|number| format!("Mail {number}")).collect();
        for subject in &sent {
            folder.send(&message(subject)).await.unwrap();
        }

        let mut files: Vec<PathBuf> = std::fs::read_dir(&dir)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .collect();
        files.sort();
        let subjects: Vec<String> = files
            .iter()
            .map(|file| {
                assert!(file.extension().is_some_and(|name| name == "eml"));
                let raw = std::fs::read(file).unwrap();
                let mail = MessageParser::default().parse(&raw).unwrap();
                assert_eq!(mail.body_text(0).unwrap().trim(), "Hello Ann");
                assert_eq!(mail.body_html(0).unwrap().trim(), "<p>Hello Ann</p>");
                mail.subject().unwrap().to_owned()
            })
            .collect();
        assert_eq!(subjects, sent);
    }

    #[tokio::test]
    async fn a_folder_that_can_t_be_made_may_be_mended_later() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let folder = Folder::new(file.path().join("mail"), "no-reply@example.com").unwrap();
        assert!(matches!(
            folder.send(&message("Hello")).await,
            Err(MailError::Unreachable(_))
        ));
    }
}
