//! Looks at the schedules until told to stop: sleeps until one is due, and a minute at most.

use std::time::Duration;

use db::Db;
use tokio::sync::watch;

use crate::Worker;

/// When the database does not answer.
const PAUSE: Duration = Duration::from_secs(15);

pub(crate) async fn keep(db: Db, mut stop: watch::Receiver<bool>) {
    loop {
        let pause = match workflow::fire_schedules(&db, &Worker::actor(), None).await {
            Ok(fired) => {
                for job in &fired.jobs {
                    tracing::info!(schedule = job.schedule, nominal_at = %job.nominal_at, "a schedule was due");
                }
                fired.pause
            }
            Err(error) => {
                tracing::warn!(%error, "can't look at the schedules");
                PAUSE
            }
        };
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            // An error means that the switch is gone, which asks to stop too.
            _ = stop.wait_for(|stop| *stop) => return,
        }
    }
}
