//! Threads that work beside the requests, from the service's start to its stop.

use std::fmt::Display;
use std::io;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

/// A thread that works until it is told to stop.
#[derive(Debug)]
pub struct Worker {
    // Never sent to: dropping it tells the thread.
    stop: Sender<()>,
    thread: JoinHandle<()>,
}

/// What a worker asks whether it shall go on.
#[derive(Debug)]
pub struct Stopping(Receiver<()>);

impl Worker {
    /// Starts a thread.
    ///
    /// # Errors
    /// When the operating system gives none.
    pub fn start(name: &str, work: impl FnOnce(&Stopping) + Send + 'static) -> io::Result<Self> {
        let (stop, stopped) = channel();
        let thread = Builder::new().name(name.to_owned()).spawn(move || work(&Stopping(stopped)))?;
        Ok(Self { stop, thread })
    }

    /// Starts a thread that does `work` as long as that answers that there may be more, then waits for `every`, and so on. A
    /// stop waits for the work that is under way.
    ///
    /// # Errors
    /// When the operating system gives none.
    pub fn repeat(
        name: &str,
        every: Duration,
        mut work: impl FnMut(&Stopping) -> bool + Send + 'static,
    ) -> io::Result<Self> {
        Self::start(name, move |stopping| {
            loop {
                while stopping.goes_on() && work(stopping) {}
                if !stopping.wait(every) {
                    return;
                }
            }
        })
    }

    /// Tells the thread to stop, and waits until it has.
    ///
    /// # Errors
    /// When the thread had panicked.
    pub fn stop(self) -> io::Result<()> {
        drop(self.stop);
        self.thread.join().map_err(|_| io::Error::other("its thread panicked"))
    }
}

impl Stopping {
    /// Waits for so long, or until the worker shall stop. Answers whether it goes on.
    #[must_use]
    pub fn wait(&self, duration: Duration) -> bool {
        self.0.recv_timeout(duration) == Err(RecvTimeoutError::Timeout)
    }

    #[must_use]
    pub fn goes_on(&self) -> bool {
        self.wait(Duration::ZERO)
    }
}

/// What came of some work beside the requests. What fails is told in the log, after what that means, and is done another
/// time.
pub fn attempt<T, E: Display>(failed: &str, work: impl FnOnce() -> Result<T, E>) -> Option<T> {
    work().inspect_err(|fault| log::warn!("{failed}: {fault}")).ok()
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::sync::{Arc, mpsc};
    use std::time::Instant;

    use super::*;

    #[test]
    fn a_stop_cuts_the_wait_short_and_lets_the_work_finish() {
        let (began, begun) = mpsc::channel();
        let done = Arc::new(AtomicU32::new(0));
        let worker = Worker::start("test", {
            let done = Arc::clone(&done);
            move |stopping| {
                began.send(()).unwrap();
                assert!(!stopping.wait(Duration::from_secs(600)));
                assert!(!stopping.goes_on());
                done.fetch_add(1, Ordering::SeqCst);
            }
        })
        .unwrap();
        begun.recv().unwrap();
        let stop = Instant::now();
        worker.stop().unwrap();
        assert!(stop.elapsed() < Duration::from_secs(60));
        assert_eq!(done.load(Ordering::SeqCst), 1);
    }

    #[test]
    fn it_goes_on_until_it_is_stopped() {
        let (turned, turns) = mpsc::channel();
        let worker = Worker::start("test", move |stopping| {
            while stopping.goes_on() && stopping.wait(Duration::from_millis(1)) {
                turned.send(()).unwrap();
            }
        })
        .unwrap();
        turns.recv().unwrap();
        turns.recv().unwrap();
        worker.stop().unwrap();
    }

    #[test]
    fn as_long_as_there_is_more_it_does_not_wait() {
        let (turned, turns) = mpsc::channel();
        let mut left = 3;
        let worker = Worker::repeat("test", Duration::from_secs(600), move |_| {
            turned.send(left).unwrap();
            left -= 1;
            left > 0
        })
        .unwrap();
        assert_eq!([(); 3].map(|()| turns.recv().unwrap()), [3, 2, 1]);
        assert!(turns.recv_timeout(Duration::from_millis(50)).is_err());
        worker.stop().unwrap();
    }

    #[test]
    fn a_panic_is_told_at_the_stop() {
        let worker = Worker::start("test", |_| panic!("for the test")).unwrap();
        assert_eq!(worker.stop().unwrap_err().to_string(), "its thread panicked");
    }
}
