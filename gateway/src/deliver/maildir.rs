//! Delivery into a maildir folder, for trying things out: one file per recipient, each written whole before it appears.
//!
//! The name is made from the copy and the recipient, so that a delivery that is tried again after a crash finds itself done.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{ErrorKind, Result, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

use super::attempt::Mail;
use crate::spool::CopyId;

/// Writes the mail for each of its recipients. What was there already is left as it is.
///
/// # Errors
/// What the disk says; those written before stay written.
pub(super) fn deliver(folder: &Path, id: CopyId, mail: &Mail<'_>, content: &[u8]) -> Result<()> {
    for name in ["", "tmp", "new", "cur"] {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder.join(name))?;
    }
    let sender = mail.reverse_path.map_or("", |address| address.as_str());
    for recipient in &mail.recipients {
        let head = format!("Return-Path: <{sender}>\r\nDelivered-To: {recipient}\r\n");
        let name = file_name(id, recipient.canonical());
        write(folder, &name, head.as_bytes(), content)?;
    }
    File::open(folder.join("new"))?.sync_all()
}

fn write(folder: &Path, name: &str, head: &[u8], content: &[u8]) -> Result<()> {
    let draft = folder.join("tmp").join(name);
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&draft)?;
    file.write_all(head)?;
    file.write_all(content)?;
    file.sync_all()?;
    let linked = std::fs::hard_link(&draft, folder.join("new").join(name));
    std::fs::remove_file(&draft)?;
    match linked {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}

/// The same for the same copy and recipient, and harmless whatever the address.
fn file_name(id: CopyId, recipient: &str) -> String {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, recipient.as_bytes());
    let start = digest.as_ref().first_chunk().copied().unwrap_or_default();
    format!("{id}.{:016x}", u64::from_be_bytes(start))
}

#[cfg(test)]
mod tests {
    use policy::address::Address;

    use super::*;
    use crate::spool::Transport;

    #[test]
    fn each_recipient_gets_a_whole_file_once() {
        let folder = tempfile::tempdir().unwrap();
        let maildir = folder.path().join("mail");
        let from = Address::parse("a@example.org").unwrap();
        let to = [
            Address::parse("\"../../b\"@example.com").unwrap(),
            Address::parse("c@example.com").unwrap(),
        ];
        let mail = Mail {
            reverse_path: Some(&from),
            recipients: to.iter().collect(),
            size: 0,
            needs_eight_bit: false,
            has_bare_line_end: false,
            smtputf8: false,
            transport: Transport::Private,
        };
        let id = "0123456789abcdef.1".parse().unwrap();
        let content = b"Subject: x\r\n\r\n.\r\n";
        deliver(&maildir, id, &mail, content).unwrap();
        deliver(&maildir, id, &mail, content).unwrap();
        let mut contents: Vec<_> = std::fs::read_dir(maildir.join("new"))
            .unwrap()
            .map(|entry| std::fs::read_to_string(entry.unwrap().path()).unwrap())
            .collect();
        contents.sort();
        assert_eq!(
            contents,
            [
                "Return-Path: <a@example.org>\r\nDelivered-To: \"../../b\"@example.com\r\nSubject: x\r\n\r\n.\r\n",
                "Return-Path: <a@example.org>\r\nDelivered-To: c@example.com\r\nSubject: x\r\n\r\n.\r\n",
            ]
        );
        assert_eq!(std::fs::read_dir(maildir.join("tmp")).unwrap().count(), 0);
    }
}
