//! What the settings say of backups.

use std::sync::Arc;

use anyhow::{Context as _, anyhow, ensure};

use super::Settings;
use crate::{
    domain::{clock::Clock, retention::Retention, schedule::Schedule},
    service::backups::{Keeper, scheduled::Plan},
    store::{archive::Recipients, blobs::Blobs},
};

/// Whether a variable is one that says who may use an object store, and where it is.
pub(super) fn is_of_a_store(name: &str) -> bool {
    ["AWS_", "GOOGLE_", "AZURE_"]
        .iter()
        .any(|prefix| name.starts_with(prefix))
}

impl Settings {
    /// Looks whether what is said of backups can be used, without asking the store.
    ///
    /// # Errors
    /// One clear line for the first that can't.
    pub(super) fn check_backups(&self) -> anyhow::Result<()> {
        self.recipients()?;
        if self.schedule()?.is_some() {
            ensure!(
                self.backup_url.is_some() && self.backup_recipients.is_some(),
                "STAYGATE_BACKUP_SCHEDULE needs STAYGATE_BACKUP_URL and STAYGATE_BACKUP_RECIPIENTS: where backups are put, and who can read them"
            );
        }
        Ok(())
    }

    fn recipients(&self) -> anyhow::Result<Recipients> {
        let list = self.backup_recipients.as_deref().unwrap_or_default();
        Recipients::parse(list).context("STAYGATE_BACKUP_RECIPIENTS can't be used")
    }

    fn schedule(&self) -> anyhow::Result<Option<Schedule>> {
        let schedule = self.backup_schedule.as_deref().map(Schedule::parse);
        schedule.transpose().map_err(|why| {
            anyhow!("STAYGATE_BACKUP_SCHEDULE must be as cron has it, such as \"0 3 * * *\": {why}")
        })
    }

    /// Who keeps the backups.
    ///
    /// # Errors
    /// When nothing says where they are, or it can't be used.
    pub fn keeper(&self, clock: &Arc<dyn Clock>) -> anyhow::Result<Keeper> {
        let url = self.backup_url.as_deref().context(
            "STAYGATE_BACKUP_URL must be given: file:///FOLDER, s3://BUCKET, gs://BUCKET or az://CONTAINER",
        )?;
        let blobs = Blobs::open(url, &self.store_variables);
        Ok(Keeper {
            database_url: self.database_url.clone(),
            blobs: blobs.context("STAYGATE_BACKUP_URL can't be used")?,
            recipients: self.recipients()?,
            retention: Retention {
                daily: self.backup_keep_daily,
                weekly: self.backup_keep_weekly,
                monthly: self.backup_keep_monthly,
            },
            clock: Arc::clone(clock),
        })
    }

    /// What is backed up without being asked for. None without a schedule.
    ///
    /// # Errors
    /// As [`Self::keeper`].
    pub fn backup_plan(&self, clock: &Arc<dyn Clock>) -> anyhow::Result<Option<Plan>> {
        let Some(schedule) = self.schedule()? else {
            return Ok(None);
        };
        let keeper = self.keeper(clock)?;
        Ok(Some(Plan { keeper, schedule }))
    }
}
