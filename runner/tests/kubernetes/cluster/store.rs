//! What the API server keeps: objects, their versions and their history.

use k8s_openapi::jiff::Timestamp;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Mutex;
use tokio::sync::watch;

#[derive(Clone)]
pub struct Event {
    pub version: u64,
    pub kind: &'static str,
    pub plural: String,
    pub object: Value,
}

#[derive(Default)]
struct Inner {
    version: u64,
    objects: BTreeMap<(String, String), Value>,
    history: Vec<Event>,
}

pub struct Store {
    inner: Mutex<Inner>,
    changed: watch::Sender<u64>,
}

impl Default for Store {
    fn default() -> Self {
        Self {
            inner: Mutex::default(),
            changed: watch::Sender::new(0),
        }
    }
}

impl Inner {
    fn put(&mut self, kind: &'static str, plural: &str, mut object: Value) -> Value {
        self.version += 1;
        object["metadata"]["resourceVersion"] = json!(self.version.to_string());
        let key = (plural.to_owned(), name_of(&object));
        if kind == "DELETED" {
            self.objects.remove(&key);
        } else {
            self.objects.insert(key, object.clone());
        }
        self.history.push(Event {
            version: self.version,
            kind,
            plural: plural.to_owned(),
            object: object.clone(),
        });
        object
    }
}

impl Store {
    fn change<T>(&self, change: impl FnOnce(&mut Inner) -> T) -> T {
        let mut inner = self.inner.lock().unwrap();
        let result = change(&mut inner);
        let version = inner.version;
        drop(inner);
        self.changed.send_replace(version);
        result
    }

    /// `None`: the name is taken.
    pub fn create(&self, plural: &str, mut object: Value) -> Option<Value> {
        self.change(|inner| {
            if inner.objects.contains_key(&(plural.to_owned(), name_of(&object))) {
                return None;
            }
            let number = inner.version + 1;
            object["metadata"]["uid"] = json!(format!("00000000-0000-4000-8000-{number:012x}"));
            object["metadata"]["creationTimestamp"] = json!(Timestamp::now().strftime("%FT%TZ").to_string());
            Some(inner.put("ADDED", plural, object))
        })
    }

    pub fn get(&self, plural: &str, name: &str) -> Option<Value> {
        let key = (plural.to_owned(), name.to_owned());
        self.inner.lock().unwrap().objects.get(&key).cloned()
    }

    /// All of a kind that a selector fits, and the version that they are of.
    pub fn list(&self, plural: &str, selector: &str) -> (Vec<Value>, u64) {
        let inner = self.inner.lock().unwrap();
        let of_kind = inner.objects.iter().filter(|((kind, _), _)| kind == plural);
        let fitting = of_kind
            .map(|(_, object)| object.clone())
            .filter(|object| fits(object, selector));
        (fitting.collect(), inner.version)
    }

    /// Changes an object, if it is there.
    pub fn update(&self, plural: &str, name: &str, change: impl FnOnce(&mut Value)) -> Option<Value> {
        self.change(|inner| {
            let mut object = inner.objects.get(&(plural.to_owned(), name.to_owned()))?.clone();
            change(&mut object);
            Some(inner.put("MODIFIED", plural, object))
        })
    }

    /// Deletes an object, and with `cascade` what it owns. Pods and volumes are only marked: the node
    /// takes them away when they are.
    pub fn delete(&self, plural: &str, name: &str, cascade: bool) -> Option<Value> {
        let object = self.change(|inner| {
            let object = inner.objects.get(&(plural.to_owned(), name.to_owned()))?.clone();
            if matches!(plural, "pods" | "persistentvolumeclaims") {
                let mut marked = object;
                marked["metadata"]["deletionTimestamp"] = json!(Timestamp::now().to_string());
                return Some(inner.put("MODIFIED", plural, marked));
            }
            Some(inner.put("DELETED", plural, object))
        })?;
        if cascade {
            let uid = object["metadata"]["uid"].clone();
            for (plural, name) in self.owned_by(&uid) {
                self.delete(&plural, &name, true);
            }
        }
        Some(object)
    }

    /// Takes away what was only marked.
    pub fn purge(&self, plural: &str, name: &str) {
        self.change(|inner| {
            if let Some(object) = inner.objects.get(&(plural.to_owned(), name.to_owned())).cloned() {
                inner.put("DELETED", plural, object);
            }
        });
    }

    fn owned_by(&self, uid: &Value) -> Vec<(String, String)> {
        let inner = self.inner.lock().unwrap();
        let owned = inner.objects.iter().filter(|(_, object)| {
            let owners = object["metadata"]["ownerReferences"].as_array();
            owners.into_iter().flatten().any(|owner| owner["uid"] == *uid)
        });
        owned.map(|(key, _)| key.clone()).collect()
    }

    /// What happened after a version.
    pub fn since(&self, plural: &str, selector: &str, version: u64) -> Vec<Event> {
        let inner = self.inner.lock().unwrap();
        let later = inner
            .history
            .iter()
            .filter(|event| event.version > version && event.plural == plural);
        later.filter(|event| fits(&event.object, selector)).cloned().collect()
    }

    pub fn subscribe(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    pub fn names(&self) -> Vec<String> {
        let inner = self.inner.lock().unwrap();
        inner
            .objects
            .keys()
            .map(|(plural, name)| format!("{plural}/{name}"))
            .collect()
    }
}

pub fn name_of(object: &Value) -> String {
    object["metadata"]["name"].as_str().unwrap_or_default().to_owned()
}

/// Selectors of the form `a=b,c`.
pub fn fits(object: &Value, selector: &str) -> bool {
    let labels = &object["metadata"]["labels"];
    selector
        .split(',')
        .filter(|part| !part.is_empty())
        .all(|part| match part.split_once('=') {
            Some((name, value)) => labels[name] == value,
            None => !labels[part].is_null(),
        })
}
