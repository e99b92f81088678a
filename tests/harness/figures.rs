//! Measurements of processes from Linux's `/proc`, and summaries of samples.

use std::collections::BTreeMap;
use std::fs;
use std::time::Duration;

/// The ticks per second in `/proc/<id>/stat`: always 100, whatever the kernel's own clock.
const TICKS_PER_SECOND: u64 = 100;

/// The memory of a process in MiB: current and maximum.
pub fn memory_mib(process: u32) -> (f64, f64) {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let field = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        let kib: Option<f64> = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
        kib.unwrap_or_default() / 1_024.0
    };
    (field("VmRSS:"), field("VmHWM:"))
}

/// The processes of the program with this name.
pub fn named(name: &str) -> Vec<u32> {
    let id = |entry: fs::DirEntry| {
        let id: u32 = entry.file_name().to_str()?.parse().ok()?;
        let program = fs::read_link(entry.path().join("exe")).ok()?;
        program.ends_with(name).then_some(id)
    };
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(id).collect()
}

/// The CPU time of a process's current threads, to the nanosecond. Excludes threads that have ended.
pub fn cpu_of_threads(process: u32) -> Duration {
    let Ok(threads) = fs::read_dir(format!("/proc/{process}/task")) else {
        return Duration::ZERO;
    };
    let of_thread = |thread: fs::DirEntry| {
        let text = fs::read_to_string(thread.path().join("schedstat")).ok()?;
        text.split_whitespace().next()?.parse::<u64>().ok()
    };
    Duration::from_nanos(threads.flatten().filter_map(of_thread).sum())
}

/// The CPU time of some processes and their children, running or waited for, to a hundredth of a second.
pub fn cpu_of_trees(roots: &[u32]) -> Duration {
    let processes = processes();
    let mut wanted: Vec<u32> = roots.to_vec();
    let mut next = 0;
    while let Some(parent) = wanted.get(next).copied() {
        let children = processes.iter().filter(|(_, stat)| stat.parent == parent);
        let children: Vec<u32> = children
            .map(|(id, _)| *id)
            .filter(|id| !wanted.contains(id))
            .collect();
        wanted.extend(children);
        next += 1;
    }
    let ticks: u64 = wanted
        .iter()
        .filter_map(|id| Some(processes.get(id)?.ticks))
        .sum();
    Duration::from_millis(ticks * 1_000 / TICKS_PER_SECOND)
}

/// A line of `/proc/<id>/stat`.
/// Source: `proc_pid_stat(5)`.
struct Stat {
    parent: u32,
    /// Its own, and that of children it has waited for.
    ticks: u64,
}

fn processes() -> BTreeMap<u32, Stat> {
    let stat = |entry: fs::DirEntry| {
        let id: u32 = entry.file_name().to_str()?.parse().ok()?;
        let text = fs::read_to_string(entry.path().join("stat")).ok()?;
        // The name is in parentheses and may contain anything.
        let fields: Vec<&str> = text.rsplit_once(')')?.1.split_whitespace().collect();
        let number = |index: usize| fields.get(index)?.parse::<u64>().ok();
        let ticks = (11..=14).map(number).sum::<Option<u64>>()?;
        Some((
            id,
            Stat {
                parent: fields.get(1)?.parse().ok()?,
                ticks,
            },
        ))
    };
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(stat).collect()
}

/// A quantile of the samples: 0.5 for the median.
pub fn percentile(samples: &[f64], part: f64) -> f64 {
    let mut sorted = samples.to_vec();
    sorted.sort_by(f64::total_cmp);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "a place among samples"
    )]
    let place = (part * (sorted.len().saturating_sub(1)) as f64).round() as usize;
    sorted.get(place).copied().unwrap_or(f64::NAN)
}
