//! What the cache gives out when an answer is past its time.

use super::*;

/// A time that is long for a lookup and short for a test.
const STEP: Duration = Duration::from_millis(250);

/// Fresh for one step, refreshing for another, stale until the seventh.
fn short() -> CacheSettings {
    CacheSettings {
        lifetimes: Lifetimes {
            found: STEP,
            none: STEP,
            failed: STEP,
        },
        refresh: STEP,
        stale: 6 * STEP,
        ..CacheSettings::default()
    }
}

async fn after(steps: u32) {
    tokio::time::sleep(STEP * steps + STEP / 5).await;
}

/// A source whose answer can be changed.
#[derive(Debug, Default)]
struct Changing {
    answer: std::sync::RwLock<Option<Certificate>>,
    asked: AtomicUsize,
}

#[derive(Debug)]
struct Shared(Arc<Changing>);

impl Source for Shared {
    fn name(&self) -> &str {
        "changing"
    }

    fn find<'a>(&'a self, _address: &'a Address) -> Answer<'a> {
        self.0.asked.fetch_add(1, Ordering::SeqCst);
        let answer = self.0.answer.read().unwrap().clone();
        Box::pin(async move {
            let certificate = answer.ok_or_else(|| SourceFailure("down".to_owned()))?;
            Ok(std::iter::once(Candidate {
                certificate,
                source: "changing".to_owned(),
            })
            .collect())
        })
    }
}

#[tokio::test]
async fn an_answer_past_its_time_is_given_out_while_it_is_asked_for_anew() {
    let setting = Setting::new().await;
    let source = Arc::new(Changing::default());
    let (old, new) = (setting.alice(), setting.alice());
    *source.answer.write().unwrap() = Some(old.clone());
    let settings = CacheSettings {
        refresh: Duration::from_secs(60),
        ..short()
    };
    let sources: Vec<Box<dyn Source>> = vec![Box::new(Shared(Arc::clone(&source)))];
    let lookup = Arc::new(setting.lookup_with(sources, settings).await);
    let keeper = Arc::clone(&lookup);
    let keeping = tokio::spawn(async move { keeper.keep_fresh().await });
    let alice = address("alice@example.org");
    let ask = async || lookup.find(&alice, Purpose::Encryption).await.unwrap();
    assert_eq!(chosen(&*ask().await), Some((&old, "changing")));
    *source.answer.write().unwrap() = Some(new.clone());
    after(1).await;
    assert_eq!(
        chosen(&*ask().await),
        Some((&old, "changing")),
        "nobody waits"
    );
    while source.asked.load(Ordering::SeqCst) < 2 {
        tokio::task::yield_now().await;
    }
    tokio::time::sleep(STEP / 5).await;
    assert_eq!(chosen(&*ask().await), Some((&new, "changing")));
    keeping.abort();
}

#[tokio::test]
async fn what_was_found_outlasts_an_outage_within_limits() {
    let setting = Setting::new().await;
    let source = Arc::new(Changing::default());
    let old = setting.alice();
    *source.answer.write().unwrap() = Some(old.clone());
    let lookup = setting
        .lookup_with(vec![Box::new(Shared(Arc::clone(&source)))], short())
        .await;
    let alice = address("alice@example.org");
    let ask = async || lookup.find(&alice, Purpose::Encryption).await;
    assert_eq!(chosen(&ask().await.unwrap()), Some((&old, "changing")));
    *source.answer.write().unwrap() = None;
    after(2).await;
    for _ in 0..3 {
        assert_eq!(chosen(&ask().await.unwrap()), Some((&old, "changing")));
    }
    assert_eq!(
        source.asked.load(Ordering::SeqCst),
        2,
        "the outage is remembered, too"
    );
    after(6).await;
    assert!(ask().await.is_err(), "not for ever");
    // A change that is known about ends it at once, whoever is down.
    *source.answer.write().unwrap() = Some(old);
    after(2).await;
    assert!(ask().await.is_ok());
    *source.answer.write().unwrap() = None;
    lookup.invalidate(&alice).await;
    assert!(ask().await.is_err());
}

#[tokio::test]
async fn what_was_in_use_is_looked_up_after_a_start() {
    let setting = Setting::new().await;
    let source = Arc::new(Changing::default());
    *source.answer.write().unwrap() = Some(setting.alice());
    let open = async || {
        let sources: Vec<Box<dyn Source>> = vec![Box::new(Shared(Arc::clone(&source)))];
        setting.lookup(sources).await
    };
    let (alice, nobody) = (address("alice@example.org"), address("nobody@example.org"));
    let first = open().await;
    for address in [&alice, &nobody] {
        assert!(first.find(address, Purpose::Encryption).await.is_ok());
    }
    first.remember().await.unwrap();
    let second = open().await;
    second.warm_up().await.unwrap();
    let asked = source.asked.load(Ordering::SeqCst);
    assert!(second.find(&alice, Purpose::Encryption).await.is_ok());
    assert_eq!(
        source.asked.load(Ordering::SeqCst),
        asked,
        "it is in memory"
    );
    assert_eq!(
        setting.database.asked(9).await.unwrap(),
        ["alice@example.org"]
    );
}

#[tokio::test]
async fn nothing_is_given_out_past_its_end() {
    let setting = Setting::new().await;
    let source = Arc::new(Changing::default());
    let brief = Sample {
        not_after: now() + Duration::from_secs(1),
        ..Sample::ec("alice@example.org")
    };
    *source.answer.write().unwrap() = Some(brief.issued_by(&setting.root).0);
    let settings = CacheSettings {
        lifetimes: Lifetimes {
            found: Duration::from_millis(100),
            ..Lifetimes::default()
        },
        stale: Duration::from_secs(60),
        ..short()
    };
    let lookup = setting
        .lookup_with(vec![Box::new(Shared(Arc::clone(&source)))], settings)
        .await;
    let alice = address("alice@example.org");
    assert!(lookup.find(&alice, Purpose::Encryption).await.is_ok());
    *source.answer.write().unwrap() = None;
    tokio::time::sleep(Duration::from_millis(1200)).await;
    assert!(lookup.find(&alice, Purpose::Encryption).await.is_err());
}
