//! The report as one HTML page that needs nothing else: no script, no request, inline style and
//! SVG, and a content security policy that allows exactly that style.

use askama::Template;
use holdpoint_engine::graph::BlastRadius;
use holdpoint_schemas::Digest;
use holdpoint_schemas::service::ServiceId;
use std::collections::BTreeMap;

use super::card::Card;
use super::graph_svg::Drawing;
use super::night::{NightWords, TIME_HEADINGS};
use super::rollout::{self, LaneRow};
use super::summary::Summary;
use super::text::clean;
use crate::pipeline::report::{CiOnly, ReportItem, RunReport};

/// Items shown: a page with more is a database dump; the JSON report has all.
const MAX_ITEMS: usize = 500;

/// The page's style sheet.
const STYLE: &str = concat!(
    include_str!("templates/colors.css"),
    include_str!("templates/graph.css"),
    include_str!("templates/report.css")
);

#[derive(Template)]
#[template(path = "report.html", config = "src/output/templates/askama.toml")]
struct Page {
    style: &'static str,
    style_hash: String,
    estate: String,
    at: String,
    pack: String,
    sandbox: String,
    summary: Summary,
    bars: [Vec<Bar>; 2],
    graph: Option<String>,
    nodes: usize,
    cards: Vec<Card>,
    left_out: usize,
    overrides: Vec<String>,
    waiting: Vec<String>,
    news: Vec<String>,
    lanes: Vec<LaneRow>,
    warnings: Vec<String>,
    night: NightWords,
    headings: [&'static str; TIME_HEADINGS.len()],
    ledger_entries: String,
    ledger_root: String,
    ledger_verified: bool,
}

/// One part of a bar, in per cent of its width.
struct Bar {
    class: &'static str,
    label: &'static str,
    number: usize,
    left: f64,
    width: f64,
}

/// Filters of the templates.
pub mod filters {
    use askama::filters::{Html, Safe, escape};
    use askama::{Result, Values};
    use std::fmt::{Display, Write as _};

    /// Escapes, then sets what stands between two backticks as code. The pieces are escaped one by
    /// one, so the only markup in the answer is ours.
    #[askama::filter_fn]
    pub fn prose(text: impl Display, _: &dyn Values) -> Result<Safe<String>> {
        let text = text.to_string();
        let mut pieces = text.split('`').peekable();
        let mut out = String::with_capacity(text.len() + 16);
        let mut code = false;
        while let Some(piece) = pieces.next() {
            let last = pieces.peek().is_none();
            // A backtick without its partner is only a backtick.
            match (code, last) {
                (true, false) => write!(out, "<code>{}</code>", escape(piece, Html)?)?,
                (true, true) => write!(out, "`{}", escape(piece, Html)?)?,
                (false, _) => write!(out, "{}", escape(piece, Html)?)?,
            }
            code = !code;
        }
        Ok(Safe(out))
    }
}

/// The page of a run.
///
/// # Errors
/// Never in practice: the templates are compiled in.
pub fn html(report: &RunReport) -> Result<String, askama::Error> {
    let mut findings: BTreeMap<String, usize> = BTreeMap::new();
    for item in &report.items {
        *findings.entry(item.decision.service.0.clone()).or_default() += 1;
    }
    let drawing = Drawing::of(&report.catalogue, &findings);
    let mut parts = Parts {
        report,
        whole: drawing.clone().unwrap_or_default(),
        known: BTreeMap::new(),
    };
    let shown = report.items.iter().take(MAX_ITEMS);
    let cards = shown.map(|item| card(&mut parts, item));
    let cards = cards.collect::<Result<Vec<_>, _>>()?;
    let (entries, root) = report.ledger_head.split_once(':').unwrap_or(("", &report.ledger_head));
    let summary = Summary::of(report);
    Page {
        style: STYLE,
        style_hash: style_hash(STYLE),
        estate: clean(&report.estate),
        at: report.at.strftime("%-d %B %Y, %H:%M UTC").to_string(),
        pack: clean(&report.pack),
        sandbox: clean(&report.sandbox),
        bars: bars(report, &summary),
        graph: drawing.map(|drawing| drawing.svg("estate", None)).transpose()?,
        nodes: report.catalogue.services.len(),
        left_out: report.items.len().saturating_sub(cards.len()),
        cards,
        overrides: super::waiting::banner(&report.queue),
        waiting: report
            .queue
            .waiting
            .iter()
            .take(MAX_ITEMS)
            .map(super::waiting::line)
            .collect(),
        news: report.rollout.as_ref().map(rollout::news).unwrap_or_default(),
        lanes: report
            .rollout
            .as_ref()
            .map(|report| rollout::rows(&report.status))
            .unwrap_or_default(),
        warnings: report.warnings.iter().map(|text| clean(text)).collect(),
        night: NightWords::of(report),
        headings: TIME_HEADINGS,
        ledger_entries: clean(entries),
        ledger_root: clean(root),
        ledger_verified: report.ledger_verified,
        summary,
    }
    .render()
}

/// Parts of the graph that items show, laid out once for each service: that takes long, and a service may have many
/// findings.
struct Parts<'a> {
    report: &'a RunReport,
    whole: Drawing,
    known: BTreeMap<&'a ServiceId, Option<Drawing>>,
}

impl<'a> Parts<'a> {
    fn of(&mut self, blast: &'a BlastRadius) -> Option<&Drawing> {
        let part = || self.whole.for_item(&self.report.catalogue, blast);
        self.known.entry(&blast.service).or_insert_with(part).as_ref()
    }
}

fn card<'a>(parts: &mut Parts<'a>, item: &'a ReportItem) -> Result<Card, askama::Error> {
    let graph = item.blast.as_ref().and_then(|blast| {
        let part = parts.of(blast)?;
        Some(part.svg(&item.finding.id(), Some(blast)))
    });
    Ok(Card::of(item, graph.transpose()?))
}

/// What Holdpoint did, and what a CI-only tool would have done, as two bars of equal length.
fn bars(report: &RunReport, summary: &Summary) -> [Vec<Bar>; 2] {
    let fine = summary.ci_only_merges - summary.ci_only_harmful - summary.ci_only_unasked;
    let of = |ci_only| report.items.iter().filter(|item| item.ci_only == ci_only).count();
    [
        stack(&[
            ("auto", "auto-apply", summary.auto_apply),
            ("suggest", "suggest", summary.suggest),
            ("alert", "alert", summary.alert),
        ]),
        stack(&[
            ("auto", "merged, rightly", fine),
            ("unasked", "merged without asking", summary.ci_only_unasked),
            ("harm", "merged and broken", summary.ci_only_harmful),
            ("held", "held: tests red", of(CiOnly::Hold)),
            ("unrun", "tests not run", of(CiOnly::NotRun)),
        ]),
    ]
}

fn stack(parts: &[(&'static str, &'static str, usize)]) -> Vec<Bar> {
    #[expect(clippy::cast_precision_loss, reason = "a number of findings")]
    let share = |number: usize, whole: usize| 100.0 * number as f64 / whole.max(1) as f64;
    let whole: usize = parts.iter().map(|(.., number)| number).sum();
    let mut before = 0;
    let mut bars = Vec::new();
    for (class, label, number) in parts.iter().filter(|(.., number)| *number > 0) {
        bars.push(Bar {
            class,
            label,
            number: *number,
            left: share(before, whole),
            width: share(*number, whole),
        });
        before += number;
    }
    bars
}

/// The style sheet's hash as a content security policy names it (CSP 3, §2.3.1).
pub fn style_hash(style: &str) -> String {
    let digest = Digest::of_bytes(style.as_bytes());
    let bytes: Vec<u8> = digest
        .as_str()
        .as_bytes()
        .chunks(2)
        .filter_map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok())
        .collect();
    format!("sha256-{}", base64(&bytes))
}

/// Base64 with padding (RFC 4648 §4).
pub fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let group = chunk
            .iter()
            .enumerate()
            .fold(0_u32, |group, (at, byte)| group | u32::from(*byte) << (16 - 8 * at));
        for at in 0..4 {
            let six = (group >> (18 - 6 * at) & 63) as usize;
            let letter = ALPHABET.get(six).filter(|_| at <= chunk.len());
            out.push(letter.map_or('=', |byte| char::from(*byte)));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::samples;

    #[test]
    fn base64_is_that_of_rfc_4648() {
        let cases = [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foobar", "Zm9vYmFy"),
        ];
        for (plain, coded) in cases {
            assert_eq!(base64(plain.as_bytes()), coded);
        }
    }

    #[test]
    fn the_page_needs_nothing_but_itself() {
        let page = html(&samples::report()).unwrap();
        // For designers: HOLDPOINT_SAMPLE_PAGE=/tmp/page.html cargo test -p holdpoint the_page_needs
        if let Some(path) = std::env::var_os("HOLDPOINT_SAMPLE_PAGE") {
            std::fs::write(path, &page).unwrap();
        }
        for outside in [
            "http://",
            "https://",
            "src=",
            "<script",
            "@import",
            "url(",
            " style=",
            "javascript:",
        ] {
            assert!(!page.contains(outside), "{outside}");
        }
        assert!(page.contains("default-src 'none'"));
    }

    #[test]
    fn the_policy_allows_exactly_the_style_that_is_there() {
        let page = html(&samples::report()).unwrap();
        let inside = page.split("<style>").nth(1).unwrap().split("</style>").next().unwrap();
        assert_eq!(inside, STYLE);
        assert!(page.contains(&format!("style-src '{}'", style_hash(STYLE))));
    }

    #[test]
    fn every_item_has_its_card_with_level_and_reason() {
        let report = samples::report();
        let page = html(&report).unwrap();
        for item in &report.items {
            assert!(page.contains(&format!("id=\"{}\"", item.finding.id())));
            assert!(page.contains(&format!("holdpoint explain {}", item.finding.id())));
        }
        assert_eq!(page.matches("<article").count(), report.items.len());
    }

    #[test]
    fn hostile_text_stays_text_wherever_it_comes_from() {
        let hostile = "</style></title><script>alert(1)</script><img src=x onerror=alert(1)>\"'\u{202e}\x1b[31m";
        let mut report = samples::report();
        report.estate = hostile.to_owned();
        report.pack = hostile.to_owned();
        report.sandbox = hostile.to_owned();
        report.ledger_head = hostile.to_owned();
        report.warnings = vec![hostile.to_owned()];
        for service in &mut report.catalogue.services {
            service.name = hostile.to_owned();
        }
        for item in &mut report.items {
            harm(item, hostile);
        }
        let page = html(&report).unwrap();
        for raw in ["<script", "<img", "\u{202e}", "\x1b"] {
            assert!(!page.contains(raw), "{raw:?}");
        }
        assert_eq!(page.matches("</style>").count(), 1);
        assert!(page.contains("&#60;script&#62;alert(1)"));
    }

    fn harm(item: &mut ReportItem, text: &str) {
        let text = || text.to_owned();
        (item.service, item.finding.repo, item.finding.branch) = (text(), text(), text());
        let finding = &mut item.finding.finding;
        (finding.title, finding.rule, finding.scanner) = (text(), text(), text());
        finding.aliases = vec![text()];
        if let Some(location) = &mut finding.location {
            location.path = text();
        }
        if let Some(fix) = &mut item.fix {
            (fix.title, fix.diff_text, fix.remediator.0) = (text(), format!("+{}", text()), text());
            fix.classification.because = text();
        }
        for bound in &mut item.decision.bounds {
            (bound.id, bound.reason, bound.unlock) = (text(), text(), Some(text()));
            for unknown in &mut bound.unknowns {
                (unknown.why, unknown.resolver) = (text(), text());
            }
            for fact in bound.facts.iter_mut().filter_map(|reading| reading.fact.as_mut()) {
                (fact.source, fact.note) = (text(), Some(text()));
            }
        }
        item.decision.permitted_by = vec![text()];
        item.advice = vec![text()];
        if let Some(record) = &mut item.evidence {
            record.evidence.sandbox = text();
            for result in record.evidence.checks.values_mut() {
                (result.reason, result.details) = (text(), vec![text()]);
            }
            for run in &mut record.steps {
                (run.step, run.tail) = (text(), text());
                run.end = holdpoint_schemas::evidence::StepEnd::Infrastructure { reason: text() };
            }
        }
        if let Some(blast) = &mut item.blast {
            for dependent in &mut blast.dependents {
                dependent.name = text();
                dependent.path = vec![text().as_str().into()];
            }
        }
        if let Some(scenario) = &mut item.scenario {
            (scenario.id, scenario.title) = (text(), text());
        }
    }

    #[test]
    fn backticks_become_code_and_nothing_else_does() {
        #[derive(Template)]
        #[template(source = "{{ text|prose }}", ext = "html")]
        struct Line<'a> {
            text: &'a str,
        }
        let cases = [
            ("set `A<B>` & go", "set <code>A&#60;B&#62;</code> &#38; go"),
            ("one ` alone", "one ` alone"),
            ("`a` `b", "<code>a</code> `b"),
        ];
        for (text, expected) in cases {
            assert_eq!(Line { text }.render().unwrap(), expected);
        }
    }

    #[test]
    fn an_empty_run_has_a_page_too() {
        let mut report = samples::report();
        report.items.clear();
        report.catalogue = holdpoint_schemas::service::Catalogue::default();
        assert!(html(&report).unwrap().contains("No findings"));
    }

    #[test]
    fn bars_fill_their_width() {
        let report = samples::report();
        for bar in bars(&report, &Summary::of(&report)) {
            let whole: f64 = bar.iter().map(|part| part.width).sum();
            assert!((whole - 100.0).abs() < 1e-9);
        }
    }
}
