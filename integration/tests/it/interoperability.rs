//! Who reads whom: every algorithm and form, Postern on the one side, each S/MIME program that can be had on the other, both
//! ways. What comes out is `docs/interoperability.md`; `BLESS=1` writes it anew.
//!
//! A program that cannot do a thing is no failure, and its own words are kept. That Postern cannot is one, and so is it when
//! nobody but Postern reads what Postern wrote.

mod posterns;
mod rows;
mod table;

use std::fmt::Display;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use certstore::cms;
use integration::gateway::Setup;
use integration::mails::Mail;
use integration::peers::{self, Peer};
use integration::pki::pki;
use integration::{mime, openssl, process};

use posterns::{Postern, Posterns};
use rows::{People, Row};
use table::{Cell, Page};

#[test]
fn everybody_reads_everybody() -> Result<()> {
    let peers: Vec<Column> = peers::all().into_iter().map(Column::of).collect();
    let rows = rows::all();
    let posterns = Posterns::start(&rows)?;
    let mut page = Page::new(&peers);
    let mut matrix = Matrix {
        peers: &peers,
        posterns: &posterns,
        failures: Vec::new(),
    };
    for row in &rows {
        if row.profile.is_some() {
            page.written.push((row.name.clone(), matrix.outward(row)));
        }
        page.read.push((row.name.clone(), matrix.inward(row)));
    }
    let (written, read) = matrix.certificates_alone()?;
    page.written.push((CERTIFICATES_ALONE.to_owned(), written));
    page.read.push((CERTIFICATES_ALONE.to_owned(), read));
    let failures = matrix.failures;
    assert!(failures.is_empty(), "\n{}\n", failures.join("\n"));
    page.compare()
}

const CERTIFICATES_ALONE: &str = "certificates alone";

/// A program, and its version if it is there.
pub(crate) struct Column {
    peer: Box<dyn Peer>,
    version: Option<String>,
}

impl Column {
    fn of(peer: Box<dyn Peer>) -> Self {
        let version = peer.version();
        if let Err(error) = &version {
            println!("{}: {error:#}", peer.name());
        }
        Self {
            peer,
            version: version.ok(),
        }
    }

    fn ask(&self, ask: impl FnOnce(&dyn Peer) -> Result<Vec<u8>>) -> Option<Result<Vec<u8>>> {
        self.version.as_ref().map(|_| ask(self.peer.as_ref()))
    }
}

/// Those who write and read, and what went wrong so far.
struct Matrix<'a> {
    peers: &'a [Column],
    posterns: &'a Posterns,
    failures: Vec<String>,
}

impl Matrix<'_> {
    /// Postern writes; each of the others, and a second Postern, reads.
    fn outward(&mut self, row: &Row) -> Vec<Cell> {
        let people = row.people(posterns::HERE);
        let mail = row.mail(people);
        let Some(written) = self.written(row, &self.posterns.here, &mail, people) else {
            return vec![Cell::failed(); self.peers.len() + 1];
        };
        let peers = self.peers;
        let mut cells: Vec<Cell> = peers
            .iter()
            .map(|column| {
                let read = column.ask(|peer| row.read_by(peer, &written, people));
                let cell = Cell::of(read, &mail.leaves).unwrap_or_else(|difference| {
                    self.failed(row, column.peer.name(), &difference);
                    Cell::failed()
                });
                if let Cell::Cannot(_) = &cell {
                    self.look_for_another(row, column, people, &mail);
                }
                cell
            })
            .collect();
        if cells.contains(&Cell::Works) == row.is_unknown_to_others() {
            self.failed(row, "who else reads it", &format!("{cells:?}"));
        }
        cells.push(self.by_postern(
            row,
            &self.posterns.there,
            &written,
            people,
            &mail,
            "Postern",
        ));
        cells
    }

    /// Each of the others writes, and a second Postern; Postern reads.
    fn inward(&mut self, row: &Row) -> Vec<Cell> {
        let people = row.people(posterns::THERE);
        let mail = row.mail(people);
        let entity = mime::entity(&mail.content);
        let (peers, here) = (self.peers, &self.posterns.here);
        let mut cells = Vec::new();
        for column in peers {
            let name = column.peer.name();
            cells.push(
                match column.ask(|peer| row.made_by(peer, &entity, people)) {
                    None => Cell::NotInstalled,
                    Some(Err(refusal)) => Cell::Cannot(refusal.to_string()),
                    Some(Ok(made)) => {
                        let made = mime::dress(&mail.content, &made);
                        match row.check(&made) {
                            Ok(()) => self.by_postern(row, here, &made, people, &mail, name),
                            // Something else than it was asked for.
                            Err(difference) => Cell::Cannot(difference.to_string()),
                        }
                    }
                },
            );
        }
        cells.push(match &row.profile {
            None => Cell::NotWritten,
            Some(_) => match self.written(row, &self.posterns.there, &mail, people) {
                None => Cell::failed(),
                Some(made) => self.by_postern(row, here, &made, people, &mail, "Postern"),
            },
        });
        cells
    }

    /// What a Postern writes, if it does, as it must.
    fn written(&mut self, row: &Row, by: &Postern, mail: &Mail, people: People) -> Option<Vec<u8>> {
        let written = by
            .pass(&mail.content, people)
            .and_then(|written| row.check(&written).map(|()| written));
        written
            .inspect_err(|error| self.failed(row, "Postern does not write it", error))
            .ok()
    }

    /// What a Postern makes of a mail that `writer` made.
    fn by_postern(
        &mut self,
        row: &Row,
        reader: &Postern,
        made: &[u8],
        people: People,
        original: &Mail,
        writer: &str,
    ) -> Cell {
        let read = reader
            .pass(made, people)
            .and_then(|arrived| row.is_read(made, &arrived, original));
        match read {
            Ok(()) if row.is_weak() => Cell::Weak,
            Ok(()) => Cell::Works,
            Err(error) => {
                self.failed(
                    row,
                    &format!("Postern does not read it from {writer}"),
                    &error,
                );
                Cell::failed()
            }
        }
    }

    /// Who cannot read what Postern wrote must not be able to read the same from the hand of somebody else.
    fn look_for_another(&mut self, row: &Row, reader: &Column, people: People, mail: &Mail) {
        let entity = mime::entity(&mail.content);
        let name = reader.peer.name();
        for writer in self
            .peers
            .iter()
            .filter(|writer| writer.peer.name() != name)
        {
            let made = writer.ask(|peer| row.made_by(peer, &entity, people));
            let Some(Ok(made)) = made else { continue };
            let made = mime::dress(&mail.content, &made);
            if row.check(&made).is_err() {
                continue;
            }
            if let Some(Ok(_)) = reader.ask(|peer| row.read_by(peer, &made, people)) {
                let other = writer.peer.name();
                self.failed(
                    row,
                    name,
                    &format!("it reads that of {other}, but not Postern's"),
                );
            }
        }
    }

    fn failed(&mut self, row: &Row, what: &str, why: &dyn Display) {
        self.failures.push(format!("{}: {what}: {why:#}", row.name));
    }

    /// Files with bob's certificate and nothing else: made by Postern's library, which no command of the program shows, and
    /// imported by its command.
    fn certificates_alone(&self) -> Result<(Vec<Cell>, Vec<Cell>)> {
        let bob = pki()?.bob();
        let mut openssl = Command::new("openssl");
        openssl.args(["x509", "-outform", "DER", "-in"]);
        let der = process::run(openssl.arg(&bob.certificate), b"")?;
        let ours = cms::certificate_bundle(&[&der]);
        let mut written = Vec::new();
        let mut read = Vec::new();
        for column in self.peers {
            let found = column.ask(|peer| peer.certificate(&ours));
            written.push(match found {
                None => Cell::NotInstalled,
                Some(Err(refusal)) => Cell::Cannot(refusal.to_string()),
                Some(Ok(found)) => {
                    ensure!(found == der, "{}: another certificate", column.peer.name());
                    Cell::Works
                }
            });
            read.push(match column.ask(|peer| peer.certificates(&bob)) {
                None => Cell::NotInstalled,
                Some(Err(refusal)) => Cell::Cannot(refusal.to_string()),
                Some(Ok(theirs)) => {
                    import_alone(&theirs).context(column.peer.name())?;
                    Cell::Works
                }
            });
        }
        import_alone(&ours).context("Postern")?;
        written.push(Cell::Works);
        read.push(Cell::Works);
        Ok((written, read))
    }
}

/// `postern cert import` of a file finds bob's certificate in it.
fn import_alone(message: &[u8]) -> Result<()> {
    let gateway = Setup::default().write()?;
    let file = gateway.file("bob.p7b");
    std::fs::write(&file, message)?;
    gateway.import_certificate(&file)?;
    let found = gateway.ask(&["cert", "find", "bob@partner.example"])?;
    let sha256 = openssl::fingerprint(&pki()?.bob().certificate)?;
    ensure!(found["certificate"]["sha256"] == sha256.as_str(), "{found}");
    Ok(())
}
