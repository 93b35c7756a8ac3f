//! What has to be known of a language to cut it into tokens and statements.

/// Lexical habits of a language.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Lang {
    /// What starts a comment to the end of the line.
    pub(crate) line_comments: &'static [&'static str],
    /// What starts and ends a comment.
    pub(crate) block_comment: Option<(&'static str, &'static str)>,
    /// Whether a `#` starts a comment only at the start of a word, as in shells and YAML.
    pub(crate) hash_at_word: bool,
    /// Characters that quote a string.
    pub(crate) quotes: &'static str,
    /// Whether three quotes start a string of several lines.
    pub(crate) triple: bool,
    /// Whether `/` may start a regular expression.
    pub(crate) regex: bool,
    /// Whether a line's end ends a statement, outside of brackets.
    pub(crate) newline_ends: bool,
    /// Whether a line that starts or ends with an operator goes on, as in JavaScript.
    pub(crate) operators_join: bool,
    /// Whether `{` may start a block of statements.
    pub(crate) blocks: bool,
    /// Whether indentation makes blocks.
    pub(crate) indented: bool,
    /// Whether brackets join lines at all.
    pub(crate) brackets_join: bool,
}

const PLAIN: Lang = Lang {
    line_comments: &[],
    block_comment: None,
    hash_at_word: false,
    quotes: "\"'",
    triple: false,
    regex: false,
    newline_ends: true,
    operators_join: false,
    blocks: false,
    indented: false,
    brackets_join: false,
};
const HASH: Lang = Lang {
    line_comments: &["#"],
    hash_at_word: true,
    ..PLAIN
};
const PYTHON: Lang = Lang {
    line_comments: &["#"],
    triple: true,
    indented: true,
    brackets_join: true,
    ..PLAIN
};
const CURLY: Lang = Lang {
    line_comments: &["//"],
    block_comment: Some(("/*", "*/")),
    newline_ends: false,
    blocks: true,
    brackets_join: true,
    ..PLAIN
};
const SCRIPT: Lang = Lang {
    quotes: "\"'`",
    regex: true,
    newline_ends: true,
    operators_join: true,
    ..CURLY
};
const HCL: Lang = Lang {
    line_comments: &["#", "//"],
    quotes: "\"",
    newline_ends: true,
    operators_join: true,
    ..CURLY
};
const MARKUP: Lang = Lang {
    block_comment: Some(("<!--", "-->")),
    ..PLAIN
};

/// Languages by the ending of a file's name.
const ENDINGS: &[(&[&str], Lang)] = &[
    (&["py", "pyi", "pyw"], PYTHON),
    (
        &["js", "jsx", "ts", "tsx", "mjs", "cjs", "mts", "cts", "vue", "svelte"],
        SCRIPT,
    ),
    (
        &["go"],
        Lang {
            regex: false,
            quotes: "\"'`",
            ..SCRIPT
        },
    ),
    (
        &["kt", "kts", "groovy", "gradle", "swift", "scala"],
        Lang {
            quotes: "\"'",
            regex: false,
            triple: true,
            ..SCRIPT
        },
    ),
    (
        &["java", "cs", "c", "h", "cc", "cpp", "hpp", "dart", "cedar", "proto"],
        CURLY,
    ),
    (&["rs"], Lang { quotes: "\"", ..CURLY }),
    (
        &["php"],
        Lang {
            line_comments: &["//", "#"],
            ..CURLY
        },
    ),
    (&["tf", "tfvars", "hcl", "bicep"], HCL),
    (
        &["rb", "rake", "ru"],
        Lang {
            brackets_join: true,
            operators_join: true,
            ..HASH
        },
    ),
    (
        &[
            "sh",
            "bash",
            "yaml",
            "yml",
            "toml",
            "ini",
            "cfg",
            "conf",
            "properties",
            "env",
            "dockerfile",
        ],
        HASH,
    ),
    (
        &["sql"],
        Lang {
            line_comments: &["--"],
            ..CURLY
        },
    ),
    (&["xml", "html", "htm", "svg", "csproj", "jsp"], MARKUP),
    (&["css", "scss", "less"], CURLY),
];

impl Lang {
    /// The language of a file, by its name. What isn't known is taken line by line, and has no comments.
    pub(crate) fn of(path: &str) -> Self {
        let name = path.rsplit('/').next().unwrap_or(path).to_ascii_lowercase();
        if name.starts_with("dockerfile") || name.starts_with("containerfile") || name == "makefile" {
            return HASH;
        }
        let ending = name.rsplit('.').next().unwrap_or_default();
        ENDINGS
            .iter()
            .find(|(endings, _)| endings.contains(&ending))
            .map_or(PLAIN, |(_, lang)| *lang)
    }
}
