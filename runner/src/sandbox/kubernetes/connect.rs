//! From settings to a sandbox: which cluster, what it can do, what was shown there.

use holdpoint_schemas::estate::PullPolicy;
use holdpoint_schemas::evidence::Isolation;
use k8s_openapi::api::core::v1::{Namespace, Node};
use k8s_openapi::api::networking::v1::NetworkPolicy;
use k8s_openapi::api::node::v1::RuntimeClass;
use kube::api::ListParams;
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Api, Client, Config};
use std::collections::HashMap;
use std::io::Read as _;
use std::sync::Mutex;
use std::sync::atomic::AtomicU64;

use super::api::{ApiError, Cluster};
use super::lease::OwnLease;
use super::profile::Profile;
use super::record::ClusterIdentity;
use super::{DEFAULT_NAMESPACE, KubernetesSandbox, KubernetesSettings};
use crate::error::SandboxError;
use crate::sandbox::Limits;
use crate::sandbox::control::Control;
use crate::sandbox::owner::Owner;
use crate::text::one_line;

/// Nodes looked at: more than any cluster that Kubernetes is tested with (5,000).
const MAX_NODES: u32 = 6_000;
/// Handlers that give a pod a kernel of its own, by how their names begin.
const OWN_KERNEL: [&str; 4] = ["runsc", "gvisor", "kata", "firecracker"];

impl KubernetesSandbox {
    /// Connects to a cluster, says in it that this process lives, and shuts its pods off from every network.
    ///
    /// # Errors
    /// When no image is configured, no cluster answers, the runtime class isn't there, or this user may
    /// not do what is needed; the message says what.
    pub async fn connect(settings: KubernetesSettings) -> Result<Self, SandboxError> {
        let image = settings.config.image.clone().ok_or(SandboxError::NoClusterImage)?;
        let client = client(&settings).await?;
        let configured = &settings.config.kubernetes;
        let cluster = Cluster {
            client,
            namespace: configured
                .namespace
                .clone()
                .unwrap_or_else(|| DEFAULT_NAMESPACE.to_owned()),
            patience: settings.patience.clone(),
        };
        let version = cluster
            .ask("tell its version", |_| cluster.client.apiserver_version())
            .await;
        let version = version.map_err(no_cluster)?.git_version;
        let class = configured.runtime_class.as_deref();
        let handler = match class {
            Some(class) => Some(runtime_handler(&cluster, class).await?),
            None => None,
        };
        let user_namespaces = nodes_have_user_namespaces(&cluster, handler.as_deref().unwrap_or_default()).await;
        let identity = ClusterIdentity {
            uid: cluster_uid(&cluster).await,
            version,
            namespace: cluster.namespace.clone(),
            runtime: class
                .zip(handler.as_deref())
                .map(|(class, handler)| format!("{class} ({handler})")),
            user_namespaces,
        };
        let kind = proven_kind(&settings, &identity, handler.as_deref());
        let profile = Profile {
            id: format!("holdpoint-{}", random_id().map_err(SandboxError::NoOwner)?),
            run: settings.run,
            image,
            pull: match settings.config.pull {
                PullPolicy::Never => "Never",
                PullPolicy::IfMissing => "IfNotPresent",
            },
            runtime_class: configured.runtime_class.clone(),
            user_namespaces,
            limits: Limits::from(&settings.config),
            queue: settings.patience.queue,
            controls: settings.controls,
        };
        let owner = Owner::this_process().map_err(SandboxError::NoOwner)?;
        let lease = OwnLease::take(&cluster, &profile, &owner).await?;
        if profile.controls.has(Control::NoNetwork) {
            let policy = profile.network_policy(&lease.as_owner());
            cluster
                .create::<NetworkPolicy>("create a network policy", &profile.id, &policy)
                .await?;
        }
        Ok(Self {
            cluster,
            profile,
            lease,
            owner,
            identity,
            kind,
            holders: Mutex::new(HashMap::new()),
            counter: AtomicU64::new(0),
        })
    }
}

async fn client(settings: &KubernetesSettings) -> Result<Client, SandboxError> {
    let failed = |error: &dyn std::error::Error| SandboxError::NoCluster {
        reason: one_line(&error.to_string()),
    };
    let options = KubeConfigOptions {
        context: settings.config.kubernetes.context.clone(),
        ..KubeConfigOptions::default()
    };
    let mut config = match &settings.kubeconfig {
        Some(path) => {
            let path = path.clone();
            let read = tokio::task::spawn_blocking(move || Kubeconfig::read_from(path)).await;
            let read = read.map_err(|error| failed(&error))?.map_err(|error| failed(&error))?;
            Config::from_custom_kubeconfig(read, &options)
                .await
                .map_err(|error| failed(&error))?
        }
        None if options.context.is_some() => Config::from_kubeconfig(&options)
            .await
            .map_err(|error| failed(&error))?,
        None => Config::infer().await.map_err(|error| failed(&error))?,
    };
    // Each request is bounded and repeated by us: the client's own repetitions would add to that.
    config.default_retry = false;
    Client::try_from(config).map_err(|error| failed(&error))
}

fn no_cluster(error: ApiError) -> SandboxError {
    let (ApiError::Refused { reason, .. } | ApiError::Gone { reason, .. }) = error;
    SandboxError::NoCluster { reason }
}

/// The handler of a runtime class.
async fn runtime_handler(cluster: &Cluster, class: &str) -> Result<String, SandboxError> {
    let api: Api<RuntimeClass> = Api::all(cluster.client.clone());
    match cluster.ask("read a runtime class", |_| api.get(class)).await {
        Ok(found) => Ok(found.handler),
        // It may be there all the same; its pods will tell.
        Err(error) if error.code() == Some(403) => Ok(String::new()),
        Err(error) => Err(error.into()),
    }
}

/// Whether every node can give a pod a user namespace with this handler (KEP-127: nodes say so).
async fn nodes_have_user_namespaces(cluster: &Cluster, handler: &str) -> bool {
    let api: Api<Node> = Api::all(cluster.client.clone());
    let params = ListParams::default().limit(MAX_NODES);
    let Ok(nodes) = cluster.ask("list nodes", |_| api.list(&params)).await else {
        return false;
    };
    let has = |node: &Node| {
        let handlers = node.status.as_ref().and_then(|status| status.runtime_handlers.as_ref());
        handlers.into_iter().flatten().any(|found| {
            found.name.as_deref().unwrap_or_default() == handler
                && found.features.as_ref().and_then(|features| features.user_namespaces) == Some(true)
        })
    };
    nodes.metadata.continue_.as_deref().unwrap_or_default().is_empty()
        && !nodes.items.is_empty()
        && nodes.items.iter().all(has)
}

/// The cluster's identity; empty when it may not be read, which fits no record.
async fn cluster_uid(cluster: &Cluster) -> String {
    let api: Api<Namespace> = Api::all(cluster.client.clone());
    match cluster
        .ask("read the namespace kube-system", |_| api.get("kube-system"))
        .await
    {
        Ok(found) => found.metadata.uid.unwrap_or_default(),
        Err(error) => {
            tracing::warn!("the cluster can't be identified: {}", SandboxError::from(error));
            String::new()
        }
    }
}

/// What steps there are isolated by, as far as a record proves it.
fn proven_kind(settings: &KubernetesSettings, identity: &ClusterIdentity, handler: Option<&str>) -> Isolation {
    let Some(record) = &settings.conformance else {
        return Isolation::Unproven;
    };
    if identity.uid.is_empty() {
        return Isolation::Unproven;
    }
    if let Err(why) = identity.proves(record, &settings.suite) {
        tracing::warn!("the isolation of this cluster is unproven: {why}");
        return Isolation::Unproven;
    }
    let own_kernel = handler.is_some_and(|handler| OWN_KERNEL.iter().any(|name| handler.starts_with(name)));
    if own_kernel {
        Isolation::Kernel
    } else {
        Isolation::Container
    }
}

/// 16 hexadecimal digits that no other sandbox has, on whatever machine.
fn random_id() -> std::io::Result<String> {
    let mut bytes = [0; 8];
    std::fs::File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(format!("{:016x}", u64::from_ne_bytes(bytes)))
}
