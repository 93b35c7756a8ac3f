//! `pom.xml`: only how many dependencies it declares, and which.

use super::Manifests;
use crate::package::Ecosystem;

fn tag<'a>(text: &'a str, name: &str) -> &'a str {
    let after = text.split_once(&format!("<{name}>")).map_or("", |(_, after)| after);
    after.split_once("</").map_or("", |(value, _)| value.trim())
}

pub(super) fn pom(_: &str, text: &str, into: &mut Manifests) -> Result<(), String> {
    // A parent, profiles and imported lists bring dependencies that this file doesn't show.
    if ["<parent>", "<profiles>", "<scope>import</scope>", "<!ENTITY"]
        .iter()
        .any(|part| text.contains(part))
    {
        into.partial.insert(Ecosystem::Maven);
    }
    for dependency in text.split("<dependency>").skip(1) {
        let dependency = dependency.split("</dependency>").next().unwrap_or_default();
        let name = format!("{}:{}", tag(dependency, "groupId"), tag(dependency, "artifactId"));
        into.declare(Ecosystem::Maven, &name);
    }
    Ok(())
}
