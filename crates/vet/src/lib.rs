#![doc = include_str!("../README.md")]

mod bounds;
mod findings;
#[cfg(any(test, feature = "fuzzing"))]
pub mod fuzzing;
mod hidden;
mod ignore;
mod lines;
mod meaning;
mod predict;
mod printable;
pub mod process;
mod read;
mod report;
mod rule;
mod sarif;
mod secrets;
mod source;
mod syntax;
mod text;
mod units;

pub use predict::{
    HappenedDenial, Network, Policy, PredictedFinding, Prediction, Verdict, compare, predict, predict_all,
};
pub use read::read;
pub use report::{Finding, Hint, Import, MOST_OF_RULE, Origin, Place, Report};
pub use rule::{Act, Confidence, NoSuchRule, Rule, Severity};
pub use sarif::{Sarif, sarif};
pub use source::{MOST_BYTES, MOST_BYTES_OF_FILE, MOST_FILES, Source};
pub use text::{Style, text};
