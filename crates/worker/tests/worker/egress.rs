//! Jobs that may connect somewhere. Nobody is connected to: what the proxy does with servers is tested where it may be
//! told that they are on this machine (`src/egress/tests.rs`).

use gambeson_api::work::{Entry, Lease};
use gambeson_api::{Network, Start};
use gambeson_worker::Warmth;

use crate::server::{lease, listen};
use crate::{TTL, Worker};

const SOURCE: &str = r#"
import urllib.request
for url in ("https://a.invalid/", "https://a.invalid/", "http://other.invalid:443/", "http://127.0.0.1:443/"):
    try:
        urllib.request.urlopen(url, timeout=20)
    except OSError as error:
        print(error)
try:
    urllib.request.build_opener(urllib.request.ProxyHandler({})).open("http://127.0.0.1:3128/", timeout=20)
except OSError as error:
    print(error)
"#;

fn lease_with(allow: &[&str]) -> Lease {
    let places = allow.iter().map(|place| place.parse().unwrap()).collect();
    Lease { network: Network::Allow(places), ..lease(SOURCE) }
}

#[tokio::test]
async fn a_cold_and_a_warm_job_have_a_proxy_and_what_it_refuses_is_told() {
    let server = listen(TTL).await;
    let worker = Worker::start(&server, |config| config.warmth = Some(Warmth::new(gambeson_nursery_image::LIBRARY)));
    let mut seen = Vec::new();
    // A nursery has to come to be before there is a warm start.
    for _ in 0..100 {
        let job = server.submit(lease_with(&["b.invalid:443", "*.c.invalid:443"]));
        let settled = server.settled(job).await;
        let refused = |place: &str| format!("{place}: not in this job's network.allow");
        let said: Vec<String> = server.stdout(job).lines().map(str::to_owned).collect();
        assert_eq!(
            said,
            [
                format!("<urlopen error Tunnel connection failed: 403 {}>", refused("a.invalid:443")),
                format!("<urlopen error Tunnel connection failed: 403 {}>", refused("a.invalid:443")),
                format!("HTTP Error 403: {}", refused("other.invalid:443")),
                "<urlopen error [Errno 111] Connection refused>".into(),
                "HTTP Error 400: this is a proxy: ask it for http://HOST/..., or to CONNECT".into(),
            ]
        );
        let denials = &settled.report.denials;
        let told: Vec<_> = denials.iter().map(|denial| (denial.target.as_deref().unwrap(), denial.count)).collect();
        assert_eq!(told, [("a.invalid:443", 2), ("other.invalid:443", 1)]);
        let sentence = "connect to a.invalid:443 refused: not in this job's network.allow (2 times). Ask for \
                        network.allow = [\"a.invalid:443\"], if the project permits it.";
        assert_eq!(denials[0].sentence(), sentence);
        let entries = server.inner().seen.entries[&job].clone();
        let events: Vec<_> =
            entries.iter().filter(|entry| matches!(entry, Entry::Denied { .. } | Entry::Egress(_))).collect();
        assert_eq!(events.len(), 2, "each kind once: {events:?}");
        seen.push(settled.report.start);
        if settled.report.start == Start::Warm {
            break;
        }
    }
    assert_eq!(seen.last(), Some(&Start::Warm));
    worker.finish().await;
}
