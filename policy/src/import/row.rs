//! Rows of the table, and the many words for the same thing in them.

use crate::address::{Address, AddressError, canonical_domain};
use crate::diagnostic::{Diagnostic, Diagnostics, Place, Source};

/// Longest table that is read, in rows.
const MOST_ROWS: usize = 200_000;

/// One row, understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Row {
    /// Ready for `recipient`.
    pub(super) pattern: String,
    pub(super) reach: Reach,
    pub(super) orders: Orders,
}

/// How many addresses a pattern means; the fewest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Reach {
    Address,
    Domain,
    /// What lies below a domain; those with more labels, given as the number that they lack, are narrower.
    Below(usize),
    Everybody,
}

/// What a row orders.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Orders {
    pub(super) sign: Sign,
    pub(super) encrypt: Encrypt,
    pub(super) fallback: Fallback,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sign {
    Required,
    Preferred,
    No,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encrypt {
    Required,
    Preferred,
    No,
}

/// What happens without a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fallback {
    Reject,
    Clear,
    Hold,
    Ask,
    Tls,
}

const REQUIRED: [&str; 8] = [
    "required",
    "always",
    "yes",
    "true",
    "1",
    "mandatory",
    "force",
    "must",
];
const PREFERRED: [&str; 7] = [
    "preferred",
    "optional",
    "opportunistic",
    "allow",
    "if possible",
    "auto",
    "may",
];
const NO: [&str; 8] = ["no", "never", "false", "0", "off", "none", "", "forbidden"];

/// Names of the first column.
const HEADINGS: [&str; 6] = ["pattern", "recipient", "domain", "address", "email", "mail"];

/// Reads the rows; those that cannot be read are reported.
pub(super) fn read(source: &Source, diagnostics: &Diagnostics) -> Vec<Row> {
    let delimiter = delimiter(&source.text);
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(delimiter)
        .has_headers(false)
        .flexible(true)
        .trim(csv::Trim::All)
        .comment(Some(b'#'))
        .from_reader(source.text.as_bytes());
    let mut rows = Vec::new();
    for (number, record) in reader.records().enumerate() {
        let place = |offset: u64| source.place(usize::try_from(offset).unwrap_or(usize::MAX));
        let record = match record {
            Ok(record) => record,
            Err(error) => {
                let offset = error.position().map_or(0, csv::Position::byte);
                diagnostics.push(Diagnostic::error(place(offset), format!("no row: {error}")));
                continue;
            }
        };
        let column = |index: usize| record.get(index).unwrap_or_default();
        let heading = column(0).to_ascii_lowercase();
        let is_heading = number == 0 && HEADINGS.contains(&heading.as_str());
        if is_heading || record.iter().all(str::is_empty) {
            continue;
        }
        if number >= MOST_ROWS {
            let message = format!("the table has more than {MOST_ROWS} rows");
            diagnostics.push(Diagnostic::error(place(0), message));
            break;
        }
        let reader = RowReader {
            place: place(record.position().map_or(0, csv::Position::byte)),
            diagnostics,
        };
        rows.extend(reader.row([column(0), column(1), column(2), column(3)]));
    }
    rows
}

/// The delimiter that the first line has most of.
fn delimiter(text: &str) -> u8 {
    let first = text.lines().next().unwrap_or_default();
    let count = |delimiter: u8| first.bytes().filter(|byte| *byte == delimiter).count();
    let known = [b',', b';', b'\t'];
    known
        .into_iter()
        .max_by_key(|known| (count(*known), *known == b','))
        .unwrap_or(b',')
}

struct RowReader<'d> {
    place: Place<'d>,
    diagnostics: &'d Diagnostics,
}

impl RowReader<'_> {
    fn row(&self, [pattern, sign, encrypt, fallback]: [&str; 4]) -> Option<Row> {
        let (pattern, reach) = match understood(pattern) {
            Ok(understood) => understood,
            Err(error) => {
                let message = format!("{pattern:?} is no address and no domain: {error}");
                self.diagnostics
                    .push(Diagnostic::error(self.place, message));
                return None;
            }
        };
        let sign = self.word("sign", sign, [Sign::Required, Sign::Preferred, Sign::No])?;
        let wanted = [Encrypt::Required, Encrypt::Preferred, Encrypt::No];
        let encrypt = self.word("encrypt", encrypt, wanted)?;
        let fallback = self.fallback(fallback, encrypt);
        // Encryption that may be left away is not required.
        let encrypt = match (encrypt, fallback) {
            (Encrypt::Required, Fallback::Clear) => {
                let message = "encryption was required and mail without a certificate sent in clear: \
                    that is encrypt = \"preferred\"";
                self.diagnostics
                    .push(Diagnostic::warning(self.place, message));
                Encrypt::Preferred
            }
            (encrypt, _) => encrypt,
        };
        let orders = Orders {
            sign,
            encrypt,
            fallback,
        };
        Some(Row {
            pattern,
            reach,
            orders,
        })
    }

    fn word<T: Copy>(
        &self,
        column: &str,
        text: &str,
        [required, preferred, no]: [T; 3],
    ) -> Option<T> {
        let word = text.to_ascii_lowercase();
        for (words, value) in [
            (&REQUIRED[..], required),
            (&PREFERRED, preferred),
            (&NO, no),
        ] {
            if words.contains(&word.as_str()) {
                return Some(value);
            }
        }
        let message = format!("{column} cannot be {text:?}");
        self.diagnostics.push(
            Diagnostic::error(self.place, message).with_help("allowed: required, preferred, no"),
        );
        None
    }

    fn fallback(&self, text: &str, encrypt: Encrypt) -> Fallback {
        let usual = match encrypt {
            Encrypt::Required | Encrypt::No => Fallback::Reject,
            Encrypt::Preferred => Fallback::Clear,
        };
        let found = match text.to_ascii_lowercase().as_str() {
            "" | "none" | "-" => usual,
            "reject" | "bounce" | "block" | "refuse" | "ndr" | "fail" => Fallback::Reject,
            "clear" | "plain" | "plaintext" | "send" | "unencrypted" | "deliver" => Fallback::Clear,
            "hold" | "quarantine" | "queue" => Fallback::Hold,
            "ask" | "request" | "invite" => Fallback::Ask,
            "tls" | "starttls" | "transport" => Fallback::Tls,
            _ => {
                let message = format!(
                    "there is nothing here like the fallback {text:?}: such mail is refused"
                );
                self.diagnostics
                    .push(Diagnostic::warning(self.place, message));
                Fallback::Reject
            }
        };
        match (encrypt, found) {
            (Encrypt::Preferred, Fallback::Reject | Fallback::Hold | Fallback::Ask)
                if !text.is_empty() =>
            {
                let message = format!(
                    "encryption was preferred, with the fallback {text:?}: mail without a certificate goes in clear \
                     here; write encrypt = \"required\" where it must not"
                );
                self.diagnostics
                    .push(Diagnostic::warning(self.place, message));
                Fallback::Clear
            }
            (_, found) => found,
        }
    }
}

/// `a@x`, `x`, `@x`, `*@x`, `*.x`, `.x`, `*@*.x` or `*`.
fn understood(text: &str) -> Result<(String, Reach), AddressError> {
    if matches!(text, "*" | "*@*" | "default") {
        return Ok(("*".to_owned(), Reach::Everybody));
    }
    let below = ["*@*.", "@*.", "*.", "."]
        .iter()
        .find_map(|start| text.strip_prefix(start));
    if let Some(domain) = below {
        let domain = canonical_domain(domain)?;
        let labels = domain.split('.').count();
        return Ok((format!("*@*.{domain}"), Reach::Below(usize::MAX - labels)));
    }
    let domain = text.strip_prefix("*@").or_else(|| text.strip_prefix('@'));
    if domain.is_none() && text.contains('@') {
        let address = Address::parse(text)?;
        return Ok((address.canonical().to_owned(), Reach::Address));
    }
    let domain = canonical_domain(domain.unwrap_or(text))?;
    Ok((format!("*@{domain}"), Reach::Domain))
}
