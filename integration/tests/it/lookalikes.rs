//! A verdict cannot be forged: header fields that look like ours are gone before ours is written.

use anyhow::Result;
use integration::gateway::{HOSTNAME, Setup};
use integration::mime;
use integration::sink::Sink;

use crate::{ALICE, BOB};

#[test]
fn a_forged_verdict_is_removed_and_others_stay() -> Result<()> {
    let sink = Sink::start()?;
    let gateway = Setup::default().next_hop(sink.address()).start()?;
    let ours = HOSTNAME.to_uppercase();
    let forged = [
        format!("Authentication-Results: {HOSTNAME}; smime=pass reason=\"forged\""),
        format!("authentication-results: {ours}; smime=pass reason=\"forged\""),
        format!("Authentication-Results : {HOSTNAME}; smime=pass reason=\"forged\""),
        format!(
            "Authentication-Results: (a comment)\r\n {HOSTNAME} 1; smime=pass reason=\"forged\""
        ),
        format!("Authentication-Results: \"{HOSTNAME}\"; smime=pass reason=\"forged\""),
        "X-Postern-Verdict: forged".to_owned(),
        "x-postern-anything: forged".to_owned(),
    ]
    .join("\r\n");
    let mail = format!(
        "{forged}\r\nAuthentication-Results: mx.elsewhere.example; spf=pass\r\nFrom: <{BOB}>\r\n\
         To: <{ALICE}>\r\nX-Other: kept  as is\r\nSubject: forged?\r\n\r\nforged only in the body\r\n"
    );
    gateway.send(BOB, &[ALICE], mail.as_bytes())?.accepted()?;
    let arrived = sink.only()?.content;
    let (head, body) = mime::split(&arrived);
    let head = String::from_utf8(head.to_vec())?;
    assert_eq!(head.matches("forged").count(), 1, "{head}");
    assert_eq!(body, b"forged only in the body\r\n");
    let verdicts = mime::values(&arrived, "Authentication-Results");
    assert_eq!(verdicts.len(), 2, "{verdicts:?}");
    assert!(verdicts[0].starts_with(HOSTNAME), "{verdicts:?}");
    assert!(verdicts[0].contains("smime=none"), "{verdicts:?}");
    // What was not ours stands byte for byte as it came.
    let kept = "Authentication-Results: mx.elsewhere.example; spf=pass\r\n";
    let rest = format!("{kept}From: <{BOB}>\r\nTo: <{ALICE}>\r\nX-Other: kept  as is\r\n");
    assert!(head.contains(&rest), "{head}");
    Ok(())
}
