//! The committed document against the handlers.

use gambeson_api::Code;

/// Written anew by `GAMBESON_BLESS=1 cargo test -p gambeson-server`.
const COMMITTED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../openapi/v1.json");

fn generated() -> serde_json::Value {
    serde_json::to_value(gambeson_server::openapi()).unwrap()
}

fn operations(document: &serde_json::Value) -> Vec<(String, String, &serde_json::Value)> {
    let mut operations = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            operations.push((method.clone(), path.clone(), operation));
        }
    }
    operations
}

#[test]
fn the_committed_document_is_the_generated_one() {
    let text = serde_json::to_string_pretty(&generated()).unwrap() + "\n";
    if std::env::var_os("GAMBESON_BLESS").is_some() {
        std::fs::write(COMMITTED, &text).unwrap();
    }
    let committed = std::fs::read_to_string(COMMITTED).unwrap_or_default();
    assert!(committed == text, "openapi/v1.json is not what the handlers say: GAMBESON_BLESS=1 rewrites it");
}

#[test]
fn every_operation_says_its_id_its_words_and_its_problems() {
    let document = generated();
    let mut ids = Vec::new();
    for (method, path, operation) in operations(&document) {
        let id = operation["operationId"].as_str().unwrap_or_else(|| panic!("{method} {path} has no id"));
        ids.push(id.to_owned());
        let public = operation["tags"][0] == "public";
        assert!(operation["summary"].as_str().is_some_and(|summary| summary.ends_with('.')), "{id}: no summary");
        let responses = operation["responses"].as_object().unwrap();
        assert!(responses.keys().any(|status| status.starts_with('2')), "{id}");
        for (status, response) in responses {
            match response.get("$ref") {
                Some(link) => assert_eq!(*link, format!("#/components/responses/Problem{status}"), "{id}"),
                None => {
                    assert!(response["description"].as_str().is_some_and(|words| !words.is_empty()), "{id} {status}");
                    let bare = status == "204" || status.starts_with('3');
                    assert_eq!(response["content"].is_object(), !bare, "{id} {status}");
                }
            }
        }
        assert!(public || responses.contains_key("401"), "{id}");
        assert!(operation.get("requestBody").is_none() || responses.contains_key("413"), "{id}");
        if let Some(body) = operation.get("requestBody") {
            assert!(body["description"].as_str().is_some_and(|words| !words.is_empty()), "{id}: say the body's limits");
            assert_eq!(body["required"], true, "{id}");
        }
        let named = operation["parameters"].as_array().cloned().unwrap_or_default();
        for part in path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}')) {
            assert!(
                named.iter().any(|it| it["name"] == part && it["in"] == "path" && it["required"] == true),
                "{id} {part}"
            );
        }
        for parameter in named {
            let words = parameter["description"].as_str();
            assert!(words.is_some_and(|words| !words.is_empty()), "{id}: {}", parameter["name"]);
        }
    }
    let count = ids.len();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), count, "an operation id stands twice");
}

#[test]
fn every_link_inside_the_document_leads_somewhere() {
    fn links(value: &serde_json::Value, found: &mut Vec<String>) {
        match value {
            serde_json::Value::Object(members) => {
                found.extend(members.get("$ref").and_then(|link| link.as_str()).map(str::to_owned));
                members.values().for_each(|value| links(value, found));
            }
            serde_json::Value::Array(elements) => elements.iter().for_each(|value| links(value, found)),
            _ => {}
        }
    }
    let document = generated();
    let mut found = Vec::new();
    links(&document, &mut found);
    assert!(found.len() > 100);
    for link in found {
        let pointer = link.strip_prefix('#').unwrap();
        assert!(document.pointer(pointer).is_some(), "{link}");
    }
    for code in Code::ALL {
        let response = &document["components"]["responses"][format!("Problem{}", code.status())];
        assert!(response["description"].as_str().unwrap().contains(code.as_str()), "{code}");
    }
}
