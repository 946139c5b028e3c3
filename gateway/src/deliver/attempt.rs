//! One mail transaction over one connection (RFC 5321, section 3.3), and what it came to for each recipient.
//!
//! A refusal of MAIL or of the content holds for all; a refusal of RCPT for that recipient alone. Whatever is cut short is
//! temporary. What the next hop does not offer but the mail needs is found out before anything is sent.

use policy::address::Address;
use smtp_proto::{EXT_8BIT_MIME, EXT_SIZE, EXT_SMTP_UTF8, Response};

use super::client::{Broken, Connection, Interrupted};
use super::verdict::Verdict;
use crate::spool::{Content, Fate, SpoolError, Transport};

/// What is to be sent.
#[derive(Debug)]
pub(super) struct Mail<'a> {
    pub(super) reverse_path: Option<&'a Address>,
    /// At most a hundred, which every server takes (RFC 5321, section 4.5.3.1.8).
    pub(super) recipients: Vec<&'a Address>,
    /// Length of the content, in bytes.
    pub(super) size: u64,
    pub(super) needs_eight_bit: bool,
    pub(super) has_bare_line_end: bool,
    pub(super) smtputf8: bool,
    pub(super) transport: Transport,
}

/// How a transaction ended.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Ended {
    /// A verdict for each recipient, in order.
    Verdicts(Vec<Verdict>),
    /// The connection had been closed while it waited; nothing was sent. A new one will do.
    Stale,
    /// The content could not be read; nothing was sent.
    Unreadable(SpoolError),
}

/// Sends a mail; its content is read only once all else is settled.
pub(super) async fn send(
    connection: &mut Connection,
    mail: &Mail<'_>,
    content: &mut Content<'_>,
) -> Ended {
    if let Some(verdict) = obstacle(connection, mail) {
        return Ended::Verdicts(vec![verdict; mail.recipients.len()]);
    }
    let was_used = connection.is_used();
    let mut verdicts = match envelope(connection, mail).await {
        Ok(verdicts) => verdicts,
        Err(_) if was_used => return Ended::Stale,
        Err(broken) => return Ended::Verdicts(vec![broken.verdict(); mail.recipients.len()]),
    };
    let is_accepted = |verdict: &Verdict| verdict.fate == Fate::Delivered;
    if verdicts.iter().any(is_accepted) {
        let outcome = match transfer(connection, content).await {
            Ok(verdict) => verdict,
            Err(Interrupted::Broken(broken)) => broken.verdict(),
            Err(Interrupted::Unreadable(error)) => return Ended::Unreadable(error),
        };
        for verdict in verdicts.iter_mut().filter(|verdict| is_accepted(verdict)) {
            verdict.clone_from(&outcome);
        }
    }
    Ended::Verdicts(verdicts)
}

/// What keeps this mail from this connection, whoever its recipients are.
fn obstacle(connection: &Connection, mail: &Mail<'_>) -> Option<Verdict> {
    let offers = &connection.offers;
    let limit = u64::try_from(offers.size).unwrap_or(u64::MAX);
    if mail.transport == Transport::Private && !connection.is_private() {
        // Temporary: the operator can mend it, and clear text is no way out.
        let text = "this mail may leave by verified TLS or loopback alone; set tls = \"required\" on its route";
        return Some(Verdict::deferred(7, 0, text));
    }
    if mail.needs_utf8() && !offers.has_capability(EXT_SMTP_UTF8) {
        let text = "the next hop does not offer SMTPUTF8, which this mail needs (RFC 6531)";
        return Some(Verdict::failed(6, 7, text));
    }
    if mail.needs_eight_bit && !offers.has_capability(EXT_8BIT_MIME) {
        // Changing the encoding would break signatures, and sending it all the same might lose bits (RFC 6152, section 3).
        let text = "the next hop does not offer 8BITMIME, and this mail has eight-bit content";
        return Some(Verdict::failed(6, 3, text));
    }
    if offers.has_capability(EXT_SIZE) && limit > 0 && mail.size > limit {
        let size = mail.size;
        let text = format!("the mail has {size} bytes, the next hop takes {limit}");
        return Some(Verdict::failed(3, 4, &text));
    }
    if mail.has_bare_line_end {
        let text = "the mail has a bare CR or LF, which cannot be sent (RFC 5321, section 2.3.8)";
        return Some(Verdict::failed(6, 0, text));
    }
    None
}

/// MAIL and RCPT: a verdict for each recipient, which is "delivered" for those accepted so far.
async fn envelope(connection: &mut Connection, mail: &Mail<'_>) -> Result<Vec<Verdict>, Broken> {
    let mut commands = Vec::with_capacity(mail.recipients.len() + 2);
    if connection.is_open {
        commands.push("RSET".to_owned());
    }
    let resets = commands.len();
    commands.push(mail_command(connection, mail));
    commands.extend(mail.recipients.iter().map(|to| format!("RCPT TO:<{to}>")));
    connection.begin();
    connection.is_open = true;
    let replies = connection.commands(&commands).await?;
    let mut replies = replies.iter().skip(resets);
    let sender = replies.next().map(Verdict::of);
    match sender.filter(|verdict| verdict.fate != Fate::Delivered) {
        Some(refusal) => Ok(vec![refusal; mail.recipients.len()]),
        None => Ok(replies.map(recipient_verdict).collect()),
    }
}

fn mail_command(connection: &Connection, mail: &Mail<'_>) -> String {
    let from = mail.reverse_path.map_or("", Address::as_str);
    let mut command = format!("MAIL FROM:<{from}>");
    if connection.offers.has_capability(EXT_SIZE) {
        command += &format!(" SIZE={}", mail.size);
    }
    if mail.needs_eight_bit {
        command += " BODY=8BITMIME";
    }
    if mail.needs_utf8() {
        command += " SMTPUTF8";
    }
    command
}

/// 552 to RCPT is an old way of saying 452, too many recipients (RFC 5321, section 4.5.3.1.10).
fn recipient_verdict(reply: &Response<String>) -> Verdict {
    let verdict = Verdict::of(reply);
    if reply.code == 552 {
        verdict.but_temporary()
    } else {
        verdict
    }
}

/// DATA and what follows: one verdict for all who were accepted.
async fn transfer(
    connection: &mut Connection,
    content: &mut Content<'_>,
) -> Result<Verdict, Interrupted> {
    let go = connection.command("DATA").await?;
    if go.code != 354 {
        let refusal = Verdict::of(&go);
        return Ok(match refusal.fate {
            Fate::Deferred | Fate::Failed => refusal,
            // No server may say this; it delivered nothing.
            Fate::Delivered => refusal.but_temporary(),
        });
    }
    let reply = connection.content(content).await?;
    connection.is_open = false;
    Ok(Verdict::of(&reply))
}

impl Mail<'_> {
    fn needs_utf8(&self) -> bool {
        let mut addresses = self.recipients.iter().copied().chain(self.reverse_path);
        self.smtputf8 || addresses.any(|address| !address.as_str().is_ascii())
    }
}

impl Broken {
    fn verdict(&self) -> Verdict {
        Verdict::deferred(4, 2, &format!("the connection broke off: {}", self.0))
    }
}
