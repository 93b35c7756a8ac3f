//! Workloads: what runs pods.

use holdpoint_schemas::service::{ServiceId, UpdateStrategy};
use serde_json::Value;
use std::collections::BTreeMap;

use super::super::image::{self, Technology};
use super::super::part::id;
use super::object::{Object, list, words};

/// Labels that name the app, the most telling first (Kubernetes' recommended labels; those of Istio and of older
/// charts).
const APP_LABELS: [&str; 4] = ["app", "app.kubernetes.io/name", "k8s-app", "name"];
/// Endings that say what kind of object it is, not what it is.
const KINDS: [&str; 5] = ["-deployment", "-deploy", "-statefulset", "-daemonset", "-rollout"];
/// Containers that a mesh puts beside those of the workload.
const SIDECARS: [&str; 3] = ["istio-proxy", "linkerd-proxy", "envoy-sidecar"];

/// An object that runs pods.
pub struct Workload<'a> {
    pub object: &'a Object<'a>,
    /// Labels of its pods.
    pub labels: BTreeMap<&'a str, &'a str>,
    /// The service that it is a part of; its own name until that is decided.
    pub id: ServiceId,
    pod: &'a Value,
}

impl<'a> Workload<'a> {
    pub fn of(object: &'a Object<'a>) -> Option<Self> {
        let template = match object.kind {
            "Deployment"
            | "StatefulSet"
            | "DaemonSet"
            | "ReplicaSet"
            | "ReplicationController"
            | "Rollout"
            | "Job"
            | "DeploymentConfig" => object.value.pointer("/spec/template")?,
            "CronJob" => object.value.pointer("/spec/jobTemplate/spec/template")?,
            "Service" if object.version.starts_with("serving.knative.dev/") => {
                object.value.pointer("/spec/template")?
            }
            "Pod" => object.value,
            _ => return None,
        };
        Some(Self {
            object,
            labels: words(template.pointer("/metadata/labels")),
            id: id(object.name)?,
            pod: template.get("spec")?,
        })
    }

    /// Whether its pods carry all of these labels; none select nothing.
    pub fn has(&self, selector: &BTreeMap<&str, &str>) -> bool {
        !selector.is_empty() && selector.iter().all(|(key, value)| self.labels.get(key) == Some(value))
    }

    /// Decides which service it is, from the Services before it (name, labels selected by).
    pub fn decide_id(&mut self, fronts: &[(&str, usize)]) {
        let own = self.object.name;
        let label = |name: &&str| self.labels.get(name).copied();
        let version = self.labels.get("version").copied();
        let is_version = |app: &str| {
            let rest = own.strip_prefix(app).and_then(|rest| rest.strip_prefix('-'));
            rest.is_some_and(|rest| Some(rest) == version || looks_like_version(rest))
        };
        let app = APP_LABELS
            .iter()
            .filter_map(label)
            .find(|app| *app == own || is_version(app) || fronts.iter().any(|(front, _)| front == app));
        let same = || fronts.iter().map(|(front, _)| *front).find(|front| *front == own);
        let nearest = || {
            let key = |front: &&(&str, usize)| (usize::MAX - front.1, front.0.len(), front.0.to_owned());
            fronts.iter().min_by_key(key).map(|(front, _)| *front)
        };
        let plain = || KINDS.iter().find_map(|ending| own.strip_suffix(ending)).unwrap_or(own);
        let name = app.or_else(same).or_else(nearest).unwrap_or_else(plain);
        if let Some(id) = id(name) {
            self.id = id;
        }
    }

    /// Its containers, those that only prepare it included, those of a mesh not.
    pub fn containers(&self) -> impl Iterator<Item = &'a Value> + use<'a> {
        list(self.pod, "/initContainers")
            .chain(list(self.pod, "/containers"))
            .filter(|container| {
                let name = container.get("name").and_then(Value::as_str).unwrap_or_default();
                !SIDECARS.contains(&name)
            })
    }

    /// Images of the containers that run.
    pub fn images(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        list(self.pod, "/containers").filter_map(|container| container.get("image")?.as_str())
    }

    /// The store or broker that it is: by its first container.
    pub fn technology(&self) -> Option<Technology> {
        image::technology(self.images().next(), &self.id.0)
    }

    /// Names of ConfigMaps that are mounted as files.
    pub fn mounted_configs(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        list(self.pod, "/volumes").filter_map(|volume| volume.pointer("/configMap/name")?.as_str())
    }

    /// Whether the manifest says how many pods are asked for.
    pub fn says_replicas(&self) -> bool {
        self.object.value.pointer("/spec/replicas").is_some()
    }

    /// How many pods are asked for; a Deployment that doesn't say asks for one.
    pub fn replicas(&self) -> Option<u32> {
        let by_default = match self.object.kind {
            "Deployment" | "StatefulSet" | "ReplicaSet" | "ReplicationController" | "Rollout" | "Pod" => Some(1),
            _ => None,
        };
        match self.object.value.pointer("/spec/replicas") {
            Some(count) => count.as_u64().and_then(|count| u32::try_from(count).ok()),
            None => by_default,
        }
    }

    /// How pods are replaced: the API's defaults where nothing is said.
    pub fn strategy(&self) -> Option<UpdateStrategy> {
        let kind = |path: &str| self.object.value.pointer(path).and_then(Value::as_str);
        match self.object.kind {
            "Deployment" | "DeploymentConfig" => {
                let rolling = |key: &str| {
                    self.object
                        .value
                        .pointer(&format!("/spec/strategy/rollingUpdate/{key}"))
                };
                let is = |key: &str, wanted: &str| rolling(key).is_some_and(|said| said.as_str() == Some(wanted));
                let none_more = is("maxSurge", "0%") || rolling("maxSurge").and_then(Value::as_u64) == Some(0);
                // The only pod goes before the next comes.
                let all_at_once = is("maxUnavailable", "100%") || none_more && self.replicas() == Some(1);
                match kind("/spec/strategy/type") {
                    Some("Recreate") => Some(UpdateStrategy::Recreate),
                    _ if all_at_once => Some(UpdateStrategy::Recreate),
                    Some("RollingUpdate" | "Rolling") | None => Some(UpdateStrategy::Rolling),
                    Some(_) => None,
                }
            }
            // Only one pod at a time, so that a single one is down in between.
            "StatefulSet" if self.replicas() == Some(1) => Some(UpdateStrategy::Recreate),
            "StatefulSet" | "DaemonSet" => match kind("/spec/updateStrategy/type") {
                Some("RollingUpdate") | None => Some(UpdateStrategy::Rolling),
                Some(_) => None,
            },
            "Rollout" => Some(UpdateStrategy::Rolling),
            "Pod" => Some(UpdateStrategy::Recreate),
            _ => None,
        }
    }
}

/// `v1`, `v2-beta`, `1.2`, `canary`, `stable`, `blue`, `green`.
fn looks_like_version(text: &str) -> bool {
    let number = text.strip_prefix('v').unwrap_or(text);
    let is_number = number.starts_with(|c: char| c.is_ascii_digit())
        && number
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-'));
    is_number && text != number || matches!(text, "canary" | "stable" | "primary" | "blue" | "green")
}

/// Where the value of a variable is.
pub enum Given<'a> {
    /// Here.
    Text(&'a str),
    /// In a ConfigMap.
    Config { map: &'a str, key: &'a str },
    /// In a Secret, or in the pod.
    Elsewhere,
}

/// Variables of a container, in order.
pub fn variables(container: &Value) -> impl Iterator<Item = (&str, Given<'_>)> {
    list(container, "/env").filter_map(|variable| {
        let name = variable.get("name")?.as_str()?;
        let text = |path: &str| variable.pointer(path).and_then(Value::as_str);
        let config = text("/valueFrom/configMapKeyRef/name").zip(text("/valueFrom/configMapKeyRef/key"));
        let given = match (text("/value"), config) {
            (Some(value), _) => Given::Text(value),
            (None, Some((map, key))) => Given::Config { map, key },
            _ => Given::Elsewhere,
        };
        Some((name, given))
    })
}

/// ConfigMaps that all values of a container are taken from.
pub fn config_refs(container: &Value) -> impl Iterator<Item = &str> {
    list(container, "/envFrom").filter_map(|from| from.pointer("/configMapRef/name")?.as_str())
}

/// Command and arguments of a container.
pub fn arguments(container: &Value) -> impl Iterator<Item = &str> {
    list(container, "/command")
        .chain(list(container, "/args"))
        .filter_map(Value::as_str)
}
