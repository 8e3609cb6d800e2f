//! What is settled when an interpreter starts, and so the same for every program of a nursery.

use std::ffi::CString;

use super::spare::staged;
use crate::plan::Plan;
use crate::spec::Terminal;
use crate::step::Step;
use crate::sys::shown::size;

/// Arguments and variables together, their number and their bytes.
const WORDS_MOST: usize = 1024;
const BYTES_MOST: usize = 32 << 10;

/// As one nursery was started.
#[derive(Debug)]
pub(super) struct Settled {
    program: CString,
    /// The variables that acted.
    acting: Vec<CString>,
    preloads: bool,
}

impl Settled {
    pub(super) fn new(plan: &Plan, preloads: bool) -> Settled {
        let acting = plan.env.iter().filter(|one| acts(one.as_bytes(), preloads)).cloned().collect();
        Settled { program: plan.program.clone(), acting, preloads }
    }

    /// Whether a program with this plan cannot tell that its interpreter was started for none.
    pub(super) fn suits(&self, plan: &Plan) -> Result<(), String> {
        if plan.program != self.program {
            return Err("its interpreter is another".into());
        }
        // What is built ahead is told the lengths of these in one message.
        if size(&plan.args) + size(&plan.env) > BYTES_MOST || plan.args.len() + plan.env.len() > WORDS_MOST {
            return Err("its arguments and variables are many or long".into());
        }
        // The arguments begin with the interpreter's own name.
        if plan.args.get(1).is_none_or(|script| script.is_empty() || script.as_bytes().starts_with(b"-")) {
            return Err("its first argument names no script, but is for the interpreter".into());
        }
        if plan.terminal != Terminal::None {
            return Err("it has a terminal".into());
        }
        if plan.steps.iter().any(|step| matches!(step, Step::Selinux(_))) {
            return Err("SELinux gives a cell its domain at an exec".into());
        }
        let acting: Vec<&CString> = plan.env.iter().filter(|one| acts(one.as_bytes(), self.preloads)).collect();
        if !acting.iter().copied().eq(&self.acting) {
            let other = acting
                .iter()
                .find(|one| !self.acting.contains(one))
                .or(self.acting.iter().find(|one| !acting.contains(one)).as_ref())
                .map_or("?".into(), |one| name_of(one));
            return Err(format!("the variable {other} acts when an interpreter starts"));
        }
        let site = |path: &CString| path.as_bytes().starts_with(b"/work/.local/");
        if staged(plan).iter().any(|file| site(file.path())) {
            return Err("its input holds packages for its user, which are looked for when an interpreter starts".into());
        }
        Ok(())
    }
}

fn name_of(variable: &CString) -> String {
    variable.to_string_lossy().split('=').next().unwrap_or_default().to_owned()
}

/// Whether an environment variable acts when an interpreter starts, or when a module is imported that a nursery
/// imports ahead of need (whose habits are not known, so that then each one may).
fn acts(variable: &[u8], preloads: bool) -> bool {
    const PREFIXES: &[&[u8]] =
        &[b"PYTHON", b"LC_", b"LANG", b"LOCPATH=", b"GCONV_PATH=", b"HOME=", b"TZ", b"MALLOC_", b"GLIBC_"];
    if variable.starts_with(b"GAMBESON_") {
        return false;
    }
    preloads || PREFIXES.iter().any(|prefix| variable.starts_with(prefix))
}
