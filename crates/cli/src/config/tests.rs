//! Tests of files, variables and flags together, on a machine that is described.

use std::net::SocketAddr;
use std::time::Duration;

use gambeson_sandbox::{Bytes, Layer, MilliCpus};

use super::*;

/// A machine with a configuration file of its own, which goes with the test.
struct Place {
    directory: PathBuf,
    machine: Machine,
}

impl Place {
    fn new(name: &str) -> Place {
        let directory = std::env::temp_dir().join(format!("gambeson-config-{}-{name}", std::process::id()));
        let _ = fs::remove_dir_all(&directory);
        fs::create_dir_all(&directory).unwrap();
        let file = directory.join("gambeson.toml");
        let machine = Machine { root: true, cpus: 4, memory: Bytes(10 << 30), host_name: "box 1\n".into(), file };
        Place { directory, machine }
    }

    fn with(name: &str, text: &str) -> Place {
        let place = Place::new(name);
        fs::write(&place.machine.file, text).unwrap();
        place
    }

    fn load(
        &self,
        variables: &[(&str, &str)],
        flags: &[(&'static str, &str)],
    ) -> Result<(Settings, Vec<Provenance>), ConfigProblem> {
        let environment = |name: &str| variables.iter().find(|(key, _)| *key == name).map(|(_, value)| value.into());
        let flags: Vec<_> = flags.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        Settings::load_on(&self.machine, None, environment, &flags)
    }

    /// What is said of the file, without the path before the number of the line.
    fn said(&self) -> Vec<String> {
        let path = format!("{}:", self.machine.file.display());
        let sentences = self.load(&[], &[]).map(drop).unwrap_err().sentences;
        sentences.iter().map(|sentence| sentence.replace(&path, "")).collect()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.directory);
    }
}

/// The value and the origin of a setting.
fn shown(in_force: &[Provenance], name: &str) -> (String, String) {
    let one = in_force.iter().find(|one| one.setting.name == name).unwrap();
    (one.shown(), one.origin.to_string())
}

fn uncommented(text: &str) -> String {
    let setting =
        |line: &str| line.strip_prefix('#').filter(|rest| !rest.is_empty() && !rest.starts_with(' ')).is_some();
    text.lines().map(|line| if setting(line) { &line[1..] } else { line }).collect::<Vec<_>>().join("\n")
}

#[test]
fn the_commented_file_changes_nothing() {
    let (bare, _) = Place::new("bare").load(&[], &[]).unwrap();
    let (commented, in_force) = Place::with("commented", &document::example()).load(&[], &[]).unwrap();
    assert_eq!(format!("{bare:?}"), format!("{commented:?}"));
    assert!(in_force.iter().all(|one| one.origin == Origin::Default));
}

#[test]
fn the_commented_file_has_every_setting_and_makes_sense_uncommented() {
    let place = Place::with("uncommented", &uncommented(&document::example()));
    let (_, in_force) = place.load(&[], &[]).unwrap();
    for one in &in_force {
        assert!(matches!(one.origin, Origin::File { .. }), "{}", one.setting.name);
        if let Otherwise::Is(text) = one.setting.otherwise {
            assert_eq!(one.value.as_deref(), Some(text), "{}", one.setting.name);
        }
    }
    assert_eq!(in_force.len(), SETTINGS.len());
}

#[test]
fn every_default_is_a_value_and_in_range() {
    for setting in SETTINGS {
        if let Otherwise::Is(text) = setting.otherwise {
            assert_eq!((setting.verdict)(setting, text), Verdict::Good, "{}", setting.name);
        }
        if let Some((least, most)) = setting.range {
            assert_eq!((setting.verdict)(setting, least), Verdict::Good, "{}", setting.name);
            assert_eq!((setting.verdict)(setting, most), Verdict::Good, "{}", setting.name);
        }
    }
}

#[test]
fn the_defaults_of_root_are_those_of_the_documents() {
    let (settings, _) = Place::new("root").load(&[], &[]).unwrap();
    assert_eq!(settings.data_dir, Path::new("/var/lib/gambeson"));
    assert_eq!(settings.server.listen, "127.0.0.1:7373".parse::<SocketAddr>().unwrap());
    assert_eq!(settings.server.socket, Path::new("/var/lib/gambeson/run/gambeson.sock"));
    assert_eq!(settings.server.tls_key, None);
    assert_eq!(settings.worker.name, WorkerName("box-1".into()));
    assert_eq!((settings.worker.slots, settings.worker.cpus), (8, MilliCpus(4000)));
    assert_eq!(settings.worker.memory, Bytes::mebi(8 << 10));
    assert_eq!(settings.worker.accept_missing, []);
    assert_eq!(settings.quota.user_cpu_per_day, Duration::from_secs(360_000));
    assert_eq!(settings.retention.artifacts, Duration::from_secs(7 * 86_400));
    assert_eq!(settings.limits.most().memory, Bytes::mebi(4096));
    assert_eq!(settings.log.format, LogFormat::Pretty);
}

#[test]
fn an_ordinary_user_s_data_is_at_home() {
    let mut place = Place::new("user");
    place.machine.root = false;
    let data_dir = |variables| place.load(variables, &[]).map(|(settings, _)| settings.data_dir);
    assert_eq!(data_dir(&[("HOME", "/home/u")]).unwrap(), Path::new("/home/u/.local/share/gambeson"));
    assert_eq!(data_dir(&[("HOME", "/home/u"), ("XDG_DATA_HOME", "/d")]).unwrap(), Path::new("/d/gambeson"));
    let said = data_dir(&[("XDG_DATA_HOME", "relative")]).unwrap_err().to_string();
    assert!(said.starts_with("data_dir has no default here (") && said.ends_with("or GAMBESON_DATA_DIR"), "{said}");
}

#[test]
fn a_flag_beats_a_variable_beats_the_file_beats_the_default() {
    let place = Place::with("order", "\n[server]\ndrain = \"1s\"\nheader_timeout = \"2s\"\nbody_timeout = \"3s\"\n");
    let variables =
        [("GAMBESON_SERVER_DRAIN", "4s"), ("GAMBESON_SERVER_HEADER_TIMEOUT", "5s"), ("GAMBESON_LOG_FORMAT", "")];
    let (settings, in_force) = place.load(&variables, &[("server.drain", "6s")]).unwrap();
    assert_eq!(settings.server.drain, Duration::from_secs(6));
    let line = format!("{}:5", place.machine.file.display());
    for (name, value, origin) in [
        ("server.drain", "6s", "flag"),
        ("server.header_timeout", "5s", "env GAMBESON_SERVER_HEADER_TIMEOUT"),
        ("server.body_timeout", "3s", line.as_str()),
        ("server.connections_max", "4096", "default"),
        ("log.format", "pretty", "default"),
    ] {
        assert_eq!(shown(&in_force, name), (value.to_owned(), origin.to_owned()), "{name}");
    }
}

#[test]
fn the_places_of_a_moved_data_directory_move_with_it() {
    let (settings, in_force) = Place::new("moved").load(&[], &[("data_dir", "/srv/g/")]).unwrap();
    assert_eq!(settings.server.socket, Path::new("/srv/g/run/gambeson.sock"));
    assert_eq!(settings.worker.state_dir, Path::new("/srv/g/worker"));
    assert_eq!(shown(&in_force, "server.socket").1, "default");
}

#[test]
fn a_relative_path_of_a_file_counts_from_the_file() {
    let place = Place::with("relative", "[server]\ntls_certificate = \"tls/a.pem\"\ntls_key = \"/b\"\n");
    let (settings, _) = place.load(&[], &[]).unwrap();
    assert_eq!(settings.server.tls_certificate, Some(place.directory.join("tls/a.pem")));
    assert_eq!(settings.server.tls_key, Some("/b".into()));
    let (settings, _) = place.load(&[], &[("data_dir", "here")]).unwrap();
    assert_eq!(settings.data_dir, std::env::current_dir().unwrap().join("here"));
}

#[test]
fn a_file_that_was_named_must_exist() {
    let place = Place::new("named");
    let gone = place.directory.join("gone.toml").display().to_string();
    let cannot = format!("the configuration {gone} cannot be read: No such file or directory (os error 2)");
    let said = place.load(&[(CONFIG_VARIABLE, &gone)], &[]).map(drop).unwrap_err();
    assert_eq!(said.to_string(), cannot);
    let said = Settings::load_on(&place.machine, Some(Path::new(&gone)), |_| None, &[]).map(drop).unwrap_err();
    assert_eq!(said.to_string(), cannot);
}

#[test]
fn the_file_of_the_flag_is_read_and_not_that_of_the_variable() {
    let place = Place::with("which", "nonsense");
    let [flag, variable] = ["flag", "variable"].map(|name| {
        let path = place.directory.join(name);
        fs::write(&path, format!("[log]\nlevel = \"{}\"", if name == "flag" { "warn" } else { "error" })).unwrap();
        path
    });
    let environment = |name: &str| (name == CONFIG_VARIABLE).then(|| variable.clone().into_os_string());
    let level = |config| Settings::load_on(&place.machine, config, environment, &[]).unwrap().0.log.level.0;
    assert_eq!(level(Some(&flag)), "warn");
    assert_eq!(level(None), "error");
}

#[test]
fn what_is_no_setting_is_refused_with_the_nearest_one() {
    for (text, said) in [
        ("[server]\nlisen = \"x\"", "2: there is no setting server.lisen; did you mean server.listen?"),
        ("listen = \"x\"", "1: there is no setting listen; did you mean server.listen?"),
        ("[worker]\nhalf_life = \"1h\"", "2: there is no setting worker.half_life; did you mean queue.half_life?"),
        ("data-dir = \"/d\"", "1: there is no setting data-dir; did you mean data_dir?"),
        ("\n[sever]\nlisten = \"x\"", "2: there is no section [sever]; did you mean [server]?"),
        ("[colour]", "1: there is no section [colour]"),
        ("server = 1", "1: server is a section; write [server], and its settings below"),
        ("[log]\nnothing_like_it = 1", "2: there is no setting log.nothing_like_it; gambeson config check lists them"),
        ("log.levle = \"info\"", "1: there is no setting log.levle; did you mean log.level?"),
        (
            "[log.level]\na = 1",
            "1: log.level is a table; write error, warn, info, debug, trace or off, perhaps with \
            target=level after a comma, in quotes",
        ),
    ] {
        assert_eq!(Place::with("unknown", text).said(), [said], "{text}");
    }
}

#[test]
fn what_is_no_value_is_refused_with_how_to_write_one() {
    let time = "write a time such as 500ms, 10s or 2m";
    for (text, said) in [
        ("[server]\ndrain = 10", format!("2: server.drain is a number; {time}, in quotes")),
        ("[server]\ndrain = \"10x\"", format!("2: server.drain is \"10x\"; {time}")),
        ("[server]\ndrain = \"64M\"", format!("2: server.drain is \"64M\"; {time}")),
        (
            "[server]\nbody_max = \"10s\"",
            "2: server.body_max is \"10s\"; write a size such as 512K, 64M or 1.5G".into(),
        ),
        (
            "[server]\nconnections_max = \"4096\"",
            "2: server.connections_max is a text; write a whole number from 1 up".into(),
        ),
        (
            "[server]\nconnections_max = -1",
            "2: server.connections_max is \"-1\"; write a whole number from 1 up".into(),
        ),
        ("[server]\nconnections_max = 1", "2: server.connections_max is \"1\"; it must be from 16 to 1000000".into()),
        (
            "[server]\nheader_timeout = \"0s\"",
            "2: server.header_timeout is \"0s\"; it must be from 100ms to 10m".into(),
        ),
        ("[server]\nallow_plaintext = \"yes\"", "2: server.allow_plaintext is a text; write true or false".into()),
        (
            "[server]\nlisten = \"localhost\"",
            "2: server.listen is \"localhost\"; write an address and a port such as \
            127.0.0.1:7373 or [::1]:7373"
                .into(),
        ),
        ("[server]\ntls_key = \"\"", "2: server.tls_key is \"\"; write a path".into()),
        (
            "[worker]\njoin = \"https://me:s3cret@a\"",
            "2: worker.join is \"https://…@a\"; write https://HOST, \
            http://HOST:PORT or unix:/PATH, without a user or password"
                .into(),
        ),
        (
            "[worker]\naccept_missing = \"landlock\"",
            "2: worker.accept_missing is a text; write names of layers as \
            gambeson doctor prints them, each in quotes, in brackets"
                .into(),
        ),
        (
            "[worker]\naccept_missing = [\"landlok\"]",
            "2: worker.accept_missing is \"landlok\"; write names of layers as \
            gambeson doctor prints them"
                .into(),
        ),
        ("[queue]\nceiling_high = 0", "2: queue.ceiling_high is \"0\"; it must be from 1 to 100".into()),
        (
            "[log]\nlevel = \"inof\"",
            "2: log.level is \"inof\"; write error, warn, info, debug, trace or off, perhaps \
            with target=level after a comma"
                .into(),
        ),
    ] {
        assert_eq!(Place::with("value", text).said(), [said], "{text}");
    }
}

#[test]
fn what_is_no_toml_is_named_with_its_line() {
    let said = Place::with("toml", "[server]\n\ndrain = 10s\n").said();
    assert!(said[0].starts_with("3: this is no TOML: "), "{said:?}");
    assert!(said[0].ends_with("; a size or a time stands in quotes"), "{said:?}");
    let said = Place::with("twice", "[log]\nlevel = \"info\"\nlevel = \"warn\"\n").said();
    assert!(said[0].starts_with("3: this is no TOML: "), "{said:?}");
    assert!(!said[0].contains("in quotes"), "{said:?}");
}

#[test]
fn everything_that_is_wrong_is_said_at_once() {
    let place = Place::with("all", "[log]\nlevle = 1\nformat = 2\n");
    let sentences = place
        .load(&[("GAMBESON_SERVER_DRAIN", "x")], &[("server.drain", "y"), ("server.drian", "1s")])
        .map(drop)
        .unwrap_err()
        .sentences;
    let time = "write a time such as 500ms, 10s or 2m";
    let file = place.machine.file.display();
    assert_eq!(
        sentences,
        [
            format!("{file}:3: log.format is a number; write pretty or json, in quotes"),
            format!("{file}:2: there is no setting log.levle; did you mean log.level?"),
            format!("env GAMBESON_SERVER_DRAIN: server.drain is \"x\"; {time}"),
            format!("flag: server.drain is \"y\"; {time}"),
            "flag: there is no setting server.drian; did you mean server.drain?".into(),
        ]
    );
}

#[test]
fn settings_that_contradict_are_refused() {
    let deep = format!("[server]\nsocket = \"/{}\"", "d".repeat(107));
    for (text, beginning) in [
        (
            "server.listen = \"0.0.0.0:7373\"",
            "server.listen is 0.0.0.0:7373, which others can reach, without TLS; set ",
        ),
        ("server.tls_key = \"/k\"", "server.tls_key is set and server.tls_certificate is not; set both"),
        ("server.tls_certificate = \"/c\"", "server.tls_certificate is set and server.tls_key is not; set both"),
        (&deep, "server.socket is a path of 108 bytes, and a Unix socket's may have 107"),
        ("server.public_url = \"unix:/a\"", "server.public_url is a Unix socket"),
        ("[worker]\njoin = \"http://a\"\nserver_ca = \"/c\"", "worker.server_ca is set and worker.join is no https://"),
        ("worker.accept_missing = [\"seccomp\"]", "worker.accept_missing has seccomp, without which nothing may run"),
        ("retention.events = \"31d\"", "retention.events is 31d, longer than the 30d of retention.jobs"),
        (
            "retention.jobs = \"6.5d\"\nretention.events = \"1d\"",
            "retention.artifacts is 7d, longer than the 561600s of",
        ),
        ("limits.ceiling_memory = \"1M\"", "limits.ceiling_memory is 1 MiB; it must be from 16 MiB to 65536 GiB"),
    ] {
        let said = Place::with("contradiction", text).said();
        assert!(said.len() == 1 && said[0].starts_with(beginning), "{text}: {said:?}");
    }
}

#[test]
fn listening_beyond_loopback_is_allowed_with_tls_or_by_name() {
    for text in [
        "server.listen = \"0.0.0.0:7373\"\nserver.allow_plaintext = true",
        "server.listen = \"[::]:7373\"\nserver.tls_certificate = \"/c\"\nserver.tls_key = \"/k\"",
        "server.listen = \"[::1]:7373\"",
        "server.listen = \"127.8.8.8:0\"",
    ] {
        assert!(Place::with("beyond", text).load(&[], &[]).is_ok(), "{text}");
    }
}

#[test]
fn a_list_of_a_variable_is_written_with_commas() {
    let variables = [("GAMBESON_WORKER_ACCEPT_MISSING", "landlock,cgroup.cpu"), ("GAMBESON_WORKER_CPUS", "1.5")];
    let (settings, _) = Place::new("list").load(&variables, &[]).unwrap();
    assert_eq!(settings.worker.accept_missing, [Layer::Landlock, Layer::CgroupCpu]);
    assert_eq!(settings.worker.cpus, MilliCpus(1500));
}

#[test]
fn numbers_of_a_file_may_have_a_fraction_another_base_or_quotes() {
    let text = "[worker]\ncpus = 0.5\nslots = 0x10\n[limits]\nceiling_cpus = \"2\"\nceiling_pids = 1_000";
    let (settings, _) = Place::with("numbers", text).load(&[], &[]).unwrap();
    assert_eq!((settings.worker.cpus, settings.worker.slots), (MilliCpus(500), 16));
    assert_eq!((settings.limits.ceiling_cpus, settings.limits.ceiling_pids), (MilliCpus(2000), 1000));
}

#[test]
fn a_key_in_the_wrong_place_is_not_printed() {
    let (_, in_force) = Place::new("key").load(&[("GAMBESON_WORKER_JOIN_TOKEN_FILE", "/gmb_a_s3cret")], &[]).unwrap();
    assert_eq!(shown(&in_force, "worker.join_token_file").0, "/gmb_a_…");
    for text in ["gmb_a_s3cret = 1", "[gmb_a_s3cret]", "[log]\nlevel = \"gmb_a_s3cret\"", "[log]\nlevel = gmb_a_s3cret"]
    {
        let said = Place::with("key", text).said();
        assert!(!said[0].contains("s3cret"), "{said:?}");
    }
}

#[test]
fn no_variable_of_a_setting_is_one_of_the_client() {
    let mut seen = std::collections::BTreeSet::from(
        ["CONFIG", "SERVER", "KEY", "CA", "PROFILE", "ARRAY_INDEX"].map(|name| format!("GAMBESON_{name}")),
    );
    for setting in SETTINGS {
        assert!(seen.insert(setting.variable()), "{}", setting.name);
    }
}

#[test]
fn a_unit_gives_its_service_more_time_to_stop_than_it_takes() {
    let (settings, _) = Place::new("units").load(&[], &[]).unwrap();
    let (server, worker) = (settings.server.drain, settings.worker.drain);
    for (unit, takes) in
        [("gambeson-server", server), ("gambeson-worker", worker), ("gambeson", server.saturating_add(worker))]
    {
        let path = format!("{}/../../deploy/systemd/{unit}.service", env!("CARGO_MANIFEST_DIR"));
        let text = fs::read_to_string(path).unwrap();
        let stop = text.lines().find_map(|line| line.strip_prefix("TimeoutStopSec=")).unwrap();
        assert!(value::Value::read(stop).is_some_and(|stop: Duration| stop > takes), "{unit}: {stop}");
    }
}

#[test]
fn a_name_is_near_another_when_few_letters_differ() {
    assert_eq!(distance("listen", "lisen"), 1);
    assert_eq!(distance("drain", "drian"), 1);
    assert_eq!(distance("", "abc"), 3);
    assert_eq!(suggestion("queue.haf_life", SETTINGS.iter().map(|setting| setting.name)), Some("queue.half_life"));
    assert_eq!(suggestion("colour", SETTINGS.iter().map(|setting| setting.name)), None);
}
