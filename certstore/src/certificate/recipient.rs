//! Whom a RecipientInfo or a SignerInfo names, for people.

use der::Decode;
use x509_cert::name::Name;

use crate::cms::RecipientId;

/// `serial 0A1B of issuer CN=…`, or `key identifier 0A1B`. A name that cannot be read is shown as hex.
#[must_use]
pub fn describe_recipient(recipient: &RecipientId) -> String {
    match recipient {
        RecipientId::IssuerAndSerial { issuer, serial } => {
            let name = Name::from_der(issuer);
            let issuer = name.map_or_else(|_| hex(issuer), |name| name.to_string());
            format!("serial {} of issuer {issuer}", hex(serial))
        }
        RecipientId::SubjectKeyIdentifier(identifier) => {
            format!("key identifier {}", hex(identifier))
        }
    }
}

/// The beginning of `octets` in upper-case hex: nobody reads more.
fn hex(octets: &[u8]) -> String {
    const MOST: usize = 40;
    octets
        .iter()
        .take(MOST)
        .map(|octet| format!("{octet:02X}"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recipients_are_described() {
        let common_name = b"\x30\x0c\x31\x0a\x30\x08\x06\x03\x55\x04\x03\x0c\x01A".to_vec();
        for (issuer, serial, expected) in [
            (common_name, vec![0x0a, 0xff], "serial 0AFF of issuer CN=A"),
            (vec![0x30, 0x05], vec![1], "serial 01 of issuer 3005"),
        ] {
            let recipient = RecipientId::IssuerAndSerial { issuer, serial };
            assert_eq!(describe_recipient(&recipient), expected);
        }
        let recipient = RecipientId::SubjectKeyIdentifier(vec![0xab; 100]);
        assert_eq!(
            describe_recipient(&recipient).len(),
            "key identifier ".len() + 80
        );
    }
}
