//! Where jobs may connect, and what is told of it.

use super::*;

fn places(texts: &[&str]) -> Vec<Destination> {
    texts.iter().map(|text| text.parse().unwrap()).collect()
}

async fn allowing(texts: &[&str]) -> Installation {
    let here = Installation::new();
    let change = ProjectChange { network_allow: Some(places(texts)), ..ProjectChange::default() };
    here.control.project_change(&here.owner, "default", change).await.unwrap();
    here
}

fn asking(texts: &[&str]) -> impl FnOnce(&mut Submission) {
    let places = places(texts);
    move |submission| submission.network = Network::Allow(places)
}

#[tokio::test]
async fn a_project_allows_nothing_until_it_is_told_and_keeps_it_over_a_restart() {
    let here = Installation::new();
    let refused = here.submit(asking(&["pypi.org:443"])).await.unwrap_err();
    assert_eq!(refused.code, Code::LimitsAboveCeiling);
    assert_eq!(refused.detail, "network.allow has pypi.org:443; project default allows no place");

    let change = ProjectChange { network_allow: Some(places(&["*.b.org:443", "pypi.org:443"])), ..Default::default() };
    here.control.project_change(&here.owner, "default", change).await.unwrap();
    let id = here.submit(asking(&["pypi.org:443", "a.b.org:443"])).await.unwrap();
    let here = here.restart().await;
    assert_eq!(here.job(id).await.network, Network::Allow(places(&["pypi.org:443", "a.b.org:443"])));
    let worker = here.worker().await;
    let lease = here.leases(&worker, 1000).await.remove(0);
    assert_eq!(lease.network, Network::Allow(places(&["pypi.org:443", "a.b.org:443"])));
    assert_eq!(here.submit(asking(&["b.org:443"])).await.unwrap_err().code, Code::LimitsAboveCeiling);

    let none = ProjectChange { network_allow: Some(Vec::new()), ..ProjectChange::default() };
    here.control.project_change(&here.owner, "default", none).await.unwrap();
    assert_eq!(here.submit(asking(&["pypi.org:443"])).await.unwrap_err().code, Code::LimitsAboveCeiling);
    let many = vec![places(&["a.org:1"]).remove(0); Destination::PROJECT_MOST + 1];
    let many = ProjectChange { network_allow: Some(many), ..ProjectChange::default() };
    let refused = here.control.project_change(&here.owner, "default", many).await.unwrap_err();
    assert_eq!(refused.code, Code::InvalidValue);
}

#[tokio::test]
async fn a_job_whose_places_the_project_permits_no_more_when_its_turn_comes_does_not_start() {
    let here = allowing(&["pypi.org:443", "a.org:443"]).await;
    let gone = here.submit(asking(&["a.org:443", "pypi.org:443"])).await.unwrap();
    let stays = here.submit(asking(&["a.org:443"])).await.unwrap();
    let change = ProjectChange { network_allow: Some(places(&["a.org:443"])), ..ProjectChange::default() };
    here.control.project_change(&here.owner, "default", change).await.unwrap();
    let worker = here.worker().await;
    let leases = here.leases(&worker, 1000).await;
    assert_eq!(leases.iter().map(|lease| lease.job).collect::<Vec<_>>(), [stays]);
    let outcome = here.job(gone).await.outcome.unwrap();
    assert_eq!(outcome.end, End::Refused {});
    assert!(outcome.message.contains("does not permit pypi.org:443 any more"), "{}", outcome.message);
    assert_eq!(here.kinds(gone).await, ["queued", "ended"]);
    let usage = here.usage().await;
    assert_eq!((usage.queued, usage.running, usage.cpu_ms), (0, 1, 0));
}

fn connection(host: &str) -> Entry {
    Entry::Egress(Egress { host: host.into(), port: 443, connections: 1, up_bytes: 1, down_bytes: 2, ms: 3 })
}

#[tokio::test]
async fn connections_are_events_and_bounded_in_number_and_in_form() {
    let here = allowing(&["pypi.org:443"]).await;
    let worker = here.worker().await;
    let id = here.submit(asking(&["pypi.org:443"])).await.unwrap();
    let lease = here.leases(&worker, 1000).await.remove(0);
    here.append(&lease, 0, vec![Entry::Started {}, connection("pypi.org")]).await.unwrap();
    for host in ["", "a b", "a\nb", "\u{202e}", &"a".repeat(256)] {
        let refused = here.append(&lease, 2, vec![connection(host)]).await.unwrap_err();
        assert_eq!(refused.code, Code::InvalidValue, "{host:?}");
    }
    let too_many = vec![connection("pypi.org"); Egress::ENTRIES_MOST + 1];
    assert_eq!(here.append(&lease, 2, too_many).await.unwrap_err().code, Code::TooLarge);
    here.settle(&lease, 2, vec![connection("*")]).await.unwrap();
    assert_eq!(here.kinds(id).await, ["queued", "leased", "started", "egress", "egress", "ended"]);
}

#[tokio::test]
async fn a_refused_connection_says_whether_the_project_would_permit_it() {
    let here = allowing(&["*.org:443"]).await;
    let worker = here.worker().await;
    let id = here.submit(asking(&["pypi.org:443"])).await.unwrap();
    let lease = here.leases(&worker, 1000).await.remove(0);
    let denial = |target: &str, rule: &str| Denial {
        act: "connect".into(),
        target: Some(target.into()),
        rule: rule.into(),
        layer: "egress".into(),
        why: "w".into(),
        remedy: "as the worker said".into(),
        file: None,
        line: None,
        source: None,
        count: 1,
    };
    let denials = vec![
        denial("example.org:443", "network.allow"),
        denial("example.com:443", "network.allow"),
        denial("pypi.org:443", "egress.addresses"),
        denial("127.0.0.1:443", "network.allow"),
    ];
    let told = Entry::Denied { denial: Box::new(denials[0].clone()) };
    here.append(&lease, 0, vec![Entry::Started {}, told]).await.unwrap();
    let report = Report { denials, ..report() };
    let settle = Settle { first: 2, entries: Vec::new(), report, artifacts: Vec::new(), skipped: Vec::new() };
    here.control.lease_settle(lease.id, Some(&lease.token), settle).await.unwrap();
    let remedies: Vec<String> = here.job(id).await.denials.unwrap().into_iter().map(|denial| denial.remedy).collect();
    let permitted = "Ask for network.allow = [\"example.org:443\"], which project \"default\" permits.";
    let not = "Project \"default\" does not permit example.com:443: an operator of the platform can.";
    assert_eq!(remedies, [permitted, not, "as the worker said", "as the worker said"]);
    let events = here.events(id).await;
    let said = events.iter().find_map(|event| match &event.body {
        EventBody::Denied { denial } => Some(denial.remedy.clone()),
        _ => None,
    });
    assert_eq!(said.as_deref(), Some(permitted));
}
