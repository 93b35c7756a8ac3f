use super::javascript::script;
use super::*;

#[test]
fn what_new_makes_objects_by_stays_a_constructor() {
    let client = "const {F}=require('pkg');\nnew F()";
    for (is, answer) in [
        ("exports.F=()=>({a:1})", "kind pkg.F app.js:2"),
        ("module.exports={F(){}}", "kind pkg.F app.js:2"),
        ("exports.F=function(){this.b=1}", "safe"),
        ("exports.F=class{}", "unknown"),
    ] {
        hold(&[("exports.F=function(){this.a=1}", is, client, answer)], script);
    }
    hold(
        &[
            (
                "exports.F=function(){}",
                "exports.F=()=>{}",
                "const {F}=require('pkg');\nF()",
                "safe",
            ),
            (
                "exports.F=function(){}",
                "exports.F=()=>{}",
                "const {F}=require('pkg');\nclass D extends F{}",
                "kind pkg.F app.js:2",
            ),
            (
                "class F{constructor(){}}\nexports.F=F;",
                "class F{constructor(a){}}\nexports.F=F;",
                client,
                "safe",
            ),
        ],
        script,
    );
}

#[test]
fn methods_meet_and_are_chained() {
    hold(
        &[
            (
                "class C{go(){}}\nexports.C=C",
                "class C{go(){this.run()}\nrun(){}}\nexports.C=C",
                "const {C}=require('pkg');class D extends C{run(x){x.y}}\nnew D().go()",
                "unknown",
            ),
            (
                "class C{go(){}}\nexports.C=C",
                "class C{go(){this.run()}\nrun(){}}\nexports.C=C",
                "const {C}=require('pkg');class D extends C{other(x){x.y}}\nnew D().go()",
                "safe",
            ),
            (
                "class C{a(){return this}\nb(){return this}}\nexports.C=C",
                "class C{a(){this.x=1}\nb(){return this}}\nexports.C=C",
                "const {C}=require('pkg');\nnew C().a().b()",
                "unknown",
            ),
        ],
        script,
    );
}

#[test]
fn modules_that_texts_name_are_uses() {
    let manifest = |sub: &str| format!(r#"{{"name":"pkg","exports":{{".":"./index.js","{sub}":"./sub.js"}}}}"#);
    let (was, is) = (manifest("./sub"), manifest("./sub2"));
    let (index, sub) = (("index.js", "exports.a=1"), ("sub.js", "exports.b=1"));
    let client = [("app.js", "require('pkg').a;\njest.mock('pkg/sub');")];
    let answer = judged(
        Ecosystem::Npm,
        read_javascript,
        &[
            ("1.0.0", &[("package.json", &was), index, sub]),
            ("1.1.0", &[("package.json", &is), index, sub]),
        ],
        &client,
    );
    assert!(told(&answer).starts_with("unknown"), "{}", told(&answer));
}
