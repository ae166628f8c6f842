//! What is measured.

use std::fmt::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use nix::unistd::Pid;

use super::quiet::Seen;

/// What the quiet tenant saw, and the most memory that was resident meanwhile.
pub struct Figures {
    pub name: &'static str,
    pub seen: Seen,
    pub attack: Attack,
    pub service_kib: u64,
    pub postgres_kib: u64,
}

/// What the hostile ones beside it were answered.
pub struct Attack {
    /// Whether any of them waits for answers.
    pub answered: bool,
    pub answers: u64,
    /// What the service did not expect itself.
    pub broken: Vec<String>,
}

impl Figures {
    /// The time within which so many hundredths of the quiet tenant's requests were answered.
    pub fn percentile(&self, hundredths: usize) -> Duration {
        let mut times = self.seen.times.clone();
        times.sort_unstable();
        times.get((times.len() * hundredths / 100).min(times.len().saturating_sub(1))).copied().unwrap_or_default()
    }
}

/// The figures of all phases, for people.
pub fn table(all: &[Figures]) -> String {
    let mut table = String::from(
        "storm: what the quiet tenant saw\n\
         beside                 requests      p50      p99      max  wrong  service  PostgreSQL\n",
    );
    for figures in all {
        let millis = |time: Duration| format!("{:.1} ms", time.as_secs_f64() * 1000.0);
        let mib = |kib: u64| format!("{} MiB", kib / 1024);
        writeln!(
            table,
            "{:<22} {:>8} {:>8} {:>8} {:>8} {:>6} {:>8} {:>11}",
            figures.name,
            figures.seen.times.len(),
            millis(figures.percentile(50)),
            millis(figures.percentile(99)),
            millis(figures.seen.times.iter().max().copied().unwrap_or_default()),
            figures.seen.wrong.len(),
            mib(figures.service_kib),
            mib(figures.postgres_kib),
        )
        .unwrap();
    }
    table
}

/// Whoever attacks brings a machine of its own, and takes no processor time from the service by running.
pub fn lower_priority() {
    let thread = std::fs::read_link("/proc/thread-self").unwrap_or_default();
    let Some(id) = thread.file_name() else { return };
    let mut renice = Command::new("renice");
    renice.args(["-n", "15", "-p"]).arg(id).stdout(Stdio::null()).stderr(Stdio::null());
    // Without it the figures are only worse.
    let _ = renice.status();
}

/// The memory of the service and of its PostgreSQL.
pub struct Memory {
    service: u32,
    postmaster: Pid,
}

/// The most of it, in KiB.
pub struct Peaks {
    pub service: u64,
    pub postgres: u64,
}

impl Memory {
    /// From now on.
    pub fn of(service: u32, postmaster: Pid) -> Self {
        // The high-water mark begins anew (proc_pid_clear_refs(5)).
        let _ = std::fs::write(format!("/proc/{service}/clear_refs"), "5");
        Self { service, postmaster }
    }

    /// Looks again and again until it is stopped.
    pub fn watch(&self, stop: &AtomicBool) -> Peaks {
        let mut postgres = 0;
        while !stop.load(Ordering::SeqCst) {
            postgres = postgres.max(self.of_postgres());
            std::thread::sleep(Duration::from_millis(200));
        }
        Peaks { service: line(format!("/proc/{}/status", self.service), "VmHWM:"), postgres }
    }

    /// What all of its processes take together: what they share counts once.
    fn of_postgres(&self) -> u64 {
        let children = format!("/proc/{0}/task/{0}/children", self.postmaster);
        let children = std::fs::read_to_string(children).unwrap_or_default();
        let all = children.split_whitespace().map(str::to_owned).chain([self.postmaster.to_string()]);
        all.map(|pid| line(format!("/proc/{pid}/smaps_rollup"), "Pss:")).sum()
    }
}

/// The number in a line of a file of /proc; 0 if the process has ended, which [`super::faults`] looks at.
fn line(file: impl AsRef<Path>, name: &str) -> u64 {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    let value = text.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
    value.trim().trim_end_matches(" kB").parse().unwrap_or_default()
}
