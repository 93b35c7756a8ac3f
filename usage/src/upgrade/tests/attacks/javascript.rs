use super::*;

const MANIFEST: &str = r#"{"name":"pkg","main":"index.js"}"#;

fn npm(old: Files<'_>, new: Files<'_>, client: Files<'_>) -> Compatibility {
    judged(
        Ecosystem::Npm,
        read_javascript,
        &[("1.0.0", old), ("1.1.0", new)],
        client,
    )
}

pub(super) fn script(old: &str, new: &str, client: &str) -> Compatibility {
    let client = [
        ("app.js", client),
        ("package.json", r#"{"name":"app","dependencies":{"pkg":"^1"}}"#),
    ];
    npm(
        &[("package.json", MANIFEST), ("index.js", old)],
        &[("package.json", MANIFEST), ("index.js", new)],
        &client,
    )
}

#[test]
fn objects_keep_what_the_language_asks_them_for() {
    let has = "class C{*[Symbol.iterator](){}}\nexports.C=C;";
    let gone = "class C{}\nexports.C=C;";
    hold(
        &[
            (
                has,
                gone,
                "const {C}=require('pkg');\nfor(const x of new C()){}",
                "removed pkg.C.[Symbol.iterator] app.js:2",
            ),
            (
                has,
                gone,
                "const {C}=require('pkg');\nf(...new C())",
                "removed pkg.C.[Symbol.iterator] app.js:2",
            ),
            (
                has,
                gone,
                "const {C}=require('pkg');\nconst [a]=new C();",
                "removed pkg.C.[Symbol.iterator] app.js:2",
            ),
            (has, gone, "const {C}=require('pkg');\nnew Map(new C())", "unknown"),
            (
                has,
                gone,
                "const {C}=require('pkg');\nconst c=new C();\nfor(const x of c){}",
                "unknown",
            ),
            (
                "function C(){}\nC.prototype[Symbol.iterator]=function*(){};\nexports.C=C;",
                "function C(){}\nC.prototype.x=1;\nexports.C=C;",
                "const {C}=require('pkg');\nfor(const x of new C()){}",
                "removed pkg.C.[Symbol.iterator] app.js:2",
            ),
            (
                "class C{async *[Symbol.asyncIterator](){}}\nexports.C=C;",
                gone,
                "const {C}=require('pkg');\nasync()=>{for await(const x of new C()){}}",
                "removed pkg.C.[Symbol.asyncIterator] app.js:2",
            ),
            (
                "class C{then(f){}}\nexports.C=C;",
                gone,
                "const {C}=require('pkg');\nasync()=>{await new C()}",
                "unknown",
            ),
            (
                "class C{toJSON(){return 1}}\nexports.C=C;",
                gone,
                "const {C}=require('pkg');\nJSON.stringify(new C())",
                "unknown",
            ),
            (
                "class E extends TypeError{}\nexports.E=E;",
                "class E extends Error{}\nexports.E=E;",
                "const p=require('pkg');\ntry{}catch(e){if(e instanceof TypeError){}}",
                "unknown",
            ),
            (
                "class E extends TypeError{}\nexports.E=E;",
                "class E extends Error{}\nexports.E=E;",
                "const p=require('pkg');\ntry{}catch(e){if(e instanceof p.E){}}",
                "unknown",
            ),
            (
                "class E extends TypeError{}\nexports.E=E;\nexports.f=()=>1",
                "class E extends Error{}\nexports.E=E;\nexports.f=()=>1",
                "const p=require('pkg');\np.f()",
                "safe",
            ),
        ],
        script,
    );
}

#[test]
fn members_stay_where_they_were() {
    hold(
        &[
            (
                "exports.C=class{static m(){}}",
                "exports.C=class{m(){}}",
                "const {C}=require('pkg');\nC.m()",
                "removed pkg.C.m app.js:2",
            ),
            (
                "exports.C=class{m(){}}",
                "exports.C=class{static m(){}}",
                "const {C}=require('pkg');\nnew C().m()",
                "removed pkg.C.m app.js:2",
            ),
            (
                "exports.C=class{m(){}}",
                "exports.C=class{static m(){}}",
                "const {C}=require('pkg');\nconst c=new C();\nc.m()",
                "unknown",
            ),
            (
                "exports.C=class{static x=1}",
                "exports.C=class{x=1}",
                "const {C}=require('pkg');\nC.x",
                "removed pkg.C.x app.js:2",
            ),
            (
                "exports.C=class{get x(){return 1}}",
                "exports.C=class{x(){return 1}}",
                "const {C}=require('pkg');\nnew C().x+1",
                "unknown",
            ),
            (
                "exports.C=class{get x(){return 1} set x(v){}}",
                "exports.C=class{get x(){return 1}}",
                "const {C}=require('pkg');\nnew C().x=1",
                "kind pkg.C.x app.js:2",
            ),
            (
                "exports.C=class{get x(){return 1}}",
                "exports.C=class{get x(){return 1} set x(v){}}",
                "const {C}=require('pkg');\nnew C().x+1",
                "safe",
            ),
            (
                "exports.C=class{constructor(){this.x=1}}",
                "exports.C=class{get x(){return 1}}",
                "const {C}=require('pkg');\nnew C().x=2",
                "kind pkg.C.x app.js:2",
            ),
            (
                "exports.C=class{m(){}}",
                "exports.C=class{#m(){}}",
                "const {C}=require('pkg');\nnew C().m()",
                "removed pkg.C.m app.js:2",
            ),
            (
                "exports.C=class{m=()=>1}",
                "exports.C=class{m=async()=>1}",
                "const {C}=require('pkg');\nnew C().m()+1",
                "asyncness pkg.C.m app.js:2",
            ),
            (
                "function C(){}\nC.prototype.m=function(){};\nexports.C=C",
                "class C{m(){}}\nexports.C=C",
                "const {C}=require('pkg');\nnew C().m()",
                "safe",
            ),
            (
                "class C{m(){}}\nexports.C=C",
                "class C{constructor(){} m(){}}\nexports.C=C",
                "const {C}=require('pkg');\nconst c=new C();\nc.m()",
                "safe",
            ),
            (
                "exports.C=function(){}",
                "exports.C=class{}",
                "const {C}=require('pkg');\nC()",
                "unknown",
            ),
            (
                "class A{m(){}}\nclass C extends A{}\nexports.C=C",
                "class A{m(){}}\nclass C{}\nexports.C=C",
                "const {C}=require('pkg');\nnew C().m()",
                "removed pkg.C.m app.js:2",
            ),
        ],
        script,
    );
}

#[test]
fn functions_give_what_they_gave() {
    hold(
        &[
            (
                "exports.f=()=>[1]",
                "exports.f=()=>({a:1})",
                "const {f}=require('pkg');\n[...f()]",
                "unknown",
            ),
            (
                "exports.f=()=>Promise.resolve(1)",
                "exports.f=()=>1",
                "require('pkg').f().then(x=>x)",
                "unknown",
            ),
            (
                "exports.f=()=>1",
                "exports.f=async()=>1",
                "require('pkg').f()+1",
                "asyncness pkg.f app.js:1",
            ),
            (
                "exports.f=()=>Promise.resolve(1)",
                "exports.f=async()=>1",
                "require('pkg').f().then(x=>x)",
                "safe",
            ),
            (
                "exports.f=async()=>1",
                "exports.f=()=>Promise.resolve(1)",
                "async()=>{await require('pkg').f()}",
                "safe",
            ),
            (
                "exports.f=()=>go()",
                "exports.f=async()=>go()",
                "require('pkg').f()",
                "unknown",
            ),
            (
                "exports.f=function*(){}",
                "exports.f=function(){return [1]}",
                "require('pkg').f().next()",
                "unknown",
            ),
            (
                "exports.f=function(){return 'a'}",
                "exports.f=function(){return {a:1}}",
                "require('pkg').f()",
                "unknown",
            ),
            (
                "exports.f=(a)=>a",
                "exports.f=({a})=>a",
                "require('pkg').f(1)",
                "unknown",
            ),
            (
                "exports.f=(a,b)=>a",
                "exports.f=(b,a)=>a",
                "require('pkg').f(1,2)",
                "parameter-reordered",
            ),
            (
                "exports.f=(a,b=1)=>a",
                "exports.f=(a,b)=>a",
                "require('pkg').f(1)",
                "unknown",
            ),
            (
                "exports.f=(a,b=1)=>a",
                "exports.f=(a,b=2)=>a",
                "require('pkg').f(1)",
                "unknown",
            ),
            ("exports.X=1", "exports.X=2", "require('pkg').X", "unknown"),
            ("exports.X='a'", "exports.X=1", "require('pkg').X", "type pkg.X"),
            (
                "const X='a';\nexports.X=X",
                "const X='b';\nexports.X=X",
                "require('pkg').X",
                "unknown",
            ),
            (
                "exports.o={a:1,b:2}",
                "exports.o={a:1}",
                "require('pkg').o.b",
                "removed pkg.o.b",
            ),
            ("exports.o={a:1}", "exports.o={a:2}", "require('pkg').o.a", "unknown"),
            ("exports.f=()=>[1]", "exports.f=()=>[2]", "require('pkg').f()", "safe"),
        ],
        script,
    );
}

#[test]
fn modules_are_loaded_as_they_were() {
    hold(
        &[
            (
                "module.exports=function(){}",
                "exports.default=function(){}",
                "const f=require('pkg');\nf()",
                "unknown",
            ),
            (
                "module.exports=function f(){}",
                "exports.f=function(){}",
                "const f=require('pkg');\nf()",
                "kind pkg app.js:2",
            ),
            (
                "exports.f=function(){}",
                "module.exports=function f(){}",
                "const {f}=require('pkg');\nf()",
                "unknown",
            ),
            (
                "exports.default=function(){}",
                "module.exports=function(){}",
                "require('pkg').default()",
                "removed pkg.default",
            ),
            (
                "exports.f=()=>1",
                "exports[name]=()=>1",
                "require('pkg').f()",
                "unknown",
            ),
            (
                "exports.f=()=>1",
                "module.exports={...require('./x')}",
                "require('pkg').f()",
                "unknown",
            ),
            (
                "exports.f=()=>1",
                "module.exports=new Proxy({},{})",
                "require('pkg').f()",
                "unknown",
            ),
            (
                "exports.f=()=>1",
                "if(x){exports.g=()=>1}",
                "require('pkg').f()",
                "removed pkg.f",
            ),
            (
                "exports.f=()=>1",
                "exports.g=1",
                "const l=require('pkg');\nl[process.argv[2]]()",
                "unknown",
            ),
        ],
        script,
    );
    let code: Files<'_> = &[("package.json", MANIFEST), ("index.js", "exports.f=()=>1")];
    let with = |manifest: &'static str| -> Vec<(&'static str, &'static str)> {
        vec![("package.json", manifest), ("index.js", "exports.f=()=>1")]
    };
    let client: Files<'_> = &[("app.js", "require('pkg').f()")];
    for (manifest, answer) in [
        (r#"{"name":"pkg","main":"index.js"}"#, "safe"),
        (
            r#"{"name":"pkg","main":"index.js","peerDependencies":{"react":"^19"}}"#,
            "unknown",
        ),
        (
            r#"{"name":"pkg","main":"index.js","peerDependencies":{"react":"^19"},"peerDependenciesMeta":{"react":{"optional":true}}}"#,
            "safe",
        ),
        (
            r#"{"name":"pkg","main":"index.js","engines":{"node":">=22"}}"#,
            "unknown",
        ),
        (r#"{"name":"pkg","main":"lib/index.js"}"#, "removed pkg"),
        (r#"{"name":"pkg","exports":{"./other":"./index.js"}}"#, "removed pkg"),
        (
            r#"{"name":"pkg","exports":{".":{"import":"./index.mjs"}}}"#,
            "removed pkg",
        ),
        (
            r#"{"name":"pkg","type":"module","exports":"./index.js"}"#,
            "loading pkg",
        ),
        (
            r#"{"name":"pkg","exports":{".":{"browser":"./index.js"}}}"#,
            "loading pkg",
        ),
    ] {
        let told = told(&npm(code, &with(manifest), client));
        assert!(told.starts_with(answer), "{manifest}: {told}");
    }
    let peers = |range: &str| format!(r#"{{"name":"pkg","main":"index.js","peerDependencies":{{"react":"{range}"}}}}"#);
    let told_of = |was: &str, is: &str| {
        let (was, is) = (peers(was), peers(is));
        let old = [("package.json", was.as_str()), ("index.js", "exports.f=()=>1")];
        told(&npm(&old, &[("package.json", &is), old[1]], client))
    };
    assert_eq!(told_of("^18", "^18 || ^19"), "safe");
    assert!(told_of("^18 || ^19", "^19").starts_with("unknown"));
}

#[test]
fn what_nothing_names_still_counts() {
    let effects = |said: &'static str| -> Vec<(&'static str, &'static str)> {
        vec![
            ("package.json", said),
            ("index.js", "exports.f=()=>1"),
            ("register.js", "global.x=1;exports.x=1"),
        ]
    };
    let plain = r#"{"name":"pkg","main":"index.js"}"#;
    let client: Files<'_> = &[("app.mjs", "import 'pkg/register';\n")];
    let none = r#"{"name":"pkg","main":"index.js","sideEffects":false}"#;
    assert!(told(&npm(&effects(plain), &effects(none), client)).starts_with("unknown"));
    assert_eq!(told(&npm(&effects(plain), &effects(plain), client)), "safe");
    let without: Files<'_> = &[("package.json", plain), ("index.js", "exports.f=()=>1")];
    assert!(told(&npm(&effects(plain), without, client)).starts_with("removed pkg/register app.mjs:1"));
    let tool = r#"{"name":"pkg","main":"index.js","bin":{"pkg":"index.js"}}"#;
    let unused: Files<'_> = &[
        ("app.js", "1"),
        ("package.json", r#"{"name":"a","dependencies":{"pkg":"^1"}}"#),
    ];
    assert!(told(&npm(&effects(tool), &effects(plain), unused)).starts_with("unknown"));
}

#[test]
fn names_of_a_module_are_its_own() {
    hold(
        &[
            (
                "export function f(){}",
                "export default {f(){}}",
                "import {f} from 'pkg';\nf()",
                "removed pkg.f app.js:1",
            ),
            (
                "export function f(){}",
                "export default {f(){}}",
                "import * as p from 'pkg';\np.f()",
                "unknown",
            ),
            (
                "export default {f(){}}",
                "export function f(){}",
                "import p from 'pkg';\np.f()",
                "removed",
            ),
            (
                "exports.f=function(a){return go(a)}",
                "exports.f=function(){throw new Error('removed')}",
                "require('pkg').f(1)",
                "removed pkg.f app.js:1",
            ),
        ],
        script,
    );
    let compiled = |code: &'static str| -> Vec<(&'static str, &'static str)> {
        vec![
            (
                "package.json",
                r#"{"name":"pkg","exports":{".":{"import":"./wrapper.mjs","require":"./index.js"}}}"#,
            ),
            ("wrapper.mjs", "import p from './index.js';\nexport const f = p.f;\n"),
            (
                "index.js",
                "Object.defineProperty(exports, 'f', { enumerable: true, get: function () { return _f.default; } });\n\
                 var _f = _interopRequireDefault(require('./f.js'));",
            ),
            ("f.js", code),
        ]
    };
    let client: Files<'_> = &[("app.mjs", "import { f } from 'pkg';\nf(1, 2);\n")];
    let old =
        compiled("exports.default = void 0;\nfunction f(a, b) {}\nvar _default = f;\nexports.default = _default;");
    let new = compiled("exports.default = void 0;\nfunction f(a) {}\nvar _default = f;\nexports.default = _default;");
    assert_eq!(told(&npm(&old, &old, client)), "safe");
    let answer = told(&npm(&old, &new, client));
    assert!(answer.starts_with("parameter-removed pkg.f app.mjs:2"), "{answer}");
}
