//! The task that decides what is tried next: all next hops take turns, none gets more than its share.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;

use super::crew::{Conclusion, Contact, Crew};
use super::lane::{Lane, Unit};
use super::verdict::Verdict;
use crate::config::DeliveryConfig;
use crate::observe::delivery as log;
use crate::spool::{Entry, RecipientState, SpoolError};

/// How often the database is asked what is due: what operators order takes effect within this time.
const POLL: Duration = Duration::from_millis(250);
/// Most units in memory, waiting, being tried or being written down. Beyond it, what is due longest comes first.
const WINDOW: usize = 20_000;
/// Most recipients in one transaction (RFC 5321, section 4.5.3.1.8).
const RECIPIENTS: usize = 100;

pub(super) struct Scheduler {
    crew: Arc<Crew>,
    /// One for each next hop, in the order of the routes' hops.
    lanes: Vec<Lane>,
    /// Whose turn it is.
    turn: usize,
    concurrency: usize,
    concurrency_per_hop: usize,
    idle: Duration,
    attempts: JoinSet<(usize, Contact, Option<Conclusion>)>,
    conclusions: JoinSet<()>,
    polls: JoinSet<Result<Vec<Entry>, SpoolError>>,
}

impl Scheduler {
    pub(super) fn new(crew: Crew, config: &DeliveryConfig) -> Self {
        let lanes = crew.routes.hops().iter().map(|_| Lane::default());
        Self {
            lanes: lanes.collect(),
            crew: Arc::new(crew),
            turn: 0,
            concurrency: config.concurrency.max(1),
            concurrency_per_hop: config.concurrency_per_destination.max(1),
            idle: config.idle,
            attempts: JoinSet::new(),
            conclusions: JoinSet::new(),
            polls: JoinSet::new(),
        }
    }

    /// Delivers until it is told to stop, then finishes what runs within the time that it is told.
    pub(super) async fn run(mut self, mut stop: oneshot::Receiver<Duration>) {
        let spool = self.crew.spool.clone();
        let mut tick = tokio::time::interval(POLL);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let patience = loop {
            tokio::select! {
                patience = &mut stop => break patience.unwrap_or_default(),
                () = spool.arrival() => {}
                _ = tick.tick() => self.tick(),
                Some(found) = self.polls.join_next() => self.found(found.ok()),
                Some(done) = self.attempts.join_next() => self.done(done.ok()),
                Some(_) = self.conclusions.join_next() => {}
            }
            for entry in spool.arrived(self.room()) {
                self.accept(entry);
            }
            self.dispatch();
        };
        // What is cut short here is due again at the next start.
        tokio::time::timeout(patience, self.finish()).await.ok();
    }

    async fn finish(&mut self) {
        for connection in self.lanes.iter_mut().flat_map(Lane::close) {
            self.conclusions.spawn(connection.quit());
        }
        while let Some(done) = self.attempts.join_next().await {
            self.done(done.ok());
        }
        for connection in self.lanes.iter_mut().flat_map(Lane::close) {
            self.conclusions.spawn(connection.quit());
        }
        while self.conclusions.join_next().await.is_some() {}
    }

    fn tick(&mut self) {
        for connection in self
            .lanes
            .iter_mut()
            .flat_map(|lane| lane.expired(self.idle))
        {
            self.conclusions.spawn(connection.quit());
        }
        let room = self.room();
        if room > 0 && self.polls.is_empty() {
            let crew = self.crew.clone();
            self.polls
                .spawn(async move { crew.spool.due(crew.clock.now(), room).await });
        }
    }

    fn found(&mut self, found: Option<Result<Vec<Entry>, SpoolError>>) {
        match found {
            Some(Ok(entries)) => entries.into_iter().for_each(|entry| self.accept(entry)),
            Some(Err(error)) => log::queue_unreadable(error),
            None => {}
        }
    }

    /// Divides a copy among the next hops of its recipients.
    fn accept(&mut self, entry: Entry) {
        let entry = Arc::new(entry);
        let mut shares: Vec<(Option<usize>, Vec<usize>)> = Vec::new();
        for (place, recipient) in entry.details.recipients.iter().enumerate() {
            if recipient.state != RecipientState::Waiting {
                continue;
            }
            let hop = self.crew.routes.find(recipient.address.domain());
            match shares
                .iter_mut()
                .find(|(other, share)| *other == hop && share.len() < RECIPIENTS)
            {
                Some((_, share)) => share.push(place),
                None => shares.push((hop, vec![place])),
            }
        }
        for (hop, recipients) in shares {
            let unit = Unit {
                entry: entry.clone(),
                recipients,
            };
            self.enqueue(unit, hop);
        }
    }

    fn enqueue(&mut self, unit: Unit, hop: Option<usize>) {
        let Some((lane, place)) = hop.and_then(|place| Some((self.lanes.get_mut(place)?, place)))
        else {
            log::no_route(unit.entry.id, unit.recipients.len());
            let verdict = Verdict::deferred(4, 4, "no route leads to the recipient's domain");
            self.conclude(Conclusion::untried(unit, &verdict, "no route"));
            return;
        };
        if let Err((unit, verdict)) = lane.enqueue(unit, Instant::now()) {
            self.defer(unit, &verdict, place);
        }
    }

    /// Starts attempts, one next hop after the other, as long as there is work and room.
    fn dispatch(&mut self) {
        let mut refused = 0;
        while self.attempts.len() < self.concurrency && refused < self.lanes.len() {
            self.turn = (self.turn + 1) % self.lanes.len();
            let place = self.turn;
            let next = self
                .lanes
                .get_mut(place)
                .and_then(|lane| lane.next(self.concurrency_per_hop));
            let Some((unit, connection)) = next else {
                refused += 1;
                continue;
            };
            refused = 0;
            let crew = self.crew.clone();
            self.attempts.spawn(async move {
                let Some(hop) = crew.routes.hops().get(place) else {
                    return (place, Contact::Skipped, None);
                };
                let (contact, conclusion) = crew.attempt(unit, hop, connection).await;
                (place, contact, conclusion)
            });
        }
    }

    /// The connection goes back at once; writing down what came of it takes its own time.
    fn done(&mut self, done: Option<(usize, Contact, Option<Conclusion>)>) {
        let Some((place, contact, conclusion)) = done else {
            return;
        };
        if let Some(conclusion) = conclusion {
            self.conclude(conclusion);
        }
        let Some(lane) = self.lanes.get_mut(place) else {
            return;
        };
        match contact {
            Contact::Reached(connection) => lane.reached(connection),
            Contact::Skipped => lane.skipped(),
            Contact::Unreachable(verdict) => {
                let (pause, waiting) = lane.unreachable(verdict.clone(), Instant::now());
                if let Some(hop) = self.crew.routes.hops().get(place) {
                    log::destination_down(hop, &verdict.text, pause);
                }
                for unit in waiting {
                    self.defer(unit, &verdict, place);
                }
            }
        }
    }

    fn defer(&mut self, unit: Unit, verdict: &Verdict, place: usize) {
        let hop = self.crew.routes.hops().get(place);
        let destination = hop.map(ToString::to_string).unwrap_or_default();
        self.conclude(Conclusion::untried(unit, verdict, &destination));
    }

    fn conclude(&mut self, conclusion: Conclusion) {
        let crew = self.crew.clone();
        self.conclusions
            .spawn(async move { crew.conclude(conclusion).await });
    }

    /// How many more units may be in memory.
    fn room(&self) -> usize {
        let waiting: usize = self.lanes.iter().map(Lane::backlog).sum();
        WINDOW.saturating_sub(waiting + self.attempts.len() + self.conclusions.len())
    }
}
