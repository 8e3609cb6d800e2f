import locale, sys, codecs, os
print(locale.setlocale(locale.LC_ALL), locale.getlocale(), locale.getpreferredencoding(False), locale.localeconv())
print(sys.flags, sys.flags.utf8_mode, codecs.lookup("mbcs") if False else "")
print(locale.strxfrm("a"), os.fsencode("ä"), "%n" % () if False else "")
print(locale.setlocale(locale.LC_ALL, "C.UTF-8"), locale.nl_langinfo(locale.CODESET))
print(os.environ.get("LANG"), os.environ.get("LC_CTYPE"))
