//! CPython's own tests in warm cells: the same list, the same expectations, through the sandbox's own interface.

mod cpython;

use std::path::Path;
use std::process::ExitCode;
use std::sync::Mutex;
use std::time::Duration;

use cpython::{Module, Said};
use gambeson_sandbox::{
    Authority, Bytes, End, Ended, Environment, Host, Limits, MilliCpus, Network, Nursery, Spec, Staged, Start, Streams,
    Terminal, Wanted, plan,
};

/// As in `regrtest.rs`.
fn limits() -> Limits {
    Limits {
        memory: Bytes::mebi(1024),
        wall: Duration::from_secs(300),
        cpu: Duration::from_secs(300),
        cpus: MilliCpus(2000),
        pids: 256,
        disk: Bytes::mebi(512),
        files: 65536,
        output: Bytes::mebi(16),
        ..Limits::default()
    }
}

fn main() -> ExitCode {
    let host = Host::probe();
    let lacking = host.missing.iter().find(|missing| !missing.layer.is_extra());
    if host.authority != Authority::Root || host.selinux.is_some() || lacking.is_some() {
        println!("skipped: a nursery needs root, all layers, and no SELinux");
        println!("0 passed, 0 failed, 1 skipped");
        return ExitCode::SUCCESS;
    }
    let environment = Environment::discover(Path::new(&cpython::python())).expect("the interpreter works");
    let library = gambeson_nursery_image::LIBRARY;
    let wanted = Wanted { environment: &environment, preload: &[], env: &[], accept_missing: &[], library };
    let nursery = match Nursery::start(&wanted, &host) {
        Ok(nursery) => Mutex::new(nursery),
        Err(why) => {
            println!("{why}\n0 passed, 1 failed, 0 skipped");
            return ExitCode::FAILURE;
        }
    };
    cpython::main_with(|module| match run(&host, &environment, &nursery, module) {
        Ok(ended) => said(&ended),
        Err(why) => Said { end: Err(why), stdout: String::new(), stderr: String::new() },
    })
}

fn run(host: &Host, environment: &Environment, nursery: &Mutex<Nursery>, module: &Module<'_>) -> Result<Ended, String> {
    let program = include_bytes!("../../../guest/regrtest.py").to_vec();
    let spec = |args: Vec<String>, files| Spec {
        environment: environment.clone(),
        args: args.into_iter().map(Into::into).collect(),
        env: Vec::new(),
        files,
        limits: limits(),
        network: if module.network == "loopback" { Network::Loopback } else { Network::None },
        terminal: Terminal::None,
        accept_missing: Vec::new(),
    };
    let plan = |spec: Spec| plan(&spec, host).map_err(|refusal| refusal.to_string());
    let mut args = module.args();
    args.insert(0, "regrtest.py".into());
    // Born for somebody else, as a spare is.
    let stranger = plan(spec(args.iter().map(|arg| "_".repeat(arg.len())).collect(), Vec::new()))?;
    let file = Staged::File { path: "regrtest.py".into(), executable: false, contents: program };
    let own = plan(spec(args, vec![file]))?;
    let spare = nursery.lock().map_err(|_| "another module panicked")?.birth(&stranger);
    let cell = spare.map_err(|error| error.to_string())?.run(own).map_err(|back| back.why)?;
    Ok(cell.wait(Streams::kept()))
}

fn said(ended: &Ended) -> Said {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let end = match &ended.exit.end {
        _ if ended.exit.start != Start::Warm => Err("its start was not warm".to_owned()),
        End::Exited(0) => Ok(()),
        other => Err(other.message()),
    };
    Said { end, stdout: text(&ended.stdout), stderr: text(&ended.stderr) }
}
