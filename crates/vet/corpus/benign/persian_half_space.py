# label: benign
# expect:
# note: Persian words whose spelling needs the zero-width non-joiner; orthography rather than disguise.
# allow: V005
WORDS = {
    "I go": "می‌روم",
    "books": "کتاب‌ها",
    "university": "دانشگاه",
}

for english, persian in WORDS.items():
    print(f"{english:12} {persian} ({len(persian)})")
