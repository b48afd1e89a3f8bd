//! What arrived by mail.

use std::path::{Path, PathBuf};

use mail_parser::MessageParser;

/// A mail, as its reader sees it.
#[derive(Debug)]
pub struct Mail {
    /// Its `Message-ID`.
    pub id: String,
    /// The address that it is for.
    pub to: String,
    pub subject: String,
    pub text: String,
    pub html: String,
    /// The names of all its headers.
    pub headers: Vec<String>,
}

impl Mail {
    /// The secret of the link in it.
    pub fn token(&self) -> String {
        let (_, rest) = self.text.split_once("#token=").expect("a link in the mail");
        let token = rest.split_whitespace().next().expect("a token");
        assert!(self.html.contains(token), "both forms have the same link");
        token.to_owned()
    }
}

/// The mails in a folder for one address, oldest first.
pub fn mails_in(folder: &Path, address: &str) -> Vec<Mail> {
    let mut files = files_in(folder);
    // The server's files are named by their receivers; those of a folder are not.
    files.retain(|file| {
        let name = file.file_name().expect("a name").to_string_lossy();
        !name.contains('@') || name.ends_with(&format!(".{address}.eml"))
    });
    let mails = files.iter().map(|file| read(file));
    mails.filter(|mail| mail.to == address).collect()
}

/// All mails in a folder, oldest first.
pub fn all_mails_in(folder: &Path) -> Vec<Mail> {
    files_in(folder).iter().map(|file| read(file)).collect()
}

/// The files of whole mails.
fn files_in(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .map(|entries| {
            entries
                .map(|entry| entry.expect("an entry").path())
                .collect()
        })
        .unwrap_or_default();
    files.retain(|file| {
        let name = file.file_name().expect("a name").to_string_lossy();
        !name.starts_with('.') && name.ends_with(".eml")
    });
    files.sort();
    files
}

fn read(file: &Path) -> Mail {
    let raw = std::fs::read(file).expect("a mail");
    let mail = MessageParser::default().parse(&raw).expect("a mail");
    let to = mail.to().and_then(|list| list.first()?.address());
    Mail {
        id: mail.message_id().expect("a Message-ID").to_owned(),
        to: to.unwrap_or_default().to_owned(),
        subject: mail.subject().unwrap_or_default().to_owned(),
        text: mail.body_text(0).unwrap_or_default().into_owned(),
        html: mail.body_html(0).unwrap_or_default().into_owned(),
        headers: mail
            .headers()
            .iter()
            .map(|header| header.name().to_owned())
            .collect(),
    }
}
