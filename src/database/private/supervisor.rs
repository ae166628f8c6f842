//! Keeps the private PostgreSQL running while the service does: a small thread
//! that looks twice a second, and starts the server again if it is gone.

use std::time::Duration;

use super::{Error, PrivateCluster, io_error};
use crate::worker::Worker;

/// How often to look, as long as all is well.
const INTERVAL: Duration = Duration::from_millis(500);

/// How long to wait, at most, between two attempts that fail.
const LONGEST_INTERVAL: Duration = Duration::from_secs(30);

/// A running watch over a [`PrivateCluster`].
///
/// It owns the cluster, so that nothing can stop the one while the other starts it.
/// Dropping it ends the watch and leaves PostgreSQL running.
#[derive(Debug)]
pub struct Supervisor {
    cluster: PrivateCluster,
    worker: Worker,
}

impl Supervisor {
    /// Begins to watch over a running cluster.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] if the system has no thread to give.
    pub fn watch(cluster: PrivateCluster) -> Result<Supervisor, Error> {
        let watched = cluster.clone();
        let worker = Worker::start("postgres-watch", move |stopping| {
            let mut interval = INTERVAL;
            while stopping.wait(interval) {
                interval = look_after(&watched, interval);
            }
        })
        .map_err(io_error("start the thread that watches", cluster.path()))?;
        Ok(Supervisor { cluster, worker })
    }

    pub fn cluster(&self) -> &PrivateCluster {
        &self.cluster
    }

    /// Ends the watch, then stops PostgreSQL cleanly.
    ///
    /// # Errors
    ///
    /// As [`PrivateCluster::stop`]; and [`Error::Io`] if the watch had panicked.
    pub fn stop(self) -> Result<(), Error> {
        let watched = self.worker.stop();
        let path = self.cluster.path().to_owned();
        self.cluster.stop()?;
        watched.map_err(io_error("watch", &path))
    }
}

/// Starts the server again if it is gone; says when to look next.
fn look_after(cluster: &PrivateCluster, interval: Duration) -> Duration {
    if cluster.is_running() {
        return INTERVAL;
    }
    log::warn!("the private PostgreSQL has stopped by itself; starting it again");
    match cluster.revive() {
        Ok(()) => {
            log::info!("the private PostgreSQL runs again");
            INTERVAL
        }
        Err(error) => {
            let interval = (interval * 2).min(LONGEST_INTERVAL);
            log::error!("{error}; trying again in {} s", interval.as_secs());
            interval
        }
    }
}
