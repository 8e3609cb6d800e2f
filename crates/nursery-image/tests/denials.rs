//! What a warm cell is refused is explained as it is in a cold one.

mod ground;

use gambeson_sandbox::{Act, Start};

#[test]
fn denials_are_the_same_warm_and_cold() {
    if ground::host().is_none() {
        return;
    }
    let source = "import os, socket, subprocess, sys\n\
                  for family in (socket.AF_INET, socket.AF_ALG):\n\
                  \x20   try: socket.socket(family)\n\
                  \x20   except OSError: pass\n\
                  if os.fork() == 0:\n\
                  \x20   try: socket.socket(socket.AF_INET6)\n\
                  \x20   except OSError: os._exit(0)\n\
                  os.wait()\n\
                  code = 'import socket\\ntry: socket.socket()\\nexcept OSError: pass'\n\
                  subprocess.run([sys.executable, '-c', code])\n\
                  open('/etc/shadow')\n";
    for environment in ground::pythons() {
        let mut nursery = ground::nursery(&environment, &[]);
        let spec = ground::spec(&environment, source);
        let warm = ground::warm(&mut nursery, &spec, b"");
        let cold = ground::cold(&spec, b"");
        assert_eq!((warm.exit.start, cold.exit.start), (Start::Warm, Start::Cold));
        assert_eq!(warm.exit.denials, cold.exit.denials, "{}", ground::told(&warm));
        let acts: Vec<_> = warm.exit.denials.iter().map(|one| (one.act, one.at.as_ref().map(|at| at.line))).collect();
        let lines: Vec<_> = acts.iter().filter_map(|(_, line)| *line).collect();
        assert_eq!(acts.iter().filter(|(act, _)| *act == Act::Socket).count(), 4, "{acts:?}");
        assert_eq!(acts.last().map(|(act, line)| (*act, *line)), Some((Act::Open, Some(11))));
        assert!(lines.starts_with(&[3, 3, 6]), "{acts:?}");
    }
}
