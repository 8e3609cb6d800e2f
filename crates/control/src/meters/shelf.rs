//! Families of figures, each with what it is about: registered once, described once.

use std::borrow::Cow;

use prometheus_client::encoding::EncodeMetric;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::{MetricType, TypedMetric};
use prometheus_client::registry::Registry;

/// A label's value: of a list in the code, or a name that was looked up among the few that are shown.
pub(super) type Word = Cow<'static, str>;

type Labels<const N: usize> = [(&'static str, Word); N];

/// What all names begin with.
const PREFIX: &str = "gambeson";

/// What a family is, for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Described {
    /// Its name, as it is written in a question to Prometheus; of a histogram, without `_bucket`, `_sum` and `_count`.
    pub name: String,
    /// `counter`, `gauge` or `histogram`.
    pub kind: &'static str,
    /// The names of its labels.
    pub labels: Vec<&'static str>,
    /// What it says, and what to do with it.
    pub help: &'static str,
}

/// A family whose figures differ in the values of `N` labels.
#[derive(Debug)]
pub(super) struct Of<const N: usize, M> {
    names: [&'static str; N],
    figures: Family<Labels<N>, M, fn() -> M>,
}

impl<const N: usize, M: Clone> Of<N, M> {
    /// The figure with these values, made when it is new.
    pub(super) fn at(&self, values: [impl Into<Word>; N]) -> M {
        let mut names = self.names.into_iter();
        self.figures.get_or_create_owned(&values.map(|value| (names.next().unwrap_or_default(), value.into())))
    }

    /// Makes figures that are to be there from the beginning: a rate from nothing to one is seen only then.
    pub(super) fn beginning_with(self, all: impl IntoIterator<Item = [&'static str; N]>) -> Of<N, M> {
        for values in all {
            self.at(values);
        }
        self
    }

    /// Forgets all figures: what is read anew may have lost some.
    pub(super) fn clear(&self) {
        self.figures.clear();
    }
}

impl<M: Clone> Of<0, M> {
    /// The one figure of a family without labels.
    pub(super) fn only(&self) -> M {
        self.figures.get_or_create_owned(&[])
    }
}

impl<const N: usize> Of<N, Level> {
    pub(super) fn set(&self, values: [impl Into<Word>; N], value: f64) {
        self.at(values).set(value);
    }
}

impl<const N: usize> Of<N, Counter> {
    pub(super) fn add(&self, values: [impl Into<Word>; N], count: u64) {
        self.at(values).inc_by(count);
    }
}

/// A value without labels.
pub(super) const ALONE: [&str; 0] = [];

/// Where families are put when they are made.
#[derive(Debug)]
pub(super) struct Shelf {
    pub registry: Registry,
    pub described: Vec<Described>,
}

impl Shelf {
    pub(super) fn new() -> Shelf {
        Shelf { registry: Registry::with_prefix(PREFIX), described: Vec::new() }
    }

    fn put<const N: usize, M>(
        &mut self,
        (name, kind): (&'static str, &'static str),
        names: [&'static str; N],
        help: &'static str,
        make: fn() -> M,
    ) -> Of<N, M>
    where
        M: EncodeMetric + TypedMetric + Clone + Send + Sync + std::fmt::Debug + 'static,
    {
        let figures = Family::new_with_constructor(make);
        // The registry ends the sentence.
        self.registry.register(name, help.trim_end_matches('.'), figures.clone());
        let ending = if matches!(M::TYPE, MetricType::Counter) { "_total" } else { "" };
        let name = format!("{PREFIX}_{name}{ending}");
        self.described.push(Described { name, kind, labels: names.to_vec(), help });
        Of { names, figures }
    }

    /// What only grows. The name is without `_total`.
    pub(super) fn counter<const N: usize>(
        &mut self,
        name: &'static str,
        labels: [&'static str; N],
        help: &'static str,
    ) -> Of<N, Counter> {
        self.put((name, "counter"), labels, help, Counter::default)
    }

    /// What goes up and down.
    pub(super) fn gauge<const N: usize>(
        &mut self,
        name: &'static str,
        labels: [&'static str; N],
        help: &'static str,
    ) -> Of<N, Level> {
        self.put((name, "gauge"), labels, help, Level::default)
    }

    /// How often something had which size, by the steps of `make`.
    pub(super) fn histogram<const N: usize>(
        &mut self,
        name: &'static str,
        labels: [&'static str; N],
        make: fn() -> Histogram,
        help: &'static str,
    ) -> Of<N, Histogram> {
        self.put((name, "histogram"), labels, help, make)
    }
}

/// A gauge of any number.
pub(super) type Level = Gauge<f64, std::sync::atomic::AtomicU64>;

/// Seconds that only grow.
pub(super) type Seconds = Counter<f64, std::sync::atomic::AtomicU64>;

impl Shelf {
    /// A time that only grows, and has no labels. The name is without `_total`.
    pub(super) fn seconds(&mut self, name: &'static str, help: &'static str) -> Seconds {
        self.put((name, "counter"), [], help, Seconds::default).only()
    }
}
