//! SARIF 2.1.0 (OASIS), as far as code-scanning pages read it.

use serde::Serialize;

use crate::predict::{PredictedFinding, Prediction};
use crate::report::{Finding, Place, Report};
use crate::rule::{Rule, Severity};

const SCHEMA: &str = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";
const PAGES: &str = "https://github.com/gambeson/gambeson/blob/main/";

/// A whole SARIF log; `serde_json` writes it.
#[derive(Debug, Serialize)]
pub struct Sarif {
    #[serde(rename = "$schema")]
    schema: &'static str,
    version: &'static str,
    runs: [Run; 1],
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Run {
    tool: Tool,
    column_kind: &'static str,
    results: Vec<SarifResult>,
}

#[derive(Debug, Serialize)]
struct Tool {
    driver: Driver,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Driver {
    name: &'static str,
    version: &'static str,
    information_uri: &'static str,
    rules: Vec<Descriptor>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Descriptor {
    id: &'static str,
    name: &'static str,
    short_description: Message,
    help_uri: String,
    default_configuration: Configuration,
}

#[derive(Debug, Serialize)]
struct Configuration {
    level: &'static str,
}

#[derive(Debug, Serialize)]
struct Message {
    text: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct SarifResult {
    rule_id: &'static str,
    rule_index: usize,
    level: &'static str,
    message: Message,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    locations: Vec<Location>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    suppressions: Vec<Suppression>,
    properties: Properties,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Location {
    physical_location: PhysicalLocation,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct PhysicalLocation {
    artifact_location: ArtifactLocation,
    region: Region,
}

#[derive(Debug, Serialize)]
struct ArtifactLocation {
    uri: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Region {
    start_line: u32,
    start_column: u32,
    end_line: u32,
    end_column: u32,
}

#[derive(Debug, Serialize)]
struct Suppression {
    kind: &'static str,
}

#[derive(Debug, Serialize)]
struct Properties {
    confidence: &'static str,
    severity: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    target: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    prediction: Option<&'static str>,
}

/// The report as a SARIF log; of each finding with what is predicted of it, where `predicted` is given.
pub fn sarif(report: &Report, predicted: Option<&[PredictedFinding]>) -> Sarif {
    let rules = Rule::ALL.iter().map(|rule| Descriptor {
        id: rule.id(),
        name: rule.name(),
        short_description: Message { text: rule.summary().to_owned() },
        help_uri: format!("{PAGES}{}", rule.page()),
        default_configuration: Configuration { level: level(rule.severity()) },
    });
    let mut results: Vec<SarifResult> = match predicted {
        Some(predicted) => predicted.iter().map(|one| result(&one.finding, Some(&one.prediction), false)).collect(),
        None => report.findings.iter().map(|finding| result(finding, None, false)).collect(),
    };
    results.extend(report.silenced.iter().map(|finding| result(finding, None, true)));
    let driver = Driver {
        name: "gambeson-vet",
        version: env!("CARGO_PKG_VERSION"),
        information_uri: env!("CARGO_PKG_REPOSITORY"),
        rules: rules.collect(),
    };
    Sarif {
        schema: SCHEMA,
        version: "2.1.0",
        runs: [Run { tool: Tool { driver }, column_kind: "unicodeCodePoints", results }],
    }
}

fn result(finding: &Finding, prediction: Option<&Prediction>, silenced: bool) -> SarifResult {
    SarifResult {
        rule_id: finding.rule.id(),
        rule_index: Rule::ALL.iter().position(|rule| *rule == finding.rule).expect("all are there"),
        level: level(finding.severity),
        message: Message { text: finding.message.clone() },
        locations: location(&finding.place).into_iter().collect(),
        suppressions: if silenced { vec![Suppression { kind: "inSource" }] } else { Vec::new() },
        properties: Properties {
            confidence: finding.confidence.as_str(),
            severity: finding.severity.as_str(),
            target: finding.target.clone(),
            prediction: prediction.map(Prediction::kind),
        },
    }
}

fn location(place: &Place) -> Option<Location> {
    if place.file.is_empty() {
        return None;
    }
    let region = Region {
        start_line: place.line,
        start_column: place.column,
        end_line: place.end_line,
        end_column: place.end_column,
    };
    let artifact_location = ArtifactLocation { uri: uri(&place.file) };
    Some(Location { physical_location: PhysicalLocation { artifact_location, region } })
}

/// A path as a relative reference (RFC 3986): what is not unreserved is written in hexadecimal.
fn uri(path: &str) -> String {
    let mut uri = String::with_capacity(path.len());
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            uri.push(char::from(byte));
        } else {
            uri.push_str(&format!("%{byte:02X}"));
        }
    }
    uri
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Note => "note",
        Severity::Low | Severity::Medium => "warning",
        Severity::High => "error",
    }
}
