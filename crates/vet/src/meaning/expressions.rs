//! What expressions are.

use std::rc::Rc;

use super::calls::Given;
use super::value::{Kind, Taint, Value};
use super::{Body, Interpreter, Loop, ScopeKind, names};
use crate::findings::Remark;
use crate::rule::{Confidence, Rule};
use crate::syntax::{
    CmpOp, Comprehension, Expr, ExprFString, FStringPart, InterpolatedStringElement, Number, Operator, Ranged,
    TextRange, UnaryOp,
};

/// Rounds of a comprehension over a constant.
const MOST_ROUNDS: usize = 4096;
/// Bytes that are worth a remark when they are wanted at once.
pub(super) const HUGE: u64 = 128 << 20;
/// What a loop may go round without being called long.
const LONG: i128 = 1_000_000;

impl<'a> Interpreter<'a> {
    /// Looks at an expression, and says what it is.
    pub(super) fn expr(&mut self, expr: &'a Expr) -> Value {
        self.depth += 1;
        let value = if self.may_go_on() { self.look(expr) } else { Value::UNKNOWN };
        self.depth -= 1;
        value
    }

    fn look(&mut self, expr: &'a Expr) -> Value {
        match expr {
            Expr::Name(it) => self.named(&it.id),
            Expr::Attribute(it) => {
                let base = self.expr(&it.value);
                self.attribute(&base, it.attr.id.as_str(), expr.range())
            }
            Expr::Call(it) => self.call(it),
            Expr::Subscript(it) => self.subscript(&it.value, &it.slice, expr.range()),
            Expr::StringLiteral(it) => Value::text(it.value.to_str()),
            Expr::BytesLiteral(it) => {
                let bytes: Vec<u8> = it.value.bytes().collect();
                Kind::Bytes(bytes.into()).into()
            }
            Expr::NumberLiteral(it) => match &it.value {
                Number::Int(int) => match int.as_i64() {
                    Some(int) => Kind::Int(int.into()).into(),
                    // More than 64 bits: as large as a number of ours can be.
                    None => match int.as_u64() {
                        Some(int) => Kind::Int(int.into()).into(),
                        None => Kind::Float(f64::MAX).into(),
                    },
                },
                Number::Float(float) => Kind::Float(*float).into(),
                Number::Complex { .. } => Value::UNKNOWN,
            },
            Expr::BooleanLiteral(it) => Kind::Bool(it.value).into(),
            Expr::NoneLiteral(_) => Kind::None.into(),
            Expr::EllipsisLiteral(_) => Value::UNKNOWN,
            Expr::FString(it) => self.f_string(it),
            Expr::TString(it) => {
                for element in it.value.elements() {
                    self.element(element);
                }
                Value::UNKNOWN
            }
            Expr::BoolOp(it) => {
                it.values.iter().map(|value| self.expr(value)).reduce(Value::or).unwrap_or(Value::UNKNOWN)
            }
            Expr::Named(it) => {
                let value = self.expr(&it.value);
                self.bind(&it.target, value.clone());
                value
            }
            Expr::BinOp(it) => {
                let left = self.expr(&it.left);
                let right = self.expr(&it.right);
                self.operator(it.op, &left, &right, expr.range())
            }
            Expr::UnaryOp(it) => {
                let value = self.expr(&it.operand);
                match (it.op, &value.kind) {
                    (UnaryOp::Not, _) => value.truth().map_or(Value::UNKNOWN, |truth| Kind::Bool(!truth).into()),
                    (UnaryOp::USub, Kind::Int(int)) => {
                        int.checked_neg().map_or(Value::UNKNOWN, |int| Kind::Int(int).into())
                    }
                    (UnaryOp::USub, Kind::Float(float)) => Kind::Float(-float).into(),
                    (UnaryOp::Invert, Kind::Int(int)) => Kind::Int(!int).into(),
                    (UnaryOp::UAdd, _) => value,
                    _ => Value::unknown(value.taint),
                }
            }
            Expr::Compare(it) => {
                let left = self.expr(&it.left);
                let mut right = Value::UNKNOWN;
                for comparator in &it.comparators {
                    right = self.expr(comparator);
                }
                let ([op], Some(a), Some(b)) = (&it.ops[..], left.as_int(), right.as_int()) else {
                    return Value::UNKNOWN;
                };
                let truth = match op {
                    CmpOp::Eq => a == b,
                    CmpOp::NotEq => a != b,
                    CmpOp::Lt => a < b,
                    CmpOp::LtE => a <= b,
                    CmpOp::Gt => a > b,
                    CmpOp::GtE => a >= b,
                    CmpOp::Is | CmpOp::IsNot | CmpOp::In | CmpOp::NotIn => return Value::UNKNOWN,
                };
                Kind::Bool(truth).into()
            }
            Expr::If(it) => {
                self.expr(&it.test);
                self.conditional += 1;
                let value = self.expr(&it.body);
                let value = value.or(self.expr(&it.orelse));
                self.conditional -= 1;
                value
            }
            Expr::Lambda(it) => {
                let id = self.new_function(it.parameters.as_deref(), Body::Expression(&it.body), true);
                Kind::Function(id).into()
            }
            Expr::List(it) => self.sequence(&it.elts),
            Expr::Tuple(it) => self.sequence(&it.elts),
            Expr::Set(it) => self.sequence(&it.elts),
            Expr::Dict(it) => {
                let mut items = Vec::new();
                let mut whole = true;
                for item in &it.items {
                    let value = self.expr(&item.value);
                    match &item.key {
                        Some(key) => {
                            let key = self.expr(key);
                            items.push((key, value));
                        }
                        None => match &value.kind {
                            Kind::Dict(more) if self.folder.spend(more.len() * 64) => {
                                items.extend(more.iter().cloned())
                            }
                            _ => {
                                self.reads_environment(&value, item.value.range());
                                whole = false;
                            }
                        },
                    }
                }
                let taint = items.iter().fold(Taint::NONE, |all, (_, value)| all.and(value.taint));
                if whole { Value::dict(items) } else { Value::unknown(taint) }
            }
            Expr::ListComp(it) => self.comprehension(&it.generators, None, Some(&it.elt)),
            Expr::SetComp(it) => self.comprehension(&it.generators, None, Some(&it.elt)),
            Expr::Generator(it) => self.comprehension(&it.generators, None, Some(&it.elt)),
            Expr::DictComp(it) => self.comprehension(&it.generators, it.key.as_deref(), Some(&it.value)),
            Expr::Await(it) => self.expr(&it.value),
            Expr::Yield(it) => {
                let value = it.value.as_ref().map_or(Value::UNKNOWN, |value| self.expr(value));
                // Whoever asks for the next one decides whether there is one.
                self.leave_loops(true);
                if let Some((_, returned, _)) = self.following.last_mut() {
                    returned.push(Value::list(vec![value]));
                }
                Value::UNKNOWN
            }
            Expr::YieldFrom(it) => {
                self.expr(&it.value);
                self.leave_loops(true);
                Value::UNKNOWN
            }
            Expr::Starred(it) => self.expr(&it.value),
            Expr::Slice(it) => {
                for part in [&it.lower, &it.upper, &it.step].into_iter().flatten() {
                    self.expr(part);
                }
                Value::UNKNOWN
            }
            Expr::IpyEscapeCommand(_) => Value::UNKNOWN,
        }
    }

    fn named(&mut self, name: &str) -> Value {
        match self.lookup(name) {
            Some(value) => value,
            None if self.is_builtin(name) && name != "__file__" && name != "__name__" => Value::name(name),
            None => Value::UNKNOWN,
        }
    }

    fn sequence(&mut self, elements: &'a [Expr]) -> Value {
        let mut values = Vec::with_capacity(elements.len());
        let mut whole = true;
        for element in elements {
            let value = self.expr(element);
            if element.is_starred_expr() {
                match self.folder.elements(&value) {
                    Some(more) => values.extend(more),
                    None => {
                        self.reads_environment(&value, element.range());
                        whole = false;
                    }
                }
            } else {
                values.push(value);
            }
        }
        let list = Value::list(values);
        if whole { list } else { Value::unknown(list.taint) }
    }

    fn f_string(&mut self, it: &'a ExprFString) -> Value {
        let mut made = String::new();
        let mut whole = true;
        let mut taint = Taint::NONE;
        let mut pieces = 0;
        for part in &it.value {
            match part {
                FStringPart::Literal(literal) => {
                    if whole {
                        made.push_str(literal.as_str());
                    }
                }
                FStringPart::FString(string) => {
                    for element in string.elements.iter() {
                        let value = self.element(element);
                        taint = taint.and(value.taint);
                        pieces += 1;
                        if !whole {
                            continue;
                        }
                        match (&value.kind, super::fold::display(&value)) {
                            (_, Some(text)) if made.len() + text.len() < 1 << 16 && self.folder.spend(text.len()) => {
                                made.push_str(&text);
                            }
                            (Kind::Prefix(text), _) => {
                                made.push_str(text);
                                whole = false;
                            }
                            _ => whole = false,
                        }
                    }
                }
            }
        }
        if pieces > 1 {
            taint = taint.and(Taint::JOINED);
        }
        let kind = if whole { Kind::Text(made.into()) } else { Kind::Prefix(made.into()) };
        Value::from(kind).with(taint)
    }

    fn element(&mut self, element: &'a InterpolatedStringElement) -> Value {
        match element {
            InterpolatedStringElement::Literal(literal) => Value::text(&*literal.value),
            InterpolatedStringElement::Interpolation(it) => {
                let value = self.expr(&it.expression);
                self.reads_environment(&value, it.expression.range());
                match &it.format_spec {
                    None => value,
                    Some(spec) => {
                        let mut plain = true;
                        for element in spec.elements.iter() {
                            self.element(element);
                            plain = false;
                        }
                        if plain { value } else { Value::unknown(value.taint) }
                    }
                }
            }
        }
    }

    /// `left op right`, and whether that is very much.
    pub(super) fn operator(&mut self, op: Operator, left: &Value, right: &Value, range: TextRange) -> Value {
        let times = match op {
            Operator::Mult => left.as_int().map(|times| (times, right)).or(right.as_int().map(|times| (times, left))),
            _ => None,
        };
        if let Some((times, of)) = times {
            let size = match &of.kind {
                Kind::Text(text) => Some(text.len() as u64),
                Kind::Bytes(bytes) => Some(bytes.len() as u64),
                // A reference is eight bytes.
                Kind::List(values) => Some(8 * values.len() as u64),
                _ => None,
            };
            if let (Some(size), Ok(times)) = (size, u64::try_from(times)) {
                self.allocates(size.saturating_mul(times), range, "repeats");
                if times > LONG as u64 && size > 0 && matches!(of.kind, Kind::List(_)) {
                    return Kind::Name("range(long)".into()).into();
                }
            }
        }
        if op == Operator::Pow
            && let (Some(base), Some(power)) = (left.as_int(), right.as_int())
        {
            let digits = (base.unsigned_abs().max(1) as f64).log2() * power as f64 / 8.0;
            if digits >= HUGE as f64 {
                self.allocates(digits.min(1e18) as u64, range, "makes a number of");
            }
        }
        if op == Operator::Pow
            && matches!((&left.kind, &right.kind), (Kind::Int(_), Kind::Float(float)) if *float > 1e18)
        {
            self.allocates(u64::MAX, range, "makes a number of");
        }
        if op == Operator::LShift
            && let (Some(_), Some(by)) = (left.as_int(), right.as_int())
        {
            self.allocates(u64::try_from(by / 8).unwrap_or(0), range, "makes a number of");
        }
        let mut made = self.folder.operator(op, left, right);
        if op == Operator::BitXor {
            // Bits that are mixed are deciphered.
            made = made.with(Taint::DECODED);
        }
        if let (Operator::BitOr | Operator::Add, Kind::Name(name)) = (op, &left.kind)
            && &**name == "os.environ"
        {
            self.reads_environment(left, range);
        }
        // Powers that do not fit are large numbers all the same.
        if !made.is_known() && op == Operator::Pow && left.as_int().is_some() && right.as_int().is_some() {
            return Kind::Float(f64::MAX).into();
        }
        made
    }

    /// Remarks if that is very much at once.
    pub(super) fn allocates(&mut self, bytes: u64, range: TextRange, does: &str) {
        if bytes < HUGE {
            return;
        }
        let message = format!("{does} {} at once", size(bytes));
        self.remark(range, Remark::new(Rule::V902, message).amount(Some(bytes)));
    }

    fn comprehension(
        &mut self,
        generators: &'a [Comprehension],
        key: Option<&'a Expr>,
        element: Option<&'a Expr>,
    ) -> Value {
        let scope = self.new_scope(Some(self.scope), ScopeKind::Function, self.unit);
        // What is in a class body sees the class's names in its first iterable only; all of them are shown here.
        let (unit, class) = (self.unit, self.class);
        let mut frames = 0;
        let made = self.inside(unit, scope, class, |this| {
            let mut taint = Taint::NONE;
            let mut over = Value::UNKNOWN;
            for (at, generator) in generators.iter().enumerate() {
                over = this.expr(&generator.iter);
                this.reads_environment(&over, generator.iter.range());
                taint = taint.and(over.taint);
                let (each, frame) = this.iterate(&over, generator.iter.range());
                this.loops.push(frame);
                frames += 1;
                if generators.len() > 1 || at > 0 || !generator.ifs.is_empty() {
                    this.bind(&generator.target, each);
                    for condition in &generator.ifs {
                        this.expr(condition);
                    }
                }
            }
            let single = generators.len() == 1 && generators[0].ifs.is_empty();
            let elements = if single { this.folder.elements(&over) } else { None };
            match elements {
                Some(elements) if !elements.is_empty() && elements.len() <= MOST_ROUNDS => {
                    let mut values = Vec::new();
                    let mut items = Vec::new();
                    for (round, each) in elements.into_iter().enumerate() {
                        if round == 1 {
                            this.repeating += 1;
                        }
                        if round > 0 && this.repeats == 0 {
                            break;
                        }
                        this.bind(&generators[0].target, each);
                        let key = key.map(|key| this.expr(key));
                        let value = element.map_or(Value::UNKNOWN, |element| this.expr(element));
                        match key {
                            Some(key) => items.push((key, value)),
                            None => values.push(value),
                        }
                    }
                    if values.len() + items.len() > 1 {
                        this.repeating -= 1;
                    }
                    if key.is_some() { Value::dict(items) } else { Value::list(values).with(Taint::JOINED) }
                }
                _ => {
                    if single {
                        let (each, _) = this.iterate(&over, generators[0].iter.range());
                        this.bind(&generators[0].target, each);
                    }
                    if let Some(key) = key {
                        this.expr(key);
                    }
                    let value = element.map_or(Value::UNKNOWN, |element| this.expr(element));
                    Value::unknown(taint.and(value.taint))
                }
            }
        });
        for _ in 0..frames {
            let frame: Loop = self.loops.pop().expect("they were put there above");
            let header = generators.first().map_or(TextRange::default(), |generator| generator.iter.range());
            self.loop_ends(frame, header);
        }
        made
    }

    /// `base.name`.
    pub(super) fn attribute(&mut self, base: &Value, name: &str, range: TextRange) -> Value {
        self.introspects(name, range);
        match &base.kind {
            Kind::Name(module) => {
                let module = module.clone();
                if name == "__file__" && names::is_standard(&module) || &*module == "sys" && name.ends_with("prefix") {
                    return Kind::Prefix("/usr/lib/python3/".into()).into();
                }
                if name == "__self__" && self.is_builtin(&module) {
                    return Value::name("builtins");
                }
                let full = format!("{module}.{name}");
                self.uses(&module, name, range);
                Value::name(&full).with(base.taint)
            }
            Kind::Module(scope) => {
                let found = self.scopes[*scope].names.get(name).cloned();
                found.unwrap_or_else(|| {
                    let unit = self.scopes[*scope].unit;
                    let module = self.own.iter().find(|(_, own)| **own == Some(unit)).map(|(module, _)| module.clone());
                    match module.map(|module| format!("{module}.{name}")) {
                        Some(module) if self.own.contains_key(&module) => self.module_value(&module),
                        _ => Value::UNKNOWN,
                    }
                })
            }
            Kind::Class(class) | Kind::Object(class) => {
                let object = matches!(base.kind, Kind::Object(_));
                self.member(*class, name, object, 0).unwrap_or(Value::UNKNOWN)
            }
            Kind::Path(path) => match name {
                "parent" => {
                    let parent = path.trim_end_matches('/').rsplit_once('/').map_or(".", |(parent, _)| parent);
                    Kind::Path(if parent.is_empty() { "/" } else { parent }.into()).into()
                }
                "name" => Value::text(path.rsplit('/').next().unwrap_or("")),
                _ => Value::UNKNOWN,
            },
            Kind::Any(values) => {
                let values: Vec<Value> = values.iter().cloned().collect();
                Value::one_of(values.iter().map(|value| self.attribute(value, name, range)))
            }
            Kind::Text(_)
            | Kind::Bytes(_)
            | Kind::List(_)
            | Kind::Dict(_)
            | Kind::Int(_)
            | Kind::None
            | Kind::Bool(_)
                if name.starts_with("__") =>
            {
                Value::name(&format!("object.{name}"))
            }
            _ if name == "__globals__" || name == "f_globals" || name == "f_builtins" || name == "f_back" => {
                Value::name(&format!("object.{name}"))
            }
            _ if name == "__class__" || name == "__builtins__" => Value::name(name),
            _ => Value::unknown(base.taint),
        }
    }

    /// What a class, or what it inherits from, has under a name.
    pub(super) fn member(&mut self, class: usize, name: &str, object: bool, depth: u32) -> Option<Value> {
        if depth > 16 {
            return None;
        }
        let scope = self.classes[class].scope;
        if let Some(value) = self.scopes[scope].names.get(name) {
            let bound = match (&value.kind, object) {
                // The object comes first when the method is called.
                (Kind::Function(id), true) if !self.functions[*id].is_static => Kind::Function(*id).into(),
                _ => value.clone(),
            };
            return Some(bound);
        }
        let bases = self.classes[class].bases.clone();
        for base in bases {
            let found = match &base.kind {
                Kind::Class(base) => self.member(*base, name, object, depth + 1),
                Kind::Name(base) => {
                    let base = if object { format!("{base}()") } else { base.to_string() };
                    Some(Value::name(&format!("{base}.{name}")))
                }
                _ => None,
            };
            if found.is_some() {
                return found;
            }
        }
        None
    }

    /// Attributes that are remarks by themselves.
    fn introspects(&mut self, name: &str, range: TextRange) {
        match name {
            "__subclasses__" => {
                self.remark(range, Remark::new(Rule::V601, "lists the subclasses of a class").subject(name));
            }
            "f_back" | "f_globals" | "f_builtins" | "f_locals" | "gi_frame" | "cr_frame" | "ag_frame" | "tb_frame" => {
                self.remark(range, Remark::new(Rule::V602, format!("looks at frames by {name}")).subject(name));
            }
            _ => {}
        }
    }

    /// `base[key]`.
    fn subscript(&mut self, base: &'a Expr, key: &'a Expr, range: TextRange) -> Value {
        let value = self.expr(base);
        if let Expr::Slice(slice) = key {
            let mut part = |part: &'a Option<Box<Expr>>| part.as_ref().map(|part| self.expr(part));
            let parts = [part(&slice.lower), part(&slice.upper), part(&slice.step)];
            let reversed = slice.step.is_some();
            let made = self.folder.slice(&value, parts).unwrap_or(Value::unknown(value.taint));
            return if reversed { made.with(Taint::JOINED).with(Taint::DECODED) } else { made };
        }
        let at = self.expr(key);
        let values: Vec<Value> = value.alternatives();
        Value::one_of(values.iter().map(|value| self.item(value, key, &at, range)))
    }

    fn item(&mut self, value: &Value, key: &'a Expr, at: &Value, range: TextRange) -> Value {
        let Kind::Name(name) = &value.kind else {
            return self.folder.subscript(value, at).unwrap_or(Value::unknown(value.taint));
        };
        let name: Rc<str> = name.clone();
        let space = if &*name == "sys.modules" {
            Some("sys.modules")
        } else if ["globals()", "locals()", "vars()"].contains(&&*name) {
            Some("globals()")
        } else if name.ends_with("__dict__")
            || name.starts_with("vars(")
            || name.ends_with("__builtins__")
            || name.ends_with("f_builtins")
        {
            Some("__dict__")
        } else if name.ends_with("__globals__") || name.ends_with("f_globals") || name.ends_with("f_locals") {
            Some("__globals__")
        } else {
            None
        };
        let Some(space) = space else {
            if &*name == "os.environ" {
                return if at.as_text() == Some("HOME") { Value::text("~") } else { Value::UNKNOWN };
            }
            return Value::name(&format!("{name}[]")).with(value.taint);
        };
        self.computed(range, key, at, &name);
        let Some(text) = at.as_text() else { return Value::UNKNOWN };
        match space {
            "sys.modules" => self.module_value(text),
            "globals()" => match self.lookup(text) {
                Some(value) => value,
                None if text == "__builtins__" || self.is_builtin(text) => Value::name(text),
                None => Value::UNKNOWN,
            },
            "__dict__" => {
                let module = name.strip_suffix(".__dict__").unwrap_or(&name);
                let module = module.strip_prefix("vars(").map_or(module, |rest| rest.trim_end_matches(')'));
                if module == "__dict__" || module.ends_with("__builtins__") || module.ends_with("f_builtins") {
                    return Value::name(text);
                }
                let base = Value::name(module);
                self.attribute(&base, text, range)
            }
            // Whose globals these are is not known; what they are asked for says enough.
            _ => match text {
                "__builtins__" => Value::name("__builtins__"),
                "system" | "popen" | "execv" | "execve" | "execvp" | "fork" | "spawnv" | "posix_spawn" | "environ" => {
                    Value::name(&format!("os.{text}"))
                }
                "Popen" | "check_output" | "run" => Value::name(&format!("subprocess.{text}")),
                _ if names::is_standard(text) => Value::name(text),
                _ if self.is_builtin(text) => Value::name(text),
                _ => Value::UNKNOWN,
            },
        }
    }

    /// Remarks on a name that is computed and looked up in what holds functions and modules.
    pub(super) fn computed(&mut self, range: TextRange, key: &'a Expr, value: &Value, space: &str) {
        if key.is_string_literal_expr() {
            return;
        }
        let message = match value.as_text() {
            Some(text) => format!("looks {text:?} up in {space}, by a name that is put together"),
            None => format!("looks a computed name up in {space}"),
        };
        let confidence =
            if value.taint.has(Taint::DECODED.and(Taint::JOINED)) { Confidence::High } else { Confidence::Medium };
        self.remark(range, Remark::new(Rule::V503, message).subject(space).confidence(confidence));
    }

    /// Remarks if all of the environment's variables are looked at.
    pub(super) fn reads_environment(&mut self, value: &Value, range: TextRange) {
        let whole = |name: Option<&str>| matches!(name, Some("os.environ" | "os.environb" | "os.environ.items()"));
        let any = match &value.kind {
            Kind::Any(values) => values.iter().any(|value| whole(value.as_name())),
            _ => whole(value.as_name()),
        };
        if any {
            self.remark(range, Remark::new(Rule::V801, "reads all environment variables").subject("os.environ"));
        }
    }

    /// Remarks that come of the use of a name of a module, called or not.
    fn uses(&mut self, module: &str, name: &str, range: TextRange) {
        if module == "ctypes" && (name == "pythonapi" || name == "cdll") {
            let remark = Remark::new(Rule::V401, format!("reaches into native code by ctypes.{name}"));
            self.remark(range, remark.subject("ctypes").confidence(Confidence::Medium));
        }
    }

    /// A decorator is a call.
    pub(super) fn decorate(&mut self, decorator: &Value, value: Value, range: TextRange) -> Value {
        if !matches!(decorator.kind, Kind::Name(_) | Kind::Function(_)) {
            return value;
        }
        let given = Given { positional: vec![value.clone()], ..Given::default() };
        let made = self.apply(decorator, &given, range, None);
        match made.kind {
            Kind::Text(_) | Kind::Bytes(_) => made,
            // What wraps a function still is that function, as far as can be told.
            _ => value,
        }
    }
}

/// For people: `4.0 GiB`.
pub(super) fn size(bytes: u64) -> String {
    if bytes >= 1 << 60 {
        return "more bytes than there are".into();
    }
    match bytes {
        0..0x10_0000 => format!("{} KiB", bytes >> 10),
        0x10_0000..0x4000_0000 => format!("{} MiB", bytes >> 20),
        _ => format!("{:.1} GiB", bytes as f64 / (1 << 30) as f64),
    }
}
