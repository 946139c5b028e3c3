//! A refusal by the next hop comes back to the sender as a delivery status notification (RFC 3464), without the content.

use anyhow::{Context, Result};
use integration::gateway::Setup;
use integration::mails;
use integration::mime;
use integration::sink::{Answer, Sink, Step};

use crate::{ALICE, BOB};

#[test]
fn a_refused_mail_is_reported_to_its_sender() -> Result<()> {
    let sink = Sink::start()?;
    sink.answer(|step| match step {
        Step::Recipient(BOB) => Answer::Reply("550 5.1.1 no such user"),
        _ => Answer::Accept,
    });
    let gateway = Setup::default().next_hop(sink.address()).start()?;
    let mail = mails::plain(ALICE, BOB);
    gateway.send(ALICE, &[BOB], &mail.content)?.accepted()?;
    let report = sink.only()?;
    assert_eq!(report.sender, "");
    assert_eq!(report.recipients, [ALICE]);
    let kind = mime::values(&report.content, "Content-Type").concat();
    assert!(kind.starts_with("multipart/report"), "{kind}");
    let leaves = mime::leaves(&report.content)?;
    let status = leaves
        .iter()
        .find(|leaf| leaf.kind == "message/delivery-status")
        .context("no status part")?;
    let status = String::from_utf8(status.content.clone())?;
    assert!(status.contains("Action: failed"), "{status}");
    assert!(status.contains("5.1.1") && status.contains(BOB), "{status}");
    for form in mails::readable_markers() {
        assert_eq!(mime::find(&report.content, &form), None);
    }
    gateway.wait_until_empty()
}

#[test]
fn a_report_does_not_tell_the_subject_that_the_mail_hides() -> Result<()> {
    let sink = Sink::start()?;
    sink.answer(|step| match step {
        Step::Recipient(BOB) => Answer::Reply("550 5.1.1 no such user"),
        _ => Answer::Accept,
    });
    let gateway = Setup::default()
        .top("default-profile = \"modern\"")
        .next_hop(sink.address())
        .start()?;
    let mail = mails::html_with_attachments(ALICE, BOB);
    gateway.send(ALICE, &[BOB], &mail.content)?.accepted()?;
    let report = sink.only()?.content;
    assert!(mime::find(&mail.content, b"Subject: html").is_some());
    assert_eq!(mime::find(&report, b"Subject: html"), None);
    assert!(mime::find(&report, b"Subject: [...]").is_some());
    gateway.wait_until_empty()
}

#[test]
fn a_report_that_cannot_be_delivered_is_not_reported() -> Result<()> {
    let sink = Sink::start()?;
    sink.answer(|step| match step {
        Step::Recipient(_) => Answer::Reply("550 5.1.1 no such user"),
        _ => Answer::Accept,
    });
    let gateway = Setup::default().next_hop(sink.address()).start()?;
    let mail = mails::plain(ALICE, BOB);
    gateway.send(ALICE, &[BOB], &mail.content)?.accepted()?;
    gateway.wait_until_empty()?;
    assert_eq!(sink.count(), 0);
    Ok(())
}
