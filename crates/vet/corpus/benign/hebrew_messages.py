# label: benign
# expect:
# note: Messages in Hebrew and Arabic letters without any control character; right-to-left text is not a trick.
MESSAGES = {
    "he": {"hello": "שלום", "bye": "להתראות", "count": "יש {n} פריטים"},
    "ar": {"hello": "مرحبا", "bye": "مع السلامة", "count": "هناك {n} عناصر"},
    "en": {"hello": "hello", "bye": "goodbye", "count": "there are {n} items"},
}


def say(lang, key, **kw):
    return MESSAGES.get(lang, MESSAGES["en"])[key].format(**kw)


for lang in MESSAGES:
    print(lang, say(lang, "hello"), say(lang, "count", n=3))
