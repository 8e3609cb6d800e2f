# label: benign
# expect:
# note: A long elif ladder, written by hand and quite flat to Python.
def month_name(n, lang):
    if n == 1:
        return "January" if lang == "en" else "Januar" if lang == "de" else "janvier"
    elif n == 2:
        return "February" if lang == "en" else "Februar" if lang == "de" else "février"
    elif n == 3:
        return "March" if lang == "en" else "März" if lang == "de" else "mars"
    elif n == 4:
        return "April" if lang != "fr" else "avril"
    elif n == 5:
        return "May" if lang == "en" else "Mai" if lang == "de" else "mai"
    elif n == 6:
        return "June" if lang == "en" else "Juni" if lang == "de" else "juin"
    elif n == 7:
        return "July" if lang == "en" else "Juli" if lang == "de" else "juillet"
    else:
        return "?"


for lang in ("en", "de", "fr"):
    print([month_name(i, lang) for i in range(1, 9)])
