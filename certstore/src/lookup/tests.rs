mod caching;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::Notify;

use super::*;
use crate::certificate::Certificate;
use crate::clock::FixedClock;
use crate::database::CertificateSource;
use crate::samples::{DAY, Sample, SampleAuthority, address, now};
use crate::selection::Candidate;
use crate::source::{Answer, SourceFailure, StoredCertificates};
use crate::trust::Anchor;
use crate::trust::AnchorScope;

/// What a test source answers, how often it was asked, and a gate that it waits at.
#[derive(Debug)]
struct Scripted {
    name: &'static str,
    answer: Result<Vec<Certificate>, SourceFailure>,
    asked: Arc<AtomicUsize>,
    gate: Option<Arc<Notify>>,
}

impl Scripted {
    fn new(name: &'static str, answer: Result<Vec<Certificate>, SourceFailure>) -> Self {
        Self {
            name,
            answer,
            asked: Arc::default(),
            gate: None,
        }
    }

    fn down(name: &'static str) -> Self {
        Self::new(name, Err(SourceFailure("connection refused".to_owned())))
    }
}

impl Source for Scripted {
    fn name(&self) -> &str {
        self.name
    }

    fn find<'a>(&'a self, _address: &'a Address) -> Answer<'a> {
        Box::pin(async move {
            self.asked.fetch_add(1, Ordering::SeqCst);
            if let Some(gate) = &self.gate {
                gate.notified().await;
            }
            let certificates = self.answer.clone()?;
            Ok(certificates
                .into_iter()
                .map(|certificate| Candidate {
                    certificate,
                    source: self.name.to_owned(),
                })
                .collect())
        })
    }
}

struct Setting {
    _folder: tempfile::TempDir,
    database: Database,
    root: SampleAuthority,
}

impl Setting {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let database = Database::open(&folder.path().join("postern.db"))
            .await
            .unwrap();
        Self {
            _folder: folder,
            database,
            root: SampleAuthority::root("The root"),
        }
    }

    fn anchor(&self) -> Anchor {
        Anchor {
            certificate: self.root.certificate(),
            scope: AnchorScope::Everybody,
            revocation: None,
        }
    }

    async fn lookup(&self, sources: Vec<Box<dyn Source>>) -> Lookup {
        self.lookup_with(sources, Lifetimes::default()).await
    }

    async fn lookup_with(
        &self,
        sources: Vec<Box<dyn Source>>,
        cache: impl Into<CacheSettings>,
    ) -> Lookup {
        let clock = Arc::new(FixedClock(now()));
        let anchors = vec![self.anchor()];
        Lookup::open(self.database.clone(), sources, anchors, clock, cache)
            .await
            .unwrap()
    }

    fn alice(&self) -> Certificate {
        Sample::ec("alice@example.org").issued_by(&self.root).0
    }
}

fn chosen(selection: &Selection) -> Option<(&Certificate, &str)> {
    let (trusted, source) = selection.chosen.as_ref()?;
    Some((trusted.certificate(), source))
}

fn is_shareable<T: Send + Sync>(_: &T) {}

#[tokio::test]
async fn the_first_source_with_a_usable_certificate_wins() {
    let setting = Setting::new().await;
    let expired = Sample {
        not_after: now() - Duration::from_secs(1),
        ..Sample::ec("alice@example.org")
    };
    let expired = expired.issued_by(&setting.root).0;
    let (second, third) = (setting.alice(), setting.alice());
    let unasked = Scripted::new("third", Ok(vec![third]));
    let asked = Arc::clone(&unasked.asked);
    let sources: Vec<Box<dyn Source>> = vec![
        Box::new(Scripted::new("first", Ok(vec![expired.clone()]))),
        Box::new(Scripted::new("second", Ok(vec![second.clone()]))),
        Box::new(unasked),
    ];
    let lookup = setting.lookup(sources).await;
    is_shareable(&lookup);
    let alice = address("alice@example.org");
    let found = lookup.find(&alice, Purpose::Encryption).await.unwrap();
    assert_eq!(chosen(&found), Some((&second, "second")));
    let considered: Vec<_> = found.considered.iter().map(|c| c.sha256).collect();
    assert_eq!(considered, [expired.sha256(), second.sha256()]);
    assert_eq!(asked.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn none_is_an_answer_and_unavailable_is_an_error() {
    let setting = Setting::new().await;
    let lookup = setting
        .lookup(vec![Box::new(Scripted::new("a", Ok(Vec::new())))])
        .await;
    let bob = address("bob@example.org");
    let found = lookup.find(&bob, Purpose::Encryption).await.unwrap();
    assert_eq!(chosen(&found), None);

    let certificate = setting.alice();
    let with = || Box::new(Scripted::new("with", Ok(vec![certificate.clone()])));
    let down = || Box::new(Scripted::down("down"));
    let alice = address("alice@example.org");
    let before: Vec<Box<dyn Source>> = vec![with(), down()];
    let found = setting
        .lookup(before)
        .await
        .find(&alice, Purpose::Encryption)
        .await;
    assert!(
        found.is_ok(),
        "a source behind the winner is not asked: {found:?}"
    );
    let after: Vec<Box<dyn Source>> = vec![down(), with()];
    let failed = setting
        .lookup(after)
        .await
        .find(&alice, Purpose::Encryption)
        .await;
    let failed = failed.unwrap_err();
    assert_eq!(
        failed.to_string(),
        "the certificate source down is unavailable: connection refused"
    );
    assert_eq!(chosen(&failed.otherwise), Some((&certificate, "with")));
}

#[tokio::test]
async fn a_slow_source_is_overtaken_in_asking_but_not_in_counting() {
    let setting = Setting::new().await;
    let gate = Arc::new(Notify::new());
    let (first, second) = (setting.alice(), setting.alice());
    let slow = Scripted {
        gate: Some(Arc::clone(&gate)),
        ..Scripted::new("slow", Ok(vec![first.clone()]))
    };
    let quick = Scripted::new("quick", Ok(vec![second]));
    let quick_asked = Arc::clone(&quick.asked);
    let sources: Vec<Box<dyn Source>> = vec![Box::new(slow), Box::new(quick)];
    let lookup = Arc::new(setting.lookup(sources).await);
    let alice = address("alice@example.org");
    let question = tokio::spawn({
        let (lookup, alice) = (Arc::clone(&lookup), alice.clone());
        async move { lookup.find(&alice, Purpose::Encryption).await }
    });
    while quick_asked.load(Ordering::SeqCst) == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    gate.notify_one();
    let found = question.await.unwrap().unwrap();
    assert_eq!(chosen(&found), Some((&first, "slow")));
}

#[tokio::test]
async fn a_thousand_questions_at_once_make_one_lookup() {
    let setting = Setting::new().await;
    let gate = Arc::new(Notify::new());
    let source = Scripted {
        gate: Some(Arc::clone(&gate)),
        ..Scripted::new("slow", Ok(vec![setting.alice()]))
    };
    let asked = Arc::clone(&source.asked);
    let lookup = Arc::new(setting.lookup(vec![Box::new(source)]).await);
    let questions: Vec<_> = (0..1_000)
        .map(|_| {
            let lookup = Arc::clone(&lookup);
            tokio::spawn(async move {
                let alice = address("Alice@Example.ORG");
                lookup.find(&alice, Purpose::Encryption).await.unwrap()
            })
        })
        .collect();
    tokio::task::yield_now().await;
    gate.notify_one();
    for question in questions {
        assert!(question.await.unwrap().chosen.is_some());
    }
    assert_eq!(asked.load(Ordering::SeqCst), 1);
}

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "one table")]
async fn each_kind_of_answer_is_kept_for_its_own_time() {
    let setting = Setting::new().await;
    let short = Duration::from_millis(20);
    let long = Duration::from_secs(3600);
    let soon_over = Sample {
        not_after: now() + Duration::from_secs(1),
        ..Sample::ec("alice@example.org")
    };
    let soon_over = soon_over.issued_by(&setting.root).0;
    for (name, answer, times, wait, asked_twice) in [
        (
            "found",
            Ok(vec![setting.alice()]),
            (long, short, short),
            60,
            false,
        ),
        (
            "found, short",
            Ok(vec![setting.alice()]),
            (short, long, long),
            60,
            true,
        ),
        (
            "found, not past its end",
            Ok(vec![soon_over]),
            (long, long, long),
            1_100,
            true,
        ),
        ("none", Ok(Vec::new()), (short, long, short), 60, false),
        ("none, short", Ok(Vec::new()), (long, short, long), 60, true),
        (
            "failed",
            Scripted::down("").answer,
            (short, short, long),
            60,
            false,
        ),
        (
            "failed, short",
            Scripted::down("").answer,
            (long, long, short),
            60,
            true,
        ),
    ] {
        let source = Scripted::new("scripted", answer);
        let asked = Arc::clone(&source.asked);
        let (found, none, failed) = times;
        let lifetimes = Lifetimes {
            found,
            none,
            failed,
        };
        let lookup = setting.lookup_with(vec![Box::new(source)], lifetimes).await;
        let alice = address("alice@example.org");
        let first = lookup.find(&alice, Purpose::Encryption).await;
        tokio::time::sleep(Duration::from_millis(wait)).await;
        assert_eq!(
            lookup.find(&alice, Purpose::Encryption).await,
            first,
            "{name}"
        );
        let expected = if asked_twice { 2 } else { 1 };
        assert_eq!(asked.load(Ordering::SeqCst), expected, "{name}");
    }
}

#[tokio::test]
async fn an_answer_that_was_overtaken_is_not_kept() {
    let setting = Setting::new().await;
    let gate = Arc::new(Notify::new());
    let source = Scripted {
        gate: Some(Arc::clone(&gate)),
        ..Scripted::new("slow", Ok(Vec::new()))
    };
    let asked = Arc::clone(&source.asked);
    let lookup = Arc::new(setting.lookup(vec![Box::new(source)]).await);
    let alice = address("alice@example.org");
    for round in 1..=2 {
        let question = tokio::spawn({
            let (lookup, alice) = (Arc::clone(&lookup), alice.clone());
            async move { lookup.find(&alice, Purpose::Encryption).await }
        });
        while asked.load(Ordering::SeqCst) < round {
            tokio::task::yield_now().await;
        }
        lookup.invalidate(&alice).await;
        gate.notify_one();
        question.await.unwrap().unwrap();
    }
    assert_eq!(asked.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn the_database_is_a_source_and_trust_is_reloaded() {
    let setting = Setting::new().await;
    let database = &setting.database;
    let local = || -> Vec<Box<dyn Source>> {
        vec![
            Box::new(StoredCertificates::local(database.clone())),
            Box::new(StoredCertificates::harvested(database.clone())),
        ]
    };
    let lookup = setting.lookup(local()).await;
    let other_root = SampleAuthority::root("Another root");
    let middle = other_root.below("In the middle");
    let (carol, _) = Sample::ec("carol@partner.example").issued_by(&middle);
    let all = [carol.clone(), middle.certificate()];
    database
        .add_certificates(&all, CertificateSource::Harvested, now())
        .await
        .unwrap();
    let address = address("carol@partner.example");
    let find = || lookup.find(&address, Purpose::Encryption);
    let first = find().await.unwrap();
    assert_eq!(chosen(&first), None);
    assert_eq!(first.considered.len(), 1);
    let anchor = Anchor {
        certificate: other_root.certificate(),
        scope: AnchorScope::Domains(vec!["partner.example".to_owned()]),
        revocation: None,
    };
    assert!(add_anchor(database, &anchor, now()).await.unwrap());
    assert!(!add_anchor(database, &anchor, now()).await.unwrap());
    assert_eq!(chosen(&find().await.unwrap()), None, "not read yet");
    lookup.reload_trust().await.unwrap();
    assert_eq!(chosen(&find().await.unwrap()), Some((&carol, "harvested")));
}

#[tokio::test]
async fn an_explanation_is_fresh_and_names_the_sources() {
    let setting = Setting::new().await;
    let certificate = setting.alice();
    let source = Scripted::new("with", Ok(vec![certificate.clone()]));
    let asked = Arc::clone(&source.asked);
    let sources: Vec<Box<dyn Source>> = vec![
        Box::new(Scripted::new("without", Ok(Vec::new()))),
        Box::new(Scripted::down("down")),
        Box::new(source),
    ];
    let lookup = setting.lookup(sources).await;
    let alice = address("alice@example.org");
    for round in 1..=2 {
        let explanation = lookup.explain(&alice, Purpose::Encryption).await;
        assert_eq!(chosen(&explanation.selection), Some((&certificate, "with")));
        let outcomes: Vec<_> = explanation
            .sources
            .iter()
            .map(|s| (s.name.as_str(), s.outcome.as_str()))
            .collect();
        let expected = [
            ("without", "none"),
            ("down", "unavailable"),
            ("with", "found"),
        ];
        assert_eq!(outcomes, expected);
        assert_eq!(asked.load(Ordering::SeqCst), round);
    }
}

#[tokio::test]
async fn a_failed_reload_leaves_what_was_trusted() {
    let setting = Setting::new().await;
    let lookup = setting
        .lookup(vec![Box::new(Scripted::new(
            "a",
            Ok(vec![setting.alice()]),
        ))])
        .await;
    setting.database.close().await;
    assert!(lookup.reload_trust().await.is_err());
    let later = now() + DAY;
    let trusted = lookup.trust().validate(
        &setting.alice(),
        &[],
        Purpose::Encryption,
        &address("alice@example.org"),
        later,
    );
    assert!(trusted.is_ok(), "{trusted:?}");
}
