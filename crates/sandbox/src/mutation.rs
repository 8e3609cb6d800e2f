//! Plans with a layer taken out, for the tests of attacks. Never in a release.

use crate::host::Layer;
use crate::plan::{Plan, string};
use crate::step::{Ids, Step};

impl Plan {
    /// The plan without some layers, to show that an attack which they stop then succeeds.
    ///
    /// Dropping `root` shows the host's whole tree, `identity` keeps our own user id, `proc` unmasks, and
    /// so on: what the host would be like without that layer, not a cell that cannot start.
    #[must_use]
    pub fn without(mut self, layers: &[Layer]) -> Plan {
        let dropped = |layer| layers.contains(&layer);
        assert!(!dropped(Layer::NamespaceMount), "without it the steps would act on the host's own tree");
        for step in &mut self.steps {
            match step {
                Step::Show { read_only, .. } if dropped(Layer::RootReadOnly) => *read_only = false,
                Step::Proc { masked } if dropped(Layer::Proc) => *masked = false,
                Step::Scratch { bytes, files } if dropped(Layer::Scratch) => (*bytes, *files) = (None, None),
                Step::Identity(ids) if dropped(Layer::Identity) => {
                    *ids =
                        Ids::Ours { uid: rustix::process::geteuid().as_raw(), gid: rustix::process::getegid().as_raw() }
                }
                _ => {}
            }
        }
        if dropped(Layer::Root) {
            self.show_whole_host(dropped(Layer::RootReadOnly));
        }
        if dropped(Layer::NamespacePid) {
            // A proc of the host's pid namespace can only be shown, not made, from a user namespace.
            for step in &mut self.steps {
                if let Step::Proc { .. } = step {
                    *step = Step::Show { path: c"/proc".into(), directory: true, read_only: false };
                }
            }
        }
        self.steps.retain(|step| match step {
            Step::Show { .. } | Step::Proc { .. } | Step::Scratch { .. } | Step::Identity(_) | Step::Enter => true,
            Step::HostName(_) => !dropped(Layer::NamespaceUts),
            Step::LoopbackUp | Step::Listen { .. } => !dropped(Layer::NamespaceNet),
            other => other.layer().is_none_or(|layer| !dropped(layer)),
        });
        self
    }

    fn show_whole_host(&mut self, writable: bool) {
        let ours = ["work", "tmp", "dev", "proc"];
        let tops = std::fs::read_dir("/").expect("the root can be read").flatten();
        let tops = tops.filter(|entry| !ours.iter().any(|name| entry.file_name() == *name)).map(|entry| entry.path());
        let at = self.steps.iter().position(|step| matches!(step, Step::Show { .. })).expect("something is shown");
        self.steps.retain(|step| match step {
            Step::Show { path, .. } => path.as_bytes().starts_with(b"/dev/"),
            Step::Link { path, .. } | Step::File { path, .. } => path.as_bytes().starts_with(b"/dev/"),
            _ => true,
        });
        for top in tops {
            let path = string(&top).expect("names have no NUL");
            if top.is_symlink() {
                let target = string(std::fs::read_link(&top).expect("a link")).expect("no NUL");
                let enter = self.steps.iter().position(|step| *step == Step::Enter).expect("there is a root");
                self.steps.insert(enter + 1, Step::Link { path, target });
            } else if top.is_dir() {
                self.steps.insert(at, Step::Show { path, directory: true, read_only: !writable });
            }
        }
    }
}
