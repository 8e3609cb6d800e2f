//! Group E of the catalogue of attacks, against real cells. Servers are on this machine's loopback, which only the rule
//! and the resolver of these tests let anybody reach. What needs no proxy is in `crates/sandbox/tests/escape/`.

use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::{IpAddr, TcpListener as StdListener, TcpStream as StdStream};
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;

use gambeson_sandbox::{
    Cell, End, Environment, Host as Machine, Layer, Limits, Listeners as Takers, Network, Sink, Spec, Staged, Streams,
    Terminal, launch, plan,
};

use super::reach::Resolver;
use super::*;

/// What every program begins with: how to speak with the proxy by hand.
const PRELUDE: &str = r#"
import os, socket, sys, time
PORT = int(sys.argv[1])

def opened(data=b""):
    connection = socket.create_connection(("127.0.0.1", 3128), timeout=20)
    connection.sendall(data)
    return connection

def line(connection):
    got = b""
    while not got.endswith(b"\r\n"):
        piece = connection.recv(1)
        if not piece:
            break
        got += piece
    return got.decode().strip()

def rest(connection):
    got = b""
    try:
        while piece := connection.recv(65536):
            got += piece
    except OSError as error:
        got += type(error).__name__.encode()
    return got

def request(data):
    with opened(data.encode()) as connection:
        return line(connection)

def connect(target):
    return request(f"CONNECT {target} HTTP/1.1\r\n\r\n")

def code(answer):
    return answer.split(" ")[1] if " " in answer else answer or "nothing"

def tunnel(target):
    connection = opened(f"CONNECT {target} HTTP/1.1\r\n\r\n".encode())
    assert code(line(connection)) == "200"
    assert line(connection) == ""
    return connection
"#;

/// A resolver that knows what a test says: for each name what is answered first, second, and from then on.
#[derive(Debug, Default)]
struct Names {
    answers: Mutex<HashMap<String, Vec<Vec<IpAddr>>>>,
    asked: AtomicUsize,
}

impl Names {
    fn of(names: &[(&str, &[&[&str]])]) -> Arc<Names> {
        let read = |answer: &&[&str]| answer.iter().map(|address| address.parse().unwrap()).collect();
        let answers = names.iter().map(|(name, answers)| ((*name).to_owned(), answers.iter().map(read).collect()));
        Arc::new(Names { answers: Mutex::new(answers.collect()), asked: AtomicUsize::new(0) })
    }

    /// `ok.test` and `other.test` are here.
    fn usual() -> Arc<Names> {
        Names::of(&[("ok.test", &[&["127.0.0.1"]]), ("other.test", &[&["127.0.0.1"]])])
    }
}

impl Resolver for Names {
    fn resolve(&self, name: &str) -> io::Result<Vec<IpAddr>> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        let mut answers = self.answers.lock().unwrap();
        match answers.get_mut(name) {
            Some(answers) if answers.len() > 1 => Ok(answers.remove(0)),
            Some(answers) => Ok(answers[0].clone()),
            None => Err(io::ErrorKind::NotFound.into()),
        }
    }
}

/// A server of this machine: it answers each request with its head, and what is no request with itself.
struct Server {
    port: u16,
    heads: Arc<Mutex<Vec<String>>>,
    open: Arc<AtomicUsize>,
}

impl Server {
    fn start() -> Server {
        let listener = StdListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let server = Server { port, heads: Arc::default(), open: Arc::default() };
        let (heads, open) = (Arc::clone(&server.heads), Arc::clone(&server.open));
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let (heads, open) = (Arc::clone(&heads), Arc::clone(&open));
                thread::spawn(move || {
                    open.fetch_add(1, Ordering::SeqCst);
                    let _ = answer(client, &heads);
                    open.fetch_sub(1, Ordering::SeqCst);
                });
            }
        });
        server
    }

    fn heads(&self) -> Vec<String> {
        self.heads.lock().unwrap().clone()
    }

    /// Whether everybody has gone, now or soon.
    fn is_left(&self) -> bool {
        (0..200).any(|_| {
            thread::sleep(Duration::from_millis(10));
            self.open.load(Ordering::SeqCst) == 0
        })
    }
}

fn answer(mut client: StdStream, heads: &Mutex<Vec<String>>) -> io::Result<()> {
    let mut got = Vec::new();
    let mut piece = [0; 4096];
    loop {
        let count = client.read(&mut piece)?;
        if count == 0 {
            return Ok(());
        }
        got.extend_from_slice(&piece[..count]);
        let text = String::from_utf8_lossy(&got).into_owned();
        if !text.starts_with(|c: char| c.is_ascii_uppercase()) {
            heads.lock().unwrap().push(text);
            client.write_all(&got)?;
            got.clear();
        } else if let Some((head, _)) = text.split_once("\r\n\r\n") {
            heads.lock().unwrap().push(head.to_owned());
            let said = format!("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{head}", head.len());
            return client.write_all(said.as_bytes());
        }
    }
}

/// What is left of a run.
#[derive(Debug)]
struct Ran {
    said: Vec<String>,
    connections: Vec<Connection>,
    denials: Vec<Denial>,
}

fn environment() -> Environment {
    Environment::discover(Path::new("/usr/bin/python3")).unwrap()
}

fn cell(environment: Environment, source: &str, args: &[String]) -> Cell {
    let machine = Machine::probe();
    let limits = Limits { pids: 32, ..Limits::default() };
    let spec = Spec {
        environment,
        args: ["main.py".to_owned()].iter().chain(args).map(Into::into).collect(),
        env: vec![("PYTHONUNBUFFERED".into(), "1".into())],
        files: vec![Staged::File {
            path: "main.py".into(),
            executable: false,
            contents: [PRELUDE, source].concat().into(),
        }],
        limits,
        network: Network::Allow,
        terminal: Terminal::None,
        accept_missing: Layer::ALL.to_vec(),
    };
    launch(plan(&spec, &machine).unwrap(), &machine).unwrap()
}

fn run_in(environment: Environment, egress: Egress, allow: &[String], port: u16, source: &str) -> Ran {
    let proxy = OneProxy::of(egress, allow.iter().map(|place| place.parse().unwrap()).collect()).unwrap();
    let take = |listener| proxy.take(listener);
    let ended = cell(environment, source, &[port.to_string()])
        .wait(Streams { listener: Some(Takers(&take)), ..Streams::kept() });
    let (connections, denials) = proxy.end();
    let (out, err) = (String::from_utf8_lossy(&ended.stdout), String::from_utf8_lossy(&ended.stderr));
    assert_eq!(ended.exit.end, End::Exited(0), "{out}\n{err}");
    Ran { said: out.lines().map(str::to_owned).collect(), connections, denials }
}

/// Runs a program that may go to each of `hosts` at the server's port.
fn run(egress: Egress, server: &Server, hosts: &[&str], source: &str) -> Ran {
    let allow: Vec<String> = hosts.iter().map(|host| format!("{host}:{}", server.port)).collect();
    run_in(environment(), egress, &allow, server.port, source)
}

fn egress(names: Arc<Names>) -> Egress {
    Egress::with(names, Addresses::public_and_loopback(), 1)
}

#[test]
fn a_program_reaches_what_is_listed_by_its_usual_means() {
    let server = Server::start();
    let ran = run(
        egress(Names::usual()),
        &server,
        &["ok.test"],
        r#"
import http.client, urllib.request
print(urllib.request.urlopen(f"http://ok.test:{PORT}/a?b", timeout=20).read().decode().split("\r\n")[0])
through = http.client.HTTPConnection("127.0.0.1", 3128, timeout=20)
through.set_tunnel("ok.test", PORT)
through.request("POST", "/c", body=b"xyz")
print(through.getresponse().read().decode().split("\r\n")[0])
"#,
    );
    assert_eq!(ran.said, ["GET /a?b HTTP/1.1", "POST /c HTTP/1.1"]);
    let host = format!("Host: ok.test:{}", server.port);
    assert!(server.heads().iter().all(|head| head.contains(&host)), "{:?}", server.heads());
    assert_eq!(ran.denials, []);
    assert_eq!(ran.connections.len(), 2);
    for connection in &ran.connections {
        assert_eq!((&*connection.host, connection.port, connection.connections), ("ok.test", server.port, 1));
        assert!(connection.up_bytes > 50 && connection.down_bytes > 50, "{connection:?}");
    }
}

/// An interpreter that has this module: the first python3 of the path, or the host's own.
fn interpreter_with(module: &str) -> Option<PathBuf> {
    let has = |python: &&str| {
        let source = format!("import {module}, sys; print(sys.executable)");
        let tried = Command::new(python).args(["-c", &source]).stderr(Stdio::null()).output().ok()?;
        let executable = String::from_utf8(tried.stdout).ok()?.trim().to_owned();
        Some(PathBuf::from(executable)).filter(|_| tried.status.success())
    };
    let found = ["python3", "/usr/bin/python3"].iter().find_map(has);
    if found.is_none() {
        eprintln!("skipped: no interpreter here has {module}");
    }
    found
}

/// A process of the host that ends with its test.
struct Helping(Child);

impl Drop for Helping {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts a Python server on the host, which prints its port.
fn helping(source: &str, dir: &Path) -> (Helping, u16) {
    let mut command = Command::new("/usr/bin/python3");
    let mut child =
        command.args(["-c", source]).current_dir(dir).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut line = String::new();
    io::BufRead::read_line(&mut io::BufReader::new(child.stdout.take().unwrap()), &mut line).unwrap();
    (Helping(child), line.trim().parse().unwrap())
}

#[test]
fn requests_goes_through_the_proxy() {
    let Some(python) = interpreter_with("requests") else { return };
    let server = Server::start();
    let source = r#"
import requests
print(requests.get(f"http://ok.test:{PORT}/r", timeout=20).text.split("\r\n")[0])
try:
    requests.get(f"http://evil.test:{PORT}/", timeout=20).raise_for_status()
except requests.HTTPError as error:
    print(error.response.status_code)
"#;
    let allow = [format!("ok.test:{}", server.port)];
    let ran = run_in(Environment::discover(&python).unwrap(), egress(Names::usual()), &allow, server.port, source);
    assert_eq!(ran.said, ["GET /r HTTP/1.1", "403"]);
}

#[test]
fn pip_downloads_through_the_proxy() {
    let Some(python) = interpreter_with("pip") else { return };
    let dir = tempfile::tempdir().unwrap();
    // An index of one package: a page, and a wheel that holds what one must.
    let index = r#"
import http.server, os, zipfile
os.makedirs("simple/lamp")
with zipfile.ZipFile("simple/lamp/lamp-1.0-py3-none-any.whl", "w") as wheel:
    wheel.writestr("lamp.py", "x = 1\n")
    wheel.writestr("lamp-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: lamp\nVersion: 1.0\n")
    wheel.writestr("lamp-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
    wheel.writestr("lamp-1.0.dist-info/RECORD", "")
with open("simple/lamp/index.html", "w") as page:
    page.write('<a href="lamp-1.0-py3-none-any.whl">lamp-1.0-py3-none-any.whl</a>')
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), http.server.SimpleHTTPRequestHandler)
print(server.server_port, flush=True)
server.serve_forever()
"#;
    let (_index, port) = helping(index, dir.path());
    let source = r#"
import subprocess
pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "download", "--no-cache-dir", "--dest", "/tmp/got",
       "--index-url", f"http://ok.test:{PORT}/simple", "--trusted-host", "ok.test", "lamp"]
done = subprocess.run(pip, capture_output=True, text=True)
print(os.listdir("/tmp/got") if done.returncode == 0 else done.stdout + done.stderr)
"#;
    let environment = Environment::discover(&python).unwrap();
    let ran = run_in(environment, egress(Names::usual()), &[format!("ok.test:{port}")], port, source);
    assert_eq!(ran.said, ["['lamp-1.0-py3-none-any.whl']"]);
}

#[test]
fn https_goes_through_the_proxy_and_a_hello_for_another_host_does_not() {
    let dir = tempfile::tempdir().unwrap();
    let mut openssl = Command::new("openssl");
    openssl
        .args("req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out cert.pem -days 2 -subj /CN=ok.test".split(' '));
    openssl.args(["-addext", "subjectAltName=DNS:ok.test"]).current_dir(dir.path()).stderr(Stdio::null());
    if !openssl.status().is_ok_and(|status| status.success()) {
        eprintln!("skipped: no openssl here to make a certificate");
        return;
    }
    let source = r#"
import http.server, ssl
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"the secret is safe")
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain("cert.pem", "key.pem")
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
server.socket = context.wrap_socket(server.socket, server_side=True)
print(server.server_port, flush=True)
server.serve_forever()
"#;
    let (_server, port) = helping(source, dir.path());
    let certificate = std::fs::read_to_string(dir.path().join("cert.pem")).unwrap();
    let source = format!(
        r#"
import ssl, urllib.request
trusted = ssl.create_default_context(cadata="""{certificate}""")
print(urllib.request.urlopen(f"https://ok.test:{{PORT}}/", timeout=20, context=trusted).read().decode())
trusted.check_hostname = False
for name in ("ok.test", "other.test", "fronted.test"):
    try:
        with trusted.wrap_socket(tunnel(f"ok.test:{{PORT}}"), server_hostname=name) as connection:
            connection.sendall(b"GET / HTTP/1.0\r\n\r\n")
            print(name, line(connection))
    except OSError as error:
        print(name, "refused")
"#
    );
    let allow = ["ok.test", "other.test"].map(|host| format!("{host}:{port}"));
    let ran = run_in(environment(), egress(Names::usual()), &allow, port, &source);
    let wanted =
        ["the secret is safe", "ok.test HTTP/1.0 200 OK", "other.test HTTP/1.0 200 OK", "fronted.test refused"];
    assert_eq!(ran.said, wanted);
    assert_eq!(ran.denials[0].target, Some(format!("fronted.test:{port}")));
    assert!(ran.denials[0].why.starts_with("asked for by TLS over a connection to ok.test"), "{:?}", ran.denials);
}

#[test]
fn what_is_not_listed_is_refused_and_told() {
    let server = Server::start();
    let ran = run(
        egress(Names::usual()),
        &server,
        &["ok.test"],
        r#"
print(connect(f"ok.test:{PORT}"))
print(connect(f"other.test:{PORT}"))
print(connect(f"sub.ok.test:{PORT}"))
print(code(connect("ok.test:1")))
print(code(request(f"GET http://other.test:{PORT}/ HTTP/1.1\r\nHost: ok.test:{PORT}\r\n\r\n")))
import urllib.request
try:
    urllib.request.urlopen(f"https://other.test:{PORT}/")
except OSError as error:
    print(error)
"#,
    );
    let not_listed = |host: &str| format!("{host}:{}: not in this job's network.allow", server.port);
    let said = [
        "HTTP/1.1 200 Connection established".into(),
        format!("HTTP/1.1 403 {}", not_listed("other.test")),
        format!("HTTP/1.1 403 {}", not_listed("sub.ok.test")),
        "403".into(),
        "403".into(),
        format!("<urlopen error Tunnel connection failed: 403 {}>", not_listed("other.test")),
    ];
    assert_eq!(ran.said, said);
    assert_eq!(server.heads(), [] as [String; 0]);
    let first = &ran.denials[0];
    assert_eq!((&*first.act, &*first.rule, first.count), ("connect", "network.allow", 3));
    assert_eq!(first.why, "not in this job's network.allow");
    assert_eq!(first.target, Some(format!("other.test:{}", server.port)));
    assert!(first.remedy.starts_with(&format!("Ask for network.allow = [\"other.test:{}\"]", server.port)));
}

/// Addresses that no name may lead to.
const FORBIDDEN: [&str; 26] = [
    "0.0.0.0",
    "10.0.0.1",
    "100.100.100.200",
    "100.64.0.1",
    "168.63.129.16",
    "169.254.169.254",
    "169.254.1.1",
    "172.16.0.1",
    "192.0.2.1",
    "192.168.0.1",
    "198.18.0.1",
    "224.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:169.254.169.254",
    "64:ff9b::7f00:1",
    "64:ff9b:1::1",
    "2002:7f00:1::1",
    "2001::1",
    "fd00:ec2::254",
    "fe80::1",
    "ff02::1",
    "2001:db8::1",
];

#[test]
fn a_name_leads_to_no_address_that_is_not_public() {
    let server = Server::start();
    let names: Vec<String> = (0..FORBIDDEN.len()).map(|number| format!("n{number}.test")).collect();
    let single: Vec<[&str; 1]> = FORBIDDEN.map(|address| [address]).into();
    let answers: Vec<[&[&str]; 1]> = single.iter().map(|address| [&address[..]]).collect();
    let mut known: Vec<(&str, &[&[&str]])> =
        names.iter().zip(&answers).map(|(name, answer)| (name.as_str(), &answer[..])).collect();
    known.push(("mixed.test", &[&["10.0.0.1", "::ffff:127.0.0.1", "127.0.0.1", "169.254.169.254"]]));
    let ran = run(
        egress(Names::of(&known)),
        &server,
        &["*"],
        r#"
print(code(connect(f"mixed.test:{PORT}")))
for number in range(26):
    print(code(connect(f"n{number}.test:{PORT}")))
"#,
    );
    assert_eq!(ran.said[0], "200", "of several addresses those that may be connected to are");
    assert_eq!(ran.said[1..], ["403"; 26]);
    assert_eq!(ran.denials.len(), 26);
    assert!(ran.denials.iter().all(|denial| denial.rule == "egress.addresses"), "{:?}", ran.denials);
}

#[test]
fn a_service_of_the_host_is_reached_neither_directly_nor_by_a_name_that_leads_to_it() {
    let server = Server::start();
    let source = r#"
try:
    socket.create_connection(("127.0.0.1", PORT), timeout=5)
    print("connected")
except OSError as error:
    print(type(error).__name__)
print(code(connect(f"ok.test:{PORT}")))
"#;
    let production = Egress::with(Names::usual(), Addresses::public(), 1);
    let ran = run(production, &server, &["ok.test"], source);
    assert_eq!(ran.said, ["ConnectionRefusedError", "403"]);
    assert_eq!(ran.denials[0].why, "has no public address");
    // With the rule of these tests it is there.
    assert_eq!(run(egress(Names::usual()), &server, &["ok.test"], source).said, ["ConnectionRefusedError", "200"]);
}

#[test]
fn a_name_that_changes_its_address_is_checked_each_time_and_resolved_once() {
    let server = Server::start();
    let names = Names::of(&[("ok.test", &[&["127.0.0.1"], &["169.254.169.254"], &["127.0.0.1"]])]);
    let ran = run(
        egress(Arc::clone(&names)),
        &server,
        &["ok.test"],
        r#"
for _ in range(3):
    print(code(connect(f"ok.test:{PORT}")))
"#,
    );
    assert_eq!(ran.said, ["200", "403", "200"]);
    assert_eq!(names.asked.load(Ordering::Relaxed), 3, "one look-up for a connection");
}

#[test]
fn other_spellings_of_an_address_or_a_host_are_refused() {
    let server = Server::start();
    let ran = run(
        egress(Names::usual()),
        &server,
        &["*", "ok.test"],
        r#"
for host in ("ok.test", "OK.TEST", "ok.test."):
    print(code(connect(f"{host}:{PORT}")))
for host in ("127.0.0.1", "127.1", "0x7f.0.0.1", "0177.0.0.1", "2130706433", "0x7f000001", "017700000001", "[::1]",
             "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::127.0.0.1]", "[64:ff9b::7f00:1]", "127.0.0.1.", "ok.test%00", "ok%2etest"):
    print(code(connect(f"{host}:{PORT}")), code(request(f"GET http://{host}:{PORT}/ HTTP/1.1\r\n\r\n")))
for target in (f"ok.test:{PORT}@evil.test", f"ok.test:{PORT}@evil.test:{PORT}", f"ok.test@evil.test:{PORT}", "ok.test",
               f"ok.test:{PORT}:{PORT}", f"ok.test:0{PORT}", f"ok.test:+{PORT}", f"http://ok.test:{PORT}", f"ok.test:{PORT}/", "*"):
    print(code(connect(target)))
"#,
    );
    assert_eq!(ran.said[..3], ["200"; 3], "the control: the same host, written otherwise");
    for (number, said) in ran.said[3..].iter().enumerate() {
        assert!(said.split(' ').all(|code| code == "400" || code == "403"), "{number}: {said}");
    }
    assert_eq!(ran.said.len(), 3 + 15 + 10);
    assert_eq!(server.heads(), [] as [String; 0]);
}

#[test]
fn a_plain_request_says_to_its_host_no_other_host_and_nothing_meant_for_the_proxy() {
    let server = Server::start();
    let ran = run(
        egress(Names::usual()),
        &server,
        &["ok.test"],
        r#"
head = f"GET http://ok.test:{PORT}/x HTTP/1.1\r\nHost: evil.test\r\nProxy-Authorization: Basic eA==\r\nConnection: X-Drop\r\nX-Drop: 1\r\n"
print(code(request(head + "\r\n")))
for smuggled in ("Content-Length: 3\r\nContent-Length: 4\r\n", "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n", "X : 1\r\n",
                 "X: 1\r\n folded\r\n", "X: a\rb\r\n", "X\0: 1\r\n"):
    print(code(request(head + smuggled + "\r\n")))
"#,
    );
    assert_eq!(ran.said, ["200", "400", "400", "400", "400", "400", "400"]);
    let wanted = format!("GET /x HTTP/1.1\r\nHost: ok.test:{}\r\nConnection: close", server.port);
    assert_eq!(server.heads(), [wanted]);
}

#[test]
fn a_head_has_a_size_and_a_time() {
    let server = Server::start();
    let mut egress = egress(Names::usual());
    egress.times.head = Duration::from_millis(400);
    let ran = run(
        egress,
        &server,
        &["ok.test"],
        r#"
print(code(connect(f"ok.test:{PORT}")))
print(code(request(f"CONNECT ok.test:{PORT} HTTP/1.1\r\nX: " + "x" * 20000 + "\r\n\r\n")))
print(code(request(f"CONNECT ok.test:{PORT} HTTP/1.1\r\n" + "X: 1\r\n" * 2000 + "\r\n")))
silent = opened()
slow = opened(b"CONNECT ok.te")
began = time.monotonic()
try:
    while time.monotonic() < began + 5:
        slow.sendall(b"x")
        time.sleep(0.05)
except OSError:
    pass
print(time.monotonic() - began < 4, code(line(silent)))
"#,
    );
    assert_eq!(ran.said, ["200", "431", "431", "True 408"]);
}

#[test]
fn many_connections_wait_for_their_turn_and_no_more_are_open_at_once() {
    let server = Server::start();
    let mut egress = egress(Names::usual());
    egress.connections = 4;
    egress.times.head = Duration::from_millis(500);
    let ran = run(
        egress,
        &server,
        &["ok.test"],
        r#"
import threading
lock, now, peak = threading.Lock(), 0, 0
def one():
    global now, peak
    with tunnel(f"ok.test:{PORT}") as connection:
        with lock:
            now += 1
            peak = max(peak, now)
        connection.sendall(b"1")
        connection.recv(1)
        time.sleep(0.1)
        with lock:
            now -= 1
threads = [threading.Thread(target=one) for _ in range(20)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
print(1 <= peak <= 4)
held = [opened() for _ in range(40)]
print(code(connect(f"ok.test:{PORT}")))
"#,
    );
    assert_eq!(ran.said, ["True", "200"], "those that say nothing lose their places");
    assert_eq!(ran.connections.len(), 21);
}

#[test]
fn a_tunnel_that_nothing_moves_in_is_closed() {
    let server = Server::start();
    let mut egress = egress(Names::usual());
    egress.times.idle = Duration::from_millis(300);
    let ran = run(
        egress,
        &server,
        &["ok.test"],
        r#"
connection = tunnel(f"ok.test:{PORT}")
for _ in range(6):
    connection.sendall(b"1")
    connection.recv(1)
    time.sleep(0.1)
print(rest(connection))
"#,
    );
    assert_eq!(ran.said.len(), 1);
    assert_eq!(
        (ran.connections[0].up_bytes, ran.connections[0].down_bytes),
        (6, 6),
        "as long as something moved it stayed"
    );
}

#[test]
fn everything_ends_with_the_cell() {
    let server = Server::start();
    let ran = run(
        egress(Names::usual()),
        &server,
        &["ok.test"],
        r#"
open_ones = [tunnel(f"ok.test:{PORT}") for _ in range(5)]
open_ones[0].sendall(b"123")
print(open_ones[0].recv(3))
os._exit(0)
"#,
    );
    assert_eq!(ran.said, ["b'123'"]);
    assert!(server.is_left(), "{} connections are still open", server.open.load(Ordering::SeqCst));
    assert_eq!(ran.connections.len(), 5);
    assert_eq!(ran.connections.iter().map(|connection| connection.up_bytes).sum::<u64>(), 3);
}

#[test]
fn another_jobs_cell_is_reached_neither_directly_nor_through_the_proxy() {
    let (out, theirs) = rustix::pipe::pipe().unwrap();
    let (stop, cancel) = mpsc::channel();
    let (cancelled, cancelling) = rustix::pipe::pipe().unwrap();
    let neighbour = thread::spawn(move || {
        let source =
            "listening = socket.create_server(('0.0.0.0', PORT))\nprint('ready')\nlistening.accept()\nprint('visited')";
        let cell = cell(environment(), source, &["7171".into()]);
        let streams = Streams { stdout: Sink::Fd(theirs.as_fd()), cancel: Some(cancelled.as_fd()), ..Streams::kept() };
        let ended = cell.wait(streams);
        stop.send(ended.exit.end).unwrap();
    });
    let mut ready = String::new();
    io::BufRead::read_line(&mut io::BufReader::new(std::fs::File::from(out)), &mut ready).unwrap();
    assert_eq!(ready, "ready\n");
    let source = r#"
for address in ("127.0.0.1", "0.0.0.0", "10.0.0.1"):
    try:
        socket.create_connection((address, PORT), timeout=2)
        print("connected")
    except OSError as error:
        print(type(error).__name__)
print(code(connect(f"ok.test:{PORT}")), code(connect(f"127.0.0.1:{PORT}")))
"#;
    let ran = run_in(environment(), egress(Names::usual()), &["ok.test:7171".into()], 7171, source);
    assert_eq!(ran.said, ["ConnectionRefusedError", "ConnectionRefusedError", "OSError", "502 403"]);
    drop(cancelling);
    assert_eq!(cancel.recv().unwrap(), End::Cancelled, "nobody came");
    neighbour.join().unwrap();
}

#[test]
fn without_the_proxys_variables_a_program_just_fails_and_its_port_is_not_another_programs() {
    let server = Server::start();
    let ran = run(
        egress(Names::usual()),
        &server,
        &["ok.test"],
        r#"
import urllib.request
print(os.environ["HTTPS_PROXY"], os.environ["http_proxy"], os.environ["NO_PROXY"])
for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
    del os.environ[name]
try:
    urllib.request.urlopen(f"http://ok.test:{PORT}/", timeout=5)
except OSError as error:
    print(type(error).__name__)
for address in ("127.0.0.1", "0.0.0.0"):
    try:
        taken = socket.socket()
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        taken.bind((address, 3128))
        taken.listen()
        print("taken")
    except OSError as error:
        print(error.strerror)
own = socket.create_server(("127.0.0.1", 80 if os.getuid() == 0 else 8080))
print(socket.create_connection(own.getsockname(), timeout=5) is not None)
"#,
    );
    let proxy = "http://127.0.0.1:3128";
    assert_eq!(ran.said[0], format!("{proxy} {proxy} localhost,127.0.0.1,::1"));
    assert_eq!(ran.said[1..], ["URLError", "Address already in use", "Address already in use", "True"]);
}
