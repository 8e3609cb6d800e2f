//! One name for what has several: `posix.system` is `os.system`, and so is `shutil.os.system`.

use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::LazyLock;

/// Python's own modules of all versions from 3.8 on, by their first names.
pub(crate) fn is_standard(module: &str) -> bool {
    static NAMES: LazyLock<HashSet<&str>> = LazyLock::new(|| include_str!("../stdlib.txt").lines().collect());
    let first = module.split('.').next().unwrap_or(module);
    // Private parts of the interpreter differ from version to version.
    NAMES.contains(first)
}

/// What a name that nothing in the submission gives a meaning is found as in `builtins`.
pub(crate) const BUILTINS: &[&str] = &[
    "__import__",
    "__build_class__",
    "__builtins__",
    "__loader__",
    "__spec__",
    "__file__",
    "__name__",
    "abs",
    "aiter",
    "all",
    "anext",
    "any",
    "ascii",
    "bin",
    "bool",
    "breakpoint",
    "bytearray",
    "bytes",
    "callable",
    "chr",
    "classmethod",
    "compile",
    "complex",
    "delattr",
    "dict",
    "dir",
    "divmod",
    "enumerate",
    "eval",
    "exec",
    "execfile",
    "exit",
    "filter",
    "float",
    "format",
    "frozenset",
    "getattr",
    "globals",
    "hasattr",
    "hash",
    "help",
    "hex",
    "id",
    "input",
    "int",
    "isinstance",
    "issubclass",
    "iter",
    "len",
    "list",
    "locals",
    "map",
    "max",
    "memoryview",
    "min",
    "next",
    "object",
    "oct",
    "open",
    "ord",
    "pow",
    "print",
    "property",
    "quit",
    "range",
    "repr",
    "reversed",
    "round",
    "set",
    "setattr",
    "slice",
    "sorted",
    "staticmethod",
    "str",
    "sum",
    "super",
    "tuple",
    "type",
    "vars",
    "zip",
];

/// Beginnings that stand for others.
const SAME: &[(&str, &str)] = &[
    ("builtins", ""),
    ("__builtins__", ""),
    ("__builtin__", ""),
    ("posix", "os"),
    ("nt", "os"),
    ("posixpath", "os.path"),
    ("ntpath", "os.path"),
    ("genericpath", "os.path"),
    ("_socket", "socket"),
    ("_io", "io"),
    ("_pyio", "io"),
    ("io.open", "open"),
    ("io.open_code", "open"),
    ("io.FileIO", "open"),
    ("codecs.open", "open"),
    ("thread", "_thread"),
    ("_pickle", "pickle"),
    ("cPickle", "pickle"),
    ("pickle._load", "pickle.load"),
    ("pickle._loads", "pickle.loads"),
    ("_ctypes", "ctypes"),
    ("_ctypes.dlopen", "ctypes.CDLL"),
    ("_posixsubprocess", "subprocess"),
    ("subprocess.fork_exec", "subprocess.Popen"),
    ("_imp", "imp"),
    ("_frozen_importlib", "importlib._bootstrap"),
    ("_frozen_importlib_external", "importlib._bootstrap_external"),
    ("importlib.__import__", "__import__"),
    ("importlib._bootstrap.__import__", "__import__"),
    ("_signal", "signal"),
    ("_operator", "operator"),
    ("_functools", "functools"),
    ("_codecs", "codecs"),
    ("urllib2", "urllib.request"),
    ("urllib.urlopen", "urllib.request.urlopen"),
    ("httplib", "http.client"),
    ("SocketServer", "socketserver"),
    ("BaseHTTPServer", "http.server"),
    ("commands", "subprocess"),
    ("pathlib.PosixPath", "pathlib.Path"),
    ("pathlib.PurePath", "pathlib.Path"),
    ("pathlib.PurePosixPath", "pathlib.Path"),
    ("multiprocessing.context.Process", "multiprocessing.Process"),
    ("multiprocessing.process.BaseProcess", "multiprocessing.Process"),
    ("multiprocessing.pool.Pool", "multiprocessing.Pool"),
    ("multiprocessing.get_context()", "multiprocessing"),
    ("concurrent.futures.thread", "concurrent.futures"),
    ("concurrent.futures.process", "concurrent.futures"),
    ("asyncio.subprocess.create_subprocess_exec", "asyncio.create_subprocess_exec"),
    ("asyncio.subprocess.create_subprocess_shell", "asyncio.create_subprocess_shell"),
    ("requests.api", "requests"),
    ("requests.sessions.Session", "requests.Session"),
    ("requests.session", "requests.Session"),
    ("importlib.util.module_from_spec().loader", "importlib.loader"),
    ("ctypes.cdll.LoadLibrary", "ctypes.CDLL"),
    ("ctypes.LibraryLoader().LoadLibrary", "ctypes.CDLL"),
    ("ctypes.PyDLL", "ctypes.CDLL"),
    ("sys.modules.__getitem__", "sys.modules.get"),
];

/// Modules that others import, so that they are found as attributes of many.
const PASSED_ON: &[&str] =
    &["os", "sys", "subprocess", "builtins", "socket", "ctypes", "importlib", "__builtins__", "_os", "_sys"];

/// Of one dotted name.
pub(crate) fn canonical(name: &str) -> Cow<'_, str> {
    let mut name = Cow::Borrowed(name);
    // Each round makes the name shorter or ends; the bound is for tables that would not.
    for _ in 0..6 {
        let Some(next) = step(&name) else { break };
        name = Cow::Owned(next);
    }
    name
}

fn step(name: &str) -> Option<String> {
    if let Some((first, rest)) = name.split_once('.')
        && (is_standard(first) || first == "sys" || first == "object")
    {
        let (second, after) = rest.split_once('.').unwrap_or((rest, ""));
        let plain = second.strip_prefix('_').filter(|plain| PASSED_ON.contains(plain)).unwrap_or(second);
        let own = first == "asyncio" && second == "subprocess" || first == "concurrent" || first == "test";
        if PASSED_ON.contains(&second) && !own && first != second {
            return Some(if after.is_empty() { plain.to_owned() } else { format!("{plain}.{after}") });
        }
    }
    let mut best: Option<(&str, &str)> = None;
    for (from, to) in SAME {
        let begins = name.strip_prefix(from).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '(']));
        if begins && from != to && best.is_none_or(|(longest, _)| from.len() > longest.len()) {
            best = Some((from, to));
        }
    }
    let (from, to) = best?;
    let rest = &name[from.len()..];
    if to.is_empty() {
        let rest = rest.strip_prefix('.')?;
        return (!rest.is_empty()).then(|| rest.to_owned());
    }
    Some(format!("{to}{rest}"))
}

#[cfg(test)]
mod tests {
    use super::canonical;

    #[test]
    fn one_thing_has_one_name() {
        for (name, same) in [
            ("posix.system", "os.system"),
            ("shutil.os.system", "os.system"),
            ("subprocess.os.sys.modules", "sys.modules"),
            ("builtins.exec", "exec"),
            ("__builtins__.__import__", "__import__"),
            ("builtins", "builtins"),
            ("io.open", "open"),
            ("asyncio.subprocess.PIPE", "asyncio.subprocess.PIPE"),
            ("random._os.popen", "os.popen"),
            ("os.path.join", "os.path.join"),
            ("multiprocessing.get_context().Process", "multiprocessing.Process"),
            ("requests.get", "requests.get"),
        ] {
            assert_eq!(canonical(name), same);
        }
    }
}
