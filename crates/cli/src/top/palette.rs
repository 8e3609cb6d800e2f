//! Colours: a blue and an orange that people of every kind of sight tell apart, and never the only thing that tells.

use ratatui::style::{Color, Modifier, Style};

/// How many colours a terminal has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Depth {
    /// None, or none are wanted.
    None,
    /// The sixteen of old.
    Sixteen,
    /// 256.
    Many,
    /// All.
    True,
}

impl Depth {
    /// What the environment says of it (no-color.org, COLORTERM, TERM).
    pub fn of(variable: impl Fn(&str) -> Option<String>) -> Depth {
        let said = |name: &str| variable(name).filter(|value| !value.is_empty());
        let term = said("TERM").unwrap_or_default();
        if said("NO_COLOR").is_some() || term.is_empty() || term == "dumb" || term.starts_with("vt") {
            Depth::None
        } else if said("COLORTERM").is_some_and(|value| value == "truecolor" || value == "24bit") {
            Depth::True
        } else if term.contains("256color") {
            Depth::Many
        } else {
            Depth::Sixteen
        }
    }
}

/// What a piece of text is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// As it is.
    Plain,
    /// Less important.
    Dim,
    /// A head.
    Head,
    /// What is as it should be, or in use.
    Good,
    /// What wants attention.
    Warn,
    /// What went wrong.
    Bad,
    /// The chosen line.
    Chosen,
}

/// Roles as styles.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Palette {
    pub depth: Depth,
}

impl Palette {
    /// The style of a role.
    pub fn style(self, role: Role) -> Style {
        // Both are read on a dark and on a light ground.
        let (blue, orange) = match self.depth {
            Depth::None => (None, None),
            Depth::Sixteen => (Some(Color::LightBlue), Some(Color::Yellow)),
            Depth::Many => (Some(Color::Indexed(33)), Some(Color::Indexed(208))),
            Depth::True => (Some(Color::Rgb(64, 144, 240)), Some(Color::Rgb(224, 120, 32))),
        };
        let of = |colour: Option<Color>| colour.map_or(Style::new(), |colour| Style::new().fg(colour));
        match role {
            Role::Plain => Style::new(),
            Role::Dim => Style::new().add_modifier(Modifier::DIM),
            Role::Head => Style::new().add_modifier(Modifier::BOLD),
            Role::Good => of(blue),
            Role::Warn => of(orange),
            Role::Bad => of(orange).add_modifier(Modifier::BOLD),
            Role::Chosen => Style::new().add_modifier(Modifier::REVERSED),
        }
    }

    /// A colour that a program chose, as near as this terminal comes to it.
    pub fn shade(self, shade: Shade) -> Option<Color> {
        match (shade, self.depth) {
            (_, Depth::None) => None,
            (Shade::Index(index), Depth::Many | Depth::True) => Some(Color::Indexed(index)),
            (Shade::Rgb(r, g, b), Depth::True) => Some(Color::Rgb(r, g, b)),
            (Shade::Rgb(r, g, b), Depth::Many) => Some(Color::Indexed(nearest_of_cube(r, g, b))),
            (Shade::Index(index @ 0..16), Depth::Sixteen) => Some(Color::Indexed(index)),
            (Shade::Index(index), Depth::Sixteen) => {
                let (r, g, b) = of_index(index);
                Some(Color::Indexed(nearest_of_sixteen(r, g, b)))
            }
            (Shade::Rgb(r, g, b), Depth::Sixteen) => Some(Color::Indexed(nearest_of_sixteen(r, g, b))),
        }
    }
}

/// A colour as a program asks for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shade {
    /// One of 256; the first sixteen are the terminal's own.
    Index(u8),
    /// Red, green, blue.
    Rgb(u8, u8, u8),
}

/// The steps of a side of the cube that 16 to 231 are.
const SIDE: [u8; 6] = [0, 95, 135, 175, 215, 255];

fn nearest_of_cube(r: u8, g: u8, b: u8) -> u8 {
    let step = |value: u8| (0..6).min_by_key(|step| SIDE[*step].abs_diff(value)).unwrap_or(0) as u8;
    16 + 36 * step(r) + 6 * step(g) + step(b)
}

fn of_index(index: u8) -> (u8, u8, u8) {
    match index {
        0..16 => (0, 0, 0),
        16..232 => {
            let index = usize::from(index - 16);
            (SIDE[index / 36], SIDE[index / 6 % 6], SIDE[index % 6])
        }
        232.. => {
            let grey = 8 + 10 * (index - 232);
            (grey, grey, grey)
        }
    }
}

fn nearest_of_sixteen(r: u8, g: u8, b: u8) -> u8 {
    let most = r.max(g).max(b);
    if most < 48 {
        return 0;
    }
    let bit = |value: u8| u8::from(value > most / 2);
    let base = bit(r) | bit(g) << 1 | bit(b) << 2;
    match (base, most) {
        (7, 0..160) => 8,
        (base, 200..) => base + 8,
        (base, _) => base,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_environment_says_how_many_colours_there_are() {
        let depth = |pairs: &[(&str, &str)]| {
            Depth::of(|name| pairs.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned()))
        };
        assert_eq!(depth(&[("TERM", "xterm-256color"), ("COLORTERM", "truecolor")]), Depth::True);
        assert_eq!(depth(&[("TERM", "screen-256color")]), Depth::Many);
        assert_eq!(depth(&[("TERM", "linux"), ("NO_COLOR", "")]), Depth::Sixteen);
        assert_eq!(depth(&[("TERM", "xterm-256color"), ("NO_COLOR", "1")]), Depth::None);
        assert_eq!(depth(&[("TERM", "dumb")]), Depth::None);
        assert_eq!(depth(&[]), Depth::None);
    }

    #[test]
    fn a_terminal_of_few_colours_gets_no_others() {
        let sixteen = Palette { depth: Depth::Sixteen };
        for r in (0..=255).step_by(51) {
            for b in (0..=255).step_by(51) {
                let Some(Color::Indexed(index)) = sixteen.shade(Shade::Rgb(r, 100, b)) else { panic!() };
                assert!(index < 16);
            }
        }
        for index in 0..=255 {
            let Some(Color::Indexed(index)) = sixteen.shade(Shade::Index(index)) else { panic!() };
            assert!(index < 16);
        }
        assert_eq!(Palette { depth: Depth::None }.shade(Shade::Index(1)), None);
        assert_eq!(Palette { depth: Depth::Many }.shade(Shade::Rgb(255, 0, 0)), Some(Color::Indexed(196)));
        for role in [Role::Good, Role::Warn, Role::Bad] {
            assert_eq!(Palette { depth: Depth::None }.style(role).fg, None);
        }
    }
}
