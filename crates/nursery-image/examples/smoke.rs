//! smoke
use gambeson_sandbox::*;
use std::path::Path;
use std::time::Instant;
fn main() {
    let python = std::env::args().nth(1).unwrap_or("/usr/bin/python3".into());
    let code = std::env::args().nth(2).unwrap_or("print(1)".into());
    let preload: Vec<String> =
        std::env::args().nth(3).map(|p| p.split(',').map(str::to_owned).collect()).unwrap_or_default();
    let environment = Environment::discover(Path::new(&python)).unwrap();
    let host = Host::probe();
    let t = Instant::now();
    let mut nursery = match Nursery::start(
        &Wanted {
            environment: &environment,
            preload: &preload,
            env: &[],
            accept_missing: &[],
            library: gambeson_nursery_image::LIBRARY,
        },
        &host,
    ) {
        Ok(n) => n,
        Err(e) => {
            eprintln!("{e}");
            std::process::exit(1)
        }
    };
    println!("nursery {} in {:?}", nursery.pid(), t.elapsed());
    let spec = |code: &str| Spec {
        environment: environment.clone(),
        args: vec!["main.py".into()],
        env: vec![],
        files: vec![Staged::File { path: "main.py".into(), executable: false, contents: code.as_bytes().to_vec() }],
        limits: Limits::default(),
        network: Network::None,
        terminal: Terminal::None,
        accept_missing: vec![],
    };
    let mut times = vec![];
    for i in 0..20 {
        let p = plan(&spec(&code), &host).unwrap();
        let t = Instant::now();
        let spare = match nursery.birth(&p) {
            Ok(n) => n,
            Err(e) => {
                eprintln!("{e}");
                std::process::exit(1)
            }
        };
        let birth = t.elapsed();
        std::thread::sleep(std::time::Duration::from_millis(20));
        let t = Instant::now();
        let cell = spare.run(p).map_err(|e| e.why).unwrap();
        let run = t.elapsed();
        let ended = cell.wait(Streams::kept());
        times.push((birth, run, t.elapsed()));
        if i == 0 {
            println!(
                "{:?} {:?}\n{}{}",
                ended.exit.end,
                ended.exit.usage,
                String::from_utf8_lossy(&ended.stdout),
                String::from_utf8_lossy(&ended.stderr)
            );
            for l in &ended.exit.layers {
                println!("{} {:?} {}", l.layer, l.held, l.detail)
            }
        }
    }
    for t in times {
        println!("birth {:?} hand {:?} total {:?}", t.0, t.1, t.2);
    }
}
