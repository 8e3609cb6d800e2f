//! What a program usually does with a module that was imported ahead of need, for those that many programs use: [`crate::pages`]
//! looks at what is written to meanwhile. Nothing of it is done in the nursery, and a cell that does something else only has
//! some pages that it does not need.

/// A program that does nothing but that.
pub(crate) fn program(preload: &[String]) -> String {
    let mut program = String::from("print(end='', flush=True)\n");
    for (name, does) in MODULES {
        if preload.iter().any(|module| module == name) {
            program.push_str("try:\n");
            does.lines().for_each(|line| program.push_str(&format!("    {line}\n")));
            // Of another version, perhaps.
            program.push_str("except Exception:\n    pass\n");
        }
    }
    program
}

/// No threads are started, and nothing is said.
const MODULES: [(&str, &str); 2] = [
    (
        "numpy",
        "import numpy
one = numpy.arange(4) * 2.0
(one.sum(), one[one > 1].mean())",
    ),
    (
        "pandas",
        "import pandas
table = pandas.DataFrame({'name': ['a', 'b', 'a'], 'number': [1, 2, 3]})
table['number'].sum()",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_imported_is_exercised() {
        let program = |modules: &[&str]| program(&modules.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>());
        assert_eq!(program(&["json"]), "print(end='', flush=True)\n");
        let numpy = program(&["numpy"]);
        assert!(numpy.contains("    import numpy\n"), "{numpy}");
        assert!(!numpy.contains("pandas"), "{numpy}");
        assert!(program(&["json", "pandas"]).contains("    import pandas\n"));
    }
}
