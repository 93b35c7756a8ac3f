use super::*;

fn npm(old: Files<'_>, new: Files<'_>, client: Files<'_>) -> String {
    told(&judged(
        Ecosystem::Npm,
        read_javascript,
        &[("1.0.0", old), ("1.1.0", new)],
        client,
    ))
}

/// A package with one file of declarations.
fn typed(declarations: &str) -> Vec<(&str, &str)> {
    vec![
        (
            "package.json",
            r#"{"name":"pkg","version":"1.0.0","main":"index.js","types":"index.d.ts"}"#,
        ),
        ("index.js", "module.exports = require('./secret');"),
        ("index.d.ts", declarations),
    ]
}

#[test]
fn what_is_gone_breaks_whoever_imports_it() {
    let (old, new) = (
        typed("export function a(): void;\nexport function b(): void;\n"),
        typed("export function b(): void;\n"),
    );
    assert_eq!(
        npm(&old, &new, &[("app.js", "import { a } from 'pkg';\n")]),
        "removed pkg.a app.js:1"
    );
    assert_eq!(
        npm(&old, &new, &[("app.js", "const p = require('pkg');\np.a();\n")]),
        "removed pkg.a app.js:2"
    );
    assert_eq!(
        npm(&old, &new, &[("app.js", "const { b } = require('pkg');\nb();\n")]),
        "safe"
    );
}

#[test]
fn declared_parameters_are_held_against_calls() {
    let old = typed("export function f(a: string, b?: number): void;");
    for (new, call, answer) in [
        (
            "export function f(a: string, b?: number, c?: boolean): void;",
            "f('x')",
            "safe",
        ),
        (
            "export function f(a: string): void;",
            "f('x', 1)",
            "parameter-removed pkg.f app.ts:2",
        ),
        (
            "export function f(a: string, b: number): void;",
            "f('x')",
            "parameter-added pkg.f app.ts:2",
        ),
        (
            "export function f(a: number, b?: number): void;",
            "f('x')",
            "type pkg.f app.ts:2",
        ),
        (
            "export function f(a: string | URL, b?: number): void;",
            "f('x')",
            "safe",
        ),
        (
            "export function f(b: number, a?: string): void;",
            "f('x')",
            "parameter-reordered pkg.f app.ts:2",
        ),
    ] {
        let client = format!("import {{ f }} from 'pkg';\n{call};\n");
        assert_eq!(npm(&old, &typed(new), &[("app.ts", &client)]), answer, "{new}");
    }
}

#[test]
fn a_package_that_becomes_es_only_breaks_a_require() {
    let old: Files<'_> = &[
        ("package.json", r#"{"name":"pkg","main":"index.js"}"#),
        ("index.js", "module.exports = function f(a) { return a; };"),
    ];
    let new: Files<'_> = &[
        (
            "package.json",
            r#"{"name":"pkg","type":"module","exports":"./index.js"}"#,
        ),
        ("index.js", "export default function f(a) { return a; }"),
    ];
    let told = npm(old, new, &[("app.js", "const f = require('pkg');\nf(1);\n")]);
    assert!(told.starts_with("loading pkg app.js:1"), "{told}");
    assert_eq!(npm(old, new, &[("app.mjs", "import f from 'pkg';\nf(1);\n")]), "safe");
    let told = npm(old, new, &[("app.js", "import f from 'pkg';\nf(1);\n")]);
    assert!(told.starts_with("unknown"), "{told}");
}

#[test]
fn deep_imports_are_held_against_what_is_exported() {
    let old: Files<'_> = &[
        ("package.json", r#"{"name":"pkg","main":"index.js"}"#),
        ("index.js", "exports.v4 = require('./v4');"),
        ("v4.js", "module.exports = function v4() {};"),
    ];
    let new: Files<'_> = &[
        ("package.json", r#"{"name":"pkg","exports":{".":"./index.js"}}"#),
        ("index.js", "exports.v4 = require('./v4');"),
        ("v4.js", "module.exports = function v4() {};"),
    ];
    let told = npm(old, new, &[("app.js", "const v4 = require('pkg/v4');\nv4();\n")]);
    assert!(told.contains("removed pkg/v4 app.js:1"), "{told}");
    assert_eq!(
        npm(old, new, &[("app.js", "const { v4 } = require('pkg');\nv4();\n")]),
        "safe"
    );
}

#[test]
fn the_source_of_common_js_is_read_where_nothing_is_declared() {
    let package = ("package.json", r#"{"name":"pkg"}"#);
    let old: Files<'_> = &[
        package,
        (
            "index.js",
            "module.exports = { parse, format };\nfunction parse(a, b) {}\nfunction format(a) {}\n",
        ),
    ];
    let new: Files<'_> = &[package, ("index.js", "exports.parse = function (a) {};\n")];
    assert_eq!(
        npm(old, new, &[("a.js", "require('pkg').format(1)\n")]),
        "removed pkg.format a.js:1"
    );
    assert!(npm(old, new, &[("a.js", "require('pkg').parse(1, 2)\n")]).starts_with("parameter-removed"));
    assert_eq!(npm(old, new, &[("a.js", "require('pkg').parse(1)\n")]), "safe");
}

#[test]
fn what_a_bundler_wrote_or_a_call_made_is_unknown() {
    let package = ("package.json", r#"{"name":"pkg"}"#);
    for code in [
        "module.exports = make();",
        "!function(e){module.exports=e()}(function(){});",
        "exports[name] = 1;",
    ] {
        let files: Files<'_> = &[package, ("index.js", code)];
        let told = npm(files, files, &[("a.js", "require('pkg').go()\n")]);
        assert!(told.starts_with("unknown"), "{code}: {told}");
    }
}

#[test]
fn members_of_classes_and_of_interfaces_are_followed() {
    let old = typed(
        "export class C { constructor(a: string); go(a: number): D; }\nexport interface D { x: number; y: string }\n",
    );
    let new = typed("export class C { constructor(a: string); go(a: number): D; }\nexport interface D { y: string }\n");
    let client = "import { C } from 'pkg';\nconst c = new C('a');\nconsole.log(c.go(1).x);\n";
    assert_eq!(npm(&old, &new, &[("a.ts", client)]), "removed pkg.C.go.x a.ts:3");
    assert_eq!(npm(&old, &new, &[("a.ts", &client.replace(").x", ").y"))]), "safe");
}

#[test]
fn overloads_that_change_are_unknown() {
    let old = typed("export function f(a: string): void;\nexport function f(a: number): void;\n");
    let new = typed("export function f(a: Date): void;\nexport function f(a: number): void;\n");
    let told = npm(&old, &new, &[("a.ts", "import { f } from 'pkg';\nf('x');\n")]);
    assert!(told.starts_with("unknown"), "{told}");
}
