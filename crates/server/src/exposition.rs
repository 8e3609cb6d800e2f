//! The figures in the form that a scraper asked for.

/// A text format of figures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// OpenMetrics 1.0.0, which Prometheus prefers.
    OpenMetrics,
    /// The older format of Prometheus, 0.0.4: what browsers, curl and older tools read.
    Prometheus,
}

impl Form {
    pub(crate) const fn media(self) -> &'static str {
        match self {
            Form::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
            Form::Prometheus => "text/plain; version=0.0.4; charset=utf-8",
        }
    }
}

/// What the headers `Accept` ask for: OpenMetrics where it is named, and no text that we write is liked better.
pub(crate) fn asked_for<'a>(accept: impl Iterator<Item = &'a str>) -> Form {
    let (mut open, mut plain) = (0.0, 0.0);
    for item in accept.flat_map(|header| header.split(',')) {
        let mut parts = item.split(';').map(str::trim);
        let media = parts.next().unwrap_or_default().to_ascii_lowercase();
        let (mut quality, mut version) = (1.0, None);
        for (name, value) in parts.filter_map(|part| part.split_once('=')) {
            match name.trim().to_ascii_lowercase().as_str() {
                "q" => quality = value.trim().parse::<f32>().ok().filter(|q| (0.0..=1.0).contains(q)).unwrap_or(0.0),
                "version" => version = Some(value.trim().trim_matches('"')),
                _ => {}
            }
        }
        match media.as_str() {
            "application/openmetrics-text" if version.is_none_or(|version| version == "1.0.0") => {
                open = quality.max(open)
            }
            "text/plain" if version.is_none_or(|version| version == "0.0.4") => plain = quality.max(plain),
            _ => {}
        }
    }
    if open > 0.0 && open >= plain { Form::OpenMetrics } else { Form::Prometheus }
}

/// Text of OpenMetrics in a form. In the older one a counter's name ends in `_total` in its description too, and there is
/// no mark of the end.
pub(crate) fn in_form(text: String, form: Form) -> String {
    if form == Form::OpenMetrics {
        return text;
    }
    let mut plain = String::with_capacity(text.len() + 4096);
    let mut help = None;
    for line in text.lines() {
        let described = |line: &'_ str| {
            let (name, rest) = line.split_once(' ')?;
            Some((name.to_owned(), rest.to_owned()))
        };
        if let Some(said) = line.strip_prefix("# HELP ") {
            // Its name is known with the type, which follows.
            help = described(said);
        } else if let Some((name, kind)) = line.strip_prefix("# TYPE ").and_then(described) {
            let ending = if kind == "counter" { "_total" } else { "" };
            if let Some((_, says)) = help.take().filter(|(of, _)| *of == name) {
                plain.push_str(&format!("# HELP {name}{ending} {says}\n"));
            }
            plain.push_str(&format!("# TYPE {name}{ending} {kind}\n"));
        } else if !line.starts_with('#') {
            plain.push_str(line);
            plain.push('\n');
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn openmetrics_is_for_who_names_it() {
        // As Prometheus 2.42 and 3 ask.
        let prometheus = "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,\
                          text/plain;version=0.0.4;q=0.5,*/*;q=0.1";
        let newer = "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,text/plain;version=1.0.0;q=0.4,*/*;q=0.2";
        for accept in
            [prometheus, newer, "Application/OpenMetrics-Text", "text/plain;q=0.3, application/openmetrics-text; q=0.3"]
        {
            assert_eq!(asked_for([accept].into_iter()), Form::OpenMetrics, "{accept}");
        }
        let older = "application/openmetrics-text;version=0.0.1,text/plain;version=0.0.4";
        for accept in [
            "",
            "*/*",
            "text/html",
            older,
            "application/openmetrics-text;q=0",
            "application/openmetrics-text;q=x",
            ";;,=",
        ] {
            assert_eq!(asked_for([accept].into_iter()), Form::Prometheus, "{accept}");
        }
        assert_eq!(asked_for(["application/openmetrics-text;q=0.2", "text/plain"].into_iter()), Form::Prometheus);
    }

    #[test]
    fn the_older_form_names_counters_wholly() {
        let text = "# HELP a_b Says this.\n# TYPE a_b counter\na_b_total{x=\"# TYPE\"} 1\n# HELP c Says.\n# TYPE c gauge\nc 2\n# EOF\n";
        let plain = "# HELP a_b_total Says this.\n# TYPE a_b_total counter\na_b_total{x=\"# TYPE\"} 1\n# HELP c Says.\n# TYPE c gauge\nc 2\n";
        assert_eq!(in_form(text.into(), Form::Prometheus), plain);
        assert_eq!(in_form(text.into(), Form::OpenMetrics), text);
    }
}
