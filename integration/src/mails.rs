//! The mails that the stories send: one of each kind that a mail program makes, each with what must come out of it.

use encodify::base64;

use crate::mime::Leaf;

/// A mail with CRLF line ends.
#[derive(Debug, Clone)]
pub struct Mail {
    /// A short name for messages about it.
    pub name: &'static str,
    /// The whole mail: header block, blank line, body.
    pub content: Vec<u8>,
    /// What its leaf parts hold, transfer encodings undone: this must survive every kind of treatment.
    pub leaves: Vec<Leaf>,
}

/// Marks content that must nowhere be readable. Quoted-printable writes it differently.
pub const MARKER: &str = "MARKER-f3a91c=do-not-leak";

/// Every form in which the [`MARKER`] would still be readable: as it is, in quoted-printable, and in base64 wherever in
/// a group of three bytes it begins.
#[must_use]
pub fn readable_markers() -> Vec<Vec<u8>> {
    let mut forms = vec![
        MARKER.as_bytes().to_vec(),
        MARKER.replace('=', "=3D").into_bytes(),
    ];
    for before in 0..3 {
        let text = format!("{}{MARKER}", &"   "[..before]);
        let encoded = base64::STANDARD.encode(&text);
        // Only the characters that depend on the marker alone: not the first, where a neighbour's bits are, nor the end.
        let whole = text.len() / 3 * 4;
        let first = (before * 4).div_ceil(3);
        forms.push(encoded.as_bytes()[first..whole].to_vec());
    }
    forms
}

/// One mail of each kind but the [`large`] one.
#[must_use]
pub fn small(from: &str, to: &str) -> Vec<Mail> {
    vec![
        plain(from, to),
        utf8(from, to),
        html_with_attachments(from, to),
        nested(from, to),
        empty(from, to),
        dots(from, to),
    ]
}

/// A few lines of ASCII with the [`MARKER`].
#[must_use]
pub fn plain(from: &str, to: &str) -> Mail {
    let text =
        format!("Dear reader,\r\n\r\nthis is {MARKER}.\r\n-- \r\nA signature of the old kind\r\n");
    let head = head("plain", from, to);
    Mail {
        name: "plain",
        content: format!("{head}\r\n{text}").into_bytes(),
        leaves: vec![Leaf::new("text/plain", text)],
    }
}

/// The [`plain`] mail with a Message-ID of its own, angle brackets included.
#[must_use]
pub fn identified(from: &str, to: &str, id: &str) -> Vec<u8> {
    let head = head("plain", from, to).replace("<plain.1@example.org>", id);
    format!("{head}\r\nthis is {MARKER}\r\n").into_bytes()
}

/// UTF-8 text sent with eight bits, with a line that begins with "From ".
#[must_use]
pub fn utf8(from: &str, to: &str) -> Mail {
    let text = "Grüße aus Köln, 你好 🙂\r\nFrom here on all is well.  \r\n\tEnde\r\n";
    let head = head("utf8", from, to);
    let content = format!(
        "{head}MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\
         Content-Transfer-Encoding: 8bit\r\n\r\n{text}"
    );
    Mail {
        name: "utf8",
        content: content.into_bytes(),
        leaves: vec![Leaf::new("text/plain", text)],
    }
}

/// Text and HTML side by side, with a picture and a document.
#[must_use]
pub fn html_with_attachments(from: &str, to: &str) -> Mail {
    let picture = noise(3_000, 1);
    let document = noise(40_001, 2);
    let html = "<html><body><p>Gr&uuml;&szlig;e <b>fett</b></p></body></html>";
    let head = head("html", from, to);
    let mut content = format!(
        "{head}MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=\"=_outer\"\r\n\r\n\
         This is a message of several parts.\r\n\
         --=_outer\r\nContent-Type: multipart/alternative; boundary=\"=_inner\"\r\n\r\n\
         --=_inner\r\nContent-Type: text/plain; charset=utf-8\r\n\
         Content-Transfer-Encoding: quoted-printable\r\n\r\nGr=C3=BC=C3=9Fe =\r\nfett\r\n\
         --=_inner\r\nContent-Type: text/html; charset=us-ascii\r\n\r\n{html}\r\n--=_inner--\r\n"
    );
    attach(&mut content, "image/png", "bild.png", &picture);
    attach(&mut content, "application/pdf", "brief.pdf", &document);
    content.push_str("--=_outer--\r\n");
    Mail {
        name: "html",
        content: content.into_bytes(),
        leaves: vec![
            Leaf::new("text/plain", "Grüße fett"),
            Leaf::new("text/html", html),
            Leaf::new("image/png", picture),
            Leaf::new("application/pdf", document),
        ],
    }
}

/// A forwarded message within a message.
#[must_use]
pub fn nested(from: &str, to: &str) -> Mail {
    let inner = head("inner", "zoe@elsewhere.example", from);
    let head = head("nested", from, to);
    let content = format!(
        "{head}MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=\"=_outer\"\r\n\r\n\
         --=_outer\r\nContent-Type: text/plain\r\n\r\nsee below\r\n\
         --=_outer\r\nContent-Type: message/rfc822\r\n\r\n{inner}\r\nthe inner text\r\n\
         --=_outer--\r\n"
    );
    Mail {
        name: "nested",
        content: content.into_bytes(),
        leaves: vec![
            Leaf::new("text/plain", "see below"),
            Leaf::new("text/plain", "the inner text"),
        ],
    }
}

/// No body at all.
#[must_use]
pub fn empty(from: &str, to: &str) -> Mail {
    let head = head("empty", from, to);
    Mail {
        name: "empty",
        content: format!("{head}\r\n").into_bytes(),
        leaves: vec![Leaf::new("text/plain", "")],
    }
}

/// Lines that a careless DATA reader or writer takes for the end.
#[must_use]
pub fn dots(from: &str, to: &str) -> Mail {
    let text = ".\r\n..\r\n...\r\n.x\r\n\r\n.\r\n";
    let head = head("dots", from, to);
    Mail {
        name: "dots",
        content: format!("{head}\r\n{text}").into_bytes(),
        leaves: vec![Leaf::new("text/plain", text)],
    }
}

/// An attachment of `size` bytes (before base64).
#[must_use]
pub fn large(from: &str, to: &str, size: usize) -> Mail {
    let film = noise(size, 3);
    let head = head("large", from, to);
    let mut content = format!(
        "{head}MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=\"=_outer\"\r\n\r\n\
         --=_outer\r\nContent-Type: text/plain\r\n\r\nwith a film\r\n"
    );
    attach(&mut content, "application/octet-stream", "film.bin", &film);
    content.push_str("--=_outer--\r\n");
    Mail {
        name: "large",
        content: content.into_bytes(),
        leaves: vec![
            Leaf::new("text/plain", "with a film"),
            Leaf::new("application/octet-stream", film),
        ],
    }
}

/// The header block of a mail without content fields; each line ends in CRLF.
#[must_use]
pub fn head(subject: &str, from: &str, to: &str) -> String {
    format!(
        "From: <{from}>\r\nTo: <{to}>\r\nSubject: {subject}\r\n\
         Date: Tue, 24 Nov 2026 12:00:00 +0000\r\nMessage-ID: <{subject}.1@example.org>\r\n"
    )
}

fn attach(content: &mut String, kind: &str, name: &str, bytes: &[u8]) {
    content.push_str(&format!(
        "--=_outer\r\nContent-Type: {kind}; name=\"{name}\"\r\nContent-Transfer-Encoding: base64\r\n\
         Content-Disposition: attachment; filename=\"{name}\"\r\n\r\n"
    ));
    content.push_str(&base64::MIME.encode(bytes));
    content.push_str("\r\n");
}

/// Bytes without pattern, the same ones for each seed (xorshift64*, Vigna 2016).
fn noise(size: usize, seed: u64) -> Vec<u8> {
    let mut state = seed;
    let mut bytes = Vec::with_capacity(size + 8);
    while bytes.len() < size {
        state ^= state >> 12;
        state ^= state << 25;
        state ^= state >> 27;
        bytes.extend_from_slice(&state.wrapping_mul(0x2545_F491_4F6C_DD1D).to_le_bytes());
    }
    bytes.truncate(size);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mime;

    #[test]
    fn a_marker_is_found_in_every_disguise() {
        for before in 0..7 {
            let text = format!("{}{MARKER} and more", "abcdefg".split_at(before).0);
            let encoded = base64::STANDARD.encode(&text);
            let shown = readable_markers()
                .iter()
                .any(|form| mime::find(encoded.as_bytes(), form).is_some());
            assert!(shown, "{before}");
        }
    }

    #[test]
    fn each_mail_holds_what_it_says() -> anyhow::Result<()> {
        let mut mails = small("a@example.org", "b@partner.example");
        mails.push(large("a@example.org", "b@partner.example", 100_000));
        for mail in mails {
            assert_eq!(mime::leaves(&mail.content)?, mail.leaves, "{}", mail.name);
            let bare = mail
                .content
                .windows(2)
                .any(|w| w[1] == b'\n' && w[0] != b'\r');
            assert!(!bare, "{}", mail.name);
        }
        Ok(())
    }
}
