//! The memory budget of message content, over all sessions together: backpressure instead of running out of memory.
//!
//! A message reserves before it may come in, again for the time in which its copies are made, and waits while the budget
//! is used up. When several that hold something want more, all would wait for each other. Then one at a time, the holder
//! of the overflow ticket, may go on beyond the budget, so that somebody always finishes and gives back. Content in flight
//! is therefore at most the budget and one message with its copies.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Bytes in one unit of the budget.
const BLOCK: u64 = 4096;

/// The budget.
#[derive(Debug, Clone)]
pub(super) struct Memory {
    free: Arc<Semaphore>,
    overflow: Arc<Semaphore>,
    blocks: u32,
}

/// A message's share of the budget, given back when it is dropped.
#[derive(Debug)]
pub struct Permit {
    memory: Memory,
    held: Option<OwnedSemaphorePermit>,
    ticket: Option<OwnedSemaphorePermit>,
}

impl Memory {
    /// A budget of `bytes`.
    pub(super) fn new(bytes: u64) -> Self {
        let most = u32::try_from(Semaphore::MAX_PERMITS).unwrap_or(u32::MAX);
        let blocks = u32::try_from(bytes / BLOCK).unwrap_or(most).min(most);
        Self {
            free: Arc::new(Semaphore::new(blocks as usize)),
            overflow: Arc::new(Semaphore::new(1)),
            blocks,
        }
    }

    /// A share of nothing yet.
    pub(super) fn permit(&self) -> Permit {
        Permit {
            memory: self.clone(),
            held: None,
            ticket: None,
        }
    }
}

impl Permit {
    /// A share of a budget of nothing.
    #[cfg(test)]
    pub(super) fn made_up_for_a_test() -> Self {
        Memory::new(0).permit()
    }

    /// Waits until it covers `bytes` in all.
    ///
    /// Who holds nothing waits for the budget alone, since nobody waits for him; who holds something may take the
    /// overflow ticket, and so may a message that is larger than the whole budget.
    pub async fn cover(&mut self, bytes: u64) {
        let wanted = u32::try_from(bytes.div_ceil(BLOCK)).unwrap_or(u32::MAX);
        let held = self.blocks();
        if self.ticket.is_some() || wanted <= held {
            return;
        }
        let memory = &self.memory;
        let may_overflow = held > 0 || wanted > memory.blocks;
        tokio::select! {
            biased;
            // A semaphore that is never closed always gives a permit.
            Ok(more) = Arc::clone(&memory.free).acquire_many_owned(wanted - held) => match &mut self.held {
                Some(held) => held.merge(more),
                none => *none = Some(more),
            },
            Ok(ticket) = Arc::clone(&memory.overflow).acquire_owned(), if may_overflow => {
                self.ticket = Some(ticket);
            }
        }
    }

    /// Gives back what goes beyond `bytes`.
    pub fn shrink(&mut self, bytes: u64) {
        let wanted = usize::try_from(bytes.div_ceil(BLOCK)).unwrap_or(usize::MAX);
        if let Some(held) = &mut self.held {
            drop(held.split(held.num_permits().saturating_sub(wanted)));
        }
    }

    fn blocks(&self) -> u32 {
        let held = self
            .held
            .as_ref()
            .map_or(0, OwnedSemaphorePermit::num_permits);
        u32::try_from(held).unwrap_or(u32::MAX)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::time::Duration;

    use tokio::time::timeout;

    use super::*;

    const SHORT: Duration = Duration::from_millis(50);

    async fn is_covered(permit: &mut Permit, bytes: u64) -> bool {
        timeout(SHORT, permit.cover(bytes)).await.is_ok()
    }

    #[tokio::test]
    async fn who_holds_nothing_waits_for_the_budget() {
        let memory = Memory::new(10 * BLOCK);
        let mut first = memory.permit();
        let mut second = memory.permit();
        assert!(is_covered(&mut first, 8 * BLOCK).await);
        assert!(!is_covered(&mut second, 3 * BLOCK).await);
        first.shrink(7 * BLOCK - 1);
        assert!(is_covered(&mut second, 3 * BLOCK).await);
        drop((first, second));
        assert_eq!(memory.free.available_permits(), 10);
    }

    #[tokio::test]
    async fn one_at_a_time_goes_beyond_the_budget() {
        let memory = Memory::new(2 * BLOCK);
        let mut first = memory.permit();
        let mut second = memory.permit();
        assert!(is_covered(&mut first, BLOCK).await);
        assert!(is_covered(&mut second, BLOCK).await);
        assert!(is_covered(&mut first, 100 * BLOCK).await);
        assert!(!is_covered(&mut second, 2 * BLOCK).await);
        drop(first);
        assert!(is_covered(&mut second, 2 * BLOCK).await);
        assert!(second.ticket.is_none());
    }

    #[tokio::test]
    async fn a_message_larger_than_the_budget_gets_the_ticket() {
        let memory = Memory::new(0);
        let mut first = memory.permit();
        let mut second = memory.permit();
        assert!(is_covered(&mut first, 1).await);
        assert!(!is_covered(&mut second, 1).await);
        drop(first);
        assert!(is_covered(&mut second, 1).await);
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn many_growing_messages_all_finish_within_budget_and_one_message() {
        const MESSAGE: u64 = 32 * BLOCK;
        let memory = Memory::new(40 * BLOCK);
        let in_flight = Arc::new(AtomicU64::new(0));
        let most = Arc::new(AtomicU64::new(0));
        let tasks = (0..200_u64).map(|number| {
            let (memory, in_flight, most) =
                (memory.clone(), Arc::clone(&in_flight), Arc::clone(&most));
            tokio::spawn(async move {
                let mut permit = memory.permit();
                let mut held = 0;
                while held < MESSAGE {
                    let next = if number % 3 == 0 {
                        MESSAGE
                    } else {
                        (held * 2).max(BLOCK)
                    };
                    permit.cover(next).await;
                    let now = in_flight.fetch_add(next - held, Ordering::SeqCst) + next - held;
                    most.fetch_max(now, Ordering::SeqCst);
                    held = next;
                    tokio::task::yield_now().await;
                }
                in_flight.fetch_sub(held, Ordering::SeqCst);
            })
        });
        let all = futures_util::future::join_all(tasks);
        let results = timeout(Duration::from_secs(20), all)
            .await
            .expect("no deadlock");
        assert!(results.iter().all(Result::is_ok));
        assert!(most.load(Ordering::SeqCst) <= 40 * BLOCK + MESSAGE);
        assert_eq!(memory.free.available_permits(), 40);
        assert_eq!(memory.overflow.available_permits(), 1);
    }
}
