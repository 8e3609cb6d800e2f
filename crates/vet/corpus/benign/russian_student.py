# label: benign
# expect:
# note: A pupil's program with Russian names throughout; whole words of one script are not disguise.
def среднее(числа):
    return sum(числа) / len(числа)


оценки = {"Аня": [5, 4, 5], "Боря": [3, 4, 4], "Вера": [5, 5, 5]}

for имя, список in оценки.items():
    print(f"{имя}: {среднее(список):.2f}")

лучший = max(оценки, key=lambda имя: среднее(оценки[имя]))
print("Лучший результат:", лучший)
