//! One service, a quiet tenant that makes, uses, lists and revokes tokens all the time, and hostile ones beside it, each
//! alone and all together (docs/limits.md). The quiet tenant gets no 5xx and does not wait long, and the memory stays
//! bounded.
//!
//! The short form runs with all tests. On a machine that does other work at the same time it can hold no more than that
//! every request of the quiet tenant succeeds, that none waits for ever, and the memory. `make storm` runs the long form
//! on a release build and holds the times as well.

mod figures;
mod hostile;
mod quiet;
mod scene;

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use self::figures::{Attack, Figures, Memory, Peaks, table};
use self::hostile::{ALL, Hostile};
use self::scene::Scene;
use crate::support::say;

/// How long everything goes on, and what is held.
struct Scale {
    calm: Duration,
    alone: Duration,
    together: Duration,
    /// How many tokens are searched.
    tokens: u32,
    /// How many times the p99 of calm the quiet tenant may wait; else [`PATIENCE`].
    slower: Option<u32>,
}

/// The longest p99 in the short form.
const PATIENCE: Duration = Duration::from_secs(10);

/// The most resident memory, in MiB: of the service, and of all of PostgreSQL's processes together. docs/limits.md
/// promises them.
const SERVICE_MIB: u64 = 256;
const POSTGRES_MIB: u64 = 1024;

#[test]
#[ignore = "it takes a minute: make test-long"]
fn a_short_storm_leaves_the_quiet_tenant_alone() {
    rage(&Scale {
        calm: Duration::from_secs(2),
        alone: Duration::from_millis(1200),
        together: Duration::from_secs(4),
        tokens: 20_000,
        slower: None,
    });
}

#[test]
#[ignore = "it takes ten minutes: make storm"]
fn a_storm_leaves_the_quiet_tenant_alone() {
    rage(&Scale {
        calm: Duration::from_secs(60),
        alone: Duration::from_secs(35),
        together: Duration::from_secs(120),
        tokens: 1_000_000,
        slower: Some(5),
    });
}

fn rage(scale: &Scale) {
    let scene = Scene::set(scale.tokens);
    let mut all = vec![measured(&scene, "calm", &[], scale.calm)];
    for hostile in &ALL {
        all.push(measured(&scene, hostile.name, std::slice::from_ref(hostile), scale.alone));
    }
    all.push(measured(&scene, "all together", &ALL, scale.together));
    all.push(measured(&scene, "calm again", &[], scale.calm / 2));
    say(&table(&all));
    let longest = scale.slower.map_or(PATIENCE, |times| all[0].percentile(99) * times);
    let faults: Vec<String> = all.iter().flat_map(|figures| faults(figures, longest)).collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    scene.stop();
}

/// What the quiet tenant sees during some time, with some of the hostile ones beside it.
fn measured(scene: &Scene, name: &'static str, beside: &[Hostile], time: Duration) -> Figures {
    let memory = Memory::of(scene.service.id(), scene.postmaster());
    let stop = AtomicBool::new(false);
    let (seen, Peaks { service, postgres }) = std::thread::scope(|scope| {
        for hostile in beside {
            for nth in 0..hostile.threads {
                let stop = &stop;
                scope.spawn(move || {
                    figures::lower_priority();
                    (hostile.act)(scene, nth, stop);
                });
            }
        }
        let watching = scope.spawn(|| memory.watch(&stop));
        let seen = quiet::live(scene, time);
        stop.store(true, Ordering::SeqCst);
        (seen, watching.join().unwrap())
    });
    let (answers, broken) = scene.answers();
    let attack = Attack { answered: beside.iter().any(|hostile| hostile.asks), answers, broken };
    Figures { name, seen, attack, service_kib: service, postgres_kib: postgres }
}

fn faults(figures: &Figures, longest: Duration) -> Vec<String> {
    let Figures { name, seen, attack, service_kib, postgres_kib } = figures;
    let p99 = figures.percentile(99);
    let wrong = seen.wrong.iter().chain(&attack.broken);
    let mut faults: Vec<String> = wrong.map(|wrong| format!("{name}: {wrong}")).collect();
    let mut hold = |holds: bool, fault: String| {
        if !holds {
            faults.push(format!("{name}: {fault}"))
        }
    };
    hold(!seen.times.is_empty() && *service_kib > 0 && *postgres_kib > 0, "nothing was measured".to_owned());
    hold(!attack.answered || attack.answers > 0, "nobody was hostile".to_owned());
    hold(p99 <= longest, format!("p99 is {p99:?}, more than {longest:?}"));
    hold(service_kib / 1024 <= SERVICE_MIB, format!("the service takes {} MiB", service_kib / 1024));
    hold(postgres_kib / 1024 <= POSTGRES_MIB, format!("PostgreSQL takes {} MiB", postgres_kib / 1024));
    faults
}
