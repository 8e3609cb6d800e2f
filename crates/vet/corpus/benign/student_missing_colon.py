# label: benign
# expect: V001
# note: A beginner forgot a colon after else; the finding should point at that line.
grade = int(input("grade? "))

if grade >= 90:
    print("A")
elif grade >= 80:
    print("B")
else
    print("C or lower")
