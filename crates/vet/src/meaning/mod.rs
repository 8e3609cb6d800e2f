//! What a submission means: its statements in order, with what each name is at that point.
//!
//! 1. Every part of a tree is looked at once, functions after the module that they are in. Beyond that, functions are
//!    followed at their calls and comprehensions over constants are gone through, within one budget for all.
//! 2. Of two branches both are taken, and a name is what it is after the one or after the other.
//! 3. Nothing here runs anything. What is not known is `Unknown`, which is no finding.

mod calls;
mod commands;
mod expressions;
mod fold;
mod hosts;
pub(crate) mod names;
mod paths;
mod table;
mod value;

use std::collections::{BTreeSet, HashMap, HashSet, VecDeque};

use crate::findings::{Findings, Remark};
use crate::report::{Import, Origin};
use crate::rule::{Confidence, Rule};
use crate::syntax::{
    ExceptHandler, Expr, Parameters, Pattern, Ranged, Stmt, StmtClassDef, StmtFunctionDef, TextRange, TokenKind,
};
use crate::units::Units;
use fold::Folder;
use value::{Kind, Value};

/// Steps beyond looking at everything once.
const REPEATS: u64 = 300_000;
/// Expressions and blocks within each other, over all calls that are followed.
const MOST_DEPTH: u32 = 6000;
/// Calls within each other that are followed.
const MOST_FOLLOWED: usize = 6;
/// Modules that are listed.
const MOST_IMPORTS: usize = 1000;

#[derive(Clone, Copy, PartialEq, Eq)]
enum ScopeKind {
    Module,
    Function,
    Class,
}

struct Scope<'a> {
    names: HashMap<&'a str, Value>,
    parent: Option<usize>,
    kind: ScopeKind,
    /// Names that belong to another scope, by `global` and `nonlocal`.
    elsewhere: HashMap<&'a str, usize>,
    unit: usize,
}

#[derive(Clone, Copy)]
enum Body<'a> {
    Block(&'a [Stmt]),
    Expression(&'a Expr),
}

struct Function<'a> {
    parameters: Option<&'a Parameters>,
    body: Body<'a>,
    scope: usize,
    unit: usize,
    class: Option<usize>,
    is_static: bool,
    defaults: HashMap<&'a str, Value>,
    is_read: bool,
    /// Where it starts processes or threads, whatever it is called with.
    spawns: Vec<(usize, TextRange)>,
    /// Whether it calls itself, whatever it is called with.
    recurses: bool,
}

struct Class {
    scope: usize,
    bases: Vec<Value>,
}

/// A loop that is being read.
#[derive(Default)]
struct Loop {
    /// It has no condition that could end it.
    endless: bool,
    /// It goes round very often.
    long: bool,
    /// Something in it ends it.
    ends: bool,
    /// It waits in each round.
    waits: bool,
    /// A function's call that is followed: what ends loops inside does not end those outside.
    barrier: bool,
    /// Remarks that hold if nothing ends it.
    held: Vec<(usize, TextRange, Remark)>,
}

/// One of several ways that a program can go on.
type Branch<'b, 'a> = dyn FnMut(&mut Interpreter<'a>) + 'b;

/// What a name was before a branch.
type Journal<'a> = HashMap<(usize, &'a str), Option<Value>>;

/// Reads the meaning of trees.
pub(crate) struct Interpreter<'a> {
    units: &'a Units,
    own: HashMap<String, Option<usize>>,
    packages: HashSet<String>,
    environment: Option<&'a BTreeSet<String>>,
    scopes: Vec<Scope<'a>>,
    functions: Vec<Function<'a>>,
    classes: Vec<Class>,
    modules: HashMap<usize, usize>,
    queue: VecDeque<usize>,
    pub(crate) findings: Findings,
    pub(crate) imports: Vec<Import>,
    imported: HashSet<String>,
    folder: Folder,
    repeats: u64,
    repeating: u32,
    depth: u32,
    unit: usize,
    scope: usize,
    class: Option<usize>,
    loops: Vec<Loop>,
    journals: Vec<Journal<'a>>,
    /// Functions whose bodies are being read, the innermost last, each with what it returned and how conditional it began.
    following: Vec<(usize, Vec<Value>, u32)>,
    conditional: u32,
    executing: u32,
    /// In which file sockets were made, and what was done with sockets there.
    sockets: Vec<(usize, TextRange, Option<String>)>,
    listening: HashSet<usize>,
    /// Names that functions declare global or nonlocal: somebody else may change them.
    shared: HashSet<&'a str>,
    connecting: HashSet<usize>,
    pub(crate) incomplete: bool,
}

impl<'a> Interpreter<'a> {
    /// `own` are the modules that the submission has; those in machine code have no unit.
    pub(crate) fn new(
        units: &'a Units,
        own: HashMap<String, Option<usize>>,
        environment: Option<&'a BTreeSet<String>>,
    ) -> Interpreter<'a> {
        let mut packages = HashSet::new();
        for name in own.keys() {
            let mut name = name.as_str();
            while let Some((front, _)) = name.rsplit_once('.') {
                packages.insert(front.to_owned());
                name = front;
            }
        }
        Interpreter {
            units,
            own,
            packages,
            environment,
            scopes: Vec::new(),
            functions: Vec::new(),
            classes: Vec::new(),
            modules: HashMap::new(),
            queue: VecDeque::new(),
            findings: Findings::default(),
            imports: Vec::new(),
            imported: HashSet::new(),
            folder: Folder::new(),
            repeats: REPEATS,
            repeating: 0,
            depth: 0,
            unit: 0,
            scope: 0,
            class: None,
            loops: Vec::new(),
            journals: Vec::new(),
            following: Vec::new(),
            conditional: 0,
            executing: 0,
            sockets: Vec::new(),
            listening: HashSet::new(),
            shared: HashSet::new(),
            connecting: HashSet::new(),
            incomplete: false,
        }
    }

    /// Reads all files, then the functions that are in them.
    pub(crate) fn run(&mut self, count: usize) {
        for unit in 0..count {
            self.module(unit);
        }
        while let Some(function) = self.queue.pop_front() {
            self.body(function);
        }
        for at in 0..self.functions.len() {
            if self.functions[at].recurses {
                for (unit, range) in std::mem::take(&mut self.functions[at].spawns) {
                    let remark = Remark::new(Rule::V204, "each call starts another one, and another process or thread");
                    self.remark_in(unit, range, remark.acts(&[crate::Act::Fork]));
                }
            }
        }
        for (unit, range, family) in std::mem::take(&mut self.sockets) {
            let listens = self.listening.contains(&unit) && !self.connecting.contains(&unit);
            let rule = if listens { Rule::V302 } else { Rule::V301 };
            let what =
                family.map_or("makes an internet socket".to_owned(), |family| format!("makes a socket, {family}"));
            let remark = Remark::new(rule, what).subject("socket.socket").acts(&[crate::Act::Socket]);
            self.remark_in(unit, range, remark.confidence(Confidence::Medium));
        }
    }

    fn remark(&mut self, range: TextRange, remark: Remark) {
        self.remark_in(self.unit, range, remark);
    }

    fn remark_in(&mut self, unit: usize, range: TextRange, remark: Remark) {
        let place = self.units.get(unit).place(range);
        self.findings.add(place, remark);
    }

    /// The scope of a file as a module, read if it was not yet.
    fn module(&mut self, unit: usize) -> usize {
        if let Some(scope) = self.modules.get(&unit) {
            return *scope;
        }
        let scope = self.new_scope(None, ScopeKind::Module, unit);
        self.modules.insert(unit, scope);
        let Some(tree) = &self.units.get(unit).tree else { return scope };
        if let Some(Stmt::Expr(first)) = tree.body.first()
            && let Expr::StringLiteral(text) = &*first.value
        {
            self.scopes[scope].names.insert("__doc__", Value::text(text.value.to_str()));
        }
        let text = &self.units.get(unit).text;
        let mut declares = false;
        for (kind, range) in &tree.tokens {
            match kind {
                TokenKind::Global | TokenKind::Nonlocal => declares = true,
                TokenKind::Name if declares => {
                    self.shared.insert(&text[range.start().to_usize()..range.end().to_usize()]);
                }
                TokenKind::Newline | TokenKind::Semi => declares = false,
                _ => {}
            }
        }
        let path = format!("/work/{}", self.units.get(unit).path);
        self.scopes[scope].names.insert("__file__", Value::text(path));
        if self.depth + 200 > MOST_DEPTH {
            self.incomplete = true;
            return scope;
        }
        let loops = std::mem::take(&mut self.loops);
        self.inside(unit, scope, None, |this| this.block(&tree.body));
        self.loops = loops;
        scope
    }

    fn new_scope(&mut self, parent: Option<usize>, kind: ScopeKind, unit: usize) -> usize {
        self.scopes.push(Scope { names: HashMap::new(), parent, kind, elsewhere: HashMap::new(), unit });
        self.scopes.len() - 1
    }

    /// Does something in another place, and comes back.
    fn inside<T>(&mut self, unit: usize, scope: usize, class: Option<usize>, act: impl FnOnce(&mut Self) -> T) -> T {
        let before = (self.unit, self.scope, self.class);
        (self.unit, self.scope, self.class) = (unit, scope, class);
        let done = act(self);
        (self.unit, self.scope, self.class) = before;
        done
    }

    /// Whether there is a budget for one more step; what is looked at for the first time always has.
    fn may_go_on(&mut self) -> bool {
        if self.depth > MOST_DEPTH {
            self.incomplete = true;
            return false;
        }
        if self.repeating == 0 {
            return true;
        }
        if self.repeats == 0 {
            self.incomplete = true;
            return false;
        }
        self.repeats -= 1;
        true
    }

    // Names.

    fn lookup(&self, name: &str) -> Option<Value> {
        let mut at = Some(self.scope);
        let mut first = true;
        while let Some(scope) = at {
            let here = &self.scopes[scope];
            // Functions in a class do not see its names.
            if (first || here.kind != ScopeKind::Class)
                && let Some(value) = here.names.get(name)
            {
                return Some(value.clone());
            }
            if let Some(elsewhere) = here.elsewhere.get(name)
                && let Some(value) = self.scopes[*elsewhere].names.get(name)
            {
                return Some(value.clone());
            }
            first = false;
            at = here.parent;
        }
        None
    }

    fn write(&mut self, name: &'a str, value: Value) {
        let scope = self.scopes[self.scope].elsewhere.get(name).copied().unwrap_or(self.scope);
        // A global that a function sets may be the old one as well.
        let value = match self.scopes[scope].names.get(name) {
            Some(old) if scope != self.scope => old.clone().or(value),
            _ => value,
        };
        self.write_in(scope, name, value);
    }

    fn write_in(&mut self, scope: usize, name: &'a str, value: Value) {
        let old = self.scopes[scope].names.insert(name, value);
        if let Some(journal) = self.journals.last_mut() {
            journal.entry((scope, name)).or_insert(old);
        }
    }

    /// Reads alternatives, each from the same beginning; afterwards a name is what any of them made of it.
    /// `all`: one of them is taken in any case.
    fn branches(&mut self, all: bool, branches: &mut [&mut dyn FnMut(&mut Self)]) {
        let mut ends: Vec<HashMap<(usize, &'a str), Option<Value>>> = Vec::new();
        for branch in branches {
            self.journals.push(HashMap::new());
            self.conditional += 1;
            branch(self);
            self.conditional -= 1;
            let journal = self.journals.pop().expect("it was put there above");
            let mut end = HashMap::new();
            for (key, old) in journal {
                let (scope, name) = key;
                let new = match old {
                    Some(old) => self.scopes[scope].names.insert(name, old),
                    None => self.scopes[scope].names.remove(name),
                };
                end.insert(key, new);
            }
            ends.push(end);
        }
        let mut keys: Vec<(usize, &'a str)> = ends.iter().flat_map(|end| end.keys().copied()).collect();
        keys.sort_unstable();
        keys.dedup();
        for key in keys {
            let (scope, name) = key;
            let before = self.scopes[scope].names.get(name).cloned();
            let mut values: Vec<Value> = Vec::new();
            for end in &ends {
                values.extend(end.get(&key).cloned().unwrap_or_else(|| before.clone()));
            }
            if !all {
                values.extend(before);
            }
            if let Some(value) = values.into_iter().reduce(Value::or) {
                self.write_in(scope, name, value);
            }
        }
    }

    // Statements.

    fn block(&mut self, body: &'a [Stmt]) {
        self.depth += 1;
        for statement in body {
            if !self.may_go_on() {
                break;
            }
            self.statement(statement);
        }
        self.depth -= 1;
    }

    fn statement(&mut self, statement: &'a Stmt) {
        match statement {
            Stmt::FunctionDef(def) => self.function(def),
            Stmt::ClassDef(def) => self.define_class(def),
            Stmt::Return(it) => {
                let value = it.value.as_ref().map_or(Kind::None.into(), |value| self.expr(value));
                self.mention(&value, it.range());
                if let Some((_, returned, _)) = self.following.last_mut() {
                    returned.push(value);
                }
                self.leave_loops(true);
            }
            Stmt::Delete(it) => {
                for target in &it.targets {
                    if let Expr::Subscript(subscript) = target {
                        let base = self.expr(&subscript.value);
                        self.expr(&subscript.slice);
                        if base.as_name() == Some("sys.modules") {
                            self.hook(it.range(), "sys.modules", "takes a module out of");
                        }
                    } else if let Expr::Name(name) = target {
                        self.write(&name.id, Value::UNKNOWN);
                    }
                }
            }
            Stmt::Assign(it) => {
                let value = self.expr(&it.value);
                for target in &it.targets {
                    self.bind(target, value.clone());
                }
            }
            Stmt::AugAssign(it) => {
                let old = match &*it.target {
                    Expr::Name(name) => self.lookup(&name.id).unwrap_or(Value::UNKNOWN),
                    other => self.expr(other),
                };
                let value = self.expr(&it.value);
                let mut made = self.operator(it.op, &old, &value, it.range());
                // In a loop it is added again and again: only the beginning stays what it was.
                if !self.loops.is_empty() {
                    made = match made.kind {
                        Kind::Text(_) | Kind::Bytes(_) | Kind::Int(_) | Kind::List(_) => Value::unknown(made.taint),
                        _ => made,
                    };
                    self.grows(it.range(), &old);
                }
                self.bind(&it.target, made);
            }
            Stmt::AnnAssign(it) => {
                self.expr(&it.annotation);
                if let Some(value) = &it.value {
                    let value = self.expr(value);
                    self.bind(&it.target, value);
                }
            }
            Stmt::For(it) => {
                let over = self.expr(&it.iter);
                let (element, mut frame) = self.iterate(&over, it.iter.range());
                self.reads_environment(&over, it.iter.range());
                let mut held = Vec::new();
                self.branches(
                    false,
                    &mut [&mut |this: &mut Self| {
                        this.bind(&it.target, element.clone());
                        this.loops.push(std::mem::take(&mut frame));
                        this.block(&it.body);
                        held.push(this.loops.pop().expect("it was put there above"));
                    }],
                );
                let header = TextRange::new(it.range().start(), it.iter.range().end());
                for frame in held {
                    self.loop_ends(frame, header);
                }
                self.block(&it.orelse);
            }
            Stmt::While(it) => {
                let test = self.expr(&it.test);
                let endless = test.truth() == Some(true) && test.is_constant() && self.is_fixed(&it.test);
                let mut held = Vec::new();
                let mut round = |this: &mut Self| {
                    this.loops.push(Loop { endless, ..Loop::default() });
                    this.block(&it.body);
                    // What the body changes is another condition in the next round.
                    this.repeating += 1;
                    let still = endless && this.expr(&it.test).truth() == Some(true);
                    this.repeating -= 1;
                    let mut frame = this.loops.pop().expect("it was put there above");
                    frame.endless = still;
                    held.push(frame);
                };
                if endless {
                    // What is in it happens in any case.
                    round(self);
                } else {
                    self.branches(false, &mut [&mut round]);
                }
                let header = TextRange::new(it.range().start(), it.test.range().end());
                for frame in held {
                    self.loop_ends(frame, header);
                }
                self.block(&it.orelse);
            }
            Stmt::If(it) => {
                self.expr(&it.test);
                let all = it.elif_else_clauses.last().is_some_and(|clause| clause.test.is_none());
                let mut first = |this: &mut Self| this.block(&it.body);
                let mut others: Vec<Box<Branch<'_, 'a>>> = Vec::new();
                for clause in &it.elif_else_clauses {
                    others.push(Box::new(move |this: &mut Self| {
                        if let Some(test) = &clause.test {
                            this.expr(test);
                        }
                        this.block(&clause.body);
                    }));
                }
                let mut branches: Vec<&mut dyn FnMut(&mut Self)> = vec![&mut first];
                branches.extend(others.iter_mut().map(|other| &mut **other as &mut dyn FnMut(&mut Self)));
                self.branches(all, &mut branches);
            }
            Stmt::With(it) => {
                for item in &it.items {
                    let value = self.expr(&item.context_expr);
                    if let Some(target) = &item.optional_vars {
                        self.bind(target, value);
                    }
                }
                self.block(&it.body);
            }
            Stmt::Match(it) => {
                let subject = self.expr(&it.subject);
                for case in &it.cases {
                    let subject = subject.clone();
                    self.branches(
                        false,
                        &mut [&mut |this: &mut Self| {
                            this.pattern(&case.pattern, &subject);
                            if let Some(guard) = &case.guard {
                                this.expr(guard);
                            }
                            this.block(&case.body);
                        }],
                    );
                }
            }
            Stmt::Raise(it) => {
                for part in it.exc.iter().chain(&it.cause) {
                    self.expr(part);
                }
                self.leave_loops(true);
            }
            Stmt::Try(it) => {
                // What a handler sees may be before or after anything in the body.
                self.block(&it.body);
                for handler in &it.handlers {
                    let ExceptHandler::ExceptHandler(handler) = handler;
                    self.branches(
                        false,
                        &mut [&mut |this: &mut Self| {
                            if let Some(kind) = &handler.type_ {
                                this.expr(kind);
                            }
                            if let Some(name) = &handler.name {
                                this.write(&name.id, Value::UNKNOWN);
                            }
                            this.block(&handler.body);
                        }],
                    );
                }
                self.block(&it.orelse);
                self.block(&it.finalbody);
            }
            Stmt::Assert(it) => {
                self.expr(&it.test);
                if let Some(message) = &it.msg {
                    self.expr(message);
                }
            }
            Stmt::Import(it) => {
                for alias in &it.names {
                    let module = alias.name.id.as_str();
                    let value = self.import(module, alias.range());
                    match &alias.asname {
                        Some(name) => self.write(&name.id, value),
                        None => {
                            let first = module.split('.').next().unwrap_or(module);
                            let value = if first == module { value } else { self.module_value(first) };
                            self.write(first, value);
                        }
                    }
                }
            }
            Stmt::ImportFrom(it) => self.import_from(it.module.as_ref().map(|name| name.id.as_str()), it.level, it),
            Stmt::Global(it) => {
                let mut module = self.scope;
                while let Some(parent) = self.scopes[module].parent {
                    module = parent;
                }
                for name in &it.names {
                    self.scopes[self.scope].elsewhere.insert(&name.id, module);
                }
            }
            Stmt::Nonlocal(it) => {
                let parent = self.scopes[self.scope].parent.unwrap_or(self.scope);
                for name in &it.names {
                    self.scopes[self.scope].elsewhere.insert(&name.id, parent);
                }
            }
            Stmt::TypeAlias(it) => {
                self.expr(&it.value);
            }
            Stmt::Expr(it) => {
                self.expr(&it.value);
            }
            Stmt::Break(_) => self.leave_loops(false),
            Stmt::Pass(_) | Stmt::Continue(_) | Stmt::IpyEscapeCommand(_) => {}
        }
    }

    fn pattern(&mut self, pattern: &'a Pattern, subject: &Value) {
        self.depth += 1;
        if !self.may_go_on() {
            self.depth -= 1;
            return;
        }
        match pattern {
            Pattern::MatchValue(it) => {
                self.expr(&it.value);
            }
            Pattern::MatchSingleton(_) => {}
            Pattern::MatchSequence(it) => {
                for (at, part) in it.patterns.iter().enumerate() {
                    let element = subject.items().and_then(|items| items.get(at)).cloned().unwrap_or(Value::UNKNOWN);
                    self.pattern(part, &element);
                }
            }
            Pattern::MatchMapping(it) => {
                for key in &it.keys {
                    self.expr(key);
                }
                for part in &it.patterns {
                    self.pattern(part, &Value::UNKNOWN);
                }
            }
            Pattern::MatchClass(it) => {
                self.expr(&it.cls);
                for part in &it.arguments.patterns {
                    self.pattern(part, &Value::UNKNOWN);
                }
                for keyword in &it.arguments.keywords {
                    self.pattern(&keyword.pattern, &Value::UNKNOWN);
                }
            }
            Pattern::MatchStar(it) => {
                if let Some(name) = &it.name {
                    self.write(&name.id, Value::UNKNOWN);
                }
            }
            Pattern::MatchAs(it) => {
                if let Some(part) = &it.pattern {
                    self.pattern(part, subject);
                }
                if let Some(name) = &it.name {
                    self.write(&name.id, subject.clone());
                }
            }
            Pattern::MatchOr(it) => {
                for part in &it.patterns {
                    self.pattern(part, subject);
                }
            }
        }
        self.depth -= 1;
    }

    /// Gives a target its value.
    fn bind(&mut self, target: &'a Expr, value: Value) {
        match target {
            Expr::Name(name) => self.write(&name.id, value),
            Expr::Starred(it) => self.bind(&it.value, Value::UNKNOWN),
            Expr::Tuple(_) | Expr::List(_) => {
                let elements = match target {
                    Expr::Tuple(it) => &it.elts,
                    Expr::List(it) => &it.elts,
                    _ => return,
                };
                let starred = elements.iter().position(Expr::is_starred_expr);
                for (at, element) in elements.iter().enumerate() {
                    if let (Some(star), Some(items)) = (starred, value.items())
                        && items.len() + 1 >= elements.len()
                    {
                        let after = elements.len() - 1 - star;
                        if at == star {
                            let rest = Value::list(items[star..items.len() - after].to_vec());
                            if let Expr::Starred(it) = element {
                                self.bind(&it.value, rest);
                            }
                        } else {
                            let place = if at < star { at } else { items.len() - (elements.len() - at) };
                            self.bind(element, items[place].clone());
                        }
                        continue;
                    }
                    // Alternatives are taken apart each by itself.
                    let parts: Vec<Value> = value
                        .alternatives()
                        .iter()
                        .filter_map(|one| one.items().filter(|_| starred.is_none())?.get(at).cloned())
                        .collect();
                    let part = if parts.is_empty() { Value::unknown(value.taint) } else { Value::one_of(parts) };
                    self.bind(element, part);
                }
            }
            Expr::Attribute(it) => {
                let base = self.expr(&it.value);
                let name = it.attr.id.as_str();
                match &base.kind {
                    Kind::Object(class) | Kind::Class(class) => {
                        let scope = self.classes[*class].scope;
                        let value = match self.scopes[scope].names.get(name) {
                            Some(old) => old.clone().or(value),
                            None => value,
                        };
                        self.write_in(scope, name, value);
                    }
                    Kind::Module(scope) => self.write_in(*scope, name, value),
                    Kind::Name(module) if &**module == "builtins" || &**module == "__builtins__" => {
                        self.hook(target.range(), &format!("builtins.{name}"), "replaces");
                    }
                    Kind::Name(module)
                        if &**module == "sys"
                            && ["meta_path", "path_hooks", "modules", "settrace", "path_importer_cache"]
                                .contains(&name) =>
                    {
                        self.hook(target.range(), &format!("sys.{name}"), "replaces");
                    }
                    _ if name == "__code__" => {
                        let remark = Remark::new(Rule::V501, "gives a function other code").subject(name);
                        self.remark(target.range(), remark);
                    }
                    _ if ["__globals__", "__builtins__", "__bases__", "f_trace", "f_locals"].contains(&name) => {
                        self.hook(target.range(), name, "replaces");
                    }
                    _ => {}
                }
            }
            Expr::Subscript(it) => {
                let base = self.expr(&it.value);
                let key = self.expr(&it.slice);
                match base.as_name() {
                    Some("sys.modules") => self.hook(target.range(), "sys.modules", "replaces a module in"),
                    Some("__builtins__" | "builtins.__dict__" | "vars(builtins)") => {
                        self.hook(target.range(), "builtins", "replaces a function in");
                    }
                    Some("globals()" | "locals()") => {
                        if key.as_text().is_some_and(|name| self.is_builtin(name)) {
                            self.hook(target.range(), "globals()", "hides a function of Python's own by");
                        }
                        self.computed(target.range(), &it.slice, &key, "globals()");
                    }
                    _ => {}
                }
                // A list or a dictionary is no longer what it was.
                if let (Expr::Name(name), Kind::Dict(items)) = (&*it.value, &base.kind) {
                    let made = if items.len() < 256 && key.is_constant() && self.folder.spend(items.len() * 64) {
                        let kept = items.iter().filter(|(known, _)| !known.same_key(&key)).cloned();
                        let mut all: Vec<(Value, Value)> = kept.collect();
                        all.push((key, value));
                        Value::dict(all)
                    } else {
                        Value::UNKNOWN
                    };
                    self.write(&name.id, made);
                } else if let (Expr::Name(name), Kind::List(_)) = (&*it.value, &base.kind) {
                    self.write(&name.id, Value::unknown(base.taint));
                }
            }
            other => {
                self.expr(other);
            }
        }
    }

    fn is_builtin(&self, name: &str) -> bool {
        names::BUILTINS.contains(&name)
    }

    fn hook(&mut self, range: TextRange, what: &str, does: &str) {
        self.remark(range, Remark::new(Rule::V604, format!("{does} {what}")).subject(what));
    }

    // Functions and classes.

    fn function(&mut self, def: &'a StmtFunctionDef) {
        let decorators: Vec<Value> =
            def.decorator_list.iter().map(|decorator| self.expr(&decorator.expression)).collect();
        if let Some(returns) = &def.returns {
            self.expr(returns);
        }
        let is_static = decorators.iter().any(|decorator| decorator.as_name() == Some("staticmethod"));
        let is_property = decorators.iter().any(|decorator| decorator.as_name() == Some("property"));
        let id = self.new_function(Some(&def.parameters), Body::Block(&def.body), is_static);
        let mut value: Value = Kind::Function(id).into();
        for (decorator, at) in decorators.iter().zip(&def.decorator_list).rev() {
            value = self.decorate(decorator, value, at.expression.range());
        }
        if is_property {
            // What it gives is found by calling it.
            value = self.call_function(id, None, &calls::Given::default());
        }
        self.write(&def.name.id, value);
    }

    fn new_function(&mut self, parameters: Option<&'a Parameters>, body: Body<'a>, is_static: bool) -> usize {
        let mut defaults = HashMap::new();
        for parameter in parameters.into_iter().flat_map(Parameters::iter) {
            if let Some(annotation) = parameter.annotation() {
                self.expr(annotation);
            }
            if let Some(default) = parameter.default() {
                let value = self.expr(default);
                defaults.insert(parameter.name().id.as_str(), value);
            }
        }
        self.functions.push(Function {
            parameters,
            body,
            scope: self.scope,
            unit: self.unit,
            class: self.class.filter(|_| self.scopes[self.scope].kind == ScopeKind::Class),
            is_static,
            defaults,
            is_read: false,
            spawns: Vec::new(),
            recurses: false,
        });
        let id = self.functions.len() - 1;
        if self.repeating == 0 {
            self.queue.push_back(id);
        }
        id
    }

    /// Reads the body of a function of which no call is known.
    fn body(&mut self, id: usize) {
        if std::mem::replace(&mut self.functions[id].is_read, true) {
            return;
        }
        let loops = std::mem::take(&mut self.loops);
        self.enter(id, None, &calls::Given::default());
        self.loops = loops;
    }

    /// Follows a call, if the budget has it; gives what the function returns.
    fn call_function(&mut self, id: usize, object: Option<Value>, given: &calls::Given<'a>) -> Value {
        if let Some((_, _, began)) = self.following.iter().find(|(following, _, _)| *following == id) {
            if *began == self.conditional {
                self.functions[id].recurses = true;
            }
            return Value::UNKNOWN;
        }
        if self.following.len() >= MOST_FOLLOWED || self.repeats == 0 || self.depth + 1000 > MOST_DEPTH {
            return Value::unknown(given.taint());
        }
        self.repeating += 1;
        self.loops.push(Loop { barrier: true, ..Loop::default() });
        // Names that the function writes elsewhere may be written or not.
        let mut returned = Value::UNKNOWN;
        self.branches(
            true,
            &mut [&mut |this: &mut Self| {
                // Being called is no condition.
                this.conditional -= 1;
                returned = this.enter(id, object.clone(), given);
                this.conditional += 1;
            }],
        );
        let barrier = self.loops.pop().expect("it was put there above");
        if let Some(outer) = self.loops.last_mut() {
            outer.held.extend(barrier.held);
            outer.waits |= barrier.waits;
            outer.ends |= barrier.ends;
        }
        self.repeating -= 1;
        returned.with(given.taint())
    }

    /// Reads a body with these arguments.
    fn enter(&mut self, id: usize, object: Option<Value>, given: &calls::Given<'a>) -> Value {
        let function = &self.functions[id];
        let (unit, parent, class, body, parameters) =
            (function.unit, function.scope, function.class, function.body, function.parameters);
        let is_method = class.is_some() && !function.is_static;
        let defaults = function.defaults.clone();
        let scope = self.new_scope(Some(parent), ScopeKind::Function, unit);
        if let Some(parameters) = parameters {
            let mut position = 0;
            for (at, parameter) in parameters.posonlyargs.iter().chain(&parameters.args).enumerate() {
                let name = parameter.parameter.name.id.as_str();
                let value = if at == 0 && is_method {
                    object.clone().or_else(|| class.map(|class| Kind::Object(class).into()))
                } else {
                    position += 1;
                    given.get(position - 1, name).cloned()
                };
                let value = value.or_else(|| defaults.get(name).cloned()).unwrap_or(Value::UNKNOWN);
                self.scopes[scope].names.insert(name, value);
            }
            for parameter in &parameters.kwonlyargs {
                let name = parameter.parameter.name.id.as_str();
                let value = given.keyword(name).or(defaults.get(name)).cloned().unwrap_or(Value::UNKNOWN);
                self.scopes[scope].names.insert(name, value);
            }
            if let Some(rest) = &parameters.vararg {
                let values = given.positional.get(position..).unwrap_or_default().to_vec();
                let value = if values.is_empty() { Value::UNKNOWN } else { Value::list(values) };
                self.scopes[scope].names.insert(rest.name.id.as_str(), value);
            }
            if let Some(rest) = &parameters.kwarg {
                self.scopes[scope].names.insert(rest.name.id.as_str(), Value::UNKNOWN);
            }
        }
        self.following.push((id, Vec::new(), self.conditional));
        let value = self.inside(unit, scope, class, |this| match body {
            Body::Block(body) => {
                this.block(body);
                None
            }
            Body::Expression(body) => Some(this.expr(body)),
        });
        let (_, returned, _) = self.following.pop().expect("it was put there above");
        value.unwrap_or_else(|| returned.into_iter().reduce(Value::or).unwrap_or(Kind::None.into()))
    }

    fn define_class(&mut self, def: &'a StmtClassDef) {
        let decorators: Vec<Value> =
            def.decorator_list.iter().map(|decorator| self.expr(&decorator.expression)).collect();
        let mut bases = Vec::new();
        if let Some(arguments) = &def.arguments {
            for base in &arguments.args {
                bases.push(self.expr(base));
            }
            for keyword in &arguments.keywords {
                self.expr(&keyword.value);
            }
        }
        let scope = self.new_scope(Some(self.scope), ScopeKind::Class, self.unit);
        self.classes.push(Class { scope, bases });
        let id = self.classes.len() - 1;
        self.inside(self.unit, scope, Some(id), |this| this.block(&def.body));
        let mut value: Value = Kind::Class(id).into();
        for (decorator, at) in decorators.iter().zip(&def.decorator_list).rev() {
            value = self.decorate(decorator, value, at.expression.range());
        }
        self.write(&def.name.id, value);
    }

    // Loops.

    /// Whether only what is in a loop could change this condition.
    fn is_fixed(&self, test: &Expr) -> bool {
        match test {
            Expr::Name(name) => !self.shared.contains(name.id.as_str()),
            Expr::BooleanLiteral(_) | Expr::NumberLiteral(_) | Expr::StringLiteral(_) | Expr::BytesLiteral(_) => true,
            Expr::List(it) => !it.elts.is_empty(),
            Expr::Tuple(it) => !it.elts.is_empty(),
            Expr::UnaryOp(it) => self.is_fixed(&it.operand),
            Expr::BinOp(it) => self.is_fixed(&it.left) && self.is_fixed(&it.right),
            Expr::Compare(it) => self.is_fixed(&it.left) && it.comparators.iter().all(|other| self.is_fixed(other)),
            Expr::BoolOp(it) => it.values.iter().all(|value| self.is_fixed(value)),
            _ => false,
        }
    }

    /// Something ends the innermost loop, or all of the function.
    fn leave_loops(&mut self, all: bool) {
        for frame in self.loops.iter_mut().rev() {
            if frame.barrier {
                break;
            }
            frame.ends = true;
            if !all {
                break;
            }
        }
    }

    /// What a loop over this gives, and whether it ever ends.
    fn iterate(&mut self, over: &Value, range: TextRange) -> (Value, Loop) {
        let name = over.as_name().unwrap_or("");
        let endless = ["itertools.count()", "itertools.cycle()", "itertools.repeat()", "iter(endless)"].contains(&name);
        let long = self.is_long(over, range);
        let element = match self.folder.elements(over) {
            Some(elements) => Value::one_of(elements),
            None => match &over.kind {
                Kind::Any(values) => {
                    let mut all = Vec::new();
                    for value in values.iter() {
                        all.extend(self.folder.elements(value).unwrap_or_default());
                    }
                    Value::one_of(all)
                }
                Kind::Name(name) => Value::name(&format!("{name}[]")),
                _ => Value::unknown(over.taint),
            },
        };
        (element, Loop { endless, long, ..Loop::default() })
    }

    fn is_long(&self, over: &Value, _range: TextRange) -> bool {
        over.as_name() == Some("range(long)")
    }

    /// A loop is over: if nothing ends it, what was held back is said.
    fn loop_ends(&mut self, frame: Loop, header: TextRange) {
        let Loop { endless, long, ends, waits, held, .. } = frame;
        if endless && !ends {
            self.remark(header, Remark::new(Rule::V901, "nothing ends this loop").confidence(Confidence::Medium));
        }
        if (endless || long) && !ends {
            for (unit, range, remark) in held {
                // A server that starts something for each that comes waits for them.
                let paced = matches!(remark.rule, Rule::V902 | Rule::V903) || remark.confidence == Confidence::Low;
                if !(waits && paced) {
                    self.remark_in(unit, range, remark);
                }
            }
        } else if let Some(outer) = self.loops.last_mut() {
            outer.held.extend(held);
        }
        if let Some(outer) = self.loops.last_mut() {
            outer.waits |= waits;
        }
    }

    /// Keeps a remark until it is known whether the loop around it ends.
    fn hold(&mut self, range: TextRange, remark: Remark) {
        let unit = self.unit;
        if let Some(frame) = self.loops.last_mut()
            && frame.held.len() < 64
        {
            frame.held.push((unit, range, remark));
        }
    }

    fn grows(&mut self, range: TextRange, old: &Value) {
        if matches!(old.kind, Kind::Int(_) | Kind::Float(_) | Kind::Bool(_)) {
            return;
        }
        if matches!(old.kind, Kind::Text(_) | Kind::Bytes(_) | Kind::List(_)) {
            let remark = Remark::new(Rule::V902, "it grows with each round of a loop that nothing ends");
            self.hold(range, remark.confidence(Confidence::Medium));
        }
    }

    // Imports.

    /// The value of a module, and a note of its import.
    fn import(&mut self, module: &str, range: TextRange) -> Value {
        let origin = self.origin(module);
        if self.imported.insert(module.to_owned()) && self.imports.len() < MOST_IMPORTS {
            let place = self.units.get(self.unit).place(range);
            let module = crate::printable::printable(module, 120);
            self.imports.push(Import { module, place, origin });
        }
        if origin == Origin::Missing {
            let first = module.split('.').next().unwrap_or(module).to_owned();
            let message = format!("{first} is neither Python's own, nor submitted, nor in the environment");
            self.remark(range, Remark::new(Rule::V003, message).subject(module).target(Some(first)));
        }
        if origin == Origin::Submission {
            // Importing a package imports what is around it.
            let mut end = 0;
            while let Some(dot) = module[end..].find('.') {
                end += dot;
                self.module_value(&module[..end]);
                end += 1;
            }
        }
        self.module_value(module)
    }

    fn origin(&self, module: &str) -> Origin {
        let first = module.split('.').next().unwrap_or(module);
        if self.own.contains_key(first) || self.packages.contains(first) {
            return Origin::Submission;
        }
        if names::is_standard(first) {
            return Origin::StandardLibrary;
        }
        match self.environment {
            None => Origin::Unknown,
            Some(modules) if modules.contains(first) => Origin::Environment,
            Some(_) => Origin::Missing,
        }
    }

    fn module_value(&mut self, module: &str) -> Value {
        match self.own.get(module) {
            Some(Some(unit)) => {
                let unit = *unit;
                // A module that imports itself, or what imports it, is met half read.
                let scope = match self.modules.get(&unit) {
                    Some(scope) => *scope,
                    None => self.module(unit),
                };
                Kind::Module(scope).into()
            }
            Some(None) => Value::UNKNOWN,
            None => Value::name(module),
        }
    }

    fn import_from(&mut self, module: Option<&'a str>, level: u32, it: &'a crate::syntax::StmtImportFrom) {
        let mut whole = module.unwrap_or_default().to_owned();
        if level > 0 {
            // From the package that this file is in.
            let path = self.units.get(self.unit).path.clone();
            let mut parts: Vec<&str> = path.split('/').collect();
            for _ in 0..level {
                parts.pop();
            }
            let package = parts.join(".");
            whole = match (package.is_empty(), whole.is_empty()) {
                (true, _) => whole,
                (false, true) => package,
                (false, false) => format!("{package}.{whole}"),
            };
        }
        if whole.is_empty() && level > 0 {
            for alias in &it.names {
                let value = self.module_value(&alias.name.id);
                self.write(alias.asname.as_ref().map_or(&alias.name.id, |name| &name.id), value);
            }
            return;
        }
        if whole == "__future__" {
            return;
        }
        let base = self.import(&whole, it.range());
        for alias in &it.names {
            let name = alias.name.id.as_str();
            if name == "*" {
                match &base.kind {
                    Kind::Module(scope) => {
                        let all: Vec<(&'a str, Value)> =
                            self.scopes[*scope].names.iter().map(|(name, value)| (*name, value.clone())).collect();
                        // Whoever imports everything a thousand times pays for it.
                        let enough = self.folder.spend(all.len() * 16);
                        for (name, value) in all.into_iter().filter(|_| enough) {
                            if !name.starts_with('_') {
                                self.write(name, value);
                            }
                        }
                    }
                    Kind::Name(module) => {
                        // The whole table is gone through for it.
                        let enough = self.folder.spend(16 << 10);
                        for name in table::names_in(module).filter(|_| enough) {
                            self.write(name, Value::name(&format!("{module}.{name}")));
                        }
                    }
                    _ => {}
                }
                continue;
            }
            let submodule = format!("{whole}.{name}");
            let value = if self.own.contains_key(&submodule) {
                self.module_value(&submodule)
            } else {
                self.attribute(&base, name, alias.range())
            };
            let target = alias.asname.as_ref().map_or(name, |name| name.id.as_str());
            self.write(target, value);
        }
    }
}
