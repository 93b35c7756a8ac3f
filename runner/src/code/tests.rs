use super::*;

fn statements(path: &str, text: &str) -> Vec<String> {
    let code = Code::of(text, Lang::of(path)).unwrap();
    let line = |parts: &[_]| {
        parts
            .iter()
            .map(|part: &Part<'_>| part.token.text)
            .collect::<Vec<_>>()
            .join(" ")
    };
    code.statements().map(line).collect()
}

#[test]
fn formatting_changes_no_statement_of_python() {
    let one = "def f(a, b):\n    if a: eval(b)\n    x = call(a, 'b', shell=True)  # go\n    return a + b\n";
    let two = "def f(\n    a,\n    b,\n):\n    if a:\n        eval(b)\n    x = call(\n        a,\n        \"b\",\n        shell=True,\n    )\n    return (\n        a\n        + b\n    )\n";
    assert_eq!(statements("a.py", one), statements("a.py", two));
    assert_eq!(statements("a.py", one).len(), 5);
}

#[test]
fn formatting_changes_no_token_of_javascript() {
    let tokens = |text: &str| statements("a.js", text).join(" ");
    let one = "app.get('/x', (req, res) => { run(req.query.a, {shell: true}); res.send('ok') })\n";
    let two = "app.get(\n  \"/x\",\n  (req, res) => {\n    run(req.query.a, {\n      shell: true,\n    });\n    res\n      .send(\"ok\");\n  },\n);\n";
    assert_eq!(tokens(one), tokens(two));
    assert!(statements("a.js", two).contains(&"run ( req . query . a , { shell : true } )".to_owned()));
}

#[test]
fn strings_comments_and_regular_expressions_end_where_they_do() {
    let text = "a = /[/*'\"]/.test(b) // c\nd = `x${f(`y`)}z` /* e\n */ + 'it\\'s'\n";
    assert_eq!(
        statements("a.ts", text),
        ["a = /[/*'\"]/ . test ( b )", "d = x${f(`y`)}z + it\\'s"]
    );
    assert_eq!(statements("a.sh", "echo a#b # c\n"), ["echo a # b"]);
}

#[test]
fn a_tuple_keeps_its_comma() {
    assert_ne!(statements("a.py", "run((a,))\n"), statements("a.py", "run((a))\n"));
    assert_eq!(statements("a.py", "run(a,)\n"), statements("a.py", "run(a)\n"));
}

#[test]
fn a_line_inside_a_wrapped_statement_belongs_to_it() {
    let code = Code::of("a = 1\ncall(\n    x,\n    y,\n)\nb = 2\n", Lang::of("a.py")).unwrap();
    let span = code.span(4).unwrap();
    assert_eq!((span.line.len(), span.whole.len()), (1, 6));
    assert!(code.span(7).is_none());
}
