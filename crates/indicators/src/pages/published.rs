//! What others published, beside what their own numbers give. The two are never mixed: each says
//! which it is.

use askama::Template;
use axum::response::Html;
use kernel::Problem;
use web::page::Page;

use super::of_figure::{reported_name, reported_value, scope, source};
use crate::Indicators;
use crate::pack::{Operation, Recomputed};
use crate::words;

struct Pair {
    what: String,
    reported: String,
    recomputed: String,
    how: String,
    verdict: String,
    class: &'static str,
    source: String,
}

#[derive(Template)]
#[template(path = "published.html")]
struct PublishedPage<'a> {
    p: &'a Page,
    pairs: Vec<Pair>,
    all: Vec<(String, String, String, String)>,
}

/// Half of the last digit that a published percentage shows.
const SHOWN: f64 = 0.5;

impl Indicators {
    pub(super) fn published_page(&self, p: &Page) -> Result<Html<String>, Problem> {
        let pack = &self.0.pack;
        let shown = pack.reported.iter().filter(|r| !r.indicator_vi.is_empty());
        let body = PublishedPage {
            p,
            pairs: pack.recomputed.iter().filter_map(|r| self.pair(p, r)).collect(),
            all: shown
                .map(|r| {
                    (
                        format!("{} ({})", reported_name(p, r), scope(p, r)),
                        words::published_period(p, &r.period),
                        reported_value(p, r),
                        source(p, r),
                    )
                })
                .collect(),
        }
        .render()
        .map_err(Problem::internal)?;
        Ok(p.html(&p.t("indicators-published-title"), body))
    }

    fn pair(&self, p: &Page, r: &Recomputed) -> Option<Pair> {
        let pack = &self.0.pack;
        let value = pack.recompute(r)?;
        let inputs: Vec<_> = r.inputs.iter().filter_map(|id| pack.published(id)).collect();
        let reported = r.reported.as_deref().and_then(|id| pack.published(id));
        let texts: Vec<String> = inputs.iter().map(|i| reported_value(p, i)).collect();
        let percent =
            r.operation == Operation::Share || reported.is_some_and(|reported| reported.unit == "percent");
        let text = |v: f64| {
            let decimals = if v.fract().abs() < 1e-9 { 0 } else { 2 };
            let number = words::number(p, v, decimals);
            if percent {
                p.tw("indicators-with-percent", &[("n", number)])
            } else {
                number
            }
        };
        let how = match r.operation {
            Operation::Share => format!("{} × 100", texts.join(" / ")),
            Operation::Sum => texts.join(" + "),
            Operation::PerMinute => format!("{} / ({} × 24 × 60)", texts.join(""), r.days),
            Operation::PerSecond => format!("{} / ({} × 24 × 3600)", texts.join(""), r.days),
            Operation::Other => p.t("indicators-other-source"),
        };
        let published = reported.and_then(|reported| pack.number(&reported.id));
        let (verdict, class) = match published {
            None => (p.t("indicators-only-recomputed"), "tag-none"),
            Some(v) if (v - value).abs() < SHOWN => (p.t("indicators-agrees"), "tag-good"),
            Some(v) => (
                p.tw(
                    "indicators-differs",
                    &[("reported", text(v)), ("recomputed", text(value))],
                ),
                "tag-wait",
            ),
        };
        let mut sources: Vec<String> = inputs
            .iter()
            .copied()
            .chain(reported)
            .map(|i| source(p, i))
            .collect();
        sources.sort_unstable();
        sources.dedup();
        Some(Pair {
            what: p.t(&format!("indicators-pair-{}", r.id)),
            reported: reported.map_or_else(|| words::NOTHING.to_owned(), |i| reported_value(p, i)),
            recomputed: text(value),
            how,
            verdict,
            class,
            source: sources.join("; "),
        })
    }
}
