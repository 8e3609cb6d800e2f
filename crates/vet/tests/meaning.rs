//! What is found, under whatever name it is written.

use std::collections::BTreeSet;

use gambeson_vet::{Act, Report, Rule, Source, read};

fn project(files: &[(&str, &str)]) -> Report {
    let mut source = Source::default();
    source.modules = Some(BTreeSet::new());
    for (path, text) in files {
        source.add(path, text.as_bytes());
    }
    read(&source)
}

fn one(text: &str) -> Report {
    project(&[("main.py", text)])
}

fn rules(report: &Report) -> BTreeSet<Rule> {
    report.findings.iter().map(|finding| finding.rule).collect()
}

fn targets(report: &Report, rule: Rule) -> Vec<&str> {
    let of_rule = report.findings.iter().filter(|finding| finding.rule == rule);
    of_rule.filter_map(|finding| finding.target.as_deref()).collect()
}

/// Each of these starts a program.
#[test]
fn a_function_is_known_under_every_name() {
    for text in [
        "import os; os.system('id')",
        "import os as o; o.system('id')",
        "from os import system as s; s('id')",
        "from os import *; system('id')",
        "import os\nx = y = os.system\ny('id')",
        "import os\na, b = os.system, 1\na('id')",
        "import shutil; shutil.os.system('id')",
        "import os\nif input():\n    f = print\nelse:\n    f = os.system\nf('id')",
        "import os\ntry:\n    f = os.system\nexcept Exception:\n    f = print\nf('id')",
        "import os; [os.system][0]('id')",
        "import os; {'a': os.system}['a']('id')",
        "import os\nfor f in [print, os.system]:\n    f('id')",
        "import os; (lambda f: f('id'))(os.system)",
        "import os\ndef call(f):\n    f('id')\ncall(os.system)",
        "import os\ndef get():\n    return os\nget().system('id')",
        "import os\nclass A:\n    def __init__(self):\n        self.f = os.system\n    def go(self):\n        self.f('id')\nA().go()",
        "import os\nclass A:\n    f = os.system\nA.f('id')",
        "import os, functools; functools.partial(os.system, 'id')()",
        "import os; list(map(os.system, ['id']))",
        "import os, threading; threading.Thread(target=os.system, args=('id',)).start()",
        "import os; getattr(os, 'sys' + 'tem')('id')",
        "import os; getattr(os, ''.join(['s', 'ys', 'tem']))('id')",
        "import os; getattr(os, 'metsys'[::-1])('id')",
        "import os; getattr(os, '%s%s' % ('sys', 'tem'))('id')",
        "import os; getattr(os, '{}tem'.format('sys'))('id')",
        "import os\nx = 'tem'\ngetattr(os, f'sys{x}')('id')",
        "import os; getattr(os, chr(115) + 'ystem')('id')",
        "import os; getattr(os, bytes([115, 121, 115, 116, 101, 109]).decode())('id')",
        "import os; getattr(os, ''.join(chr(ord(c) - 1) for c in 'tztufn'))('id')",
        "import os, codecs; getattr(os, codecs.decode('flfgrz', 'rot13'))('id')",
        "import os; os.__dict__['system']('id')",
        "import os; vars(os)['system']('id')",
        "import sys; sys.modules['os'].system('id')",
        "__import__('o' + 's').system('id')",
        "import importlib; importlib.import_module('os').system('id')",
        "globals()['__builtins__'].__import__('os').system('id')",
        "__builtins__.__dict__['__import__']('os').system('id')",
        "import operator, os; operator.attrgetter('system')(os)('id')",
        "import operator, os; operator.methodcaller('system', 'id')(os)",
        "eval('__import__')('os').system('id')",
        "exec('import os; os.system(\"id\")')",
        "exec(compile('import os; os.system(\"id\")', '', 'exec'))",
        "import base64; exec(base64.b64decode('aW1wb3J0IG9zOyBvcy5zeXN0ZW0oJ2lkJyk='))",
        "exec(bytes.fromhex('696d706f7274206f733b206f732e73797374656d282769642729'))",
        "().__class__.__base__.__subclasses__()[9].__init__.__globals__['system']('id')",
        "import os\ndef f():\n    g('id')\ng = os.system\nf()",
        "import os\nwith open('x') as f:\n    os.system('id')",
        "import os\nmatch input():\n    case 'a':\n        os.system('id')",
        "import os\ndef f(x=os.system('id')): pass",
        "import os\n@os.system\ndef f(): pass",
        "import os\nx: os.system('id') = 1",
        "import os\nclass A:\n    def __reduce__(self):\n        return os.system, ('id',)",
        "import posix; posix.system('id')",
        "import ctypes; ctypes.CDLL(None).system(b'id')",
    ] {
        let report = one(text);
        assert!(rules(&report).contains(&Rule::V201), "{text}: {:?}", report.findings);
    }
}

/// None of these does, although each looks a little like it.
#[test]
fn what_only_looks_like_it_is_none() {
    for text in [
        "class os:\n    def system(x): pass\nos.system('id')",
        "def system(x): pass\nsystem('id')",
        "print('os.system')",
        "import os\nos = object()\nos.system('id')",
        "x = input()\nx.system('id')",
        "import re; re.compile('a')",
        "import os\nprint(os.name)",
        "import ast; ast.literal_eval('1')",
        "def f(os):\n    os.getpid()\n",
        "import sqlite3\nc = sqlite3.connect(':memory:')\nc.execute('select 1')\nc.commit()",
        "import json\njson.load(open('a.json'))",
        "import socket\nprint(socket.gethostname())",
        "import os\nprint(os.environ['HOME'], os.environ.get('A'))",
        "from pathlib import Path\nprint((Path(__file__).parent / 'data.txt').read_text())",
        "import tempfile, os\nd = tempfile.mkdtemp()\nos.remove(os.path.join(d, 'x'))",
        "while True:\n    if input():\n        break",
        "def f():\n    while True:\n        yield 1",
        "x = [0] * 1000",
        "x = [1, 2]\nx.append(3)\nprint(x[0])",
    ] {
        let report = one(text);
        assert_eq!(rules(&report), BTreeSet::new(), "{text}: {:?}", report.findings);
    }
}

#[test]
fn the_files_of_a_project_are_read_together() {
    let main = "import helper\nfrom pkg.part import run as r\nhelper.go('id')\nr()\n";
    let files = [
        ("main.py", main),
        ("helper.py", "import os\ngo = os.system\n"),
        ("pkg/__init__.py", ""),
        ("pkg/part.py", "from .inner import connect\ndef run():\n    connect()\n"),
        (
            "pkg/inner.py",
            "import urllib.request\ndef connect():\n    urllib.request.urlopen('http://example.org:8080/x')\n",
        ),
    ];
    let report = project(&files);
    assert_eq!(rules(&report), [Rule::V201, Rule::V301].into());
    assert_eq!(report.findings[0].place.file, "main.py");
    assert_eq!(targets(&report, Rule::V301), ["example.org:8080"]);
    assert_eq!(report.files_read, 5);
    let alone = project(&files[..1]);
    assert_eq!(targets(&alone, Rule::V003), ["helper", "pkg"], "without them they are missing");
}

#[test]
fn modules_that_import_each_other_are_read_once() {
    let report = project(&[
        ("a.py", "import b\nfrom b import f\nf('id')\n"),
        ("b.py", "import a\nfrom os import system as f\n"),
    ]);
    assert_eq!(rules(&report), [Rule::V201].into());
}

#[test]
fn where_it_connects_is_known_if_it_is_written() {
    for (text, target) in [
        ("import requests; requests.get('https://example.org/x')", "example.org:443"),
        ("import requests; s = requests.Session(); s.post('http://example.org:81')", "example.org:81"),
        ("import requests\nhost = 'example.org'\nrequests.get(f'https://{host}/{input()}')", "example.org:443"),
        ("import requests; requests.get('https://%s/' % 'example.org')", "example.org:443"),
        ("import socket; s = socket.socket(); s.connect(('example.org', 25))", "example.org:25"),
        ("import socket\nwith socket.create_connection(('example.org', 25)) as s: pass", "example.org:25"),
        ("import http.client; http.client.HTTPSConnection('example.org', 443)", "example.org:443"),
        ("import subprocess; subprocess.run(['curl', 'https://example.org/x'])", "example.org:443"),
        ("import asyncio\nasync def f():\n    await asyncio.open_connection('example.org', 25)\n", "example.org:25"),
        ("def f(s):\n    s.connect(('example.org', 25))", "example.org:25"),
    ] {
        let report = one(text);
        assert!(targets(&report, Rule::V301).contains(&target), "{text}: {:?}", report.findings);
    }
}

#[test]
fn a_payload_is_remarked_on_where_it_is_executed() {
    let report = one("import base64\n\nexec(base64.b64decode('aW1wb3J0IG9zOyBvcy5zeXN0ZW0oJ2lkJyk='))\n");
    assert_eq!(rules(&report), [Rule::V201, Rule::V501, Rule::V504].into());
    assert!(report.findings.iter().all(|finding| finding.place.line == 3), "{:?}", report.findings);
}

#[test]
fn a_direct_system_call_says_what_it_asks_for() {
    let report = one("import ctypes\nlibc = ctypes.CDLL('libc.so.6')\nlibc.syscall(321, 0)\n");
    let call = report.findings.iter().find(|finding| finding.rule == Rule::V402).expect("it is one");
    assert_eq!(call.acts, [Act::Bpf]);
}

#[test]
fn a_syntax_error_has_a_place() {
    let report = one("x = 1\ny = (2,\nprint(é é)\n");
    assert!(report.is_syntax_error());
    let [finding] = &report.findings[..] else { panic!("{:?}", report.findings) };
    assert_eq!((finding.rule, finding.place.line, finding.place.column), (Rule::V001, 3, 9));
}

/// What would take a parser's time, memory or stack is refused before one is started.
#[test]
fn a_text_that_is_too_deep_is_not_parsed() {
    let many = 1_000_000;
    for text in [
        "(".repeat(many),
        "x = ".to_owned() + &"- ".repeat(many) + "1",
        "x = ".to_owned() + &"not ".repeat(many / 4) + "1",
        "x = ".to_owned() + &"~".repeat(many) + "1",
        "x = a".to_owned() + &".a".repeat(many / 2),
        "x = a".to_owned() + &"()".repeat(many / 2),
        "x = a".to_owned() + &"[0]".repeat(many / 3),
        "x = 1".to_owned() + &"+1".repeat(many / 2),
        "x = 1".to_owned() + &"**1".repeat(many / 3),
        "x = ".to_owned() + &"lambda:".repeat(many / 8) + "1",
        "x = ".to_owned() + &"1 if 1 else ".repeat(many / 12) + "1",
        "x = ".to_owned() + &"await ".repeat(many / 8) + "1",
        (0..200).map(|depth| " ".repeat(depth) + "if 1:\n").collect::<String>() + &" ".repeat(200) + "pass\n",
        "x = ".to_owned() + &"f'{".repeat(many / 4),
        "x = ".to_owned() + &"[".repeat(300) + &"]".repeat(300),
        "x = ".to_owned() + &"{1:".repeat(300) + &"}".repeat(300),
        "match x:\n case ".to_owned() + &"[".repeat(300) + &"]".repeat(300) + ": pass",
    ] {
        let report = one(&text);
        assert_eq!(rules(&report), [Rule::V002].into(), "{:?}...", &text[..20]);
        assert!(report.incomplete);
    }
}

#[test]
fn a_text_that_is_long_and_flat_is_read() {
    let report = one(&"x = [1, 2, 3]\ny = x[0] + x[1] * (x[2] - 1)\n".repeat(2000));
    assert_eq!((rules(&report), report.incomplete), (BTreeSet::new(), false));
    let sum = "x = ".to_owned() + &vec!["'a'"; 1000].join(" + ");
    assert!(!one(&sum).incomplete);
    let list = "x = [".to_owned() + &"-1, ".repeat(50_000) + "]";
    assert!(!one(&list).incomplete);
}

#[test]
fn a_file_that_is_too_large_is_not_read_and_the_others_are() {
    let large = "#".repeat(gambeson_vet::MOST_BYTES_OF_FILE + 1);
    let report = project(&[("main.py", "import os; os.system('id')"), ("large.py", &large)]);
    assert_eq!(rules(&report), [Rule::V002, Rule::V201].into());
    assert!(report.incomplete);
}

#[test]
fn an_encoding_that_is_declared_is_used() {
    let mut source = Source::default();
    source.add("main.py", b"# coding: latin-1\nx = '\xe9'\nimport os; os.system('id')\n");
    assert_eq!(rules(&read(&source)), [Rule::V201].into());
    let mut source = Source::default();
    source.add("main.py", b"x = '\xe9'\n");
    assert_eq!(rules(&read(&source)), [Rule::V001].into());
    assert_eq!(rules(&one("# -*- coding: utf-7 -*-\nx = 1\n")), [Rule::V005].into());
}

/// Harmless findings do not crowd out the others, and there is an end to them.
#[test]
fn there_are_so_many_findings_of_a_rule_and_the_rest_is_counted() {
    let mut text = "import threading, os\n".to_owned();
    text += &"threading.Thread(target=print)\n".repeat(1000);
    text += "os.system('id')\n";
    let report = one(&text);
    assert_eq!(rules(&report), [Rule::V201, Rule::V203].into());
    assert_eq!(report.findings.len(), gambeson_vet::MOST_OF_RULE + 1);
    assert_eq!(report.more[&Rule::V203], 1000 - gambeson_vet::MOST_OF_RULE as u64);
}

/// Texts that would take a careless reader time beyond measure.
#[test]
fn what_is_repeated_without_end_is_given_up() {
    let calls: String = (0..200).map(|n| format!("def f{n}(x): return f{}(x) + f{}(x)\n", n + 1, n + 1)).collect();
    let texts = [
        calls + "def f200(x): return x\nf0('a')\n",
        "x = ['a']\n".to_owned() + &"x = [x, x]\n".repeat(2000) + "for a in x: exec(str(a))\n",
        "x = 'a'\n".to_owned() + &"x = x + x\n".repeat(2000),
        "x = 'a' * 60000\n".to_owned() + &"y = x.replace('a', 'b') + x\n".repeat(5000),
        "x = {}\n".to_owned() + &(0..5000).map(|n| format!("x['{n}'] = {n}\n")).collect::<String>(),
        "for a in range(4000):\n".to_owned() + "    x = [[b for b in range(4000)] for c in range(4000)]\n",
        "exec(\"".to_owned() + &"exec('x') ;".repeat(2000) + "\")\n",
        "def f(): f()\nf()\ndef g(): return lambda: g()\ng()()()\n".repeat(200),
        (0..2000).map(|n| format!("if a:\n  x{n} = 1\n")).collect::<String>(),
        "from os import *\n".repeat(5000),
    ];
    for text in texts {
        let before = std::time::Instant::now();
        one(&text);
        assert!(before.elapsed().as_secs() < 20, "{:?} for {:?}...", before.elapsed(), &text[..40]);
    }
}
