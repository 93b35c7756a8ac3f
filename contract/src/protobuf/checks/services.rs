//! Services that are on both sides.

use std::collections::BTreeMap;

use super::{Checks, Finding, Pair, quoted};
use crate::protobuf::model::{Method, MethodType, Service};

const IDEMPOTENCY: &str = "idempotency_level";

impl Checks<'_> {
    pub(super) fn services(&mut self) {
        for (name, old) in &self.base.services {
            if let Some(new) = self.revision.services.get(name) {
                self.findings.extend(methods(Pair { old: *old, new: *new }));
            }
        }
    }
}

fn methods(pair: Pair<'_, Service>) -> Vec<Finding<'_>> {
    let (old, new) = (pair.old.item, pair.new.item);
    let kept: BTreeMap<&str, &Method> = new
        .methods
        .iter()
        .map(|method| (method.name.as_str(), method))
        .collect();
    let mut found = Vec::new();
    for before in &old.methods {
        match kept.get(before.name.as_str()) {
            Some(after) => method(pair, before, after, &mut found),
            None => {
                let (name, service) = (quoted(&before.name), quoted(&new.name));
                let text = format!("Previously present RPC {name} on service {service} was deleted.");
                let location = format!("{}.{}", new.full_name, before.name);
                found.push(pair.at("RPC_NO_DELETE", new.line, &location, text));
            }
        }
    }
    found
}

fn method<'a>(pair: Pair<'a, Service>, before: &Method, after: &Method, found: &mut Vec<Finding<'a>>) {
    let service = pair.new.item;
    let location = format!("{}.{}", service.full_name, after.name);
    let name = format!("RPC {} on service {}", quoted(&after.name), quoted(&service.name));
    let mut add = |rule, line, text: String| found.push(pair.at(rule, line, &location, format!("{name} {text}.")));
    type Part = fn(&Method) -> &MethodType;
    let parts: [(&str, &str, &str, &str, Part); 2] = [
        (
            "RPC_SAME_CLIENT_STREAMING",
            "RPC_SAME_REQUEST_TYPE",
            "client",
            "request",
            |method| &method.input,
        ),
        (
            "RPC_SAME_SERVER_STREAMING",
            "RPC_SAME_RESPONSE_TYPE",
            "server",
            "response",
            |method| &method.output,
        ),
    ];
    for (same_streaming, same_type, side, what, part) in parts {
        let (old, new) = (part(before), part(after));
        if old.stream != new.stream {
            let word = |stream| if stream { "streaming" } else { "unary" };
            let text = format!(
                "changed from {side} {} to {side} {}",
                word(old.stream),
                word(new.stream)
            );
            add(same_streaming, after.line, text);
        }
        if old.type_name != new.type_name {
            let (from, to) = (quoted(&old.type_name), quoted(&new.type_name));
            add(same_type, new.line, format!("changed {what} type from {from} to {to}"));
        }
    }
    let level = |method: &Method| method.options.text(IDEMPOTENCY).unwrap_or("IDEMPOTENCY_UNKNOWN".into());
    let (old, new) = (level(before), level(after));
    if old != new {
        let line = after.options.line(IDEMPOTENCY).unwrap_or(after.line);
        let text = format!("changed option {IDEMPOTENCY:?} from {old:?} to {new:?}");
        add("RPC_SAME_IDEMPOTENCY_LEVEL", line, text);
    }
}
