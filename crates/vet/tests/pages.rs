//! Each rule has its page, and what the page says triggers it does.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use gambeson_vet::{Rule, Source, read};

fn page(rule: Rule) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(rule.page());
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The Python under a heading.
fn example<'a>(page: &'a str, heading: &str) -> Option<&'a str> {
    let (_, rest) = page.split_once(&format!("\n## {heading}\n"))?;
    let (_, rest) = rest.split_once("```python\n")?;
    Some(rest.split_once("\n```")?.0)
}

fn fired(text: &str) -> BTreeSet<Rule> {
    let mut source = Source::of("main.py", text);
    source.modules = Some(BTreeSet::new());
    read(&source).findings.iter().map(|finding| finding.rule).collect()
}

#[test]
fn each_rule_has_a_page_that_names_it() {
    for rule in Rule::ALL {
        let page = page(*rule);
        assert!(page.starts_with(&format!("# {} {}\n", rule.id(), rule.name())), "{rule}");
        assert!(page.contains(&format!("Severity: {}", rule.severity().as_str())), "{rule}");
        for heading in ["Why it matters", "What the cell does about it", "What to do"] {
            assert!(page.contains(&format!("\n## {heading}\n")), "{rule}: {heading}");
        }
    }
    let pages = fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/rules")).unwrap();
    assert_eq!(pages.count(), Rule::ALL.len(), "a page for each rule and for nothing else");
}

#[test]
fn what_a_page_says_triggers_its_rule_does_and_what_it_says_does_not_does_not() {
    for rule in Rule::ALL.iter().filter(|rule| **rule != Rule::V004) {
        let page = page(*rule);
        let triggers = example(&page, "Triggers").unwrap_or_else(|| panic!("{rule} has no example"));
        assert!(fired(triggers).contains(rule), "{rule} is not triggered: {:?}", fired(triggers));
        let does_not = example(&page, "Does not").unwrap_or_else(|| panic!("{rule} has no second example"));
        assert!(!fired(does_not).contains(rule), "{rule} is triggered by what should not");
        assert!(!fired(does_not).contains(&Rule::V001), "the second example of {rule} is no Python");
    }
}
