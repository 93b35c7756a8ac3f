use super::*;

fn typed(old: &str, new: &str, client: &str) -> Compatibility {
    let manifest = (
        "package.json",
        r#"{"name":"pkg","main":"index.js","types":"index.d.ts"}"#,
    );
    let code = ("index.js", "module.exports = require('./secret');");
    judged(
        Ecosystem::Npm,
        read_javascript,
        &[
            ("1.0.0", &[manifest, code, ("index.d.ts", old)]),
            ("1.1.0", &[manifest, code, ("index.d.ts", new)]),
        ],
        &[("app.ts", client)],
    )
}

#[test]
fn types_that_change_reach_who_only_gets_them() {
    hold(
        &[
            (
                "export class C { [Symbol.iterator](): Iterator<number>; }",
                "export class C { x: number }",
                "import {C} from 'pkg';\nfor (const x of new C()) {}",
                "removed pkg.C.[Symbol.iterator] app.ts:2",
            ),
            (
                "export class E extends TypeError { a: 1 }",
                "export class E extends Error { a: 1 }",
                "import {E} from 'pkg';\nconst f=(e: E)=> e instanceof TypeError;",
                "unknown",
            ),
            (
                "export type T = string | number;\nexport declare function f(a: T): void;",
                "export type T = string;\nexport declare function f(a: T): void;",
                "import {f} from 'pkg';\nf(1)",
                "unknown",
            ),
            (
                "export interface O { a?: string }\nexport declare function f(o: O): void;",
                "export interface O { a: string }\nexport declare function f(o: O): void;",
                "import {f} from 'pkg';\nconst o = make();\nf(o)",
                "unknown",
            ),
            (
                "export interface O { a?: string }\nexport declare function f(o: O): void;",
                "export interface O { a: string }\nexport declare function f(o: O): void;",
                "import {f} from 'pkg';\nf({})",
                "unknown",
            ),
            (
                "export interface O { a?: string; b?: string }\nexport declare function f(o: O): void;",
                "export interface O { a?: string }\nexport declare function f(o: O): void;",
                "import {f} from 'pkg';\nf({b: '1'})",
                "parameter-removed pkg.f app.ts:2",
            ),
            (
                "export interface R { a: string }\nexport declare function f(): R;",
                "export interface R { a?: string }\nexport declare function f(): R;",
                "import {f} from 'pkg';\nf().a.length",
                "unknown",
            ),
            (
                "export interface R { a: string }\nexport declare function f(): R;",
                "export interface R { b: string }\nexport declare function f(): R;",
                "import {f} from 'pkg';\nconst {a} = f();\na.length",
                "removed pkg.f.a",
            ),
            (
                "export interface R { a: string }\nexport declare function f(): R;",
                "export interface R { readonly a: string }\nexport declare function f(): R;",
                "import {f} from 'pkg';\nf().a = 'x'",
                "kind pkg.f.a app.ts:2",
            ),
            (
                "export interface I { a(): void }",
                "export interface I { a(): void; b(): void }",
                "import {I} from 'pkg';\nclass X implements I { a() {} }",
                "unknown",
            ),
            (
                "export type F = (a: string) => void;",
                "export type F = (a: number) => void;",
                "import type {F} from 'pkg';\nconst f: F = a => {};",
                "unknown",
            ),
        ],
        typed,
    );
}

#[test]
fn classes_are_made_and_seen_as_before() {
    hold(
        &[
            (
                "export class C { }\nexport const x: 1;",
                "export abstract class C { }\nexport const x: 1;",
                "import {C} from 'pkg';\nnew C()",
                "kind pkg.C app.ts:2",
            ),
            (
                "export class C { a: 1 }",
                "export class C { a: 1; private constructor(); }",
                "import {C} from 'pkg';\nnew C()",
                "unknown",
            ),
            (
                "export class C { m(): void }",
                "export class C { protected m(): void }",
                "import {C} from 'pkg';\nnew C().m()",
                "unknown",
            ),
            (
                "export class C { m(): void }",
                "export class C { private m(): void; }",
                "import {C} from 'pkg';\nnew C().m()",
                "removed pkg.C.m app.ts:2",
            ),
            (
                "export class C<T> { a: T }",
                "export class C<T, U> { a: T }",
                "import {C} from 'pkg';\nnew C<string>()",
                "unknown",
            ),
            (
                "export class C { static m(): void }",
                "export class C { m(): void }",
                "import {C} from 'pkg';\nC.m()",
                "removed pkg.C.m app.ts:2",
            ),
            (
                "export class C { m?(): void }",
                "export class C { m(): void }",
                "import {C} from 'pkg';\nclass D extends C { m() {} }",
                "unknown",
            ),
            (
                "export enum E { A, B }",
                "export enum E { X, A, B }",
                "import {E} from 'pkg';\nsave(E.A)",
                "unknown",
            ),
            (
                "export enum E { A = 'a' }",
                "export enum E { A = 'b' }",
                "import {E} from 'pkg';\nE.A",
                "unknown",
            ),
            (
                "export enum E { A = 'a', B = 'b' }",
                "export enum E { A = 'a' }",
                "import {E} from 'pkg';\nE.B",
                "removed pkg.E.B app.ts:2",
            ),
            (
                "export class C { a: 1 }",
                "export interface C { a: 1 }",
                "import {C} from 'pkg';\nnew C()",
                "kind pkg.C app.ts:2",
            ),
        ],
        typed,
    );
}

#[test]
fn functions_are_called_as_before() {
    for (was, is, client, answer) in [
        ("f(a?: string): void", "f(a: string): void", "f()", "parameter-added"),
        ("f(a: string | number): void", "f(a: string): void", "f(1)", "unknown"),
        ("f(a: string): void", "f(a: 'x' | 'y'): void", "f('z')", "unknown"),
        ("f(): string", "f(): Promise<string>", "f().length", "type"),
        ("f(): string", "f(): string | null", "f().length", "unknown"),
        ("f(): string", "f(): unknown", "f().length", "unknown"),
        (
            "f(...a: string[]): void",
            "f(a: string): void",
            "f('a', 'b')",
            "parameter-removed",
        ),
        ("f<T>(a: T): T", "f<T extends string>(a: T): T", "f(1)", "unknown"),
        (
            "f(a: (x: string) => void): void",
            "f(a: (x: number) => void): void",
            "f(x => x.length)",
            "unknown",
        ),
        (
            "f(a: string): void;\nexport declare function f(a: number): void",
            "f(a: string): void",
            "f(1)",
            "unknown",
        ),
        ("f(a: string): void", "f(a: string, b?: string): void", "f('a')", "safe"),
    ] {
        let with = |text: &str| format!("export declare function {text};\n");
        let client = format!("import {{f}} from 'pkg';\n{client}");
        hold(&[(&with(was), &with(is), &client, answer)], typed);
    }
    hold(
        &[
            (
                "export default function f(): void;",
                "export declare function f(): void;",
                "import f from 'pkg';\nf()",
                "removed",
            ),
            (
                "export declare function f(): void;",
                "export default function f(): void;",
                "import {f} from 'pkg';\nf()",
                "unknown",
            ),
            (
                "export const x: 1;\ndeclare global { interface Window { pkg: string } }",
                "export const x: 1;",
                "import {x} from 'pkg';\nwindow.pkg",
                "unknown",
            ),
            (
                "export const x: 1;\ndeclare global { interface Window { pkg: string } }",
                "export const x: 1;\ndeclare global { interface Window { pkg: string; more: string } }",
                "import {x} from 'pkg';\nwindow.pkg",
                "safe",
            ),
            (
                "export const x: string;",
                "export const x: number;",
                "import {x} from 'pkg';\nx.length",
                "type pkg.x app.ts:2",
            ),
            (
                "export const x: 1;\nexport * from './more';",
                "export const x: 1;",
                "import {y} from 'pkg';\ny()",
                "unknown",
            ),
            (
                "export const o: { m(): void };",
                "export const o: { m(): void; n(): void };",
                "import {o} from 'pkg';\no.m()",
                "safe",
            ),
            (
                "export namespace n { function f(): void }",
                "export namespace n { function g(): void }",
                "import {n} from 'pkg';\nn.f()",
                "removed pkg.n.f app.ts:2",
            ),
        ],
        typed,
    );
}

#[test]
fn types_that_are_no_longer_declared_are_missed() {
    let typed: Files<'_> = &[
        (
            "package.json",
            r#"{"name":"pkg","main":"index.js","types":"index.d.ts"}"#,
        ),
        ("index.js", "exports.f=a=>a"),
        ("index.d.ts", "export declare function f(a: string): string;"),
    ];
    let plain: Files<'_> = &[
        ("package.json", r#"{"name":"pkg","main":"index.js"}"#),
        ("index.js", "exports.f=a=>a"),
    ];
    let versions = [("1.0.0", typed), ("1.1.0", plain)];
    let answer = |client| {
        told(&judged(
            Ecosystem::Npm,
            read_javascript,
            &versions,
            &[(client, "import {f} from 'pkg';\nf('x')")],
        ))
    };
    assert!(answer("app.ts").starts_with("unknown"));
    assert_eq!(answer("app.js"), "safe");
}

#[test]
fn names_stand_for_values_and_for_types_as_before() {
    hold(
        &[
            (
                "export class C{}",
                "export type C={}",
                "import {C} from 'pkg';\nnew C()",
                "kind pkg.C app.ts:2",
            ),
            (
                "export class C{}",
                "export interface C {}",
                "import {C} from 'pkg';\nnew C()",
                "kind pkg.C app.ts:2",
            ),
            (
                "export class C{}",
                "export const C:{new():object}",
                "import {C} from 'pkg';\nlet x: C",
                "unknown",
            ),
            (
                "export class C{}",
                "export interface C {}\nexport const C: {new(): C}",
                "import {C} from 'pkg';\nlet x: C",
                "safe",
            ),
            (
                "export interface C {}",
                "export class C {}",
                "import {C} from 'pkg';\nlet x: C",
                "safe",
            ),
            (
                "export type T<A=string>={a:A}",
                "export type T<A>={a:A}",
                "import {T} from 'pkg';\nlet x: T",
                "unknown",
            ),
            (
                "export type T<A>={a:A}",
                "export type T<A, B=string>={a:A}",
                "import {T} from 'pkg';\nlet x: T<string>",
                "safe",
            ),
        ],
        typed,
    );
}

#[test]
fn members_of_enums_keep_their_values() {
    let client = "import {E} from 'pkg';\nconst x = E.B";
    for (was, is, answer) in [
        ("{A,B}", "{B,A}", "unknown"),
        ("{A,B}", "{Z,A,B}", "unknown"),
        ("{A=0,B=1}", "{A=1,B=0}", "unknown"),
        ("{A=5,B}", "{A=6,B}", "unknown"),
        ("{A=1<<1,B}", "{A=1<<2,B}", "unknown"),
        ("{A,B}", "{A=0,B=1}", "safe"),
        ("{A,B}", "{A,B,C}", "safe"),
    ] {
        let declared = |members: &str| format!("export declare enum E {members}");
        hold(&[(&declared(was), &declared(is), client, answer)], typed);
    }
}
