# label: benign
# expect: V005
# note: A translation table that needs right-to-left marks for its punctuation; control characters with a reason.
# Punctuation after Latin words needs a mark, or the dot jumps to the other side.
TEXTS = {
    "saved": "تم حفظ الملف README.‏",
    "size": "الحجم: ‫%d MB‬",
    "python": "لغة Python‏!",
}

for key, text in TEXTS.items():
    print(key, text % 3 if "%d" in text else text)
