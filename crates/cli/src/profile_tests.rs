//! Tests of profiles, each in a home of its own.

use std::os::unix::fs::PermissionsExt;

use super::*;

const LAB_KEY: &str = "gmb_lab1_s3cret-of-the-lab";
const OTHER_KEY: &str = "gmb_oth2_s3cret-of-another";

/// A home that goes with the test, and the variables that are set in it.
struct Home {
    path: PathBuf,
    variables: BTreeMap<&'static str, String>,
}

impl Home {
    fn new(name: &str) -> Home {
        let path = std::env::temp_dir().join(format!("gambeson-profile-{}-{name}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        let variables = BTreeMap::from([("HOME", path.display().to_string())]);
        Home { path, variables }
    }

    fn with(mut self, name: &'static str, value: &str) -> Home {
        self.variables.insert(name, value.to_owned());
        self
    }

    /// With a profile `lab`, the default, and another, `other`.
    fn with_profiles(self) -> Home {
        save("lab", "https://lab.example", Some(LAB_KEY), Some(Path::new("/lab.pem")), true, self.environment())
            .unwrap();
        save("other", "https://other.example", Some(OTHER_KEY), None, false, self.environment()).unwrap();
        self
    }

    fn environment(&self) -> impl Fn(&str) -> Option<OsString> + '_ {
        |name| self.variables.get(name).map(OsString::from)
    }

    fn file(&self) -> PathBuf {
        self.path.join(".config/gambeson/profiles.toml")
    }

    fn resolve(&self, choice: Choice) -> Result<Target, String> {
        resolve(&choice, self.environment())
    }

    fn put(&self, text: &str, mode: u32) {
        fs::create_dir_all(self.file().parent().unwrap()).unwrap();
        fs::write(self.file(), text).unwrap();
        fs::set_permissions(self.file(), fs::Permissions::from_mode(mode)).unwrap();
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.path);
    }
}

fn named(profile: &str) -> Choice {
    Choice { profile: Some(profile.into()), ..Choice::default() }
}

fn server(url: &str) -> Choice {
    Choice { server: Some(url.into()), ..Choice::default() }
}

/// Server, key, who named the server, who gave the key.
fn told(target: &Target) -> (&str, Option<&str>, &str, Option<&str>) {
    (&target.server, target.key.as_deref(), &target.server_origin, target.key_origin.as_deref())
}

#[test]
fn without_anything_the_server_is_this_machine_s() {
    let home = Home::new("nothing");
    assert_eq!(told(&home.resolve(Choice::default()).unwrap()), (LOCAL_SERVER, None, "default", None));
    let homeless = resolve(&Choice::default(), |_| None).unwrap();
    assert_eq!(told(&homeless), (LOCAL_SERVER, None, "default", None));
}

#[test]
fn a_flag_beats_a_variable_beats_a_named_profile_beats_the_default_one() {
    let home = Home::new("order").with_profiles();
    let lab = home.resolve(Choice::default()).unwrap();
    assert_eq!(told(&lab), ("https://lab.example", Some(LAB_KEY), "profile lab", Some("profile lab")));
    assert_eq!(lab.ca.as_deref(), Some(Path::new("/lab.pem")));

    let home = home.with("GAMBESON_PROFILE", "other");
    let other = home.resolve(Choice::default()).unwrap();
    assert_eq!(told(&other), ("https://other.example", Some(OTHER_KEY), "profile other", Some("profile other")));
    assert_eq!(home.resolve(named("lab")).unwrap().server, "https://lab.example");

    let home = home.with("GAMBESON_SERVER", "unix:/run/g.sock").with("GAMBESON_KEY", "gmb_env3_secret");
    let variables = home.resolve(Choice::default()).unwrap();
    assert_eq!(
        told(&variables),
        ("unix:/run/g.sock", Some("gmb_env3_secret"), "GAMBESON_SERVER", Some("GAMBESON_KEY"))
    );
    let flags = Choice { key: Some("gmb_flag4_secret".into()), ..server("http://flag") };
    let flags = home.resolve(flags).unwrap();
    assert_eq!(told(&flags), ("http://flag", Some("gmb_flag4_secret"), "--server", Some("--key")));
}

#[test]
fn the_key_of_a_profile_goes_to_no_other_server() {
    let home = Home::new("elsewhere").with_profiles();
    let elsewhere = home.resolve(server("https://elsewhere.example")).unwrap();
    assert_eq!(told(&elsewhere), ("https://elsewhere.example", None, "--server", None));
    assert_eq!(elsewhere.ca, None);
    let both = home.resolve(Choice { profile: Some("other".into()), ..server("https://lab.example") }).unwrap();
    assert_eq!(both.key, None);
    // Its own server by another way of writing is its own server.
    let own = home.resolve(server("https://lab.example/")).unwrap();
    assert_eq!(own.key.as_deref(), Some(LAB_KEY));
}

#[test]
fn an_empty_variable_is_not_set() {
    let home = Home::new("empty").with("GAMBESON_SERVER", "").with("GAMBESON_KEY", "").with("GAMBESON_PROFILE", "");
    assert_eq!(told(&home.resolve(Choice::default()).unwrap()), (LOCAL_SERVER, None, "default", None));
}

#[test]
fn the_file_is_made_for_its_owner_alone() {
    let home = Home::new("modes").with_profiles();
    assert_eq!(fs::metadata(home.file()).unwrap().mode() & 0o777, 0o600);
    assert_eq!(fs::metadata(home.file().parent().unwrap()).unwrap().mode() & 0o777, 0o700);
    let left: Vec<_> =
        fs::read_dir(home.file().parent().unwrap()).unwrap().map(|one| one.unwrap().file_name()).collect();
    assert_eq!(left, ["profiles.toml"]);
}

#[test]
fn a_file_that_others_can_read_is_refused_and_left_as_it_is() {
    let home = Home::new("open").with_profiles();
    for mode in [0o640, 0o604] {
        fs::set_permissions(home.file(), fs::Permissions::from_mode(mode)).unwrap();
        let path = home.file().display().to_string();
        let said = format!("{path} holds keys and others can read it; chmod 600 {path}, and replace the keys");
        assert_eq!(home.resolve(Choice::default()).unwrap_err(), said);
        assert_eq!(save("new", "http://a", None, None, false, home.environment()).unwrap_err(), said);
        assert_eq!(list(home.environment()).unwrap_err(), said);
    }
    assert!(!fs::read_to_string(home.file()).unwrap().contains("[profile.new]"));
}

#[test]
fn a_directory_that_others_can_write_to_is_refused() {
    let home = Home::new("shared").with_profiles();
    let directory = home.file().parent().unwrap().to_owned();
    fs::set_permissions(&directory, fs::Permissions::from_mode(0o770)).unwrap();
    let said = home.resolve(Choice::default()).unwrap_err();
    assert!(said.ends_with(&format!("chmod 700 {}", directory.display())), "{said}");
}

#[test]
fn whoever_names_server_and_key_needs_no_profiles() {
    let home = Home::new("both");
    home.put("not toml", 0o644);
    let both = Choice { key: Some(LAB_KEY.into()), ..server("http://a") };
    assert_eq!(home.resolve(both).unwrap().server, "http://a");
    assert!(home.resolve(server("http://a")).is_err());
}

#[test]
fn what_is_listed_and_said_holds_no_secret() {
    let home = Home::new("secrets").with_profiles();
    let listed = list(home.environment()).unwrap();
    assert_eq!(listed.iter().map(|one| one.key.as_deref().unwrap()).collect::<Vec<_>>(), ["gmb_lab1_…", "gmb_oth2_…"]);
    assert_eq!(listed.iter().map(|one| one.is_default).collect::<Vec<_>>(), [true, false]);
    let target = home.resolve(Choice::default()).unwrap();
    assert!(!format!("{listed:?} {target:?}").contains("s3cret"));
    for text in [
        "default = [\"gmb_x_s3cret\"]",
        "profile = \"gmb_x_s3cret\"",
        "[profile.a]\nserver = \"http://a\"\nkey = \"gmb_x_s3cret",
        "[profile.a]\nserver = \"http://a\"\nkey = gmb_x_s3cret",
        "[profile.a]\nserver = \"http://a\"\ngmb_x_s3cret = 1",
        "default = \"gmb_x_s3cret\"",
        "default = \"a\"\n[profile.a]\nserver = \"gmb_x_s3cret\"",
        "default = \"a\"\n[profile.a]\nserver = \"https://me:s3cret@a\"",
        "default = \"a\"\n[profile.a]\nserver = \"https://a\"\nkey = \"s3cret\"",
    ] {
        home.put(text, 0o600);
        let said = home.resolve(Choice::default()).unwrap_err();
        assert!(!said.contains("s3cret"), "{text}: {said}");
    }
}

#[test]
fn a_mistake_in_the_file_is_named_with_its_line() {
    let home = Home::new("line");
    home.put("[profile.a]\nserver = \"http://a\"\n\nserv = 1\n", 0o600);
    let said = home.resolve(Choice::default()).unwrap_err();
    assert!(said.starts_with(&format!("{}:4: ", home.file().display())), "{said}");
}

#[test]
fn a_profile_that_is_not_there_is_named_with_those_that_are() {
    let home = Home::new("absent").with_profiles();
    assert_eq!(home.resolve(named("lap")).unwrap_err(), "there is no profile \"lap\"; there are lab, other");
    assert_eq!(remove("lap", home.environment()).unwrap_err(), "there is no profile \"lap\"; there are lab, other");
}

#[test]
fn a_removed_default_is_no_default() {
    let home = Home::new("remove").with_profiles();
    remove("lab", home.environment()).unwrap();
    assert_eq!(home.resolve(Choice::default()).unwrap().server_origin, "default");
    assert_eq!(list(home.environment()).unwrap().len(), 1);
}

#[test]
fn what_is_no_profile_is_not_saved() {
    let home = Home::new("bad");
    let tried = |name, server, key| save(name, server, key, None, true, home.environment()).unwrap_err();
    assert_eq!(
        tried("a b", "http://a", None),
        "\"a b\" is no name of a profile; write up to 64 letters, digits, . _ or -"
    );
    assert!(tried("a", "a", None).starts_with("the server: \"a\" is no server; write https://HOST"));
    assert_eq!(tried("a", "http://a", Some("gmb_a")), "the key: this is no key; a key reads gmb_<id>_<secret>");
    assert!(tried("a", "http://a", Some("gmb_a_b\r\nX: y")).starts_with("the key: "));
    assert!(!home.file().exists());
}

#[test]
fn every_key_in_a_text_is_shortened() {
    assert_eq!(redacted("a gmb_1_x, \"gmb_2_y-z_\" gmb_3"), "a gmb_1_…, \"gmb_2_…\" gmb_…");
    assert_eq!(redacted("https://me:word@host/a"), "https://…@host/a");
    assert_eq!(redacted("no key: https://host"), "no key: https://host");
}
