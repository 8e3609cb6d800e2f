//! How it was, for those who may see it.

use std::sync::PoisonError;

use gambeson_api::{History, ProjectId};

use super::{Answer, Caller, Control, Target, unseen};
use crate::access::Action;
use crate::past::Window;

impl Control {
    /// How it was with the projects whose queue the caller sees, or with one of them.
    ///
    /// # Errors
    /// When the caller may not see any queue, or not that project's.
    pub async fn history(&self, caller: &Caller, project: Option<&str>, window: Window) -> Answer<History> {
        let directory = self.shared.directory();
        let mut seen: Vec<ProjectId> = Vec::new();
        let mut all = false;
        match project {
            Some(name) => {
                let id = self.named_project(&directory, caller, Action::QueueView, name).await?;
                let looked = self.look(caller, Action::QueueView, Target::Project(id)).await;
                drop(looked.map_err(unseen(id, project))?);
                seen.push(id);
            }
            None => {
                seen = self.projects_where(&directory, caller, Action::QueueView)?;
                match seen.first() {
                    Some(first) => drop(self.look(caller, Action::QueueView, Target::Project(*first)).await?),
                    None => self.nothing_to_list(&directory, caller, Action::QueueView).await?,
                }
                seen.sort_unstable();
                all = seen.len() == directory.projects.len();
            }
        }
        let workers = self.may(&directory, caller, Action::WorkerView, Target::Platform)?;
        let (step_ms, steps) = self.shared.past.lock().unwrap_or_else(PoisonError::into_inner).steps(window);
        Ok(History { step_ms, moments: steps.iter().map(|step| step.shown(&seen, all, workers)).collect() })
    }
}
