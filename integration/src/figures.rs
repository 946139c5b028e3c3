//! What processes use, as Linux accounts for it: processor time and memory of a process and all that it started.

use std::collections::HashMap;
use std::fs;
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result};
use rustix::time::{ClockId, clock_gettime};

use crate::process;

/// Processor time of processes and their descendants, those that have ended included.
///
/// # Errors
/// /proc cannot be read.
pub fn processor_time(roots: &[u32]) -> Result<Duration> {
    let processes = processes()?;
    let ticks: u64 = tree(roots, &processes)
        .iter()
        .map(|id| processes[id].ticks)
        .sum();
    Ok(Duration::from_secs_f64(ticks as f64 / ticks_per_second()?))
}

/// The most memory that was used while something ran, in bytes.
#[derive(Debug, Clone, Copy)]
pub struct Memory {
    /// Resident set of the first process at its highest, as the kernel saw it.
    pub resident: u64,
    /// Proportional set size of all processes together at its highest, sampled ten times a second.
    pub proportional: u64,
}

/// Runs `work` and watches the memory of processes and their descendants meanwhile.
///
/// # Errors
/// Those of `work`, or /proc cannot be read.
pub fn memory_during<T>(roots: &[u32], work: impl FnOnce() -> Result<T>) -> Result<(T, Memory)> {
    let first = *roots.first().context("no process")?;
    // Forgets the highest value so far (proc(5), clear_refs).
    fs::write(format!("/proc/{first}/clear_refs"), "5")?;
    let running = AtomicBool::new(true);
    let highest = AtomicU64::new(0);
    let result = thread::scope(|scope| {
        scope.spawn(|| {
            while running.load(Ordering::Relaxed) {
                highest.fetch_max(proportional(roots).unwrap_or(0), Ordering::Relaxed);
                thread::sleep(Duration::from_millis(100));
            }
        });
        let result = work();
        running.store(false, Ordering::Relaxed);
        result
    })?;
    let resident = kilobytes(&format!("/proc/{first}/status"), "VmHWM:")?;
    let proportional = highest.into_inner();
    Ok((
        result,
        Memory {
            resident,
            proportional,
        },
    ))
}

/// How much memory this process had at most during `work` beyond what it had before, in bytes.
pub fn growth_during<T>(work: impl FnOnce() -> T) -> Result<(T, u64)> {
    let status = "/proc/self/status";
    let before = kilobytes(status, "VmRSS:")?;
    fs::write("/proc/self/clear_refs", "5")?;
    let result = work();
    let highest = kilobytes(status, "VmHWM:")?;
    Ok((result, highest.saturating_sub(before)))
}

/// The processor time that this process has used.
#[must_use]
pub fn own_processor_time() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::try_from(time).unwrap_or_default()
}

struct Process {
    parent: u32,
    ticks: u64,
}

fn proportional(roots: &[u32]) -> Result<u64> {
    let ids = tree(roots, &processes()?);
    // A process may have ended since the list was made.
    let each = ids
        .iter()
        .filter_map(|id| kilobytes(&format!("/proc/{id}/smaps_rollup"), "Pss:").ok());
    Ok(each.sum())
}

fn kilobytes(file: &str, name: &str) -> Result<u64> {
    let text = fs::read_to_string(file)?;
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    let number = line.and_then(|rest| rest.split_whitespace().next());
    Ok(number.context(name.to_owned())?.parse::<u64>()? * 1024)
}

fn processes() -> Result<HashMap<u32, Process>> {
    let mut processes = HashMap::new();
    for entry in fs::read_dir("/proc")?.flatten() {
        let id = entry
            .file_name()
            .to_str()
            .and_then(|name| name.parse().ok());
        let stat = fs::read_to_string(entry.path().join("stat"));
        if let (Some(id), Ok(stat)) = (id, stat)
            && let Some(process) = read_stat(&stat)
        {
            processes.insert(id, process);
        }
    }
    Ok(processes)
}

/// Parent, and user and system time of the process and of its children that were waited for (proc(5)).
fn read_stat(stat: &str) -> Option<Process> {
    // The program's name stands in parentheses and may hold any character.
    let (_, rest) = stat.rsplit_once(')')?;
    let fields: Vec<&str> = rest.split_whitespace().collect();
    let parent = fields.get(1)?.parse().ok()?;
    let times = fields.get(11..15)?;
    let ticks = times
        .iter()
        .filter_map(|text| text.parse::<u64>().ok())
        .sum();
    Some(Process { parent, ticks })
}

fn tree(roots: &[u32], processes: &HashMap<u32, Process>) -> Vec<u32> {
    let mut found: Vec<u32> = Vec::new();
    let mut next: Vec<u32> = roots.to_vec();
    next.retain(|id| processes.contains_key(id));
    while let Some(id) = next.pop() {
        found.push(id);
        let children = processes.iter().filter(|(_, process)| process.parent == id);
        next.extend(children.map(|(id, _)| *id));
    }
    found
}

fn ticks_per_second() -> Result<f64> {
    let printed = process::run(Command::new("getconf").arg("CLK_TCK"), b"")?;
    Ok(String::from_utf8(printed)?.trim().parse()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_and_memory_of_a_child_are_seen() -> Result<()> {
        let spin = "i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done; sleep 60";
        let folder = tempfile::tempdir()?;
        let mut shell = Command::new("sh");
        let log = folder.path().join("log");
        let busy = process::Daemon::start(shell.args(["-c", spin]), &log)?;
        let ((), memory) = memory_during(&[busy.id()], || {
            process::until(Duration::from_secs(30), "processor time", || {
                let used = processor_time(&[busy.id()]).ok()?;
                (used > Duration::from_millis(20)).then_some(())
            })
        })?;
        assert!(
            memory.resident > 100_000 && memory.proportional > 10_000,
            "{memory:?}"
        );
        Ok(())
    }
}
