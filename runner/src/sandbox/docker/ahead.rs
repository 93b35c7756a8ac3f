//! Containers of one workspace before and after their step: the next one is made while the current
//! one runs, and a finished one is removed while the next one runs.

use bollard::Docker;
use bollard::models::ContainerCreateBody;
use bollard::query_parameters::CreateContainerOptionsBuilder;
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::task::JoinHandle;

use super::engine::{REQUEST, bounded, remove_container};
use crate::error::SandboxError;

/// Containers made ahead at most.
const MOST: usize = 3;

/// What a workspace has in the engine besides the step that runs.
#[derive(Debug, Default)]
pub(super) struct Ahead(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    next: Vec<Next>,
    leaving: Vec<JoinHandle<()>>,
    ended: bool,
}

/// A container that is being made, or is made.
#[derive(Debug)]
struct Next {
    name: String,
    body: ContainerCreateBody,
    made: JoinHandle<Result<(), SandboxError>>,
}

impl Ahead {
    /// Begins to make a container, unless that very one is expected already.
    pub fn expect(&self, docker: &Docker, name: String, body: ContainerCreateBody) {
        let mut state = self.lock();
        if state.ended || state.next.len() >= MOST || state.next.iter().any(|next| next.body == body) {
            return;
        }
        let (docker, to_make, named) = (docker.clone(), body.clone(), name.clone());
        let made = tokio::spawn(async move { create(&docker, &named, to_make).await });
        state.next.push(Next { name, body, made });
    }

    /// The name of a container that is made: the expected one if it is the right one, else a new one.
    pub async fn get(
        &self,
        docker: &Docker,
        name: &str,
        body: ContainerCreateBody,
    ) -> Result<Option<String>, SandboxError> {
        let next = {
            let mut state = self.lock();
            let found = state.next.iter().position(|next| next.body == body);
            found.map(|at| state.next.swap_remove(at))
        };
        if let Some(Next { name, made, .. }) = next {
            match made.await {
                Ok(Ok(())) => return Ok(Some(name)),
                // What failed ahead is tried again now; what was half-made goes.
                _ => self.leave(docker, name),
            }
        }
        create(docker, name, body).await.map(|()| None)
    }

    /// Removes a container in the background.
    pub fn leave(&self, docker: &Docker, name: String) {
        let docker = docker.clone();
        let task = tokio::spawn(async move { discard(&docker, &name).await });
        let mut state = self.lock();
        state.leaving.retain(|task| !task.is_finished());
        state.leaving.push(task);
    }

    /// Nothing more is made, and what was made is gone.
    pub async fn end(&self, docker: &Docker) {
        let leaving = {
            let mut state = self.lock();
            state.ended = true;
            for next in std::mem::take(&mut state.next) {
                state.leaving.push(spawn_discard(docker, next));
            }
            std::mem::take(&mut state.leaving)
        };
        for task in leaving {
            if let Err(error) = task.await {
                tracing::warn!("a container may have been left behind for the next sweep: {error}");
            }
        }
    }

    /// A poisoned lock only means that a task panicked; what is listed is still true.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn create(docker: &Docker, name: &str, body: ContainerCreateBody) -> Result<(), SandboxError> {
    let options = CreateContainerOptionsBuilder::default().name(name).build();
    let create = docker.create_container(Some(options), body);
    bounded("create a container", REQUEST, create).await.map(|_| ())
}

fn spawn_discard(docker: &Docker, next: Next) -> JoinHandle<()> {
    let docker = docker.clone();
    tokio::spawn(async move {
        // Not before it is made, or it would be made after it was removed.
        let _ = next.made.await;
        discard(&docker, &next.name).await;
    })
}

async fn discard(docker: &Docker, name: &str) {
    if let Err(error) = remove_container(docker, name).await {
        tracing::warn!("a container was left behind for the next sweep: {error}");
    }
}
