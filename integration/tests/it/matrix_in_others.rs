//! What BouncyCastle and NSS sign and encrypt, the gateway opens and verifies too.

use anyhow::Result;
use integration::nss::Nss;
use integration::pki::{Pki, pki};
use integration::{bouncycastle, mime};

use crate::matrix_in::{Case, arrive};

#[test]
fn made_by_bouncycastle_and_nss() -> Result<()> {
    let nss = Nss::new(&pki()?.ca(), &[&pki()?.bob()])?;
    let by_nss = move |_: &Pki, entity: &[u8]| {
        let signed = nss.sign(entity, "bob", "SHA256", true)?;
        Ok(mime::pkcs7mime("signed-data", &signed))
    };
    let forms = [
        ("alice", "SHA256withRSA", "AES256_CBC", "PKCS1"),
        ("alice", "SHA512withRSAandMGF1", "AES256_GCM", "OAEP_SHA256"),
        ("carol", "SHA256withRSA", "AES128_CBC", "ECDH_SHA256"),
        ("dave", "SHA384withRSA", "AES256_GCM", "ECDH_SHA256"),
    ];
    let by_bouncycastle = forms.map(|(reader, algorithm, cipher, transport)| -> Case<'_> {
        let make = move |pki: &Pki, entity: &[u8]| {
            let signed = bouncycastle::sign(entity, &pki.bob(), algorithm, "clear")?;
            bouncycastle::encrypt(&signed, &pki.identity(reader), cipher, transport, "issuer")
        };
        (algorithm, "bob", reader, Box::new(make))
    });
    let nss: Case<'_> = ("NSS", "bob", "alice", Box::new(by_nss));
    arrive(by_bouncycastle.into_iter().chain([nss]))
}
