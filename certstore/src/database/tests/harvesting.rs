//! What becomes of certificates that signatures brought.

use super::*;

on_each_database! {
    a_new_key_from_another_issuer_waits_for_a_word,
    a_certificate_must_be_above_suspicion_for_each_address,
}

fn harvest(certificate: &Certificate, authority: &SampleAuthority) -> Harvest {
    Harvest {
        certificate: certificate.clone(),
        address: certificate.addresses()[0].clone(),
        chain: vec![authority.certificate()],
        message_id: "<1@example.org>".to_owned(),
    }
}

#[expect(clippy::cognitive_complexity, reason = "one step after the other")]
async fn a_new_key_from_another_issuer_waits_for_a_word(place: Place) {
    let database = place.open().await;
    let (ours, theirs) = (
        SampleAuthority::root("Ours"),
        SampleAuthority::root("Theirs"),
    );
    let issued = |authority| Sample::ec("a@example.org").issued_by(authority).0;
    let (first, renewed, strange) = (issued(&ours), issued(&ours), issued(&theirs));
    let kept = async |certificate, authority, acceptance| {
        let harvests = [harvest(certificate, authority)];
        database
            .harvest(&harvests, acceptance, now())
            .await
            .unwrap()[0]
    };
    let same = Acceptance::SameIssuer;
    for (certificate, authority, acceptance, expected) in [
        (&first, &ours, same, HarvestOutcome::Added),
        (&first, &ours, same, HarvestOutcome::Known),
        (&renewed, &ours, Acceptance::None, HarvestOutcome::Pending),
        (&strange, &theirs, same, HarvestOutcome::Pending),
        (&strange, &theirs, same, HarvestOutcome::Known),
        (&issued(&ours), &ours, same, HarvestOutcome::Added),
        (
            &issued(&theirs),
            &theirs,
            Acceptance::Any,
            HarvestOutcome::Added,
        ),
    ] {
        assert_eq!(kept(certificate, authority, acceptance).await, expected);
    }
    let pending = database.pending().await.unwrap();
    assert_eq!(pending.len(), 2);
    let of_strange = pending
        .iter()
        .find(|one| one.certificate == strange)
        .unwrap();
    assert_eq!(of_strange.message_id, "<1@example.org>");
    let reason = of_strange.pending.as_deref().unwrap();
    assert!(
        reason.contains("another issuer, such as CN=Ours"),
        "{reason}"
    );

    let alice = address("a@example.org");
    let of_alice = async || database.certificates_of(&alice, &ALL).await.unwrap().len();
    assert_eq!(of_alice().await, 3);
    assert!(database.is_known(&strange.sha256()).await.unwrap());
    assert!(database.accept(&strange.sha256(), now()).await.unwrap());
    assert!(!database.accept(&strange.sha256(), now()).await.unwrap());
    assert_eq!(of_alice().await, 4);
    assert!(database.reject(&renewed.sha256()).await.unwrap());
    assert!(!database.is_known(&renewed.sha256()).await.unwrap());
    assert!(database.pending().await.unwrap().is_empty());
    let seen = database.sighting(&strange.sha256()).await.unwrap().unwrap();
    assert_eq!(seen.pending, None);
}

async fn a_certificate_must_be_above_suspicion_for_each_address(place: Place) {
    let database = place.open().await;
    let (ours, theirs) = (
        SampleAuthority::root("Ours"),
        SampleAuthority::root("Theirs"),
    );
    let (bob, _) = Sample::ec("b@example.org").issued_by(&ours);
    let imported = [bob];
    let added = database.add_certificates(&imported, CertificateSource::Imported, now());
    assert_eq!(added.await.unwrap(), 1);
    let (mallory, _) = Sample::ec("m@example.org").issued_for(&theirs, &["b@example.org"]);
    let harvests = [harvest(&mallory, &theirs)];
    let outcome = database
        .harvest(&harvests, Acceptance::SameIssuer, now())
        .await;
    assert_eq!(outcome.unwrap(), [HarvestOutcome::Pending]);
}
