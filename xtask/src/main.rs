//! `cargo xtask ...`: what a contributor runs. `cargo xtask` alone lists it.

mod bench;
mod chaos;
mod fuzz;
mod schemathesis;
mod test;
mod tidy;
mod vm;
mod web;

use anyhow::bail;

const USAGE: &str = "\
cargo xtask test              every test; ends in `N passed, N failed, N skipped`
cargo xtask bench cold        gambeson beside bare python3 and bubblewrap, to docs/benchmarks.md
cargo xtask chaos [--short] [--seconds N] [--seed N] [--release]
                              jobs while processes are killed and frozen, the disk is full and connections are cut
cargo xtask bench console [debug [JOBS [VISITS]]]
                              the web console in a browser: first paint, bytes, a list of 100,000 jobs
cargo xtask bench queue       submissions, leases and expected starts over HTTP, with up to 1,000,000 queued jobs
cargo xtask bench followers [[debug] FOLLOWERS [SECONDS]]
                              many who follow one job that writes 2000 lines a second; with numbers, publishes nothing
cargo xtask bench metrics     a scrape of the figures, with up to 100,000 queued jobs
cargo xtask bench vet [quick] the reader on its labelled corpus, bandit beside it, and the time that a MiB takes
cargo xtask bench warm [quick]
                              warm cells beside bare python3, bubblewrap and firejail; quick publishes nothing
cargo xtask fuzz [TARGET...]  the decoders of hostile bytes, a minute in all
cargo xtask schemathesis [--short] [--seed N]
                              every operation of the OpenAPI document, by Schemathesis from PyPI; two minutes
cargo xtask vm build          a QEMU guest with pure cgroup v2 and SELinux enforcing, under target/vm
cargo xtask vm run -- CMD     runs CMD in it, the repository at /share
cargo xtask vm test           what a host like this one cannot show: every layer in that guest
cargo xtask web               the web console, to web/dist; the next build of the server takes it in
cargo xtask demo              the same, then a server, a worker and a job to look at
cargo xtask tidy              the rules of the repository that no compiler knows";

fn main() -> std::process::ExitCode {
    match run() {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(error) => {
            // People read this, so no backtrace.
            eprintln!("{error:#}");
            std::process::ExitCode::FAILURE
        }
    }
}

fn run() -> anyhow::Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    std::env::set_current_dir(root())?;
    match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["test"] => test::run(),
        ["bench", "cold"] => bench::cold(),
        ["chaos", ..] => chaos::run(&args[1..]),
        ["bench", "console", ..] => bench::console(&args[2..]),
        ["bench", "queue", ..] => bench::queue(&args[2..]),
        ["bench", "followers", ..] => bench::followers(&args[2..]),
        ["bench", "metrics", ..] => bench::metrics(&args[2..]),
        ["bench", "vet", ..] => bench::vet(&args[2..]),
        ["bench", "warm", ..] => bench::warm(&args[2..]),
        ["fuzz", ..] => fuzz::run(&args[1..]),
        ["schemathesis", ..] => schemathesis::run(&args[1..]),
        ["vm", "test"] => test::run_in_vm(),
        ["vm", ..] => vm::run(&args[1..]),
        ["web"] => web::build(),
        ["demo"] => web::demo(),
        ["tidy"] => tidy::run(),
        [] | ["help" | "-h" | "--help"] => {
            println!("{USAGE}");
            Ok(())
        }
        _ => bail!("there is no such task\n{USAGE}"),
    }
}

/// The repository.
fn root() -> &'static std::path::Path {
    std::path::Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask lies in the repository")
}
