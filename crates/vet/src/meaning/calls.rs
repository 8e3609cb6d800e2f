//! Calls: what is called, with what, and what a rule says of it.

use super::commands::{self, Command};
use super::expressions::size;
use super::hosts::{self, Reach};
use super::paths::{self, Leads};
use super::table::{Does, does};
use super::value::{Kind, Taint, Value};
use super::{Interpreter, names};
use crate::findings::Remark;
use crate::rule::{Act, Confidence, Rule, Severity};
use crate::syntax::{Expr, ExprCall, Ranged, TextRange};
use crate::units::Unit;
use crate::{bounds, lines, syntax};

/// Payloads within payloads that are read.
const MOST_EXECUTING: u32 = 4;
/// Bytes of one payload that is read.
const LONGEST_PAYLOAD: usize = 256 << 10;

/// What a call is given.
#[derive(Default, Clone)]
pub(super) struct Given<'a> {
    pub(super) positional: Vec<Value>,
    pub(super) keywords: Vec<(&'a str, Value)>,
    /// Whether there may be more than is known: `*args`, `**kwargs`.
    pub(super) more: bool,
}

impl<'a> Given<'a> {
    pub(super) fn get(&self, at: usize, keyword: &str) -> Option<&Value> {
        self.positional.get(at).or_else(|| self.keyword(keyword))
    }

    pub(super) fn keyword(&self, keyword: &str) -> Option<&Value> {
        self.keywords.iter().find(|(name, _)| *name == keyword).map(|(_, value)| value)
    }

    pub(super) fn taint(&self) -> Taint {
        let all = self.positional.iter().chain(self.keywords.iter().map(|(_, value)| value));
        all.fold(Taint::NONE, |taint, value| taint.and(value.taint))
    }

    fn first(&self) -> Value {
        self.positional.first().or(self.keywords.first().map(|(_, value)| value)).cloned().unwrap_or(Value::UNKNOWN)
    }
}

impl<'a> Interpreter<'a> {
    pub(super) fn call(&mut self, call: &'a ExprCall) -> Value {
        let range = call.range();
        let (base, callee) = match &*call.func {
            Expr::Attribute(it) => {
                let base = self.expr(&it.value);
                let callee = self.attribute(&base, it.attr.id.as_str(), call.func.range());
                (Some((base, it.attr.id.as_str())), callee)
            }
            other => (None, self.expr(other)),
        };
        let mut given = Given::default();
        for argument in &call.arguments.args {
            let value = self.expr(argument);
            if argument.is_starred_expr() {
                match self.folder.elements(&value) {
                    Some(more) => given.positional.extend(more),
                    None => given.more = true,
                }
            } else {
                given.positional.push(value);
            }
        }
        for keyword in &call.arguments.keywords {
            let value = self.expr(&keyword.value);
            match &keyword.arg {
                Some(name) => given.keywords.push((name.id.as_str(), value)),
                None => given.more = true,
            }
        }
        self.hands_on(&callee, &given, call);
        if let Some((base, method)) = base {
            let mut made = Vec::new();
            for one in base.alternatives() {
                if let Some(value) = self.method(&one, method, &given, range) {
                    made.push(value);
                }
            }
            if !made.is_empty() {
                return Value::one_of(made);
            }
            if let (Kind::Object(_) | Kind::Class(_), Kind::Function(id)) = (&base.kind, &callee.kind) {
                let object = matches!(base.kind, Kind::Object(_)).then_some(base.clone());
                return self.call_function(*id, object, &given);
            }
        }
        self.apply(&callee, &given, range, Some(call))
    }

    /// Calls a value.
    pub(super) fn apply(
        &mut self,
        callee: &Value,
        given: &Given<'a>,
        range: TextRange,
        call: Option<&'a ExprCall>,
    ) -> Value {
        self.depth += 1;
        let made = if self.may_go_on() { self.applied(callee, given, range, call) } else { Value::UNKNOWN };
        self.depth -= 1;
        made
    }

    fn applied(&mut self, callee: &Value, given: &Given<'a>, range: TextRange, call: Option<&'a ExprCall>) -> Value {
        match &callee.kind {
            Kind::Name(name) => {
                let name = name.clone();
                self.call_name(&name, callee.taint, given, range, call)
            }
            Kind::Function(id) => self.call_function(*id, None, given),
            Kind::Class(id) => {
                let id = *id;
                self.makes(id, given, range, 0);
                let object: Value = Kind::Object(id).into();
                if let Some(Value { kind: Kind::Function(init), .. }) = self.member(id, "__init__", true, 0) {
                    self.call_function(init, Some(object.clone()), given);
                }
                object
            }
            Kind::Object(id) => match self.member(*id, "__call__", true, 0) {
                Some(Value { kind: Kind::Function(called), .. }) => {
                    self.call_function(called, Some(callee.clone()), given)
                }
                _ => Value::UNKNOWN,
            },
            Kind::Partial(partial) => {
                let mut all = given.clone();
                all.positional = partial.1.iter().cloned().chain(all.positional).collect();
                let function = partial.0.clone();
                self.apply(&function, &all, range, call)
            }
            Kind::Getter(name, called) => {
                let base = given.first();
                let found = self.attribute(&base, &name.clone(), range);
                if *called { self.apply(&found, &Given { more: true, ..Given::default() }, range, None) } else { found }
            }
            Kind::Any(values) => {
                let values: Vec<Value> = values.iter().cloned().collect();
                Value::one_of(values.iter().map(|value| self.apply(value, given, range, call)))
            }
            _ => Value::unknown(callee.taint.and(given.taint())),
        }
    }

    /// An object of a class of the submission: what it inherits from is made as well.
    fn makes(&mut self, class: usize, given: &Given<'a>, range: TextRange, depth: u32) {
        if depth > 8 {
            return;
        }
        for base in self.classes[class].bases.clone() {
            match &base.kind {
                Kind::Class(base) => self.makes(*base, given, range, depth + 1),
                Kind::Name(name) => {
                    if let Some(does @ (Does::Spawn | Does::ListenPair(_) | Does::Host(_) | Does::Socket)) = does(name)
                    {
                        let name = name.clone();
                        self.effect(&name, does, given, range, None);
                    }
                }
                _ => {}
            }
        }
    }

    /// Methods of what is known, and of what is not.
    fn method(&mut self, base: &Value, method: &str, given: &Given<'a>, range: TextRange) -> Option<Value> {
        match &base.kind {
            Kind::Path(path) => {
                let path = path.clone();
                self.path_method(&path, true, method, given, range)
            }
            Kind::Text(_) | Kind::Bytes(_) | Kind::List(_) | Kind::Dict(_) => {
                match (&base.kind, method) {
                    (Kind::Text(_) | Kind::Bytes(_), "ljust" | "rjust" | "center" | "zfill") => {
                        let width = given
                            .positional
                            .first()
                            .and_then(Value::as_int)
                            .and_then(|width| u64::try_from(width).ok());
                        self.allocates(width.unwrap_or(0), range, "fills up to");
                        return Some(Value::unknown(base.taint));
                    }
                    (Kind::List(_), "append" | "extend" | "insert") => {
                        let remark =
                            Remark::new(Rule::V902, "a list grows with each round of a loop that nothing ends");
                        self.hold(range, remark.confidence(Confidence::Medium));
                        return Some(Kind::None.into());
                    }
                    (Kind::Text(text), "format") if text.contains("__") => {
                        for (name, rule) in
                            [("__globals__", Rule::V602), ("__subclasses__", Rule::V601), ("__mro__", Rule::V601)]
                        {
                            if text.contains(name) {
                                let message = format!("a format string looks at {name}");
                                self.remark(range, Remark::new(rule, message).subject(name));
                            }
                        }
                    }
                    _ => {}
                }
                let taint = base.taint.and(given.taint());
                let joins = if method == "join" { Taint::JOINED } else { Taint::NONE };
                let made = self.folder.method(base, method, &given.positional, &given.keywords);
                Some(made.unwrap_or(Value::unknown(taint).with(joins)))
            }
            Kind::Prefix(text) => {
                let text = text.clone();
                let done = self.path_method(&text, false, method, given, range);
                match method {
                    "format" | "encode" | "strip" | "rstrip" | "decode" => Some(base.clone()),
                    _ => done.or(Some(Value::unknown(base.taint.and(given.taint())))),
                }
            }
            Kind::Name(name) => {
                let name = name.clone();
                self.name_method(&name, method, given, range);
                None
            }
            Kind::Unknown | Kind::Object(_) => {
                self.unknown_method(method, given, range);
                None
            }
            _ => None,
        }
    }

    /// Methods of things of others that are no names of the table.
    fn name_method(&mut self, name: &str, method: &str, given: &Given<'a>, range: TextRange) {
        if (name == "os.environ" || name == "os.environb") && ["items", "values", "keys", "copy"].contains(&method) {
            let severity = if method == "copy" { Severity::Note } else { Severity::Low };
            let remark = Remark::new(Rule::V801, format!("os.environ.{method}() reads all environment variables"));
            self.remark(range, remark.subject("os.environ").severity(severity));
        }
        if name.starts_with("os.environ.items") {
            return;
        }
        if (name.starts_with("open()") || name.ends_with("File()")) && (method == "write" || method == "writelines") {
            self.floods(range, true);
        }
        if name.starts_with("open()") && (method == "truncate" || method == "seek") {
            let bytes = given.positional.first().and_then(Value::as_int).and_then(|bytes| u64::try_from(bytes).ok());
            if bytes.is_some_and(|bytes| bytes >= super::expressions::HUGE) {
                let remark = Remark::new(Rule::V903, format!("makes a file of {}", size(bytes.unwrap_or(0))));
                self.remark(range, remark.acts(&[Act::Open]).amount(bytes));
            }
        }
        if native(&format!("{name}.{method}")).is_some() {
            return;
        }
        if name == "__builtins__" || name == "builtins" {
            return;
        }
        if does(&format!("{name}.{method}")).is_none()
            && !names::canonical(&format!("{name}.{method}")).starts_with("os.")
        {
            self.unknown_method(method, given, range);
        }
    }

    /// A function of a library in native code.
    fn native_method(&mut self, function: &str, given: &Given<'a>, range: TextRange) {
        let subject = format!("libc.{function}");
        // A path is one, whoever opens it.
        for value in given.positional.iter().take(8) {
            if value.beginning().is_some_and(|(text, _)| text.starts_with(['/', '~']) && text.len() > 1)
                && !function.starts_with("exec")
            {
                self.file(&value.clone(), &subject, Access::Read, range);
            }
        }
        if function.starts_with("PyRun_")
            || function.starts_with("Py_CompileString")
            || function.starts_with("PyEval_EvalCode")
        {
            let remark = Remark::new(Rule::V501, format!("{subject} executes text")).subject(&subject);
            self.remark(range, remark);
        }
        let direct = |act: Act| (Rule::V401, vec![act]);
        let (rule, acts) = match function {
            "syscall" => {
                let number = given.positional.first().and_then(Value::as_int);
                (Rule::V402, number.and_then(act_of_call).into_iter().collect())
            }
            "ptrace" => direct(Act::Ptrace),
            "process_vm_readv" | "process_vm_writev" => direct(Act::Ptrace),
            "mount" | "umount" | "umount2" | "pivot_root" | "chroot" => direct(Act::Mount),
            "unshare" | "setns" | "clone" | "clone3" => direct(Act::Namespace),
            "perf_event_open" => direct(Act::Perf),
            "bpf" => direct(Act::Bpf),
            "add_key" | "keyctl" | "request_key" => direct(Act::Keyring),
            "init_module" | "finit_module" | "delete_module" => direct(Act::Module),
            "reboot" => direct(Act::Reboot),
            "clock_settime" | "settimeofday" | "stime" | "adjtimex" => direct(Act::Clock),
            "system" | "popen" | "execl" | "execv" | "execve" | "execvp" | "posix_spawn" => {
                (Rule::V201, vec![Act::Fork, Act::Execve])
            }
            "fork" | "vfork" => (Rule::V203, vec![Act::Fork]),
            "socket" | "connect" => (Rule::V301, vec![Act::Socket, Act::Connect]),
            "kill" | "tgkill" | "tkill" => (Rule::V202, vec![Act::Signal]),
            "prctl" | "personality" | "seccomp" => direct(Act::Other),
            _ => (Rule::V401, vec![Act::Other]),
        };
        if matches!(acts[..], [Act::Signal | Act::Ptrace]) && rule != Rule::V202 {
            let remark = Remark::new(Rule::V202, format!("{subject} signals or traces a process")).subject(&subject);
            self.remark(range, remark.acts(&acts));
        }
        let message = match rule {
            Rule::V402 => format!("calls the kernel by {subject}"),
            _ => format!("calls {subject} in native code"),
        };
        if matches!(rule, Rule::V201 | Rule::V203 | Rule::V301 | Rule::V202) {
            let remark = Remark::new(Rule::V401, format!("calls {subject} in native code")).subject(&subject);
            self.remark(range, remark);
        }
        if rule == Rule::V203 {
            self.spawns(range);
        }
        self.remark(range, Remark::new(rule, message).subject(&subject).acts(&acts));
        if rule == Rule::V201
            && let Some((line, _)) = given.first().beginning()
        {
            let command = commands::of_line(line);
            self.command(command, &subject, given.taint(), range, true);
        }
    }

    /// Methods whose names say enough, whatever they are of.
    fn unknown_method(&mut self, method: &str, given: &Given<'a>, range: TextRange) {
        let first = given.positional.first();
        match method {
            "connect" | "connect_ex" | "sendto" => {
                let pair = given.positional.iter().find(|value| value.items().is_some_and(|items| items.len() >= 2));
                if let Some(pair) = pair.cloned() {
                    self.connecting.insert(self.unit);
                    self.connects_to_pair(&format!("socket.{method}"), &pair, range, Confidence::Medium);
                }
            }
            "bind" if first.is_some_and(|value| value.items().is_some_and(|items| items.len() == 2)) => {
                self.listening.insert(self.unit);
                let target = first.and_then(pair_target);
                self.listens("socket.bind", target, range, Confidence::Medium);
            }
            "run_in_executor" => self.effect("asyncio.run_in_executor", Does::Spawn, given, range, None),
            "write" | "writelines" => self.floods(range, true),
            "append" | "extend" | "add" | "put" => {
                let remark = Remark::new(Rule::V902, "something grows with each round of a loop that nothing ends");
                self.hold(range, remark.confidence(Confidence::Medium));
            }
            "sleep" | "wait" | "recv" | "recvfrom" | "recv_into" | "recvmsg" | "read" | "accept" | "get" | "poll"
            | "select" | "readline" | "join" | "acquire" | "result" => {
                if let Some(frame) = self.loops.last_mut() {
                    frame.waits = true;
                }
            }
            _ => {}
        }
    }

    fn path_method(
        &mut self,
        path: &str,
        whole: bool,
        method: &str,
        given: &Given<'a>,
        range: TextRange,
    ) -> Option<Value> {
        let value =
            || -> Value { if whole { Kind::Path(path.into()).into() } else { Kind::Prefix(path.into()).into() } };
        let subject = format!("Path.{method}");
        match method {
            "read_text" | "read_bytes" | "exists" | "is_file" | "is_dir" | "stat" | "lstat" | "iterdir" | "glob"
            | "rglob" | "readlink" | "owner" | "walk" => {
                self.file(&value(), &subject, Access::Read, range);
                match method {
                    "iterdir" | "glob" | "rglob" => {
                        Some(Value::list(vec![Kind::Prefix(format!("{}/", path.trim_end_matches('/')).into()).into()]))
                    }
                    _ => Some(Value::UNKNOWN),
                }
            }
            "open" => {
                let access = mode(given.get(0, "mode"));
                self.file(&value(), &subject, access, range);
                Some(Value::name("open()"))
            }
            "write_text" | "write_bytes" | "touch" | "mkdir" | "chmod" | "symlink_to" | "hardlink_to" => {
                self.file(&value(), &subject, Access::Write, range);
                if method.starts_with("write") {
                    self.floods(range, true);
                }
                Some(Value::UNKNOWN)
            }
            "unlink" | "rmdir" => {
                self.file(&value(), &subject, Access::Remove, range);
                Some(Value::UNKNOWN)
            }
            "rename" | "replace" if whole => {
                self.file(&value(), &subject, Access::Remove, range);
                self.file(&given.first(), &subject, Access::Write, range);
                Some(given.first())
            }
            _ => {
                let base = value();
                self.folder.method(&base, method, &given.positional, &given.keywords)
            }
        }
    }

    /// Functions that are given to others, who may call them.
    fn hands_on(&mut self, callee: &Value, given: &Given<'a>, call: &'a ExprCall) {
        let name = callee.as_name().unwrap_or("");
        // Asking about a thing is no use of it.
        let asks = [
            "isinstance",
            "hasattr",
            "getattr",
            "id",
            "repr",
            "type",
            "callable",
            "inspect.signature",
            "inspect.getsource",
            "help",
            "dir",
            "issubclass",
            "vars",
            "functools.wraps",
            "setattr",
            "functools.partial",
        ]
        .contains(&name)
            || name.contains("mock")
            || name.contains("patch");
        let spawns = matches!(does(name), Some(Does::Spawn));
        let values = given.positional.iter().chain(given.keywords.iter().map(|(_, value)| value));
        let values: Vec<Value> = values.cloned().collect();
        let with = given.keyword("args").or(given.get(1, "args")).cloned();
        for value in &values {
            if !asks {
                self.mention_with(value, call.range(), if spawns { with.as_ref() } else { None }, name, given);
            }
            let whole = matches!(value.as_name(), Some("os.environ" | "os.environb"));
            let harmless = asks || ["len", "os.environ.get"].contains(&name) || name.starts_with("subprocess.");
            if whole
                && !harmless
                && !name.starts_with("os.exec")
                && !name.starts_with("os.spawn")
                && !name.starts_with("os.posix_spawn")
            {
                self.reads_environment(value, call.range());
            }
            // A thread of a function that makes threads.
            if spawns
                && let Kind::Function(id) = value.kind
                && self.following.iter().any(|(following, _, _)| *following == id)
            {
                let remark = Remark::new(Rule::V204, "starts itself again, as another process or thread");
                self.remark(call.range(), remark.acts(&[Act::Fork]));
            }
        }
    }

    /// A dangerous function as a value, called by whoever gets it.
    pub(super) fn mention(&mut self, value: &Value, range: TextRange) {
        self.mention_with(value, range, None, "", &Given::default());
    }

    fn mention_with(&mut self, value: &Value, range: TextRange, with: Option<&Value>, to: &str, given: &Given<'a>) {
        let mut names: Vec<String> = Vec::new();
        for one in value.alternatives() {
            match &one.kind {
                Kind::Name(name) => names.push(name.to_string()),
                Kind::List(values) => {
                    names.extend(values.iter().take(4).filter_map(|value| value.as_name().map(str::to_owned)));
                }
                Kind::Partial(partial) => names.extend(partial.0.as_name().map(str::to_owned)),
                _ => {}
            }
        }
        for name in names {
            let Some(does) = does(&name) else { continue };
            if !matches!(
                does,
                Does::Start
                    | Does::Shell
                    | Does::Exec(_)
                    | Does::Code
                    | Does::CodeFile
                    | Does::Fork
                    | Does::Remove(_)
                    | Does::Deserialise
                    | Does::Url(_)
                    | Does::Signal
                    | Does::Import
            ) {
                continue;
            }
            // `map(os.system, commands)` calls it with each.
            let mut arguments = Given { more: true, ..Given::default() };
            if to == "map" || to == "filter" || to.ends_with(".map") || to.ends_with("starmap") {
                let over = given.positional.get(1).cloned().unwrap_or(Value::UNKNOWN);
                arguments.positional.push(match self.folder.elements(&over) {
                    Some(elements) => Value::one_of(elements),
                    None => Value::unknown(over.taint),
                });
            } else if let Some(Value { kind: Kind::List(values), .. }) = with {
                arguments.positional.extend(values.iter().cloned());
            } else if let Some(items) = value.items()
                && let Some(Value { kind: Kind::List(values), .. }) = items.get(1)
            {
                // `return os.system, ("id",)` is how a pickle calls.
                arguments.positional.extend(values.iter().cloned());
            } else if to == "functools.reduce" || to.is_empty() || given.positional.len() < 2 {
                arguments.positional.push(Value::UNKNOWN);
            } else {
                let rest = given.positional.iter().filter(|other| !other.same(value));
                arguments.positional.extend(rest.cloned());
            }
            self.effect(&name, does, &arguments, range, None);
        }
    }

    fn call_name(
        &mut self,
        name: &str,
        taint: Taint,
        given: &Given<'a>,
        range: TextRange,
        call: Option<&'a ExprCall>,
    ) -> Value {
        let known = does(name);
        if let Some(does) = known {
            self.effect(name, does, given, range, call);
        }
        if let Some(function) = native(name) {
            let function = function.to_owned();
            self.native_method(&function, given, range);
            return Value::UNKNOWN;
        }
        if let Some(made) = self.special(name, given, range, call) {
            return made;
        }
        if let Some(made) = self.folder.call(name, &given.positional, &given.keywords) {
            return made;
        }
        let mut taint = taint.and(given.taint());
        match known {
            Some(Does::Decode) => taint = taint.and(Taint::DECODED),
            Some(Does::Url(_) | Does::Host(_) | Does::Pair(_)) => taint = taint.and(Taint::FETCHED),
            Some(Does::Deserialise) if name.starts_with("marshal") => taint = taint.and(Taint::DECODED),
            _ => {}
        }
        Value::name(&format!("{name}()")).with(taint)
    }

    /// Functions whose results are followed.
    fn special(
        &mut self,
        name: &str,
        given: &Given<'a>,
        range: TextRange,
        call: Option<&'a ExprCall>,
    ) -> Option<Value> {
        let first = given.positional.first();
        let literal =
            |at: usize| call.and_then(|call| call.arguments.args.get(at)).is_some_and(Expr::is_string_literal_expr);
        match name {
            "getattr" | "object.__getattribute__" | "type.__getattribute__" | "object.__getattr__" => {
                let (base, attribute) = (first?, given.positional.get(1)?);
                let base = base.clone();
                if !literal(1) {
                    let message = match attribute.as_text() {
                        Some(text) => format!("looks the attribute {text:?} up by a name that is put together"),
                        None => "looks an attribute up by a computed name".into(),
                    };
                    let of_module = matches!(base.kind, Kind::Name(_));
                    let known = attribute.as_text().is_some() || of_module;
                    let remark = Remark::new(Rule::V503, message).subject(name);
                    self.remark(range, remark.confidence(if known { Confidence::High } else { Confidence::Low }));
                }
                let names: Vec<Value> = attribute.alternatives();
                let found: Vec<Value> = names
                    .iter()
                    .filter_map(|name| name.as_text().map(str::to_owned))
                    .map(|name| self.attribute(&base, &name, range))
                    .collect();
                if found.is_empty() { Some(Value::UNKNOWN) } else { Some(Value::one_of(found)) }
            }
            "setattr" | "delattr" => {
                let (base, attribute) = (first?, given.positional.get(1)?);
                if !literal(1) {
                    let remark = Remark::new(Rule::V503, "sets an attribute by a computed name").subject(name);
                    self.remark(range, remark.confidence(Confidence::Low));
                }
                if matches!(base.as_name(), Some("builtins" | "__builtins__")) {
                    let what = attribute.as_text().unwrap_or("something").to_owned();
                    self.hook(range, &format!("builtins.{what}"), "replaces");
                }
                if base.as_name() == Some("sys")
                    && matches!(attribute.as_text(), Some("meta_path" | "modules" | "path_hooks"))
                {
                    self.hook(range, "sys", "replaces a part of");
                }
                Some(Kind::None.into())
            }
            "__import__" | "importlib.import_module" | "importlib._bootstrap._gcd_import" => {
                let module = given.first();
                let mut found = Vec::new();
                for one in module.alternatives() {
                    if let Some(text) = one.as_text() {
                        let text = text.to_owned();
                        let value = self.import(&text, range);
                        // `__import__("os.path")` is `os`, unless a list of names says otherwise.
                        let top = name == "__import__" && given.get(3, "fromlist").is_none();
                        let first = text.split('.').next().unwrap_or(&text).to_owned();
                        found.push(if top && first != text { self.module_value(&first) } else { value });
                    }
                }
                Some(if found.is_empty() { Value::UNKNOWN } else { Value::one_of(found) })
            }
            "importlib.reload"
            | "copy.copy"
            | "copy.deepcopy"
            | "typing.cast"
            | "iter"
            | "next"
            | "asyncio.run"
            | "asyncio.wait_for"
            | "contextlib.closing"
            | "memoryview"
            | "asyncio.ensure_future"
            | "asyncio.create_task" => {
                let value = given.positional.last()?.clone();
                if name == "iter" && given.positional.len() == 2 {
                    let endless = matches!(first?.as_name(), Some("int" | "float" | "str" | "list" | "dict" | "bool"))
                        && given.positional[1].truth() == Some(true);
                    return endless.then(|| Kind::Name("iter(endless)".into()).into());
                }
                if name == "iter" {
                    return None;
                }
                if name == "next" {
                    let value = first?.clone();
                    return Some(match self.folder.elements(&value) {
                        Some(elements) => Value::one_of(elements.into_iter().take(4)),
                        None => Value::unknown(value.taint),
                    });
                }
                Some(value)
            }
            "globals" | "locals" => Some(Kind::Name(format!("{name}()").into()).into()),
            "vars" => match first {
                None => Some(Kind::Name("globals()".into()).into()),
                Some(value) => {
                    let name = format!("{}.__dict__", value.as_name()?);
                    Some(Value::name(&name))
                }
            },
            "globals().get"
            | "locals().get"
            | "sys.modules.get"
            | "globals().__getitem__"
            | "__builtins__.get"
            | "vars().get" => {
                let key = given.first();
                if !literal(0) {
                    let remark = Remark::new(Rule::V503, "looks a computed name up").subject(name);
                    self.remark(range, remark.confidence(Confidence::Medium));
                }
                let text = key.as_text()?.to_owned();
                Some(match name {
                    "sys.modules.get" => self.module_value(&text),
                    _ => self.lookup(&text).unwrap_or_else(|| Value::name(&text)),
                })
            }
            "functools.partial" | "functools.partialmethod" => {
                Some(Value::partial(first?.clone(), given.positional.get(1..)?.to_vec()))
            }
            "operator.attrgetter" => {
                let name = first?.as_text()?;
                (!name.contains('.')).then(|| Kind::Getter(name.into(), false).into())
            }
            "operator.methodcaller" => {
                let name = first?.as_text()?.to_owned();
                // What it calls, and with what, is said when it is called.
                Some(Kind::Getter(name.into(), true).into())
            }
            "operator.itemgetter" => None,
            "operator.add" | "operator.concat" => {
                let (a, b) = (first?.clone(), given.positional.get(1)?.clone());
                Some(self.folder.operator(crate::syntax::Operator::Add, &a, &b))
            }
            "map" => {
                let function = first?.clone();
                let over = given.positional.get(1)?.clone();
                let elements = self.folder.elements(&over).filter(|_| given.positional.len() == 2);
                let Some(elements) = elements.filter(|elements| elements.len() <= 4096) else {
                    let given = Given { positional: vec![Value::unknown(over.taint)], ..Given::default() };
                    let made = self.apply(&function, &given, range, None);
                    return Some(Value::unknown(made.taint.and(over.taint)));
                };
                self.repeating += 1;
                let mut made = Vec::new();
                for element in elements {
                    let given = Given { positional: vec![element], ..Given::default() };
                    made.push(self.apply(&function, &given, range, None));
                }
                self.repeating -= 1;
                Some(Value::list(made))
            }
            "functools.reduce" => {
                let over = given.positional.get(1)?.clone();
                Some(Value::unknown(over.taint.and(Taint::JOINED)))
            }
            "filter" | "sorted" | "sum" | "enumerate" | "zip" => {
                let taint = given.taint();
                match name {
                    "sorted" if given.keywords.is_empty() => None,
                    _ => Some(Value::unknown(taint)),
                }
            }
            "range" => {
                let long = given.positional.iter().filter_map(Value::as_int).any(|number| number >= 1_000_000);
                long.then(|| Kind::Name("range(long)".into()).into())
            }
            "list" | "tuple" | "set" if first.is_some_and(|value| value.as_name() == Some("range(long)")) => {
                let argument = call.and_then(|call| call.arguments.args.first());
                if let Some(Expr::Call(inner)) = argument
                    && let Some(Expr::NumberLiteral(_) | Expr::BinOp(_) | Expr::Name(_)) = inner.arguments.args.last()
                {
                    self.repeating += 1;
                    let count = self.expr(&inner.arguments.args[inner.arguments.args.len() - 1]).as_int();
                    self.repeating -= 1;
                    let bytes = count.and_then(|count| u64::try_from(count).ok()).unwrap_or(0).saturating_mul(36);
                    self.allocates(bytes, range, "makes a list of");
                }
                None
            }
            "compile" => {
                let code = given.first();
                Some(if code.as_text().is_some() { code } else { Value::unknown(code.taint) })
            }
            "eval" => {
                // A constant expression is what it is: `eval("os.system")`.
                let code = given.first();
                let text = code.as_text()?;
                let plain = text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '.');
                if !plain {
                    return Some(Value::unknown(code.taint));
                }
                let mut parts = text.split('.');
                let first = parts.next()?.to_owned();
                let mut value = self.lookup(&first).or_else(|| self.is_builtin(&first).then(|| Value::name(&first)))?;
                for part in parts.map(str::to_owned).collect::<Vec<_>>() {
                    value = self.attribute(&value, &part, range);
                }
                Some(value)
            }
            "pathlib.Path" => {
                let mut path = String::new();
                for part in &given.positional {
                    let Some((text, whole)) = part.beginning() else {
                        return Some(Kind::Prefix(path.into()).into()).filter(|_: &Value| !given.positional.is_empty());
                    };
                    path = if path.is_empty() { text.to_owned() } else { super::fold::join(&path, text) };
                    if !whole {
                        return Some(Kind::Prefix(path.into()).into());
                    }
                }
                Some(Kind::Path(if path.is_empty() { "." } else { &path }.into()).into())
            }
            "pathlib.Path.home" => Some(Kind::Path("~".into()).into()),
            "pathlib.Path.cwd" | "os.getcwd" => Some(Kind::Path("/work".into()).into()),
            "os.environ.get" | "os.getenv" if first.and_then(Value::as_text) == Some("HOME") => Some(Value::text("~")),
            "os.environ.get" | "os.getenv" => {
                Some(given.positional.get(1).cloned().unwrap_or(Value::UNKNOWN)).map(|value| {
                    // The variable may be set to something else.
                    if value.is_known() { value } else { Value::UNKNOWN }
                })
            }
            "urllib.request.Request" => Some(given.get(0, "url")?.clone()),
            "site.getsitepackages" => Some(Value::list(vec![Kind::Prefix("/usr/lib/python3/".into()).into()])),
            "site.getusersitepackages" => Some(Kind::Prefix("~/.local/lib/".into()).into()),
            "sysconfig.get_path" | "sysconfig.get_config_var" => Some(Kind::Prefix("/usr/lib/python3/".into()).into()),
            "os.walk" | "os.fwalk" => {
                let (text, _) = first?.beginning()?;
                let here = Kind::Prefix(format!("{}/", text.trim_end_matches('/')).into()).into();
                Some(Value::list(vec![Value::list(vec![here, Value::UNKNOWN, Value::UNKNOWN])]))
            }
            _ if name.ends_with("__dict__.get") || name.ends_with("__dict__.__getitem__") => {
                if !literal(0) {
                    let remark = Remark::new(Rule::V503, "looks a computed name up").subject(name);
                    self.remark(range, remark.confidence(Confidence::Medium));
                }
                let base = name.rsplit_once("__dict__")?.0.trim_end_matches('.').to_owned();
                let key = given.first();
                let base = if base.is_empty() { Value::name("builtins") } else { Value::name(&base) };
                let found: Vec<Value> = key
                    .alternatives()
                    .iter()
                    .filter_map(|key| key.as_text().map(str::to_owned))
                    .map(|key| self.attribute(&base, &key, range))
                    .collect();
                Some(Value::one_of(found))
            }
            "tempfile.gettempdir" | "tempfile.mkdtemp" => Some(Value::text("/tmp")),
            "tempfile.NamedTemporaryFile" | "tempfile.TemporaryFile" => Some(Value::name("open()")),
            "tempfile.TemporaryDirectory" => Some(Value::text("/tmp")),
            "type" if given.positional.len() == 1 => {
                let value = first?;
                match &value.kind {
                    Kind::Object(class) => Some(Kind::Class(*class).into()),
                    _ => None,
                }
            }
            "super" => {
                let class = self.class?;
                let base = self.classes[class].bases.first()?.clone();
                Some(match base.kind {
                    Kind::Class(base) => Kind::Object(base).into(),
                    Kind::Name(name) => Value::name(&format!("{name}()")),
                    _ => Value::UNKNOWN,
                })
            }
            "pickle.dumps" => Some(Kind::Name("pickle.dumps()".into()).into()),
            "glob.glob" | "glob.iglob" | "os.listdir" => {
                let value = given.first();
                let (text, _) = value.beginning()?;
                let front =
                    if name == "os.listdir" { String::new() } else { text.split(['*', '?', '[']).next()?.to_owned() };
                Some(Value::list(vec![Kind::Prefix(front.into()).into()]))
            }
            "str.join" | "bytes.join" => {
                let (base, rest) = given.positional.split_first()?;
                let made = self.folder.method(base, "join", rest, &[]);
                Some(made.unwrap_or(Value::unknown(given.taint().and(Taint::JOINED))))
            }
            _ => None,
        }
    }

    // What a call does.

    fn effect(&mut self, name: &str, does: Does, given: &Given<'a>, range: TextRange, call: Option<&'a ExprCall>) {
        let confidence = if given.more && given.positional.is_empty() { Confidence::Medium } else { Confidence::High };
        match does {
            Does::Start => self.starts(name, given, range),
            Does::Shell => {
                let line = given.get(0, "cmd").cloned().unwrap_or(given.first());
                self.shell(name, &line, range);
            }
            Does::Exec(at) => {
                let words: Vec<Value> = given.positional.get(at..).unwrap_or_default().to_vec();
                self.words(name, &words, given.taint(), range);
            }
            Does::Signal => {
                let to_itself = name == "signal.raise_signal"
                    || given
                        .positional
                        .first()
                        .is_some_and(|pid| matches!(pid.as_name(), Some("os.getpid()" | "os.getpgrp()")));
                let target = given.positional.first().and_then(Value::as_int).map(|pid| pid.to_string());
                let target = target.filter(|_| name != "signal.raise_signal");
                let mut remark = Remark::new(Rule::V202, format!("{name}(...) signals a process")).subject(name);
                if to_itself {
                    remark = remark.severity(Severity::Note);
                }
                self.remark(range, remark.acts(&[Act::Signal]).target(target).confidence(confidence));
            }
            Does::Fork | Does::Spawn => {
                let what = if does == Does::Fork { "forks" } else { "starts threads or processes" };
                let remark = Remark::new(Rule::V203, format!("{name}(...) {what}")).subject(name).acts(&[Act::Fork]);
                self.remark(range, remark.confidence(confidence));
                self.spawns(range);
                let workers = given.get(0, "max_workers").or(given.keyword("processes")).and_then(Value::as_int);
                if workers.is_some_and(|workers| workers >= 1000) && name != "threading.Timer" {
                    let remark = Remark::new(Rule::V204, format!("{name}(...) may start very many")).acts(&[Act::Fork]);
                    self.remark(range, remark.confidence(Confidence::Medium));
                }
            }
            Does::Socket => {
                let family =
                    given.get(0, "family").and_then(|value| value.as_name()).unwrap_or("socket.AF_INET").to_owned();
                let kind = given.get(1, "type").and_then(|value| value.as_name()).unwrap_or("").to_owned();
                if given.keyword("fileno").is_none() {
                    let special = (kind.ends_with("SOCK_RAW") || !family.contains("INET")).then(|| {
                        family.rsplit('.').next().unwrap_or("").to_owned()
                            + if kind.ends_with("SOCK_RAW") { ", raw" } else { "" }
                    });
                    let unit = self.unit;
                    if self.sockets.len() < 256 {
                        self.sockets.push((unit, range, special));
                    }
                }
            }
            Does::Url(at) => {
                let value = given.get(at, "url").or(given.keyword("uri")).or(given.keyword("host")).cloned();
                self.connects_to_url(name, &value.unwrap_or(Value::UNKNOWN), range, confidence);
            }
            Does::Host(at) => {
                let host = given.get(at, "host").or(given.keyword("hostname")).cloned();
                let port = given.get(at + 1, "port").and_then(Value::as_int).and_then(|port| u16::try_from(port).ok());
                match host {
                    Some(host) => {
                        if host.beginning().is_some_and(|(host, whole)| !whole && hosts::is_private_beginning(host)) {
                            self.private(name, range);
                        }
                        let host = host.beginning().filter(|(_, whole)| *whole).map(|(host, _)| host.to_owned());
                        self.connects(name, host.map(|host| split_host(&host, port)), range, confidence);
                    }
                    // Without a host it connects later.
                    None if name.contains("()") || given.more => self.connects(name, None, range, confidence),
                    None if name == "asyncio.open_connection" || name.contains("redis") => {
                        self.connects(name, None, range, confidence)
                    }
                    None => self.connects(name, None, range, Confidence::Low),
                }
            }
            Does::Pair(at) => {
                let pair = given.get(at, "address").cloned().unwrap_or(Value::UNKNOWN);
                self.connecting.insert(self.unit);
                self.connects_to_pair(name, &pair, range, confidence);
            }
            Does::Connects => {
                let host = given.keyword("host").or(given.keyword("hostname")).or(given.keyword("endpoint_url"));
                let host = host.or(given.positional.first()).and_then(Value::as_text).map(str::to_owned);
                let port = given.keyword("port").and_then(Value::as_int).and_then(|port| u16::try_from(port).ok());
                let host = host
                    .filter(|host| host.contains('.') || host == "localhost")
                    .map(|host| hosts::of_url(&host, true).unwrap_or_else(|| split_host(&host, port)));
                self.connects(name, host, range, confidence);
            }
            Does::ListenPair(at) => {
                self.listening.insert(self.unit);
                let target = given.get(at, "address").and_then(pair_target);
                self.listens(name, target, range, confidence);
            }
            Does::Listens => {
                self.listening.insert(self.unit);
                let host = given.keyword("host").or(given.positional.iter().find(|value| value.as_text().is_some()));
                let port = given.keyword("port").or(given.positional.iter().find(|value| value.as_int().is_some()));
                let port = port.and_then(Value::as_int).and_then(|port| u16::try_from(port).ok());
                let target = host.and_then(Value::as_text).map(|host| hosts::written(host, port));
                self.listens(name, target, range, confidence);
            }
            Does::Native => {
                let target = given.first().as_text().map(str::to_owned).filter(|_| name.ends_with("DLL"));
                let remark = Remark::new(Rule::V401, format!("{name}(...) handles native code or memory"));
                self.remark(range, remark.subject(name).target(target).confidence(confidence));
            }
            Does::Code => self.executes(name, given, range),
            Does::CodeObject => {
                if name == "types.FunctionType" && given.positional.is_empty() {
                    return;
                }
                let code = given.first();
                let remark = Remark::new(Rule::V501, format!("{name}(...) makes a function of a code object"));
                self.remark(range, remark.subject(name).confidence(Confidence::Medium));
                if code.taint.has(Taint::DECODED) {
                    let remark = Remark::new(Rule::V504, "what was decoded becomes a function").subject(name);
                    self.remark(range, remark);
                }
            }
            Does::CodeFile => {
                let remark = Remark::new(Rule::V501, format!("{name}(...) executes a file"));
                self.remark(range, remark.subject(name).confidence(Confidence::Medium));
                let remark = Remark::new(Rule::V502, format!("{name}(...) runs a file as a module"));
                self.remark(range, remark.subject(name).confidence(Confidence::Medium));
            }
            Does::Import => {
                let module = given.first();
                let literal =
                    call.and_then(|call| call.arguments.args.first()).is_some_and(Expr::is_string_literal_expr);
                if literal && name != "__import__" {
                    return;
                }
                let message = match module.as_text() {
                    Some(text) => format!("{name}(...) imports {text}"),
                    None => format!("{name}(...) imports by a name that is a value"),
                };
                let target = module.as_text().map(str::to_owned);
                let severity = if literal { Severity::Note } else { Severity::Low };
                let remark = Remark::new(Rule::V502, message).subject(name).target(target).severity(severity);
                self.remark(range, remark.confidence(if literal { Confidence::Medium } else { confidence }));
            }
            Does::ImportFrom => {
                let remark = Remark::new(Rule::V502, format!("{name}(...) imports from a place of its own"));
                self.remark(range, remark.subject(name).confidence(Confidence::Medium));
            }
            Does::Open(at) => {
                let access = match given.get(at + 1, "mode").map(|mode| &mode.kind) {
                    Some(Kind::Text(_)) => mode(given.get(at + 1, "mode")),
                    _ if name == "os.open" => match given.get(1, "flags") {
                        Some(Value { kind: Kind::Name(flags), .. }) if flags.ends_with("O_RDONLY") => Access::Read,
                        Some(Value { kind: Kind::Unknown, .. }) => Access::Write,
                        Some(Value { kind: Kind::Name(_), .. }) => Access::Write,
                        _ => Access::Read,
                    },
                    _ => Access::Read,
                };
                if access == Access::Write {
                    let remark = Remark::new(Rule::V903, "opens files to write in a loop that nothing ends");
                    self.hold(range, remark.acts(&[Act::Open]).confidence(Confidence::Medium));
                }
                let file = given.get(at, "file").or(given.keyword("name")).or(given.keyword("filename")).cloned();
                self.file(&file.unwrap_or(Value::UNKNOWN), name, access, range);
            }
            Does::Read(at) => {
                let file = given.get(at, "path").cloned().unwrap_or(Value::UNKNOWN);
                if name == "netrc.netrc" && !file.is_known() {
                    self.file(&Value::text("~/.netrc"), name, Access::Read, range);
                }
                self.file(&file, name, Access::Read, range);
            }
            Does::Load(at) => {
                let file = given.get(at, "filepath_or_buffer").cloned().unwrap_or(Value::UNKNOWN);
                if file.beginning().is_some_and(|(text, _)| text.contains("://") && !text.starts_with("file:")) {
                    self.connects_to_url(name, &file, range, confidence);
                } else {
                    self.file(&file, name, Access::Read, range);
                }
            }
            Does::Write(at) => {
                let file = given.get(at, "path").cloned().unwrap_or(Value::UNKNOWN);
                self.file(&file, name, Access::Write, range);
                if name == "os.truncate" {
                    let bytes =
                        given.positional.get(1).and_then(Value::as_int).and_then(|bytes| u64::try_from(bytes).ok());
                    if bytes.is_some_and(|bytes| bytes >= super::expressions::HUGE) {
                        let remark = Remark::new(Rule::V903, format!("makes a file of {}", size(bytes.unwrap_or(0))));
                        self.remark(range, remark.acts(&[Act::Open]).amount(bytes));
                    }
                }
            }
            Does::Remove(at) => {
                let file = given.get(at, "path").cloned().unwrap_or(Value::UNKNOWN);
                self.file(&file, name, Access::Remove, range);
            }
            Does::Move => {
                self.file(&given.positional.first().cloned().unwrap_or(Value::UNKNOWN), name, Access::Remove, range);
                self.file(&given.positional.get(1).cloned().unwrap_or(Value::UNKNOWN), name, Access::Write, range);
            }
            Does::Copy => {
                self.file(&given.positional.first().cloned().unwrap_or(Value::UNKNOWN), name, Access::Read, range);
                self.file(&given.positional.get(1).cloned().unwrap_or(Value::UNKNOWN), name, Access::Write, range);
            }
            Does::Deserialise => {
                let remark = Remark::new(Rule::V701, format!("{name}(...) can run code that the data names"));
                self.remark(range, remark.subject(name).confidence(confidence));
            }
            Does::Yaml => {
                let loader = given.get(1, "Loader").and_then(Value::as_name).unwrap_or("");
                if !loader.contains("SafeLoader") && !loader.contains("BaseLoader") {
                    let remark = Remark::new(Rule::V701, format!("{name}(...) without a safe loader can run code"));
                    self.remark(range, remark.subject(name).confidence(confidence));
                }
            }
            Does::LoadIf(keyword, when) => {
                let set = given.keyword(keyword).and_then(Value::truth);
                // `torch.load` is unsafe unless told, `numpy.load` safe unless told.
                if set.unwrap_or(false) == when {
                    let remark = Remark::new(Rule::V701, format!("{name}(...) can run code that the data names"));
                    self.remark(range, remark.subject(name).confidence(confidence));
                } else {
                    let file = given.first();
                    self.file(&file, name, Access::Read, range);
                }
            }
            Does::Objects => {
                self.remark(
                    range,
                    Remark::new(Rule::V603, format!("{name}(...) finds objects of others")).subject(name),
                );
            }
            Does::Frames => {
                self.remark(range, Remark::new(Rule::V602, format!("{name}(...) looks at frames")).subject(name));
            }
            Does::Hook => {
                // Taking a hook off is no hook.
                if given.positional.len() == 1
                    && matches!(given.positional[0].kind, Kind::None)
                    && !name.contains("modules")
                {
                    return;
                }
                self.remark(range, Remark::new(Rule::V604, format!("{name}(...) hooks the interpreter")).subject(name));
            }
            Does::Decode => {}
            Does::Exit => {
                // A child that ends does not end the loop that makes children.
                let forks = |frame: &super::Loop| frame.held.iter().any(|(_, _, remark)| remark.rule == Rule::V204);
                if name != "os._exit" || !self.loops.iter().any(forks) {
                    self.leave_loops(true);
                }
            }
            Does::Size(at) => {
                let bytes =
                    given.positional.get(at).and_then(Value::as_int).and_then(|bytes| u64::try_from(bytes).ok());
                if bytes.is_some_and(|bytes| bytes >= super::expressions::HUGE) {
                    let remark = Remark::new(Rule::V903, format!("makes a file of {}", size(bytes.unwrap_or(0))));
                    self.remark(range, remark.subject(name).acts(&[Act::Open]).amount(bytes));
                }
            }
            Does::Sleep => {
                if let Some(frame) = self.loops.last_mut() {
                    frame.waits = true;
                }
            }
            Does::Print => self.floods(range, name == "os.write" && given.first().as_int().is_none_or(|fd| fd > 2)),
            Does::Allocate(unit) => {
                let at = usize::from(name == "mmap.mmap");
                let count =
                    given.positional.get(at).and_then(Value::as_int).and_then(|count| u64::try_from(count).ok());
                self.allocates(count.unwrap_or(0).saturating_mul(unit.max(1)), range, &format!("{name}(...) wants"));
                if name == "mmap.mmap"
                    && given.keyword("prot").is_some_and(|value| {
                        !matches!(value.kind, Kind::Int(_)) && value.as_name().is_none_or(|name| name.contains("EXEC"))
                    })
                {
                    let remark = Remark::new(Rule::V401, "makes memory that can be executed").subject(name);
                    self.remark(range, remark.confidence(Confidence::Medium));
                }
            }
            Does::Shape => {
                let shape: Vec<Value> = match given.positional.first() {
                    Some(Value { kind: Kind::List(values), .. }) => values.to_vec(),
                    Some(_) => given.positional.clone(),
                    None => Vec::new(),
                };
                let sizes: Option<Vec<u64>> =
                    shape.iter().take(8).map(|size| u64::try_from(size.as_int()?).ok()).collect();
                let bytes = sizes.unwrap_or_default().into_iter().fold(8_u64, u64::saturating_mul);
                self.allocates(bytes, range, &format!("{name}(...) wants"));
            }
        }
    }

    /// Something that starts a process or a thread is in a loop, or in a function that may call itself.
    fn spawns(&mut self, range: TextRange) {
        let remark = Remark::new(Rule::V204, "processes or threads are started in a loop that nothing ends");
        self.hold(range, remark.acts(&[Act::Fork]));
        if let Some((id, _, _)) = self.following.last() {
            let unit = self.unit;
            let spawns = &mut self.functions[*id].spawns;
            if spawns.len() < 4 && !spawns.contains(&(unit, range)) {
                spawns.push((unit, range));
            }
        }
    }

    fn floods(&mut self, range: TextRange, file: bool) {
        let what = if file { "writes" } else { "prints" };
        let mut remark = Remark::new(Rule::V903, format!("{what} in a loop that nothing ends"));
        remark = remark.confidence(Confidence::Medium);
        if file {
            remark = remark.acts(&[Act::Open]);
        }
        self.hold(range, remark);
    }

    /// `subprocess.run`: a line if it is for a shell, otherwise words.
    fn starts(&mut self, name: &str, given: &Given<'a>, range: TextRange) {
        let command = given.get(0, "args").cloned().unwrap_or(Value::UNKNOWN);
        let shell = given.keyword("shell").and_then(Value::truth) == Some(true);
        if name == "webbrowser.open" {
            return self.command(Command::default(), name, Taint::NONE, range, false);
        }
        for one in command.alternatives() {
            match &one.kind {
                Kind::List(words) if !shell => {
                    let words = words.to_vec();
                    self.words(name, &words, one.taint, range);
                }
                Kind::List(words) => {
                    let line = words.first().cloned().unwrap_or(Value::UNKNOWN);
                    self.shell(name, &line, range);
                }
                _ if shell => self.shell(name, &one, range),
                Kind::Text(text) => {
                    let text = text.clone();
                    self.command(commands::of_line(&text), name, one.taint, range, false);
                }
                _ => self.command(Command::default(), name, one.taint, range, false),
            }
        }
    }

    fn shell(&mut self, name: &str, line: &Value, range: TextRange) {
        for one in line.alternatives() {
            let command = one.beginning().map(|(text, _)| commands::of_line(text)).unwrap_or_default();
            self.command(command, name, one.taint, range, true);
        }
    }

    fn words(&mut self, name: &str, words: &[Value], taint: Taint, range: TextRange) {
        let mut texts: Vec<String> = Vec::new();
        let mut itself = false;
        for word in words.iter().take(256) {
            match (&word.kind, word.as_name()) {
                (_, Some("sys.executable")) => texts.push("<python>".into()),
                (_, Some("__file__" | "sys.argv[]")) => {
                    itself = true;
                    texts.push("<this>".into());
                }
                (Kind::List(more), _) => {
                    texts.extend(more.iter().skip(1).map(|word| word.as_text().unwrap_or("<unknown>").to_owned()))
                }
                _ => texts.push(word.beginning().map_or("<unknown>", |(text, _)| text).to_owned()),
            }
            if word.as_text().is_some_and(|text| text == format!("/work/{}", self.units.get(self.unit).path)) {
                itself = true;
            }
        }
        let borrowed: Vec<&str> = texts.iter().map(String::as_str).collect();
        let mut command = commands::of_words(&borrowed);
        command.bomb |= itself && borrowed.first().is_some_and(|program| program.contains("python"));
        self.command(command, name, taint, range, false);
    }

    /// Says what a command does, beside that it is started.
    fn command(&mut self, command: Command, name: &str, taint: Taint, range: TextRange, shell: bool) {
        let program = command.program.clone().filter(|program| program != "<unknown>" && program != "<this>");
        let shown = program.as_deref().map(|program| if program == "<python>" { "python3" } else { program });
        let message = match (shown, shell) {
            (Some(program), true) => format!("{name}(...) starts a shell, and {program} in it"),
            (None, true) => format!("{name}(...) starts a shell"),
            (Some(program), false) => format!("{name}(...) starts {program}"),
            (None, false) => format!("{name}(...) starts another program"),
        };
        let target = if shell { Some("sh".to_owned()) } else { shown.map(str::to_owned) };
        let remark = Remark::new(Rule::V201, message).subject(name).acts(&[Act::Fork, Act::Execve]).target(target);
        self.remark(range, remark);
        let started = Remark::new(Rule::V204, "programs are started in a loop that nothing ends").acts(&[Act::Fork]);
        self.hold(range, started.confidence(Confidence::Low));
        if taint.has(Taint::DECODED) {
            let remark = Remark::new(Rule::V504, "what was decoded becomes a command").subject(name);
            self.remark(range, remark.confidence(Confidence::Medium));
        }
        if let Some(target) = command.connects {
            let message = match &target {
                Some(target) => format!("the command connects to {target}"),
                None => "the command uses the network".into(),
            };
            let remark = Remark::new(Rule::V301, message).subject(name).acts(&[Act::Socket, Act::Connect]);
            self.remark(range, remark.target(target).confidence(Confidence::Medium));
        }
        if let Some(target) = command.metadata {
            let remark = Remark::new(Rule::V303, format!("the command asks {target}")).subject(name);
            self.remark(range, remark.acts(&[Act::Connect]).target(Some(target)).confidence(Confidence::Medium));
        }
        if command.listens {
            let remark = Remark::new(Rule::V302, "the command listens").subject(name).acts(&[Act::Bind, Act::Listen]);
            self.remark(range, remark.confidence(Confidence::Medium));
        }
        if let Some(path) = command.credentials {
            let remark = Remark::new(Rule::V102, format!("the command looks at {path}")).subject(name);
            self.remark(range, remark.acts(&[Act::Open]).target(Some(path)).confidence(Confidence::Medium));
        }
        if let Some(path) = command.outside {
            let remark = Remark::new(Rule::V101, format!("the command looks at {path}")).subject(name);
            self.remark(range, remark.acts(&[Act::Open]).target(Some(path)).confidence(Confidence::Medium));
        }
        if let Some(path) = command.destroys {
            let remark = Remark::new(Rule::V103, format!("the command removes or overwrites {path}")).subject(name);
            self.remark(range, remark.acts(&[Act::Open]).target(Some(path)).confidence(Confidence::Medium));
        }
        if command.bomb {
            let remark = Remark::new(Rule::V204, "the command starts itself again without end").subject(name);
            self.remark(range, remark.acts(&[Act::Fork]).confidence(Confidence::Medium));
        }
        if command.flood {
            let remark = Remark::new(Rule::V903, "the command writes without end").subject(name);
            self.remark(range, remark.confidence(Confidence::Medium));
        }
        if command.signals {
            let remark = Remark::new(Rule::V202, "the command signals or traces processes").subject(name);
            self.remark(range, remark.acts(&[Act::Signal]).confidence(Confidence::Medium));
        }
        if command.environment {
            let remark = Remark::new(Rule::V801, "the command prints all environment variables").subject(name);
            self.remark(range, remark.confidence(Confidence::Medium));
        }
        if let Some(code) = command.code {
            self.payload(&code, range);
        }
    }

    /// `exec`, `eval`, `compile` and what does the same.
    fn executes(&mut self, name: &str, given: &Given<'a>, range: TextRange) {
        let code = given.get(0, "source").or(given.keyword("stmt")).cloned().unwrap_or(Value::UNKNOWN);
        // What is timed is prepared by other text.
        let code = match given.get(1, "setup").filter(|_| name.starts_with("timeit")) {
            Some(setup) if setup.is_known() => code.or(setup.clone()),
            _ => code,
        };
        if given.positional.is_empty() && given.keywords.is_empty() && !given.more {
            return;
        }
        for one in code.alternatives() {
            let folded = one.taint.has(Taint::DECODED.and(Taint::JOINED).and(Taint::FETCHED));
            let constant = matches!(one.kind, Kind::Text(_) | Kind::Bytes(_)) && !folded;
            let callable = matches!(one.kind, Kind::Function(_) | Kind::Partial(_))
                || name.starts_with("timeit") && !one.is_known() && !folded;
            if !constant && !callable {
                let message = if one.taint.has(Taint::FETCHED) {
                    format!("{name}(...) executes what came over the network")
                } else {
                    format!("{name}(...) executes text that is not a constant")
                };
                let mut remark = Remark::new(Rule::V501, message).subject(name);
                if one.taint.has(Taint::FETCHED) {
                    remark = remark.severity(Severity::High);
                }
                self.remark(range, remark);
            }
            if one.taint.has(Taint::DECODED) || one.taint.has(Taint::JOINED) && one.as_text().is_some() {
                let what = if one.taint.has(Taint::DECODED) { "decoded" } else { "put together from pieces" };
                let remark = Remark::new(Rule::V504, format!("{name}(...) executes what was {what}")).subject(name);
                let sure = if one.is_known() { Confidence::High } else { Confidence::Medium };
                self.remark(range, remark.confidence(sure));
            }
            let text = match &one.kind {
                Kind::Text(text) => Some(text.to_string()),
                Kind::Bytes(bytes) => String::from_utf8(bytes.to_vec()).ok(),
                _ => None,
            };
            if let Some(text) = text {
                self.payload(&text, range);
            }
        }
    }

    /// Reads code that stands in a string. What is remarked in it is remarked where it is executed.
    fn payload(&mut self, text: &str, range: TextRange) {
        if self.executing >= MOST_EXECUTING
            || text.len() > LONGEST_PAYLOAD
            || !self.folder.spend(text.len() * 32)
            || self.depth + 2000 > super::MOST_DEPTH
            || bounds::check(text).is_err()
        {
            return;
        }
        // `eval` takes leading blanks.
        let text = text.trim_start_matches([' ', '\t']);
        let tree = syntax::parse(text);
        if !tree.errors.is_empty() {
            return;
        }
        let here = self.units.get(self.unit);
        let unit = Unit {
            path: here.path.clone(),
            text: text.to_owned(),
            lines: lines::Lines::of(""),
            tree: Some(tree),
            executed_at: Some(here.place(range)),
        };
        let Some(at) = self.units.add(unit) else { return };
        let Some(tree) = &self.units.get(at).tree else { return };
        self.executing += 1;
        let (scope, class) = (self.scope, self.class);
        self.inside(at, scope, class, |this| this.block(&tree.body));
        self.executing -= 1;
    }

    // Files.

    fn file(&mut self, file: &Value, name: &str, access: Access, range: TextRange) {
        for one in file.alternatives() {
            let Some((path, whole)) = one.beginning() else { continue };
            let path = path.to_owned();
            if path.is_empty() || path.len() > 4096 {
                continue;
            }
            let shown = if whole { path.clone() } else { format!("{path}...") };
            let (rule, what) = match (paths::judge(&path, whole), access) {
                (Leads::Inside, _) | (Leads::Interpreter, Access::Read) => continue,
                (Leads::Environment, _) => (Rule::V801, "reads the environment of a process"),
                (Leads::Credentials, Access::Read) => (Rule::V102, "looks where credentials are kept"),
                (Leads::Outside, Access::Read) => (Rule::V101, "looks outside of the cell's own places"),
                (_, Access::Write) => (Rule::V103, "writes outside of the cell's own places"),
                (_, Access::Remove) => (Rule::V103, "removes what is outside of the cell's own places"),
            };
            let message = format!("{name}(...) {what}: {shown}");
            let target = paths::normal(&path).unwrap_or(path).to_owned();
            let remark = Remark::new(rule, message).subject(name).acts(&[Act::Open]).target(whole.then_some(target));
            self.remark(range, remark);
        }
    }

    // The network.

    fn connects_to_url(&mut self, name: &str, url: &Value, range: TextRange, confidence: Confidence) {
        self.connecting.insert(self.unit);
        let mut any = false;
        for one in url.alternatives() {
            let Some((text, whole)) = one.beginning() else { continue };
            any = true;
            if text.starts_with("file://") || text.starts_with("data:") {
                let path = Value::text(text.trim_start_matches("file://"));
                if text.starts_with("file://") {
                    self.file(&path, name, Access::Read, range);
                }
                continue;
            }
            let host = hosts::of_url(text, whole);
            if host.is_none() && !whole && hosts::is_private_beginning(text.split("://").nth(1).unwrap_or("")) {
                self.private(name, range);
            }
            self.connects(name, host, range, confidence);
        }
        if !any {
            self.connects(name, None, range, confidence);
        }
    }

    fn connects_to_pair(&mut self, name: &str, pair: &Value, range: TextRange, confidence: Confidence) {
        for one in pair.alternatives() {
            if let Some((path, true)) = one.beginning() {
                // A socket in the file system, or one without a name there.
                let remark = Remark::new(Rule::V301, format!("{name}(...) connects to a socket of this machine"));
                self.remark(range, remark.subject(name).target(Some(path)).confidence(confidence));
                let path = Value::text(path);
                self.file(&path, name, Access::Read, range);
                continue;
            }
            let Some(items) = one.items() else {
                self.connects(name, None, range, confidence);
                continue;
            };
            let port = items.get(1).and_then(Value::as_int).and_then(|port| u16::try_from(port).ok());
            let hosts: Vec<Value> = items.first().map(Value::alternatives).unwrap_or_default();
            if hosts.is_empty() {
                self.connects(name, None, range, confidence);
            }
            for host in hosts {
                match host.beginning() {
                    Some((host, true)) => {
                        let host = host.to_owned();
                        self.connects(name, Some((host, port)), range, confidence);
                    }
                    Some((host, false)) if hosts::is_private_beginning(host) => {
                        self.private(name, range);
                        self.connects(name, None, range, confidence);
                    }
                    _ => self.connects(name, None, range, confidence),
                }
            }
        }
    }

    fn connects(&mut self, name: &str, to: Option<(String, Option<u16>)>, range: TextRange, confidence: Confidence) {
        self.connecting.insert(self.unit);
        let target = to.as_ref().map(|(host, port)| hosts::written(host, *port));
        let message = match &target {
            Some(target) => format!("{name}(...) connects to {target}"),
            None => format!("{name}(...) uses the network"),
        };
        let acts = [Act::Socket, Act::Connect];
        let remark = Remark::new(Rule::V301, message).subject(name).acts(&acts).target(target.clone());
        self.remark(range, remark.confidence(confidence));
        let special = match to.map(|(host, _)| hosts::reach(&host)) {
            Some(Reach::Metadata) => "a cloud's metadata service",
            Some(Reach::Private) => "a private network",
            Some(Reach::Loopback | Reach::Public) | None => return,
        };
        let mut remark = Remark::new(Rule::V303, format!("{name}(...) connects to {special}"));
        if special == "a private network" {
            remark = remark.severity(Severity::Medium);
        }
        self.remark(range, remark.subject(name).acts(&[Act::Connect]).target(target).confidence(confidence));
    }

    /// It begins as addresses of private networks do.
    fn private(&mut self, name: &str, range: TextRange) {
        let remark = Remark::new(Rule::V303, format!("{name}(...) connects to a private network")).subject(name);
        self.remark(range, remark.acts(&[Act::Connect]).severity(Severity::Medium));
    }

    fn listens(&mut self, name: &str, target: Option<String>, range: TextRange, confidence: Confidence) {
        let message = match &target {
            Some(target) => format!("{name}(...) listens at {target}"),
            None => format!("{name}(...) listens for connections"),
        };
        let acts = [Act::Socket, Act::Bind, Act::Listen];
        let remark = Remark::new(Rule::V302, message).subject(name).acts(&acts).target(target);
        self.remark(range, remark.confidence(confidence));
    }
}

/// The function of a library in native code that a name is of.
fn native(name: &str) -> Option<&str> {
    let function = name.rsplit('.').next()?;
    let library = name[..name.len() - function.len()].trim_end_matches('.');
    let of_library = library.ends_with("CDLL()")
        || library == "ctypes.pythonapi"
        || library.starts_with("ctypes.cdll.") && function != "LoadLibrary"
        || library.starts_with("ctypes.cdll[]")
        || library.ends_with("FFI().dlopen()");
    (of_library && !function.contains("()")).then_some(function)
}

/// What is done with a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Access {
    Read,
    Write,
    Remove,
}

/// Of `open`'s mode.
fn mode(mode: Option<&Value>) -> Access {
    match mode.and_then(Value::as_text) {
        Some(mode) if mode.contains(['w', 'a', 'x', '+']) => Access::Write,
        _ => Access::Read,
    }
}

fn pair_target(pair: &Value) -> Option<String> {
    let items = pair.items()?;
    let host = items.first()?.as_text()?;
    let host = if host.is_empty() { "0.0.0.0" } else { host };
    let port = items.get(1).and_then(Value::as_int).and_then(|port| u16::try_from(port).ok());
    Some(hosts::written(host, port))
}

/// `host:port` in one text.
fn split_host(text: &str, port: Option<u16>) -> (String, Option<u16>) {
    match crate::predict::host_and_port(text) {
        (host, Some(written)) if port.is_none() => (host.to_owned(), written.parse().ok()),
        _ => (text.to_owned(), port),
    }
}

/// The act that a system call of x86-64 is.
fn act_of_call(number: i128) -> Option<Act> {
    Some(match number {
        2 | 85 | 257 | 437 => Act::Open,
        41 => Act::Socket,
        42 => Act::Connect,
        49 => Act::Bind,
        50 => Act::Listen,
        56 | 57 | 58 | 435 => Act::Fork,
        59 | 322 => Act::Execve,
        62 | 129 | 200 | 234 | 424 => Act::Signal,
        101 | 310 | 311 => Act::Ptrace,
        155 | 161 | 165 | 166 | 428..=433 | 442 => Act::Mount,
        159 | 164 | 227 | 305 => Act::Clock,
        169 | 246 | 320 => Act::Reboot,
        175 | 176 | 313 => Act::Module,
        248..=250 => Act::Keyring,
        272 | 308 => Act::Namespace,
        298 => Act::Perf,
        321 => Act::Bpf,
        425..=427 => Act::IoUring,
        _ => Act::Other,
    })
}
