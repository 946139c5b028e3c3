//! What is counted can be read.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::Result;
use integration::gateway::Setup;
use integration::sink::Sink;
use integration::{mails, process};

use crate::{ALICE, BOB};

fn figures(address: SocketAddr) -> Result<String> {
    let mut stream = TcpStream::connect(address)?;
    stream.write_all(b"GET /metrics HTTP/1.0\r\nHost: x\r\n\r\n")?;
    let mut page = String::new();
    stream.read_to_string(&mut page)?;
    Ok(page)
}

#[test]
fn a_message_is_counted_on_its_whole_way() -> Result<()> {
    let sink = Sink::start()?;
    let address = process::free_address()?;
    let gateway = Setup::default()
        .tables(&format!("[metrics]\naddress = \"{address}\"\n"))
        .next_hop(sink.address())
        .start()?;
    let mail = mails::plain(ALICE, BOB).content;
    for _ in 0..2 {
        gateway.send(ALICE, &[BOB], &mail)?.accepted()?;
    }
    let nobody = "nobody@partner.example";
    gateway.send(ALICE, &[nobody], &mail)?;
    sink.wait(2)?;
    let expected = [
        "postern_messages_total{outcome=\"stored\"} 2",
        "postern_recipients_total{rule=\"out\"} 2",
        "postern_lookups_total{source=\"local\",outcome=\"found\"} 1",
        "postern_lookups_total{source=\"harvested\",outcome=\"none\"} 1",
        "postern_deliveries_total{outcome=\"delivered\"} 2",
        "postern_message_seconds_count 2",
        "postern_queue_length 0",
        "postern_sessions 0",
        "# TYPE postern_delivery_seconds histogram",
        "text/plain; version=0.0.4",
    ];
    let mut page = String::new();
    let told = process::until(Duration::from_secs(20), "all figures", || {
        page = figures(address).unwrap_or_default();
        expected
            .iter()
            .all(|line| page.contains(line))
            .then_some(())
    });
    told.map_err(|error| anyhow::anyhow!("{error}: {page}"))?;
    assert!(
        page.contains("postern_cache_questions_total{outcome=\"fresh\"}"),
        "{page}"
    );
    for secret in [ALICE, BOB, nobody] {
        assert!(!page.contains(secret));
    }
    Ok(())
}
