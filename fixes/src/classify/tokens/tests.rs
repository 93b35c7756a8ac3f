use super::*;

#[track_caller]
fn equal(path: &str, before: &str, after: &str) {
    assert_eq!(same(path, before, after, Comments::All), Ok(()), "{before:?} {after:?}");
}

#[track_caller]
fn differ(path: &str, before: &str, after: &str) {
    assert!(
        same(path, before, after, Comments::All).is_err(),
        "{before:?} {after:?}"
    );
}

#[test]
fn layout_of_python_is_free_within_brackets_and_widths_of_indentation() {
    equal("a.py", "x=f(1,2)\n", "x = f(\n    1,\n    2,\n)\n");
    equal("a.py", "if a:\n  b()\n  c()\n", "if a:\n    b()\n    c()\n");
    equal("a.py", "a = 'x'\n", "a = \"x\"\n\n");
    equal("a.py", "from a import b, c\n", "from a import (\n    b,\n    c,\n)\n");
    equal("a.py", "x = a + \\\n  b\n", "x = a + b\n");
    for (before, after) in [
        ("if a:\n  b()\n  c()\n", "if a:\n  b()\nc()\n"),
        ("if a:\n  b()\nc()\n", "if a:\n  b()\n  c()\n"),
        (
            "if a:\n  if b:\n    c()\n  else:\n    d()\n",
            "if a:\n  if b:\n    c()\nelse:\n    d()\n",
        ),
        ("x = (1)\n", "x = (1,)\n"),
        ("x = a\n+ b\n", "x = a + b\n"),
        ("x = 'a  b'\n", "x = 'a b'\n"),
        ("x = 'a' 'b'\n", "x = 'a', 'b'\n"),
        ("x = '''a\n  b'''\n", "x = '''a\n b'''\n"),
        ("a < b\n", "a <= b\n"),
        ("# coding: latin-1\nx = 1\n", "\n\n\n# coding: latin-1\nx = 1\n"),
        ("x = a if b else c\n", "x = a if c else b\n"),
        ("x = 1  # noqa\n", "x = (\n  1\n)  # noqa\n"),
        ("# a\nx = 1\n", "# b\nx = 1\n"),
        ("if a:\n\tb()\n        c()\n", "if a:\n\tb()\n\tc()\n"),
        ("x = f\"{d[\"a  b\"]}\"\n", "x = f\"{d[\"a b\"]}\"\n"),
        ("x = '\\''\n", "x = \"\\'\"\n"),
    ] {
        differ("a.py", before, after);
    }
}

#[test]
fn line_ends_of_javascript_count_where_a_semicolon_could_come() {
    equal(
        "a.js",
        "const a = {b:1, c: 2};\n",
        "const a = {\n  b: 1,\n  c: 2,\n};\n",
    );
    equal(
        "a.ts",
        "if (a) {\n  b();\n}\nelse {\n c();\n}\n",
        "if (a) {\n  b();\n} else {\n  c();\n}\n",
    );
    equal(
        "a.js",
        "f('x', /a b/.test(c));\n",
        "f(\n  \"x\",\n  /a b/.test(c)\n);\n",
    );
    equal("a.js", "x = `a ${b} c`;\n", "x  =  `a ${b} c`;\n");
    for (before, after) in [
        ("return f();\n", "return\nf();\n"),
        ("return (a);\n", "return\n(a);\n"),
        ("a\n++b\n", "a++\nb\n"),
        ("let a = b\nfoo()\n", "let a = b foo()\n"),
        ("x = `a  b`;\n", "x = `a b`;\n"),
        ("x = /a  b/;\n", "x = /a b/;\n"),
        ("if (a) /b  c/.exec(d);\n", "if (a) /b c/.exec(d);\n"),
        ("a = [1,,];\n", "a = [1,];\n"),
        ("a == b;\n", "a === b;\n"),
        ("a && b;\n", "a & b;\n"),
        ("if (a) b();\n", "if (a); b();\n"),
        ("const a = <p>x  y</p>;\n", "const a = <p>x y</p>;\n"),
        ("x = `${`a  b`}`;\n", "x = `${`a b`}`;\n"),
        (
            "// eslint-disable-next-line\na();\nb();\n",
            "// eslint-disable-next-line\na(); b();\n",
        ),
        ("while (n --> 0) f();\n", "while (n\n--> 0) f();\n"),
    ] {
        differ("a.js", before, after);
    }
}

#[test]
fn go_gets_its_semicolons() {
    equal(
        "a.go",
        "package a\nfunc f() { g() }\n",
        "package a\n\nfunc f() {\n\tg()\n}\n",
    );
    equal("a.go", "var a = []int{1, 2}\n", "var a = []int{\n\t1,\n\t2,\n}\n");
    equal("a.go", "a := `x`;b()\n", "a := `x`\nb()\n");
    for (before, after) in [
        ("x := a\n-b()\n", "x := a - b()\n"),
        ("return\nf()\n", "return f()\n"),
        ("//go:build linux\n\npackage a\n", "//go:build linux\npackage a\n"),
        ("//go:embed x\nvar a string\n", "//go:embed x\n\nvar a string\n"),
        ("a := `x  y`\n", "a := `x y`\n"),
        ("a &^ b\n", "a & b\n"),
    ] {
        differ("a.go", before, after);
    }
}

#[test]
fn rust_java_and_json_ignore_white_space() {
    equal(
        "a.rs",
        "fn f<'a>(x:&'a str)->char{ 'x' }\n",
        "fn f<'a>(x: &'a str) -> char {\n    'x'\n}\n",
    );
    equal("A.java", "class A{int a=1;}\n", "class A {\n  int a = 1;\n}\n");
    equal("a.json", "{\"a\":[1,2]}", "{\n  \"a\": [1, 2]\n}\n");
    for (path, before, after) in [
        ("a.rs", "m!(a, b,);\n", "m!(a, b);\n"),
        ("a.rs", "r#\"a  \"b\"#;\n", "r#\"a \"b\"#;\n"),
        ("a.rs", "a & &b;\n", "a && b;\n"),
        ("a.rs", "/// a\nfn f() {}\n", "/// b\nfn f() {}\n"),
        (
            "A.java",
            "a = \"\"\"\n  x\n y\"\"\";\n",
            "a = \"\"\"\n  x\n  y\"\"\";\n",
        ),
        ("A.java", "// \\u000a evil();\n", "//  \\u000a evil();\n"),
        ("a.json", "{\"a\": \"x  y\"}", "{\"a\": \"x y\"}"),
        ("a.json", "{\"a\": 1, \"b\": 2}", "{\"b\": 2, \"a\": 1}"),
        ("a.c", "int a;\n", "int  a;\n"),
        ("a.rs", "let a = 1;\n", "let\u{200b}a = 1;\n"),
    ] {
        differ(path, before, after);
    }
}

#[test]
fn text_that_never_ends_is_unreadable() {
    for (path, text) in [
        ("a.py", "x = 'a\n"),
        ("a.py", "x = (1\n"),
        ("a.js", "x = `a"),
        ("a.js", "/* a"),
        ("a.js", "f(]"),
        ("a.rs", "r#\"a\""),
        ("a.go", "`a"),
        ("A.java", "'a"),
        ("a.json", "{'a': 1}"),
    ] {
        assert!(read(path, text).is_none(), "{text}");
    }
}
