//! From a [`Submission`] to an [`Admitted`]: whatever makes no sense is refused here, in a sentence, before anything
//! is queued. A pure function; only it makes an `Admitted`.

use std::collections::BTreeMap;

use gambeson_api::{
    Class, Code, Content, Destination, Digest, FileContent, Limits, LimitsProblem, Network, Problem, Project,
    Submission,
};
use serde::Serialize;

use crate::store::{Ask, Input};

/// A submission that may be queued, once its quota is reserved.
#[derive(Debug, Clone)]
pub(crate) struct Admitted {
    /// The digest of `source_body`.
    pub source: Digest,
    /// The files, as they are stored: JSON of path to content.
    pub source_body: Vec<u8>,
    /// The blobs that it names.
    pub blobs: Vec<Digest>,
    pub ask: Ask,
    /// What the program is given, as it is stored, with its digest; `None` if that is nothing.
    pub input: Option<(Digest, Vec<u8>)>,
    /// Bytes that each element stores beside the files.
    pub ask_bytes: u64,
    pub class: Class,
    pub array: Option<u32>,
    pub idempotency: Option<Idempotency>,
}

/// An idempotency key, and what it stands for.
#[derive(Debug, Clone)]
pub(crate) struct Idempotency {
    pub key: String,
    /// Of everything that was submitted.
    pub fingerprint: [u8; 32],
}

const FILES_MOST: usize = 10_000;
const ARGS_MOST: usize = 1_000;
/// One argument or variable may have 128 KiB (MAX_ARG_STRLEN, execve(2)); all of them together this.
const WORDS_MOST: usize = 512 << 10;
const WORD_MOST: usize = 100 << 10;
const LABELS_MOST: usize = 32;
/// Each label of each element is a row of its own.
const LABEL_ROWS_MOST: u64 = 50_000;
const ARRAY_BYTES_MOST: u64 = 64 << 20;

/// Checks everything that can be checked without the store.
///
/// # Errors
/// The first thing that makes no sense, or is above a ceiling.
pub(crate) fn admit(submission: &Submission, project: &Project, installation: &Limits) -> Result<Admitted, Problem> {
    if submission.webhook.is_some() {
        return Err(Problem::new(Code::WebhookOff, "the submission has a webhook"));
    }
    if submission.class > project.class_most {
        let detail = format!(
            "class {} is above {}, the highest of project {}",
            submission.class.name(),
            project.class_most.name(),
            project.name
        );
        return Err(Problem::new(Code::LimitsAboveCeiling, detail));
    }
    let limits = limits(submission, project, installation)?;
    files(submission, &limits)?;
    words(submission)?;
    network(&submission.network, project)?;
    labels(&submission.labels)?;
    if let Some(size) = submission.array
        && !(1..=Submission::ARRAY_MOST).contains(&size)
    {
        return Err(invalid(format!("array is {size}; it has from 1 to {} elements", Submission::ARRAY_MOST)));
    }
    let labels = submission.labels.len() as u64 * u64::from(submission.array.unwrap_or(1));
    if labels > LABEL_ROWS_MOST {
        let detail = format!("the elements have {labels} labels together; at most {LABEL_ROWS_MOST}: use fewer");
        return Err(Problem::new(Code::TooLarge, detail));
    }
    let idempotency = match &submission.idempotency_key {
        None => None,
        Some(key) if (1..=255).contains(&key.len()) && key.bytes().all(|byte| (0x20..0x7f).contains(&byte)) => {
            // The key itself says nothing about what is submitted.
            let bare = Submission { idempotency_key: None, ..submission.clone() };
            Some(Idempotency { key: key.clone(), fingerprint: Digest::of(&to_json(&bare)?).0 })
        }
        Some(_) => return Err(invalid("idempotency_key has 1 to 255 printable ASCII characters".into())),
    };
    let source_body = to_json(&submission.files)?;
    let blobs = submission.files.values().filter_map(|file| match file {
        FileContent::Blob { digest, .. } => Some(*digest),
        FileContent::Inline { .. } => None,
    });
    let ask = Ask {
        entry: submission.entry.clone(),
        limits,
        network: submission.network.clone(),
        labels: submission.labels.clone(),
        may_rerun: submission.may_rerun,
        start: submission.start.max(project.start),
    };
    let input = Input {
        args: submission.args.clone(),
        env: submission.env.clone(),
        stdin: Content(submission.stdin.clone().into_bytes()),
    };
    let input = if input == Input::default() { None } else { Some(to_json(&input)?) };
    let input = input.map(|body| (Digest::of(&body), body));
    // Each element has a row of its own: a large one ten thousand times would be a way to fill the disk.
    let ask_bytes = (to_json(&ask)?.len() + input.as_ref().map_or(0, |(_, body)| body.len())) as u64;
    if ask_bytes * u64::from(submission.array.unwrap_or(1)) > ARRAY_BYTES_MOST {
        let detail = "arguments, variables and stdin of all elements together are above 64 MiB: bring them as a file";
        return Err(Problem::new(Code::TooLarge, detail));
    }
    Ok(Admitted {
        source: Digest::of(&source_body),
        blobs: blobs.collect(),
        source_body,
        class: submission.class,
        array: submission.array,
        idempotency,
        ask,
        input,
        ask_bytes,
    })
}

fn invalid(detail: String) -> Problem {
    Problem::new(Code::InvalidSubmission, detail)
}

fn to_json(value: &impl Serialize) -> Result<Vec<u8>, Problem> {
    serde_json::to_vec(value).map_err(|error| invalid(error.to_string()))
}

/// The limits, as asked for or by default, within both ceilings. A default that is above a ceiling is lowered to it:
/// nobody asked for it.
fn limits(submission: &Submission, project: &Project, installation: &Limits) -> Result<Limits, Problem> {
    let defaults = lower(&lower(&Limits::default(), &project.ceiling), installation);
    let limits = Limits::from_asked(&submission.limits, defaults)
        .map_err(|error| Problem::new(Code::InvalidLimits, error.to_string()))?;
    let above = |error: LimitsProblem| Problem::new(Code::LimitsAboveCeiling, error.to_string());
    limits.within(&project.ceiling, "the project").map_err(above)?;
    limits.within(installation, "this installation").map_err(above)?;
    Ok(limits)
}

/// Whether a job may ask for this network: every place that it names is one of the project's.
fn network(asked: &Network, project: &Project) -> Result<(), Problem> {
    let Network::Allow(asked) = asked else { return Ok(()) };
    if asked.is_empty() || asked.len() > Destination::JOB_MOST {
        let most = Destination::JOB_MOST;
        return Err(invalid(format!("network.allow has {} places; it has from 1 to {most}", asked.len())));
    }
    let beyond = asked.iter().find(|asked| !project.network_allow.iter().any(|allowed| allowed.covers(asked)));
    let Some(beyond) = beyond else { return Ok(()) };
    let allowed: Vec<String> = project.network_allow.iter().take(20).map(Destination::to_string).collect();
    let allows = match allowed.as_slice() {
        [] => "no place".into(),
        allowed => allowed.join(", "),
    };
    let more = if project.network_allow.len() > allowed.len() { " and more" } else { "" };
    let detail = format!("network.allow has {beyond}; project {} allows {allows}{more}", project.name);
    Err(Problem::new(Code::LimitsAboveCeiling, detail))
}

fn lower(one: &Limits, other: &Limits) -> Limits {
    Limits {
        memory_bytes: one.memory_bytes.min(other.memory_bytes),
        wall_ms: one.wall_ms.min(other.wall_ms),
        cpu_ms: one.cpu_ms.min(other.cpu_ms),
        cpus_milli: one.cpus_milli.min(other.cpus_milli),
        pids: one.pids.min(other.pids),
        disk_bytes: one.disk_bytes.min(other.disk_bytes),
        files: one.files.min(other.files),
        open_files: one.open_files.min(other.open_files),
        output_bytes: one.output_bytes.min(other.output_bytes),
    }
}

fn files(submission: &Submission, limits: &Limits) -> Result<(), Problem> {
    let files = &submission.files;
    if files.len() > FILES_MOST || files.len() as u64 > u64::from(limits.files) {
        let most = u64::from(limits.files).min(FILES_MOST as u64);
        return Err(invalid(format!("there are {} files; at most {most} can be brought", files.len())));
    }
    for path in files.keys() {
        path_is_plain(path).map_err(|why| Problem::new(Code::InvalidPath, format!("{:?} {why}", short(path))))?;
    }
    // Sorted by bytes, what lies below a path does not always come right after it: "a", "a-b", "a/c".
    for path in files.keys() {
        let mut above = path.as_str();
        while let Some((directory, _)) = above.rsplit_once('/') {
            if files.contains_key(directory) {
                let detail = format!("{:?} is a file, and {:?} lies below it", short(directory), short(path));
                return Err(Problem::new(Code::InvalidPath, detail));
            }
            above = directory;
        }
    }
    if !files.contains_key(&submission.entry) {
        let detail = format!("entry is {:?}, which is not among the files", short(&submission.entry));
        return Err(invalid(detail));
    }
    let bytes: u64 = files
        .values()
        .map(|file| match file {
            FileContent::Inline { bytes, .. } => bytes.len() as u64,
            // What the client says of a blob's size is not looked at: the store knows.
            FileContent::Blob { .. } => 0,
        })
        .sum();
    if bytes > limits.disk_bytes {
        let detail = format!("the files have {bytes} bytes, the limit disk is {}", limits.disk_bytes);
        return Err(invalid(detail));
    }
    Ok(())
}

/// Whether a path may be one below `/work`.
pub(crate) fn path_is_plain(path: &str) -> Result<(), &'static str> {
    let parts: Vec<&str> = path.split('/').collect();
    if path.is_empty() || path.len() > 1024 || parts.len() > 32 {
        return Err("has not 1 to 1024 bytes in at most 32 parts");
    }
    if parts.iter().any(|part| part.is_empty() || *part == "." || *part == "..") {
        return Err("is absolute, or has an empty part, '.' or '..'");
    }
    if parts.iter().any(|part| part.len() > 255) {
        return Err("has a part of more than 255 bytes");
    }
    if path.chars().any(is_unprintable) {
        return Err("has a control character, or one that changes how others are shown");
    }
    Ok(())
}

/// Control characters, and those that reorder or hide text (Unicode TR #36).
fn is_unprintable(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

fn words(submission: &Submission) -> Result<(), Problem> {
    let args = submission.args.iter().map(|arg| ("an argument", arg));
    let values = submission.env.iter().flat_map(|(name, value)| [("a variable's name", name), ("a variable", value)]);
    let (mut all, mut count) = (0, 0);
    for (what, word) in args.chain(values) {
        if word.contains('\0') {
            return Err(invalid(format!("{what} holds a NUL character")));
        }
        if word.len() > WORD_MOST {
            return Err(invalid(format!("{what} has {} bytes; at most {WORD_MOST} can be passed", word.len())));
        }
        all += word.len() + 1;
        count += 1;
    }
    if all > WORDS_MOST || count > ARGS_MOST {
        let detail =
            format!("arguments and variables have {all} bytes in {count} words; at most {WORDS_MOST} in {ARGS_MOST}");
        return Err(invalid(detail));
    }
    for name in submission.env.keys() {
        if name.is_empty() || name.contains('=') || name.chars().any(char::is_control) {
            return Err(invalid(format!("{:?} is no name of a variable", short(name))));
        }
        // The same as the sandbox refuses: what the interpreter's loader obeys.
        if name.starts_with("LD_") || name == "GLIBC_TUNABLES" {
            return Err(invalid(format!("the variable {} cannot be set: it acts on the loader", short(name))));
        }
    }
    Ok(())
}

fn labels(labels: &BTreeMap<String, String>) -> Result<(), Problem> {
    if labels.len() > LABELS_MOST {
        return Err(invalid(format!("there are {} labels; at most {LABELS_MOST}", labels.len())));
    }
    for (name, value) in labels {
        let plain = |c: char| c.is_ascii_alphanumeric() || "._-/".contains(c);
        if name.is_empty() || name.len() > 64 || !name.chars().all(plain) {
            let detail = format!("label {:?}: a name has 1 to 64 letters, digits, '.', '_', '-' and '/'", short(name));
            return Err(invalid(detail));
        }
        if value.len() > 256 || value.chars().any(is_unprintable) {
            return Err(invalid(format!("label {name:?}: a value has at most 256 bytes, and no control characters")));
        }
    }
    Ok(())
}

/// The beginning of what somebody sent, to be said again.
pub(crate) fn short(text: &str) -> String {
    text.chars().take(80).collect()
}

/// Whether a name of a user, project or key can be used.
pub(crate) fn name_is_plain(name: &str) -> Result<(), Problem> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-@".contains(c);
    let ids = ["usr_", "prj_", "key_", "job_"];
    if name.is_empty() || name.len() > 64 || !name.chars().all(plain) || name == "platform" {
        return Err(Problem::new(Code::InvalidName, format!("{:?}", short(name))));
    }
    if ids.iter().any(|prefix| name.starts_with(prefix)) {
        return Err(Problem::new(Code::InvalidName, format!("{name:?} looks like an id")));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use gambeson_api::{ProjectId, Quantity, Quota, Time};

    fn project() -> Project {
        let quota = Quota { running: 1, queued: 1, cpu_ms_per_day: 1, stored_bytes: 1 };
        Project {
            id: ProjectId::new(),
            name: "lab".into(),
            suspended: false,
            weight: 1,
            quota,
            user_quota: quota,
            ceiling: Limits { wall_ms: 120_000, ..Limits::default() },
            class_most: Class::Normal,
            start: gambeson_api::StartAsked::Warm,
            network_allow: vec!["pypi.org:443".parse().unwrap(), "*.example.org:443".parse().unwrap()],
            created_at: Time(0),
        }
    }

    fn try_admit(change: impl FnOnce(&mut Submission)) -> Result<Admitted, Problem> {
        let mut submission = Submission::of_source("print(1)");
        change(&mut submission);
        admit(&submission, &project(), &Limits { wall_ms: 600_000, ..Limits::default() })
    }

    #[test]
    fn a_plain_submission_is_admitted_with_the_default_limits() {
        let admitted = try_admit(|_| {}).unwrap();
        assert_eq!(admitted.ask.limits, Limits::default());
        assert_eq!(admitted.source_body, br#"{"main.py":"print(1)"}"#);
    }

    #[test]
    fn the_same_files_have_the_same_source() {
        let one = try_admit(|_| {}).unwrap().source;
        assert_eq!(try_admit(|submission| submission.args.push("x".into())).unwrap().source, one);
        assert_ne!(
            try_admit(|submission| submission
                .files
                .insert("a".into(), FileContent::text(""))
                .is_none()
                .then_some(())
                .unwrap())
            .unwrap()
            .source,
            one
        );
    }

    #[test]
    fn what_makes_no_sense_is_refused_by_its_code() {
        let file = |path: &str| {
            let path = path.to_owned();
            move |submission: &mut Submission| {
                submission.files.insert(path, FileContent::text(""));
            }
        };
        for path in ["", "/etc/passwd", "../x", "a/../b", "a//b", "a/", "./a", "a\nb", "a\0b", "\u{202e}a", "main.py/x"]
        {
            assert_eq!(try_admit(file(path)).unwrap_err().code, Code::InvalidPath, "{path:?}");
        }
        assert_eq!(try_admit(file(&"a/".repeat(40))).unwrap_err().code, Code::InvalidPath);
        assert_eq!(try_admit(file(&"a".repeat(256))).unwrap_err().code, Code::InvalidPath);
        type Change = fn(&mut Submission);
        let cases: [(Code, Change); 13] = [
            (Code::InvalidSubmission, |s| s.entry = "other.py".into()),
            (Code::InvalidSubmission, |s| s.files.clear()),
            (Code::InvalidSubmission, |s| s.args.push("a\0b".into())),
            (Code::InvalidSubmission, |s| s.args.push("a".repeat(200_000))),
            (Code::InvalidSubmission, |s| drop(s.env.insert("LD_PRELOAD".into(), "x".into()))),
            (Code::InvalidSubmission, |s| drop(s.env.insert("A=B".into(), "x".into()))),
            (Code::InvalidSubmission, |s| drop(s.labels.insert("a b".into(), "x".into()))),
            (Code::InvalidSubmission, |s| s.array = Some(0)),
            (Code::InvalidSubmission, |s| s.array = Some(10_001)),
            (Code::InvalidSubmission, |s| s.idempotency_key = Some(String::new())),
            (Code::WebhookOff, |s| s.webhook = Some("http://x".into())),
            (Code::LimitsAboveCeiling, |s| s.class = Class::High),
            (Code::LimitsAboveCeiling, |s| s.limits.wall = Some(Quantity("121s".into()))),
        ];
        for (index, (code, change)) in cases.into_iter().enumerate() {
            assert_eq!(try_admit(change).unwrap_err().code, code, "case {index}");
        }
        assert_eq!(try_admit(|s| s.limits.wall = Some(Quantity("0".into()))).unwrap_err().code, Code::InvalidLimits);
    }

    #[test]
    fn a_job_connects_only_where_its_project_may() {
        let asking = |places: &[&str]| {
            let places = places.iter().map(|place| place.parse().unwrap()).collect();
            try_admit(|submission| submission.network = Network::Allow(places))
        };
        for places in [&["pypi.org:443"][..], &["a.example.org:443", "*.b.example.org:443", "*.example.org:443"]] {
            assert_eq!(asking(places).unwrap().ask.network.name(), "allow", "{places:?}");
        }
        for place in ["pypi.org:80", "example.org:443", "*:443", "evil.org:443", "8.8.8.8:443"] {
            let problem = asking(&["pypi.org:443", place]).unwrap_err();
            assert_eq!(problem.code, Code::LimitsAboveCeiling);
            let said = format!("network.allow has {place}; project lab allows pypi.org:443, *.example.org:443");
            assert_eq!(problem.detail, said);
        }
        assert_eq!(asking(&[]).unwrap_err().code, Code::InvalidSubmission);
        assert_eq!(asking(&["pypi.org:443"; 65]).unwrap_err().code, Code::InvalidSubmission);
    }

    #[test]
    fn an_array_does_not_multiply_what_is_large() {
        let large = |submission: &mut Submission| submission.stdin = "x".repeat(1 << 20);
        assert!(try_admit(large).is_ok());
        let many = |submission: &mut Submission| {
            large(submission);
            submission.array = Some(10_000);
        };
        assert_eq!(try_admit(many).unwrap_err().code, Code::TooLarge);
    }

    #[test]
    fn an_idempotency_key_stands_for_everything_else() {
        let with_key = |change: fn(&mut Submission)| {
            try_admit(|submission| {
                submission.idempotency_key = Some("k".into());
                change(submission);
            })
            .unwrap()
            .idempotency
            .unwrap()
            .fingerprint
        };
        assert_eq!(with_key(|_| {}), with_key(|_| {}));
        assert_ne!(with_key(|_| {}), with_key(|submission| submission.may_rerun = true));
    }
}
