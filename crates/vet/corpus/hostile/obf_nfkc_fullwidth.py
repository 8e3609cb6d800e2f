# label: hostile
# expect: V005 V501
# note: Fullwidth letters that Python folds to eval by NFKC while a search for the word finds nothing.
# obfuscated: yes
code = input()
print(ｅｖａｌ(code))
